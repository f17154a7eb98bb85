"""The store anywhere: folders and object stores, two writers at once, a full disk, a damaged file."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from stored import DAY, HS10, everything, rows, save, save_large

from tradelib import list_vintages, load
from tradelib.errors import StoredOtherwise, TradelibError
from tradelib.runs import check, state
from tradelib.store import files, vintages
from tradelib.store.verify import verify
from tradelib.studies import changes
from tradelib.tables import check_flows


@pytest.fixture
def bucket(s3_bucket, monkeypatch):
    """A store in a bucket of the test's own."""
    system, name = s3_bucket
    monkeypatch.setenv("TRADELIB_STORE", f"s3://{name}/store")
    return system, f"{name}/store"


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
    system, root = bucket
    before = system.cat(f"{root}/table=goods_census_nsa/published={DAY}/flows.parquet")
    known = vintages.list_vintages
    with monkeypatch.context() as blind:  # it looked before the first one wrote
        blind.setattr(vintages, "list_vintages", lambda table=None: [])
        assert save() == (vintage, False)
        with pytest.raises(StoredOtherwise):
            save(2.0)
    assert vintages.list_vintages is known
    assert system.cat(f"{root}/table=goods_census_nsa/published={DAY}/flows.parquet") == before


def test_a_large_vintage_in_an_object_store_counts_only_with_its_card(bucket):
    vintage, written = save_large()
    system, root = bucket
    assert written and len(vintage.parts) == 2
    assert load(HS10, as_of=DAY, partner="5800", since="2029-12")["value_usd"].tolist() == [4001.0, 5001.0]
    assert [finding for finding in verify(files.store_path()) if finding.problem] == []
    system.rm(f"{root}/table={HS10}/published={DAY}/{vintages.CARD}")  # as if killed before the card
    assert list_vintages(HS10) == []
    found = verify(files.store_path())
    assert len(found) == 2 and all("no card names this part" in finding.problem for finding in found)
    assert save_large()[1], "the next run completes what was cut off"
    assert not [finding for finding in verify(files.store_path()) if finding.problem]


def test_a_store_of_an_unknown_kind_is_told(monkeypatch):
    monkeypatch.setenv("TRADELIB_STORE", "nosuch://bucket/store")
    with pytest.raises(TradelibError, match="nosuch"):
        list_vintages()


def test_an_object_store_that_cannot_be_reached_is_told(bucket, monkeypatch):
    monkeypatch.setenv("TRADELIB_STORE", "s3://no-such-bucket-at-all/store")
    with pytest.raises(TradelibError, match=r"no-such-bucket-at-all"):
        save()


# --- two at once, a full disk, a killed run -----------------------------------------------------

SUPPORT = str(Path(__file__).parents[1] / "support")
RACE = """
import sys, time
sys.path.insert(0, {support!r})
import stored
while not {flag}.exists(): time.sleep(0.001)
from tradelib.errors import TradelibError
for n in range(20):
    try:
        stored.save(float(n % 2), published=stored.DAY.replace(day=1 + n))
    except TradelibError as error:
        assert "already stored with other figures" in str(error), error
"""


def test_writers_at_the_same_time_leave_whole_vintages_only(store, tmp_path):
    flag = tmp_path / "go"
    code = RACE.format(support=SUPPORT, flag=f"__import__('pathlib').Path({str(flag)!r})")
    runs = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    flag.touch()
    assert [(run.wait(120), run.stderr.read()) for run in runs] == [(0, b"")] * 3
    found = verify(store)
    assert len(found) == 20 and not [one for one in found if one.problem]
    assert not [name for name in everything(store) if name.endswith(".tmp")]


def test_a_full_disk_is_told_and_leaves_nothing(store):
    code = f"""
import resource, sys
sys.path.insert(0, {SUPPORT!r})
import stored
from tradelib.errors import TradelibError
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
for save in (stored.save, stored.save_large):
    try:
        save()
    except TradelibError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
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
    with files.temporary(store / "x") as beside:
        host = beside.name.rsplit(".", 4)[1]
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
    files.write_once(vintage.path, lambda path: None)
    assert not gone.exists() and not folder.exists() and not long_ago.exists()
    assert alive.exists() and elsewhere.exists() and foreign.exists()
    assert list_vintages("goods_census_nsa")[-1].published == DAY.replace(day=3)


def test_a_process_whose_end_its_parent_was_not_told_yet_has_gone():
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout.read() == b"" and os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert files.has_gone(ended.pid) and not files.has_gone(os.getpid())
    ended.wait()
    assert files.has_gone(ended.pid)


def test_what_killed_runs_left_among_temporary_files_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    script = "import os, signal; from tradelib.store import files\n"
    script += "with files.scratch() as folder: (folder / 'a').touch(); os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"TMPDIR": str(tmp_path)})
    (left,) = tmp_path.glob(".t.*.tmp")
    with files.scratch() as folder:
        assert list(tmp_path.glob(".t.*.tmp")) == [folder], left
    assert not list(tmp_path.glob(".t.*"))


# --- one file -----------------------------------------------------------------------------------


def test_a_place_is_a_folder_or_an_address():
    with pytest.raises(TradelibError, match="without a name"):
        files.located("")
    assert files.located("store") == Path("store")
    assert files.located("memory://store").name == "store" and files.is_remote(
        files.located("memory://store")
    )


@pytest.mark.parametrize("root", ["folder", "memory://test-files"])
def test_a_file_is_written_once_or_over_and_read_back(tmp_path, root):
    place = files.located(root if "://" in root else tmp_path / root) / "a" / "figure.txt"
    assert files.write_once(place, lambda path: path.write_text("1"))
    assert not files.write_once(place, lambda path: path.write_text("2"))
    assert files.read_bytes(place) == b"1"
    files.write_over(place, b"3")
    assert files.read_bytes(place) == b"3"
    with files.temporary(place, folder=True) as folder:
        (folder / "figure.txt").write_text("4")
        assert files.read_bytes(place) == b"3"
        files.put(folder / "figure.txt", place)
    assert files.read_bytes(place) == b"4" and not folder.exists()
    assert [path.name for path in place.parent.iterdir()] == ["figure.txt"]


def test_a_file_that_cannot_be_written_is_told_with_advice_and_leaves_nothing(tmp_path):
    (tmp_path / "index.html").mkdir()
    with pytest.raises(TradelibError, match=r"(?s)Cannot write .*index.html: .*Give another folder"):
        files.write_over(tmp_path / "index.html", b"1", advice="Give another folder.")
    (tmp_path / "file").touch()
    with pytest.raises(TradelibError, match=r"(?s)Cannot write to .*file: .*Give another folder"):
        files.make_ready(tmp_path / "file", advice="Give another folder.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "index.html"]


def test_a_record_or_page_far_larger_than_any_of_ours_is_not_read(tmp_path, monkeypatch):
    place = tmp_path / "huge.facts.json"
    place.write_text("{}")
    assert files.read_kept(place) == b"{}" and state.read(place) == {}
    place.write_text('{"release": "2018-07"}')
    assert state.read(place)
    os.truncate(place, files.LARGEST + 1)  # a hole: it takes no room on the disk
    assert state.read(place) == {}
    with pytest.raises(TradelibError, match=r"Cannot read .*huge: it has more than 200 MB"):
        check.texts_of(tmp_path / "huge")
    with pytest.raises(TradelibError, match="is no file of facts"):
        changes.side(str(place))
