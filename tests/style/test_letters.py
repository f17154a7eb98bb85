"""Texts are written in one piece, where matplotlib writes them letter by letter, and look the same."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from tradelib.style.letters import Canvas, Renderer

#: Pixels: before 3.11 matplotlib has letters on whole ones, and the first of a text off by one.
NEAR = 0.6 if mpl.__version_info__ >= (3, 11) else 2
TEXTS = [
    "$5.2 billion, gjpqy",
    "\N{MINUS SIGN}6.9",
    "AAA",
    "jjj",
    "Côte d'Ivoire",
    "l",
    "two\nlines",
    "AV. To",
]


@pytest.fixture(autouse=True)
def unhinted():
    with mpl.rc_context({"text.hinting": "no_hinting", "text.parse_math": False}):
        yield


def ink(canvas, text, place=(0.2, 0.5), dpi=144, **look) -> np.ndarray:
    """How dark each pixel is."""
    fig = Figure(figsize=(3, 1.5), dpi=dpi)
    canvas(fig)
    fig.text(*place, text, **look)
    fig.canvas.draw()
    return 255 - np.asarray(fig.canvas.buffer_rgba())[..., :3].mean(axis=2)


def centre(dark: np.ndarray) -> np.ndarray:
    return np.array([(dark * at).sum() for at in np.indices(dark.shape)]) / dark.sum()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("dpi", [100, 144, 300])
def test_a_text_is_where_matplotlib_writes_it(text, dpi):
    off = []
    for n in range(8):
        place = 0.2 + 0.0137 * n, 0.5 + 0.0171 * n
        mine, theirs = (
            ink(canvas, text, place, dpi, size=8.5 + n / 2) for canvas in (Canvas, FigureCanvasAgg)
        )
        off.append(centre(mine) - centre(theirs))
        assert mine.sum() == pytest.approx(theirs.sum(), rel=0.01)
    assert np.abs(off).max() < NEAR


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("look", [{"size": 13, "weight": "bold"}, {"size": 8.5}])
def test_a_text_is_measured_as_by_matplotlib(text, look):
    words, font = text.partition("\n")[0], FontProperties(**look)
    mine, theirs = (
        one(400, 300, 144).get_text_width_height_descent(words, font, False)
        for one in (Renderer, RendererAgg)
    )
    assert mine == pytest.approx(theirs, abs=0.05)


@pytest.mark.parametrize(
    "look", [{"color": "#0072B2"}, {"color": "red", "alpha": 0.3}, {"color": (0, 0, 1, 0.5)}]
)
def test_colour_and_opacity_are_kept(look):
    mine, theirs = (ink(canvas, "MMMM", size=30, **look) for canvas in (Canvas, FigureCanvasAgg))
    assert mine.max() == pytest.approx(theirs.max(), abs=1)


@pytest.mark.parametrize("look", [{"rotation": 30}, {"antialiased": False}, {"parse_math": True}])
def test_what_is_no_level_text_is_matplotlib_s(look):
    text = "$x^2$" if "parse_math" in look else "turned"
    with mpl.rc_context({"text.parse_math": True}):
        assert (ink(Canvas, text, **look) == ink(FigureCanvasAgg, text, **look)).all()


def test_a_figure_of_another_size_or_resolution_has_a_canvas_of_its_own():
    fig = Figure(figsize=(2, 1), dpi=100)
    canvas = Canvas(fig)
    assert canvas.get_renderer() is canvas.get_renderer()
    for change in (lambda: fig.set_dpi(200), lambda: fig.set_size_inches(3, 1)):
        change()
        canvas.draw()
        assert np.asarray(canvas.buffer_rgba()).shape[:2] == canvas.get_width_height(physical=True)[::-1]
