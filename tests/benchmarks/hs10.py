"""HS10 by country at its true size: top contributors to a partner's change, against pandas on the same files.

The figures are GENERATED, none is real: what is true is the shape (codes, partners, rows a month, heavy
tails). Run ``python tests/benchmarks/hs10.py`` for a temporary store, or give a folder to keep and reuse it.
Prints measured times; it never fails because a machine is slow. This process imports nothing large, as
Linux counts a parent's memory at the start of its children too.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

PUBLISHED, THROUGH = "2024-09-04", "2024-07"
YEARS = range(2019, 2025)  # 67 months
#: Rows a month, and how many ten-digit codes there are.
SHAPE = {"exports_hs10_nsa": (425_000, 17_000), "imports_general_hs10_nsa": (485_000, 19_000)}
PARTNERS = {"South Korea": "5800", "China": "5700", "Canada": "1220"}
FIRST = ["1220", "2010", "5700", "4280", "5880", "4120", "5800"]  # the largest, in this order
SECONDS, MEGABYTES, TIMES, TOP = 1.5, 1000, 5, 10

MEASURED = """
import json, resource, statistics, sys, time
def answer():
{body}
start = time.perf_counter()
found = answer()
first = time.perf_counter() - start
again = []
for _ in range({warm}):
    start = time.perf_counter()
    answer()
    again.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
warm = statistics.median(again) if again else None
print(json.dumps({{"first": first, "warm": warm, "peak": peak, "found": found}}))
"""
OURS = """
    from tradelib.studies.detail import contributors
    found = contributors(flow={flow!r}, partner={partner!r}, through={through!r}, as_of={day!r}, top={top})
    return found[["item", "change_usd"]].values[:-1].tolist()
"""
PANDAS = """
    import pandas as pd
    rows = pd.concat([pd.read_parquet(f, {options}) for f in {files!r}], ignore_index=True)
    rows = rows[rows["partner"] == {partner!r}]
    day = pd.to_datetime(rows["period"])
    rows = rows[day.dt.month <= {month}]
    sums = rows.groupby(["item", day.dt.year])["value_usd"].sum().unstack(fill_value=0.0)
    change = sums[{year}] - sums[{year} - 1]
    change = change[change.abs().sort_values(ascending=False, kind="stable").index[:{top}]]
    return [[item, usd] for item, usd in change.items()]
"""
LOADED = """
    from tradelib import load
    return len(load({table!r}, as_of={day!r}, partner={partner!r}))
"""


# --- generated figures --------------------------------------------------------------------------


def generate(table: str, store: Path) -> None:
    """Write one table's vintage, one year after the other; runs in a process of its own."""
    from datetime import date

    from tradelib.store import vintages

    vintages.save(
        (generated_year(table, year) for year in YEARS),
        table,
        published=date.fromisoformat(PUBLISHED),
        sources=[{"name": "generated for a benchmark", "sha256": "0" * 64}],
        parser="tests/benchmarks/hs10.py",
        note="GENERATED figures of the true shape; none is real",
        store=store,
    )


def generated_year(table: str, year: int):
    """Rows of one year: a partner's and a commodity's chance of a row, and their values, have heavy tails."""
    import numpy as np
    import pyarrow as pa

    from tradelib.partners import countries
    from tradelib.store import parquet

    monthly, codes = SHAPE[table]
    fixed, fresh = np.random.default_rng(codes), np.random.default_rng([codes, year])
    partners = np.array(countries())
    items = np.sort(fixed.choice(97 * 10**8, codes, replace=False) + 10**8)
    rank = fixed.permutation(len(partners)) + len(FIRST)
    for place, code in enumerate(FIRST):
        rank[partners == code] = place
    weight = (rank + 1.0) ** -1.1
    demand = np.exp(fixed.normal(0, 1.2, codes))
    chance = chances(weight, demand, monthly).astype("float32")
    months = int(THROUGH[-2:]) if str(year) == THROUGH[:4] else 12
    held = fresh.random((len(partners), codes, months), dtype="float32") < chance[:, :, None]
    who, what, when = np.nonzero(held)
    drift = fixed.normal(0, 0.25, (len(YEARS), codes))[year - YEARS[0]]
    value = np.exp(fresh.normal(9.5, 1.3, len(who)) + drift[what]) * (1 + 60 * weight[who])
    days = (12 * (year - 1970) + when).astype("datetime64[M]").astype("datetime64[D]")
    words = {"partner": (who, partners), "item": (what, [f"{code:010d}" for code in items])}
    text = {
        name: pa.DictionaryArray.from_arrays(pa.array(index.astype("int32")), pa.array(list(known))).cast(
            "str"
        )
        for name, (index, known) in words.items()
    }
    flow = pa.repeat(table.split("_")[0], len(who))
    rows = {"period": days, "partner": text["partner"], "flow": flow, "item": text["item"]}
    rows |= {"value_usd": np.maximum(2501, value).round(), "note": pa.nulls(len(who), pa.string())}
    return parquet.to_frame(pa.table(rows), "M")


def chances(weight, demand, rows: int):
    """Chance of a row for each partner and commodity, so that about so many come out."""
    import numpy as np

    low, high = 0.0, 1e6
    for _ in range(60):
        middle = (low + high) / 2
        chance = 0.97 * -np.expm1(-middle * np.outer(weight, demand))
        low, high = (middle, high) if chance.sum() < rows else (low, middle)
    return chance


def make(store: Path) -> None:
    """Generate what is not there yet, the two tables side by side."""
    missing = [t for t in SHAPE if not (folder_of(store, t) / "_vintage.json").is_file()]
    start = time.perf_counter()
    command = [sys.executable, __file__, str(store), "--make"]
    running = [subprocess.Popen([*command, table]) for table in missing]
    if sum(child.wait() for child in running):  # all are waited for
        raise SystemExit("Generating failed.")
    if missing:
        print(f"Generated and saved in {time.perf_counter() - start:,.0f} s, {len(missing)} processes.")


def folder_of(store: Path, table: str) -> Path:
    """Where a table's vintage lies."""
    return store / f"table={table}" / f"published={PUBLISHED}"


# --- measured -----------------------------------------------------------------------------------


def measured(body: str, times: int, warm: int = 0) -> dict:
    """Run code in fresh processes; medians of the time from start to exit, and of the peak memory."""
    return in_turn([body], times, warm)[0]


def in_turn(bodies: list[str], times: int, warm: int = 0) -> list[dict]:
    """The same of several, one after the other each time, so that a slow minute is slow for all."""
    runs = [[_once(body, warm) for body in bodies] for _ in range(times)]
    return [_middle(of) for of in zip(*runs, strict=True)]


def _middle(runs: tuple[dict, ...]) -> dict:
    """What the first run told, with the medians of all."""
    names = ("whole", "first", "peak")
    return runs[0] | {name: statistics.median(run[name] for run in runs) for name in names}


def _once(body: str, warm: int) -> dict:
    start = time.perf_counter()
    command = [sys.executable, "-c", MEASURED.format(body=body, warm=warm)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout) | {"whole": time.perf_counter() - start}


def compare(store: Path, flow: str, table: str) -> None:
    """Ask for one flow's top contributors, each partner in turn, by tradelib and by pandas."""
    year, month = int(THROUGH[:4]), int(THROUGH[-2:])
    files = [str(next(folder_of(store, table).glob(f"year={y}/*.parquet"))) for y in (year, year - 1)]
    shared = {"flow": flow, "through": THROUGH, "day": PUBLISHED, "top": TOP}
    shared |= {"files": files, "month": month, "year": year}
    print(f"\nTop {TOP} contributors to the change of {flow}, January-July 2024 on 2023")
    for name, code in PARTNERS.items():
        ours = measured(OURS.format(partner=code, **shared), TIMES)
        warm = measured(OURS.format(partner=code, **shared), 1, warm=9)["warm"]
        filters = f"columns=['period', 'partner', 'item', 'value_usd'], filters=[('partner', '==', {code!r})]"
        pushed = measured(PANDAS.format(partner=code, options=filters, **shared), 3)
        line(f"{name}: tradelib, fresh process", ours, verdict(ours))
        print(f"    {'the same, warm':<52} {warm:>7.3f} s")
        line(f"{name}: pandas.read_parquet, columns and filters", pushed, times(pushed, ours))
        same = [pushed]
        if code == "5800":
            naive = measured(PANDAS.format(partner=code, options="", **shared), 3)
            line(f"{name}: pandas.read_parquet, two years whole", naive, times(naive, ours))
            same.append(naive)
        if any(other["found"] != ours["found"] for other in same):
            print("    THE ANSWERS DIFFER")
    world = measured(OURS.format(partner="0015", **shared), 3)
    line("World (all 233 added up): tradelib, fresh process", world, verdict(world))
    loaded = measured(LOADED.format(partner="5800", table=table, day=PUBLISHED), 3)
    line(f"load, South Korea, all months: {loaded['found']:,} rows", loaded)


def line(name: str, got: dict, note: str = "") -> None:
    """Print one row: start to exit, peak memory, a note."""
    print(f"  {name:<54} {got['whole']:>7.2f} s {got['peak']:>7,.0f} MB  {note}".rstrip())


def verdict(got: dict) -> str:
    """Say whether time and memory are within the targets."""
    good = got["whole"] < SECONDS and got["peak"] < MEGABYTES
    return f"target {SECONDS} s, {MEGABYTES:,} MB: {'PASS' if good else 'OVER'}"


def times(slow: dict, fast: dict) -> str:
    """Say how the baseline compares."""
    return f"{slow['whole'] / fast['whole']:.1f} times the time, {slow['peak'] / fast['peak']:.1f} the memory"


def describe(store: Path) -> None:
    """Say what was measured on, and on what."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    names = ("duckdb", "pandas", "pyarrow", "numpy")
    print(f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in names))
    cards = {t: json.loads((folder_of(store, t) / "_vintage.json").read_text()) for t in SHAPE}
    size = sum(path.stat().st_size for path in store.rglob("*.parquet"))
    rows = sum(card["rows"] for card in cards.values())
    print(f"{rows:,} rows of GENERATED figures (true shape, no true figure), {size / 1e9:.2f} GB on disk:")
    for table, card in cards.items():
        print(f"  {table}: {card['rows']:,} rows, {card['since']} to {card['through']}")
    print("Each in a fresh process, from start to exit, imports included: medians of 3 or 5")


def main() -> None:
    """Generate once, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, help="store to keep and reuse; temporary unless given"
    )
    parser.add_argument("--make", choices=SHAPE, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        generate(given.make, given.folder)
        return
    store = given.folder or Path(tempfile.mkdtemp(prefix="tradelib-hs10-"))
    os.environ["TRADELIB_STORE"] = str(store)
    try:
        make(store)
        describe(store)
        for table in SHAPE:
            compare(store, table.split("_")[0], table)
    finally:
        if not given.folder:
            shutil.rmtree(store)


if __name__ == "__main__":
    main()
