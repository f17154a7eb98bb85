"""The text holds to the code: README, CONTRIBUTING and the guides are run, parsed and compared.

What stands between ``<!-- made from the code: ... -->`` and ``<!-- end -->``, and the whole codebook, is
written anew by ``make guides``, which is ``python tests/test_docs.py --renew``.
"""

import ast
import importlib
import itertools
import os
import re
import shlex
import sys
import tempfile
import tomllib
from pathlib import Path

import click
import duckdb
import matplotlib as mpl
import pandas as pd
import pytest
from click.testing import CliRunner
from helpers import sheet

import tradelib as tl
from tradelib.briefs import codebook
from tradelib.cli.main import main
from tradelib.sources import publishers
from tradelib.studies import league, revisions, seasonal, tariffs
from tradelib.tables import DETAIL_TABLES

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "notebooks" / "guides"
CODEBOOK = GUIDES / "codebook.md"
README = ROOT / "README.md"
DOCUMENTS = sorted([*ROOT.glob("[A-Z]*.md"), *GUIDES.glob("*.md")])
WRITTEN = [path for path in DOCUMENTS if path not in (CODEBOOK, ROOT / "CHANGELOG.md")]
MADE = re.compile(r"(<!-- made from the code: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CALL = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:tradelib|make|python|cp) \S")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
#: Briefs that between them write every kind of fact: with and without chapters, a group, small ones.
BRIEFS = [("KOR", "2018-07"), ("CHN", "2024-08"), ("EU", "2018-07"), ("TUV", "2018-07"), ("CAN", "2020-08")]


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def each_document(paths=WRITTEN):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.name)


# --- what is made from the code -----------------------------------------------------------------


def verbs() -> str:
    return codebook.markdown(codebook.verbs())


def conditions() -> str:
    return codebook.markdown(codebook.conditions())


def words() -> str:
    return codebook.markdown(codebook.words(sheet("KOR", "2018-07")))


def sources() -> str:
    """Each source: what it gives, its tables, how often it comes and is revised, and its key."""
    rows = [
        {
            "source": one.name,
            "what": one.what,
            "tables": ", ".join(f"`{table}`" for table in one.tables),
            "comes": one.cadence,
            "revised": one.revised,
            "key": f"`{one.key}`" if one.key else "none",
        }
        for one in publishers.SOURCES.values()
    ]
    return codebook.markdown(pd.DataFrame(rows))


def studies() -> str:
    """The facts that each study adds to those of a brief."""
    brief = sheet("KOR", "2018-07", "2025-04-03")
    found = pd.concat([codebook.facts(room.study(brief)) for room in (league, revisions, seasonal, tariffs)])
    return codebook.markdown(found[~found["id"].isin(codebook.facts(brief)["id"])][["id", "unit", "example"]])


PARTS = {made.__name__: made for made in (verbs, conditions, words, sources, studies)}


def renewed(text: str) -> str:
    """Write a document's made parts anew."""
    return MADE.sub(lambda match: f"{match[1]}{PARTS[match[2]]()}\n{match[3]}", text)


def renew() -> None:
    with tempfile.TemporaryDirectory() as empty:  # only what is bundled
        os.environ["TRADELIB_STORE"] = empty
        CODEBOOK.write_text(codebook.document(), encoding="utf-8")
        for path in WRITTEN:
            path.write_text(renewed(text_of(path)), encoding="utf-8")


@each_document()
def test_parts_made_from_the_code_are_as_the_code_is(path):
    assert renewed(text_of(path)) == text_of(path), "run `make guides`"


def test_every_part_that_can_be_made_stands_in_a_guide():
    found = [match[2] for path in WRITTEN for match in MADE.finditer(text_of(path))]
    assert sorted(found) == sorted(PARTS)


def test_the_codebook_is_as_the_code_is():
    assert text_of(CODEBOOK) == codebook.document(), "run `make guides`"


# --- what is run --------------------------------------------------------------------------------


def python_of(path: Path) -> list[str]:
    return [code for language, code in FENCED.findall(text_of(path)) if language == "python"]


def said_below(code: str, statement: ast.stmt) -> str:
    """The comment in the lines right below a statement."""
    below = itertools.takewhile(
        lambda line: line.startswith("# "), code.splitlines()[statement.end_lineno or 0 :]
    )
    return " ".join(line.removeprefix("# ") for line in below)


@each_document([path for path in WRITTEN if python_of(path)])
def test_python_runs_from_the_first_block_to_the_last_and_says_what_is_below_it(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    with mpl.rc_context():
        for code in python_of(path):
            for statement in ast.parse(code).body:
                if not isinstance(statement, ast.Expr):
                    exec(compile(ast.Module([statement], []), path.name, "exec"), names)
                    continue
                value = eval(compile(ast.Expression(statement.value), path.name, "eval"), names)
                if said := said_below(code, statement):
                    assert " ".join(str(value).split()) == said


def yaml_of(name: str, first: str) -> str:
    found = [code for language, code in FENCED.findall(text_of(GUIDES / name)) if language == "yaml"]
    (text,) = [code for code in found if code.startswith(first)]
    return text


def test_the_example_of_a_claims_file_runs(tmp_path):
    path = tmp_path / "my-note.yaml"
    path.write_text(yaml_of("claims.md", "id:"), encoding="utf-8")
    run = CliRunner().invoke(main, ["audit", str(path), "--as-of", "2018-10-05"])
    assert run.exit_code == 0, run.output
    assert "note.1" in run.output and "reproduced" in run.output


def test_the_example_of_a_standing_list_can_be_planned(tmp_path):
    from tradelib.runs.plan import plan, read_runs

    path = tmp_path / "runs.yaml"
    path.write_text(yaml_of("sweep.md", "runs:"), encoding="utf-8")
    listed = read_runs(path)
    assert [run.notebook.name for run in listed] == ["release.ipynb", "partners.ipynb", "revisions.ipynb"]
    planned = plan("2018-07", runs=path, reports=tmp_path)
    assert len(planned.jobs) > 220 and not planned.wrong
    names = {job.name for job in planned.jobs}
    latest = max(vintage.published for vintage in tl.list_vintages())
    assert {"korea-south.partners", f"korea-south.revisions.kei.as-of-{latest}"} <= names


def test_the_example_of_a_group_is_a_partner_with_members(tmp_path, monkeypatch):
    (text,) = [
        code for language, code in FENCED.findall(text_of(GUIDES / "questions.md")) if language == "csv"
    ]
    (tmp_path / "groups.csv").write_text(text, encoding="utf-8")
    monkeypatch.setenv("TRADELIB_GROUPS", str(tmp_path / "groups.csv"))
    group = tl.resolve("Visegrad")
    assert group.is_group and len(tl.members(group.code, "2024-10-08")) == 4
    assert tl.brief(group, "2024-08").value("goods.balance.ytd") is not None


def test_the_sql_of_the_guide_reads_the_bundled_vintages():
    ((sql),) = [code for language, code in FENCED.findall(text_of(GUIDES / "store.md")) if language == "sql"]
    with duckdb.connect() as db:
        found = db.sql(sql.replace("store/", f"{ROOT}/tradelib/data/vintages/")).fetchall()
    usd = {str(day): value for day, value in found}
    assert round(usd["2018-10-05"] / 1e6, 1) == 31752.1 and round(usd["2025-04-03"] / 1e6, 1) == 31735.2


# --- commands -----------------------------------------------------------------------------------


def commands(path: Path) -> list[list[str]]:
    """What is called in a document's lines of code: words without comment, settings and folder."""
    text = text_of(path)
    lines = [line for language, code in FENCED.findall(text) if not language for line in code.splitlines()]
    lines += [line.strip() for line in FENCED.sub("", text).splitlines() if line.startswith("    ")]
    found = [shlex.split(line, comments=True) for line in lines if CALL.match(line)]
    found += [shlex.split(code) for code in INLINE.findall(text) if CALL.match(code)]
    words = [list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), line)) for line in found]
    return [[Path(line[0]).name, *line[1:]] for line in words]


CALLS = [(path.name, line) for path in WRITTEN for line in commands(path) if line[0] == "tradelib"]


@pytest.mark.parametrize(
    ("name", "line"), CALLS, ids=lambda part: part if isinstance(part, str) else " ".join(part)
)
def test_a_command_exists_with_its_options(name, line):
    _, command, *words = line
    if command.startswith("-"):
        assert command in main.get_help_option_names(click.Context(main, **main.context_settings))
    elif words or not any(one.required for one in main.commands[command].params):
        main.commands[command].make_context(command, words)


def test_every_command_is_told_somewhere_and_so_is_every_option():
    told = {line[1] for _, line in CALLS}
    assert sorted(set(main.commands) - told) == []
    text = " ".join(map(text_of, WRITTEN))
    options = {name for one in main.commands.values() for param in one.params for name in param.opts}
    assert sorted(name for name in options if name.startswith("--") and name not in text) == []


def test_what_make_is_asked_for_is_in_the_makefile():
    phony = set(re.search(r"^\.PHONY: (.+)$", text_of(ROOT / "Makefile"), re.MULTILINE)[1].split())
    asked = {line[1] for path in WRITTEN for line in commands(path) if line[0] == "make"}
    assert sorted(asked - phony) == []
    assert sorted(phony - asked - {"airflow", "clean"}) == []


# --- names --------------------------------------------------------------------------------------


@each_document(DOCUMENTS)
def test_links_and_pictures_lead_somewhere(path):
    links = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text_of(path)))
    inside = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not (path.parent / link.partition("#")[0]).exists()] == []


@each_document()
def test_paths_that_are_named_exist(path):
    named = [code.split()[-1] for code in INLINE.findall(text_of(path))]
    named += [word for line in commands(path) for word in line if line[0] in ("python", "cp")]
    inside = [name for name in named if re.match(r"(tradelib|tests|notebooks|\.ci)/", name)]
    missing = [name for name in inside if not [*ROOT.glob(name.split("::")[0].rstrip("/"))]]
    assert missing == []


@each_document()
def test_notebooks_that_are_named_exist(path):
    named = set(re.findall(r"`(\w+\.ipynb)`", text_of(path))) - {"mine.ipynb"}
    there = {one.name for one in (ROOT / "notebooks").glob("*.ipynb")}
    assert sorted(name for name in named - there if not name.startswith("korea")) == []


@each_document()
def test_public_names_are_public(path):
    named = set(re.findall(r"\btl\.(\w+)", text_of(path)))
    assert sorted(named - set(tl.__all__)) == []


def has(dotted: str) -> bool:
    """Whether a module, or a brief, has a name: `publishers.SOURCES`, `brief.add`."""
    module, name = dotted.split(".")
    paths = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "tradelib").rglob(f"{module}.py")]
    found = [importlib.import_module(".".join(path.parts)) for path in paths]
    return any(hasattr(one, name) for one in [*found, *[tl.Brief] * (module == "brief")])


def test_functions_that_contributing_names_exist():
    text = text_of(ROOT / "CONTRIBUTING.md")
    named = [code for code in INLINE.findall(text) if re.fullmatch(r"[a-z_]+\.\w+", code)]
    named = [code for code in named if code.rpartition(".")[2] not in ("md", "py", "toml", "ipynb")]
    assert len(named) > 10 and [code for code in named if not has(code)] == []


def test_the_picture_of_the_house_is_the_contract_of_its_layers():
    contract = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    picture = text_of(ROOT / "CONTRIBUTING.md").partition("    cli  ")[1:]
    lines = itertools.takewhile(lambda line: line.startswith("    "), "".join(picture).splitlines())
    assert [re.split(r"\s{2,}", line.strip())[0] for line in lines] == contract["layers"]


def test_variables_of_the_environment_are_told_and_no_others():
    pattern = r"\b(TRADELIB_[A-Z_]+|CENSUS_API_KEY|BEA_API_KEY)\b"
    code = " ".join(text_of(path) for path in (ROOT / "tradelib").rglob("*.py"))
    text = " ".join(map(text_of, WRITTEN))
    assert set(re.findall(pattern, text)) == set(re.findall(pattern, code))


def test_tests_that_are_named_exist():
    named = {hit for path in DOCUMENTS for hit in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text_of(path))}
    missing = [
        name for file, name in named if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert len(named) > 20 and missing == []


def test_every_fault_that_is_told_names_a_test():
    rows = text_of(GUIDES / "reliability.md").split("|:--|:--|:--|\n")[1].split("\n\n")[0].splitlines()
    assert [row for row in rows if row.count("|") != 4 or "::test_" not in row.split("|")[3]] == []


def test_every_notebook_and_every_guide_stands_in_the_readme():
    text = text_of(README)
    assert [path.name for path in (ROOT / "notebooks").glob("*.ipynb") if f"`{path.name}`" not in text] == []
    assert [path.name for path in GUIDES.glob("*.md") if f"(notebooks/guides/{path.name})" not in text] == []


def test_every_folder_of_the_house_stands_in_the_readme():
    folders = [path.parent.name for path in (ROOT / "tradelib").glob("*/__init__.py")]
    assert [name for name in folders if f"| `tradelib/{name}/` |" not in text_of(README)] == []


# --- facts --------------------------------------------------------------------------------------


def fact_rows() -> list[str]:
    """The first cells of the guide's table of facts."""
    _, _, rows = text_of(GUIDES / "facts.md").partition("| id | what |\n|:--|:--|\n")
    told = itertools.takewhile(lambda row: row.startswith("|"), rows.splitlines())
    return [row.strip("| ").split(" | ")[0] for row in told]


def spelled_out(text: str) -> list[str]:
    """'a.{b,c}.d' -> a.b.d, a.c.d"""
    parts = [part.split(",") for part in re.split(r"\{([^}]*)\}", text)]
    return ["".join(one) for one in itertools.product(*parts)]


def ids_of(cell: str) -> set[str]:
    """Every id that a cell names; `a.b`, `.c` is a.b and a.c."""
    first, *others = INLINE.findall(cell)
    stem = first.rsplit(".", 1)[0]
    every = [first, *(stem + one if one.startswith(".") else one for one in others)]
    return {id for one in every for id in spelled_out(one)}


@pytest.fixture(scope="module")
def facts() -> dict:
    """A fact for every pattern that the code writes in some briefs."""
    briefs = [sheet(who, release) for who, release in BRIEFS]
    return {codebook.pattern(id): fact for one in briefs for id, fact in one.items()}


def test_ids_of_the_guide_are_spelled_out():
    assert ids_of("`a.{x,y}.m`, `.m.change`") == {"a.x.m", "a.y.m", "a.x.m.change", "a.y.m.change"}
    assert ids_of("`a.b`, `.rank`, `c.d`") == {"a.b", "a.rank", "c.d"}


def test_the_guide_names_every_fact_id_and_no_other(facts):
    finer = {name.removesuffix("_nsa").rsplit("_", 1)[1] for name in DETAIL_TABLES}
    written = {*facts, *(f"commodity.{kind}.contributions" for kind in finer)}
    told = set().union(*map(ids_of, fact_rows()))
    assert sorted(written - told) == [], "not in the guide"
    assert sorted(told - written) == [], "in the guide only"


def test_the_guide_names_every_unit_and_every_field_of_a_fact(facts):
    text = text_of(GUIDES / "facts.md").partition("## Their ids")[0]
    assert sorted({fact.unit for fact in facts.values() if f"`{fact.unit}`" not in text}) == []
    assert [name for name in facts["goods.exports.ytd"].to_dict() if f"`{name}`" not in text] == []


# --- form ---------------------------------------------------------------------------------------


def test_the_readme_is_short_and_uses_no_word_of_the_house_that_it_does_not_explain():
    text = text_of(README)
    assert len(text.splitlines()) <= 200
    assert len(text_of(ROOT / "CONTRIBUTING.md").splitlines()) <= 150
    assert re.findall(r"\b(?:sheet|take|snapshot|universe)s?\b", text) == []
    for word in ("release", "partner", "vintages", "statistical month", "as-of date"):
        assert f"*{word}*" in text, "explained where it first stands, in italics"


def test_the_public_domain_is_told_where_the_sources_are():
    assert "public domain" in text_of(GUIDES / "sources.md") and "public domain" in text_of(README)


def test_pictures_are_small_and_each_is_shown():
    pictures = [*(ROOT / "notebooks" / "pictures").iterdir()]
    text = " ".join(map(text_of, WRITTEN))
    assert [path.name for path in pictures if path.stat().st_size > 150_000] == []
    assert [path.name for path in pictures if f"pictures/{path.name})" not in text] == []


if __name__ == "__main__" and sys.argv[1:] == ["--renew"]:
    renew()
