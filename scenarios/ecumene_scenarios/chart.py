"""Learning curves as a PNG: axes, a line or two and their labels, drawn with Pillow (an extra of developers)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

_COLOURS: Final = ((46, 98, 170), (196, 84, 60), (62, 140, 92), (150, 86, 160))
_INK: Final = (60, 60, 64)
_GRID: Final = (226, 226, 230)
_PANEL: Final = (420, 260)
_MARGIN: Final = (58, 34, 14, 40)
"""Left, top, right and bottom of a panel, pixels."""

Series = tuple[Sequence[float], Sequence[float]]


def save(path: Path, panels: Mapping[str, Mapping[str, Series]], *, x_label: str) -> None:
    """Draws one panel a title, side by side; each holds named series of x and y values."""
    from PIL import Image, ImageDraw

    width, height = _PANEL
    image = Image.new("RGB", (width * len(panels), height), "white")
    pen = ImageDraw.Draw(image)
    for index, (title, series) in enumerate(panels.items()):
        _panel(pen, index * width, title, series, x_label)
    image.save(path, optimize=True)


def _panel(pen: object, left: int, title: str, series: Mapping[str, Series], x_label: str) -> None:
    from PIL import ImageDraw

    assert isinstance(pen, ImageDraw.ImageDraw)
    x0, y0 = left + _MARGIN[0], _MARGIN[1]
    x1, y1 = left + _PANEL[0] - _MARGIN[2], _PANEL[1] - _MARGIN[3]
    xs = [x for line, _ in series.values() for x in line] or [0.0, 1.0]
    ys = [y for _, line in series.values() for y in line] or [0.0, 1.0]
    low_x, high_x = _range(xs)
    low_y, high_y = _range(ys)
    pen.text((left + 8, 8), title, fill=_INK)
    pen.text(((x0 + x1) / 2 - 3 * len(x_label), y1 + 22), x_label, fill=_INK)
    for step in range(5):
        y = y1 - (y1 - y0) * step / 4
        x = x0 + (x1 - x0) * step / 4
        pen.line((x0, y, x1, y), fill=_GRID)
        pen.text((left + 6, y - 6), _label(low_y + (high_y - low_y) * step / 4), fill=_INK)
        pen.text((x - 8, y1 + 6), _label(low_x + (high_x - low_x) * step / 4), fill=_INK)
    for index, (name, (line_x, line_y)) in enumerate(series.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        points = [
            (x0 + (x - low_x) / (high_x - low_x) * (x1 - x0), y1 - (y - low_y) / (high_y - low_y) * (y1 - y0))
            for x, y in zip(line_x, line_y, strict=True)
        ]
        if len(points) > 1:
            pen.line(points, fill=colour, width=2)
        pen.text((x1 - 90, y0 + 4 + 13 * index), name, fill=colour)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _label(value: float) -> str:
    if abs(value) >= 1e6:
        return f"{value / 1e6:.3g}M"
    return f"{value / 1e3:.3g}k" if abs(value) >= 1e4 else f"{value:.3g}"
