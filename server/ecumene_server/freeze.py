"""Snapshots without stopping the world: copied between two ticks, turned into bytes elsewhere."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch

from ecumene_agents import Minds
from ecumene_agents.remembering import RECALLED
from ecumene_scenarios import memory
from ecumene_scenarios.fork import MEMORY
from ecumene_scenarios.session import Session
from ecumene_world import SceneGraph, snapshot
from ecumene_world.world import World


@dataclass(frozen=True, slots=True)
class Frozen:
    """A world that no longer changes.

    Attributes:
        tick: The last tick it contains.
        world: A copy of everything that changes.
    """

    tick: int
    world: World

    def packed(self) -> bytes:
        """Returns the snapshot; takes tens of milliseconds and may run on any thread."""
        return snapshot.save(self.world)

    def without_minds(self) -> Frozen:
        """Returns the same without what the minds remember, which no replay needs."""
        twin = copy.copy(self.world)
        twin.extra = {name: data for name, data in self.world.extra.items() if name not in {MEMORY, RECALLED}}
        return Frozen(self.tick, twin)


class Freezer:
    """Copies a session's world; to be called on the tick thread.

    The scene graph is large and rarely edited, so its copy is kept until it is.
    """

    def __init__(self, session: Session, minds: Minds | None) -> None:
        self._session = session
        self._minds = minds
        self._graph: SceneGraph | None = None
        self._edits = -1

    def graph(self) -> SceneGraph:
        """Returns a copy of the scene graph as it is now."""
        world = self._session.world
        if self._graph is None or world.edits != self._edits:
            self._graph, self._edits = world.graph.copy(), world.edits
        return self._graph

    def adopt(self, graph: SceneGraph, edits: int) -> None:
        """Takes a copy made elsewhere of the scene graph as it will be after so many edits."""
        self._graph, self._edits = graph, edits

    def freeze(self) -> Frozen:
        """Returns a copy of the world as it is now; takes well under a tick."""
        world = self._session.world
        twin = copy.copy(world)
        twin.graph = self.graph()
        twin.state = world.state.clone()
        twin.avatars = dict(world.avatars)
        twin.readings = {node: dict(fields) for node, fields in world.readings.items()}
        twin.generators = {name: _cloned(generator) for name, generator in world.generators.items()}
        twin.extra = {**world.extra, "scenario": memory.packed(self._session.scenario.memory)}
        if self._minds is not None:
            twin.extra[MEMORY] = self._minds.pack()
            if self._minds.fast.memory is not None:
                twin.extra[RECALLED] = self._minds.fast.memory.pack()
        return Frozen(self._session.now, twin)


def _cloned(generator: torch.Generator) -> torch.Generator:
    twin = torch.Generator()
    twin.set_state(generator.get_state())
    return twin
