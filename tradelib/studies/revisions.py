"""How figures were revised: the same months in every vintage that is held."""

from datetime import date

import pandas as pd

from tradelib import releases as calendar
from tradelib.briefs.selection import REVISED_MONTHLY, same_cycle
from tradelib.partners import Partner, partner
from tradelib.store import vintages
from tradelib.style.words import Text, percent, span
from tradelib.tables import TRADE
from tradelib.windows import Window, year_to_date

SIDES = ["exports_usd", "imports_usd", "balance_usd"]
FLOWS = ("exports", "imports")
#: Age of the later print in years, from the end of the month.
AGES = pd.IntervalIndex.from_breaks([0, 1, 2, 3, 5, 100], closed="left")
AGE_NAMES = ["under 1", "1 to 2", "2 to 3", "3 to 5", "5 or more"]
#: The newest period of a vintage that is older than this did not come out with it.
FRESH_DAYS = 100


def revised(held: pd.DataFrame, code: str) -> pd.DataFrame:
    """Compare the first print of each month with every later one.

    Only months whose first print is at hand as it came out count: no annual revision lies between
    their release and the earliest vintage that has them. For partners that are revised every month,
    and for quarters, that is the newest period of each vintage only.

    Parameters
    ----------
    held : DataFrame
        From `prints`.
    code : str
        Partner code.

    Returns
    -------
    DataFrame
        One row for each month, flow ("exports", "imports", "balance") and later vintage: `period`,
        `flow`, `first_vintage`, `vintage`, `age_years` of the later print, `first_usd`, `value_usd`,
        `revision_usd`, `revision_pct` (of the first print; missing for balances) and `revision_due`,
        False where nothing was to be revised between the two: such a revision of zero tells nothing.

    Examples
    --------
    >>> table = revised(prints("5800", as_of=date(2020, 12, 31)), "5800")
    >>> bool((table.first_usd + table.revision_usd == table.value_usd).all())
    True
    """
    flat = held.stack().rename("value_usd").rename_axis(["vintage", "period", "flow"]).reset_index()
    flat["flow"] = flat["flow"].str.removesuffix("_usd")
    first = flat.groupby(["period", "flow"], as_index=False).first()  # vintages come in order
    last = flat.groupby("vintage")["period"].max()
    pairs = zip(first["period"], first["vintage"], strict=True)
    first = first[[_unrevised(month, vintage, last[vintage], code) for month, vintage in pairs]]
    first = first.rename(columns={"vintage": "first_vintage", "value_usd": "first_usd"})
    table = flat.merge(first, on=["period", "flow"]).query("vintage > first_vintage").reset_index(drop=True)
    ends = table["period"].map(lambda period: period.end_time.date())
    ages = [(later - end).days / 365.25 for later, end in zip(table["vintage"], ends, strict=True)]
    table = table.assign(age_years=ages, revision_usd=table["value_usd"] - table["first_usd"])
    share = 100 * table["revision_usd"] / table["first_usd"].where(table["first_usd"] > 0)
    table["revision_pct"] = share.where(table["flow"] != "balance")
    days = zip(table["first_vintage"], table["vintage"], strict=True)
    table["revision_due"] = [code in REVISED_MONTHLY or not same_cycle(*pair) for pair in days]
    order = ["period", "flow", "first_vintage", "vintage", "age_years", "first_usd", "value_usd"]
    return table[[*order, "revision_usd", "revision_pct", "revision_due"]]


def _unrevised(period: pd.Period, vintage: date, last: pd.Period, code: str) -> bool:
    """Whether a vintage, whose newest period is `last`, has a period as it first came out."""
    if code in REVISED_MONTHLY or period.freqstr[0] != "M":
        return period == last and (vintage - period.end_time.date()).days <= FRESH_DAYS
    return same_cycle(calendar.release(str(period)).default_as_of, vintage)


def newest(table: pd.DataFrame) -> pd.DataFrame:
    """Keep, for each month and flow, the comparison with the newest vintage.

    Examples
    --------
    >>> table = revised(prints("5800", as_of=date(2025, 4, 3)), "5800")
    >>> [str(day) for day in newest(table)["vintage"].unique()]
    ['2025-04-03']
    """
    return table[table["vintage"] == table["vintage"].max()]


def by_age(table: pd.DataFrame) -> pd.DataFrame:
    """Summarise the revisions of exports and imports by the age of the later print.

    Parameters
    ----------
    table : DataFrame
        From `revised`.

    Returns
    -------
    DataFrame
        Index (`flow`, `age` in years); in percent of the first print `mean`, `mean_abs`, `std`, `low`
        and `high` (5 and 95 percent of the revisions lie below); `n`, how many, and of how many
        `months`: a month counts once for each later vintage. What was not due counts nowhere.

    Examples
    --------
    >>> table = by_age(revised(prints("5800", as_of=date(2025, 4, 3)), "5800"))
    >>> int(table.loc["exports", "n"].sum()) > 50
    True
    """
    due = table["revision_due"].astype(bool)
    rows = table[due & table["flow"].isin(FLOWS)].dropna(subset="revision_pct")
    place = pd.cut(rows["age_years"], AGES).cat.rename_categories(AGE_NAMES)
    grouped = rows.groupby(["flow", place.rename("age")], observed=True)["revision_pct"]
    summary = grouped.agg(["mean", "std", "count"]).rename(columns={"count": "n"})
    summary["mean_abs"] = grouped.agg(lambda values: values.abs().mean())
    summary["low"], summary["high"] = grouped.quantile(0.05), grouped.quantile(0.95)
    summary["months"] = rows.groupby(["flow", place.rename("age")], observed=True)["period"].nunique()
    return summary[["mean", "mean_abs", "std", "low", "high", "n", "months"]]


def cloud(held: pd.DataFrame, month: pd.Period, *, years: int = 12) -> pd.DataFrame:
    """Sum the year to date of a month, in each of some years, in every vintage that has it whole.

    Returns
    -------
    DataFrame
        Index `year`, one column for each vintage, balances in dollars; missing where the vintage does
        not have all the months.

    Examples
    --------
    >>> table = cloud(prints("5800", as_of=date(2025, 4, 3)), pd.Period("2018-07", "M"))
    >>> (table.loc[2018].dropna() / 1e6).round(1).tolist()
    [-9885.7, -9911.6, -9881.6, -9881.6, -9881.6]
    """
    spans, window = {}, year_to_date(month)
    for year in range(month.year, month.year - years, -1):
        spans[year], window = window, window.year_earlier
    columns = {}
    for vintage, rows in held.groupby(level="vintage"):
        balance = rows["balance_usd"].droplevel("vintage")
        columns[vintage] = pd.Series({year: _whole_sum(balance, spans[year]) for year in sorted(spans)})
    return pd.DataFrame(columns).rename_axis("year")


def _whole_sum(values: pd.Series, window: Window) -> float:
    rows = values.loc[window.start : window.end].dropna()
    return float(rows.sum()) if len(rows) == len(window) else float("nan")


def year_to_date_in(held: pd.DataFrame, month: pd.Period) -> pd.DataFrame:
    """Sum exports, imports and balance of the year to date in every vintage that has it whole.

    Returns
    -------
    DataFrame
        Index `vintage`; `exports_usd`, `imports_usd`, `balance_usd`, and what exports and imports had
        been a year earlier in the same vintage as `exports_before_usd` and `imports_before_usd`.

    Examples
    --------
    >>> table = year_to_date_in(prints("5800", as_of=date(2025, 4, 3)), pd.Period("2018-07", "M"))
    >>> float(table.loc[date(2018, 10, 5), "exports_usd"])
    31752055221.0
    """
    this, rows = year_to_date(month), {}
    for vintage, sides in held.droplevel("vintage").groupby(held.index.get_level_values("vintage")):
        row = {name: _whole_sum(sides[name], this) for name in SIDES}
        for flow in FLOWS:
            row[f"{flow}_before_usd"] = _whole_sum(sides[f"{flow}_usd"], this.year_earlier)
        rows[vintage] = row
    return pd.DataFrame(rows).T.rename_axis("vintage").dropna(subset=SIDES)


# --- words ----------------------------------------------------------------------------------------


def held_vintages(held: pd.DataFrame, partner: Partner) -> Text:
    """Tabulate the vintages held, and the months each covers for the partner."""
    rows = ["| Published | First month | Last month | Months |", "|:--|:--|:--|--:|"]
    for vintage, frame in held.groupby(level="vintage"):
        periods = frame.index.get_level_values("period")
        rows.append(f"| {vintage} | {periods.min()} | {periods.max()} | {len(periods)} |")
    who = f"Vintages of the country table with figures of {partner.prose}, each as it was published:"
    return Text("\n".join([who, "", *rows]))


def finding(table: pd.DataFrame, partner: Partner) -> Text:
    """Say how far first prints were from the newest vintage."""
    last = newest(table)
    last = last[last["revision_due"] & last["revision_pct"].notna()]
    if last.empty:
        return Text(f"No first print of {partner.prose} has been revised since, in the vintages held.")
    told = []
    for flow, link in (("exports", "to"), ("imports", "from")):
        pct = last.loc[last["flow"] == flow, "revision_pct"]
        if pct.empty:
            continue
        bias = f"{abs(pct.mean()):.2f}"
        way = (
            "without a bias" if bias == "0.00" else f"{'up' if pct.mean() > 0 else 'down'} by {bias} percent"
        )
        told.append(
            f"U.S. goods {flow} {link} {partner.prose} have been revised by {pct.abs().mean():.2f} "
            f"percent a month on average, {way} on balance ({len(pct)} months, largest "
            f"{percent(pct.abs().max())})"
        )
    return Text(f"From the first print to the newest vintage, {'; '.join(told)}.")


def year_to_date_table(held: pd.DataFrame, month: pd.Period):
    """Tabulate the year to date in each vintage and its growth in the same vintage, as a pandas Styler."""
    table, when = year_to_date_in(held, month), span(year_to_date(month))
    if table.empty:
        return Text(f"No vintage held has all of {when}.")
    shown = pd.DataFrame({"Vintage": table.index.map(str)}, index=table.index)
    for flow in FLOWS:
        now, before = table[f"{flow}_usd"], table[f"{flow}_before_usd"]
        shown[flow.capitalize()] = now / 1e6
        shown[f"{flow.capitalize()}, %"] = 100 * (now / before.where(before > 0) - 1)
    shown["Balance"] = table["balance_usd"] / 1e6
    forms = dict.fromkeys(["Exports", "Imports", "Balance"], "{:,.1f}")
    forms |= dict.fromkeys(["Exports, %", "Imports, %"], "{:+.2f}")
    told = f"{when} in each vintage, $ million, and percent change from the same months a year earlier"
    return shown.style.hide(axis="index").format(forms, na_rep="").set_caption(told)


def how_to_read(held: pd.DataFrame, table: pd.DataFrame, code: str) -> Text:
    """Explain what a first print is here, and when figures are revised."""
    months, counted = held.index.get_level_values("period").nunique(), table["period"].nunique()
    due = table.loc[table["revision_due"], "period"].nunique()
    rest = "The rest count in no average." if counted > due else ""
    quarterly = len(vintages.list_vintages(TRADE))
    quarters = (
        "one vintage of BEA's country table is bundled, so that its revisions cannot be shown until a "
        "second one is ingested."
        if quarterly < 2
        else f"{quarterly} vintages of BEA's country table are at hand; "
        f"`revisions.prints(code, as_of=day, table={TRADE!r}, item='services')` reads them."
    )
    when = (
        "Figures of this partner are revised every month: only the newest month of each vintage counts, so "
        "that there are few."
        if code in REVISED_MONTHLY
        else "Figures of this partner are revised once a year, in June: a month counts where no annual "
        "revision lies between its release and the earliest vintage that has it."
    )
    lines = [
        "**First prints** are those among the vintages held; months long past in the oldest vintage had "
        f"been revised before, and are left out. {when} Of {months} months held, {counted} have a first "
        f"print and a later one; {due} of these have been due for revision in between. {rest}".rstrip(),
        "**Reconstructed**: a vintage that came out after a day but before the next annual revision holds "
        "the figures of that day; not for Canada, the World and areas with Canada in them.",
        f"**Goods and services** by quarter: {quarters}",
        "Revisions in percent are of the first print; a balance has none.",
    ]
    if partner(code).is_group:
        lines.append("**A group**: where members joined or left, a vintage may differ for that alone.")
    return Text("\n".join(f"- {line}" for line in lines))


def months_table(table: pd.DataFrame):
    """Tabulate first print, newest print and revision of the latest months, as a pandas Styler."""
    last = newest(table)
    last = last[last["flow"] != "balance"].sort_values(["period", "flow"]).iloc[-24:]
    million = last[["first_usd", "value_usd", "revision_usd"]] / 1e6
    shown = pd.concat([last[["period", "flow", "first_vintage", "vintage"]], million], axis=1)
    shown = shown.assign(pct=last["revision_pct"])
    shown.columns = [
        *("Month", "Flow", "First print", "Newest", "First, $ million", "Newest, $ million"),
        *("Revision", "Percent"),
    ]
    forms = dict.fromkeys(shown.columns[4:7], "{:,.1f}") | {"Percent": "{:+.2f}"}
    return shown.style.hide(axis="index").format(forms, na_rep="").set_properties(**{"white-space": "nowrap"})


def age_table(summary: pd.DataFrame):
    """Tabulate what `by_age` returns, as a pandas Styler."""
    names = ["Mean", "Mean size", "Std. dev.", "5 percent", "95 percent", "Prints", "Months"]
    shown = summary.set_axis(names, axis=1)
    shown = shown.rename_axis(["Flow", "Age in years"]).reset_index()
    forms = dict.fromkeys(["Mean", "5 percent", "95 percent"], "{:+.2f}")
    forms |= dict.fromkeys(["Mean size", "Std. dev."], "{:.2f}")
    return shown.style.hide(axis="index").format(forms, na_rep="")
