"""The repository itself: one list of requirements, a clean tree, notebooks without outputs."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from helpers import ROOT
from packaging.specifiers import SpecifierSet
from packaging.version import Version

#: What the user asked for, and what tools insist on.
TOP_LEVEL = {
    *("README.md", "CONTRIBUTING.md", "environment.yml", "notebooks", "tests", "tradelib"),
    *("pyproject.toml", "Makefile", "LICENSE", "CHANGELOG.md", ".gitignore", ".gitattributes"),
    *("CITATION.cff", ".ci", ".github", ".gitlab-ci.yml", ".pre-commit-config.yaml"),
}
RAW = {".xlsx", ".xls", ".zip", ".csv"}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: What is called otherwise on conda-forge, and how on PyPI.
CONDA = {"matplotlib-base": "matplotlib", "nbconvert-core": "nbconvert"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def git(*command: str) -> list[str]:
    """Lines that git prints for this tree; the test is skipped where it is not a git tree."""
    try:
        done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git working tree")
    return [line for line in done.stdout.split("\0") if line]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """Files in git or about to be added, as paths from the root."""
    return [Path(name) for name in git("ls-files", "-z", "--cached", "--others", "--exclude-standard")]


@pytest.fixture(scope="module")
def texts(tracked) -> dict[Path, str]:
    found = {}
    for path in tracked:
        if path.suffix not in (".parquet", ".png", ".jpg", ".webp") and (ROOT / path).is_file():
            found[path] = (ROOT / path).read_text(encoding="utf-8")
    return found


def requirement(line: str) -> tuple[str, frozenset[str]]:
    """'pandas>=3.0,<4' -> its name and the set of its version specifiers."""
    name, specifiers = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[\w+\])?\s*(.*)", line.strip()).groups()
    name = name.lower().replace("_", "-")
    return CONDA.get(name, name), frozenset(filter(None, specifiers.replace(" ", "").split(",")))


# --- requirements -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def conda() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_environment_yml_lists_what_pyproject_requires_and_nothing_that_only_tests_need(conda):
    wanted = dict(map(requirement, PROJECT["dependencies"]))
    listed = dict(requirement(line) for line in conda["dependencies"] if isinstance(line, str))
    assert listed.pop("python") == frozenset({PROJECT["requires-python"]})
    assert listed.pop("pip") == frozenset()
    assert listed == wanted


def test_the_lock_names_a_version_that_is_allowed_for_each_package_and_no_address():
    lines = [line.split(" ; ")[0] for line in (ROOT / ".ci/lock.txt").read_text().splitlines()]
    locked = dict(line.split("==") for line in lines)
    assert not [line for line in lines if "/" in line or "@" in line]
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    for name, specifiers in map(requirement, wanted):
        assert all(SpecifierSet(one).contains(locked[name.replace("_", "-")]) for one in specifiers), name


def test_no_package_may_be_older_than_pandas_takes_it():
    """pandas looks at these when it first uses them, and no resolver knows."""
    from pandas.compat._optional import VERSIONS

    wanted = dict(map(requirement, PROJECT["dependencies"]))
    for name in ("jinja2", "openpyxl", "pyarrow", "python-calamine", "tabulate"):
        (lowest,) = (one.removeprefix(">=") for one in wanted[name])
        assert Version(lowest) >= Version(VERSIONS[name]), name


def test_the_recipe_for_conda_forge_requires_what_the_environment_does(conda):
    text = (ROOT / ".ci/recipe.yaml").read_text().replace("${{ python_min }}", "3.11")
    recipe = yaml.safe_load(re.sub(r"\$\{\{.*?\}\}", "x", text))
    listed = [one for one in conda["dependencies"] if isinstance(one, str) and one != "pip"]
    assert {*map(requirement, recipe["requirements"]["run"])} == {*map(requirement, listed)}
    assert recipe["context"] == {"version": PROJECT["version"], "python_min": "3.11"}
    assert recipe["about"].keys() >= {"homepage", "license", "license_file", "summary"}  # its linter asks for


def test_the_citation_has_the_form_of_such_files_and_the_version_of_the_project():
    path = ROOT / "CITATION.cff"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.citation-file-format"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["version"] == PROJECT["version"]


def test_the_four_given_packages_are_required(conda):
    names = {requirement(line)[0] for line in PROJECT["dependencies"]}
    assert {"jupyterlab", "pandas", "seaborn", "papermill"} <= names


def test_no_package_is_listed_twice(conda):
    lines = [line for line in conda["dependencies"] if isinstance(line, str)]
    names = [requirement(line)[0] for line in lines]
    assert len(set(names)) == len(names)


def test_the_conda_route_installs_the_project_itself_from_conda_forge_only(conda):
    assert conda["channels"] == ["conda-forge"]
    (pip,) = [line["pip"] for line in conda["dependencies"] if isinstance(line, dict)]
    assert pip == ["--editable ."]


def test_every_package_that_the_module_imports_is_required():
    needed = set()
    for path in (ROOT / "tradelib").rglob("*.py"):
        if "examples" in path.parts:  # they are for other programs
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                needed |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                needed.add(node.module.split(".")[0])
    needed -= set(sys.stdlib_module_names) | {"tradelib"}
    distributions = {
        "IPython": "ipykernel",
        "jupyter_client": "ipykernel",
        "python_calamine": "python-calamine",
        "bs4": "beautifulsoup4",
        "upath": "universal-pathlib",
        "yaml": "pyyaml",
    }
    distributions |= {
        "markupsafe": "jinja2",
        "bs4": "nbconvert",
        "traitlets": "nbconvert",
        "PIL": "matplotlib",
        "cycler": "matplotlib",
        "packaging": "matplotlib",
        "docx": "python-docx",
    }  # brought along
    listed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["cluster"]]
    required = {requirement(line)[0] for line in listed}
    assert {distributions.get(name, name).replace("_", "-") for name in needed} <= required


def test_the_command_is_installed():
    assert PROJECT["scripts"] == {"tradelib": "tradelib.cli.main:main"}


# --- the tree -----------------------------------------------------------------------------------


def test_the_top_level_holds_what_was_asked_for_and_what_tools_insist_on(tracked):
    assert {path.parts[0] for path in tracked} <= TOP_LEVEL


def test_no_source_file_of_the_publishers_is_in_the_tree(tracked):
    raw = [path for path in tracked if path.suffix.lower() in RAW]
    assert all(path.suffix == ".csv" and path.parts[:2] == ("tradelib", "data") for path in raw), raw
    sizes = {path: (ROOT / path).stat().st_size for path in tracked}
    assert sum(sizes.values()) < 25_000_000
    vintage = ("tradelib", "data", "vintages")
    assert not [path for path, size in sizes.items() if size > (6e6 if path.parts[:3] == vintage else 2e6)]


def test_no_report_and_no_cache_is_in_the_tree(tracked):
    unwanted = {"reports", "__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".hypothesis", ".venv"}
    assert not [path for path in tracked if unwanted & set(path.parts)]
    assert not [path for path in tracked if path.name.endswith((".failed.ipynb", ".tmp", ".pyc"))]


def test_reports_are_ignored_by_git():
    assert git("check-ignore", "reports/2018-09-05/korea-south.ipynb")


def test_no_file_tells_a_path_of_the_machine_it_was_made_on(texts):
    paths = re.compile("/" + "root/|/" + "work/|/" + "home/[a-z]|/" + "Users/[a-z]")
    assert not {str(path): found[0] for path, text in texts.items() if (found := paths.search(text))}


def test_no_file_holds_a_key(texts):
    keys = re.compile("(?i)(census_api_key|userid|api_key)[\"' ]*[=:][\"' ]*[0-9a-f-]{30,}")
    assert not {str(path): found[0] for path, text in texts.items() if (found := keys.search(text))}


def test_text_files_end_with_a_line_end_and_have_no_carriage_returns(texts):
    for path, text in texts.items():
        assert "\r" not in text, path
        assert not text or text.endswith("\n"), path


def test_the_core_can_be_read_in_an_hour(texts):
    """The modules at the top of tradelib, together; a folder's are as long as their subjects."""
    core = {
        str(p): t.count("\n") for p, t in texts.items() if p.parent == Path("tradelib") and p.suffix == ".py"
    }
    assert sum(core.values()) <= 2500, core
    assert len(core) <= 11, "about nine rooms besides __init__ and __main__"


# --- notebooks ----------------------------------------------------------------------------------


def cells(path, kind="code"):
    page = json.loads(path.read_text(encoding="utf-8"))
    return [c for c in page["cells"] if c["cell_type"] == kind]


def source(cell) -> str:
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def python(cell) -> ast.Module:
    """The code of a cell without IPython's magics."""
    lines = [line for line in source(cell).splitlines() if not line.lstrip().startswith(("%", "!"))]
    return ast.parse("\n".join(lines))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_carries_no_outputs_and_no_execution_counts(path):
    for cell in cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_defines_no_function_and_no_class(path):
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    for cell in cells(path):
        assert not [node for node in ast.walk(python(cell)) if isinstance(node, definitions)], source(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_cell_is_short_enough_to_be_seen_whole(path):
    for cell in cells(path):
        prose = "tl.say(" in source(cell)  # a passage of sentences, which is read and not scrolled
        assert len(source(cell).splitlines()) <= (48 if prose else 14), source(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_has_at_most_one_parameter_cell_of_plain_typed_lines(path):
    tagged = [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) <= 1
    for line in [line for cell in tagged for line in source(cell).splitlines() if line.strip()]:
        if line.startswith("#"):
            continue
        code, _, comment = line.partition("#")
        node = ast.parse(code.strip()).body[0]
        assert isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant), line
        assert "=" not in comment, "papermill reads what follows it as a value"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_tells_nothing_of_the_run_that_made_it(path):
    page = json.loads(path.read_text(encoding="utf-8"))
    assert not {"papermill", "widgets"} & set(page["metadata"])
    assert not any("papermill" in cell["metadata"] for cell in page["cells"])


def test_no_module_takes_the_name_of_a_public_function():
    """Importing such a module would put it in the function's place."""
    import tradelib

    modules = {path.stem for path in (ROOT / "tradelib").glob("*.py")}
    assert not modules & set(tradelib.__all__)


# --- before a commit ----------------------------------------------------------------------------


def test_the_hooks_before_a_commit_are_what_make_lint_does_and_the_check_of_notebooks():
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    entries = [hook["entry"] for hook in local["hooks"]]
    recipe = re.search(
        r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    lines = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    assert entries[: len(lines)] == lines
    (check,) = entries[len(lines) :]
    assert check.endswith("tests/test_environment.py -k carries_no_outputs")
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in local["hooks"])


# --- continuous integration ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["run", "versions"])
def test_a_script_of_ci_stops_at_an_error_and_is_a_program_that_bash_can_read(name):
    path = ROOT / ".ci" / name
    assert "\nset -euo pipefail\n" in path.read_text() and os.access(path, os.X_OK)
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_ci_tries_the_other_versions_and_still_ends_with_the_closing_line_of_the_tests():
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines.index(".ci/versions || others=$?") < lines.index("make test")
    assert lines[lines.index("make test") :] == ["make test", 'exit "$others"']


def test_the_core_for_other_versions_is_of_tests_there_are_and_has_each_subject():
    core = re.findall(r"^  (tests/\S+\.py)(?:::(\w+))?", (ROOT / ".ci/versions").read_text(), re.MULTILINE)
    for file, name in core:
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
    subjects = {Path(file).stem.removeprefix("test_") for file, _ in core}
    assert subjects >= {"loaders", "large", "due", "brief", "report", "sweep", "warm"}
    tried = re.findall(r"^start (\S+) (3\.\d+)", (ROOT / ".ci/versions").read_text(), re.MULTILINE)
    assert tried == [("3.12", "3.12"), ("3.13", "3.13"), ("lowest", PROJECT["requires-python"][2:])]
