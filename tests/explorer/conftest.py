"""JupyterLab itself and a headless Chromium, started once for all the tests of a session that use them."""

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


@pytest.fixture(scope="module")  # one browser at a time in a worker: it keeps a loop running
def lab(tmp_path_factory):
    """A JupyterLab as `make lab` starts it, on a project with a copy of the notebooks; its address."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, home / "notebooks")
    (home / "pyproject.toml").touch()
    port = free_port()
    options = {
        "ip": "127.0.0.1",
        "port": port,
        "port_retries": 0,
        "open_browser": False,
        "allow_root": True,
        "root_dir": str(home),
    }
    command = [sys.executable, "-m", "jupyterlab", f"--IdentityProvider.token={TOKEN}"]
    command += [f"--ServerApp.{name}={value}" for name, value in options.items()]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += [f"--LabApp.user_settings_dir={quiet_settings(home)}"]
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    env = {**kept, "HOME": str(home), "TRADELIB_STORE": str(home / "store"), **places}
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


@pytest.fixture(scope="module")  # one browser at a time in a worker: it keeps a loop running
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as player:
        found = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *FLAGS])
        yield found
        found.close()


@pytest.fixture(scope="module")
def context(browser):
    """What the windows share: JupyterLab's scripts are read once."""
    found = browser.new_context()
    found.grant_permissions(["clipboard-read", "clipboard-write"])
    yield found
    found.close()


@pytest.fixture
def opened(context, lab):  # the browser first: without one, no JupyterLab is started
    """Open a notebook in a window of its own and run all its cells; returns the page."""
    pages = []

    def run(name: str, width: int = 1400):
        page = context.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": 1000})
        page.set_default_timeout(120 * SECONDS)
        page.goto(f"{lab}/workspaces/w{len(pages)}{time.time_ns()}/tree/notebooks/{name}?token={TOKEN}")
        page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()  # sooner, the run would be lost
        page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
        page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
        last = page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
        last.or_(page.locator(FAILED)).first.wait_for(state="attached")
        return page

    yield run
    for number, page in enumerate(pages):
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / f"lab_end_{number}.png"))
        page.close()
