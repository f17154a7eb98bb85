"""Two hosts that call run-due for one object store, killed at random moments: no page lost, half or twice.

A local S3 server holds the reports. Calls are processes of two made-up hosts, which fetch nothing and make
small pages; half of them are killed with SIGKILL. After each round of kills a whole call must find everything
done: each page there and whole, made again only where a kill came before its end, each outcome told.

    python tests/benchmarks/hosts.py 1000
"""

import argparse
import json
import logging
import multiprocessing
import os
import platform
import random
import signal
import time
import uuid
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from moto.server import ThreadedMotoServer

from tradelib import releases
from tradelib.catalogue import page as catalogue
from tradelib.releases import WASHINGTON
from tradelib.runs import due, run_due, state, sweep
from tradelib.runs import plan as plans
from tradelib.sources import update
from tradelib.store import files

PAGES, MOST_S = 8, 0.5
MORNING = datetime(2026, 10, 6, 8, 31, tzinfo=WASHINGTON)


def call(reports: str, host: str, now: datetime, fingerprint: str) -> None:
    """Be one call on one host; what it makes and tells is noted in objects of their own."""
    place = files.located(reports)
    notes = place.parent / "seen"

    def planned(month, *_, **options):
        return SimpleNamespace(
            release=releases.release(month), jobs=range(PAGES), reports=reports, wrong={}, asked=("all",),
            fingerprint=fingerprint,
        )  # fmt: skip

    def swept(plan, *, each, **options):
        results = []
        for n in plan.jobs:
            page = place / plan.release.month / f"{n}.html"
            text = json.dumps({"made_of": fingerprint, "n": n, "filling": "x" * 20_000})
            if not (page.exists() and page.read_text() == text):
                time.sleep(random.random() / 50)
                files.write_over(page, text.encode())
                files.write_over(notes / f"{fingerprint}-page-{n}-{host}-{uuid.uuid4().hex}", b"")
                results.append(sweep.Result(str(n), sweep.MADE))
            each(n + 1, PAGES)
        summary = sweep.Summary(tuple(results), 1.0)
        sweep.write_record(plan, summary)
        return summary

    def told(hook, summary, *, reads):
        files.write_over(notes / f"{fingerprint}-told-{summary['id']}-{uuid.uuid4().hex}", b"")

    vintage = SimpleNamespace(through="2026-08", published=MORNING.date())
    with (
        patch.object(platform, "node", lambda: host),
        patch.object(plans, "plan", planned),
        patch.object(sweep, "run", swept),
        patch.object(update, "plan", lambda names, *, on: []),
        patch.object(update, "refresh_calendar", list),
        patch.object(catalogue, "build", lambda *_, **options: SimpleNamespace(notices=())),
        patch.object(due.vintages, "list_vintages", lambda table=None: [vintage]),
        patch.object(run_due, "call_hook", told),
        patch.object(state, "LEASE_S", 1),
        patch.object(state, "SKEW_S", 0),
    ):
        run_due.run_due(reports=reports, now=now, since="2026-08", on_success="told", on_failure="told")


def main() -> None:
    """Kill, complete and count."""
    read = argparse.ArgumentParser()
    read.add_argument("kills", type=int, nargs="?", default=100)
    read.add_argument("--seed", type=int, default=1)
    given = read.parse_args()
    chance = random.Random(given.seed)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    reports = "s3://bucket/reports"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "s3fs", "botocore.session", "tradelib.runs.run_due"])
    place = files.located(reports)
    place.fs.mkdir("bucket")
    kills = rounds = again = 0
    began, now = time.perf_counter(), MORNING
    while kills < given.kills:
        rounds += 1
        fingerprint, before = f"round-{rounds:04}", kills
        now += timedelta(minutes=10)
        for _ in range(chance.randint(1, 5)):
            pair = [context.Process(target=call, args=(reports, name, now, fingerprint)) for name in "AB"]
            for process in pair:
                process.start()
                time.sleep(chance.random() * MOST_S / 5)
            time.sleep(chance.random() * MOST_S)
            for process in pair:
                if process.is_alive():
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
                process.join()
        until = time.monotonic() + 60
        while not complete(place, fingerprint) and time.monotonic() < until:
            last = context.Process(target=call, args=(reports, chance.choice("AB"), now, fingerprint))
            last.start()
            last.join()
        again += check(place, fingerprint, kills - before)
        if rounds % 20 == 0:
            print(f"{kills} kills in {rounds} rounds so far", flush=True)
    server.stop()
    took = time.perf_counter() - began
    print(
        f"{kills} kills in {rounds} rounds of two hosts, {rounds * PAGES} pages: none lost or half-written,"
    )
    print(f"{again} made again after a kill, each outcome told; {took:.0f} s")


def complete(place, fingerprint: str) -> bool:
    """Whether all is made and told, so that a further call would find nothing to do."""
    record = state.read(state.folder(place) / "2026-10-06.json")
    notes = state.read(state.folder(place) / run_due.NOTES)
    done = record.get("fingerprint") == fingerprint and not notes.get("to_tell")
    return done and fingerprint in notes.get("told", "")


def check(place, fingerprint: str, kills: int) -> int:
    """Hold what is there against what should be; return how many pages were made more than once."""
    texts = [json.loads((place / "2026-08" / f"{n}.html").read_text()) for n in range(PAGES)]
    if [(text["made_of"], text["n"]) for text in texts] != [(fingerprint, n) for n in range(PAGES)]:
        raise SystemExit(f"FAILED: a page of {fingerprint} is lost")
    seen = [path.name for path in (place.parent / "seen").iterdir() if path.name.startswith(fingerprint)]
    made = sum("-page-" in name for name in seen)
    told = [name.split("-told-")[1].split("-")[0] for name in seen if "-told-" in name]
    if made > PAGES + kills:
        raise SystemExit(f"FAILED: {made} pages made in {fingerprint}, with {kills} kills")
    if len(set(told)) != 1 or len(told) > 1 + kills:
        raise SystemExit(f"FAILED: told {told} in {fingerprint}")
    return max(0, made - PAGES)


if __name__ == "__main__":
    main()
