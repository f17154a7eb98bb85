"""What changed between two briefs: the parts add to the difference, and each is what raw readings make it."""

import json
import re

import pytest
from click.testing import CliRunner
from helpers import passages, raw_sum, said, sheet
from hypothesis import given
from hypothesis import strategies as st

from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.partners import partner, resolve
from tradelib.runs.jobs import read_notebook
from tradelib.studies import changes
from tradelib.studies.changes import MEMBERS, METHOD, PERIOD, REVISION, TABLE, UNSPLIT, Figure

OLD, NEW = "2018-07@2018-10-05", "2018-08@2020-10-06"
JULY, AUGUST = [f"2018-0{n}" for n in range(1, 8)], "2018-08"


@pytest.fixture(scope="module")
def way():
    return changes.Way(changes.side(OLD), changes.side(NEW))


@pytest.fixture(scope="module")
def korea(way):
    return {one.id: one for one in way.changes(resolve("KOR"))}


def at(value, window="2018", vintage="a", table="goods_census_nsa"):
    return {"x": Figure(value, "USD", window, table, vintage, "")}


amounts = st.none() | st.integers(-(10**13), 10**13) | st.floats(-1e4, 1e4)
causes = st.sampled_from([METHOD, REVISION, PERIOD, MEMBERS])


@given(st.lists(st.tuples(causes, amounts), min_size=2, max_size=7))
def test_parts_add_to_the_difference_whatever_is_missing_on_the_way(steps):
    found = changes.compare([(cause, at(value)) for cause, value in steps])
    old, new = steps[0][1], steps[-1][1]
    if None in (old, new) or abs(new - old) < 1e-9:
        assert all(not one.parts for one in found)
    else:
        assert sum(found[0].parts.values()) == pytest.approx(new - old, abs=0.005), "to the cent"


def test_revision_and_new_period_are_what_the_raw_files_say(korea):
    exports = korea["goods.exports.ytd"]
    where = {"partner": "5800", "flow": "exports"}
    then, now = (raw_sum("goods_census_nsa", day, JULY, **where) for day in ("2018-10-05", "2020-10-06"))
    august = raw_sum("goods_census_nsa", "2020-10-06", [AUGUST], **where)
    assert exports.parts == {PERIOD: august, REVISION: now - then}
    assert (exports.old.value, exports.new.value) == (then, now + august)
    assert korea["goods.balance.trailing12@2018-06"].causes == (REVISION,), "an old point is revised only"
    assert korea["goods.balance.trailing12@2018-08"].causes == (PERIOD,), "a new point is new"


@pytest.mark.parametrize("who", ["Tuvalu", "CAN"])
def test_all_parts_of_a_brief_add_up(way, who):
    found = way.changes(resolve(who))
    assert len(found) > 40
    for one in found:
        if one.parts:
            assert sum(one.parts.values()) == pytest.approx(one.difference, abs=0.005), one
        assert one.causes, one


def test_the_same_brief_on_two_days_is_revised_and_nothing_else(way):
    days = changes.Way(way.old, changes.side("2018-07@2025-04-03"))
    found = days.changes(resolve("KOR"))
    exports = next(one for one in found if one.id == "goods.exports.ytd")
    where = {"partner": "5800", "flow": "exports"}
    then, now = (raw_sum("goods_census_nsa", day, JULY, **where) for day in ("2018-10-05", "2025-04-03"))
    assert exports.parts == {REVISION: now - then}
    assert {cause for one in found for cause in one.causes} == {REVISION}


def test_a_longer_list_of_exhibit_20_is_a_universe_and_not_a_worse_rank():
    longer = changes.Way(changes.side("2021-08"), changes.side("2023-01"))
    found = {one.id: one for one in longer.changes(resolve("KOR"))}
    assert found["total.deficit.rank.n"].parts == {MEMBERS: 8}
    assert TABLE not in found["total.balance.ytd"].causes, "Exhibit 20 and BEA's table are one statistic"
    assert REVISION in found["total.balance.ytd"].causes


def test_members_that_left_a_group_are_membership():
    left = changes.Way(changes.side("2019-11@2020-10-06"), changes.side("2020-01@2020-10-06"))
    found = {one.id: one for one in left.changes(resolve("EU"))}
    month, kingdom = found["goods.exports.month"], {"partner": "4120", "flow": "exports"}
    assert month.parts[MEMBERS] == -raw_sum("goods_census_nsa", "2020-10-06", ["2020-01"], **kingdom)


def test_what_cannot_be_told_apart_is_not_guessed():
    steps = [("", at(1)), (REVISION, {}), (PERIOD, at(5, "2019", "b"))]
    assert changes.compare(steps)[0].parts == {UNSPLIT: 4}
    steps[2] = (PERIOD, at(5, "2019"))
    assert changes.compare(steps)[0].parts == {PERIOD: 4}, "the same vintage: it cannot be a revision"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Two folders of kept facts, the older one by another method."""
    folder = tmp_path_factory.mktemp("reports")
    for name, (release, day) in {"old": ("2018-07", "2018-10-05"), "new": ("2018-08", "2018-10-05")}.items():
        found = sheet("KOR", release, day)
        told = json.loads(json.dumps(found.document())) | {"tradelib": {"version": "0.1.0"}}
        if name == "old":
            told["facts"]["goods.balance.ytd"]["value"] += 1_000_000
            told["facts"]["revisions.old"] = told["facts"]["goods.exports.ytd"]
        (folder / name).mkdir()
        (folder / name / "korea-south.facts.json").write_text(json.dumps(told))
    return folder


def test_what_two_kept_runs_say_otherwise_than_the_code_at_hand_is_method(kept):
    assert partner("5800").slug == "korea-south"
    two = changes.Way(changes.side(str(kept / "old")), changes.side(str(kept / "new")))
    found = {one.id: one for one in two.changes(resolve("KOR"))}
    where = {"partner": "5800"}
    exports, imports = (
        raw_sum("goods_census_nsa", "2018-10-05", [AUGUST], flow=flow, **where)
        for flow in ("exports", "imports")
    )
    assert found["goods.balance.ytd"].parts == {PERIOD: exports - imports, METHOD: -1_000_000}
    assert METHOD not in found["goods.exports.ytd"].causes
    assert any("Like with like" in line for line in two.method), "the changelog tells what changed"


def test_a_file_that_is_no_brief_is_told(tmp_path):
    (tmp_path / "x.facts.json").write_text("{}")
    for name in ("x.facts.json", "y.html"):
        with pytest.raises(TradelibError, match="no file of facts"):
            changes.side(str(tmp_path / name))
    with pytest.raises(TradelibError, match="no briefs"):
        changes.side(str(tmp_path))


def test_sentences_and_points_of_charts_change_with_the_figures(way):
    found = changes.of_one(way, "5800", read_notebook().text)
    pairs = {one["cell"]: one for one in found.sentences}
    assert "to $20.2 billion in the 12 months to July 2018" in pairs["goods-history"]["old"]
    assert "to $19.8 billion in the 12 months to August 2018" in pairs["goods-history"]["new"]
    points = {one.id: one for one in found.changes if changes.POINT.search(one.id)}
    assert points["goods-history: exports, 2018-08"].causes == (PERIOD,)
    bar, fact = (
        points["ytd-by-year: 2018"],
        next(one for one in found.changes if one.id == "goods.balance.ytd"),
    )
    assert bar.parts == fact.parts, "the bar of the chart is the figure"


def test_a_dot_of_a_chart_is_named_by_its_country():
    found = changes.drawn(sheet("KOR", "2018-07", "2018-10-05"), read_notebook().text)
    dots = [id.removeprefix("standing-chart: ") for id in found if id.startswith("standing-chart: ")]
    assert {"South Korea, now", "South Korea, before", "Canada, now"} <= set(dots)
    assert all(re.fullmatch(r"[A-Z][\w ().'-]*, (now|before)", dot) for dot in dots), dots


@pytest.mark.parametrize("who", ["KOR", "Tuvalu"])
def test_the_page_says_how_the_balance_changed(who):
    study = changes.study(sheet(who, "2018-08", "2018-10-05"), since="2018-07", notebook=read_notebook().text)
    texts = {id: str(said(id, study, "changes.ipynb")) for id in passages("changes.ipynb")}
    assert all(texts.values()) and not any("None" in text or "nan" in text for text in texts.values())
    if who == "KOR":
        assert "went from a deficit of $9.9 billion to a deficit of $11.7 billion" in texts["headline"]
        assert (
            "-$1.8 billion by the addition of August 2018" in texts["headline"]
            and "revision" not in texts["headline"]
        )
    assert study["changes.figures"].value > 40 > study["changes.revised"].value == 0
    assert "South Korea, August 2018" in repr(study.tables[0]) or who != "KOR"


def test_an_unchanged_sentence_is_no_change():
    old, new = {"a": "One. Two is 2.", "b": "Gone."}, {"a": "One. Two is 3."}
    assert changes.rewritten(old, new) == [
        {"cell": "a", "old": "Two is 2.", "new": "Two is 3."},
        {"cell": "b", "old": "Gone.", "new": ""},
    ]


def test_sentences_that_begin_alike_stand_side_by_side_and_others_alone():
    old = {"a": "Imports have risen for 8 months. The deficit was $1. It was up in May 2024. Gone."}
    new = {"a": "Exports fell. Imports have risen for 9 months. May: 3. The deficit was $2. New. It was up."}
    assert [(one["old"], one["new"]) for one in changes.rewritten(old, new)] == [
        ("", "Exports fell."),
        ("Imports have risen for 8 months.", "Imports have risen for 9 months."),
        ("", "May: 3."),
        ("The deficit was $1.", "The deficit was $2."),
        ("", "New."),
        ("It was up in May 2024.", "It was up."),
        ("Gone.", ""),
    ]


def test_a_growth_is_named_a_reduction_where_its_value_is_that_of_one():
    study = changes.study(sheet("IRL", "2025-02"), since="2025-01", notebook=read_notebook().text)
    told = repr(study.tables[1])
    assert "Reduction of the U.S. goods deficit with Ireland" in told and "Growth of" not in told


@pytest.mark.parametrize(("since", "seen"), [("2018-08@2018-10-05", True), ("2018-07@2018-10-05", False)])
def test_that_nothing_was_revised_is_not_said_where_no_revision_could_show(since, seen):
    brief = sheet("CAN", "2018-08", "2020-10-06" if seen else "2018-10-05")
    text = str(
        said("counts", changes.study(brief, since=since, notebook=read_notebook().text), "changes.ipynb")
    )
    assert ("by revision" in text) == seen
    assert ("table of October 5, 2018: what was revised in between does not show" in text) != seen


def test_the_command_prints_a_table_or_json(way):
    lines = "\n".join(changes.told(way, changes.of_one(way, "5800", read_notebook().text)))
    assert "By new period" in lines and "+ The U.S. deficit in goods with South Korea" in lines
    words = ["diff", OLD, "2018-08@2018-10-05", "--partner", "KOR", "--format", "json"]
    told = json.loads(CliRunner().invoke(main, words).output)
    ytd = next(one for one in told["partners"][0]["changed"] if one["id"] == "goods.balance.ytd")
    assert sum(ytd["parts"].values()) == ytd["difference"] == ytd["new"] - ytd["old"]
    assert (ytd["old_window"], ytd["new_vintage"]) == ("2018-01..2018-07", "2018-10-05")


def test_many_partners_are_compared_in_other_processes_as_in_this_one(way, monkeypatch):
    monkeypatch.setattr(changes, "FEW", 2)
    codes, text = ["5800", "1220", "5880"], read_notebook().text
    apart = changes.of_all(way, codes, text)
    assert [one.to_dict() for one in apart] == [
        changes.of_one(way, code, text, short=True).to_dict() for code in codes
    ]
    assert "Canada" in changes.summary(apart)


def test_a_figure_of_another_window_tells_that_of_the_old_one():
    """An old figure of January stood below the label of February."""
    sides = [
        Figure(1.0, "USD", window, "goods_census_nsa", "a", f"U.S. exports to Ireland, {when}: $1")
        for window, when in (("2025-01", "January 2025"), ("2025-02", "February 2025"))
    ]
    for old, new, name in (
        (0, 1, "U.S. exports to Ireland, February 2025 (old: January 2025)"),
        (1, 1, "U.S. exports to Ireland, February 2025"),
    ):
        one = changes.Change("x", sides[old], sides[new], {PERIOD: 1.0}, (PERIOD,))
        assert changes.tables([one], named=True)[0].data["Figure"].tolist() == [name]
    assert changes.tables([one])[0].data["Figure"].tolist() == ["x"]
