"""Draws the pictures of the model cards of PointNet and the segmenter.

    python benchmarks/learned_pictures.py pointnet
    python benchmarks/learned_pictures.py segmenter --folder runs/segmenter

The first draws the shipped evaluation. The second looks at two held-out rooms with the networks of their folds, which
`ecumene train segmenter` leaves in its folder. Writes `docs/images/NAME.png`. Needs Pillow.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ecumene_models.segmenter import load_segmenter
from ecumene_world.learning import evaluation, furniture, planes, segmenting
from ecumene_world.learning.rooms import rooms
from ecumene_world.learning.scans import CLASSES, Scan, load_scans
from ecumene_world.learning.surfaces import load_surfaces

_INK: Final = (40, 40, 40)
_RIGHT, _WRONG = (36, 91, 160), (203, 84, 74)
_CELL: Final = 44
_COLOURS: Final = (
    *((200, 188, 168), (224, 224, 218), (176, 196, 222), (216, 52, 56), (150, 30, 140), (242, 154, 32), (24, 32, 128)),
    *((126, 84, 44), (88, 176, 188), (36, 136, 220), (250, 226, 48), (56, 170, 72), (168, 218, 250), (118, 118, 118)),
)
_ROOMS: Final = ((0, 6), (3, 0))
"""Fold, and which of its held-out scans; chosen by number, not by how they look."""
_TILE: Final = (430, 340)


def confusion() -> Image.Image:
    """Returns the confusion matrix of the shipped evaluation, truth down and guess across."""
    found = json.loads(evaluation.SHIPPED.read_text("utf-8"))
    names, counts = [name.replace("_", " ") for name in found["classes"]], np.array(found["confusion"])
    size = 130 + _CELL * len(names)
    image = Image.new("RGB", (size + 10, size + 30), "white")
    pen = ImageDraw.Draw(image)
    pen.text((8, 6), "PointNet: truth down, guess across; 5 folds, unseen shapes", _INK, _font(15))
    for row, name in enumerate(names):
        at = 150 + row * _CELL
        pen.text((122, at + _CELL // 2), name, _INK, _font(14), anchor="rm")
        _slanted(image, name, (138 + row * _CELL, 148))
        for column, count in enumerate(counts[row]):
            left = 130 + column * _CELL
            strength = float(count / counts[row].sum())
            shade = _mixed(_RIGHT if row == column else _WRONG, strength**0.7)
            pen.rectangle((left, at, left + _CELL - 2, at + _CELL - 2), shade)
            if count:
                middle = (left + _CELL // 2, at + _CELL // 2)
                pen.text(middle, str(count), "white" if strength > 0.6 else _INK, _font(14), anchor="mm")
    return image


def segmented(folder: Path) -> Image.Image:
    """Returns two held-out simulated rooms as they are, as geometry names them, and as the segmenter does."""
    package = furniture.fetch_furniture()
    scans = load_scans(rooms(), load_surfaces(package), package.parent)
    image = Image.new("RGB", (3 * _TILE[0] + 20, 2 * (_TILE[1] + 30) + 80), "white")
    pen = ImageDraw.Draw(image)
    for row, (fold, number) in enumerate(_ROOMS):
        known, asked = segmenting.split(scans, fold)
        one = asked[number]
        method = segmenting.METHODS.index(segmenting.LONG)
        network = load_segmenter(folder / f"fold-{fold}-{method}.safetensors")
        geometry = planes.labelled(one.xyz.astype(np.float64), planes.learned_sizes(known))
        said = segmenting.named(network, torch.from_numpy(one.xyz)).numpy()
        told = (("held-out simulated room: truth", one.kind), (segmenting.GEOMETRY, geometry), ("segmenter", said))
        for column, (title, kind) in enumerate(told):
            corner = (10 + column * _TILE[0], row * (_TILE[1] + 30))
            pen.text((corner[0], corner[1] + 8), title, _INK, _font(15))
            image.paste(_room(one, np.asarray(kind, np.int64)), (corner[0], corner[1] + 30))
    for number, (name, colour) in enumerate(zip(CLASSES, _COLOURS, strict=True)):
        x, y = 14 + number % 7 * 180, image.height - 70 + number // 7 * 32
        pen.rectangle((x, y, x + 18, y + 18), colour, _INK)
        pen.text((x + 26, y + 9), name, _INK, _font(15), anchor="lm")
    return image


def _room(one: Scan, kind: NDArray[np.int64]) -> Image.Image:
    """Returns a scan from above one corner, without its ceiling and the two walls that would hide it."""
    low, high = one.xyz.min(0), one.xyz.max(0)
    hidden = (one.xyz[:, 2] > high[2] - 0.15) | (one.xyz[:, 0] > high[0] - 0.12) | (one.xyz[:, 1] < low[1] + 0.12)
    x, y, z = (one.xyz[~hidden] - (low + high) / 2).T
    across, up, near = (x + y) * 0.87, (y - x) * 0.5 + z, x - y + z
    scale = 0.96 * min(_TILE[0] / np.ptp(across), _TILE[1] / np.ptp(up))
    image = Image.new("RGB", _TILE, "white")
    pen = ImageDraw.Draw(image)
    for row in np.argsort(near):
        u = _TILE[0] / 2 + scale * float(across[row] - (across.min() + across.max()) / 2)
        v = _TILE[1] / 2 - scale * float(up[row] - (up.min() + up.max()) / 2)
        pen.rectangle((u - 1, v - 1, u + 1, v + 1), _COLOURS[int(kind[~hidden][row])])
    return image


def _slanted(image: Image.Image, text: str, foot: tuple[int, int]) -> None:
    """Writes upwards at sixty degrees from a point."""
    strip = Image.new("RGBA", (220, 220))
    ImageDraw.Draw(strip).text((110, 110), text, _INK, _font(14), anchor="lm")
    image.paste(turned := strip.rotate(60), (foot[0] - 104, foot[1] - 116), turned)


def _mixed(colour: tuple[int, int, int], strength: float) -> tuple[int, ...]:
    return tuple(round(255 + (part - 255) * strength) for part in colour)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def main() -> None:
    """Draws and writes a picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=("pointnet", "segmenter"))
    parser.add_argument("--folder", type=Path, default=Path("runs/segmenter"), help="of `ecumene train segmenter`")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    image = confusion() if options.name == "pointnet" else segmented(options.folder)
    path = options.out / f"{options.name}.png"
    image.quantize(64).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
