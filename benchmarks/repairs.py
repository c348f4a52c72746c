"""Draws worlds that failed the gate as drawn, and the same after repair, for docs/worlds.md.

    python benchmarks/repairs.py [--out docs/images]

Upper row: as drawn, with a ring around what will be taken away; lower row: after repair. These are all types of room of
which a sweep of seeds (`gate.py`) found any that fail. Needs Pillow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ecumene_world.gate import gated
from ecumene_world.generate import drawn
from ecumene_world.generate.learned_layout import LearnedLayout
from ecumene_world.graph import SceneGraph
from ecumene_world.preview import picture

FAILING: Final = (("meeting", 322, False), ("meeting", 599, False), ("apartment", 80, True))
"""Type, seed, and whether it is drawn by the layout network and put straight by the placement network."""
_TILE: Final = (480, 372)
_MARGIN: Final = 10


def failing(kind: str, seed: int, *, learned: bool) -> SceneGraph:
    """Returns a world as drawn."""
    return drawn(kind, seed, proposer=LearnedLayout.shipped(straighten=True) if learned else None)


def ringed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Image.Image:
    """Returns the first of two pictures (H, W, 3) with a ring around what differs in the second."""
    image = Image.fromarray(np.ascontiguousarray(before))
    rows, columns = np.nonzero((before != after).any(axis=-1))
    if len(rows):
        box = (columns.min() - _MARGIN, rows.min() - _MARGIN, columns.max() + _MARGIN, rows.max() + _MARGIN)
        ImageDraw.Draw(image).ellipse([int(edge) for edge in box], outline=(214, 40, 40), width=3)
    return image


def main() -> None:
    """Draws, tells what was wrong and done, and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    whole = Image.new("RGB", (len(FAILING) * _TILE[0], 2 * _TILE[1]))
    for column, (kind, seed, learned) in enumerate(FAILING):
        graph = failing(kind, seed, learned=learned)
        world = gated(graph)
        print(f"{kind} {seed}: {', '.join(world.before.failed) or 'passes as drawn'}; {' '.join(world.repairs)}")
        before, after = (picture(each, _TILE, view="cut") for each in (graph, world.graph))
        whole.paste(ringed(before, after), (column * _TILE[0], 0))
        whole.paste(Image.fromarray(np.ascontiguousarray(after)), (column * _TILE[0], _TILE[1]))
    path = options.out / "worlds-repaired.jpg"
    whole.save(path, "JPEG", quality=84, optimize=True, progressive=True)
    print(f"{path}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
