"""A page packed with all that it was made from, and made again from that alone."""

import json
import zipfile
from pathlib import Path

import pytest
from helpers import LAST_CELL, PARAMETERS, book_of, snapshot

from tradelib.errors import TradelibError
from tradelib.partners import resolve
from tradelib.runs import archive
from tradelib.runs.jobs import job_of, read_notebook
from tradelib.runs.report import make, make_report

SAYS = "import os, tradelib as tl\nprint(os.environ['SAYS'])\nbrief = tl.brief(partner, release, as_of=as_of)"
SAYS += "\nprint(brief['goods.balance.ytd'].text, len(tl.list_vintages()) > 0)"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The page of a small notebook, its notebook and its archive."""
    folder = tmp_path_factory.mktemp("packed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAYS", "It fell.")
        patch.setenv("TRADELIB_STORE", str(folder / "none"))
        book = book_of(folder, SAYS, LAST_CELL)
        made = make_report("KOR", "2018-07", reports=folder / "r", notebook=book)
        yield made.paths[0], book, archive.pack(made.paths[1], notebook=book)


def changed(path, to, name, content):
    """A copy of an archive in which one file is another."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(to, "w") as new:
        for one in old.namelist():
            new.writestr(one, content if one == name else old.read(one))
    return to


def test_an_archive_holds_what_the_page_was_made_from_and_is_the_same_when_packed_again(packed, tmp_path):
    page, book, path = packed
    with zipfile.ZipFile(path) as opened:
        names = set(opened.namelist())
        lock = opened.read("requirements.txt").decode().split()
        assert opened.read(f"notebook/{book.name}") == book.read_bytes()
    assert {"README.md", "manifest.json", f"page/{page.name}"} <= names
    assert any(line.startswith("pandas==") for line in lock) and all("==" in line for line in lock)
    assert path.read_bytes() == archive.pack(page, notebook=book, to=tmp_path / path.name).read_bytes()


def test_a_page_made_again_is_the_same_and_what_differs_is_told(packed, tmp_path, monkeypatch):
    monkeypatch.delenv("JUPYTER_DEFAULT_PROVISIONER_NAME")  # a plain kernel, as usual: it is the only one
    monkeypatch.setenv("SAYS", "It fell.")
    monkeypatch.setenv("TRADELIB_STORE", str(tmp_path / "another"))
    assert archive.replay(packed[2]) == []
    monkeypatch.setenv("SAYS", "It rose.")
    lines = archive.replay(packed[2], keep=tmp_path / "kept")
    assert any(line.startswith(".ipynb: ") and "It fell" in line and "It rose" in line for line in lines)
    assert any(line == ".html: +<pre>It rose." for line in lines)
    assert list((tmp_path / "kept").rglob("*.html"))


def test_a_damaged_archive_and_one_that_would_write_elsewhere_are_refused(packed, tmp_path):
    with zipfile.ZipFile(packed[2]) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        vintage = next(name for name in opened.namelist() if name.startswith("bundled/"))
        flipped = bytearray(opened.read(vintage))
    flipped[100] ^= 1
    elsewhere = manifest | {"sha256": {"../out": ""}}
    for n, (name, content) in enumerate(
        [(vintage, bytes(flipped)), ("manifest.json", json.dumps(elsewhere)), ("manifest.json", "{}")]
    ):
        with pytest.raises(TradelibError, match="is no archive of"):
            archive.replay(changed(packed[2], tmp_path / f"{n}.zip", name, content))
    for call, name in ((archive.replay, "none.zip"), (archive.pack, "none.html")):
        with pytest.raises(TradelibError, match=r"Cannot read .*\n  Give") as caught:
            call(tmp_path / name)
        assert "STORE" not in str(caught.value)
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(TradelibError, match="is no archive of"):
        archive.replay(tmp_path / "text.zip")


def test_a_manifest_that_names_what_the_archive_does_not_hold_is_refused(packed, tmp_path):
    with zipfile.ZipFile(packed[2]) as opened:
        manifest = json.loads(opened.read("manifest.json"))
    changes = [
        {"stem": "../../etc/passwd"},
        {"record": manifest["record"] | {"notebook": "../../etc/passwd"}},
        {"record": manifest["record"] | {"parameters": {}}},
        {"sha256": []},
        {"sha256": manifest["sha256"] | {"C:out": ""}},
    ]
    for change in changes:
        path = changed(packed[2], tmp_path / "it.zip", "manifest.json", json.dumps(manifest | change))
        with pytest.raises(TradelibError, match="is no archive of"):
            archive.replay(path)


def test_a_file_that_a_parameter_names_is_packed_and_found_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PARAMETERS + '\nsaid: str = "kept/said.txt"'
    text += '\nalso = "also.txt"'
    book = book_of(tmp_path, "print(open(said).read(), open(also).read())", LAST_CELL, parameters=text)
    Path("also.txt").write_text("It rose.")
    said = tmp_path / "kept" / "said.txt"
    said.parent.mkdir()
    said.write_text("It fell.")

    def made(path: str):
        job = job_of(
            resolve("KOR"), snapshot("2018-07"), read_notebook(book), reports="r", parameters={"said": path}
        )
        return make(job, force=True).paths[1]

    path = archive.pack(made("kept/said.txt"), notebook=book, to=tmp_path / "it.zip")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert archive.replay(path, keep=Path("again")) == [] and list(Path("again").rglob("*.html"))
    with pytest.raises(TradelibError, match="not at hand as it was"):
        archive.pack(tmp_path / "r" / "2018-09-05" / "korea-south.html", notebook=book)
    Path("also.txt").write_text("It rose.")
    with pytest.raises(TradelibError, match="can lie elsewhere"):
        archive.pack(made("../kept/said.txt"), notebook=book)


def test_where_a_page_cannot_be_made_again_nothing_is_told_of_what_has_gone(packed, monkeypatch):
    monkeypatch.delenv("JUPYTER_DEFAULT_PROVISIONER_NAME")
    monkeypatch.delenv("SAYS", raising=False)
    with pytest.raises(TradelibError, match="KeyError: 'SAYS'") as caught:
        archive.replay(packed[2])
    assert "It is kept" not in str(caught.value)


def test_a_page_that_was_edited_or_whose_notebook_is_another_is_not_packed(packed, tmp_path):
    page, book, _ = packed
    for path in page.parent.glob(f"{page.stem}.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert archive.pack(tmp_path / page.name, notebook=book).read_bytes()[:2] == b"PK", "its own is renewed"
    (tmp_path / f"{page.stem}.zip").write_bytes(b"my data")
    with pytest.raises(TradelibError, match="another's"):
        archive.pack(tmp_path / page.name, notebook=book)
    with pytest.raises(TradelibError, match="is not the notebook that the page was made from"):
        archive.pack(tmp_path / page.name, notebook=book_of(tmp_path / "..", "1 + 1", LAST_CELL))
    edited = json.loads(page.read_text())
    edited["cells"][-1]["source"] = "mine"
    (tmp_path / page.name).write_text(json.dumps(edited))
    with pytest.raises(TradelibError, match="was edited"):
        archive.pack(tmp_path / page.name, notebook=book)


@pytest.mark.parametrize("who", ["KOR", "EU"])
def test_of_a_large_table_by_year_an_archive_of_a_brief_holds_the_sums_that_it_read(who, tmp_path):
    made = make_report(who, "2024-12", as_of="2026-11-25", reports=tmp_path / "r")
    facts = json.loads(made.paths[2].read_text(encoding="utf-8"))["facts"]
    share = facts["tariff.dutiable_share.ytd"]
    assert share["table"] == archive.TARIFF_YEARS and share["value"] > 0
    path = archive.pack(made.paths[1])
    assert path.stat().st_size < 5_000_000 and archive.replay(path) == []
