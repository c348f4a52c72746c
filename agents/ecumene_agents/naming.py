"""How NPCs name places, things and people when they speak of them."""

from __future__ import annotations

from math import dist
from typing import Final

from ecumene_agents.gazetteer import Entry, place_name
from ecumene_agents.moment import Moment
from ecumene_world.avatar import Avatar

NEAR_M: Final = 12.0
"""People within this are "near", metres."""


def place_title(moment: Moment, place: int) -> str:
    """Returns what people call a place."""
    return place_name(moment.world.layout, moment.world, place)


def title_of_place(moment: Moment, name: str) -> str | None:
    """Returns what people call a place by its node name, None if it is gone."""
    place = moment.world.layout.place_index.get(name)
    return None if place is None else place_title(moment, place)


def nearest_place(moment: Moment) -> str | None:
    """Returns the place that the NPC is at, or near."""
    layout = moment.world.layout
    if not layout.place_role:
        return None
    position = layout.place_position
    gaps = (position - position.new_tensor(moment.here)).norm(dim=1)
    return place_title(moment, int(gaps.argmin()))


def node_title(moment: Moment, node: str) -> str:
    """Returns the title of a node, or its name if it has none."""
    title = moment.world.graph.node(node).attributes.get("title") if node in moment.world.graph else None
    return title if isinstance(title, str) and title else node


def entry_title(moment: Moment, entry: Entry) -> str:
    """Returns what people call a thing, place or person, with its article."""
    if entry.proper:
        return entry.name
    return f"the {'nearest ' if moment.gazetteer.many(entry) else ''}{entry.name}"


def person_title(moment: Moment, key: str) -> str:
    """Returns "you" for who asks, else what people call a person."""
    who = moment.world.avatars.get(key)
    return "you" if who is not None and who == moment.visitor else who.title if who is not None else "somebody"


def key_of(who: Avatar | None) -> str:
    """Returns somebody's key, the empty one for nobody."""
    return "" if who is None else who.key


def first_name(title: str) -> str:
    """Returns the first word of a person's name."""
    return title.split(" ", 1)[0]


def storey_of(moment: Moment, entry: Entry) -> str:
    """Returns on which storey something is, seen from the NPC; nothing for its own."""
    own = int(moment.world.state.level[moment.npc.world, moment.npc.slot])
    return "" if entry.level == own else ", upstairs" if entry.level > own else ", downstairs"


def is_near(moment: Moment, entry: Entry) -> bool:
    """Whether something is within `NEAR_M`."""
    return dist(entry.position, moment.here) < NEAR_M


def has_met(moment: Moment) -> bool:
    """Whether the NPC remembers who asks."""
    return moment.mind is not None and key_of(moment.visitor) in moment.mind.memory.people


def capital(text: str) -> str:
    """Returns a sentence's beginning in upper case."""
    return text[:1].upper() + text[1:]


def lower(reason: str) -> str:
    """Returns a reason as it stands within a sentence."""
    return reason if reason.startswith("I ") else reason[:1].lower() + reason[1:]
