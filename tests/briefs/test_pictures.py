"""A saved picture of each chart: one that comes out otherwise is caught.

After a change that is meant: ``PYTHONPATH=tests/support python tests/briefs/test_pictures.py --renew``, and
names after it for some only; then look at the pictures in tests/briefs/pictures before they are kept.

Pictures are compared square by square, blurred a little first: other versions of the letter-drawing
library move edges by a fraction of a pixel, a broken chart changes whole squares.
"""

import io
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from helpers import cells, charts_in, drawn, figures
from matplotlib.collections import LineCollection
from PIL import Image, ImageFilter

import tradelib as tl
from tradelib.briefs import charts
from tradelib.studies import league, revisions, seasonal, tariffs
from tradelib.style.house import COLOURS

FOLDER = Path(__file__).parent / "pictures"
WIDE, LARGEST = 600, 60_000  # pixels, bytes
NOTEBOOKS = {league: "partners", revisions: "revisions", seasonal: "seasonal", tariffs: "tariffs"}
SQUARE, BLUR = 8, 1.5  # pixels
TOLERANCE = 14.0  # root mean square of a square's pixels, of 255


@cache
def sheet(release: str = "2018-07", as_of: str = "2018-10-05"):
    return tl.brief("KOR", release, as_of=as_of)


@cache
def study(module):
    """The study of each notebook beside that on the release."""
    if module is league:
        return league.study(sheet())
    if module is tariffs:
        return tariffs.study(tl.brief("CHN", "2025-11", as_of="2026-02-04"))
    return module.study(sheet("2024-08" if module is seasonal else "2018-07", "2025-04-03"))


def chart(cell: str, notebook: str = "release.ipynb", found=sheet):
    return lambda: drawn(cell, found(), notebook)


def chart_of(module, cell: str):
    return chart(cell, f"{NOTEBOOKS[module]}.ipynb", lambda: study(module))


#: One example of each chart, on South Korea; those of duties are on China.
CHARTS = {cells()[cell].func.attr: chart(cell) for cell in figures()} | {
    "in_each_vintage": chart_of(revisions, "series"),
    "each_month": chart_of(revisions, "months"),
    "each_age": chart_of(revisions, "age"),
    "same_months": chart_of(revisions, "same-months"),
    "adjustment": chart_of(seasonal, "adjustment"),
    "gap": chart_of(seasonal, "gap-chart"),
    "slope": chart_of(league, "goods-slope"),
    "changes": chart_of(league, "total-changes"),
    "history": chart_of(tariffs, "history"),
    "rate_or_mix": chart_of(tariffs, "rate-or-mix"),
    "partners": chart_of(tariffs, "league-chart"),
}


def picture(fig) -> Image.Image:
    """A figure as a small picture."""
    data = io.BytesIO()
    with mpl.rc_context({"text.hinting": "none"}):
        fig.savefig(data, format="png", dpi=WIDE / fig.get_figwidth())
    return Image.open(data).convert("RGB")


@cache
def untouched(name: str) -> Image.Image:
    """A chart as it is drawn now."""
    return picture(CHARTS[name]())


def difference(one: Image.Image, other: Image.Image) -> float:
    """How much the most different square of two pictures differs; infinite if the sizes do."""
    if one.size != other.size:
        return float("inf")
    sides = [np.asarray(side.filter(ImageFilter.GaussianBlur(BLUR)), dtype=float) for side in (one, other)]
    squared = ((sides[0] - sides[1]) ** 2).mean(axis=2)
    squared = np.pad(squared, [(0, -size % SQUARE) for size in squared.shape])
    down, across = (size // SQUARE for size in squared.shape)
    return float(np.sqrt(squared.reshape(down, SQUARE, across, SQUARE).mean(axis=(1, 3)).max()))


def saved(name: str) -> Image.Image:
    return Image.open(FOLDER / f"{name}.png").convert("RGB")


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_looks_like_its_picture(name, tmp_path):
    now = untouched(name)
    off = difference(now, saved(name))
    if off > TOLERANCE:
        now.save(tmp_path / f"{name}.png")
    assert off <= TOLERANCE, (
        f"{name} differs by {off:.1f}; look at {tmp_path / name}.png. If it is meant to: "
        "PYTHONPATH=tests/support python tests/briefs/test_pictures.py --renew"
    )


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_that_is_drawn_again_is_the_same(name):
    fig = CHARTS[name]()
    assert picture(fig).tobytes() == picture(fig).tobytes() == picture(fig).tobytes()


def drawn_by(module) -> list[str]:
    """The chart functions of a module: those that are drawn in the house style."""
    found = {name: one for name, one in vars(module).items() if hasattr(one, "__wrapped__")}
    return [name for name, one in found.items() if one.__module__ == module.__name__]


def drawn_in(fig) -> list[np.ndarray]:
    """Where lines, bars and stems of the first panel are, along both axes."""
    ax = fig.axes[0]
    found = [line.get_xydata() for line in ax.lines]
    found += [np.array([[bar.get_width(), bar.get_height()] for bar in ax.patches])]
    found += [
        np.array([stem[1] for stem in one.get_segments() if len(stem)])
        for one in ax.collections
        if isinstance(one, LineCollection)
    ]
    return [places.T for places in found if len(places) > 3]


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "slope"])
def test_what_a_chart_draws_stands_in_the_data_that_a_reader_opens(name):
    fig = CHARTS[name]()
    held = {f"{value:.9g}" for value in fig.data.select_dtypes("number").stack()}
    assert drawn_in(fig)
    for sides in drawn_in(fig):
        known = (side[np.isfinite(side)] for side in sides)
        shares = [np.mean([f"{value:.9g}" in held for value in side]) for side in known]
        assert max(shares) > 0.6, f"{name}: {shares}"


def test_there_is_a_picture_of_every_chart_and_none_besides():
    assert {path.stem for path in FOLDER.glob("*.png")} == set(CHARTS)
    every = [name for module in (charts, *NOTEBOOKS) for name in drawn_by(module)]
    assert sorted(every) == sorted(CHARTS)


def test_pictures_are_small():
    for path in FOLDER.glob("*.png"):
        assert path.stat().st_size < LARGEST, path.name
        assert Image.open(path).width == WIDE


def test_the_house_style_notebook_draws_each_of_them_once():
    """What its page shows, test_page.py counts."""
    assert sorted(charts_in("house_style.ipynb")) == sorted(CHARTS)


# A chart that is broken on purpose is caught


def recoloured(monkeypatch, one: str, other: str):
    monkeypatch.setitem(COLOURS, one, COLOURS[other])


@pytest.mark.parametrize("name", CHARTS)
def test_a_changed_word_of_the_title_is_caught(name):
    fig = CHARTS[name]()
    title = fig.get_suptitle()
    word = max(title.replace("\n", " ").split(" "), key=len)
    fig.suptitle(title.replace(word, word[::-1]), **title_look(fig))
    assert difference(picture(fig), saved(name)) > TOLERANCE


def title_look(fig) -> dict:
    head = fig._suptitle
    x, y = head.get_position()
    look = {"x": x, "y": y, "ha": head.get_ha(), "va": head.get_va()}
    return look | {"fontsize": head.get_fontsize(), "fontweight": head.get_fontweight()}


def test_a_changed_digit_of_the_title_is_caught():
    fig = charts.ytd_by_year(sheet())
    fig.suptitle(fig.get_suptitle().replace("2012", "2013"), **title_look(fig))
    assert difference(picture(fig), saved("ytd_by_year")) > TOLERANCE


@pytest.mark.parametrize("name", [name for name in CHARTS if name not in ("gap", "each_month")])
def test_a_missing_mark_is_caught(name):
    fig = CHARTS[name]()
    ax = fig.axes[-1]
    marks = [*ax.lines[:1], *ax.patches[1:2]] if name != "ytd_by_year" else ax.patches[-1:]
    marks[-1].remove()
    assert difference(picture(fig), saved(name)) > TOLERANCE


@pytest.mark.parametrize("name", ["each_month", "gap"])
def test_missing_columns_are_caught(name):
    fig = CHARTS[name]()
    for mark in [*fig.axes[0].patches[:6], *fig.axes[0].collections[:1]]:
        mark.remove()
    assert difference(picture(fig), saved(name)) > TOLERANCE


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("goods_history", "exports", "services"),
        ("total_trend", "services", "exports"),
        ("what_moved", "imports", "highlight"),
        ("chapters", "goods", "services"),
        ("standing", "highlight", "exports"),
        ("ytd_by_year", "highlight", "imports"),
        ("each_month", "imports", "highlight"),
        ("each_age", "exports", "services"),
        ("same_months", "balance", "imports"),
        ("adjustment", "highlight", "exports"),
        ("gap", "exports", "services"),
        ("slope", "highlight", "quiet"),
        ("changes", "balance", "exports"),
        ("history", "highlight", "exports"),
        ("rate_or_mix", "goods", "services"),
        ("partners", "highlight", "exports"),
    ],
)
def test_a_swapped_colour_is_caught(name, one, other, monkeypatch):
    recoloured(monkeypatch, one, other)
    assert difference(picture(CHARTS[name]()), saved(name)) > TOLERANCE


def test_a_line_moved_by_a_twentieth_of_the_scale_is_caught():
    fig = charts.goods_history(sheet())
    line, (low, high) = fig.axes[0].lines[0], fig.axes[0].get_ylim()
    line.set_ydata(line.get_ydata() + 0.05 * (high - low))
    assert difference(picture(fig), saved("goods_history")) > TOLERANCE


# ... and what no reader sees is not


@pytest.mark.parametrize("name", CHARTS)
def test_a_quarter_of_a_pixel_is_within_the_tolerance(name):
    still, shift = untouched(name), (1, 0, 0.25, 0, 1, 0.25)
    how = {"resample": Image.Resampling.BILINEAR, "fillcolor": "white"}
    moved = still.transform(still.size, Image.Transform.AFFINE, shift, **how)
    assert 0 < difference(moved, still) <= TOLERANCE


def renew(names) -> None:
    """Draw pictures anew, in 255 colours, from the bundled vintages alone; all of them if none is named."""
    os.environ["TRADELIB_STORE"] = tempfile.mkdtemp()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.png"):
        if old.stem in names or old.stem not in CHARTS:
            old.unlink()
    for name in names:
        small = picture(CHARTS[name]()).quantize(255, dither=Image.Dither.NONE, kmeans=8)
        small.save(FOLDER / f"{name}.png", optimize=True)
        print(f"{name}: {(FOLDER / f'{name}.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--renew"]:
        renew(sys.argv[2:] or list(CHARTS))
    else:
        print(__doc__)
