"""Kill a sweep at random moments and start it again: the same files come out, byte for byte but for times.

    python tests/benchmarks/sweep_kills.py [10] [--partners group:EU]

One sweep runs to its end in a folder of its own. Another is killed (SIGKILL) time and again, and started
again in the same folder until it ends; then the two folders are compared.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
DURATION = re.compile(r'("(?:duration|seconds)": )[\d.]+(e-\d+)?')


def start(reports: Path, partners: str) -> subprocess.Popen:
    """Start a sweep of a release."""
    words = ["sweep", "--release", "2018-07", "--partners", partners, "--reports", str(reports)]
    return subprocess.Popen(
        [sys.executable, "-m", "tradelib", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"SWEEP_KILLS": str(reports)},
    )


def left(reports: Path) -> int:
    """How many processes of a sweep are there."""
    count = 0
    for process in psutil.process_iter():
        try:
            count += process.environ().get("SWEEP_KILLS") == str(reports)
        except psutil.Error:
            continue
    return count


def files(reports: Path) -> dict[str, str]:
    """The text of every file, without times."""
    paths = [path for path in reports.rglob("*") if path.is_file()]
    texts = {str(path.relative_to(reports)): path.read_text() for path in paths}
    return {name: DURATION.sub(r"\1 0", TIME.sub("then", text)) for name, text in texts.items()}


def main() -> None:
    """Kill, complete and compare."""
    read = argparse.ArgumentParser()
    read.add_argument("times", type=int, nargs="?", default=10)
    read.add_argument("--partners", default="group:EU")
    given = read.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder, "whole"), Path(folder, "killed")
        began = time.perf_counter()
        if start(whole, given.partners).wait():
            raise SystemExit("FAILED: the sweep itself")
        took = time.perf_counter() - began
        for _ in range(given.times):
            run = start(killed, given.partners)
            moment = chance.uniform(0, 2 * took / given.times + 6)  # six seconds of imports come first
            time.sleep(moment)
            run.send_signal(signal.SIGKILL)
            code = run.wait()
            time.sleep(3)
            state = "killed" if code == -signal.SIGKILL else f"had ended ({code})"
            pages = len(list(killed.rglob("*.html")))
            print(f"{state} after {moment:.1f} s: {pages} pages, {left(killed)} processes left")
        if start(killed, given.partners).wait():
            raise SystemExit("FAILED: the last run")
        one, other = files(whole), files(killed)
        differ = sorted({name for name in one.keys() | other.keys() if one.get(name) != other.get(name)})
        print(f"{len(one)} files, {len(differ)} differ {differ[:5] or ''}")
        raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
