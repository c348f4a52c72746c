"""Worlds from seeds: made-up towns, plazas, apartments and arenas. Learned generators come beside them later."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from ecumene_world.errors import GraphError
from ecumene_world.graph import SceneGraph

__all__ = ["TYPES", "generate"]

Progress = Callable[[str, float], None]
"""Told what is being done and how much of the whole is done, 0..1."""


@dataclass(frozen=True, slots=True)
class Size:
    """Usual, least and greatest edge of a type, metres."""

    usual: float
    least: float
    greatest: float


TYPES: Final[Mapping[str, Size]] = {
    "town": Size(260.0, 150.0, 900.0),
    "plaza": Size(60.0, 56.0, 100.0),
    "apartment": Size(13.0, 9.0, 24.0),
    "arena": Size(30.0, 12.0, 120.0),
}
"""What can be generated; each is made by the function of that name in the module of that name."""


def generate(
    kind: str,
    seed: int = 0,
    *,
    tags: Sequence[str] = (),
    size_m: float | None = None,
    progress: Progress | None = None,
) -> SceneGraph:
    """Returns a generated world; the same for the same arguments.

    Args:
        kind: One of `TYPES`.
        seed: Any whole number from 0.
        tags: Wishes that the type knows, such as `green` for a town.
        size_m: Edge length; the type's usual one if None.
        progress: Called as the work goes on.

    Raises:
        GraphError: The kind, a tag, the seed or the size is not one that can be had.
        ImportFailed: Shapely is missing, which a town needs.
    """
    if kind not in TYPES:
        near = difflib.get_close_matches(kind, TYPES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise GraphError(f"{kind!r} can't be generated, but {', '.join(TYPES)} can{hint}")
    if not 0 <= seed < 1 << 63:
        raise GraphError(f"the seed {seed} is not a whole number from 0 to 2^63")
    size = TYPES[kind]
    edge = size.usual if size_m is None else float(size_m)
    if not size.least <= edge <= size.greatest:
        raise GraphError(f"a size of {edge:g} m is not within {size.least:g} and {size.greatest:g} m for {kind}")
    module = import_module(f"ecumene_world.generate.{kind}")
    for tag in tags:
        if tag not in module.TAGS:
            raise GraphError(f"the tag {tag!r} is not known for {kind}; {', '.join(module.TAGS)} are")
    tell = progress or _silent
    tell(f"making {kind} {seed}", 0.0)
    graph: SceneGraph = getattr(module, kind)(seed, edge, tuple(tags))
    tell(f"made {kind} {seed} of {len(graph)} nodes", 1.0)
    return graph


def _silent(_doing: str, _share: float) -> None:
    pass
