"""The store anywhere: folders and object stores, two writers at once, a full disk, a damaged file."""

import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest
from click.testing import CliRunner

from tradelib import list_vintages, load
from tradelib.cli.main import main
from tradelib.errors import StoredOtherwise, TradelibError
from tradelib.store import files as storage
from tradelib.store import parquet as encoding
from tradelib.store import verify as integrity
from tradelib.store import vintages
from tradelib.tables import check_flows

DAY = date(2031, 1, 2)
HS10 = "exports_hs10_nsa"


def rows(first: float = 1.0, months=("2030-01", "2030-02"), item="goods", flows=("exports", "imports")):
    index = pd.MultiIndex.from_product(
        [["2010", "5800"], flows, [item], pd.PeriodIndex(months, freq="M")],
        names=["partner", "flow", "item", "period"],
    )
    values = np.arange(len(index)) * 1000.0 + first
    note = pd.Series(pd.NA, index=range(len(index)), dtype="str")
    return pd.DataFrame({"value_usd": values}, index=index).reset_index().assign(note=note)


def save(first: float = 1.0, **options):
    options = {"published": DAY, "sources": [], "parser": "test.1"} | options
    return vintages.save(rows(first), "goods_census_nsa", **options)


def save_large(first: float = 1.0, months=("2029-11", "2029-12", "2030-01"), **options):
    frame = rows(first, months, item="2709000000", flows=("exports",))
    return vintages.save(frame, HS10, published=DAY, sources=[], parser="test.1", **options)


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def bucket(s3_bucket, monkeypatch):
    """A store in a bucket of the test's own."""
    files, name = s3_bucket
    monkeypatch.setenv("TRADELIB_STORE", f"s3://{name}/store")
    return files, f"{name}/store"


# --- an object store ----------------------------------------------------------------------------


def test_a_vintage_in_an_object_store_is_listed_loaded_and_never_overwritten(bucket):
    vintage, written = save()
    assert written and vintage.origin == "store" and str(vintage.path).startswith("s3://")
    assert [v.published for v in list_vintages("goods_census_nsa")][-1] == DAY
    frame = load("goods_census_nsa", as_of=DAY, partner="5800", since="2030-02")
    assert frame["value_usd"].tolist() == [5001.0, 7001.0]
    assert save()[1] is False
    with pytest.raises(StoredOtherwise):
        save(2.0)
    assert vintages.read(vintage).equals(check_flows(rows(), "goods_census_nsa"))


def test_a_second_writer_to_an_object_store_finds_the_first_ones_file(bucket, monkeypatch):
    vintage, _ = save()
    files, root = bucket
    before = files.cat(f"{root}/table=goods_census_nsa/published={DAY}/flows.parquet")
    known = vintages.list_vintages
    with monkeypatch.context() as blind:  # it looked before the first one wrote
        blind.setattr(vintages, "list_vintages", lambda table=None: [])
        assert save() == (vintage, False)
        with pytest.raises(StoredOtherwise):
            save(2.0)
    assert vintages.list_vintages is known
    assert files.cat(f"{root}/table=goods_census_nsa/published={DAY}/flows.parquet") == before


def test_a_large_vintage_in_an_object_store_counts_only_with_its_card(bucket):
    vintage, written = save_large()
    files, root = bucket
    assert written and len(vintage.parts) == 2
    assert load(HS10, as_of=DAY, partner="5800", since="2029-12")["value_usd"].tolist() == [4001.0, 5001.0]
    assert [finding for finding in integrity.verify(storage.store_path()) if finding.problem] == []
    files.rm(f"{root}/table={HS10}/published={DAY}/{vintages.CARD}")  # as if killed before the card
    assert list_vintages(HS10) == []
    found = integrity.verify(storage.store_path())
    assert len(found) == 2 and all("no card names this part" in finding.problem for finding in found)
    assert save_large()[1], "the next run completes what was cut off"
    assert not [finding for finding in integrity.verify(storage.store_path()) if finding.problem]


def test_a_store_of_an_unknown_kind_is_told(monkeypatch):
    monkeypatch.setenv("TRADELIB_STORE", "nosuch://bucket/store")
    with pytest.raises(TradelibError, match="nosuch"):
        list_vintages()


def test_an_object_store_that_cannot_be_reached_is_told(bucket, monkeypatch):
    monkeypatch.setenv("TRADELIB_STORE", "s3://no-such-bucket-at-all/store")
    with pytest.raises(TradelibError, match=r"no-such-bucket-at-all"):
        save()


# --- large tables -------------------------------------------------------------------------------


def test_a_large_vintage_is_stored_by_year_with_a_card(store):
    vintage, written = save_large()
    assert written and (vintage.since, vintage.through, vintage.rows) == ("2029-11", "2030-01", 6)
    names = everything(store)
    assert [name.split("/")[2] for name in names] == [vintages.CARD, "year=2029", "year=2030"]
    frame = vintages.read(vintage)
    assert frame.equals(
        check_flows(rows(1.0, ("2029-11", "2029-12", "2030-01"), "2709000000", ("exports",)), HS10)
    )
    assert save_large()[1] is False and everything(store) == names
    with pytest.raises(StoredOtherwise):
        save_large(9.0)
    assert everything(store) == names


def test_years_come_in_order_and_one_at_a_time(store):
    one = rows(1.0, ("2030-01",), "2709000000", ("exports",))
    two = rows(1.0, ("2029-01",), "2709000000", ("exports",))
    for frames in ([one, two], [pd.concat([one, two])], [one, one]):
        with pytest.raises(TradelibError, match="one frame for each year"):
            vintages.save_years(frames, HS10, published=DAY, sources=[], parser="")
    with pytest.raises(TradelibError, match="no rows"):
        vintages.save_years([], HS10, published=DAY, sources=[], parser="")
    assert everything(store) == []


def test_a_large_vintage_that_fails_midway_leaves_nothing(store):
    def years():
        yield rows(1.0, ("2029-01",), "2709000000", ("exports",))
        raise TradelibError("the server went away")

    with pytest.raises(TradelibError, match="went away"):
        vintages.save_years(years(), HS10, published=DAY, sources=[], parser="")
    assert everything(store) == [] and list_vintages(HS10) == []


def test_other_engines_read_the_store_as_it_is(store):
    save()
    save_large()
    count = "SELECT count(*), min(published) FROM read_parquet(?, hive_partitioning = true)"
    small = duckdb.execute(count, [f"{store}/table=goods_census_nsa/**/*.parquet"]).fetchone()
    large = duckdb.execute(count, [f"{store}/table={HS10}/**/*.parquet"]).fetchone()
    assert (small, large) == ((8, DAY), (6, DAY))
    assert ds.dataset(store / f"table={HS10}", partitioning="hive").count_rows() == 6


# --- two at once, a full disk, a killed run -----------------------------------------------------

RACE = """
import sys, time
sys.path.insert(0, {tests!r})
import test_files as test_storage
while not {flag}.exists(): time.sleep(0.001)
from tradelib.errors import TradelibError
for n in range(20):
    try:
        test_storage.save(float(n % 2), published=test_storage.DAY.replace(day=1 + n))
    except TradelibError as error:
        assert "already stored with other figures" in str(error), error
"""


def test_writers_at_the_same_time_leave_whole_vintages_only(store, tmp_path):
    flag = tmp_path / "go"
    code = RACE.format(tests=str(Path(__file__).parent), flag=f"__import__('pathlib').Path({str(flag)!r})")
    runs = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    flag.touch()
    assert [(run.wait(120), run.stderr.read()) for run in runs] == [(0, b"")] * 3
    found = integrity.verify(store)
    assert len(found) == 20 and not [one for one in found if one.problem]
    assert not [name for name in everything(store) if name.endswith(".tmp")]


def test_a_full_disk_is_told_and_leaves_nothing(store):
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_files as test_storage
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
for save in (test_storage.save, test_storage.save_large):
    try:
        save()
    except test_storage.TradelibError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.count("TRADELIB_STORE") == 2 and "File too large" in done.stdout, done.stderr
    assert everything(store) == []


def left_by(place: Path, host: str, pid: int, old: bool = False) -> Path:
    """A temporary file as a run on some machine leaves it when it is killed."""
    path = place.with_name(f".{place.name}.{host}.{pid}.abcd1234.tmp")
    path.write_bytes(b"PAR1")
    if old:
        os.utime(path, (0, 0))
    return path


def test_what_a_killed_run_left_is_swept_away_by_the_next_write_to_the_folder(store):
    vintage, _ = save()
    host = platform.node().replace(".", "-")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    gone = left_by(vintage.path, host, ended.pid)
    folder = vintage.path.with_name(f".brief.{host}.{ended.pid}.efgh5678.tmp")
    folder.mkdir()
    (folder / "run.ipynb").touch()
    alive = left_by(vintage.path, host, os.getpid(), old=True)
    elsewhere, long_ago = (left_by(vintage.path, f"other{old}", 1, old) for old in (False, True))
    foreign = vintage.path.with_name(".notes.tmp")
    foreign.touch()
    save(published=DAY.replace(day=3))
    assert gone.exists(), "only the folder that is written to is swept"
    storage.write_once(vintage.path, lambda path: None)
    assert not gone.exists() and not folder.exists() and not long_ago.exists()
    assert alive.exists() and elsewhere.exists() and foreign.exists()
    assert list_vintages("goods_census_nsa")[-1].published == DAY.replace(day=3)


# --- one file -----------------------------------------------------------------------------------


def test_a_place_is_a_folder_or_an_address():
    assert storage.located("store") == Path("store")
    assert storage.located("memory://store").name == "store" and storage.is_remote(
        storage.located("memory://store")
    )


@pytest.mark.parametrize("root", ["folder", "memory://test-files"])
def test_a_file_is_written_once_or_over_and_read_back(tmp_path, root):
    place = storage.located(root if "://" in root else tmp_path / root) / "a" / "figure.txt"
    assert storage.write_once(place, lambda path: path.write_text("1"))
    assert not storage.write_once(place, lambda path: path.write_text("2"))
    assert storage.read_bytes(place) == b"1"
    storage.write_over(place, b"3")
    assert storage.read_bytes(place) == b"3"
    with storage.temporary(place, folder=True) as folder:
        (folder / "figure.txt").write_text("4")
        assert storage.read_bytes(place) == b"3"
        storage.put(folder / "figure.txt", place)
    assert storage.read_bytes(place) == b"4" and not folder.exists()
    assert [path.name for path in place.parent.iterdir()] == ["figure.txt"]


def test_a_file_that_cannot_be_written_is_told_with_advice_and_leaves_nothing(tmp_path):
    (tmp_path / "index.html").mkdir()
    with pytest.raises(TradelibError, match=r"(?s)Cannot write .*index.html: .*Give another folder"):
        storage.write_over(tmp_path / "index.html", b"1", advice="Give another folder.")
    (tmp_path / "file").touch()
    with pytest.raises(TradelibError, match=r"(?s)Cannot write to .*file: .*Give another folder"):
        storage.make_ready(tmp_path / "file", advice="Give another folder.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "index.html"]


# --- verify -------------------------------------------------------------------------------------


def damage(vintage, **changes):
    """Write a vintage again with other figures, or other metadata, under the same name."""
    meta = encoding.read_meta(vintage.path) | changes
    frame = vintages.read(vintage)
    frame.loc[0, "value_usd"] += 1 if not changes else 0
    vintage.path.unlink()
    encoding.write_parquet(frame, vintage.path, meta)


DAMAGES = {
    "another figure": (lambda v: damage(v), "their hash differs"),
    "another table's name": (lambda v: damage(v, table="goods_census_sa"), "says that it is goods_census_sa"),
    "another number of rows": (lambda v: damage(v, rows=7), "8 rows, 7 were saved"),
    "cut short": (lambda v: v.path.write_bytes(v.path.read_bytes()[:900]), "not a tradelib vintage"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_verify_names_what_is_wrong_and_exits_non_zero(store, case):
    vintage, _ = save()
    change, words = DAMAGES[case]
    change(vintage)
    result = CliRunner().invoke(main, ["verify"])
    assert result.exit_code == 1
    assert str(vintage.path) in result.output and words in result.output, result.output


def test_verify_names_the_damaged_part_of_a_large_vintage(store):
    vintage, _ = save_large()
    part = vintage.files[0]
    frame = encoding.to_frame(encoding.read_parquet(part), "M")
    frame.loc[0, "value_usd"] += 1
    encoding.write_parquet(frame, part, {})
    (bad,) = [finding for finding in integrity.verify(store) if finding.problem]
    assert "year=2029" in bad.problem and "hash differs" in bad.problem


def test_verify_is_content_with_a_sound_store(store):
    save()
    save_large()
    result = CliRunner().invoke(main, ["verify"])
    assert result.exit_code == 0
    count = len(list_vintages())
    assert f"{count} of {count} vintages are what they were" in result.output


def test_the_card_of_a_large_vintage_vouches_for_each_part(store):
    vintage, _ = save_large()
    card = json.loads(vintage.path.read_text())
    for part in card["parts"]:
        frame = encoding.to_frame(encoding.read_parquet(vintage.path.parent / part["file"]), "M")
        assert encoding.digest(frame) == part["sha256"] and part["sha256"][:12] in part["file"]
