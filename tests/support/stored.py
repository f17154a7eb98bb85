"""Small vintages with figures of no meaning, and what lies in a folder: for the tests of the store."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from tradelib.store import vintages

DAY = date(2031, 1, 2)
HS10 = "exports_hs10_nsa"


def rows(first: float = 1.0, months=("2030-01", "2030-02"), item="goods", flows=("exports", "imports")):
    index = pd.MultiIndex.from_product(
        [["2010", "5800"], flows, [item], pd.PeriodIndex(months, freq="M")],
        names=["partner", "flow", "item", "period"],
    )
    values = np.arange(len(index)) * 1000.0 + first
    note = pd.Series(pd.NA, index=range(len(index)), dtype="str")
    return pd.DataFrame({"value_usd": values}, index=index).reset_index().assign(note=note)


def save(first: float = 1.0, **options):
    options = {"published": DAY, "sources": [], "parser": "test.1"} | options
    return vintages.save(rows(first), "goods_census_nsa", **options)


def save_large(first: float = 1.0, months=("2029-11", "2029-12", "2030-01"), **options):
    frame = rows(first, months, item="2709000000", flows=("exports",))
    return vintages.save(frame, HS10, published=DAY, sources=[], parser="test.1", **options)


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
