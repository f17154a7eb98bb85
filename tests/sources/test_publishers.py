"""The list of sources: each is found by its name or a table of its own, and has its address."""

import pytest

from tradelib.errors import TradelibError
from tradelib.sources.publishers import archive_address, find_source


def test_a_source_is_found_by_its_name_and_by_its_tables():
    assert find_source("trade_bop_sa").name == "bea"
    assert find_source("country").tables == ("goods_census_nsa",)
    with pytest.raises(TradelibError, match=r"(?s)no source 'countries'.*Sources: country, .*, hs10, bulk"):
        find_source("countries")


def test_an_archive_has_its_address_by_its_month_and_the_kind_of_its_workbooks():
    assert archive_address("2018-07").endswith("/ft900xls_1807.zip")
    assert archive_address("2021-08").endswith("/ft900xlsx_2108.zip")
