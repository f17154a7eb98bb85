"""U.S. trade with any partner, for any FT-900 release: every figure knows its vintage.

```python
import tradelib as tl

goods = tl.load_goods(as_of="2024-10-08")           # a table as it stood that day
tl.reducers(goods, through="2024-08")               # who reduced the deficit, and by how much
tl.rank(goods, through="2024-08")                   # the largest deficits first
tl.by_vintage(partner="KOR", through="2018-07")     # one year to date in every vintage
tl.fact("goods.deficit@2017 of CHN", as_of="2018-10-05")  # one number of any period
tl.brief("KOR", "2024-08")  # every number of the brief
```

Tables are ordinary pandas objects: dollars in columns that end in `_usd`, percent in `_pct`, periods
as pandas Periods, partners as Schedule C codes. `published` makes one ready to print.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tradelib.balances import (
    balance,
    change,
    contributions,
    deficit_reduction,
    record_high,
    share,
    trailing_sum,
    window_sum,
)
from tradelib.errors import TradelibError
from tradelib.loaders import load, load_chapters, load_goods, load_goods_sa, load_trade
from tradelib.partners import all_partners, countries, members, resolve
from tradelib.questions import by_vintage, rank, reducers, wideners
from tradelib.store.vintages import list_vintages
from tradelib.windows import Window, full_year, year_to_date

if TYPE_CHECKING:
    from tradelib.briefs.brief import Brief, brief, fact
    from tradelib.briefs.commodities import decompose
    from tradelib.briefs.sentences import say
    from tradelib.briefs.snapshot import covered_partners, take
    from tradelib.briefs.turning import turning_point
    from tradelib.studies.detail import contributors
    from tradelib.studies.tariffs import load_tariffs, tariff_rate, tariffs
    from tradelib.style.house import dress, house_style
    from tradelib.style.tables import published

#: What is brought only when it is asked for, so that who loads a table waits for no brief and no chart.
LAZY = {
    "briefs.brief": ["Brief", "brief", "fact"],
    "briefs.commodities": ["decompose"],
    "briefs.sentences": ["say"],
    "briefs.snapshot": ["covered_partners", "take"],
    "briefs.turning": ["turning_point"],
    "studies.detail": ["contributors"],
    "studies.tariffs": ["load_tariffs", "tariff_rate", "tariffs"],
    "style.house": ["dress", "house_style"],
    "style.tables": ["published"],
}

__all__ = [
    "Brief",
    "TradelibError",
    "Window",
    "all_partners",
    "balance",
    "brief",
    "by_vintage",
    "change",
    "contributions",
    "contributors",
    "countries",
    "covered_partners",
    "decompose",
    "deficit_reduction",
    "dress",
    "fact",
    "full_year",
    "house_style",
    "list_vintages",
    "load",
    "load_chapters",
    "load_goods",
    "load_goods_sa",
    "load_tariffs",
    "load_trade",
    "members",
    "published",
    "rank",
    "record_high",
    "reducers",
    "resolve",
    "say",
    "share",
    "take",
    "tariff_rate",
    "tariffs",
    "trailing_sum",
    "turning_point",
    "wideners",
    "window_sum",
    "year_to_date",
]


def __getattr__(name: str) -> Any:
    """Import what takes long only when it is asked for."""
    for room, names in LAZY.items():
        if name in names:
            globals()[name] = found = getattr(import_module(f"{__name__}.{room}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:  # what the Tab key offers
    return [*__all__, "__doc__", "__file__", "__name__", "__path__"]
