"""Replies of the Census international trade API: bytes -> tidy tables, in whole dollars, checked."""

import json

import pandas as pd

from tradelib.census import WORLD, check_world
from tradelib.flows import CheckError, refuse_rows
from tradelib.partners import from_api_code, resolve

PARSER_VERSION = "1"
#: (value column, commodity column) of an API reply -> (table, flow).
API_TABLES = {
    ("ALL_VAL_MO", None): ("goods_census_nsa_api", "exports"),
    ("GEN_VAL_MO", None): ("goods_census_nsa_api", "imports"),
    ("ALL_VAL_MO", "E_COMMODITY"): ("exports_hs2_nsa", "exports"),
    ("ALL_VAL_MO", "NAICS"): ("exports_naics_nsa", "exports"),
    ("GEN_VAL_MO", "I_COMMODITY"): ("imports_general_hs2_nsa", "imports"),
    ("CON_VAL_MO", "I_COMMODITY"): ("imports_consumption_hs2_nsa", "imports"),
}
#: Commodity column -> the one level of it that a table holds: levels contain each other.
LEVELS = {"E_COMMODITY": "HS2", "I_COMMODITY": "HS2", "NAICS": "NA3"}


def read_api_reply(data: bytes) -> pd.DataFrame:
    """Read a reply of the Census API, a JSON array of arrays with the header first.

    Parameters
    ----------
    data : bytes
        The body of the reply.

    Returns
    -------
    DataFrame
        Strings exactly as returned; a predicate that is repeated as a last column appears once.

    Raises
    ------
    CheckError
        If the body is an error text, an HTML page, cut short or has ragged rows.

    Examples
    --------
    >>> read_api_reply(b'[["CTY_CODE","ALL_VAL_MO","time"],["5800","7","2018-07"]]').shape
    (1, 3)
    """
    text = data.decode("utf-8", errors="replace").strip()
    try:
        rows = json.loads(text)
    except ValueError:
        raise CheckError(
            f"Not a reply of the Census API (JSON): it begins {text[:60]!r}.",
            "An HTML page means a missing or invalid key; a text is the server's error message.",
        ) from None
    if not isinstance(rows, list) or len(rows) < 2 or {len(row) for row in rows} != {len(rows[0])}:
        raise CheckError("A Census API reply is a list of rows of equal length, the header first.")
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype="str")
    return frame.loc[:, ~frame.columns.duplicated()]


def parse_api(replies: list[pd.DataFrame]) -> tuple[str, pd.DataFrame]:
    """Parse replies of the Census API that together make one table.

    Parameters
    ----------
    replies : list of DataFrame
        Strings as returned: a value (`ALL_VAL_MO`, `GEN_VAL_MO` or `CON_VAL_MO` with
        `CAL_DUT_MO`), `CTY_CODE` or `CTY_NAME`, `time` or `YEAR` and `MONTH`, and perhaps
        `E_COMMODITY` or `I_COMMODITY` at level HS2, or `NAICS` at level NA3. Whole dollars.

    Returns
    -------
    table : str
        The table they make, told by the columns.
    frame : DataFrame
        Contract columns; the row for all countries is partner 0015, groups get their own codes.

    Raises
    ------
    CheckError
        If the columns make no table, or the replies make different ones.

    Examples
    --------
    >>> reply = pd.DataFrame({"CTY_CODE": ["-"], "ALL_VAL_MO": ["7"], "time": ["2018-07"]})
    >>> table, frame = parse_api([reply])
    >>> table, frame.partner[0]
    ('goods_census_nsa_api', '0015')
    """
    parsed = [_parse_reply(reply) for reply in replies]
    tables = sorted({table for table, _ in parsed})
    if len(tables) != 1:
        raise CheckError(f"These files make different tables: {', '.join(tables)}. Give one at a time.")
    frame = pd.concat([frame for _, frame in parsed], ignore_index=True)
    world = frame[frame["partner"] == WORLD]
    if len(world):
        seen = world["period"].drop_duplicates()
        months = pd.period_range(seen.min(), seen.max(), freq="M")
        gaps = months.difference(pd.PeriodIndex(seen))
        if len(gaps):
            raise CheckError(
                f"{tables[0]}: the total of all countries lacks {', '.join(map(str, gaps[:6]))}."
            )
        if tables[0] == "goods_census_nsa_api":
            check_world(frame)
    return tables[0], frame


def _parse_reply(reply: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    value = next((c for c in ("ALL_VAL_MO", "GEN_VAL_MO", "CON_VAL_MO") if c in reply), None)
    commodity = next((c for c in LEVELS if c in reply), None)
    if (value, commodity) not in API_TABLES:
        raise CheckError(
            f"No table has these columns: {', '.join(map(str, reply.columns))}.",
            "Known: ALL_VAL_MO or GEN_VAL_MO by CTY_CODE; with E_COMMODITY or I_COMMODITY by HS chapter;",
            "ALL_VAL_MO with NAICS by three-digit code.",
        )
    table, flow = API_TABLES[value, commodity]
    if commodity:
        _one_level(reply, table, commodity)
    codes = reply["CTY_CODE"] if "CTY_CODE" in reply else reply["CTY_NAME"]
    time = reply["time"] if "time" in reply else reply["YEAR"] + "-" + reply["MONTH"]
    frame = pd.DataFrame(
        {
            "period": pd.PeriodIndex(_mapped(time, lambda text: pd.Period(text, "M")), freq="M"),
            "partner": _mapped(codes, _api_partner),
            "flow": flow,
            "item": reply[commodity].str.strip().str.zfill(2) if commodity else "goods",
            "value_usd": pd.to_numeric(reply[value], errors="coerce"),
            "note": pd.Series(pd.NA, index=reply.index, dtype="str"),
        }
    )
    if table == "imports_consumption_hs2_nsa":
        frame["duty_usd"] = pd.to_numeric(reply["CAL_DUT_MO"], errors="coerce")
    refuse_rows(reply[frame["value_usd"].isna()], f"{value} is a number")
    return table, frame


def _one_level(reply: pd.DataFrame, table: str, commodity: str) -> None:
    level = LEVELS[commodity]
    digits = {"HS2": r"\d{1,2}", "NA3": r"\d{3}"}[level]
    if set(reply.get("COMM_LVL", [level])) != {level}:
        raise CheckError(f"{table} holds one level, COMM_LVL {level}; got {set(reply['COMM_LVL'])}.")
    other = reply[~reply[commodity].str.strip().str.fullmatch(digits)]
    refuse_rows(
        other, f"{table}: {commodity} is a code of level {level}", f"Ask the API for COMM_LVL={level}."
    )


def _api_partner(text: str) -> str:
    return resolve(text).code if text[:1].isalpha() and text != "TOTAL" else from_api_code(text)


def _mapped(values: pd.Series, function) -> pd.Series:
    """Map through the few distinct values, so that the work is done once for each."""
    return values.map({value: function(value) for value in values.unique()})
