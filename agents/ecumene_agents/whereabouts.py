"""Whereabouts: where somebody is when their life in a world begins, as if they had lived there before."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot, tau
from typing import Final

from ecumene_agents.aims import aim_for
from ecumene_agents.chance import number
from ecumene_agents.memory import Memory
from ecumene_agents.mind import Aim, Mind
from ecumene_agents.persona import persona_of
from ecumene_agents.schedule import Clock, current, plan
from ecumene_agents.spots import Point, Spots
from ecumene_agents.staff import Staff
from ecumene_world.avatar import Avatar
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Verb
from ecumene_world.world import World

ON_THE_WAY: Final = 0.35
"""Share of people who are somewhere under way rather than where their day has them be."""
APART_M: Final = 1.5
"""How far from others somebody begins who stands or walks; who is about to sit needs `SEATED_APART_M` only."""
SEATED_APART_M: Final = 0.6
TRIES: Final = 24
"""Points tried under way before somebody begins as close to others as who sits, and then before it is given up."""
REACH_M: Final = 6.0
"""How far beyond a place's radius its seats may be."""

_VISITOR: Final = BY_NAME["visitor"].code

Start = tuple[Point, float]
"""Where somebody begins, metres, and which way they face, radians."""


class Whereabouts:
    """Where the people of one world begin; asked once for each, in the order in which they come.

    It knows who is there already, so that nobody begins inside another.

    Attributes:
        index: Which of the worlds.

    Args:
        world: The worlds.
        index: Which of them.
        spots: Of its layout.
        clock: World time; that of `Thinking`.
    """

    def __init__(self, world: World, index: int, spots: Spots, *, clock: Clock | None = None) -> None:
        self.index = index
        self._world, self._spots, self._clock = world, spots, clock or Clock()
        self._tick = int(world.state.tick[index])
        self._staff = Staff(spots)
        for each in world.avatars.values():
            if each.world == index and each.kind != _VISITOR:
                self._staff.hire(each.key, each.role, world.seed)
        here = world.state.alive[index]
        places, levels = world.state.position[index, here].tolist(), world.state.level[index, here].tolist()
        self._taken = [(x, y, level) for (x, y, _), level in zip(places, levels, strict=True)]

    def of(self, who: Avatar) -> Start | None:
        """Returns where an NPC that is about to come begins; None where no free point was found.

        It is where its first thought will lead it, or, for `ON_THE_WAY` of all, a street or path: walkable and
        connected with the rest.

        Args:
            who: As it will be; its slot and serial are of no account.
        """
        seed = self._world.seed
        aim = self._aim(who)
        under_way = aim.place < 0 or number(seed, who.key, "way") < ON_THE_WAY
        there = () if under_way else self._at(aim, who.key)
        for point, level, apart_m in (*there, *self._under_way(who.key)):
            if self._free(point, level, apart_m):
                self._taken.append((point[0], point[1], level))
                return point, tau * number(seed, who.key, "facing")
        return None

    def _aim(self, who: Avatar) -> Aim:
        """Returns what the NPC is about at this hour."""
        seed, clock, tick = self._world.seed, self._clock, self._tick
        persona = persona_of(who, self._world.layout, seed, (), self._staff.hire(who.key, who.role, seed))
        activity = current(plan(persona, seed, clock.day(tick)), clock.hour(tick)).activity
        return aim_for(activity, Mind(persona, Memory()), self._world.layout, seed, tick, urgent=False)

    def _at(self, aim: Aim, key: str) -> list[tuple[Point, int, float]]:
        """Returns points at a place, with their storeys and how much room each needs; seats first for who sits."""
        spots, level = self._spots, self._spots.place_level[aim.place]
        found = []
        if aim.verb is Verb.SIT:
            reach = spots.place_radius[aim.place] + REACH_M
            seats = spots.seats(spots.place_point[aim.place], level, reach)
            found = [(spots.seat_approach[seat], level, SEATED_APART_M) for seat in seats]
        standing = spots.standings(aim.place)
        first = int(number(self._world.seed, key, "standing") * len(standing))
        return found + [(point, level, APART_M) for point in (*standing[first:], *standing[:first])]

    def _under_way(self, key: str) -> Iterator[tuple[Point, int, float]]:
        """Yields points in the open; the later ones may lie closer to others."""
        for draw in range(2 * TRIES):
            point, level = self._spots.in_the_open(number(self._world.seed, key, "open", draw))
            yield point, level, APART_M if draw < TRIES else SEATED_APART_M

    def _free(self, point: Point, level: int, apart_m: float) -> bool:
        x, y, _ = point
        return all(level != storey or hypot(x - a, y - b) >= apart_m for a, b, storey in self._taken)
