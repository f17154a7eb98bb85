"""The widgets of explore.ipynb: a thin layer that turns what is picked into a `Choice` and shows its view.

Nothing is worked out here: `explore_views` finds the series, `explore_tables` and `explore_figures`
show them, and a brief is made by `report.make_report`.
"""

import base64
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from html import escape
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import FileLink
from matplotlib.figure import Figure

from tradelib.briefs import charts
from tradelib.errors import TradelibError
from tradelib.explorer import controls as explore_controls
from tradelib.explorer.figures import figure, png
from tradelib.explorer.tables import published, table, tsv
from tradelib.explorer.views import Choice, every_partner, look
from tradelib.explorer.words import headline
from tradelib.partners import resolve
from tradelib.runs import report
from tradelib.store.vintages import list_vintages
from tradelib.style.house import WIDTH
from tradelib.style.words import Text
from tradelib.tables import GOODS, TRADE

__all__ = ["Choice", "Explorer", "figure", "headline", "look", "published", "still", "table", "tsv"]
REPORTS = Path("reports")
USUAL = 8.0  # seconds that a brief takes: how fast the bar fills
COPY = """<button class="jupyter-widgets jupyter-button widget-button" style="width: auto"
 onclick="const t = this.nextElementSibling, b = this; const done = () => {{ b.textContent = 'Copied';
 setTimeout(() => b.textContent = 'Copy table', 1500); }};
 const old = () => {{ t.hidden = false; t.select(); document.execCommand('copy'); t.hidden = true; done(); }};
 navigator.clipboard ? navigator.clipboard.writeText(t.value).then(done, old) : old();"
>Copy table</button><textarea hidden>{text}</textarea>"""
NO_KERNEL = "<p><em>The controls need a running kernel: open this notebook in JupyterLab.</em></p>"


def still(choice: Choice):
    """Show the chart and the table of a choice, for a page without a kernel.

    Parameters
    ----------
    choice : Choice

    Returns
    -------
    HTML or Text
        The table, after the chart has been displayed; or, of what cannot be had, why.

    Examples
    --------
    >>> still(Choice("KOR", "2018-07", window="quarter"))
    "Goods, Census basis, are monthly: there is no window 'quarter'. Choose month, year to date or
    twelve months."
    """
    try:
        view = look(choice)
    except TradelibError as error:
        return Text(_sentence(error))
    charts.show(figure(view))
    return published(view)


class Explorer:
    """The controls, the chart and the table: the last line of a cell shows them.

    Parameters
    ----------
    choice : Choice
        What is picked at first.
    reports : Path
        Folder for briefs and saved figures.

    Attributes
    ----------
    view : View or None
        What is on screen; None where the choice cannot be answered.
    controls : dict of Widget
        By name: partner, second, release, as_of, day, compare, basis, measure, window.

    Examples
    --------
    >>> explorer = Explorer(Choice("KOR", "2018-07", as_of="2018-10-05", measure="exports"))
    >>> explorer.controls["second"].value = "5880"
    >>> headline(explorer.view)
    'U.S. exports of goods in January-July 2018: up 11.1 percent to South Korea, up 9.2 percent to Japan'
    """

    def __init__(self, choice: Choice, *, reports: Path = REPORTS):
        self.reports, self.view, self.drawn = Path(reports), None, None
        self.controls = explore_controls.make(choice)
        self.picture, self.numbers, self.copy, self.told = (
            *(widgets.HTML() for _ in range(3)),
            widgets.Output(),
        )
        self.bar = widgets.FloatProgress(max=1.0, layout={"width": "10rem", "display": "none"})
        actions = {"Save PNG": self._save_png, "Save SVG": self._save_svg, "Make this brief": self.make_brief}
        self.buttons = {name: widgets.Button(description=name) for name in actions}
        for name, action in actions.items():
            self.buttons[name].on_click(lambda _, action=action: action())
        wrap = {"flex_flow": "row wrap", "align_items": "center"}
        row = widgets.HBox([self.copy, *self.buttons.values(), self.bar], layout=wrap)
        self.box = widgets.VBox(
            [explore_controls.arrange(self.controls), self.picture, row, self.told, self.numbers]
        )
        self._fitting = False
        for control in self.controls.values():
            control.observe(self._changed, names="value")
        self.refresh()
        threading.Thread(target=warm, daemon=True).start()

    def _repr_mimebundle_(self, **options) -> dict:
        return self.box._repr_mimebundle_(**options) | {"text/html": NO_KERNEL}

    @property
    def choice(self) -> Choice:
        """What is picked."""
        return explore_controls.read(self.controls)

    @property
    def table(self) -> pd.DataFrame | None:
        """The table on screen, in whole dollars."""
        return None if self.view is None else table(self.view)

    @property
    def figure(self) -> Figure | None:
        """The chart on screen."""
        return self.drawn

    def _changed(self, _) -> None:
        if self._fitting:
            return
        self._fitting = True
        try:
            explore_controls.fit(self.controls)
        finally:
            self._fitting = False
        self.refresh()

    def refresh(self) -> None:
        """Answer what is picked: the chart first, then the table."""
        try:
            self.view = look(self.choice)
        except (TradelibError, OSError) as error:
            self.view = self.drawn = None
            self.picture.value = f'<p role="alert" class="tradelib-told">{escape(_sentence(error))}</p>'
            self.numbers.value = self.copy.value = ""
        else:
            self.drawn = figure(self.view)
            self.picture.value = _img(self.drawn)
            self._tabulate()
        for button in self.buttons.values():
            button.disabled = self.view is None

    def _tabulate(self) -> None:
        rows = self.table
        self.numbers.value = published(self.view, rows).data
        self.copy.value = COPY.format(text=escape(tsv(rows)))

    def save(self, path: Path | str) -> Path:
        """Save the chart on screen; the ending of the name says as what (.png, .svg, .pdf)."""
        if self.drawn is None:
            raise TradelibError("There is no chart to save.", "Pick what can be shown first.")
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.drawn.savefig(path, dpi=2 * self.drawn.dpi)
        return path

    def _save_png(self) -> None:
        self._saved("png")

    def _save_svg(self) -> None:
        self._saved("svg")

    def _saved(self, ending: str) -> None:
        path = self.reports / "figures" / f"{explore_controls.stem(self.choice)}.{ending}"
        try:
            self.tell("Saved:", self.save(path))
        except (OSError, TradelibError) as error:
            self.tell(f"The figure was not saved. {error}")

    def tell(self, words: str, path: Path | None = None) -> None:
        """Say something below the chart, with a link to a file."""
        self.told.outputs = ()
        self.told.append_display_data(Text(words))
        if path is not None:
            self.told.append_display_data(FileLink(path))

    def make_brief(self) -> threading.Thread:
        """Make the brief of what is on screen, beside the notebook; the controls stay alive meanwhile."""
        thread = threading.Thread(target=self._brief, args=(self.choice,), daemon=True)
        thread.start()
        return thread

    def _brief(self, choice: Choice) -> None:
        button = self.buttons["Make this brief"]
        button.disabled, self.bar.layout.display = True, "flex"
        who = resolve(choice.partner).prose
        self.tell(f"Making the brief on {who}, {choice.release} ...")
        try:
            with ThreadPoolExecutor(1) as pool:
                options = {"as_of": choice.as_of or None, "reports": self.reports}
                self._watch(pool.submit(report.make_report, choice.partner, choice.release, **options))
        finally:
            button.disabled, self.bar.layout.display = self.view is None, "none"

    def _watch(self, making: Future) -> None:
        """Fill the bar until a brief is made, then link to it, or say why there is none."""
        start = time.monotonic()
        while not making.done():
            self.bar.value = min(0.95, (time.monotonic() - start) / USUAL)
            time.sleep(0.1)
        try:
            made = making.result()
        except Exception as error:  # whatever it was, it is told in words
            self.tell(f"The brief was not made. {_sentence(error)}")
        else:
            self.tell(made.headline, made.paths[1])


def warm() -> None:
    """Read ahead the vintages that may be picked next, so that each answers at once."""
    with suppress(TradelibError, OSError):  # whoever picks a vintage that cannot be read is told then
        for vintage in [*list_vintages(GOODS), *list_vintages(TRADE)]:
            every_partner(vintage.path)


def _img(fig: Figure) -> str:
    data = base64.b64encode(png(fig)).decode()
    look = f'style="width: 100%; max-width: {100 * WIDTH:.0f}px"'
    return f'<img src="data:image/png;base64,{data}" alt="{escape(charts.alt_text(fig))}" {look}>'


def _sentence(error: Exception) -> str:
    """A problem and its advice as running text."""
    return " ".join(str(error).split()) or type(error).__name__
