"""The league in sentences and in tables that look published."""

import pandas as pd
from pandas.io.formats.style import Styler

from tradelib.briefs.snapshot import Snapshot
from tradelib.partners import Partner, partner
from tradelib.studies.league import League, largest, name_of, who_reduced
from tradelib.style import house as style
from tradelib.style import words as wording
from tradelib.style.words import Text, cardinal, money, ordinal, percent, series

ITEMS = {"goods": "goods", "total": "goods and services"}
LARGEST = 15
#: Headers of the published table; dollars are in millions.
HEADERS = {
    "rank": "Rank",
    "rank_before": "Rank a year earlier",
    "country": "Country",
    "balance_usd": "Balance, $\N{NO-BREAK SPACE}million",
    "before_usd": "A year earlier, $\N{NO-BREAK SPACE}million",
    "change_usd": "Change, $\N{NO-BREAK SPACE}million",
    "reduction_pct": "Reduction of the deficit, percent",
}
COUNTRY = list(HEADERS).index("country")
#: Figures to the right, what they are above them in small print; the page's own style is weaker.
LOOK = [
    {"selector": "caption", "props": f"text-align: left; font-size: 0.85em; color: {style.COLOURS['muted']}"},
    {"selector": "th, td", "props": "text-align: right !important; font-variant-numeric: tabular-nums"},
    {"selector": f"th.col{COUNTRY}, td.col{COUNTRY}", "props": "text-align: left !important"},
]
ABSENT = Text("BEA has no services by quarter for this release: there is no league of goods and services.")


def title(snapshot: Snapshot) -> Text:
    """Name the notebook's page.

    Examples
    --------
    >>> from tradelib import take
    >>> print(title(take("2018-07")))
    # The league of U.S. deficits, July 2018
    """
    return Text(f"# The league of U.S. deficits, {wording.period(snapshot.month)}")


def reduced(league: League | None) -> Text:
    """Say who reduced the deficit and who did not, of the largest and of all.

    Parameters
    ----------
    league : League or None

    Returns
    -------
    Text
        Percent only where both years show a deficit; dollars where the sign flipped.

    Examples
    --------
    >>> from tradelib import take
    >>> from tradelib.studies.league import of_total
    >>> print(reduced(of_total(take("2018-07"))))
    The United States had a deficit in goods and services with nine of the 15 countries of Exhibit 20
    (FT-900 of 2018-09-05 and 2021-10-05) in the first half of 2017. It shrank with only three of them in the
    first half of 2018: South Korea (by 65.5 percent, to $979 million), France (by 5.2 percent, to $6.9
    billion) and India (by 2.6 percent, to $14.1 billion).
    <BLANKLINE>
    It grew with China, Mexico, Germany, Japan, Italy and Taiwan.
    """
    if league is None:
        return ABSENT
    had = league.rows[league.rows["before_usd"] < 0].sort_values("before_usd", kind="stable")
    if had.empty:
        return Text(f"A year earlier there was no U.S. deficit in {ITEMS[league.item]} with any of them.")
    shown = had.iloc[:LARGEST]
    every = len(had) == len(shown)
    told = [_count(league, had)]
    told.append(_shrank(league, shown, every))
    told.append(_grew(shown, every))
    told.append(_fell_into(league))
    return Text("\n\n".join([" ".join(told[:2]), *filter(None, told[2:])]))


def _count(league: League, had: pd.DataFrame) -> str:
    then = wording.span(league.window.year_earlier)
    lead = f"The United States had a deficit in {ITEMS[league.item]} with {cardinal(len(had))}"
    among = league.universe.split(";")[0].replace(" with goods rows", "")
    lead += f" of {among} in {then}."
    if len(had) <= LARGEST:
        return lead
    shrank, turned = (had["outcome"].eq(one).sum() for one in ("reduced", "turned"))
    surplus = f", and with {cardinal(turned)} it became a surplus or zero" if turned else ""
    return f"{lead} In {wording.span(league.window)} it shrank with {cardinal(shrank)} of them{surplus}."


def _shrank(league: League, shown: pd.DataFrame, every: bool) -> str:
    """Of those shown, who reduced, each with percent or, if it turned, dollars."""
    found = shown[shown["outcome"].isin(["reduced", "turned"])]
    found = found.sort_values("reduction_pct", ascending=False, na_position="first", kind="stable")
    now, them = (
        wording.span(league.window),
        "them" if every else f"the {len(shown)} largest of a year earlier",
    )
    if found.empty:
        return f"It shrank with none of {them}{f' in {now}' if every else ''}."
    words = series([_reduction(code, row) for code, row in found.iterrows()])
    few = "only " if 2 * len(found) <= len(shown) else ""
    when = f" in {now}" if every else ""
    return f"It shrank with {few}{cardinal(len(found))} of {them}{when}: {words}."


def _reduction(code: str, row: pd.Series) -> str:
    if row["outcome"] == "turned":
        then, now = wording.a_position(row["before_usd"]), wording.a_position(row["balance_usd"])
        return f"{partner(code).prose} (from {then} to {now if row['balance_usd'] else 'zero'})"
    return f"{partner(code).prose} (by {percent(row['reduction_pct'])}, to {money(row['balance_usd'])})"


def _grew(shown: pd.DataFrame, every: bool) -> str:
    names = [partner(code).prose for code in shown.index[shown["outcome"] == "grew"]]
    return f"It grew with {'' if every else 'the others of these: '}{series(names)}." if names else ""


def _fell_into(league: League) -> str:
    """Who has a deficit now but had none; small ones are left out of the list of all countries."""
    new = league.rows[league.rows["outcome"] == "fell into"]
    large = new if league.item == "total" else new[new["balance_usd"] <= -1e9]
    if large.empty:
        return ""
    told = [f"{partner(code).prose} ({money(usd)})" for code, usd in large["balance_usd"].items()]
    size = "" if league.item == "total" else " of $1 billion or more"
    return f"A surplus or balance became a deficit{size} with {series(told)}."


def place(league: League | None, who: Partner) -> Text:
    """Say where one partner stands in the league.

    Examples
    --------
    >>> from tradelib import resolve, take
    >>> from tradelib.studies.league import of_total
    >>> print(place(of_total(take("2018-07")), resolve("KOR")))
    The deficit with South Korea in goods and services was the 9th largest of 15 countries in the first half
    of 2018, as a year earlier: $979 million, down by 65.5 percent.
    """
    if league is None:
        return ABSENT
    n, what, span = len(league.rows), ITEMS[league.item], wording.span(league.window)
    if who.code not in league.rows.index:
        why = "a group is not ranked with countries" if who.is_group else f"it is not among {league.universe}"
        return Text(f"{wording.capital(who.prose)} has no place in {what}: {why}.")
    row = league.rows.loc[who.code]
    if row["balance_usd"] >= 0:
        return Text(
            f"With {who.prose} there was {wording.a_position(row['balance_usd'])} in {what} in {span}, no "
            f"deficit: it has no place among the deficits with {n} countries."
        )
    place = "the largest" if row["rank"] == 1 else f"the {ordinal(row['rank'])} largest"
    then = "" if pd.isna(row["rank_before"]) or row["before_usd"] >= 0 else _earlier(row)
    lead = f"The deficit with {who.prose} in {what} was {place} of {n} countries in {span}{then}"
    return Text(f"{lead}: {money(row['balance_usd'])}, {_how(row)}.")


def _earlier(row: pd.Series) -> str:
    if row["rank"] == row["rank_before"]:
        return ", as a year earlier"
    return f" ({ordinal(row['rank_before'])} a year earlier)"


def _how(row: pd.Series) -> str:
    if row["outcome"] in ("reduced", "grew"):
        way = "down" if row["outcome"] == "reduced" else "up"
        return f"{way} by {percent(row['reduction_pct'])}"
    if row["outcome"] == "fell into":
        return f"from {wording.a_position(row['before_usd']) if row['before_usd'] else 'zero'} a year earlier"
    return "unchanged" if row["outcome"] == "unchanged" else "with no figure for a year earlier"


def of_the_largest(league: League, rows: pd.DataFrame) -> str:
    """Title a chart of the largest deficits: how many of them shrank, and which."""
    shrank = [partner(code).prose for code, row in rows.iterrows() if row["outcome"] == "reduced"]
    count = f"{len(rows)} largest" if len(rows) == LARGEST else cardinal(len(rows))
    lead = f"Of the {count} U.S. deficits in {ITEMS[league.item]} in {wording.span(league.window)}, "
    lead += f"{cardinal(len(shrank))} {'was' if len(shrank) == 1 else 'were'} smaller than a year earlier"
    return f"{lead}: {series(shrank)}" if 0 < len(shrank) <= 5 else lead


def most_reduced(league: League) -> str:
    """Title a chart of the changes: with whom the deficit shrank and grew by most dollars."""
    shrank, span = who_reduced(league), wording.span(league.window)
    grew = league.rows[league.rows["outcome"].isin(["grew", "fell into"])].sort_values("change_usd")
    what = f"The U.S. deficit in {ITEMS[league.item]}"
    parts = []
    if len(shrank):
        first = partner(shrank.index[0]).prose
        parts.append(f"shrank most with {first} ({money(shrank['change_usd'].iloc[0])})")
    if len(grew):
        first = partner(grew.index[0]).prose
        parts.append(f"grew most with {first} ({money(grew['change_usd'].iloc[0])})")
    return f"{what} {' and '.join(parts)} in {span}"


def table(league: League | None, rows: pd.DataFrame | None = None, code: str = "") -> Styler | Text:
    """Lay out a league, or some of its rows, as a table that looks published.

    Parameters
    ----------
    league : League or None
    rows : DataFrame, optional
        The largest deficits unless given.
    code : str, optional
        The partner to stress.

    Returns
    -------
    Styler or Text
        Units in the headers, thousands separated, source and vintage in the caption; a sentence where
        there is no league.

    Examples
    --------
    >>> from tradelib import take
    >>> from tradelib.studies.league import of_goods
    >>> page = table(of_goods(take("2018-07", as_of="2018-10-05"))).to_html()
    >>> "−222,556" in page, "vintage of 2018-10-05" in page
    (True, True)
    """
    if league is None:
        return ABSENT
    rows = largest(league, LARGEST, code) if rows is None else rows
    frame = rows.assign(country=[name_of(one) for one in rows.index], code=rows.index)
    for column in ("balance_usd", "before_usd", "change_usd"):
        frame[column] = frame[column] / 1e6
    own = (frame["code"] == code).to_numpy()
    frame = frame[list(HEADERS)].rename(columns=HEADERS).reset_index(drop=True)
    usd = [header for header in frame if "$" in header]
    formats = dict.fromkeys(usd, _millions) | {HEADERS["reduction_pct"]: _percent}
    return (
        frame.style.hide(axis="index")
        .format(formats, na_rep="")
        .set_caption(_caption(league))
        .set_table_styles(LOOK)
        .set_properties(subset=pd.IndexSlice[own, :], **{"font-weight": "bold"})
    )


def _millions(value: float) -> str:
    """Render millions without decimals, smaller amounts with one, with a true minus."""
    if pd.isna(value):
        return ""
    text = f"{value:,.{0 if abs(value) >= 9.95 else 1}f}"
    return text.replace("-", "\N{MINUS SIGN}") if any(c in "123456789" for c in text) else "0"


def _percent(value: float) -> str:
    """Render a reduction; a deficit that grew has a minus, one that turned nothing."""
    if pd.isna(value):
        return ""
    text = f"{value:,.1f}"
    return text.replace("-", "\N{MINUS SIGN}") if any(c in "123456789" for c in text) else "0.0"


def _caption(league: League) -> str:
    """What the table shows, of whom, and its source with vintage and lag."""
    what = style.measure(league.table, f"U.S. balance in {ITEMS[league.item]}", style.Unit(1e6, "", 0))
    span = wording.span(league.window)
    source = style.source_line(league.snapshot, league.table)
    return f"{what.rstrip(', ')}, {span}; ranked among {league.universe}. {source}."
