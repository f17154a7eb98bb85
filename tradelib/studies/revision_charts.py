"""Charts of how figures were revised: the same months in every vintage."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradelib.partners import Partner
from tradelib.studies import revisions
from tradelib.style import house as style
from tradelib.style.house import COLOURS, Unit, styled
from tradelib.style.words import MONTHS, capital, day, money, period, position
from tradelib.tables import GOODS, table_info

YEARS = 15
KEYS = 8  # entries of a legend
LINKS = {"exports": "exports to", "imports": "imports from", "balance": "the balance with"}
#: By frequency: periods in a year, what their sum is called, and a window of them.
SUMS = {"M": (12, "Twelve-month sums", "12 months"), "Q": (4, "Four-quarter sums", "four quarters")}


def _source(days, table: str = GOODS) -> str:
    return f"Source: {table_info(table).credit}; vintages of {min(days)} to {max(days)}"


def _basis(table: str) -> str:
    info = table_info(table)
    return f"{style.BASES[info.basis]}, {style.ADJUSTED[info.adjustment]}"


def _members(partner: Partner) -> str:
    return "Vintages may also differ by the members counted." if partner.is_group else ""


def _shades(count: int) -> list[tuple]:
    """Grey for the oldest, dark for the newest."""
    return [(grey,) * 3 for grey in np.linspace(0.78, 0.15, count)]


def _signed(value: float, _) -> str:
    """A tick in percent, with its sign."""
    return f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"


def _padded(gap: pd.DataFrame, below: float, above: float) -> tuple[float, float]:
    """Limits with room for marks and labels beyond the outermost values, as shares of the span."""
    low, high = min(gap.min().min(), 0), max(gap.max().max(), 0)
    return low - below * (high - low), high + above * (high - low)


@styled
def in_each_vintage(
    held: pd.DataFrame, partner: Partner, *, flow: str = "exports", table: str = GOODS, item: str = "goods"
) -> Figure | None:
    """Draw sums over a year of one flow in every vintage, and how far each is from the newest.

    Parameters
    ----------
    held : DataFrame
        From `revisions.prints`.
    partner : Partner
    flow : {"exports", "imports", "balance"}
    table, item : str
        What `held` was read from.

    Returns
    -------
    Figure or None
        None where fewer than two vintages have a whole year, or none overlaps the newest.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib import resolve
    >>> held = revisions.prints("5800", as_of=date(2025, 4, 3))
    >>> len(in_each_vintage(held, resolve("KOR")).axes)
    2
    """
    sums, gap = _year_sums(held[f"{flow}_usd"])
    if gap.empty:
        return None
    _, kind, _ = SUMS[sums.index.freqstr[0]]
    unit, small = Unit.of(sums.stack()), Unit.of([*gap.stack(), 1e3])
    fig, (above, below) = style.canvas(height=5.6, panels=2, ratios=[3, 2])
    years = style.years_of(sums.index)
    for (vintage, line), shade in zip(sums.items(), _shades(sums.shape[1]), strict=True):
        above.plot(years, line, color=shade, lw=1.6, label=str(vintage))
        if vintage in gap:
            below.plot(years, gap[vintage], color=shade, lw=1.6)
    style.money_axis(above, unit, sums.min().min(), sums.max().max(), snug=False)
    style.money_axis(below, small, *_padded(gap, 0.05, 0.3), snug=False)
    for ax in (above, below):
        style.year_axis(ax, years)
    _name_ends(below, gap)
    above.tick_params(labelbottom=False)
    above.set_title(f"{kind}, {unit.name}")
    below.set_title(f"Each vintage less the newest, {small.name}")
    return style.dress(
        *(fig, _source(sums.columns, table)),
        title=_farthest(gap, f"{LINKS[flow]} {partner.prose}"),
        subtitle=f"U.S. {item} {'balance' if flow == 'balance' else flow}, {_basis(table)}",
        note=f"Darkest: the newest vintage. Each line ends where its vintage does. {_members(partner)}",
    )


def _year_sums(values: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums over a year by vintage, and those of each older vintage less the newest."""
    wide = values.unstack("vintage")
    wide = wide.reindex(pd.period_range(wide.index.min(), wide.index.max()))
    per_year, _, _ = SUMS[wide.index.freqstr[0]]
    sums = wide.rolling(per_year, min_periods=per_year).sum().iloc[-per_year * YEARS :]
    sums = sums.dropna(axis=1, how="all").dropna(how="all")
    return sums, sums.iloc[:, :-1].sub(sums.iloc[:, -1:].squeeze(axis=1), axis=0).dropna(axis=1, how="all")


def _farthest(gap: pd.DataFrame, what: str) -> str:
    """Say which vintage is farthest from the newest, when, and by how much."""
    when, vintage = gap.abs().stack().idxmax()
    far, window = gap.loc[when, vintage], SUMS[gap.index.freqstr[0]][2]
    if not far:
        return f"In all vintages, {what} over a year are the same"
    way = "below" if far < 0 else "above"
    told = f"In the vintage of {day(vintage)}, {what} in the {window} to {period(when)} were"
    return f"{told} {money(far)} {way} the newest figure"


def _name_ends(ax: Axes, gap: pd.DataFrame) -> None:
    """Write when each vintage came out above the end of its line; where it is tight, the farthest off."""
    (left, right), taken = ax.get_xlim(), []
    width = 0.09 * (right - left)  # of a label
    for vintage in gap.abs().max().sort_values(ascending=False, kind="stable").index:
        end = gap[vintage].last_valid_index()
        x = style.years_of([end])[0]
        middle = np.clip(x, left + width / 2, right - width / 2)
        if all(abs(middle - other) > width for other in taken):
            taken.append(middle)
            ax.plot(
                [x, x], [gap.loc[end, vintage], ax.get_ylim()[1]], color=COLOURS["quiet"], lw=0.8, zorder=1
            )
            text = f"{MONTHS[vintage.month - 1][:3]} {vintage.year}"
            look = {"fontsize": style.SOURCE, "color": COLOURS["muted"], "ha": "center", "va": "top"}
            ax.text(middle, 0.99, text, transform=ax.get_xaxis_transform(), backgroundcolor="white", **look)


@styled
def each_month(table: pd.DataFrame, partner: Partner) -> Figure | None:
    """Draw the revision of each month from first print to newest, in percent and in dollars.

    Parameters
    ----------
    table : DataFrame
        From `revisions.revised`.
    partner : Partner

    Returns
    -------
    Figure or None
        None where no first print has been due for revision since.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib import resolve
    >>> table = revisions.revised(revisions.prints("5800", as_of=date(2025, 4, 3)), "5800")
    >>> len(each_month(table, resolve("KOR")).axes)
    2
    """
    last = revisions.newest(table)
    last = last[last["revision_due"] & last["flow"].isin(revisions.FLOWS)]
    if last["revision_pct"].dropna().empty:
        return None
    fig, (above, below) = style.canvas(height=5.2, panels=2)
    runs, count = _runs(sorted(last["period"].unique())), itertools.count()
    places = {month: next(count) + 2 * n for n, run in enumerate(runs) for month in run}
    for shift, flow in ((-0.2, "exports"), (0.2, "imports")):
        rows = last[last["flow"] == flow]
        x = rows["period"].map(places) + shift
        above.bar(x, rows["revision_pct"], width=0.4, color=COLOURS[flow], label=flow, zorder=2)
        below.bar(x, rows["revision_usd"], width=0.4, color=COLOURS[flow], zorder=2)
    _dress_runs(fig, {_run_name(run): [places[month] for month in run] for run in runs}, last)
    sizes = last.groupby("flow")["revision_pct"].agg(lambda pct: pct.abs().mean()).dropna()
    more, *less = sizes.sort_values(ascending=False, kind="stable").index
    rest = f", {less[0]} by {sizes[less[0]]:.1f} percent" if less else ""
    return style.dress(
        *(fig, _source([*table["first_vintage"], *table["vintage"]])),
        title=f"{capital(LINKS[more])} {partner.prose} have been revised by {sizes[more]:.1f} percent "
        f"a month on average{rest}",
        subtitle=f"U.S. goods, {_basis(GOODS)}, newest vintage less first print",
        note=f"The {last['period'].nunique()} months whose first print is held and that were due for "
        "revision since.",
    )


def _runs(months: list[pd.Period]) -> list[list[pd.Period]]:
    """Months in a row, together."""
    keyed = itertools.groupby(enumerate(months), lambda pair: pair[1].ordinal - pair[0])
    return [[month for _, month in run] for _, run in keyed]


def _dress_runs(fig: Figure, runs: dict[str, list[int]], last: pd.DataFrame) -> None:
    """Axes of the two panels: percent above, dollars below, a label under each run of months."""
    above, below = fig.axes
    limit = 1.15 * max(last["revision_pct"].abs().max(), 0.1)
    above.set_ylim(-limit, limit)
    above.yaxis.set_major_formatter(_signed)
    above.grid(axis="y")
    above.axhline(0, color=COLOURS["text"], lw=1)
    usd = last["revision_usd"]
    unit = Unit.of([*usd, 1e3])
    style.money_axis(below, unit, usd.min(), usd.max(), snug=False)
    for ax, names in ((above, [""] * len(runs)), (below, runs)):
        ax.set_xticks([np.mean(places) for places in runs.values()], names)
        ax.set_xlim(-1.5, max(map(max, runs.values())) + 1.5)
        ax.tick_params(axis="both", length=0)
    above.set_title("Percent of the first print")
    below.set_title(unit.name)
    style.legend(above, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)


def _run_name(run: list[pd.Period]) -> str:
    """Name a run of months in two short lines."""
    (first, since), (last, year) = ((MONTHS[one.month - 1][:3], one.year) for one in (run[0], run[-1]))
    if since != year:
        return f"{first} {since}-\n{last} {year}"
    return f"{first}{f'-{last}' if len(run) > 1 else ''}\n{year}"


@styled
def cloud(
    sums: pd.DataFrame, partner: Partner, months: str, *, table: str = GOODS, item: str = "goods"
) -> Figure | None:
    """Draw the year-to-date balance of each year in every vintage as dots, the newest joined.

    Parameters
    ----------
    sums : DataFrame
        From `revisions.cloud`.
    partner : Partner
    months : str
        "January-July".
    table, item : str
        What the sums are of.

    Returns
    -------
    Figure or None
        None where fewer than two vintages have a whole year.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib import resolve
    >>> held = revisions.prints("5800", as_of=date(2025, 4, 3))
    >>> sums = revisions.cloud(held, pd.Period("2018-07", "M"))
    >>> len(cloud(sums, resolve("KOR"), "January-July").axes)
    2
    """
    sums = sums.dropna(axis=1, how="all").dropna(how="all")
    if sums.shape[1] < 2:
        return None
    newest = sums.iloc[:, -1]
    gap = sums.sub(newest, axis=0)
    unit, small = Unit.of(sums.stack()), Unit.of([*gap.stack(), 1e3])
    fig, (above, below) = style.canvas(height=5.6, panels=2, ratios=[3, 2])
    above.plot(newest.index, newest, color=COLOURS["balance"], lw=1.6, zorder=2)
    shades, skip = _shades(sums.shape[1]), -(-sums.shape[1] // KEYS)
    for n, (vintage, dots) in enumerate(sums.items()):
        name = str(vintage) if (sums.shape[1] - 1 - n) % skip == 0 else None
        above.plot(dots.index, dots, "o", color=shades[n], ms=5, label=name, zorder=3)
        below.plot(gap.index, gap[vintage], "o", color=shades[n], ms=5, zorder=3)
    style.money_axis(above, unit, sums.min().min(), sums.max().max(), snug=False)
    style.money_axis(below, small, *_padded(gap, 0.1, 0.1), snug=False)
    for ax in (above, below):
        ax.set_xlim(sums.index[0] - 0.5, sums.index[-1] + 0.5)
        ax.set_xticks(sums.index)
    above.tick_params(labelbottom=False)
    above.set_title(f"Balance, {unit.name}")
    below.set_title(f"Each vintage less the newest, {small.name}")
    style.legend(above, ncols=4, fontsize=8, loc="best", handletextpad=0.2, columnspacing=1)
    spread = (sums.max(axis=1) - sums.min(axis=1)).dropna()
    widest = spread.idxmax()
    title = f"The {months} balance with {partner.prose} is the same in all vintages, in every year"
    if spread[widest]:
        title = f"The {months} {position(newest[widest])} with {partner.prose} of {widest} differs by up to "
        title += f"{money(spread[widest])} between vintages"
    return style.dress(
        *(fig, _source(sums.columns, table)),
        title=title,
        subtitle=f"U.S. balance in {item}, {months}, {_basis(table)}",
        note=_members(partner),
    )


@styled
def by_age(summary: pd.DataFrame, partner: Partner, days: list) -> Figure | None:
    """Draw the mean revision and the 5-95 percent range by age of the later print.

    Parameters
    ----------
    summary : DataFrame
        From `revisions.by_age`.
    partner : Partner
    days : list of date
        The vintages behind it.

    Returns
    -------
    Figure or None
        None where there are no revisions.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib import resolve
    >>> table = revisions.revised(revisions.prints("5800", as_of=date(2025, 4, 3)), "5800")
    >>> figure = by_age(revisions.by_age(table), resolve("KOR"), [date(2025, 4, 3)])
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['exports', 'imports']
    """
    if summary.empty:
        return None
    fig, (ax,) = style.canvas()
    for shift, flow in ((-0.12, "exports"), (0.12, "imports")):
        rows = summary.query("flow == @flow").droplevel("flow").reindex(revisions.AGE_NAMES)
        place = np.arange(len(rows)) + shift
        ax.vlines(place, rows["low"], rows["high"], color=COLOURS[flow], lw=4, alpha=0.45)
        ax.plot(place, rows["mean"], "o", color=COLOURS[flow], ms=7, label=flow)
    counts = summary[["n", "months"]].groupby(level="age", observed=False).max()
    counts = counts.reindex(revisions.AGE_NAMES).fillna(0).astype(int)
    names = [f"{age}\nn = {row.n}\n(months: {row.months})" for age, row in counts.iterrows()]
    ax.set_xticks(range(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.axhline(0, color=COLOURS["text"], lw=1)
    ax.yaxis.set_major_formatter(_signed)
    ax.grid(axis="y")
    style.legend(ax, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    age = max(summary.index.get_level_values("age"), key=revisions.AGE_NAMES.index)
    sizes = summary["mean_abs"].xs(age, level="age")
    told = " and ".join(f"{size:.1f} percent in {flow}" for flow, size in sizes.items())
    return style.dress(
        *(fig, _source(days)),
        title=f"After {age} years, first prints of trade with {partner.prose} were off by {told} on average",
        subtitle="Revision of a month's first print in percent, by the age of the later print in years: "
        "dot, mean; bar, from 5 to 95 percent of the revisions",
        note="n: later prints; a month may have several of one age.",
    )
