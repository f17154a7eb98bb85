"""All publishers at once, on one local server: what `tradelib update` meets on a release morning.

The day is 2021-10-05, of the release of August 2021. Files have an ETag and a date and answer 304 where
they have not changed; bodies that go out are counted.
"""

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from bea_server import KEY as BEA_KEY
from bea_server import BeaServer
from bulk_files import Zips
from census_server import KEY as CENSUS_KEY
from census_server import CensusServer, rows_of
from helpers import bea_sheets, country_sheet, grid_rows, seasonal_sheet, write_xlsx
from werkzeug import Request, Response

from tradelib import load
from tradelib.partners import countries
from tradelib.sources import bulk

DAY, MONTH = date(2021, 10, 5), "2021-08"
COUNTRY = "/www.census.gov/foreign-trade/balance/country.xlsx"
SEASONAL = "/www.census.gov/foreign-trade/statistics/country/ctyseasonal.xlsx"
CURRENT = "/www.census.gov/foreign-trade/Press-Release/current_press_release/ft900xlsx.zip"
SCHEDULE = "/www.bea.gov/news/schedule"
PARTNERS = ["5800", "5700", "1220"]
PAGE = b"""<html><body><table><tr><td><div class="release-date">November 4</div></td>
<td>U.S. International Trade in Goods and Services, September 2021</td></tr></table></body></html>"""


class Files:
    """Files by path, with what any web server says of them; `sent` counts the bytes of bodies."""

    def __init__(self, server):
        self.contents: dict[str, tuple[bytes, str]] = {}
        self.sent = 0
        self.server = server

    def put(self, path: str, content: bytes, modified: str = "Tue, 05 Oct 2021 12:30:00 GMT") -> None:
        if path not in self.contents:
            self.server.expect_request(path).respond_with_handler(self._answer)
        self.contents[path] = (content, modified)

    def _answer(self, request: Request) -> Response:
        content, modified = self.contents[request.path]
        etag = hashlib.sha256(content).hexdigest()[:16]
        headers = {"ETag": f'"{etag}"', "Last-Modified": modified}
        if request.if_none_match.contains(etag):
            return Response(b"", 304, headers)
        self.sent += len(content) if request.method == "GET" else 0
        kind = "text/html" if content.startswith(b"<html") else "application/octet-stream"
        return Response(content, 200, headers, content_type=kind)


@cache
def _goods(through: str) -> pd.DataFrame:
    return load("goods_census_nsa", as_of="2023-03-08", since="2019-01", through=through)


def goods(through: str = MONTH) -> pd.DataFrame:
    """Goods by partner, of the last bundled vintage but one, cut so that it fits the day."""
    return _goods(through).copy()


def detail(codes: list[str], flow: str, duty: bool = False) -> pd.DataFrame:
    """Made-up flows by commodity: each partner and code in each month since 2019."""
    months = pd.period_range("2019-01", MONTH, freq="M")
    index = pd.MultiIndex.from_product(
        [PARTNERS, [flow], codes, months], names=["partner", "flow", "item", "period"]
    )
    frame = pd.DataFrame({"value_usd": 1000.0 * (1 + np.arange(len(index)))}, index=index).reset_index()
    frame["note"] = pd.Series(pd.NA, index=frame.index, dtype="str")
    return frame.assign(duty_usd=np.rint(frame["value_usd"] / 50)) if duty else frame


CODES = {"hs2": ["27", "85"], "hs4": ["2709", "8542"], "hs6": ["270900", "854231"]}
CODES |= {"hs10": ["2709001000", "8542310001"], "naics": ["211", "334"], "enduse": ["10000", "21320"]}


def tables() -> dict[str, pd.DataFrame]:
    """What the Census API knows, by table."""
    every = goods()
    found = {"goods_census_nsa_api": every[every["partner"].isin([*countries(), "0015"])]}
    imports = found["goods_census_nsa_api"].query("flow == 'imports'")
    found["imports_consumption_nsa"] = imports.assign(duty_usd=np.rint(imports["value_usd"] / 40))
    for key, codes in CODES.items():
        found[f"exports_{key}_nsa"] = detail(codes, "exports")
        found[f"imports_general_{key}_nsa"] = detail(codes, "imports")
        found[f"imports_consumption_{key}_nsa"] = detail(codes, "imports", duty=True)
    return found


def services() -> pd.DataFrame:
    """Made-up services by type, two partners and two years."""
    index = pd.MultiIndex.from_product(
        [["5800", "5700"], ["exports", "imports"], ["AllServiceTypes", "Travel"], [2019, 2020]],
        names=["partner", "flow", "item", "period"],
    )
    frame = pd.DataFrame({"value_usd": 1e6 * (1 + np.arange(len(index)))}, index=index).reset_index()
    return frame.assign(period=pd.PeriodIndex(frame["period"].astype(str), freq="Y"), note=None)


@cache
def census_rows() -> pd.DataFrame:
    """What the Census API answers from."""
    return rows_of(tables())


@cache
def books() -> dict[str, bytes]:
    """The workbooks of the day."""
    adjusted = load("goods_census_sa", as_of="2025-04-03", since="2019-01", through=MONTH)
    sheets = {
        "country": {"country": grid_rows(country_sheet(goods()))},
        "seasonal": {"seasonal": grid_rows(seasonal_sheet(adjusted))},
        "bea": bea_sheets(),
    }
    with TemporaryDirectory() as folder:
        return {name: write_xlsx(Path(folder, "x.xlsx"), of).read_bytes() for name, of in sheets.items()}


class Publishers:
    """Every source of `tradelib.sources`, in order; `sent` is what has gone out as bodies of files."""

    def __init__(self, server, folder: Path, archive: bytes):
        self.files = Files(server)
        self.folder = folder
        for name, content in books().items():
            (folder / f"{name}.xlsx").write_bytes(content)
        self.files.put(COUNTRY, books()["country"])
        self.files.put(SEASONAL, books()["seasonal"])
        self.files.put(CURRENT, archive)
        self.files.put(SCHEDULE, PAGE)
        trade = load("trade_bop_sa", as_of="2025-03-06", partner=PARTNERS, since="2019Q1", through="2021Q2")
        self.bea = BeaServer(server, trade=trade, services=services(), workbook=books()["bea"])
        self.bea.updated = "2021-09-02"
        self.census = CensusServer(server, census_rows())

    def workbook(self, name: str, rows: list[list]) -> bytes:
        return write_xlsx(self.folder / f"{name}.xlsx", {name: rows}).read_bytes()

    def put_bulk(self) -> None:
        """The two zips of all trade in the month: for `update --all` and by name."""
        made = Zips(MONTH, lines=60, codes=12)
        for flow, wire in bulk.WIRES.items():
            self.files.put(
                wire.file(MONTH).replace("https:/", ""), made.write(self.folder, flow).read_bytes()
            )

    @property
    def sent(self) -> int:
        """Bytes of files and of replies of both APIs; BEA's page, which has no ETag, is not counted."""
        return self.files.sent + self.census.bytes + self.bea.bytes + self.bea.workbooks_sent

    def keys(self, monkeypatch) -> None:
        monkeypatch.setenv("CENSUS_API_KEY", CENSUS_KEY)
        monkeypatch.setenv("BEA_API_KEY", BEA_KEY)
