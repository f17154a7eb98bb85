"""country.xlsx and ctyseasonal.xlsx: every published figure is kept, every broken file refused."""

import hashlib
import re

import numpy as np
import pandas as pd
import pytest
from helpers import (
    COPIES,
    MONTHS,
    country_sheet,
    csv_bytes,
    csv_cells,
    opened,
    parsed,
    raw_rows,
    raw_sum,
    seasonal_sheet,
    workbook_cells,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradelib import load_goods, load_goods_sa
from tradelib.loaders import pick
from tradelib.partners import all_partners
from tradelib.sources.census_files import parse_country, parse_ctyseasonal
from tradelib.sources.ingest import open_file
from tradelib.store import vintages
from tradelib.tables import CheckError, check_flows

KINDS = all_partners().set_index("code")["kind"]


@pytest.fixture(scope="module")
def good() -> pd.DataFrame:
    """The rows of 2017 and 2018 as the copy of 2018-10-05 prints them; nothing after August 2018."""
    return country_sheet(vintages.read(pick("goods_census_nsa", as_of="2018-10-05"), since="2017-01"))


@pytest.fixture(scope="module")
def plain(good) -> pd.DataFrame:
    """What is parsed of them; no test changes it."""
    return parse_country(good)


@pytest.fixture(scope="module")
def adjusted() -> pd.DataFrame:
    """ctyseasonal of the last three years, published through February 2025."""
    return seasonal_sheet(load_goods_sa(as_of="2025-04-03", since="2023-01"))


def edited(grid, partner, of_year, /, **cells):
    """A copy of a sheet with some cells of one row set, or moved by a callable."""
    grid = grid.copy()
    row = grid.index[(grid.iloc[:, 1].astype(str) == partner) & (grid["year"] == of_year)]
    assert len(row) == 1
    for name, value in cells.items():
        grid[name] = grid[name].astype(object) if isinstance(value, str) else grid[name]
        grid.loc[row, name] = value(grid.loc[row, name]) if callable(value) else value
    return grid


def cell_of(grid, partner, name, year=2018):
    return grid.loc[(grid["CTY_CODE"] == partner) & (grid["year"] == year), name].item()


def by_month(frame, flow):
    frame = frame[frame["flow"] == flow]
    return dict(zip(frame["period"].astype(str), frame["value_usd"], strict=True))


def keys(frame):
    return frame.set_index(["partner", "flow", "period"])["value_usd"].sort_index()


# --- the seven copies ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_parses_to_exactly_the_bundled_vintage(originals, name):
    path = originals / "census" / name
    published = path.stem.removeprefix("country_")
    bundled = next(v for v in vintages.list_vintages("goods_census_nsa") if str(v.published) == published)
    frame = parsed(path)
    assert frame.equals(vintages.read(bundled))
    assert bundled.sources == ({"name": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()},)
    assert bundled.through == COPIES[name] == str(frame["period"].max())


@pytest.mark.parametrize(("name", "last"), COPIES.items())
def test_the_world_row_reaches_the_last_published_month_in_both_flows_and_nothing_lies_beyond(name, last):
    frame = raw_rows("goods_census_nsa", re.search(r"\d{4}-\d\d-\d\d", name)[0])
    world = frame[frame["partner"] == "0015"]
    assert set(world.loc[world["period"] == last, "flow"]) == {"exports", "imports"}
    assert (world["value_usd"] > 0).all()
    assert frame["period"].max() == last


def test_in_every_copy_partners_sum_to_the_world_within_0_2_percent_in_years_already_revised():
    for name, last in COPIES.items():
        frame = raw_rows("goods_census_nsa", re.search(r"\d{4}-\d\d-\d\d", name)[0])
        frame = frame[(frame["period"] >= "1992-01") & (frame["period"] < f"{int(last[:4]) - 1}-01")]
        single = frame[frame["partner"].map(KINDS).isin(["country", "former", "other"])]
        sums = single.groupby(["flow", "period"])["value_usd"].sum()
        world = frame[frame["partner"] == "0015"].set_index(["flow", "period"])["value_usd"]
        assert len(world) == 2 * 12 * (int(last[:4]) - 1 - 1992)
        assert (sums / world - 1).abs().max() < 0.002, name


@pytest.mark.parametrize(
    "name", ["country_2012-02-10.csv", "country_2017-01-06.csv", "country_2025-04-03.csv"]
)
def test_every_cell_of_a_csv_copy_read_with_the_csv_module_is_in_the_bundle_to_the_dollar(originals, name):
    last = COPIES[name]
    cells = csv_cells(originals / "census" / name)
    frame = raw_rows("goods_census_nsa", name.removeprefix("country_").removesuffix(".csv"))
    kept = dict(
        zip(
            zip(frame["partner"], frame["period"], frame["flow"], strict=True),
            frame["value_usd"],
            strict=True,
        )
    )
    assert all(cells[key] == value for key, value in kept.items())
    dropped = {key: value for key, value in cells.items() if key not in kept}
    assert not any(dropped.values()), "only zeros are dropped"
    for partner, month, _ in dropped:
        assert month > last or KINDS[partner] in ("group", "world", "product")


@pytest.mark.parametrize(
    ("name", "exports", "before"),
    [
        ("country_2018-10-05.xlsx", 31_752_055_221, 28_569_686_249),
        ("country_2025-04-03.csv", 31_735_219_754, 28_545_566_613),
    ],
)
def test_koreas_seven_months_computed_from_the_raw_file_equal_load_goods_to_the_dollar(
    originals, name, exports, before
):
    path = originals / "census" / name
    cells = csv_cells(path) if name.endswith("csv") else workbook_cells(path)
    as_of = path.stem.removeprefix("country_")
    for year, expected in ((2018, exports), (2017, before)):
        months = [f"{year}-{n:02d}" for n in range(1, 8)]
        loaded = load_goods(as_of=as_of, partner="5800", since=months[0], through=months[-1])
        assert loaded[["table", "vintage", "vintage_lag_days"]].drop_duplicates().values.tolist() == [
            ["goods_census_nsa", as_of, 0]
        ]
        for flow in ("exports", "imports"):
            assert {month: cells["5800", month, flow] for month in months} == by_month(loaded, flow)
        assert sum(cells["5800", month, "exports"] for month in months) == expected


def test_the_copy_with_cr_line_ends_has_no_other_and_is_read_row_by_row(originals):
    path = originals / "census" / "country_2017-01-06.csv"
    data = path.read_bytes()
    assert b"\r" in data and b"\n" not in data
    assert len(opened(path)) == data.rstrip(b"\r").count(b"\r")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_line_end_gives_the_same_table(good, plain, end):
    assert parse_country(open_file(csv_bytes(good, end))).equals(plain)


def test_a_byte_order_mark_changes_nothing(good, plain):
    assert parse_country(open_file(b"\xef\xbb\xbf" + csv_bytes(good))).equals(plain)


def test_blank_trailing_rows_full_of_zeros_are_dropped(originals):
    grid = opened(originals / "census" / "country_2018-10-05.xlsx")
    blank = grid["year"].astype(str).isin(["", "nan"])
    assert blank.sum() == 233
    assert parse_country(grid[~blank]).equals(parse_country(grid))


def test_blank_rows_between_rows_with_figures_are_dropped_too(good, plain):
    blank = pd.DataFrame([["", "", "", *[0.0] * 26]], columns=good.columns)
    mixed = pd.concat([good[:40], blank, good[40:], blank], ignore_index=True)
    pd.testing.assert_series_equal(keys(parse_country(mixed)), keys(plain))


@pytest.mark.parametrize("form", [int, float, lambda code: f" {code} ", lambda code: f"{int(code)}.0"])
def test_codes_without_leading_zeros_and_as_numbers_are_the_same_codes(good, plain, form):
    codes = good.assign(CTY_CODE=[form(code) for code in good["CTY_CODE"]])
    assert parse_country(codes).equals(plain)


def test_years_as_floats_or_text_are_years(good, plain):
    assert parse_country(good.assign(year=good["year"].astype(float))).equals(plain)
    assert parse_country(good.assign(year=good["year"].astype(str))).equals(plain)


def test_unnamed_empty_columns_beside_the_table_are_dropped(good, plain):
    assert parse_country(good.assign(**{"": "", "Unnamed: 29": np.nan})).equals(plain)


def test_thousands_separators_are_read(good, plain):
    text = good.assign(EYR=[f"{value:,.6f}" for value in good["EYR"]])
    assert parse_country(text).equals(plain)


def test_the_sheet_rebuilt_from_the_bundle_is_the_sheet_that_census_published(originals, good):
    real = opened(originals / "census" / "country_2018-10-05.xlsx")
    real = real[real["year"].isin(["2017.0", "2018.0", "2017", "2018", 2017.0, 2018.0])]
    real = real.assign(year=real["year"].astype(float)).set_index(["year", "CTY_CODE"])
    built = good.set_index(["year", "CTY_CODE"])
    numbers = [name for name in built.columns if name != "CTYNAME"]
    assert set(real.index) == set(built.index)
    difference = real.loc[built.index, numbers].astype(float) - built[numbers]
    assert difference.abs().max(axis=None) < 1e-5


# --- what is absent and what is zero ------------------------------------------------------------


def test_months_to_come_are_absent_though_the_file_prints_zeros(good, plain):
    assert (good["EDEC"][good["year"] == 2018] == 0).all()
    assert str(plain["period"].max()) == "2018-08"


def test_true_zeros_of_a_small_partner_stay_zeros(originals):
    cells = workbook_cells(originals / "census" / "country_2018-10-05.xlsx")
    months = [f"2018-{n:02d}" for n in range(1, 9)]
    tuvalu = load_goods(as_of="2018-10-05", partner="6227", since="2018-01")
    assert len(tuvalu) == 16
    for flow in ("exports", "imports"):
        assert by_month(tuvalu, flow) == {month: cells["6227", month, flow] for month in months}
    assert (tuvalu["value_usd"] == 0).any()


def test_a_country_that_traded_nothing_all_year_keeps_its_zeros_and_a_group_not_compiled_has_none(good):
    zeros = {flow + month: 0.0 for flow in "IE" for month in [*MONTHS, "YR"]}
    frame = parse_country(edited(edited(good, "6227", 2017, **zeros), "0017", 2017, **zeros))
    in_2017 = frame[frame["period"].dt.year == 2017]
    assert in_2017.loc[in_2017["partner"] == "6227", "value_usd"].tolist() == [0.0] * 24
    assert not (in_2017["partner"] == "0017").any()


def test_a_blank_cell_is_not_a_zero(good):
    gone = cell_of(good, "6227", "IMAR")
    frame = parse_country(edited(good, "6227", 2018, IMAR=np.nan, IYR=lambda cell: cell - gone))
    march = frame[(frame["partner"] == "6227") & (frame["period"] == pd.Period("2018-03", "M"))]
    assert march["flow"].tolist() == ["exports"]


def test_without_a_world_row_nothing_holds_the_partners_and_it_is_refused():
    with pytest.raises(CheckError, match="no row of the World"):
        parse_country(_sheet_of_one(2018, "5800"))


def _sheet_of_one(year, code):
    cells = {"year": [year], "CTY_CODE": [code], "CTYNAME": ["Korea, South"]}
    for flow in "IE":
        cells |= {f"{flow}{month}": [1.5] for month in MONTHS} | {f"{flow}YR": [18]}
    return pd.DataFrame(cells)


# --- refusals -----------------------------------------------------------------------------------


BROKEN = {
    "a renamed column": (
        lambda g: g.rename(columns={"EJUL": "EJULY"}),
        [r"Missing: EJUL\.", r"Unknown: EJULY\."],
    ),
    "a lost column": (lambda g: g.drop(columns="IYR"), ["Missing: IYR", "Unknown: none"]),
    "a column twice": (lambda g: g[[*g.columns, "EJUL"]], ["columns are not those"]),
    "a column more": (lambda g: g.assign(BJAN=0.0), ["Unknown: BJAN"]),
    "an unknown code": (
        lambda g: edited(g, "5800", 2018, CTY_CODE="9998"),
        ["CTY_CODE is in Schedule C", "9998", "Korea, South"],
    ),
    "a month that breaks the year": (
        lambda g: edited(g, "5800", 2018, EMAR=lambda cell: cell + 0.5),
        ["Twelve months sum to EYR", "2018", "5800", r"0\.5\b"],
    ),
    "a year that breaks its months": (
        lambda g: edited(g, "5800", 2017, IYR=lambda cell: cell * 10),
        ["Twelve months sum to IYR", "2017", "5800"],
    ),
    "a partner lost": (
        lambda g: g[g["CTY_CODE"] != "5700"],
        ["Partners sum to the World row", "2017-01", r"-\d+\.\d+"],
    ),
    "a negative flow": (
        lambda g: edited(g, "5800", 2018, EMAR=lambda cell: -cell),
        ["No flow is negative", "2018", "5800"],
    ),
    "a row twice": (
        lambda g: pd.concat([g, g[(g["CTY_CODE"] == "5800") & (g["year"] == 2018)]]),
        ["One row per year and code", "2018", "5800"],
    ),
    "a figure after the last month of the World row": (
        lambda g: edited(g, "5800", 2018, ESEP=4.25, EYR=lambda cell: cell + 4.25),
        ["No figures after 2018-08", "2018-09", "5800", "4250000"],
    ),
    "text in a number cell": (
        lambda g: edited(g, "5800", 2018, EMAR="withheld"),
        ["EMAR is a number", "5800", "withheld"],
    ),
    "a figure with two decimal points": (
        lambda g: edited(g, "5800", 2018, EMAR="5.086.44"),
        ["EMAR is a number", "5800", r"5\.086\.44"],
    ),
    "figures without a year": (
        lambda g: edited(g, "5800", 2018, year=np.nan),
        ["A row with figures has a year", "Korea, South"],
    ),
    "exports that end a month before imports": (
        lambda g: edited(g, "0015", 2018, EAUG=0.0, EYR=lambda c: c - cell_of(g, "0015", "EAUG")),
        ["Exports and imports end in the same month", "2018-07", "2018-08"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_sheet_is_refused_with_the_row_and_the_rule(good, plain, case):
    breaks, words = BROKEN[case]
    with pytest.raises(CheckError) as refusal:
        parse_country(breaks(good))
    for word in words:
        assert re.search(word, str(refusal.value)), f"{word!r} not in:\n{refusal.value}"


@pytest.mark.parametrize(
    ("year", "factor", "accepted"),
    [(2017, 1.001, True), (2017, 1.003, False), (2018, 1.004, True), (2018, 1.011, False)],
)
def test_the_world_row_may_miss_by_0_2_percent_and_by_1_percent_since_the_annual_revision(
    good, year, factor, accepted
):
    months = {flow + month: lambda cell: (cell * factor).round(6) for flow in "IE" for month in MONTHS}
    grid = edited(good, "0015", year, **months)
    for flow in "IE":
        grid[flow + "YR"] = grid[[flow + month for month in MONTHS]].sum(axis=1).round(6)
    if accepted:
        parse_country(grid)
    else:
        with pytest.raises(CheckError, match="Partners sum to the World row"):
            parse_country(grid)


@pytest.mark.parametrize(
    ("put", "of"),
    [(("4730", 2018), ("4730", 2017)), (("4490", 2017), ("4470", 2017)), (("4490", 2018), ("4470", 2018))],
)
def test_a_year_of_a_small_partner_that_is_another_row_again_is_refused(good, put, of):
    """Malta's last year once more, Estonia's for Latvia's: too little to be missed in any sum."""
    months = MONTHS[: 8 if put[1] == 2018 else 12]
    figures = {flow + month: cell_of(good, of[0], flow + month, of[1]) for flow in "IE" for month in months}
    years = {f"{flow}YR": round(sum(figures[flow + month] for month in months), 6) for flow in "IE"}
    with pytest.raises(CheckError, match=f"(?s)months of a year are not those of another row.* {put[0]} "):
        parse_country(edited(good, *put, **figures, **years))


def test_groups_and_products_do_not_count_among_the_partners_of_the_world(good, plain):
    groups = good["CTY_CODE"].map(KINDS).isin(["group", "product"])
    assert groups.sum() > 20
    without = keys(parse_country(good[~groups]))
    pd.testing.assert_series_equal(keys(plain).loc[without.index], without)


@given(
    row=st.integers(0, 10**6),
    cell=st.integers(0, 25),
    by=st.one_of(st.floats(0.002, 1e4), st.floats(-1e4, -0.002)),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_single_cell_can_be_changed_by_two_thousand_dollars_unnoticed(good, row, cell, by):
    """A year of the world has ten digits: what its months may miss it by is a thousand."""
    printed = good[good.columns[3:]] * 1000 % 1 > 0  # with all decimals, not a row of whole millions
    exact = good[printed.iloc[:, :13].any(axis=1) & printed.iloc[:, 13:].any(axis=1)]
    index, name = exact.index[row % len(exact)], good.columns[3 + cell]
    grid = good.copy()
    grid.loc[index, name] = round(grid.loc[index, name] + by, 6)
    with pytest.raises(CheckError):
        parse_country(grid)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_csv_cut_short_is_refused(good, share):
    data = csv_bytes(good)
    with pytest.raises(CheckError):
        parse_country(open_file(data[: int(len(data) * share)]))


# --- ctyseasonal --------------------------------------------------------------------------------


def test_the_seasonal_copy_parses_to_exactly_the_bundled_vintage(originals):
    grid = opened(originals / "census" / "ctyseasonal_2025-04-03.csv")
    frame = check_flows(parse_ctyseasonal(grid), "goods_census_sa")
    (bundled,) = vintages.list_vintages("goods_census_sa")
    assert frame.equals(vintages.read(bundled))
    assert (bundled.since, bundled.through) == ("2009-01", "2025-02")


def test_seasonal_figures_equal_the_raw_cells_in_whole_dollars(originals):
    import csv

    with (originals / "census" / "ctyseasonal_2025-04-03.csv").open(newline="") as lines:
        rows = {(r["cty_code"].lstrip("0"), r["year"]): r for r in csv.DictReader(lines)}
    table = "goods_census_sa", "2025-04-03"
    for code, year in (("5800", 2024), ("5700", 2009), ("2010", 2018)):
        for n, name in enumerate(MONTHS, 1):
            for flow, letter in (("exports", "E"), ("imports", "I")):
                raw = round(float(rows[code, str(year)][letter + name]))
                assert raw_sum(*table, [f"{year}-{n:02d}"], partner=code, flow=flow) == raw
    groups = {"20": "REST", "3": "0003"}
    for code, canonical in groups.items():
        raw = round(float(rows[code, "2024"]["EJAN"]))
        assert raw_sum(*table, ["2024-01"], partner=canonical, flow="exports") == raw


def test_seasonal_months_that_are_not_out_are_absent(adjusted):
    frame = parse_ctyseasonal(adjusted)
    assert str(frame["period"].max()) == "2025-02"
    assert (frame["value_usd"] > 0).all()


SEASONAL_BROKEN = {
    "a quarter that is not its months": (
        lambda g: edited(g, "5800", 2024, EQ2=lambda c: c + 5),
        ["EQ2 is the sum of its months", "2024", "5800", "-5"],
    ),
    "a month that breaks quarter and balance": (
        lambda g: edited(g, "5800", 2024, IMAY=lambda c: c * 2),
        ["IQ2 is the sum", "5800"],
    ),
    "a balance that is not exports less imports": (
        lambda g: edited(g, "5800", 2024, BNOV=lambda c: c + 1000),
        ["BNOV is exports less imports", "2024", "5800", "-1000"],
    ),
    "a row twice": (lambda g: pd.concat([g, g[:1]]), ["One row per year and code"]),
    "a lost column": (lambda g: g.drop(columns="EQ4"), ["Missing: EQ4"]),
    "an unknown code": (lambda g: edited(g, "5800", 2024, cty_code="9998"), ["9998"]),
    "text": (lambda g: edited(g, "5800", 2024, EMAY="(D)"), ["EMAY is a number", "5800"]),
}


@pytest.mark.parametrize("case", SEASONAL_BROKEN)
def test_a_broken_seasonal_sheet_is_refused_with_the_row_and_the_rule(adjusted, case):
    breaks, words = SEASONAL_BROKEN[case]
    with pytest.raises(ValueError) as refusal:
        parse_ctyseasonal(breaks(adjusted))
    for word in words:
        assert re.search(word, str(refusal.value)), f"{word!r} not in:\n{refusal.value}"


def test_the_smallest_sheets_are_read():
    assert parse_country(_sheet_of_one("1991", "5800"))["value_usd"].sum() == 36_000_000
    cells = {"year": [2024], "cty_code": [5800], "cty_desc": ["Korea, South"]}
    for flow, value in (("B", -1), ("E", 1), ("I", 2)):
        cells |= {f"{flow}{month}": [value] for month in MONTHS}
        cells |= {f"{flow}Q{quarter}": [3 * value] for quarter in range(1, 5)}
    assert len(parse_ctyseasonal(pd.DataFrame(cells))) == 24
