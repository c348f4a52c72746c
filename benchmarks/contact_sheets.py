"""Draws contact sheets of generated worlds for docs/worlds.md: many seeds of a type in one picture.

    python benchmarks/contact_sheets.py [--types apartment,office] [--seeds 24] [--out docs/images]

Writes `worlds-TYPE.jpg` for each type, at most 400 kB; seeds run from 0, row by row. Needs Pillow.
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from ecumene_world.generate import TYPES, generate
from ecumene_world.preview import picture

_TILE: Final = (240, 186)
_COLUMNS: Final = 6
_LARGE_TILE: Final = (360, 232)
_FEW_COLUMNS: Final = 4
"""Towns have more to see."""
_MOST_BYTES: Final = 400_000


def sheet(kind: str, seeds: int) -> Image.Image:
    """Returns one picture of many seeds."""
    tile, most = (_LARGE_TILE, _FEW_COLUMNS) if kind == "town" else (_TILE, _COLUMNS)
    columns = min(most, seeds)
    rows = -(-seeds // columns)
    whole = Image.new("RGB", (columns * tile[0], rows * tile[1]), (226, 234, 232))
    view = "air" if kind in {"town", "plaza"} else "cut"
    for seed in range(seeds):
        one = Image.fromarray(np.ascontiguousarray(picture(generate(kind, seed), tile, view=view)))
        whole.paste(one, (seed % columns * tile[0], seed // columns * tile[1]))
    return whole


def jpeg(image: Image.Image) -> bytes:
    """Returns a JPEG of at most 400 kB, as good as that allows."""
    for quality in range(86, 20, -6):
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() <= _MOST_BYTES:
            break
    return buffer.getvalue()


def main() -> None:
    """Draws and writes the sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--types", default=",".join(kind for kind in TYPES if kind != "arena"))
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    for kind in options.types.split(","):
        path = options.out / f"worlds-{kind}.jpg"
        path.write_bytes(jpeg(sheet(kind, options.seeds)))
        print(f"{path}: {path.stat().st_size // 1000} kB", flush=True)


if __name__ == "__main__":
    main()
