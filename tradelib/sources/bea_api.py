"""BEA's data API: goods and services by partner and quarter, and services by type and year.

Datasets, parameters and indicators are those of BEA's API user guide (ITA: Appendix G). BEA's own client,
beaapi, keeps to the limits, but would not do: it keeps the key in what it returns and shows it in an error,
turns (D) into a plain gap, checks neither units nor sums, and asks again for what has arrived.
"""

import json
import re
import warnings

import numpy as np
import pandas as pd
from tqdm import tqdm

from tradelib.errors import FetchError
from tradelib.partners import PartnerError, from_area_name, partner
from tradelib.sources.bea_workbook import ROUNDING_USD, check_sums, dated
from tradelib.sources.download import Throttle, api_key, get
from tradelib.tables import KEYS, CheckError, refuse_rows

PARSER = "bea_api.1"  # as vintages remember it
ADDRESS = "https://apps.bea.gov/api/data/"
KEY, SIGN_UP = "BEA_API_KEY", "https://apps.bea.gov/API/signup/"
KEY_TROUBLE = r"(?i)user ?id|api ?key|\binactive\b|not active"
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
    re.IGNORECASE,
)
#: Groups that are the same by treaty, whoever adds them up: the EU, the euro area, CAFTA-DR.
TREATIES = {"0003", "EURO", "0017"}
WORLD_CODE = {"Q": "0004", "Y": "0015"}  # quarters are seasonally adjusted
PERIOD = {"Q": r"\d{4}Q[1-4]", "Y": r"\d{4}"}
MARK = r"(\((?:D|NA|NM|\*)\)|n\.[as]\.)"


# --- asking -------------------------------------------------------------------------------------


def fetch_trade(*, tag: str, progress: bool = False) -> list[bytes]:
    """Get goods, services and their total, exports, imports and balance, of all areas and quarters."""
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

    secret = {"UserID": api_key(KEY, SIGN_UP)}
    query = params | {"ResultFormat": "JSON"}
    try:
        reply = get(ADDRESS, params=query, secret=secret, tag=tag, clean=clean, pace=pace)
        if reply.status != 200:
            raise FetchError(f"BEA sent status {reply.status}: {reply.excerpt}.", f"Asked: {params}")
    except FetchError:
        THROTTLE.note("errors")
        raise
    return reply.content


# --- a reply: its envelope, the key it echoes, the errors it reports with status 200 -------------


class NoData(FetchError):
    """BEA has nothing for a query that is right in itself."""


def without_request(data: bytes) -> bytes:
    """Drop the Request block, which echoes the key, from a good reply; refuse one that is none."""
    return json.dumps({"BEAAPI": {"Results": results_of(data)}}).encode()


def results_of(data: bytes) -> dict:
    """Return what a reply holds, or raise in words the error it reports; errors come with status 200."""
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = data.decode("latin-1").strip()
    try:
        top = json.loads(text)["BEAAPI"]
        results = as_list(top.get("Results") or {})[0]
        errors = top.get("Error") or results.get("Error")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        page = text[:1] == "<" or "</html>" in text[-200:].lower()
        kind = "a web page" if page else "an empty reply" if not text else "no whole JSON"
        raise FetchError(f"BEA sent {kind} instead of figures; it begins {text[:40]!r}.") from None
    if errors:
        _refuse(as_list(errors))
    if not ({"Data", "ParamValue"} & set(results)):
        parts = ", ".join(results) or "nothing"
        raise FetchError(f"BEA's reply holds neither Data nor ParamValue, but {parts}.")
    return results


def _refuse(errors: list) -> None:
    """Raise what BEA reports: {APIErrorCode, APIErrorDescription}, or a list of {number, error}."""
    told = [one if isinstance(one, dict) else {"error": one} for one in errors]
    main = " ".join(str(one.get("APIErrorDescription") or one.get("error") or "no words") for one in told)
    named = ("APIErrorDescription", "error", "number")
    rest = ", ".join(f"{key} {value}" for one in told for key, value in one.items() if key not in named)
    words = re.sub(r"[\w-]{30,}", "***", f"{main} ({rest})" if rest else main)  # no error need show a key
    if "APIErrorCode 1" in rest.split(", ") or re.search(KEY_TROUBLE, main):
        advice = f"A new key works once the link in BEA's e-mail was followed; one is free at {SIGN_UP}"
        raise FetchError(f"BEA does not accept the key in BEA_API_KEY: {words}", advice)
    raise (NoData if re.search(r"(?i)\bno data\b", main) else FetchError)(f"BEA refuses: {words}")


def as_list(entries) -> list:
    """Return a list as it is, and a single observation, which comes as an object, as a list of one."""
    return entries if isinstance(entries, list) else [entries]


def is_bea_reply(data: bytes) -> bool:
    """Tell a reply of BEA's API from other files."""
    return bool(re.match(rb'(\xef\xbb\xbf)?\s*\{\s*"BEAAPI"', data[:200]))


def last_updated(replies: list[bytes]) -> str | None:
    """Return the ISO date on which BEA last changed these series, if the replies tell it."""
    told = [str(results_of(reply).get("TsLastUpdated"))[:10] for reply in replies]
    return max((day for day in told if re.fullmatch(r"\d{4}-\d\d-\d\d", day)), default=None)


# --- what replies say ---------------------------------------------------------------------------


def partners_of(areas: list[dict[str, str]], world: str = WORLD_CODE["Y"]) -> dict[str, str]:
    """Return those areas that are partners, Key -> code; warn of one that is neither that nor a region."""
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


def parse(replies: list[bytes]) -> dict[str, pd.DataFrame]:
    """Parse the list of areas and the replies with data, in any order, to the table that their columns tell.

    They make trade_bop_sa_api (by quarter) or services_bop_annual (by type and year). BEA's marks are notes:
    a value is missing with (D) or n.a., and zero with (*). Units must be dollars, and sums agree.
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
    check_sums(dict(list(tidy.groupby(["flow", "item"]))))
    return dated(tidy, "Q")


def _services(frame: pd.DataFrame, areas: list[dict]) -> pd.DataFrame:
    _need(frame, "Affiliation", {"AllAffiliations"})
    _need(frame, "TradeDirection", {"Exports", "Imports"}, more=True)
    frame = frame.assign(flow=frame["TradeDirection"].map(DIRECTIONS), item=frame["TypeOfService"])
    tidy = _tidy(frame[frame["flow"].notna()], areas, "Y")
    wide = tidy.pivot(index=["partner", "item", "period"], columns="flow", values="value_usd")
    wide = wide.reindex(columns=list(DIRECTIONS.values()))  # the balance may not be among the replies
    off = (wide["exports"] - wide["imports"] - wide["balance"]).abs() > ROUNDING_USD
    refuse_rows(wide[off].reset_index(), "balance is exports less imports")
    return dated(tidy[tidy["flow"] != "balance"], "Y")


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
    codes = partners_of(areas + unlisted, WORLD_CODE[freq])
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
