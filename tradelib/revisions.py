"""How figures were revised: the same months in every vintage that is held."""

from datetime import date

import pandas as pd

from tradelib import balances, calendar, loaders, vintages
from tradelib.partners import Partner
from tradelib.realtime import REVISED_MONTHLY, same_cycle
from tradelib.snapshot import GOODS
from tradelib.windows import Window, year_to_date
from tradelib.wording import Text, percent

SIDES = ["exports_usd", "imports_usd", "balance_usd"]
FLOWS = ("exports", "imports")
#: Age of the later print in years, from the end of the month.
AGES = pd.IntervalIndex.from_breaks([0, 1, 2, 3, 5, 100], closed="left")
AGE_NAMES = ["under 1", "1 to 2", "2 to 3", "3 to 5", "5 or more"]


def prints(code: str, *, as_of: date, table: str = GOODS, item: str = "goods") -> pd.DataFrame:
    """Read one partner's figures in every vintage of a table that was out by a day.

    Parameters
    ----------
    code : str
        Partner code.
    as_of : date
        The day.
    table : str
        Any table with exports and imports.
    item : str
        "goods", "services" or "total".

    Returns
    -------
    DataFrame
        Index (`vintage`, `period`), the vintage as its date of publication; `exports_usd`,
        `imports_usd` and `balance_usd` in dollars. A month not yet published in a vintage has no row.

    Examples
    --------
    >>> table = prints("5800", as_of=date(2020, 12, 31))
    >>> [str(day) for day in table.index.unique("vintage")]
    ['2012-02-10', '2017-01-06', '2018-10-05', '2020-10-06']
    """
    frames = {}
    for vintage in vintages.list_vintages(table):
        if vintage.published <= as_of and vintage.dated_by == "published":
            flows = loaders.load(table, as_of=vintage.published, partner=code)
            sides = balances.balance(flows[flows["item"] == item])
            frames[vintage.published] = sides.droplevel(["partner", "item"])
    return pd.concat(frames, names=["vintage"])[SIDES].dropna(how="all")


def revised(held: pd.DataFrame, code: str) -> pd.DataFrame:
    """Compare the first print of each month with every later one.

    Only months whose first print is at hand as it came out count: no annual revision lies between
    their release and the earliest vintage that has them. For partners that are revised every month,
    that is the newest month of each vintage only.

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
        `revision_usd` and `revision_pct` (of the first print; missing for balances).

    Examples
    --------
    >>> table = revised(prints("5800", as_of=date(2020, 12, 31)), "5800")
    >>> bool((table.first_usd + table.revision_usd == table.value_usd).all())
    True
    """
    flat = held.stack().rename("value_usd").rename_axis(["vintage", "period", "flow"]).reset_index()
    flat["flow"] = flat["flow"].str.removesuffix("_usd")
    first = flat.groupby(["period", "flow"], as_index=False).first()  # vintages come in order
    months = first.drop_duplicates("period")
    unrevised = {
        m: v for m, v in zip(months["period"], months["vintage"], strict=True) if _unrevised(m, v, code)
    }
    first = first[first["period"].isin(unrevised)]
    first = first.rename(columns={"vintage": "first_vintage", "value_usd": "first_usd"})
    table = flat.merge(first, on=["period", "flow"]).query("vintage > first_vintage").reset_index(drop=True)
    ends = table["period"].map(lambda period: period.end_time.date())
    ages = [(later - end).days / 365.25 for later, end in zip(table["vintage"], ends, strict=True)]
    table = table.assign(age_years=ages, revision_usd=table["value_usd"] - table["first_usd"])
    share = 100 * table["revision_usd"] / table["first_usd"].where(table["first_usd"] > 0)
    table["revision_pct"] = share.where(table["flow"] != "balance")
    order = ["period", "flow", "first_vintage", "vintage", "age_years", "first_usd", "value_usd"]
    return table[[*order, "revision_usd", "revision_pct"]]


def _unrevised(period: pd.Period, vintage: date, code: str) -> bool:
    """Whether a vintage has a month as it first came out."""
    if code in REVISED_MONTHLY or period.freqstr[0] != "M":
        return (vintage - period.end_time.date()).days <= 75
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
        and `high` (5 and 95 percent of the revisions lie below); `n`, how many.

    Examples
    --------
    >>> table = by_age(revised(prints("5800", as_of=date(2025, 4, 3)), "5800"))
    >>> int(table.loc["exports", "n"].sum()) > 50
    True
    """
    rows = table[table["flow"].isin(FLOWS)].dropna(subset="revision_pct")
    place = pd.cut(rows["age_years"], AGES).cat.rename_categories(AGE_NAMES)
    grouped = rows.groupby(["flow", place.rename("age")], observed=True)["revision_pct"]
    summary = grouped.agg(["mean", "std", "count"]).rename(columns={"count": "n"})
    summary["mean_abs"] = grouped.agg(lambda values: values.abs().mean())
    summary["low"], summary["high"] = grouped.quantile(0.05), grouped.quantile(0.95)
    return summary[["mean", "mean_abs", "std", "low", "high", "n"]]


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
    columns = {}
    for vintage, rows in held.groupby(level="vintage"):
        balance = rows["balance_usd"].droplevel("vintage")
        spans = {
            y: year_to_date(month - 12 * (month.year - y))
            for y in range(month.year - years + 1, month.year + 1)
        }
        columns[vintage] = pd.Series({year: _whole_sum(balance, span) for year, span in spans.items()})
    return pd.DataFrame(columns).rename_axis("year")


def _whole_sum(values: pd.Series, window: Window) -> float:
    rows = values.loc[window.start : window.end].dropna()
    return float(rows.sum()) if len(rows) == len(window) else float("nan")


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
    if last.empty:
        return Text(f"No first print of {partner.prose} has a later one among the vintages held.")
    told = []
    for flow, link in (("exports", "to"), ("imports", "from")):
        pct = last.loc[last["flow"] == flow, "revision_pct"].dropna()
        bias = f"{abs(pct.mean()):.2f}"
        way = (
            "without a bias" if bias == "0.00" else f"{'up' if pct.mean() > 0 else 'down'} by {bias} percent"
        )
        told.append(
            f"U.S. goods {flow} {link} {partner.prose} have been revised by {pct.abs().mean():.2f} "
            f"percent of a month on average, {way} on balance ({len(pct)} months, largest "
            f"{percent(pct.abs().max())})"
        )
    return Text(f"From the first print to the newest vintage, {'; '.join(told)}.")


def how_to_read(code: str) -> Text:
    """Explain what a first print is here, and when figures are revised."""
    when = (
        "Figures of this partner are revised every month: only the newest month of each vintage counts."
        if code in REVISED_MONTHLY
        else "Figures of this partner are revised once a year, in June: a month counts where no annual "
        "revision lies between its release and the earliest vintage that has it."
    )
    lines = [
        "**First prints** are those among the vintages held; months long past in the oldest vintage had "
        f"been revised before, and are left out. {when}",
        "**Reconstructed**: a vintage that came out after a day but before the next annual revision holds "
        "the figures of that day; not for Canada, the World and areas with Canada in them.",
        "**Goods and services** by quarter: one vintage of BEA's country table is bundled, so that its "
        "revisions cannot be shown until a second one is ingested.",
        "Revisions in percent are of the first print; a balance has none.",
    ]
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
    return shown.style.hide(axis="index").format(forms).set_properties(**{"white-space": "nowrap"})


def age_table(summary: pd.DataFrame):
    """Tabulate what `by_age` returns, as a pandas Styler."""
    shown = summary.set_axis(["Mean", "Mean size", "Std. dev.", "5 percent", "95 percent", "n"], axis=1)
    shown = shown.rename_axis(["Flow", "Age in years"]).reset_index()
    forms = dict.fromkeys(["Mean", "5 percent", "95 percent"], "{:+.2f}")
    return shown.style.hide(axis="index").format(forms | dict.fromkeys(["Mean size", "Std. dev."], "{:.2f}"))
