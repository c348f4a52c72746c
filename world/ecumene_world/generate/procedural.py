"""The procedural proposer: furnishes every role of room by hand-written arrangements; the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ecumene_world.generate import home_rooms, public_rooms, work_rooms
from ecumene_world.generate.furnisher import Furnisher
from ecumene_world.generate.proposer import Brief, Proposal
from ecumene_world.generate.style import Style, style_of

ROLES: Final[Mapping[str, Callable[[Furnisher], None]]] = {
    "living": home_rooms.living,
    "kitchen": home_rooms.kitchen,
    "bedroom": home_rooms.bedroom,
    "child_room": home_rooms.child_room,
    "bathroom": home_rooms.bathroom,
    "washroom": home_rooms.washroom,
    "study": home_rooms.study,
    "hall": home_rooms.hall,
    "open_office": work_rooms.open_office,
    "private_office": work_rooms.private_office,
    "meeting_room": work_rooms.meeting_room,
    "lobby": work_rooms.lobby,
    "kitchenette": work_rooms.kitchenette,
    "archive": work_rooms.archive,
    "classroom": work_rooms.classroom,
    "cloakroom": work_rooms.cloakroom,
    "library": work_rooms.library,
    "waiting": work_rooms.waiting,
    "consulting": work_rooms.consulting,
    "ward": work_rooms.ward,
    "treatment": work_rooms.treatment,
    "guest_room": public_rooms.guest_room,
    "cafe_kitchen": public_rooms.cafe_kitchen,
    "sales": public_rooms.sales,
    "store_room": public_rooms.store_room,
    "gallery": public_rooms.gallery,
    "museum_hall": public_rooms.museum_hall,
}
"""Roles of rooms and what furnishes them."""


class Procedural:
    """Furnishes rooms by rule."""

    def __init__(self, style: Style | None = None) -> None:
        self._style = style

    def propose(self, brief: Brief) -> Sequence[Proposal] | None:
        """Returns the things of a room; None for a role that is not in `ROLES`."""
        arrange = ROLES.get(brief.role)
        if arrange is None:
            return None
        furnisher = Furnisher(brief, self._style or style_of(brief.tags, brief.seed))
        arrange(furnisher)
        return furnisher.items
