"""One release -> one dated brief: notebook, HTML page and facts. The only module that runs papermill.

A run happens in a temporary folder beside its target; finished files are moved into place by
atomic rename, so that a failed or killed run never touches a good brief.
"""

import copy
import hashlib
import importlib
import json
import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from tradelib import vintages
from tradelib.errors import TradelibError
from tradelib.facts import facts_of
from tradelib.factsheet import Sheet, document
from tradelib.narrative import headline, title
from tradelib.partners import resolve
from tradelib.provenance import COMPLETED
from tradelib.snapshot import take

HERE = Path(__file__).parent
PARAMETERS = {"partner", "release", "as_of"}
SECRETS = ("CENSUS_API_KEY", "BEA_API_KEY")
CELL_TIMEOUT = 300
BRIEF = "release.ipynb"
LONGEST_SOCKET = 90  # characters; systems allow 103 or more


@dataclass(frozen=True, slots=True)
class Made:
    """What a report run left behind: its files, its headline, and whether anything was run."""

    paths: tuple[Path, ...]
    headline: str
    notices: tuple[str, ...]
    ran: bool


def make_report(
    partner: str,
    release: str,
    *,
    as_of: str | None = None,
    strict: bool = False,
    force: bool = False,
    reports: Path = Path("reports"),
    notebook: Path | None = None,
    progress: bool = False,
) -> Made:
    """Make the dated brief of one partner and release.

    Parameters
    ----------
    partner : str
        Schedule C code, ISO code or name.
    release : str
        Statistical month of the FT-900, YYYY-MM.
    as_of : str, optional
        ISO date; the release's publication day unless given. Another day is part of the name.
    strict : bool
        Refuse where only later vintages reach the release.
    force : bool
        Run even if a brief from the same inputs is there.
    reports : Path
        Folder of the briefs: `reports/<publication date>/<partner>.ipynb`, `.html`, `.facts.json`.
    notebook : Path, optional
        A notebook with the parameters `partner`, `release` and `as_of`, instead of release.ipynb.
    progress : bool
        Show a progress bar.

    Returns
    -------
    Made

    Raises
    ------
    TradelibError
        If a parameter is wrong (before any kernel starts), the folder cannot be written, or the
        run fails; a failed notebook is kept as `<partner>.failed.ipynb`.

    Examples
    --------
    >>> make_report("KOR", "2018-13")
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: '2018-13' is not a month.
      A release is named by its statistical month, YYYY-MM, such as 2018-07.
      See the known ones with `tradelib releases`.
    """
    who = resolve(partner)
    snapshot = take(release, as_of=as_of, strict=strict)
    blank = Sheet(who, snapshot)  # names and dates; the facts are worked out while the kernel works
    source = notebook or _bundled_notebook()
    if not source.is_file():
        raise TradelibError(f"There is no notebook {source}.", "Give --notebook the path of an .ipynb file.")
    target, name = _target(blank, reports, source)
    record = _record(blank, source)
    paths = tuple(target / f"{name}{end}" for end in (".ipynb", ".html", ".facts.json"))
    if not force and _up_to_date(paths, record["fingerprint"]):
        return Made(paths, headline(facts_of(who, snapshot)), _notices(blank), ran=False)
    _check_parameters(source)
    with _workplace(target, name) as folder, ThreadPoolExecutor(1) as beside:
        sheet = beside.submit(facts_of, who, snapshot)
        finished = _run(source, folder, record, target / f"{name}.failed.ipynb", progress)
        sheet = sheet.result()
        texts = {
            paths[2]: json.dumps(document(sheet) | {"tradelib": record}, indent=1, ensure_ascii=False),
            paths[1]: _html(finished),
            paths[0]: json.dumps(finished, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
        }
        _refuse_secrets(texts)
        _promote(texts, folder)
    (target / f"{name}.failed.ipynb").unlink(missing_ok=True)
    return Made(paths, headline(sheet), _notices(sheet), ran=True)


def _bundled_notebook() -> Path:
    """release.ipynb: inside an installed package, or beside it in a checkout."""
    for folder in (HERE / "notebooks", HERE.parent / "notebooks"):
        if (folder / BRIEF).exists():
            return folder / BRIEF
    raise TradelibError(f"{BRIEF} is not installed.", "Reinstall tradelib, or name one with --notebook.")


def _check_parameters(source: Path) -> None:
    """Insist on the three parameters: papermill only warns of a misspelt one."""
    from papermill import inspect_notebook

    try:
        found = set(inspect_notebook(str(source)))
    except Exception as error:  # nbformat and json raise many kinds for a file that is no notebook
        raise TradelibError(f"{source} cannot be read as a notebook ({type(error).__name__}).") from None
    if not found >= PARAMETERS:
        raise TradelibError(
            f"{source.name} has the parameters {', '.join(sorted(found)) or 'none'}.",
            f"Its cell tagged 'parameters' must set {', '.join(sorted(PARAMETERS))}, a plain line each.",
        )


def _target(sheet: Sheet, reports: Path, source: Path) -> tuple[Path, str]:
    release, as_of = sheet.snapshot.release, sheet.snapshot.as_of
    folder = reports / (release.published.isoformat() if release.published else release.month)
    name = sheet.partner.slug
    if source.name != BRIEF:  # another notebook never takes the brief's place
        name += f".{source.stem}"
    if as_of != release.default_as_of:
        name += f".as-of-{as_of}"
    return folder, name


def _record(sheet: Sheet, source: Path) -> dict:
    """What the notebook's metadata records: version, vintages with hashes, parameters."""
    s = sheet.snapshot
    code = hashlib.sha256()
    for path in sorted([*HERE.glob("*.py"), *HERE.glob("data/*.csv"), *HERE.glob("templates/*/*")]):
        code.update(path.read_bytes())
    record = {
        "version": version("tradelib"),
        "code_sha256": code.hexdigest(),
        "notebook": source.name,
        "notebook_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "title": title(sheet).lstrip("# "),
        "parameters": {
            "partner": sheet.partner.code,
            "release": s.release.month,
            "as_of": s.as_of.isoformat(),
        },
        "vintages": [
            vintages.summary(vintage) | {"lag_days": s.lag(table)} for table, vintage in s.sources.items()
        ],
    }
    canonical = json.dumps(record, sort_keys=True).encode()
    return record | {"fingerprint": hashlib.sha256(canonical).hexdigest()}


def _up_to_date(paths: tuple[Path, ...], fingerprint: str) -> bool:
    """All three files are there and each was made from these inputs."""
    try:
        return all(fingerprint in path.read_text(encoding="utf-8") for path in paths)
    except (OSError, UnicodeDecodeError):
        return False


@contextmanager
def _workplace(target: Path, name: str):
    """Make a temporary folder beside the target; sweep up what killed runs left there."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        for left in target.glob(f".{name}.*.tmp"):
            if not _alive(int(left.name.split(".")[-3])):
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{name}.{os.getpid()}.", suffix=".tmp", dir=target))
    except OSError as error:
        raise TradelibError(
            f"Cannot write to {target}: {error.strerror or error}.",
            "Give a folder of yours with --reports. Nothing was run.",
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _run(source: Path, folder: Path, record: dict, failed: Path, progress: bool) -> dict:
    """Run the notebook in a kernel; keep it as `.failed.ipynb` if it does not come to its end."""
    import nbformat
    import papermill

    # nbconvert takes a while to import: let it, while the kernel works
    threading.Thread(target=importlib.import_module, args=("nbconvert",), daemon=True).start()
    output = folder / "run.ipynb"
    try:
        with tempfile.TemporaryDirectory(prefix="tradelib-", ignore_cleanup_errors=True) as sockets:
            papermill.execute_notebook(
                str(source),
                str(output),
                parameters=record["parameters"],
                kernel_name="python3",
                progress_bar=progress,
                execution_timeout=CELL_TIMEOUT,
                log_output=False,
                config=_kernel_config(Path(sockets)),
            )
        finished = nbformat.read(output, as_version=4)
        if not _reached_end(finished):
            raise RuntimeError(f"it ended before its last cell, which shows {COMPLETED!r}")
    except Exception as error:  # whatever a cell or the kernel raised, the user needs the same
        reason = str(getattr(error, "evalue", "") or error).strip().splitlines()[:1]
        if output.exists():
            output.replace(failed)
        raise TradelibError(
            f"The notebook failed: {getattr(error, 'ename', type(error).__name__)}: {' '.join(reason)}",
            f"It is kept, as far as it ran: {failed}" if failed.exists() else "It did not start.",
            "A brief made earlier is untouched.",
        ) from None
    finished.metadata["tradelib"] = record
    run = finished.metadata.get("papermill", {})
    for place in ("input_path", "output_path"):  # no path of a machine in a published notebook
        run[place] = source.name
    return finished


def _kernel_config(sockets: Path):
    """Talk to the kernel through files where the system can, not through open TCP ports.

    Each run has a folder of its own for them: left to itself, every kernel started in one working
    directory would use the same names, and runs at the same time would hear each other.
    """
    from traitlets.config import Config

    address = str(sockets / "k")
    if os.name == "nt" or len(address) > LONGEST_SOCKET:
        return Config({"KernelManager": {"transport": "tcp"}})
    return Config({"KernelManager": {"transport": "ipc", "ip": address}})


def _reached_end(finished: dict) -> bool:
    last = [cell for cell in finished.cells if cell.cell_type == "code"][-1]
    return COMPLETED in json.dumps(last.get("outputs", []))


def _html(finished: dict) -> str:
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="brief",
        extra_template_basedirs=[str(HERE / "templates")],
        exclude_input=True,
        exclude_output_prompt=True,
    )
    page = copy.deepcopy(finished)
    page["metadata"].pop("widgets", None)  # their state needs scripts; a page shows what is beside them
    return exporter.from_notebook_node(page)[0]


def _refuse_secrets(texts: dict[Path, str]) -> None:
    for name in SECRETS:
        key = os.environ.get(name)
        if key and any(key in text for text in texts.values()):
            raise TradelibError(
                f"The brief holds the value of {name}; it was not kept.", "Take the key out of the notebook."
            )


def _promote(texts: dict[Path, str], folder: Path) -> None:
    """Write all files aside first, then rename each into place."""
    try:
        for path, text in texts.items():
            (folder / path.name).write_text(text, encoding="utf-8")
        for path in texts:
            (folder / path.name).replace(path)
    except OSError as error:
        raise TradelibError(f"Cannot write the brief: {error.strerror or error}.") from None


def _notices(sheet: Sheet) -> tuple[str, ...]:
    """What a reader must know before quoting: dates assumed, tables later than the as-of date."""
    s = sheet.snapshot
    lines = []
    if s.release.published is None:
        lines.append(f"Publication date of {s.release.month} is not established: filed under the month.")
    for table, vintage in s.sources.items():
        if s.lag(table):
            method = s.method(table, sheet.partner.code)
            kind = "Reconstructed" if method == "reconstructed" else "Later data"
            when = f"{s.lag(table):,} days after {s.as_of}"
            lines.append(f"{kind}: {table} is of {vintage.published}, {when}.")
    return tuple(lines)
