"""The vintage store: written once, whole or not at all, and everything about a file is in the file."""

import errno
import json
import os
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelib import list_vintages, load, load_goods
from tradelib.errors import TradelibError
from tradelib.store import files, parquet, vintages
from tradelib.tables import TABLES, CheckError, check_flows, table_info

BUNDLED = vintages.BUNDLED
EVERY = [v for v in list_vintages() if v.origin == "bundled"]
DAY = date(2031, 1, 2)


def tidy(value=7.0, *, months=("2030-01", "2030-02"), partners=("5800", "5700"), table="goods"):
    index = pd.MultiIndex.from_product(
        [partners, ["exports", "imports"], pd.PeriodIndex(months, freq="M")],
        names=["partner", "flow", "period"],
    )
    frame = index.to_frame(index=False).assign(item="goods", note=pd.Series(pd.NA, dtype="str"))
    return frame.assign(value_usd=value + np.arange(len(frame), dtype=float))


def save(frame=None, *, published=DAY, table="goods_census_nsa", **options):
    options = {"sources": [{"name": "country.xlsx", "sha256": "0" * 64}], "parser": "census.1"} | options
    return vintages.save(tidy() if frame is None else frame, table, published=published, **options)


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


# --- bundled ------------------------------------------------------------------------------------


def test_the_bundle_holds_the_tables_and_vintages_that_the_issue_lists():
    dates = {}
    for v in EVERY:
        dates.setdefault(v.table, []).append(v.published.isoformat())
    assert dates == {
        "exports_hs2_nsa": ["2020-12-04"],
        "goods_census_nsa": [
            *("2012-02-10", "2017-01-06", "2018-10-05", "2020-10-06"),
            *("2023-03-08", "2024-10-08", "2025-04-03"),
        ],
        "goods_census_nsa_api": ["2025-10-18"],
        "goods_census_sa": ["2025-04-03"],
        "imports_consumption_hs2_nsa": ["2020-12-04", "2021-08-05"],
        "imports_consumption_hs6_annual": ["2026-11-24"],
        "imports_consumption_naics_nsa": ["2026-01-29"],
        "imports_consumption_nsa": ["2020-12-04", "2021-08-05", "2026-01-29"],
        **{name: ["2021-10-05"] for name in TABLES if "_ft900_" in name},
        "imports_general_hs2_nsa": ["2025-10-18"],
        "trade_bop_annual": ["2025-03-06"],
        "trade_bop_sa": ["2025-03-06"],
        "trade_world_annual": ["2025-04-03"],
        "trade_world_sa": ["2025-04-03"],
    }


def test_the_bundle_is_at_most_20_mb_and_holds_nothing_but_vintages():
    assert sum(path.stat().st_size for path in files_in(BUNDLED)) <= 20e6
    assert {path.name for path in files_in(BUNDLED)} == {"flows.parquet"}
    assert len(files_in(BUNDLED)) == len(EVERY)


@pytest.mark.parametrize("vintage", EVERY, ids=lambda v: f"{v.table}-{v.published}")
def test_the_figures_in_each_bundled_file_are_those_its_metadata_vouch_for(vintage):
    frame = vintages.read(vintage)
    assert parquet.digest(frame) == vintage.sha256
    assert len(frame) == vintage.rows
    assert (str(frame["period"].min()), str(frame["period"].max())) == (vintage.since, vintage.through)
    assert vintage.sources and all(len(s["sha256"]) == 64 and s["name"] for s in vintage.sources)
    assert vintage.parser and vintage.note
    assert vintage.dated_by == (
        "saved" if vintage.published in (date(2025, 10, 18), date(2026, 11, 24)) else "published"
    )


@pytest.mark.parametrize("vintage", EVERY, ids=lambda v: f"{v.table}-{v.published}")
def test_each_bundled_file_is_named_by_its_own_metadata_and_meets_the_contract(vintage):
    assert vintage.path.parent.name == f"published={vintage.published}"
    assert vintage.path.parent.parent.name == f"table={vintage.table}"
    if vintage.rows < 80_000:
        frame = vintages.read(vintage)
        assert check_flows(frame, vintage.table).equals(frame)


def test_any_tool_that_knows_hive_folders_sees_table_and_publication_date():
    data = ds.dataset(BUNDLED, partitioning="hive", format="parquet")
    assert {"table", "published", "period", "partner", "flow", "item", "value_usd", "note"} <= set(
        data.schema.names
    )
    korea = (
        (ds.field("table") == "goods_census_nsa")
        & (ds.field("partner") == "5800")
        & (ds.field("flow") == "exports")
        & (ds.field("period") == pa.scalar(date(2018, 7, 1), pa.date32()))
    )
    rows = data.to_table(columns=["published", "value_usd"], filter=korea).to_pandas()
    july = dict(zip(rows["published"].astype(str), rows["value_usd"], strict=True))
    assert july["2018-10-05"] == 4_685_784_639 and july["2025-04-03"] == 4_683_482_573
    assert len(july) == 5, "one row for each vintage that reaches July 2018"


def test_the_store_has_the_same_layout_as_the_bundle(store):
    vintage, _ = save()
    path = store / "table=goods_census_nsa" / "published=2031-01-02" / "flows.parquet"
    assert vintage.path == path and path.is_file()
    data = ds.dataset(store, partitioning="hive", format="parquet").to_table().to_pandas()
    assert set(data["table"]) == {"goods_census_nsa"}
    assert set(data["published"].astype(str)) == {"2031-01-02"}


# --- write-once ---------------------------------------------------------------------------------


def test_the_same_content_twice_is_a_no_op(store):
    first, written = save()
    before = first.path.read_bytes(), first.path.stat().st_mtime_ns
    second, again = save(tidy().sample(frac=1, random_state=1), note="the same from elsewhere")
    assert (written, again) == (True, False)
    assert second == first
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == before


def test_other_content_under_the_same_name_is_refused_and_the_file_is_unchanged(store):
    first, _ = save()
    before = first.path.read_bytes()
    with pytest.raises(TradelibError) as refusal:
        save(tidy(8.0))
    assert "goods_census_nsa of 2031-01-02 is already stored with other figures" in str(refusal.value)
    assert str(first.path) in str(refusal.value)
    assert first.path.read_bytes() == before
    assert files_in(store) == [first.path]


def test_a_bundled_vintage_cannot_be_replaced_by_the_store(store):
    with pytest.raises(TradelibError, match="already stored with other figures \\(bundled\\)"):
        save(published=date(2018, 10, 5))
    assert not store.exists()


def test_saving_what_is_bundled_stores_nothing(store):
    bundled = list_vintages("trade_bop_annual")[0]
    frame = vintages.read(bundled)
    vintage, written = save(frame, table="trade_bop_annual", published=bundled.published)
    assert (vintage, written) == (bundled, False)
    assert not store.exists()


def test_a_writer_that_comes_second_in_a_race_overwrites_nothing(store, monkeypatch):
    first, _ = save()
    before = first.path.read_bytes()
    monkeypatch.setattr(vintages, "list_vintages", lambda table=None: [])  # looked before the first one wrote
    with pytest.raises(TradelibError):
        save(tidy(8.0))
    assert first.path.read_bytes() == before
    assert files_in(store) == [first.path]


def test_a_failing_write_leaves_no_file_at_all(store, monkeypatch):
    def full(table, where, **options):
        Path(where).write_bytes(b"PAR1 half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr(parquet.pq, "write_table", full)
        with pytest.raises(TradelibError, match=r"Cannot write .*flows.parquet: No space left"):
            save()
    assert files_in(store) == []
    assert save()[1], "the next attempt is not in the way of the failed one"


def test_a_killed_write_leaves_nothing_that_counts_as_a_vintage(store, monkeypatch):
    def killed(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(files.os, "link", killed)
        with pytest.raises(KeyboardInterrupt):
            save()
    assert files_in(store) == []
    assert all(v.origin == "bundled" for v in list_vintages())


def test_a_store_that_cannot_be_written_is_told(store):
    store.write_text("a file where the folder should be")
    with pytest.raises(TradelibError, match=r"(?s)Cannot read .*TRADELIB_STORE"):
        save()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_in_the_place_of_a_vintage_is_refused_at_once(store, make):
    place = store / "table=goods_census_nsa" / "published=2024-01-01"
    place.mkdir(parents=True)
    make(place / "flows.parquet")
    with pytest.raises(TradelibError, match=r"flows\.parquet is not a tradelib vintage, or is damaged"):
        vintages.list_vintages("goods_census_nsa")


def test_a_vintage_is_readable_by_others(store):
    vintage, _ = save()
    assert vintage.path.stat().st_mode & 0o777 == 0o644


# --- what a file knows --------------------------------------------------------------------------


def test_everything_about_a_vintage_is_in_the_metadata_of_its_file(store):
    sources = [{"name": "a.json", "sha256": "1" * 64}, {"name": "b.json", "sha256": "2" * 64}]
    vintage, _ = save(sources=sources, parser="census.7", dated_by="saved", note="by hand")
    meta = json.loads(pq.read_schema(vintage.path).metadata[b"tradelib"])
    assert {len(meta.pop(name)) for name in ("card_sha256", "file_sha256")} == {64}
    assert meta == {
        "table": "goods_census_nsa",
        "published": "2031-01-02",
        "sha256": parquet.digest(check_flows(tidy(), "goods_census_nsa")),
        "since": "2030-01",
        "through": "2030-02",
        "rows": 8,
        "sources": sources,
        "parser": "census.7",
        "dated_by": "saved",
        "note": "by hand",
    }


def test_a_summary_is_plain_json_and_tells_no_path_of_the_machine(store):
    vintage, _ = save()
    plain = vintages.summary(vintage)
    assert json.loads(json.dumps(plain)) == plain
    assert plain["published"] == "2031-01-02" and plain["origin"] == "store"
    assert str(store) not in json.dumps(plain)


def test_the_columns_of_a_file_have_plain_types():
    schema = pq.read_schema(list_vintages("goods_census_nsa")[0].path)
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "period": "date32[day]",
        "partner": "string",
        "flow": "string",
        "item": "string",
        "value_usd": "double",
        "note": "string",
    }


def test_the_rows_of_some_partners_are_those_of_the_whole(store):
    vintage, _ = save()
    shutil.copy(list_vintages("goods_census_nsa")[-1].path, large := store / "large.parquet")
    for path in (vintage.path, large):
        whole = parquet.read(path, "M")
        for partners in (["5800"], ["5800", "5700", "0015"], ["9999"]):
            kept = whole[whole["partner"].isin(partners)].reset_index(drop=True)
            pd.testing.assert_frame_equal(parquet.read(path, "M", partners), kept)


@given(st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_the_hash_does_not_depend_on_the_order_of_rows(order):
    frame = check_flows(tidy(), "goods_census_nsa")
    shuffled = check_flows(tidy().iloc[list(order)], "goods_census_nsa")
    assert parquet.digest(shuffled) == parquet.digest(frame)


@given(st.integers(0, 7), st.integers(1, 10**13))
@settings(max_examples=30, deadline=None)
def test_the_hash_changes_with_any_figure(row, by):
    frame = check_flows(tidy(), "goods_census_nsa")
    other = frame.copy()
    other.loc[row, "value_usd"] += by
    assert parquet.digest(other) != parquet.digest(frame)


def test_the_hash_changes_with_a_note_a_period_and_a_partner():
    frame = check_flows(tidy(), "goods_census_nsa")
    others = [
        frame.assign(note=["(R)", *frame["note"][1:]]),
        frame.assign(period=frame["period"] + 1),
        frame.assign(partner=frame["partner"].replace("5800", "2010")),
        frame.assign(value_usd=[np.nan, *frame["value_usd"][1:]]),
    ]
    digests = {parquet.digest(other) for other in [frame, *others]}
    assert len(digests) == 5


# --- the store lies on top ----------------------------------------------------------------------


def test_a_newer_vintage_in_the_store_is_used_from_its_date_on(store):
    save(published=date(2030, 4, 1))
    assert set(load_goods(as_of="2030-03-31")["vintage"]) == {"2025-04-03"}
    mine = load_goods(as_of="2030-04-01")
    assert set(mine["vintage"]) == {"2030-04-01"}
    assert mine["value_usd"].tolist() == check_flows(tidy(), "goods_census_nsa")["value_usd"].tolist()


def test_an_older_vintage_in_the_store_takes_its_place_between_the_bundled_ones(store):
    frame = tidy(months=("2018-06", "2018-07"))
    save(frame, published=date(2018, 9, 5))
    dates = [str(v.published) for v in list_vintages("goods_census_nsa")]
    assert dates == sorted(dates) and "2018-09-05" in dates
    assert set(load_goods(as_of="2018-09-30", since="2018-06")["vintage"]) == {"2018-09-05"}


def test_a_stored_copy_of_a_bundled_vintage_is_not_listed_twice(store):
    bundled = list_vintages("trade_bop_annual")[0]
    copy = store / bundled.path.relative_to(BUNDLED)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(bundled.path.read_bytes())
    assert list_vintages("trade_bop_annual") == [bundled]


def test_a_vintage_added_while_the_program_runs_is_seen(store):
    before = len(list_vintages())
    save()
    assert len(list_vintages()) == before + 1


# --- bad files in the store ---------------------------------------------------------------------


def foreign(path):
    pq.write_table(pa.table({"x": [1]}), path)


DAMAGED = {
    "no Parquet": lambda path: path.write_bytes(b"not a parquet file"),
    "an empty file": lambda path: path.write_bytes(b""),
    "a Parquet file of somebody else": foreign,
    "half a vintage": lambda path: path.write_bytes(EVERY[0].path.read_bytes()[:10_000]),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_in_the_store_is_named_and_other_tables_are_untouched(store, case):
    path = store / "table=goods_census_nsa" / "published=2031-01-02" / "flows.parquet"
    path.parent.mkdir(parents=True)
    DAMAGED[case](path)
    for action in (lambda: list_vintages(), lambda: load_goods(as_of="2018-10-05"), lambda: save()):
        with pytest.raises(TradelibError) as refusal:
            action()
        assert str(path) in str(refusal.value) and "out of the store" in str(refusal.value)
    assert len(load("goods_census_sa", as_of="2025-04-03", partner="5800")) == 388


def test_a_temporary_file_left_by_a_killed_run_is_no_vintage(store):
    folder = store / "table=goods_census_nsa" / "published=2031-01-02"
    folder.mkdir(parents=True)
    (folder / ".flows-abc.tmp").write_bytes(b"PAR1")
    assert all(v.origin == "bundled" for v in list_vintages())


# --- reading ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "since", "through"),
    [
        ("goods_census_nsa", "2018-03", "2018-07"),
        ("trade_bop_sa", "2013Q1", "2018Q2"),
        ("trade_bop_annual", "2001", "2017"),
        ("goods_census_nsa", "2018-03", None),
        ("goods_census_nsa", None, "1985-02"),
    ],
)
def test_cuts_while_reading_give_the_same_rows_as_cuts_afterwards(table, since, through):
    vintage = list_vintages(table)[-1]
    whole = vintages.read(vintage)
    freq = table_info(table).freq
    keep = whole["partner"].isin(["5800", "2010"])
    keep &= whole["period"] >= (pd.Period(since, freq) if since else whole["period"].min())
    keep &= whole["period"] <= (pd.Period(through, freq) if through else whole["period"].max())
    cut = vintages.read(vintage, since=since, through=through, partner=["5800", "2010"])
    assert len(cut) and cut.equals(whole[keep].reset_index(drop=True))


@pytest.mark.parametrize("vintage", EVERY[:2] + EVERY[-2:], ids=lambda v: v.table)
def test_what_is_read_has_the_frequency_of_its_table_and_whole_dollars(vintage):
    frame = vintages.read(vintage)
    assert frame["period"].dtype == pd.PeriodDtype(table_info(vintage.table).freq)
    values = frame["value_usd"].dropna()
    assert (values == values.round()).all()


def test_a_lag_is_counted_in_days_and_never_negative():
    vintage = list_vintages("goods_census_nsa")[2]
    assert vintage.lag_days(date(2018, 9, 5)) == 30
    assert vintage.lag_days(date(2018, 10, 5)) == 0
    assert vintage.lag_days(date(2025, 1, 1)) == 0


# --- the contract -------------------------------------------------------------------------------

BREACHES = {
    "a column more": (lambda f: f.assign(balance=0.0), "Columns of goods_census_nsa must be"),
    "a column less": (lambda f: f.drop(columns="note"), "Columns of goods_census_nsa must be"),
    "quarters in a table of months": (
        lambda f: f.assign(period=f["period"].dt.asfreq("Q")),
        "must have frequency M; got period\\[Q",
    ),
    "dates for periods": (lambda f: f.assign(period=f["period"].dt.start_time), "must have frequency M"),
    "no rows": (lambda f: f[:0], "no rows at all"),
    "an unknown partner": (lambda f: f.assign(partner="KOR"), "unknown partner code\\(s\\): KOR"),
    "one flow only": (lambda f: f[f["flow"] == "exports"], "flows must be"),
    "a balance as a flow": (lambda f: f.assign(flow=["balance", *f["flow"][1:]]), "flows must be"),
    "a negative flow": (lambda f: f.assign(value_usd=-1.0), "no flow is negative: 8 row"),
    "cents": (lambda f: f.assign(value_usd=0.5), "whole dollars: 8 row"),
    "a missing value without a mark": (
        lambda f: f.assign(value_usd=np.nan),
        "a missing value needs the publisher's mark",
    ),
    "a row twice": (lambda f: pd.concat([f, f[:1]]), "one row per partner, flow, item and period: 1 row"),
}


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_of_the_contract_is_told_and_nothing_is_stored(store, case):
    breach, words = BREACHES[case]
    with pytest.raises(CheckError, match=words):
        save(breach(tidy()))
    assert not store.exists()


def test_a_missing_value_with_the_publishers_mark_is_kept(store):
    frame = tidy()
    frame.loc[0, "value_usd"], frame.loc[0, "note"] = np.nan, "(D)"
    vintage, _ = save(frame.assign(note=frame["note"].astype("str")))
    back = vintages.read(vintage)
    assert back.loc[back["note"] == "(D)", "value_usd"].isna().all() and back["note"].notna().sum() == 1


def test_every_table_has_one_basis_and_one_adjustment():
    assert {(info.basis, info.adjustment, info.freq) for info in TABLES.values()} == {
        ("Census", "NSA", "M"),
        ("Census", "SA", "M"),
        ("Census", "SA", "Q"),
        ("BOP", "SA", "M"),
        ("BOP", "SA", "Q"),
        ("BOP", "not needed", "Y"),
        ("Census", "not needed", "Y"),
    }
    with pytest.raises(TradelibError, match="Tables: goods_census_nsa"):
        table_info("goods")
