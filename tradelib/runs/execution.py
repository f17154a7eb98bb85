"""A notebook run by papermill in a kernel of its own, from its first cell to its last."""

import ast
import itertools
import json
import re
import threading
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from tradelib.errors import TradelibError
from tradelib.runs.finished import INJECTED, UNSHOWN, cause_of_early_end, mark_cells
from tradelib.runs.jobs import CELL_LIMIT, SUBJECT, Notebook
from tradelib.sources import keys
from tradelib.store.files import scratch
from tradelib.store.yaml_fields import plain

PLAIN, WARM = "python3", "tradelib-warm"
PYTHON = {"name": PLAIN, "display_name": "Python 3", "language": "python"}
ADDRESS = re.compile(r" at 0x[0-9a-f]+>")  # of an object, in the memory of a process that has ended
STYLED = re.compile(r'<table id="(T_[0-9a-f]{5})"')  # pandas draws the name of a styled table at random
#: Types of a parameter that are checked, and what each is in words.
EXPECTED = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "a text"}
EXPECTED |= {"list": "a list", "dict": "a mapping"}
NEAR = 0.75  # how like `release` a name must be to be a slip of the pen: "relaese" is, "article" is not
#: No cell goes into the user's IPython history, for which kernels would queue; and no word of a kernel on
#: the interrupt that Jupyter sends it before its end.
KERNEL_OPTIONS = ["--HistoryManager.hist_file=:memory:", "--log-level=CRITICAL"]
#: Errors whose every line is written for the user.
OURS = ("TradelibError", "UnknownFact", "PartnerError", "NoRows", "CheckError", "FetchError")

_importing = threading.Lock()


class NotebookFailed(TradelibError):
    """A notebook raised an error, ended before its last cell, or says something else than its facts."""


def check_parameters(notebook: Notebook, given: Mapping[str, object] | None = None) -> dict[str, object]:
    """Return further parameters, as `Fields.values` reads them, in the types that a notebook declares.

    One that it does not declare is refused, and so is a declared name that is nearly `partner`, `release` or
    `as_of`: papermill would only warn, and the page would be of another partner than its name says.
    """
    given, declared = given or {}, parameters_of(notebook)
    for name in SUBJECT:
        near = get_close_matches(name, declared.keys() - SUBJECT, n=1, cutoff=NEAR)
        if near and name not in declared:
            raise TradelibError(
                f"{notebook.name} has a parameter {near[0]} and none named {name}.",
                f"Name it {name}, or something that is not so near to it.",
            )
    if not given.keys() <= declared.keys():
        lacking, names = sorted(given.keys() - declared.keys()), ", ".join(sorted(declared)) or "none"
        raise TradelibError(
            f"{notebook.name} has no parameter {', '.join(lacking)}.", f"Its parameters are {names}."
        )
    return {name: _typed(name, text, declared[name]) for name, text in given.items()}


@lru_cache(maxsize=16)
def parameters_of(notebook: Notebook) -> dict[str, str]:
    """Read the names and types in a notebook's cell tagged `parameters`; empty where it has none."""
    import nbformat  # with papermill it takes a second to import
    from papermill import inspect_notebook

    try:
        book = nbformat.reads(notebook.text, as_version=4)
        json.dumps(book, ensure_ascii=False).encode()  # half a character can be written nowhere
        if not any("parameters" in cell.metadata.get("tags", []) for cell in book.cells):
            return {}
        book.metadata["kernelspec"] = PYTHON  # some editors name none, or one of theirs
        with scratch() as folder:
            path = folder / notebook.name
            path.write_bytes(nbformat.writes(book).encode())
            found = inspect_notebook(str(path))
    except Exception as error:  # nbformat and json raise many kinds for a file that is no notebook
        raise TradelibError(
            f"{notebook.name} cannot be read as a notebook ({type(error).__name__})."
        ) from None
    return {name: _kind(str(told["inferred_type_name"]), told["default"]) for name, told in found.items()}


def _kind(annotated: str, default: str) -> str:
    """The type of a parameter: as its line says, else that of its value; empty where neither tells."""
    if annotated not in ("None", ""):
        return annotated.split("[")[0].strip()
    try:
        return type(ast.literal_eval(default)).__name__.replace("NoneType", "")
    except (ValueError, SyntaxError, RecursionError):
        return ""


def _typed(name: str, value: object, kind: str) -> object:
    """A parameter as the type of its line in the notebook; of a type not known here, as YAML means it."""
    read = {"int": int, "float": float, "bool": {"true": True, "false": False}.__getitem__, "str": str}
    if kind not in EXPECTED:
        return plain(value)
    try:
        if kind in read and isinstance(value, str):
            return read[kind](value)
        if type(value).__name__ == kind:
            return plain(value)
    except (ValueError, KeyError):
        pass
    raise TradelibError(f"The parameter {name} is {plain(value)!r}, not {EXPECTED[kind]}.")


def import_libraries() -> None:
    """Import what a run needs, one thread at a time: two at once can lock each other."""
    with _importing:
        import nbconvert  # noqa: F401
        import papermill  # noqa: F401

        from tradelib.runs import engine, warm  # noqa: F401


def execute(
    notebook: Notebook,
    parameters: Mapping,
    folder: Path,
    *,
    kernel: str = PLAIN,
    limit: int = CELL_LIMIT,
    progress: bool = False,
) -> dict:
    """Run a notebook from its first cell to its last, with those of the parameters that it declares.

    `folder` is where to work: `run.ipynb` is there after a failure, as far as it ran. A cell may take `limit`
    seconds. No path of this machine is in the notebook, and no key in the kernel's environment.
    """
    import_libraries()
    import nbformat
    import papermill

    from tradelib.runs import engine

    declared = parameters_of(notebook)
    source, book = folder / notebook.name, None
    source.write_bytes(notebook.text.encode())
    try:
        book = papermill.execute_notebook(
            str(source),
            None,
            parameters={name: value for name, value in parameters.items() if name in declared},
            kernel_name=kernel,
            language=PYTHON["language"],
            prepare_only=True,
        )
        for place in ("input_path", "output_path"):  # no path of a machine in a notebook, failed or not
            book.metadata["papermill"][place] = notebook.name
        with scratch() as sockets:
            engine.run(
                book,
                kernel,
                progress_bar=progress,
                execution_timeout=limit,
                extra_arguments=KERNEL_OPTIONS,
                config=engine.kernel_config(sockets),
            )
        if cause := cause_of_early_end(book):
            raise RuntimeError(cause)
    except Exception as error:  # whatever a cell or the kernel raised, the user needs the same
        if book:
            (folder / "run.ipynb").write_bytes(nbformat.writes(book).encode(errors="backslashreplace"))
        raise NotebookFailed(*_what_failed(error)) from None
    _take_chance_out(book)
    book = _widgets_numbered(book)
    mark_cells(book)
    return book


def _what_failed(error: Exception) -> list[str]:
    """Say what a cell or the kernel raised: all that an error of ours says, and in which cell."""
    name = getattr(error, "ename", type(error).__name__)
    first, *advice = str(getattr(error, "evalue", "") or error).strip().splitlines() or [""]
    told = [f"The notebook failed: {name}: {first}"]
    if name in OURS:
        told += [line.strip() for line in advice]
    if source := getattr(error, "source", ""):
        count = getattr(error, "exec_count", None)
        told.append(f"In code cell {count}, which begins: {source.strip().splitlines()[0][:80]}")
    if name == "CellTimeoutError":
        told.append("`--cell-limit SECONDS` gives each cell longer.")
    return [keys.cut(line) for line in told]


def _take_chance_out(finished: dict) -> None:
    """Leave nothing but times to differ between two runs of the same notebook."""
    tables = itertools.count(1)
    for cell in finished.cells:
        if INJECTED in cell.metadata.get("tags", []):
            cell["id"] = INJECTED  # papermill draws one at random
        if "outputs" in cell:
            cell["outputs"] = _prints_joined(cell["outputs"])
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for kind in UNSHOWN & data.keys():  # in the order in which a file keeps them
                data[kind] = json.loads(json.dumps(data[kind], sort_keys=True))
            if "text/plain" in data:
                data["text/plain"] = ADDRESS.sub(">", data["text/plain"])
            if named := STYLED.search(data.get("text/html", "")):
                data["text/html"] = data["text/html"].replace(named[1], f"T_{next(tables):05}")


def _widgets_numbered(finished: dict) -> dict:
    """Name the controls of a notebook by number, in the order in which they were made, not at random."""
    import nbformat

    kept = finished["metadata"].get("widgets", {}).values()
    names = [name for one in kept for name in one.get("state", {})]
    numbers = {name: f"{number:032x}" for number, name in enumerate(names, 1)}
    if not numbers:
        return finished
    named = re.compile("|".join(map(re.escape, numbers)))
    return nbformat.from_dict(json.loads(named.sub(lambda found: numbers[found[0]], json.dumps(finished))))


def _prints_joined(outputs: list[dict]) -> list[dict]:
    """Join what was printed in one go: on a busy machine it comes in several pieces."""
    joined: list[dict] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and output.get("name") == last.get("name"):
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined
