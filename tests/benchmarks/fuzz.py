"""Mutate every kind of input, and count what comes of it: seeded, resumable, each case by itself.

    python tests/benchmarks/fuzz.py 20000 --seed 1 --log fuzz.jsonl

A case is a sound input with one change that knows its structure (rows, columns, cells, fields), or with one
of its bytes. What comes is the *right table* (the change did not matter), an *own error*, a *wrong table
accepted*, or *anything else*. A log is gone on with where it ends; the same seed makes the same cases.
"""

import argparse
import collections
import copy
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

sys.path[:0] = [str(Path(__file__).parents[1] / "support"), str(Path(__file__).parents[2])]

from bea_server import data_results, envelope, ita_rows  # noqa: E402
from bulk_files import Zips  # noqa: E402
from bulk_files import text_of as lines_of  # noqa: E402
from exhibits import as_xlsx, as_zip, edition  # noqa: E402
from helpers import bea_sheets, country_sheet, csv_bytes, grid_rows, seasonal_sheet, wire, write_xlsx  # noqa: E402
from stored import save, save_large  # noqa: E402

import tradelib as tl  # noqa: E402
from tradelib import releases  # noqa: E402
from tradelib.errors import TradelibError  # noqa: E402
from tradelib.runs.plan import read_runs  # noqa: E402
from tradelib.sources import bulk, ingest, schedule  # noqa: E402
from tradelib.store import parquet, vintages  # noqa: E402
from tradelib.studies.claims import load_article  # noqa: E402
from tradelib.tables import check_flows  # noqa: E402

RIGHT, OWN, WRONG, ELSE = "right table", "own error", "wrong table accepted", "anything else"

# --- sound inputs: what a mutation changes, and how it becomes bytes ------------------------------


def as_printed(table: str, day: str, since: str = "1985-01"):
    """The rows of a bundled vintage as the publisher printed them: a load has groups of one day's members."""
    found = next(one for one in tl.list_vintages(table) if str(one.published) == day)
    return vintages.read(found, since=since)


@cache
def country(since: str = "1985-01") -> list[list]:
    return grid_rows(country_sheet(as_printed("goods_census_nsa", "2018-10-05", since)))


@cache
def seasonal() -> list[list]:
    return grid_rows(seasonal_sheet(as_printed("goods_census_sa", "2025-04-03")))


def as_csv(rows: list[list]) -> bytes:
    return csv_bytes(pd.DataFrame(rows[1:], columns=rows[0]))


@cache
def replies() -> list[list]:
    of = {"as_of": "2020-12-04", "since": "2020-08", "partner": ["0015", "KOR", "MEX", "CHE"]}
    goods = tl.load("exports_hs2_nsa", **of)
    codes = goods["partner"].replace({"0015": "-"})
    rows = zip(
        codes, goods["item"], goods["value_usd"].astype("int64"), goods["period"].astype(str), strict=True
    )
    return [["CTY_CODE", "E_COMMODITY", "ALL_VAL_MO", "time", "COMM_LVL"]] + [
        [*map(str, row), "HS2"] for row in rows
    ]


def as_parquet(rows: list[list]) -> bytes:
    out = io.BytesIO()
    pd.DataFrame([[*map(str, row)] for row in rows[1:]], columns=[*map(str, rows[0])]).to_parquet(out)
    return out.getvalue()


@cache
def bea_rows() -> list[list]:
    """One row for each observation, the names of its fields first."""
    flows = tl.load_trade(as_of="2025-03-06", since="2024Q1", partner=["KOR", "CHN"])
    flows = flows.assign(note=pd.NA)[flows["value_usd"].notna()]
    rows = ita_rows(flows.astype({"note": "str"}))
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def as_bea_reply(rows: list[list]) -> bytes:
    observed = [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]
    return json.dumps(envelope(data_results(observed, "2025-03-06"))).encode()


def bea_areas() -> bytes:
    names = {row[bea_rows()[0].index("AreaOrCountry")] for row in bea_rows()[1:]}
    spelt = {"SouthKorea": "South Korea"}
    listed = [{"Key": name, "Desc": spelt.get(name, name)} for name in sorted(names)]
    return json.dumps(envelope({"ParamValue": listed})).encode()


def as_book(sheets: dict[str, list[list]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_xlsx(Path(folder, "book.xlsx"), sheets).read_bytes()


def as_archive(sheets: dict[str, list[list]]) -> bytes:
    return as_zip({f"exh{name}.xlsx": as_xlsx(rows, name) for name, rows in sheets.items()})


@cache
def all_trade() -> dict[str, list[list]]:
    """The fields of the lines of each member of a generated IMDB2607.ZIP."""
    found = {}
    for member, frame in Zips("2026-07", lines=60, codes=8).frames["imports"].items():
        fields = bulk.layouts()[member].values()
        lines = lines_of(member, frame, "2026-07").decode().splitlines()
        found[member] = [[line[start:end] for start, end in fields] for line in lines]
    return found


def as_bulk(members: dict[str, list[list]]) -> bytes:
    """Lines of the width that the fields have; a number has its zeros again, whatever was done to it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, rows in members.items():
            widths = [end - start for start, end in bulk.layouts()[member].values()]
            lines = [
                "".join(
                    str(cell).rjust(wide, "0") if wide == bulk.WIDE else f"{cell!s:{wide}}"
                    for cell, wide in zip(row, widths, strict=False)
                )
                for row in rows
            ]
            archive.writestr(member, "".join(line + "\r\n" for line in lines).encode(errors="replace"))
    return out.getvalue()


def read_bulk(path: Path) -> dict[str, str]:
    """The tables that it makes, each by the hash of its figures."""
    made = bulk.tables(bulk.read(str(path), "imports", "2026-07"))
    return {name: parquet.digest(check_flows(frame, name)) for name, frame in made}


@cache
def stored(keep: Callable) -> tuple[Path, dict[Path, bytes]]:
    """A small stored vintage: the file that tells of it, and all its files, as in a store."""
    with tempfile.TemporaryDirectory() as folder:
        kept, _ = keep(store=Path(folder))
        held = [one for one in Path(folder).rglob("*.*") if one.is_file()]
        return kept.path.relative_to(folder), {one.relative_to(folder): one.read_bytes() for one in held}


def the_file(keep: Callable) -> bytes:
    own, held = stored(keep)
    return held[own]


def by_store(keep: Callable) -> Callable[[bytes], object]:
    """Read bytes that lie in a store as a small vintage, or as the card of a large one."""

    def read(data: bytes) -> dict:
        own, held = stored(keep)
        with tempfile.TemporaryDirectory() as folder:
            for one, content in (held | {own: data}).items():
                place = Path(folder, one)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            found = vintages.look(Path(folder, own))
            return vintages.summary(found) | {"figures": parquet.digest(vintages.read(found))}

    return read


RUNS = "runs:\n  - partners: [KOR, MEX]\n    as_of: 2018-10-05\n    label: a\n"
RUNS += "  - {partners: CHN, cell_limit: 9}\n"
CALENDAR = "\n".join(
    [",".join(releases.COLUMNS)]
    + [f"2026-{n:02},2026-{n + 2:02}-05,,scheduled,seen: a page" for n in range(1, 9)]
)
PAGE = "<table>" + "".join(
    f"<tr><td>{month} 5, 2026</td><td>U.S. International Trade in Goods and Services, {of} 2026</td></tr>"
    for month, of in (("September", "July"), ("October", "August"), ("November", "September"))
)
CLAIMS = (Path(tl.__file__).parent / "data" / "claims" / "kei-2018-09-05.yaml").read_text()


def by_ingest(*before: Callable[[], bytes], day: str = "") -> Callable[[bytes], object]:
    """Read bytes as `tradelib ingest` does, after what must stand before them, up to the store.

    Where a `day` is given, the input is whole, and is held against the vintages that are known too.
    """

    def read(data: bytes) -> dict[str, str]:
        files = [(f"f{n}", one) for n, one in enumerate([*(make() for make in before), data])]
        tables = {name: check_flows(frame, name) for name, frame in ingest.parse(files).tables.items()}
        for name, frame in tables.items() if day else ():
            ingest.vouch(frame, name, releases.parse_date(day))
        return {name: parquet.digest(frame) for name, frame in tables.items()}

    return read


def by_file(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    """Read bytes that lie in a file."""

    def from_file(data: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(data)
            return str(read(path))

    return from_file


def text_of(data: bytes) -> str:
    return data.decode(errors="replace")


#: Kind of input -> the sound one, how it becomes bytes, and how bytes are read.
KINDS = {
    "country.csv": (country, as_csv, by_ingest(day="2018-10-06")),
    "country.xlsx": (lambda: country("2018-01"), as_xlsx, by_ingest()),
    "ctyseasonal.csv": (seasonal, as_csv, by_ingest(day="2025-04-04")),
    "BEA workbook": (bea_sheets, as_book, by_ingest()),
    "BEA API": (bea_rows, as_bea_reply, by_ingest(bea_areas, day="2025-04-04")),
    "Census API": (replies, wire, by_ingest(day="2020-12-04")),
    "Parquet": (replies, as_parquet, by_ingest(day="2020-12-04")),
    "bulk files": (all_trade, as_bulk, by_file(read_bulk, "IMDB2607.ZIP")),
    "FT-900": (edition, as_archive, by_ingest()),
    "vintage": (lambda: the_file(save), bytes, by_store(save)),
    "card": (lambda: the_file(save_large), bytes, by_store(save_large)),
    "schedule": (lambda: PAGE, str.encode, lambda data: schedule.parse_schedule(data).to_csv()),
    "calendar": (lambda: CALENDAR, str.encode, lambda data: releases.read_table(text_of(data), "f").to_csv()),
    "runs.yaml": (lambda: RUNS, str.encode, by_file(read_runs, "runs.yaml")),
    "claims.yaml": (lambda: CLAIMS, str.encode, by_file(load_article, "claims.yaml")),
}

# --- mutations ----------------------------------------------------------------------------------

ODD = [
    "",
    None,
    0,
    -1,
    1e18,
    "n.a.",
    "(-)",
    "(D)",
    "=1+1",
    "NaN",
    "2018-13",
    "9999",
    "\0",
    "x" * 70_000,
    True,
]


def of_rows(rows: list[list], draw: random.Random) -> str:
    """Change rows in one way that keeps them rows; say which."""
    at, to = draw.randrange(len(rows)), draw.randrange(len(rows))
    wide = max(1, max(map(len, rows)))
    one, two = draw.randrange(wide), draw.randrange(wide)
    how = draw.choice([*ROWS, *CELLS, *CELLS])
    if how in CELLS:
        column = draw.randrange(max(1, len(rows[at])))
        if len(rows[at]) > column:
            rows[at][column] = CELLS[how](rows[at][column], draw)
        return f"{how}, row {at}, column {column}"
    ROWS[how](rows, at, to, one, two)
    return f"{how}, rows {at} {to}, columns {one} {two}"


def _swap_rows(rows, at, to, one, two):
    rows[at], rows[to] = rows[to], rows[at]


def _swap_bodies(rows, at, to, one, two):
    rows[at][2:], rows[to][2:] = rows[to][2:], rows[at][2:]


def _swap_columns(rows, at, to, one, two):
    for row in rows[1:] if at % 2 else rows:
        if len(row) > max(one, two):
            row[one], row[two] = row[two], row[one]


def _cut_column(rows, at, to, one, two):
    for row in rows:
        del row[one : one + 1]


def _scale_column(rows, at, to, one, two):
    for row in rows:
        if len(row) > one and isinstance(row[one], (int, float)):
            row[one] *= 1000


ROWS = {
    "a row cut": lambda rows, at, *_: rows.pop(at),
    "a row twice": lambda rows, at, to, *_: rows.insert(to, list(rows[at])),
    "rows swapped": _swap_rows,
    "figures of two rows swapped": _swap_bodies,
    "columns swapped": _swap_columns,
    "a column cut": _cut_column,
    "a column in thousands": _scale_column,
    "cut short": lambda rows, at, *_: rows.__delitem__(slice(max(1, at), None)),
}


def _number(cell, change):
    try:
        return change(float(cell)) if not isinstance(cell, str) else str(int(change(float(cell))))
    except (TypeError, ValueError, OverflowError):
        return f"{cell}x"


CELLS = {
    "a sign": lambda cell, _: _number(cell, lambda number: -number),
    "a thousandfold": lambda cell, _: _number(cell, lambda number: number * 1000),
    "a digit": lambda cell, draw: _number(cell, lambda number: number + draw.choice([1, 10, 100])),
    "something odd": lambda cell, draw: draw.choice(ODD),
}


def of_text(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """Change bytes in one way."""
    at, to = sorted((draw.randrange(len(data)), draw.randrange(len(data))))
    how = draw.choice(["a byte", "a piece cut", "a piece twice", "cut short", "lines swapped", "nested"])
    lines = data.split(b"\n")
    one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[one], lines[two] = lines[two], lines[one]
    changed = {
        "a byte": data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :],
        "a piece cut": data[:at] + data[min(to, at + 40) :],
        "a piece twice": data[:at] + data[at : at + 40] + data[at:],
        "cut short": data[:at],
        "lines swapped": b"\n".join(lines),
        "nested": data[:at] + draw.choice([b"[", b"{", b"<b>", b"("]) * 5_000 + data[at:],
    }
    return changed[how], f"{how}, at {at}"


def mutated(kind: str, draw: random.Random) -> tuple[bytes, str]:
    """A sound input of a kind, changed in one way, and in which."""
    make, encode, _ = KINDS[kind]
    base = copy.deepcopy(make())
    if isinstance(base, str | bytes) or draw.random() < 0.2:
        return of_text(encode(base), draw)
    if isinstance(base, dict):  # sheets
        name = draw.choice(sorted(base))
        if draw.random() < 0.1:
            del base[name]
            return encode(base), f"sheet {name} cut"
        return (lambda told: (encode(base), f"{name}: {told}"))(of_rows(base[name], draw))
    return (lambda told: (encode(base), told))(of_rows(base, draw))


# --- what comes of it ---------------------------------------------------------------------------


@cache
def truth(kind: str) -> object:
    """What the sound input of a kind is read as."""
    make, encode, read = KINDS[kind]
    return read(encode(make()))


def outcome(kind: str, draw: random.Random) -> dict:
    """Make one case, read it, and say what came of it."""
    sound = truth(kind)  # where it is refused itself, nothing would be tried
    try:
        data, told = mutated(kind, draw)
    except Exception as error:  # no such workbook or reply can be written at all
        return {"kind": kind, "told": f"not written: {type(error).__name__}", "came": OWN, "why": ""}
    try:
        came, why = (RIGHT if KINDS[kind][2](data) == sound else WRONG), ""
    except TradelibError as error:
        came, why = OWN, str(error).splitlines()[0]
    except Exception as error:  # what this looks for
        came, why = ELSE, f"{type(error).__name__}: {error}"
    return {"kind": kind, "told": told, "came": came, "why": why[:200]}


def cases(count: int, seed: int, kinds: list[str]):
    """Yield so many cases, kind by kind in turn; each has its own number and draws for itself."""
    for number in range(count):
        kind = kinds[number % len(kinds)]
        yield number, lambda kind=kind, number=number: outcome(kind, random.Random(f"{seed}/{kind}/{number}"))


def main() -> None:
    """Run what the log lacks, and count all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, nargs="?", default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir(), "tradelib-fuzz.jsonl"))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    asked = parser.parse_args()
    lines = asked.log.read_text().splitlines() if asked.log.exists() else []
    found = [json.loads(line) for line in lines if line.endswith("}")]
    done, began = {one["n"] for one in found if one["seed"] == asked.seed}, time.monotonic()
    with asked.log.open("a") as log:
        for number, run in cases(asked.count, asked.seed, list(KINDS)):
            if number in done:
                continue
            if time.monotonic() - began > asked.seconds:
                break
            found.append({"n": number, "seed": asked.seed} | run())
            log.write(json.dumps(found[-1], ensure_ascii=False) + "\n")
            log.flush()
    counts = collections.Counter((one["kind"], one["came"]) for one in found)
    for kind in KINDS:
        print(f"{kind:16}", *(f"{came}: {counts[kind, came]:6}" for came in (RIGHT, OWN, WRONG, ELSE)))
    for one in found:
        if one["came"] == ELSE:
            print(f"case {one['n']}: {one['kind']}: {one['told']}: {one['why']}")


if __name__ == "__main__":
    main()
