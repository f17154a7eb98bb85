"""Shared by all tests: where the originals are, and a store of each test's own."""

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
    return folder
