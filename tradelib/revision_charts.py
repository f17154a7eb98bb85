"""Charts of how figures were revised: the same months in every vintage."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tradelib import house_style as style
from tradelib import revisions
from tradelib.house_style import COLOURS, Unit, styled
from tradelib.partners import Partner
from tradelib.wording import money, position

SOURCE = "U.S. Census Bureau, country.xlsx; vintages of {} to {}"
BASIS = "Census basis, not seasonally adjusted"
YEARS = 10
SMALL = {"textcoords": "offset points", "fontsize": 8.5, "color": COLOURS["muted"]}
LINKS = {"exports": "to", "imports": "from"}


def _source(days) -> str:
    return f"Source: {SOURCE.format(min(days), max(days))}"


def _shades(count: int) -> list[tuple]:
    """Grey for the oldest, dark for the newest."""
    return [(grey,) * 3 for grey in np.linspace(0.78, 0.15, count)]


@styled
def in_each_vintage(held: pd.DataFrame, partner: Partner) -> Figure | None:
    """Draw twelve-month sums of exports in every vintage, and how far each is from the newest.

    Parameters
    ----------
    held : DataFrame
        From `revisions.prints`.
    partner : Partner

    Returns
    -------
    Figure or None
        None where fewer than two vintages are held.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib import resolve
    >>> held = revisions.prints("5800", as_of=date(2025, 4, 3))
    >>> len(in_each_vintage(held, resolve("KOR")).axes)
    2
    """
    wide = held["exports_usd"].unstack("vintage")
    wide = wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq="M"))
    sums = wide.rolling(12, min_periods=12).sum().iloc[-12 * YEARS - 12 * 5 :].dropna(axis=1, how="all")
    if sums.shape[1] < 2:
        return None
    gap = sums.sub(sums.iloc[:, -1], axis=0).iloc[:, :-1]
    unit, small = Unit.of(sums.stack()), Unit.of(gap.stack())
    fig, (above, below) = style.canvas(height=5.6, panels=2, ratios=[3, 2])
    years = style.years_of(sums.index)
    for (vintage, line), shade in zip(sums.items(), _shades(sums.shape[1]), strict=True):
        above.plot(years, line, color=shade, lw=1.6, label=str(vintage))
        if vintage in gap:
            below.plot(years, gap[vintage], color=shade, lw=1.6)
            end = gap[vintage].last_valid_index()
            at = (style.years_of([end])[0], gap.loc[end, vintage])
            below.annotate(str(vintage.year), at, xytext=(3, 4 if at[1] >= 0 else -11), **SMALL)
    style.money_axis(above, unit, 0, sums.max().max(), snug=False)
    style.money_axis(below, small, gap.min().min(), gap.max().max(), snug=False)
    for ax in (above, below):
        style.year_axis(ax, years)
    above.tick_params(labelbottom=False)
    above.legend(title="Vintage", frameon=False, loc="lower right", ncols=4, fontsize=8.5, title_fontsize=8.5)
    above.set_title(f"Twelve-month sums, {unit.name}")
    below.set_title(f"Less the newest vintage, {small.name}")
    far = money(gap.abs().stack().max())
    return style.dress(
        *(fig, _source(sums.columns)),
        title=f"Twelve months of exports to {partner.prose} differ by up to {far} from the newest vintage",
        subtitle=f"U.S. goods exports, {BASIS}",
    )


@styled
def each_month(table: pd.DataFrame, partner: Partner) -> Figure | None:
    """Draw the revision of each month from its first print to the newest vintage, in percent.

    Parameters
    ----------
    table : DataFrame
        From `revisions.revised`.
    partner : Partner

    Returns
    -------
    Figure or None
        None where no first print has a later one.

    Examples
    --------
    >>> from datetime import date
    >>> from tradelib import resolve
    >>> table = revisions.revised(revisions.prints("5800", as_of=date(2025, 4, 3)), "5800")
    >>> [ax.get_title(loc="left") for ax in each_month(table, resolve("KOR")).axes]
    ['Exports', 'Imports']
    """
    last = revisions.newest(table)
    if last.empty:
        return None
    fig, axes = style.canvas(height=5.2, panels=2)
    limit = 1.1 * max(last["revision_pct"].abs().max(), 0.1)
    for ax, flow in zip(axes, revisions.FLOWS, strict=True):
        rows = last[last["flow"] == flow].dropna(subset="revision_pct")
        years = style.years_of(pd.PeriodIndex(rows["period"]))
        ax.vlines(years, 0, rows["revision_pct"], color=COLOURS[flow], lw=1.6, zorder=2)
        ax.plot(years, rows["revision_pct"], "o", color=COLOURS[flow], ms=4, zorder=3)
        ax.axhline(0, color=COLOURS["text"], lw=1)
        ax.set_ylim(-limit, limit)
        ax.yaxis.set_major_formatter("{x:+g}")
        ax.grid(axis="y")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_title(flow.capitalize())
    axes[0].tick_params(labelbottom=False)
    axes[0].set_xlim(axes[1].get_xlim())
    sizes = last.groupby("flow")["revision_pct"].agg(lambda pct: pct.abs().mean())[list(revisions.FLOWS)]
    more, less = sizes.sort_values(ascending=False).index
    moved = f"by {sizes[more]:.1f} percent on average, {less} by {sizes[less]:.1f}"
    return style.dress(
        *(fig, _source([*last["first_vintage"], *last["vintage"]])),
        title=f"{more.capitalize()} {LINKS[more]} {partner.prose} have been revised {moved}",
        subtitle=f"U.S. goods, {BASIS}, first print of a month to newest vintage, percent of the first print",
        note="Months whose first print is held.",
    )


@styled
def cloud(sums: pd.DataFrame, partner: Partner, months: str) -> Figure | None:
    """Draw the year-to-date balance of each year in every vintage as dots, the newest joined.

    Parameters
    ----------
    sums : DataFrame
        From `revisions.cloud`.
    partner : Partner
    months : str
        "January-July".

    Returns
    -------
    Figure or None
        None where no year is whole.

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
    if sums.empty:
        return None
    newest = sums.bfill(axis=1).iloc[:, 0] if sums.iloc[:, -1].isna().all() else sums.iloc[:, -1]
    gap = sums.sub(newest, axis=0)
    unit, small = Unit.of(sums.stack()), Unit.of([*gap.stack(), 1e3])
    fig, (above, below) = style.canvas(height=5.6, panels=2, ratios=[3, 2])
    above.plot(newest.index, newest, color=COLOURS["balance"], lw=1.6, zorder=2)
    for (vintage, dots), shade in zip(sums.items(), _shades(sums.shape[1]), strict=True):
        above.plot(dots.index, dots, "o", color=shade, ms=5, label=str(vintage), zorder=3)
        below.plot(gap.index, gap[vintage], "o", color=shade, ms=5, zorder=3)
    style.money_axis(above, unit, sums.min().min(), sums.max().max(), snug=False)
    style.money_axis(below, small, gap.min().min(), gap.max().max(), snug=False)
    for ax in (above, below):
        ax.set_xlim(sums.index[0] - 0.5, sums.index[-1] + 0.5)
        ax.set_xticks(sums.index)
    above.tick_params(labelbottom=False)
    above.set_title(f"Balance, {unit.name}")
    below.set_title(f"Less the newest vintage, {small.name}")
    above.legend(frameon=False, ncols=4, fontsize=8, loc="best", handletextpad=0.2, columnspacing=1)
    spread = (sums.max(axis=1) - sums.min(axis=1)).dropna()
    widest = spread.idxmax()
    kind = position(newest[widest])
    return style.dress(
        *(fig, _source(sums.columns)),
        title=f"The {months} {kind} with {partner.prose} of {widest} differs by up to "
        f"{money(spread[widest])} between vintages",
        subtitle=f"U.S. balance in goods, {months}, {BASIS}",
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
        rows = summary.loc[flow].reindex(revisions.AGE_NAMES)
        place = np.arange(len(rows)) + shift
        ax.vlines(place, rows["low"], rows["high"], color=COLOURS[flow], lw=4, alpha=0.45)
        ax.plot(place, rows["mean"], "o", color=COLOURS[flow], ms=7, label=flow)
    counts = summary["n"].groupby(level="age", observed=False).max().reindex(revisions.AGE_NAMES).fillna(0)
    names = [f"{age}\nn = {int(n)}" for age, n in counts.items()]
    ax.set_xticks(range(len(names)), names)
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.axhline(0, color=COLOURS["text"], lw=1)
    ax.yaxis.set_major_formatter("{x:+g}")
    ax.grid(axis="y")
    ax.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    size = (summary["mean_abs"] * summary["n"]).groupby(level="flow").sum()
    size /= summary["n"].groupby(level="flow").sum()
    exports, imports = (f"{size[flow]:.1f} percent" for flow in revisions.FLOWS)
    return style.dress(
        *(fig, _source(days)),
        title=f"Later prints of exports to {partner.prose} lie {exports} from the first on average, "
        f"of imports {imports}",
        subtitle="Revision of a month's first print in percent, by the age of the later print in years: "
        "dot, mean; bar, from 5 to 95 percent of the revisions",
        note="n: months and vintages compared.",
    )
