"""From a changed widget of explore.ipynb to the new figure: medians for each kind of change.

Prints wall and processor milliseconds; it never fails because a machine is slow. The figure is there
before the table, and in the browser a few milliseconds later (see tests/test_lab.py).
"""

import itertools
import os
import statistics
import time

from tradelib.explorer.widgets import Choice, Explorer, warm

TARGET = 150  # milliseconds to the new figure
TIMES = 12
CHANGES = {
    "partner": ["5700", "2010", "4280", "5880", "1220", "5330"],
    "second": ["5700", "2010", "", "5880"],
    "release": ["2017-12", "2016-03", "2018-07", "2018-03"],
    "as_of": ["2018-10-05", "2020-10-06", "2023-03-08", "2025-04-03", ""],
    "measure": ["exports", "imports", "balance"],
    "window": ["month", "twelve months", "year to date"],
    "basis": ["bop total", "bop services", "census goods", "bop goods"],
    "compare": ["2020-10-06", "2023-03-08", "2024-10-08", "2025-04-03"],
}


def measured(explorer: Explorer, name: str, values: list[str]) -> tuple[float, float, float]:
    """Median milliseconds to the figure (wall, processor) and to the table (wall)."""
    figures, tables, work = [], [], []
    seen = {}
    explorer.picture.observe(lambda _: seen.setdefault("figure", time.perf_counter()), names="value")
    for value in itertools.islice(itertools.cycle(values), TIMES):
        seen.clear()
        start, busy = time.perf_counter(), time.process_time()
        explorer.controls[name].value = value
        done = time.perf_counter()
        if "figure" in seen:  # the first value may be the one that is picked already
            figures.append(seen["figure"] - start)
            tables.append(done - start)
            work.append(time.process_time() - busy)
    explorer.picture.unobserve_all()
    return tuple(1000 * statistics.median(found) for found in (figures, work, tables))


def main() -> None:
    """Measure each kind of change, all else as the notebook starts."""
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; target {TARGET} ms to the figure")
    print(f"  {'change':<10} {'to the figure':>14} {'to the table':>14} {'processor':>11}")
    start = time.perf_counter()
    Explorer(Choice("KOR", "2018-07"))
    first = 1000 * (time.perf_counter() - start)
    warm()
    for name, values in CHANGES.items():
        explorer = Explorer(Choice("KOR", "2018-07"))
        figure, work, table = measured(explorer, name, values)
        verdict = "" if figure <= TARGET else "MISSED"
        print(f"  {name:<10} {figure:>11.0f} ms {table:>11.0f} ms {work:>8.0f} ms  {verdict}".rstrip())
    print(f"  the first figure, with nothing read yet: {first:.0f} ms")


if __name__ == "__main__":
    main()
