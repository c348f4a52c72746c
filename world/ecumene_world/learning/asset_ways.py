"""Ways to make shapes of the library's things: by seed, by chance, and chosen by a made shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ecumene_world.assets import library
from ecumene_world.assets.asset import Asset
from ecumene_world.learning.labels import CLASSES
from ecumene_world.learning.matching import ANY, LIKE, drawn_params, nearest_asset, ranges
from ecumene_world.learning.shape_evaluation import POINTS, Make
from ecumene_world.learning.solids import seen_points

BY_SEED: Final = "library by seed"
BY_CHANCE: Final = "library, any parameters"
CHOSEN: Final = "library, chosen by"
"""Begins the name of a way in which something made chooses a thing of the library."""


def asset_makers(made: Mapping[str, Make]) -> dict[str, Make]:
    """Returns the library's own ways, and one for each way to make shapes that then choose things of the library."""
    chosen = {f"{CHOSEN} {name}": choosing(make) for name, make in made.items()}
    return {BY_SEED: _each(by_seed), BY_CHANCE: _each(by_chance), **chosen}


def choosing(make: Make) -> Make:
    """Returns what makes the things of the library that are most like made shapes; an empty shape stays one."""

    def chosen(kinds: Tensor, seed: int) -> Tensor:
        clouds = make(kinds, seed)
        names = [tuple(CLASSES)[kind] for kind in kinds.tolist()]
        generator = np.random.default_rng([seed, 1])
        return torch.stack(
            [
                _seen(nearest_asset(cloud, name).build(), generator) if bool(cloud.any()) else cloud
                for cloud, name in zip(clouds, names, strict=True)
            ]
        )

    return chosen


def by_seed(name: str, generator: np.random.Generator) -> Asset:
    """Returns a thing of a class as a seed makes it: any of its kinds, any variant."""
    return library.build(_kind(name, generator), int(generator.integers(1 << 16)))


def by_chance(name: str, generator: np.random.Generator) -> Asset:
    """Returns a thing of a class with everything that can be chosen of it drawn by chance."""
    kind = _kind(name, generator)
    return library.build(kind, int(generator.integers(1 << 16)), drawn_params(ranges(kind, ANY), generator))


def _kind(name: str, generator: np.random.Generator) -> str:
    return LIKE[name][int(generator.integers(len(LIKE[name])))]


def _each(build: Callable[[str, np.random.Generator], Asset]) -> Make:
    def make(kinds: Tensor, seed: int) -> Tensor:
        generator = np.random.default_rng(seed)
        names = [tuple(CLASSES)[kind] for kind in kinds.tolist()]
        return torch.stack([_seen(build(name, generator), generator) for name in names])

    return make


def _seen(asset: Asset, generator: np.random.Generator) -> Tensor:
    return torch.from_numpy(seen_points(asset.mesh, POINTS, generator))
