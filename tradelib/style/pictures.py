"""A drawn figure as a small PNG that holds the words drawn on it, so that they can be read and checked."""

import base64
import io

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

WORDS = "Words"  # what a picture calls them
COLOURS = 256  # of a picture: a quarter of the size of one with all of them
LEVEL = 4  # of compression: 7 percent larger than zlib's own choice, in 60 percent of the time
SHADES = 5  # bits of red, green and blue by which colours that look alike are found


def png(pixels: np.ndarray | None, words: list[str]) -> bytes:
    """Write red, green, blue and opacity as a PNG with its words; without pixels, a dot."""
    picture, about = io.BytesIO(), PngInfo()
    about.add_itxt(WORDS, "\n\n".join(words))
    image = Image.new("RGB", (1, 1)) if pixels is None else Image.fromarray(pixels).convert("RGB")
    _in_few_colours(image).save(picture, "png", pnginfo=about, compress_level=LEVEL)
    return picture.getvalue()


def _in_few_colours(image: Image.Image) -> Image.Image:
    """Give colours that look alike the one of them that most pixels have, and rare ones the nearest.

    Pillow's own ways take twice as long, or change the colours of the palette.
    """
    counts, colours = zip(*image.getcolors(image.width * image.height), strict=True)
    by_count = np.argsort(-np.array(counts), kind="stable")
    found = np.array(colours, np.uint8)[by_count]
    shades, first = np.unique(_shades(found), return_index=True)
    kept = found[np.sort(first)[:COLOURS]].astype(np.int16)
    number = np.zeros(1 << 3 * SHADES, np.uint8)
    number[shades] = np.abs(found[first, None] - kept).sum(axis=2).argmin(axis=1)
    few = Image.fromarray(number.take(_shades(np.asarray(image))))
    few.putpalette(kept.astype(np.uint8).tobytes())
    return few


def _shades(colours: np.ndarray) -> np.ndarray:
    """Number colours, red, green and blue, so that those which look alike have the same number."""
    red, green, blue = (colours[..., n].astype(np.uint16) >> (8 - SHADES) for n in range(3))
    return (red << 2 * SHADES) | (green << SHADES) | blue


def words_of(data: str) -> list[str]:
    """Read what is written on a picture of a page, given in base64; empty where it does not say."""
    try:
        return Image.open(io.BytesIO(base64.b64decode(data))).info.get(WORDS, "").split("\n\n")
    except (ValueError, OSError, SyntaxError):
        return []
