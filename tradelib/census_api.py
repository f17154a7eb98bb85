"""Replies of the Census international trade API: bytes -> tidy tables, in whole dollars, checked."""

import json

import pandas as pd

from tradelib.census import WORLD, check_world
from tradelib.flows import TABLES, CheckError, refuse_rows
from tradelib.partners import from_api_code, resolve

PARSER_VERSION = "1"
#: Value column of an API reply -> how its tables begin, and the flow.
VALUES = {
    "ALL_VAL_MO": ("exports", "exports"),
    "GEN_VAL_MO": ("imports_general", "imports"),
    "CON_VAL_MO": ("imports_consumption", "imports"),
}
#: Commodity column -> digits of its codes -> classification of the table. Each table holds one level.
HS = {2: "hs2", 4: "hs4", 6: "hs6"}
CODES = {"E_COMMODITY": HS, "I_COMMODITY": HS, "NAICS": {3: "naics"}}
CODES |= {"E_ENDUSE": {5: "enduse"}, "I_ENDUSE": {5: "enduse"}}
FOREIGN = {"exports": "I_", "imports": "E_"}  # how codes of the other flow begin
LEVELS = {"hs2": "HS2", "hs4": "HS4", "hs6": "HS6", "naics": "NA3"}


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
        `E_COMMODITY` or `I_COMMODITY` (2, 4 or 6 digits), `NAICS` (3) or `E_ENDUSE` or `I_ENDUSE` (5).
        Whole dollars.

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
    value = next((c for c in VALUES if c in reply), None)
    commodity = next((c for c in CODES if c in reply), None)
    kind, flow = VALUES.get(value, (None, None))
    table = "goods_census_nsa_api" if kind in ("exports", "imports_general") and not commodity else None
    if kind and commodity and commodity[:2] != FOREIGN[flow]:
        codes = reply[commodity].str.strip()
        reply = reply.assign(**{commodity: codes.str.zfill(2)})
        table = f"{kind}_{_level(reply, commodity)}_nsa"
    if table not in TABLES:
        raise CheckError(
            f"No table has these columns: {', '.join(map(str, reply.columns))}.",
            "Known: ALL_VAL_MO or GEN_VAL_MO by CTY_CODE, and by E_COMMODITY or I_COMMODITY (2, 4 or 6",
            "digits), NAICS (3), E_ENDUSE or I_ENDUSE (5); CON_VAL_MO by I_COMMODITY (2).",
        )
    codes = reply["CTY_CODE"] if "CTY_CODE" in reply else reply["CTY_NAME"]
    time = reply["time"] if "time" in reply else reply["YEAR"] + "-" + reply["MONTH"]
    frame = pd.DataFrame(
        {
            "period": pd.PeriodIndex(_mapped(time, lambda text: pd.Period(text, "M")), freq="M"),
            "partner": _mapped(codes, _api_partner),
            "flow": flow,
            "item": reply[commodity] if commodity else "goods",
            "value_usd": pd.to_numeric(reply[value], errors="coerce"),
            "note": pd.Series(pd.NA, index=reply.index, dtype="str"),
        }
    )
    if table == "imports_consumption_hs2_nsa":
        frame["duty_usd"] = pd.to_numeric(reply["CAL_DUT_MO"], errors="coerce")
    refuse_rows(reply[frame["value_usd"].isna()], f"{value} is a number")
    return table, frame


def _level(reply: pd.DataFrame, commodity: str) -> str:
    """Tell the classification by the digits of the codes.

    Levels contain each other, so that a reply may hold only one.
    """
    known, digits = CODES[commodity], reply[commodity].str.len()
    odd = ~reply[commodity].str.fullmatch(r"\d+") | ~digits.isin(list(known)) | digits.ne(digits.iloc[0])
    allowed = " or ".join(map(str, known))
    rule = f"{commodity} has codes of one length, {allowed} digits"
    refuse_rows(reply[odd], rule, "Ask the API for one COMM_LVL at a time.")
    found = known[digits.iloc[0]]
    level = LEVELS.get(found)
    if level and set(reply.get("COMM_LVL", [level])) != {level}:
        raise CheckError(f"These are codes of COMM_LVL {level}; the reply says {set(reply['COMM_LVL'])}.")
    return found


def _api_partner(text: str) -> str:
    return resolve(text).code if text[:1].isalpha() and text != "TOTAL" else from_api_code(text)


def _mapped(values: pd.Series, function) -> pd.Series:
    """Map through the few distinct values, so that the work is done once for each."""
    return values.map({value: function(value) for value in values.unique()})
