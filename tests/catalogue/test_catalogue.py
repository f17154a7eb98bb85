"""The catalogue: read from folders of reports, marked, and used in a real browser without a server."""

import ast
import copy
import json
import re
import shutil
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from axe import violations
from bs4 import BeautifulSoup
from helpers import ROOT, csv_cells, everyone
from hypothesis import given
from hypothesis import strategies as st

import tradelib as tl
from tradelib.catalogue import marks
from tradelib.catalogue.entries import Entry, gather
from tradelib.catalogue.page import EDGE, HEIGHT, WIDTH, build, sparkline
from tradelib.errors import TradelibError
from tradelib.store import files

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
browser_test = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: install Debian's package chromium")
RELEASES = {"2018-06": "2018-08-03", "2018-07": "2018-09-05"}
KEI = "that day 1 reproduced and 12 cannot be tested; now 4 reproduced, 2 close, 4 differ, 1 reversed"
HOSTILE = "</title><script>alert(1)</script><img src=x onerror=alert(1)> & \"quoted\" 'so' {{ 7 * 7 }}"
usd = st.one_of(st.none(), st.integers(-(10**13), 10**13))


def put(reports: Path, folder: str, name: str, page: dict) -> None:
    """A brief's three files: facts as `report` writes them, page and notebook empty."""
    (reports / folder).mkdir(parents=True, exist_ok=True)
    (reports / folder / f"{name}.facts.json").write_text(json.dumps(page), encoding="utf-8")
    for end in (".html", ".ipynb"):
        (reports / folder / f"{name}{end}").touch()


def headline_text() -> str:
    """The text of the cell of release.ipynb that is tagged `headline`."""
    cells = json.loads((ROOT / "notebooks" / "release.ipynb").read_text())["cells"]
    (cell,) = (cell for cell in cells if "headline" in cell["metadata"].get("tags", []))
    return ast.literal_eval(ast.parse("".join(cell["source"])).body[0].value.args[1])


def facts_page(brief, **own) -> dict:
    said = " ".join(str(tl.say(brief, headline_text())).split())
    told = {"headline": said, "figures": ["Chart: one.", "Chart: two."]}
    return copy.deepcopy(brief.document()) | {"tradelib": told | own}  # a test may change it


@pytest.fixture(scope="module")
def sheets():
    """The facts of all partners of two releases."""
    return {month: everyone(month) for month in RELEASES}


@pytest.fixture(scope="module")
def reports(sheets, tmp_path_factory):
    """A folder of reports with all of them, some further pages, a failure, and the catalogue over it."""
    folder = tmp_path_factory.mktemp("published") / "reports"
    for month, day in RELEASES.items():
        for sheet in sheets[month].values():
            put(folder, day, sheet.partner.slug, facts_page(sheet))
    newest = folder / "2018-09-05"
    put(folder, "2018-09-05", "korea-south.revisions.as-of-2025-04-03", facts_page(sheets["2018-07"]["5800"]))
    (newest / "japan.failed.ipynb").touch()
    (newest / "european-union.partners.html").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADELIB_STORE", str(folder.parent / "store"))
        build(folder)
    return folder


@pytest.fixture(scope="module")
def rows(reports):
    """The page's rows as they were written, by folder and partner's name."""
    page = BeautifulSoup((reports / "index.html").read_bytes(), "html.parser")
    found = {}
    for section in page.find_all("section"):
        for row in section.tbody.find_all("tr"):
            found[section["id"][1:], row.th.find(string=True).strip()] = row
    return found


def cells(row) -> list[str]:
    """Texts of a row's cells; html.parser nests cells without end tags, so each is read up to the next."""
    parts = re.split(r"<t[hd][^>]*>", str(row))[1:]
    return [unescape(re.sub(r"<[^>]*>", " ", part)).strip() for part in parts]


# --- the line ------------------------------------------------------------------------------------


def points(svg: str) -> list[tuple[int, int]]:
    """The drawn points, added up from the distances of the path."""
    path = re.findall(r' d="([^"]*)"', svg)[1]
    numbers = [int(n) for n in re.findall(r"-?\d+", path)]
    x = y = 0
    found = []
    for dx, dy in zip(numbers[::2], numbers[1::2], strict=True):
        x, y = x + dx, y + dy
        found.append((x, y))
    return found


@given(st.lists(usd, min_size=1, max_size=150))
def test_the_line_stays_in_its_box_and_ends_at_the_last_value(values):
    svg, known = sparkline(values, told="w", points=len(values)), [v for v in values if v is not None]
    if not known:
        assert svg == ""
        return
    drawn = points(svg)
    assert len(drawn) == len(known)
    assert all(EDGE <= x <= WIDTH - EDGE and EDGE <= y <= HEIGHT - EDGE for x, y in drawn)
    assert svg.endswith(f'<path d="M{drawn[-1][0]} {drawn[-1][1]}h0"/></svg>')
    zero = int(re.search(r"M0 (\d+)H", svg)[1])
    for value, (_, y) in zip(known, drawn, strict=True):
        assert y <= zero if value > 0 else y >= zero if value < 0 else y == zero
    for (one, (_, high)), (other, (_, low)) in zip(
        zip(known, drawn, strict=True), list(zip(known, drawn, strict=True))[1:], strict=False
    ):
        assert (one - other) * (high - low) <= 0, "what is more is not drawn lower"


def test_the_line_is_three_short_paths_with_words_for_those_who_hear_it():
    assert sparkline([-2, -1, 1], told="From -$2 to $1.") == (
        '<svg viewBox="0 0 120 36" role="img"><title>From -$2 to $1.</title><path d="M0 13H120"/>'
        '<path d="m3 33 57-10 57-20"/><path d="M117 3h0"/></svg>'
    )


def test_a_long_series_is_thinned_but_keeps_its_last_value():
    values = [0] * 119 + [5]
    assert len(points(sparkline(values, told=""))) == 30
    assert points(sparkline(values, told=""))[-1] == (WIDTH - EDGE, EDGE)


# --- the marks -----------------------------------------------------------------------------------


def brief(release="2018-07", **told) -> Entry:
    known = {"codes": ("5800",), "kind": "country"} | told
    return Entry("2018-09-05", "Korea", {}, release=release, **known)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_a_course_is_told_only_of_what_kept_its_sign(now, before):
    told = marks.course(now, now - before)
    if now * before <= 0:
        assert told is None
    elif told:
        assert told == ("widening" if abs(now) > abs(before) else "narrowing")
    else:
        assert abs(abs(now) - abs(before)) < 0.0005 * abs(before)


def test_the_course_of_a_balance_by_its_change():
    found = [marks.course(*pair) for pair in [(-9, 2), (-9, -2), (9, 2), (-9, -10), (9, None)]]
    assert found == ["narrowing", "widening", "widening", None, None]


def test_a_turned_sign_a_turned_course_and_a_moved_rank_are_changes():
    before = brief("2018-06", balance=-9, change=-1, rank=14)
    assert marks.changed(brief(balance=3, change=5), before).text == "since June 2018: now a surplus"
    narrowing = marks.changed(brief(balance=-9, change=2, rank=14), before)
    assert narrowing.text == "since June 2018: deficit now narrowing"
    assert marks.changed(brief(balance=-9, change=-2, rank=16), before).text == (
        "since June 2018: now 16th, was 14th"
    )


def test_several_changes_stand_in_one_mark():
    before = brief("2018-06", balance=-9, change=-1, rank=14)
    told = marks.changed(brief(balance=-9, change=2, rank=12), before).text
    assert told == "since June 2018: deficit now narrowing; now 12th, was 14th"


def test_what_stayed_and_what_is_not_known_is_no_change():
    before = brief("2018-06", balance=-9, change=-1, rank=40)
    assert marks.changed(brief(balance=-8, change=-2, rank=30), before) is None, "not among the largest"
    assert marks.changed(brief(), before) is None
    assert marks.changed(brief(balance=-8, change=-2), brief("2018-06")) is None


def test_a_january_is_not_compared_with_a_year():
    """The year to date turned sign and narrows, the rank moved; the twelve months did nothing."""
    year = {"trailing": (-100,) * 12 + (-110,)}
    december = brief("2018-12", balance=-100, change=-10, rank=9, **year)
    assert marks.changed(brief("2019-01", balance=5, change=9, rank=3, **year), december) is None
    better = brief("2019-01", balance=-5, change=-9, rank=9, trailing=(-110,) * 12 + (-100,))
    mark = marks.changed(better, december)
    assert mark.text == "since December 2018: 12-month deficit now narrowing"
    surplus = brief("2019-01", trailing=(-110,) * 12 + (100,))
    assert marks.changed(surplus, december).text == "since December 2018: now a 12-month surplus"


SOURCE = {"table": "goods_census_nsa", "vintage": "2018-10-05", "basis": "Census", "adjustment": "NSA"}


@pytest.mark.parametrize(
    ("told", "newest", "marked"),
    [
        ({}, -9_800_000_000, True),
        ({}, -9_885_000_000, False),  # both print as -$9.9 billion
        ({"source": SOURCE | {"basis": "BOP"}}, -9_800_000_000, False),
        ({"source": SOURCE | {"adjustment": "SA"}}, -9_800_000_000, False),
        ({"source": SOURCE | {"vintage": "2025-04-03"}}, -9_800_000_000, False),
        ({"kind": "group"}, -9_800_000_000, False),
        ({"balance": None}, -9_800_000_000, False),
        ({"codes": ("5700",)}, -9_800_000_000, False),
    ],
)
def test_only_the_same_figure_that_prints_otherwise_is_revised(told, newest, marked):
    entry = brief(**({"balance": -9_885_674_861, "source": SOURCE} | told))
    found = marks.revised(entry, {"5800": newest}, "2025-04-03")
    assert bool(found) == marked
    if marked:
        assert found.text == "now -$9.8 billion (vintage of 2025-04-03)"


# --- reading a folder ----------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_named_and_stops_nothing(tmp_path, sheets):
    good = facts_page(sheets["2018-07"]["5700"])
    put(tmp_path, "2018-09-05", "china", good)
    broken = {
        "japan": {"partner": {}},
        "vietnam": good | {"facts": {}},
        "brazil": good | {"published": "<b>soon</b>"},
        "canada": good | {"release": "2018-13"},
        "mexico": good | {"series": {"goods.balance.trailing12": {"values": ["x"]}}},
        "india": [],
    }
    for name, page in broken.items():
        put(tmp_path, "2018-09-05", name, page)
    (tmp_path / "2018-09-05" / "france.facts.json").write_bytes(b"\xff{")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "korea-south.html").touch()
    (tmp_path / "2018-09-05" / "korea-south.pdf").touch()
    built = build(tmp_path)
    assert (built.rows, built.releases) == (8, 1)
    named = {re.match(r"2018-09-05/([a-z]+)\.facts\.json cannot be read", told)[1] for told in built.notices}
    assert named == {*broken, "france"}
    entries, _ = gather(tmp_path)
    assert {entry.release for entry in entries} == {"2018-07"}, "its neighbours tell the release"
    assert {entry.name for entry in entries} >= {"Japan", "Vietnam", "France"}, "its file tells the partner"


def test_further_pages_stand_with_their_brief_and_old_facts_are_read(tmp_path, sheets):
    page = facts_page(sheets["2018-07"]["5800"])
    del page["series"]
    page["tradelib"] = {}
    put(tmp_path, "2018-09-05", "korea-south", page)
    for name in (
        "korea-south.revisions.as-of-2025-04-03",
        "korea-south.seasonal",
        "korea-south.as-of-2018-10-05",
    ):
        put(tmp_path, "2018-09-05", name, page)
    (entry,), notices = gather(tmp_path)
    assert notices == []
    assert {(one.run, one.as_of) for one in entry.beside} == {
        ("revisions", "2025-04-03"),
        ("seasonal", ""),
        ("", "2018-10-05"),
    }
    assert (entry.balance, entry.headline, entry.figures, entry.trailing) == (-9885674861, "", 0, ())


def test_the_titles_of_pages_are_told_on_pointing(tmp_path, sheets):
    page = facts_page(sheets["2018-07"]["5800"], title='Trade & "Korea"')
    put(tmp_path, "2018-09-05", "korea-south", page)
    put(tmp_path, "2018-09-05", "korea-south.mine", facts_page(sheets["2018-07"]["5800"], title="My page"))
    shown = BeautifulSoup(build(tmp_path).path.read_bytes(), "html.parser")
    titles = {a["href"]: a.get("title") for a in shown.tbody.find_all("a")}
    assert titles["2018-09-05/korea-south.html"] == 'Trade & "Korea"'
    assert titles["2018-09-05/korea-south.mine.html"] == "My page"


def test_a_row_that_changed_leads_to_the_page_of_all_changes_where_there_is_one(tmp_path, sheets):
    for month, day in RELEASES.items():
        page = facts_page(sheets[month]["5800"])
        page["facts"]["goods.balance.ytd"]["value"] *= -1 if month == "2018-07" else 1
        put(tmp_path, day, "korea-south", page)
    put(tmp_path, "2018-09-05", "korea-south.changes", facts_page(sheets["2018-07"]["5800"]))
    shown = BeautifulSoup(build(tmp_path).path.read_bytes(), "html.parser")
    (mark,) = shown.tbody.find_all(class_="mark changed")
    assert mark.a["href"] == "2018-09-05/korea-south.changes.html"


def test_a_partner_with_only_further_pages_has_a_row_without_figures(rows):
    row = rows["2018-09-05", "European Union"]
    assert cells(row)[1:3] == ["–", "–"]
    assert row.find("a", href="2018-09-05/european-union.partners.html")


def test_a_release_whose_day_is_not_known_is_filed_under_its_month(tmp_path):
    (tmp_path / "1993-05").mkdir()
    (tmp_path / "1993-05" / "japan.failed.ipynb").touch()
    (tmp_path / "2018-09-05").mkdir()
    (tmp_path / "2018-09-05" / "japan.failed.ipynb").touch()
    (tmp_path / "2018-09-06").mkdir()  # no release was published on that day
    (tmp_path / "2018-09-06" / "japan.failed.ipynb").touch()
    built = build(tmp_path)
    assert (built.path.name, built.rows, built.releases) == ("index.html", 3, 3)
    page = BeautifulSoup(built.path.read_bytes(), "html.parser")
    told = [(s.h2.text, " ".join(s.find(class_="when").text.split())) for s in page.find_all("section")]
    assert ("July 2018 release", "Published September 5, 2018 · 1 partner") in told
    assert told[-1] == ("May 1993 release", "Publication date not established · 1 partner")


def test_no_folder_and_no_place_to_write_are_told(tmp_path):
    with pytest.raises(TradelibError, match="There is no folder"):
        build(tmp_path / "none")
    (tmp_path / "index.html").mkdir()
    with pytest.raises(TradelibError, match="Cannot write"):
        build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_an_empty_folder_says_how_to_begin(tmp_path):
    assert build(tmp_path).rows == 0
    assert "tradelib report --partner KOR" in (tmp_path / "index.html").read_text()


def test_a_folder_in_an_object_store_is_read_and_gets_the_same_page(tmp_path, sheets):
    put(tmp_path, "2018-09-05", "china", facts_page(sheets["2018-07"]["5700"]))
    there = files.located("memory://catalogue/reports")
    for path in (tmp_path / "2018-09-05").iterdir():
        (there / "2018-09-05" / path.name).write_bytes(path.read_bytes())
    built = build(there)
    build(tmp_path)
    assert built.rows == 1 and built.notices == ()
    assert (there / "index.html").read_bytes() == (tmp_path / "index.html").read_bytes()


def test_a_claims_file_of_ones_own_is_audited_too(tmp_path, sheets):
    put(tmp_path, "2018-08-03", "korea-south", facts_page(sheets["2018-06"]["5800"]))
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "id: mine\ntitle: A note\npublisher: Me\npublished: 2018-10-10\nrelease: 2018-06\npartner: KOR\n"
        "claims:\n  - {id: m.1, claim: Exports, unit: USD, printed: 27 billion, rounding: 1 billion, "
        "fact: goods.exports.ytd}\n"
    )
    build(tmp_path, articles=[mine])
    page = (tmp_path / "index.html").read_text()
    assert "Me, October 10, 2018: that day 1 reproduced; now 1 reproduced" in page
    assert 'title="A note: tradelib audit mine.yaml"' in page


# --- the page as it is written -------------------------------------------------------------------


def test_every_number_on_the_page_is_that_of_its_facts(reports, rows):
    seen = 0
    for path in reports.glob("*/*.facts.json"):
        if ".as-of-" in path.name:
            continue
        page = json.loads(path.read_text())
        facts = page["facts"]
        shown = cells(rows[path.parent.name, page["partner"]["name"]])
        balance, change = (
            facts[f"goods.balance.ytd{end}"]["text"].rpartition(": ")[2] for end in ("", ".change_usd")
        )
        if facts["goods.balance.ytd.change_usd"]["value"] > 0:
            change = f"+{change}"
        assert shown[1].split("  ") == [balance, change] or shown[1].split() == f"{balance} {change}".split()
        rank = facts["goods.deficit.rank"]
        assert shown[2] == (rank["text"].rpartition(": ")[2] if rank["value"] else "–")
        last = facts["goods.balance.trailing12"]["text"].rpartition(": ")[2]
        if facts["goods.balance.trailing12"]["value"] is not None:
            assert f"to {last} in " in shown[3]
        assert page["tradelib"]["headline"] in shown[4]
        seen += 1
    assert seen > 450


def test_every_link_leads_to_a_file(reports, rows):
    page = BeautifulSoup((reports / "index.html").read_bytes(), "html.parser")
    links = [a["href"] for a in page.find_all("a")]
    files = {unquote(href.partition("#")[0]) for href in links} - {""}
    assert len(files) > 1300
    assert all((reports / name).is_file() for name in files)
    korea = {a.text: a["href"] for a in rows["2018-09-05", "Korea, South"].find_all("a")}
    assert korea["Korea, South"] == "2018-09-05/korea-south.html"
    assert korea["2"] == "2018-09-05/korea-south.html#figure-2"
    assert korea["Revisions as of April 3, 2025"] == "2018-09-05/korea-south.revisions.as-of-2025-04-03.html"
    assert set(korea) >= {"Notebook", "Facts"}


def test_revisions_are_those_of_the_newest_table_read_without_tradelib(originals, reports, rows):
    cells_2025 = csv_cells(originals / "census" / "country_2025-04-03.csv")
    marked = compared = 0
    for path in reports.glob("2018-09-05/*.facts.json"):
        page = json.loads(path.read_text())
        code, then = page["partner"]["code"], page["facts"]["goods.balance.ytd"]["value"]
        months = [f"2018-{n:02d}" for n in range(1, 8)]
        if (code, "2018-01", "exports") not in cells_2025 or ".as-of-" in path.name:
            continue
        sign = {"exports": 1, "imports": -1}
        now = sum(sign[flow] * cells_2025[code, month, flow] for month in months for flow in sign)
        text = cells(rows["2018-09-05", page["partner"]["name"]])[4]
        if abs(now - then) > 0.06 * max(abs(now), abs(then)):
            assert "Revised" in text, page["partner"]["name"]
            marked += 1
        if now == then:
            assert "Revised" not in text, page["partner"]["name"]
            compared += 1
    assert marked > 10 and compared > 10


def test_the_audit_of_the_bundled_article_stands_on_its_row_alone(rows):
    assert KEI in " ".join(cells(rows["2018-09-05", "Korea, South"])[4].split())
    assert sum("audited" in row.get("class", []) for row in rows.values()) == 1
    assert "failed" in rows["2018-09-05", "Japan"]["class"]


def test_whatever_a_file_says_is_shown_as_text(tmp_path, sheets):
    page = facts_page(sheets["2018-07"]["5700"], headline=HOSTILE)
    page["partner"] |= {"name": HOSTILE, "iso2": HOSTILE}
    page["published_how_known"] = HOSTILE
    put(tmp_path, "2018-09-05", "china", page)
    (tmp_path / "2018-09-05" / 'china."><script>alert(1)<|script>.html').touch()
    build(tmp_path)
    written = (tmp_path / "index.html").read_text()
    assert "alert(1)</script>" not in written and "<img" not in written
    shown = BeautifulSoup(written, "html.parser")
    assert len(shown.find_all("script")) == 1
    assert shown.tbody.p.text == HOSTILE


def test_the_same_files_make_the_same_page_and_a_new_one_takes_its_place(tmp_path, sheets):
    put(tmp_path, "2018-09-05", "china", facts_page(sheets["2018-07"]["5700"]))
    first = build(tmp_path).path.read_bytes()
    assert build(tmp_path).path.read_bytes() == first
    put(tmp_path, "2018-08-03", "china", facts_page(sheets["2018-06"]["5700"]))
    assert build(tmp_path).releases == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2018-08-03", "2018-09-05", "index.html"]


# --- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, reports):
    """Open the catalogue from its file; what goes wrong or is fetched is a failure at the end."""
    troubles, contexts = [], []

    def opened(hash="", *, width=1280, javascript=True, page=reports / "index.html"):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=javascript, reduced_motion="reduce"
        )
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda said: troubles.append(said.text))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        fetched = lambda asked: asked.url.startswith(("file://", "data:")) or troubles.append(asked.url)  # noqa: E731
        tab.on("request", fetched)
        tab.goto(page.as_uri() + hash)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def shown(tab) -> list[str]:
    """Names of the partners whose rows are shown, in their order on the page.

    The page renews them after the event that changed a control, by a timer: ours is set behind it.
    """
    tab.evaluate("() => new Promise(resolve => setTimeout(resolve, 50))")
    return tab.eval_on_selector_all(
        "tbody tr", "rows => rows.filter(r => !r.closest('[hidden]')).map(r => r.cells[0].textContent.trim())"
    )


@pytest.mark.browser
@browser_test
class TestInABrowser:
    def test_words_codes_and_accents_find_partners(self, open_page):
        tab = open_page()
        assert tab.inner_text("output") == f"{len(shown(tab))} of {len(shown(tab))} shown"
        for text, wanted in (
            ("korea", {"Korea, South"}),
            ("KR", {"Korea, South"}),
            ("5880", {"Japan"}),
            ("jpn", {"Japan"}),
            ("côte", {"Cote d'Ivoire"}),
            ("korea july", {"Korea, South"}),
            ("KOREA, south 65.5", {"Korea, South"}),
            ("zzz", set()),
        ):
            tab.fill("#words", text)
            assert set(shown(tab)) == wanted, text
            assert tab.inner_text("output").startswith(f"{len(shown(tab))} of ")
            assert tab.is_visible("#none") == (not wanted)
        tab.click("text=Clear")
        assert len(shown(tab)) > 450 and not tab.is_visible("#none")

    @pytest.mark.parametrize("width", [390, 1280])
    def test_nobody_is_kept_from_reading_it(self, open_page, width):
        tab = open_page(width=width)
        tab.fill("#words", "korea")
        assert shown(tab)
        tab.evaluate("document.querySelectorAll('main [hidden]').forEach(one => one.remove())")  # all alike
        assert violations(tab) == []

    def test_the_words_of_a_headline_find_it(self, open_page, rows):
        tab = open_page()
        tab.fill("#words", "surplus narrowed")
        told = [cells(row)[4] for row in rows.values()]
        wanted = [
            text for text in told if re.search(r"\bsurplus", text.split("Changed")[0]) and "narrowed" in text
        ]
        assert len(shown(tab)) == len(wanted) > 10

    def test_a_release_and_marks_narrow_the_list(self, open_page, rows):
        tab = open_page()
        tab.select_option("#release", "2018-06")
        assert len(shown(tab)) == sum(day == "2018-08-03" for day, _ in rows)
        tab.select_option("#release", "")
        for kind in ("changed", "revised", "audited", "failed"):
            tab.check(f"input[value={kind}]")
            assert len(shown(tab)) == sum(kind in row.get("class", []) for row in rows.values()) > 0
            tab.uncheck(f"input[value={kind}]")
        tab.check("input[value=audited]")
        tab.check("input[value=failed]")
        assert shown(tab) == ["Japan", "Korea, South"]

    def test_the_list_is_sorted_as_asked(self, open_page, sheets):
        tab = open_page("#release=2018-07")
        of = {sheet.partner.name: sheet for sheet in sheets["2018-07"].values()}
        assert shown(tab)[:3] == ["China", "Mexico", "Japan"]
        for order, back in (("improved", True), ("worsened", False)):
            tab.select_option("#order", order)
            changes = [of[name].value("goods.balance.ytd.change_usd") for name in shown(tab) if name in of]
            assert changes == sorted(changes, reverse=back)
        tab.select_option("#order", "name")
        assert shown(tab)[:2] == ["Afghanistan", "Albania"]
        tab.select_option("#order", "")
        assert shown(tab)[:3] == ["China", "Mexico", "Japan"]

    def test_the_keyboard_alone_is_enough(self, open_page):
        tab = open_page()
        press, at = tab.keyboard.press, lambda: tab.evaluate("document.activeElement.id")
        press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Skip to the briefs"
        press("Tab")
        assert at() == "words"
        tab.keyboard.type("japan")
        assert set(shown(tab)) == {"Japan"}
        press("Tab")
        assert at() == "release"
        tab.keyboard.type("July")
        assert shown(tab) == ["Japan"]
        press("Tab")
        assert at() == "order"
        for _ in range(4):
            press("Tab")
        press("Space")
        assert tab.is_checked("input[value=failed]")
        assert shown(tab) == ["Japan"]
        press("Tab")
        press("Enter")  # clears
        tab.wait_for_function("location.hash.length < 2")
        assert len(shown(tab)) > 450
        tab.focus("#words")
        tab.keyboard.type("mexico")
        press("Enter")
        assert tab.evaluate("document.activeElement.href").endswith("/mexico.html")
        outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "who uses the keyboard sees where it is"
        press("Shift+Tab")
        assert at() == "" and tab.evaluate("document.activeElement.tagName") == "SUMMARY"
        press("Enter")
        assert tab.is_visible("dd >> nth=0")

    def test_a_view_can_be_linked(self, open_page):
        tab = open_page()
        tab.fill("#words", "côte d'ivoire & more")
        tab.select_option("#order", "name")
        tab.check("input[value=revised]")
        hash = tab.evaluate("location.hash")
        other = open_page(hash)
        assert other.input_value("#words") == "côte d'ivoire & more"
        assert other.input_value("#order") == "name"
        assert other.is_checked("input[value=revised]") and not other.is_checked("input[value=changed]")
        other.evaluate("location.hash = 'q=korea&release=2018-06&order=nonsense&mark=other'")
        other.wait_for_function("document.querySelector('output').textContent.startsWith('1 of')")
        assert shown(other) == ["Korea, South"]
        there = open_page("#r2018-08-03")
        assert len(shown(there)) > 450
        assert there.evaluate("scrollY") > 1000, "a place on the page is one, and no view"

    def test_without_scripts_all_is_there_and_no_dead_controls(self, open_page, rows):
        tab = open_page(javascript=False)
        assert not tab.is_visible("#find")
        assert tab.locator("tbody tr").count() == len(rows)
        assert tab.locator("tbody tr >> nth=0").inner_text().startswith("China")
        tab.click("summary")
        assert tab.is_visible("text=Against the partner’s brief")

    @pytest.mark.parametrize("width", [360, 390, 768, 1280, 1900])
    def test_nothing_runs_off_the_side(self, open_page, width):
        tab = open_page("#mark=audited&mark=failed&mark=changed", width=width)
        tab.click("summary")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        boxes = tab.evaluate(
            "[...document.querySelectorAll('main *')].filter(e => e.checkVisibility())"
            ".map(e => e.getBoundingClientRect()).filter(b => b.width && b.right > innerWidth + 1).length"
        )
        assert boxes == 0

    def test_fingers_can_hit_what_is_to_be_hit(self, open_page):
        tab = open_page("#q=korea", width=390)
        seen = "all => all.filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().height)"
        heights = tab.eval_on_selector_all("input[type=search], select, button, tbody a", seen)
        assert len(heights) > 10 and min(heights) >= 24

    def test_all_text_stands_out_from_its_ground(self, open_page):
        tab = open_page("#mark=audited&mark=failed&mark=changed")
        tab.click("summary")
        seen = tab.evaluate(CONTRAST)
        assert len(seen) > 200
        assert min(ratio for ratio, _ in seen) >= 4.5, min(seen)

    def test_those_who_hear_the_page_hear_all_of_it(self, open_page):
        tab = open_page("#q=korea&release=2018-07")
        row = tab.get_by_role("row", name="Korea, South")
        assert row.get_by_role("rowheader").inner_text() == "Korea, South"
        assert row.get_by_role("cell").count() == 5
        told = "From -$11.6 billion in August 2008 to -$20.2 billion in July 2018"
        assert row.get_by_role("img", name=told).count() == 1
        for role, name in (("searchbox", "Partner, code"), ("combobox", "Release"), ("combobox", "Order")):
            assert tab.get_by_role(role, name=name).count() == 1
        assert tab.get_by_role("group", name="Only with any").get_by_role("checkbox").count() == 4
        assert tab.get_by_role("status").inner_text().startswith("1 of ")
        assert tab.get_by_role("region", name="July 2018 release").get_by_role("table").count() == 1
        unnamed = "all => all.filter(e => !e.querySelector('title').textContent.startsWith('From ')).length"
        assert tab.eval_on_selector_all("svg[role=img]", unnamed) == 0

    def test_a_hostile_file_runs_nothing(self, open_page, tmp_path, sheets):
        page = facts_page(sheets["2018-07"]["5700"], headline=HOSTILE)
        page["partner"]["name"] = HOSTILE
        put(tmp_path, "2018-09-05", "china", page)
        build(tmp_path)
        tab = open_page("#q=%3Cimg%20src%3Dx%3E", page=tmp_path / "index.html")
        tab.on("dialog", lambda _: pytest.fail("a script ran"))
        tab.fill("#words", "alert")
        assert len(shown(tab)) == 1 and tab.locator("img").count() == 0


#: Contrast by WCAG of every element with text of its own, with the ground it stands on.
CONTRAST = """() => {
  const line = v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => { const [r, g, b] = c.map(v => line(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const read = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  return [...document.querySelectorAll("body *:not(script, style, option, svg *)")]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => { const ink = light(read(getComputedStyle(e).color).slice(0, 3));
      const [a, b] = [ink, light(ground(e))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), e.tagName + " " + e.textContent.slice(0, 40)]; });
}"""
