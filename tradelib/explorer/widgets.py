"""The controls of explore.ipynb and what they show: a thin layer over `choice`, `chart` and `table`."""

import base64
import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import escape
from pathlib import Path

import ipywidgets as widgets
import numpy as np
import pandas as pd
from IPython.display import display
from PIL import Image

from tradelib.cards import PLAIN, safe
from tradelib.errors import TradelibError
from tradelib.explorer import choice as choices
from tradelib.explorer.chart import chart
from tradelib.explorer.choice import ANOTHER, BASES, MEASURES, Choice, Options, View, view_of
from tradelib.explorer.table import printed, table, tsv
from tradelib.partners import resolve
from tradelib.runs import report
from tradelib.runs.jobs import EDITED
from tradelib.store.vintages import list_vintages
from tradelib.style import words
from tradelib.style.house import WIDTH, Chart, alt_text
from tradelib.tables import GOODS, TARIFFS, TRADE

#: Of a folder that holds a project: its briefs are in `reports` there, whichever folder a notebook is in.
PROJECT = ("reports", ".git", "pyproject.toml")
USUAL = 8.0  # seconds that a brief takes: how fast the bar fills
#: The controls as they stand, two or three in a row, by the names that a choice has for them.
ROWS = (("partner", "second"), ("release", "as_of", "day"), ("basis", "compare"), ("measure", "window"))
BUTTONS = ("measure", "window")  # the others are lists
#: The windows of months and of quarters that stand for each other when the basis changes.
TWINS = {"month": "quarter", "twelve months": "four quarters", "quarter": "month"}
TWINS |= {"four quarters": "twelve months"}
LABEL, WIDE = "6.2rem", "24rem"
COPY = """<button class="jupyter-widgets jupyter-button widget-button" style="width: auto"
 onclick="const t = this.nextElementSibling, b = this; const done = () => {{ b.textContent = 'Copied';
 setTimeout(() => b.textContent = 'Copy table', 3000); }};
 const old = () => {{ t.hidden = false; t.select(); document.execCommand('copy'); t.hidden = true; done(); }};
 navigator.clipboard ? navigator.clipboard.writeText(t.value).then(done, old) : old();"
>Copy table</button><textarea hidden>{text}</textarea>"""
NO_KERNEL = "<p><em>The controls need a running kernel: open this notebook in JupyterLab.</em></p>"


def still(choice: Choice):
    """Show the chart and the table of a choice, for a page without a kernel; or say what cannot be had."""
    try:
        view = view_of(choice)
    except TradelibError as error:
        return words.Text(_sentence(error))
    display(chart(view))
    return printed(view)


class Explorer:
    """The controls, the chart and the table: the last line of a cell shows them.

    Parameters
    ----------
    choice : Choice
        What is picked at first.
    reports : Path, optional
        Folder for briefs and saved figures; `reports` of the project that the notebook is in, where
        `make report` writes too, unless given.

    Attributes
    ----------
    view : View or None
        What is on screen; None where the choice cannot be answered.
    chart : Chart or None
        The chart on screen.
    table : DataFrame or None
        The table on screen, in whole dollars.
    controls : dict of Widget
        By name: partner, second, release, as_of, day, compare, basis, measure, window.

    Examples
    --------
    >>> explorer = Explorer(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports"))
    >>> explorer.controls["second"].value = "5880"
    >>> list(explorer.table.columns.unique("series"))
    ['South Korea', 'Japan']
    """

    def __init__(self, choice: Choice, *, reports: Path | None = None):
        self.reports = reports_folder() if reports is None else Path(reports)
        self.view: View | None = None
        self.chart: Chart | None = None
        self.controls = _controls(choice)
        self.picture, self.numbers, self.copy = (widgets.HTML() for _ in range(3))
        self.told = widgets.Output()
        self.bar = widgets.FloatProgress(max=1.0, layout={"width": "10rem", "display": "none"})
        actions = {
            "Save PNG": lambda: self._saved("png"),
            "Save SVG": lambda: self._saved("svg"),
            "Make this brief": self.make_brief,
        }
        self.buttons = {name: widgets.Button(description=name) for name in actions}
        for name, action in actions.items():
            self.buttons[name].on_click(lambda _, action=action: action())
        wrap = {"flex_flow": "row wrap", "align_items": "center"}
        row = widgets.HBox([self.copy, *self.buttons.values(), self.bar], layout=wrap)
        parts = [_arranged(self.controls), self.picture, row, self.told, self.numbers]
        self.box = widgets.VBox(parts)
        self._headings, self._fitting = [], False
        self._answering = threading.RLock()  # JupyterLab hands over what is picked by several threads
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        self.refresh()
        threading.Thread(target=warm, daemon=True).start()

    def _repr_mimebundle_(self, **options) -> dict:
        return self.box._repr_mimebundle_(**options) | {"text/html": NO_KERNEL}

    @property
    def choice(self) -> Choice:
        """What is picked."""
        return _read(self.controls)

    @property
    def table(self) -> pd.DataFrame | None:
        """The table on screen, in whole dollars."""
        return None if self.view is None else table(self.view)

    def heading(self) -> None:
        """Show a heading that follows what is picked."""
        self._headings.append(display(self._heading(), raw=True, display_id=True))

    def _heading(self) -> dict[str, str]:
        told = "Exploring U.S. trade" if self.view is None else choices.heading(self.view)
        return {"text/markdown": f"# {told}", "text/plain": told}

    def _changed(self, _) -> None:
        with self._answering:
            if self._fitting:
                return
            self._fitting = True
            try:
                _fit(self.controls)
            finally:
                self._fitting = False
            self.refresh()

    def refresh(self) -> None:
        """Answer what is picked: the chart first, then the table."""
        try:
            self.view = view_of(self.choice)
        except (TradelibError, OSError) as error:
            self.view = self.chart = None
            self.picture.value = f'<p role="alert" class="tradelib-told">{escape(_sentence(error))}</p>'
            self.numbers.value = self.copy.value = ""
        else:
            self.chart = chart(self.view)
            self.picture.value = _img(self.chart)
            rows = self.table
            self.numbers.value = printed(self.view, rows).to_html()
            self.copy.value = COPY.format(text=escape(tsv(rows)))
        for button in self.buttons.values():
            button.disabled = self.view is None
        for shown in self._headings:
            shown.update(self._heading(), raw=True)

    def _saved(self, ending: str) -> None:
        path = self.reports / "figures" / f"{choices.stem(self.choice)}.{ending}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._answering:
                self.tell("Saved the chart:", self.chart.save(path))
        except (OSError, TradelibError) as error:
            self.tell(f"The chart was not saved. {_sentence(error)}")

    def tell(self, told: str, *paths: Path) -> None:
        """Say something below the chart, with links to files that open in JupyterLab."""
        links = (_link(path, self.reports) for path in paths)
        html = f'<p class="{PLAIN}">{"<br>".join([safe(told), *links])}</p>'
        bundle = {"text/html": html, "text/plain": " ".join([told, *map(str, paths)])}
        self.told.outputs = ({"output_type": "display_data", "data": bundle, "metadata": {}},)

    def make_brief(self) -> threading.Thread:
        """Make the brief of what is on screen; the controls stay alive meanwhile."""
        thread = threading.Thread(target=self._brief, args=(self.choice,), daemon=True)
        thread.start()
        return thread

    def _brief(self, choice: Choice) -> None:
        """Fill the bar until the brief is made, then link to it, or say why there is none."""
        button, start = self.buttons["Make this brief"], time.monotonic()
        what = f"{resolve(choice.partner).prose}, {words.period(pd.Period(choice.release, 'M'))}"
        button.disabled, self.bar.layout.display = True, "flex"
        self.tell(f"Making the brief on {what} ...")
        options = {"as_of": choice.as_of or None, "reports": self.reports}
        try:
            with ThreadPoolExecutor(1) as pool:
                making = pool.submit(report.make_report, choice.partner, choice.release, **options)
                while not making.done():
                    self.bar.value = min(0.95, (time.monotonic() - start) / USUAL)
                    time.sleep(0.1)
            made = making.result()
            kept = "was edited, and is left as it is" if made.state == EDITED else "was there already"
            done = f"Made the brief on {what}" if made.ran else f"The brief on {what} {kept}"
            self.tell(f"{done}. {made.headline}", made.paths[1], made.paths[0])
        except Exception as error:  # whatever it was, it is told in words
            self.tell(f"The brief was not made. {_sentence(error)}")
        finally:
            button.disabled, self.bar.layout.display = self.view is None, "none"


def reports_folder() -> Path:
    """Find the folder where briefs go: `reports` of the project that holds the working directory."""
    here = Path.cwd()
    project = (one for one in (here, *here.parents) if any((one / name).exists() for name in PROJECT))
    return next(project, here) / "reports"


def _link(path: Path, reports: Path) -> str:
    """A link that JupyterLab opens: it knows files by their way from the notebook."""
    path = Path(path)
    name = path.relative_to(reports.parent) if path.is_relative_to(reports.parent) else path
    return f'<a href="{escape(os.path.relpath(path))}" target="_blank">{escape(str(name))}</a>'


def warm() -> None:
    """Read ahead the vintages that may be picked next, so that each answers at once."""
    with suppress(TradelibError, OSError):  # whoever picks a vintage that cannot be read is told then
        for vintage in [v for table in (GOODS, TRADE, TARIFFS) for v in list_vintages(table)]:
            choices.every_partner(vintage.path)


def _img(fig: Chart) -> str:
    """A chart for the screen, rendered quickly rather than as small as can be."""
    fig.canvas.draw()
    picture = io.BytesIO()
    drawn = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())).convert("RGB")
    drawn.save(picture, "png", compress_level=1)
    data = base64.b64encode(picture.getvalue()).decode()
    style = f"width: 100%; max-width: {100 * WIDTH:.0f}px"
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt_text(fig))}" style="{style}">'


def _sentence(error: Exception) -> str:
    """A problem and its advice as running text."""
    return " ".join(str(error).split()) or type(error).__name__


# --- the controls -------------------------------------------------------------------------------------


def _controls(choice: Choice) -> dict[str, widgets.Widget]:
    """Make the controls, set to a choice; what is not among their options is added, to be told in words."""
    partners = choices.partners()
    offered = {
        "partner": partners,
        "second": [("none", ""), *partners],
        "release": choices.months(),
        "as_of": choices.days(choice.release),
        "compare": choices.others(choice),
        "basis": [(basis.title, name) for name, basis in BASES.items()],
        "measure": [(name, name) for name in MEASURES],
        "window": choices.windows(choice.basis),
    }
    given = {name: getattr(choice, name) for name in offered}
    given |= {name: _code(given[name]) for name in ("partner", "second")}
    release = choices.release_of(choice.release)
    if release and given["as_of"] == str(release.default_as_of):
        given["as_of"] = ""
    controls = {name: _control(name, options, given[name]) for name, options in offered.items()}
    controls["day"] = widgets.DatePicker(**_described("day"))
    controls["day"].layout.display = "none"
    _fit_measure(controls)
    return controls


def _code(text: str) -> str:
    try:
        return resolve(text).code if text else ""
    except TradelibError:
        return text


def _control(name: str, options: Options, value: str) -> widgets.Widget:
    if value not in [one for _, one in options]:
        options = [*options, (value, value)]
    if name not in BUTTONS:
        return widgets.Dropdown(options=options, value=value, **_described(name))
    buttons = widgets.ToggleButtons(options=[one for _, one in options], value=value, **_described(name))
    buttons.style.button_width, buttons.layout.width = "auto", "auto"
    return buttons


def _described(name: str) -> dict:
    layout = {"width": WIDE, "max_width": "100%"}
    return {"description": _name(name), "style": {"description_width": LABEL}, "layout": layout}


def _name(name: str) -> str:
    return "Compare with" if name == "compare" else words.capital(name.replace("_", " "))


def _arranged(controls: dict[str, widgets.Widget]) -> widgets.Widget:
    """Lay the controls out in rows that wrap on a narrow screen."""
    shown = controls | {name: _beside(controls[name], _name(name)) for name in BUTTONS}
    wrap = {"flex_flow": "row wrap"}
    return widgets.VBox([widgets.HBox([shown[name] for name in row], layout=wrap) for row in ROWS])


def _beside(buttons: widgets.ToggleButtons, name: str) -> widgets.Widget:
    """Put a row of buttons beside its name, where a list has it too."""
    buttons.description = ""
    place = {"width": LABEL, "justify_content": "flex-end", "margin": "2px 8px 2px 2px"}
    return widgets.HBox([widgets.Label(name, layout=place), buttons], layout={"min_width": WIDE})


def _read(controls: dict[str, widgets.Widget]) -> Choice:
    """Read the choice off the controls."""
    picked = {name: control.value for name, control in controls.items() if name != "day"}
    if picked["as_of"] == ANOTHER:
        day = controls["day"].value
        picked["as_of"] = day.isoformat() if day else ""
    return Choice(**picked)


def _fit(controls: dict[str, widgets.Widget]) -> None:
    """After a change, offer what goes with it: windows of the basis, days and vintages of the release."""
    choice = _read(controls)
    _offer(controls["as_of"], choices.days(choice.release))
    _offer(controls["compare"], choices.others(choice))
    window, allowed = controls["window"], [one for one, _ in choices.windows(choice.basis)]
    if list(window.options) != allowed:
        kept = choice.window if choice.window in allowed else TWINS.get(choice.window)
        window.options = allowed
        window.value = kept if kept in allowed else allowed[0]
    controls["day"].layout.display = "" if controls["as_of"].value == ANOTHER else "none"
    _fit_measure(controls)


def _fit_measure(controls: dict[str, widgets.Widget]) -> None:
    """Let a measure be chosen where the basis has several."""
    basis = BASES.get(controls["basis"].value)
    controls["measure"].disabled = basis is not None and len(basis.measures) == 1


def _offer(control: widgets.Dropdown, options: Options) -> None:
    """Replace the options of a list, and keep what is picked if it is still among them."""
    if list(control.options) != options:
        kept = control.value
        control.options = options
        control.value = kept if kept in [one for _, one in options] else options[0][1]
