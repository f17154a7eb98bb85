"""JupyterLab itself in a headless Chromium: open the notebooks, run them, and use the widgets like a user."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NONE = "no Chromium on this machine: install Debian's package chromium"
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason=NONE)]
TOKEN = "a-token-of-the-test"
SECONDS = 1000  # milliseconds, as the browser counts
SHOTS = os.environ.get("TRADELIB_SHOTS")  # a folder: keep pictures of what the tests saw
FAILED = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type*="stderr"]'
FLAGS = ["--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab of its own on a copy of the notebooks; its address."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    port = free_port()
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "port_retries": 0,
        "open_browser": False,
        "allow_root": True,
        "root_dir": str(home / "notebooks"),
    }
    command = [sys.executable, "-m", "jupyterlab", f"--IdentityProvider.token={TOKEN}"]
    command += [f"--ServerApp.{name}={value}" for name, value in options.items()]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += [f"--LabApp.user_settings_dir={quiet_settings(home)}"]
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TRADELIB_STORE": str(home / "store"), **places}
    log = (home / "log").open("wb")
    server = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(port, server, home / "log")
        yield f"http://127.0.0.1:{port}/lab"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)
        log.close()


def quiet_settings(home: Path) -> Path:
    """Settings of a user who has said no to news, so that no question covers the page."""
    told = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    told.parent.mkdir(parents=True)
    told.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    return home / "settings"


def wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start: {log.read_text(errors='replace')[-1500:]}")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as player:
        found = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *FLAGS])
        yield found
        found.close()


@pytest.fixture
def opened(browser, lab):
    """Open a notebook in a window of its own and run all its cells; returns the page."""
    contexts = []

    def run(name: str, width: int = 1400):
        context = browser.new_context(viewport={"width": width, "height": 1000})
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(120 * SECONDS)
        page.goto(f"{lab}/workspaces/w{len(contexts)}{time.time_ns()}/tree/{name}?token={TOKEN}")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()  # sooner, the run would be lost
        page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
        done = page.locator(".jp-OutputArea-output", has_text="Brief completed")
        done.or_(page.locator(FAILED)).first.wait_for(state="attached")
        return page

    yield run
    for number, context in enumerate(contexts):
        keep(context.pages[0], f"end_{number}")
        context.close()


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

    second = chart(page).get_attribute("src")
    pick(page, "As of", "2025-04-03")
    changed(page, second)
    assert "vintage of 2025-04-03" in chart(page).get_attribute("alt")
    keep(page, "explore_mexico")

    page.get_by_role("button", name="Copy table").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[0].startswith("Year to date\tMexico: balance_usd")

    pick(page, "As of", "publication day, 2018-09-05")
    page.get_by_role("button", name="Make this brief").click()
    link = page.locator("a", has_text="mexico.html")
    link.wait_for()
    keep(page, "explore_brief")
    assert "reports/2018-09-05/mexico.html" in link.get_attribute("href")

    pick(page, "Basis", "Goods and services, BOP basis, quarterly, SA")
    pick(page, "Partner", "Peru")
    told = page.locator(".tradelib-told")
    told.wait_for()
    assert "no figures of goods and services with Peru" in told.inner_text()
    assert errors(page) == []
    assert maths(page) == []
    keep(page, "explore_refused")
