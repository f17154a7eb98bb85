"""The table contract: which tables there are, what a row is, and the check every table must pass.

One row is one flow in one period. A table has one basis and one adjustment, told by its name;
money is in whole U.S. dollars in columns whose names end in ``_usd``.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import all_partners

KEYS = ["partner", "flow", "item", "period"]
COLUMNS = ["period", "partner", "flow", "item", "value_usd", "note"]
#: Columns that loading adds, so that every row, wherever it is copied, knows where it came from.
PROVENANCE = ["table", "vintage", "vintage_lag_days"]
FLOWS, BALANCE = ("exports", "imports"), "balance"
#: What a balance has side by side.
SIDES = ["exports_usd", "imports_usd", "balance_usd"]


@dataclass(frozen=True, slots=True)
class Table:
    """What one table holds: its basis, adjustment, frequency, items and unit.

    The unit ends the name of the column of values: `value_usd` is whole dollars, `value_pct` would be
    percent, `value_index` an index number. `sparse` says that no row means no trade (API replies by
    commodity); elsewhere it means not known. `signed` says that a flow of dollars may be negative.
    `extra` columns are there always, `optional` ones where the source of a vintage has them.
    """

    name: str
    title: str
    basis: str
    adjustment: str
    freq: str
    publisher: str
    items: str = "goods"
    flows: tuple[str, ...] = FLOWS
    extra: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    large: bool = False
    signed: bool = False
    sparse: bool = False
    unit: str = "usd"

    @property
    def value(self) -> str:
        """The column of its values."""
        return f"value_{self.unit}"

    @property
    def columns(self) -> list[str]:
        """Its columns, in their order."""
        return ["period", "partner", "flow", "item", self.value, "note", *self.extra]

    def summed(self, flows: pd.DataFrame) -> list[str]:
        """Which columns of its rows add up: not quantities, as each has its unit."""
        return [name for name in map(str, flows) if name == self.value or name.endswith("_usd")]


#: Finer than chapters; none is bundled, each is there once it has been fetched or ingested.
DETAILS = {
    "hs4": "four-digit HS heading",
    "hs6": "six-digit HS subheading",
    "naics": "three-digit NAICS code",
    "enduse": "five-digit end-use code",
}
QUANTITY = ("quantity", "unit", "quantity_2", "unit_2")  # the two quantities, in HS10 tables
#: Calculated duties are always with imports for consumption; the bulk files have more.
DUTIES = (("duty_usd",), ("dutiable_usd", "charges_usd", *QUANTITY))
#: Half a million rows a month each way: like HS4 and HS6 stored by year, and read through a lazy engine.
LARGE_DETAILS = {"hs10": "ten-digit HS code"}
DISTRICTS = {"hs10_districts": "ten-digit HS code and customs district"}  # of the bulk files, where asked for
BOTH_AND_BALANCE = (*FLOWS, BALANCE)
KINDS = (
    ("exports", "Total exports", ("exports",), (), ("reexports_usd", *QUANTITY)),
    ("imports_general", "General imports", ("imports",), (), QUANTITY),
    ("imports_consumption", "Imports for consumption and duties", ("imports",), *DUTIES),
)


def _bop(name: str, title: str, freq: str = "Q") -> Table:
    """A table of goods, services and their total, with balances as published."""
    adjustment = "not needed" if freq == "Y" else "SA"
    items = "goods, services, total"
    return Table(name, title, "BOP", adjustment, freq, "BEA", items=items, flows=BOTH_AND_BALANCE)


def _census(name: str, title: str, adjustment: str = "NSA", freq: str = "M") -> Table:
    """A table of goods by partner."""
    return Table(name, title, "Census", adjustment, freq, "Census")


def _ft900(name: str, title: str, adjustment: str = "NSA", freq: str = "M") -> Table:
    """The same as a release printed it, with its balances."""
    return replace(_census(name, title, adjustment, freq), flows=BOTH_AND_BALANCE)


def _duties(name: str, title: str, freq: str = "M") -> Table:
    """A table of imports for consumption with the duties on them."""
    table = _census(name, title, "NSA" if freq == "M" else "not needed", freq)
    return replace(table, flows=("imports",), extra=DUTIES[0], optional=DUTIES[1])


def _by_item() -> list[Table]:
    """Tables of exports and imports by commodity, one for each classification."""
    return [
        replace(
            _census(f"{kind}_{key}_nsa", f"{title} by {item}"),
            items=item,
            flows=flows,
            extra=extra,
            optional=optional,
            large=key in ("hs4", "hs6", *LARGE_DETAILS, *DISTRICTS),
            sparse=True,
        )
        for key, item in ({"hs2": "HS chapter"} | DETAILS | LARGE_DETAILS | DISTRICTS).items()
        for kind, title, flows, extra, optional in KINDS
    ]


SELECTED, YTD = "Goods, selected partners", "January through the month"
TABLES = {
    table.name: table
    for table in [
        _census("goods_census_nsa", "Goods by partner (country.xlsx)"),
        _census("goods_census_nsa_api", "Goods by partner (Census API)"),
        _duties("imports_consumption_nsa", "Imports for consumption and duties by partner"),
        replace(
            _duties("imports_consumption_provisions_nsa", "The same by rate provision (bulk files)"),
            items="rate provision",
            sparse=True,
        ),
        replace(
            _duties("imports_consumption_hs6_annual", "The same by HS subheading, years", "Y"),
            items="six-digit HS subheading",
            extra=("duty_usd", "dutiable_usd", "general_usd"),
            optional=(),
            sparse=True,
        ),
        _census("goods_census_sa", SELECTED, "SA"),
        _bop("trade_bop_sa", "Goods, services and their total by partner, quarters"),
        _bop("trade_bop_annual", "Goods, services and their total by partner, years", "Y"),
        _bop("trade_world_sa", "Goods, services and their total with the world, months", "M"),
        _bop("trade_world_annual", "Goods, services and their total with the world, years", "Y"),
        _bop("trade_bop_sa_api", "The same quarters by partner (BEA API)"),
        replace(
            _bop("services_bop_annual", "Services by type and partner, years (BEA API)", "Y"),
            items="type of service",
            flows=FLOWS,
            signed=True,  # a type such as insurance can be negative
        ),
        _ft900("goods_ft900_nsa", "Goods by partner (FT-900, Exhibits 14 and 14a)"),
        _ft900("goods_ft900_ytd_nsa", f"Goods by partner, {YTD} (FT-900, Exhibits 14 and 14a)"),
        _ft900("goods_ft900_all_nsa", "Goods by partner, all (FT-900 supplement, Exhibits 4 and 4a)"),
        _ft900(
            "goods_ft900_all_ytd_nsa", f"Goods by partner, all, {YTD} (FT-900 supplement, Exhibits 4 and 4a)"
        ),
        _ft900("goods_ft900_sa", f"{SELECTED} (FT-900, Exhibit 19)", "SA"),
        _ft900("goods_ft900_ytd_sa", f"{SELECTED}, {YTD} (FT-900, Exhibit 19)", "SA"),
        _ft900(
            "goods_ft900_quarters_sa", "Goods, selected partners, quarters (FT-900, Exhibit 19)", "SA", "Q"
        ),
        _bop("trade_ft900_sa", "Goods, services and their total (FT-900, Exhibits 20, 20a, 20b)"),
        _bop("trade_ft900_annual", "The same by year (FT-900, Exhibits 20, 20a, 20b)", "Y"),
        *_by_item(),
    ]
}

#: The tables that a brief rests on: goods by month, goods and services by quarter.
GOODS, TRADE = "goods_census_nsa", "trade_bop_sa"
GOODS_SA, TRADE_YEARS = "goods_census_sa", "trade_bop_annual"
WORLD_MONTHS, WORLD_YEARS = "trade_world_sa", "trade_world_annual"
GOODS_SA_RELEASED = "goods_ft900_sa"  # Exhibit 19 of one release: two months
RELEASED = "trade_ft900_sa"  # Exhibit 20 of one release: few quarters, but as printed that day
#: The month and the year to date as one release printed them: of all partners (supplement, Exhibits 4 and
#: 4a), else of those that Exhibits 14 and 14a list.
ALL_RELEASED = {"month": "goods_ft900_all_nsa", "ytd": "goods_ft900_all_ytd_nsa"}
GOODS_RELEASED = {"month": "goods_ft900_nsa", "ytd": "goods_ft900_ytd_nsa"}
EXPORT_CHAPTERS, EXPORT_NAICS = "exports_hs2_nsa", "exports_naics_nsa"
IMPORT_CHAPTERS = ("imports_general_hs2_nsa", "imports_consumption_hs2_nsa")
TARIFFS, TARIFF_YEARS = "imports_consumption_nsa", "imports_consumption_hs6_annual"  # duties on them
TARIFF_PARTS = ("imports_consumption_naics_nsa", IMPORT_CHAPTERS[1])  # by industry, else by chapter
PROVISIONS = "imports_consumption_provisions_nsa"  # by rate provision
DETAIL_TABLES = [f"{kind}_{key}_nsa" for key in DETAILS for kind in ("exports", "imports_general")]


class CheckError(TradelibError):
    """A table or file broke a rule; the message names the row, the rule and the difference."""


def refuse_rows(bad: pd.DataFrame, rule: str, *advice: str) -> None:
    """Raise CheckError with the first three of the rows that break a rule, if there are any."""
    if len(bad):
        rows = bad.head(3).to_string(index=False).splitlines()
        raise CheckError(f"{rule}: {len(bad):,} row(s) do not, first:", *rows, *advice)


def table_info(name: str) -> Table:
    """Return the entry of a table, or say which tables there are."""
    if name not in TABLES:
        raise TradelibError(f"There is no table {name!r}.", "Tables: " + ", ".join(TABLES) + ".")
    return TABLES[name]


def check_flows(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Check a tidy table against the contract of its name and return it in canonical order."""
    info = table_info(table)
    columns = [*info.columns, *(name for name in info.optional if name in frame)]
    if set(frame.columns) != set(columns):
        got = ", ".join(map(str, frame))
        raise CheckError(f"Columns of {table} must be {', '.join(columns)}; got {got}.")
    freq = str(frame["period"].dtype).removeprefix("period[")[:1]
    if not isinstance(frame["period"].dtype, pd.PeriodDtype) or freq != info.freq:
        raise CheckError(f"Periods of {table} must have frequency {info.freq}; got {frame['period'].dtype}.")
    if frame.empty:
        raise CheckError(f"{table}: no rows at all.")
    unknown = set(frame["partner"].unique()) - set(all_partners()["code"])
    if unknown:
        raise CheckError(f"{table}: unknown partner code(s): {', '.join(sorted(unknown)[:8])}.")
    flows = set(frame["flow"].unique())
    if flows != set(info.flows):
        raise CheckError(f"{table}: flows must be {info.flows}; got {tuple(sorted(flows))}.")
    for column in [name for name in columns if name.endswith("_usd")]:
        value = frame[column]
        negative = (value < 0) & (frame["flow"] != BALANCE) & (not info.signed)
        refuse_rows(frame[negative], f"{table}: no flow is negative")
        refuse_rows(frame[value.notna() & (value != np.rint(value))], f"{table}: whole dollars")
    refuse_rows(frame[np.isinf(frame[info.value])], f"{table}: a value is a number")
    unexplained = frame[info.value].isna() & frame["note"].isna()
    refuse_rows(frame[unexplained], f"{table}: a missing value needs the publisher's mark")
    frame = frame[columns].sort_values(KEYS, kind="stable", ignore_index=True)
    same = frame[KEYS].eq(frame[KEYS].shift())
    refuse_rows(frame[same.all(axis=1)], f"{table}: one row per partner, flow, item and period")
    return frame
