"""Tables ready to print: units in the headers, thousands separators, names for codes."""

import html

import pandas as pd

from tradelib.cards import PLAIN
from tradelib.errors import TradelibError
from tradelib.partners import all_partners

#: Unit of a published table: what a dollar amount is divided by, how it is called, its decimals.
UNITS = {
    "dollar": (1.0, "$", 0),
    "thousand": (1e3, "$ thousand", 0),
    "million": (1e6, "$ million", 1),
    "billion": (1e9, "$ billion", 1),
}
FREQUENCIES = {"M": "Month", "Q": "Quarter", "Y": "Year"}
#: What goes into the caption where all rows agree.
CONSTANTS = ["partner", "name", "item", "table", "vintage", "vintage_lag_days"]
WHO = ("partner", "name", "vintage")  # a table of one row keeps them
LONG = 40  # characters; a longer text may be broken
STYLES = [
    {"selector": "", "props": "border-collapse:collapse;border-top:2px solid;border-bottom:2px solid"},
    {"selector": "caption", "props": "caption-side:top;text-align:left;font-weight:600;padding:.3em 0"},
    {"selector": "thead th", "props": "border-bottom:1px solid;vertical-align:bottom;font-weight:600"},
    {"selector": "td, th", "props": "padding:.2em .8em"},
    {"selector": "caption", "props": "white-space:nowrap"},
]


def published(table: pd.DataFrame | pd.Series, *, unit: str = "million", caption: str = ""):
    """Make a table ready to print: units in the headers, thousands separators, names for codes.

    Parameters
    ----------
    table : DataFrame or Series
        As any function here returns it: dollars in columns that end in `_usd`, percent in `_pct`. The
        figures themselves stay as they are.
    unit : {"million", "billion", "thousand", "dollar"}
        In what dollars are shown.
    caption : str
        Title. What all rows have in common, as the partner or the vintage, is added to it and has no
        column.

    Returns
    -------
    Styler
        Of pandas; `.to_html()` and `.to_latex()` write it.

    Raises
    ------
    TradelibError
        If there is no such unit.

    Examples
    --------
    >>> from tradelib import by_vintage
    >>> page = published(by_vintage(partner="KOR", through="2018-07"), caption="South Korea").to_html()
    >>> "Exports, $" in page, "31,752.1" in page, "South Korea" in page
    (True, True, True)
    """
    if unit not in UNITS:
        raise TradelibError(f"There is no unit {unit!r}.", f"Units are {', '.join(UNITS)}.")
    if not isinstance(table, (pd.DataFrame, pd.Series)):
        raise TradelibError(f"A {type(table).__name__} is not a table.", "Give a pandas DataFrame or Series.")
    divisor, word, digits = UNITS[unit]
    flat, common = _apart(_flat(table))
    shown, forms, texts = {}, {}, []
    for name, column in flat.items():
        header, form = _header(str(name), column, word), None
        header = str(name) if header in shown else header
        if str(name).endswith("_usd"):
            column, form = column / divisor, f"{{:,.{digits}f}}"
        elif pd.api.types.is_float_dtype(column):
            form = "{:,.1f}"
        elif pd.api.types.is_integer_dtype(column):
            form = "{:,}"
        else:
            column = _in_words(column)
            texts.append(header)
        shown[header], forms[header] = column, form
    frame = pd.DataFrame(shown, index=flat.index)
    title = "; ".join(filter(None, [caption, *common]))
    return _styled(frame, forms, texts, title)


def _flat(table: pd.DataFrame | pd.Series) -> pd.DataFrame:
    """Put the index into columns, and names of partners in place of codes."""
    frame = table.to_frame(table.name or "value") if isinstance(table, pd.Series) else table
    numbered = frame.index.names == [None] and pd.api.types.is_integer_dtype(frame.index)
    frame = frame.reset_index(drop=True) if numbered else frame.reset_index()
    if "name" in frame and "partner" in frame:
        frame = frame.drop(columns="partner")
    if "partner" in frame:
        names = all_partners().set_index("code")["name"]
        frame["partner"] = frame["partner"].map(names).fillna(frame["partner"].astype("str"))
    marked = "note" in frame and frame["note"].notna().any()
    return frame if marked else frame.drop(columns="note", errors="ignore")


def _apart(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take out of the table what is the same in all its rows."""
    several = len(frame) > 1
    same = [name for name in CONSTANTS if name in frame and frame[name].nunique(dropna=False) == 1]
    same = [name for name in same if several or name not in WHO]
    told = []
    for name in same:
        value = _in_words(frame[name]).iloc[0]
        if name == "vintage_lag_days":
            told += [f"{value} days after the as-of date"] * bool(int(value))
        else:
            told.append(f"vintage {value}" if name == "vintage" else value)
    return frame.drop(columns=same), told


def _header(name: str, column: pd.Series, dollars: str) -> str:
    if isinstance(column.dtype, pd.PeriodDtype) and name == "period":
        return FREQUENCIES[str(column.dtype).removeprefix("period[")[0]]
    if name == "name":
        return "Partner"
    for ending, unit in (("_usd", dollars), ("_pct", "percent"), ("_days", "days")):
        if name.endswith(ending):
            return f"{_told(name.removesuffix(ending))}, {unit}"
    return _told(name)


def _told(name: str) -> str:
    """Name a column in words.

    Examples
    --------
    >>> _told("exports_change"), _told("reduction"), _told("first_services")
    ('Change of exports', 'Reduction', 'First services')
    """
    side = name.removesuffix("_change")
    words = f"change of {side}" if side != name else name
    return words.replace("_", " ").capitalize()


def _in_words(column: pd.Series) -> pd.Series:
    """Text of a column that holds no numbers: days without a time, periods as they are written."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.strftime("%Y-%m-%d")
    return column.astype("str").where(column.notna())


def _unbroken(header: str) -> str:
    """Keep a dollar sign and its unit on one line."""
    return header.replace("$ ", "$\N{NO-BREAK SPACE}")


def _styled(frame: pd.DataFrame, forms: dict, texts: list[str], title: str):
    left = [{"selector": f".col{frame.columns.get_loc(name)}", "props": "text-align:left"} for name in texts]
    styler = frame.style.hide(axis="index").format(forms, na_rep="n.a.", escape="html")
    styler = styler.format_index(_unbroken, escape="html", axis="columns")
    numbers = [name for name in frame if name not in texts]
    long = [name for name in texts if frame[name].str.len().max() > LONG]
    styler = styler.set_properties(subset=frame.columns.difference(long), **{"white-space": "nowrap"})
    styler = styler.set_properties(subset=numbers, **{"text-align": "right"})
    styler = styler.set_properties(subset=texts, **{"text-align": "left"})
    styler = styler.set_table_attributes(f'class="tradelib-table {PLAIN}"')
    styler = styler.set_table_styles([*STYLES, *left])
    return styler.set_caption(html.escape(title)) if title else styler
