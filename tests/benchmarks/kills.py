"""Kill `tradelib update` and `ingest` at random moments: the store verifies, the next run completes.

    python tests/benchmarks/kills.py 200

Each time in an empty store: a run is killed (SIGKILL) somewhere between its start and its end, every
vintage in the store is read and hashed again, and the same command is then run to its end. At last each
command is run twice at once.
"""

import os
import random
import signal
import sys
import tempfile
import time
from datetime import timedelta
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

COMMANDS = {
    "update country ctyseasonal": ["goods_census_nsa", "goods_census_sa"],
    "ingest {folder}/bea.xlsx": ["trade_bop_sa", "trade_bop_annual"],
    "update naics --since 2021-01": ["exports_naics_nsa", "imports_consumption_naics_nsa"],
    "update hs10 --since 2020-12": ["exports_hs10_nsa", "imports_general_hs10_nsa"],
    "ingest {folder}/country.xlsx --published 2021-10-06": ["goods_census_nsa"],
}


def serve(pipe, folder: str) -> None:
    """Play all publishers, in a process of its own."""
    import logging

    from publishers import Publishers
    from pytest_httpserver import HTTPServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = HTTPServer(host="127.0.0.1", port=0)
    server.start()
    Publishers(server, Path(folder), b"not asked for")
    pipe.send(server.url_for("").rstrip("/"))
    pipe.recv()


def start(command: str, store: Path) -> int:
    """Run a command in a fork of this process, which has imported everything; return its number."""
    child = os.fork()
    if child:
        return child
    from publishers import DAY

    from tradelib import releases
    from tradelib.cli.main import main
    from tradelib.sources import ingest

    os.environ |= {"TRADELIB_STORE": str(store), "TRADELIB_CACHE": str(store.parent / "cache")}
    log = os.open(store.parent / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1), os.dup2(log, 2)
    releases.today = lambda: DAY + timedelta(days=1)  # on which a file is taken in by hand
    ingest.hold_against = lambda *_: None  # the small files do not go on to what is bundled
    code = 1
    try:
        code = main(command.split(), standalone_mode=False) or 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        os._exit(code)


def finish(command: str, store: Path) -> float:
    """Run a command to its end and return how long it took; its words are raised if it fails."""
    began = time.perf_counter()
    _, status = os.waitpid(start(command, store), 0)
    if status:
        raise SystemExit(f"FAILED: {command}\n{(store.parent / 'log').read_text()}")
    return time.perf_counter() - began


def check(store: Path) -> int:
    """Hash every vintage of a store again; return how many there are."""
    from tradelib.store.verify import verify

    found = verify(store)
    bad = [finding for finding in found if finding.problem]
    if bad:
        raise SystemExit(f"FAILED: {bad}")
    return len(found)


def kill_runs(times: int, *, seed: int = 1) -> dict[str, int]:
    """Kill runs `times` times; count what was found."""
    from census_server import KEY

    from tradelib.store.vintages import list_vintages

    for name in ("publishers", "tradelib.cli.main", "tradelib.sources.update"):
        import_module(name)  # once, and not in each run
    with tempfile.TemporaryDirectory() as folder:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        server = context.Process(target=serve, args=(theirs, folder), daemon=True)
        server.start()
        before = dict(os.environ)
        os.environ |= {"TRADELIB_MIRROR": ours.recv(), "CENSUS_API_KEY": KEY}
        try:
            return _kill_runs(times, folder, random.Random(seed), list_vintages)
        finally:
            server.terminate()
            os.environ.clear()
            os.environ |= before


def _kill_runs(times: int, folder: str, chance: random.Random, list_vintages) -> dict[str, int]:
    counts = {"killed": 0, "ended before": 0, "vintages after a kill": 0, "runs completed": 0}
    commands = {command.format(folder=folder): tables for command, tables in COMMANDS.items()}
    takes: dict[str, float] = {}
    for n in range(times):
        command = list(commands)[n % len(commands)]
        store = Path(folder, f"run{n}", "store")
        store.parent.mkdir()
        if command not in takes:
            first = Path(folder, f"whole{n}", "store")
            first.parent.mkdir()
            takes[command] = finish(command, first)
        child = start(command, store)
        time.sleep(chance.uniform(0, takes[command]))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        counts["killed" if os.WIFSIGNALED(status) else "ended before"] += 1
        counts["vintages after a kill"] += check(store)
        finish(command, store)
        check(store)
        os.environ["TRADELIB_STORE"] = str(store)
        missing = [
            table for table in commands[command] if not any(v.origin == "store" for v in list_vintages(table))
        ]
        if missing:
            raise SystemExit(f"FAILED: {command}: {missing} not there after the second run")
        counts["runs completed"] += 1
    for n, command in enumerate(commands):
        store = Path(folder, f"twice{n}", "store")
        store.parent.mkdir()
        runs = [start(command, store) for _ in range(2)]
        failed = [os.waitpid(run, 0)[1] for run in runs]
        if any(failed):
            raise SystemExit(f"FAILED: {command}, twice at once\n{(store.parent / 'log').read_text()}")
        check(store)
        counts["twice at once"] = counts.get("twice at once", 0) + 1
    return counts


if __name__ == "__main__":
    began = time.perf_counter()
    print(kill_runs(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
    print(f"{time.perf_counter() - began:.0f} s")
