"""Goto in generated worlds: whether what was learned in arenas holds in places that nobody built for training."""

from __future__ import annotations

from typing import ClassVar

from ecumene_scenarios.packs.training import Goto
from ecumene_world import SceneGraph
from ecumene_world.state import TICK_HZ


class GotoPlaza(Goto):
    """Walk from place to place of a generated square with its shops and cafés, while others do the same."""

    name = "goto_plaza"
    world_type: ClassVar[str] = "plaza"
    limit_ticks: ClassVar[int] = 60 * TICK_HZ

    def graph(self, seed: int) -> SceneGraph:
        """Generates the place."""
        from ecumene_world.generate import generate

        return generate(self.world_type, seed)


class GotoApartment(GotoPlaza):
    """Walk from room to room of a generated flat, through its doors, while others do the same."""

    name = "goto_apartment"
    world_type: ClassVar[str] = "apartment"
    least: ClassVar[int] = 3
    most: ClassVar[int] = 8
