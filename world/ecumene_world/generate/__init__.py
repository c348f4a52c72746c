"""Worlds from seeds: rooms of eight kinds on plots of their own, plazas, towns that contain them, and arenas."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ecumene_world.errors import GraphError, RequestError
from ecumene_world.graph import SceneGraph

if TYPE_CHECKING:
    from ecumene_world.gate.repair import Gated
    from ecumene_world.generate.proposer import LayoutProposer
    from ecumene_world.generate.room_building import Wish

__all__ = ["TYPES", "generate", "generated"]

Progress = Callable[[str, float], None]
"""Told what is being done and how much of the whole is done, 0..1."""


@dataclass(frozen=True, slots=True)
class Size:
    """Usual, least and greatest edge of a type, metres."""

    usual: float
    least: float
    greatest: float


TYPES: Final[Mapping[str, Size]] = {
    "apartment": Size(13.0, 9.0, 24.0),
    "office": Size(18.0, 10.0, 34.0),
    "meeting": Size(12.0, 8.0, 24.0),
    "classroom": Size(12.0, 8.0, 24.0),
    "clinic": Size(15.0, 10.0, 30.0),
    "museum": Size(20.0, 16.0, 32.0),
    "shop": Size(14.0, 8.0, 28.0),
    "cafe": Size(13.0, 8.0, 24.0),
    "plaza": Size(60.0, 56.0, 100.0),
    "town": Size(300.0, 150.0, 900.0),
    "arena": Size(30.0, 12.0, 120.0),
}
"""What can be generated; the size is the edge that one asks for."""


def generate(
    kind: str,
    seed: int = 0,
    *,
    tags: Sequence[str] = (),
    size_m: float | None = None,
    proposer: LayoutProposer | None = None,
    progress: Progress | None = None,
) -> SceneGraph:
    """Returns a generated world that passed the gate; the same for the same arguments.

    Args:
        kind: One of `TYPES`.
        seed: Any whole number from 0.
        tags: Wishes that the type knows, see `tags.TAGS`.
        size_m: Edge length; the type's usual one if None.
        proposer: Furnishes the rooms whose role it knows; the procedural one if None.
        progress: Called as the work goes on.

    Raises:
        RequestError: The kind, a tag, the seed or the size is not one that can be had.
        GraphError: No repair made the world pass the gate.
        ImportFailed: Shapely is missing, which a town needs.
    """
    if kind == "arena":
        return drawn(kind, seed, tags=tags, size_m=size_m, proposer=proposer, progress=progress)
    world = generated(kind, seed, tags=tags, size_m=size_m, proposer=proposer, progress=progress)
    if not world.report.ok:
        failed = ", ".join(name for name, check in world.report.checks.items() if not check.ok)
        raise GraphError(f"{kind} {seed} did not pass the gate ({failed}); try another seed")
    return world.graph


def generated(
    kind: str,
    seed: int = 0,
    *,
    tags: Sequence[str] = (),
    size_m: float | None = None,
    proposer: LayoutProposer | None = None,
    progress: Progress | None = None,
) -> Gated:
    """Returns a world, repaired, with what the gate says of it before and after; arguments as in `generate`."""
    from ecumene_world.gate import gated

    tell = progress or _silent
    graph = drawn(
        kind, seed, tags=tags, size_m=size_m, proposer=proposer, progress=lambda what, share: tell(what, 0.6 * share)
    )
    tell(f"checking {kind} {seed}", 0.6)
    world = gated(graph)
    tell(f"made {kind} {seed} of {len(world.graph)} nodes", 1.0)
    return world


def drawn(
    kind: str,
    seed: int = 0,
    *,
    tags: Sequence[str] = (),
    size_m: float | None = None,
    proposer: LayoutProposer | None = None,
    progress: Progress | None = None,
) -> SceneGraph:
    """Returns a world as it is drawn, before the gate; arguments as in `generate`."""
    from ecumene_world.generate.room_building import Wish

    edge = check_request(kind, seed, tags, size_m)
    tell = progress or _silent
    tell(f"making {kind} {seed}", 0.0)
    graph = _maker(kind)(seed, edge, Wish(tuple(tags), proposer))
    tell(f"drew {kind} {seed} of {len(graph)} nodes", 1.0)
    return graph


def check_request(kind: str, seed: int, tags: Sequence[str], size_m: float | None) -> float:
    """Returns the edge length to make something with, metres, if it can be had; arguments as in `generate`.

    Raises:
        RequestError: It can't; the message says what can.
    """
    from ecumene_world.generate.tags import check_tags

    if kind not in TYPES:
        near = difflib.get_close_matches(kind, TYPES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RequestError(f"{kind!r} can't be generated, but {', '.join(TYPES)} can{hint}")
    if not 0 <= seed < 1 << 63:
        raise RequestError(f"the seed {seed} is not a whole number from 0 to 2^63")
    size = TYPES[kind]
    edge = size.usual if size_m is None else float(size_m)
    if not size.least <= edge <= size.greatest:
        raise RequestError(f"a size of {edge:g} m is not within {size.least:g} and {size.greatest:g} m for {kind}")
    check_tags(kind, tags)
    return edge


def _maker(kind: str) -> Callable[[int, float, Wish], SceneGraph]:
    """Returns what makes a type; modules are loaded when they are needed."""
    if kind == "town":
        from ecumene_world.generate.town import town

        return town
    if kind == "plaza":
        from ecumene_world.generate.plaza import plaza

        return plaza
    if kind == "arena":
        from ecumene_world.generate.arena import arena

        return lambda seed, edge, wish: arena(seed, edge, wish.tags)
    from ecumene_world.generate.standalone import building

    return lambda seed, edge, wish: building(kind, seed, edge, wish)


def _silent(_doing: str, _share: float) -> None:
    pass
