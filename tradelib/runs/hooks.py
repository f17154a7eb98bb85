"""A hook: a command that is run, or an address that is told, when something has been done."""

import json
import logging
import os
import shlex
import signal
import subprocess
import textwrap
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path, PureWindowsPath
from queue import Empty, Queue

import httpx

from tradelib.sources import keys

ADDRESS_S, COMMAND_S = 30, 60  # that a hook may take
LINE = 100  # letters, in words to be sent


def call_hook(hook: str, summary: dict, *, reads: str = "json") -> str | None:
    """Call a hook with a short summary as JSON; say what went wrong, None if nothing did.

    An http(s) address gets a POST. Anything else is a command, split into words as a shell does but run
    without one (``sh -c '... | ...'`` has a pipe): its standard input is the JSON, or where it `reads` "text"
    the words to send, and TRADELIB_STATUS and TRADELIB_RELEASE are in its environment, in which the keys of
    the publishers are not. What it prints goes to standard error. What went wrong is told without the
    address's path and the command's arguments, which may hold a token.
    """
    text = keys.cut(json.dumps(summary, ensure_ascii=False))
    if hook.lower().startswith(("http://", "https://")):
        return _post(hook, text)
    if reads == "text":  # a server of mail takes no line of a thousand letters
        lines = keys.cut(summary["text"]).splitlines()
        text = "".join(f"{textwrap.fill(line, LINE, break_on_hyphens=False)}\n" for line in lines)
    return _run_command(hook, text, summary)


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
        with httpx.Client(timeout=ADDRESS_S) as client:
            asked = partial(client.stream, "POST", url, content=text.encode(), headers=headers)
            status = _status_within(asked)
    except (httpx.HTTPError, ValueError, OSError) as error:  # its words may hold the address: only its kind
        return f"{shown} did not answer ({type(error).__name__})"
    return None if 200 <= status < 300 else f"{shown} answered {status}"


def _status_within(asked: Callable) -> int:
    """The status of an answer, whose body is not read; a server that never ends is left after a while."""
    came: Queue = Queue()

    def ask() -> None:
        try:
            with asked() as reply:
                came.put(reply.status_code)
        except Exception as error:  # raised below, where somebody waits for it
            came.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        status = came.get(timeout=ADDRESS_S)
    except Empty:
        raise TimeoutError from None
    if isinstance(status, Exception):
        raise status
    return status


def _run_command(command: str, text: str, summary: dict) -> str | None:
    try:
        words, program = split(command, windows=os.name == "nt")
        name = f"the hook {program}"
    except (ValueError, IndexError):
        return "the hook is no command: it is empty, or a quotation mark is missing"
    told = {"TRADELIB_STATUS": summary["status"], "TRADELIB_RELEASE": " ".join(summary["releases"])}
    environment = keys.without(os.environ) | told
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=2, env=environment, start_new_session=True
        )
    except OSError as error:
        return f"{name} cannot be started: {error.strerror}"
    with process:
        try:
            process.communicate(text.encode(), timeout=COMMAND_S)  # it need not read all, nor anything
        except subprocess.TimeoutExpired:
            _end(process)
            return f"{name} took longer than {COMMAND_S} seconds and was ended"
    code = process.returncode
    return None if code == 0 else f"{name} ended with code {code}"


def split(command: str, *, windows: bool) -> tuple[list[str] | str, str]:
    """Split a command into words, and name its program; Windows splits it itself, by rules of its own."""
    if windows:  # where a backslash is part of a path
        return command, PureWindowsPath(shlex.split(command, posix=False)[0].strip('"')).name
    words = shlex.split(command)
    return words, Path(words[0]).name


def _end(process: subprocess.Popen) -> None:
    """End a command, with what it has started where the system can."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
