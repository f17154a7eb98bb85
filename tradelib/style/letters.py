"""The canvas of a chart: matplotlib's own, but that a text is laid out once and written in one piece."""

from functools import lru_cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

SUBPIXELS = 64  # the parts of a pixel in which FreeType counts
KEPT = 256  # texts: all on a few charts


@lru_cache(KEPT)
def _laid_out(text: str, font: FontProperties, dpi: float) -> tuple[np.ndarray, float, np.ndarray]:
    """A text in grey pixels, from its top; how far before it they begin; its width, height and descent.

    They begin with a space: else FreeType's picture has the first letter a pixel too near to the second.
    """
    before = _width_of_space(font, dpi)
    face = _set(f" {text}", font, dpi)
    face.draw_glyphs_to_bitmap(antialiased=True)
    size = np.array([*face.get_width_height(), face.get_descent()]) / SUBPIXELS
    return face.get_image(), before, size - [before, 0, 0]


@lru_cache(KEPT)
def _width_of_space(font: FontProperties, dpi: float) -> float:
    return _set(" ", font, dpi).get_width_height()[0] / SUBPIXELS


def _set(text: str, font: FontProperties, dpi: float) -> FT2Font:
    """Set a text in FreeType's face of a font, which holds one at a time."""
    face = get_font(findfont(font))
    face.set_size(font.get_size_in_points(), dpi)
    face.set_text(text, 0, flags=LoadFlags.NO_HINTING)
    return face


class Renderer(RendererAgg):
    """A renderer whose level texts stand on whole pixels: not seen, and a tenth less work for a brief."""

    def get_text_width_height_descent(self, s, prop, ismath):
        """Measure a text, in pixels."""
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        return tuple(_laid_out(s, prop, self.dpi)[2])

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        """Write a text; one that is turned, a formula, or not smoothed, as matplotlib does."""
        if angle or ismath or not gc.get_antialiased():
            return super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
        grey, before, (_, height, descent) = _laid_out(s, prop, self.dpi)
        *colour, opacity = gc.get_rgb()
        letters = np.empty((*grey.shape, 4), np.uint8)
        letters[..., :3] = np.multiply(colour, 255).round()
        letters[..., 3] = grey[::-1] if opacity == 1 else (grey[::-1] * opacity).round()
        top = int(height - descent) + 1
        return self.draw_image(gc, round(x - before), round(self.height - y) + top - len(grey), letters)


class Canvas(FigureCanvasAgg):
    """A canvas with such a renderer."""

    _made: Renderer | None = None

    def get_renderer(self) -> Renderer:
        """Return the renderer, made anew where the figure has another size or resolution."""
        size = (*self.get_width_height(physical=True), self.figure.dpi)
        made = self._made
        if made is None or (made.width, made.height, made.dpi) != size:
            self._made = made = Renderer(*size)
        return made
