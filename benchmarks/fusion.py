"""Draws the picture of the card of the fusion testbed, and prints its tables, from the evaluation that is shipped.

    python benchmarks/fusion.py docs/images/fusion.png

Above: accuracy by subset of the senses and by method. Below: what noise in one sense does to it. Needs Pillow.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFont

from ecumene_models.metrics import Row
from ecumene_world.learning.fusing import EXPERTS, MODEL, SHIPPED, SUBSETS, rows_of

_INK: Final = (50, 50, 54)
_GRID: Final = (224, 224, 228)
_COLOURS: Final = {
    MODEL: (36, 91, 160),
    "product_of_experts": (226, 150, 40),
    "calibrated_product": (168, 128, 70),
    "textbook": (150, 60, 70),
    "textbook_with_dropout": (206, 130, 150),
    "best expert": (150, 150, 156),
}
_NAMES: Final = {name: name.replace("_", " ") for name in _COLOURS}
_BARS: Final = ("best expert", "textbook", "textbook_with_dropout", "product_of_experts", MODEL)
_CURVES: Final = ("textbook", "textbook_with_dropout", "product_of_experts", MODEL)
_AXES: Final = {
    "vision": "grain of a pixel (ink is 1; 0.15 else)",
    "hearing": "speech to noise in dB (-17 to -5 else)",
    "touch": "noise of a pressure (ink is 1; 0.2 else)",
}
_WIDTH: Final = 1260
_LOWEST: Final = 0.3


def main() -> None:
    """Draws and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, nargs="?", help="PNG to write")
    parser.add_argument("--results", type=Path, default=SHIPPED, metavar="FILE", help="fusion.json (the shipped one)")
    options = parser.parse_args()
    found = json.loads(options.results.read_text("utf-8"))
    rows = {(row.model, row.metric): row for row in rows_of(found)}
    print(table(rows), curves(found), sep="\n\n")
    if options.picture:
        drawn(rows, found["curves"]).save(options.picture, optimize=True)


def table(rows: Mapping[tuple[str, str], Row]) -> str:
    """Returns accuracies and half-widths of their intervals in percent, as Markdown."""
    lines = ["| method | " + " | ".join("+".join(letters.upper()) for letters in SUBSETS) + " |", "|---" * 8 + "|"]
    for name in dict.fromkeys(model for model, metric in rows if metric == "accuracy_avt"):
        cells = []
        for letters in SUBSETS:
            row = rows.get((name, f"accuracy_{letters}"))
            alone = row and (name not in EXPERTS.values() or len(letters) == 1)
            cells.append(f"{100 * row.value:.1f} ± {50 * (row.high - row.low):.1f}" if row and alone else "")
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def curves(found: Mapping[str, Any]) -> str:
    """Returns accuracy with all senses in percent by level of noise, as Markdown."""
    lines = []
    for sense, curve in found["curves"].items():
        lines += [f"| {sense} | " + " | ".join(str(level) for level in curve["levels"]) + " |", "|---" * 7 + "|"]
        for name, values in curve["methods"].items():
            lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(f"{100 * value:.1f}" for value in values) + " |")
        lines.append("")
    return "\n".join(lines)


def drawn(rows: Mapping[tuple[str, str], Row], noise: Mapping[str, Any]) -> Image.Image:
    """Returns the picture."""
    image = Image.new("RGB", (_WIDTH, 760), "white")
    pen = ImageDraw.Draw(image)
    _bars(pen, rows)
    for index, (sense, curve) in enumerate(noise.items()):
        _curve(pen, 20 + index * 415, sense, curve)
    return image


def _bars(pen: ImageDraw.ImageDraw, rows: Mapping[tuple[str, str], Row]) -> None:
    pen.text((20, 10), "Accuracy on held-out images and voices, by the senses that are there", _INK, _font(18))
    _grid(pen, (70, 70, _WIDTH - 20, 350), 0.0)
    pitch = (_WIDTH - 90) / len(SUBSETS)
    for group, letters in enumerate(SUBSETS):
        left = 70 + group * pitch + 10
        for index, name in enumerate(_BARS):
            row = _best_expert(rows, letters) if name == "best expert" else rows[name, f"accuracy_{letters}"]
            x = left + index * (pitch - 20) / len(_BARS)
            right = x + (pitch - 20) / len(_BARS) - 3
            pen.rectangle((x, 350 - 280 * row.value, right, 350), _COLOURS[name])
            pen.text(((x + right) / 2, 346 - 280 * row.value), f"{100 * row.value:.0f}", _INK, _font(12), anchor="ms")
        pen.text((left + pitch / 2 - 10, 362), "+".join(letters.upper()), _INK, _font(16), anchor="mt")
    for index, name in enumerate(_BARS):
        x = 90 + index * 225
        pen.rectangle((x, 40, x + 14, 54), _COLOURS[name])
        pen.text((x + 20, 47), _NAMES[name], _INK, _font(15), anchor="lm")


def _best_expert(rows: Mapping[tuple[str, str], Row], letters: str) -> Row:
    there = (rows[name, f"accuracy_{letters}"] for name in EXPERTS.values() if (name, f"accuracy_{letters}") in rows)
    return max(there, key=lambda row: row.value)


def _curve(pen: ImageDraw.ImageDraw, left: int, sense: str, curve: Mapping[str, Any]) -> None:
    box = (left + 50, 450, left + 395, 690)
    pen.text((left, 415), f"A+V+T, noise in {sense}", _INK, _font(16))
    _grid(pen, box, _LOWEST)
    levels = curve["levels"]
    places = [box[0] + index * (box[2] - box[0]) / (len(levels) - 1) for index in range(len(levels))]
    for x, level in zip(places, levels, strict=True):
        pen.text((x, 698), f"{level:g}", _INK, _font(13), anchor="mt")
    pen.text(((box[0] + box[2]) / 2, 722), _AXES[sense], _INK, _font(14), anchor="mt")
    for name in _CURVES:
        line = [
            (x, box[3] - (max(value, _LOWEST) - _LOWEST) / (1 - _LOWEST) * (box[3] - box[1]))
            for x, value in zip(places, curve["methods"][name], strict=True)
        ]
        pen.line(line, _COLOURS[name], width=3, joint="curve")
        for x, y in line:
            pen.ellipse((x - 4, y - 4, x + 4, y + 4), _COLOURS[name])


def _grid(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], lowest: float) -> None:
    for percent in range(round(100 * lowest), 101, 10):
        y = box[3] - (percent / 100 - lowest) / (1 - lowest) * (box[3] - box[1])
        pen.line((box[0], y, box[2], y), _GRID)
        pen.text((box[0] - 8, y), f"{percent}", _INK, _font(13), anchor="rm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


if __name__ == "__main__":
    main()
