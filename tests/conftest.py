"""Shared by all tests: where the originals are, and a store of each test's own."""

import logging
import os
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]

# No test is timed: two busy cores are slower than any deadline now and then.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


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
