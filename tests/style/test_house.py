"""The frame of every chart: how it shows itself, how it is dressed, and how it is saved."""

import xml.etree.ElementTree as ET

import matplotlib as mpl
import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from tradelib.errors import TradelibError
from tradelib.style import house
from tradelib.style.house import alt_text, caption

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
    NotebookClient(notebook, kernel_name="python3").execute()
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
