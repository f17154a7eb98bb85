"""One page to make: what it is called, where it goes, and which words of a notebook it fills in."""

from datetime import date

import pytest
from helpers import ROOT, book_of, snapshot

from tradelib import load, take
from tradelib.errors import TradelibError
from tradelib.partners import resolve
from tradelib.runs.execution import check_parameters, parameters_of
from tradelib.runs.jobs import bundled_notebook, job_of, read_notebook, release_folder
from tradelib.store import vintages
from tradelib.tables import TABLES


def test_a_notebook_is_found_by_its_path_or_as_one_of_tradelibs():
    assert bundled_notebook() == ROOT / "notebooks" / "release.ipynb"
    assert read_notebook("partners.ipynb").stem == "partners"
    assert read_notebook() == read_notebook(bundled_notebook())


def test_a_job_names_its_files_by_day_partner_notebook_label_and_as_of():
    job = job_of(resolve("KOR"), snapshot("2018-07"), read_notebook(), reports="reports")
    assert (job.title, str(job.paths[1])) == ("Korea, South", "reports/2018-09-05/korea-south.html")
    late = snapshot("2018-07", "2025-04-03")
    other = job_of(resolve("KOR"), late, read_notebook("partners.ipynb"), reports="reports", label="x")
    assert other.title == "Korea, South, partners"
    assert other.paths[1].name == "korea-south.partners.x.as-of-2025-04-03.html"


@pytest.mark.parametrize("word", ["failed", "Edited", "edited-2", "edition-1", "as-of-2018-10-05"])
def test_no_notebook_and_no_label_is_called_as_a_page_that_is_kept_beside_another(word, tmp_path):
    own = book_of(tmp_path, "1").rename(tmp_path / f"{word}.ipynb")
    for book, label in ((read_notebook(own), ""), (read_notebook(), word)):
        with pytest.raises(TradelibError, match=rf"korea-south\.{word} .*\n  Give the notebook"):
            job_of(resolve("KOR"), snapshot("2018-07"), book, reports="r", label=label)


def test_a_page_is_made_again_where_a_file_has_changed_that_its_notebook_names_in_its_parameters(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    cell = 'partner = "KOR"\nmine: str = "mine.txt"\nn = 1 + 1'
    book = read_notebook(book_of(tmp_path, "1", parameters=cell))

    def record():
        return job_of(resolve("KOR"), snapshot("2018-07"), book, reports="r").record

    marks = [record()["fingerprint"]]
    for text in ("It fell.", "It rose."):
        (tmp_path / "mine.txt").write_text(text)
        marks.append(record()["fingerprint"])
    assert len(set(marks)) == 3 and "mine.txt" in record()["files"]


def test_pages_and_record_of_a_release_lie_where_its_day_says_or_its_month():
    assert str(release_folder("2018-07", "reports")) == "reports/2018-09-05"
    assert str(release_folder("1993-06", "reports")) == "reports/1993-06"
    assert str(release_folder("2018-07", "s3://bucket/reports")) == "s3://bucket/reports/2018-09-05"


def test_a_page_is_made_of_every_vintage_and_file_that_its_notebook_may_read(store, tmp_path, monkeypatch):
    """A brief reads its snapshot; seasonal.ipynb and revisions.ipynb read other tables and days."""

    def record(notebook, **parameters):
        taken = take("2018-07")
        return job_of(
            resolve("KOR"), taken, read_notebook(notebook), reports="r", parameters=parameters
        ).record

    names = ("release.ipynb", "seasonal.ipynb", "revisions.ipynb")
    before = {name: record(name) for name in names}
    frame = load("goods_census_sa", as_of="2025-04-03")[TABLES["goods_census_sa"].columns]
    vintages.save(frame, "goods_census_sa", published=date(2025, 5, 6), sources=[], parser="test.1")
    after = {name: record(name) for name in names}
    assert [name for name in names if before[name] == after[name]] == ["release.ipynb"]
    assert set(before["seasonal.ipynb"]["at_hand"]) >= {"goods_census_sa", "goods_census_nsa"}
    assert "kei-2018-09-05.yaml" in before["revisions.ipynb"]["files"]
    own = tmp_path / "own.yaml"
    own.write_text("one")
    first = record("revisions.ipynb", article=str(own))
    own.write_text("another")
    assert first["fingerprint"] != record("revisions.ipynb", article=str(own))["fingerprint"]


def test_the_months_of_the_world_are_what_its_brief_is_made_of_and_no_other(store):
    def record(who):
        return job_of(resolve(who), take("2025-02", as_of="2025-04-04"), read_notebook(), reports="r").record

    frame = load("trade_world_sa", as_of="2025-04-03")[TABLES["trade_world_sa"].columns]
    before = {who: record(who)["fingerprint"] for who in ("world", "KOR")}
    vintages.save(frame, "trade_world_sa", published=date(2025, 4, 4), sources=[], parser="test.1")
    assert [who for who in before if before[who] != record(who)["fingerprint"]] == ["world"]
    assert [who for who in before if "trade_world_sa" in str(record(who)["vintages"])] == ["world"]


def test_a_further_parameter_is_typed_as_the_notebook_declares_it_or_refused():
    assert check_parameters(read_notebook("revisions.ipynb"), {"article": "kei"}) == {"article": "kei"}
    with pytest.raises(TradelibError) as error:
        check_parameters(read_notebook(), {"colour": "red"})
    assert str(error.value) == (
        "release.ipynb has no parameter colour.\n  Its parameters are as_of, partner, release."
    )


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ("partner = 'KOR'", {"partner": "str"}),
        ("article = 'kei'\nreleases: list = []  # several", {"article": "str", "releases": "list"}),
        ("# none at all", {}),
    ],
)
def test_a_notebook_may_declare_what_it_uses_and_no_more(tmp_path, parameters, found):
    assert parameters_of(read_notebook(book_of(tmp_path, "1", parameters=parameters))) == found
