"""The thing of the library that is most like a made shape: a clean mesh with seats and solids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ecumene_models import shape_metrics
from ecumene_world.assets import library
from ecumene_world.assets.asset import Asset
from ecumene_world.learning.sampling import surface_points

LIKE: Final[Mapping[str, tuple[str, ...]]] = {
    "appliance": ("fridge", "stove", "coffee_machine"),
    "bathroom": ("toilet", "bathtub", "sink"),
    "bed": ("bed",),
    "cabinet": ("cabinet", "shelf", "bookcase", "wardrobe", "counter", "display_case"),
    "chair": ("chair", "stool", "armchair"),
    "door_window": ("door", "window"),
    "lamp": ("floor_lamp", "lantern", "street_lamp"),
    "plant": ("potted_plant", "bush", "broadleaf_tree", "conifer_tree"),
    "sofa": ("sofa", "bench"),
    "table": ("table", "desk"),
    "vehicle": ("car", "van", "bicycle"),
    "vessel": ("cup", "bin"),
}
"""Kinds of the library that each class is made of."""
_POINTS: Final = 256
_SIDES: Final = (("length_m", 0), ("depth_m", 0), ("width_m", 1), ("height_m", 2))
_RESIZED: Final = 2.0
"""Weight of the squared logarithm by which a thing misses the size, against the chamfer distance of the forms."""


@dataclass(frozen=True, slots=True)
class Match:
    """A thing of the library.

    Attributes:
        kind: Its kind.
        seed: Its variant.
        params: Sizes in metres, as far as the kind accepts them.
        distance: Chamfer distance of the forms, both stretched into the made shape's box, longest edge 1.
    """

    kind: str
    seed: int
    params: Mapping[str, float]
    distance: float

    def build(self) -> Asset:
        """Returns the thing itself."""
        return library.build(self.kind, self.seed, self.params)


def nearest_asset(cloud: Tensor, name: str) -> Match:
    """Returns the thing most like a cloud (N, 3), metres, front towards +x, of a class of `LIKE`."""
    low, size = cloud.amin(0), (cloud.amax(0) - cloud.amin(0)).clamp_min(1e-3)
    scale = size / size.max()
    rows = torch.linspace(0, len(cloud) - 1, min(_POINTS, len(cloud))).long()
    form = (cloud[rows] - low) / size * scale
    known = [(kind, seed) for kind in LIKE[name] for seed in range(library.variants(kind))]
    forms = torch.stack([_boxed(kind, seed)[0] for kind, seed in known]) * scale
    apart = shape_metrics.distances(form[None], forms)[0]
    fitted = [_fitted(kind, size.tolist()) for kind, _ in known]
    missed = torch.stack(
        [_missed(kind, seed, params, size) for (kind, seed), params in zip(known, fitted, strict=True)]
    )
    best = int((apart + _RESIZED * 1e-2 * missed).argmin())
    kind, seed = known[best]
    return Match(kind, seed, fitted[best], float(apart[best]))


@lru_cache(maxsize=512)
def _boxed(kind: str, seed: int) -> tuple[Tensor, Tensor]:
    """Returns points of a variant in its own box, and its size."""
    points = surface_points(library.build(kind, seed).mesh, _POINTS, np.random.default_rng(seed))[:, :3]
    cloud = torch.from_numpy(points)
    low, size = cloud.amin(0), (cloud.amax(0) - cloud.amin(0)).clamp_min(1e-3)
    return (cloud - low) / size, size


def _fitted(kind: str, size: list[float]) -> dict[str, float]:
    """Returns the sizes that a kind accepts, as near to those wanted as it can be built."""
    accepted = library.parameters(kind)
    params = {}
    for name, axis in _SIDES:
        limits = accepted.get(name)
        if limits is not None and not isinstance(limits[0], str):
            params[name] = round(min(max(size[axis], float(limits[0])), float(limits[1])), 3)
    return params


def _missed(kind: str, seed: int, params: Mapping[str, float], size: Tensor) -> Tensor:
    """Returns the squared logarithm of how far a thing is from the size, over the three axes."""
    own = _boxed(kind, seed)[1].clone()
    for name, axis in _SIDES:
        if name in params:
            own[axis] = params[name]
    return (own / size).log().square().sum()
