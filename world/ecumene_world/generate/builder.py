"""Building a scene graph in world coordinates: unique names, poses relative to parents, space asked for first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from functools import lru_cache
from math import cos, sin

import numpy as np
from numpy.typing import ArrayLike

from ecumene_world.assets import library
from ecumene_world.assets.asset import Asset
from ecumene_world.generate.site import Site
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.mesh_of import asset_of
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose


class Builder:
    """Adds nodes to a graph at world poses, and keeps a site's raster up to date."""

    def __init__(self, graph: SceneGraph, site: Site, seed: int) -> None:
        self.graph = graph
        self.site = site
        self.rng = np.random.default_rng([seed, 7])
        self._count: Counter[str] = Counter()

    def name(self, stem: str) -> str:
        """Returns a name that no node has yet: the stem, then the stem with numbers."""
        self._count[stem] += 1
        name = stem if self._count[stem] == 1 else f"{stem} {self._count[stem]}"
        return name if name not in self.graph else self.name(stem)

    def add(
        self,
        kind: str,
        pose: Pose,
        *,
        name: str = "",
        parent: str | None = None,
        seed: int | None = None,
        params: Mapping[str, float | str] | None = None,
        attributes: Mapping[str, JSON] | None = None,
    ) -> Node:
        """Adds a node that stands at a pose of the world frame; returns it."""
        local = self.graph.world_pose(parent).inverse().compose(pose) if parent else pose
        look = int(self.rng.integers(1 << 16)) if seed is None else seed
        node = Node(self.name(name or kind.replace("_", " ")), kind, local, look, params or {}, attributes or {})
        return self.graph.add(node, parent)

    def stand(  # noqa: PLR0913 - a thing, where it may stand and what it is
        self,
        kind: str,
        pose: Pose,
        *,
        on: Sequence[str] = (),
        spare_m: float = 0.1,
        front_m: float = 0.0,
        parent: str | None = None,
        seed: int | None = None,
        params: Mapping[str, float | str] | None = None,
        attributes: Mapping[str, JSON] | None = None,
    ) -> Node | None:
        """Adds a thing where it fits and takes its space; returns None, and adds nothing, where it doesn't.

        Args:
            kind: Name of a kind of the asset library.
            pose: Upright, world frame.
            on: Styles of ground that it may stand on; any if empty.
            spare_m: Space kept around it.
            front_m: Length of a way kept clear before it.
            parent: Whose child it becomes.
            seed: Which variant; drawn if None.
            params: For the asset library.
            attributes: Of the node.
        """
        look = int(self.rng.integers(1 << 16)) if seed is None else seed
        if kind not in library.kinds():
            return None
        (mx, my), size = footprint_of(kind, look, params or {})
        x, y, _ = pose.apply((mx, my, 0.0))
        if not self.site.fits(x, y, pose.yaw, (size[0] + 2 * spare_m, size[1] + 2 * spare_m), on):
            return None
        ahead = (size[0] + front_m) / 2
        front = (x + ahead * cos(pose.yaw), y + ahead * sin(pose.yaw), pose.yaw, (front_m, size[1]))
        if front_m and not self.site.is_open(*front):
            return None
        self.site.take(x, y, pose.yaw, size)
        if front_m:
            self.site.keep_clear(*front)
        return self.add(kind, pose, parent=parent, seed=look, params=params, attributes=attributes)

    def on(self, site: Site) -> Builder:
        """Returns a builder of the same graph that works on another site."""
        twin = copy(self)
        twin.site = site
        return twin

    def surface(
        self, kind: str, polygon: ArrayLike, z: float, style: str, *, parent: str | None = None, level: int = 0
    ) -> Node:
        """Adds a piece of ground (P, 2) whose frame stands in its middle, and paints it on the site."""
        points = np.asarray(polygon, np.float64)
        self.site.paint(points, style)
        x, y = np.round((points.min(0) + points.max(0)) / 2, 2).tolist()
        local = np.round(points - [x, y], 3).tolist()
        attributes: dict[str, JSON] = {"polygon": local, "style": style}
        if level:
            attributes["level"] = level
        return self.add(kind, Pose.at(x, y, z), name=style, parent=parent, seed=0, attributes=attributes)

    def place(
        self, role: str, title: str, pose: Pose, radius_m: float = 1.5, *, parent: str | None = None, level: int = 0
    ) -> Node:
        """Adds somewhere to go."""
        attributes: dict[str, JSON] = {"role": role, "title": title, "radius_m": round(radius_m, 2)}
        if level:
            attributes["level"] = level
        return self.add("place", pose, name=title, parent=parent, seed=0, attributes=attributes)


def footprint_of(
    kind: str, seed: int, params: Mapping[str, float | str] | None = None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns the middle and the extents, in its own frame, of what a thing takes up on the ground, metres."""
    asset = asset_of(Node("thing", kind, Pose(), seed, params or {}))
    assert asset is not None, f"the asset library builds {kind}"
    return _extent(asset)


@lru_cache(maxsize=4096)
def _extent(asset: Asset) -> tuple[tuple[float, float], tuple[float, float]]:
    boxes = [(c.centre, c.size) for c in asset.colliders]
    if not boxes:
        return (0.0, 0.0), (asset.size[0], asset.size[1])
    low = np.min([[c[0] - s[0] / 2, c[1] - s[1] / 2] for c, s in boxes], axis=0)
    high = np.max([[c[0] + s[0] / 2, c[1] + s[1] / 2] for c, s in boxes], axis=0)
    (x, y), (w, d) = ((low + high) / 2).tolist(), (high - low).tolist()
    return (x, y), (w, d)
