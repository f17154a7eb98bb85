"""Hooks: a command that is run, or an address that is told, when `tradelib run-due` has done something.

Mail and chat are one line of somebody else's program; tradelib has no mailer.
"""

import json
import logging
import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import httpx

from tradelib.runs.report import SECRETS

ADDRESS_S, COMMAND_S = 30, 60


def call(hook: str, summary: dict) -> str | None:
    """Call a hook with a short summary as JSON.

    Parameters
    ----------
    hook : str
        An http(s) address gets a POST. Anything else is a command, split into words as a shell does but
        run without one (``sh -c '... | ...'`` has a pipe): the JSON is its standard input, and
        TRADELIB_STATUS and TRADELIB_RELEASE are in its environment, in which the keys of the publishers
        are not. What it prints goes to standard error.
    summary : dict
        With `status`, `releases` and whatever else there is to tell; no key's value is passed on.

    Returns
    -------
    str or None
        What went wrong, in words without the address's path or the command's arguments, which may hold a
        token. None if all went well.

    Examples
    --------
    >>> call("true", {"status": "done", "releases": ["2026-10"]})
    >>> call("false", {"status": "done", "releases": ["2026-10"]})
    'the hook false ended with code 1'
    """
    text = json.dumps(summary, ensure_ascii=False)
    for name in SECRETS:
        if os.environ.get(name):
            text = text.replace(os.environ[name], f"({name})")
    if hook.lower().startswith(("http://", "https://")):
        return _post(hook, text)
    return _run(hook, text, summary)


def _post(address: str, text: str) -> str | None:
    try:
        url = httpx.URL(address)
        shown = f"the hook {url.scheme}://{url.host}"
    except httpx.InvalidURL:
        return "the hook is no address"
    try:
        headers = {"Content-Type": "application/json"}
        for name in ("httpx", "httpcore"):  # below warnings, their log lines hold the address
            logging.getLogger(name).setLevel(logging.WARNING)
        reply = httpx.post(url, content=text.encode(), headers=headers, timeout=ADDRESS_S)
    except (httpx.HTTPError, ValueError) as error:  # its words may hold the address: only its kind is told
        return f"{shown} did not answer ({type(error).__name__})"
    return None if reply.is_success else f"{shown} answered {reply.status_code}"


def _run(command: str, text: str, summary: dict) -> str | None:
    try:
        words = shlex.split(command)
        name = f"the hook {Path(words[0]).name}"
    except (ValueError, IndexError):
        return "the hook is no command: it is empty, or a quotation mark is missing"
    told = {"TRADELIB_STATUS": summary["status"], "TRADELIB_RELEASE": " ".join(summary["releases"])}
    environment = {key: value for key, value in os.environ.items() if key not in SECRETS} | told
    with tempfile.TemporaryFile() as given:  # a pipe could block on a command that reads nothing
        given.write(text.encode())
        given.seek(0)
        try:
            process = subprocess.Popen(words, stdin=given, stdout=2, env=environment, start_new_session=True)
        except OSError as error:
            return f"{name} cannot be started: {error.strerror}"
        try:
            code = process.wait(COMMAND_S)
        except subprocess.TimeoutExpired:
            _end(process)
            return f"{name} took longer than {COMMAND_S} seconds and was ended"
    return None if code == 0 else f"{name} ended with code {code}"


def _end(process: subprocess.Popen) -> None:
    """End a command, with what it has started where the system can."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
