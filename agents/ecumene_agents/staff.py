"""Staff: who works where. A post employs one; any other place employs as many as can stand there in comfort."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from ecumene_agents.chance import pick
from ecumene_agents.persona import WORKPLACES
from ecumene_agents.spots import Spots

COLLEAGUES_M: Final = 1.5
"""Who works at one place needs so much room to the next."""


class Staff:
    """The jobs of one world, and how many of them are free.

    Args:
        spots: Of its layout.
        works: Workplaces of those who work already; -1 for who has none.
    """

    def __init__(self, spots: Spots, works: Iterable[int] = ()) -> None:
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, role in enumerate(spots.layout.place_role):
            self._places[role].append(place)
        self._spots = spots
        self._left: dict[int, int] = {}
        for place in works:
            if place >= 0:
                self._left[place] = self._free(place) - 1

    def hire(self, key: str, role: str, seed: int) -> int:
        """Returns where a newcomer of some occupation works, which takes that job; -1 if there is none left for it.

        Posts, places whose role is the job, go first, then the kinds of places in `WORKPLACES`, the best one first.
        """
        for wanted in (role, *WORKPLACES.get(role, ())):
            open_ = [place for place in self._places.get(wanted, ()) if self._free(place) > 0]
            if open_:
                place = pick(open_, seed, key, "work")
                self._left[place] -= 1
                return place
        return -1

    def _free(self, place: int) -> int:
        """Returns how many jobs are free at a place."""
        if place not in self._left:
            post = self._spots.layout.place_role[place] in WORKPLACES
            self._left[place] = 1 if post else self._spots.room(place, COLLEAGUES_M)
        return self._left[place]
