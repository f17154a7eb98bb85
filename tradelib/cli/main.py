"""The command line: thin words around the library; a user's mistake is a message, not a traceback."""

import atexit
import errno
import gc
import json
import logging
import os
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import click
from tabulate import tabulate

from tradelib import releases
from tradelib.briefs.selection import behind
from tradelib.errors import TradelibError
from tradelib.sources import keys
from tradelib.store import files, vintages

#: The commands by what one wants to do, as `tradelib --help` shows them.
SECTIONS = {
    "Make pages": ("report", "page", "sweep", "check", "site", "spreadsheet", "pack", "replay"),
    "Ask": ("facts", "diff", "audit", "claim"),
    "Release morning": ("due", "run-due", "example"),
    "Data": ("update", "fetch", "ingest", "verify"),
    "Look things up": ("partners", "releases", "vintages", "sources", "codebook"),
}
LEDGER = [8, 30, 16, 22, 12, 22]  # widths of the columns of `audit`
EXAMPLES = Path(__file__).parents[1] / "data" / "examples"
#: What each example of a schedule is made of; the first line of each file says where it goes.
EXAMPLE_FILES = {
    "cron": ("crontab",),
    "systemd": ("tradelib.service", "tradelib.timer"),
    "github": ("github-actions.yml",),
    "airflow": ("airflow_dag.py",),
}

# --- options that several commands share --------------------------------------------------------

FILE = click.Path(path_type=Path, dir_okay=False)
PARTNER = click.option("--partner", required=True, help="Schedule C code, ISO code or name.")
RELEASE = click.option("--release", required=True, help="Statistical month of the FT-900, YYYY-MM.")
AS_OF = click.option(
    "--as-of", help="Day whose knowledge is wanted, YYYY-MM-DD or 'latest'; default: release day."
)
STRICT = click.option("--strict", is_flag=True, help="Refuse where only later vintages reach the release.")
FORCE = click.option(
    "--force", is_flag=True, help="Run again even if nothing has changed; an edited notebook is kept aside."
)
NOTEBOOK = click.option(
    "--notebook", type=click.Path(path_type=Path), help="A notebook of yours instead of release.ipynb."
)
REPORTS = click.option(
    "--reports", default="reports", show_default=True, help="Folder of the briefs, or an address (s3://...)."
)
PARTNERS = click.option(
    "--partners",
    default="all",
    show_default=True,
    help="all, or codes, names and groups, comma-separated: KOR,CHN,group:asean.",
)
RUNS = click.option(
    "--runs", type=FILE, help="A standing list of notebooks and their parameters (YAML), instead."
)
CELL_LIMIT = click.option(
    "--cell-limit", type=click.IntRange(1, 86_400), help="Seconds that a cell may take; 300 unless given."
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Briefs made at once on this machine; default: one more than cores.",
)
EDITIONS = click.option(
    "--keep-editions/--no-keep-editions",
    default=True,
    show_default=True,
    help="Keep a page of a past release that came out otherwise, beside the new one.",
)
SPREADSHEETS = click.option("--spreadsheets", is_flag=True, help="A spreadsheet beside each page too.")
SCHEDULER = click.option(
    "--scheduler", help="Address of a Dask scheduler instead, such as tcp://10.0.0.1:8786."
)
SINCE = click.option("--since", help="All releases from this statistical month on, YYYY-MM.")
DEADLINE = click.option(
    "--deadline", help="A time in Washington, such as 09:30, by which a release is made on its day."
)
FORM = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
ARTICLES = click.option(
    "--article",
    "articles",
    multiple=True,
    type=FILE,
    help="A claims file of yours, for its verdicts; may be given more than once.",
)
TO = click.option("--to", type=FILE, help="Where to; beside the page.")


class LogLine(logging.Formatter):
    """A line of the log, with time, level and no key; or the same as a JSON object."""

    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S%z", None

    def __init__(self, *, as_json: bool):
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self.as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        if not self.as_json:
            return keys.cut(super().format(record))
        told = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        return keys.cut(json.dumps(told | {"message": record.getMessage()}, ensure_ascii=False))


class LogFile(logging.FileHandler):
    """The file of the log. That a line cannot be added, as on a full disk, is told once and stops nothing."""

    told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # a name of logging's
        """Say it, without a traceback for each line."""
        if not self.told:
            say(f"Note: {self.baseFilename}: {sys.exception() or 'it cannot be written'}.", err=True)
        self.told = True

    def close(self) -> None:
        """Close it, whatever is still to be written."""
        with suppress(OSError):
            super().close()


def _log_to(ctx: click.Context, _, path: Path | None) -> None:
    """Have what is done written to a file, a line each, after what stands there."""
    if path:
        with files.explained(path, "write", "Give --log a file of yours."):
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = LogFile(path, encoding="utf-8")
        handler.setFormatter(LogLine(as_json=ctx.params.get("log_json", False)))
        log = logging.getLogger("tradelib")
        log.setLevel(logging.INFO)
        log.addHandler(handler)
        ctx.call_on_close(lambda: log.removeHandler(handler) or handler.close())


def logged(command):
    """Give a command the options of a log."""
    as_json = click.option(
        "--log-json", is_flag=True, is_eager=True, help="A JSON object for each line of the log."
    )
    where = click.option(
        "--log",
        envvar="TRADELIB_LOG",
        type=FILE,
        expose_value=False,
        callback=_log_to,
        help="A file to which times, levels and what is done are added.",
    )
    return where(as_json(command))


# --- the program --------------------------------------------------------------------------------


class Commands(click.Group):
    """A group that lists its commands by purpose; a TradelibError is a message and exit code 1."""

    def invoke(self, ctx: click.Context):
        """Run the command; show a user's mistake without a traceback."""
        atexit.register(gc.freeze)  # the end of a program does not collect from all modules: 0.2 seconds
        try:
            return super().invoke(ctx)
        except TradelibError as error:
            say(f"Error: {error}", err=True)
        except OSError as error:  # a file or folder that no step has words for
            if error.errno == errno.EPIPE:
                raise
            say(f"Error: {error.filename or 'A file'}: {error.strerror or error}.", err=True)
        sys.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section with its commands."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(100)) for name in names])


def program() -> str:
    """Say how this program is called from here: by its name, or by its path where it is not on the PATH."""
    own = Path(sys.executable).with_name("tradelib")
    if shutil.which("tradelib") or not own.exists():
        return "tradelib"
    with suppress(OSError, ValueError):  # this folder has gone, or it is not below it
        own = own.relative_to(Path.cwd())
    return str(own)


def say(*texts: str, err: bool = False) -> None:
    """Print texts, a line each; commands that they name are written as they can be called from here."""
    for text in texts:
        click.echo(keys.cut(text.replace("`tradelib ", f"`{program()} ")), err=err)


def say_age() -> None:
    """Say how old the data at hand are, where a newer release is out."""
    if older := behind(releases.today()):
        say(f"{older} `tradelib update` gets it.", err=True)


def print_json(value: object) -> None:
    """Print a value as JSON."""
    shows_all = "utf" in (sys.stdout.encoding or "").lower()
    click.echo(keys.cut(json.dumps(value, indent=1, ensure_ascii=not shows_all)))


def _have_streams() -> None:
    """Let a program of a service, which may have none of them, read nothing and print to nowhere."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:  # else any file might get this number
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


@contextmanager
def _as_a_program() -> Iterator[None]:
    """Clear up when asked to end, tell warnings as notes, print what the console can show; then as it was."""
    _have_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: say(f"Note: {message}", err=True)
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tradelib")
def main() -> None:
    """U.S. trade with any partner, for any FT-900 release; every figure knows its vintage."""
    click.get_current_context().with_resource(_as_a_program())


# --- make pages ---------------------------------------------------------------------------------


@main.command()
@PARTNER
@RELEASE
@AS_OF
@STRICT
@FORCE
@REPORTS
@NOTEBOOK
@CELL_LIMIT
@EDITIONS
def report(cell_limit, **options) -> None:
    """Make the dated brief: notebook, HTML page and facts."""
    from tradelib.runs.jobs import CELL_LIMIT as DEFAULT
    from tradelib.runs.jobs import EDITED
    from tradelib.runs.report import make_report

    made = make_report(**options, cell_limit=cell_limit or DEFAULT, progress=True)
    _say_made(made)
    if made.kept:
        what = "edited notebook" if made.state == EDITED else "earlier edition"
        say(f"Made. The {what} is kept: {made.kept}")
    elif made.ran:
        say("Made.")
    elif made.state == EDITED:
        say(
            f"Edited: nothing was run. `tradelib page {made.paths[0]}` makes its page; --force makes the "
            "brief anew and keeps the edited notebook under another name."
        )
    else:
        say("Up to date: nothing was run (--force runs it again).")
    say_age()


@main.command()
@click.argument("notebook")
@click.option("--run", is_flag=True, help="Run it first, from its first cell to its last.")
@CELL_LIMIT
def page(notebook, run, cell_limit) -> None:
    """Make the page and facts of a NOTEBOOK as it stands, such as a brief that you edited.

    What has no outputs yet, or was edited and not run since, is run first.
    """
    from tradelib.runs.jobs import CELL_LIMIT as DEFAULT
    from tradelib.runs.report import make_page

    made = make_page(notebook, run=run, cell_limit=cell_limit or DEFAULT, progress=True)
    _say_made(made)
    say("Made; the notebook was run." if made.ran else "Made of the notebook as it stands.")


def _say_made(made) -> None:
    click.echo(made.headline or made.title)
    for line in [*made.notices, *made.paths]:
        click.echo(f"  {line}")


@main.command()
@RELEASE
@PARTNERS
@AS_OF
@STRICT
@NOTEBOOK
@RUNS
@CELL_LIMIT
@EDITIONS
@SPREADSHEETS
@WORKERS
@SCHEDULER
@FORCE
@REPORTS
@logged
def sweep(workers, scheduler, force, spreadsheets, log_json, **options) -> None:
    """Make the briefs of all partners of a release; what is up to date is not made again."""
    from tradelib.runs import plan as plans
    from tradelib.runs import sweep as work

    if options["runs"] and (options["notebook"] or options["as_of"] or options["partners"] != "all"):
        raise TradelibError(
            "--runs says itself which notebooks are made for whom.",
            "Leave out --partners, --notebook and --as-of, or --runs.",
        )
    plan = plans.plan(**options)
    for name, why in plan.wrong.items():
        say(f"{name}: {why.splitlines()[0]}", err=True)
    how = {"workers": workers, "scheduler": scheduler, "force": force, "spreadsheets": spreadsheets}
    summary = work.run(plan, **how, progress=sys.stderr.isatty())
    say(*summary.lines())
    if summary.of(work.FAILED):
        sys.exit(1)


@main.command("check")
@click.argument("places", metavar="PAGES...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Fail on numerals that no fact vouches for, too.")
def check_pages(places, strict) -> None:
    """Work PAGES (files, or folders of them) out again and compare all a reader sees, word by word."""
    from tradelib.runs import check

    began, pages = time.perf_counter(), [page for place in places for page in check.pages_of(place)]
    wrong = loose = 0
    for page, found in check.check_all(pages):
        wrong, loose = wrong + bool(found.faults), loose + len(found.unbound)
        say(*(f"{page}: wrong: {fault}" for fault in found.faults))
        say(*(f"{page}: unbound: {one}" for one in found.unbound))
    counted = f"{len(pages)} checked, {wrong} wrong, {loose} numerals unbound"
    say(f"{counted}, in {time.perf_counter() - began:.1f} s.")
    if wrong or (strict and loose):
        sys.exit(1)


@main.command()
@ARTICLES
@REPORTS
def site(articles, reports) -> None:
    """Build the catalogue: one page over the briefs, searched without a server."""
    from tradelib.catalogue import page as catalogue

    built = catalogue.build(files.located(reports), articles=articles, progress=sys.stderr.isatty())
    say(*(f"Note: {notice}" for notice in built.notices), err=True)
    say(f"{built.rows:,} row(s), {built.releases} release(s): {built.path}")


@main.command()
@click.argument("pages", nargs=-1, required=True)
@TO
def spreadsheet(pages, to) -> None:
    """Write the figures of finished PAGES as spreadsheets: a cover, notes, and one table a sheet."""
    from tradelib.runs import spreadsheet as work

    if to and len(pages) > 1:
        raise TradelibError("--to is for one page.", "Leave it out: each spreadsheet lies beside its page.")
    for page in pages:
        say(str(work.write(page, to=to)))


# --- ask ----------------------------------------------------------------------------------------


@main.command()
@click.option("--partner", help="Schedule C code, ISO code or name.")
@click.option("--release", help="Statistical month of the FT-900, YYYY-MM.")
@AS_OF
@STRICT
@click.option(
    "--fact",
    "questions",
    multiple=True,
    help="Only this one, of any period: 'goods.deficit@2017 of CHN'; may be given more than once.",
)
@FORM
def facts(partner, release, as_of, strict, questions, form) -> None:
    """Print every number of a brief, or the facts asked for, with window, table and vintage."""
    from tradelib.briefs.brief import brief, fact

    if not questions and not (partner and release):
        raise TradelibError(
            "Whose numbers, of which release?",
            "Give --partner and --release for those of a brief, or --fact for one of any period.",
        )
    if questions:
        about = {"partner": partner, "release": release, "as_of": as_of}
        found = {question: fact(question, **about) for question in questions}
        document = {"facts": {id: one.to_dict() for id, one in found.items()}}
    else:
        found = brief(partner, release, as_of=as_of, strict=strict)
        document = found.document() if form == "json" else {}
    if form == "json":
        print_json(document)
        return
    say_age()
    rows = [
        (f.id, f.text.rsplit(": ", 1)[-1], f.window, f.vintage or "-", f.vintage_lag_days or 0)
        for f in found.values()
    ]
    head = ["fact", "value", "window", "vintage", "lag, days"]
    say(tabulate(rows, head, maxcolwidths=[None, 44, 24, None, None]))


@main.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--partner", help="Schedule C code, ISO code or name, or all; default: whose file it is, or all."
)
@FORM
def diff(old, new, partner, form) -> None:
    """Say what changed from OLD to NEW, and why: new period, revision, membership, method.

    Each is a release (2024-08), one as of a day (2018-07@2025-04-03), a file of facts, or a folder of them.
    """
    from tradelib.runs.jobs import read_notebook
    from tradelib.studies import changes

    way = changes.Way(changes.side(old), changes.side(new))
    book, codes = read_notebook().text, changes.asked(way, partner)
    if len(codes) > 1:
        found = changes.of_all(way, codes, book, progress=sys.stderr.isatty())
    else:
        found = [changes.of_one(way, codes[0], book)]
    if form == "json":
        print_json(changes.document(way, found))
    else:
        say(*(changes.told(way, found[0]) if len(codes) == 1 else [changes.summary(found)]))


@main.command()
@click.argument("articles", nargs=-1)
@click.option("--as-of", help="Day that counts as now, YYYY-MM-DD; default: the newest vintage's.")
@FORM
def audit(articles, as_of, form) -> None:
    """Judge the claims of published ARTICLES (ids or .yaml files; else all bundled ones), then and now."""
    from tradelib.studies import claims, ledger, library

    sources = [claims.load_article(one) for one in articles or claims.list_articles()]
    newest = max([v.published for v in vintages.list_vintages()] + [one.published for one in sources])
    now = releases.parse_date(as_of, "--as-of") if as_of and as_of != "latest" else newest
    audited = [(source, ledger.audit(source, as_of=now)) for source in sources]
    if form == "json":
        told = [ledger.to_dict(source, lines, now) for source, lines in audited]
        print_json(told[0] if len(articles) == 1 else told)
    elif len(articles) == 1:
        _say_audit(*audited[0], now)
    else:
        rows = library.standing(audited)
        say(tabulate(rows.values.tolist(), list(rows)))


def _say_audit(source, lines, now) -> None:
    """Print one article's ledger."""
    from tradelib.studies import ledger

    say(f"{source.publisher}, {source.published}: {source.title}. Now: {now}.")
    rows = [list(row.values()) for row in ledger.rows(lines)]
    say(tabulate(rows, ledger.HEAD, "simple_grid", maxcolwidths=LEDGER, disable_numparse=True))
    say(str(ledger.summary(source, lines)))
    say(*(f"\n{', '.join(ids)}, on the day: {reason}" for reason, ids in ledger.missing(lines).items()))


@main.command()
@click.argument("text")
@click.option("--file", type=FILE, help="Default: my-claims.yaml.")
@click.option("--publisher", help="Who published it; of a new file.")
@click.option("--published", help="On which day, YYYY-MM-DD; of a new file.")
@click.option("--partner", help="Code, ISO code or name; several joined by +.")
@click.option("--fact", help="Its fact, such as goods.deficit@2017.")
@click.option("--printed", help="The figure as printed, such as '$375.6 billion' or 'down 18 percent'.")
def claim(text, file, publisher, published, partner, fact, printed) -> None:
    """Write a claims file: ask what a printed sentence, TEXT, says, add it, and judge it at once."""
    from tradelib.studies import claims, ledger
    from tradelib.studies.guess import guess

    path, guessed = file or Path("my-claims.yaml"), guess(text)
    about = {} if path.exists() else {"publisher": publisher, "published": published}
    about = {name: value or click.prompt(name.capitalize()) for name, value in about.items()}
    asked = {
        "partner": partner or click.prompt("Partner", guessed.partner or None),
        "fact": fact or click.prompt("Fact, such as goods.deficit@2017", guessed.fact),
        "printed": printed or click.prompt("Printed", guessed.printed or None),
    }
    article = claims.add(path, text, **about, **asked)
    line = ledger.audit(replace(article, claims=article.claims[-1:]), as_of="latest")[0]
    say(f"{path}: claim {line.claim.id}. {line!r}")
    say(*(f"On the day: {reason}" for reason in ledger.missing([line])))


# --- release morning ----------------------------------------------------------------------------


@main.command()
@PARTNERS
@RUNS
@SINCE
@DEADLINE
@click.option(
    "--heartbeat", type=click.IntRange(1), help="Minutes since the last `run-due` after which it is missed."
)
@FORM
@REPORTS
def due(form, heartbeat, **options) -> None:
    """Say what should have appeared and was not run (exit code 1), and what comes next."""
    from tradelib.runs import due as work
    from tradelib.runs.run_due import missed

    found = work.look(**options)
    silence = missed(options["reports"], heartbeat) if heartbeat else ""
    if form == "json":
        print_json(found.to_dict() | ({"silence": silence} if heartbeat else {}))
    else:
        say(*found.lines(), *filter(None, [silence]))
    sys.exit(found.exit_code or bool(silence))


@main.command("run-due")
@PARTNERS
@RUNS
@SINCE
@DEADLINE
@CELL_LIMIT
@EDITIONS
@SPREADSHEETS
@WORKERS
@SCHEDULER
@ARTICLES
@click.option("--on-success", envvar="TRADELIB_ON_SUCCESS", help="A command or URL to tell of what was made.")
@click.option("--on-failure", envvar="TRADELIB_ON_FAILURE", help="A command or URL to tell of what failed.")
@click.option(
    "--hook-input",
    type=click.Choice(["json", "text"]),
    default="json",
    show_default=True,
    help="What a command reads.",
)
@FORM
@REPORTS
@logged
def run_due(form, log_json, **options) -> None:
    """Fetch what has come, make what is due, renew the catalogue; safe to call every ten minutes."""
    from tradelib.runs import run_due as work

    outcome = work.run_due(**options, progress=sys.stderr.isatty())
    if form == "json":
        print_json(outcome.to_dict())
    else:
        say(*outcome.lines)
    sys.exit(outcome.exit_code)


@main.command()
@click.argument("name", required=False)
def example(name) -> None:
    """Print a ready example of a schedule: cron, systemd, github, airflow."""
    if not name:
        click.echo("\n".join(EXAMPLE_FILES))
    elif name in EXAMPLE_FILES:
        texts = [(EXAMPLES / file).read_text(encoding="utf-8") for file in EXAMPLE_FILES[name]]
        click.echo("\n".join(texts), nl=False)
    else:
        raise TradelibError(f"There is no example {name!r}.", f"Examples: {', '.join(EXAMPLE_FILES)}.")


# --- again, years later -------------------------------------------------------------------------


@main.command()
@click.argument("page")
@NOTEBOOK
@TO
def pack(page, notebook, to) -> None:
    """Write one archive of all that a finished PAGE was made from."""
    from tradelib.runs import archive

    written = archive.pack(page, notebook=notebook, to=to)
    say(
        f"{written}: {written.stat().st_size / 1e6:.1f} MB. `tradelib replay {written}` makes the page again."
    )


@main.command()
@click.argument("archive")
@click.option("--keep", type=click.Path(path_type=Path, file_okay=False), help="A folder for what is made.")
def replay(archive, keep) -> None:
    """Make the page of an ARCHIVE again, offline, and say what differs; exit code 1 where something does."""
    from tradelib.runs import archive as archives

    lines = archives.replay(archive, keep=keep)
    say(*lines[:40])
    say(f"{len(lines):,} difference(s)." if lines else "Identical, but for times.")
    sys.exit(bool(lines))


# --- data ---------------------------------------------------------------------------------------

ACCEPT = click.option(
    "--accept", default="", help="The reason to keep a file that contradicts what is known."
)


@main.command()
@click.argument("names", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what is new, fetch nothing.")
@click.option("--all", "every", is_flag=True, help="The large sources too (hs6, hs10, bulk).")
@click.option("--since", help="First month asked of an API, YYYY-MM.")
@ACCEPT
def update(names, dry_run, every, since, accept) -> None:
    """Fetch what is new at the publishers: all everyday sources, or those NAMED (or their tables)."""
    from tradelib.sources import update as work

    if accept and not names:
        raise TradelibError(
            "--accept is for a source that was looked at.", "Name it: `tradelib update NAME`."
        )
    on = releases.today()
    if not dry_run:
        say(*work.refresh_calendar())
    steps = work.plan(names, on=on, every=every)
    rows = [(s.source.name, "failed" if s.failed else "fetch" if s.todo else "-", s.why) for s in steps]
    say(tabulate(rows, ["source", "to do", "why"], maxcolwidths=[None, None, 80]))
    if dry_run:
        say("--dry-run: nothing was fetched.")
        return
    outcomes = [
        _fetch(s.source, on=on, since=since if s.source.kind == "census-api" else None, accept=accept)
        for s in steps
        if s.todo
    ]
    say_age()
    _summary(outcomes, failed=any(step.failed for step in steps))


@main.command()
@click.argument("source")
@click.option("--release", help="Statistical month, YYYY-MM: of an archived release (ft900, bulk).")
@click.option("--published", help="The day it was published, where the calendar does not know it.")
@click.option("--since", help="First month asked of an API, or of the bulk files, YYYY-MM.")
@click.option("--districts", is_flag=True, help="The bulk files by customs district too.")
@ACCEPT
def fetch(source, **options) -> None:
    """Fetch one SOURCE (see `tradelib sources`), whether or not it is new; check it and keep it."""
    from tradelib.sources.publishers import find_source

    _summary([_fetch(find_source(source), on=releases.today(), **options)])


def _fetch(source, **options):
    """Fetch one source and say at once what came of it."""
    from tradelib.sources import update as work

    outcome = work.run(source, progress=sys.stderr.isatty(), **options)
    say(*work.told(outcome))
    return outcome


def _summary(outcomes: list, *, failed: bool = False) -> None:
    size = sum(outcome.transferred for outcome in outcomes)
    new = sum(written for outcome in outcomes for _, written in outcome.kept)
    say(f"{new} new vintage(s), {size / 1e6:.1f} MB transferred.")
    if failed or any(outcome.error for outcome in outcomes):
        say("What is bundled and what is stored works all the same, without a connection too.")
        sys.exit(1)


@main.command()
@click.argument("paths", metavar="FILES...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--table", help="The table it must be; told by the file itself unless given.")
@click.option("--published", help="Publication date, YYYY-MM-DD.")
@click.option("--saved", help="Instead: the day by which a copy was saved, where no more is known.")
@click.option("--note", default="", help="How the file was come by; kept with the vintage.")
@ACCEPT
@click.option("--store", help="Where to, instead of your store: a folder, or an address (s3://...).")
def ingest(paths, store, **options) -> None:
    """Check downloaded FILES and keep them as vintages."""
    from tradelib.sources.ingest import ingest as keep

    place = files.located(store) if store else None
    for vintage, written in keep(list(paths), **options, store=place):
        state = vintage.path if written else f"the same figures were there already ({vintage.origin})"
        name = f"{vintage.table} of {vintage.published}, through {vintage.through}"
        say(f"{name}, {vintage.rows:,} rows: {state}")


@main.command()
def verify() -> None:
    """Read every vintage whole, hash it again, and name what is wrong."""
    from tradelib.store import verify as integrity

    found = integrity.verify()
    wrong = [finding for finding in found if finding.problem]
    say(*(f"{finding.path}: {finding.problem}" for finding in wrong))
    rows = sum(finding.rows for finding in found)
    say(f"{len(found) - len(wrong)} of {len(found)} vintages are what they were, {rows:,} rows.")
    if wrong:
        raise TradelibError(
            f"{len(wrong)} file(s) are damaged.",
            "Move them out of the store; what is bundled comes again with tradelib, what was fetched with "
            "`tradelib fetch`.",
        )


# --- look things up -----------------------------------------------------------------------------


@main.command()
@click.argument("text", required=False)
def partners(text) -> None:
    """List partners: code, ISO codes, name and kind; with TEXT, those whose name holds it."""
    from tradelib.partners import all_partners

    shown = ["code", "iso2", "iso3", "name", "kind"]
    table = all_partners().query("kind != 'domestic'")[[*shown, "aliases"]].fillna("")
    if text:
        names = table["name"] + "|" + table["aliases"] + "|" + table["iso3"]
        table = table[names.str.contains(text, case=False, regex=False) | table["code"].eq(text)]
        if table.empty:
            raise TradelibError(f"No partner's name holds {text!r}.", "`tradelib partners` lists all.")
    say(tabulate(table[shown].values.tolist(), shown, disable_numparse=True))


@main.command("releases")
def list_releases() -> None:
    """List FT-900 releases: statistical month, publication date, and how the date is known."""
    head = ["month", "scheduled", "published", "status", "how known", "services through"]
    table = releases.all_releases().fillna("")
    rows = [(*row, releases.quarter_out(releases.release(row[0]).period)) for row in table.values.tolist()]
    say(tabulate(rows, head, disable_numparse=True))
    say("Other months are filed under the month itself: their publication date is not established.")


@main.command("vintages")
@click.argument("table", required=False)
def list_vintages(table) -> None:
    """List the vintages there are: bundled with tradelib and in your store."""
    rows = [
        (
            v.table,
            f"{v.published}{' (saved by)' if v.dated_by == 'saved' else ''}",
            v.since,
            v.through,
            f"{v.rows:,}",
            v.origin,
            v.sources[0]["name"] + (f" and {len(v.sources) - 1} more" if len(v.sources) > 1 else ""),
            v.sha256[:12],
        )
        for v in vintages.list_vintages(table)
    ]
    head = ["table", "published", "since", "through", "rows", "origin", "made from", "sha256"]
    align = ["left"] * 4 + ["right"] + ["left"] * 3
    say(tabulate(rows, head, colalign=align, disable_numparse=True))


@main.command("sources")
def list_sources() -> None:
    """List what can be fetched: source, publisher, cadence, and the tables it makes."""
    from tradelib.sources.publishers import SOURCES

    rows = [(s.name, s.publisher, s.key or "-", s.cadence, " ".join(s.tables)) for s in SOURCES.values()]
    head = ["source", "publisher", "key", "cadence", "tables"]
    say(tabulate(rows, head, maxcolwidths=[None, None, None, 24, 60]))


@main.command()
@click.option("--format", "form", type=click.Choice(["md", "html"]), default="md", show_default=True)
def codebook(form) -> None:
    """Print the codebook: every table, column, source and fact id, made from the code."""
    from tradelib.briefs import codebook as book

    click.echo(book.document(form=form), nl=False)
