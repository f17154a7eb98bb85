"""The brief's page, opened in a real browser: on a desk, on a phone, on paper, and offline."""

import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tradelib.runs.report import make_report

pytestmark = pytest.mark.browser
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
#: Loads the brief in a frame of a device's width and writes down what a reader would notice.
PROBE = """<!DOCTYPE html><meta charset="utf-8">
<iframe id="f" src="{page}" width="{width}" height="900"></iframe>
<pre id="seen"></pre><script>
f.onload = () => {{
  const d = f.contentDocument, images = [...d.images];
  const wide = [...d.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > {width} + 1);
  seen.textContent = JSON.stringify({{
    title: d.title, h1: d.querySelector("h1").innerText, text: d.body.innerText,
    pictures: images.map(i => [i.naturalWidth, i.getBoundingClientRect().width, i.alt]),
    sideways: wide.filter(e => !e.closest(".output_html, .output_markdown")).map(e => e.tagName).slice(0, 5),
    boxes: [...d.querySelectorAll(".output_markdown")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    scrolls: d.documentElement.scrollWidth > {width},
    size: parseFloat(getComputedStyle(d.querySelector("p")).fontSize),
    fetched: f.contentWindow.performance.getEntriesByType("resource").map(r => r.name),
    scripts: d.scripts.length,
  }});
}};</script>"""


@pytest.fixture(scope="module")
def brief(tmp_path_factory):
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    return make_report("KOR", "2018-07", reports=tmp_path_factory.mktemp("reports")).paths[1]


@pytest.fixture(scope="module")
def see(brief, tmp_path_factory):
    """Open the brief at a width and return what the probe saw."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=brief.parent)
    handler.log_message = lambda *_: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profile = tmp_path_factory.mktemp("profile")

    @functools.cache
    def look(width, page=brief.name):
        probe = brief.with_name(f"probe-{width}-{page}")  # a name of its own: the browser keeps pages
        probe.write_text(PROBE.format(page=page, width=width), encoding="utf-8")
        url = f"http://127.0.0.1:{server.server_port}/{probe.name}"
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--virtual-time-budget=8000"]
        done = subprocess.run([*command, "--dump-dom", url], capture_output=True, text=True, timeout=120)
        seen = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
        assert seen, done.stderr[-800:]
        return json.loads(html.unescape(seen[1]))

    yield look
    server.shutdown()


@pytest.fixture(scope="module")
def others(brief):
    """The pages of the other notebooks, in the brief's folder: name -> file name."""
    options = {"reports": brief.parents[1], "as_of": "2025-04-03"}
    names = ("revisions", "seasonal", "partners", "house_style", "explore")
    books = {name: NOTEBOOKS / f"{name}.ipynb" for name in names}
    made = {n: make_report("KOR", "2018-07", notebook=book, **options) for n, book in books.items()}
    return {name: one.paths[1].name for name, one in made.items()}


@pytest.mark.parametrize(
    ("name", "heading", "pictures"),
    [
        ("revisions", "Then and now: U.S. trade", 4),
        ("seasonal", "Seasonal adjustment of U.S. goods trade", 2),
        ("partners", "The league of U.S. deficits", 4),
        ("house_style", "House style", 15),
        ("explore", "Exploring U.S. trade with", 1),
    ],
)
@pytest.mark.parametrize("width", [390, 1100])
def test_the_pages_of_the_other_notebooks_open_too(see, others, name, heading, pictures, width):
    page = see(width, others[name])
    assert page["h1"].startswith(heading)
    assert len(page["pictures"]) == pictures
    assert all(natural > 600 and shown > 300 and alt for natural, shown, alt in page["pictures"])
    assert page["sideways"] == [] and not page["scrolls"]
    assert page["boxes"] == (name == "revisions" and width < 600), "only the ledger scrolls, on a phone"
    assert page["fetched"] == [] and page["scripts"] == 0
    for word in ("import tradelib", "charts.show", "\\$", "**"):
        assert word not in page["text"], word


def test_the_page_opens_with_its_title_headline_and_lag(see):
    page = see(1100)
    assert page["title"] == page["h1"] == "U.S. trade with South Korea, July 2018"
    assert "narrowed by 65.5 percent, to $979 million" in page["text"]
    first_screen = page["text"][:1600]
    assert "2,374 days after the as-of date" in first_screen
    assert "Later data." in first_screen


def test_every_picture_shows_and_has_words_for_those_who_cannot_see_it(see):
    pictures = see(1100)["pictures"]
    assert len(pictures) == 6
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
    for word in ("import tradelib", "narrative.", "charts.show", "\\$", "**", "In [", "Out["):
        assert word not in text, word


def test_it_prints(brief, tmp_path):
    pdf = tmp_path / "brief.pdf"
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={pdf}"]
    subprocess.run([*command, brief.as_uri()], capture_output=True, timeout=120, check=True)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 100_000
