"""What is said of a seasonal adjustment: how near ours is to the official one, and how to read it."""

import pandas as pd

from tradelib.studies.seasonal import SEASON, YEARS, Seasonal, compare, gaps
from tradelib.style import words as wording
from tradelib.style.words import Text, percent
from tradelib.tables import FLOWS


def comparison(both: Seasonal) -> pd.DataFrame | Text:
    """Tabulate how near our figures, and the unadjusted ones, are to the official; or say why not.

    Examples
    --------
    >>> from tradelib import brief
    >>> from tradelib.studies.seasonal import prepare
    >>> comparison(prepare(brief("KOR", "2024-08"))).shape
    (4, 3)
    """
    if both.ours is None or both.official is None:
        return finding(both)
    tables = {"ours": both.ours, "not adjusted": both.unadjusted}
    table = pd.concat({name: compare(frame, both.official) for name, frame in tables.items()})
    table = table.swaplevel().sort_index(level=0, sort_remaining=False).rename_axis([None, None])
    names = {
        "months": "Months",
        "mean_gap_pct": "Mean gap to official, percent",
        "same_sign_pct": "Months that move the same way, percent",
    }
    return table.round(1).rename(columns=names)


def finding(both: Seasonal) -> Text:
    """Say in a few words how near our adjustment is to the official one, or why there is none.

    Examples
    --------
    >>> from tradelib import brief
    >>> from tradelib.studies.seasonal import prepare
    >>> print(finding(prepare(brief("Peru", "2024-08"))))
    Census publishes no seasonally adjusted goods trade with Peru for these months. The adjustment shown
    is ours and cannot be checked against an official one.
    """
    who = both.sheet.partner.prose
    if both.ours is None:
        known = "" if both.official is None else _dated(both)
        return Text(f"No seasonal adjustment of ours for {who}: {both.why_not}.{known}")
    if both.official is None:
        why = f"Census publishes no seasonally adjusted goods trade with {who} for these months."
        if both.sheet.partner.is_group:
            why = f"The official figures may count other members of {who}."
        return Text(f"{why} The adjustment shown is ours and cannot be checked against an official one.")
    near, plain = (compare(frame, both.official) for frame in (both.ours, both.unadjusted))
    months = gaps(both.ours, both.official).dropna(how="all").index
    gap, moves, bare = (
        [percent(table.at[flow, column]) for flow in FLOWS]
        for table, column in ((near, "mean_gap_pct"), (near, "same_sign_pct"), (plain, "mean_gap_pct"))
    )
    if (plain["mean_gap_pct"] < 0.001).all():
        return Text(
            f"The official figures of U.S. goods trade with {who} are the unadjusted ones: Census takes no "
            f"season out. Ours differ from them by {gap[0]} on average in exports and {gap[1]} in "
            f"imports.{_dated(both)}"
        )
    return Text(
        f"From {wording.period(months[0])} to {wording.period(months[-1])} our adjustment of U.S. goods "
        f"trade with {who} differs from the official one by {gap[0]} on average in exports and {gap[1]} in "
        f"imports, where the unadjusted figures differ by {bare[0]} and {bare[1]}. From one month to the "
        f"next it moves the same way as the official one in {moves[0]} of months in exports and "
        f"{moves[1]} in imports.{_dated(both)}"
    )


def _dated(both: Seasonal) -> str:
    """Tell the vintage of the official figures, which are not in the sheet, and how late it is."""
    published, lag = (
        both.official_vintage.published,
        both.official_vintage.lag_days(both.sheet.snapshot.as_of),
    )
    late = f", {lag:,} days after the as-of date" if lag else ""
    return f" The official figures are those of {wording.day(published)}{late}."


def how_to_read(both: Seasonal) -> Text:
    """Explain what the adjustment is, and what it is not."""
    s = both.sheet.snapshot
    lines = [
        "**Ours, not official.** Figures named `exports_sa_ours_usd` and `imports_sa_ours_usd` are ours. "
        f"They are worked out from the unadjusted goods figures of the {YEARS} years to "
        f"{wording.period(s.month)}, as of {wording.day(s.as_of)}, by STL on logs, robust, with a season "
        f"that may change slowly (a window of {SEASON} years).",
        "**Exports and imports are adjusted one by one**, never the balance. A partner with a month that "
        "is zero or missing is not adjusted.",
        "**No calendar correction.** The number of working days and moving holidays such as Easter or the "
        "Lunar New Year stay in our figures. That alone can move a month by some percent.",
        "**The last months are the least certain**: each new release changes their adjustment.",
        "**Official** figures are those of Census for selected partners from 2009 (`goods_census_sa`); "
        "they may rest on later data than ours. The two are set side by side, never combined.",
    ]
    return Text("\n".join(f"- {line}" for line in lines))
