"""Workbooks and zips of them: nothing that they declare is trusted, and what is too big is never unpacked."""

import io
import zipfile

import openpyxl
import pytest
from exhibits import as_xls, as_xlsx, as_zip, edition

from tradelib.sources.ft900 import read_archive
from tradelib.sources.workbooks import is_archive, read_sheets
from tradelib.tables import CheckError

ARCHIVE = "ft900/ft900xlsx_2108.zip"


@pytest.fixture(scope="module")
def zipped(originals):
    return (originals / ARCHIVE).read_bytes()


@pytest.fixture(scope="module")
def workbook():
    return as_xlsx(edition()["19"])


def not_read(message, data):
    with pytest.raises(CheckError, match=message):
        read_archive(data)


def test_a_workbook_a_web_page_and_a_table_are_no_archive(originals, workbook):
    assert not is_archive(workbook)
    assert not is_archive(workbook[:5000])
    assert not is_archive(b"<html><body>Missing Key</body></html>")
    assert not is_archive(as_xls([["a"]]))
    assert not is_archive(b"year,CTY_CODE\n")
    assert is_archive((originals / ARCHIVE).read_bytes())


@pytest.mark.parametrize(
    "name", ["../exh19.xlsx", "/exh19.xlsx", "a/../../exh19.xlsx", "C:/exh19.xlsx", r"..\exh19.xlsx"]
)
def test_names_that_lead_outside_are_refused(workbook, name):
    not_read("unsafe member name", as_zip({name: workbook}))


def test_a_web_page_or_a_zip_cut_short_is_refused(zipped):
    not_read("not a complete zip", b"<html>")
    for size in (100, 5_000, len(zipped) // 2, len(zipped) - 30):
        assert is_archive(zipped[:size])
        not_read("not a complete zip", zipped[:size])


def test_a_zip_without_exhibits_is_refused(workbook):
    not_read("No member is an Exhibit 14.*\n.*notes.txt", as_zip({"notes.txt": b"-"}))
    not_read("No member is an Exhibit 14", as_zip({"exh1.xlsx": as_xlsx([["Exhibit 1. Trade"]])}))
    not_read("No member is an Exhibit 14", as_zip({"inner.zip": as_zip({"exh19.xlsx": workbook})}))
    not_read("Members: none", as_zip({}))


def test_too_many_members_are_refused(workbook):
    not_read("has 201 members", as_zip({f"{n}.txt": b"" for n in range(200)} | {"exh19.xlsx": workbook}))


def test_a_bomb_is_refused_by_its_ratio_its_size_or_its_total(workbook):
    not_read("exh1.xls declares 5,000,000 bytes", as_zip({"exh1.xls": bytes(5_000_000)}))
    huge = {"exh1.xls": bytes(17_000_000)}
    not_read("declares 17,000,000 bytes", as_zip(huge, method=zipfile.ZIP_STORED))
    many = {f"{n}.xls": bytes(900_000) for n in range(80)}
    not_read("The zip declares 72,000,000 bytes", as_zip(many))


def test_a_bomb_inside_a_workbook_is_refused():
    inner = as_zip({"[Content_Types].xml": b"", "xl/worksheets/sheet1.xml": b" " * 9_000_000})
    not_read("exh19.xlsx: xl/worksheets/sheet1.xml declares 9,000,000", as_zip({"exh19.xlsx": inner}))


def test_a_workbook_of_two_cells_a_million_rows_apart_is_refused():
    book = openpyxl.Workbook()
    book.active["A1"] = book.active["XFD1048576"] = 1
    out = io.BytesIO()
    book.save(out)
    not_read("sheet of 1,048,576 rows by 16,384 columns", as_zip({"exh19.xlsx": out.getvalue()}))


@pytest.mark.parametrize("where", ["archive", "workbook"])
@pytest.mark.parametrize("declared", [10, 100_000])
def test_a_size_that_lies_is_refused(where, declared):
    """Both headers are changed, and the checksum made to fit what zipfile would read."""
    content = b"x" * 50_000
    data = as_zip({"xl/workbook.xml" if where == "workbook" else "exh1.xls": content})
    info = zipfile.ZipFile(io.BytesIO(data)).infolist()[0]
    crc = zipfile.crc32(content[:declared]).to_bytes(4, "little")
    lie = crc + info.compress_size.to_bytes(4, "little") + declared.to_bytes(4, "little")
    truth = info.CRC.to_bytes(4, "little") + data[18:22] + data[22:26]
    assert data.count(truth) == 2
    data = data.replace(truth, lie)
    message = f"not of the {declared:,} bytes it declares"
    not_read(message, data if where == "archive" else as_zip({"exh1.xlsx": data}))


def test_an_encrypted_member_is_refused(workbook):
    data = bytearray(as_zip({"exh19.xlsx": workbook}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    not_read("exh19.xlsx is encrypted", bytes(data))


def test_a_damaged_member_is_refused(zipped):
    start = zipfile.ZipFile(io.BytesIO(zipped)).getinfo("exh14.xlsx").header_offset
    not_read("exh14.xlsx is damaged", zipped[: start + 2_000] + b"\0" * 50 + zipped[start + 2_050 :])
    not_read(
        "exh19.xls cannot be opened", as_zip({"exh19.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600})
    )
    not_read("is no Excel workbook", as_zip({"exh19.xlsx": as_zip({"a.xml": b"<a/>"})}))


def test_a_workbook_cut_short_is_told_by_the_name_it_is_given():
    with pytest.raises(CheckError, match=r"^workbook: This is not a complete zip"):
        read_sheets(b"PK cut short")
