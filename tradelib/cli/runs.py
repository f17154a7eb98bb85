"""The commands of release morning: many briefs at once, what is due, and the catalogue."""

import json
import sys

import click

from tradelib.cli.options import (
    ARTICLES,
    AS_OF,
    FORCE,
    FORM,
    NOTEBOOK,
    PARTNERS,
    RELEASE,
    REPORTS,
    RUNS,
    SCHEDULER,
    SINCE,
    STRICT,
    WORKERS,
)
from tradelib.errors import TradelibError


@click.command()
@RELEASE
@PARTNERS
@AS_OF
@STRICT
@NOTEBOOK
@RUNS
@WORKERS
@SCHEDULER
@FORCE
@REPORTS
def sweep(release, partners, as_of, strict, notebook, runs, workers, scheduler, force, reports) -> None:
    """Make the briefs of all partners of a release; what is up to date is not made again."""
    from tradelib.runs import sweep as work

    if runs and (notebook or as_of or partners != "all"):
        raise TradelibError(
            "--runs says itself which notebooks are made for whom.",
            "Leave out --partners, --notebook and --as-of, or --runs.",
        )
    options = {"as_of": as_of, "strict": strict, "notebook": notebook, "runs": runs, "reports": reports}
    plan = work.plan(release, partners, **options)
    for failure in plan.failures:
        click.echo(f"{failure.title}: {failure.error}", err=True)
    watched = sys.stderr.isatty()
    summary = work.run(plan, workers=workers, scheduler=scheduler, force=force, progress=watched)
    for line in summary.lines():
        click.echo(line)
    if summary.failed:
        sys.exit(1)


@click.command()
@PARTNERS
@RUNS
@SINCE
@FORM
@REPORTS
def due(partners, runs, since, form, reports) -> None:
    """Say which releases should have appeared and have not been run, and which comes next."""
    from tradelib.runs import due as work

    found = work.look(reports=reports, partners=partners, runs=runs, since=since)
    if form == "json":
        click.echo(json.dumps(found.to_dict(), indent=1, ensure_ascii=False))
        return
    for line in found.lines():
        click.echo(line)


@click.command("run-due")
@PARTNERS
@RUNS
@SINCE
@WORKERS
@SCHEDULER
@ARTICLES
@click.option("--on-success", envvar="TRADELIB_ON_SUCCESS", help="A command or URL to tell of what was made.")
@click.option("--on-failure", envvar="TRADELIB_ON_FAILURE", help="A command or URL to tell of what failed.")
@FORM
@REPORTS
def run_due(form, **options) -> None:
    """Fetch what has come, make what is due, renew the catalogue; safe to call every ten minutes."""
    from tradelib.runs import run_due as work

    outcome = work.run_due(**options, progress=sys.stderr.isatty())
    if form == "json":
        click.echo(json.dumps(outcome.to_dict(), indent=1, ensure_ascii=False))
    else:
        for line in outcome.lines():
            click.echo(line)
    sys.exit(outcome.exit_code)


@click.command()
@ARTICLES
@REPORTS
def site(articles, reports) -> None:
    """Build the catalogue: one page over the briefs, searched without a server."""
    from tradelib.catalogue import page as catalogue
    from tradelib.store import files as storage

    built = catalogue.build(storage.located(reports), articles=articles, progress=sys.stderr.isatty())
    for notice in built.notices:
        click.echo(f"Note: {notice}", err=True)
    click.echo(f"{built.rows:,} row(s), {built.releases} release(s): {built.path}")


@click.command()
@click.argument("name", required=False)
def example(name) -> None:
    """Print a ready example of a schedule: cron, systemd, github, airflow ..."""
    from tradelib.runs import examples

    click.echo(examples.example(name) if name else "\n".join(examples.NAMES), nl=not name)


COMMANDS = (sweep, due, run_due, site, example)
