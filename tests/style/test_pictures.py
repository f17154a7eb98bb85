"""A picture of a page has few colours, those of its areas unchanged, and holds its words."""

import base64
import io

import numpy as np
from PIL import Image

from tradelib.style import pictures


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def drawn(*areas: tuple[int, int, int]) -> np.ndarray:
    """A picture of wide bands, one below the other."""
    rows = np.repeat(np.array([(*area, 255) for area in areas], np.uint8), 20, axis=0)
    return np.repeat(rows[:, None], 30, axis=1)


def test_a_picture_of_few_colours_comes_back_to_the_pixel():
    bands = drawn((255, 255, 255), (0x22, 0x22, 0x22), (0x2B, 0x2B, 0x2B), (0, 114, 178), (246, 217, 197))
    assert (read(pictures.png(bands, [])) == bands[..., :3]).all()


def test_of_colours_that_look_alike_the_one_of_the_area_is_kept():
    bands = drawn((189, 189, 189), (255, 255, 255))
    bands[3, 4:9, :3] = np.arange(184, 189)[:, None]  # the edge of a letter
    assert {*map(tuple, read(pictures.png(bands, [])).reshape(-1, 3))} == {(189, 189, 189), (255, 255, 255)}


def test_a_picture_of_all_colours_has_256_of_them_each_near_to_its_own():
    every = np.random.default_rng(5).integers(0, 256, (300, 300, 4), np.uint8)
    every[:100, :, :3] = (213, 94, 0)
    found = read(pictures.png(every, []))
    assert len({*map(tuple, found.reshape(-1, 3))}) <= pictures.COLOURS
    assert (found[:100] == (213, 94, 0)).all()


def test_the_words_are_read_from_the_picture_and_from_nothing_else():
    words = ["−20.2", "Côte d'Ivoire", "two\nlines"]
    told = [pictures.png(pixels, words) for pixels in (None, drawn((0, 0, 0)))]
    assert [pictures.words_of(base64.b64encode(data).decode()) for data in told] == [words, words]
    assert pictures.words_of("bm8=") == [] and read(told[0]).shape == (1, 1, 3)
