"""`make bench`: each thing a user waits for against the way without it, in one run and one table.

A row tells both times and their ratio, and what becomes of ours when the data double. It never fails because
a machine is slow. The last run is kept in last_run.md beside this file, with what it was measured on. This
process imports nothing large: Linux counts a parent's memory at the start of its children too.
"""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import hs10
from sweep import one_by_one, swept
from tabulate import tabulate

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("last_run.md")
ORIGINALS = ROOT.parent / "shared" / "data" / "census"
AS_OF = "2024-10-08"
KOREA = ("--partner", "KOR", "--release", "2018-07")
TWELVE = "KOR,CHN,JPN,DEU,MEX,CAN,GBR,FRA,ITA,IND,BRA,VNM"
MORE = "NLD,CHE,TWN,SGP,AUS,ESP,POL,SWE,TUR,THA,MYS,IRL"
LIBRARIES = ("pandas", "numpy", "pyarrow", "matplotlib", "duckdb", "openpyxl", "papermill", "nbconvert")
HEADS = ("what", "tradelib", "without it", "", "ratio", "wanted", "data twice")
RIGHT = ("left", "right", "left", "right", "right", "left", "right")


class Row(NamedTuple):
    """One thing, in seconds: ours, the other way and its name, the ratio wanted, ours with twice the data."""

    what: str
    ours: float
    way: str
    other: float
    wanted: str = ""
    twice: float | None = None

    def cells(self) -> list[str]:
        """The row as texts; the ratio tells how many times as long the other way takes."""
        grown = "" if self.twice is None else f"{self.twice:.1f} times"
        ratio = f"{self.other / self.ours:,.1f}"
        return [self.what, told(self.ours), self.way, told(self.other), ratio, self.wanted, grown]


def told(seconds: float) -> str:
    """Seconds, or milliseconds of what is short."""
    return f"{seconds:,.2f} s" if seconds >= 0.1 else f"{1e3 * seconds:,.2f} ms"


# --- measuring ------------------------------------------------------------------------------------


def within(given: str, *calls: str, times: int = 15) -> list[float]:
    """The median seconds of each call, after one that is not counted, in turn, in one fresh process."""
    code = f"""
import json, statistics, time
{textwrap.dedent(given)}
calls, took = [{", ".join(f"lambda: {call}" for call in calls)}], []
for call in calls:
    call()
for _ in range({times}):
    row = []
    for call in calls:
        start = time.perf_counter()
        call()
        row.append(time.perf_counter() - start)
    took.append(row)
print(json.dumps([statistics.median(column) for column in zip(*took)]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def whole(*words: str, folder: Path, times: int = 3) -> float:
    """The median seconds of a command, from start to exit."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)
        took.append(time.perf_counter() - start)
        if done.returncode:
            raise SystemExit(f"{' '.join(words[:4])} failed:\n{done.stderr[-2000:]}")
    return statistics.median(took)


# --- the rows -------------------------------------------------------------------------------------


def loading(folder: Path) -> Iterator[Row]:
    """A vintage, one partner of it, and what looking at every byte costs."""
    book = ORIGINALS / f"country_{AS_OF}.xlsx"
    given = f"""
    import pandas as pd, tradelib as tl
    from datetime import date
    from pathlib import Path
    from tradelib.store import parquet, vintages
    found = [v for v in tl.list_vintages("goods_census_nsa") if str(v.published) == {AS_OF!r}][0]
    data, rows = found.path.read_bytes(), tl.load_goods(as_of={AS_OF!r})
    half = rows[rows["partner"].isin(sorted(rows["partner"].unique())[::2])]
    card = dict(published=date(2024, 10, 9), sources=[], parser="bench", store=Path({str(folder / "half")!r}))
    half, _ = vintages.save(half[list(vintages.read(found))], "goods_census_nsa", **card)
    """
    calls = ["vintages.read(found)", "vintages.read(half)", "parquet.is_sealed(data)"]
    calls += [f"tl.load_goods(as_of={AS_OF!r})", f"tl.load_goods(as_of={AS_OF!r}, partner='5800')"]
    calls += ["pd.read_parquet(found.path, filters=[('partner', '==', '5800')])"]
    took = dict(zip(("read", "half", "seal", "load", "one", "pandas"), within(given, *calls), strict=True))
    if book.is_file():
        engines = [f"pd.read_excel({str(book)!r}, engine={engine!r})" for engine in ("calamine", "openpyxl")]
        fast, slow = within(given, *engines, times=3)
        twice = took["read"] / took["half"]
        yield Row("load_goods, all partners", took["load"], "read_excel, calamine", fast, "5", twice)
        yield Row("load_goods, all partners", took["load"], "read_excel, openpyxl", slow, "30")
    yield Row("load_goods, one partner", took["one"], "read_parquet, filters", took["pandas"])
    yield Row("every byte of it looked at", took["seal"], "the load itself", took["load"], "10")


def facts(folder: Path) -> Iterator[Row]:
    """The figures of one partner, and of all."""
    ours = whole("-m", "tradelib", "facts", *KOREA, folder=folder, times=5)
    start = whole("-c", "import pandas", folder=folder, times=5)
    yield Row("facts of one partner, from the shell", ours, "import pandas", start)
    given = """
    import tradelib as tl
    everybody = tl.covered_partners(tl.take("2018-07"))
    def made(codes):
        taken = tl.take("2018-07")
        return [tl.brief(code, taken) for code in codes]
    """
    every, half = within(given, "made(everybody)", "made(everybody[::2])", times=3)
    (twelve,) = within(given, "[made([code]) for code in everybody[::20]]", times=1)
    alone = twelve / 12 * 232
    yield Row("facts of 232 partners", every, "one take for each", alone, twice=every / half)
    given = """
    import tradelib as tl
    from tradelib.briefs.tariffs import tariff_facts
    taken = tl.take("2025-11", as_of="2026-02-04")
    every = [tl.brief(code, taken) for code in taken.duties.sums(taken.duties.windows["month"]).index]
    def anew(some):
        vars(taken).pop("duties", None)  # its sums
        return [tariff_facts(one) for one in some]
    """
    every, half, one = within(given, "anew(every)", "anew(every[::2])", "anew(every[:1])", times=5)
    yield Row("facts on duties of 233 partners", every, "sums for each", 233 * one, twice=every / half)


def pages(folder: Path) -> Iterator[Row]:
    """One brief, the same again, many, and the check of many."""
    command = ("-m", "tradelib", "report", *KOREA, "--reports", str(folder / "one"))
    alone = one_by_one("2018-07", folder)
    made = whole(*command, "--force", folder=folder)
    yield Row("report: notebook, page, facts, checked", made, "papermill, nbconvert", alone, "2.5")
    yield Row("the same again: nothing to do", whole(*command, folder=folder, times=5), "report", made)
    both = [("--release", "2018-07", "--partners", who) for who in (TWELVE, f"{TWELVE},{MORE}")]
    *_, memory = swept(folder, *both[1])
    in_turn = [[swept(folder, *words, watched=False)[:2] for words in both] for _ in range(3)]
    (count, twelve), (many, more) = (sorted(runs)[1] for runs in zip(*in_turn, strict=True))
    what = f"sweep of {count}, each, start included ({memory['mb']:,.0f} MB)"
    yield Row(what, twelve / count, "papermill, nbconvert", alone, twice=more / twelve)
    each = (more - twelve) / (many - count)
    yield Row("one more brief in a sweep", each, "papermill, nbconvert", alone)
    place = next((folder / "reports").glob("2018*"))
    some = [str(path) for path in sorted(place.glob("*.html"))[:12]]
    half, all_of = (
        whole("-m", "tradelib", "check", *one, folder=folder, times=1) for one in (some, [str(place)])
    )
    yield Row("check of 24 pages, each", all_of / 24, "a brief in a sweep", each, twice=all_of / half)


def hs10_rows(folder: Path) -> Iterator[Row]:
    """What moved trade in 17,000 commodities, from a fresh process, at the true size and at half of it."""
    hs10.YEARS, took = range(2023, 2025), {}
    table, (monthly, codes) = "exports_hs10_nsa", hs10.SHAPE["exports_hs10_nsa"]
    for size in (2, 1):
        store = folder / f"hs10-{size}"
        os.environ["TRADELIB_STORE"] = str(store)
        hs10.SHAPE[table] = (monthly // size, codes)
        code = f"import hs10; hs10.YEARS = range(2023, 2025); hs10.SHAPE[{table!r}] = {hs10.SHAPE[table]}; "
        code += f"from pathlib import Path; hs10.generate({table!r}, Path({str(store)!r}))"
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)
        given = {"flow": "exports", "through": hs10.THROUGH, "day": hs10.PUBLISHED, "top": 10}
        took[size] = hs10.measured(hs10.OURS.format(partner="5800", **given), 5)
    ours = hs10.OURS.format(partner="5800", **given)
    files = [str(next(hs10.folder_of(store, table).glob(f"year={year}/*.parquet"))) for year in (2024, 2023)]
    options = "columns=['period', 'partner', 'item', 'value_usd'], filters=[('partner', '==', '5800')]"
    given = {"files": files, "month": 7, "year": 2024, "top": 10}
    theirs = hs10.PANDAS.format(partner="5800", options=options, **given)
    found, pandas = hs10.in_turn([ours, theirs], 11)
    if pandas["found"] != found["found"]:
        raise SystemExit("contributors: the answers differ")
    twice = took[1]["whole"] / took[2]["whole"]
    yield Row("contributors, HS10 (generated)", found["whole"], "pandas", pandas["whole"], "1", twice)


# --- the table ------------------------------------------------------------------------------------


def machine() -> str:
    """Say what was measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return textwrap.fill(
        f"{time.strftime('%Y-%m-%d')}, tradelib {version('tradelib')}; {platform.machine()}, {cores} cores"
        f"{load}, {platform.system()}; Python {platform.python_version()}, {libraries}.",
        118,
    )


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder, and a store that holds nothing but the bundle."""
    folder = Path(tempfile.mkdtemp(prefix="tradelib-bench-"))
    os.environ["TRADELIB_STORE"] = str(folder / "store")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Measure everything, print the table and keep it."""
    with scratch() as folder:
        about = machine()
        parts = (loading, facts, pages, hs10_rows)
        rows = [row for part in parts for row in shown(part(folder))]
    cells = [row.cells() for row in rows]
    table = tabulate(cells, HEADS, tablefmt="pipe", colalign=RIGHT, disable_numparse=True)
    text = f"# The last run of `make bench`\n\n{about}\n\n{table}\n"
    print(f"\n{text}")
    KEPT.write_text(text, encoding="utf-8")


def shown(rows: Iterator[Row]) -> Iterator[Row]:
    """Tell each row on stderr as it comes."""
    for row in rows:
        print(" | ".join(row.cells()), file=sys.stderr)
        yield row


if __name__ == "__main__":
    main()
