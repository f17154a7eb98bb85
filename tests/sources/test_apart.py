"""Whatever a file holds, `ingest` ends in an error of its own, and takes neither memory nor time."""

import io
import os
import subprocess
import sys
import zipfile

import pandas as pd
import psutil
import pytest
from exhibits import as_zip
from helpers import ROOT

from tradelib.errors import TradelibError
from tradelib.sources import apart
from tradelib.sources.ingest import ingest

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
CELL = '<c r="A1"><v>1</v></c>'


def book(sheets, shared=""):
    """A workbook of the fewest parts, with the XML of its rows, and of its shared strings."""
    numbers = range(1, len(sheets) + 1)
    names = [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers] + [
        ("sharedStrings", "sharedStrings.xml")
    ]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
            for n, (kind, target) in enumerate(names, 1)
        )
        + "</Relationships>",
        "xl/sharedStrings.xml": shared or f'<sst xmlns="{MAIN}"/>',
    }
    for n, rows in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return out.getvalue()


def corner(reference, row):
    return f'<row r="1">{CELL}</row><row r="{row}"><c r{reference}><v>1</v></c></row>'


def parquet():
    out = io.BytesIO()
    pd.DataFrame({"CTY_CODE": ["5800"] * 50}).to_parquet(out)
    return out.getvalue()


FIVE_MILLION = corner('="XFD305"', 305)
STRINGS = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 3001))
HOSTILE = {
    "deep JSON": (b"[" * 10_000, "Not a reply of the Census API"),
    "a deep reply of BEA": (b'{"BEAAPI":' * 3_000, "no whole JSON"),
    "a byte order mark alone": (b"\xef\xbb\xbf", "the file is empty"),
    "a reply without partners": (b'[["ALL_VAL_MO","time"],["7","2018-07"]]', "Ask for CTY_CODE and time"),
    "a reply without months": (b'[["ALL_VAL_MO","CTY_CODE"],["7","5800"]]', "Ask for CTY_CODE and time"),
    "a reply with a blank partner": (
        b'[["ALL_VAL_MO","CTY_CODE","time"],["7",null,"2018-07"]]',
        "every row says whose it is",
    ),
    "a reply with a list for a cell": (
        b'[["ALL_VAL_MO","CTY_CODE","time"],["7",[],"2018-07"]]',
        "list of rows",
    ),
    "Parquet cut short": (parquet()[:-9], "this is not a table"),
    "NUL bytes": (b"\0" * 5_000, "is refused"),
    "cells over many sheets": (book([FIVE_MILLION] * 3), "sheet of 305 rows by 16,384 columns is too big"),
    "a corner in other words": (book([corner(' = " XFD300000"', 300_000)]), "is too big"),
    "a string in many cells": (
        book([STRINGS], f'<sst xmlns="{MAIN}"><si><t>{"x" * 1_000_000}</t></si></sst>'),
        "MB of memory to read",
    ),
    "a count of strings that lies": (
        book([f'<row r="1">{CELL}</row>'], f'<sst xmlns="{MAIN}" uniqueCount="4294967295"/>'),
        "ended by it|cannot be opened",
    ),
    "many workbooks in a zip": (as_zip({f"{n}.xlsx": book([FIVE_MILLION]) for n in range(3)}), "too many"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_in_words_and_nothing_is_stored(case, tmp_path, store):
    data, told = HOSTILE[case]
    path = tmp_path / "f"
    path.write_bytes(data)
    with pytest.raises(TradelibError, match=told) as error:
        ingest([path], published="2025-04-04")
    assert str(error.value).startswith(("f is refused. ", "f: ")) and len(str(error.value).splitlines()) < 10
    assert not store.exists()


def test_a_file_without_an_end_is_read_no_further_than_files_go(monkeypatch, tmp_path):
    monkeypatch.setattr("tradelib.sources.ingest.MOST_BYTES", 1_000)
    path = tmp_path / "f"
    path.write_bytes(b"[" * 1_001)
    with pytest.raises(TradelibError, match="has more than 1,000 bytes"):
        ingest([path], published="2025-04-04")


def test_work_without_an_end_is_ended_and_the_next_call_is_served(monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 0.2)
    with pytest.raises(TradelibError, match="takes more than 0 seconds to read"):
        apart.call(sum, range(10**12), size=0)
    monkeypatch.undo()
    assert apart.call(sum, [1, 2], size=0) == 3


def test_a_process_that_somebody_else_ended_is_replaced():
    assert apart.call(abs, -1, size=0) == 1
    for child in psutil.Process().children():
        if apart.START in child.cmdline():
            child.kill()
            child.wait()
    assert apart.call(abs, -2, size=0) == 2


def test_a_program_ends_while_a_call_goes_on():
    script = """
import threading, time
from tradelib.sources.apart import Apart
one, bounds = Apart(), {"memory": 1e9, "seconds": 999, "environment": {}}
threading.Thread(target=lambda: one.call(time.sleep, 900, **bounds), daemon=True).start()
while one._process is None:
    time.sleep(0.01)
print(one._process.pid)
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    assert not psutil.pid_exists(int(done.stdout))
