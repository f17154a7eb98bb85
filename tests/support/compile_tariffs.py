"""Compile the bundled tables of duties from the originals: `python compile_tariffs.py ORIGINALS STORE`.

The copies are others' and have forms of their own: each is brought to the form of an API reply, parsed and
checked as one, and kept with the name and hash of the file that it came from.
"""

import sys
from datetime import date
from pathlib import Path

import pandas as pd

from tradelib.partners import WORLD
from tradelib.sources import census_api
from tradelib.sources.ingest import sources_of, vouch
from tradelib.store import vintages
from tradelib.tables import CheckError

INDUSTRIES = "imports_consumption_naics3_30_partners_2013-01_2025-11.parquet"
YEARS = "imports_hts10_by_partner_2024_2025_annual.parquet"
YEARS_TOTAL = "imports_by_partner_2024_2025_annual.csv"
BY, USD = ["partner", "flow", "period"], ["value_usd", "duty_usd"]
ALL_INDUSTRIES = "00"
DOLLARS = {"value_usd": "consumption_usd", "duty_usd": "calculated_duty_usd"}
DOLLARS |= {"dutiable_usd": "dutiable_usd", "general_usd": "general_usd"}


def keep(frame: pd.DataFrame, table: str, day: date, paths: list[Path], store: Path, **told) -> None:
    """Hold a table against the vintages of that store, and keep it."""
    accepted = vouch(frame, table, day, store=store)
    told |= {"sources": sources_of([(path.name, path.read_bytes()) for path in paths]), "accepted": accepted}
    vintage, written = vintages.save(
        frame, table, published=day, parser=census_api.__name__, store=store, **told
    )
    print(vintage.table, vintage.published, f"{vintage.rows:,} rows", "new" if written else "there already")


def total_of(chapters: pd.DataFrame) -> pd.DataFrame:
    """All goods by partner and month: the sum of the chapters, which are all there are."""
    sums = chapters.groupby(BY, as_index=False)[USD].sum()
    return sums.assign(item="goods", note=pd.Series(pd.NA, sums.index, dtype="str"))


def compile_chapters(paths: list[Path], day: date, store: Path, note: str) -> None:
    """Replies by HS chapter: the table, unless it is there already, and its sums by partner."""
    (chapters,) = census_api.parse([pd.read_parquet(path).astype("str") for path in paths]).values()
    keep(chapters, "imports_consumption_hs2_nsa", day, paths, store, note=note)
    keep(total_of(chapters), "imports_consumption_nsa", day, paths, store, note=f"{note}; sum of HS chapters")


def compile_industries(path: Path, day: date, store: Path, note: str) -> None:
    """Industries by month; all products, their sum, are a line of their own in the file."""
    raw = pd.read_parquet(path).reset_index()
    reply = raw.rename(columns={"imports": "CON_VAL_MO", "duty": "CAL_DUT_MO"}).drop(columns="itariff")
    reply = reply.assign(time=raw["time"].dt.strftime("%Y-%m"))
    whole = reply["NAICS"] == ALL_INDUSTRIES
    (industries,) = census_api.parse([reply[~whole]]).values()
    (total,) = census_api.parse([reply[whole].drop(columns="NAICS")]).values()
    off = total_of(industries).set_index(BY)[USD] - total.set_index(BY)[USD]
    if off.abs().max().max() != 0:
        raise CheckError("the industries do not add up to all products")
    keep(industries, "imports_consumption_naics_nsa", day, [path], store, note=note)
    keep(total, "imports_consumption_nsa", day, [path], store, note=note)


def compile_years(path: Path, totals: Path, saved: date, store: Path, note: str) -> None:
    """Years by HS subheading, the sum of the ten-digit codes; partners hold the totals beside them."""
    raw = pd.read_parquet(path)
    raw = raw.assign(item=raw["hts10"].str[:6])
    printed = pd.read_csv(totals, dtype={"cty_code": "str"}).set_index(["year", "cty_code"])
    of_partner = raw.groupby(["year", "cty_code"])[list(DOLLARS.values())].sum()
    if not of_partner.eq(printed[list(DOLLARS.values())].reindex(of_partner.index)).all(axis=None):
        raise CheckError("the codes do not add up to the totals by partner")
    by_partner = raw.groupby(["year", "cty_code", "item"], as_index=False)[list(DOLLARS.values())].sum()
    world = by_partner.groupby(["year", "item"], as_index=False)[list(DOLLARS.values())].sum()
    rows = pd.concat([by_partner, world.assign(cty_code=WORLD)], ignore_index=True)
    frame = pd.DataFrame({"period": pd.PeriodIndex(rows["year"].astype("str"), freq="Y"), "flow": "imports"})
    frame = frame.assign(partner=rows["cty_code"], item=rows["item"])
    frame = frame.assign(**{name: rows[column] for name, column in DOLLARS.items()})
    frame["note"] = pd.Series(pd.NA, frame.index, dtype="str")
    about = {"dated_by": "saved", "note": note}
    keep(frame, "imports_consumption_hs6_annual", saved, [path, totals], store, **about)


def main(originals: Path, store: Path) -> None:
    """Compile them all."""
    copy = "Census API replies saved by others"
    first = sorted((originals / "census/hs2").glob("imports_*.parquet"))
    compile_chapters(first, date(2020, 12, 4), store, f"{copy}; 20 partners and the total")
    second = sorted((originals / "census/hs2_2021-08-05").glob("*.parquet"))
    compile_chapters(second, date(2021, 8, 5), store, f"{copy}; 30 partners and the total")
    told = f"{copy}; 30 partners, the European Union, USMCA and the total"
    compile_industries(originals / "tariffs" / INDUSTRIES, date(2026, 1, 29), store, told)
    folder = originals / "tariffs"
    told = f"{copy}; ten-digit codes summed to six; after the annual revision of June 2026 (inferred)"
    compile_years(folder / YEARS, folder / YEARS_TOTAL, date(2026, 11, 24), store, told)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
