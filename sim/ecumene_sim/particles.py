"""Particles: round bodies in an empty plane that forces move, which the field's best-known tasks are made of.

They know no world, no senses and no walls; what lives in a world is stepped by the engine. B worlds, N bodies each.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

_SPOT_M = 1e-6
"""Bodies nearer than this have no direction to part in."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What all bodies of a task have in common.

    Attributes:
        radius: Metres.
        mass: Kilograms.
        drag: Share of the velocity that is lost in each step.
        stiffness: Newtons per metre of overlap.
        margin: Metres over which the force of touching bodies sets in.
        dt: Seconds a step lasts.
        substeps: Parts that a step is integrated in.
    """

    radius: float
    mass: float = 1.0
    drag: float = 0.25
    stiffness: float = 100.0
    margin: float = 1e-3
    dt: float = 0.1
    substeps: int = 1


@dataclass(slots=True)
class Particles:
    """B worlds of N bodies.

    Attributes:
        matter: Of all bodies.
        position: (2, B, N) metres.
        velocity: (2, B, N) m/s.
    """

    matter: Matter
    position: Tensor
    velocity: Tensor

    @classmethod
    def at_rest(cls, matter: Matter, worlds: int, bodies: int, device: torch.device | str = "cpu") -> Particles:
        """Returns bodies that stand at the origin."""
        shape = (2, worlds, bodies)
        return cls(matter, torch.zeros(shape, device=device), torch.zeros(shape, device=device))

    def step(self, force: Tensor) -> None:
        """Advances by one step under (2, B, N) newtons, by semi-implicit Euler."""
        matter, dt = self.matter, self.matter.dt / self.matter.substeps
        self.velocity.mul_(1.0 - matter.drag)
        for _ in range(matter.substeps):
            self.velocity.add_(force + self.repulsion(), alpha=dt / matter.mass)
            self.position.add_(self.velocity, alpha=dt)

    def repulsion(self) -> Tensor:
        """Returns the (2, B, N) newtons with which overlapping bodies push each other apart."""
        away = -offsets(self.position, self.position)
        distance = away.square().sum(0).sqrt_()
        overlap = 2.0 * self.matter.radius - distance
        strength = softplus(overlap, beta=1.0 / self.matter.margin).mul_(self.matter.stiffness)
        strength.div_(distance.clamp(min=_SPOT_M)).masked_fill_((overlap < 0) | (distance < _SPOT_M), 0.0)
        return away.mul_(strength).sum(-1)

    def gaps(self) -> Tensor:
        """Returns the (B, N, N) metres between the surfaces of every two bodies, negative where they overlap."""
        distance = offsets(self.position, self.position).square_().sum(0).sqrt_()
        return distance.sub_(2.0 * self.matter.radius)


def offsets(of: Tensor, to: Tensor) -> Tensor:
    """Returns the (2, B, N, M) vectors from each of (2, B, N) points to each of (2, B, M) points."""
    return to.unsqueeze(2) - of.unsqueeze(3)
