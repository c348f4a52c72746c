"""Walls of buildings: flat quads laid on a wall's outer face, a few centimetres proud of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import atan2, hypot

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets.mesh import RGB, Mesh

Opening = tuple[float, float, float, float]
"""Start along the wall, width, sill and head height of a hole in a wall, metres."""


@dataclass(slots=True)
class Quads:
    """A growing sheet of coloured quads; corners counter-clockwise from the visible side."""

    _corners: list[NDArray[np.float64]] = field(default_factory=list)
    _colours: list[NDArray[np.uint8]] = field(default_factory=list)

    def add(self, corners: ArrayLike, colour: RGB) -> None:
        """Adds quads (4, 3) or (N, 4, 3) of one colour."""
        rows = np.asarray(corners, np.float64).reshape(-1, 4, 3)
        self._corners.append(rows)
        self._colours.append(np.broadcast_to(np.asarray(colour, np.uint8), (len(rows), 3)))

    def strip(self, low: ArrayLike, high: ArrayLike, colour: RGB) -> None:
        """Adds the band between two closed rings (N, 3); `high` lies above or inside of `low`."""
        a, b = np.asarray(low, np.float64), np.asarray(high, np.float64)
        self.add(np.stack([a, np.roll(a, -1, 0), np.roll(b, -1, 0), b], 1), colour)

    def mesh(self) -> Mesh:
        """Returns two triangles for each quad."""
        if not self._corners:
            return Mesh.empty()
        corners = np.concatenate(self._corners)
        first = np.arange(len(corners))[:, None] * 4
        faces = (first + np.array([0, 1, 2, 0, 2, 3])).reshape(-1, 3)
        return Mesh.of(corners.reshape(-1, 3), faces, np.repeat(np.concatenate(self._colours), 2, 0))


@dataclass(frozen=True, slots=True)
class Wall:
    """One outer wall, seen from outside: u runs to the right, v up.

    Attributes:
        start: (2,) its left end on the ground plan, metres.
        along: (2,) unit direction to the right.
        length_m: To its right end.
    """

    start: NDArray[np.float64]
    along: NDArray[np.float64]
    length_m: float

    @classmethod
    def between(cls, a: NDArray[np.float64], b: NDArray[np.float64]) -> Wall:
        """Returns the wall between two corners that follow each other counter-clockwise on the plan."""
        length = float(np.linalg.norm(b - a))
        return cls(a, (b - a) / max(length, 1e-9), length)

    @property
    def outward(self) -> NDArray[np.float64]:
        """(2,) unit normal."""
        return np.array([self.along[1], -self.along[0]])

    @property
    def yaw(self) -> float:
        """Where the wall looks, radians."""
        return atan2(self.outward[1], self.outward[0])

    def at(self, u: ArrayLike, v: ArrayLike, proud_m: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Returns the points (..., 3) at u, v, so far in front of the wall."""
        across, up, out = np.broadcast_arrays(np.asarray(u, np.float64), v, proud_m)
        plan = self.start + across[..., None] * self.along + out[..., None] * self.outward
        return np.concatenate([plan, np.asarray(up, np.float64)[..., None]], -1)

    def rectangles(
        self, u: ArrayLike, v: ArrayLike, width: ArrayLike, height: ArrayLike, proud_m: float = 0.0
    ) -> NDArray[np.float64]:
        """Returns upright quads (N, 4, 3) whose lower left corners are at u, v."""
        left, low, wide, tall = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (u, v, width, height)))
        right, high = left + wide, low + tall
        across = np.stack([left, right, right, left], -1).reshape(-1, 4)
        up = np.stack([low, low, high, high], -1).reshape(-1, 4)
        return self.at(across, up, proud_m)

    def ledges(
        self, u: ArrayLike, v: ArrayLike, width: ArrayLike, height: float, depth: float, *, under: bool = False
    ) -> NDArray[np.float64]:
        """Returns the front and top (or front and underside) of small shelves at u, v: quads (2N, 4, 3)."""
        front = self.rectangles(u, v, width, height, depth)
        left, low, wide = (
            a.reshape(-1) for a in np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (u, v, width)))
        )
        right, level = left + wide, low + (0.0 if under else height)
        near, far = (depth, 0.0) if not under else (0.0, depth)
        across = np.stack([left, right, right, left], 1)
        out = np.broadcast_to([near, near, far, far], across.shape)
        lid = self.at(across, np.repeat(level[:, None], 4, 1), out)
        return np.concatenate([front, lid])

    def distance(self, x: float, y: float) -> tuple[float, float]:
        """Returns how far a point on the plan is from the wall, and the u nearest to it, metres."""
        offset = np.array([x, y]) - self.start
        u = float(np.clip(offset @ self.along, 0, self.length_m))
        gap = offset - self.along * u
        return hypot(gap[0], gap[1]), u


def tiles(length: float, height: float, openings: Sequence[Opening]) -> list[tuple[float, float, float, float]]:
    """Returns rectangles (u, v, width, height) that cover a wall but for its openings.

    Openings are clipped to the wall; where two overlap along the wall, the later one is cut short.
    """
    found: list[tuple[float, float, float, float]] = []
    reached = 0.0
    for start, width, sill, head in sorted(openings):
        left, right = max(start, reached), min(start + width, length)
        if right - left < 1e-3 or head - sill < 1e-3:
            continue
        found.append((reached, 0.0, left - reached, height))
        found.append((left, 0.0, right - left, max(sill, 0.0)))
        found.append((left, min(head, height), right - left, height - min(head, height)))
        reached = right
    found.append((reached, 0.0, length - reached, height))
    return [tile for tile in found if tile[2] > 1e-3 and tile[3] > 1e-3]
