"""A reply of BEA's API: its envelope, the key it echoes, and the errors it reports with status 200."""

import json
import re

from tradelib.errors import FetchError

SIGN_UP = "https://apps.bea.gov/API/signup/"
KEY_TROUBLE = r"(?i)user ?id|api ?key|\binactive\b|not active"


class NoData(FetchError):
    """BEA has nothing for a query that is right in itself."""


def without_request(data: bytes) -> bytes:
    """Drop the Request block, which echoes the key, from a good reply; refuse one that is none.

    Examples
    --------
    >>> without_request(b'{"BEAAPI": {"Request": {"RequestParam": []}, "Results": {"Data": []}}}')
    b'{"BEAAPI": {"Results": {"Data": []}}}'
    """
    return json.dumps({"BEAAPI": {"Results": results_of(data)}}).encode()


def results_of(data: bytes) -> dict:
    """Return what a reply holds, or raise in words the error it reports; errors come with status 200.

    Examples
    --------
    >>> results_of(b'{"BEAAPI": {"Error": {"APIErrorCode": "40", "APIErrorDescription": "Bad Year."}}}')
    Traceback (most recent call last):
    ...
    tradelib.errors.FetchError: BEA refuses: Bad Year. (APIErrorCode 40)
    """
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = data.decode("latin-1").strip()
    try:
        top = json.loads(text)["BEAAPI"]
        results = as_list(top.get("Results") or {})[0]
        errors = top.get("Error") or results.get("Error")
    except (ValueError, LookupError, TypeError, AttributeError):
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
    """Return a list as it is, and a single observation, which comes as an object, as a list of one.

    Examples
    --------
    >>> as_list({"DataValue": "7"})
    [{'DataValue': '7'}]
    """
    return entries if isinstance(entries, list) else [entries]
