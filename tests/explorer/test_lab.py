"""JupyterLab in a headless Chromium: open the notebooks, run them, and use the controls like a user."""

import os
import re
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("TRADELIB_SHOTS")  # a folder: keep pictures of what the tests saw
FAILED = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type*="stderr"]'


def keep(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"lab_{name}.png"))


def errors(page) -> list[str]:
    return page.locator(FAILED).all_inner_texts()


def maths(page) -> list[str]:
    """What JupyterLab took for a formula: the words between two dollar signs."""
    return page.locator("mjx-container").evaluate_all("all => all.map(one => one.parentElement.textContent)")


def pick(page, label: str, option: str) -> None:
    """Pick from the list with a label, as one does with a mouse."""
    row = page.locator(".widget-dropdown", has=page.locator("label", has_text=re.compile(f"^{label}$"))).first
    row.locator("select").select_option(label=option)


def chart(page):
    """The live chart: the picture of the widgets."""
    return page.locator(".widget-html img, .jupyter-widget-html img").first


def changed(page, old: str) -> float:
    """Wait until the live chart is another, and tell how long it took."""
    start = time.monotonic()
    page.wait_for_function(
        "old => { const i = document.querySelector('.widget-html img, .jupyter-widget-html img');"
        " return i && i.complete && i.src !== old; }",
        arg=old,
    )
    return time.monotonic() - start


def test_the_brief_runs_from_the_menu_without_an_error_and_shows_its_charts(opened):
    page = opened("release.ipynb")
    assert errors(page) == []
    pictures = page.locator(".jp-OutputArea-output img")
    pictures.first.wait_for(state="attached")
    keep(page, "release")
    alts = [picture.get_attribute("alt") for picture in pictures.all()]
    assert any(alt and "South Korea" in alt for alt in alts)
    assert maths(page) == []


def test_exploring_answers_to_the_widgets_like_to_a_user(opened):
    page = opened("explore.ipynb")
    chart(page).wait_for()
    assert errors(page) == []
    assert "South Korea" in chart(page).get_attribute("alt")
    chart(page).scroll_into_view_if_needed()
    keep(page, "explore")

    first = chart(page).get_attribute("src")
    pick(page, "Partner", "Mexico")
    seconds = changed(page, first)
    assert "Mexico" in chart(page).get_attribute("alt")
    assert seconds < 5, "even on a busy machine"
    page.get_by_role("heading", name="Exploring U.S. trade with Mexico, July 2018").wait_for()

    second = chart(page).get_attribute("src")
    pick(page, "As of", "2025-04-03")
    changed(page, second)
    assert "vintage of 2025-04-03" in chart(page).get_attribute("alt")
    keep(page, "explore_mexico")

    page.get_by_role("button", name="Copy table").click()
    # the button says "Copied" for a moment only, which a busy machine may miss
    page.wait_for_function("async () => (await navigator.clipboard.readText()).startsWith('Year to date')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[0].startswith("Year to date\tMexico: balance_usd")

    pick(page, "As of", "publication day, 2018-09-05")
    page.get_by_role("button", name="Make this brief").click()
    link = page.locator("a", has_text="reports/2018-09-05/mexico.html")
    link.wait_for()
    assert (
        "Made the brief on Mexico, July 2018. The U.S. deficit with Mexico"
        in page.locator(".jp-OutputArea-output", has=link).last.inner_text()
    )
    keep(page, "explore_brief")
    link.click()
    page.locator(".lm-TabBar-tabLabel", has_text="mexico.html").wait_for()
    keep(page, "explore_link")
    page.locator(".lm-TabBar-tabLabel", has_text="explore.ipynb").click()

    pick(page, "Basis", "Goods and services, BOP basis, quarterly, SA")
    pick(page, "Partner", "Peru")
    # the answer to the first pick may stand there until the kernel has come to the second
    page.locator(".tradelib-told", has_text="no figures of goods and services with Peru").wait_for()
    assert errors(page) == []
    assert maths(page) == []
    keep(page, "explore_refused")
