"""Every page of a folder read by axe-core, on a desk and on a phone: what keeps somebody from reading it.

    python tests/benchmarks/axe.py REPORTS [--shard 1/2]

REPORTS is a folder that `tradelib sweep` or `tradelib catalogue` made. Prints each violation with its page,
and how many pages were read.
"""

import argparse
import collections
import shutil
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
import axe

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


def read(pages: list[Path]) -> collections.Counter:
    """Open each page in both sizes; count the violations by their kind and print each."""
    found = collections.Counter()
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            for page in pages:
                tab.goto(page.as_uri())
                for told in axe.violations(tab):
                    found[f"{name}: {told.partition(':')[0]}"] += 1
                    print(f"{page}, {name}: {told}")
        browser.close()
    return found


def main() -> None:
    """Read a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--shard", default="1/1", help="which part of how many")
    given = parser.parse_args()
    which, parts = map(int, given.shard.split("/"))
    pages = sorted(given.reports.resolve().rglob("*.html"))[which - 1 :: parts]
    began = time.perf_counter()
    found = read(pages)
    took = time.perf_counter() - began
    print(
        f"{len(pages)} pages, each {' and '.join(SIZES)}, in {took:.0f} s: {dict(found) or 'no violation'}."
    )


if __name__ == "__main__":
    main()
