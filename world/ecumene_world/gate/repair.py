"""Repair: takes away what keeps a world from passing the gate, as little as will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.gate import checks
from ecumene_world.gate.barriers import barriers
from ecumene_world.gate.report import Check, Report
from ecumene_world.gate.scene import Scene, is_placed
from ecumene_world.graph import SceneGraph
from ecumene_world.layout import Layout

ROUNDS: Final = 8
_ORDER: Final = {"walkable": 1, "reachable": 2}
"""What is seen to after the other checks; what they take away may be enough."""


@dataclass(frozen=True, slots=True)
class Gated:
    """A world that went through the gate.

    Attributes:
        graph: The world, repaired.
        layout: It, compiled.
        before: What the gate said of it as drawn.
        report: What the gate says of it now.
        repairs: What was done, a sentence each.
    """

    graph: SceneGraph
    layout: Layout
    before: Report
    report: Report
    repairs: tuple[str, ...] = ()


def gated(graph: SceneGraph) -> Gated:
    """Returns a world with what fails the gate taken away, as little as will do, and what the gate says of it.

    Nothing that is built, such as walls and doors, is touched; a world that fails because of those stays failed. The
    graph itself is left as it is.

    Raises:
        GraphError: The graph is invalid, or leaves nobody a place to stand.
    """
    scene = Scene(graph)
    before = report = measured(scene)
    done: list[str] = []
    for _ in range(ROUNDS):
        names = {} if report.ok else _blamed(scene, report)
        if not names:
            break
        graph = graph if done else graph.copy()
        done += _taken_away(graph, names)
        scene = Scene(graph)
        report = measured(scene)
    return Gated(graph, scene.layout, before, report, tuple(done))


def inspect(graph: SceneGraph) -> Report:
    """Returns all measures of a world.

    Raises:
        GraphError: The graph is invalid, or leaves nobody a place to stand.
    """
    return measured(Scene(graph))


def measured(scene: Scene) -> Report:
    """Returns all measures of a scene."""
    every = (
        checks.walkable,
        checks.reachable,
        checks.overlaps,
        checks.supported,
        checks.rooms,
        checks.doors,
        checks.colliders,
        checks.spawns,
    )
    return Report({check.__name__: check(scene) for check in every})


def _taken_away(graph: SceneGraph, names: Mapping[str, str]) -> list[str]:
    """Takes things, and what stands on them, out of a graph; returns what was done."""
    done = []
    for name, why in names.items():
        if name in graph:
            for above in _resting(graph, name):
                graph.remove(above)
            graph.remove(name)
            done.append(f"took away {name}: {why}")
    return done


def _blamed(scene: Scene, report: Report) -> dict[str, str]:
    """Returns the names of things to take away, and why."""
    found: dict[str, str] = {}
    for name in sorted(report.failed, key=lambda name: _ORDER.get(name, 0)):
        check = report.checks[name]
        if name in {"walkable", "reachable"} and found:
            break  # what is out of reach may not be once floor is opened
        if name == "walkable":
            found |= dict.fromkeys(barriers(scene, _worth_opening(scene)), f"it walls off floor ({name})")
        elif name == "rooms":
            rooms = checks.inside_any(scene, check.culprits)
            parts = np.where(rooms, scene.parts, 0)
            found |= dict.fromkeys(barriers(scene, parts), f"it walls off floor ({name})")
        else:
            found |= dict.fromkeys(_removable(scene, check), f"{check.what} ({name})")
    return found


def _worth_opening(scene: Scene) -> NDArray[np.int32]:
    """Returns the largest of the pieces of floor that are walled off, as many as have to be opened; 0 elsewhere."""
    sizes = np.bincount(scene.parts.ravel(), minlength=scene.home + 1)
    reached, free = int(sizes[scene.home]), int(sizes[1:].sum())
    sizes[[0, scene.home]] = 0
    order = np.argsort(-sizes, kind="stable")
    enough = int(np.searchsorted(reached + np.cumsum(sizes[order]), checks.CONNECTED * free)) + 1
    return np.where(np.isin(scene.parts, order[:enough]), scene.parts, 0)


def _removable(scene: Scene, check: Check) -> list[str]:
    kept = []
    for name in check.culprits:
        node = scene.graph.node(name)
        if is_placed(node) or (node.kind == "place" and node.attributes.get("role") != "spawn"):
            kept.append(name)
    return kept


def _resting(graph: SceneGraph, name: str) -> list[str]:
    return [r.subject for r in graph.relations(name) if r.relation == "on" and r.object == name and r.subject in graph]
