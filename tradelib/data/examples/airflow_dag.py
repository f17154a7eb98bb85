"""An Airflow DAG for release mornings: fetch what has come, make what is due, run your own notebook too.

Copy it to your DAGs folder and change the four constants. tradelib has to be in the environment of the
workers, together with apache-airflow-providers-papermill; `tradelib-warm` is the kernel that it brings.
"""

import shlex
import sys
from datetime import timedelta

import pendulum
from airflow.exceptions import AirflowException
from airflow.providers.papermill.operators.papermill import PapermillOperator

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

REPORTS = "/srv/tradelib/reports"  # the briefs of `tradelib sweep`, and the catalogue
PARTNERS = "all"  # whose briefs: codes, names and groups, comma-separated
NOTEBOOK = "seasonal.ipynb"  # of tradelib; or the path of yours: it takes partner, release and as_of
WATCHED = ("KOR", "MEX", "CHN")  # for whom it is run

TRADELIB = f"{shlex.quote(sys.executable)} -m tradelib"


@dag(
    schedule="35,50 8-12 * * 1-5",  # the FT-900 comes at 08:30 in Washington
    start_date=pendulum.datetime(2026, 1, 1, tz="America/New_York"),
    catchup=False,  # `due` knows what was missed
    max_active_runs=1,
    default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    params={"since": ""},  # by hand: all releases from this statistical month on, YYYY-MM
    tags=["tradelib"],
)
def tradelib_briefs():
    """Update, then the briefs of what is due, your notebook for each watched partner, the catalogue."""

    @task.bash(retries=0)
    def update() -> str:
        return f"{TRADELIB} update"

    # A publisher that does not answer stops nothing: what is at hand is made.
    @task.short_circuit(trigger_rule="all_done")
    def due(params=None) -> list[str]:
        from tradelib.runs.due import look

        found = look(reports=REPORTS, partners=PARTNERS, since=params["since"] or None)
        print("\n".join(found.lines()))
        return [item.release.month for item in found.ready]

    # One task for a release: it has its own workers, and a retry makes only what is missing.
    @task.bash(max_active_tis_per_dagrun=1)
    def briefs(month: str) -> str:
        options = ["--release", month, "--partners", PARTNERS, "--reports", REPORTS]
        return f"{TRADELIB} sweep {shlex.join(options)}"

    @task
    def notebooks(months: list[str]) -> list[dict]:
        from tradelib import resolve
        from tradelib.briefs.snapshot import take
        from tradelib.runs.jobs import bundled_notebook, job_of, read_notebook

        source, runs = NOTEBOOK if "/" in NOTEBOOK else str(bundled_notebook(NOTEBOOK)), []
        for month in months:
            snapshot = take(month)
            for name in WATCHED:
                job = job_of(resolve(name), snapshot, read_notebook(source), reports=REPORTS)
                job.place.mkdir(parents=True, exist_ok=True)
                files = {"input_nb": source, "output_nb": str(job.paths[0])}
                runs.append(files | {"parameters": job.record["parameters"]})
        return runs

    # The catalogue is renewed whatever failed; that it ended well must not hide what did not.
    @task.bash(trigger_rule="none_skipped")
    def catalogue() -> str:
        return f"{TRADELIB} site --reports {shlex.quote(REPORTS)}"

    @task(trigger_rule="one_failed", retries=0)
    def watch() -> None:
        raise AirflowException("A brief or a notebook failed: see the tasks above.")

    months = due()
    made = briefs.expand(month=months)
    each = PapermillOperator.partial(task_id="notebook", kernel_name="tradelib-warm")
    ran = each.expand_kwargs(notebooks(months))
    update() >> months
    [made, ran] >> catalogue()
    [made, ran] >> watch()


tradelib_briefs()
