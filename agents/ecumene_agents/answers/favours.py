"""Answers to those who ask for a favour."""

from __future__ import annotations

from ecumene_agents.answers.surroundings import where
from ecumene_agents.moment import Moment, Reply
from ecumene_agents.naming import entry_title
from ecumene_world.state import Emote, Verb


def stop(moment: Moment) -> Reply:
    """Ends a favour or stays put."""
    stays = {"wait", "stay"} & set(moment.words)
    said = "All right, I'll wait here." if stays else "All right. I'll go on with my day."
    return Reply(said, Emote.NOD, Verb.WAIT if stays else Verb.LEAVE)


def follow(moment: Moment) -> Reply:
    """Agrees to walk along."""
    return _favour(moment, Verb.FOLLOW, "Gladly. Lead the way.")


def come(moment: Moment) -> Reply:
    """Agrees to come over."""
    return _favour(moment, Verb.COME, "I'm coming.")


def lead(moment: Moment) -> Reply:
    """Agrees to show the way."""
    entry = moment.asked
    if entry is None:
        return Reply("I don't know where that is, so I can't take you there.")
    if entry.sort != "place":
        return where(moment)
    return _favour(moment, Verb.GO, f"Come along, {entry_title(moment, entry)} is this way.", entry.index)


def _favour(moment: Moment, verb: Verb, text: str, place: int = -1) -> Reply:
    if moment.visitor is None or moment.visitor.world != moment.npc.world:
        return Reply("I can't see you here, so I'd rather stay where I am.")
    return Reply(text, Emote.NOD, verb, place)
