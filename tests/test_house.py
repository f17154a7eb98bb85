"""The house: a small core, folders that say what is in them, and rules that keep it so."""

import ast
import re

import pytest
from helpers import ROOT

HOUSE = ROOT / "tradelib"
MODULES = sorted(path for path in HOUSE.rglob("*.py") if "data" not in path.parts)
FOLDERS = sorted({path.parent for path in MODULES} - {HOUSE})
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}
LONGEST = 50  # lines of a function's body, its docstring apart


def name_of(path) -> str:
    return str(path.relative_to(ROOT))


def test_the_top_of_the_package_is_taken_in_at_a_glance():
    shown = [path.name for path in HOUSE.iterdir() if path.name != "__pycache__"]
    assert len(shown) <= 22, sorted(shown)
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in HOUSE.glob("*.py"))
    assert lines <= 2500, f"{lines} lines in the core"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_folder_says_what_it_is_for_and_lists_its_rooms(folder):
    told = ast.get_docstring(TREES[folder / "__init__.py"])
    first, *rooms = [line for line in told.splitlines() if line.strip()]
    assert first.endswith("."), first
    heads = [re.match(r"- ((?:`\w+`(?:, )?)+)", line) for line in rooms]
    listed = [name for head in heads if head for name in re.findall(r"\w+", head[1])]
    there = sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")
    assert sorted(listed) == there, folder
    assert len(TREES[folder / "__init__.py"].body) == 1, "no code, and nothing re-exported"


def functions():
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield path, node


def test_a_function_fits_on_a_screen():
    for path, node in functions():
        told = ast.get_docstring(node, clean=False)
        body = node.end_lineno - node.lineno + 1 - (len(told.splitlines()) + 1 if told else 0)
        assert body <= LONGEST, f"{name_of(path)}:{node.lineno} {node.name}: {body} lines"


def test_arguments_are_passed_by_name():
    for path in MODULES:
        packed = re.findall(r"^\s+\*\(.*", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not packed, (name_of(path), packed)


def test_no_module_reaches_into_the_private_names_of_another():
    modules = {path.stem for path in MODULES}
    for path, tree in TREES.items():
        imported = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tradelib"):
                private = [one.name for one in node.names if one.name.startswith("_")]
                assert not private, (name_of(path), private)
                imported |= {one.asname or one.name for one in node.names if one.name in modules}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                reached = node.value.id in imported and re.match(r"_[a-z]", node.attr)
                assert not reached, f"{name_of(path)}:{node.lineno}: {node.value.id}.{node.attr}"
