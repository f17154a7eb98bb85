"""Open workbooks, and zips of them, without trusting what they declare: in memory, within bounds."""

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath

from tradelib.tables import CheckError

#: A real archive has 31 members, 6 MB packed and 26 MB with its workbooks unpacked, ratio 12 at most.
MAX_MEMBERS, MAX_MEMBER, MAX_TOTAL, MAX_RATIO = 200, 16_000_000, 64_000_000, 200
MAX_CELLS = 5_000_000  # of all sheets together
CORNER = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]{1,3})([0-9]{1,7})\s*["']""")


def is_archive(data: bytes) -> bool:
    """Tell a zip of files from a workbook, which is a zip too, and from anything else."""
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return False
    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # cut short: its first name tells
        names = [data[30 : 30 + int.from_bytes(data[26:28], "little")].decode("cp437")]
    office = {"[content_types].xml", "_rels/.rels", "mimetype"}
    return not any(name.lower() in office or name.lower().startswith("docprops/") for name in names)


def read_members(data: bytes, wanted: Callable[[list[list]], bool]) -> dict[str, list[list]]:
    """Read the sheets that are wanted, by their rows of cells, of the workbooks in a zip: name -> rows.

    A name is the member's, with the sheet's number from the second on. Members that are not .xls or .xlsx are
    skipped, zips inside it too.
    """
    members: dict[str, list[list]] = {}
    unpacked = cells = 0
    for info in _entries(data):
        if not re.search(r"(?i)(^|[/\\])(?![~.])[^/\\]*\.xlsx?$", info.filename):
            continue
        content = _inflate(data, info)
        size, declared = _check_workbook(info.filename, content)
        unpacked, cells = unpacked + size, cells + declared
        if unpacked > 4 * MAX_TOTAL or cells > MAX_CELLS:
            raise CheckError(f"The workbooks unpack to {unpacked:,} bytes and {cells:,} cells: too many.")
        for n, rows in enumerate(_sheets(info.filename, content).values()):
            name = info.filename + (f" sheet {n + 1}" if n else "")
            if name in members:
                raise CheckError(f"The zip holds {name} twice.")
            if wanted(rows):
                members[name] = rows
    return members


def read_sheets(data: bytes) -> dict[str, list[list]]:
    """Read every sheet of one workbook, .xls or .xlsx, as rows of cells, from its first cell on."""
    _check_workbook("workbook", data)
    return _sheets("workbook", data)


def names_of(data: bytes) -> list[str]:
    """List the names of a zip's members."""
    return [info.filename for info in _entries(data)]


def _entries(data: bytes) -> list[zipfile.ZipInfo]:
    """List the files of a zip, once their names, flags and declared sizes are found harmless."""
    try:
        found = [info for info in zipfile.ZipFile(io.BytesIO(data)).infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise CheckError(f"This is not a complete zip ({error}).", "Download the archive again.") from None
    if len(found) > MAX_MEMBERS:
        raise CheckError(f"The zip has {len(found)} members; at most {MAX_MEMBERS} are allowed.")
    for info in found:
        name = info.orig_filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or re.match("[A-Za-z]:", name):
            raise CheckError(f"The zip has the unsafe member name {name!r}; nothing was read.")
        if info.flag_bits & 0x2041:
            raise CheckError(f"{name} is encrypted.", "FT-900 archives are not; download it again.")
        if info.file_size > min(MAX_MEMBER, 1_000_000 + MAX_RATIO * info.compress_size):
            raise CheckError(f"{name} declares {info.file_size:,} bytes, from {info.compress_size:,} packed.")
    total = sum(info.file_size for info in found)
    if total > MAX_TOTAL:
        raise CheckError(f"The zip declares {total:,} bytes; at most {MAX_TOTAL:,} are allowed.")
    return found


def _inflate(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """Unpack one member and stop at the size it declares: zipfile would believe the header."""
    start = info.header_offset
    start += 30 + sum(int.from_bytes(data[start + n : start + n + 2], "little") for n in (26, 28))
    packed = data[start : start + info.compress_size]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise CheckError(f"{info.filename} is packed by method {info.compress_type}, not by deflate.")
    content, complete = packed, True
    if info.compress_type == zipfile.ZIP_DEFLATED:
        unpack = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unpack.decompress(packed, info.file_size + 1)
        except zlib.error as error:
            raise CheckError(f"{info.filename} is damaged ({error}).") from None
        complete = unpack.eof
    if len(content) != info.file_size or not complete or zlib.crc32(content) != info.CRC:
        raise CheckError(
            f"{info.filename} is damaged, or is not of the {info.file_size:,} bytes it declares."
        )
    return content


def _check_workbook(name: str, data: bytes) -> tuple[int, int]:
    """Check an .xlsx, a zip itself, before calamine unpacks it; return its unpacked size, and its cells.

    calamine makes room for all cells from the first to the last, however few there are.
    """
    if not data.startswith(b"PK"):
        return len(data), 0
    try:
        found, cells = _entries(data), 0
        for info in found:
            corners = set(CORNER.findall(_inflate(data, info)))
            rows = max((int(row) for _, row in corners), default=0)
            wide = max((_column_number(letters) for letters, _ in corners), default=0)
            cells += rows * wide
            if cells > MAX_CELLS:
                raise CheckError(f"its sheet of {rows:,} rows by {wide:,} columns is too big.")
    except CheckError as error:
        raise CheckError(f"{name}: {error}") from None
    if "xl/workbook.xml" not in {info.filename for info in found}:
        raise CheckError(f"{name} is no Excel workbook.")
    return sum(info.file_size for info in found), cells


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _sheets(name: str, data: bytes) -> dict[str, list[list]]:
    from python_calamine import CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in book.sheet_names}
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in calamine is no Exception
        raise CheckError(f"{name} cannot be opened as a workbook ({error}).") from None
