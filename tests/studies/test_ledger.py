"""The ledger: verdicts by rule, on the day, in each later vintage, and now."""

import json
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner
from helpers import said, sheet
from hypothesis import given
from hypothesis import strategies as st

import tradelib as tl
from tradelib.cli.main import main
from tradelib.sources.ingest import ingest
from tradelib.studies import library
from tradelib.studies.claims import FOLDER, load_article
from tradelib.studies.ledger import audit, fate, missing, summary, table
from tradelib.studies.printed import VERDICTS, as_printed, read, verdict

NOW = date(2025, 10, 18)
KEI = load_article("kei-2018-09-05")
GROWTH = next(claim for claim in KEI.claims if claim.id == "kei.5").printed
#: A made-up article on China: what it prints is chosen so that every verdict occurs.
CHINA = """\
id: china-2018-10-05
title: A made-up article on China
publisher: Nobody
published: 2018-10-05
release: 2018-07
partner: CHN
claims:
  - {id: c.1, claim: Exports of goods were 74.3 billion, unit: USD, printed: 74.3 billion,
     rounding: 0.1 billion, fact: goods.exports.ytd}
  - {id: c.2, claim: Imports of goods rose by 8.8 percent, unit: percent, printed: 8.8, rounding: 0.1,
     fact: goods.imports.ytd.change_pct}
  - {id: c.3, claim: The goods deficit fell by 5 percent, unit: percent, printed: 5, rounding: 1,
     fact: goods.deficit.ytd.reduction_pct}
  - {id: c.4, claim: China is third, unit: rank, printed: 3, fact: goods.deficit.rank}
  - {id: c.5, claim: July was a record month of exports, unit: bool, printed: true,
     fact: goods.exports.month.is_record}
  - {id: c.6, claim: The services surplus was 20 billion, unit: USD, printed: 20 billion,
     rounding: 1 billion, fact: services.balance.ytd}
  - {id: c.7, claim: China is second, unit: rank, printed: 2, fact: goods.deficit.rank}
  - {id: c.8, claim: The record month was December 2017, unit: month, printed: 2017-12,
     fact: goods.exports.record_month}
"""


@pytest.fixture(scope="module")
def kei(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADELIB_STORE", str(tmp_path_factory.mktemp("store")))
        return {line.claim.id: line for line in audit(KEI, as_of=NOW)}


@pytest.fixture(scope="module")
def china(tmp_path_factory):
    path = tmp_path_factory.mktemp("claims") / "china.yaml"
    path.write_text(CHINA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADELIB_STORE", str(tmp_path_factory.mktemp("store")))
        return {line.claim.id: line for line in audit(load_article(path), as_of=NOW)}


# --- the rule -----------------------------------------------------------------------------------


def test_the_rule_on_growth():
    values = (11.139, 11.174, 12.5, -1.0, None)
    assert [verdict(GROWTH, value) for value in values] == [*VERDICTS]


@given(st.integers(-10_000, 10_000), st.floats(-0.499, 0.499))
def test_what_rounds_to_the_printed_value_is_reproduced(tenths, off):
    claim = replace(GROWTH, value=tenths / 10)
    assert verdict(claim, (tenths + off) / 10) == "reproduced"


@given(st.integers(30, 10_000), st.floats(0.51, 1.99), st.sampled_from([-1, 1]))
def test_within_twice_the_rounding_is_close_and_beyond_differs(tenths, off, way):
    claim = replace(GROWTH, value=tenths / 10)
    assert verdict(claim, (tenths + way * off) / 10) == "close"
    assert verdict(claim, (tenths + way * (off + 2)) / 10) in ("differs", "reversed")


@given(st.floats(0.2, 1e6), st.floats(0.2, 1e6))
def test_another_sign_is_reversed_however_near(printed, size):
    assert verdict(replace(GROWTH, value=printed), -size) == "reversed"
    assert verdict(replace(GROWTH, value=-printed), size) == "reversed"


def test_a_list_that_is_none_of_partners_is_refused_with_its_line(tmp_path):
    text = (FOLDER / "kei-2018-09-05.yaml").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("fact: total.reducers", "fact: commodity.hs2.contributions"))
    with pytest.raises(tl.TradelibError, match=r"mine.yaml:\d+: fact: .* is no list of partners"):
        audit(load_article(path), as_of="2021-01-01")


def test_the_rule_for_ranks_periods_lists_and_truths():
    claims = {claim.id: claim.printed for claim in KEI.claims}
    assert [verdict(claims["kei.8"], rank) for rank in (9, 10, 8, 11, 13)] == [
        *("reproduced", "close", "close", "differs", "differs")
    ]
    quarters = ("2016Q1", "2016Q2", "2016Q3", "2016Q4", "2015Q4")
    assert [verdict(claims["kei.2"], one) for one in quarters] == [
        *("close", "reproduced", "reproduced", "close", "differs")
    ]
    korea, india, france = ({"code": code} for code in ("5800", "5330", "4279"))
    assert verdict(claims["kei.10"], [korea, india]) == "reproduced"
    assert verdict(claims["kei.10"], [korea, india, france]) == "differs"
    assert verdict(claims["kei.10"], [france]) == "reversed"
    includes = replace(claims["kei.10"], includes=True)
    assert verdict(includes, [korea, india, france]) == "reproduced"
    assert verdict(claims["kei.13"], False) == "reversed"
    assert verdict(claims["kei.8"], None, undefined=True) == "reversed"
    assert verdict(claims["kei.8"], None) == "cannot be tested"


@pytest.mark.parametrize(
    ("text", "unit", "value", "rounding", "hedge"),
    [
        ("$222.6 billion", "USD", 222.6e9, 1e8, ""),
        ("222.6bn", "USD", 222.6e9, 1e8, ""),
        ("-119,050.9 million", "USD", -119_050.9e6, 1e5, ""),
        ("US$1.5tn", "USD", 1.5e12, 1e11, ""),
        ("11.1%", "percent", 11.1, 0.1, ""),
        ("down 18 percent", "percent", -18, 1, ""),
        ("fell by about 27 per cent", "percent", -27, 1, "about"),
        ("nearly $40 billion", "USD", 40e9, 1e9, "nearly"),
        ("more than 11 billion", "USD", 11e9, 1e9, "more than"),
        ("more than doubled", "percent", 100, 50, "more than"),
        ("nearly two-thirds", "percent", 200 / 3, 4, "nearly"),
        ("3.4 times", "percent", 240, 10, ""),
        ("twice", "ratio", 2, 0.1, "about"),
        ("ninth", "rank", 9, 0.5, ""),
        ("second largest", "rank", 2, 0.5, ""),
        ("22 years", "count", 264, 12, ""),
        ("3.8 times", "ratio", 3.8, 0.1, ""),
    ],
)
def test_a_printed_figure_is_read_as_people_write_it(text, unit, value, rounding, hedge):
    found = read(text, unit)
    assert (found.value, found.hedge) == (pytest.approx(value), hedge)
    assert found.rounding == pytest.approx(rounding)


@pytest.mark.parametrize(
    ("text", "value", "shown"),
    [
        ("$163,336.9 million", 163_336_947_640, "$163,336.9 million"),
        ("$55.7 billion", 55_660_830_389, "$55.7 billion"),
        ("$68.94 billion", 68_804_270_592, "$68.80 billion"),
    ],
)
def test_a_figure_is_shown_with_the_digits_that_were_printed(text, value, shown):
    assert as_printed(read(text, "USD"), value, "") == shown


@pytest.mark.parametrize("text", ["a lot", "12 %", "$5 apples", "", "billion", "1.2.3"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(tl.TradelibError, match="no number of USD"):
        read(text, "USD")


def test_a_level_is_judged_whatever_sign_a_deficit_is_printed_with():
    for text in ("$222.6 billion", "-222.6 billion"):
        assert verdict(read(text, "USD"), 222.58e9, side="deficit") == "reproduced"
        assert verdict(read(text, "USD"), -222.58e9, side="balance") == "reproduced"
    assert verdict(read("10.7 billion", "USD"), -3.1e9, side="balance") == "reversed"
    assert verdict(read("1.2 billion", "USD"), -1.2e9, side="deficit") == "reversed"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("more than 4 billion", {4.3e9: "reproduced", 3.9e9: "close", 5.9e9: "close", 7e9: "differs"}),
        ("nearly 40 billion", {39.4e9: "reproduced", 40.3e9: "close", 37e9: "differs"}),
        ("about 40 billion", {39.2e9: "reproduced", 40.9e9: "reproduced", 38.5e9: "close", 37e9: "differs"}),
        ("40 billion", {39.6e9: "reproduced", 39.2e9: "close", 37e9: "differs"}),
    ],
)
def test_nearly_more_than_and_about_are_what_they_are(text, values):
    assert {value: verdict(read(text, "USD"), value) for value in values} == values


# --- the published note -------------------------------------------------------------------------


def test_goods_exports_are_reproduced_on_the_reconstructed_day_and_read_11_2_from_2020_on(kei):
    line = kei["kei.5"]
    day = line.on_the_day
    assert (day.verdict, day.vintage, day.vintage_method) == ("reproduced", "2018-10-05", "reconstructed")
    assert day.value == pytest.approx(100 * (31_752.055221 / 28_569.686 - 1), abs=0.001)
    assert [r.vintage for r in line.later] == ["2020-10-06", "2023-03-08", "2024-10-08", "2025-04-03"]
    assert {round(r.value, 1) for r in line.later} == {11.2}
    assert {r.verdict for r in line.later} == {"close"}
    assert line.changed.vintage == "2020-10-06"


def test_the_services_surplus_grew_then_and_is_reversed_now(kei):
    line = kei["kei.3"]
    assert line.on_the_day.verdict == "cannot be tested"
    assert "2,374 days later" in line.on_the_day.reason
    assert "tradelib fetch ft900 --release 2018-07" in line.on_the_day.advice
    assert (line.now.verdict, line.now.value, line.now.vintage) == ("reversed", -476e6, "2025-03-06")


def test_the_rank_depends_on_the_universe_and_the_ledger_shows_both(kei):
    assert (kei["kei.8"].now.value, kei["kei.8"].now.verdict) == (9, "reproduced")
    assert (kei["kei.8 (list of 2025)"].now.value, kei["kei.8 (list of 2025)"].now.verdict) == (13, "differs")


@pytest.mark.parametrize(
    ("id", "now", "value"),
    [
        ("kei.1", "differs", 65.53),
        ("kei.2", "reproduced", "2016Q2"),
        ("kei.4", "differs", 7_130e6),
        ("kei.6", "cannot be tested", None),
        ("kei.6 (HS 27)", "differs", 4_179.4e6),
        ("kei.7 (HS 27)", "reversed", 119.9e6),
        ("kei.11", "close", 2.556),
        ("kei.12", "differs", "1999Q1"),
        ("kei.13", "reproduced", True),
    ],
)
def test_what_the_newest_vintages_say(kei, id, now, value):
    assert kei[id].now.verdict == now
    if isinstance(value, float):
        assert kei[id].now.value == pytest.approx(value, rel=1e-3 if value > 1e6 else 5e-3)
    else:
        assert kei[id].now.value == value


def test_reducers_and_larger_deficits_are_told_by_name(kei):
    assert {e["iso3"] for e in kei["kei.10"].now.value} == {"KOR", "FRA", "IND"}
    assert kei["kei.10"].now.verdict == "differs"
    assert {"FRA", "ITA", "JPN", "MEX"} < {e["iso3"] for e in kei["kei.9"].now.value}
    assert kei["kei.9"].now.verdict == "reproduced"


def test_no_verdict_of_a_later_vintage_stands_in_the_column_of_the_day(kei):
    for line in kei.values():
        if line.on_the_day.verdict != "cannot be tested":
            assert line.on_the_day.vintage_method in ("published", "reconstructed")


def test_the_claims_that_need_a_file_say_which_and_how_to_get_it(kei):
    told = missing(list(kei.values()))
    assert sorted(id for ids in told.values() for id in ids) == sorted(set(kei) - {"kei.5"})
    oil = next(words for words, ids in told.items() if "kei.6" in ids)
    assert "`tradelib fetch naics`" in oil and "not for that day" in oil


def test_oil_and_gas_is_judged_once_a_reply_of_the_api_is_there(tmp_path):
    """A made-up reply in the wire format: 400 million a month in 2017, 380 million in 2018."""
    months = pd.period_range("2017-01", "2018-07", freq="M")
    head = ["CTY_CODE", "ALL_VAL_MO", "NAICS", "time", "COMM_LVL"]
    body = [["5800", "380000000" if m.year == 2018 else "400000000", "211", str(m), "NA3"] for m in months]
    reply = tmp_path / "oil.json"
    reply.write_text(json.dumps([head, *body]))
    ingest([reply], published=None, saved="2025-05-01")
    line = {line.claim.id: line for line in audit(KEI, as_of=NOW)}
    assert (line["kei.6"].now.value, line["kei.6"].now.verdict) == (2_660e6, "reproduced")
    assert (line["kei.7"].now.value, line["kei.7"].now.verdict) == (2_660e6 - 4_800e6, "differs")
    assert line["kei.6"].on_the_day.verdict == "cannot be tested"


# --- a made-up article on another partner --------------------------------------------------------


def test_what_became_of_a_claim(kei, china):
    assert (fate(china["c.3"]), fate(china["c.4"])) == ("never found", "never found")
    assert fate(china["c.2"]) == "revised away"  # it was close for a while
    assert (fate(china["c.1"]), fate(kei["kei.6"])) == ("stands", "not testable")
    lost = replace(china["c.1"], now=replace(china["c.1"].now, verdict="differs"))
    assert fate(lost) == "revised away"


def test_every_kind_of_verdict_occurs(china):
    then = {id: line.on_the_day.verdict for id, line in china.items()}
    assert then == {
        "c.1": "reproduced",
        "c.2": "differs",
        "c.3": "reversed",
        "c.4": "differs",
        "c.5": "reversed",
        "c.6": "cannot be tested",
        "c.7": "close",
        "c.8": "reproduced",
    }
    assert set(then.values()) == set(VERDICTS)
    now = {id: line.now.verdict for id, line in china.items()}
    assert now == then | {"c.1": "close", "c.6": "reproduced"}
    changed = {id: line.changed.vintage for id, line in china.items() if line.changed}
    assert changed == {"c.1": "2020-10-06", "c.2": "2020-10-06"}  # c.2 was close for a while
    assert {line.on_the_day.vintage_method for line in china.values()} == {"published", "later"}


# --- on the command line and in a notebook ------------------------------------------------------


def test_audit_prints_the_ledger_and_its_json():
    run = CliRunner().invoke(main, ["audit", "kei-2018-09-05"])
    assert run.exit_code == 0
    for words in ("kei.13", "reconstructed", "2020-10-06", "Of the 13 claims", "tradelib fetch ft900"):
        assert words in run.output, words
    run = CliRunner().invoke(main, ["audit", "kei-2018-09-05", "--as-of", "2019-06-01", "--format", "json"])
    page = json.loads(run.output)
    claims = {claim["id"]: claim for claim in page["claims"]}
    assert page["as_of"] == "2019-06-01"
    assert claims["kei.5"]["now"]["verdict"] == "reproduced" and claims["kei.5"]["changed"] is None
    assert claims["kei.3"]["now"]["verdict"] == "cannot be tested"


def test_many_articles_are_counted_together(tmp_path):
    path = tmp_path / "china.yaml"
    path.write_text(CHINA)
    run = CliRunner().invoke(main, ["audit", str(path), "kei-2018-09-05", "--format", "json"])
    one, other = json.loads(run.output)
    fates = [claim["fate"] for claim in one["claims"] + other["claims"]]
    assert (one["id"], other["id"], len(fates)) == ("china-2018-10-05", "kei-2018-09-05", 24)
    run = CliRunner().invoke(main, ["audit", str(path), str(path)])
    (whole,) = [line.split() for line in run.output.splitlines() if line.startswith("all ")]
    assert whole == ["all", "16", "8", "2", "6", "0"]


def test_an_as_of_date_before_the_article_is_refused():
    run = CliRunner().invoke(main, ["audit", "kei-2018-09-05", "--as-of", "2018-09-04"])
    assert run.exit_code == 1 and "before the article" in run.output and "Traceback" not in run.output


def test_the_notebook_s_table_and_sentence(kei):
    lines = list(kei.values())
    assert str(table(lines)).count("\n") == len(lines) + 1
    words = str(summary(KEI, lines))
    assert "the 13 claims of September 5, 2018" in words
    assert "the verdict has changed for kei.5" in words


def test_a_deficit_claim_about_what_is_now_a_surplus_is_reversed():
    claim = read("ninth", "rank")
    sheet = tl.brief("HKG", "2018-07")
    fact = sheet["total.deficit.rank"]
    assert fact.value is None and fact.undefined
    assert verdict(claim, fact.value, undefined=fact.undefined) == "reversed"


def test_all_bundled_claims_are_counted_once_and_told_by_what_became_of_them(monkeypatch):
    articles = ["kei-2014-02-10", "cns-2018-06-06", "forexlive-2019-07-29", "kyodo-2020-02-05"]
    monkeypatch.setattr(library, "list_articles", lambda: articles)
    found = library.study(sheet("KOR", "2018-07", "2019-12-31"))
    facts = {id.removeprefix("claims."): fact.value for id, fact in found.items() if id.startswith("claims.")}
    assert (facts["articles"], facts["all"]) == (3, 13), "that of 2020 is not out"
    assert facts["stands"] + facts["revised_away"] + facts["never_found"] == facts["tested"] >= 9
    assert facts["tested"] + facts["not_testable"] == facts["all"]
    assert found.standing.iloc[-1]["claims"] == facts["all"]
    assert len(found.told("never found")) == facts["never_found"]
    rows = pd.concat(map(found.told, ("stands", "revised away", "never found")))
    whose = {"CNS News (copy at WND)": {"China"}, "Korea Economic Institute": {"South Korea"}}
    assert {name: set(rows["with"][rows["publisher"].eq(name)]) for name in whose} == whose
    told = str(said("headline", found, "claims.ipynb"))
    assert "Of 13 published claims" in told and "{" not in told
    assert str(library.addresses(found)).count("\n- ") == 2
