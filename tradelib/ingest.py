"""From a file somebody downloaded to vintages in the store: recognise, parse, check, keep."""

import hashlib
import io
from datetime import date
from pathlib import Path

import pandas as pd

from tradelib import bea, calendar, census, census_api, vintages
from tradelib.errors import TradelibError
from tradelib.flows import CheckError, table_info

DOWNLOAD_AGAIN = "Open it to see what the server sent, and download it again."


def ingest(
    paths: list[Path],
    *,
    table: str | None = None,
    published: str | date | None = None,
    saved: str | date | None = None,
    note: str = "",
    store: Path | None = None,
) -> list[tuple[vintages.Vintage, bool]]:
    """Parse and check files of one publication, and keep them as vintages.

    Parameters
    ----------
    paths : list of Path
        One workbook or CSV, or several API replies that make one table.
    table : str, optional
        The table they must be; told by the files themselves unless given.
    published : str or date, optional
        Publication date. Unless given, the date in the file or of the release it belongs to.
    saved : str or date, optional
        Instead of `published`: the day by which a copy was saved, where no more is known.
    note : str
        How the file was come by; kept with the vintage.
    store : Path, optional
        The user's store unless given.

    Returns
    -------
    list of (Vintage, bool)
        Each vintage, and whether it was written (False: the same figures were there already).

    Raises
    ------
    TradelibError
        If a file cannot be read, is not recognised, fails a check, or its date is not known.

    Examples
    --------
    >>> ingest([Path("no-such-file.xlsx")])
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: Cannot read no-such-file.xlsx: No such file or directory.
    """
    if published and saved:
        raise TradelibError("Give --published or --saved, not both.")
    if table:
        table_info(table)
    files = [(path.name, _read(path)) for path in paths]
    tables, dated, parser = _parse(files)
    if table and table not in tables:
        raise TradelibError(f"{files[0][0]} is {' and '.join(tables)}, not {table}.")
    if saved:
        day, dated_by = calendar.parse_date(saved, "--saved"), "saved"
    else:
        day, dated_by = _date(published or dated, tables), "published"
    for name, frame in tables.items():
        last = frame["period"].max()
        if last.start_time.date() >= day:
            raise TradelibError(f"{name} reaches {last}, which is after {day}: check the date given.")
    sources = [{"name": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in files]
    options = {"published": day, "sources": sources, "parser": parser, "dated_by": dated_by}
    chosen = [table] if table else list(tables)
    return [vintages.save(tables[name], name, note=note, store=store, **options) for name in chosen]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TradelibError(f"Cannot read {path}: {error.strerror}.") from None


def _date(given: str | date | None, tables: dict[str, pd.DataFrame]) -> date:
    if given:
        return calendar.parse_date(given, "--published")
    month = str(next(iter(tables.values()))["period"].max())
    found = calendar.release(month) if "goods_census_nsa" in tables else None
    if found and found.published:
        return found.published
    raise TradelibError(
        f"The file reaches {month}; its publication date is not known.", "Give it: --published YYYY-MM-DD."
    )


def _parse(files: list[tuple[str, bytes]]) -> tuple[dict[str, pd.DataFrame], str | None, str]:
    """Recognise files by their content -> tables, the date printed in them, parser and version."""
    contents = []
    for name, data in files:
        try:
            contents.append(_open(data))
        except CheckError as error:
            raise CheckError(f"{name}: {error}") from None
    name = files[0][0]
    try:
        if isinstance(contents[0], dict):
            _one_file(files)
            return (
                bea.parse_country_workbook(contents[0]),
                bea.last_updated(contents[0]),
                f"bea.{bea.PARSER_VERSION}",
            )
        tables = _parse_grids(files, contents)
    except TradelibError as error:
        raise CheckError(f"{name} is refused. {error}", "Nothing was saved.") from None
    return tables, None, f"census.{census.PARSER_VERSION}"


def _parse_grids(files: list, grids: list[pd.DataFrame]) -> dict[str, pd.DataFrame]:
    columns = {str(column).strip() for column in grids[0].columns}
    if columns & {"ALL_VAL_MO", "GEN_VAL_MO", "CON_VAL_MO"}:
        name, frame = census_api.parse_api(grids)
        return {name: frame}
    _one_file(files)
    if {"cty_code", "cty_desc"} <= {column.lower() for column in columns}:
        return {"goods_census_sa": census.parse_ctyseasonal(grids[0])}
    return {"goods_census_nsa": census.parse_country(grids[0])}


def _one_file(files: list) -> None:
    if len(files) > 1:
        raise TradelibError("Only API replies are taken several at a time; give one file of this kind.")


def _open(data: bytes) -> pd.DataFrame | dict[str, list[list]]:
    """Bytes -> the grid of a country file or API reply, or the sheets of a BEA workbook."""
    head = data[:512].lstrip().lower()
    if not data.strip():
        raise CheckError("the file is empty.", DOWNLOAD_AGAIN)
    if head.startswith((b"<html", b"<!doctype", b"<?xml", b"<head")):
        raise CheckError("this is a web page, whatever its name says.", DOWNLOAD_AGAIN)
    if data.startswith(b"PAR1"):
        return pd.read_parquet(io.BytesIO(data)).astype("str")
    if head.startswith(b"["):
        return census_api.read_api_reply(data)
    if data.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        try:
            sheets = bea.read_sheets(data)
        except Exception as error:  # calamine raises many kinds; all mean the same to the user
            raise CheckError(
                f"this workbook cannot be opened ({error}); was it cut short?", DOWNLOAD_AGAIN
            ) from None
        return sheets if bea.is_country_workbook(sheets) else _grid(sheets)
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    try:
        return pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=False)
    except pd.errors.ParserError as error:
        raise CheckError(f"this is not a table ({error}).", DOWNLOAD_AGAIN) from None


def _grid(sheets: dict[str, list[list]]) -> pd.DataFrame:
    """The widest sheet as a grid with its first row as header: the one sheet of a Census file."""
    rows = max(sheets.values(), key=lambda rows: len(rows[0]) if rows else 0)
    if len(rows) < 2:
        raise CheckError(f"the workbook holds no table; its sheets: {', '.join(sheets)}.", DOWNLOAD_AGAIN)
    return pd.DataFrame(rows[1:], columns=[str(cell) for cell in rows[0]])
