"""Draws what pretrained senses say of what is hidden, on held-out rollouts, beside what was there.

    ecumene train senses --out runs/senses
    python benchmarks/sense_pictures.py [--senses runs/senses] [--out docs/images/senses.png]

Each row is a moment. From left to right: the view, a colour for each category, darker where it is far; how near
obstacles are in each column of it, left to right (grey: what there is, blue: said with all senses, red: said with eyes
shut); the same 0.6 s later; how loud each band is, low to high (red: said with ears shut); how near people are around
the body, from ahead counter-clockwise (red: said without being told of them). Needs Pillow.
"""

from __future__ import annotations

import argparse
import colorsys
from pathlib import Path
from typing import Final

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ecumene_models import FusionPolicy, load_policy
from ecumene_models.checkpoint import fit, read
from ecumene_models.pretraining import HIDDEN, PARTS, Decoder, Rollouts, said, targets
from ecumene_models.senses import CATEGORIES, COLUMNS, ROWS
from ecumene_scenarios.sensing import DECODER, WEIGHTS, SensingConfig
from ecumene_scenarios.unlabelled import Walks

_PIXEL: Final = 8
_WIDTH, _HEIGHT, _GAP, _TITLE = COLUMNS * _PIXEL, ROWS * _PIXEL, 14, 18
_TITLES: Final = ("view", "obstacles now", "obstacles 0.6 s later", "loudness", "people around")
_TRUE, _SHOWN, _HIDDEN = (205, 205, 205), (40, 90, 200), (210, 50, 40)
_BANDS: Final = 32


def main() -> None:
    """Draws the picture."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    notes = read(options.senses / WEIGHTS, model="fusion-policy").notes["pretraining"]
    walks = Walks(**{**notes["walks"], "tasks": tuple(notes["walks"]["tasks"])})
    held = SensingConfig(walks, notes["held_steps"]).held()
    policy, stored = load_policy(options.senses / WEIGHTS), read(options.senses / DECODER, model="senses-decoder")
    decoder = Decoder(policy.config.d, stored.config["hidden"], torch.Generator())
    fit(decoder, stored, options.senses / DECODER)
    picture(policy, decoder.eval(), held, _telling(policy, held, options.moments)).save(options.out)


def _telling(policy: FusionPolicy, held: Rollouts, count: int) -> Tensor:
    """Returns moments with an obstacle, a person and a sound nearby, spread over the tasks."""
    senses = held.senses.rows(held.now)
    near = policy.vision.nearness(senses.vision_depth, senses.vision_kind, senses.body[:, 4]).amax(dim=1) > 0.7
    tells = near & (senses.hearing.amax(dim=(1, 2, 3)) > 0.3) & senses.neighbour_present[:, 0]
    rows = (tells & (senses.neighbours[:, 0, 5] < 4.0)).nonzero().flatten()
    return rows[torch.linspace(0, len(rows) - 1, count + 2)[1:-1].long()]


def picture(policy: FusionPolicy, decoder: Decoder, held: Rollouts, index: Tensor) -> Image.Image:
    """Returns a row of panels for each of the (N,) pairs of moments."""
    answers = {
        name: [decoder.scale.back(part) for part in said(policy, decoder, held, index, name)] for name in ("", *HIDDEN)
    }
    now, later = (held.senses.rows(rows[index]) for rows in (held.now, held.later))
    with torch.no_grad():
        true, then = targets(policy, now), targets(policy, later)
    image = Image.new("RGB", (len(_TITLES) * (_WIDTH + _GAP), _TITLE + len(index) * (_HEIGHT + _GAP)), "white")
    pen = ImageDraw.Draw(image)
    for place, title in enumerate(_TITLES):
        pen.text((place * (_WIDTH + _GAP) + 2, 3), title, fill=(30, 30, 30))
    near, heard = slice(0, COLUMNS), slice(PARTS["hearing"].start, PARTS["hearing"].start + _BANDS)
    people = PARTS["people"]
    for row in range(len(index)):
        top = _TITLE + row * (_HEIGHT + _GAP)
        image.paste(view(now.vision_kind[row], now.vision_depth[row]), (0, top))
        panels = (
            (near, true, answers[""][0], answers["vision"][0]),
            (near, then, answers[""][1], answers["vision"][1]),
            (heard, true, answers[""][0], answers["hearing"][0]),
            (people, true, answers[""][0], answers["people"][0]),
        )
        for place, (part, *each) in enumerate(panels):
            bars(pen, (place + 1) * (_WIDTH + _GAP), top, [values[row, part] for values in each])
    return image


def view(kind: Tensor, depth: Tensor) -> Image.Image:
    """Returns a view as a picture."""
    image = Image.new("RGB", (COLUMNS, ROWS))
    for y in range(ROWS):
        for x in range(COLUMNS):
            hue, bright = int(kind[y, x]) / CATEGORIES, 0.35 + 0.65 / (1 + 0.25 * float(depth[y, x]))
            red, green, blue = colorsys.hsv_to_rgb(hue, 0.55 if int(kind[y, x]) else 0.0, bright)
            image.putpixel((x, y), (int(255 * red), int(255 * green), int(255 * blue)))
    return image.resize((_WIDTH, _HEIGHT), Image.Resampling.NEAREST)


def bars(pen: ImageDraw.ImageDraw, left: int, top: int, values: list[Tensor]) -> None:
    """Draws the first values as bars and the others as steps; the highest of the first fills two thirds."""
    true, shown, hidden = values
    scale = _HEIGHT / (1.5 * max(float(true.max()), 0.5))
    step = _WIDTH / len(true)
    for place, value in enumerate(true.tolist()):
        box = (
            left + place * step,
            top + _HEIGHT - max(value, 0.0) * scale,
            left + (place + 1) * step - 1,
            top + _HEIGHT,
        )
        pen.rectangle(box, fill=_TRUE)
    for line, colour in ((shown, _SHOWN), (hidden, _HIDDEN)):
        height = (top + _HEIGHT - (line * scale).clamp(0, _HEIGHT)).tolist()
        points = [(left + (place + side) * step, y) for place, y in enumerate(height) for side in (0, 1)]
        pen.line(points, fill=colour, width=2)
    pen.rectangle((left, top, left + _WIDTH, top + _HEIGHT), outline=(150, 150, 150))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--senses", type=Path, default=Path("runs/senses"))
    parser.add_argument("--moments", type=int, default=6)
    parser.add_argument("--out", type=Path, default=Path("docs/images/senses.png"))
    return parser


if __name__ == "__main__":
    main()
