"""`make bench`: loading, facts and reports, each against what one would do without tradelib.

Prints measured times and ratios from one run; it never fails because a machine is slow.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
ORIGINAL = ROOT.parent / "shared" / "data" / "census" / "country_2024-10-08.xlsx"
AS_OF = "2024-10-08"
BRIEF = {"partner": "KOR", "release": "2018-07"}
PEAK = "import resource, sys; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
LOAD = f"from tradelib import load_goods; load_goods(as_of={AS_OF!r})"
FACTS = "from tradelib import brief, covered_partners, take; s = take('2018-07')"
FACTS += "; [brief(code, s) for code in covered_partners(s)]"


def seconds(action, times: int, clock=time.perf_counter) -> float:
    """Median time of a few runs; by `time.process_time` that of work, whatever else the machine does."""
    found = []
    for _ in range(times):
        start = clock()
        action()
        found.append(clock() - start)
    return statistics.median(found)


def line(name: str, value: str, note: str = "") -> None:
    """Print one row of the table."""
    print(f"  {name:<58} {value:>12}  {note}".rstrip())


def ratio(name: str, slow: float, fast: float, target: float | None = None) -> None:
    """Print how many times faster the second is, and whether that meets the target."""
    times = slow / fast
    goal = "" if target is None else f"target {target:g}: {'met' if times >= target else 'MISSED'}"
    line(f"  {name}", f"{times:,.1f} times", goal)


def machine() -> None:
    """Say what was measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = ("pandas", "numpy", "pyarrow", "openpyxl", "python-calamine", "papermill")
    print(f"{platform.machine()}, {cores} cores, {platform.system()} {platform.release()}")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{n} {version(n)}" for n in names))


def workbook(folder: Path) -> tuple[Path, str]:
    """The workbook of the vintage: the original where it is, else one written from the bundle."""
    if ORIGINAL.is_file():
        return ORIGINAL, "the original file"
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from helpers import country_sheet, grid_rows, write_xlsx

    from tradelib import load_goods

    sheet = country_sheet(load_goods(as_of=AS_OF))
    return write_xlsx(folder / "country.xlsx", {"country": grid_rows(sheet)}), "written from the bundle"


def loading(folder: Path) -> None:
    """load_goods of a whole vintage against pandas.read_excel on its workbook."""
    import pandas as pd

    from tradelib import load_goods

    path, origin = workbook(folder)
    rows = len(load_goods(as_of=AS_OF))
    warm = seconds(lambda: load_goods(as_of=AS_OF), 15)
    one = seconds(lambda: load_goods(as_of=AS_OF, partner="5800"), 15)
    print(f"\nLoad goods, vintage {AS_OF}, {rows:,} rows (workbook: {origin}, {path.stat().st_size:,} bytes)")
    line("load_goods, whole vintage, warm, median of 15", f"{1e3 * warm:,.1f} ms", _goal(warm, 0.060))
    line("load_goods, one partner, warm, median of 15", f"{1e3 * one:,.1f} ms")
    for engine, times, target in (("openpyxl", 3, 30), ("calamine", 5, 5)):
        slow = seconds(lambda engine=engine: pd.read_excel(path, engine=engine), times)
        line(f"pandas.read_excel, {engine}, median of {times}", f"{1e3 * slow:,.0f} ms")
        ratio(f"load_goods is faster than {engine}", slow, warm, target)


def sealing() -> None:
    """What it costs to look at every byte of a vintage when it is read, and whether damage is noticed."""
    import random

    from tradelib import list_vintages
    from tradelib.errors import TradelibError
    from tradelib.store import parquet, vintages

    vintage = list_vintages("goods_census_nsa")[-1]
    whole, seed = vintage.path.read_bytes(), random.randrange(10**6)
    look, load = (
        seconds(call, 31) for call in (lambda: parquet.is_sealed(whole), lambda: vintages.read(vintage))
    )
    print(f"\nDamage on disk, {vintage.table} of {vintage.published}, {len(whole):,} bytes, seed {seed}")
    line(
        "looking at every byte, median of 31", f"{1e3 * look:,.2f} ms", f"{100 * look / load:.1f} % of a load"
    )
    chance, noticed = random.Random(seed), 0
    place = Path(os.environ["TRADELIB_STORE"]) / "table=goods_census_nsa" / f"published={vintage.published}"
    place.mkdir(parents=True)
    for number in range(250):
        data, at = bytearray(whole), chance.randrange(len(whole))
        if number % 5 == 0:
            del data[at:]  # cut short
        elif number % 5 == 1:
            data[at : at + 512] = bytes(len(data[at : at + 512]))  # a sector of zeros
            data[at] ^= data == whole
        else:
            data[at] ^= 1 << chance.randrange(8)
        (place / "flows.parquet").write_bytes(data)
        try:
            vintages.read(vintages.look(place / "flows.parquet"), partner="5800")
        except TradelibError:
            noticed += 1
        (place / "flows.parquet").unlink()
    shutil.rmtree(place.parents[1])
    line("damaged vintages noticed when used", f"{noticed} of 250", "target 250")


def _goal(measured: float, most: float) -> str:
    return f"target {most:g} s: {'met' if measured <= most else 'MISSED'}"


def facts() -> None:
    """Facts of all partners of one release, no notebook involved."""
    from tradelib import brief, covered_partners, take

    def run():
        taken = take("2018-07")
        return [brief(code, taken) for code in covered_partners(taken)]

    count = len(run())
    taken = take("2018-07")
    alone = covered_partners(taken)[0]
    print(f"\nFacts of all {count} partners, release 2018-07")
    everyone = seconds(run, 3)
    line("snapshot and facts, warm, median of 3", f"{everyone:,.2f} s", _goal(everyone, 3))
    line("snapshot alone, median of 3", f"{seconds(lambda: take('2018-07'), 3):,.2f} s")
    more = seconds(lambda: brief(alone, taken), 15)
    line("one more partner from a snapshot, median of 15", f"{1e3 * more:,.1f} ms")


def duties() -> None:
    """Rates, ranks, and rates or mix of all partners with duties by month, once they are loaded."""
    from tradelib import brief, take
    from tradelib.briefs.tariffs import tariff_facts

    taken = take("2025-11", as_of="2026-02-04")
    every = [brief(code, taken) for code in taken.duties.sums(taken.duties.windows["month"]).index]

    def run():
        del vars(taken)["duties"]  # its sums
        for one in every:
            tariff_facts(one)

    print(f"\nFacts on duties of {len(every)} partners, release 2025-11, once loaded")
    took = seconds(run, 5, time.process_time)
    line("rates, ranks, rates or mix: work, median of 5", f"{took:,.2f} s", _goal(took, 1))


def memory() -> None:
    """Peak memory of a process of its own for each task.

    Linux counts the parent's memory at the start of a child too: to be called while this process
    is still small, before anything imports pandas.
    """
    if find_spec("resource") is None:
        return
    print("\nPeak memory, a fresh process each")
    tasks = {
        "import tradelib": "import tradelib",
        "load_goods, whole vintage": LOAD,
        "facts of all partners": FACTS,
    }
    for name, code in tasks.items():
        start = time.perf_counter()
        command = [sys.executable, "-c", f"{code}\n{PEAK}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        took = time.perf_counter() - start
        unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes on macOS, kilobytes on Linux
        line(name, f"{int(done.stdout.split()[-1]) / unit:,.0f} MB", f"{took:.2f} s from start to exit")


def reports(folder: Path) -> None:
    """The command that makes a brief against papermill and nbconvert on the same notebook."""
    notebook = ROOT / "notebooks" / "release.ipynb"
    if find_spec("tradelib.report") is None or not notebook.is_file():
        print("\nReport: no tradelib.report or no notebook here; skipped.")
        return
    print("\nReport on {partner}, release {release}, whole commands, median of 3".format(**BRIEF))
    options = [word for name, value in BRIEF.items() for word in (f"--{name}", value)]
    command = [sys.executable, "-m", "tradelib", "report", *options, "--reports", str(folder), "--force"]
    made = seconds(lambda: _run(command, folder), 3)
    line("tradelib report: notebook, page and facts", f"{made:,.2f} s", _goal(made, 8))
    again = seconds(lambda: _run(command[:-1], folder), 3)
    line("the same again, nothing to do", f"{again:,.2f} s")
    output = folder / "plain.ipynb"
    parameters = [word for name, value in BRIEF.items() for word in ("-p", name, value)]
    papermill = [sys.executable, "-m", "papermill", str(notebook), str(output), *parameters]
    convert = [sys.executable, "-m", "nbconvert", "--to", "html", "--no-input", str(output)]
    first = seconds(lambda: _run(papermill, folder), 3)
    second = seconds(lambda: _run(convert, folder), 3)
    line("papermill, command line", f"{first:,.2f} s")
    line("jupyter nbconvert --to html", f"{second:,.2f} s")
    ratio("tradelib report is faster than the two together", first + second, made)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[1:4])} failed:\n{done.stderr[-2000:]}")


def main() -> None:
    """Measure everything, with a store that holds nothing but the bundle."""
    folder = Path(tempfile.mkdtemp(prefix="tradelib-bench-"))
    os.environ["TRADELIB_STORE"] = str(folder / "store")
    try:
        machine()
        memory()
        loading(folder)
        sealing()
        facts()
        duties()
        reports(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
