"""The command line: thin words around the library; a user's mistake is a message, not a traceback."""

import json
import sys
import warnings
from pathlib import Path

import click
from tabulate import tabulate

from tradelib import loaders
from tradelib import releases as calendar
from tradelib.cli import runs as cli_runs
from tradelib.cli.options import AS_OF, FORCE, FORM, NOTEBOOK, PARTNER, RELEASE, REPORTS, STRICT
from tradelib.errors import TradelibError
from tradelib.store import vintages

LEDGER = [8, 30, 16, 22, 12, 22]  # widths of the columns of `audit`


class Commands(click.Group):
    """A group whose commands turn a TradelibError into a message and exit code 1."""

    def invoke(self, ctx: click.Context):
        """Run the command; show a user's mistake without a traceback."""
        try:
            return super().invoke(ctx)
        except TradelibError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tradelib")
def main() -> None:
    """U.S. trade with any partner, for any FT-900 release; every figure knows its vintage."""
    warnings.showwarning = lambda message, *_, **__: click.echo(f"Note: {message}", err=True)


for command in cli_runs.COMMANDS:
    main.add_command(command)


def _say_age() -> None:
    """Say how old the data at hand are, where a newer release is out."""
    older = loaders.behind(calendar.today())
    if older:
        click.echo(f"{older} `tradelib update` gets it.", err=True)


@main.command()
@PARTNER
@RELEASE
@AS_OF
@STRICT
@FORCE
@REPORTS
@NOTEBOOK
def report(partner, release, as_of, strict, force, reports, notebook) -> None:
    """Make the dated brief: notebook, HTML page and facts."""
    # With this module jsonschema, which papermill imports, builds a grammar of web addresses: a
    # second of each run for a format that no notebook has.
    sys.modules.setdefault("rfc3987_syntax", None)
    from tradelib.runs.jobs import as_of_day
    from tradelib.runs.report import make_report

    made = make_report(
        partner,
        release,
        as_of=as_of_day(as_of, release),
        strict=strict,
        force=force,
        reports=reports,
        notebook=notebook,
        progress=True,
    )
    click.echo(made.headline)
    for line in made.notices:
        click.echo(f"  {line}")
    for path in made.paths:
        click.echo(f"  {path}")
    click.echo("Made." if made.ran else "Up to date: nothing was run (--force runs it again).")
    _say_age()


@main.command()
@PARTNER
@RELEASE
@AS_OF
@STRICT
@FORM
def facts(partner, release, as_of, strict, form) -> None:
    """Print every number of a brief, with its window, table and vintage."""
    from tradelib.briefs.brief import brief
    from tradelib.runs.jobs import as_of_day

    sheet = brief(partner, release, as_of=as_of_day(as_of, release), strict=strict)
    if form == "json":
        click.echo(json.dumps(sheet.document(), indent=2, ensure_ascii=False))
        return
    _say_age()
    rows = [
        (f.id, f.text.rsplit(": ", 1)[-1], f.window, f.vintage or "-", f.vintage_lag_days or 0)
        for f in sheet.values()
    ]
    click.echo(
        tabulate(
            rows, ["fact", "value", "window", "vintage", "lag, days"], maxcolwidths=[None, 44, 24, None, None]
        )
    )


@main.command()
@click.argument("text", required=False)
def partners(text) -> None:
    """List partners: code, ISO codes, name and kind; with TEXT, those whose name holds it."""
    from tradelib.partners import all_partners

    shown = ["code", "iso2", "iso3", "name", "kind"]
    table = all_partners().query("kind != 'domestic'")[[*shown, "aliases"]].fillna("")
    if text:
        hit = (table["name"] + "|" + table["aliases"] + "|" + table["iso3"]).str.contains(
            text, case=False, regex=False
        )
        table = table[hit | table["code"].eq(text)]
        if table.empty:
            raise TradelibError(f"No partner's name holds {text!r}.", "`tradelib partners` lists all.")
    click.echo(tabulate(table[shown].values.tolist(), shown, disable_numparse=True))


@main.command("vintages")
@click.argument("table", required=False)
def list_vintages(table) -> None:
    """List the vintages there are: bundled with tradelib and in your store."""
    rows = [
        (
            v.table,
            f"{v.published}{' (saved by)' if v.dated_by == 'saved' else ''}",
            *(v.since, v.through, f"{v.rows:,}", v.origin),
            v.sources[0]["name"] + (f" and {len(v.sources) - 1} more" if len(v.sources) > 1 else ""),
            v.sha256[:12],
        )
        for v in vintages.list_vintages(table)
    ]
    head = ["table", "published", "since", "through", "rows", "origin", "made from", "sha256"]
    click.echo(
        tabulate(
            rows, head, colalign=("left",) * 4 + ("right", "left", "left", "left"), disable_numparse=True
        )
    )


@main.command()
@click.argument("article")
@click.option("--as-of", help="Day that counts as now, YYYY-MM-DD; default: the newest vintage's.")
@FORM
def audit(article, as_of, form) -> None:
    """Judge the claims of a published ARTICLE (an id, or a .yaml file), then and now."""
    from tradelib.studies import claims, ledger

    source = claims.load_article(article)
    newest = max([source.published, *(v.published for v in vintages.list_vintages())])
    now = calendar.parse_date(as_of, "--as-of") if as_of and as_of != "latest" else newest
    lines = ledger.audit(source, as_of=now)
    if form == "json":
        click.echo(json.dumps(ledger.to_dict(source, lines, now), indent=1, ensure_ascii=False))
        return
    click.echo(f"{source.publisher}, {source.published}: {source.title}. Now: {now}.")
    rows = [list(row.values()) for row in ledger.rows(lines)]
    click.echo(tabulate(rows, ledger.HEAD, "simple_grid", maxcolwidths=LEDGER, disable_numparse=True))
    click.echo(str(ledger.summary(source, lines)))
    for reason, ids in ledger.missing(lines).items():
        click.echo(f"\n{', '.join(ids)}, on the day: {reason}")


@main.command()
def releases() -> None:
    """List FT-900 releases: statistical month, publication date, and how the date is known."""
    head = ["month", "scheduled", "published", "status", "how known", "services through"]
    table = calendar.all_releases().fillna("")
    rows = [(*row, calendar.quarter_out(calendar.release(row[0]).period)) for row in table.values.tolist()]
    click.echo(tabulate(rows, head, disable_numparse=True))
    click.echo("Other months are filed under the month itself: their publication date is not established.")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--table", help="The table it must be; told by the file itself unless given.")
@click.option("--published", help="Publication date, YYYY-MM-DD.")
@click.option("--saved", help="Instead: the day by which a copy was saved, where no more is known.")
@click.option("--note", default="", help="How the file was come by; kept with the vintage.")
@click.option("--store", type=click.Path(path_type=Path), help="Where to, instead of your store.")
def ingest(files, table, published, saved, note, store) -> None:
    """Check downloaded FILES and keep them as vintages."""
    from tradelib.sources.ingest import ingest as keep

    done = keep(list(files), table=table, published=published, saved=saved, note=note, store=store)
    for vintage, written in done:
        state = vintage.path if written else f"the same figures were there already ({vintage.origin})"
        name = f"{vintage.table} of {vintage.published}, through {vintage.through}"
        click.echo(f"{name}, {vintage.rows:,} rows: {state}")


@main.command()
def verify() -> None:
    """Read every vintage whole, hash it again, and name what is wrong."""
    from tradelib.store import verify as integrity

    found = integrity.verify()
    wrong = [finding for finding in found if finding.problem]
    for finding in wrong:
        click.echo(f"{finding.path}: {finding.problem}")
    rows = sum(finding.rows for finding in found)
    click.echo(f"{len(found) - len(wrong)} of {len(found)} vintages are what they were, {rows:,} rows.")
    if wrong:
        raise TradelibError(
            f"{len(wrong)} file(s) are damaged.",
            "Move them out of the store; what is bundled comes again with tradelib, what was fetched with "
            "`tradelib fetch`.",
        )


@main.command()
@click.option("--format", "form", type=click.Choice(["md", "html"]), default="md", show_default=True)
def codebook(form) -> None:
    """Print the codebook: every table, column, source and fact id, made from the code."""
    from tradelib.briefs import codebook as book

    click.echo(book.document(form=form), nl=False)


@main.command("sources")
def list_sources() -> None:
    """List what can be fetched: source, publisher, cadence, and the tables it makes."""
    from tradelib.sources.publishers import SOURCES

    rows = [(s.name, s.publisher, s.key or "-", s.cadence, " ".join(s.tables)) for s in SOURCES.values()]
    head = ["source", "publisher", "key", "cadence", "tables"]
    click.echo(tabulate(rows, head, maxcolwidths=[None, None, None, 24, 60]))


@main.command()
@click.argument("names", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what is new, fetch nothing.")
@click.option("--all", "every", is_flag=True, help="The large sources too (hs6, hs10).")
@click.option("--since", help="First month asked of an API, YYYY-MM.")
def update(names, dry_run, every, since) -> None:
    """Fetch what is new at the publishers: all everyday sources, or those NAMED (or their tables)."""
    from tradelib.sources import update as work

    on = work.today()
    if not dry_run:
        for line in work.refresh_calendar():
            click.echo(line)
    steps = work.plan(names, on=on, every=every)
    todo = {True: "fetch", False: "-"}
    rows = [(step.source.name, "failed" if step.failed else todo[step.todo], step.why) for step in steps]
    click.echo(tabulate(rows, ["source", "to do", "why"], maxcolwidths=[None, None, 80]))
    if dry_run:
        click.echo("--dry-run: nothing was fetched.")
        return
    chosen = [step.source for step in steps if step.todo]
    outcomes = [_fetch(s, on=on, since=since if s.kind == "census-api" else None) for s in chosen]
    _say_age()
    _summary(outcomes, failed=any(step.failed for step in steps))


@main.command()
@click.argument("source")
@click.option("--release", help="Statistical month, YYYY-MM: an archived release (ft900).")
@click.option("--published", help="The day it was published, where the calendar does not know it.")
@click.option("--since", help="First month asked of an API, YYYY-MM.")
def fetch(source, release, published, since) -> None:
    """Fetch one SOURCE (see `tradelib sources`), whether or not it is new; check it and keep it."""
    from tradelib.sources import update as work
    from tradelib.sources.publishers import find_source

    options = {"release": release, "published": published, "since": since}
    _summary([_fetch(find_source(source), on=work.today(), **options)])


def _fetch(source, **options):
    """Fetch one source and say at once what came of it."""
    from tradelib.sources import update as work

    outcome = work.run(source, progress=sys.stderr.isatty(), **options)
    for line in work.told(outcome):
        click.echo(line)
    return outcome


def _summary(outcomes: list, *, failed: bool = False) -> None:
    size = sum(outcome.transferred for outcome in outcomes)
    new = sum(written for outcome in outcomes for _, written in outcome.kept)
    click.echo(f"{new} new vintage(s), {size / 1e6:.1f} MB transferred.")
    if failed or any(outcome.error for outcome in outcomes):
        click.echo("What is bundled and what is stored works all the same, without a connection too.")
        sys.exit(1)
