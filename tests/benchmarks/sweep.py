"""A sweep against papermill and nbconvert called once per notebook, in one run; and what a brief costs.

    python tests/benchmarks/sweep.py [--partners all] [--release 2018-07] [--workers 3] [--pages]

Prints seconds per brief, the ratio, and the peak of memory of all processes together (shared pages counted
once: PSS). `--pages` measures the other notebooks too, for the arithmetic of the guide.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
ALONE = ("KOR", "CHN", "MEX")


def peak_memory(process: subprocess.Popen) -> dict[str, float]:
    """Watch a process and its descendants until it ends: their common peak in MB, and how many they were."""
    top = {"mb": 0.0, "processes": 0}
    while process.poll() is None:
        try:
            family = psutil.Process(process.pid)
            sizes = []
            for one in [family, *family.children(recursive=True)]:
                try:
                    sizes.append(one.memory_full_info().pss)
                except psutil.Error:
                    continue
            top = {"mb": max(top["mb"], sum(sizes) / 2**20), "processes": max(top["processes"], len(sizes))}
        except psutil.Error:
            pass
        time.sleep(0.5)
    return top


def command(*words: str, folder: Path, watched: bool = True) -> tuple[float, dict[str, float]]:
    """Run a command to its end: seconds, and, where it is watched, its peak of memory.

    To watch takes time: while the system adds up the memory of a process, that one waits.
    """
    began = time.perf_counter()
    with (folder / "log").open("w") as told:
        process = subprocess.Popen([sys.executable, "-m", *words], cwd=folder, stdout=told, stderr=told)
        memory: dict = {}
        watch = threading.Thread(target=lambda: memory.update(peak_memory(process)))
        if watched:
            watch.start()
        code = process.wait()
        took = time.perf_counter() - began
        if watched:
            watch.join()
    if code:
        raise SystemExit(f"{' '.join(words[:3])} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return took, memory


def one_by_one(release: str, folder: Path) -> float:
    """Median seconds of papermill and nbconvert, called once per notebook as one would without tradelib."""
    took = []
    for who in ALONE:
        output = str(folder / f"{who}.ipynb")
        source = str(ROOT / "notebooks" / "release.ipynb")
        given = ("-p", "partner", who, "-p", "release", release)
        run, _ = command("papermill", source, output, *given, folder=folder, watched=False)
        page, _ = command("nbconvert", "--to", "html", output, folder=folder, watched=False)
        took.append(run + page)
    return statistics.median(took)


def swept(folder: Path, *words: str, watched: bool = True) -> tuple[int, float, dict[str, float]]:
    """Run a sweep into an empty folder: how many briefs, seconds, memory."""
    reports = folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    words = ("tradelib", "sweep", "--reports", str(reports), *words)
    took, memory = command(*words, folder=folder, watched=watched)
    return len(list(reports.glob("*/*.facts.json"))), took, memory


def main() -> None:
    """Measure."""
    read = argparse.ArgumentParser()
    read.add_argument("--partners", default="group:EU")
    read.add_argument("--release", default="2018-07")
    read.add_argument("--workers", default="")
    read.add_argument("--pages", action="store_true")
    given = read.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tradelib-bench-"))
    os.environ["TRADELIB_STORE"] = str(folder / "store")
    words = ["--release", given.release, "--partners", given.partners]
    words += ["--workers", given.workers] if given.workers else []
    try:
        alone = one_by_one(given.release, folder)
        print(f"papermill and nbconvert --to html, once per notebook, median of {len(ALONE)}: {alone:.2f} s")
        count, took, memory = swept(folder, *words)
        each = took / count
        print(f"tradelib sweep --partners {given.partners}: {count} briefs in {took:.1f} s, start to exit")
        print(f"  {each:.2f} s each, target 1.2: {'met' if each <= 1.2 else 'MISSED'} ({count} briefs)")
        ratio = alone / each
        print(f"  {ratio:.1f} times the throughput, target 5: {'met' if ratio >= 5 else 'MISSED'}")
        print(
            f"  peak {memory['mb']:,.0f} MB in {memory['processes']} processes, "
            f"target 2,000: {'met' if memory['mb'] < 2000 else 'MISSED'}"
        )
        again = command("tradelib", "sweep", "--reports", str(folder / "reports"), *words, folder=folder)[0]
        print(f"  the same again, all up to date: {again:.1f} s")
        for name in ("partners.ipynb", "revisions.ipynb") if given.pages else ():
            count, took, _ = swept(folder, *words, "--notebook", name)
            print(f"{name}: {count} pages in {took:.1f} s, {took / count:.2f} s each")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
