"""A drawn figure as a small PNG that holds the words drawn on it, so that they can be read and checked."""

import base64
import io

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

WORDS = "Words"  # what a picture calls them
COLOURS = 256  # of a picture: a quarter of the size of one with all of them
LEVEL = 4  # of compression: 7 percent larger than zlib's own choice, in 60 percent of the time
SHADES = 5  # bits of red, green and blue each, by which colours that look alike are found


def png(pixels: np.ndarray | None, words: list[str]) -> bytes:
    """Write red, green, blue and opacity as a PNG with its words; without pixels, a dot."""
    picture, about = io.BytesIO(), PngInfo()
    about.add_itxt(WORDS, "\n\n".join(words))
    image = Image.new("P", (1, 1)) if pixels is None else _in_few_colours(pixels)
    image.save(picture, "png", pnginfo=about, compress_level=LEVEL)
    return picture.getvalue()


def _in_few_colours(pixels: np.ndarray) -> Image.Image:
    """Give colours that look alike the one of them that most pixels have, and rare ones the nearest.

    Pillow's own ways take three times as long, or change the colours of the palette.
    """
    whole = np.ascontiguousarray(pixels).view("<u4")[..., 0]
    inked = whole != whole[0, 0]  # the rest, most of it, is paper
    drawn = whole[inked]
    strip = Image.frombuffer("RGBA", (len(drawn), 1), drawn.tobytes(), "raw", "RGBA", 0, 1)
    counted = strip.getcolors(len(drawn)) if len(drawn) else []
    by_count = [colour for _, colour in sorted(counted, key=lambda one: -one[0])]
    found = np.array([pixels[0, 0], *by_count], np.uint8)
    shades, first = np.unique(_shades(found.view("<u4")[:, 0]), return_index=True)
    kept = found[np.sort(first)[:COLOURS], :3]
    number = np.zeros(1 << 3 * SHADES, np.uint8)
    number[shades] = np.abs(found[first, None, :3] - kept.astype(np.int16)).sum(axis=2).argmin(axis=1)
    numbers = np.full(whole.shape, number[_shades(whole[0, :1])], np.uint8)
    numbers[inked] = number[_shades(drawn)]
    few = Image.fromarray(numbers)
    few.putpalette(kept.tobytes())
    return few


def _shades(colours: np.ndarray) -> np.ndarray:
    """Number colours so that those which look alike have the same number."""
    most = (1 << SHADES) - 1  # of one part; red is in the lowest bits
    parts = ((colours >> (8 * n + 8 - SHADES) & most) << SHADES * n for n in range(3))
    return sum(parts).astype(np.uint16)


def words_of(data: str) -> list[str]:
    """Read what is written on a picture of a page, given in base64; empty where it does not say."""
    try:
        return Image.open(io.BytesIO(base64.b64decode(data))).info.get(WORDS, "").split("\n\n")
    except (ValueError, OSError, SyntaxError):
        return []
