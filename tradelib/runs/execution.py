"""A notebook run in a kernel of its own, and turned into a page. The only module that runs papermill."""

import copy
import importlib
import itertools
import os
import re
import tempfile
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tradelib.errors import TradelibError
from tradelib.runs.jobs import PARAMETERS, Job, Notebook

HERE = Path(__file__).parent
CELL_TIMEOUT = 300
LONGEST_SOCKET = 90  # characters; systems allow 103 or more
PLAIN, WARM = "python3", "tradelib-warm"
ADDRESS = re.compile(r" at 0x[0-9a-f]+>")  # of an object, in the memory of a process that has ended
STYLED = re.compile(r'<table id="(T_[0-9a-f]{5})"')  # pandas draws the name of a styled table at random
#: No cell goes into the user's IPython history, for which kernels would queue; and no word of a kernel on
#: the interrupt that Jupyter sends it before its end.
KERNEL_OPTIONS = ["--HistoryManager.hist_file=:memory:", "--log-level=CRITICAL"]
ENGINE = "tradelib"  # our name for papermill's engine as `_register_engine` sets it up


class NotebookFailed(TradelibError):
    """A notebook raised an error, or ended before its last cell."""


def check_parameters(notebook: Notebook, given: Mapping[str, str] | None = None) -> dict[str, object]:
    """Insist on the parameters of a notebook: papermill only warns of a misspelt one.

    Parameters
    ----------
    notebook : Notebook
    given : mapping of str to str, optional
        Further parameters it is to be run with, as text.

    Returns
    -------
    dict
        The further parameters as the notebook declares their types.

    Raises
    ------
    TradelibError
        If it lacks one, or a text is not of its type.

    Examples
    --------
    >>> from tradelib.runs.jobs import read_notebook
    >>> check_parameters(read_notebook("revisions.ipynb"), {"article": "kei-2018-09-05"})
    {'article': 'kei-2018-09-05'}
    >>> check_parameters(read_notebook(), {"colour": "red"})
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: release.ipynb has no parameter colour.
      Its parameters are as_of, partner, release.
    """
    from papermill import inspect_notebook

    given = given or {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, notebook.name)
        path.write_text(notebook.text, encoding="utf-8")
        try:
            found = inspect_notebook(str(path))
        except Exception as error:  # nbformat and json raise many kinds for a file that is no notebook
            raise TradelibError(
                f"{notebook.name} cannot be read as a notebook ({type(error).__name__})."
            ) from None
    names = ", ".join(sorted(found)) or "none"
    if not found.keys() >= PARAMETERS:
        needed = ", ".join(sorted(PARAMETERS))
        advice = f"Its cell tagged 'parameters' must set {needed}, a plain line each."
        raise TradelibError(f"{notebook.name} has the parameters {names}.", advice)
    if not given.keys() <= found.keys():
        lacking = ", ".join(sorted(given.keys() - found.keys()))
        raise TradelibError(f"{notebook.name} has no parameter {lacking}.", f"Its parameters are {names}.")
    kinds = {name: str(found[name]["inferred_type_name"]) for name in given}
    return {name: _typed(name, text, kinds[name]) for name, text in given.items()}


def _typed(name: str, text: str, kind: str) -> object:
    """A parameter's text as the type that its line in the notebook declares."""
    read = {"int": int, "float": float, "bool": {"true": True, "false": False}.__getitem__}
    try:
        return read.get(kind, str)(text)
    except (ValueError, KeyError):
        expected = {"bool": "true or false", "int": "a whole number", "float": "a number"}[kind]
        raise TradelibError(f"The parameter {name} is {text!r}, not {expected}.") from None


def execute(job: Job, folder: Path, *, kernel: str = PLAIN, progress: bool = False) -> dict:
    """Run a job's notebook from its first cell to its last.

    Parameters
    ----------
    job : Job
    folder : Path
        Where to work; `run.ipynb` is there afterwards, as far as it ran.
    kernel : str
        Jupyter's name of the kernel; `WARM` starts in a fraction of the time.
    progress : bool
        Show a progress bar.

    Returns
    -------
    NotebookNode
        The finished notebook; no path of this machine is in it.

    Raises
    ------
    NotebookFailed
        If it does not come to its end.
    """
    import nbformat
    import papermill

    _register_engine()
    # nbconvert takes a while to import: let it, while the kernel works
    threading.Thread(target=importlib.import_module, args=("nbconvert",), daemon=True).start()
    source, output = folder / job.notebook.name, folder / "run.ipynb"
    source.write_text(job.notebook.text, encoding="utf-8")
    try:
        with tempfile.TemporaryDirectory(prefix="tradelib-", ignore_cleanup_errors=True) as sockets:
            papermill.execute_notebook(
                str(source),
                str(output),
                parameters=job.record["parameters"],
                engine_name=ENGINE,
                kernel_name=kernel,
                progress_bar=progress,
                execution_timeout=CELL_TIMEOUT,
                log_output=False,
                extra_arguments=KERNEL_OPTIONS,
                config=kernel_config(Path(sockets)),
            )
        finished = nbformat.read(output, as_version=4)
        if not _reached_end(finished):
            raise RuntimeError("it ended before its last cell")
    except Exception as error:  # whatever a cell or the kernel raised, the user needs the same
        reason = str(getattr(error, "evalue", "") or error).strip().splitlines()[:1]
        name = getattr(error, "ename", type(error).__name__)
        raise NotebookFailed(f"The notebook failed: {name}: {' '.join(reason)}") from None
    finished.metadata["tradelib"] = job.record
    run = finished.metadata.get("papermill", {})
    for place in ("input_path", "output_path"):  # no path of a machine in a published notebook
        run[place] = job.notebook.name
    _take_chance_out(finished)
    return finished


def _take_chance_out(finished: dict) -> None:
    """Leave nothing but times to differ between two runs of the same notebook."""
    tables = itertools.count(1)
    for cell in finished.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill draws one at random
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/plain" in data:
                data["text/plain"] = ADDRESS.sub(">", data["text/plain"])
            if named := STYLED.search(data.get("text/html", "")):
                data["text/html"] = data["text/html"].replace(named[1], f"T_{next(tables):05}")


@cache
def _register_engine() -> None:
    """Teach papermill to write a notebook once, when it has ended, and not twice for each cell.

    Writing takes a fifth of the work of a brief in a sweep.
    """
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.iorw import write_ipynb

    class WriteAtEnd(NBClientEngine):
        @classmethod
        def execute_notebook(cls, nb, kernel_name, output_path=None, **options):
            try:
                return super().execute_notebook(nb, kernel_name, output_path=None, **options)
            except BaseException:  # the kernel died: papermill itself writes in all other cases
                write_ipynb(nb, output_path)
                raise

    papermill_engines.register(ENGINE, WriteAtEnd)


def kernel_config(folder: Path):
    """Talk to the kernel through files where the system can, not through open TCP ports.

    Each run has a folder of its own for them: left to itself, every kernel started in one working
    directory would use the same names, and runs at the same time would hear each other.
    """
    from traitlets.config import Config

    address = str(folder / "k")
    if os.name == "nt" or len(address) > LONGEST_SOCKET:
        return Config({"KernelManager": {"transport": "tcp"}})
    own = {"transport": "ipc", "ip": address, "connection_file": str(folder / "kernel.json")}
    return Config({"KernelManager": own})


def _reached_end(finished: dict) -> bool:
    cells = [cell for cell in finished.cells if cell.cell_type == "code" and cell.source.strip()]
    return all(cell.metadata.get("papermill", {}).get("status") == "completed" for cell in cells)


def headline_of(finished: dict) -> str:
    """The words of the cell that is tagged `headline`."""
    told = [
        str(output["data"].get("text/plain", ""))
        for cell in finished.cells
        if "headline" in cell.metadata.get("tags", [])
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    return " ".join(" ".join(told).split())


def page_of(finished: dict) -> str:
    """Turn a finished notebook into one page of HTML: no code, no scripts, nothing fetched.

    Figure n has the anchor `#figure-n`.
    """
    page = copy.deepcopy(finished)
    page["metadata"].pop("widgets", None)  # their state needs scripts; a page shows what is beside them
    number = itertools.count(1)
    return re.sub(
        r"<img\b", lambda _: f'<img id="figure-{next(number)}"', _exporter().from_notebook_node(page)[0]
    )


_one_page_at_a_time = threading.Lock()  # the exporter holds what it works on


@cache
def _exporter():
    """nbconvert's exporter with our template, which takes long to compile."""
    from nbconvert import HTMLExporter

    return HTMLExporter(
        template_name="brief",
        extra_template_basedirs=[str(HERE / "templates")],
        exclude_input=True,
        exclude_output_prompt=True,
    )


def figures_of(finished: dict) -> list[str]:
    """List the figures of a finished notebook by their alternative texts, in order."""
    outputs = [output for cell in finished.cells for output in cell.get("outputs", [])]
    shown = [output for output in outputs if "image/png" in output.get("data", {})]
    return [str(output["data"].get("text/plain", "")) for output in shown]
