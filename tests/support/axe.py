"""axe-core in a page: what keeps somebody from reading it, by the rules of WCAG 2.2, level AA."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def violations(tab) -> list[str]:
    """Open all that is folded up on a page, and list what axe finds; TRADELIB_AXE names another axe-core."""
    found = find_spec("axe_playwright_python")  # it carries axe-core, and is all that we want of it
    path = os.environ.get("TRADELIB_AXE") or (found and Path(found.origin).with_name("axe.min.js"))
    if not path:
        pytest.skip("no axe-core on this machine: pip install -e .[test]")
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    tab.evaluate(Path(path).read_text(encoding="utf-8"))
    told = tab.evaluate(
        "rules => axe.run({runOnly: rules, resultTypes: ['violations']}).then(found => found.violations)",
        RULES,
    )
    return [f"{one['id']}: {node['html'][:200]}" for one in told for node in one["nodes"]]
