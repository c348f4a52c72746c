"""The thing of the library that is most like a made shape: a clean mesh with seats and solids.

Its kind and variant are the nearest of a bank of parameters drawn by chance; its sizes follow the shape, and what else
can be chosen is then moved step by step as long as the chamfer distance falls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
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
    "sofa": ("sofa", "armchair", "bench"),
    "table": ("table", "desk"),
    "vehicle": ("car", "van", "bicycle"),
    "vessel": ("cup", "bin"),
}
"""Kinds of the library that each class is made of."""
Params = Mapping[str, float | str]
Limits = Mapping[str, tuple[float, float]]
"""Narrower ranges of parameters than the kind itself accepts."""
ANY: Final[Limits] = MappingProxyType({})
BANK: Final = 48
"""Parameters drawn for each kind, beside its variants as they are."""
SWEEPS: Final = 2
"""How often each parameter is tried to be moved."""
_STEPS: Final = (0.2, 0.08)
"""Share of its range that a parameter is moved by, for each sweep."""
_BEST: Final = 4
"""How many of the bank are built at the size of the shape."""
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
        params: What is chosen of it, as far as the kind accepts it.
        distance: Chamfer distance to the made shape, both about their middles, the shape's longest edge 1.
    """

    kind: str
    seed: int
    params: Params
    distance: float

    def build(self) -> Asset:
        """Returns the thing itself."""
        return library.build(self.kind, self.seed, self.params)


def nearest_asset(cloud: Tensor, name: str, *, sweeps: int = SWEEPS) -> Match:
    """Returns the thing most like a cloud (N, 3), metres, front towards +x, of all kinds of a class of `LIKE`.

    Args:
        cloud: Of a shape.
        name: Its class.
        sweeps: How often each parameter is tried to be moved; 0 takes the best of the bank.
    """
    return nearest_of(cloud, dict.fromkeys(LIKE[name], ANY), sweeps=sweeps)


def nearest_of(cloud: Tensor, kinds: Mapping[str, Limits], *, sweeps: int = SWEEPS) -> Match:
    """Returns the thing most like a cloud, of some kinds, each within limits; see `nearest_asset`."""
    low, high = cloud.amin(0), cloud.amax(0)
    size = (high - low).clamp_min(1e-3)
    rows = torch.linspace(0, len(cloud) - 1, min(_POINTS, len(cloud))).long()
    wanted = _Wanted((cloud[rows] - (low + high) / 2) / size.max(), size)
    near = [found for kind, limits in kinds.items() for found in _nearest(kind, wanted, limits)]
    built = sorted((wanted.judged(guess) for guess in sorted(near, key=lambda m: m.distance)[:_BEST]), key=_apart)
    best = built[0]
    for step in range(sweeps):
        best = _moved(best, wanted, ranges(best.kind, kinds[best.kind]), _STEPS[min(step, 1)])
    return best


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A shape to be like: points (N, 3) about its middle, longest edge 1, and its size (3,) in metres."""

    points: Tensor
    size: Tensor

    def judged(self, match: Match) -> Match:
        """Returns a match with its distance measured."""
        cloud = _sampled(match.build())
        middle = (cloud.amin(0) + cloud.amax(0)) / 2
        apart = shape_metrics.chamfer(self.points[None], ((cloud - middle) / self.size.max())[None])
        return replace(match, distance=float(apart))


def _apart(match: Match) -> float:
    return match.distance


def _nearest(kind: str, wanted: _Wanted, limits: Limits) -> list[Match]:
    """Returns all of a kind's bank at the size of the shape; distances are of the forms, stretched into its box."""
    known, forms, sizes = _bank(kind, tuple(sorted(limits.items())))
    scale = wanted.size / wanted.size.max()
    stretched = (forms - 0.5) * scale
    distance = shape_metrics.distances(wanted.points[None], stretched)[0]
    fitted = _fitted(ranges(kind, limits), wanted.size.tolist())
    own = sizes.clone()
    for name, axis in _SIDES:
        if name in fitted:
            own[:, axis] = fitted[name]
    missed = (own / wanted.size).log().square().sum(1)
    found = (distance + _RESIZED * 1e-2 * missed).tolist()
    return [Match(kind, seed, {**params, **fitted}, each) for (seed, params), each in zip(known, found, strict=True)]


@lru_cache(maxsize=64)
def _bank(
    kind: str, limits: tuple[tuple[str, tuple[float, float]], ...]
) -> tuple[list[tuple[int, Params]], Tensor, Tensor]:
    """Returns variants and parameters, their points (B, N, 3) in their own boxes of 0..1, and their sizes (B, 3)."""
    accepted = ranges(kind, dict(limits))
    rng = np.random.default_rng([len(kind), BANK])
    known: list[tuple[int, Params]] = [(seed, {}) for seed in range(library.variants(kind))]
    known += [
        (int(rng.integers(library.variants(kind))), drawn_params(accepted, rng)) for _ in range(BANK if accepted else 0)
    ]
    clouds = torch.stack([_sampled(library.build(kind, seed, params)) for seed, params in known])
    low = clouds.amin(1, keepdim=True)
    size = (clouds.amax(1, keepdim=True) - low).clamp_min(1e-3)
    return known, (clouds - low) / size, size[:, 0]


def drawn_params(ranges: Mapping[str, Sequence[float | str]], rng: np.random.Generator) -> dict[str, float | str]:
    """Returns one of all possible parameters of a kind, each value as likely."""
    drawn: dict[str, float | str] = {}
    for name, accepted in ranges.items():
        if isinstance(accepted[0], str):
            drawn[name] = str(accepted[int(rng.integers(len(accepted)))])
        else:
            drawn[name] = round(float(rng.uniform(float(accepted[0]), float(accepted[1]))), 3)
    return drawn


def ranges(kind: str, limits: Limits) -> dict[str, Sequence[float | str]]:
    """Returns what can be chosen of a kind but for its colour."""
    accepted = library.parameters(kind)
    return {name: limits.get(name, given) for name, given in accepted.items() if given is not None and name != "snow"}


def _sampled(asset: Asset) -> Tensor:
    """Returns points (N, 3) of an asset; the same for the same asset."""
    return torch.from_numpy(surface_points(asset.mesh, _POINTS, np.random.default_rng(0))[:, :3])


def _fitted(ranges: Mapping[str, Sequence[float | str]], size: Sequence[float]) -> dict[str, float]:
    """Returns the sizes that a kind accepts, as near to those wanted as it can be built."""
    params = {}
    for name, axis in _SIDES:
        limits = ranges.get(name)
        if limits is not None:
            params[name] = round(min(max(size[axis], float(limits[0])), float(limits[1])), 3)
    return params


def _moved(match: Match, wanted: _Wanted, ranges: Mapping[str, Sequence[float | str]], step: float) -> Match:
    """Returns a match whose parameters were moved one after the other as far as that brought it nearer."""
    for name, accepted in ranges.items():
        for value in _others(match.params.get(name), accepted, step):
            tried = wanted.judged(replace(match, params={**match.params, name: value}))
            if tried.distance < match.distance:
                match = tried
    return match


def _others(value: float | str | None, accepted: Sequence[float | str], step: float) -> list[float | str]:
    """Returns what a parameter may be tried at instead."""
    if isinstance(accepted[0], str):
        return [word for word in accepted if word != value]
    low, high = float(accepted[0]), float(accepted[1])
    at = (low + high) / 2 if value is None else float(value)
    return [round(min(max(at + sign * step * (high - low), low), high), 3) for sign in (1, -1)]
