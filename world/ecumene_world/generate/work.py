"""A town in the making: its plan, the builder at work and the generator that everything is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecumene_world.generate.builder import Builder
from ecumene_world.generate.plan import TownPlan
from ecumene_world.generate.room_building import Wish
from ecumene_world.generate.site import Site


@dataclass(slots=True)
class Work:
    """What every step of dressing a town works with.

    Attributes:
        plan: What was decided.
        build: Adds nodes and knows what is taken.
        seed: Of the town.
        rng: The town's generator.
        wish: Tags and proposer for what is inside.
    """

    plan: TownPlan
    build: Builder
    seed: int
    rng: np.random.Generator
    wish: Wish

    @property
    def site(self) -> Site:
        """The raster."""
        return self.build.site

    def chance(self, share: float) -> bool:
        """Tells, at random, yes in that share of cases."""
        return bool(self.rng.random() < share)

    def turn(self) -> float:
        """Returns a direction, radians."""
        return float(self.rng.uniform(-np.pi, np.pi))
