"""Who is ranked in goods and services: the list of Exhibit 20 of the day, or the nearest one seen."""

from datetime import date

import pytest
from helpers import raw_rows

from tradelib.briefs.universe import is_seen, universe
from tradelib.partners import country_set, partner

FIFTEEN = {
    *("Brazil", "Canada", "China", "France", "Germany", "Hong Kong", "India", "Italy", "Japan"),
    *("Korea, South", "Mexico", "Saudi Arabia", "Singapore", "Taiwan", "United Kingdom"),
}


@pytest.mark.parametrize(
    ("day", "size", "assumed"),
    [
        ("2018-09-05", 15, False),
        ("2018-10-05", 15, False),
        ("2021-10-05", 15, False),
        ("2023-06-30", 23, False),
        ("2024-10-08", 23, False),
        ("2025-03-06", 23, False),
        ("2018-09-04", 15, True),
        ("2010-08-31", 15, True),
        ("2021-10-06", 15, True),
        ("2022-08-01", 15, True),
        ("2022-09-01", 23, True),
        ("2023-06-29", 23, True),
        ("2025-04-03", 23, True),
    ],
)
def test_a_universe_belongs_to_the_release_and_says_when_it_was_seen(day, size, assumed):
    codes, how = universe(date.fromisoformat(day))
    assert len(codes) == size and how.startswith(f"the {size} countries ")
    assert is_seen(how) != assumed
    told = {15: "that Exhibit 20 listed from 2018 to 2021", 23: "that Exhibit 20 listed from 2023 to 2025"}
    assert (told[size] in how) == assumed, "it says of no day what was not seen of it"


def test_the_universe_of_2018_is_the_one_that_the_design_lists():
    codes, _ = universe(date(2018, 9, 5))
    assert {partner(code).name for code in codes} == FIFTEEN


def test_the_universe_of_2025_is_the_single_countries_of_beas_workbook():
    codes, _ = universe(date(2025, 3, 6))
    in_workbook = set(raw_rows("trade_bop_sa", "2025-03-06")["partner"]) & country_set()
    assert set(codes) == in_workbook


@pytest.mark.parametrize("day", [date(2018, 9, 5), date(2025, 3, 6)])
def test_a_universe_holds_single_countries_only_and_each_once(day):
    codes, _ = universe(day)
    assert len(set(codes)) == len(codes)
    assert set(codes) <= country_set()


def test_the_fifteen_are_those_of_the_real_exhibit_of_october_2021(originals):
    """Exhibit 20 of the FT-900 of 2021-10-05, read from the archive's zip without tradelib's parsers."""
    import io
    import zipfile

    from openpyxl import load_workbook

    from tradelib.partners import PartnerError, from_area_name

    with zipfile.ZipFile(originals / "ft900" / "ft900xlsx_2108.zip") as archive:
        (name,) = [n for n in archive.namelist() if n.lower().endswith("exh20.xlsx")]
        book = load_workbook(io.BytesIO(archive.read(name)), read_only=True)
    found = set()
    for row in book.worksheets[0].iter_rows(values_only=True):
        for cell in row:
            if isinstance(cell, str):
                try:
                    found.add(from_area_name(cell))
                except PartnerError:
                    continue
    assert found & country_set() == set(universe(date(2021, 10, 5))[0])


def test_the_universe_is_that_of_the_stored_exhibit():
    codes, how_known = universe(date(2021, 10, 5))
    assert (len(codes), how_known) == (15, "the 15 countries of Exhibit 20 (FT-900 of 2021-10-05)")
