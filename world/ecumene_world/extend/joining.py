"""Joining: a district as a branch of a world, with names of its own and a way to the street."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import replace
from typing import Final

import numpy as np

from ecumene_world.branch import Branch
from ecumene_world.compiler.raster import Floats
from ecumene_world.extend.plot import WIDTH_M, Plot
from ecumene_world.graph import ROOT, Node, Relation, SceneGraph
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

ROLE: Final = "district"
"""Role of the place at the entrance of a district; all of the district is below it."""
_OVERLAY_M: Final = 0.008
"""How far the way lies above the ground it lies on."""
_NUMBERED: Final = re.compile(r" \d+$")


def branch_of(district: SceneGraph, plot: Plot, graph: SceneGraph) -> Branch:
    """Returns a district as a branch for the root of a world.

    Its root is a place at the entrance. Names that the world has already get other numbers; nobody arrives here, so
    the district's own places of arrival are left out.

    Args:
        district: In its own frame.
        plot: Where it lies.
        graph: The world.
    """
    names = Names(graph)
    (x, y), (mx, my) = plot.centre, plot.middle
    frame = Pose.at(x, y, plot.z, plot.turn).compose(Pose.at(-mx, -my))
    gate = plot.world(plot.entrance.landing)
    root_pose = Pose.at(*gate, plot.z + plot.entrance.z, plot.turn)
    about: dict[str, JSON] = {"role": ROLE, "title": district.name, "radius_m": 2.0}
    root = Node(names.new(district.name, " ({})"), "place", root_pose, attributes=about)
    local = root_pose.inverse()
    nodes: list[tuple[Node, str]] = [(root, "")]
    called = {ROOT: root.name}
    for node in district.walk():
        parent = district.parent(node.name)
        if parent is None or node.attributes.get("role") == "spawn":
            continue
        called[node.name] = names.new(node.name)
        pose = local.compose(frame.compose(node.pose)) if parent == ROOT else node.pose
        nodes.append((replace(node, name=called[node.name], pose=pose), called[parent]))
    nodes += [(way, root.name) for way in _ways(plot, names, local)]
    related = [
        Relation(called[a], relation, called[b]) for a, relation, b in district.relations() if {a, b} <= called.keys()
    ]
    return Branch(tuple(nodes), tuple(related))


class Names:
    """Gives names that a world does not have yet, by numbers at their end."""

    def __init__(self, graph: Container[str]) -> None:
        self._graph = graph
        self._given: set[str] = set()
        self._last: dict[str, int] = {}

    def new(self, name: str, ending: str = " {}") -> str:
        """Returns the name, or the first free one that differs from it in its number only; `ending` holds that."""
        found = name
        stem = (_NUMBERED.sub("", name) if ending == " {}" else name)[:110]
        while found in self._graph or found in self._given:
            self._last[stem] = self._last.get(stem, 1) + 1
            found = stem + ending.format(self._last[stem])
        self._given.add(found)
        return found


def _ways(plot: Plot, names: Names, local: Pose) -> list[Node]:
    """Returns the pieces of the way: straight out of the district, then straight to the street."""
    inner, mouth = np.array(plot.world(plot.entrance.landing)), np.array(plot.world(plot.entrance.mouth))
    z = max(plot.z + plot.entrance.z, plot.street_z) + _OVERLAY_M
    pieces = [(inner, mouth), (mouth, np.array(plot.street))]
    return [
        _piece(names.new("way"), strip(a, b), z + n * _OVERLAY_M / 4, local)
        for n, (a, b) in enumerate(pieces)
        if float(np.hypot(*(b - a))) > 0.05
    ]


def _piece(name: str, polygon: Floats, z: float, local: Pose) -> Node:
    x, y = ((polygon.min(0) + polygon.max(0)) / 2).round(2).tolist()
    corners: list[JSON] = (polygon - [x, y]).round(3).tolist()
    attributes: dict[str, JSON] = {"polygon": corners, "style": "path"}
    return Node(name, "square", local.compose(Pose.at(x, y, z)), attributes=attributes)


def strip(start: Floats, end: Floats) -> Floats:
    """Returns the outline (4, 2) of a straight way, counter-clockwise, a little longer than from point to point."""
    along = (end - start) / np.hypot(*(end - start))
    side = np.array([-along[1], along[0]]) * WIDTH_M / 2
    a, b = start - along * WIDTH_M / 3, end + along * WIDTH_M / 3
    return np.stack([a - side, b - side, b + side, a + side])
