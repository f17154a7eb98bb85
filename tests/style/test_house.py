"""The frame of every chart: how it shows itself, how it is dressed, and how it is saved."""

import itertools
import math
import xml.etree.ElementTree as ET

import matplotlib as mpl
import nbformat
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from nbclient import NotebookClient
from PIL import Image

from tradelib import balance, load_goods
from tradelib.errors import TradelibError
from tradelib.style import house, pictures
from tradelib.style.house import alt_text, caption
from tradelib.style.words import Unit

SOURCE = "Source: U.S. Census Bureau, country.xlsx; vintage of 2018-10-05"


def chart(title="Exports rose", **words):
    with mpl.style.context(house.HOUSE, after_reset=True):
        fig, (ax,) = house.canvas()
        ax.plot([1, 2], [3, 4])
        return house.dress(fig, SOURCE, title=title, **{"subtitle": "Goods, $ billion"} | words)


# --- a chart shows itself


def test_a_chart_gives_a_notebook_its_picture_and_its_alternative_text():
    data, metadata = chart()._repr_mimebundle_()
    alt = f"Chart: Exports rose. {SOURCE}."
    assert set(data) == {"text/html", "image/png", "text/plain"}
    assert data["text/plain"] == alt and f'alt="{alt}" width="720"' in data["text/html"]
    assert metadata == {"image/png": {"alt": alt, "width": 720}}


def test_the_last_line_of_a_cell_shows_a_chart_once_even_where_pyplot_is_loaded():
    code = """
    import matplotlib.pyplot as plt
    from tradelib.style import house
    fig, (ax,) = house.canvas()
    house.dress(fig, "Source: me", title="Mine")
    """
    cells = [nbformat.v4.new_code_cell("\n".join(line.strip() for line in code.splitlines()))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, kernel_name="tradelib-warm").execute()
    (output,) = notebook.cells[0].outputs
    assert output["data"]["text/plain"] == "Chart: Mine. Source: me."
    assert output["data"]["image/png"].strip() in output["data"]["text/html"]


# --- title, subtitle, note and source


def test_a_chart_without_a_title_has_its_subtitle_at_the_top_and_in_the_alternative_text():
    with_title, without = chart(), chart(title=None)
    for fig in (with_title, without):
        fig.draw_without_rendering()
    assert caption(without) == "" and alt_text(without) == f"Chart: Goods, $ billion. {SOURCE}."
    assert without.axes[0].bbox.height > with_title.axes[0].bbox.height + 10
    (under,) = (text for text in without.texts if text.get_gid() == "subtitle")
    assert without.axes[0].bbox.y1 < under.get_window_extent().y0 < under.get_window_extent().y1
    assert under.get_window_extent().y1 <= without.bbox.y1


def test_a_chart_may_have_nothing_but_its_source():
    fig = chart(title=None, subtitle="")
    fig.draw_without_rendering()
    assert alt_text(fig) == f"Chart: {SOURCE}." and fig.axes[0].bbox.height > 0.7 * fig.bbox.height


def test_a_chart_dressed_again_has_one_title_and_one_source():
    fig = house.dress(chart(), "Source: me", title="Imports fell", note="Once.")
    assert caption(fig) == "Imports fell" and caption(fig, "source") == "Once. Source: me"
    assert [text.get_gid() for text in fig.texts if text.get_gid()] == ["subtitle", "source"]


# --- a chart is saved


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_a_chart_is_saved_by_one_call_with_its_alternative_text(tmp_path, ending):
    path = chart("Exports & imports rose").save(tmp_path / f"figure{ending}")
    alt = alt_text(chart("Exports & imports rose"))
    if ending == ".png":
        picture = Image.open(path)
        assert picture.size == (2160, 1260) and picture.info["Description"] == alt
    elif ending == ".svg":
        assert alt in " ".join(ET.parse(path).getroot().itertext())
    else:
        assert b"/Subject (Chart: Exports & imports rose." in path.read_bytes()


def test_a_chart_is_not_saved_as_what_nobody_can_open(tmp_path):
    with pytest.raises(TradelibError, match=r"(?s)figure\.gif.*\.png, \.svg, \.pdf"):
        chart().save(tmp_path / "figure.gif")


# --- a user's own figure


@pytest.fixture
def goods():
    return load_goods(as_of="2018-10-05")


@pytest.fixture
def korea(goods):
    return balance(goods, partner="KOR").loc["2016":]


@pytest.fixture
def styled():
    with mpl.rc_context():
        house.house_style()
        yield
    plt.close("all")


def dressed(drawn, source, **words):
    """Dress a figure, and check what holds of every dressed one."""
    fig = house.dress(drawn, source, title="The deficit widened", **words)
    fig.draw_without_rendering()
    assert isinstance(fig, house.Chart) and plt.get_fignums() == []
    assert alt_text(fig).startswith("Chart: The deficit widened. ")
    above, below = (text.get_window_extent() for text in (fig._suptitle, fig.texts[-1]))
    for ax in fig.axes:
        box = ax.get_tightbbox()
        assert below.y1 < box.y0 < box.y1 < above.y0 and box.x0 >= 0 and box.x1 <= fig.bbox.x1
    return fig


def test_a_plot_of_pandas_gets_title_source_unit_and_words_for_its_columns(styled, korea, goods):
    fig = dressed(korea.plot(), goods)
    assert caption(fig, "source") == SOURCE
    (ax,) = fig.axes
    assert ax.get_ylabel() == "$ billion" and ax.get_xlabel() == ""
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Exports", "Imports", "Balance"]
    assert [text.get_text() for text in ax.get_yticklabels()][1:3] == ["−2", "0"]
    assert ax.lines[0].get_ydata().max() > 1e9, "artists keep whole dollars"
    assert set(fig._repr_mimebundle_()[0]) == {"text/html", "image/png", "text/plain"}


def test_a_plot_of_seaborn_gets_them_too(styled, goods):
    rows = goods[goods["partner"] == "5800"].tail(24)
    fig = dressed(sns.barplot(rows, x="flow", y="value_usd", errorbar=None), goods)
    assert fig.axes[0].get_ylabel() == "Value, $ billion"
    assert mpl.colors.to_hex(fig.axes[0].patches[0].get_facecolor()) != "#1f77b4"


def test_a_grid_of_seaborn_keeps_its_legend_beside_the_panels(goods):
    rows = goods[goods["partner"].isin(["5800", "5880"])].groupby("partner").tail(24)
    fig = dressed(sns.relplot(rows, x="item", y="value_usd", hue="flow", col="partner"), goods)
    legend = fig.legends[0].get_window_extent()
    assert all(ax.bbox.x1 <= legend.x0 for ax in fig.axes) and legend.x1 <= fig.bbox.x1


def test_a_bare_figure_may_lie_along_the_other_axis_and_have_its_source_in_words():
    fig = Figure(figsize=(4, 3))
    fig.subplots().barh(["KOR", "CHN"], [3e6, -5e6])
    fig.axes[0].set_xlabel("change_usd")
    fig = dressed(fig, "my own survey", note="Two partners.")
    assert (fig.axes[0].get_xlabel(), fig.axes[0].get_ylabel()) == ("Change, $ million", "")
    assert caption(fig, "source") == "Two partners. Source: my own survey"


def test_a_unit_may_be_said_in_words_for_every_panel(korea):
    fig = dressed((korea / 1e9).plot(subplots=True), "me", unit="$ billion")
    assert {ax.get_ylabel() for ax in fig.axes} == {"$ billion"}


@pytest.mark.parametrize("layout", ["tight", "constrained", None])
def test_a_colour_bar_stays_beside_its_axes(layout):
    ax = plt.figure(layout=layout).subplots()
    sns.heatmap(pd.DataFrame([[1, 2], [3, 4]]), ax=ax)
    dressed(ax, "me")


def test_the_style_is_on_by_one_call_and_off_by_one(korea):
    with mpl.rc_context():
        before = dict(mpl.rcParams)
        house.house_style()
        ax = korea.plot()
        assert [line.get_color() for line in ax.lines] == [
            house.COLOURS[name] for name in ("exports", "imports", "balance")
        ]
        assert not ax.spines["top"].get_visible() and tuple(ax.figure.get_size_inches()) == (7.2, 4.2)
        plt.close("all")
        mpl.rcdefaults()
        backend = ("backend", "backend_fallback")
        assert {k: v for k, v in mpl.rcParams.items() if k not in backend} == {
            k: v for k, v in before.items() if k not in backend
        }


def test_what_is_no_figure_is_refused(goods):
    for thing in (goods, [], "figure"):
        with pytest.raises(TradelibError, match=r"is not a figure"):
            house.dress(thing, "me", title="x")


# --- a user goes on with a chart of ours


def named():
    """A chart of ours whose ticks have names by their places."""
    fig, (ax,) = house.canvas()
    house.money_axis(ax, Unit.of([9e9]), 0, 8e9)
    house.tick(ax.xaxis, range(2012, 2019), map(str, range(2012, 2019)))
    ax.set_xlim(2011.5, 2018.5)
    return house.dress(fig, SOURCE, title="Exports rose", subtitle="Goods, $ billion"), ax


def test_ticks_that_a_user_sets_keep_the_names_of_their_places():
    """Names went by their order once: 2014, 2016 and 2018 were called 2012, 2013 and 2014."""
    fig, ax = named()
    ax.set_xticks([2014, 2016, 2018])
    ax.locator_params(axis="y", nbins=3)
    fig.draw_without_rendering()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["2014", "2016", "2018"]
    places = [f"{place / 1e9:.0f}" for place in ax.get_yticks()]
    assert [text.get_text() for text in ax.get_yticklabels()] == places
    words = pictures.words_of(fig._repr_mimebundle_()[0]["image/png"])
    assert "2016" in words and "2015" not in words
    ax.set_xticks([2015.5])
    assert [text.get_text() for text in ax.get_xticklabels()] == [""]


@pytest.mark.parametrize(
    "add",
    [
        lambda fig, ax: ax.twinx().plot([2012, 2018], [1, 2]),
        lambda fig, ax: fig.colorbar(mpl.cm.ScalarMappable(), ax=ax),
        lambda fig, ax: fig.legend(ax.plot([2012], [1]), ["line"], loc="outside right center"),
        lambda fig, ax: fig.add_axes((0.5, 0.5, 0.1, 0.1)),
    ],
    ids=["twin axes", "colour bar", "legend outside", "further axes"],
)
def test_what_a_user_adds_to_a_chart_leaves_its_words_readable(add):
    """Axes of which there were two were laid out nowhere: they lay across the subtitle and the source."""
    fig, ax = named()
    add(fig, ax)
    fig.draw_without_rendering()
    under, source = (text.get_window_extent() for text in fig.texts if text.get_gid())
    for one in fig.axes:
        box = one.get_tightbbox()
        assert source.y1 < box.y0 < box.y1 < under.y0 and 0 < box.x0 < box.x1 < fig.bbox.x1
    beside = [legend.get_window_extent() for legend in fig.legends]
    assert all(ax.get_tightbbox().x1 < legend.x0 < legend.x1 < fig.bbox.x1 for legend in beside)


# --- axes and legends


def test_a_money_axis_holds_zero_and_counts_in_its_unit():
    _, (ax,) = house.canvas()
    house.money_axis(ax, Unit.of([-9e9]), -9e9, -1e9)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["−8", "−6", "−4", "−2", "0"]
    assert ax.get_ylim() == (-9e9, 0)
    house.money_axis(ax, Unit.of([-9e9]), -9e9, -1e9, along="x", snug=False)
    assert ax.get_xlim() == (-10e9, 0)


def test_periods_are_years_with_a_fraction_at_their_first_day():
    assert house.years_of(pd.PeriodIndex(["2018Q1", "2018Q3"], freq="Q")) == [2018.0, 2018.5]


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [
        ("1985-12", "1986-02", ["Dec\n1985", "Jan\n1986", "Feb\n1986"]),
        ("2018-01", "2018-10", ["Jan\n2018", "Mar\n2018", "May\n2018", "Jul\n2018", "Sep\n2018"]),
        ("2017-02", "2018-12", ["Feb\n2017", "Aug\n2017", "Feb\n2018", "Aug\n2018"]),
        ("2017-01", "2018-01", ["2017", "2018"]),
        ("2001-05", "2018-07", ["2005", "2010", "2015"]),
    ],
)
def test_an_axis_of_time_has_ticks_at_whole_years_or_at_months(first, last, ticks):
    """Half a year had ticks within a year once, each named by it, or by the next one."""
    _, (ax,) = house.canvas()
    periods = pd.period_range(first, last, freq="M")
    house.year_axis(ax, house.years_of(periods))
    assert [text.get_text() for text in ax.get_xticklabels()] == ticks
    assert all(
        any(place == pytest.approx(year) for year in house.years_of(periods)) for place in ax.get_xticks()
    )


def test_a_legend_names_only_what_is_drawn():
    _, (ax,) = house.canvas()
    for name, values in (("exports", [math.nan, math.nan]), ("imports", [3, 4])):
        ax.plot([1, 2], values, label=name)
    house.legend(ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["imports"]


def test_the_subtitle_says_measure_basis_adjustment_window_and_unit():
    assert house.measure("goods_census_nsa", "Goods", Unit.of([1e9]), "12-month sums") == (
        "Goods, Census basis, not seasonally adjusted, 12-month sums, $ billion"
    )


# --- colours


#: Colours that stand for different things in one chart.
TOGETHER = [
    ("exports", "imports", "balance"),
    ("goods", "services", "balance", "highlight"),
    ("highlight", "before", "quiet"),
    ("highlight", "quiet", "balance"),
]
#: Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SEEN_BY = {
    "no red cones": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green cones": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue cones": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(name) -> np.ndarray:
    """A colour of the palette in linear RGB."""
    return np.array(
        [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(house.COLOURS[name])]
    )


def lab(colour: np.ndarray) -> np.ndarray:
    """Linear RGB in CIE L*a*b*, in which distances are about as large as they look."""
    xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]) @ colour
    x, y, z = np.cbrt(np.maximum(xyz / (0.9505, 1.0, 1.0888), 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("group", TOGETHER, ids="-".join)
def test_colours_are_apart_in_grey_print(group):
    light = {name: lab(linear(name))[0] for name in group}
    for one, other in itertools.combinations(group, 2):
        apart = 5 if {one, other} == {"services", "highlight"} else 10  # a line and a dot with a label
        assert abs(light[one] - light[other]) > apart, (one, other)


@pytest.mark.parametrize("who", SEEN_BY)
@pytest.mark.parametrize("group", TOGETHER, ids="-".join)
def test_colours_are_apart_for_the_colour_blind(group, who):
    seen = {name: lab(np.clip(SEEN_BY[who] @ linear(name), 0, 1)) for name in group}
    for one, other in itertools.combinations(group, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 15, (one, other)


def test_the_matrices_make_red_and_green_alike_for_who_lacks_green_cones():
    """The simulation sees what it should: a palette of pure red and its green would fail."""
    red, green = np.array([0.5, 0.02, 0.02]), np.array([0.17, 0.15, 0.02])
    with_green = np.linalg.norm(lab(red) - lab(green))
    without = np.linalg.norm(lab(SEEN_BY["no green cones"] @ red) - lab(SEEN_BY["no green cones"] @ green))
    assert without < 0.4 * with_green


def test_labels_are_dark_enough_to_read():
    def luminance(colour):
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))

    inks = [house.ink(name) for name in ("exports", "imports", "goods", "services", "highlight")]
    for colour in [*inks, house.COLOURS["muted"], house.COLOURS["text"]]:
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5
