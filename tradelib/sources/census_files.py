"""Census workbooks country.xlsx and ctyseasonal.xlsx: a sheet -> goods by partner and month, in dollars.

Source: census.gov/foreign-trade. Parsers are pure; they refuse what they do not recognise, naming the row and
the rule.
"""

import numpy as np
import pandas as pd

from tradelib.errors import TradelibError
from tradelib.partners import WORLD, all_partners, from_seasonal_code, resolve
from tradelib.tables import CheckError, refuse_rows

#: Name and version of the parsers of all that Census gives out, as vintages remember them.
PARSER = "census.1"
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
QUARTERS = ["Q1", "Q2", "Q3", "Q4"]
#: Largest share by which partners may miss the World row, from 1992 on. The World row is revised
#: every month and partners only each June, so that months since the last annual revision are
#: further off: up to 0.40 % in the copies of 2012-02-10 and 2023-03-08.
WORLD_TOLERANCE = 0.002
UNREVISED_TOLERANCE = 0.01
WORLD_SINCE = 1992
#: Countries missed their sum by $32 million at most in seven copies; those that vanish traded 2 in a year.
CONTINENTS, CONTINENTS_USD = ["0009", "0010", "0012", "0013", "0016", "0018"], 100e6
GONE_USD, FEW = 10e6, 10
#: Months of trade from which on a country's year is its own: in the seven bundled copies no two months are
#: again those of the year before; up to four, small ones in tenths of millions, are those of some other row.
SOME_MONTHS, MANY_MONTHS = 2, 6
#: No month of the World's exports or imports is larger. How small one may be, the vintage before says.
MOST_USD = 50e12
#: Since when the same continents are printed every year: all six, or, in the copy of 2012, four.
ALL_SIX = 1997


def parse_country(grid: pd.DataFrame) -> pd.DataFrame:
    """Parse country.xlsx: goods by partner and month, Census basis, not seasonally adjusted.

    The grid has `year`, `CTY_CODE`, `CTYNAME`, `IJAN`..`IDEC`, `IYR`, `EJAN`..`EDEC`, `EYR` in its header,
    and millions of dollars. Months after the last one that the World row (0015) reports are left out, and so
    are the zeros of groups in years before Census compiled them; the zeros of countries are kept.
    """
    names = [flow + month for flow in "IE" for month in [*MONTHS, "YR"]]
    grid = _known_columns(grid, ["year", "CTY_CODE", "CTYNAME", *names])
    grid, numbers = _rows_of_years(grid, names)
    labels = _labels(numbers["year"], _country_codes(grid), grid["CTYNAME"])
    refuse_rows(labels[numbers[names].lt(0).any(axis=1)], "No flow is negative")
    for flow in "IE":
        _check_year_column(labels, numbers[[flow + m for m in MONTHS]], numbers[flow + "YR"], flow + "YR")
    return _published_only(_flows(labels, numbers, scale=1e6))


def parse_ctyseasonal(grid: pd.DataFrame) -> pd.DataFrame:
    """Parse ctyseasonal.xlsx: goods of selected partners by month, seasonally adjusted, in dollars.

    The grid has `year`, `cty_code`, `cty_desc`, then balance (`B`), exports (`E`) and imports (`I`) by month
    and quarter; unpublished months are left out.
    """
    names = [flow + period for flow in "BEI" for period in MONTHS + QUARTERS]
    grid = _known_columns(grid, ["year", "cty_code", "cty_desc", *names])
    grid, numbers = _rows_of_years(grid, names)
    codes = [from_seasonal_code(str(code).removesuffix(".0")) for code in grid["cty_code"]]
    labels = _labels(numbers["year"], codes, grid["cty_desc"])
    _check_quarters(labels, numbers, "EI")
    for month in MONTHS:
        balance = numbers[f"E{month}"] - numbers[f"I{month}"]
        _check_equal(labels, balance, numbers[f"B{month}"], f"B{month} is exports less imports")
        blank = numbers[f"E{month}"].isna() != numbers[f"I{month}"].isna()
        refuse_rows(labels[blank], f"E{month} and I{month} are both there, or both blank")
    _check_quarters(labels, numbers, "B")
    tidy = _flows(labels, numbers, scale=1)
    return tidy[tidy["value_usd"].ne(0)].reset_index(drop=True)


def _known_columns(grid: pd.DataFrame, expected: list[str]) -> pd.DataFrame:
    """Drop unnamed columns (a saved index), then insist on the published ones, in any letter case."""
    published = {name.lower(): name for name in expected}
    names = [str(name).strip() for name in grid.columns]
    names = [published.get(name.lower(), name) for name in names]
    grid = grid.set_axis(names, axis=1)
    unnamed = [n for n in names if not n or n.startswith("Unnamed")]
    grid = grid.drop(columns=unnamed)
    wrong = [n for n in grid.columns if n not in expected]
    missing = [n for n in expected if n not in grid.columns]
    if wrong or missing or grid.columns.duplicated().any():
        raise CheckError(
            "The columns are not those that Census publishes.",
            f"Missing: {', '.join(missing) or 'none'}.",
            f"Unknown: {', '.join(wrong) or 'none'}.",
            f"Expected: {', '.join(expected[:4])} ... {expected[-1]}.",
        )
    return grid[expected]


def _numbers(grid: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Cells to floats; blank is missing, text is refused."""
    numbers = {}
    for name in columns:
        cells = grid[name]
        if not pd.api.types.is_numeric_dtype(cells):
            text = cells.astype("str").str.strip().str.replace(",", "")
            blank = cells.isna() | text.isin(["", "nan", "None"])
            cells = pd.to_numeric(text.where(~blank), errors="coerce")
            refuse_rows(grid.loc[cells.isna() & ~blank, [*grid.columns[:3], name]], f"{name} is a number")
        numbers[name] = cells.astype(float)
    return pd.DataFrame(numbers)


def _rows_of_years(grid: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows that have a year, as text and as numbers; a row with figures has one, and no year is left out."""
    numbers = _numbers(grid, ["year", *names])
    blank = numbers["year"].isna()
    figures = numbers[names].fillna(0).ne(0).any(axis=1)
    refuse_rows(grid[blank & figures].iloc[:, :6], "A row with figures has a year")
    years = numbers["year"].dropna()
    main = years.mode().min()  # the most rows
    run = years.drop_duplicates().sort_values()
    run = run[run.diff().ne(1).cumsum().eq(run.diff().ne(1).cumsum()[run.eq(main)].max())]
    refuse_rows(grid.loc[years[~years.isin(run)].index].iloc[:, :6], "Years follow each other, without a gap")
    return grid[~blank].reset_index(drop=True), numbers[~blank].reset_index(drop=True)


def _labels(years: pd.Series, codes: pd.Series | list[str], names: pd.Series) -> pd.DataFrame:
    """Year, partner and name of each row; no year of a partner is there twice."""
    labels = pd.DataFrame({"year": years.astype(int), "partner": codes, "name": names.astype(str)})
    check_names(labels)
    refuse_rows(labels[labels.duplicated(["year", "partner"], keep=False)], "One row per year and code")
    return labels


def check_names(labels: pd.DataFrame) -> None:
    """A name beside a code is that of its partner; names that we do not know tell nothing."""
    known = all_partners().set_index("code")["kind"]
    pairs = labels.drop_duplicates(["partner", "name"]).dropna()
    told = pairs["name"].map({name: _code_of(name) for name in pairs["name"].unique()})
    kinds = pairs["partner"].map(known)
    both = told.map(known).eq("world") & kinds.eq("world")  # the world has two codes
    wrong = told.notna() & told.ne(pairs["partner"]) & kinds.ne("former") & ~both
    refuse_rows(pairs[wrong], "The name beside a code is that of its partner")


def _code_of(name: str) -> str | None:
    """The code of a name that we know."""
    try:
        return resolve(name).code
    except TradelibError:
        return None


def _check_quarters(labels: pd.DataFrame, numbers: pd.DataFrame, letters: str) -> None:
    for flow in letters:
        for n, quarter in enumerate(QUARTERS):
            months = numbers[[flow + m for m in MONTHS[3 * n : 3 * n + 3]]].sum(axis=1, min_count=3)
            _check_equal(labels, months, numbers[flow + quarter], f"{flow}{quarter} is the sum of its months")


def _check_equal(labels: pd.DataFrame, found: pd.Series, printed: pd.Series, rule: str) -> None:
    """Refuse rows in which a sum is not what is printed, to two dollars, or in which only one is there."""
    off = (found - printed).abs().gt(2) | found.isna().ne(printed.isna())
    refuse_rows(labels.assign(difference=found - printed)[off], rule)


def _country_codes(grid: pd.DataFrame) -> pd.Series:
    codes = grid["CTY_CODE"].astype("str").str.strip().str.removesuffix(".0").str.zfill(4)
    unknown = ~codes.isin(set(all_partners()["code"]))
    refuse_rows(
        grid.loc[unknown, ["year", "CTY_CODE", "CTYNAME"]].drop_duplicates("CTY_CODE"),
        "Every CTY_CODE is in Schedule C or a known group",
        "A code that Census has added belongs in tradelib/data/partners.csv.",
    )
    return codes


def _check_year_column(labels: pd.DataFrame, months: pd.DataFrame, year: pd.Series, name: str) -> None:
    """Twelve months sum to the year within the rounding the row itself shows.

    A cell is known to the decimals its row is printed with, and no better than ten significant
    digits (a CSV saved from a spreadsheet cuts there).
    """
    refuse_rows(labels[year.isna()], f"Every row has its {name} (is the file cut short?)")
    cells = np.column_stack([months.fillna(0).to_numpy(), year.to_numpy()])
    decimals = np.zeros(len(cells))
    for n in range(6, 0, -1):
        scaled = cells * 10.0 ** (n - 1)
        needs = (np.abs(scaled - np.rint(scaled)) > 1e-9 * np.maximum(1, np.abs(scaled))).any(axis=1)
        decimals = np.where((decimals == 0) & needs, n, decimals)
    digits = np.ceil(np.log10(np.maximum(np.abs(cells), 1))) - 10
    unit = np.maximum(10.0 ** -decimals[:, None], 10.0**digits)
    difference = cells[:, :12].sum(axis=1) - cells[:, 12]
    off = labels.assign(difference=difference, allowed=unit.sum(axis=1) / 2)
    refuse_rows(off[np.abs(difference) > off.allowed], f"Twelve months sum to {name} ($ million)")


def _flows(labels: pd.DataFrame, numbers: pd.DataFrame, scale: float) -> pd.DataFrame:
    """Twelve columns of each flow to twelve rows, to whole dollars; blank cells give no row."""
    ordinals = (labels["year"].to_numpy()[:, None] - 1970) * 12 + np.arange(12)
    parts = []
    for letter, flow in (("E", "exports"), ("I", "imports")):
        months = numbers[[letter + month for month in MONTHS]].to_numpy()
        frame = pd.DataFrame(
            {
                "period": pd.PeriodIndex.from_ordinals(ordinals.ravel(), freq="M"),
                "partner": labels["partner"].repeat(12).to_numpy(),
                "flow": flow,
                "item": "goods",
                "value_usd": np.rint(months.ravel() * scale),
                "note": pd.Series(pd.NA, index=range(12 * len(labels)), dtype="str"),
            }
        )
        parts.append(frame[frame["value_usd"].notna()])
    return pd.concat(parts, ignore_index=True)


def _published_only(frame: pd.DataFrame) -> pd.DataFrame:
    """Cut the months that are not out yet, and zeros that stand for 'not compiled'."""
    kinds = frame["partner"].map(all_partners().set_index("code")["kind"])
    traded = frame[frame["value_usd"] > 0]
    world = traded[traded["partner"] == WORLD]
    witness = world if len(world) else traded
    last = witness.groupby("flow")["period"].max()
    if last.nunique() != 1:
        raise CheckError(f"Exports and imports end in the same month; got {last.astype(str).to_dict()}.")
    beyond = traded[traded["period"] > last.iloc[0]]
    shown = ["period", "partner", "flow", "value_usd"]
    refuse_rows(beyond[shown], f"No figures after {last.iloc[0]}, the last month of the World row")
    compiled = (frame["value_usd"] > 0) | ~kinds.isin(["group", "world", "product"])
    frame = frame[compiled & (frame["period"] <= last.iloc[0])].reset_index(drop=True)
    if witness is not world and frame["period"].max().year >= WORLD_SINCE:
        raise CheckError(
            "There is no row of the World (0015), against which the partners are held.", "Is the file whole?"
        )
    if len(world):
        span = (world["period"].max() - world["period"].min()).n
        if world["period"].nunique() <= span or world["flow"].value_counts().nunique() > 1:
            raise CheckError("Months of the World (0015) are missing, against which the partners are held.")
        check_size_of_world(world)
        check_world(frame)
    kinds = frame["partner"].map(all_partners().set_index("code")["kind"])
    _check_continents(frame, kinds)
    _check_years(frame[kinds == "country"])
    return frame


def check_size_of_world(world: pd.DataFrame) -> None:
    """No month of the world is too large, and its exports are not above its imports, where both are there."""
    if world["value_usd"].max() > MOST_USD:
        usd = f"${world['value_usd'].max() / 1e9:,.3g} billion"
        raise CheckError(f"The largest month of the World would be {usd}: are these millions of dollars?")
    sums = world.groupby(["flow", world["period"].dt.year])["value_usd"].sum().unstack("flow").dropna()
    if set(sums) == {"exports", "imports"} and (sums["exports"] > sums["imports"]).mean() > 0.5:
        raise CheckError("The world's exports are above its imports: are the two exchanged?")


def _check_continents(frame: pd.DataFrame, kinds: pd.Series) -> None:
    """Countries add up to the six continents, where all are printed, but for ships' stores and the like."""
    single = frame[kinds.isin(["country", "former"])]
    parts = (
        frame[frame["partner"].isin(CONTINENTS)].groupby(["flow", "period"])["value_usd"].agg(["sum", "size"])
    )
    whole = parts["size"] == len(CONTINENTS)
    recent = parts[parts.index.get_level_values("period").year >= ALL_SIX]
    fewer = recent[recent["size"] < recent["size"].max()].rename(columns={"size": "continents"})
    refuse_rows(fewer.reset_index(), "A continent that is printed is printed every year")
    sums = parts[whole].rename(columns={"sum": "continents"})
    sums = sums.assign(countries=single.groupby(["flow", "period"])["value_usd"].sum())
    off = (sums["countries"] - sums["continents"]).abs() > CONTINENTS_USD
    refuse_rows(sums[off].drop(columns="size").reset_index(), "Countries sum to the continents")


def _check_years(single: pd.DataFrame) -> None:
    """No country of some size ends before the others, and no year is the one before it again."""
    years = single["period"].dt.year.rename("year")
    sums = single.groupby(["partner", years])["value_usd"].sum().unstack("year")
    gone = sums.shift(1, axis=1).where(sums.isna()).stack()
    gone = gone[gone > GONE_USD].rename("traded_the_year_before").reset_index()
    refuse_rows(gone, "A partner that traded has rows in the next year too")
    months = (
        single[single["value_usd"] > 0]
        .set_index(["partner", "flow", "period"])["value_usd"]
        .unstack("period")
    )
    again = months.eq(months.shift(12, axis=1)).sum() / months.notna().sum()
    copied = again[(months.notna().sum() > 2 * FEW) & (again > 0.5)].index
    if len(copied):
        raise CheckError(f"The figures of {', '.join(map(str, copied[:3]))} are those of a year before.")
    if len(sums) > 2 * FEW:
        _check_copied(single.assign(year=years, month=single["period"].dt.month))


def _check_copied(single: pd.DataFrame) -> None:
    """No year of a country is that of another one, nor, as far as it goes, its own of the year before."""
    wide = single.pivot(index=["partner", "flow", "year"], columns="month", values="value_usd")
    traded, before = (wide > 0).sum(axis=1), wide.groupby(level=["partner", "flow"]).shift()
    again = (wide.eq(before) | wide.isna()).all(axis=1) & (traded >= SOME_MONTHS)
    again |= wide.duplicated(keep=False) & (traded >= MANY_MONTHS)
    refuse_rows(again[again].index.to_frame(index=False), "The months of a year are not those of another row")


def check_world(frame: pd.DataFrame) -> None:
    """Partners sum to the World row, from 1992 on, within the tolerance of their revision."""
    kinds = frame["partner"].map(all_partners().set_index("code")["kind"])
    recent = frame["period"] >= pd.Period("1992-01", "M")
    single = frame[recent & kinds.isin(["country", "former", "other"])]
    partners = single.groupby(["flow", "period"])["value_usd"].sum()
    world = frame[recent & (frame["partner"] == WORLD)].set_index(["flow", "period"])["value_usd"]
    sums = pd.DataFrame({"partners": partners, "world": world}).dropna().reset_index()
    if sums.empty:
        return
    last = sums["period"].max()
    unrevised = pd.Period(f"{last.year if last.month >= 4 else last.year - 1}-01", "M")
    sums["allowed_pct"] = np.where(sums["period"] < unrevised, WORLD_TOLERANCE, UNREVISED_TOLERANCE) * 100
    sums["difference_pct"] = 100 * (sums["partners"] / sums["world"] - 1)
    refuse_rows(sums[sums["difference_pct"].abs() > sums["allowed_pct"]], "Partners sum to the World row")
