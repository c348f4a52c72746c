"""The contract of a scenario: why a world is run, batched over worlds.

A scenario says what world there is, who is in it, when it ends and what counts. It changes the world only through
commands, so that a recording of commands and decisions replays without it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from ecumene_sim.frame import Frame
from ecumene_world import SceneGraph
from ecumene_world.command import Command
from ecumene_world.layout import Layout
from ecumene_world.world import World


class Scenario(ABC):
    """A world, its people, its endings and its score; four methods must be written.

    Attributes:
        name: What `load_scenario` calls it.
        minds: Who decides for NPCs: "fusion", "scripted" or "none".
        ticks: How many ticks a run lasts unless it ends earlier.
        lively: Whether the slow mind gives NPCs intents of their own; tasks set intents themselves.
        memory: What the scenario remembers between ticks, tensors whose first axis is B worlds. Snapshots keep it.
    """

    name: ClassVar[str] = ""
    minds: str = "fusion"
    ticks: int = 1200
    lively: bool = False

    def __init__(self) -> None:
        self.memory: dict[str, Tensor] = {}

    @abstractmethod
    def graph(self, seed: int) -> SceneGraph:
        """Builds the world; the same seed gives the same graph, node for node."""

    @abstractmethod
    def population(self) -> int:
        """The most NPCs that live in one world at a time."""

    def slots(self) -> int:
        """How many avatars fit into one world: its NPCs and some visitors."""
        return self.population() + 16

    def layout(self) -> Layout | None:
        """A compiled layout of `graph` that is at hand; None to have the graph compiled."""
        return None

    @abstractmethod
    def reset(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Begins an episode in the worlds of `which` (B,) bool, through `world.apply`; other worlds stay untouched.

        All chance comes from `generator`.
        """

    @abstractmethod
    def score(self, frame: Frame, world: World) -> Frame:
        """Returns the frame with reward (B, C), left (B, C), done (B,) and metrics of the tick just stepped."""

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """What the scenario itself does before `tick` (counted from the world's birth): joins, leaves, alarms."""
        del tick, world
        return ()

    def expired(self, world: World) -> Tensor:
        """Which of the agents that left ran out of time rather than reached an end, (B, C) bool."""
        return torch.zeros_like(world.state.alive)

    def metrics(self, world: World) -> Mapping[str, Tensor]:
        """Totals since each world's reset, name → (B,) f32, NaN for a mean of nothing; units are in the names."""
        del world
        return {}

    def describe(self) -> str:
        """One sentence for listings."""
        return (self.__doc__ or self.name).strip().splitlines()[0]
