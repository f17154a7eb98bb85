"""Options that several commands share."""

from pathlib import Path

import click

PARTNER = click.option("--partner", required=True, help="Schedule C code, ISO code or name.")
RELEASE = click.option("--release", required=True, help="Statistical month of the FT-900, YYYY-MM.")
AS_OF = click.option(
    "--as-of", help="Day whose knowledge is wanted, YYYY-MM-DD or 'latest'; default: release day."
)
STRICT = click.option("--strict", is_flag=True, help="Refuse where only later vintages reach the release.")
FORCE = click.option("--force", is_flag=True, help="Run again even if nothing has changed.")
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
    "--runs",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A standing list of notebooks and their parameters (YAML), instead.",
)
WORKERS = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Briefs made at once on this machine; default: one more than cores.",
)
SCHEDULER = click.option(
    "--scheduler", help="Address of a Dask scheduler instead, such as tcp://10.0.0.1:8786."
)
SINCE = click.option("--since", help="All releases from this statistical month on, YYYY-MM.")
FORM = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
ARTICLES = click.option(
    "--article",
    "articles",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A claims file of yours, for its verdicts; may be given more than once.",
)
