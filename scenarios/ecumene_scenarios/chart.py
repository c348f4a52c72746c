"""Learning curves as a PNG, drawn with Pillow (an extra of developers): lines, dashed levels, a mark and labels."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_COLOURS: Final = ((46, 98, 170), (196, 84, 60), (62, 140, 92), (150, 86, 160))
_INK: Final = (60, 60, 64)
_GRID: Final = (226, 226, 230)
_PANEL: Final = (620, 400)
_MARGIN: Final = (60, 56, 30, 52)
"""Left, top, right and bottom of a panel, pixels."""
_TEXT: Final = 15
_DASH: Final = (9, 6)
_MOST_STEPS: Final = 5
_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)

Point = tuple[float, float]
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """One named curve.

    Attributes:
        name: Of the legend.
        points: (x, y), x ascending.
        level: Drawn as a dashed line across the panel; None for none.
    """

    name: str
    points: Sequence[Point]
    level: float | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """Axes with some lines.

    Attributes:
        title: Above the axes.
        lines: What is drawn.
        top: Greatest y shown; what lies above is cut off there.
        mark: An x at which a thin vertical line stands, and what it says; None for none.
    """

    title: str
    lines: Sequence[Line]
    top: float
    mark: tuple[float, str] | None = None


def learning_curve(log: Path, baseline: Mapping[tuple[str, str], float]) -> list[Panel]:
    """Reads a training log as two panels, success and collisions, with the baseline's levels.

    A point is an arena's last report, since success and collisions are counted from when an arena was new.

    Args:
        log: `log.jsonl` of a run.
        baseline: The scripted controller's (task, metric).
    """
    reports = [json.loads(line) for line in log.read_text().splitlines()]
    improving = [report["decisions"] for report in reports if report["stage"] == "improve"]
    mark = (improving[0] / 1e6, "PPO") if improving else None
    tasks = [name.removesuffix("/success") for name in reports[-1]["numbers"] if name.endswith("/success")]
    panels = []
    for metric, title, top in (
        ("success", "success", 1.0),
        ("collisions_per_agent_minute", "collisions per agent-minute", 2.0),
    ):
        lines = [Line(task, _points(reports, f"{task}/{metric}"), baseline.get((task, metric))) for task in tasks]
        panels.append(Panel(f"{title} (dashed: scripted, held out)", lines, top, mark))
    return panels


def _points(reports: Sequence[Mapping[str, object]], name: str) -> list[Point]:
    """Returns the last value of each arena: those before which its age begins anew."""
    points: list[Point] = []
    for report, following in zip(reports, [*reports[1:], None], strict=True):
        if following is None or following["period"] != report["period"]:
            decisions, numbers = report["decisions"], report["numbers"]
            assert isinstance(decisions, int)
            assert isinstance(numbers, dict)
            points.append((decisions / 1e6, float(numbers[name])))
    return points


def save(path: Path, panels: Sequence[Panel], *, x_label: str) -> None:
    """Draws the panels side by side."""
    from PIL import Image, ImageDraw

    width, height = _PANEL
    image = Image.new("RGB", (width * len(panels), height), "white")
    pen = ImageDraw.Draw(image)
    for index, panel in enumerate(panels):
        _Axes(pen, index * width, panel).draw(x_label)
    image.save(path, optimize=True)


def rounds(end: float) -> list[float]:
    """Returns round numbers from 0 to `end`, six at most, evenly apart."""
    least = end / _MOST_STEPS
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in _ROUND if factor * power >= least * (1 - 1e-9))
    return [step * count for count in range(math.floor(end / step + 1e-9) + 1)]


class _Axes:
    """The frame of one panel and the way from numbers to pixels."""

    def __init__(self, pen: ImageDraw, left: int, panel: Panel) -> None:
        from PIL import ImageFont

        self.pen, self.panel, self.left = pen, panel, left
        self.font = ImageFont.load_default(size=_TEXT)
        self.x0, self.y0 = left + _MARGIN[0], _MARGIN[1]
        self.x1, self.y1 = left + _PANEL[0] - _MARGIN[2], _PANEL[1] - _MARGIN[3]
        self.right = max((x for line in panel.lines for x, _ in line.points), default=1.0) or 1.0

    def at(self, x: float, y: float) -> Point:
        """Pixels of a point, no higher than the top."""
        share = min(max(y / self.panel.top, 0.0), 1.0)
        return self.x0 + x / self.right * (self.x1 - self.x0), self.y1 - share * (self.y1 - self.y0)

    def draw(self, x_label: str) -> None:
        """Draws grid, labels, levels, lines, mark and legend."""
        self._text(self.left + 12, 8, self.panel.title)
        self._text((self.x0 + self.x1) / 2 - 4 * len(x_label), self.y1 + 28, x_label)
        for y in rounds(self.panel.top):
            self.pen.line((self.at(0, y), self.at(self.right, y)), fill=_GRID)
            self._text(self.left + 14, self.at(0, y)[1] - 9, f"{y:.3g}")
        for x in rounds(self.right):
            self._text(self.at(x, 0)[0] - 10, self.y1 + 8, f"{x:.3g}")
        if self.panel.mark:
            x, name = self.panel.mark
            self.pen.line((self.at(x, 0), self.at(x, self.panel.top)), fill=_INK)
            self._text(self.at(x, 0)[0] + 5, self.y0 - 20, name)
        for index, line in enumerate(self.panel.lines):
            self._line(line, _COLOURS[index % len(_COLOURS)])
            self._text(self.x0 + 8 + 90 * index, 30, line.name, _COLOURS[index % len(_COLOURS)])

    def _line(self, line: Line, colour: Colour) -> None:
        if line.level is not None:
            self._dashes(line.level, colour)
        places = [self.at(x, y) for x, y in line.points]
        if len(places) > 1:
            self.pen.line(places, fill=colour, width=3, joint="curve")

    def _dashes(self, level: float, colour: Colour) -> None:
        y = self.at(0, level)[1]
        for index in range(math.ceil((self.x1 - self.x0) / sum(_DASH))):
            start = self.x0 + index * sum(_DASH)
            self.pen.line((start, y, min(start + _DASH[0], self.x1), y), fill=colour, width=2)

    def _text(self, x: float, y: float, text: str, colour: Colour = _INK) -> None:
        self.pen.text((x, y), text, fill=colour, font=self.font)
