"""What the notebooks on all partners, on revisions and on seasons say, of many partners and releases."""

import re
import warnings
from datetime import date

import pytest
from helpers import cells, figures, passages, said, sheet, snapshot, titled

from tradelib import brief, covered_partners
from tradelib.studies import league, revisions, seasonal, tariffs

NOW = "2025-04-03"
RELEASES = ["2010-06", "2018-07", "2021-08", "2024-08"]
OTHERS = ("0001", "0003", "0015", "0021", "1220", "5700", "5800", "ASEAN")
#: None of these is left in a text: a value that is missing, a slot, two spaces, two stops, a space too many.
ODD = re.compile(r"\bNone\b|\bnan\b|[{}]|  |\.\.|\( | \)| ,| \.(?!\w)|\[\w|\|")
#: Nor a sentence whose subject and verb, or number and noun, do not agree.
DISAGREES = re.compile(r"\b(?:one|1) (?:were|are|have|months|countries|partners)\b|\bonly none\b|\bof none\b")


def checked(found, notebook: str) -> list[str]:
    """Every passage and every title of a notebook that there is something to say of, each looked at."""
    texts = {id: str(said(id, found, notebook)) for id in passages(notebook)}
    assert all(texts.values()), (found, [id for id, text in texts.items() if not text])
    texts |= {id: titled(id, found, notebook) for id in figures(notebook)}
    for id, text in texts.items():
        assert not ODD.search(text.replace("[annex](#Annex)", "annex")), (found, id, text)
        assert not DISAGREES.search(text), (found, id, text)
        assert text[:1] in ("", "#", "-", ">") or text[0] == text[0].upper(), (found, id, text)
    return [text for text in texts.values() if text]


BOOK = "tariffs.ipynb"
BOOKS = ["changes", "claims", "partners", "revisions", "seasonal", "tariffs"]


@pytest.mark.parametrize("notebook", [f"{name}.ipynb" for name in BOOKS])
def test_a_notebook_says_what_it_is_for_and_has_one_headline(notebook):
    import nbformat
    from helpers import ROOT

    book = nbformat.read(ROOT / "notebooks" / notebook, 4)
    first, second, *_ = book.cells
    assert first.cell_type == "markdown" and first.metadata["tags"] == ["remove-cell"]
    for word in ("**What is in this notebook.**", "**Parameters**", "**To change a sentence**", notebook):
        assert word in first.source
    assert second.metadata["tags"] == ["parameters"]
    tagged = [cell for cell in book.cells if "headline" in cell.metadata.get("tags", [])]
    assert [cell["id"] for cell in tagged] == ["headline"]
    code = "\n".join(cell.source for cell in book.cells if cell.cell_type == "code")
    assert not re.search(r"^\s*(?:def|class|lambda)\b", code, re.MULTILINE)
    assert {"title", "headline", "how-to-read"} <= set(cells(notebook))


@pytest.mark.parametrize("release", RELEASES)
def test_the_league_reads_well_whoever_is_stressed(release):
    codes = [*OTHERS, *covered_partners(snapshot(release))[:: 12 if release == "2018-07" else 40]]
    headlines = set()
    for code in codes:
        found = league.study(brief(code, snapshot(release)))
        checked(found, "partners.ipynb")
        headlines.add(str(said("headline", found, "partners.ipynb")))
    assert len(headlines) == 1, "the headline is the league's"


@pytest.mark.parametrize(("release", "every"), [("2024-08", 6), ("2018-07", 12), ("2009-01", 40)])
def test_the_seasons_read_well(release, every):
    codes = covered_partners(snapshot(release))
    for code in [*OTHERS, *codes[::every]]:
        found = seasonal.study(brief(code, snapshot(release)))
        texts = checked(found, "seasonal.ipynb")
        assert any(found.partner.prose in text for text in texts)


@pytest.mark.parametrize(("release", "every"), [("2018-07", 16), ("2024-08", 40)])
def test_the_revisions_read_well(release, every):
    taken = snapshot(release, NOW)
    for code in [*OTHERS, *covered_partners(taken)[::every]]:
        found = revisions.study(brief(code, taken))
        checked(found, "revisions.ipynb")
        assert found.held.index.get_level_values("vintage").max() <= date.fromisoformat(NOW)


def test_every_fact_of_a_study_carries_its_table_and_vintage():
    made = [
        (league.study(sheet("KOR", "2018-07")), "league."),
        (seasonal.study(sheet("KOR", "2018-07")), "seasonal."),
        (revisions.study(sheet("KOR", "2018-07", NOW)), "revisions."),
    ]
    for found, start in made:
        own = [fact for id, fact in found.items() if id.startswith(start)]
        assert len(own) >= 12
        for fact in own:
            assert fact.vintage and fact.vintage_method and fact.basis and fact.adjustment, fact
            assert (fact.value is None) == bool(fact.reason), fact


@pytest.mark.parametrize(("release", "drawn"), [("2013-01", False), ("2013-02", True)])
def test_the_rate_of_one_month_is_no_line(release, drawn):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        line = tariffs.history(tariffs.study(sheet("KOR", release)))
        assert (line is not None) == drawn
        if line:
            assert [tick.get_text() for tick in line.axes[0].get_xticklabels()] == ["Jan\n2013", "Feb\n2013"]


def test_parts_of_a_small_change_have_a_second_decimal():
    found = tariffs.study(sheet("KOR", "2014-01"))
    assert (found.parts["rate_points"] + found.parts["mix_points"]).drop("total").abs().max() < 0.2
    texts = [text.get_text() for text in tariffs.rate_or_mix(found).axes[0].texts]
    assert "+0.06" in texts and "0.0" not in texts


def test_rates_of_duty_below_one_percent_and_what_parts_added_are_told_to_the_second_decimal():
    ireland = tariffs.study(sheet("IRL", "2025-02"))
    assert "to 0.08 percent of their value in February 2025, after 0.25" in said("headline", ireland, BOOK)
    told = str(said("paid", ireland, BOOK))
    assert "fell by 0.14 percentage points" in told and "duties came to $26 million, or 0.09 percent" in told
    assert "largest rise" not in told, "it was of less than a tenth of a point"
    union = tariffs.study(sheet("EU", "2025-02"))
    assert "February 2025 duties came to $1.1 billion, or 1.0 percent" in said("paid", union, BOOK)
    rows = tariffs.parts_table(union).to_markdown().splitlines()
    shown = next(re.split(r" *\| *", row) for row in rows if "Transportation" in row)
    assert shown[4:7] == ["1.72", "1.77", "\N{MINUS SIGN}0.03"]
    assert "0.08 %" in "".join(text.get_text() for text in tariffs.history(ireland).axes[0].texts)


def test_a_rate_of_before_2025_is_compared_with_a_year_earlier():
    china = tariffs.study(sheet("CHN", "2021-06"))
    assert "11.6 percent of their value in June 2021, after 9.2 percent in June 2020" in said(
        "headline", china, BOOK
    )
    assert "highest" not in said("paid", tariffs.study(sheet("KOR", "2013-02")), BOOK), "of two months"
    nobody = tariffs.study(sheet("ASEAN", "2021-06"))
    assert said("stand", nobody, BOOK) == "Figures as of August 5, 2021."


@pytest.mark.parametrize("who", ["CHN", "CHE", "CAN", "EU", "ZAF", "world"])
def test_the_tariffs_read_well(who):
    found = tariffs.study(sheet(who, "2025-11", "2026-02-04"))
    checked(found, "tariffs.ipynb")
    told = str(said("rates-and-mix", found, "tariffs.ipynb"))
    assert (found.parts is None) == ("is not known" in told) == (who == "ZAF")
    if who == "CHN":
        assert "rose by 21.3 percentage points: the rates of industries made up +21.8" in told
        assert tariffs.rate_or_mix(found).axes and tariffs.partners(found).axes
        assert tariffs.history(found, least=30.0) is None


def test_duties_on_imports_from_the_world_are_those_on_all_imports():
    texts = checked(tariffs.study(sheet("0015", "2025-11")), "tariffs.ipynb")
    assert not any("all imports" in text or "of all duties" in text for text in texts)
    texts = " ".join(checked(tariffs.study(sheet("VNM", "2025-11")), "tariffs.ipynb"))
    assert "on all imports they came to" in texts and "8.5 percent of all duties" in texts
    assert "From December 2024 to November 2025 the rate on imports from Vietnam rose" in texts
