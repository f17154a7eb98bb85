"""Shared by all tests: where the originals are, and a store of each test's own."""

import logging
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
    for name in ("TRADELIB_MIRROR", "CENSUS_API_KEY", "BEA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def mirror(httpserver, monkeypatch):
    """A local server that plays every publisher, each below the name of its host; no waiting between tries.

    Answer with ``mirror.expect_request("/www.census.gov/foreign-trade/balance/country.xlsx")``.
    """
    from tradelib import download

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    monkeypatch.setenv("TRADELIB_MIRROR", httpserver.url_for("").rstrip("/"))
    monkeypatch.setattr(download, "FIRST_WAIT", 0.0)
    return httpserver
