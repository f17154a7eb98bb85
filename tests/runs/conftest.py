"""Kernels of these tests are forks of one warm process for each process of the test run."""

import json

import pytest


@pytest.fixture(autouse=True)
def warm_kernels(monkeypatch):
    """Any kernel is a fork, and no sweep ends the warm process: the next test forks from it too."""
    from tradelib.runs import sweep

    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "tradelib-warm")
    monkeypatch.setattr(sweep, "cool_down", lambda: None)


@pytest.fixture
def edit():
    """Change the source of the last cell of a notebook, as JupyterLab does: its outputs stay."""

    def change(path, source, **changes):
        book = json.loads(path.read_text())
        book["cells"][-1] |= {"source": source.splitlines(keepends=True)} | changes
        path.write_text(json.dumps(book))

    return change
