"""The FT-900 release archive, a zip of exhibits: bytes -> tables of trade by partner.

Source: ft900xlsx_YYMM.zip (.xls before 2020-09) of census.gov/foreign-trade. Exhibits 14 and 14a
(goods, NSA), 19 (goods, SA), 20, 20a and 20b (goods and services, BOP) are told by their titles,
and all in them by its labels: nothing depends on a position, a sheet's or a member's name.
"""

import warnings

import numpy as np
import pandas as pd

from tradelib.partners import country_set
from tradelib.sources import supplement, workbooks
from tradelib.sources.exhibit import EXHIBITS, parse_exhibit, recognise
from tradelib.tables import CheckError, check_flows, refuse_rows

PARSER_VERSION = "1"
#: (Exhibit, kind of column) -> table; None is a column that other columns hold in finer detail.
TABLES = {("14", "M"): "goods_ft900_nsa", ("14", "ytd"): "goods_ft900_ytd_nsa"}
TABLES |= {("19", "M"): "goods_ft900_sa", ("19", "ytd"): "goods_ft900_ytd_sa"}
TABLES |= {("19", "Q"): "goods_ft900_quarters_sa", ("20", "ytd"): None}
TABLES |= {("20", "Q"): "trade_ft900_sa", ("20", "Y"): "trade_ft900_annual"}


def read_archive(data: bytes) -> dict[str, list[list]]:
    """Read the exhibits by country from a release archive; see `workbooks.read_members`.

    Raises
    ------
    CheckError
        If it is no sound zip, or holds no exhibit by country.

    Examples
    --------
    >>> read_archive(b"<html>")
    Traceback (most recent call last):
    ...
    tradelib.tables.CheckError: This is not a complete zip (File is not a zip file).
      Download the archive again.
    """
    members = workbooks.read_members(data, lambda rows: bool(recognise(rows) or supplement.recognise(rows)))
    if not members:
        names = ", ".join(workbooks.names_of(data)[:5]) or "none"
        raise CheckError(
            f"No member is an Exhibit {', '.join(EXHIBITS)} of the FT-900.", f"Members: {names}."
        )
    return members


def parse_archive(members: dict[str, list[list]]) -> dict[str, pd.DataFrame]:
    """Parse the exhibits by country of one FT-900 release.

    Parameters
    ----------
    members : dict
        Name -> rows of cells as they stand, $ million, of any exhibits of one release.

    Returns
    -------
    dict
        Table name -> contract columns in whole dollars, flows "exports", "imports" and "balance"
        as printed, of those exhibits that are there. Months and quarters, and year-to-date
        columns under the last month of their window. Notes: (R), (-), n.a., (X), (D).

    Raises
    ------
    CheckError
        If there is no exhibit by country, or one has a label that is not known, or figures that
        do not agree; names the exhibit and the row and column, or partner and period.

    Examples
    --------
    >>> rows = [["Exhibit 19. U.S. Trade in Goods by Selected Countries and Areas - Census Basis"]]
    >>> rows += [["In millions of dollars."], ["Country and Area", "July 2018", "First Quarter 2018"]]
    >>> for flow, value in (("Balance", -1), ("Exports", 2), ("Imports", 3)):
    ...     rows += [[flow], ["Korea, South", value, 3 * value]]
    >>> sorted(parse_archive({"exh19.xls": rows}))
    ['goods_ft900_quarters_sa', 'goods_ft900_sa']
    """
    found: dict[str, pd.DataFrame] = {}
    for name, rows in members.items():
        number = recognise(rows)
        if number in found:
            raise CheckError(f"Exhibit {number} is there twice, the second time in {name}.")
        if number:
            where = f"Exhibit {number} ({name})"
            found[number] = _checked(parse_exhibit(number, rows, where), number, where)
    if not found:
        raise CheckError(
            f"None of Exhibits {', '.join(EXHIBITS)} is among {', '.join(members) or 'no members'}."
        )
    _check_months(found)
    _check_totals(found)
    tidy = pd.concat([f.assign(exhibit=n[:2], item=EXHIBITS[n][1]) for n, f in found.items()])
    tables = {}
    for key, part in tidy.groupby(["exhibit", "kind"], sort=False):
        if table := TABLES[key]:
            tables[table] = check_flows(_contract(part), table)
    return tables | _supplement(members, tables)


def _supplement(members: dict[str, list[list]], tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Exhibits 4 and 4a of the supplement; an edition that prints them otherwise goes without them."""
    try:
        found = supplement.parse_supplement(members)
        for frame in found.values():
            if statistical_month(tables) != str(frame["period"].max()):
                raise CheckError(f"The supplement ends with {frame['period'].max()}, the exhibits do not.")
        return {table: check_flows(frame, table) for table, frame in found.items()}
    except CheckError as error:
        warnings.warn(f"The supplement's goods by all partners are left out. {error}", stacklevel=2)
        return {}


def statistical_month(source: dict) -> str:
    """Tell the month a release is about: the last one in a monthly column.

    Parameters
    ----------
    source : dict
        What `read_archive` or `parse_archive` returned.

    Examples
    --------
    >>> statistical_month({"goods_ft900_sa": pd.DataFrame({"period": [pd.Period("2018-07", "M")]})})
    '2018-07'
    """
    if not any(isinstance(value, pd.DataFrame) for value in source.values()):
        source = parse_archive(source)
    months = [
        source[name]["period"].max() for name in ("goods_ft900_nsa", "goods_ft900_sa") if name in source
    ]
    if not months:
        raise CheckError("No exhibit with months (14 or 19) is there to tell the statistical month.")
    return str(max(months))


def universe(frame: pd.DataFrame) -> list[str]:
    """List the single countries of trade_ft900_sa: those that its release could rank.

    Examples
    --------
    >>> universe(pd.DataFrame({"partner": ["5800", "0003", "REST"]}))
    ['5800']
    """
    return sorted(set(frame["partner"]) & country_set())


def _checked(frame: pd.DataFrame, number: str, where: str) -> pd.DataFrame:
    """One row per figure, `half` the unit it is rounded to, and balances that agree."""
    period = ["kind", "year", "n"]
    for kind in frame["kind"].unique():
        if (number[:2], kind) not in TABLES:
            raise CheckError(f"{where}: columns of kind {kind} are not known in this exhibit.")
    keys = ["partner", "flow", *period]
    differ = frame[frame.groupby(keys)["million"].transform("nunique", dropna=False) > 1]
    refuse_rows(differ.sort_values(keys), f"{where}: a partner listed twice has the same figures")
    frame = frame.drop_duplicates(keys, ignore_index=True)
    flows = frame.groupby(["partner", *period])["flow"].transform("nunique")
    refuse_rows(frame[flows != 3], f"{where}: each partner has balance, exports and imports")
    half = frame.groupby(["flow", *period])["million"].transform(_half_unit)
    frame["half"] = half.mask(frame["note"].isin(["(-)", "(*)", "(Z)"]), 0.5)
    wide = frame.pivot(index=["partner", *period], columns="flow", values=["million", "half"])
    million = wide["million"]
    off = (million["exports"] - million["imports"] - million["balance"]).rename("difference_million")
    bad = off[off.abs() > wide["half"].sum(axis=1) + 1e-6]
    refuse_rows(bad.reset_index(), f"{where}: balance is exports less imports")
    if number[:2] == "14":
        january = frame[frame["n"] == 1]
        sides = (january[january["kind"] == kind].drop(columns=["kind", "note"]) for kind in ("M", "ytd"))
        both = pd.merge(*sides, on=["partner", "flow", "year", "n"], suffixes=("", "_ytd"))
        bad = both[(both["million"] - both["million_ytd"]).abs() > both["half"] + both["half_ytd"]]
        refuse_rows(bad, f"{where}: January is the year to date")
    return frame


def _half_unit(million: pd.Series) -> float:
    """Half of the last decimal printed in a column, the third at most."""
    known = million.dropna().to_numpy()
    for decimals in range(3):
        if np.allclose(known, np.round(known, decimals), rtol=0, atol=1e-7):
            return 0.5 * 10**-decimals
    return 0.0005


def _check_months(found: dict[str, pd.DataFrame]) -> None:
    """The exhibits of one release end in the same month, 14a a year earlier."""
    ends = {}
    for number, frame in found.items():
        months = frame.loc[frame["kind"] == "M", ["year", "n"]].drop_duplicates()
        if len(months):
            last = max(zip(months["year"] + (number == "14a"), months["n"], strict=True))
            ends[number] = f"{last[0]}-{last[1]:02d}"
    if len(set(ends.values())) > 1:
        raise CheckError(f"The exhibits are not of one release; their months (14a: a year later): {ends}.")
    if "14a" in ends and len(ends) == 1:
        raise CheckError("Exhibit 14a is there without 14 and 19, which tell the statistical month.")


def _check_totals(found: dict[str, pd.DataFrame]) -> None:
    """Goods and services make the total, in Exhibits 20a, 20b and 20."""
    if not {"20", "20a", "20b"} <= set(found):
        return
    keys = ["partner", "flow", "kind", "year", "n"]
    total, goods, services = (found[n].set_index(keys) for n in ("20", "20a", "20b"))
    off = (goods["million"] + services["million"] - total["million"]).rename("difference_million")
    allowed = 4 / 3 * (goods["half"] + services["half"] + total["half"]) + 1e-6
    refuse_rows(off[off.abs() > allowed].reset_index(), "Exhibits 20a and 20b make Exhibit 20")


def _contract(part: pd.DataFrame) -> pd.DataFrame:
    """Contract columns, in whole dollars, of the rows that make one table."""
    kind = part["kind"].iloc[0]
    form = {"M": "{}-{:02d}", "ytd": "{}-{:02d}", "Q": "{}Q{}", "Y": "{}"}[kind]
    periods = [form.format(year, n) for year, n in zip(part["year"], part["n"], strict=True)]
    return pd.DataFrame(
        {
            "period": pd.PeriodIndex(periods, freq={"ytd": "M"}.get(kind, kind)),
            "partner": part["partner"].to_numpy(),
            "flow": part["flow"].to_numpy(),
            "item": part["item"].to_numpy(),
            "value_usd": np.rint(part["million"].to_numpy() * 1e6),
            "note": part["note"].astype("str").to_numpy(),
        }
    ).astype({"note": "str"})
