"""Shapes of furniture that the network of shapes chose: sizes and forms of the library's things, by kind and seed.

They were fitted once, when the network was trained, and are read from a file: no network runs while a room is made, and
a seed means the same chair on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

import ecumene_models
from ecumene_models.errors import WeightsError
from ecumene_world.assets import library
from ecumene_world.assets.asset import Asset

FILE: Final = Path(ecumene_models.__file__).parent / "weights" / "shape_variants.json"
TAG: Final = "varied"
"""The wish that gives a place's furniture these shapes."""
Params = Mapping[str, float | str]
_NONE: Final[Params] = MappingProxyType({})


def shape_of(kind: str, seed: int) -> Params:
    """Returns what the network chose for a kind and a seed; nothing for kinds that it does not shape.

    Raises:
        WeightsError: The file of shapes is missing or damaged.
    """
    known = shapes().get(kind)
    return known[seed % len(known)] if known else _NONE


def shaped_asset(kind: str, seed: int) -> Asset:
    """Returns a thing of the library in a shape that the network chose; the library's own of that seed if it has none.

    Raises:
        GraphError: The kind has no mesh.
        WeightsError: The file of shapes is missing or damaged.
    """
    return library.build(kind, seed, shape_of(kind, seed))


@lru_cache(maxsize=1)
def shapes() -> Mapping[str, tuple[Params, ...]]:
    """Returns all shapes by kind.

    Raises:
        WeightsError: The file of shapes is missing or damaged.
    """
    return read_shapes(FILE)


def read_shapes(path: Path) -> Mapping[str, tuple[Params, ...]]:
    """Returns the shapes of a file by kind.

    Raises:
        WeightsError: The file is missing, or is not one of shapes.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
        return MappingProxyType(
            {kind: tuple(MappingProxyType(dict(one)) for one in each) for kind, each in found.items()}
        )
    except (OSError, ValueError, TypeError, AttributeError):
        raise WeightsError(f"{path} is no file of shapes; `ecumene train shapes` writes one") from None
