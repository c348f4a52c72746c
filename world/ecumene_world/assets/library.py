"""The library: builds any kind of thing from a name, a seed and a few parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np

from ecumene_world.assets import fittings, furniture, indoor, loose, nature, people, street, structure, vehicles
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.buildings import building
from ecumene_world.assets.recipe import Draw, Recipe
from ecumene_world.assets.structure import wall
from ecumene_world.errors import GraphError, UnknownKindError
from ecumene_world.kinds import kind_named

__all__ = ["build", "building", "kinds", "parameters", "variants", "wall"]

_ALL: Final[tuple[Recipe, ...]] = (
    *structure.RECIPES,
    *nature.RECIPES,
    *street.RECIPES,
    *vehicles.RECIPES,
    *furniture.RECIPES,
    *indoor.RECIPES,
    *fittings.RECIPES,
    *loose.RECIPES,
    *people.RECIPES,
)
_RECIPES: Final = {recipe.kind: recipe for recipe in _ALL}
_NO_PARAMS: Final[Mapping[str, float | str]] = MappingProxyType({})


def build(kind: str, seed: int = 0, params: Mapping[str, float | str] = _NO_PARAMS) -> Asset:
    """Returns a thing of some kind; the same object for the same kind, seed (modulo variants) and parameters.

    Args:
        kind: Name of a kind in `kinds()`.
        seed: Which of its variants; any integer.
        params: Sizes in metres (`width_m` along y, `depth_m` or `length_m` along x, `height_m`), `colour` as
            '#rrggbb' and words, each within what the kind accepts.

    Raises:
        GraphError: The kind has no mesh, or a parameter is unknown or out of range.
    """
    recipe = _recipe(kind)
    recipe.check(params)
    return _built(kind, seed % recipe.variants, tuple(sorted(params.items())))


def kinds() -> tuple[str, ...]:
    """Returns the names of all kinds that can be built."""
    return tuple(_RECIPES)


def variants(kind: str) -> int:
    """Returns how many seeds of a kind look different.

    Raises:
        GraphError: The kind has no mesh.
    """
    return _recipe(kind).variants


def parameters(kind: str) -> Mapping[str, tuple[float, float] | tuple[str, ...] | None]:
    """Returns what each parameter of a kind accepts: a range, some words, or None for a colour.

    Raises:
        GraphError: The kind has no mesh.
    """
    return _recipe(kind).params


def _recipe(kind: str) -> Recipe:
    recipe = _RECIPES.get(kind)
    if recipe is None:
        try:
            kind_named(kind)
        except UnknownKindError:
            raise UnknownKindError(kind, _RECIPES) from None
        raise GraphError(f"{kind!r} has no mesh of its own; the library builds {', '.join(_RECIPES)}")
    return recipe


@lru_cache(maxsize=4096)
def _built(kind: str, variant: int, params: tuple[tuple[str, float | str], ...]) -> Asset:
    recipe = _RECIPES[kind]
    # The kind's code keeps kinds from sharing one generator, so that a red car doesn't always come with a red bench.
    rng = np.random.default_rng([kind_named(kind).code, variant])
    asset = recipe.build(Draw(rng, variant, dict(params)))
    asset.mesh.validate()
    for array in (asset.mesh.vertices, asset.mesh.faces, asset.mesh.colours):
        array.flags.writeable = False
    return asset
