"""Tariffs: what is paid on imports, from whom, on what; and rates or mix, price or volume in a change.

The arithmetic of rates is that of `briefs.tariffs`; here it answers questions of any window and table, and is
drawn. Calculated duties are an estimate by Census, not collections.
"""

from dataclasses import replace
from datetime import date

import pandas as pd

from tradelib import balances
from tradelib.briefs.brief import Brief
from tradelib.briefs.fact import source_at
from tradelib.briefs.sentences import title as titled
from tradelib.briefs.tariffs import BASE, LARGE_POINTS, rate, split, year_sums
from tradelib.errors import TradelibError
from tradelib.loaders import load
from tradelib.partners import WORLD, all_partners, country_set, partner, resolve
from tradelib.store.vintages import list_vintages
from tradelib.studies.study import Study
from tradelib.style import house as style
from tradelib.style import marks, words
from tradelib.style.house import COLOURS, Chart, Unit, styled
from tradelib.style.tables import SMALL_POINTS, published
from tradelib.tables import PROVISIONS, TARIFF_PARTS, TARIFF_YEARS, TARIFFS, table_info
from tradelib.windows import Window, as_period

#: What duties can be told by, and the table of each.
BY = {"total": TARIFFS, "industry": TARIFF_PARTS[0], "chapter": TARIFF_PARTS[1]}
BY |= {key: f"imports_consumption_{key}_nsa" for key in ("hs4", "hs6", "hs10", "enduse")}
BY |= {"provision": PROVISIONS, "year": TARIFF_YEARS}
NAMES = {"industry": words.industry, "chapter": words.chapter, "partner": lambda code: partner(code).name}
OTHERS, TOTAL = "others", "total"
ENOUGH_PCT = 50  # of the value of both windows that price and volume must cover
POINTS = Unit(1.0, "percentage points", 1)
MEASURE = "Calculated duties in percent of U.S. imports for consumption"
#: What a reader of a rate must know.
ESTIMATE = "Calculated duties are an estimate by Census, not collections; imports free of duty count."
RATE_COLUMNS = ("rate_pct", "before_rate_pct", "added_points")
RATES = ["rate_pct", "rate_on_all_imports_pct"]  # in the data of the chart by month
SHOWN, YEARS, STEPS = 20, 8, 6  # rows of the league, years of the chart, industries of the waterfall


def load_tariffs(
    *,
    by: str = "total",
    as_of: str | date | None = None,
    since: str | pd.Period | None = None,
    through: str | pd.Period | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Load duties and imports for consumption by partner, with the rate they come to.

    Parameters
    ----------
    by : str
        "total" of all goods, "industry" (three-digit NAICS) or "chapter" (HS) by month; "year" by HS
        subheading and year, with the dutiable value; "hs4", "hs6", "hs10", "enduse" or "provision" (rate
        provision) by month, once the bulk files have been fetched.
    as_of, since, through, partner, nearest_later
        As for `load`.

    Returns
    -------
    DataFrame
        As `load` returns it: `value_usd` is imports for consumption at customs value, `duty_usd` calculated
        duties; and `rate_pct`, duties in percent of imports, missing where there were none.

    Raises
    ------
    TradelibError
        If there is no such table, and as for `load`.

    Examples
    --------
    >>> import tradelib as tl
    >>> may = tl.load_tariffs(as_of="2026-02-04", partner="CHN", since="2025-05", through="2025-05")
    >>> may[["item", "rate_pct"]].round(2).values.tolist()
    [['goods', 48.24]]
    """
    if by not in BY:
        raise TradelibError(f"Duties are not told by {by!r}.", f"Known: {', '.join(BY)}.")
    span = {"since": since, "through": through}
    flows = load(BY[by], as_of=as_of, partner=partner, nearest_later=nearest_later, **span)
    return flows.assign(rate_pct=rate(flows["duty_usd"], flows["value_usd"]))


def tariff_rate(
    *,
    window: str | Window,
    as_of: str | date | None = None,
    partner: str | int | list[str] | None = None,
    nearest_later: bool = False,
) -> float | pd.DataFrame:
    """Say what duties come to, in percent of imports for consumption, over a window.

    Parameters
    ----------
    window : str or Window
        A month ("2025-05"), a year ("2024"), months ("2025-01..2025-11"), or a Window.
    as_of, partner, nearest_later
        As for `load`; the vintage must have the whole window.

    Returns
    -------
    float or DataFrame
        Percent, of one partner. Of several a row each, the highest first: index `partner`; `name`,
        `imports_usd`, `duty_usd`, `rate_pct`, then `table`, `vintage`, `vintage_lag_days`.

    Raises
    ------
    TradelibError
        If it is no window, or no vintage has it.

    Examples
    --------
    >>> import tradelib as tl
    >>> round(tl.tariff_rate(partner="CHN", window="2025-05", as_of="2026-02-04"), 2)
    48.24
    >>> tl.tariff_rate(window="2025-11", as_of="2026-02-04")[["name", "rate_pct"]].round(1).head(2)
                  name  rate_pct
    partner
    5700         China      32.3
    5600     Indonesia      20.3
    """
    span = _window(window)
    sums, source = _sums("total", span, as_of=as_of, partner=partner, nearest_later=nearest_later)
    sums = sums.droplevel("item")
    if partner is not None and not isinstance(partner, list):
        return float(sums["rate_pct"].iloc[0])
    names = all_partners().set_index("code")["name"].reindex(sums.index)
    found = pd.concat([names, sums], axis=1).assign(**source).rename_axis("partner")
    return found.sort_values("rate_pct", ascending=False, kind="stable")


def tariffs(
    *,
    window: str | Window,
    against: str | Window | None = None,
    by: str = "industry",
    as_of: str | date | None = None,
    partner: str | int = WORLD,
    nearest_later: bool = False,
) -> pd.DataFrame:
    """Split the change of a rate of duty into what the rates of its parts did and what their mix did.

    Parameters
    ----------
    window, against : str or Window
        As for `tariff_rate`: the window, and what it is compared with; a year earlier unless given.
    by : str
        "industry", "chapter" and what else `load_tariffs` knows; "partner" for the countries of the table and
        "others", the rest of the world.
    as_of, nearest_later
        As for `tariff_rate`; one vintage has both windows.
    partner : str or int
        Whose rate; of all imports unless given.

    Returns
    -------
    DataFrame
        One row for each part, most points first, and "total": `name`, `imports_usd`, `before_imports_usd`,
        `duty_usd`, `before_duty_usd`, `rate_pct`, `before_rate_pct`, `change_points` (of its own rate),
        `rate_points` and `mix_points`: what it added to the change of the whole rate. Those two add up, over
        all parts, to `change_points` of the total exactly; a part counts with its mean weight, and its mix at
        how far its mean rate is from that of the whole.

    Raises
    ------
    TradelibError
        If it is no window, no vintage has both, or the partner has no such rows.

    Examples
    --------
    >>> import tradelib as tl
    >>> found = tl.tariffs(window="2025-11", against="2024-12", by="partner", as_of="2026-02-04")
    >>> found.loc["total", ["change_points", "rate_points", "mix_points"]].round(2).to_list()
    [7.68, 8.58, -0.9]
    """
    span = _window(window)
    base = span.year_earlier if against is None else _window(against)
    who = partner
    if by == "partner":
        if resolve(who).code != WORLD:
            raise TradelibError('by="partner" is about all imports.', "Leave partner= out.")
        who = None
    both = Window(min(span.start, base.start), max(span.end, base.end))
    frames = {}
    for name, one in (("now", span), ("before", base)):
        asked = {"as_of": as_of, "partner": who, "nearest_later": nearest_later, "reach": both}
        sums, _ = _sums("total" if by == "partner" else by, one, **asked)
        frames[name] = _countries(sums) if by == "partner" else sums.droplevel("partner")
    return _split_table(frames["now"], frames["before"], by)


def _split_table(now: pd.DataFrame, before: pd.DataFrame, by: str) -> pd.DataFrame:
    """Both windows side by side by part, with what each added, and their total."""
    usd = ["imports_usd", "duty_usd"]
    if not (now["imports_usd"].sum() > 0 and before["imports_usd"].sum() > 0):
        raise TradelibError("Nothing was imported in one of the two windows: there is no rate to compare.")
    parts = split(now, before)
    order = parts.sum(axis=1).abs().sort_values(ascending=False, kind="stable").index
    columns = {}
    for prefix, rows in (("", now), ("before_", before)):
        sums = rows[usd].reindex(order).fillna(0.0)
        sums.loc[TOTAL] = sums.sum()
        columns |= {f"{prefix}{name}": sums[name] for name in usd}
        columns[f"{prefix}rate_pct"] = rate(sums["duty_usd"], sums["imports_usd"])
    found = pd.DataFrame(columns)
    found["change_points"] = found["rate_pct"] - found["before_rate_pct"]
    added = parts.loc[order]
    added.loc[TOTAL] = added.sum()
    name_of = NAMES.get(by, str)
    named = pd.Series(
        [code if code in (TOTAL, OTHERS) else name_of(code) for code in found.index], found.index
    )
    return pd.concat([named.rename("name"), found, added], axis=1).rename_axis("item")


def _countries(sums: pd.DataFrame) -> pd.DataFrame:
    """The single countries of a table of totals, and the rest of the world as "others"."""
    rows = sums.droplevel("item")[["imports_usd", "duty_usd"]]
    single = rows[rows.index.isin(country_set())]
    rest = rows.loc[WORLD] - single.sum()
    return pd.concat([single, rest.to_frame(OTHERS).T])


def _sums(
    by: str,
    window: Window,
    *,
    as_of: str | date | None,
    partner: str | int | list[str] | None,
    nearest_later: bool,
    reach: Window | None = None,
) -> tuple[pd.DataFrame, dict]:
    """Sums of a window by partner and item, of a vintage that reaches far enough; and its source."""
    if by not in BY:
        raise TradelibError(f"Duties are not told by {by!r}.", f"Known: partner, {', '.join(BY)}.")
    if by == "year":
        window, reach = (one and _years(one) for one in (window, reach))
    whole = reach or window
    span = {"since": str(whole.start), "through": str(whole.end)}
    flows = load(BY[by], as_of=as_of, partner=partner, nearest_later=nearest_later, **span)
    rows = flows.rename(columns={"value_usd": "imports_usd"}).set_index(["partner", "item", "period"])
    sums = balances.window_sum(
        rows[["imports_usd", "duty_usd"]], window, absent_is_zero=table_info(BY[by]).sparse
    )
    if partner is not None and sums["imports_usd"].isna().any():
        raise TradelibError(
            f"{BY[by]} has no whole {window} of {', '.join(sorted(set(map(str, rows.index.levels[0]))))}.",
            "A group is compared over the same members only, and a month that is missing is not zero.",
        )
    source = {name: flows[name].iloc[0] for name in ("table", "vintage", "vintage_lag_days")}
    return sums.assign(rate_pct=rate(sums["duty_usd"], sums["imports_usd"])), source


def _years(window: Window) -> Window:
    """Whole years as years."""
    first, last = window.start, window.end
    if first.freqstr[0] == "Y":
        return window
    if (first.month, last.month) != (1, 12):
        raise TradelibError(f"{window} is not a year.", 'By "year" there are whole years: window="2025".')
    return Window(str(first.year), str(last.year))


def _window(given: str | Window) -> Window:
    """Read a window of months; a year is its twelve months."""
    if isinstance(given, Window):
        return given
    first, _, last = str(given).partition("..")
    span = [as_period(one, what="window") for one in (first, last or first)]
    if any(one.freqstr[0] == "Q" for one in span):
        raise TradelibError(f"window {given!r} is in quarters.", 'Duties are by month: "2025-04..2025-06".')
    return Window(*(one.asfreq("M", how=end) for one, end in zip(span, ("start", "end"), strict=True)))


def price_or_volume(
    flows: pd.DataFrame, *, window: str | Window, against: str | Window | None = None
) -> pd.DataFrame:
    """Split the change of a value into unit values and quantities, where quantities are at hand.

    Each code's change is split at the mean of both windows (Bennet): unit values count at the mean quantity,
    quantities at the mean unit value, so that the two add up exactly, whichever window comes first.

    Parameters
    ----------
    flows : DataFrame
        One partner's and one flow's rows of a table by ten-digit code, from the bulk files, with `quantity`
        and `unit`.
    window, against : str or Window
        As for `tariff_rate`; against a year earlier unless given.

    Returns
    -------
    DataFrame
        Index `item`, the largest change first: `unit`, `before_usd`, `now_usd`, `price_usd`, `volume_usd`, of
        codes with the same unit and a quantity in both windows; then "others", whose change has no parts, and
        "total" with `covered_pct`, the share of the value of both windows that the split covers.

    Raises
    ------
    TradelibError
        If there are no quantities, or they cover less than half of the value.
    """
    lacking = {"quantity", "unit", "value_usd"} - set(flows)
    if lacking:
        raise TradelibError(
            f"The table has no column {', '.join(sorted(lacking))}.",
            "Quantities are in tables by ten-digit code from the bulk files: `tradelib fetch bulk`.",
        )
    if len(flows[["partner", "flow"]].drop_duplicates()) != 1:
        raise TradelibError("The rows are of several partners or flows.", "Load one partner of one flow.")
    span = _window(window)
    base = span.year_earlier if against is None else _window(against)
    both = {name: _quantities(flows, one) for name, one in (("now", span), ("before", base))}
    rows = both["now"].join(both["before"].add_suffix("_before"), how="outer")
    rows[["value_usd", "value_usd_before"]] = rows[["value_usd", "value_usd_before"]].fillna(0.0)
    kept = rows[
        rows["unit"].eq(rows["unit_before"]) & rows[["quantity", "quantity_before"]].gt(0).all(axis=1)
    ]
    values = rows[["value_usd", "value_usd_before"]]
    covered = 100 * values.loc[kept.index].to_numpy().sum() / values.to_numpy().sum()
    if not covered >= ENOUGH_PCT:
        raise TradelibError(
            f"Quantities of the same unit in both windows cover {covered:.0f} percent of the value.",
            f"Below {ENOUGH_PCT} percent price and volume are not told apart.",
        )
    unit_value = kept["value_usd"] / kept["quantity"], kept["value_usd_before"] / kept["quantity_before"]
    found = pd.DataFrame(
        {
            "unit": kept["unit"],
            "before_usd": kept["value_usd_before"],
            "now_usd": kept["value_usd"],
            "price_usd": (kept["quantity"] + kept["quantity_before"]) / 2 * (unit_value[0] - unit_value[1]),
            "volume_usd": (unit_value[0] + unit_value[1]) / 2 * (kept["quantity"] - kept["quantity_before"]),
        }
    )
    change = (found["now_usd"] - found["before_usd"]).abs()
    found = found.loc[change.sort_values(ascending=False, kind="stable").index]
    rest, all_of_it = values.drop(kept.index).sum(), values.sum()
    found.loc[OTHERS, ["now_usd", "before_usd"]] = rest.to_numpy()
    sums = [*all_of_it, found["price_usd"].sum(), found["volume_usd"].sum(), covered]
    found.loc[TOTAL, ["now_usd", "before_usd", "price_usd", "volume_usd", "covered_pct"]] = sums
    return found.rename_axis("item")


def _quantities(flows: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Value, quantity and unit by code over a window; one whose unit or a quantity is missing has none."""
    rows = flows[flows["period"].between(window.start, window.end)]
    by = rows.groupby("item")
    whole = rows["quantity"].notna().groupby(rows["item"]).all() & by["unit"].nunique(dropna=False).eq(1)
    sums = by[["value_usd", "quantity"]].sum().assign(unit=by["unit"].first())
    return sums.assign(quantity=sums["quantity"].where(whole), unit=sums["unit"].where(whole))


def reexports(
    *, window: str | Window, as_of: str | date | None = None, partner: str | int, nearest_later: bool = False
) -> pd.DataFrame:
    """Take the balance in goods with and without re-exports, where the bulk files are at hand.

    Re-exports are goods of foreign origin that leave again unchanged. Total exports have them, and so have
    all other figures here; without them only what was made or changed in the United States counts.

    Parameters
    ----------
    window, as_of, partner, nearest_later
        As for `tariff_rate`.

    Returns
    -------
    DataFrame
        One row, index `window`: `exports_usd`, `reexports_usd`, `imports_usd` (general), `balance_usd`,
        `balance_without_usd`, then `vintage`.

    Raises
    ------
    TradelibError
        If no vintage tells re-exports apart, or imports of the same vintage are not at hand.
    """
    span = _window(window)
    asked = {"since": str(span.start), "through": str(span.end), "nearest_later": nearest_later}
    out = load("exports_hs2_nsa", as_of=as_of, partner=partner, **asked)
    if "reexports_usd" not in out:
        raise TradelibError(
            f"exports_hs2_nsa of {out['vintage'].iloc[0]} does not tell re-exports apart.",
            "The bulk files of Census do: `tradelib fetch bulk --release 2026-07`.",
        )
    into = load("imports_general_hs2_nsa", as_of=as_of, partner=partner, **asked)
    if out["vintage"].iloc[0] != into["vintage"].iloc[0]:
        raise TradelibError("Exports and imports by chapter are at hand in different vintages only.")
    exports, foreign, imports = out["value_usd"].sum(), out["reexports_usd"].sum(), into["value_usd"].sum()
    row = {"exports_usd": exports, "reexports_usd": foreign, "imports_usd": imports}
    row |= {"balance_usd": exports - imports, "balance_without_usd": exports - foreign - imports}
    row["vintage"] = out["vintage"].iloc[0]
    return pd.DataFrame([row], index=pd.Index([str(span)], name="window"))


# --- the study of tariffs.ipynb ------------------------------------------------------------------


class Tariffs(Study):
    """A brief with the facts `tariffs.*`. Made by `study`.

    Attributes
    ----------
    base : Window
        December 2024, or where the release is not later a year before its month: what the month is compared
        with.
    parts : DataFrame or None
        The change of the partner's rate since then by industry or chapter, as `tariffs` returns it.
    league : DataFrame
        The countries of the table by rate, highest first: `rate_pct`, `before_rate_pct`, `imports_usd`,
        `duty_usd`.
    """

    def __init__(self, brief: Brief):
        super().__init__(brief)
        duties, code, month = self.snapshot.duties, self.partner.code, self.month
        self.now = duties.windows["month"]
        self.base = Window(BASE, BASE) if month > BASE else self.now.year_earlier
        now, before = (duties.sums(window) for window in (self.now, self.base))
        rows = now[now.index.isin(country_set())].assign(before_rate_pct=before["rate_pct"])
        self.league = rows.sort_values("rate_pct", ascending=False, kind="stable")
        self.parts = None
        if duties.split(code, self.now, self.base):
            by = duties.parts[0]
            self.parts = _split_table(*(duties.of_parts(code, one) for one in (self.now, self.base)), by)
        self.names |= {"base": words.period(self.base.end), "several": duties.parts[1]}


def study(brief: Brief) -> Tariffs:
    """Ask since when, on what and by whom duties are paid, and how much of a rise is rates or mix.

    Parameters
    ----------
    brief : Brief
        From `tradelib.brief`.

    Returns
    -------
    Tariffs
        The facts of the brief, those whose ids start with `tariffs.`, and the tables behind them.

    Examples
    --------
    >>> import tradelib as tl
    >>> found = study(tl.brief("KOR", "2025-11", as_of="2026-02-04"))
    >>> print(tl.say(found, "It {tariffs.change_points:rose}: {tariffs.by_rate_points} rates."))
    It rose by 13.8 percentage points: 13.7 percentage points rates.
    """
    found = Tariffs(brief)
    versus = f"{found.now} vs {found.base}"
    parts, since = found.parts, words.period(found.base.end)
    about = {"unit": "points", "window": versus, "table": found.snapshot.duties.parts_table or BY["industry"]}
    about["reason"] = found["tariff.rate.month.by_rate_points"].reason or f"nothing was imported in {since}"
    for id, column, label in (
        ("tariffs.change_points", "change_points", "Change"),
        (
            "tariffs.by_rate_points",
            "rate_points",
            f"What the rates of {found.names['several']} did to the change",
        ),
        ("tariffs.by_mix_points", "mix_points", "What their mix did to the change"),
    ):
        value = None if parts is None else float(parts.loc[TOTAL, column])
        label += f" since {since} of duties in percent of U.S. imports for consumption from {{p}}"
        found.add(id, value, label=label, large=bool(value and abs(value) >= LARGE_POINTS), **about)
    then = found.snapshot.duties.of(found.partner.code, found.base).get("rate_pct")
    label = f"Duties in percent of U.S. imports for consumption from {{p}}, {since}"
    about = {"unit": "percent", "window": found.base, "table": TARIFFS, "reason": "no table has it"}
    found.add("tariffs.rate.before", then, label=label, **about)
    _highest(found)
    _year(found)
    return found


def _highest(found: Tariffs) -> None:
    """The countries with the highest rates."""
    rows = found.league.head(5)
    entries = [{"prose": partner(code).prose, "rate_pct": usd} for code, usd in rows["rate_pct"].items()]
    label = (
        f"Countries with the highest rate of duty on U.S. imports for consumption, {words.span(found.now)}"
    )
    about = {"unit": "list", "window": found.now, "table": TARIFFS, "reason": "no table has it"}
    found.add("tariffs.highest", entries or None, label=label, n=len(found.league), **about)


def _year(found: Tariffs) -> None:
    """The whole calendar year, of a table of years that is of another vintage and has the dutiable value."""
    table, day, year = TARIFF_YEARS, found.as_of, str(found.month.year)
    vintage = next((v for v in list_vintages(table) if v.since <= year <= v.through), None)
    source = source_at(table)
    if vintage:
        lag = vintage.lag_days(day)
        source = source_at(table, vintage.published, lag, "later" if lag else "published")
    code, who, last = found.partner.code, found.partner.prose, str(int(year) - 1)
    sums = {one: vintage and year_sums(vintage, code=code, year=one, day=day) for one in (year, last)}
    for id, one, column in (
        ("duties", year, "duty_usd"),
        ("rate", year, "duty_usd"),
        ("dutiable_share", year, "dutiable_usd"),
        ("dutiable_share.year_earlier", last, "dutiable_usd"),
    ):
        usd = None if sums[one] is None else sums[one][column]
        what = "Dutiable part" if column == "dutiable_usd" else "Calculated duties"
        of = f"U.S. imports for consumption from {who}, {one}"
        about = {"window": one, "source": source, "reason": f"no table of years has {who} in {one}"}
        if id == "duties":
            found.put(f"tariffs.year.{id}", usd, unit="USD", label=f"{what} on {of}", **about)
            continue
        pct = None if usd is None else balances.share(usd, sums[one]["value_usd"])
        found.put(f"tariffs.year.{id}", pct, unit="percent", label=f"{what} in percent of {of}", **about)


# --- tables --------------------------------------------------------------------------------------


def parts_table(found: Tariffs, *, caption: str = ""):
    """Print duties by industry or chapter, most duties first, and what each added; None without them."""
    if found.parts is None:
        return None
    kind = found.snapshot.duties.parts[0]
    rows = found.parts.drop(index=TOTAL)
    shown = pd.concat([rows.nlargest(SHOWN, "duty_usd"), found.parts.loc[[TOTAL]]]).reset_index(drop=True)
    shown["name"] = shown["name"].replace({TOTAL: "All goods"})
    shown["added_points"] = shown["rate_points"] + shown["mix_points"]
    names = {"name": words.capital(kind), "imports_usd": "Imports", "duty_usd": "Duties"}
    names |= {"rate_pct": "Rate", "before_rate_pct": f"Rate in {found.names['base']}"}
    names |= {"added_points": "Added to the change"}
    return published(
        shown[[*names]],
        names=names,
        caption=titled(found, caption),
        source=style.source_line(found.snapshot, found.snapshot.duties.parts_table),
        signed=["added_points"],
        decimals=dict.fromkeys(RATE_COLUMNS, 2) if shown["added_points"].abs().max() < SMALL_POINTS else None,
        na="",
    )


# --- charts --------------------------------------------------------------------------------------


def _in_percent(rate_pct: float) -> str:
    return words.percent(rate_pct, fine=True).replace("percent", "%")


@styled
def history(found: Brief, *, least: float = 0.0, title: str = "") -> Chart | None:
    """Draw the rate on imports from the partner by month, and that on all imports.

    None without two, or where it moved by less than so many points on a year earlier.
    """
    moved = found.value("tariff.rate.month.change_points")
    if words.missing(found.value("tariff.rate.month")) or (least and abs(moved or 0.0) < least):
        return None
    monthly, code = found.snapshot.duties.monthly, found.partner.code
    monthly = monthly.loc[found.month - 12 * YEARS + 1 :]
    mine = monthly[code].loc[monthly[code].first_valid_index() :]
    if len(mine) < 2:  # one point is no line
        return None
    lines = [(mine, "highlight", words.capital(found.partner.prose.removeprefix("the ")))]
    if code != WORLD and WORLD in monthly:
        lines.append((monthly[WORLD].loc[mine.index[0] :], "muted", "All imports"))
    fig, (ax,) = style.canvas()
    ends, years = [], style.years_of(mine.index)
    for values, colour, name in lines:
        look = {"color": COLOURS[colour], "lw": 2.6 if colour == "highlight" else 1.8}
        ax.plot(years, values, label=name, **look)
        last = f"{marks.even_lines(name, 16)}\n{_in_percent(values.iloc[-1])}"
        ends.append((years[-1], values.iloc[-1], last, colour))
    high = max(values.max() for values, _, _ in lines)
    style.money_axis(ax, Unit(1.0, "percent", 0), 0, max(high, 1), snug=False)
    style.year_axis(ax, years)
    peak = mine.idxmax()
    if peak != mine.index[-1] and mine[peak] > 1.15 * mine.iloc[-1]:
        at = style.years_of(pd.PeriodIndex([peak]))[0]
        marks.mark_turn(ax, at, mine[peak], f"{words.period(peak)}\n{_in_percent(mine[peak])}")
    marks.end_labels(ax, ends)
    what = (
        f"Calculated duties in percent of U.S. imports for consumption from {found.partner.prose}, by month"
    )
    return style.dress(
        fig,
        style.source_line(found.snapshot, TARIFFS),
        title=titled(found, title),
        subtitle=what,
        note=ESTIMATE,
        data=pd.concat([line for line, *_ in lines], axis=1).set_axis(RATES[: len(lines)], axis=1),
    )


@styled
def rate_or_mix(found: Tariffs, *, title: str = "") -> Chart | None:
    """Draw what each industry or chapter added to the change of the rate; None without them."""
    if found.parts is None:
        return None
    rows, total = found.parts.drop(index=TOTAL), found.parts.loc[TOTAL]
    added = rows["rate_points"] + rows["mix_points"]
    named = rows.loc[added.abs().nlargest(STEPS).index]
    rest = rows.drop(named.index)[["rate_points", "mix_points"]].sum()
    steps = [(row["name"], row["rate_points"], row["mix_points"], "goods") for _, row in named.iterrows()]
    steps.append((f"Other {found.names['several']}", *rest, "quiet"))
    kept = [step for step in steps if abs(step[1] + step[2]) > 1e-9]
    data = pd.DataFrame([step[:3] for step in kept], columns=["part", "rate_points", "mix_points"])
    data = data.set_index("part")
    unit = POINTS if added.abs().max() >= SMALL_POINTS else replace(POINTS, digits=2)
    ends = [
        f"{words.period(w.end)}\n{total[n]:.{unit.digits}f} %"
        for w, n in ((found.base, "before_rate_pct"), (found.now, "rate_pct"))
    ]
    bars = [(ends[0], 0.0, "balance")]
    for name, by_rate, by_mix, colour in kept:
        how = f"rate {unit.number(by_rate, sign=True)}, mix {unit.number(by_mix, sign=True)}"
        bars.append((f"{marks.even_lines(name, 36)}\n{how}", by_rate + by_mix, colour))
    bars.append((ends[1], total["change_points"], "balance"))
    fig, (ax,) = style.canvas(height=1.9 + 0.46 * len(bars))
    marks.level_waterfall(ax, pd.DataFrame(bars, columns=["name", "usd", "colour"]).set_index("name"), unit)
    table = found.snapshot.duties.parts_table
    return style.dress(
        fig,
        style.source_line(found.snapshot, table),
        title=titled(found, title),
        subtitle=f"Added to the change of duties in percent of imports from {found.partner.prose}, in points",
        note="Rate: at mean imports. Mix: the shift of imports, at the mean rate less that of all.",
        data=data.assign(added_points=data.sum(axis=1)),
    )


@styled
def partners(found: Tariffs, *, title: str = "") -> Chart | None:
    """Draw the countries of the table by their rate, now and then; None without them."""
    rows, code = found.league.dropna(subset=["rate_pct"]), found.partner.code
    if rows.empty:
        return None
    kept = rows.index[:SHOWN].union([code] * (code in rows.index), sort=False)
    rows, own = rows.loc[kept], [one == code for one in kept]
    fig, (ax,) = style.canvas(height=1.7 + 0.255 * len(rows))
    colours = [COLOURS["highlight" if mine else "quiet"] for mine in own]
    ax.barh(range(len(rows)), rows["rate_pct"], height=0.62, color=colours, zorder=2)
    dot = {"ls": "", "marker": "o", "mfc": "white", "mec": COLOURS["text"], "ms": 6, "zorder": 4}
    ax.plot(rows["before_rate_pct"], range(len(rows)), clip_on=False, **dot)
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    for y, (now, before) in enumerate(zip(rows["rate_pct"], rows["before_rate_pct"], strict=True)):
        end = max(now, 0 if words.missing(before) else before)
        place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center", "zorder": 3}
        ax.annotate(f"{now:.1f}", (end, y), weight="bold" if own[y] else "normal", bbox=white, **place)
    world = found.value("world.tariff.rate.month")
    if not words.missing(world):
        ax.axvline(world, color=COLOURS["muted"], lw=1, ls=(0, (3, 3)), zorder=1, gid="upright")
    high = 1.1 * rows[["rate_pct", "before_rate_pct"]].max().max()
    style.money_axis(ax, Unit(1.0, "percent", 0), 0, high, along="x")
    labels = [partner(one).prose.removeprefix("the ") for one in kept]
    ranks = found.league["rate_pct"].rank(ascending=False, method="min")
    labels[SHOWN:] = [f"{name} ({words.ordinal(int(ranks[code]))})" for name in labels[SHOWN:]]
    marks.name_rows(ax, labels, marks.own_looks(own))
    ax.tick_params(axis="y", length=0, pad=8)  # clear of the dots at zero
    ax.spines["bottom"].set_visible(False)
    return style.dress(
        fig,
        style.source_line(found.snapshot, TARIFFS),
        title=titled(found, title),
        subtitle=f"{MEASURE}: ▬ {words.span(found.now)}  ○ {found.names['base']}",
        note=f"Of the {len(found.league)} countries of the table. Dashed: all imports. {ESTIMATE}",
        data=rows[["rate_pct", "before_rate_pct"]].set_axis(pd.Index(labels, name="country")),
    )
