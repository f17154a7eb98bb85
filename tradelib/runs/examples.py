"""Ready examples of a schedule: files to copy, in which a few lines are to be changed."""

from pathlib import Path

from tradelib.errors import TradelibError

FOLDER = Path(__file__).parents[1] / "data" / "examples"
#: What each example is made of.
FILES = {
    "cron": ("crontab",),
    "systemd": ("tradelib.service", "tradelib.timer"),
    "github": ("github-actions.yml",),
    "airflow": ("airflow_dag.py",),
}
NAMES = tuple(FILES)


def example(name: str) -> str:
    """Return the text of an example.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Returns
    -------
    str
        One file, or more with an empty line between them; the first line of each says where it goes.

    Raises
    ------
    TradelibError
        If there is no such example.

    Examples
    --------
    >>> example("cron").splitlines()[-1].split()[:7]
    ['*/10', '*', '*', '*', '*', 'tradelib', 'run-due']
    >>> example("launchd")
    Traceback (most recent call last):
    ...
    tradelib.errors.TradelibError: There is no example 'launchd'.
      Examples: cron, systemd, github, airflow.
    """
    if name not in FILES:
        raise TradelibError(f"There is no example {name!r}.", f"Examples: {', '.join(NAMES)}.")
    return "\n".join((FOLDER / file).read_text(encoding="utf-8") for file in FILES[name])
