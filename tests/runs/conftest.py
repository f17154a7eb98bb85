"""What is expensive is shared: kernels, snapshots, and the brief on Korea as the real notebook makes it."""

import functools
import json

import pytest

from tradelib.runs import check, plan, report, sweep
from tradelib.store import vintages


@functools.cache
def _taken(release, as_of, strict, store):
    from tradelib import take

    return take(release, as_of=as_of, strict=strict)


def _take(release, *, as_of=None, strict=False):
    """As `take`, once for all tests of this process whose vintages are the same."""
    store = tuple((v.table, v.published, v.sha256) for v in vintages.list_vintages())
    return _taken(release, as_of or None, strict, store)


@pytest.fixture(autouse=True)
def warm_kernels(monkeypatch):
    """Any kernel is a fork, and no sweep ends the warm process: the next test forks from it too."""
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "tradelib-warm")
    monkeypatch.setattr(sweep, "cool_down", lambda: None)
    monkeypatch.setattr(plan, "take", _take)
    monkeypatch.setattr(report, "take", _take)
    monkeypatch.setattr(report, "check", lambda texts, **_: check.Verdict(()))  # test_check.py has its tests
    monkeypatch.setattr(report, "prepare", lambda *_: None)


@pytest.fixture(scope="session")
def korea(tmp_path_factory):
    """The brief on Korea, July 2018, from a plain kernel; its tests run together."""
    reports = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADELIB_STORE", str(reports / "no-store"))
        yield report.make_report("KOR", "2018-07", reports=reports)


@pytest.fixture
def edit():
    """Change the source of the last cell of a notebook, as JupyterLab does: its outputs stay."""

    def change(path, source, **changes):
        book = json.loads(path.read_text())
        book["cells"][-1] |= {"source": source.splitlines(keepends=True)} | changes
        path.write_text(json.dumps(book))

    return change
