"""How every chart looks: colours, type, units, titles, source lines, and how one is shown.

The style is applied inside a decorator, around figures that pyplot does not know, so that no
chart changes the settings of the notebook that draws it.
"""

import base64
import functools
import html
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from PIL import Image

from tradelib.errors import TradelibError
from tradelib.tables import TABLES, table_info

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
MARGIN = 0.1  # inches
#: What a chart is saved as, and what the file calls its alternative text.
FORMATS = {".png": "Description", ".svg": "Description", ".pdf": "Subject"}
HOUSE = {
    "font.family": "DejaVu Sans",
    "font.size": LABEL,
    "text.color": COLOURS["text"],
    "text.parse_math": False,  # dollar signs are money here
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["text"],
    "axes.axisbelow": True,
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
PUBLISHED = {name: table.credit for name, table in TABLES.items()}
BASES = {"Census": "Census basis", "BOP": "balance of payments basis"}
ADJUSTED = {"NSA": "not seasonally adjusted", "SA": "seasonally adjusted"}
#: Amounts, dates, names and keys are not broken over two lines.
WHOLE = "|".join(
    [
        *(r"[\d$] (?:billion|million|trillion|thousand|months)", r"[a-z] \d{4}\b"),
        *("[●○] [^●○]+", "[A-Z][a-z]+ [A-Z][a-z]+"),
    ]
)


def styled(draw):
    """Decorate a chart function: house style while it draws, everybody's own before and after."""

    @functools.wraps(draw)
    def inside(*args, **options):
        with mpl.style.context(HOUSE, after_reset=True):
            return draw(*args, **options)

    return inside


@dataclass(frozen=True, slots=True)
class Unit:
    """What an axis counts in.

    Examples
    --------
    >>> unit = Unit.of([-9_885_674_861, 0])
    >>> unit.name, unit.number(-9_885_674_861), unit.number(2.3e9, sign=True)
    ('$ billion', '−9.89', '+2.30')
    """

    size: float
    name: str
    digits: int

    @classmethod
    def of(cls, values) -> "Unit":
        """Choose the unit in which the largest of some dollar values has one to three digits."""
        top = max((abs(v) for v in values if not math.isnan(v)), default=0)
        units = ((1e12, "$ trillion"), (1e9, "$ billion"), (1e6, "$ million"), (1e3, "$ thousand"))
        size, name = next((u for u in units if top >= 0.9995 * u[0]), (1, "$"))
        return cls(size, name, cls.digits_of(top, size))

    @staticmethod
    def digits_of(top: float, size: float) -> int:
        """Choose how many decimals give the largest value three digits."""
        return 0 if size == 1 or top >= 99.95 * size else 1 if top >= 9.995 * size else 2

    def number(self, dollars: float, *, sign: bool = False, digits: int | None = None) -> str:
        """Render dollars in this unit, with a true minus."""
        text = f"{dollars / self.size:{'+' if sign else ''},.{self.digits if digits is None else digits}f}"
        return text.replace("-", "−") if any(c in "123456789" for c in text) else text.lstrip("+-")


class Chart(Figure):
    """A figure that shows itself in a notebook, with its alternative text, and is saved by one call."""

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        """Give the picture as HTML and PNG, each with the alternative text, and that text alone.

        Neither JupyterLab nor nbconvert's default template puts alternative text on a PNG: hence HTML.
        """
        alt, width, picture = alt_text(self), round(100 * self.get_figwidth()), io.BytesIO()
        canvas = FigureCanvasAgg(self)
        canvas.draw()
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        # a third of the size; fewer colours than 256 would bend those of the palette
        drawn.quantize(256, dither=Image.Dither.NONE).save(picture, "png")
        data = base64.b64encode(picture.getvalue()).decode()
        tag = f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" width="{width}">'
        bundle = {"text/html": tag, "image/png": data, "text/plain": alt}
        return bundle, {"image/png": {"alt": alt, "width": width}}

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
        about = {"Title": caption(self), FORMATS[path.suffix]: alt_text(self)}
        with mpl.style.context(HOUSE, after_reset=True):
            self.savefig(path, dpi=PRINT_DPI, metadata=about)
        return path


def canvas(*, height: float = HEIGHT, panels: int = 1, ratios=None) -> tuple[Chart, list[Axes]]:
    """Make an empty figure of panels one above the other; pyplot never hears of it."""
    fig = Chart(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(fig)
    axes = list(fig.subplots(panels, squeeze=False, height_ratios=ratios).flat)
    for ax in axes:
        sns.despine(ax=ax, left=True)
    return fig, axes


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
    step = (ticks[1] - ticks[0]) / unit.size if len(ticks) > 1 else 1
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    axis, limit, line = (ax.yaxis, ax.set_ylim, ax.axhline)
    if along == "x":
        axis, limit, line = ax.xaxis, ax.set_xlim, ax.axvline
    limit(low, high)
    axis.set_ticks(ticks, [unit.number(tick, digits=digits) for tick in ticks])
    ax.grid(axis=along)
    ax.tick_params(axis=along, length=0)
    line(0, color=COLOURS["text"], lw=1, zorder=2.5)


def years_of(periods: pd.PeriodIndex) -> list[float]:
    """Turn periods into years with a fraction, each at its first day.

    Examples
    --------
    >>> years_of(pd.PeriodIndex(["2018Q1", "2018Q3"], freq="Q"))
    [2018.0, 2018.5]
    """
    return [period.year + (period.start_time.month - 1) / 12 for period in periods]


def year_axis(ax: Axes, years: list[float]) -> None:
    """Let a line chart run from its first to its last period, with ticks at whole years."""
    ax.set_xlim(years[0], years[-1] + 0.01 * (years[-1] - years[0]))
    ticks = MaxNLocator(nbins=8, integer=True, steps=[1, 2, 5, 10]).tick_values(*ax.get_xlim())
    ax.set_xticks([year for year in ticks if years[0] <= year <= years[-1]], minor=False)
    ax.xaxis.set_major_formatter("{x:.0f}")


def legend(ax: Axes, **options) -> None:
    """Draw a legend, where labels beside the marks have no room, that names only what is drawn.

    Examples
    --------
    >>> _, (ax,) = canvas()
    >>> for name, values in (("exports", [math.nan, math.nan]), ("imports", [3, 4])):
    ...     _ = ax.plot([1, 2], values, label=name)
    >>> legend(ax)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['imports']
    """
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
    """Say what a table measures: the subtitle of a chart.

    Examples
    --------
    >>> measure("goods_census_nsa", "Goods", Unit.of([1e9]), "12-month sums")
    'Goods, Census basis, not seasonally adjusted, 12-month sums, $ billion'
    """
    info = table_info(table)
    return ", ".join([what, BASES[info.basis], ADJUSTED[info.adjustment], *windows, unit.name])


def source_line(snapshot, *tables: str) -> str:
    """Name the publisher and the vintage of the tables behind a chart.

    Examples
    --------
    >>> from tradelib import take
    >>> source_line(take("2018-07", as_of="2018-10-05"), "goods_census_nsa")
    'Source: U.S. Census Bureau, country.xlsx; vintage of 2018-10-05'
    """
    parts = []
    for table in tables:
        vintage, lag = snapshot.sources[table], snapshot.lag(table)
        dated = "saved by" if vintage.dated_by == "saved" else "of"
        late = f", {lag:,} day{'s' if lag > 1 else ''} after the as-of date" if lag else ""
        parts.append(f"{PUBLISHED[table]}; vintage {dated} {vintage.published}{late}")
    return "Source: " + ". ".join(dict.fromkeys(parts))


def dress(fig: Chart, source: str, *, title: str | None, subtitle: str = "", note: str = "") -> Chart:
    """Put title and subtitle above and the source below, wrapped, and give the axes the rest.

    Without a title the subtitle stands at the top.
    """
    size = fig.get_size_inches()
    for old in [text for text in fig.texts if text.get_gid() in ("subtitle", "source")]:
        old.remove()
    small = {"color": COLOURS["muted"], "linespacing": 1.25}
    head = fig.suptitle(title or "", fontsize=TITLE, fontweight="bold")
    under = fig.text(0, 0, subtitle, fontsize=SUBTITLE, gid="subtitle", **small)
    foot = fig.text(0, 0, " ".join(f"{note} {source}".split()), fontsize=SOURCE, gid="source", **small)
    for text in (head, under, foot):
        text.set(x=MARGIN / size[0], ha="left", va="top", in_layout=False)
        _wrap(text, 0.98 * (size[0] - 2 * MARGIN))  # letters are wider at some resolutions
    down = MARGIN
    for text, gap in ((head, 0.07), (under, 0.1)):
        text.set_y(1 - down / size[1])
        down += _height(text) + gap if text.get_text() else 0
    foot.set(y=MARGIN / size[1], va="bottom")
    beneath = MARGIN + _height(foot) + 0.08
    rect = (0.06 / size[0], beneath / size[1], 1 - 0.12 / size[0], 1 - (down + beneath) / size[1])
    fig.get_layout_engine().set(rect=rect, w_pad=0.04, h_pad=0.04)
    return fig


def _height(text: Text) -> float:
    return text.get_window_extent().height / text.get_figure().dpi


@functools.cache
def width_of(word: str, size: float, weight: str) -> float:
    """Measure a word in inches."""
    font = FontProperties(family=HOUSE["font.family"], size=size, weight=weight)
    return text_to_path.get_text_width_height_descent(word, font, ismath=False)[0] / 72


def _wrap(text: Text, width: float) -> None:
    """Break a text into as few lines as fit, in inches, of about even lengths."""
    font = text.get_fontsize(), text.get_fontweight()
    words = re.sub(WHOLE, lambda match: match[0].replace(" ", "\u00a0"), text.get_text()).split(" ")
    space, found = width_of("a a", *font) - 2 * width_of("a", *font), []
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


def show(chart: Chart | None) -> None:
    """Display a chart in a notebook; nothing for None. The last line of a cell does so by itself."""
    if chart is not None:
        from IPython.display import display

        display(chart)
