"""Shared by all tests: where the originals are, and a store of each test's own."""

import logging
import os
import sys
from functools import lru_cache
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]

# No test is timed: two busy cores are slower than any deadline now and then.
hypothesis.settings.register_profile("untimed", deadline=None, max_examples=40)
hypothesis.settings.load_profile("untimed")

sys.modules.setdefault("rfc3987_syntax", None)  # as `tradelib.runs.finished`, before nbformat is imported


#: The tests of a file run in one worker, and those of these files in the same one: what they share is worked
#: out once. They take longest and begin first, so that the workers end together.
GROUPS = {
    "briefs of all partners": (
        "briefs/test_brief",
        "briefs/test_release_notebook",
        "catalogue/test_catalogue",
    ),
    "pages": ("runs/test_page", "runs/test_report", "runs/test_check", "runs/test_sweep"),
    "kernels": ("runs/test_warm",),
    "claims": ("test_api", "test_cards"),
    "processes": ("sources/test_update", "runs/test_run_due"),
}
TOGETHER = {f"tests/{name}.py": group for group, names in GROUPS.items() for name in names}


def pytest_collection_modifyitems(items):
    """The longest come first."""
    places = {group: place for place, group in enumerate(GROUPS)}
    items.sort(key=lambda item: places.get(TOGETHER.get(item.nodeid.partition("::")[0]), len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give out the tests by file. xdist's marks of groups do nothing since pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return TOGETHER.get(file, file)

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def bundled_once(tmp_path_factory):
    """What is bundled does not change: this process reads a file of it once, and takes a snapshot of it once.

    `take` still chooses the vintages each time, and a test that has a store gets a snapshot of its own.
    """
    from tradelib.briefs import snapshot
    from tradelib.briefs.selection import choose
    from tradelib.store import files, parquet, vintages

    read, handed, bundled = parquet.read, snapshot._handed, vintages.BUNDLED

    @lru_cache(maxsize=64)
    def read_once(path, freq, coded):
        return read(path, freq, coded=coded)

    def read_bundled(path, freq, partner=None, *, coded=False):
        if bundled not in path.parents:
            return read(path, freq, partner, coded=coded)
        whole = read_once(path, freq, coded).copy(deep=False)
        return whole[whole["partner"].isin(partner)].reset_index(drop=True) if partner else whole

    @lru_cache(maxsize=8)
    def taken(release, day):
        chosen = choose(release, day, strict=False)
        return snapshot.Snapshot(release, day, chosen.sources, chosen.absent)

    def handed_or_taken(release, day):
        store = files.store_path()
        own = files.is_remote(store) or store.exists() or "TRADELIB_GROUPS" in os.environ
        own = own or bundled != vintages.BUNDLED or snapshot.HANDED in os.environ
        return handed(release, day) if own else taken(release, day)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADELIB_STORE", str(tmp_path_factory.mktemp("nobody") / "store"))
        patch.setattr(parquet, "read", read_bundled)
        patch.setattr(snapshot, "_handed", handed_or_taken)
        yield


@pytest.fixture(scope="module")
def quick_pages():
    """Kernels are forks of one process of this worker; no page is worked out again, as test_check.py does."""
    from tradelib.runs import check, report

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "tradelib-warm")
        patch.setattr(report, "check", lambda texts, **_: check.Verdict(()))
        patch.setattr(report, "prepare", lambda *_: None)
        yield


@pytest.fixture(scope="session")
def originals() -> Path:
    """The folder of original files; tests that need it skip where it is not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the original files (../shared/data) are not on this machine")
    return folder


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch) -> Path:
    """A user's store that is empty, so that no test sees or touches a real one."""
    folder = tmp_path / "store"
    monkeypatch.setenv("TRADELIB_STORE", str(folder))
    monkeypatch.setenv("TRADELIB_CACHE", str(tmp_path / "cache"))
    for name in ("TRADELIB_MIRROR", "TRADELIB_GROUPS", "CENSUS_API_KEY", "BEA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="session")
def s3_server():
    """A local S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_server, monkeypatch):
    """An empty bucket of the test's own, told in the environment: its file system, and its name."""
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    name = f"trade-{os.getpid()}-{len(files.ls(''))}"
    files.mkdir(name)
    return files, name


@pytest.fixture
def mirror(httpserver, monkeypatch):
    """A local server that plays every publisher, each below the name of its host; no waiting between tries.

    Answer with ``mirror.expect_request("/www.census.gov/foreign-trade/balance/country.xlsx")``.
    """
    from tradelib.sources import download

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    monkeypatch.setenv("TRADELIB_MIRROR", httpserver.url_for("").rstrip("/"))
    monkeypatch.setattr(download, "FIRST_WAIT", 0.0)
    return httpserver
