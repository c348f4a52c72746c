"""Fitting: turns what a proposer drew into things that stand in a room, moved a little or left out where need be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import cos, hypot, pi, sin
from typing import Final

import numpy as np

from ecumene_world.assets import library
from ecumene_world.errors import GraphError
from ecumene_world.generate.board import Board, Box, Lost
from ecumene_world.generate.furnisher import box_of
from ecumene_world.generate.proposer import FLOOR, Brief, Proposal
from ecumene_world.graph import Node
from ecumene_world.kinds import BY_NAME, Interaction
from ecumene_world.mesh_of import asset_of

_NUDGES_M: Final = tuple(
    (dx * step, dy * step)
    for step in (0.0, 0.1, 0.2, 0.35)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1))
)[5:]
"""Where else a thing is tried that does not fit where it was proposed, metres along x and y."""
_UNDERFOOT: Final = {"rug"}
_NEEDED: Final = frozenset(
    {
        "bed",
        "table",
        "sofa",
        "counter",
        "stove",
        "sink",
        "toilet",
        "bathtub",
        "desk",
        "exam_couch",
        "fridge",
        "wardrobe",
    }
)
"""What makes a room what it is; it makes way only where nothing else can."""
_ROUNDS: Final = 10
_TRIED: Final = 10
_PAIRED: Final = 6
"""How many of the nearest are left out two at a time, where two bar the way one behind the other."""
_MATTERS_M2: Final = 0.25
_SIZED: Final = (("depth_m", 0), ("length_m", 0), ("width_m", 1), ("height_m", 2))


@dataclass(frozen=True, slots=True)
class Fitted:
    """What stands in a room after fitting.

    Attributes:
        things: With supports and seats' tables as indices into this sequence.
        moved: How many were moved.
        left_out: How many found no place.
    """

    things: tuple[Proposal, ...]
    moved: int
    left_out: int


def fitted(brief: Brief, proposals: Sequence[Proposal], seed: int) -> Fitted:
    """Returns the proposals that fit the room, every one on its support and each used one within reach.

    What overlaps something before it, sticks out of the room or blocks a door is moved by up to half a metre, else
    left out together with what stands on it; then what walls off floor or hides a seat is left out.

    Raises:
        GraphError: A proposal names a kind that can't be furnished with, or a support that comes after it.
    """
    rng = np.random.default_rng([seed, 23])
    board = Board(brief)
    kept: dict[int, Proposal] = {}
    boxes: dict[int, Box] = {}
    moved = 0
    for index, raw in enumerate(proposals):
        thing = _checked(raw, index, brief, rng)
        if thing.support != FLOOR and thing.support not in kept:
            continue
        if footprint(thing) is not None:
            placed = _placed(board, thing)
            if placed is None:
                continue
            moved += placed is not thing
            thing = placed
            boxes[index] = _box(thing)
            board.taken.append(boxes[index])
        elif not _within(board, thing):
            continue
        kept[index] = thing
    for index in _cleared(board, kept, boxes):
        for gone in _above(kept, index):
            kept.pop(gone, None)
    number = {index: place for place, index in enumerate(kept)}
    things = tuple(
        replace(thing, support=number.get(thing.support, FLOOR), faces=number.get(thing.faces, -1))
        for thing in kept.values()
    )
    return Fitted(things, moved, len(proposals) - len(things))


def _checked(thing: Proposal, index: int, brief: Brief, rng: np.random.Generator) -> Proposal:
    """Returns a proposal with a variant, parameters the kind accepts and finite numbers."""
    if thing.kind != "wall" and thing.kind not in library.kinds():
        raise GraphError(f"{thing.kind!r} was proposed for a {brief.role}, but the asset library does not build it")
    if not np.isfinite([thing.x, thing.y, thing.yaw, thing.z]).all():
        raise GraphError(f"a {thing.kind} was proposed at a pose that is not finite; give metres and radians")
    if thing.support >= index or thing.support < FLOOR:
        raise GraphError(f"the support {thing.support} of proposal {index} must come before it, or be {FLOOR}")
    seed = thing.seed if thing.seed >= 0 else int(rng.integers(1 << 12))
    return replace(thing, seed=seed, params=_params(thing), size=None)


def _params(thing: Proposal) -> Mapping[str, float | str]:
    """Returns the parameters, with a wanted size clipped to what the kind can be built in."""
    if thing.size is None or thing.kind == "wall":
        return thing.params
    accepted = library.parameters(thing.kind)
    found = dict(thing.params)
    for name, axis in _SIZED:
        bounds = accepted.get(name)
        if isinstance(bounds, tuple) and not isinstance(bounds[0], str) and name not in found:
            low, high = float(bounds[0]), float(bounds[1])
            found[name] = round(min(max(thing.size[axis], low), high), 2)
    return found


def _placed(board: Board, thing: Proposal) -> Proposal | None:
    """Returns a thing where it fits, nudged if need be; None if it fits nowhere near."""
    for dx, dy in _NUDGES_M:
        tried = thing if dx == dy == 0 else replace(thing, x=thing.x + dx, y=thing.y + dy)
        if board.fits(_box(tried)):
            return tried
    return None


def _cleared(board: Board, kept: Mapping[int, Proposal], boxes: dict[int, Box]) -> list[int]:
    """Returns which things to leave out so that all floor and everything used can be walked to."""
    gone: list[int] = []
    built = board.taken[: len(board.taken) - len(boxes)]
    used = {n: box for n, box in boxes.items() if BY_NAME[kept[n].kind].interaction is not Interaction.NONE}

    def without(some: Iterable[int]) -> Lost:
        left = set(some)
        board.taken = [*built, *(box for key, box in boxes.items() if key not in left)]
        return board.lost((key, box) for key, box in used.items() if key not in left)

    best = without(())
    for _ in range(_ROUNDS):
        if best.area_m2 == 0 and best.missed == 0:
            break
        near = _nearest(boxes, best)
        options = _better(best, ((n,) for n in near), kept, without)
        if not options and best.area_m2:
            options = _better(best, combinations(near[:_PAIRED], 2), kept, without)
        if not options:
            plain = [n for n in near if kept[n].kind not in _NEEDED]
            if not plain or best.area_m2 == 0:
                break
            options = [(0, 0.0, (plain[0],), best)]
        _, _, choice, best = min(options, key=lambda option: option[:3])
        gone += choice
        for index in choice:
            del boxes[index]
            used.pop(index, None)
    board.taken = [*built, *boxes.values()]
    return gone


def _better(
    best: Lost,
    choices: Iterable[tuple[int, ...]],
    kept: Mapping[int, Proposal],
    without: Callable[[Sequence[int]], Lost],
) -> list[tuple[int, float, tuple[int, ...], Lost]]:
    """Returns which things are worth leaving out: how many are needed ones, what stays lost, which, and what of it."""
    found = []
    for choice in choices:
        left = without(choice)
        if left.missed < best.missed or left.area_m2 < best.area_m2 - _MATTERS_M2:
            needed = sum(kept[n].kind in _NEEDED for n in choice)
            found.append((needed, left.area_m2 + left.missed, choice, left))
    return found


def _nearest(boxes: Mapping[int, Box], lost: Lost) -> list[int]:
    """Returns the things nearest to where floor or things are lost, few enough to try each."""
    if not lost.points:
        return []
    gaps = {index: min(hypot(box.x - x, box.y - y) for x, y in lost.points) - box.reach for index, box in boxes.items()}
    return sorted(gaps, key=lambda index: gaps[index])[:_TRIED]


def _above(kept: Mapping[int, Proposal], index: int) -> Iterable[int]:
    """Returns a thing and all that stands on it."""
    found = [index]
    found += [n for n, thing in kept.items() if thing.support == index]
    return found


def _within(board: Board, thing: Proposal) -> bool:
    return board.x0 - 0.1 <= thing.x <= board.x1 + 0.1 and board.y0 - 0.1 <= thing.y <= board.y1 + 0.1


def _box(thing: Proposal) -> Box:
    size = thing.attributes.get("size")
    if thing.kind == "wall" and isinstance(size, list):
        long, thick = float(size[0]), float(size[1])  # type: ignore[arg-type]
        return Box(thing.x, thing.y, thing.yaw, long / 2, thick / 2)
    return box_of(thing.kind, thing.seed, thing.params, thing.x, thing.y, thing.yaw)


def footprint(thing: Proposal) -> Box | None:
    """Returns the floor that a thing takes; None for what hangs, lies flat or stands on something."""
    return _box(thing) if thing.support == FLOOR and not thing.hung and thing.kind not in _UNDERFOOT else None


def top_of(thing: Proposal, dx: float, dy: float) -> float:
    """Returns the height of a thing's top at an offset from its frame, metres above what it stands on."""
    asset = asset_of(Node("thing", thing.kind, seed=thing.seed, params=thing.params))
    assert asset is not None, "furniture comes from the asset library"
    under = [
        c.centre[2] + c.size[2] / 2
        for c in asset.colliders
        if abs(dx - c.centre[0]) <= c.size[0] / 2 and abs(dy - c.centre[1]) <= c.size[1] / 2
    ]
    return max(under, default=asset.size[2])


def working_side(thing: Proposal) -> tuple[float, float, float]:
    """Returns where somebody who works at a thing stands, and which way they look, in the room's frame.

    One sits at a desk's +x side and stands behind a counter; everything else is used from its front.
    """
    box = _box(thing)
    behind = thing.kind == "counter"
    away = (box.along + 0.5) * (-1.0 if behind else 1.0)
    x, y = box.x + away * cos(thing.yaw), box.y + away * sin(thing.yaw)
    return x, y, thing.yaw if behind else thing.yaw + pi
