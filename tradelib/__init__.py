"""U.S. trade with any partner, for any FT-900 release: every figure knows its vintage."""

from tradelib.balances import (
    balance,
    change,
    contributions,
    deficit_reduction,
    rank,
    record_high,
    reducers,
    share,
    trailing_sum,
    window_sum,
)
from tradelib.decomposition import decompose
from tradelib.errors import TradelibError
from tradelib.facts import all_facts, facts_of
from tradelib.loaders import load, load_chapters, load_goods, load_goods_sa, load_trade
from tradelib.partners import all_partners, members, resolve
from tradelib.snapshot import covered_partners, take
from tradelib.trend import turning_point
from tradelib.vintages import list_vintages
from tradelib.windows import Window, full_year, year_to_date

__all__ = [
    "TradelibError",
    "Window",
    "all_facts",
    "all_partners",
    "balance",
    "change",
    "contributions",
    "covered_partners",
    "decompose",
    "deficit_reduction",
    "facts_of",
    "full_year",
    "list_vintages",
    "load",
    "load_chapters",
    "load_goods",
    "load_goods_sa",
    "load_trade",
    "members",
    "rank",
    "record_high",
    "reducers",
    "resolve",
    "share",
    "take",
    "trailing_sum",
    "turning_point",
    "window_sum",
    "year_to_date",
]
