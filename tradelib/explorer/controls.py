"""What can be picked in explore.ipynb: the controls, their options, and the choice they make together."""

from datetime import date
from functools import lru_cache
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from tradelib import loaders
from tradelib import releases as calendar
from tradelib.errors import TradelibError
from tradelib.explorer.views import BASES, MEASURES, Choice, comparable, every_partner
from tradelib.partners import all_partners, resolve, summed_groups
from tradelib.store.vintages import list_vintages
from tradelib.tables import GOODS, TRADE

ANOTHER = "another day"
#: The windows of months and of quarters that stand for each other when the basis changes.
TWINS = {"month": "quarter", "twelve months": "four quarters", "quarter": "month"}
TWINS |= {"four quarters": "twelve months"}
NAMES = {
    "partner": "Partner",
    "second": "Second",
    "release": "Release",
    "as_of": "As of",
    "day": "Day",
    "compare": "Compare with",
    "basis": "Basis",
    "measure": "Measure",
    "window": "Window",
}
LABEL, WIDE = "6.2rem", "24rem"
Options = list[tuple[str, str]]


def make(choice: Choice) -> dict[str, widgets.Widget]:
    """Make the controls, set to a choice; what is not among their options is added, to be answered in words.

    Examples
    --------
    >>> controls = make(Choice("KOR", "2018-07"))
    >>> controls["partner"].label, controls["window"].options
    ('Korea, South', ('month', 'year to date', 'twelve months'))
    """
    offered = {
        "partner": partners(),
        "second": [("none", ""), *partners()],
        "release": releases(),
        "as_of": days(choice.release),
        "compare": vintages_of(choice),
        "basis": [(basis.title, name) for name, basis in BASES.items()],
        "measure": [(name, name) for name in MEASURES],
        "window": windows(choice.basis),
    }
    given = {name: getattr(choice, name) for name in offered}
    for name in ("partner", "second"):
        given[name] = _code(given[name])
    release = _release(choice.release)
    if release and given["as_of"] == str(release.default_as_of):
        given["as_of"] = ""
    controls = {name: _control(name, options, given[name]) for name, options in offered.items()}
    controls["day"] = widgets.DatePicker(**_look("day"))
    controls["day"].layout.display = "none"
    return controls


def _code(text: str) -> str:
    try:
        return resolve(text).code if text else ""
    except TradelibError:
        return text


def _control(name: str, options: Options, value: str) -> widgets.Widget:
    if value not in [one for _, one in options]:
        options = [*options, (value, value)]
    if name in ("measure", "window"):
        buttons = widgets.ToggleButtons(options=[one for _, one in options], value=value, **_look(name))
        buttons.style.button_width, buttons.layout.width = "auto", "auto"
        return buttons
    return widgets.Dropdown(options=options, value=value, **_look(name))


def _look(name: str) -> dict:
    style, layout = {"description_width": LABEL}, {"width": WIDE, "max_width": "100%"}
    return {"description": NAMES[name], "style": style, "layout": layout}


def arrange(controls: dict[str, widgets.Widget]) -> widgets.Widget:
    """Lay the controls out in rows that wrap on a narrow screen."""
    rows = (("partner", "second"), ("release", "as_of", "day"), ("basis", "compare"), ("measure", "window"))
    shown = controls | {name: _beside(controls[name], NAMES[name]) for name in ("measure", "window")}
    wrap = {"flex_flow": "row wrap"}
    return widgets.VBox([widgets.HBox([shown[name] for name in row], layout=wrap) for row in rows])


def _beside(buttons: widgets.ToggleButtons, name: str) -> widgets.Widget:
    """Put a row of buttons beside its name, where a list has it too."""
    buttons.description = ""
    label = widgets.Label(
        name, layout={"width": LABEL, "justify_content": "flex-end", "margin": "2px 8px 2px 2px"}
    )
    return widgets.HBox([label, buttons], layout={"min_width": WIDE})


def read(controls: dict[str, widgets.Widget]) -> Choice:
    """Read the choice off the controls."""
    picked = {name: control.value for name, control in controls.items() if name != "day"}
    if picked["as_of"] == ANOTHER:
        day = controls["day"].value
        picked["as_of"] = day.isoformat() if day else ""
    return Choice(**picked)


def fit(controls: dict[str, widgets.Widget]) -> None:
    """After a change, offer what goes with it: windows of the basis, days and vintages of the release."""
    choice = read(controls)
    _offer(controls["as_of"], days(choice.release))
    _offer(controls["compare"], vintages_of(choice))
    window, allowed = controls["window"], [one for one, _ in windows(choice.basis)]
    if list(window.options) != allowed:
        kept = choice.window if choice.window in allowed else TWINS.get(choice.window)
        window.options = allowed
        window.value = kept if kept in allowed else allowed[0]
    controls["day"].layout.display = "" if controls["as_of"].value == ANOTHER else "none"


def _offer(control: widgets.Dropdown, options: Options) -> None:
    """Replace the options of a list, and keep what is picked if it is still among them."""
    if list(control.options) != options:
        kept = control.value
        control.options = options
        control.value = kept if kept in [one for _, one in options] else options[0][1]


def partners() -> Options:
    """List who can be picked: countries by name, then the world and the groups that have figures."""
    return list(_partners_in(list_vintages(GOODS)[-1].path))


@lru_cache(maxsize=4)
def _partners_in(path: Path) -> tuple[tuple[str, str], ...]:
    known = all_partners().set_index("code")
    codes = set(every_partner(path).index.unique("partner")) | set(summed_groups())
    rows = known[known.index.isin(codes)]
    first = rows[rows["kind"] == "country"].sort_values("name", key=lambda names: names.str.casefold())
    others = rows[rows["kind"].isin(["world", "group"])]
    return tuple((name, code) for part in (first, others) for code, name in part["name"].items())


def releases() -> Options:
    """List the statistical months that the country table reaches, newest first, and when each came out."""
    vintages = list_vintages(GOODS)
    months = pd.period_range(vintages[0].since, max(v.through for v in vintages), freq="M")[::-1]
    found = [calendar.release(str(month)) for month in months]
    return [(f"{one.month}{_out(one.published)}", one.month) for one in found]


def _out(day: date | None) -> str:
    return f" (published {day})" if day else ""


def _release(month: str) -> calendar.Release | None:
    """Look up a release; None for what is no month, which the view tells in words."""
    try:
        return loaders.find_release(month)
    except TradelibError:
        return None


def days(release: str) -> Options:
    """List the days whose knowledge can be asked for: publication, each vintage since, another one.

    Examples
    --------
    >>> days("2018-07")[:2]
    [('publication day, 2018-09-05', ''), ('2018-10-05', '2018-10-05')]
    """
    out = _release(release)
    if out is None:
        return [("publication day", "")]
    first = f"publication day, {out.published}" if out.published else f"when surely out, {out.default_as_of}"
    dates = {v.published for table in (GOODS, TRADE) for v in list_vintages(table)}
    later = [(str(day), str(day)) for day in sorted(dates) if day > out.default_as_of]
    return [(first, ""), *later, (f"{ANOTHER} ...", ANOTHER)]


def vintages_of(choice: Choice) -> Options:
    """List the vintages that can be compared with."""
    if choice.basis not in BASES or _release(choice.release) is None:
        return [("no other vintage", "")]
    found = [str(vintage.published) for vintage in comparable(choice)]
    return [("no other vintage", ""), *((f"vintage of {day}", day) for day in found)]


def windows(basis: str) -> Options:
    """List the windows that a basis allows."""
    allowed = BASES[basis].windows if basis in BASES else ()
    return [(name, name) for name in allowed]


def stem(choice: Choice) -> str:
    """Name a file after a choice.

    Examples
    --------
    >>> stem(Choice("KOR", "2018-07", second="JPN", as_of="2018-10-05"))
    'korea-south.japan.2018-07.as-of-2018-10-05.census-goods.balance.year-to-date'
    """
    who = [resolve(text).slug for text in (choice.partner, choice.second) if text]
    when = [choice.release, *([f"as-of-{choice.as_of}"] if choice.as_of else [])]
    when += [f"against-{choice.compare}"] if choice.compare else []
    return ".".join([*who, *when, choice.basis, choice.measure, choice.window]).replace(" ", "-")
