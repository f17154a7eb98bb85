"""How every chart looks: colours, type, axes, title and source, and how one shows and saves itself.

The charts of this package are drawn inside a decorator, on figures that pyplot does not know, so that
none changes the settings of the notebook. `house_style` and `dress` do the same for a user's own.
"""

import base64
import functools
import html
import math
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, FigureBase
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, Formatter, MaxNLocator
from matplotlib.transforms import Bbox

from tradelib.errors import TradelibError
from tradelib.style import pictures
from tradelib.style.letters import Canvas
from tradelib.style.tables import DATA_MIME, published
from tradelib.style.words import ENDINGS, MONTHS, Unit, column, source_line
from tradelib.tables import table_info

#: Okabe-Ito, services darkened: names that share a chart stay apart for the colour-blind and in grey print.
COLOURS = {
    "exports": "#0072B2",
    "imports": "#E69F00",
    "balance": "#2B2B2B",
    "goods": "#56B4E9",
    "services": "#007A5A",
    "highlight": "#D55E00",
    "before": "#F6D9C5",
    "quiet": "#BDBDBD",
    "text": "#222222",
    "muted": "#5F5F5F",
    "grid": "#E3E3E3",
}
WIDTH, HEIGHT, DPI, PRINT_DPI = 7.2, 4.2, 144, 300
TITLE, SUBTITLE, LABEL, SOURCE = 13, 10.5, 10.5, 8.5
MARGIN, PAD = 0.1, 0.04  # inches: around the words, and around the axes with their ticks
#: What a chart is saved as, and what the file calls its alternative text.
FORMATS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
DATA = "Data of this chart"
MOST, YEAR = 60, {"M": 12, "Q": 4}  # rows shown of a long series, else a row for each year
MOST_MONTHS = 7  # named below an axis that has no two whole years
HOUSE = {
    "font.family": "DejaVu Sans",
    "font.size": LABEL,
    "text.color": COLOURS["text"],
    "text.parse_math": False,  # dollar signs are money here
    "text.hinting": "no_hinting",  # on grey pixels it is not seen, and takes a third of the time of drawing
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["text"],
    "axes.axisbelow": True,
    **dict.fromkeys(["axes.spines.left", "axes.spines.right", "axes.spines.top"], False),
    "axes.titlesize": LABEL,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.2,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0,
    "xtick.color": COLOURS["text"],
    "ytick.color": COLOURS["text"],
    "xtick.labelsize": LABEL - 0.5,
    "ytick.labelsize": LABEL - 0.5,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
}
#: What a user's own figures have besides.
OWN = {
    "figure.figsize": (WIDTH, HEIGHT),
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": cycler(
        color=[COLOURS[name] for name in ("exports", "imports", "balance", "highlight", "services", "goods")]
    ),
    "axes.grid": True,
    "axes.grid.axis": "y",
    "legend.frameon": False,
    "savefig.dpi": PRINT_DPI,
}
BASES = {"Census": "Census basis", "BOP": "balance of payments basis"}
ADJUSTED = {"NSA": "not seasonally adjusted", "SA": "seasonally adjusted", "not needed": "by year"}
#: Amounts, dates, names and keys are not broken over two lines.
WHOLE = r"[\d$] (?:billion|million|trillion|thousand|months|percent)"
WHOLE += r"|[a-z] \d{4}\b|[●○] [^●○]+|[A-Z][a-z]+ [A-Z][a-z]+"
WHOLE += r"|\bHS \d+"


def styled(draw):
    """Decorate a chart function: house style while it draws, everybody's own before and after."""

    @functools.wraps(draw)
    def inside(*args, **options):
        with mpl.style.context(HOUSE, after_reset=True):
            return draw(*args, **options)

    return inside


class Chart(Figure):
    """A figure that shows itself in a notebook, with its alternative text, and is saved by one call."""

    #: Whether its picture is drawn; not where only its words are wanted, as `check` does.
    drawn = True
    #: What it draws, as a table that a reader can open; None where that was not given.
    data: pd.DataFrame | None = None

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        """Give the picture as HTML and PNG, each with the alternative text, that text alone, and the data.

        Neither JupyterLab nor nbconvert's default template puts alternative text on a PNG: hence HTML.
        """
        alt, width = alt_text(self), round(100 * self.get_figwidth())
        data = base64.b64encode(self._picture()).decode()
        tag = f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" width="{width}">'
        bundle = {"text/html": tag, "image/png": data, "text/plain": alt}
        if self.data is not None:
            bundle["text/html"] += _table_of(self.data)
            bundle[DATA_MIME] = {"title": alt.removeprefix("Chart: "), "columns": _columns_of(self.data)}
        return bundle, {"image/png": {"alt": alt, "width": width}}

    def _picture(self) -> bytes:
        """Draw it as a PNG that holds its words too."""
        pixels = None
        with mpl.rc_context({"text.hinting": HOUSE["text.hinting"]}):
            if self.drawn:
                if not isinstance(self.canvas, Canvas):
                    Canvas(self)
                self.canvas.draw()  # that of before: it has measured the words already
                pixels = np.asarray(self.canvas.buffer_rgba())
            elif _needs_room(self):
                self.draw_without_rendering()
        return pictures.png(pixels, _words_on(self))

    def _ipython_display_(self) -> None:
        """Show the same where pyplot is loaded, whose own way with figures would come first."""
        from IPython.display import display  # only a notebook asks, and has it loaded

        data, metadata = self._repr_mimebundle_()
        display(data, raw=True, metadata=metadata)

    def save(self, path: str | Path) -> Path:
        """Save the chart for print or a slide, with its alternative text among the file's properties.

        Parameters
        ----------
        path : str or Path
            Ends in .png (300 dots per inch), .svg or .pdf.

        Returns
        -------
        Path

        Raises
        ------
        TradelibError
            If it ends in something else.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise TradelibError(
                f"A chart is not saved as {path.name!r}.", f"End the name in {', '.join(FORMATS)}."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"Title": caption(self), FORMATS[path.suffix]: alt_text(self)}
        with mpl.style.context(HOUSE, after_reset=True):
            self.savefig(path, dpi=PRINT_DPI, metadata=about)
        return path


class OnePanel(ConstrainedLayoutEngine):
    """Give the one panel of a figure the room that the words around it leave.

    Where its ticks are fixed, it is measured once. The layout of matplotlib, which is for several panels too,
    measures twice, and that was a tenth of the time of drawing. What a user has added is left to it.
    It starts from the same place each time, so that a chart which is drawn again is the same.
    """

    def execute(self, fig: FigureBase) -> None:
        """Place the axes."""
        added = fig.legends or fig.subfigs or fig.get_supxlabel() or fig.get_supylabel()
        if added or len(fig.axes) != 1 or fig.axes[0].get_aspect() != "auto":
            return super().execute(fig)
        (ax,), told = fig.axes, self.get()
        corner, size = np.reshape(told["rect"], (2, 2))
        pad = np.array([told["w_pad"], told["h_pad"]]) * fig.dpi
        low, high = corner * fig.bbox.size + pad, (corner + size) * fig.bbox.size - pad
        if spec := ax.get_subplotspec():
            ax.set_position(spec.get_position(fig))
        for _ in range(1 if _is_fixed(fig) else 2):  # else how many ticks there are depends on the place
            panel, whole = ax.get_window_extent().get_points(), ax.get_tightbbox(for_layout_only=True)
            start, end = low + panel[0] - whole.min, high + panel[1] - whole.max
            ax.set_position(Bbox([start, np.maximum(start + 1, end)] / fig.bbox.size))
            ax.set_in_layout(True)
        return None


def canvas(
    *, width: float = WIDTH, height: float = HEIGHT, panels: int = 1, ratios=None
) -> tuple[Chart, list[Axes]]:
    """Make an empty figure of panels one above the other; pyplot never hears of it."""
    fig = Chart(figsize=(width, height), layout=OnePanel() if panels == 1 else "constrained")
    Canvas(fig)
    return fig, list(fig.subplots(panels, squeeze=False, height_ratios=ratios).flat)


def money_axis(ax: Axes, unit: Unit, low: float, high: float, *, along: str = "y", snug: bool = True) -> None:
    """Set limits that hold zero, round ticks in the unit, the grid, and a line at zero.

    Limits stay where they are put, or, not `snug`, move out to the next tick.
    """
    low, high = min(low, 0), max(high, 0)
    if low == high:
        low, high = -unit.size, unit.size
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    if not snug:
        low, high = ticks[0], ticks[-1]
    slack = 1e-6 * (high - low)
    ticks = [tick for tick in ticks if low - slack <= tick <= high + slack]
    digits = _digits_between(ticks, unit)
    axis, limit, line = (ax.yaxis, ax.set_ylim, ax.axhline)
    if along == "x":
        axis, limit, line = ax.xaxis, ax.set_xlim, ax.axvline
    limit(low, high)
    axis.set_tick_params(length=0, gridOn=True)  # before there are ticks, each of which would be changed
    tick(axis, ticks, [unit.number(place, digits=digits) for place in ticks])
    line(0, color=COLOURS["text"], lw=1, zorder=2.5)


class Named(Formatter):
    """Names of ticks by their places, on a picture although they are written only while it is drawn.

    By place, so that a user who then sets other ticks gets the names of these, or none.
    """

    def __init__(self, names: dict[float, str]) -> None:
        self.names = names

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the name of a tick; none where no tick was given one."""
        return self.names.get(x, "")


def tick(axis: Axis, places: Iterable[float], names: Iterable[str], looks: dict | None = None) -> None:
    """Fix where the ticks of an axis are, their names, and how some of the names look, by their places.

    They are made once it is drawn, if ever.
    """
    named = dict(zip(places, names, strict=True))
    axis.set_major_locator(FixedLocator(list(named)))
    axis.set_major_formatter(Named(named))
    for place, look in (looks or {}).items() if Chart.drawn else ():
        axis.get_major_ticks()[list(named).index(place)].label1.set(**look)


def _digits_between(ticks, unit: Unit) -> int:
    """Choose how many decimals tell one tick from the next."""
    step = (ticks[1] - ticks[0]) / unit.size if len(ticks) > 1 else 1
    return max(0, -math.floor(math.log10(step) + 1e-9))


def years_of(periods: pd.PeriodIndex) -> list[float]:
    """Turn periods into years with a fraction, each at its first day."""
    return [period.year + (period.start_time.month - 1) / 12 for period in periods]


def year_axis(ax: Axes, years: list[float]) -> None:
    """Let a line chart run from its first to its last period, with ticks at whole years, else at months."""
    first, last = years[0], years[-1]
    ax.set_xlim(first, last + 0.01 * (last - first))
    ticks = MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]).tick_values(*ax.get_xlim())
    whole = [int(year) for year in ticks if first <= year <= last and year == int(year)]
    if len(whole) > 1:
        tick(ax.xaxis, whole, list(map(str, whole)))
        return
    months = round(12 * (last - first))
    step = next(step for step in (1, 2, 3, 6, 12) if months / step <= MOST_MONTHS)
    at = [round(12 * first) + month for month in range(0, months + 1, step)]
    tick(ax.xaxis, [month / 12 for month in at], [f"{MONTHS[m % 12][:3]}\n{m // 12}" for m in at])


def legend(ax: Axes, **options) -> None:
    """Draw a legend, where labels beside the marks have no room, that names only what is drawn."""
    handles = {name: handle for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)}
    drawn = {name: handle for name, handle in handles.items() if _has_values(handle)}
    ax.legend(drawn.values(), drawn.keys(), frameon=False, **options)


def _has_values(handle) -> bool:
    """Tell whether a line or a set of bars has any value."""
    values = [bar.get_height() for bar in handle] if isinstance(handle, tuple) else handle.get_ydata()
    return bool(np.isfinite(np.asarray(values, dtype=float)).any())


def ink(name: str) -> tuple:
    """Darken a colour of the palette enough to be read as text on white."""
    return tuple(0.65 * part for part in mpl.colors.to_rgb(COLOURS[name]))


def measure(table: str, what: str, unit: Unit, *windows: str) -> str:
    """Say what a table measures: the subtitle of a chart."""
    info = table_info(table)
    return ", ".join([what, BASES[info.basis], ADJUSTED[info.adjustment], *windows, unit.name])


def house_style() -> None:
    """Switch the house style on for the figures of a notebook, of pyplot, pandas and seaborn alike.

    `matplotlib.rcdefaults()` switches it off again. Nothing else here changes a setting.

    Examples
    --------
    >>> from tradelib import house_style
    >>> house_style()
    >>> mpl.rcParams["axes.prop_cycle"].by_key()["color"][:2]
    ['#0072B2', '#E69F00']
    >>> mpl.rcdefaults()
    """
    mpl.rcParams.update(HOUSE | OWN)


def dress(
    drawn: object,
    source: object = "",
    *,
    title: str | None = None,
    subtitle: str = "",
    note: str = "",
    unit: str = "",
    data: pd.DataFrame | None = None,
) -> Chart:
    """Put a title above a figure and its source below, and its unit on the axis: it then shows itself.

    Parameters
    ----------
    drawn : Axes, Figure or seaborn grid
        As `frame.plot()`, `plt.subplots()` or seaborn returns it. The figure becomes a `Chart`; pyplot
        forgets it, so that it is not shown twice.
    source : DataFrame, brief or str
        A loaded table, whose columns `table`, `vintage` and `vintage_lag_days` say where it comes from;
        a brief; or words.
    title : str, optional
        The finding, in a sentence without its full stop.
    subtitle : str, optional
        What is measured.
    note : str, optional
        What a reader must know, in sentences; stands before the source.
    unit : str, optional
        What the values count: "$" of whole dollars, as in the tables, which the axis then shows in
        thousands, millions or billions as it suits; or words, such as "percent". Told by itself where
        labels or legend hold names of columns, such as `exports_usd`.
    data : DataFrame, optional
        What is drawn, its columns named as in the tables. Below the chart a reader opens it as a table, and
        the spreadsheet of the page has a sheet of it.

    Returns
    -------
    Chart
        The last line of a cell shows it, with its alternative text; `.save("figure.png")` saves it.

    Raises
    ------
    TradelibError
        If it is no figure, or the table does not say where it comes from.

    Examples
    --------
    >>> from tradelib import balance, dress, load_goods
    >>> goods = load_goods(as_of="2024-10-08")
    >>> korea = balance(goods, partner="KOR")["balance_usd"]
    >>> chart = dress(korea.plot(legend=True), goods, title="The deficit with South Korea has widened")
    >>> chart.axes[0].get_ylabel(), alt_text(chart).endswith("country.xlsx; vintage of 2024-10-08.")
    ('$ billion', True)
    """
    foot = " ".join(f"{note} {source_line(source)}".split())
    fig = _figure_of(drawn)
    fig.data = data
    if isinstance(fig, Chart):
        return _framed(fig, title or "", subtitle, foot)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    fig.__class__ = Chart  # the figure itself, so that what its maker holds stays good
    Canvas(fig)
    fig.set_dpi(DPI)
    with mpl.style.context(HOUSE, after_reset=True):
        _say_units(fig, unit)
        return _framed(fig, title or "", subtitle, foot)


def _figure_of(drawn) -> Figure:
    """Find the figure of axes, of several axes, or of a grid of seaborn's."""
    one = np.ravel(drawn)[0] if isinstance(drawn, (np.ndarray, list, tuple)) and len(drawn) else drawn
    fig = getattr(one, "figure", None)
    if not isinstance(fig, FigureBase):
        raise TradelibError(
            f"A {type(drawn).__name__} is not a figure.",
            "Give the axes or the figure, as frame.plot() or seaborn returns them.",
        )
    return fig.get_figure(root=True)


def _say_units(fig: Figure, unit: str) -> None:
    """Put names of columns into words, and what the values count on the axis they lie along."""
    legends = [*fig.legends, *filter(None, (ax.get_legend() for ax in fig.axes))]
    keys = [text for legend in legends for text in legend.get_texts()]
    for legend in fig.legends:
        legend.set_loc("outside right center")
    found = {column(text.get_text())[1] for text in keys} - {""}
    whole = unit or (ENDINGS[found.pop()] if len(found) == 1 else "")
    for text in keys:
        text.set_text(column(text.get_text())[0] if column(text.get_text())[1] else text.get_text())
    for ax in (ax for ax in fig.axes if ax.get_label() != "<colorbar>"):
        told = {axis: column(axis.label.get_text()) for axis in (ax.xaxis, ax.yaxis)}
        if told[ax.xaxis][0] in ("Period", "Year"):  # its ticks say it
            ax.set_xlabel("")
        own = [axis for axis, (_, ending) in told.items() if ending]
        for axis in own or [ax.yaxis] * bool(whole):
            name, ending = told[axis]
            _count_in(axis, unit or ENDINGS.get(ending, whole), name if ending else "")


def _count_in(axis: Axis, unit: str, name: str) -> None:
    """Write what an axis counts on it, dollars in the unit that suits."""
    if unit == "$":
        dollars, ticks = Unit.of(axis.get_view_interval()), axis.get_majorticklocs()
        unit, digits = dollars.name, _digits_between(ticks, dollars)
        axis.set_major_formatter(lambda usd, _: dollars.number(usd, digits=digits))
    axis.set_label_text(", ".join(filter(None, [name, unit])))


def _framed(fig: Chart, title: str, subtitle: str, foot: str) -> Chart:
    """Set the words around a figure, wrapped, and give the axes the rest."""
    width, height = fig.get_size_inches()
    for old in [text for text in fig.texts if text.get_gid() in ("subtitle", "source")]:
        old.remove()
    small = {"color": COLOURS["muted"], "linespacing": 1.25}
    head = fig.suptitle(title, fontsize=TITLE, fontweight="bold")
    under = fig.text(0, 0, subtitle, fontsize=SUBTITLE, gid="subtitle", **small)
    last = fig.text(0, 0, foot, fontsize=SOURCE, gid="source", **small)
    for text in (head, under, last):
        text.set(x=MARGIN / width, ha="left", va="top", in_layout=False)
        _wrap(text, 0.98 * (width - 2 * MARGIN))  # letters are wider at some resolutions
    down = MARGIN
    for text, gap in ((head, 0.07), (under, 0.1)):
        text.set_y(1 - down / height)
        down += _height(text) + gap if text.get_text() else 0
    last.set(y=MARGIN / height, va="bottom")
    beneath = MARGIN + _height(last) + 0.08 if foot else MARGIN
    left, right, bottom, top = 0.06 / width, 1 - 0.06 / width, beneath / height, 1 - down / height
    inside = {"rect": (left, bottom, right - left, top - bottom), "w_pad": PAD, "h_pad": PAD}
    engine = fig.get_layout_engine()
    bar = any(ax.get_label() == "<colorbar>" for ax in fig.axes)  # stays as it was laid out
    if isinstance(engine, OnePanel):
        engine.set(**inside)
    elif bar and not isinstance(engine, ConstrainedLayoutEngine):
        fig.set_layout_engine("tight", rect=(left, bottom, right, top))
    else:
        fig.set_layout_engine("constrained", **inside)
    return fig


def _height(text: Text) -> float:
    fig = text.get_figure()
    return text.get_window_extent().height / fig.dpi if _needs_room(fig) else 0.0


def _needs_room(fig: Figure) -> bool:
    """Whether it must be laid out to be read."""
    return Chart.drawn or not _is_fixed(fig)


def _is_fixed(fig: Figure) -> bool:
    """Whether its ticks are given: else how many there are depends on the room."""
    return all(isinstance(axis.get_major_locator(), FixedLocator) for axis in _axes_of(fig))


def width_of(word: str, size: float, weight: str) -> float:
    """Measure a word in inches, letter by letter, as if none stood closer to another."""
    return sum(_width_of_letter(letter, size, weight) for letter in word)


@functools.cache
def _width_of_letter(letter: str, size: float, weight: str) -> float:
    font = FontProperties(family=HOUSE["font.family"], size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(letter, font, ismath=False)[0] / 72


def _wrap(text: Text, width: float) -> None:
    """Break a text into as few lines as fit, in inches, of about even lengths."""
    font = text.get_fontsize(), text.get_fontweight()
    words = re.sub(WHOLE, lambda match: match[0].replace(" ", "\u00a0"), text.get_text()).split(" ")
    space, found = width_of(" ", *font), []
    for limit in (width * share for share in (1, 0.9, 0.8, 0.7, 0.6)):
        lines, used = [], width
        for word in words:
            used += space + width_of(word, *font)
            if used <= limit and lines:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
                used = width_of(word, *font)
        if found and len(lines) > len(found):
            break
        found = lines
    text.set_text("\n".join(found).replace("\u00a0", " "))


def caption(fig: Figure, part: str = "title") -> str:
    """Read the title, "subtitle" or "source" of a chart back as one line."""
    texts = {text.get_gid(): text.get_text() for text in fig.texts} | {"title": fig.get_suptitle()}
    return texts.get(part, "").replace("\n", " ")


def alt_text(fig: Figure) -> str:
    """Describe a chart for those who hear it: its title, or else its subtitle, then its source."""
    said = (caption(fig) or caption(fig, "subtitle"), caption(fig, "source"))
    return f"Chart: {'. '.join(part.rstrip('.') for part in said if part)}."


def _table_of(data: pd.DataFrame) -> str:
    """Write what a chart draws as a table that opens on demand."""
    step = YEAR.get((getattr(data.index, "freqstr", "") or "")[:1], 1) if len(data) > MOST else 1
    shown = published(data.iloc[::-step].iloc[::-1], unit="auto", na="").to_html()
    told = DATA if step == 1 else f"{DATA}, a row for each year"
    return f'<details class="tradelib-data"><summary>{told}</summary>{shown}</details>'


def _columns_of(data: pd.DataFrame) -> list[dict]:
    """Give a table as plain JSON, column by column, an index that has a name first."""
    flat = data.reset_index(drop=data.index.names == [None])
    return [{"name": str(name), "values": [*map(_plain, values.tolist())]} for name, values in flat.items()]


def _plain(value: object) -> float | str | None:
    return None if pd.isna(value) else value if isinstance(value, (int, float)) else str(value)


def _axes_of(fig: Figure) -> list[Axis]:
    return [axis for ax in fig.axes for axis in (ax.xaxis, ax.yaxis)]


def _words_on(fig: Figure) -> list[str]:
    """List what is written on a figure: titles, numbers, names, legend, source, and ticks."""
    names = []
    for axis in _axes_of(fig):
        if isinstance(given := axis.get_major_formatter(), Named):
            names += given.format_ticks(axis.get_majorticklocs())
        else:
            axis.get_majorticklabels()  # has the ticks written
    texts = [text.get_text() for text in _texts_in(fig) if text.get_visible()]
    return [told for text in [*texts, *names] if (told := " ".join(text.split()))]


def _texts_in(artist: Artist) -> list[Text]:
    """Find the texts on a figure but for named ticks, which would be made for it."""
    if isinstance(artist, Text):
        return [artist]
    if isinstance(artist, Axis) and isinstance(artist.get_major_formatter(), Named):
        parts = [artist.label, artist.offsetText, *artist.get_minor_ticks()]
    else:
        parts = artist.get_children()
    return [text for part in parts for text in _texts_in(part)]
