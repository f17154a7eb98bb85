"""Who is ranked in goods and services: the countries of Exhibit 20, as it was seen or nearest to it."""

from datetime import date
from functools import cache

import pandas as pd

from tradelib.partners import DATA, country_set
from tradelib.store.vintages import list_vintages, read
from tradelib.tables import RELEASED


@cache
def _bundled() -> pd.DataFrame:
    return pd.read_csv(DATA / "universes.csv", dtype="str", keep_default_na=False)


def universe(on: date) -> tuple[list[str], str]:
    """Return the countries that Exhibit 20 listed in the release of a day, and how that is known.

    A rank among them belongs to that list: it had 15 countries in 2018 and 23 in 2025. Where the list of
    the day was not seen, it is the nearest, and told with its own years: see `is_seen`.
    """
    for vintage in list_vintages(RELEASED):
        if vintage.published == on:
            listed = [code for code in read(vintage)["partner"].unique() if code in country_set()]
            return listed, f"the {len(listed)} countries of Exhibit 20 (FT-900 of {on})"
    seen: list[tuple[pd.Timedelta, list[str], str]] = []
    day = on.isoformat()
    for _, rows in _bundled().groupby("universe", sort=False):
        first, last, source = rows[["first_seen", "last_seen", "source"]].iloc[0]
        codes = rows["code"].tolist()
        if first <= day <= last:
            return codes, f"the {len(codes)} countries of Exhibit 20 ({source})"
        gap = max(pd.Timestamp(first) - pd.Timestamp(day), pd.Timestamp(day) - pd.Timestamp(last))
        seen.append((gap, codes, f"from {first[:4]} to {last[:4]}"))
    _, codes, span = min(seen, key=lambda entry: entry[0])
    return codes, f"the {len(codes)} countries that Exhibit 20 listed {span}"


def is_seen(told: str) -> bool:
    """Whether the list of the day itself was seen, by how `universe` tells it."""
    return "that Exhibit 20 listed" not in told
