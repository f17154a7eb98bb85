"""BEA's data API: goods and services by partner and quarter, and services by type and year.

Datasets, parameters and indicators are those of BEA's API user guide (ITA: Appendix G). BEA's own client,
beaapi, keeps to the limits, but would not do: it keeps the key in what it returns and shows it in an error,
turns (D) into a plain gap, checks neither units nor sums, and asks again for what has arrived.
"""

import re
import warnings

import numpy as np
import pandas as pd
from tqdm import tqdm

from tradelib.errors import FetchError
from tradelib.partners import PartnerError, from_area_name, partner
from tradelib.sources import bea_workbook as bea
from tradelib.sources.bea_reply import SIGN_UP, NoData, as_list, results_of, without_request
from tradelib.sources.download import api_key, get
from tradelib.sources.throttle import Throttle
from tradelib.tables import KEYS, CheckError, refuse_rows

PARSER_VERSION = "1"
ADDRESS = "https://apps.bea.gov/api/data/"
#: Indicator of the ITA dataset -> (flow, item).
INDICATORS = {
    f"{start}{end}": (flow, item)
    for start, flow in (("Exp", "exports"), ("Imp", "imports"), ("Bal", "balance"))
    for end, item in (("GdsServ", "total"), ("Gds", "goods"), ("Serv", "services"))
}
DIRECTIONS = {"Exports": "exports", "Imports": "imports", "Balance": "balance"}
#: BEA allows 100 requests, 100 MB and 30 errors in a minute; one too many locks out for an hour.
THROTTLE = Throttle({"requests": 90, "bytes": 80_000_000, "errors": 20})
#: Areas left out: remainders, and regions, which BEA draws in its own way (Mexico is part of its South
#: and Central America, but not of the workbook's "South/Central America").
REGION = re.compile(
    r"^(africa|europe|asia|middle east|latin america|(north|central|south)( and central)? america)\b"
    r"|^(all other|residual|international|members of|nafta|usmca|opec|united kingdom islands)\b"
    r"|\bother\b|\bexcluding\b",
    re.I,
)
#: Groups that are the same by treaty, whoever adds them up: the EU, the euro area, CAFTA-DR.
TREATIES = {"0003", "EURO", "0017"}
WORLD = {"Q": "0004", "Y": "0015"}  # quarters are seasonally adjusted
PERIOD = {"Q": r"\d{4}Q[1-4]", "Y": r"\d{4}"}
MARK = r"(\((?:D|NA|NM|\*)\)|n\.[as]\.)"


def fetch_trade(*, tag: str, progress: bool = False) -> list[bytes]:
    """Get goods, services and their total, exports, imports and balance, of all areas and quarters.

    Parameters
    ----------
    tag : str
        Replies kept under this word are not asked for again.
    progress : bool
        Show a progress bar.

    Returns
    -------
    list of bytes
        The list of areas, then one reply for each of nine indicators, without the request they echo.

    Raises
    ------
    FetchError
        If the key is missing or refused, or BEA reports another error.
    """
    same = {"method": "GetData", "DatasetName": "ITA", "AreaOrCountry": "All"}
    same |= {"Frequency": "QSA", "Year": "ALL"}
    queries = [_areas_of("ITA"), *(same | {"Indicator": indicator} for indicator in INDICATORS)]
    bar = tqdm(queries, desc="BEA, trade", unit="query", disable=not progress)
    return [ask(params, tag=tag) for params in bar]


def fetch_services(*, tag: str, progress: bool = False) -> list[bytes]:
    """Get services by type and year; as `fetch_trade`, with one reply for each partner."""
    found = [ask(_areas_of("IntlServTrade"), tag=tag)]
    same = {"method": "GetData", "DatasetName": "IntlServTrade", "TypeOfService": "All", "Year": "ALL"}
    same |= {"TradeDirection": "All", "Affiliation": "AllAffiliations"}
    keys = partners_of(as_list(results_of(found[0]).get("ParamValue", [])))
    for key in tqdm(keys, desc="BEA, services", unit="query", disable=not progress):
        try:
            found.append(ask(same | {"AreaOrCountry": key}, tag=tag))
        except NoData:
            continue
    return found


def _areas_of(dataset: str) -> dict[str, str]:
    return {"method": "GetParameterValues", "DatasetName": dataset, "ParameterName": "AreaOrCountry"}


def ask(params: dict[str, str], *, tag: str) -> bytes:
    """Ask BEA's API once, within its limits; what comes back is checked and holds no key."""
    attempts = []

    def pace() -> None:
        if attempts:  # the attempt before this one failed
            THROTTLE.note("errors")
        attempts.append(1)
        THROTTLE.wait()

    def clean(data: bytes) -> bytes:
        THROTTLE.note("bytes", len(data))
        try:
            return without_request(data)
        except FetchError as error:
            raise type(error)(str(error), f"Asked: {params}") from None

    secret = {"UserID": api_key("BEA_API_KEY", SIGN_UP)}
    query = params | {"ResultFormat": "JSON"}
    try:
        reply = get(ADDRESS, params=query, secret=secret, tag=tag, clean=clean, pace=pace)
        if reply.status != 200:
            raise FetchError(f"BEA sent status {reply.status}: {reply.excerpt}.", f"Asked: {params}")
    except FetchError:
        THROTTLE.note("errors")
        raise
    return reply.content


def is_bea_reply(data: bytes) -> bool:
    """Tell a reply of BEA's API from other files.

    Examples
    --------
    >>> is_bea_reply(b' {"BEAAPI": {}}'), is_bea_reply(b'[["CTY_CODE"]]')
    (True, False)
    """
    return bool(re.match(rb'(\xef\xbb\xbf)?\s*\{\s*"BEAAPI"', data[:200]))


def last_updated(replies: list[bytes]) -> str | None:
    """Return the ISO date on which BEA last changed these series, if the replies tell it.

    Examples
    --------
    >>> last_updated([b'{"BEAAPI": {"Results": {"TsLastUpdated": "2025-03-06 08:30:00.000", "Data": []}}}'])
    '2025-03-06'
    """
    told = [str(results_of(reply).get("TsLastUpdated"))[:10] for reply in replies]
    return max((day for day in told if re.fullmatch(r"\d{4}-\d\d-\d\d", day)), default=None)


def partners_of(areas: list[dict[str, str]], world: str = WORLD["Y"]) -> dict[str, str]:
    """Return those areas that are partners, Key -> code; warn of one that is neither that nor a region.

    Examples
    --------
    >>> korea = {"Key": "SouthKorea", "Desc": "South Korea"}
    >>> partners_of([korea, {"Key": "OthWestHem", "Desc": "Other Western Hemisphere"}])
    {'SouthKorea': '5800'}
    """
    found = {}
    for area in areas:
        name = area.get("Desc") or area["Key"]
        if REGION.search(name) and not name.lower().startswith("european"):
            continue
        try:
            one = partner(from_area_name(name))
        except PartnerError:
            advice = "If it is one, add this spelling to tradelib/data/partners.csv."
            warnings.warn(f"BEA's area {name!r} is no partner that we know: left out. {advice}", stacklevel=2)
            continue
        if one.kind in ("country", "former", "world") or one.code in TREATIES:
            found[area["Key"]] = world if one.kind == "world" else one.code
    return found


def parse_trade(replies: list[bytes]) -> pd.DataFrame:
    """Parse what `fetch_trade` got, in any order, to the table trade_bop_sa_api; see `parse_replies`."""
    return _only(parse_replies(replies), "trade_bop_sa_api")


def parse_services(replies: list[bytes]) -> pd.DataFrame:
    """Parse what `fetch_services` got, in any order, to the table services_bop_annual."""
    return _only(parse_replies(replies), "services_bop_annual")


def _only(tables: dict[str, pd.DataFrame], name: str) -> pd.DataFrame:
    if name not in tables:
        raise CheckError(f"These replies make {', '.join(tables)}, not {name}.")
    return tables[name]


def parse_replies(replies: list[bytes]) -> dict[str, pd.DataFrame]:
    """Tell what replies hold by their columns, and parse them: trade by quarter, or services by type.

    Parameters
    ----------
    replies : list of bytes
        The list of areas and the replies with data, in any order.

    Returns
    -------
    dict
        "trade_bop_sa_api" or "services_bop_annual": contract columns, whole dollars. BEA's marks are
        notes: a value is missing with (D) or n.a., and zero with (*).

    Raises
    ------
    CheckError
        If the list of areas is missing, a unit is not U.S. dollars, or a sum is off by more than rounding.
    """
    results = [results_of(reply) for reply in replies]
    areas = [area for found in results for area in as_list(found.get("ParamValue", []))]
    rows = [row for found in results for row in as_list(found.get("Data", []))]
    if not areas or not rows:
        raise CheckError(
            "A table is made of the list of areas (GetParameterValues) and of data; "
            f"there are {len(areas)} areas and {len(rows)} rows."
        )
    frame = pd.DataFrame(rows)
    if "Indicator" in frame:
        return {"trade_bop_sa_api": _trade(frame, areas)}
    return {"services_bop_annual": _services(frame, areas)}


def _trade(frame: pd.DataFrame, areas: list[dict]) -> pd.DataFrame:
    _need(frame, "Indicator", INDICATORS)
    _need(frame, "Frequency", {"QSA"})
    kinds = frame["Indicator"].map(INDICATORS)
    tidy = _tidy(frame.assign(flow=kinds.str[0], item=kinds.str[1]), areas, "Q")
    bea.check_sums(dict(list(tidy.groupby(["flow", "item"]))))
    return _dated(tidy, "Q")


def _services(frame: pd.DataFrame, areas: list[dict]) -> pd.DataFrame:
    _need(frame, "Affiliation", {"AllAffiliations"})
    _need(frame, "TradeDirection", {"Exports", "Imports"}, more=True)
    frame = frame.assign(flow=frame["TradeDirection"].map(DIRECTIONS), item=frame["TypeOfService"])
    tidy = _tidy(frame[frame["flow"].notna()], areas, "Y")
    wide = tidy.pivot(index=["partner", "item", "period"], columns="flow", values="value_usd")
    wide = wide.reindex(columns=list(DIRECTIONS.values()))  # the balance may not be among the replies
    off = (wide["exports"] - wide["imports"] - wide["balance"]).abs() > bea.ROUNDING_USD
    refuse_rows(wide[off].reset_index(), "balance is exports less imports")
    return _dated(tidy[tidy["flow"] != "balance"], "Y")


def _need(frame: pd.DataFrame, column: str, wanted, more: bool = False) -> None:
    """Refuse unless a column holds what is wanted, and `more` only where that does not matter."""
    found = set(frame[column].fillna("nothing").astype("str")) if column in frame else set()
    if set(wanted) - found or (found - set(wanted) and not more):
        raise CheckError(
            f"{column} must be {', '.join(wanted)}; got {', '.join(sorted(found)) or 'no such column'}."
        )


def _tidy(frame: pd.DataFrame, areas: list[dict], freq: str) -> pd.DataFrame:
    """Rows of partners with `period` (as text), `value_usd` and `note`; the same row twice is one."""
    _need(frame, "CL_UNIT", {"USD"})
    listed = {area["Key"] for area in areas}
    unlisted = [{"Key": key} for key in frame["AreaOrCountry"].unique() if key not in listed]
    codes = partners_of(areas + unlisted, WORLD[freq])
    tidy = frame.assign(partner=frame["AreaOrCountry"].map(codes), period=frame["TimePeriod"].astype("str"))
    tidy = tidy[tidy["partner"].notna()]
    if tidy.empty:
        raise CheckError("No row of these replies is of a partner that we know.")
    odd = tidy.loc[~tidy["period"].str.fullmatch(PERIOD[freq]), ["AreaOrCountry", "TimePeriod"]]
    refuse_rows(odd, f"TimePeriod is {PERIOD[freq]}")
    tidy = tidy.assign(**_values(tidy)).drop_duplicates([*KEYS, "value_usd", "note"])
    refuse_rows(tidy.loc[tidy.duplicated(KEYS), [*KEYS, "DataValue"]], "one figure per partner and period")
    return tidy[[*KEYS, "value_usd", "note"]].reset_index(drop=True)


def _values(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Strings with commas, scaled to whole dollars; marks in the place of a value, or beside it."""
    words = frame["DataValue"].fillna("").astype("str").str.strip()
    scale = 10.0 ** pd.to_numeric(frame["UNIT_MULT"], errors="coerce")
    value = np.rint(pd.to_numeric(words.str.replace(",", ""), errors="coerce") * scale)
    beside = frame["NoteRef"] if "NoteRef" in frame else pd.Series("", index=frame.index)
    note = words.where(words.str.fullmatch(MARK), beside.astype("str").str.extract(MARK)[0])
    note = note.mask(words.eq("") & note.isna(), "n.a.").replace("(NA)", "n.a.")
    value = value.mask(words.eq("(*)") | (words.eq("") & note.eq("(*)")), 0.0)
    odd = ~np.isfinite(value) & ~(words.eq("") | words.str.fullmatch(MARK))
    columns = ["AreaOrCountry", "TimePeriod", "UNIT_MULT", "DataValue"]
    refuse_rows(frame.loc[odd, columns], "DataValue is a number of 10 to the UNIT_MULT dollars, or a mark")
    return {"value_usd": value, "note": note.astype("str")}


def _dated(tidy: pd.DataFrame, freq: str) -> pd.DataFrame:
    return tidy.assign(period=pd.PeriodIndex(tidy["period"], freq=freq)).reset_index(drop=True)
