"""An indoor scan becomes a room: floor, walls, and every recognised thing as an asset of its kind, with relations.

Three networks take part. The segmenter sorts points, PointNet looks at each thing once more, and the relations network
says what stands on, beside or against what. All three learned from simulated or designed rooms only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, pi, sin
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

import ecumene_models
from ecumene_models.checkpoint import read as read_checkpoint
from ecumene_models.pointnet import FEWEST_POINTS, MOST_POINTS, PointNet, load_pointnet, recognise, resample
from ecumene_models.segmenter import MODEL, load_segmenter
from ecumene_world.datasets import attribution_of
from ecumene_world.errors import TooLarge, Unfit
from ecumene_world.graph import ROOT, Node, SceneGraph
from ecumene_world.importers.boxes import Box, box_of
from ecumene_world.importers.cloud import MAX_CLUSTERS, Cluster, add_cluster, metres, read_points
from ecumene_world.importers.corrections import NOTHING, Guess, read_labels
from ecumene_world.importers.fitting import fitted, nearest_wall
from ecumene_world.importers.indoor import Pieces, floor_height, pieces_of
from ecumene_world.importers.points import Points
from ecumene_world.learning.relating import Relater, Thing
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights"
WIDEST_M: Final = 60.0
LOWEST_M: Final = 0.5
_SEGMENTER_SAYS: Final = 0.7
"""Weight of the segmenter's word beside PointNet's, which has learned from whole models, not from scans."""
_SAME: Final[Mapping[str, str]] = {"door_window": "opening", "vessel": "other", "vehicle": "other"}
_WALL_TILE_M: Final = 3.0
_VOXEL_M: Final = 0.08
_CELL_M: Final = 0.1
_HEAD_M: Final = 1.9


@dataclass(frozen=True, slots=True)
class Related:
    """One relation that the network gives to two nodes, with its confidence 0..1."""

    first: str
    relation: str
    second: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognised:
    """What became of a scan.

    Attributes:
        graph: The world.
        guesses: What each thing was taken for, larger ones first.
        nodes: Name of each thing's node by its number; none for what is left out.
        relations: What the network says of them.
        source: Tells the scan and the weights; a file of labels belongs to it.
        classes: What a thing can be called.
    """

    graph: SceneGraph
    guesses: tuple[Guess, ...]
    nodes: Mapping[int, str]
    relations: tuple[Related, ...]
    source: str
    classes: tuple[str, ...]


def import_room(
    path: Path | str, *, name: str = "", unit_m: float = 0.0, up: str = "z", labels: Path | None = None
) -> Recognised:
    """Returns the room that an indoor scan shows.

    Args:
        path: A PLY, PCD, LAS or LAZ file.
        name: Title of the world; by default the file's name.
        unit_m: Metres per unit of the file; 0 takes what the file says, else metres.
        up: Which axis of the file points up, `y` or `z`.
        labels: A file of corrected labels of the same scan.

    Raises:
        ImportFailed: The file is missing, no point cloud or damaged, too small, too flat or too wide, or the labels
            are no labels of it.
        WeightsError: Weights are missing or damaged.
    """
    path = Path(path)
    cloud = metres(read_points(path), path.name, unit_m, up)
    extent = np.ptp(cloud.xyz, axis=0)
    if extent[2] < LOWEST_M:
        raise Unfit(f"{path.name} is {extent[2]:.2f} m high; at least {LOWEST_M} m is needed to recognise things in")
    if extent[:2].max() > WIDEST_M:
        raise Unfit(
            f"{path.name} is {extent[:2].max():.0f} m wide; things are recognised in rooms of up to {WIDEST_M:.0f} m, "
            "or its unit is wrong"
        )
    network = load_segmenter(WEIGHTS / "segmenter.safetensors")
    source = _source(path)
    classes = network.config.classes
    changed = read_labels(labels, source, classes[3:]) if labels else {}
    cloud = replace(cloud, xyz=cloud.xyz - [0, 0, floor_height(cloud.xyz)])
    pieces = pieces_of(cloud.xyz, network)
    if len(pieces.shares) > MAX_CLUSTERS:
        raise TooLarge(f"{path.name} falls into {len(pieces.shares)} things; {MAX_CLUSTERS} is the limit")
    graph = SceneGraph(name or path.stem.replace("_", " ").strip() or "Scan", attribution=attribution_of(path))
    graph.replace(Node(ROOT, "world", attributes={"notes": [*cloud.notes]}))
    room = _shell(graph, cloud, pieces.kind)
    rows = rows_of(pieces.piece, len(pieces.shares))
    guesses = _guesses(cloud, rows, _named(cloud.xyz, rows, pieces, classes), changed)
    nodes = {
        guess.number: _add_thing(graph, guess, cloud, rows[guess.number], room)
        for guess in guesses
        if guess.label != NOTHING
    }
    relations = _relate(graph, [guess for guess in guesses if guess.label != NOTHING], nodes, room)
    _add_places(graph, cloud, pieces.kind, room)
    return Recognised(graph, guesses, nodes, relations, source, classes[3:])


def _source(path: Path) -> str:
    """Returns what tells the scan and the weights."""
    with path.open("rb") as file:
        scan = hashlib.file_digest(file, "sha256").hexdigest()
    weights = read_checkpoint(WEIGHTS / "segmenter.safetensors", model=MODEL).sha256
    return f"{scan[:16]} {weights[:16]}"


def rows_of(piece: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    """Returns the rows of the points of each thing."""
    order = np.argsort(piece, kind="stable")
    starts = np.searchsorted(piece[order], np.arange(count + 1))
    return [order[a:b] for a, b in pairwise(starts.tolist())]


def _named(
    xyz: NDArray[np.float64], rows: Sequence[NDArray[np.int64]], pieces: Pieces, classes: tuple[str, ...]
) -> list[tuple[str, float]]:
    """Returns class and confidence of each thing: what the segmenter and PointNet make of it together."""
    networks = load_pointnet(WEIGHTS / "pointnet.safetensors")
    found = []
    for number, which in enumerate(rows):
        own = pieces.shares[number, 3:] / max(float(pieces.shares[number, 3:].sum()), 1e-9)
        second = by_pointnet(networks, xyz[which], classes[3:])
        joint = joined(own, second)
        found.append((classes[3 + int(joint.argmax())], float(joint.max())))
    return found


def joined(own: NDArray[np.float64], second: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Returns the shares of the segmenter and, if it was asked, PointNet as one."""
    if second is None:
        return own
    both = own**_SEGMENTER_SAYS * second ** (1 - _SEGMENTER_SAYS)
    return np.asarray(both / both.sum())


def by_pointnet(
    networks: tuple[PointNet, ...], xyz: NDArray[np.float64], classes: tuple[str, ...]
) -> NDArray[np.float64] | None:
    """Returns PointNet's shares in the segmenter's classes; None for what is too small to ask it."""
    if len(xyz) < FEWEST_POINTS or float(np.ptp(xyz, axis=0).max()) < 0.02:
        return None
    points = torch.from_numpy(xyz.astype(np.float32))
    cloud = resample(points, min(len(points), MOST_POINTS), torch.Generator().manual_seed(0))
    chances = recognise(networks, cloud[None]).logits[0].exp().double().numpy()
    shares = np.full(len(classes), 1e-3)
    for name, chance in zip(networks[0].config.classes, chances, strict=True):
        shares[classes.index(_SAME.get(name, name))] += chance
    return np.asarray(shares / shares.sum())


def _guesses(
    cloud: Points, rows: Sequence[NDArray[np.int64]], named: Sequence[tuple[str, float]], changed: Mapping[int, str]
) -> tuple[Guess, ...]:
    found = []
    for number, (which, (name, confidence)) in enumerate(zip(rows, named, strict=True)):
        low, high = cloud.xyz[which].min(0), cloud.xyz[which].max(0)
        x, y, z = ((low + high) / 2).tolist()
        long, wide, high_m = (high - low).tolist()
        label = changed.get(number, name)
        found.append(Guess(number, label, name, confidence, (x, y, z), (long, wide, high_m)))
    return tuple(found)


def _shell(graph: SceneGraph, cloud: Points, kind: NDArray[np.int64]) -> Box:
    """Adds floor and walls; returns the box of the room."""
    shell = kind <= 1
    room = box_of(cloud.xyz[shell] if int(shell.sum()) > 100 else cloud.xyz)
    c, s = cos(room.yaw), sin(room.yaw)
    half = (room.size[0] / 2, room.size[1] / 2)
    x, y = room.centre[:2]
    corners = [
        [c * u * half[0] - s * v * half[1], s * u * half[0] + c * v * half[1]]
        for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    attributes: dict[str, JSON] = {"polygon": np.round(corners, 3).tolist()}
    graph.add(Node("floor", "floor", Pose.at(x, y), attributes=attributes))
    walls = cloud.xyz[kind == 1]
    colours = None if cloud.rgb is None else cloud.rgb[kind == 1]
    u = (walls[:, :2] - [x, y]) @ [c, s]
    v = (walls[:, :2] - [x, y]) @ [-s, c]
    reach = np.stack([half[0] - u, half[1] - v, half[0] + u, half[1] + v], 1)
    side = reach.argmin(1)
    step = np.floor(np.where(side % 2 == 0, v, u) / _WALL_TILE_M).astype(np.int64)
    for which, tile in sorted({*zip(side.tolist(), step.tolist(), strict=True)}):
        rows = np.flatnonzero((side == which) & (step == tile))
        if len(rows) >= 50:
            part = Cluster(walls[rows], None if colours is None else colours[rows], walls[rows, 2], _VOXEL_M)
            add_cluster(graph, part, f"wall {len(graph)}", "wall", 0.0, kind="wall")
    return room


def _add_thing(graph: SceneGraph, guess: Guess, cloud: Points, rows: NDArray[np.int64], room: Box) -> str:
    """Adds a thing as the asset that suits it, or in its own shape; returns the node's name."""
    xyz = cloud.xyz[rows]
    box = box_of(xyz)
    name = f"{guess.label} {guess.number + 1}"
    more: dict[str, JSON] = {"label": guess.label, "confidence": round(guess.confidence, 3), "guess": guess.guess}
    fit = fitted(guess.label, box, xyz, nearest_wall(box, room))
    if fit is not None:
        pose = Pose.at(box.centre[0], box.centre[1], 0.0, fit.yaw)
        graph.add(Node(name, fit.kind, pose, params=fit.params, attributes={**more, "points": len(rows)}))
        return name
    part = Cluster(xyz, None if cloud.rgb is None else cloud.rgb[rows], xyz[:, 2], _VOXEL_M)
    kind = "window" if guess.label == "opening" else "cluster"
    add_cluster(graph, part, name, guess.label, 0.0, kind=kind, more=more)
    return name


def _relate(graph: SceneGraph, guesses: Sequence[Guess], nodes: Mapping[int, str], room: Box) -> tuple[Related, ...]:
    """Adds what the relations network says of the things, seen along the room's own axes."""
    c, s = cos(-room.yaw), sin(-room.yaw)
    things = []
    for guess in guesses:
        x, y = guess.centre_m[0] - room.centre[0], guess.centre_m[1] - room.centre[1]
        centre = (c * x - s * y, s * x + c * y, guess.centre_m[2])
        size = Box(guess.centre_m, guess.size_m, 0.0).extent(room.yaw)
        things.append(Thing(nodes[guess.number], _sort(guess), centre, size))
    half = (room.size[0] / 2, room.size[1] / 2)
    said = Relater.shipped().relate(things, (-half[0], -half[1], half[0], half[1]))
    walls = [node for node in graph.walk() if node.kind == "wall"]
    found = []
    for one in said:
        second = one.second or _nearest(graph.node(one.first), walls)
        if second:
            graph.relate(one.first, one.relation, second)
            found.append(Related(one.first, one.relation, second, one.confidence))
    return tuple(found)


def _sort(guess: Guess) -> str:
    """Returns what the relations network calls it; it knows no `other`, so small ones count as vessels."""
    if guess.label != "other":
        return guess.label
    return "vessel" if max(guess.size_m) < 0.35 else "box"


def _nearest(node: Node, walls: Sequence[Node]) -> str:
    """Returns the name of the wall piece whose middle is nearest; "" if there are none."""
    x, y, _ = node.pose.position
    away = [(wall.pose.position[0] - x) ** 2 + (wall.pose.position[1] - y) ** 2 for wall in walls]
    return walls[int(np.argmin(away))].name if walls else ""


def _add_places(graph: SceneGraph, cloud: Points, kind: NDArray[np.int64], room: Box) -> None:
    """Adds where to arrive: the freest place on the floor inside the walls."""
    c, s = cos(room.yaw), sin(room.yaw)
    local = np.stack([(cloud.xyz[:, :2] - room.centre[:2]) @ [c, s], (cloud.xyz[:, :2] - room.centre[:2]) @ [-s, c]], 1)
    size = np.ceil(np.array(room.size[:2]) / _CELL_M).astype(np.int64) + 2
    cell = np.round((local + np.array(room.size[:2]) / 2) / _CELL_M).astype(np.int64) + 1
    inside = ((cell >= 0) & (cell < size)).all(1)
    high = (cloud.xyz[:, 2] > 0.08) & (cloud.xyz[:, 2] < _HEAD_M) & (kind != 0) & (kind != 2)
    free = np.zeros(size, bool)
    free[1:-1, 1:-1] = True
    free[tuple(cell[inside & high].T)] = False
    space = ndimage.distance_transform_edt(free) * _CELL_M
    u, v = (np.array(np.unravel_index(int(space.argmax()), space.shape)) - 1) * _CELL_M - np.array(room.size[:2]) / 2
    attributes: dict[str, JSON] = {
        "role": "spawn",
        "title": "Arrival",
        "radius_m": round(float(np.clip(space.max(), 0.3, 2.0)), 2),
    }
    x, y = room.centre[0] + c * u - s * v, room.centre[1] + s * u + c * v
    graph.add(Node("Arrival", "place", Pose.at(float(x), float(y), 0.0, pi / 2), attributes=attributes))
