"""How far to trust a first print: how far the year to date moved by the annual revisions after it.

Census revises goods by partner once a year, in June. Of each country table that is held, the newest year is a
first print; another table that is at least one June later has what became of it. There are few such pairs, so
that partners of like size are taken together. A band for four of five (10 to 90 percent of the moves) is held
against each year with the band of all other years, and shown only where it covers 75 to 85 percent of them.
All those tables came out after the June of their newest year: its January to March had been revised once.
"""

import itertools
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import pandas as pd

from tradelib import releases
from tradelib.briefs.answers import cut, held
from tradelib.briefs.goods import BAND_SIZES
from tradelib.briefs.selection import REVISED_MONTHLY
from tradelib.partners import countries
from tradelib.sources.continuity import ROUNDING
from tradelib.store import vintages
from tradelib.store.vintages import Vintage
from tradelib.tables import ALL_RELEASED, GOODS
from tradelib.windows import Window

MEASURES = ("exports", "imports", "balance")
NOMINAL = (0.1, 0.9)
#: Tables of all goods by partner, one basis: by month, and the year to date that a release printed.
PRINTS = (GOODS, f"{GOODS}_api", ALL_RELEASED["ytd"])
#: Of the alarm: neighbours in size, what is rare among them, and dollars that rounding makes.
NEAREST, RARE = 100, 0.95
ENOUGH = 2  # annual revisions after which little moves
APRIL = 4  # whose release, in June, brings the annual revision, of January to March too


def annual_revisions(earlier: date, later: date) -> int:
    """Count the annual revisions between two days."""
    days = [releases.release(f"{year}-04") for year in range(earlier.year, later.year + 1)]
    return sum(earlier < (found.published or date(found.period.year, 6, 8)) <= later for found in days)


def prints_by(day: date) -> list[Vintage]:
    """List the vintages of all goods by partner that were out by a day, as they came out."""
    every = itertools.chain(*map(vintages.list_vintages, PRINTS))
    return sorted((v for v in every if v.published <= day), key=lambda v: v.published)


def moves(
    known: Sequence[Vintage] | None = None,
    *,
    months: Iterable[int] = range(APRIL, 13),
    after: int | None = None,
) -> pd.DataFrame:
    """Say how far the year to date of each first print moved, of every single country and month of the year.

    One row for each `partner`, `measure`, `month` and `year`: `first_vintage` and `vintage`, the annual
    `revisions` between them (`after` so many, else two or as near to it as is held), `first_usd`, `move_usd`,
    `size_usd` (exports, imports, or for the balance both, a year) and `move_pct` of it. A vintage that ends
    earlier in the year counts for the later months with what it has. Partners that are revised every month
    are left out.
    """
    known, found = vintages.list_vintages(GOODS) if known is None else known, []
    for vintage in known:
        last = pd.Period(vintage.through, "M")
        year = last.year - (last.month < APRIL)
        later = [(n, v) for v in known if (n := annual_revisions(vintage.published, v.published)) > 0]
        later = [one for one in later if after in (None, one[0])]
        later.sort(key=lambda one: (max(ENOUGH - one[0], 0), one[0], one[1].published))
        about = {"year": year, "first_vintage": vintage.published}
        for month in months:
            reach = min(month, 12 if last.year > year else last.month)
            window = Window(f"{year}-01", f"{year}-{reach:02}")
            pairs = ((n, v, _moved(vintage, v, window)) for n, v in later)
            for count, then, rows in itertools.islice((one for one in pairs if one[2] is not None), 1):
                found.append(rows.assign(month=month, **about, vintage=then.published, revisions=count))
    rows = pd.concat(found) if found else pd.DataFrame(columns=["partner", "measure", "month", "year"])
    return rows.drop_duplicates(["partner", "measure", "month", "year"], keep="last").reset_index(drop=True)


def _sums(vintage: Vintage, window: Window) -> pd.DataFrame | None:
    """Exports, imports and balance of all partners over a window; None where a table has not all of it."""
    asked, table = cut(vintage.table, window), held(vintage)
    at = asked and table.span(asked)
    if at is None:
        return None
    rows = list(table.codes.values())
    sums = {side: table.array("goods", side)[rows, at].sum(axis=1) for side in MEASURES}
    return pd.DataFrame(sums, index=list(table.codes))


def _moved(vintage: Vintage, then: Vintage, window: Window) -> pd.DataFrame | None:
    """Compare a window in two tables, of all partners; None where one of them has not all of it."""
    first, later = _sums(vintage, window), _sums(then, window)
    if first is None or later is None:
        return None
    codes = [code for code in countries() if code not in REVISED_MONTHLY]
    first, later, share = first.reindex(codes), later.reindex(codes), len(window) / 12
    size = first.assign(balance=first["exports"] + first["imports"]) / share
    parts = {"first_usd": first, "move_usd": later - first, "size_usd": size}
    rows = pd.DataFrame({name: frame.stack() for name, frame in parts.items()})
    rows = rows[rows["size_usd"] > 0].dropna().rename_axis(["partner", "measure"]).reset_index()
    return rows.assign(move_pct=100 * rows["move_usd"] / (rows["size_usd"] * share))


def _by_size(moved: pd.DataFrame) -> pd.DataFrame:
    """The moves with `size_from_usd`; partners below the smallest size hardly move, and are left out."""
    size = pd.cut(moved["size_usd"], [*BAND_SIZES, np.inf], labels=BAND_SIZES, right=False)
    rows = moved.assign(size_from_usd=size).dropna(subset="size_from_usd")
    return rows.astype({"size_from_usd": float})


def bands(moved: pd.DataFrame) -> pd.DataFrame:
    """Work out the bands by measure, month and size, each with what it rests on and what it covers.

    `coverage_pct` is the share of moves inside the band that all other years give, over the years left out in
    turn.
    """
    rows, by, found = _by_size(moved), ["measure", "month", "size_from_usd"], []
    for year, held_out in rows.groupby("year"):
        others = rows[rows["year"] != year].groupby(by)["move_pct"].quantile(list(NOMINAL)).unstack()
        band = held_out.join(others.set_axis(["low", "high"], axis=1), on=by)
        found.append(held_out.assign(inside=band["move_pct"].between(band["low"], band["high"])))
    groups = pd.concat(found).groupby(by)
    found = groups["move_pct"].quantile(list(NOMINAL)).unstack().set_axis(["low_pct", "high_pct"], axis=1)
    counts = groups.agg(prints=("year", "size"), years=("year", "nunique"), coverage_pct=("inside", "mean"))
    counts["coverage_pct"] *= 100
    return found.join(counts).assign(learned=str(moved["vintage"].max())).reset_index()


def by_revision(known: Sequence[Vintage], *, month: int) -> pd.DataFrame | None:
    """Tell the moves after one annual revision and after two apart: how large, one way, and how spread.

    Index `measure`, `size_from_usd` and `revisions`; `mean_abs_pct`, `mean_pct`, `low_pct` and `high_pct`
    (10 and 90 percent of the moves lie below), `prints` and `years`. The years are not the same: few first
    prints are held with the table of the next June. None where no two vintages are so near.
    """
    found = [rows for count in (1, ENOUGH) if len(rows := moves(known, months=[month], after=count))]
    if not found:
        return None
    rows = _by_size(pd.concat(found))
    groups = rows.assign(size_pct=rows["move_pct"].abs()).groupby(["measure", "size_from_usd", "revisions"])
    found = groups.agg(mean_abs_pct=("size_pct", "mean"), mean_pct=("move_pct", "mean"))
    spread = groups["move_pct"].quantile(list(NOMINAL)).unstack().set_axis(["low_pct", "high_pct"], axis=1)
    return found.join(spread).join(groups["year"].agg(prints="size", years="nunique"))


# --- an alarm of revisions ------------------------------------------------------------------------


def revised(older: Vintage, newer: Vintage) -> pd.DataFrame:
    """Say by how much one vintage revised the last two years of another, of every single country.

    Index `partner`; `size_usd` (exports and imports of the two years), what `exports_usd` and `imports_usd`
    were revised by, and `moved_pct`, the larger of the two by size. Not of those revised every month.
    """
    last = pd.Period(older.through, "M")
    span = {"since": str(last - 23), "through": str(last)}
    sums = [
        vintages.read(one, **span)
        .groupby(["partner", "flow"], observed=True)["value_usd"]
        .sum()
        .unstack("flow")
        for one in (older, newer)
    ]
    rows = (sums[1] - sums[0]).dropna().add_suffix("_usd")
    rows["size_usd"] = sums[0].sum(axis=1)
    single = set(countries()).difference(REVISED_MONTHLY)
    rows = rows[rows.index.isin(single) & rows["size_usd"].gt(0)]
    larger = rows[["exports_usd", "imports_usd"]].abs().max(axis=1)
    return rows.assign(moved_pct=100 * larger / rows["size_usd"])


def history(known: Sequence[Vintage]) -> dict[tuple[date, date], pd.DataFrame]:
    """What each vintage revised of the one before it, where an annual revision lies between them."""
    return {
        (a.published, b.published): revised(a, b)
        for a, b in itertools.pairwise(known)
        if annual_revisions(a.published, b.published)
    }


def thresholds(rows: pd.DataFrame, before: Sequence[pd.DataFrame]) -> pd.Series:
    """Give each partner a bound in percent: its own largest revision before, and what is rare at its size.

    Rare is what 5 percent of the revisions of the 100 partners nearest in size were above.
    """
    past = pd.concat(before)
    own = past.groupby(level="partner")["moved_pct"].max()
    sizes, moved = np.log(past["size_usd"].to_numpy()), past["moved_pct"].to_numpy()
    near = {
        code: moved[np.argsort(np.abs(sizes - np.log(size)), kind="stable")[:NEAREST]]
        for code, size in rows["size_usd"].items()
    }
    rare = pd.Series({code: np.quantile(values, RARE) for code, values in near.items()})
    return pd.concat([rare, own.reindex(rows.index)], axis=1).max(axis=1)


def unusual(older: Vintage, newer: Vintage, known: Sequence[Vintage]) -> pd.DataFrame:
    """Name the partners that a vintage revised beyond their bound, the largest revision in dollars first.

    As `revised`, with `bound_pct`. Without an annual revision between the two none of their figures should
    move: the bound is then what rounding makes. Nothing is unusual while no earlier revision is known.
    """
    rows = revised(older, newer)
    if annual_revisions(older.published, newer.published):
        past = history([v for v in known if v.published <= older.published])
        if not past:
            return rows.iloc[:0].assign(bound_pct=0.0)
        rows["bound_pct"] = thresholds(rows, list(past.values()))
    else:
        rows["bound_pct"] = 100 * ROUNDING / rows["size_usd"]
    beyond = rows[rows["moved_pct"] > rows["bound_pct"]]
    order = beyond[["exports_usd", "imports_usd"]].abs().max(axis=1).sort_values(ascending=False)
    return beyond.loc[order.index]


# --- news or noise --------------------------------------------------------------------------------


def news_and_noise(first: pd.Series, final: pd.Series) -> pd.DataFrame:
    """Regress revisions on the first print (news) and on the final figure (noise).

    Revisions that are news cannot be told from the first print: in `revision = a + b * first`, a and b are
    zero. Revisions that are noise have nothing to do with the final figure: in `revision = a + b * final`, a
    and b are zero (Mankiw and Shapiro 1986). Standard errors are those of Andrews (1991): quadratic spectral
    kernel, bandwidth by an AR(1), without prewhitening, times n / (n - k); the joint test is an F test. These
    are the equations of R's reviser 0.1, `get_revision_analysis(degree = 3)`, with `sandwich::vcovHAC` and
    `car::linearHypothesis` at their defaults: docs.ropensci.org/reviser/articles/revision-analysis.html.

    Index `test`; `intercept`, `slope`, their standard errors, `p_value` of the joint test, and `n`.
    """
    revision = (final - first).to_numpy(float)
    rows = {name: _regressed(revision, x.to_numpy(float)) for name, x in (("news", first), ("noise", final))}
    return pd.DataFrame(rows).T.rename_axis("test").astype({"n": int})


def _regressed(y: np.ndarray, x: np.ndarray) -> dict[str, float]:
    design = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    scores = design * (y - design @ beta)[:, None]
    covariance = bread @ long_run(scores, bandwidth(scores[:, 1])) @ bread
    n, k = design.shape
    wald = beta @ np.linalg.solve(covariance, beta) / k  # F with 2 and n - 2 degrees of freedom
    errors = np.sqrt(np.diag(covariance))
    return {
        "intercept": beta[0],
        "intercept_error": errors[0],
        "slope": beta[1],
        "slope_error": errors[1],
        "p_value": float((1 + 2 * wald / (n - k)) ** (-(n - k) / 2)),
        "n": n,
    }


def bandwidth(scores: np.ndarray) -> float:
    """The bandwidth of Andrews (1991) for the quadratic spectral kernel, by an AR(1) of scores."""
    before, now = scores[:-1], scores[1:]
    rho = np.polyfit(before, now, 1)[0]
    alpha = 4 * rho**2 / (1 - rho) ** 4
    return float(1.3221 * (len(scores) * alpha) ** 0.2)


def long_run(scores: np.ndarray, width: float) -> np.ndarray:
    """The sum of the autocovariances of scores, weighted by that kernel, times n / (n - k)."""
    n, k = scores.shape
    z = 6 * np.pi / 5 * np.arange(1, n) / width
    weights = 3 / z**2 * (np.sin(z) / z - np.cos(z))
    beyond = np.nonzero(np.abs(weights) > 1e-7)[0]
    total = scores.T @ scores / 2
    for lag in range(1, (beyond[-1] + 2) if len(beyond) else 1):
        total = total + weights[lag - 1] * scores[:-lag].T @ scores[lag:]
    return n / (n - k) * (total + total.T)
