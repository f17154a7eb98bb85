"""The FT-900 archive: every figure and mark of an exhibit is kept, whatever the edition; the rest refused."""

import io
import re
import zipfile
from datetime import date
from functools import cache

import exhibits
import numpy as np
import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from exhibits import TWENTY_THREE, amount, as_text, as_xls, as_xlsx, as_zip, edition, find, with_cell
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import list_vintages, load, take
from tradelib.briefs.brief import brief
from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.partners import PartnerError, country_set, from_area_name
from tradelib.sources import ft900
from tradelib.sources.ft900 import (
    SUPPLEMENT,
    parse_archive,
    parse_supplement,
    read_archive,
    statistical_month,
    supplement_of,
)
from tradelib.sources.workbooks import is_archive
from tradelib.store import vintages
from tradelib.tables import CheckError, check_flows

ARCHIVE = "ft900/ft900xlsx_2108.zip"
KOREA = "5800"
KEYS = ["partner", "flow", "item", "period"]
NUMBERS = ("14", "14a", "19", "20", "20a", "20b")


@pytest.fixture(scope="module")
def zipped(originals):
    return (originals / ARCHIVE).read_bytes()


@pytest.fixture(scope="module")
def members(zipped):
    return read_archive(zipped)


@pytest.fixture(scope="module")
def tables(members):
    return parse_archive(members)


@cache
def plain_tables(*numbers):
    """The tables of an edition as it is written unless said otherwise, of some of its exhibits or of all."""
    return parse_archive(
        {number: rows for number, rows in edition().items() if number in (numbers or NUMBERS)}
    )


@cache
def printed(zipped, member):
    """The rows of a member of an archive by openpyxl: not the library that the package reads with."""
    content = zipfile.ZipFile(io.BytesIO(zipped)).read(member)
    return list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))


def cell(tables, table, partner, flow, period, item="goods"):
    row = tables[table].query("partner == @partner and flow == @flow and item == @item")
    (row,) = row[row["period"].astype("str") == period].to_dict("records")
    return row["value_usd"] / 1e6, row["note"]


def universe(frame):
    """The single countries of a table: those that its release could rank."""
    return sorted(set(frame["partner"]) & country_set())


def refused(message, rows_or_members):
    members = rows_or_members if isinstance(rows_or_members, dict) else {"one.xlsx": rows_or_members}
    with pytest.raises(CheckError, match=message):
        parse_archive(members)


# --- the real edition of August 2021 --------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "partner", "flow", "period", "item", "million"),
    [
        ("goods_ft900_ytd_nsa", KOREA, "exports", "2021-08", "goods", 44_424),
        ("goods_ft900_ytd_nsa", KOREA, "imports", "2021-08", "goods", 61_606),
        ("goods_ft900_ytd_nsa", KOREA, "balance", "2020-08", "goods", -14_225),
        ("goods_ft900_nsa", KOREA, "exports", "2021-08", "goods", 5_347),
        ("goods_ft900_nsa", KOREA, "exports", "2021-07", "goods", 5_897),
        ("goods_ft900_nsa", KOREA, "imports", "2020-07", "goods", 5_876),
        ("goods_ft900_nsa", "0015", "balance", "2021-08", "goods", -97_720),
        ("goods_ft900_ytd_nsa", "EURO", "imports", "2021-08", "goods", 283_869),
        ("goods_ft900_sa", KOREA, "balance", "2021-08", "goods", -3_121),
        ("goods_ft900_quarters_sa", KOREA, "exports", "2021Q2", "goods", 17_568),
        ("goods_ft900_ytd_sa", KOREA, "imports", "2020-08", "goods", 48_408),
        ("trade_ft900_sa", KOREA, "balance", "2021Q2", "total", -4_324),
        ("trade_ft900_sa", KOREA, "balance", "2021Q2", "services", 1_978),
        ("trade_ft900_sa", KOREA, "exports", "2021Q2", "goods", 17_785),
        ("trade_ft900_annual", KOREA, "balance", "2018", "total", -4_576),
        ("trade_ft900_annual", "REST", "imports", "2020", "services", 196_707),
    ],
)
def test_the_published_figures_are_reproduced(tables, table, partner, flow, period, item, million):
    assert cell(tables, table, partner, flow, period, item)[0] == million


def second_reading(zipped, member):
    """(flow, label, header) -> cells, with openpyxl, by the positions of this one edition."""
    rows = printed(zipped, member)
    (head,) = [n for n, row in enumerate(rows) if row[0] in ("Item (1)", "Country and Area")]
    blocks = member.startswith("exh14")
    headers, flow, found = rows[head + blocks], None, []
    for row in rows[head + 1 + blocks :]:
        if row[0] in ("Balance", "Exports", "Imports"):
            flow = row[0]
        values = [(n, value) for n, value in enumerate(row) if n and value not in (None, "", "(R)")]
        for place, (n, value) in enumerate(values):
            name = flow or ("Balance", "Exports", "Imports")[place // 3]
            header = headers[n] or headers[n - 1]  # the label stands over the mark, left of the figure
            found.append((name.lower(), row[0], header.replace("\n", " "), value))
    return found


NOT_PARTNERS = "^(Total Balance|Net Adj|Other|Unidentified|Timing)"
QUARTERS = {"First": "Q1", "Second": "Q2", "Third": "Q3", "Fourth": "Q4"}


@pytest.mark.parametrize(
    ("member", "item", "months", "size"),
    [
        ("exh14.xlsx", "goods", ("goods_ft900_nsa", "goods_ft900_ytd_nsa"), 441),
        ("exh14a.xlsx", "goods", ("goods_ft900_nsa", "goods_ft900_ytd_nsa"), 441),
        ("exh19.xlsx", "goods", ("goods_ft900_sa", "goods_ft900_ytd_sa", "goods_ft900_quarters_sa"), 513),
        ("exh20.xlsx", "total", ("trade_ft900_sa", "trade_ft900_annual"), 513),
        ("exh20a.xlsx", "goods", ("trade_ft900_sa", "trade_ft900_annual"), 513),
        ("exh20b.xlsx", "services", ("trade_ft900_sa", "trade_ft900_annual"), 513),
    ],
)
def test_every_cell_of_an_exhibit_read_with_openpyxl_is_in_its_table(
    zipped, tables, member, item, months, size
):
    ours = {}
    for table in months:
        for row in tables[table].query("item == @item").itertuples():
            ours["_ytd_" in table, row.partner, row.flow, str(row.period)] = row.value_usd, row.note
    seen = 0
    for flow, label, header, value in second_reading(zipped, member):
        if member.startswith("exh14") and re.match(NOT_PARTNERS, label):
            continue
        code = "0015" if label == "Total Census Basis" else from_area_name(label)
        word, year = header.rsplit(" ", 1)
        if word.split()[0] in QUARTERS:
            period = year + QUARTERS[word.split()[0]]
        elif word == "Annual":
            period = year
        else:
            period = f"{year}-{'07' if word == 'July' else '08'}"
        usd, note = ours[word == "Year-to-Date", code, flow, period]
        if value == "n.a.":
            assert np.isnan(usd) and note == "n.a."
        else:
            assert usd == 1e6 * value
        seen += 1
    assert seen == size


def test_the_tables_hold_nothing_else(tables):
    sizes = {name: len(frame) for name, frame in tables.items()}
    assert sizes == {
        "goods_ft900_nsa": 49 * 3 * 4,
        "goods_ft900_ytd_nsa": 49 * 3 * 2,
        "goods_ft900_sa": 19 * 3 * 2,
        "goods_ft900_quarters_sa": 19 * 3 * 5,
        "goods_ft900_ytd_sa": 19 * 3 * 2,
        "trade_ft900_sa": 19 * 9 * 6,
        "trade_ft900_annual": 19 * 9 * 3,
        "goods_ft900_all_nsa": (248 + 250) * 3,
        "goods_ft900_all_ytd_nsa": (248 + 250) * 3,
    }
    for name, frame in tables.items():
        assert check_flows(frame, name).equals(frame)


def test_the_marks_of_revision_are_on_july_and_none_on_august(tables):
    for name, partners in (("goods_ft900_nsa", {"0015", "0010", "1220"}), ("goods_ft900_sa", {"1220"})):
        marked = tables[name][tables[name]["note"].eq("(R)")]
        assert set(marked["period"].astype("str")) == {"2021-07"}
        assert set(marked["partner"]) == partners
    assert cell(tables, "goods_ft900_nsa", "1220", "exports", "2021-07") == (25_695, "(R)")
    assert pd.isna(cell(tables, "goods_ft900_nsa", "1220", "imports", "2021-07")[1])
    assert pd.isna(cell(tables, "goods_ft900_nsa", "1220", "exports", "2021-08")[1])


def test_cafta_dr_has_goods_and_its_services_are_missing_with_their_mark(tables):
    assert cell(tables, "trade_ft900_sa", "0017", "exports", "2021Q2")[0] == 9_614
    for item in ("services", "total"):
        value, note = cell(tables, "trade_ft900_sa", "0017", "exports", "2021Q2", item)
        assert np.isnan(value) and note == "n.a."


def test_the_statistical_month_is_told_by_all_tables_and_by_those_of_one_exhibit(members, tables):
    assert statistical_month(tables) == "2021-08"
    assert statistical_month(parse_archive({"x": members["exh19.xlsx"]})) == "2021-08"


def test_the_universe_is_the_fifteen_countries_of_exhibit_20(tables):
    assert universe(tables["trade_ft900_sa"]) == sorted(map(from_area_name, exhibits.FIFTEEN))


@pytest.mark.parametrize(("member", "year"), [("exh4s.xlsx", "2021"), ("exh4as.xlsx", "2020")])
def test_exhibits_14_and_14a_are_the_rounded_figures_of_the_supplement(zipped, tables, member, year):
    """Exhibit 4 of the supplement, in the same zip, has every partner, unrounded."""
    rows = printed(zipped, member)
    columns = [("balance", 1), ("exports", 4), ("imports", 7)]
    supplement = {}
    for label, *cells in rows:
        try:
            code = "0015" if label == "TOTAL" else from_area_name(str(label))
        except TradelibError:
            continue
        for flow, n in columns:
            supplement[code, flow] = cells[n - 1], cells[n]
    for place, name in enumerate(("goods_ft900_nsa", "goods_ft900_ytd_nsa")):
        frame = tables[name][tables[name]["period"].astype("str") == f"{year}-08"]
        off = [
            row.value_usd / 1e6 - supplement[row.partner, row.flow][place]
            for row in frame.itertuples()
            if not isinstance(supplement[row.partner, row.flow][place], str)
        ]
        assert len(off) == 49 * 3
        assert np.abs(off).max() <= 0.500001


def against_country_xlsx(tables, published, period):
    """Exhibit 14 less country.xlsx of a day: partner, flow, and difference in millions and in parts."""
    (vintage,) = [v for v in list_vintages("goods_census_nsa") if v.published.isoformat() == published]
    known = vintages.read(vintage).set_index(["partner", "flow", "period"])["value_usd"]
    frame = tables["goods_ft900_nsa"].query("flow != 'balance' and partner != 'EURO'")
    frame = frame[frame["period"].astype("str") == period]
    other = known.reindex(pd.MultiIndex.from_frame(frame[["partner", "flow", "period"]])).to_numpy()
    assert not np.isnan(other).any()
    return frame.assign(million=(frame["value_usd"] - other) / 1e6, part=frame["value_usd"] / other - 1)


@pytest.mark.parametrize(
    ("published", "period", "exact", "million", "part"),
    [  # the release lies between these copies, one annual revision after the first, two before the second
        ("2020-10-06", "2020-07", 17, 389, 0.025),
        ("2020-10-06", "2020-08", 13, 236, 0.025),
        ("2023-03-08", "2020-07", 39, 582, 0.035),
        ("2023-03-08", "2020-08", 32, 314, 0.035),
        ("2023-03-08", "2021-07", 9, 537, 0.05),
        ("2023-03-08", "2021-08", 12, 542, 0.05),
    ],
)
def test_exhibit_14_differs_from_country_xlsx_of_other_years_by_annual_revisions_only(
    tables, published, period, exact, million, part
):
    off = against_country_xlsx(tables, published, period)
    assert len(off) == 96
    assert (off["million"].abs() <= 0.500001).sum() == exact  # the same figure, rounded
    assert off["million"].abs().max() <= million
    large = off[off["value_usd"] > 2e9]
    assert large["part"].abs().max() <= part


def test_exhibits_19_and_20a_are_close_for_korea_though_on_another_basis(tables):
    census = cell(tables, "goods_ft900_quarters_sa", KOREA, "exports", "2021Q2")[0]
    bop = cell(tables, "trade_ft900_sa", KOREA, "exports", "2021Q2")[0]
    assert 0 < bop - census < 0.02 * census


# --- other editions -----------------------------------------------------------------------------


def expected(tables, *, decimals=0, countries=exhibits.FIFTEEN):
    """Every country's figures are those that the edition was written from."""
    kinds = {"M": "M", "Q": "Q", "Y": "Y"}
    names = {from_area_name(name): name for name in countries}
    for table, frame in tables.items():
        for row in frame[frame["partner"].isin(names)].itertuples():
            kind = "ytd" if "_ytd_" in table else kinds[row.period.freqstr[0]]
            item = row.item if table.startswith("trade") else "goods"
            key = (kind, str(row.period))
            written = amount(names[row.partner], row.flow.title(), item, key, decimals)
            assert row.value_usd == np.rint(written * 1e6), (table, row)
        assert set(names) <= set(frame["partner"])


def months_of(tables, table):
    return sorted(map(str, tables[table]["period"].unique()))


def test_a_january_edition_reaches_back_to_december_and_its_year_to_date_is_the_month():
    tables = parse_archive(edition("2019-01"))
    expected(tables)
    assert months_of(tables, "goods_ft900_nsa") == ["2017-12", "2018-01", "2018-12", "2019-01"]
    assert months_of(tables, "goods_ft900_ytd_nsa") == ["2018-01", "2019-01"]
    assert statistical_month(tables) == "2019-01"
    assert tables["trade_ft900_sa"]["period"].max() == pd.Period("2018Q4", "Q")


def test_a_january_edition_may_do_without_year_to_date():
    rows = [row[:4] + row[5:8] + row[9:12] if len(row) > 12 else row for row in edition("2019-01")["14"]]
    tables = parse_archive({"exh14.xls": rows})
    assert list(tables) == ["goods_ft900_nsa"]
    assert months_of(tables, "goods_ft900_nsa") == ["2018-12", "2019-01"]


def test_an_edition_of_23_countries_has_a_universe_of_23():
    tables = parse_archive(edition("2025-02", countries=TWENTY_THREE))
    expected(tables, countries=TWENTY_THREE)
    assert len(universe(tables["trade_ft900_sa"])) == 23


@pytest.mark.parametrize("decimals", [1, 3, 6])
def test_unrounded_cells_keep_their_dollars(decimals):
    expected(parse_archive(edition(decimals=decimals)), decimals=decimals)


@pytest.mark.parametrize("wrap", [" ", "\n", " \n ", "\r\n", "\xa0"])
def test_labels_may_wrap_anywhere(wrap):
    expected(parse_archive(edition(wrap=wrap)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"^April\n", "Apr. "),
        (r"^April\n2023", "2023 April"),
        (r"^Year-to-Date\n", "Cumulative\nYear-to-Date "),
        (r"^Year-to-Date\n", "Year to date "),
        (r"^Year-to-Date\n2023", "January - April 2023"),
        (r"^(First|Second|Third|Fourth) Quarter\n(.*)", r"\1 Quarter \2 (2)"),
        (r"^Annual\n", ""),
        (r"^Item \(1\)$", "Country and Area"),
        (r"^Item \(1\)$", "Item"),
        (r"^Country and Area$", "Country or Area (1)"),
        (r"^(Balance|Exports|Imports)$", r"\1 (1)"),
        (r"^Exports$", "Exports, f.a.s."),
        (r"^Imports$", "IMPORTS (Customs)"),
        (r"^Balance$", "Trade Balance:"),
        (r"^Exhibit ", "EXHIBIT "),
        (r"^(Exhibit \w+)\. ", "\\1\n"),
        (r"^Total Census Basis$", "Total, Census Basis"),
        (r"^Total Balance of Payments Basis$", "Total BOP Basis"),
        (r"^Other$", "Other Pacific Rim (3)"),
        (r"^Unidentified Countries \(2\)$", "Unidentified (2)"),
        (r"^European Union$", "European Union (27)"),
        (r"^European Union$", "EU-28"),
        (r"^South/Central America$", "South/\nCentral America"),
        (r"^All other countries$", "All Other Countries (4)"),
        (r"^In millions of dollars", "Millions of dollars"),
    ],
)
def test_other_spellings_of_labels_make_no_difference(old, new):
    plain, spelt = edition(), {}
    for number, rows in plain.items():
        spelt[number] = [[re.sub(old, new, c) if isinstance(c, str) else c for c in row] for row in rows]
    # those that are spelt otherwise, with their sisters, which they are held against
    touched = {number[:2] for number in NUMBERS if spelt[number] != plain[number]}
    numbers = [number for number in NUMBERS if number[:2] in touched]
    assert numbers
    ours, theirs = parse_archive({number: spelt[number] for number in numbers}), plain_tables(*numbers)
    assert all(ours[name].equals(theirs[name]) for name in theirs)


def test_a_header_may_be_a_date_cell_or_stand_on_two_rows():
    plain = edition()
    dated = [
        [pd.Timestamp(2023, 4, 1).date() if c == "April\n2023" else c for c in row] for row in plain["14"]
    ]
    n = find(plain["20"], "Country and Area")
    first = [str(c).split("\n")[0] for c in plain["20"][n]]
    second = ["", *[float(str(c).split("\n")[1]) for c in plain["20"][n][1:]]]
    split = [*plain["20"][:n], first, second, *plain["20"][n + 1 :]]
    ours, theirs = parse_archive(plain | {"14": dated, "20": split}), plain_tables()
    assert all(ours[name].equals(theirs[name]) for name in theirs)


@pytest.mark.parametrize("month", ["2023-04", "2019-01"])
def test_a_year_may_span_its_periods_as_it_does_in_exhibit_15(month):
    plain = edition(month)
    n = find(plain["19"], "Country and Area")
    names = [str(c).split("\n") for c in plain["19"][n][1:]]
    years = [year if k == 0 or names[k - 1][1] != year else "" for k, (_, year) in enumerate(names)]
    above, below = ["Country and Area", *years], ["", *[name for name, _ in names]]
    rows = [*plain["19"][:n], above, below, *plain["19"][n + 1 :]]
    ours, theirs = parse_archive({"a": rows}), parse_archive({"a": plain["19"]})
    assert all(ours[name].equals(theirs[name]) for name in theirs)


def test_text_cells_with_commas_and_marks_inside_the_cell():
    rows = as_text(edition()["19"])
    n = find(rows, "Korea, South", "Exports")
    rows = with_cell(rows, n, 2, rows[n][2] + " (R)")
    rows = with_cell(rows, n, 3, "(R) " + rows[n][3])
    tables = parse_archive({"a": rows})
    expected(tables)
    assert cell(tables, "goods_ft900_sa", KOREA, "exports", "2023-03")[1] == "(R)"
    assert cell(tables, "goods_ft900_quarters_sa", KOREA, "exports", "2021Q4")[1] == "(R)"
    assert tables["goods_ft900_sa"]["note"].notna().sum() == 1


def test_a_revised_quarter_marks_all_its_figures():
    rows = edition()["20"]
    n = find(rows, "Country and Area")
    frame = parse_archive({"a": with_cell(rows, n, 2, rows[n][2] + " (R)")})["trade_ft900_sa"]
    assert set(frame.loc[frame["note"].eq("(R)"), "period"].astype("str")) == {"2022Q1"}
    assert frame["note"].eq("(R)").sum() == 18 * 3


def with_mark_columns(rows, after):
    """Exhibit 20 with a blank column after (or before) each column of figures, and Korea's figures marked."""
    head, wide = find(rows, "Country and Area"), []
    for n, row in enumerate(rows):
        marked = "(R)" if row[0] == "Korea, South" else ""
        cells = [pair for c in row[1:] for pair in ((c, marked) if after else (marked, c))]
        wide.append([row[0], *cells] if n >= head and len(row) > 1 else row)
    return wide


@pytest.mark.parametrize("after", [True, False])
def test_mark_columns_may_precede_or_follow_the_figures(after):
    plain = edition()["20"]
    rows = with_mark_columns(plain, after)
    frame = parse_archive({"a": rows})["trade_ft900_sa"]
    assert set(frame.loc[frame["note"].eq("(R)"), "partner"]) == {KOREA}
    assert frame["note"].eq("(R)").sum() == 6 * 3
    expected({"trade_ft900_sa": frame})


def test_a_mark_column_between_the_months_belongs_to_the_older_one():
    """The label stands over the figure here, so that the mark could belong to either month."""
    rows = edition()["14"]
    n = find(rows, "Item (1)") + 1
    for block in (1, 5, 9):
        rows[n][block + 1 : block + 3] = ["", rows[n][block + 1]]
    rows = with_cell(rows, find(rows, "Canada"), 6, "(R)")
    frame = parse_archive({"a": rows})["goods_ft900_nsa"]
    (row,) = frame[frame["note"].notna()].to_dict("records")
    assert (row["partner"], row["flow"], str(row["period"])) == ("1220", "exports", "2023-03")


@pytest.mark.parametrize(("after", "marked"), [(6, "2023Q1"), (5, "2023Q1")])
def test_one_mark_column_beside_the_newest_quarter_belongs_to_it_on_either_side(after, marked):
    rows = edition()["20"]
    head = find(rows, "Country and Area")
    rows = [
        [*row[: after + 1], "(R)" if row[0] == "Canada" else "", *row[after + 1 :]]
        if n >= head and len(row) > 1
        else row
        for n, row in enumerate(rows)
    ]
    frame = parse_archive({"a": rows})["trade_ft900_sa"]
    found = frame[frame["note"].notna()]
    assert set(found["period"].astype("str")) == {marked} and len(found) == 3


@pytest.mark.parametrize(
    ("mark", "value", "note"),
    [
        ("(-)", np.nan, "(-)"),
        ("-", np.nan, "(-)"),
        ("(*)", 0.0, "(*)"),
        ("(X)", np.nan, "(X)"),
        ("(D)", np.nan, "(D)"),
        ("n.a.", np.nan, "n.a."),
        ("(NA)", np.nan, "n.a."),
    ],
)
def test_marks_in_place_of_figures_are_zero_or_missing_and_kept(mark, value, note):
    rows = edition()["19"]
    for flow in exhibits.FLOWS:
        rows = with_cell(rows, find(rows, "Korea, South", flow), 1, mark)
    found = cell(parse_archive({"a": rows}), "goods_ft900_sa", KOREA, "imports", "2023-04")
    assert found[1] == note
    assert found[0] == value or (np.isnan(found[0]) and np.isnan(value))


@pytest.mark.parametrize("suffix", ["xlsx", "xls"])
def test_an_archive_of_either_kind_of_workbook_with_other_names_in_a_folder(suffix):
    write = {"xlsx": as_xlsx, "xls": as_xls}[suffix]
    shuffled = zip(["B", "exh1", "EXH14", "c", "d", "e"], edition("2018-07").values(), strict=True)
    files = {f"FT900/{name}.{suffix.upper()}": write(rows, sheet=name) for name, rows in shuffled}
    files |= {"FT900/exh2.xls": as_xls([["Exhibit 2. Three-Month Moving Averages"]]), "README.txt": b"-"}
    data = as_zip(files)
    assert is_archive(data)
    members = read_archive(data)
    assert len(members) == 6
    tables = parse_archive(members)
    expected(tables)
    assert statistical_month(tables) == "2018-07"


def test_empty_rows_and_columns_before_the_table_make_no_difference():
    plain = edition()
    moved = {name: [[], [None], *[[None, "", *row] for row in rows]] for name, rows in plain.items()}
    ours, theirs = parse_archive(moved), plain_tables()
    assert all(ours[name].equals(theirs[name]) for name in theirs)


@pytest.mark.parametrize("missing", ["14", "14a", "19", "20", "20a", "20b"])
def test_a_missing_exhibit_leaves_the_others(missing):
    tables = parse_archive({name: rows for name, rows in edition().items() if name != missing})
    expected(tables)
    assert statistical_month(tables) == "2023-04"


def test_quarters_and_years_may_be_more_or_fewer():
    plain = edition()
    short = {n: [[*row[:4], *row[8:]] for row in plain[n]] for n in ("20", "20a", "20b")}
    tables = parse_archive(short)
    expected(tables)
    assert tables["trade_ft900_sa"]["period"].nunique() == 3
    assert tables["trade_ft900_annual"]["period"].nunique() == 2


def test_a_column_that_is_not_out_yet_is_left_out():
    rows = [[*row[:6], "", *row[7:]] if len(row) > 6 and row[0] != "Country and Area" else row
            for row in edition()["20"]]  # fmt: skip
    assert parse_archive({"a": rows})["trade_ft900_sa"]["period"].nunique() == 5


def test_a_country_listed_in_two_areas_is_kept_once():
    rows = edition()["14"]
    canada = find(rows, "Canada")
    twice = [*rows[:-4], rows[canada], *rows[-4:]]
    assert parse_archive({"a": twice})["goods_ft900_nsa"].equals(
        parse_archive({"a": rows})["goods_ft900_nsa"]
    )
    other = [*rows[:-4], ["Canada", *rows[canada + 1][1:]], *rows[-4:]]
    with pytest.raises(CheckError, match="listed twice") as error:
        parse_archive({"a": other})
    assert "1220" in str(error.value)


def test_an_exhibit_of_the_same_number_on_another_subject_is_left_alone():
    rows = [
        ["Exhibit 19. U.S. Trade in Petroleum"],
        ["In thousands of barrels."],
        ["Item", "2010"],
        ["Oil", 1],
    ]
    assert "goods_ft900_sa" not in parse_archive({"a": rows, "b": edition()["20"]})


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "old", "new", "message"),
    [
        ("14", "^Canada$", "Kanada", r"Exhibit 14 \(one.xlsx\), row \d+, column A: 'Kanada' is not a known"),
        ("14", "^Other Countries$", "Further things", "row .*'Further things' is not a known country"),
        ("20", "^All other countries$", "Other", "'Other' is not a known country"),
        ("14", "^In millions", "In thousands", "units line must say millions of dollars"),
        ("20b", "^In millions of dollars", "In billions of dollars", "units line must say millions"),
        ("14", "^Part B: NOT S", "Part B: S", "adjustment is not that of this exhibit"),
        ("19", "Seasonally Adjusted", "Not Seasonally Adjusted", "adjustment is not that of this exhibit"),
        ("19", "Census Basis", "BOP Basis", "basis is not that of this exhibit"),
        ("20", "BOP Basis", "Census Basis", "basis is not that of this exhibit"),
        ("20", "^Imports$", "Purchases", "row 44, column A: no figures and no flow, but 'Purchases'"),
        ("14", "^Imports$", "Purchases", "row 6, column J: the header is 'Purchases April 2023'"),
        ("14", "^April\n2023", "Spring\n2023", "'Spring 2023', which is no period"),
        ("14", "^April\n2023", "April", "a period without its year"),
        ("20", "^Annual\n2022", "Annual\n2021", "two columns for .*'Y', 2021"),
        ("20", "^Annual\n2022", "April\n2022", "columns of kind M are not known in this exhibit"),
        ("14", r"^Item \(1\)$", "Partner", 'no header such as "Item'),
    ],
)
def test_an_unknown_label_is_refused_with_exhibit_place_and_what_was_seen(number, old, new, message):
    plain = edition()[number]
    rows = [[re.sub(old, new, c) if isinstance(c, str) else c for c in row] for row in plain]
    assert rows != plain
    refused(message, rows)


@pytest.mark.parametrize("seen", ["", "abc", "1,23", "(R)", "#REF!", True, "12 (1)"])
def test_a_cell_that_is_no_figure_is_refused_with_its_place(seen):
    rows = edition()["19"]
    n = find(rows, "Korea, South", "Exports")
    refused(rf"Exhibit 19 .*row {n + 1}, column C: expected a figure", with_cell(rows, n, 2, seen))


def test_text_beside_the_figures_is_refused():
    rows = edition()["14"]
    refused(r"row \d+, column C: expected \(R\)", with_cell(rows, find(rows, "Canada"), 2, "see note"))


def test_figures_without_a_period_above_them_are_refused():
    rows = edition()["14"]
    n = find(rows, "Item (1)") + 1
    refused("row 6, column B: no period stands above", with_cell(rows, n, 1, ""))
    refused("'March 2023' over two columns", with_cell(rows, n, 5 - 1, ""))


@pytest.mark.parametrize(("number", "flow"), [("14", None), ("19", "Balance"), ("20b", "Imports")])
def test_a_balance_that_is_not_exports_less_imports_is_refused(number, flow):
    rows = edition()[number]
    n = find(rows, "Korea, South", flow)
    parse_archive({"one.xlsx": with_cell(rows, n, 1, rows[n][1] + 1)})  # the last digit may be rounded
    with pytest.raises(CheckError, match=rf"Exhibit {number} .*balance is exports less imports") as error:
        parse_archive({"one.xlsx": with_cell(rows, n, 1, rows[n][1] + 2)})
    assert KOREA in str(error.value) and "2.0" in str(error.value) and "20" in str(error.value)


def test_an_unrounded_balance_must_agree_more_closely():
    rows = edition(decimals=6)["19"]
    n = find(rows, "Korea, South", "Balance")
    refused("balance is exports less imports", with_cell(rows, n, 1, rows[n][1] + 0.01))


def test_goods_and_services_that_do_not_make_the_total_are_refused():
    plain = edition()
    for change, fits in ((2, True), (3, False)):
        rows = plain["20b"]
        for flow in ("Balance", "Exports"):
            n = find(rows, "Korea, South", flow)
            rows = with_cell(rows, n, 1, rows[n][1] + change)
        changed = plain | {"20b": rows}
        if fits:
            parse_archive(changed)
        else:
            refused("Exhibits 20a and 20b make Exhibit 20.*", changed)


def test_a_january_that_is_not_the_year_to_date_is_refused():
    rows = edition("2019-01")["14"]
    n = find(rows, "Canada")
    rows = with_cell(with_cell(rows, n, 4, rows[n][4] + 5), n, 8, rows[n][8] + 5)
    refused("Exhibit 14 .*January is the year to date", rows)


def test_a_flow_without_a_country_that_the_others_have_is_refused():
    rows = edition()["20"]
    n = find(rows, "Korea, South", "Imports")
    refused("each partner has balance, exports and imports", [*rows[:n], *rows[n + 1 :]])


def test_exhibits_of_two_releases_are_refused():
    refused("not of one release", edition("2023-04") | {"19": edition("2023-05")["19"]})
    refused("not of one release", edition("2023-04") | {"14a": edition("2022-04")["14a"]})


def test_an_exhibit_that_is_there_twice_is_refused():
    refused("Exhibit 14 is there twice, the second time in again", edition() | {"again": edition()["14"]})


def test_nothing_recognised_is_refused_and_a_lone_year_ago_too():
    refused("None of Exhibits 14", {"exh1.xls": [["Exhibit 1. U.S. International Trade"]]})
    refused("14a is there without 14 and 19", {"a": edition()["14a"]})
    with pytest.raises(CheckError, match="No exhibit with months"):
        statistical_month(parse_archive({"a": edition()["20"]}))


# --- any figures --------------------------------------------------------------------------------

MILLIONS = st.integers(0, 999_999_999_999).map(lambda dollars: dollars / 1e6)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(MILLIONS, MILLIONS), min_size=9, max_size=9),
    st.dates(pd.Timestamp("1995-02-01").date(), pd.Timestamp("2040-12-31").date()),
    st.sampled_from(["xlsx", "xls", "text"]),
)
def test_any_figures_come_back_to_the_dollar(pairs, day, form):
    month = pd.Period(day, "M")
    labels = ["Korea, South", "Canada", "European Union"]
    keys = [("M", str(month)), ("M", str(month - 1)), ("Q", str((month + 1).asfreq("Q") - 1))]
    sides = dict(zip([(a, k) for a in labels for k in keys], pairs, strict=True))
    rows = [["Exhibit 19. U.S. Trade in Goods by Selected Countries and Areas"], ["In millions of dollars."]]
    rows += [["Country and Area", *map(exhibits.header, keys)]]
    for flow in exhibits.FLOWS:
        pick = {"Balance": lambda e, i: round(e - i, 6), "Exports": lambda e, i: e, "Imports": lambda e, i: i}
        rows += [[flow], *[[a, *[pick[flow](*sides[a, k]) for k in keys]] for a in labels]]
    if form == "text":
        members = {"a": [[f"{c:,.6f}" if isinstance(c, float) else c for c in row] for row in rows]}
    else:
        members = read_archive(as_zip({f"a.{form}": as_xlsx(rows) if form == "xlsx" else as_xls(rows)}))
    found = pd.concat(parse_archive(members).values()).set_index(["partner", "flow", "period"])["value_usd"]
    assert len(found) == 27
    for (label, (kind, text)), (e, i) in sides.items():
        at = from_area_name(label), pd.Period(text, kind)
        assert found[at[0], "exports", at[1]] == np.rint(e * 1e6)
        assert found[at[0], "imports", at[1]] == np.rint(i * 1e6)
        assert found[at[0], "balance", at[1]] == np.rint(e * 1e6) - np.rint(i * 1e6)


JUNK = st.one_of(
    st.none(),
    st.integers(-(10**7), 10**7),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["(R)", "(-)", "n.a.", "Exports", "April\n2023", "2021", "Korea, South", "NOTES:", True]),
)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_spoilt_cell_is_refused_in_words_or_harmless(data):
    """Nothing but TradelibError may come of one wrong cell, and a figure that is returned is a right one."""
    number = data.draw(st.sampled_from(["14", "19", "20"]))
    rows = [list(row) for row in edition()[number]]
    n = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[n]) - 1))
    rows[n][column] = data.draw(JUNK)
    try:
        tables = parse_archive({"a": rows})
    except TradelibError:
        return
    for name, frame in tables.items():
        assert check_flows(frame, name).equals(frame)


def test_the_parser_has_a_version():
    assert ft900.PARSER == "ft900.2"


# --- cells and labels ---------------------------------------------------------------------------


def test_a_cell_is_a_figure_a_mark_or_nothing():
    cells = (-5.25, "26,833 (R)", "(-)", "(R)", "1,23")
    figures = [ft900.figure_of(cell) for cell in cells]
    assert figures[:2] + figures[3:] == [(-5.25, None), (26833.0, "(R)"), None, None]
    assert np.isnan(figures[2][0]) and figures[2][1] == "(-)", "zero, or too small to print"


@pytest.mark.parametrize(
    ("label", "period"),
    [
        ("Aug. 2021", ("M", 2021, 8)),
        ("Second Quarter\n2020 (R)", ("Q", 2020, 2)),
        ("Annual 2018", ("Y", 2018, 12)),
        ("Cumulative Year-to-Date", ("ytd", None, None)),
        ("January - August 2021", ("ytd", 2021, 8)),
        ("Change", None),
    ],
)
def test_a_header_names_a_period_or_none(label, period):
    assert ft900.period_of(label) == period


def test_any_exhibits_of_a_release_make_their_tables():
    rows = [["Exhibit 19. U.S. Trade in Goods by Selected Countries and Areas - Census Basis"]]
    rows += [["In millions of dollars."], ["Country and Area", "July 2018", "First Quarter 2018"]]
    for flow, value in (("Balance", -1), ("Exports", 2), ("Imports", 3)):
        rows += [[flow], ["Korea, South", value, 3 * value]]
    assert sorted(parse_archive({"exh19.xls": rows})) == ["goods_ft900_quarters_sa", "goods_ft900_sa"]
    assert parse_supplement({"exh19.xls": rows}) == {}


# --- the supplement: every partner's goods as released, read a second way -------------------------

COLUMNS = {("balance", "M"): 1, ("balance", "ytd"): 2, ("exports", "M"): 4, ("exports", "ytd"): 5}
COLUMNS |= {("imports", "M"): 7, ("imports", "ytd"): 8}
SUPPLEMENT_TITLE = "Exhibit 4{}. Exports, Imports, and Trade Balance of Goods by Country and Area, "
SUPPLEMENT_TITLE += "Not Seasonally Adjusted: {}"


@pytest.fixture(scope="module")
def cells(zipped) -> dict[str, list[tuple]]:
    """The rows of both exhibits that have figures, by month."""
    return {
        month: [row for row in printed(zipped, name) if row[0] and row[1] is not None]
        for name, month in (("exh4s.xlsx", "2021-08"), ("exh4as.xlsx", "2020-08"))
    }


def code(label: str) -> str | None:
    label = label.split("*")[0].strip()
    try:
        return "0015" if label == "TOTAL" else from_area_name(label)
    except PartnerError:
        return None


def test_every_figure_is_the_one_printed(cells):
    tables = {kind: load(table, as_of="2021-10-05") for kind, table in SUPPLEMENT.items()}
    known = {
        (row.partner, row.flow, kind, str(row.period)): row.value_usd
        for kind, frame in tables.items()
        for row in frame.itertuples()
    }
    compared = 0
    for month, rows in cells.items():
        for row in rows:
            for (flow, kind), at in COLUMNS.items():
                if code(row[0]) and isinstance(row[at], (int, float)):
                    assert known[code(row[0]), flow, kind, month] == round(row[at] * 1e6), row[0]
                    compared += 1
    assert compared > 2_700
    assert sum(map(len, tables.values())) == len(known) == 2_988


def test_ranks_are_the_ranks_that_the_exhibit_prints(cells):
    """The exhibit ranks the balance of the year to date, largest deficit first, as we do."""
    snapshot = take("2021-08")
    assert snapshot.ranked_goods[1] == "goods_ft900_all_ytd_nsa"
    for month, ranks in (
        ("2021-08", snapshot.goods_ranks["now"]),
        ("2020-08", snapshot.goods_ranks["before"]),
    ):
        printed = {code(row[0]): row[3] for row in cells[month] if isinstance(row[3], (int, float))}
        shared = [one for one in ranks.index if one in printed]
        assert len(shared) > 220
        assert sum(ranks[one] == printed[one] for one in shared if printed[one] <= 60) == 60
        assert (ranks["5800"], printed["5800"]) == ((14, 14) if month == "2021-08" else (12, 12))


def test_exhibit_14_is_the_same_rounded():
    for rounded, whole in (
        ("goods_ft900_nsa", "goods_ft900_all_nsa"),
        ("goods_ft900_ytd_nsa", "goods_ft900_all_ytd_nsa"),
    ):
        keys = ["partner", "flow", "period"]
        pair = [load(table, as_of="2021-10-05").set_index(keys)["value_usd"] for table in (rounded, whole)]
        both = pd.concat(pair, axis=1, keys=["rounded", "whole"]).dropna()
        assert len(both) > 250 and (both["rounded"] - both["whole"]).abs().max() <= 0.5e6


def test_a_brief_of_that_day_is_of_that_day_for_any_partner():
    for who in ("KOR", "ZMB", "VCT"):
        sheet = brief(who, "2021-08")
        for id in ("goods.exports.ytd", "goods.balance.month", "world.goods.deficit.ytd.change_pct"):
            assert (sheet[id].vintage, sheet[id].vintage_lag_days) == ("2021-10-05", 0), (who, id)
        assert sheet["goods.balance.trailing12"].vintage == "2023-03-08"
    zambia = brief("ZMB", "2021-08")
    assert zambia.value("goods.exports.ytd") == 54_059_888 and zambia.value("goods.imports.ytd") == 35_915_650
    korea = brief("KOR", "2021-08")
    assert korea.value("goods.exports.ytd") == 44_423_670_843
    assert korea.value("goods.deficit.rank") == 14 and korea.value("goods.deficit.rank.previous_year") == 12


# --- other editions -----------------------------------------------------------------------------

NAMES = {
    "TOTAL": 9,
    "Korea, South": 3,
    "Vietnam": 2,
    "Unidentified (1)": 0,
    "Asia Near East": 1,
    "NATO Allies": 4,
}


def rows(year=2018, suffix="", month="July", scale=1.0) -> list[list]:
    """A made-up Exhibit 4 in the layout of the real one."""
    head = [
        SUPPLEMENT_TITLE.format(suffix, year),
        "In millions of dollars. Details may not equal totals due to rounding.",
    ]
    bases = ["(Customs imports)", "Domestic & Foreign, F.A.S. basis", "Customs basis", " C.I.F. basis"]
    blocks = ["Balance", " Exports", " Imports", ""]
    table = [[""], *[[line] for line in head], [""]]
    table += [["Country", *[cell for block in blocks for cell in (block, "", "")]]]
    table += [["", *[cell for basis in bases for cell in (basis, "", "")]]]
    table += [["", *[month, "Year-to-Date", "Rank"] * 4], [""]]
    for name, size in NAMES.items():
        e, i = scale * size * 1.25, scale * size * 2.5
        sides = [(e - i, 7 * (e - i)), (e, 7 * e), (i, 7 * i), (i + 1, 7 * i + 1)]
        table.append([name, *[cell for m, y in sides for cell in (m or "(-)", y or "(-)", "(X)")]])
    return [*table, ["* Countries denoted by asterisks have agreements."]]


def supplement(**sheets) -> dict[str, list[list]]:
    return {f"exh{name}.xls": sheet for name, sheet in sheets.items()}


def test_other_months_and_years_are_told_by_title_and_header():
    found = parse_supplement(supplement(a=rows(), b=rows(2017, "a", scale=2.0)))
    month, to_date = (check_flows(found[table], table) for table in SUPPLEMENT.values())
    korea = month[(month["partner"] == "5800") & (month["flow"] == "imports")]
    assert list(zip(map(str, korea["period"]), korea["value_usd"], strict=True)) == [
        ("2017-07", 15e6),
        ("2018-07", 7.5e6),
    ]
    assert to_date["value_usd"].abs().max() == 2 * 7 * 22.5e6
    assert set(month["partner"]) == {"0015", "5800", "5520", "NATO"}


def test_the_services_exhibit_of_the_same_number_is_another():
    assert supplement_of([["Exhibit 4. U.S. Imports of Services by Major Category"]]) is None
    assert supplement_of(rows()) == ("4", 2018) and supplement_of(rows(2017, "a")) == ("4a", 2017)


CHANGES = {
    "an unknown country": (
        lambda t: [*t[:10], ["Atlantis", *t[10][1:]], *t[10:]],
        "'Atlantis' is not a known",
    ),
    "a country that is there twice": (
        lambda t: [one for row in t for one in [row] * (1 + (row[0] == "Vietnam"))],
        "a partner is listed once",
    ),
    "other units": (
        lambda t: [[c.replace("millions", "billions") for c in t[2]] if r is t[2] else r for r in t],
        "units",
    ),
    "no total": (lambda t: [r for r in t if r[0] != "TOTAL"], "no row 'TOTAL'"),
    "a sum that is off": (
        lambda t: [[*r[:4], r[4] + 1, *r[5:]] if r[0] == "Vietnam" else r for r in t],
        "exports less",
    ),
    "a missing flow": (lambda t: [[c if c != " Imports" else "" for c in r] for r in t], "columns of bal"),
    "an empty cell": (
        lambda t: [[*r[:5], "", *r[6:]] if r[0] == "Vietnam" else r for r in t],
        "no figure of 'Vietnam'",
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_is_not_as_known_is_refused_with_what_was_seen(case):
    change, words = CHANGES[case]
    with pytest.raises(CheckError, match=words):
        parse_supplement(supplement(a=change(rows())))


def test_an_edition_with_another_supplement_keeps_its_other_exhibits_and_says_so(tmp_path):
    broken = CHANGES["an unknown country"][0](rows())
    sheets = edition("2018-07") | {"4s": broken}
    path = tmp_path / "ft900xls_1807.zip"
    path.write_bytes(as_zip({f"exh{n}.xls": as_xls(sheet, n) for n, sheet in sheets.items()}))
    result = CliRunner().invoke(main, ["ingest", str(path), "--accept", "made up"])
    assert result.exit_code == 0, result.output
    assert "Note: The supplement's goods by all partners are left out" in result.output
    assert "Atlantis" in result.output
    stored = {v.table for v in list_vintages() if v.published == date(2018, 9, 5)}
    assert "trade_ft900_sa" in stored and not stored & set(SUPPLEMENT.values())


def test_a_supplement_of_another_month_is_left_out():
    sheets = edition("2018-07")
    archive = as_zip({f"{n}.xlsx": as_xlsx(s, n) for n, s in (sheets | {"4s": rows(month="June")}).items()})
    with pytest.warns(UserWarning, match="ends with 2018-06"):
        tables = parse_archive(read_archive(archive))
    assert not set(SUPPLEMENT.values()) & set(tables)
    assert np.isfinite(tables["goods_ft900_nsa"]["value_usd"]).any()


def test_an_exhibit_that_is_cut_short_is_seen_beside_its_sister():
    sheets = edition()
    with pytest.raises(CheckError, match="Exhibits 14 and 14a list the same rows"):
        parse_archive(sheets | {"14a": sheets["14a"][:-8]})


def test_what_an_archive_lacks_is_told_and_stands_in_card_and_brief(tmp_path):
    sheets = edition()
    del sheets["20b"]
    path = tmp_path / "ft900xlsx_2304.zip"
    path.write_bytes(as_zip({f"exh{n}.xlsx": as_xlsx(rows, n) for n, rows in sheets.items()}))
    told = CliRunner().invoke(main, ["ingest", str(path), "--accept", "made up"]).output
    assert "Exhibit 20b of the FT-900 not there" in told and "4 and 4a of its supplement not there" in told
    (kept,) = [v for v in list_vintages("trade_ft900_sa") if v.through == "2023Q1"]
    assert "Exhibit 20b of the FT-900 not there" in kept.accepted
