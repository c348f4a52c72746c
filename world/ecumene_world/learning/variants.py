"""Shapes of furniture for generated rooms: what the network draws, as sizes and forms of the library's things."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from torch import Tensor

from ecumene_models.shapes import ShapeModel
from ecumene_world.learning.forms import clouds_of
from ecumene_world.learning.matching import Limits, Params, nearest_of

SHAPED: Final[Mapping[str, tuple[str, Limits]]] = MappingProxyType(
    {
        "chair": ("chair", {"width_m": (0.38, 0.6), "depth_m": (0.38, 0.6), "height_m": (0.78, 1.12)}),
        "armchair": ("chair", {"width_m": (0.74, 1.05), "depth_m": (0.75, 0.95), "arm_m": (0.08, 0.2)}),
        "sofa": ("sofa", {"width_m": (1.5, 2.4), "depth_m": (0.8, 1.0)}),
        "table": ("table", {"width_m": (0.8, 2.0), "depth_m": (0.7, 1.1), "height_m": (0.7, 0.78)}),
        "desk": ("table", {"width_m": (1.1, 1.7), "depth_m": (0.6, 0.8)}),
        "cabinet": ("cabinet", {"width_m": (0.7, 1.7), "depth_m": (0.32, 0.52), "height_m": (0.62, 1.2)}),
        "wardrobe": ("cabinet", {"width_m": (0.9, 1.7), "depth_m": (0.45, 0.65), "height_m": (1.8, 2.3)}),
        "bookcase": ("cabinet", {"width_m": (0.6, 1.4), "depth_m": (0.26, 0.42), "height_m": (1.2, 2.3)}),
        "shelf": ("cabinet", {"width_m": (0.8, 1.6), "depth_m": (0.28, 0.45), "height_m": (1.2, 2.0)}),
        "bed": ("bed", {"length_m": (1.95, 2.15), "height_m": (0.75, 1.25), "foot_m": (0.2, 0.55)}),
        "floor_lamp": ("lamp", {"height_m": (1.2, 1.85), "width_m": (0.26, 0.6)}),
        "potted_plant": (
            "plant",
            {"height_m": (0.55, 1.6), "girth": (0.65, 1.15), "pot": (0.22, 0.45), "reach": (0.6, 1.2)},
        ),
        "fridge": ("appliance", {"height_m": (1.4, 2.0), "width_m": (0.56, 0.8), "depth_m": (0.58, 0.7)}),
        "bathtub": ("bathroom", {"depth_m": (0.65, 0.9)}),
    }
)
"""Kinds that stand in rooms, the class of shapes each is chosen by, and between which sizes it can be used."""
COUNT: Final = 16
"""Shapes of each kind."""
DRAWS: Final = 3
"""Draws for each shape; those least like the kind are left out."""
_CELLS: Final = 24
_POINTS: Final = 512


def chosen(model: ShapeModel, kind: str, count: int = COUNT) -> list[Params]:
    """Returns what the prior's first draws make of a kind, in the order of their seeds."""
    name, limits = SHAPED[kind]
    kinds = {kind: limits}
    draws = [(seed, cloud) for seed in range(count * DRAWS) if bool((cloud := _cloud(model, name, seed)).any())]
    draws.sort(key=lambda draw: nearest_of(draw[1], kinds, sweeps=0).distance)
    return [nearest_of(cloud, kinds).params for _, cloud in sorted(draws[:count], key=lambda draw: draw[0])]


def _cloud(model: ShapeModel, name: str, seed: int) -> Tensor:
    """Returns points (_POINTS, 3) of a drawn shape, metres; all 0 if nothing of it is solid."""
    code = model.draw(name, seed)
    return clouds_of(model.autoencoder, code[None], _POINTS, _CELLS, np.random.default_rng(seed))[0]


def write_variants(
    model: ShapeModel,
    path: Path,
    *,
    kinds: Sequence[str] = tuple(SHAPED),
    count: int = COUNT,
    told: Callable[[str], None] | None = None,
) -> Mapping[str, list[Params]]:
    """Chooses shapes of all kinds and writes them."""
    found = {}
    for kind in kinds:
        found[kind] = chosen(model, kind, count)
        if told:
            told(kind)
    lines = [
        f"{json.dumps(kind)}: [\n" + ",\n".join(f" {json.dumps(dict(p), sort_keys=True)}" for p in each) + "\n]"
        for kind, each in found.items()
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    return found
