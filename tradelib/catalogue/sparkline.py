"""A line the size of a word: values -> a small SVG with a zero line, and words for those who hear it."""

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, EDGE = 120, 36, 3  # of the drawing, in its own units


def sparkline(values: Sequence[float | None], *, words: str, points: int = 30) -> Markup:
    """Draw values as a line, over a line at zero, with a dot at the end.

    Parameters
    ----------
    values : sequence of float or None
        Evenly spaced; None leaves a gap.
    words : str
        What it shows, for those who hear the page, and on pointing.
    points : int
        About so many of them are drawn, the last among them: a word has no room for more.

    Returns
    -------
    Markup
        An `<svg>` of three paths: zero, the values, and the dot, a line without length and with a round
        cap. Colours and widths are for a style sheet. Empty without values.

    Examples
    --------
    >>> print(sparkline([-2, -1, 1], words="From -$2 to $1."))
    <svg viewBox="0 0 120 36" role="img"><title>From -$2 to $1.</title><path d="M0 13H120"/><path
    d="m3 33 57-10 57-20"/><path d="M117 3h0"/></svg>
    """
    shown = _thinned(list(values), points)
    known = [value for value in shown if value is not None]
    if not known:
        return Markup("")
    low, high = min(0, *known), max(0, *known)
    places = [None if value is None else _height(value, low, high) for value in shown]
    across = [round(EDGE + n * (WIDTH - 2 * EDGE) / max(1, len(shown) - 1)) for n in range(len(shown))]
    dots = [None if y is None else (x, y) for x, y in zip(across, places, strict=True)]
    x, y = next(dot for dot in reversed(dots) if dot)
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(words)}</title>'
        f'<path d="M0 {_height(0, low, high)}H{WIDTH}"/><path d="{_path(dots)}"/>'
        f'<path d="M{x} {y}h0"/></svg>'
    )


def _thinned(values: list, points: int) -> list:
    """Every so many-th value, counted back from the last."""
    step = max(1, round(len(values) / points))
    return values[::-1][::step][::-1]


def _height(value: float, low: float, high: float) -> int:
    """Where a value lies, from the top; all zeros lie in the middle."""
    share = (high - value) / (high - low) if high > low else 0.5
    return round(EDGE + share * (HEIGHT - 2 * EDGE))


def _path(dots: list[tuple[int, int] | None]) -> str:
    """The shortest way to write a line: each point by its distance from the one before, each run an `m`."""
    path, pen, drawing = "", (0, 0), False
    for dot in dots:
        if dot:
            path += f"{' ' if drawing else 'm'}{dot[0] - pen[0]} {dot[1] - pen[1]}"
            pen = dot
        drawing = bool(dot)
    return path.replace(" -", "-")
