"""The brief's page, opened in a real browser: on a desk, on a phone, on paper, and offline."""

import functools
import json
import re
import shutil
from pathlib import Path

import pytest
from axe import violations
from helpers import charts_in

from tradelib.runs.report import make_report

pytestmark = pytest.mark.browser
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: Writes down what a reader would notice.
PROBE = """() => {
  const d = document, images = [...d.images], width = innerWidth;
  const wide = [...d.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1);
  return {
    title: d.title, h1: d.querySelector("h1").innerText, text: d.body.innerText,
    pictures: images.map(i => [i.naturalWidth, i.getBoundingClientRect().width, i.alt]),
    sideways: wide.filter(e => !e.closest(".output_html, .output_markdown")).map(e => e.tagName).slice(0, 5),
    boxes: [...d.querySelectorAll(".output_markdown")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    scrolls: d.documentElement.scrollWidth > width,
    size: parseFloat(getComputedStyle(d.querySelector("p")).fontSize),
    fetched: performance.getEntriesByType("resource").map(r => r.name),
    scripts: d.scripts.length,
  };
}"""


@pytest.fixture(scope="module")
def brief(korea):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    return korea.paths[1]


@pytest.fixture(scope="module")
def browser(brief):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def see(brief, browser):
    """Open a page beside the brief at a width and return what the probe saw."""

    @functools.cache
    def look(width, page=brief.name):
        tab = browser.new_page(viewport={"width": width, "height": 900})
        tab.goto(brief.with_name(page).as_uri())
        seen = tab.evaluate(PROBE)
        tab.close()
        return seen

    return look


@pytest.fixture(scope="module")
def others(brief, quick_pages):
    """The pages of the other notebooks, in the brief's folder, each made when it is first asked for."""
    options = {"reports": brief.parents[1], "as_of": "2025-04-03"}
    return functools.cache(
        lambda name: make_report("KOR", "2018-07", notebook=NOTEBOOKS / f"{name}.ipynb", **options).paths[1]
    )


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("revisions", "Then and now: U.S. trade"),
        ("seasonal", "Seasonal adjustment of U.S. goods trade"),
        ("partners", "The league of U.S. deficits"),
        ("house_style", "House style"),
        ("explore", "Exploring U.S. trade with"),
    ],
)
@pytest.mark.parametrize("width", [390, 1100])
def test_the_pages_of_the_other_notebooks_open_too(see, others, name, heading, width):
    page, told = (
        see(width, others(name).name),
        json.loads(others(name).with_suffix(".facts.json").read_text()),
    )
    assert page["h1"].startswith(heading) and page["title"] == page["h1"] == told["tradelib"]["title"]
    assert len(page["pictures"]) == len(told["tradelib"]["figures"]) > 0
    if name == "house_style":
        assert len(page["pictures"]) == len(charts_in("house_style.ipynb")) + 1, "and a figure of one's own"
    assert all(natural > 600 and shown > 300 and alt for natural, shown, alt in page["pictures"])
    assert page["sideways"] == [] and not page["scrolls"]
    assert page["boxes"] == (name == "revisions" and width < 600), "only the ledger scrolls, on a phone"
    assert page["fetched"] == [] and page["scripts"] == 0
    for word in ("import tradelib", "charts.", "\\$", "**", "What is in this notebook"):
        assert word not in page["text"], word


def test_the_page_opens_with_its_title_headline_and_lag(see):
    page = see(1100)
    assert page["title"] == page["h1"] == "U.S. trade with South Korea, July 2018"
    assert "narrowed by 65.5 percent, to $979 million" in page["text"]
    first_screen = page["text"][:800]
    assert "13th of 233" in first_screen
    assert "later data for goods and services (2,374 days)" in first_screen


def test_the_annex_is_shut_until_asked_for_and_the_link_opens_it(brief, browser):
    tab = browser.new_page()
    tab.goto(brief.as_uri())
    assert "trade_bop_sa, vintage of March 6, 2025" not in tab.inner_text("body")
    tab.click("a[href='#Annex']")
    assert "trade_bop_sa, vintage of March 6, 2025" in tab.inner_text("body")
    tab.close()


def test_every_picture_shows_and_has_words_for_those_who_cannot_see_it(see):
    pictures = see(1100)["pictures"]
    assert len(pictures) >= 6
    for natural, shown, alt in pictures:
        assert natural > 600
        assert shown > 300
        assert len(alt) > 40
        assert "No description" not in alt


def test_the_page_fetches_nothing_and_runs_no_script(see, brief):
    assert see(1100)["fetched"] == []
    assert see(1100)["scripts"] == 0
    assert "http://" not in re.sub(r'"data:image[^"]*"', "", brief.read_text()).replace(
        "http://www.w3.org", ""
    )


@pytest.mark.parametrize("width", [360, 390, 768, 1100])
def test_nothing_runs_off_the_side_on_any_device(see, width):
    page = see(width)
    assert page["sideways"] == []
    assert page["boxes"] == 0, "text and the box of sources need no scrolling"
    assert not page["scrolls"]
    assert page["size"] >= 15


def test_no_code_and_no_markup_shows(see):
    text = see(1100)["text"]
    for word in ("import tradelib", "tl.say", "charts.", "{goods", "\\$", "**", "In [", "Out["):
        assert word not in text, word


@pytest.mark.parametrize(("name", "width"), [("", 1100), ("", 390), ("partners", 390)])
def test_nobody_is_kept_from_reading_it(brief, others, browser, name, width):
    tab = browser.new_page(viewport={"width": width, "height": 900})
    tab.goto((others(name) if name else brief).as_uri())
    assert violations(tab) == []
    tab.close()


def test_below_every_chart_a_reader_opens_its_data(others, browser):
    tab = browser.new_page()
    tab.goto(others("house_style").as_uri())
    charts, tables = tab.locator("img"), tab.locator("img + details.tradelib-data")
    assert tables.count() == charts.count() - 1 > 15, "but below a figure of one's own that was given none"
    assert not tables.first.locator("table").is_visible()
    tables.first.locator("summary").click()
    assert tables.first.locator("table").is_visible()
    tab.close()


def test_on_paper_it_has_five_pages_at_most_and_the_annex_only_if_it_is_open(brief, browser):
    tab = browser.new_page()
    tab.goto(brief.as_uri())
    pages = []
    for _ in range(2):
        pages.append(len(re.findall(rb"/Type\s*/Page\b", tab.pdf())))
        tab.click("details.annex > summary")
    tab.close()
    assert 3 <= pages[0] <= 5 < pages[1]
