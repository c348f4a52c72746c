"""What an NPC is about and why, as sentences for whoever opens its mind."""

from __future__ import annotations

from typing import Final

from ecumene_agents.mind import Mind
from ecumene_world.avatar import Avatar
from ecumene_world.kinds import Category
from ecumene_world.state import Verb
from ecumene_world.world import World

_INTENTS: Final[dict[Verb, tuple[str, str, str]]] = {
    Verb.WAIT: ("waiting", "waiting at", "waiting for"),
    Verb.GO: ("going somewhere", "going to", "going to"),
    Verb.FOLLOW: ("following somebody", "on the way to", "following"),
    Verb.SIT: ("sitting down", "sitting down at", "sitting down beside"),
    Verb.GREET: ("greeting somebody", "greeting people at", "greeting"),
    Verb.AVOID: ("keeping away", "keeping away from", "keeping away from"),
    Verb.FIND: ("looking for something", "looking for", "looking for"),
    Verb.COME: ("coming", "coming to", "coming to"),
    Verb.LEAVE: ("leaving", "leaving for", "leaving"),
    Verb.HAND_OVER: ("handing something over", "handing something over at", "handing something to"),
    Verb.QUEUE: ("queueing", "queueing at", "queueing behind"),
    Verb.GATHER: ("gathering", "gathering at", "gathering around"),
    Verb.WORK: ("working", "working at", "working with"),
    Verb.CARRY: ("carrying something", "carrying something to", "carrying something with"),
}
"""What a verb reads like alone, before a place or a thing and before somebody."""


def intent(world: World, avatar: Avatar) -> str:
    """Returns what an NPC wants now: its verb and whom, what or where that is about."""
    state, row = world.state, (avatar.world, avatar.slot)
    alone, at, whom = _INTENTS[Verb(int(state.verb[row]))]
    place, target = int(state.place[row]), int(state.target[row])
    if place >= 0:
        return f"{at} {title_of(world, world.layout.names[int(world.layout.place_row[place])])}"
    if place < -1:
        return f"{at} any {Category(-1 - place).name.lower()}"
    if target >= 0:
        key = world.key_of(avatar.world, target)
        return f"{whom} {world.avatars[key].title if key is not None else 'nobody'}"
    return alone


def cause(mind: Mind | None) -> str:
    """Returns why it wants that: the reason of its slow mind, "" for one who has none."""
    if mind is None:
        return ""
    if mind.favour is not None:
        return "Somebody asked for it."
    return mind.aim.reason if mind.aim is not None else ""


def title_of(world: World, name: str) -> str:
    """Returns what people call a node."""
    return str(world.graph.node(name).attributes.get("title", name)) if name in world.graph else name
