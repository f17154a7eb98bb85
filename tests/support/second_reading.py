"""An independent second reading of a brief's facts: `second_reading.sql` over the cells of the raw files.

Nothing of tradelib is used here but its lists of partners, groups and universes, as files. `Reading` opens
the files once, `of_release` works out one release, and `differences` holds a brief against it.
"""

import csv
import io
import math
import random
import re
import zipfile
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import duckdb
import pyarrow as pa

ROOT = Path(__file__).parents[2]
ORIGINALS, DATA = ROOT.parent / "shared" / "data", ROOT / "tradelib" / "data"
COUNTRY = ("2012-02-10", "2017-01-06", "2018-10-05", "2020-10-06", "2023-03-08", "2024-10-08", "2025-04-03")
OWN_DAY, OWN_MONTH, ANNEX = "2021-10-05", "2021-08", "ft900/ft900xlsx_2108.zip"
EXHIBITS = ("exh4s", "exh4as", "exh14", "exh14a", "exh19", "exh20", "exh20a", "exh20b")
#: What a fact's fields are that carry numbers or periods; the others are words for sentences.
FIELDS = ("n", "place", "first_usd", "reach", "often", "among", "rival", "rival_usd", "word", "period")
FIELDS += ("short_usd", "near", "highest_usd", "exports_usd", "imports_usd", "usd", "distance_usd")
FIELDS += ("change_usd", "now_usd", "before_usd", "highest_pct", "before_pct", "after_pct")


def cells_of(data: bytes, file: str) -> list[tuple]:
    """Every cell of a workbook as (file, sheet, row, column, text), by its XML; no library of workbooks."""
    book, found, columns = zipfile.ZipFile(io.BytesIO(data)), [], {}
    text = {name: book.read(name).decode() for name in book.namelist() if name.endswith((".xml", ".rels"))}
    shared = [
        unescape("".join(re.findall(r"<t(?: [^>]*)?>(.*?)</t>", one, re.S)))
        for one in re.findall(r"<si>(.*?)</si>", text.get("xl/sharedStrings.xml", ""), re.S)
    ]
    links = re.findall(r"<Relationship ([^>]*)>", text["xl/_rels/workbook.xml.rels"])
    named = [dict(re.findall(r'(\w+)="([^"]*)"', link)) for link in links]
    target = {link["Id"]: link["Target"].removeprefix("/xl/") for link in named}
    for name, id in re.findall(r'<sheet [^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"', text["xl/workbook.xml"]):
        for cell in text[f"xl/{target[id]}"].split('<c r="')[1:]:
            place, _, rest = cell.partition('"')
            about, _, body = rest.partition(">")
            value = body.partition("<v>")[2].partition("</v>")[0]
            if not value or about.endswith("/"):
                continue
            letters = place.rstrip("0123456789")
            if letters not in columns:
                columns[letters] = sum(26**n * (ord(x) - 64) for n, x in enumerate(reversed(letters)))
            told = shared[int(value)] if 't="s"' in about else unescape(value)
            found.append((file, name, int(place[len(letters) :]), columns[letters], told))
    return found


def cells_of_csv(path: Path) -> list[tuple]:
    """Every cell of a CSV file, whatever its line ends; columns without a name are left out."""
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    return [
        (path.name, "", r, c, cell)
        for r, row in enumerate(csv.reader(io.StringIO(text)), 1)
        for c, cell in enumerate(row, 1)
    ]


def month_of(text: str) -> int:
    """A month as the readings count it."""
    return int(text[:4]) * 12 + int(text[5:7]) - 1


def written(month: int) -> str:
    """A month as releases are called."""
    return f"{month // 12}-{month % 12 + 1:02}"


class Reading:
    """The raw files in DuckDB, read once; `days` are the country tables wanted."""

    def __init__(self, days: tuple[str, ...] = COUNTRY):
        self.sql = (Path(__file__).parent / "second_reading.sql").read_text().split("-- release: ")
        self.db, self.days = duckdb.connect(config={"threads": 1}), days
        cells = []
        for path in sorted((ORIGINALS / "census").glob("c*_20*")):
            if path.name[-14:-4] in days or path.name[:-5][-10:] in days or path.name.startswith("cty"):
                book = path.suffix == ".xlsx"
                cells += cells_of(path.read_bytes(), path.name) if book else cells_of_csv(path)
        bea = ORIGINALS / "bea" / "trad-geo-time-series_2025-03-06.xlsx"
        cells += cells_of(bea.read_bytes(), bea.name)
        annex = zipfile.ZipFile(ORIGINALS / ANNEX)
        for name in EXHIBITS:
            cells += cells_of(annex.read(f"{name}.xlsx"), f"{name}.xlsx")
        columns = dict(zip(["file", "sheet", "r", "c", "v"], zip(*cells, strict=True), strict=True))
        self.db.register("cells", pa.table({name: list(column) for name, column in columns.items()}))
        for name in ("partners", "groups", "universes"):
            path = DATA / f"{name}.csv"
            self.db.execute(
                f"CREATE TABLE {name} AS FROM read_csv('{path}', all_varchar = true, header = true)"
            )
        self._chapters()
        self._duties()
        self._run(self.sql[0])
        self.calendar = dict(
            self.db.execute(
                f"SELECT statistical_month, published FROM read_csv('{ORIGINALS}/reference/"
                "release_dates_1994-2026.csv', all_varchar = true)"
            ).fetchall()
        )

    def _chapters(self) -> None:
        """Replies of the API by HS chapter; `source` is the day that each is of."""
        census = ORIGINALS / "census"
        replies = [("2020-12-04", "exports", "E_COMMODITY", "time", "ALL_VAL_MO", "hs2/exports_*.parquet")]
        replies += [("2020-12-04", "imports", "I_COMMODITY", "time", "CON_VAL_MO", "hs2/imports_*.parquet")]
        replies += [
            ("2021-08-05", "imports", "I_COMMODITY", "time", "CON_VAL_MO", "hs2_2021-08-05/*.parquet")
        ]
        general = "api_imports_general_hs2_2023-2024_2025-10-18.parquet"
        month = "YEAR || '-' || MONTH"
        replies += [("2025-10-18", "imports", "I_COMMODITY", month, "GEN_VAL_MO", general)]
        parts = [
            f"""SELECT '{day}' AS source, '{flow}' AS flow, coalesce(CTY_CODE, '') AS code, {item} AS hs2,
            {month} AS time, {value} AS v FROM read_parquet('{census}/{files}', union_by_name = true)"""
            for day, flow, item, month, value, files in replies
        ]
        self.db.execute(
            f"""CREATE TABLE chapters AS
            SELECT source, flow, CASE WHEN code IN ('', '-') THEN '0015' ELSE code END AS partner, hs2,
                CAST(time[1:4] AS INT) * 12 + CAST(time[6:7] AS INT) - 1 AS m, CAST(v AS BIGINT) AS usd
            FROM ({" UNION ALL ".join(parts)}) WHERE regexp_full_match(code, '|-|[1-9]\\d{{3}}')"""
        )

    def _duties(self) -> None:
        """Imports for consumption with their duties, by chapter or industry; those have names, not codes."""
        columns = "CAST(CON_VAL_MO AS DOUBLE) AS usd, CAST(CAL_DUT_MO AS DOUBLE) AS duty"
        parts = [
            f"""SELECT '{day}' AS source, coalesce(CTY_CODE, '') AS who, I_COMMODITY AS item, time, {columns}
            FROM read_parquet('{ORIGINALS}/census/{files}', union_by_name = true)
            WHERE regexp_full_match(coalesce(CTY_CODE, ''), '|-|[1-9]\\d{{3}}')"""
            for day, files in (
                ("2020-12-04", "hs2/imports_*.parquet"),
                ("2021-08-05", "hs2_2021-08-05/*.parquet"),
            )
        ]
        parts.append(
            f"""SELECT '2026-01-29', CTY_NAME, NAICS, strftime(time, '%Y-%m'), imports, duty
            FROM read_parquet('{ORIGINALS}/tariffs/*naics3*.parquet') WHERE NAICS <> '00'"""
        )
        self.db.execute(f"CREATE TABLE duties_by_part AS {' UNION ALL '.join(parts)}")

    def _run(self, script: str) -> None:
        for statement in script.split(";\n"):
            if statement.strip():
                self.db.execute(statement)

    def last(self, day: str) -> int:
        """The last month of a country table."""
        return self.db.execute("SELECT max(m) FROM goods WHERE vintage = ?", [day]).fetchone()[0]

    def released(self, month: str) -> str:
        """The day of a release, or one by which it was surely out."""
        after = month_of(month) + 3
        return self.calendar.get(month) or str(date(after // 12, after % 12 + 1, 1) - timedelta(days=1))

    def of_release(self, month: str, day: str, who: list[str], **used: str) -> dict[str, dict]:
        """Work out some partners of a release from the country table of a day: partner -> id -> value.

        `used` says which other tables are in use: see the head of the script.
        """
        m = month_of(month)
        told = {"v": day, "m": m, "q": m // 3 - 1, "d": self.released(month)} | used
        for name, value in told.items():
            self.db.execute(f"SET VARIABLE {name} = {value!r}")
        self.db.register("asked", pa.table({"code": who}))
        self._run("--" + self.sql[1])
        found: dict[str, dict] = {}
        rows = self.db.execute("FROM reading WHERE partner = '*' OR partner IN (FROM asked)").fetchall()
        for partner, id, number, word in rows:
            found.setdefault(partner, {})[id] = number if number is not None else word
        return found


def flat(brief) -> dict[str, object]:
    """Every number of a brief by its id: values, entries of lists as id#entry, fields as id#field."""
    found: dict[str, object] = {}
    for id, fact in brief.items():
        if fact.unit == "list":
            for entry in fact.value or []:
                found[f"{id}#{_entry(entry, id)}"] = _number(entry)
                if "rate_pct" in entry:
                    found[f"{id}#{_entry(entry, id)} rate"] = entry["rate_pct"]
                    found[f"{id}#{_entry(entry, id)} before"] = entry["before_pct"]
        elif fact.unit != "text":
            found[id] = fact.value
        for field in FIELDS:
            words = field == "among" and isinstance(fact.more.get(field), str)  # "in ten years"
            if field in fact.more and not words and (fact.value is not None or field == "word"):
                found[f"{id}#{field}"] = fact.more[field]
    return found


def _entry(entry: dict, id: str) -> str:
    """How the second reading calls an entry of a list."""
    if "code" in entry:
        return entry["code"]
    if part := entry.get("industry") or entry.get("chapter"):
        return part
    kind = entry.get("item") or entry.get("hs2") or "other"
    of_flow = "item" in entry or ("contributions" in id and kind != "other")
    if not of_flow:
        return kind
    return f"{entry['item']} {entry['flow']}" if "item" in entry else f"{entry['flow']} {kind}"


def _number(entry: dict) -> float | None:
    for name in ("contribution_usd", "balance_usd", "reduction_pct", "change_usd", "duty_usd", "value_usd"):
        if name in entry:
            return entry[name]
    raise KeyError(entry)


def same(one: object, other: object) -> bool:
    """Whether two readings agree: to the cent, percent to the ninth digit, words to the letter."""
    if one is None or other is None or isinstance(one, str) or isinstance(other, str):
        return one == other
    close = 0.005 if abs(one) >= 1000 else 1e-9
    return math.isclose(float(one), float(other), rel_tol=1e-13, abs_tol=close)


def used_by(snapshot) -> dict[str, str]:
    """Which tables a snapshot uses, as the second reading asks for them."""
    of = {table.split("_")[0]: snapshot.sources[table] for table in snapshot.chapter_windows}
    duties = snapshot.sources.get("imports_consumption_nsa")
    annex = {"goods_ft900_all_nsa": "all", "goods_ft900_nsa": "main"}
    return {
        "own": annex.get(snapshot.released_tables.get("month", ""), ""),
        "adjusted": "own" if "goods_ft900_sa" in snapshot.official else "",
        "trade": "bea" if snapshot.released_flows is None else "ft900",
        "duties": str(duties.published) if duties else "",
        "parts": snapshot.duties.parts_table,
        **{flow: str(of[flow].published) if flow in of else "" for flow in ("exports", "imports")},
    }


#: What has no second reading, and why.
UNREAD = {
    r"news": "a choice by scores, held to by tests/benchmarks/headlines.py",
    r"total\.trend\.start": "the cut of a series into rises and falls; tests/benchmarks/turning.py draws it",
    r"total\.trend\.break": "a bootstrap",
    r"goods\..*\.ytd\.first_print_.*": "learned from all vintages, see tests/studies/test_first_print.py",
    r"goods\.balance\.previous_year.*": "no file at hand is of a release with an annual revision",
    r"commodity\.(hs4|hs6|naics|enduse)\..*": "no file at hand",
    r"tariff\..*_share\..*": "tests/briefs/test_tariffs.py reads it, of years and made-up months",
}


def is_read(id: str) -> bool:
    """Whether a fact has a second reading."""
    return not any(re.fullmatch(unread, id) for unread in UNREAD)


def differences(brief, read: dict[str, dict]) -> tuple[list[str], set[str]]:
    """Hold a brief against what was read: what differs, and the ids of numbers that agree."""
    mine, told = flat(brief), read.get(brief.partner.code, {}) | read.get("*", {})
    lists = {id for id, fact in brief.items() if fact.unit == "list" and fact.value is not None}
    # not read: the rows of groups that tables by commodity print
    printed = brief.partner.is_group and brief.partner.code.isdigit()
    printed = printed and not any(id.startswith("commodity") for id in told)
    entries = {id for id in told if id.split("#")[0] in lists and id.split("#")[-1] not in FIELDS}
    off, agreed = [], set()
    for id in sorted({*mine, *entries}):
        one, other, of = mine.get(id), told.get(id), id.split("#")[0]
        if not is_read(of) or (printed and of.startswith("commodity")):
            continue
        if same(one, other):
            agreed |= {of} if one is not None else set()
        else:
            off.append(f"{id}: {one} in the brief, {other} by the second reading")
    return off, agreed


def drawn(reading: Reading, seed: int, releases: int, each: int):
    """Draw releases as of the days of the country tables, and some partners of each.

    The first is always that whose own exhibits are at hand. Yields for each brief what was drawn, and what
    `differences` says.
    """
    import tradelib as tl  # what is held against the second reading
    from tradelib.partners import summed_groups

    draw = random.Random(seed)
    for number in range(releases):
        day = draw.choice(reading.days)
        month, as_of = written(draw.randrange(month_of("1986-01"), reading.last(day) + 1)), day
        if number == 0:
            month, as_of = OWN_MONTH, OWN_DAY
        snapshot = tl.take(month, as_of=as_of)
        day = str(snapshot.sources["goods_census_nsa"].published)
        there = sorted({*snapshot.goods.index.levels[0], *summed_groups()} - {"0007"})  # a class of goods
        who = sorted({"5800", *draw.sample(there, each)})
        read = reading.of_release(month, day, who, **used_by(snapshot))
        for code in who:
            yield (code, month, day), *differences(tl.brief(code, snapshot), read)
