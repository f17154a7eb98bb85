"""Large tables, stored by year: only what was asked for is read, by us, and all of it by any other engine."""

import json
import os
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import stored
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import list_vintages
from tradelib.errors import StoredOtherwise, TradelibError
from tradelib.loaders import load
from tradelib.store import large, parquet, vintages
from tradelib.studies.detail import contributors
from tradelib.tables import check_flows
from tradelib.windows import year_to_date

EXPORTS, DUTIES = "exports_hs10_nsa", "imports_consumption_hs10_nsa"
DAY = date(2025, 4, 3)
PARTNERS = ("0003", "1220", "4280", "5700", "5800")
ITEMS = tuple(f"{code:010d}" for code in range(101210000, 101210000 + 40 * 37, 37))


def rows_of(year, table=EXPORTS, *, partners=PARTNERS, items=ITEMS, months=range(1, 13), seed=0):
    """Rows of a year in random order: three in four of all partners, items and months, heavy-tailed."""
    rng = np.random.default_rng([seed, year])
    periods = pd.PeriodIndex([f"{year}-{month:02d}" for month in months], freq="M")
    index = pd.MultiIndex.from_product([partners, items, periods], names=["partner", "item", "period"])
    frame = index.to_frame(index=False).sample(frac=0.75, random_state=rng)
    frame["value_usd"] = np.exp(rng.normal(11, 3, len(frame))).round()
    if table == DUTIES:
        frame["duty_usd"] = (frame["value_usd"] / 40).round()
    return frame.assign(flow=table.split("_")[0], note=pd.Series(pd.NA, index=frame.index, dtype="str"))


def save(*frames, table=EXPORTS, published=DAY, **options):
    """Store years of rows; return the vintage and all its rows in canonical order."""
    frames = frames or [rows_of(year, table) for year in (2022, 2023, 2024)]
    told = {"sources": [{"name": "a.json", "sha256": "0" * 64}], "parser": "census_api.1"} | options
    vintage, _ = vintages.save(iter(frames), table, published=published, **told)
    order = ["partner", "flow", "item", "period"]
    return vintage, pd.concat(frames).sort_values(order, ignore_index=True)


def same(found, rows):
    return found[list(rows)].equals(rows.reset_index(drop=True))


@pytest.fixture
def small_groups(monkeypatch):
    """Row groups so small that even a test's table has many."""
    monkeypatch.setattr(parquet, "ROWS_AT_ONCE_LARGE", 100)


# --- how they are stored ------------------------------------------------------------------------


def test_a_large_vintage_is_stored_by_year_with_a_card(store):
    vintage, written = stored.save_large()
    assert written and (vintage.since, vintage.through, vintage.rows) == ("2029-11", "2030-01", 6)
    names = stored.everything(store)
    assert [name.split("/")[2] for name in names] == [vintages.CARD, "year=2029", "year=2030"]
    frame = vintages.read(vintage)
    assert frame.equals(
        check_flows(stored.rows(1.0, ("2029-11", "2029-12", "2030-01"), "2709000000", ("exports",)), EXPORTS)
    )
    assert stored.save_large()[1] is False and stored.everything(store) == names
    with pytest.raises(StoredOtherwise):
        stored.save_large(9.0)
    assert stored.everything(store) == names


def test_years_come_in_order_and_one_at_a_time(store):
    one = stored.rows(1.0, ("2030-01",), "2709000000", ("exports",))
    two = stored.rows(1.0, ("2029-01",), "2709000000", ("exports",))
    for frames in ([one, two], [pd.concat([one, two])], [one, one]):
        with pytest.raises(TradelibError, match="frames within one year each"):
            vintages.save(frames, EXPORTS, published=stored.DAY, sources=[], parser="")
    with pytest.raises(TradelibError, match="no rows"):
        vintages.save([], EXPORTS, published=stored.DAY, sources=[], parser="")
    assert stored.everything(store) == []


def test_a_large_vintage_that_fails_midway_leaves_nothing(store):
    def years():
        yield stored.rows(1.0, ("2029-01",), "2709000000", ("exports",))
        raise TradelibError("the server went away")

    with pytest.raises(TradelibError, match="went away"):
        vintages.save(years(), EXPORTS, published=stored.DAY, sources=[], parser="")
    assert stored.everything(store) == [] and list_vintages(EXPORTS) == []


def test_years_that_changed_places_are_not_believed():
    vintage, _ = save()
    first, second, _ = vintage.files
    aside = first.with_name("aside")
    for one, other in ((first, aside), (second, first), (aside, second)):
        one.rename(other)
    for span in ({"since": "2022-01", "through": "2022-12"}, {"since": "2023-03"}, {}):
        with pytest.raises(TradelibError, match=r"year=202\d/\S+ is what was written as year=202"):
            vintages.read(vintage, **span)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_in_the_place_of_a_year_is_refused_at_once(make):
    vintage, _ = save()
    vintage.files[1].unlink()
    make(vintage.files[1])
    with pytest.raises(TradelibError, match=r"Cannot read the rows of .*it is no file: .*flows"):
        vintages.read(vintage)


def test_other_engines_read_the_store_as_it_is(store):
    stored.save()
    stored.save_large()
    count = "SELECT count(*), min(published) FROM read_parquet(?, hive_partitioning = true)"
    with duckdb.connect() as db:
        (one,) = db.execute(count, [f"{store}/table=goods_census_nsa/**/*.parquet"]).fetchall()
        (many,) = db.execute(count, [f"{store}/table={EXPORTS}/**/*.parquet"]).fetchall()
    assert (one, many) == ((8, stored.DAY), (6, stored.DAY))
    assert ds.dataset(store / f"table={EXPORTS}", partitioning="hive").count_rows() == 6


def test_the_card_of_a_large_vintage_vouches_for_each_part(store):
    vintage, _ = stored.save_large()
    card = json.loads(vintage.path.read_text())
    for part in card["parts"]:
        frame = parquet.read(vintage.path.parent / part["file"], "M")
        assert parquet.digest(frame) == part["sha256"] and part["sha256"][:12] in part["file"]


# --- what is selected ---------------------------------------------------------------------------


@pytest.mark.parametrize("table", [EXPORTS, DUTIES])
def test_a_large_table_comes_back_as_it_was_saved(table):
    vintage, rows = save(table=table)
    assert len(vintage.files) == 3 and vintage.rows == len(rows)
    back = vintages.read(vintage)
    assert same(back, rows) and back["period"].dtype == "period[M]"
    assert list(back) == ["period", "partner", "flow", "item", "value_usd", "note"] + ["duty_usd"] * (
        table == DUTIES
    )


@pytest.mark.parametrize("having", [(2022,), (2023, 2024), (2024,)], ids=str)
def test_a_column_that_only_some_years_have_is_read_and_missing_in_the_others(having):
    """A column that the first year lacked was left out of all, without a word."""
    frames = [rows_of(year, DUTIES) for year in (2022, 2023, 2024)]
    for frame in frames:
        if frame["period"].iloc[0].year in having:
            frame["dutiable_usd"] = frame["value_usd"]
    vintage, rows = save(*frames, table=DUTIES)
    back = vintages.read(vintage)
    assert same(back[list(rows)], rows) and back["dutiable_usd"].notna().any()
    assert "dutiable_usd" not in vintages.read(vintage, since="2023-01", through="2023-12") or 2023 in having


def test_any_cut_gives_the_rows_that_pandas_keeps():
    vintage, rows = save()
    months = st.none() | st.sampled_from([str(p) for p in pd.period_range("2021-11", "2025-02", freq="M")])

    @given(months, months, st.none() | st.lists(st.sampled_from([*PARTNERS, "2010"]), min_size=1))
    @settings(max_examples=40, deadline=None)
    def check(since, through, partner):
        kept = rows[rows["partner"].isin(partner or PARTNERS)]
        kept = kept[kept["period"] >= pd.Period(since or "1900-01", "M")]
        kept = kept[kept["period"] <= pd.Period(through or "2900-01", "M")]
        assert same(vintages.read(vintage, since=since, through=through, partner=partner), kept)

    check()


def test_load_cuts_a_large_table_and_tells_its_vintage():
    _, rows = save()
    found = load(EXPORTS, as_of="2025-05-01", partner="5800", since="2023-11", through="2024-02")
    kept = rows[(rows["partner"] == "5800") & rows["period"].between("2023-11", "2024-02")]
    assert same(found, kept)
    assert set(found["vintage"]) == {"2025-04-03"} and set(found["vintage_lag_days"]) == {0}


def test_a_small_table_can_be_asked_in_the_same_way():
    goods = list_vintages("goods_census_nsa")[-1]
    options = {"since": "2018-03", "through": "2018-07", "partner": ["5800", "0015"]}
    rows = parquet.to_frame(large.select(goods.files, **options), "M")
    assert rows.equals(vintages.read(goods, **options))


def test_koreas_july_is_found_in_a_file_and_in_a_sum_over_windows():
    goods, july = list_vintages("goods_census_nsa")[-1].files, pd.Period("2018-07", "M")
    rows = large.select(goods, since="2018-07", through="2018-07", partner=["5800"])
    assert rows["value_usd"].to_pylist() == [4683482573.0, 6288948014.0]
    assert str(rows["period"][0]) == "2018-07-01"
    assert large.periods(goods, since=july, through=july + 1) == {july, july + 1}
    chapters, now = list_vintages("exports_hs2_nsa")[-1].files, year_to_date(july)
    sums, held = large.window_sums(chapters, partner=["5800"], now=now, before=now.year_earlier)
    assert sums[sums.item == "27"].round(-6).to_dict("records") == [
        {"item": "27", "now_usd": 4179000000.0, "before_usd": 1878000000.0, "missing": 0}
    ]
    assert held == {start + n for start in (now.start, now.year_earlier.start) for n in range(7)}


def test_a_partner_is_a_value_and_never_a_part_of_the_query():
    vintage, _ = save()
    assert vintages.read(vintage, partner="5800' OR '1'='1").empty
    assert vintages.read(vintage, partner="'; DROP TABLE x; --").empty


# --- what is read -------------------------------------------------------------------------------


def test_files_of_other_years_are_not_opened():
    vintage, _ = save()
    vintage.files[0].write_bytes(b"not a parquet file")
    assert len(load(EXPORTS, as_of=DAY, since="2023-01", through="2024-12"))
    assert len(contributors(flow="exports", partner="5800", through="2024-03", as_of=DAY))
    with pytest.raises(TradelibError, match=r"(?s)Cannot read the rows of .*published=2025-04-03.*damaged"):
        vintages.read(vintage)


def test_row_groups_of_other_partners_are_not_read(small_groups):
    vintage, rows = save()
    for path in vintage.files:
        _spoil_all_but(path, "5800")
    kept = rows[rows["partner"] == "5800"]
    assert same(load(EXPORTS, as_of=DAY, partner="5800"), kept)
    found = contributors(flow="exports", partner="5800", through="2024-03", as_of=DAY)
    assert found["now_usd"].sum() == kept[kept["period"].between("2024-01", "2024-03")]["value_usd"].sum()
    with pytest.raises(TradelibError, match="Cannot read the rows"):
        load(EXPORTS, as_of=DAY, partner="1220")


def _spoil_all_but(path, partner):
    """Overwrite the bytes of each row group that cannot hold a partner; the footer stays good."""
    meta, data = pq.read_metadata(path), bytearray(path.read_bytes())
    spoiled = 0
    for group in (meta.row_group(n) for n in range(meta.num_row_groups)):
        told = group.column(1).statistics
        if not told.min <= partner <= told.max:
            columns = [group.column(n) for n in range(group.num_columns)]
            start = min(c.dictionary_page_offset or c.data_page_offset for c in columns)
            size = sum(c.total_compressed_size for c in columns)
            data[start : start + size] = b"\xff" * size
            spoiled += 1
    assert spoiled > meta.num_row_groups / 2
    path.write_bytes(data)


def test_a_store_whose_name_has_a_quote_in_it_can_be_read(tmp_path):
    vintage, rows = save(store=tmp_path / "it's mine")
    assert same(vintages.read(vintage, partner="5800"), rows[rows["partner"] == "5800"])


# --- other engines read the folder as it is -----------------------------------------------------


def totals(frame):
    return frame.groupby(frame["period"].dt.year)["value_usd"].sum().tolist()


def test_duckdb_reads_the_folder_by_its_hive_names(store):
    _, rows = save()
    with duckdb.connect() as db:
        found = db.sql(
            'SELECT "table", published, year, sum(value_usd) '
            "FROM read_parquet($files, hive_partitioning = true) GROUP BY ALL ORDER BY year",
            params={"files": f"{store}/**/*.parquet"},
        ).fetchall()
    assert found == [
        (EXPORTS, DAY, year, value) for year, value in zip((2022, 2023, 2024), totals(rows), strict=True)
    ]


def test_pyarrow_reads_the_folder_by_its_hive_names_and_passes_over_the_card(store):
    vintage, rows = save()
    assert (vintage.path.name, vintage.path.is_file()) == ("_vintage.json", True)
    data = ds.dataset(store, partitioning="hive", format="parquet")
    assert {"table", "published", "year"} < set(data.schema.names)
    found = data.to_table(filter=ds.field("year") == 2023).to_pandas()
    assert found["value_usd"].sum() == totals(rows)[1]


def test_polars_reads_the_folder_by_its_hive_names(store):
    pl = pytest.importorskip("polars")
    _, rows = save()
    data = pl.scan_parquet(store / "**" / "*.parquet", hive_partitioning=True)
    found = data.group_by("year").agg(pl.col("value_usd").sum()).sort("year").collect()
    assert found["year"].to_list() == [2022, 2023, 2024] and found["value_usd"].to_list() == totals(rows)


def test_dask_reads_the_folder_by_its_hive_names(store):
    pytest.importorskip("dask")
    dd = pytest.importorskip("dask.dataframe")
    _, rows = save()
    data = dd.read_parquet(store / f"table={EXPORTS}" / f"published={DAY}")
    found = data.groupby("year", observed=True)["value_usd"].sum().compute().sort_index()
    assert found.tolist() == totals(rows)


# --- an object store ----------------------------------------------------------------------------


@pytest.fixture
def bucket(s3_bucket, monkeypatch):
    """A store at s3://, in a bucket of each test's own."""
    _, name = s3_bucket
    monkeypatch.setenv("TRADELIB_STORE", f"s3://{name}/store")
    return name


def test_a_store_at_s3_works_the_same(bucket, tmp_path):
    local, rows = save(store=tmp_path / "local")
    vintage, _ = save()
    assert str(vintage.path) == f"s3://{bucket}/store/table={EXPORTS}/published={DAY}/_vintage.json"
    assert [v.path for v in list_vintages(EXPORTS)] == [vintage.path]
    assert vintage.sha256 == local.sha256 and vintage.parts == local.parts
    assert same(vintages.read(vintage), rows)
    cut = rows[(rows["partner"] == "5800") & rows["period"].between("2023-11", "2024-02")]
    assert same(load(EXPORTS, as_of=DAY, partner="5800", since="2023-11", through="2024-02"), cut)
    with pytest.raises(TradelibError, match="already stored with other figures"):
        save(rows_of(2022, seed=1))


def test_contributors_are_the_same_from_s3(bucket, monkeypatch, tmp_path):
    asked = {"flow": "exports", "partner": "KOR", "through": "2024-05", "as_of": DAY, "top": 5}
    save()
    found = contributors(**asked)
    monkeypatch.setenv("TRADELIB_STORE", str(tmp_path / "local"))
    save()
    assert found.equals(contributors(**asked))


def test_from_s3_only_the_bytes_of_some_row_groups_come(bucket, monkeypatch):
    import s3fs.core

    monkeypatch.setattr(parquet, "ROWS_AT_ONCE_LARGE", 20_000)
    many = tuple(f"{code:010d}" for code in range(101210000, 101210000 + 8000))
    vintage, _ = save(rows_of(2023), rows_of(2024, items=many))
    size = vintage.files[1].stat().st_size
    fetched, fetch = [], s3fs.core._fetch_range

    def counted(fs, bucket, key, version, start, end, **options):
        fetched.append((key, end - start))
        return fetch(fs, bucket, key, version, start, end, **options)

    monkeypatch.setattr(s3fs.core, "_fetch_range", counted)
    found = load(EXPORTS, as_of=DAY, partner="1220", since="2024-01", through="2024-12")
    assert set(found["partner"]) == {"1220"}
    assert {key for key, _ in fetched} == {vintage.files[1].path.split("/", 1)[1]}
    assert sum(length for _, length in fetched) < size / 2


def test_bytes_that_are_damaged_at_an_address_are_noticed_as_they_are_read(bucket):
    vintage, _ = save()
    whole = vintage.files[1].read_bytes()
    half = len(whole) // 2
    vintage.files[1].write_bytes(whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :])
    with pytest.raises(TradelibError, match="Cannot read the rows"):
        vintages.read(vintage)


def test_duckdb_reads_the_folder_at_s3_by_its_hive_names(bucket):
    vintage, rows = save()
    with duckdb.connect() as con:
        con.register_filesystem(vintage.path.fs)
        found = con.sql(
            "SELECT year, sum(value_usd) FROM read_parquet($files, hive_partitioning = true) "
            "GROUP BY year ORDER BY year",
            params={"files": f"s3://{bucket}/store/**/*.parquet"},
        ).fetchall()
    assert found == list(zip((2022, 2023, 2024), totals(rows), strict=True))


def test_a_file_that_went_missing_at_s3_is_told(bucket):
    vintage, _ = save()
    vintage.files[1].unlink()
    with pytest.raises(TradelibError, match=f"Cannot read the rows of s3://{bucket}"):
        vintages.read(vintage, partner="5800")


def test_a_connection_that_breaks_while_rows_come_is_told(bucket, monkeypatch):
    """The error of the library of an address is none of the operating system's, and came as it was."""
    import s3fs.core
    from botocore.exceptions import EndpointConnectionError

    def broken(*_, **__):
        raise EndpointConnectionError(endpoint_url="http://nobody")

    vintage, _ = save()
    monkeypatch.setattr(s3fs.core, "_fetch_range", broken)
    with pytest.raises(TradelibError, match=f"Cannot read the rows of s3://{bucket}.*Could not connect"):
        vintages.read(vintage, partner="5800")
    with pytest.raises(TradelibError, match="Could not connect"):
        contributors(flow="exports", partner="5800", through="2024-03", as_of=DAY)
