"""Labelled scans to learn from, all simulated: designed rooms furnished with models of furniture, then scanned.

Nothing here was measured by a real scanner. A thing's box comes from a real iTHOR room, its surface from a model of
like proportions that is stretched into the box, its label from what was put there. No labelled scan of a real room
could be had under a free licence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import pi
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.solids import box as box_mesh
from ecumene_world.learning import furniture
from ecumene_world.learning.rooms import SORTS, Room
from ecumene_world.learning.scanning import FLOOR, Scanner, Shell, scan
from ecumene_world.learning.surfaces import FOLDS, OTHER, Surface

CLASSES: Final = (
    *("floor", "wall", "ceiling", "chair", "sofa", "table", "bed", "cabinet", "appliance", "bathroom", "lamp"),
    *("plant", "opening", "other"),
)
"""What a point can be; `opening` is a door or window, `other` everything that has no class of its own."""
SHELL_CLASSES: Final = 3
FILE: Final = "scans-{}.npz"
"""Of each fold, beside the furniture."""
VARIANTS: Final = 2
"""Times that each room is furnished, each time from models of another fold; the first is its own fold's."""
STATIONS: Final = 3
_VERSION: Final = 1
_MOST_POINTS: Final = 30_000
_SPACING_M: Final = 0.05
_MODELS: Final = {"opening": "door_window", "vessel": "vessel"}
"""Class of the models for a sort of thing, where the name is not the same."""
_ALIKE: Final = 4
_STRANGE: Final = 1.8
"""Sum of the logarithms of what a model is stretched by; beyond it a plain box stands there instead."""
_LOOSE: Final = {"chair": 0.25, "plant": 1.5, "lamp": 0.5, "table": 0.05, "sofa": 0.05, "bed": 0.03}
"""Standard deviation of the heading about the designed one, radians."""
_EXTRA: Final = ("chair", "sofa", "bed", "appliance", "bathroom", "lamp", "plant", "cabinet")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One simulated scan.

    Attributes:
        room: Name of the room.
        room_fold: Of its floor plan.
        model_fold: That its furniture is of.
        xyz: (N, 3) f32 metres, floor at z = 0, about 5 cm apart.
        kind: (N,) u8 rows of `CLASSES`.
        thing: (N,) i16 number of the thing, -1 on floor, walls and ceiling.
    """

    room: str
    room_fold: int
    model_fold: int
    xyz: NDArray[np.float32]
    kind: NDArray[np.uint8]
    thing: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A thing in a room: (F, 3, 3) triangles in metres, and its class."""

    triangles: NDArray[np.float64]
    kind: int


def load_scans(
    rooms: Sequence[Room], surfaces: Sequence[Surface], folder: Path, progress: Progress | None = None
) -> tuple[Scan, ...]:
    """Returns all scans of the rooms whose floor is known; minutes the first time, then read from `folder`.

    The same rooms and models give the same scans everywhere. One file a fold is kept, so an interrupted run goes on.
    """
    usable = [room for room in rooms if np.isfinite(room.floor).all()]
    fold = room_folds(usable)
    found: list[Scan] = []
    for own in range(FOLDS):
        some = [room for room in usable if fold[room.group] == own]
        found += _fold(some, own, surfaces, folder / FILE.format(own))
        if progress:
            progress(own + 1, FOLDS)
    return tuple(found)


def _fold(rooms: Sequence[Room], own: int, surfaces: Sequence[Surface], kept: Path) -> tuple[Scan, ...]:
    """Returns the scans of one fold's rooms."""
    key = _key(rooms, surfaces)
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            if str(file["key"]) == key:
                return _unpacked(dict(file))
    held = _packed(
        [
            simulated(room, own, (own + 2 * variant) % FOLDS, surfaces, extras=variant > 0)
            for room in rooms
            for variant in range(VARIANTS)
        ]
    )
    part = kept.with_suffix(".part.npz")
    part.parent.mkdir(parents=True, exist_ok=True)
    told, kinds, things = held["told"], held["kind"], held["thing"]
    np.savez_compressed(part, key=np.array(key), told=told, millimetres=held["millimetres"], kind=kinds, thing=things)
    part.replace(kept)
    return _unpacked(held)


def room_folds(rooms: Sequence[Room]) -> Mapping[str, int]:
    """Returns the fold of each floor plan; kitchens, bedrooms and so on are spread evenly."""
    plans = sorted({room.group for room in rooms}, key=lambda plan: hashlib.sha256(plan.encode()).hexdigest())
    dealt: dict[str, int] = {}
    fold = {}
    for plan in plans:
        collection = plan.partition("/")[0]
        fold[plan] = dealt.get(collection, 0) % FOLDS
        dealt[collection] = dealt.get(collection, 0) + 1
    return fold


def a_few(rooms: Sequence[Room]) -> tuple[Room, ...]:
    """Returns five rooms of one sort, one for each fold, to try things out on."""
    usable = [room for room in rooms if np.isfinite(room.floor).all()]
    sort = usable[0].group.partition("/")[0]
    return tuple(room for room in usable if room.group.startswith(sort))[:FOLDS]


def simulated(
    room: Room,
    room_fold: int,
    model_fold: int,
    surfaces: Sequence[Surface],
    *,
    extras: bool,
    scanner: Scanner | None = None,
) -> Scan:
    """Returns the scan of a room with furniture of one fold.

    Args:
        room: Whose floor is known.
        room_fold: Its own fold.
        model_fold: Of the furniture.
        surfaces: All models.
        extras: Whether a few more things stand where the floor is free; sofas and beds are rare in the data.
        scanner: How well it is scanned; drawn anew if None.
    """
    seed = hashlib.sha256(f"{room.name} {model_fold} {extras} {_VERSION}".encode()).digest()[:8]
    rng = np.random.default_rng(int.from_bytes(seed, "little"))
    pool = [one for one in surfaces if one.fold == model_fold]
    shell = _shell(room, rng)
    boxes = _boxes(room, shell)
    if extras:
        boxes += _more(boxes, shell, pool, rng)
    things = [_placed(sort, centre, size, heading, pool, rng) for sort, centre, size, heading in boxes]
    triangles = np.concatenate([thing.triangles for thing in things] or [np.zeros((0, 3, 3))])
    owner = np.repeat(np.arange(len(things)), [len(thing.triangles) for thing in things])
    chosen = scanner or Scanner(noise_m=float(rng.uniform(0.002, 0.012)), lost=float(rng.uniform(0.02, 0.15)))
    seen = scan(shell, triangles, owner, _stations(boxes, shell, rng), chosen, rng)
    kinds = np.array([thing.kind for thing in things] + [0, 1, 2], np.int64)  # hits count back from the end
    kind, thing = kinds[seen.hit], np.where(seen.hit < 0, -1, seen.hit)
    kept = _clear(seen.xyz, kind, rng)
    rows = _thin(seen.xyz[kept], rng)
    assert FLOOR == -SHELL_CLASSES, "the shell's numbers count back from the end of the classes"
    return Scan(
        *(room.name, room_fold, model_fold),
        *(seen.xyz[kept][rows].astype(np.float32), kind[kept][rows].astype(np.uint8)),
        thing[kept][rows].astype(np.int16),
    )


_Box = tuple[str, NDArray[np.float64], NDArray[np.float64], float]
"""Sort, centre and size in metres, heading in radians."""


def _shell(room: Room, rng: np.random.Generator) -> Shell:
    """Returns the room's box; its height is not in the data and is drawn."""
    top = float((room.centre[:, 2] + room.size[:, 2] / 2).max(initial=0.0))
    x0, y0, x1, y1 = (float(edge) for edge in room.floor)
    return Shell((x0, y0, 0.0), (x1, y1, max(top + 0.05, float(rng.uniform(2.4, 3.1)))))


def _boxes(room: Room, shell: Shell) -> list[_Box]:
    """Returns the things that can be seen and stand within the shell."""
    names, low, high = tuple(SORTS), np.array(shell.low), np.array(shell.high)
    found: list[_Box] = []
    for sort, centre, size, heading in zip(room.sort, room.centre, room.size, room.heading, strict=True):
        name, extent = names[int(sort)], np.minimum(size.astype(np.float64), high - low - 0.02)
        flat_burner = name == "appliance" and extent[2] < 0.08
        sprawling = name == "table" and extent[:2].min() > 1.9
        if extent.max() < 0.1 or flat_burner or sprawling:
            continue
        middle = centre.astype(np.float64).clip(low + extent / 2 + 0.005, high - extent / 2 - 0.005)
        if np.abs(middle - centre).max() < 0.5:
            found.append((name, middle, extent, float(heading)))
    return found


def _more(boxes: Sequence[_Box], shell: Shell, pool: Sequence[Surface], rng: np.random.Generator) -> list[_Box]:
    """Returns a few things of rare classes for free places on the floor, backs to the nearest wall."""
    low, high = np.array(shell.low), np.array(shell.high)
    more: list[_Box] = []
    for kind in rng.choice(_EXTRA, 4, replace=False):
        choice = [one for one in pool if one.kind == kind and one.size_m.max() < 2.6 and one.size_m[2] > 0.3]
        if not choice:
            continue
        size = choice[rng.integers(len(choice))].size_m.astype(np.float64)
        for _ in range(20):
            turn = int(rng.integers(4))
            extent = size[[1, 0, 2]] if turn % 2 else size
            if (extent > high - low - 0.1).any():
                continue
            middle = rng.uniform(low + extent / 2 + 0.02, high - extent / 2 - 0.02)
            middle[2] = extent[2] / 2 + 0.003
            if all(
                (np.abs(middle - centre) > (extent + other) / 2 - 0.02).any() for _, centre, other, _ in [*boxes, *more]
            ):
                more.append((str(kind), middle, extent, turn * pi / 2 - pi / 2))
                break
    return more


def _placed(
    sort: str,
    centre: NDArray[np.float64],
    size: NDArray[np.float64],
    heading: float,
    pool: Sequence[Surface],
    rng: np.random.Generator,
) -> Placed:
    """Returns a model of like proportions, stretched into a box."""
    turn = round((heading + pi / 2) / (pi / 2))
    own = np.maximum(size[[1, 0, 2]] if turn % 2 else size, 0.015)
    kind = CLASSES.index(sort) if sort in CLASSES else CLASSES.index(OTHER)
    wanted = _MODELS.get(sort, sort if sort in CLASSES else OTHER)
    choice = [one for one in pool if one.kind == wanted and len(one.triangles)]
    slab = sort == "table" and size[2] < 0.3
    strange = [float(np.abs(np.log(own / np.maximum(one.size_m, 0.01))).sum()) for one in choice]
    near = [at for at in np.argsort(strange, kind="stable")[:_ALIKE] if strange[at] < _STRANGE]
    if near and not slab:
        one = choice[near[int(rng.integers(len(near)))]]
        stretched = one.triangles.astype(np.float64) * (own / np.maximum(one.size_m, 0.01))
    else:
        stretched = box_mesh((own[0], own[1], own[2]), (0, 0, 0)).centred().triangles.astype(np.float64)
    yaw = turn * pi / 2 + float(rng.normal()) * (_LOOSE.get(sort, 0.0) if size[2] + centre[2] > 0.3 else 0.0)
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = np.moveaxis(stretched * 0.98, -1, 0)
    turned = np.stack([c * x - s * y, s * x + c * y, z], -1)
    return Placed(turned + np.array([centre[0], centre[1], centre[2] - size[2] / 2]), kind)


def _stations(boxes: Sequence[_Box], shell: Shell, rng: np.random.Generator) -> NDArray[np.float64]:
    """Returns (STATIONS, 3) eye-high places off the furniture and far from each other."""
    low, high = np.array(shell.low), np.array(shell.high)
    places = rng.uniform(low + 0.3, high - 0.3, (200, 3))
    places[:, 2] = rng.uniform(1.2, 1.7, len(places))
    room_m = np.full(len(places), 9.0)
    for _, centre, size, _ in boxes:
        away = np.abs(places[:, :2] - centre[:2]) - size[:2] / 2
        apart = np.hypot(*away.clip(0).T)
        tall = centre[2] + size[2] / 2 > 1.0 and centre[2] - size[2] / 2 < 2.0
        room_m = np.minimum(room_m, apart) if tall else room_m
    free = places[room_m > min(0.35, float(np.quantile(room_m, 0.9)) * 0.99)]
    chosen = [free[0]]
    while len(chosen) < STATIONS:
        apart = np.min([np.linalg.norm(free - one, axis=1) for one in chosen], axis=0)
        chosen.append(free[int(apart.argmax())])
    return np.array(chosen)


def _clear(xyz: NDArray[np.float64], kind: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns rows that come back: glass returns half, and some patches of a room nothing."""
    lost = (kind == CLASSES.index("opening")) & (rng.random(len(xyz)) < rng.uniform(0.1, 0.7))
    for centre in xyz[rng.integers(len(xyz), size=6)]:
        lost |= np.linalg.norm(xyz - centre, axis=1) < rng.uniform(0.05, 0.35)
    return np.flatnonzero(~lost)


def _thin(xyz: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Returns rows of one point a voxel, at most `_MOST_POINTS`, in random order."""
    order = rng.permutation(len(xyz))
    cell = np.floor((xyz[order] - xyz.min(0)) / _SPACING_M).astype(np.int64)
    wide = cell.max(0) + 1
    _, first = np.unique((cell[:, 0] * wide[1] + cell[:, 1]) * wide[2] + cell[:, 2], return_index=True)
    return np.asarray(rng.permutation(order[first])[:_MOST_POINTS])


def _packed(found: Sequence[Scan]) -> dict[str, NDArray[np.generic]]:
    told = [(one.room, one.room_fold, one.model_fold, len(one.xyz)) for one in found]
    return {
        "told": np.array(json.dumps(told)),
        "millimetres": np.concatenate([np.round(one.xyz * 1000).astype(np.int16) for one in found]),
        "kind": np.concatenate([one.kind for one in found]),
        "thing": np.concatenate([one.thing for one in found]),
    }


def _unpacked(held: Mapping[str, NDArray[np.generic]]) -> tuple[Scan, ...]:
    found, at = [], 0
    for room, room_fold, model_fold, count in json.loads(str(held["told"])):
        part = slice(at, at + count)
        at += count
        xyz = held["millimetres"][part].astype(np.float32) / np.float32(1000)
        kind, thing = held["kind"][part].astype(np.uint8), held["thing"][part].astype(np.int16)
        found.append(Scan(room, room_fold, model_fold, xyz, kind, thing))
    return tuple(found)


def _key(rooms: Sequence[Room], surfaces: Sequence[Surface]) -> str:
    """Returns what a kept file must be made from."""
    made = [furniture.SHA256, _VERSION, VARIANTS, STATIONS, _MOST_POINTS, asdict(Scanner())]
    names = [[room.name for room in rooms], [one.name for one in surfaces]]
    return hashlib.sha256(json.dumps([made, names]).encode()).hexdigest()
