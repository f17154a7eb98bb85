"""What one vintage changed against another, counted as by hand."""

import pandas as pd

from tradelib import list_vintages, load
from tradelib.store.differences import compare
from tradelib.store.vintages import read


def test_rows_added_dropped_and_revised_are_counted_and_the_largest_come_first():
    old = load("goods_census_nsa", as_of="2023-03-08", since="2019-01", through="2021-08")
    old = old.query("partner in ['5800', '5700']").reset_index(drop=True)
    new = old.drop(index=[0, 1]).reset_index(drop=True)
    new.loc[5, "value_usd"] += 3e6
    new.loc[9, "value_usd"] -= 7e6
    new = pd.concat([new, old.iloc[[0]].assign(item="services")], ignore_index=True)
    found = compare(old, new)
    assert (found.added, found.dropped, found.revised) == (1, 2, 2)
    assert found.largest["change_usd"].tolist() == [-7e6, 3e6]


def test_two_bundled_vintages_differ_by_months_that_came():
    before, after = list_vintages("goods_census_nsa")[2:4]
    found = compare(read(before), read(after))
    assert found.added > 10_000 and found.largest.columns[-1] == "change_usd"
