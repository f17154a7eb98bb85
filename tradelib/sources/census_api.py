"""Replies of the Census international trade API: bytes -> tidy tables, in whole dollars, checked.

What the endpoints have, by the Census guide to these datasets and by queries others have published
(the API itself could not be asked when this was written): `hs`, `naics` and `enduse` all hold
`ALL_VAL_MO` (exports), `GEN_VAL_MO`, `CON_VAL_MO` and `CAL_DUT_MO` (imports). `COMM_LVL` is HS2, HS4,
HS6, HS10; NA2 to NA6; EU1, EU5. Without a commodity and a `COMM_LVL` the rows are totals of all
goods. Without `SUMMARY_LVL` countries, groups and the row for all countries come mixed; with DET,
countries and that row; with CGP, groups.
"""

import json

import pandas as pd

from tradelib.partners import from_api_code, resolve
from tradelib.sources.census_files import WORLD, check_world
from tradelib.tables import CheckError, refuse_rows

PARSER_VERSION = "1"
#: Value column of an API reply -> how its tables begin, and the flow.
VALUES = {
    "ALL_VAL_MO": ("exports", "exports"),
    "GEN_VAL_MO": ("imports_general", "imports"),
    "CON_VAL_MO": ("imports_consumption", "imports"),
}
DUTY = "CAL_DUT_MO"  # belongs to imports for consumption
#: Tables of the total of all goods.
TOTALS = {
    "exports": "goods_census_nsa_api",
    "imports_general": "goods_census_nsa_api",
    "imports_consumption": "imports_consumption_nsa",
}
#: Commodity column -> digits of its codes -> classification of the table. Each table holds one level.
HS = {2: "hs2", 4: "hs4", 6: "hs6", 10: "hs10"}
CODES = {"E_COMMODITY": HS, "I_COMMODITY": HS, "NAICS": {3: "naics"}}
CODES |= {"E_ENDUSE": {5: "enduse"}, "I_ENDUSE": {5: "enduse"}}
FOREIGN = {"exports": "I_", "imports": "E_"}  # how codes of the other flow begin
LEVELS = {"hs2": "HS2", "hs4": "HS4", "hs6": "HS6", "hs10": "HS10", "naics": "NA3", "enduse": "EU5"}


def read_rows(data: bytes) -> list[list[str]]:
    """Read a reply of the Census API, a JSON array of arrays, as it stands.

    Parameters
    ----------
    data : bytes
        The body of the reply.

    Returns
    -------
    list of list of str
        The header first; all rows have its length.

    Raises
    ------
    CheckError
        If the body is an error text, an HTML page, cut short or has ragged rows.

    Examples
    --------
    >>> read_rows(b'[["CTY_CODE","time"],["5800","2018-07"]]')[0]
    ['CTY_CODE', 'time']
    """
    text = data.decode("utf-8", errors="replace").strip()
    try:
        rows = json.loads(text)
    except ValueError:
        raise CheckError(
            f"Not a reply of the Census API (JSON): it begins {text[:60]!r}.",
            "An HTML page means a missing or invalid key; a text is the server's error message.",
        ) from None
    lists = isinstance(rows, list) and all(isinstance(row, list) for row in rows)
    if not lists or len(rows) < 2 or {len(row) for row in rows} != {len(rows[0])}:
        raise CheckError("A Census API reply is a list of rows of equal length, the header first.")
    return rows


def read_api_reply(data: bytes) -> pd.DataFrame:
    """Read a reply of the Census API into a frame.

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
        If the body is no table; see `read_rows`.

    Examples
    --------
    >>> read_api_reply(b'[["CTY_CODE","ALL_VAL_MO","time"],["5800","7","2018-07"]]').shape
    (1, 3)
    """
    rows = read_rows(data)
    frame = pd.DataFrame(rows[1:], columns=rows[0], dtype="str")
    return frame.loc[:, ~frame.columns.duplicated()]


def parse_api(replies: list[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Parse replies of the Census API that belong together: one classification, one flow.

    Parameters
    ----------
    replies : list of DataFrame
        Strings as returned: values in whole dollars (`ALL_VAL_MO`, or `GEN_VAL_MO` and/or
        `CON_VAL_MO` with `CAL_DUT_MO`), `CTY_CODE` or `CTY_NAME`, `time` or `YEAR` and `MONTH`,
        and perhaps `E_COMMODITY` or `I_COMMODITY` (2, 4, 6 or 10 digits), `NAICS` (3) or
        `E_ENDUSE` or `I_ENDUSE` (5). Replies without a commodity are totals of all goods; those
        of exports and of imports belong together, as they make one table.

    Returns
    -------
    dict of str to DataFrame
        Tables, told by the columns. Contract columns; the row for all countries is partner 0015,
        groups get their own codes.

    Raises
    ------
    CheckError
        If the columns make no table, or the replies do not belong together.

    Examples
    --------
    >>> reply = pd.DataFrame({"CTY_CODE": ["-"], "ALL_VAL_MO": ["7"], "time": ["2018-07"]})
    >>> tables = parse_api([reply])
    >>> list(tables), tables["goods_census_nsa_api"].partner[0]
    (['goods_census_nsa_api'], '0015')
    """
    parsed = [_parse_reply(reply) for reply in replies]
    tables = sorted({table for _, frames in parsed for table in frames})
    if len({family for family, _ in parsed}) != 1:
        raise CheckError(f"These files make different tables: {', '.join(tables)}. Give one at a time.")
    found = {}
    for table in tables:
        parts = [frames[table] for _, frames in parsed if table in frames]
        found[table] = pd.concat(parts, ignore_index=True)
        _check_total(found[table], table)
    return found


def _check_total(frame: pd.DataFrame, table: str) -> None:
    """The total of all countries, where it is there, lacks no month between its first and last."""
    world = frame[frame["partner"] == WORLD]
    if world.empty:
        return
    seen = world["period"].drop_duplicates()
    gaps = pd.period_range(seen.min(), seen.max(), freq="M").difference(pd.PeriodIndex(seen))
    if len(gaps):
        raise CheckError(f"{table}: the total of all countries lacks {', '.join(map(str, gaps[:6]))}.")
    if table == "goods_census_nsa_api":
        check_world(frame)


def _parse_reply(reply: pd.DataFrame) -> tuple[tuple[str, ...], dict[str, pd.DataFrame]]:
    """One reply -> what it can be put together with, and its table for each value column."""
    values = [column for column in VALUES if column in reply]
    flows = {VALUES[column][1] for column in values}
    commodity = next((column for column in CODES if column in reply), None)
    if len(flows) != 1 or (commodity and commodity[:2] == FOREIGN[min(flows)]):
        _refuse_columns(reply)
    if "CON_VAL_MO" in values and DUTY not in reply:
        _refuse_columns(reply, f"CON_VAL_MO comes with {DUTY}: ask for both, or for neither.")
    flow, level = flows.pop(), None
    if commodity:
        reply = reply.assign(**{commodity: reply[commodity].str.strip().str.zfill(2)})
        level = _level(reply, commodity)
    common = _common_columns(reply, flow, reply[commodity] if commodity else "goods")
    frames = {}
    for column in values:
        kind = VALUES[column][0]
        frame = common.assign(value_usd=_dollars(reply, column))
        frame["note"] = pd.Series(pd.NA, index=frame.index, dtype="str")
        if column == "CON_VAL_MO":
            frame["duty_usd"] = _dollars(reply, DUTY)
        frames[f"{kind}_{level}_nsa" if level else TOTALS[kind]] = frame
    return (flow, level) if level else ("goods",), frames


def _refuse_columns(reply: pd.DataFrame, *advice: str) -> None:
    raise CheckError(
        f"No table has these columns: {', '.join(map(str, reply.columns))}.",
        *advice,
        "Known: ALL_VAL_MO, GEN_VAL_MO or CON_VAL_MO with CAL_DUT_MO by CTY_CODE, and by E_COMMODITY or",
        "I_COMMODITY (2, 4, 6 or 10 digits), NAICS (3), E_ENDUSE or I_ENDUSE (5).",
    )


def _common_columns(reply: pd.DataFrame, flow: str, item: pd.Series | str) -> pd.DataFrame:
    codes = reply["CTY_CODE"] if "CTY_CODE" in reply else reply["CTY_NAME"]
    time = reply["time"] if "time" in reply else reply["YEAR"] + "-" + reply["MONTH"]
    months = time.drop_duplicates()
    refuse_rows(months[~months.str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])")].to_frame("time"), "time is YYYY-MM")
    ordinals = time.map({month: pd.Period(month, "M").ordinal for month in months})
    period = pd.PeriodIndex.from_ordinals(ordinals.to_numpy(), freq="M")
    partner = codes.map({code: _api_partner(code) for code in codes.unique()})
    return pd.DataFrame({"period": period, "partner": partner, "flow": flow, "item": item})


def _dollars(reply: pd.DataFrame, column: str) -> pd.Series:
    dollars = pd.to_numeric(reply[column], errors="coerce")
    refuse_rows(reply[dollars.isna()], f"{column} is a number")
    return dollars


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
    level = LEVELS[found]
    told = set(reply["COMM_LVL"].unique()) if "COMM_LVL" in reply else {level}
    if told != {level}:
        raise CheckError(f"These are codes of COMM_LVL {level}; the reply says {', '.join(sorted(told))}.")
    return found


def _api_partner(text: str) -> str:
    return resolve(text).code if text[:1].isalpha() and text != "TOTAL" else from_api_code(text)
