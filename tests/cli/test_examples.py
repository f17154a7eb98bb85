"""The ready examples: each read by the program it is for, each command a true one of tradelib."""

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from tradelib.cli.main import EXAMPLE_FILES as FILES
from tradelib.cli.main import EXAMPLES as FOLDER
from tradelib.cli.main import main

ROOT = Path(__file__).parents[2]
AIRFLOW = ROOT / ".venv-airflow" / "bin" / "python"
#: Made last by `make airflow`.
INSTALLED = ROOT / ".venv-airflow" / "installed"
analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")

#: Asks Airflow's own parser, in Airflow's own environment, and prints what it found.
PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
(dag,) = bag.dags.values()
tasks = {one.task_id: [sorted(one.downstream_task_ids), one.trigger_rule.value] for one in dag.tasks}
print("FOUND", json.dumps([bag.import_errors, tasks, str(dag.schedule), str(dag.timezone), dag.catchup]))
"""


def example(name: str) -> str:
    """An example as the command prints it."""
    printed = CliRunner().invoke(main, ["example", name])
    assert printed.exit_code == 0
    return printed.output


def options_of(words: list[str]) -> dict:
    """Parse the words of a command line as tradelib does; what is no option of its is an error."""
    command = main.commands[words[0]]
    with click.Context(command) as context:
        return command.make_context(words[0], list(words[1:]), parent=context).params


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_an_example_is_printed_whole_and_says_in_comments_what_to_change(name):
    text = example(name)
    assert text.endswith("\n") and re.search(r"\bchange\b", text, re.IGNORECASE)
    assert max(map(len, text.splitlines())) < 230
    assert text == "\n".join((FOLDER / file).read_text() for file in FILES[name])


def test_every_file_belongs_to_an_example_and_an_unknown_name_is_told():
    assert {file.name for file in FOLDER.iterdir() if file.is_file()} == set(sum(FILES.values(), ()))
    refused = CliRunner().invoke(main, ["example", "launchd"])
    assert refused.exit_code == 1
    told = "Error: There is no example 'launchd'.\n  Examples: cron, systemd, github, airflow.\n"
    assert refused.output == told
    assert re.fullmatch(r"\*/10( \*){4} tradelib run-due .*", example("cron").splitlines()[-1])


# --- cron ---------------------------------------------------------------------------------------


def cron_fields(line: str) -> list[set[int]]:
    """The minutes, hours, days, months and weekdays of a line of cron, by the rules of crontab(5)."""
    spans = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
    found = []
    for text, (low, high) in zip(line.split()[:5], spans, strict=True):
        values = set()
        for part in text.split(","):
            first, last, step = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part).groups()
            start = low if first is None else int(first)
            stop = high if first is None else int(last or first)
            assert low <= start <= stop <= high, part
            values |= set(range(start, stop + 1, int(step or 1)))
        found.append(values)
    return found


def test_cron_calls_run_due_every_ten_minutes_of_every_day():
    lines = [line for line in example("cron").splitlines() if line and not line.startswith("#")]
    settings = [line for line in lines if re.match(r"[A-Z_]+=", line)]
    (line,) = (line for line in lines if line not in settings)
    every = [set(range(0, 60, 10)), set(range(24)), set(range(1, 32)), set(range(1, 13)), set(range(8))]
    assert cron_fields(line) == every
    command = line.split(maxsplit=5)[5]
    assert "%" not in command, "cron turns it into a line end"
    subprocess.run(["/bin/sh", "-n", "-c", command], check=True)
    words, redirected = command.split(" >>")
    assert redirected.endswith(" 2>&1"), "cron sends mail of whatever is printed"
    given = options_of(shlex.split(words)[1:])
    assert given["reports"] == "/srv/tradelib/reports" and given["on_failure"].startswith("mail ")


# --- systemd ------------------------------------------------------------------------------------


def unit(name: str) -> list[tuple[str, str]]:
    lines = (FOLDER / name).read_text().splitlines()
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and not line.startswith("#")]


@analyze
def test_systemd_itself_finds_nothing_wrong_with_the_units(tmp_path):
    """The paths of the example stand for those of the reader: here, for this Python."""
    for name in FILES["systemd"]:
        text = (FOLDER / name).read_text().replace("/opt/tradelib/bin/tradelib", "/bin/true")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(tmp_path / name for name in FILES["systemd"])],
        capture_output=True,
        text=True,
        env=os.environ | {"SYSTEMD_LOG_LEVEL": "warning"},
    )
    ours = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "tradelib" in line]
    assert done.returncode == 0 and not ours, done.stderr


@analyze
def test_the_timer_goes_off_on_the_minute_after_the_release_in_summer_and_winter():
    times = [value for key, value in unit("tradelib.timer") if key == "OnCalendar"]
    assert len(times) == 2
    for start, expected in [("2026-10-06 12:31", "12:40:00"), ("2026-11-04 13:31", "13:40:00")]:
        told = subprocess.run(
            ["systemd-analyze", "calendar", "--base-time", f"{start} UTC", times[0]],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"TZ": "UTC"},
        ).stdout
        assert re.search(rf"(Next elapse|\(in UTC\)): .*{expected} UTC", told), told


def test_the_service_runs_a_true_command():
    (command,) = (value for key, value in unit("tradelib.service") if key == "ExecStart")
    words = shlex.split(command)
    assert Path(words[0]).name == "tradelib"
    assert options_of(words[1:])["reports"] == "%S/tradelib/reports"
    folder = dict(unit("tradelib.service"))["StateDirectory"]
    assert folder == "tradelib", "%S is the folder that systemd makes it in"


# --- GitHub Actions -----------------------------------------------------------------------------

WORKFLOW = FOLDER / "github-actions.yml"


def test_the_workflow_has_the_form_that_github_asks_for():
    check = shutil.which("check-jsonschema", path=str(Path(click.__file__).parents[4] / "bin"))
    done = subprocess.run(
        [check or "check-jsonschema", "--builtin-schema", "vendor.github-workflows", WORKFLOW],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_of_the_workflow_are_true_and_its_shell_is_right(tmp_path):
    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    scripts = [step["run"] for step in job["steps"] if "run" in step]
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)
        assert "${{" not in script, "what somebody typed never becomes part of a script"
    (line,) = (line for script in scripts for line in script.splitlines() if "tradelib " in line)
    for since in ("", "2026-01"):
        played = f"tradelib() {{ printf '%s\\n' \"$@\"; }}; PARTNERS='KOR,Korea, South' SINCE={since}; {line}"
        words = subprocess.run(["bash", "-euc", played], capture_output=True, text=True, check=True).stdout
        given = options_of(words.splitlines())
        assert given["since"] == (since or None) and given["partners"] == "KOR,Korea, South"
    names = set(job["env"]) - {"PARTNERS", "SINCE", "TRADELIB_STORE", "CENSUS_API_KEY", "BEA_API_KEY"}
    hooks = {option.envvar for option in main.commands["run-due"].params if option.envvar}
    assert names == hooks - {"TRADELIB_LOG"}


def test_the_partners_of_the_workflow_are_partners():
    from tradelib.runs.plan import plan

    (job,) = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
    planned = plan("2025-02", job["env"]["PARTNERS"])
    assert len(planned.jobs) == 15 and not planned.wrong


def test_the_workflow_runs_in_the_hour_of_the_release_in_summer_and_winter():
    times = [one["cron"] for one in yaml.safe_load(WORKFLOW.read_text())[True]["schedule"]]
    for hour in (12, 13):
        assert any({30, 45} <= cron_fields(line)[0] and hour in cron_fields(line)[1] for line in times)


# --- Airflow ------------------------------------------------------------------------------------

DAG = FOLDER / "airflow_dag.py"
#: What is called after what.
SHAPE = {
    "update": ["due"],
    "due": ["briefs", "notebooks"],
    "notebooks": ["notebook"],
    "briefs": ["catalogue", "watch"],
    "notebook": ["catalogue", "watch"],
    "catalogue": [],
    "watch": [],
}


@pytest.mark.skipif(not INSTALLED.exists(), reason="no Airflow here (make airflow): its shape is checked")
def test_airflows_own_parser_reads_the_dag(tmp_path):
    shutil.copy(DAG, tmp_path / "tradelib_dag.py")
    done = subprocess.run(
        [AIRFLOW, "-c", PARSE, tmp_path],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "airflow")}
        | {"AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("FOUND ")), None)
    assert line, done.stderr[-2000:]
    errors, tasks, schedule, zone, catchup = json.loads(line.removeprefix("FOUND "))
    assert errors == {}
    assert {name: after for name, (after, _) in tasks.items()} == SHAPE
    assert (schedule, zone, catchup) == ("35,50 8-12 * * 1-5", "America/New_York", False)
    assert (tasks["catalogue"][1], tasks["watch"][1]) == ("none_skipped", "one_failed")


def test_the_dag_has_its_documented_shape_where_there_is_no_airflow_to_ask():
    tree = ast.parse(DAG.read_text())
    (dag,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    assert "dag" in ast.unparse(dag.decorator_list[0])
    tasks = {node.name for node in dag.body if isinstance(node, ast.FunctionDef)}
    assert tasks == set(SHAPE) - {"notebook"}
    operators = [
        node for node in ast.walk(dag) if isinstance(node, ast.Call) and "partial" in ast.unparse(node)
    ]
    given = {word.arg: ast.literal_eval(word.value) for call in operators for word in call.keywords}
    assert given["task_id"] == "notebook" and given["kernel_name"] == "tradelib-warm"
    assert ast.unparse(tree.body[-1]) == f"{dag.name}()"
    top = {name.name for node in tree.body if isinstance(node, ast.Import) for name in node.names}
    assert "tradelib" not in top, "a scheduler reads the file every few seconds"


def test_the_commands_of_the_dag_are_true():
    text = DAG.read_text()
    assert options_of(["update"])["names"] == ()
    options = re.search(r"options = (\[.*\])", text)[1]
    words = eval(options, {"month": "2026-10", "PARTNERS": "all", "REPORTS": "/r"})
    words = ["sweep", *words]
    assert options_of(words)["release"] == "2026-10"
    assert options_of(["site", "--reports", "/r"])["reports"] == "/r"
    assert re.findall(r"\{TRADELIB\} (\w+)", text) == ["update", "sweep", "site"]


def test_what_the_dag_imports_of_tradelib_is_there():
    for node in ast.walk(ast.parse(DAG.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("tradelib"):
            module = __import__(node.module, fromlist=["name"])
            assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)
