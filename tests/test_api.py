"""The public names as a new economist meets them: questions, wrong arguments, and how things look."""

import inspect
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser

import nbformat
import pandas as pd
import pytest
from helpers import ROOT, raw_rows, raw_sum, run_here, sheet
from helpers import audited as lines

import tradelib as tl
from tradelib import TradelibError
from tradelib.briefs.fact import FACTS_MIME
from tradelib.partners import Partner

GOODS, TUTORIAL = "goods_census_nsa", ROOT / "notebooks" / "tutorial.ipynb"
JANUARY_JULY = [f"2018-{n:02d}" for n in range(1, 8)]


@cache
def goods(day: str = "2024-10-08") -> pd.DataFrame:
    return tl.load_goods(as_of=day, since="2017-01")


@cache
def trade() -> pd.DataFrame:
    return tl.load_trade(as_of="2025-03-06", since="2017Q1")


# --- the names ----------------------------------------------------------------------------------


def test_every_public_name_is_there_and_says_what_it_does_with_an_example():
    for name in tl.__all__:
        thing = getattr(tl, name)
        assert callable(thing) and thing.__doc__ and ">>>" in thing.__doc__, name


def test_the_tab_key_offers_the_public_names_and_no_module():
    offered = [name for name in dir(tl) if not name.startswith("_")]
    assert offered == sorted(tl.__all__)


def test_options_have_names_and_types():
    for function in (tl.rank, tl.reducers, tl.by_vintage, tl.balance, tl.published, tl.contributors):
        for parameter in inspect.signature(function).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, (function, parameter)
            if parameter.name in ("through", "window", "item", "partner", "as_of", "unit", "caption"):
                assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, (function, parameter)


def test_importing_brings_neither_briefs_nor_charts():
    heavy = (
        "tradelib.briefs",
        "matplotlib",
        "seaborn",
        "statsmodels",
        "papermill",
        "IPython",
        "httpx",
        "jinja2",
    )
    code = f"import sys, tradelib; print([m for m in {heavy} if m in sys.modules]); tradelib.contributors"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("room", ["execution", "check"])
def test_the_grammars_of_addresses_are_not_built_for_papermill_nor_for_a_check(room):
    code = f"import sys, tradelib.runs.{room}, nbconvert.filters.markdown; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_contributors_is_that_of_detail_and_a_misspelt_name_is_an_attribute_error():
    from tradelib.studies.detail import contributors

    assert tl.contributors is contributors
    with pytest.raises(AttributeError, match="contributers"):
        _ = tl.contributers


# --- the two questions --------------------------------------------------------------------------


def test_who_reduced_the_goods_deficit_in_january_to_august_2024_added_up_without_tradelib():
    found = tl.reducers(tl.load_goods(as_of="2024-10-08"), through="2024-08")
    usd, months = {}, {}
    for row in raw_rows(GOODS, "2024-10-08").itertuples(index=False):
        year, month = row.period.split("-")
        if year in ("2023", "2024") and month <= "08":
            key = row.partner, year
            usd[key] = usd.get(key, 0) + (row.value_usd if row.flow == "exports" else -row.value_usd)
            months[key] = months.get(key, 0) + 1
    singles = {one.code for one in map(tl.resolve, tl.countries())}
    expected = {
        code: (usd[code, "2023"], usd[code, "2024"])
        for code, year in usd
        if year == "2024" and code in singles and months[code, "2024"] == months.get((code, "2023")) == 16
        if usd[code, "2023"] < 0 and usd[code, "2024"] > usd[code, "2023"]
    }
    assert set(found.index) == set(expected) and len(found) == 64
    for code, (before, now) in expected.items():
        row = found.loc[code]
        assert (row["before_usd"], row["balance_usd"], row["change_usd"]) == (before, now, now - before)
        assert row["reduction_pct"] == pytest.approx(100 * (1 - now / before)) if now < 0 else now >= 0


def test_the_korea_year_to_date_in_each_vintage_added_up_without_tradelib():
    found = tl.by_vintage(partner="KOR", through="2018-07")
    assert [str(day.date()) for day in found.index] == [
        *("2018-10-05", "2020-10-06", "2023-03-08", "2024-10-08", "2025-04-03")
    ]
    for day, row in found.iterrows():
        exports, imports = (
            raw_sum(GOODS, str(day.date()), JANUARY_JULY, partner="5800", flow=f)
            for f in ("exports", "imports")
        )
        assert (row["exports_usd"], row["imports_usd"]) == (exports, imports)
        assert row["balance_usd"] == exports - imports
    million = (found["exports_usd"] / 1e6).round(1).tolist()
    assert million == [31752.1, 31730.9, 31735.2, 31735.2, 31735.2]
    assert found["exports_change_pct"].round(1).tolist() == [11.1, 11.2, 11.2, 11.2, 11.2]


def test_by_vintage_of_quarters_keeps_published_balances_and_of_a_day_looks_no_further():
    found = tl.by_vintage(partner="KOR", through="2018Q2", item="total")
    assert found["balance_usd"].tolist() == [-979e6] and found["balance_change_usd"].tolist() == [1861e6]
    early = tl.by_vintage(partner="South Korea", through="2018-07", as_of="2020-12-31")
    assert [str(day.date()) for day in early.index] == ["2018-10-05", "2020-10-06"]


# --- results are ordinary pandas objects --------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        lambda: tl.balance(goods(), partner=["KOR", "JPN"]),
        lambda: tl.window_sum(tl.balance(goods(), partner="KOR"), tl.year_to_date("2018-07")),
        lambda: tl.rank(goods(), through="2024-08"),
        lambda: tl.reducers(goods(), through="2024-08"),
        lambda: tl.by_vintage(partner="KOR", through="2018-07"),
    ],
)
def test_columns_have_units_and_numbers_are_numbers(table):
    found = table()
    assert type(found) is pd.DataFrame and all(found.index.names) and not found.attrs
    for name, column in found.items():
        assert column.dtype != object, name
        if pd.api.types.is_float_dtype(column):
            assert name.endswith(("_usd", "_pct")), name
        else:
            assert name in ("rank", "name"), name
    for level in found.index.names:
        values = found.index.get_level_values(level)
        assert values.dtype != object, level
        assert level != "period" or isinstance(values.dtype, pd.PeriodDtype)


def test_rank_takes_flows_balances_sums_and_a_series_alike():
    sides = tl.balance(goods())
    sums = tl.window_sum(sides, tl.year_to_date("2024-08"))
    ranks = tl.rank(goods(), through="2024-08")
    pd.testing.assert_frame_equal(tl.rank(sides, window=tl.Window("2024-01", "2024-08")), ranks)
    pd.testing.assert_frame_equal(tl.rank(sums), ranks)
    pd.testing.assert_frame_equal(tl.rank(sides, through=tl.year_to_date("2024-08")), ranks)
    series = tl.rank(sums["balance_usd"].droplevel("item"))
    pd.testing.assert_series_equal(series, ranks["rank"])
    assert ranks.index[0] == "5700" and not {"0003", "0015"} & set(ranks.index)


def test_ranks_and_reducers_are_those_of_the_facts():
    facts = sheet("KOR", "2018-07", "2018-10-05")
    assert (
        tl.rank(goods("2018-10-05"), through="2018-07").loc["5800", "rank"]
        == facts["goods.deficit.rank"].value
    )
    pct = tl.reducers(goods("2018-10-05"), through="2018-07").loc["5800", "reduction_pct"]
    assert pct == pytest.approx(facts["goods.deficit.ytd.reduction_pct"].value)
    codes = [tl.resolve(name).code for name in facts["total.reducers"].more["universe"]]
    found = tl.reducers(trade(), universe=codes, through="2018Q2", item="total")
    listed = {entry["code"]: entry["reduction_pct"] for entry in facts["total.reducers"].value}
    assert found["reduction_pct"].to_dict() == pytest.approx(listed)


def test_a_universe_may_be_given_by_names():
    found = tl.rank(goods(), ["Mexico", "KOR", "4280"], through="2024-08")
    assert found["name"].tolist() == ["Mexico", "Germany", "Korea, South"] and found["rank"].tolist() == [
        1,
        2,
        3,
    ]


# --- wrong arguments say what is right ----------------------------------------------------------


def flows(**columns) -> pd.DataFrame:
    frame = {"period": pd.PeriodIndex(["2018-07"] * 2, freq="M"), "partner": "5800", "item": "goods"}
    return pd.DataFrame(frame | {"flow": ["exports", "imports"], "value_usd": [3.0, 5.0]} | columns)


WRONG = {
    "an unknown partner": (
        lambda: tl.balance(goods(), partner="Koera"),
        ["'Koera' matches no partner", "Near matches", "Korea, South"],
    ),
    "a partner with no rows": (
        lambda: tl.balance(flows(), partner="JPN"),
        ["no rows of Japan (5880)", "it has 1 partner", "Load it without partner="],
    ),
    "an unknown partner of a universe": (
        lambda: tl.rank(goods(), ["Atlantis"], through="2024-08"),
        ["'Atlantis' matches no partner", "tradelib partners"],
    ),
    "a group among countries": (
        lambda: tl.reducers(goods(), universe=["KOR", "EU"], through="2024-08"),
        ["the European Union (0003)", "a group is not compared with countries", "tradelib.members"],
    ),
    "flow='export' in a table": (
        lambda: tl.balance(flows(flow=["export", "imports"])),
        ["export is not a flow", "exports, imports, balance"],
    ),
    "flow='export' of contributors": (
        lambda: tl.contributors(flow="export", partner="KOR", through="2018-07", as_of="2020-12-04"),
        ["flow 'export'", "Flow is exports or imports"],
    ),
    "a thirteenth month": (
        lambda: tl.reducers(goods(), through="2018-13"),
        ["through '2018-13' is not a month", 'such as "2018-07"'],
    ),
    "a thirteenth month by vintage": (
        lambda: tl.by_vintage(partner="KOR", through="2018-13"),
        ["through '2018-13' is not a month", '"2018Q2"'],
    ),
    "a month of a table of quarters": (
        lambda: tl.rank(trade(), through="2018-07", item="total"),
        ["is in months, the table in quarters", "year_to_date("],
    ),
    "a month not yet out": (
        lambda: tl.rank(goods(), through="2024-12"),
        ["no whole 2024-01..2024-12", "reaches from 2017-01 to 2024-08", "load a later vintage"],
    ),
    "a month in no vintage": (
        lambda: tl.by_vintage(partner="KOR", through="2031-07"),
        ["No vintage of goods_census_nsa has all of 2031-01..2031-07 of South Korea", "(through 2025-02)"],
    ),
    "no window": (lambda: tl.reducers(goods()), ["Over which months?", 'through="2024-08"']),
    "no window to rank": (lambda: tl.rank(tl.balance(goods())), ["Over which months?"]),
    "two windows": (
        lambda: tl.rank(goods(), through="2024-08", window=tl.full_year(2023)),
        ["through=2024-08 and window=2023-01..2023-12", "Give one of the two"],
    ),
    "several items": (
        lambda: tl.rank(trade(), through="2018Q2"),
        ["3 items: goods, services, total", "item='total'"],
    ),
    "no such item": (
        lambda: tl.rank(trade(), through="2018Q2", item="oil"),
        ["no item 'oil'", "goods, services, total"],
    ),
    "two bases": (
        lambda: tl.rank(
            pd.concat([goods(), trade().assign(period=goods()["period"].iloc[0])]), through="2024-08"
        ),
        ["goods_census_nsa, trade_bop_sa", "one table and one vintage at a time; bases are never added"],
    ),
    "two vintages": (
        lambda: tl.balance(pd.concat([goods(), goods("2018-10-05")])),
        ["2018-10-05, 2024-10-08", "one vintage at a time"],
    ),
    "a table twice": (lambda: tl.balance(pd.concat([flows()] * 2)), ["more than one row", "duplicated("]),
    "columns that lack": (
        lambda: tl.rank(pd.DataFrame({"country": ["Korea"], "exports": [4.8]}), through="2018-07"),
        ["no column period, partner, flow", "It has country, exports", "tradelib.load_goods"],
    ),
    "no table at all": (lambda: tl.balance("goods"), ["It is a str", "tradelib.load_goods"]),
    "periods as text": (
        lambda: tl.balance(flows(period="2018-07")),
        ["column period holds str", "pd.PeriodIndex"],
    ),
    "flows to be summed": (
        lambda: tl.window_sum(goods(), tl.year_to_date("2018-07")),
        ["no periods in its index", "tradelib.balance(flows)"],
    ),
    "a text for a window": (
        lambda: tl.window_sum(tl.balance(goods(), partner="KOR"), "2018-07"),
        ["'2018-07' is not a window", "tradelib.year_to_date("],
    ),
    "one Series of two": (
        lambda: tl.reducers(pd.Series({"5800": -1.0})),
        ["nothing of what they were before", "Give a second one"],
    ),
    "a Series and a window": (
        lambda: tl.rank(pd.Series({"5800": -1.0}), through="2018-07"),
        ["no months to choose from", "Leave out through="],
    ),
    "a table and a Series": (
        lambda: tl.reducers(goods(), pd.Series({"5800": -1.0}), through="2024-08"),
        ["has the year before in it", "universe=[...]"],
    ),
    "a unit there is not": (
        lambda: tl.published(goods(), unit="euro"),
        ["no unit 'euro'", "billion, million, thousand, dollar"],
    ),
    "no table to publish": (lambda: tl.published([1, 2]), ["A list is not a table", "DataFrame or Series"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_says_what_is_right(case):
    call, words = WRONG[case]
    with pytest.raises(TradelibError) as error:
        call()
    for word in words:
        assert word in str(error.value), str(error.value)


# --- how things look ----------------------------------------------------------------------------


class Page(HTMLParser):
    """Check that every tag is closed in order, and keep the text and the tags."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.runs = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.runs.append(data)

    @property
    def text(self) -> str:
        return "".join(self.runs)


def cards():
    facts = sheet("KOR", "2018-07")
    return [*facts.values(), *lines(), tl.resolve("KOR"), tl.resolve("EU")]


def test_every_card_is_well_formed_and_no_two_dollar_signs_stand_in_one_run_of_text():
    for one in cards():
        page = Page(one._repr_html_())
        assert all(run.count("$") < 2 and (run == "$" or "$" not in run) for run in page.runs), page.text
        assert "mathjax_ignore" in one._repr_html_() and "script" not in page.tags


def test_the_card_of_a_fact_tells_text_window_vintage_and_lag():
    fact = sheet("KOR", "2018-07")["goods.exports.ytd.change_pct"]
    text = Page(fact._repr_html_()).text
    assert fact.text in text and fact.window in text and fact.id in text
    assert "goods_census_nsa of 2018-10-05 (30 days after the as-of date, reconstructed)" in text
    assert "Census, NSA" in text


def test_the_card_of_a_rank_tells_among_whom():
    text = Page(sheet("KOR", "2018-07")["total.deficit.rank"]._repr_html_()).text
    assert "the 15 countries of Exhibit 20" in text


def test_the_card_of_a_partner_tells_its_codes():
    text = Page(tl.resolve("KOR")._repr_html_()).text
    assert "Korea, South" in text and "5800" in text and "KR, KOR" in text and "1985 to today" in text


def test_the_card_of_a_verdict_tells_printed_then_and_now_and_what_is_missing():
    by_id = {line.claim.id: line for line in lines()}
    growth = Page(by_id["kei.5"]._repr_html_()).text
    assert "Printedup 11.1 percent" in growth and "reproduced: 11.1 percent" in growth
    assert "close: 11.2 percent" in growth and "goods_census_nsa of 2025-04-03" in growth
    assert "tradelib fetch ft900 --release 2018-07" in Page(by_id["kei.3"]._repr_html_()).text


def test_html_in_a_text_is_shown_not_run():
    bad = "<script>alert(1)</script> & $1 to $2"
    who = Partner("9999", bad, bad, "XX", "XXX", bad, 1985, None)
    html = who._repr_html_()
    assert "<script" not in html and "&lt;script&gt;" in html and bad in Page(html).text
    table = pd.DataFrame({bad: [1.5], "name": [bad], "value_usd": [2e6]})
    html = tl.published(table, caption=bad).to_html()
    assert "<script" not in html and html.count("&lt;script&gt;") == 4, "caption, head, cell, label"


def test_a_plain_repr_is_one_readable_line():
    fact = sheet("KOR", "2018-07", "2018-10-05")["goods.exports.ytd.change_pct"]
    assert repr(fact) == (
        "<Fact goods.exports.ytd.change_pct: Change of U.S. goods exports to South Korea, January-July 2018 "
        "on a year earlier: 11.1 percent [2018-01..2018-07 vs 2017-01..2017-07; "
        "goods_census_nsa of 2018-10-05]>"
    )
    assert repr(tl.resolve("KOR")) == "<Partner 5800 Korea, South (KOR), country>"
    assert repr(tl.resolve("EU")) == "<Partner 0003 European Union, group>"
    line = {one.claim.id: one for one in lines()}["kei.5"]
    assert repr(line).startswith("<Line kei.5: printed up 11.1 percent; on the day reproduced: 11.1 percent")


def test_a_brief_is_shown_by_its_sources_and_carries_its_facts():
    one = sheet("KOR", "2018-07", "2018-10-05")
    assert repr(one) == f"<Brief of Korea, South, 2018-07, as of 2018-10-05: {len(one)} facts>"
    shown = one._repr_mimebundle_()
    page = Page(shown["text/html"])
    assert "July 2018" in page.text and "October 5, 2018" in page.text
    assert "mathjax_ignore" in shown["text/html"] and len(shown["text/plain"].splitlines()) < 25
    facts = shown[FACTS_MIME]["facts"]
    assert len(facts) == len(one) > 40
    assert sum("U.S. goods exports to South Korea" in fact["text"] for fact in facts.values()) > 3
    assert dict(one) == one


# --- the tutorial -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """What each step of the tutorial shows, as text without tags, run from a folder elsewhere."""
    from bs4 import BeautifulSoup

    book = run_here(nbformat.read(TUTORIAL, 4), tmp_path_factory.mktemp("elsewhere"))
    shown = []
    for cell in book.cells:
        if cell.cell_type == "code":
            data = [output["data"] for output in cell.outputs if "data" in output]
            texts = [one.get("text/html") or one.get("text/plain", "") for one in data]
            shown.append(" ".join(BeautifulSoup("".join(texts), "html.parser").get_text(" ").split()))
    return shown


def test_the_tutorial_has_twelve_steps_of_a_sentence_and_a_short_cell_and_ends_with_ones_own():
    cells = nbformat.read(TUTORIAL, 4).cells
    asked, own = cells[:25], cells[25:]
    assert [cell.cell_type for cell in asked] == ["markdown", *["markdown", "code"] * 12]
    assert own[0].source.startswith("**13. ") and "--notebook mine.ipynb" in own[-1].source
    assert any("tl.say(" in cell.source for cell in own) and any("tl.dress(" in cell.source for cell in own)
    for n, (text, code) in enumerate(zip(asked[1::2], asked[2::2], strict=True), 1):
        assert text.source.startswith(f"**{n}. ") and len(text.source.splitlines()) == 1
        assert len(code.source.splitlines()) <= 7


def test_the_tutorial_shows_the_published_figure_and_its_revision(steps):
    assert (round(100 * 31_752.1 / 28_569.7 - 100, 1), round(100 * 31_735.2 / 28_545.6 - 100, 1)) == (
        11.1,
        11.2,
    )
    assert all(steps[:12])
    assert "28,569.7" in steps[4] and "31,752.1" in steps[4] and " 11.1 " in steps[5]
    assert "11.1 percent" in steps[6] and "of 2018-10-05" in steps[6]
    assert "28,545.6" in steps[7] and "31,735.2" in steps[7] and "11.2" in steps[7]
    assert "reproduced" in steps[9] and "close" in steps[9]


def test_the_tutorial_answers_the_two_questions(steps):
    assert steps[10].startswith("64 countries") and "Malaysia −18,801.1 −14,233.4 4,567.7 24.3" in steps[10]
    assert "2018-10-05 31,752.1 41,637.7 −9,885.7 11.1" in steps[11]
    assert "2020-10-06 31,730.9" in steps[11] and "2025-04-03 31,735.2 41,616.8 −9,881.6 11.2" in steps[11]
    for cell in [c for c in nbformat.read(TUTORIAL, 4).cells if c.cell_type == "code"][-2:]:
        assert len(cell.source.splitlines()) < 10
