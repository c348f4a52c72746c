"""The scene that slow minds think in: one world in one tick, read without tensors, and what is taken in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_agents.mind import Aim
from ecumene_agents.spots import APART_M, WIDEST_M, Point, Spots
from ecumene_world.world import World

GREET_M: Final = 2.4
"""How near somebody must come to be greeted."""
NOTICED: Final = 8
"""Most others that are looked at for a greeting: in a throng nobody greets beyond."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One world as it is in this tick, seen without tensors; columns are by slot.

    Attributes:
        index: Which of the worlds.
        positions: (C, 3) f32 metres.
        alive: (C,) whether somebody is in the slot.
        level: (C,) storey.
        posture: (C,) `Posture`.
        seat: (C,) seat index or -1.
        needs: (C, 4) rest, food, company, fun.
        near: Slots of the nearest others on the same storey within reach of a greeting, nearest first, by the slot of
            each who may greet.
    """

    index: int
    positions: NDArray[np.float32]
    alive: NDArray[np.bool_]
    level: NDArray[np.int64]
    posture: NDArray[np.int64]
    seat: NDArray[np.int64]
    needs: NDArray[np.float32]
    near: dict[int, list[int]]

    @classmethod
    def of(cls, world: World, index: int, greeters: Sequence[int] = ()) -> Scene:
        """Reads one of the worlds."""
        state = world.state
        columns = (state.position, state.alive, state.level, state.posture, state.seat, state.needs)
        position, alive, level, posture, seat, needs = (column[index].numpy(force=True) for column in columns)
        scene = cls(index, position, alive, level, posture, seat, needs, {})
        scene.near.update(_company(scene, greeters))
        return scene

    def position(self, slot: int) -> Point:
        """Returns where a slot is, m."""
        x, y, z = self.positions[slot].tolist()
        return x, y, z

    def others(self, slot: int) -> NDArray[np.float32]:
        """Returns (n, 2) where all others on the storey of a slot are, m."""
        there = self.alive & (self.level == self.level[slot])
        there[slot] = False
        return self.positions[there, :2]

    def gap(self, slot: int, point: Point) -> float:
        """Returns how far a slot is from a point along the ground, m."""
        x, y, _ = self.positions[slot].tolist()
        return hypot(point[0] - x, point[1] - y)


class Claims:
    """The seats and spots that people of one scene have taken or are on their way to.

    Args:
        scene: Which.
        spots: Of its layout.
        aims: Of all its NPCs.
    """

    def __init__(self, scene: Scene, spots: Spots, aims: Iterable[Aim]) -> None:
        self._spots = spots
        self._seats = set(scene.seat.tolist())
        self._points: list[tuple[Point, int]] = []
        for aim in aims:
            if aim.seat >= 0:
                self._seats.add(aim.seat)
            elif aim.point is not None and aim.place >= 0:
                self._points.append((aim.point, spots.place_level[aim.place]))

    def seat(self, near: Point, place: int, reach_m: float) -> int:
        """Takes the nearest free seat within reach of a point on a place's storey; returns -1 if there is none."""
        level = self._spots.place_level[place]
        seats = self._spots.seats(near, level, reach_m)
        found = next((seat for seat in seats if seat not in self._seats), -1)
        if found >= 0:
            self._seats.add(found)
        return found

    def spot(self, place: int, seed: int, *words: object) -> Point | None:
        """Takes a free spot at a place for whoever the words name; returns None if it is full."""
        (x, y, _), level = self._spots.place_point[place], self._spots.place_level[place]
        reach = WIDEST_M + APART_M
        taken = [at for at, storey in self._points if storey == level and hypot(at[0] - x, at[1] - y) < reach]
        found = self._spots.standing(place, taken, seed, *words)
        if found is not None:
            self._points.append((found, level))
        return found


def _company(scene: Scene, greeters: Sequence[int]) -> dict[int, list[int]]:
    """Returns the `NOTICED` slots nearest to each of those who may greet, nearest first."""
    x, y = scene.positions[:, 0], scene.positions[:, 1]
    about = np.array(greeters, np.int64)
    close = np.abs(x - x[about, None]) <= GREET_M
    row, other = close.nonzero()
    me = about[row]
    gap = np.hypot(x[other] - x[me], y[other] - y[me])
    met = (gap <= GREET_M) & (scene.level[other] == scene.level[me]) & scene.alive[other] & (other != me)
    nearest: dict[int, list[int]] = {slot: [] for slot in greeters}
    order = np.flatnonzero(met)[gap[met].argsort(kind="stable")]
    for mine, theirs in zip(me[order].tolist(), other[order].tolist(), strict=True):
        nearest[mine].append(theirs)
    return {slot: others[:NOTICED] for slot, others in nearest.items()}
