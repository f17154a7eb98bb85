"""Texts whose numbers are facts: verbs, optional parts, what is left out, what a number carries."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from helpers import ROOT, passages, said, sheet
from hypothesis import given
from hypothesis import strategies as st

import tradelib as tl
from tradelib import TradelibError, say
from tradelib.briefs.fact import FACTS_MIME, Facts
from tradelib.briefs.sentences import title, title_of_balance
from tradelib.briefs.verbs import CONDITIONS, VERBS, moved

JULY = ("2018-07", "2018-10-05")
YEAR, HALF = "2018-01..2018-12", "2018Q1..2018Q2"


def korea():
    return sheet("KOR", *JULY)


def made(*facts: tuple, **names) -> Facts:
    """Facts of one's own: (id, value, unit), or with a window and fields."""
    found = Facts(names=names)
    source = {
        "table": "trade_bop_sa",
        "vintage": "2018-10-05",
        "vintage_lag_days": 30,
        "vintage_method": "later",
        "basis": "BOP",
        "adjustment": "SA",
    }
    for id, value, unit, *rest in facts:
        window, more = [*rest, YEAR][0], [*rest, None, {}][1] or {}
        found.put(id, value, unit=unit, window=window, label=id, source=source, reason="no rows", **more)
    return found


# --- every verb ---------------------------------------------------------------------------------

AIRCRAFT = {
    "flow": "exports",
    "hs2": "88",
    "name": "Aircraft",
    "contribution_usd": 1e9,
    "pct_of_change": 50.0,
}
GOODS_EXPORTS = {"item": "goods", "flow": "exports", "contribution_usd": 2.6e9}
FOUR = [{"prose": name, "balance_usd": -1e9} for name in ("France", "Italy", "Japan", "Mexico")]
#: What each verb is shown with: a fact, and others beside it.
SHOWN = {
    "up": [("x", 11.1, "percent")],
    "rose": [("x.change_usd", 355e6, "USD")],
    "improved": [("x.change_usd", 1.861e9, "USD")],
    "rising": [("x.slope_usd", 98e6, "USD")],
    "fine": [("x", 11.174, "percent")],
    "more": [("x.less_previous_year", -200e6, "USD")],
    "signed": [("x", -979e6, "USD")],
    "worth": [("goods.exports.month", 4.7e9, "USD")],
    "position": [("x", -979e6, "USD")],
    "a_position": [("x", -979e6, "USD")],
    "moved": [("x", -979e6, "USD", YEAR), ("x.change_usd", 1.861e9, "USD")],
    "moved_by": [("x", -979e6, "USD", HALF), ("x.change_usd", 1.861e9, "USD")],
    "before": [("total.balance.ytd", -979e6, "USD"), ("total.balance.ytd.change_usd", 1.861e9, "USD")],
    "ordinal": [("x", 9, "rank")],
    "largest": [("x", 9, "rank")],
    "highest": [("x", 9, "rank")],
    "year_earlier": [("x", 13, "rank"), ("x.previous_year", 10, "rank")],
    "names": [("x", FOUR, "list")],
    "count": [("x", FOUR[:3], "list")],
    "added": [("x", [GOODS_EXPORTS], "list")],
    "contributors": [("x", [AIRCRAFT], "list")],
    "period": [("x", "2016Q2", "text")],
    "day": [("x", "2018-10-05", "text")],
    "window": [("x", 1e6, "USD", "2018-01..2018-07")],
    "vintage": [("x", 1e6, "USD")],
    "lag": [("x", 1e6, "USD")],
}


def verb(name: str, *facts: tuple) -> str:
    """What a verb makes of the first of some facts, in the middle of a sentence."""
    return say(made(*facts), f"It {{{facts[0][0]}:{name}}}").removeprefix("It ")


def test_every_verb_is_shown_here():
    assert set(SHOWN) == set(VERBS)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_gives_what_its_example_says(name):
    _, example, told = VERBS[name]
    assert verb(name, *SHOWN[name]) == example
    assert told, "and it is told what it is for"


@pytest.mark.parametrize(
    ("name", "value", "unit", "says"),
    [
        ("up", -3.0, "percent", "down 3.0 percent"),
        ("up", 0.0, "percent", "unchanged"),
        ("up", -0.04, "percent", "little changed"),
        ("up", 5e6, "USD", "up $5.0 million"),
        ("rose", -3e6, "USD", "fell by $3.0 million"),
        ("rose", 0.0, "USD", "did not change"),
        ("rose", 0.01, "percent", "changed little"),
        ("improved", -3e6, "USD", "worsened by $3.0 million"),
        ("improved", 0.0, "USD", "did not change"),
        ("rising", -98e6, "USD", "falling by $98 million"),
        ("more", 120e6, "USD", "$120 million more"),
        ("signed", 979e6, "USD", "+$979 million"),
        ("signed", 0.0, "USD", "zero"),
        ("position", 5.0, "USD", "surplus"),
        ("position", 0.0, "USD", "balance"),
        ("a_position", 4e3, "USD", "a surplus of $4 thousand"),
        ("a_position", 0.0, "USD", "a balance of zero"),
        ("largest", 1, "rank", "the largest"),
        ("largest", 22, "rank", "the 22nd largest"),
        ("highest", 1, "rank", "the highest"),
        ("ordinal", 11, "rank", "11th"),
        ("count", 12, "count", "12"),
        ("count", [], "list", "none"),
        ("names", [], "list", "none"),
        ("period", "2018-03", "month", "March 2018"),
        ("period", "2018", "year", "2018"),
        ("window", 5.0, "percent", "2018"),
    ],
)
def test_a_verb_agrees_with_its_value(name, value, unit, says):
    changes = name in ("up", "rose", "improved", "rising", "more")
    assert verb(name, ("x.change_usd" if changes else "x", value, unit)) == says


@pytest.mark.parametrize(
    ("now", "before", "up", "rose"),
    [
        (20e6, 5e6, "4.0 times as much as a year earlier", "rose by $15 million"),
        (19.9e6, 5e6, "up 298.0 percent", "rose by 298.0 percent"),
        (132.3e6, 5e6, "26 times as much as a year earlier", "rose by $127 million"),
        (12e3, 5e3, "up $7 thousand", "rose by $7 thousand"),
        (40e6, 0.9e6, "up $39 million", "rose by $39 million"),
        (0.9e6, 40e6, "down 97.8 percent", "fell by 97.8 percent"),
        (9e3, 41e6, "down $41 million", "fell by $41 million"),
    ],
)
def test_a_large_change_is_a_multiple_and_one_of_next_to_nothing_dollars(now, before, up, rose):
    level = [("goods.exports.ytd", now, "USD"), ("goods.exports.ytd.change_usd", now - before, "USD")]
    pct = ("goods.exports.ytd.change_pct", 100 * (now / before - 1), "percent")
    assert verb("up", pct, *level) == up
    assert verb("rose", pct, *level) == rose


def test_an_amount_of_nothing_is_zero():
    assert "fell by $79 thousand on a year earlier, to zero in February 2022" in said(
        "headline", sheet("Tuvalu", "2022-02")
    )


def test_a_field_without_words_is_left_out_with_its_sentence():
    found = made(("x", 1e6, "USD", YEAR, {"note": ""}))
    assert say(found, "It was {x}. {x.note}.") == "It was $1.0 million."


def test_a_deficit_that_all_but_went_is_told_in_dollars():
    assert "".join(map(str, (getattr(p, "text", p) for p in moved(-9e3, -41e6, " in 2018")))) == (
        "narrowed by $41 million, to $9 thousand in 2018 from $41 million a year earlier"
    )


def test_a_large_rise_whose_base_is_no_fact_is_a_multiple_too():
    for pct, says in ((545.7, "rose to 6.5 times as much"), (299.0, "rose by 299.0 percent")):
        assert verb("rose", ("goods.imports.sa.month_change_pct", pct, "percent")) == says


def test_no_goods_are_not_worth_nothing():
    assert verb("worth", ("goods.exports.ytd", 0.0, "USD")) == "no goods"
    assert verb("worth", ("services.exports.ytd", 2e6, "USD")) == "services worth $2.0 million"


def test_a_list_of_contributions_rises_and_falls():
    fell = {"item": "services", "flow": "imports", "contribution_usd": 1e9}
    assert (
        verb("rose", ("x", [GOODS_EXPORTS, fell], "list")) == "goods exports rose and services imports fell"
    )
    assert verb("added", ("x", [GOODS_EXPORTS, fell | {"contribution_usd": -5e8}], "list")) == (
        "higher goods exports added $2.6 billion and higher services imports took away $500 million"
    )
    assert verb("contributors", ("x", [GOODS_EXPORTS, fell], "list")) == (
        "higher goods exports and lower services imports"
    )


def test_a_rank_a_year_earlier_is_told_only_as_it_was():
    same = [("x", 10, "rank"), ("x.previous_year", 10, "rank")]
    assert verb("year_earlier", *same) == "as a year earlier"
    assert say(made(("x", 10, "rank")), "It was {x}[, {x:year_earlier}].") == "It was 10th."
    assert say(made(("x", 10, "rank")), "It was {x:year_earlier}.") == "There is no year-earlier figure of X."


def test_what_it_was_a_year_earlier_is_a_position_for_a_balance_and_an_amount_for_a_flow():
    flow = [("goods.exports.ytd", 5e6, "USD"), ("goods.exports.ytd.change_usd", 2e6, "USD")]
    assert verb("before", *flow) == "$3.0 million"
    balance = [("goods.balance.ytd", 5e6, "USD"), ("goods.balance.ytd.change_usd", 5e6, "USD")]
    assert verb("before", *balance) == "zero"
    same = [("goods.balance.ytd", 2.84e9, "USD"), ("goods.balance.ytd.change_usd", 2e7, "USD")]
    assert (
        say(made(*same), "It was {goods.balance.ytd}[, after {goods.balance.ytd:before}].")
        == "It was $2.8 billion."
    )


def test_the_lag_is_left_out_where_there_is_none():
    on_time = made(("x", 1e6, "USD"))
    on_time["x"] = replace(on_time["x"], vintage_lag_days=0)
    assert say(on_time, "It is {x}[, {x:lag}].") == "It is $1.0 million."
    found = sheet("KOR", "2018-07")
    assert say(found, "{goods.exports.ytd:lag}.") == "30 days after the as-of date, reconstructed."


def test_the_window_of_a_change_is_that_of_the_later_figure():
    assert say(korea(), "In {goods.exports.ytd.change_pct:window}.") == "In January-July 2018."
    assert say(korea(), "In {total.balance.ytd.change_usd:window}.") == "In the first half of 2018."


@pytest.mark.parametrize(
    ("now", "before", "says"),
    [
        (-2e9, -1e9, "widened by 100.0 percent, to $2.0 billion in 2018 from $1.0 billion a year earlier"),
        (2e3, 5e3, "narrowed by $3 thousand, to $2 thousand in 2018 from $5 thousand a year earlier"),
        (
            -1e9,
            4e6,
            "moved from a surplus of $4.0 million a year earlier to a deficit of $1.0 billion in 2018",
        ),
        (-1e9, -1e6, "widened by $999 million, to $1.0 billion in 2018 from $1.0 million a year earlier"),
        (-1.0101e9, -1.0102e9, "was little changed, at $1.0 billion in 2018"),
        (-1.04e9, -1.03e9, "widened by 1.0 percent, to $1.0 billion in 2018"),
        (0.0, 0.0, "was zero in 2018, as a year earlier"),
        (0.0, -3e6, "moved from a deficit of $3.0 million a year earlier to zero in 2018"),
        (5.0, 0.0, "moved from zero a year earlier to a surplus of $5 in 2018"),
        (4e6, None, "was $4.0 million in 2018"),
        (0.0, None, "was zero in 2018"),
    ],
)
def test_what_became_of_a_balance(now, before, says):
    facts = [("x", now, "USD"), ("x.change_usd", None if before is None else now - before, "USD")]
    assert verb("moved", *facts) == says
    short = say(made(*facts), "It {x:moved_by}.").removeprefix("It ").rstrip(".")
    if before is None:
        assert short == "There is no year-earlier figure of X"
    elif says.startswith(("widened", "narrowed")):
        assert re.fullmatch(r"(widened|narrowed) by \$[\d.]+( \w+)? in 2018", short)
        assert short.split()[0] == says.split()[0]
    else:
        assert short == says


dollars = st.one_of(
    st.integers(-(10**12), 10**12).map(float), st.integers(-2000, 2000).map(float), st.just(0.0)
)


@given(dollars, st.one_of(st.none(), dollars))
def test_a_balance_never_moves_in_words_that_its_figures_belie(now, before):
    text = verb("moved", ("x", now, "USD"), ("x.change_usd", None if before is None else now - before, "USD"))
    assert not re.search(r"nan|None|inf|--|\$-|  ", text)
    flipped = before is not None and now * before <= 0
    if before is None or flipped:
        assert "percent" not in text and "widened" not in text and "narrowed" not in text
    if "widened" in text:
        assert abs(now) > abs(before)
    if "narrowed" in text:
        assert abs(now) < abs(before)
    if "little changed" in text:
        assert now * before > 0 and abs(now - before) < 0.0005 * abs(before)
    if "percent" in text:
        assert now < 0 and before < 0
        pct = float(re.search(r"([\d.]+) percent", text)[1])
        assert pct < 300 and pct == pytest.approx(100 * abs(abs(now) / abs(before) - 1), abs=0.051)
    beside = [] if before is None else [("x.change_usd", now - before, "USD")]
    position = say(made(("x", now, "USD"), *beside), "A {x:position}.")
    if flipped and (now or before):
        assert position == "A balance.", "a deficit does not move to a surplus"
        for usd in filter(None, (now, before)):
            assert ("a surplus of" if usd > 0 else "a deficit of") in text
    elif before is not None and now:
        assert position == ("A surplus." if now > 0 else "A deficit.")


@given(dollars, dollars)
def test_a_balance_that_is_no_fact_is_told_in_the_same_words(now, before):
    parts = "".join(part if isinstance(part, str) else part.text for part in moved(now, before, " in 2018"))
    told = title_of_balance("{} with Peru", now, before, "in 2018")
    assert told.endswith(f" with Peru {parts}") and re.match("The (deficit|surplus|balance) with", told)


# --- conditions and optional parts --------------------------------------------------------------


def facts():
    return made(
        ("a", 1e6, "USD"),
        ("b", 2e6, "USD"),
        ("none", None, "USD"),
        ("zero", 0.0, "USD"),
        ("yes", True, "bool"),
        ("no", False, "bool", YEAR, {"few": True, "n": 3, "parts": []}),
        ("empty", [], "list"),
        partner="Peru",
        group=False,
        nothing="",
    )


def test_the_conditions_are_those_that_are_told():
    assert set(CONDITIONS) == {"if", "unless", "reason"} and all(CONDITIONS.values())


@pytest.mark.parametrize(
    ("name", "true"),
    [
        *(("a", True), ("yes", True), ("no.few", True), ("partner", True), ("no.n", True)),
        *(("none", False), ("zero", False), ("no", False), ("empty", False), ("group", False)),
        *(("nothing", False), ("no.parts", False)),
    ],
)
def test_a_sentence_under_a_condition(name, true):
    assert (
        say(facts(), f"{{{name}:if}}This is said. So is this.")
        == ("This is said. " if true else "") + "So is this."
    )
    assert (say(facts(), f"{{{name}:unless}}Other.") == "Other.") is not true
    assert say(facts(), f"It is[{{{name}:if}} not] so.") == ("It is not so." if true else "It is so.")


def test_a_reason_is_said_only_where_there_is_no_value():
    assert say(facts(), "There is none: {none:reason}.") == "There is none: no rows."
    assert say(facts(), "There is none: {a:reason}. Done.") == "Done."


def test_optional_parts_alternatives_and_nesting():
    assert say(facts(), "It is {a}[, after {b}].") == "It is $1.0 million, after $2.0 million."
    assert say(facts(), "It is {a}[, after {none}].") == "It is $1.0 million."
    assert say(facts(), "It is [{none}|{b}|{a}].") == "It is $2.0 million."
    assert say(facts(), "It is [{none}|{none}|unknown].") == "It is unknown."
    assert say(facts(), "It is {a}[, [{none}|{b}][ or {none}]].") == "It is $1.0 million, $2.0 million."
    assert say(facts(), "It is {a}[, and [{none:if}x]{none}].") == "It is $1.0 million."
    assert say(facts(), "[{none:if}Said|Not said].") == "Not said."
    assert say(facts(), "Either a | or a bar.") == "Either a | or a bar."
    assert say(facts(), "[{a:if}One. Two|Three].") == "One. Two.", "an optional part is not cut"


def test_a_sentence_begins_with_a_capital_and_has_single_spaces():
    assert say(facts(), "[{none} and ]it is  {a}.") == "It is $1.0 million."
    assert say(facts(), "{partner} [{none}] trades.") == "Peru trades."
    assert (
        say(made(("x", [GOODS_EXPORTS], "list")), "{x:contributors} did it.")
        == "Higher goods exports did it."
    )


def test_a_sentence_with_an_absent_fact_is_left_out_and_the_others_stay():
    text = say(facts(), "First {a}. Then {none}. Last {b}.")
    assert text == "First $1.0 million. Last $2.0 million."


def test_a_passage_with_nothing_left_says_the_first_reason_once():
    twice = made(("x", None, "USD"), ("y", None, "USD"))
    assert say(twice, "X is {x}. Y is {y}.\n\nAgain {x}.") == "No rows."
    assert say(twice, "{x:if}Nothing to say.") == "", "a condition is no reason"
    assert say(sheet("TUV", *JULY), "It sold {services.exports.ytd}. It bought {services.imports.ytd}.") == (
        "BEA publishes no figures by quarter for that time."
    )


def test_a_commodity_that_is_not_among_a_partners_facts_leaves_the_sentence_out():
    text = say(korea(), "Tea: {commodity.hs2.09.exports.ytd}. Fuels: {commodity.hs2.27.exports.ytd}.")
    assert text == "Fuels: $4.2 billion."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("U.S. exports rose. Imports fell.", 2),
        ("The U.S. Trade office said so. It did.", 2),
        ("St. Lucia is small. St. Kitts too.", 2),
        ("This vs. That. More.", 2),
        ('He said so. "It is {none}." Then.', 3),
        ("It rose by 1.5 percent. [{a:if}It fell.] _Then_ it rose.", 3),
        ("See a.b.c for more. (Or not.) Done.", 3),
        ("Is it? It is! {a} it is.", 3),
        ("e.g. this is one, i.e. one.", 1),
    ],
)
def test_where_sentences_end(text, count):
    from tradelib.briefs.sentences import _split

    assert len(_split(text)) == count, _split(text)


def test_markdown_is_left_as_it_is():
    table = "| What | How much |\n|:--|--:|\n| Exports | {a} |\n| Imports | {none} |"
    assert say(facts(), table) == "| What | How much |\n|:--|--:|\n| Exports | $1.0 million |"
    listed = "Two things:\n\n- one is {a}\n- the other is {none}\n- and **{b}**"
    assert say(facts(), listed) == "Two things:\n\n- One is $1.0 million\n- And **$2.0 million**"
    assert say(facts(), "See [the guide](guides/sentences.md) on {partner}. It is {a}.") == (
        "See [the guide](guides/sentences.md) on Peru. It is $1.0 million."
    )
    assert say(facts(), "[See [the guide](a.md) on {none}|See [another](b.md)].") == "See [another](b.md)."
    assert say(facts(), "# On {partner}\n\nIt is *{a}*.") == "# On Peru\n\nIt is *$1.0 million*."
    assert say(facts(), "> Quoted: {a}\n> and {none}.") == "> Quoted: $1.0 million"
    assert say(facts(), "1. first {a}\n2. second {b}") == "1. First $1.0 million\n2. Second $2.0 million"


def test_lines_of_a_passage_run_on_and_paragraphs_stay_apart():
    text = """
        One line
        and another, {a}.

        A second paragraph.
        """
    assert say(facts(), text) == "One line and another, $1.0 million.\n\nA second paragraph."


def test_a_paragraph_without_a_sentence_left_leaves_no_gap():
    assert say(facts(), "One {none}.\n\nTwo {a}.\n\nThree {none}.\n\nFour.") == "Two $1.0 million.\n\nFour."


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{goods.export.ytd}", ["no fact, word or field 'goods.export.ytd'", "goods.exports.ytd"]),
        ("{months_}", ["'months_'", "months"]),
        ("{goods.deficit.rank.m}", ["'goods.deficit.rank.m'", "goods.deficit.rank.n"]),
        ("{total.reducers.contries}", ["total.reducers.countries"]),
        ("{goods.balance.ytd:move}", ["no verb 'move'", "moved", "moved_by"]),
        ("{goods.balance.ytd:zzz}", ["no verb 'zzz'", "a_position", "unless"]),
        ("[It is so.", ["'[' without ']'"]),
        ("It is so].", ["']' without '['"]),
        ("[{goods.balance.ytd:if}[a]", ["'[' without ']'"]),
        ("{none.of.these:if}x", ["no fact, word or field"]),
        ("[{services.balances.ytd}|other]", ["services.balance.ytd"]),
    ],
)
def test_a_mistake_is_told_with_what_is_near(text, told):
    for render in (say, title):
        with pytest.raises(TradelibError) as error:
            render(korea(), text)
        for words in told:
            assert words in str(error.value), str(error.value)


@pytest.mark.parametrize(
    "slot",
    [
        *("total.reducers:up", "goods.exports.ytd:added", "goods.exports.ytd:names", "goods.exports.ytd:day"),
        *(
            "goods.exports.ytd:period",
            "total.reducers:moved",
            "total.trend.start:up",
            "goods.exports.ytd:count",
        ),
        *("total.reducers:added", "goods.deficit.rank:rose"),
    ],
)
def test_a_verb_that_does_not_suit_a_value_says_what_it_is_for(slot):
    verb = slot.partition(":")[2]
    try:
        assert say(korea(), f"It {{{slot}}}.")
    except TradelibError as error:
        assert f"verb {verb!r} does not suit" in str(error) and VERBS[verb][2] in str(error)


def test_a_mistake_in_a_sentence_that_would_be_left_out_is_told_too():
    with pytest.raises(TradelibError, match="no fact"):
        say(sheet("TUV", *JULY), "{services.balance.ytd} {goods.export.ytd}. Well.")


# --- what a number carries ----------------------------------------------------------------------


class Numbers(HTMLParser):
    """The links of numbers in a passage, each with its title, its value and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.found, self.inside = [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            assert (
                attrs["class"] == "tl-fact"
                and attrs["tabindex"] == "0"
                and set(attrs) == {"class", "tabindex", "title"}
            )
            self.inside = {"title": attrs["title"], "text": ""}
        elif tag == "data":
            self.inside["value"] = attrs["value"]
        else:
            assert tag == "span"

    def handle_endtag(self, tag):
        if tag == "a":
            self.found.append(self.inside)
            self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.inside["text"] += data.replace("\\", "")


def test_a_number_carries_its_id_its_exact_value_its_window_and_its_vintage():
    text = say(sheet("KOR", "2018-07"), "Exports of {goods.exports.ytd} ({goods.exports.ytd.change_pct:up}).")
    assert text == "Exports of $31.8 billion (up 11.1 percent)."
    exports, change = Numbers(text.markdown).found
    assert exports == {
        "title": "goods.exports.ytd · 31,752,055,221 dollars · 2018-01..2018-07 · "
        "goods_census_nsa of 2018-10-05 (30 days after the as-of date, reconstructed)",
        "value": "31752055221",
        "text": "$31.8 billion",
    }
    assert change["text"] == "11.1 percent" and change["title"].startswith(
        "goods.exports.ytd.change_pct · 11.1390 percent"
    )
    assert float(change["value"]) == sheet("KOR", "2018-07").value("goods.exports.ytd.change_pct")


def test_a_number_that_is_not_the_fact_itself_says_what_it_is():
    found = korea()
    text = say(found, "It {total.balance.ytd:moved}.")
    size, now, before = Numbers(text.markdown).found
    assert size["title"].startswith("total.balance.ytd, change of the deficit on a year earlier · ")
    assert now["title"].startswith("total.balance.ytd · -979,000,000 dollars")
    assert before["title"].startswith("total.balance.ytd, a year earlier · -2,840,000,000 dollars")
    assert float(before["value"]) == -2.84e9
    ranks = Numbers(say(found, "{goods.deficit.rank:year_earlier}.").markdown).found
    assert [(one["text"], one["value"]) for one in ranks] == [("10th", "10")]


@pytest.mark.parametrize("cell", passages())
@pytest.mark.parametrize("who", ["KOR", "CHN", "TUV", "EU"])
def test_what_is_shown_is_the_plain_text_with_its_numbers_bound(cell, who):
    found = sheet(who, *JULY)
    text = said(cell, found)
    assert "<" not in text and "&" not in text, "plain text stays plain"
    assert "$" not in text.markdown.replace(r"<span>\$</span>", ""), "no bare dollar sign"
    shown = re.sub(r"<[^>]*>", "", text.markdown).replace("\\$", "$")
    assert shown == text
    numbers = Numbers(text.markdown).found
    assert {one["title"].split(" · ")[0].split(",")[0] for one in numbers} == set(text.facts)
    for one in numbers:
        id, exact, window, origin = one["title"].split(" · ")
        fact = found[id.split(",")[0]]
        assert (window, origin) == (fact.window, fact.origin) and exact
        assert "$" not in one["title"] and "|" not in one["title"]


def test_a_passage_is_a_string_that_can_be_pasted():
    text = say(korea(), "U.S. exports to {partner} came to {goods.exports.ytd} in {months}.")
    assert isinstance(text, str)
    assert text == "U.S. exports to South Korea came to $31.8 billion in January-July 2018."


def test_the_output_of_a_cell_holds_exactly_the_facts_it_used():
    found = korea()
    one = "[{goods.exports.ytd} {group:if}|{goods.imports.ytd}]"  # exports are tried, and not said
    text = say(found, one + ". {total.reducers.countries:count}.")
    assert text == "$41.6 billion. 15."
    bundle = text.bundle()
    assert set(bundle) == {"text/markdown", "text/plain", FACTS_MIME}
    assert bundle["text/plain"] == str(text) and bundle["text/markdown"] == text.markdown
    told = json.loads(json.dumps(bundle[FACTS_MIME], allow_nan=False))
    assert told["facts"] == {
        id: json.loads(json.dumps(found[id].to_dict())) for id in ("goods.imports.ytd", "total.reducers")
    }
    assert {key: told[key] for key in found.about} == json.loads(json.dumps(found.about))


def test_a_cell_shows_a_passage_once_and_nothing_where_there_is_nothing_to_say(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    text = say(korea(), "{goods.exports.ytd}.")
    text._ipython_display_()
    say(korea(), "{group:if}Groups only.")._ipython_display_()
    assert shown == [(text.bundle(), True)]


def test_html_in_a_word_or_a_table_name_is_shown_not_run():
    bad = made(("x", "<script>alert(1)</script> $5", "text"))
    text = say(bad, "It is {x}.")
    assert "<script" not in text.markdown and "&lt;script&gt;" in text.markdown
    assert "$" not in text.markdown.replace(r"<span>\$</span>", "")


# --- titles -------------------------------------------------------------------------------------


def test_a_title_is_the_first_sentence_that_can_be_had_without_its_full_stop():
    tuvalu = sheet("Tuvalu", *JULY)
    text = "Services: {services.balance.ytd:moved}. Goods with {partner} in {months}. More."
    assert title(tuvalu, text) == "Goods with Tuvalu in January-July 2018"
    assert title(tuvalu, "Services: {services.balance.ytd:moved}.") == ""
    assert title(tuvalu, "") == "" == say(tuvalu, "")
    assert title(tuvalu, "U.S. trade with {partner}") == "U.S. trade with Tuvalu"


# --- a brief in a notebook ----------------------------------------------------------------------


def test_a_brief_carries_all_its_facts_and_the_looks_of_its_numbers():
    found = korea()
    bundle = found._repr_mimebundle_()
    assert bundle[FACTS_MIME] == found.document() and set(found.document()["facts"]) == set(found)
    assert "a.tl-fact" in bundle["text/html"] and "<script" not in bundle["text/html"]


def test_the_notebook_has_one_cell_for_the_headline_and_every_passage_has_a_telling_id():
    book = json.loads((ROOT / "notebooks" / "release.ipynb").read_text(encoding="utf-8"))
    tagged = [cell["id"] for cell in book["cells"] if "headline" in cell["metadata"].get("tags", [])]
    assert tagged == ["headline"]
    assert all(not cell.get("outputs") for cell in book["cells"])
    assert all(not re.match(r"cell-\d+$|[0-9a-f]{8}$", id) for id in passages())
    assert tl.say is say


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It was {goods.exports.ytd:up}.", "does not suit.*goods.exports.ytd.change_pct"),
        ("It {goods.imports.month:rose}.", "does not suit"),
        ("It {goods.trade.ytd.share_pct:rose}.", "does not suit"),
        ("It is {goods.balance.ytd:largest}.", "does not suit"),
        ("It was {goods.exports.ytd:a_position}.", "does not suit"),
        ("It {goods.exports.ytd:moved}.", "does not suit"),
        ("It was {partner:up}.", "is a word"),
        ("It was {goods.exports.ytd to x.", "without '}'"),
        ("It was [goods.exports.ytd} to x].", "without '{'"),
    ],
)
def test_what_would_be_false_or_half_written_is_refused(text, said):
    with pytest.raises(TradelibError, match=f"(?s){said}"):
        say(sheet("KOR", "2018-07"), text)


def test_a_condition_that_is_a_paragraph_of_its_own_holds_for_all_that_follows():
    brief = sheet("KOR", *JULY)
    text = "One.\n\n{{group:{0}}}\n\nTwo of {{partner}}. Three.\n\nFour."
    assert str(say(brief, text.format("unless"))) == "One.\n\nTwo of South Korea. Three.\n\nFour."
    assert str(say(brief, "{group:if}\n\nTwo. {services.balance.ytd:reason}.")) == "", "and no reason is told"
    with pytest.raises(TradelibError, match="no fact, word or field"):
        say(brief, "{group:if}\n\nTwo {mistyped}.")
