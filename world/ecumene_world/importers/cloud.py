"""Point clouds become worlds: ground to walk on, and every thing that stands on it as a cluster with a coarse mesh.

Labels of things (`tree`, `building`, `wall`, `thing`) come from their shape alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ecumene_world.datasets import attribution_of
from ecumene_world.errors import ImportFailed, TooLarge, Unfit
from ecumene_world.graph import ROOT, Node, SceneGraph
from ecumene_world.importers.hull import hull_of
from ecumene_world.importers.las import read_las
from ecumene_world.importers.pcd import read_pcd
from ecumene_world.importers.ply import read_ply
from ecumene_world.importers.points import MAX_BYTES, Points
from ecumene_world.importers.segment import GeometricSegmenter, Segmenter
from ecumene_world.importers.terrain import Terrain, cell_for, ground_of
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

READERS: Final[dict[str, Callable[[Path], Points]]] = {
    ".ply": read_ply,
    ".pcd": read_pcd,
    ".las": read_las,
    ".laz": read_las,
}
MAX_CLUSTERS: Final = 5_000
_NARROWEST_M: Final = 0.5
_WIDEST_M: Final = 20_000.0
_MOST_VOXELS: Final = 2_500
"""Of one cluster; larger ones get larger voxels."""
_GRASS: Final = np.array([143, 181, 101])
_LEAVES: Final = np.array([106, 150, 78])
_STONE: Final = np.array([200, 190, 174])
Told = Mapping[str, JSON]
_NONE: Final[Told] = {}


def import_cloud(
    path: Path | str,
    *,
    name: str = "",
    unit_m: float = 0.0,
    cell_m: float = 0.0,
    up: str = "z",
    segmenter: Segmenter | None = None,
) -> SceneGraph:
    """Returns the world that a point cloud shows: terrain, and a node of kind `cluster` for each thing on it.

    Points that are not finite numbers are left out, since sensors mark what they missed so. Coordinates are moved so
    that the middle of the cloud is the origin and its lowest ground is z = 0.

    Args:
        path: A PLY, PCD, LAS or LAZ file.
        name: Title of the world; by default the file's name.
        unit_m: Metres per unit of the file; 0 takes what the file says, else metres.
        cell_m: Spacing of the terrain's height field; 0 chooses by the density of points.
        up: Which axis of the file points up, `y` or `z`.
        segmenter: Tells things apart; by default by touching.

    Raises:
        ImportFailed: The file is missing, no point cloud, damaged, or too small or flat to walk on.
        TooLarge: A limit is exceeded.
    """
    path = Path(path)
    cloud = metres(read_points(path), path.name, unit_m, up)
    spacing = cell_m or cell_for(cloud.xyz)
    terrain = ground_of(cloud.xyz, spacing)
    height = cloud.xyz[:, 2] - terrain.at(cloud.xyz[:, :2])
    voxel = float(np.clip(0.6 * spacing, 0.1, 1.0))
    chosen = segmenter or GeometricSegmenter(voxel_m=voxel, ground_m=max(0.3, 0.35 * spacing))
    labels = chosen.segment(cloud.xyz, cloud.rgb, height)
    if labels.shape != (len(cloud.xyz),):
        raise ImportFailed(f"the segmenter gave {labels.shape} labels for {len(cloud.xyz)} points")
    if int(labels.max(initial=0)) > MAX_CLUSTERS:
        raise TooLarge(f"{path.name} falls into {int(labels.max())} things; {MAX_CLUSTERS} is the limit")
    graph = SceneGraph(name or path.stem.replace("_", " ").strip() or "Scan", attribution=attribution_of(path))
    graph.replace(Node(ROOT, "world", attributes={"notes": [*cloud.notes]}))
    _add_ground(graph, terrain, cloud, labels)
    for cluster in _clusters(cloud, labels, height, voxel):
        _add_cluster(graph, cluster, terrain)
    _add_places(graph, terrain, cloud, labels)
    return graph


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """The points of one thing: (N, 3) metres, (N, 3) sRGB or None, (N,) heights above ground, and a voxel size."""

    xyz: NDArray[np.float64]
    rgb: NDArray[np.uint8] | None
    height: NDArray[np.float64]
    voxel_m: float


def read_points(path: Path) -> Points:
    """Returns the points of a file in its own frame and unit.

    Raises:
        ImportFailed: It is missing, of an unknown suffix, damaged, or promises more points than it holds.
        TooLarge: It is larger than `MAX_BYTES`, or promises more than `points.MAX_POINTS` points.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ImportFailed(f"{path.name} is no point cloud; {', '.join(READERS)} are read")
    if not path.is_file():
        raise ImportFailed(f"{path} is not a file")
    if path.stat().st_size > MAX_BYTES:
        raise TooLarge(f"{path.name} has {path.stat().st_size} bytes; {MAX_BYTES} is the limit")
    return reader(path)


def metres(cloud: Points, name: str, unit_m: float, up: str) -> Points:
    """Returns finite points in metres, z up, about the origin.

    Raises:
        ImportFailed: They are too few, too narrow or too wide, or an option is out of range.
    """
    if up not in {"y", "z"}:
        raise ImportFailed(f"the axis that points up is {up!r}; y or z is accepted")
    unit = unit_m or cloud.unit_m
    if not 1e-4 <= unit <= 1e3:
        raise ImportFailed(f"the unit is {unit} m; 0.0001 to 1000 is accepted")
    cloud = cloud.finite(name)
    xyz = cloud.xyz[:, [0, 2, 1]] * [1, -1, 1] if up == "y" else cloud.xyz
    low, high = xyz.min(0), xyz.max(0)
    xyz = (xyz - [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]) * unit
    extent = np.ptp(xyz, axis=0)
    if extent[:2].min() < _NARROWEST_M:
        raise Unfit(
            f"{name} is {extent[0]:.2f} m by {extent[1]:.2f} m seen from above; at least {_NARROWEST_M} m each way is "
            "needed to stand on"
        )
    if not extent.max() <= _WIDEST_M:
        raise Unfit(f"{name} is {extent.max():.0f} m wide; {_WIDEST_M:.0f} m is the limit, or its unit is wrong")
    return replace(cloud, xyz=np.ascontiguousarray(xyz), unit_m=1.0)


def _add_ground(graph: SceneGraph, terrain: Terrain, cloud: Points, labels: NDArray[np.int64]) -> None:
    """Adds the terrain, tinted by the points on it."""
    graph.arrays["ground"] = terrain.heights.astype(np.float32)
    graph.arrays["ground/colours"] = _ground_colours(terrain, cloud, labels)
    attributes: dict[str, JSON] = {"heights": "ground", "cell_m": terrain.cell_m, "origin": [*terrain.origin]}
    graph.add(Node("ground", "ground", attributes=attributes))


def _ground_colours(terrain: Terrain, cloud: Points, labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Returns (H, W, 3) sRGB: the mean of the ground points of each cell, or grass shaded by slope."""
    steep = np.hypot(*np.gradient(terrain.heights, terrain.cell_m))
    grass = _GRASS * (1.0 - 0.35 * np.clip(steep, 0, 1))[..., None]
    if cloud.rgb is None:
        return np.asarray(grass, np.uint8)
    rows, columns = terrain.cells(cloud.xyz[:, :2])
    low = labels <= 0
    flat = rows[low] * terrain.heights.shape[1] + columns[low]
    size = terrain.heights.size
    count = np.bincount(flat, minlength=size)
    sums = np.stack([np.bincount(flat, cloud.rgb[low, c], size) for c in range(3)], 1)
    known = (count > 0).reshape(terrain.heights.shape)
    if not known.any():
        return np.asarray(grass, np.uint8)
    mean = (sums / np.maximum(count, 1)[:, None]).reshape(*terrain.heights.shape, 3)
    r, c = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.asarray(mean[r, c], np.uint8)


def _clusters(
    cloud: Points, labels: NDArray[np.int64], height: NDArray[np.float64], voxel_m: float
) -> Iterator[Cluster]:
    """Yields the points of each thing, by label."""
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(1, int(labels.max(initial=0)) + 2))
    for a, b in pairwise(starts.tolist()):
        if b > a:
            which = order[a:b]
            rgb = None if cloud.rgb is None else cloud.rgb[which]
            yield Cluster(cloud.xyz[which], rgb, height[which], voxel_m)


def _add_cluster(graph: SceneGraph, cluster: Cluster, terrain: Terrain) -> None:
    """Adds one thing, named after its shape."""
    middle = (cluster.xyz[:, :2].min(0) + cluster.xyz[:, :2].max(0)) / 2
    label = _label(cluster)
    add_cluster(graph, cluster, f"{label} {len(graph)}", label, float(terrain.at(middle[None])[0]))


def add_cluster(
    graph: SceneGraph, cluster: Cluster, name: str, label: str, z: float, *, kind: str = "cluster", more: Told = _NONE
) -> Node:
    """Adds one thing with a coarse mesh of its own, its origin on the ground under its middle; returns its node.

    Args:
        graph: Where to.
        cluster: Its points.
        name: Of the node.
        label: What it is called.
        z: Height of the ground.
        kind: Of the node.
        more: Further attributes.
    """
    x, y = ((cluster.xyz[:, :2].min(0) + cluster.xyz[:, :2].max(0)) / 2).tolist()
    voxel = cluster.voxel_m
    while len(np.unique(np.floor(cluster.xyz / voxel).astype(np.int64), axis=0)) > _MOST_VOXELS:
        voxel *= 1.4
    mesh = hull_of(cluster.xyz - [x, y, z], _paint(cluster, label), voxel)
    key = f"cluster{len(graph)}"
    graph.arrays[f"{key}/vertices"] = mesh.vertices
    graph.arrays[f"{key}/faces"] = mesh.faces
    graph.arrays[f"{key}/colours"] = mesh.colours
    attributes: dict[str, JSON] = {
        "mesh": key,
        "label": label,
        "points": len(cluster.xyz),
        "height_m": round(max(float(cluster.height.max()), 0.01), 2),
        **more,
    }
    return graph.add(Node(name, kind, Pose.at(x, y, z), attributes=attributes))


def _label(cluster: Cluster) -> str:
    """Returns what a thing's shape looks like.

    Points of a roof or wall lie in planes, so their neighbourhoods are flat; those of a crown fill space.
    """
    extent = np.ptp(cluster.xyz, axis=0)
    tall = float(cluster.height.max())
    flat = _flatness(cluster.xyz, max(1.0, 2.5 * cluster.voxel_m))
    if tall > 1.8 and flat > 0.6 and extent[:2].max() > 4.0:
        return "wall" if extent[:2].min() < 1.0 else "building"
    if tall > 1.5 and flat < 0.6 and extent[:2].max() < 30.0:
        return "tree"
    return "thing"


def _flatness(xyz: NDArray[np.float64], block_m: float) -> float:
    """Returns the share 0..1 of points whose block of space holds a flat piece of surface."""
    _, of, count = np.unique(np.floor(xyz / block_m).astype(np.int64), axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    offset = xyz - np.stack([np.bincount(of, xyz[:, a]) / count for a in range(3)], 1)[of]
    spread = np.zeros((len(count), 3, 3))
    for a in range(3):
        for b in range(3):
            spread[:, a, b] = np.bincount(of, offset[:, a] * offset[:, b]) / count
    values = np.linalg.eigvalsh(spread)
    flat = (count >= 5) & (values[:, 0] < 0.04 * np.maximum(values[:, 1], 1e-9))
    return float(flat[of].mean())


def _paint(cluster: Cluster, label: str) -> NDArray[np.uint8]:
    """Returns colours (N, 3): the points' own, or the label's, lighter towards the top."""
    if cluster.rgb is not None:
        return cluster.rgb
    base = _LEAVES if label == "tree" else _STONE
    share = cluster.height / max(float(cluster.height.max()), 1e-6)
    return np.asarray(base * (0.75 + 0.3 * np.clip(share, 0, 1))[:, None], np.float64).clip(0, 255).astype(np.uint8)


def _add_places(graph: SceneGraph, terrain: Terrain, cloud: Points, labels: NDArray[np.int64]) -> None:
    """Adds where to arrive and where to go: free, measured, gentle ground, the first near the middle."""
    rows, columns = terrain.cells(cloud.xyz[labels != 0][:, :2])
    steep = np.hypot(*np.gradient(terrain.heights, terrain.cell_m)) > 0.5
    taken = np.zeros(terrain.heights.shape, bool)
    taken[rows, columns] = True
    free = ~np.pad(taken | steep | ~terrain.known, 1, constant_values=True)
    room = ndimage.distance_transform_edt(free)[1:-1, 1:-1] * terrain.cell_m
    away = np.hypot(*(np.indices(room.shape) - np.array(room.shape)[:, None, None] / 2)) * terrain.cell_m
    score = np.minimum(room, 6.0) - 0.01 * away
    for n, (role, title) in enumerate((("spawn", "Arrival"), ("park", "Clearing"), ("park", "Far clearing"))):
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        if n and room[row, column] < 1.0:
            return
        x = terrain.origin[0] + column * terrain.cell_m
        y = terrain.origin[1] + row * terrain.cell_m
        attributes: dict[str, JSON] = {
            "role": role,
            "title": title,
            "radius_m": round(float(np.clip(room[row, column], 0.5, 4.0)), 2),
        }
        pose = Pose.at(float(x), float(y), float(terrain.heights[row, column]))
        graph.add(Node(title, "place", pose, attributes=attributes))
        gone = np.hypot(*(np.indices(room.shape) - np.array([row, column])[:, None, None])) * terrain.cell_m
        score = np.where(gone < 25.0, -1.0, score)
