"""Census's monthly files of all trade, IMDBYYMM.ZIP and EXDBYYMM.ZIP: read by their layouts, checked, summed.

A zip holds one line of fixed width for each HTS10, country, district and rate provision (imports) or origin
(exports), its own totals by commodity and by country, and lists of codes. No real one could be had when this
was written: the layouts are those on which five public readers agree (`data/bulk_layouts.csv`), and what does
not fit them is refused by member and line, never guessed. Lines are read in blocks, and memory holds only
those that had trade in the month; what is kept adds up to the totals in the zip, to the dollar.
"""

import csv
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tradelib.errors import TradelibError
from tradelib.partners import WORLD
from tradelib.tables import CheckError

PARSER = "tradelib.sources.bulk 1"
DOWNLOADS = "https://www.census.gov/trade/downloads"
FIRST_MONTH = "2010-01"
NAME = re.compile(r"(?i)(IM|EX)DB\d{4}\.ZIP")
LAYOUTS = Path(__file__).parents[1] / "data" / "bulk_layouts.csv"
AGAIN = "Download it again; if it stays so, its layout has changed and must be read anew."
LINES = 4096  # read at once
LONGEST = 8 << 30  # bytes of a member
WIDE = 15  # digits of a number: in a float, whole numbers are exact to 2^53, more than 10^15
TENS = 10.0 ** np.arange(WIDE - 1, -1, -1)
ZERO, BLANK, NINE = 48, 32, 9
NO_UNIT = ("X", "")
#: Rate provisions by Census's list: 1x free, 6x and 7x dutiable (69, 79: chapter 99), 00 warehouse or zone.
PROVISIONS = ("00", "10", "11", "13", "14", "16", "17", "18", "19", "61", "62", "64", "69", "70", "79")
DOMESTIC, FOREIGN = "1", "2"
#: Columns of imports for consumption, and the figures that they are.
PAID = {"value_usd": "con_val", "duty_usd": "cal_dut", "dutiable_usd": "dut_val", "charges_usd": "con_cha"}


#: What zipfile raises on a file that is cut short, damaged, encrypted or none.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
DUTIABLE = ("dut_val", "cal_dut", "con_cha")


@dataclass(frozen=True, slots=True)
class Wire:
    """How the file of a flow is made: its address, its members, what tells its lines apart, its figures.

    Figures are named as in the layouts, without `_mo`: `cards` counts the records behind a line.
    """

    flow: str
    address: str
    begin: str
    part: str
    parts: tuple[str, ...]
    districts: tuple[str, ...]
    total_by: tuple[str, ...]
    figures: tuple[str, ...]

    def file(self, month: str) -> str:
        """Return the address of the file of a month."""
        return f"{DOWNLOADS}/{month[:4]}/Merch/{self.address}{month[2:4]}{month[5:7]}.ZIP"


IMPORTS = Wire(
    "imports",
    address="im_m/IMDB",
    begin="IMP",
    part="rate_prov",
    parts=PROVISIONS,
    districts=("dist_entry", "dist_unlad"),
    total_by=("commodity",),
    figures=("cards", "gen_val", "gen_qy1", "gen_qy2", "con_val", "con_qy1", "con_qy2", *DUTIABLE),
)
EXPORTS = Wire(
    "exports",
    address="ex_m/EXDB",
    begin="EXP",
    part="df",
    parts=(DOMESTIC, FOREIGN),
    districts=("district",),
    total_by=("commodity", "df"),
    figures=("cards", "all_val", "qty_1", "qty_2"),
)
WIRES = {wire.flow: wire for wire in (EXPORTS, IMPORTS)}


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a member that had trade: of each field the places of its codes in their list; the figures."""

    member: str
    places: dict[str, np.ndarray]
    figures: np.ndarray
    names: list[str]
    count: int


@dataclass(frozen=True, slots=True)
class Month:
    """One flow in one month: a row for each HTS10, partner and part (rate provision, origin) with trade.

    `item`, `partner` and `part` are places in `items`, `partners` and the parts of the wire. `known` has, for
    each item, what CONCORD tells of it: its NAICS and end-use codes, its two units of quantity. `district` is
    there where districts were asked for: that of export, or of entry.
    """

    flow: str
    month: str
    items: list[str]
    partners: list[str]
    known: list[tuple[str, ...]]
    item: np.ndarray
    partner: np.ndarray
    part: np.ndarray
    figures: dict[str, np.ndarray]
    lines: int
    districts: list[str]
    district: np.ndarray | None = None


# --- what is in a zip ---------------------------------------------------------------------------


@cache
def layouts() -> dict[str, dict[str, tuple[int, int]]]:
    """Return where each field of each member begins and ends, the first character being 0."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    with LAYOUTS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            start = int(row["start"]) - 1
            found.setdefault(row["file"], {})[row["field"]] = (start, start + int(row["length"]))
    return found


def width_of(member: str) -> int:
    """Return how many characters a line of a member has."""
    return max(end for _, end in layouts()[member].values())


def read(path: str, flow: str, month: str, districts: bool = False) -> Month:
    """Read the zip of a flow and a month, and hold it against its own lists and totals."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, WIRES[flow], month, districts)
    except TradelibError:
        raise
    except ZIP_FAULTS as error:
        raise CheckError(f"this is no whole zip ({str(error) or type(error).__name__}).", AGAIN) from None


def _read(archive: zipfile.ZipFile, wire: Wire, month: str, districts: bool) -> Month:
    goods = _list(archive, "CONCORD.TXT", "commodity", "naics", "end_use", "unit_qy1", "unit_qy2")
    codes = {"commodity": sorted(goods), "cty_code": sorted(_list(archive, "COUNTRY.TXT", "cty_code"))}
    codes |= dict.fromkeys(wire.districts, sorted(_list(archive, "DISTRICT.TXT", "dist_code")))
    codes[wire.part] = list(wire.parts)
    members = {name: f"{wire.begin}_{name}.TXT" for name in ("DETL", "COMM", "CTY")}
    by = ["commodity", "cty_code", wire.part, *wire.districts[:districts]]
    read = _lines(archive, members["DETL"], month, wire, codes, by)
    places, sums = _summed(read.places, codes, read.figures)
    detail = replace(read, places=places, figures=sums)
    for n, member, field in ((1, "NAICS.TXT", "naics"), (2, "ENDUSE.TXT", "enduse")):
        listed = _list(archive, member, field)
        for code in (codes["commodity"][place] for place in np.unique(places["commodity"])):
            line, told = goods[code][0], goods[code][n]
            if told not in listed:
                raise _bad("CONCORD.TXT", line, f"{code} has {told!r}, which is not in {member}.")
    for name, by in (("COMM", wire.total_by), ("CTY", ("cty_code",))):
        _check_total(_lines(archive, members[name], month, wire, codes, list(by)), detail, codes)
    return Month(
        wire.flow,
        month=month,
        items=codes["commodity"],
        partners=codes["cty_code"],
        known=[goods[code][1:] for code in codes["commodity"]],
        item=places["commodity"],
        partner=places["cty_code"],
        part=places[wire.part],
        figures=dict(zip(wire.figures, sums.T, strict=True)),
        lines=read.count,
        districts=codes[wire.districts[0]],
        district=places.get(wire.districts[0]),
    )


def _bad(member: str, line: int, problem: str) -> CheckError:
    return CheckError(f"{member}, line {line:,}: {problem}", AGAIN)


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """Find a member by its name, in whatever letter case."""
    found = [info for info in archive.infolist() if info.filename.upper() == name]
    if len(found) != 1:
        raise CheckError(f"the zip has {len(found) or 'no'} members {name}.", AGAIN)
    if found[0].file_size > LONGEST:
        raise CheckError(f"{name} declares {found[0].file_size:,} bytes, more than any month has.")
    return found[0]


def _list(archive: zipfile.ZipFile, name: str, *fields: str) -> dict[str, tuple]:
    """Read a list of codes: by the first field the number of its line, and the other fields.

    Of a line only blanks at its end, in its last text, may be missing.
    """
    spans = [layouts()[name][field] for field in fields]
    least, most = max(end for _, end in spans), width_of(name)
    found: dict[str, tuple] = {}
    text = archive.read(_member(archive, name)).decode("latin-1")
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        line = line.removesuffix("\r")
        if not least <= len(line) <= most:
            raise _bad(name, number, f"it has {len(line)} characters; by its layout, {most}.")
        code, *told = (line[start:end].strip() for start, end in spans)
        if code in found or not code:
            raise _bad(name, number, f"the code {code!r} is there twice." if code else "it has no code.")
        found[code] = (number, *told)
    return found


def _lines(
    archive: zipfile.ZipFile, member: str, month: str, wire: Wire, codes: dict[str, list[str]], by: list[str]
) -> Lines:
    """Read the lines of a member; each is checked, also one whose only trade was earlier in the year."""
    fields = layouts()[member]
    names = [name for name in wire.figures if f"{name}_mo" in fields]
    first, last = fields["cards_mo"][0], fields["cards_yr"][0]
    known = {name: _known(one, *fields[name]) for name, one in codes.items() if name in fields}
    places: dict[str, list[np.ndarray]] = {name: [] for name in by}
    figures, count = [], 0
    for number, rows in _blocks(archive, member):
        count += len(rows)
        _check_month(rows, month, member, number)
        _check_numbers(rows[:, first:], member, number)
        monthly = rows[:, first:last]
        traded = monthly.max(axis=1) > ZERO  # more than a zero, or a blank
        for name, listed in known.items():
            place = _places(rows, listed, name, member, number)
            if name in by:
                places[name].append(place[traded])
        digits = monthly[traded] & 15  # 0 of a zero, and of a blank
        places_of = [(start - first, end - first) for start, end in (fields[f"{name}_mo"] for name in names)]
        figures.append(
            np.stack([digits[:, start:end] @ TENS for start, end in places_of], axis=1).astype("int64")
        )
    whole = {name: np.concatenate(part) for name, part in places.items()}
    return Lines(member, places=whole, figures=np.concatenate(figures), names=names, count=count)


def _blocks(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[int, np.ndarray]]:
    """Read the lines of a member, some at a time: the number of the first, a row of bytes for each."""
    width, number = width_of(member), 1
    with archive.open(_member(archive, member)) as stream:
        head = stream.read(width + 2)
        end = b"\r\n" if head.endswith(b"\r\n") else b"\n"
        size = LINES * (width + len(end))
        while block := head + stream.read(size - len(head)):
            if len(block) < size and not block.endswith(end):
                block += end  # the last line may lack its end
            yield number, _rows(block, width, end, member, number)
            number, head = number + LINES, b""
    if number == 1:
        raise CheckError(f"{member} is empty.", AGAIN)


def _rows(block: bytes, width: int, end: bytes, member: str, number: int) -> np.ndarray:
    """Cut a block into lines of one width."""
    stride = width + len(end)
    count = len(block) // stride
    rows = np.frombuffer(block, "uint8", count=count * stride).reshape(count, stride)
    ends = (rows[:, width:] == np.frombuffer(end, "uint8")).all(axis=1)
    if len(block) % stride or not ends.all():
        wrong = count if ends.all() else int(np.argmin(ends))
        line = block[wrong * stride :].split(b"\n")[0].removesuffix(b"\r")
        told = f"it has {len(line):,} characters; by its layout, {width}."
        raise _bad(member, number + wrong, "it ends as line 1 does not." if len(line) == width else told)
    return rows[:, :width]


def _check_month(rows: np.ndarray, month: str, member: str, number: int) -> None:
    start, end = layouts()[member]["year"][0], layouts()[member]["month"][1]
    if rows[:, :end].min() < BLANK:
        odd = (rows[:, :end] < BLANK).any(axis=1)
        raise _bad(member, number + int(np.argmax(odd)), "it holds a character that is no text.")
    other = (rows[:, start:end] != np.frombuffer((month[:4] + month[5:]).encode(), "uint8")).any(axis=1)
    if other.any():
        wrong = int(np.argmax(other))
        raise _bad(member, number + wrong, f"its month is {_text(rows[wrong, start:end])}, not {month}.")


def _check_numbers(numbers: np.ndarray, member: str, number: int) -> None:
    """Refuse what is not digits, or blanks before digits."""
    if numbers.min() >= ZERO and numbers.max() <= ZERO + NINE:
        return
    odd = numbers - ZERO > NINE
    cells = numbers.reshape(len(numbers), -1, WIDE)
    blank = cells == BLANK
    wrong = (odd.reshape(cells.shape) & ~blank).any(axis=2) | blank[:, :, -1]
    wrong |= (blank[:, :, 1:] & ~blank[:, :, :-1]).any(axis=2)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        field = list(layouts()[member])[column - cells.shape[1]]
        raise _bad(member, number + row, f"{field} reads {_text(cells[row, column])!r}, which is no number.")


def _known(codes: list[str], start: int, end: int) -> pa.Array:
    """Codes as their bytes; none for one that is not all digits, or of another length than its field."""
    whole = [code.encode() if len(code) == end - start and code.isdecimal() else None for code in codes]
    return pa.array(whole, pa.binary(end - start))


def _places(rows: np.ndarray, known: pa.Array, field: str, member: str, number: int) -> np.ndarray:
    """Find the codes of lines in their list; a code that is not in it is refused."""
    start, end = layouts()[member][field]
    cells = pa.py_buffer(np.ascontiguousarray(rows[:, start:end]))
    codes = pa.FixedSizeBinaryArray.from_buffers(pa.binary(end - start), len(rows), [None, cells])
    place = pc.index_in(codes, value_set=known)
    if place.null_count:
        wrong = pc.index(place.is_null(), True).as_py()
        raise _bad(
            member, number + wrong, f"{field} {_text(rows[wrong, start:end])!r} is in no list of codes."
        )
    return place.to_numpy().astype("int64")


def _text(row: np.ndarray) -> str:
    return row.tobytes().decode("latin-1")


# --- what it adds up to -------------------------------------------------------------------------


def _summed(
    places: dict[str, np.ndarray], codes: dict[str, list[str]], figures: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Add up the figures of the same places: each place once, in order, and the sums."""
    key = np.zeros(len(figures), "int64")
    for name, place in places.items():
        key = key * len(codes[name]) + place
    order = np.argsort(key, kind="stable")
    key = key[order]
    begins = np.flatnonzero(np.diff(key, prepend=-1))
    key = key[begins]
    sums = np.add.reduceat(figures[order], begins, axis=0) if len(key) else figures
    found = {}
    for name in reversed(places):
        key, found[name] = np.divmod(key, len(codes[name]))
    return {name: found[name] for name in places}, sums


def _check_total(total: Lines, detail: Lines, codes: dict[str, list[str]]) -> None:
    """Refuse a month whose lines do not add up to a total in the same zip, to the dollar and the unit."""
    columns = [detail.names.index(name) for name in total.names]
    both = {name: np.concatenate([detail.places[name], place]) for name, place in total.places.items()}
    figures = np.concatenate([detail.figures[:, columns], -total.figures])
    places, off = _summed(both, codes, figures)
    if off.any():
        row, column = np.argwhere(off)[0]
        told = " ".join(codes[name][place[row]] for name, place in places.items())
        here = np.all([both[name] == place[row] for name, place in places.items()], axis=0)
        mine, theirs = (
            figures[here][:, column].clip(low, high).sum() for low, high in ((0, None), (None, 0))
        )
        raise CheckError(
            f"{total.member} has {-theirs:,} as {total.names[column]}_mo of {told}; the lines of "
            f"{detail.member} add up to {mine:,}.",
            AGAIN,
        )


# --- tables -------------------------------------------------------------------------------------


def tables(month: Month) -> Iterator[tuple[str, pd.DataFrame]]:
    """Make the tables of a flow and a month, one after the other; all but those by HS10 have the world."""
    read = month.figures
    if month.flow == "exports":
        again = np.where(month.part == EXPORTS.parts.index(FOREIGN), read["all_val"], 0)
        kinds = {"exports": ({"value_usd": read["all_val"], "reexports_usd": again}, "qty_")}
    else:
        kinds = {"imports_general": ({"value_usd": read["gen_val"]}, "gen_qy")}
        kinds["imports_consumption"] = {column: read[name] for column, name in PAID.items()}, "con_qy"
    classes = {f"hs{digits}": [code[:digits] for code in month.items] for digits in (6, 4, 2)}
    classes |= {"naics": [told[0][:3] for told in month.known], "enduse": [told[1] for told in month.known]}
    for kind, (dollars, begin) in kinds.items():
        columns = dollars | {"quantity": read[f"{begin}1"], "quantity_2": read[f"{begin}2"]}
        figures = np.stack([*columns.values()], axis=1)
        if month.district is not None:
            yield f"{kind}_hs10_districts_nsa", _by_district(month, [*columns], figures)
        places, sums = _summed(
            {"partner": month.partner, "item": month.item},
            {"partner": month.partners, "item": month.items},
            figures,
        )
        yield f"{kind}_hs10_nsa", _frame(month, [*columns], places, sums, month.items)
        sums = sums[:, : len(dollars)]
        for key, names in classes.items():
            yield f"{kind}_{key}_nsa", _class(month, [*dollars], places, sums, names)
        if kind == "imports_consumption":
            everything = {"partner": places["partner"], "item": np.zeros_like(places["item"])}
            yield "imports_consumption_nsa", _class(month, [*dollars], everything, sums, ["goods"])
            where, sums = {"partner": month.partner, "item": month.part}, figures[:, : len(dollars)]
            yield "imports_consumption_provisions_nsa", _class(month, [*dollars], where, sums, [*PROVISIONS])


def _by_district(month: Month, columns: list[str], figures: np.ndarray) -> pd.DataFrame:
    """Sum rows by partner, item and district; the item of such a row is "8471300100-20"."""
    codes = {"partner": month.partners, "item": month.items, "district": month.districts}
    where = {"partner": month.partner, "item": month.item, "district": month.district}
    places, sums = _summed(where, codes, figures)
    frame = _frame(month, columns, places, sums, month.items)
    some = sums[:, : columns.index("quantity")].any(axis=1)
    return frame.assign(item=frame["item"] + "-" + _words(places["district"][some], month.districts))


def _class(
    month: Month, columns: list[str], where: dict[str, np.ndarray], figures: np.ndarray, names: list[str]
) -> pd.DataFrame:
    """Sum rows by partner and by the name of the item at each place, and for the world."""
    items, at = np.unique(names, return_inverse=True)
    key, shape = where["partner"] * len(items) + at[where["item"]], (len(month.partners) + 1, len(items))
    size = shape[0] * shape[1]
    parts = [np.bincount(key, weights=part, minlength=size).reshape(shape) for part in figures.T]
    for part in parts:
        part[-1] = part[:-1].sum(axis=0)  # the world
    there = np.logical_or.reduce([part != 0 for part in parts])
    partner, item = np.nonzero(there)
    sums = np.stack([part[there] for part in parts], axis=1)
    return _frame(month, columns, {"partner": partner, "item": item}, sums, list(items))


def _frame(
    month: Month, columns: list[str], places: dict[str, np.ndarray], sums: np.ndarray, items: list[str]
) -> pd.DataFrame:
    """Make a table of sums at places; no row where all dollars are 0."""
    some = sums[:, [name.endswith("_usd") for name in columns]].any(axis=1)
    sums, places = sums[some], {name: at[some] for name, at in places.items()}
    names = {"partner": [*month.partners, WORLD], "item": items}
    ordinals = np.full(len(sums), pd.Period(month.month, "M").ordinal)
    frame = pd.DataFrame({"period": pd.PeriodIndex.from_ordinals(ordinals, freq="M")})
    frame = frame.assign(**{name: _words(places[name], known) for name, known in names.items()})
    frame = frame.assign(flow=month.flow, note=pd.Series(pd.NA, index=frame.index, dtype="str"))
    for column, values in zip(columns, sums.T, strict=True):
        frame[column] = values.astype("float64")
    for n, quantity in enumerate(name for name in columns if name.startswith("quantity")):
        units = [None if told[2 + n] in NO_UNIT else told[2 + n] for told in month.known]
        unit = _words(places["item"], units)
        frame[quantity] = frame[quantity].where(unit.notna())
        frame[quantity.replace("quantity", "unit")] = unit
    return frame


def _words(place: np.ndarray, words: list[str]) -> pd.Series:
    """The words at some places, as a column of text."""
    return (
        pa.DictionaryArray.from_arrays(pa.array(place.astype("int32")), pa.array(words))
        .cast("str")
        .to_pandas()
    )
