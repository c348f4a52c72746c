"""Answers about what is around: time, place, people, things and what the senses say."""

from __future__ import annotations

from math import dist
from typing import Final

from ecumene_agents import perception
from ecumene_agents.answers.courtesies import lost
from ecumene_agents.gazetteer import direction, rounded_m
from ecumene_agents.moment import VISITOR, Moment, Reply
from ecumene_agents.naming import capital, entry_title, is_near, nearest_place, node_title, storey_of
from ecumene_agents.words import tokens, with_article
from ecumene_world.state import Emote

WALK_SPEED: Final = 1.3
"""m/s assumed when an NPC says how long a walk takes."""


def time(moment: Moment) -> Reply:
    """Tells the time of the world."""
    return Reply(f"It is {moment.clock.spoken(moment.tick)}, on day {moment.clock.day(moment.tick) + 1}.")


def here(moment: Moment) -> Reply:
    """Tells which world and place this is."""
    title = moment.world.graph.name
    near = nearest_place(moment)
    where = f" We are at {near}." if near else ""
    return Reply(f"This is {title}.{where}")


def near(moment: Moment) -> Reply:
    """Tells who is near and how many there are."""
    near = sorted((dist(entry.position, moment.here), entry) for entry in moment.people if is_near(moment, entry))
    others = [entry for _, entry in near if moment.visitor is None or entry.key != moment.visitor.key]
    everyone = f"There are {len(moment.people) + 1} of us in all."
    if not others:
        return Reply(f"Nobody but {'you and me' if moment.visitor else 'me'}. {everyone}")
    named = [f"{entry.name}, {rounded_m(dist(entry.position, moment.here))} away" for entry in others[:4]]
    more = f" and {len(others) - 4} more" if len(others) > 4 else ""
    return Reply(f"Near us: {'; '.join(named)}{more}. {everyone}")


def see(moment: Moment) -> Reply:
    """Tells what the NPC sees."""
    asked = [entry for entry in moment.people if entry.words & set(moment.words)]
    if asked and not is_near(moment, asked[0]):
        return Reply(f"No, {asked[0].name} is too far away for that.")
    return _perceived(moment, perception.sight)


def hear(moment: Moment) -> Reply:
    """Tells what the NPC hears."""
    return _perceived(moment, perception.sound)


def feel(moment: Moment) -> Reply:
    """Tells what the NPC feels on its body."""
    return _perceived(moment, perception.touch)


def _perceived(moment: Moment, sense: perception.Teller) -> Reply:
    if moment.senses is None:
        return Reply("I can't tell just now; ask me again in a moment.")
    return Reply(sense(moment.senses))


def where(moment: Moment) -> Reply:
    """Tells in which direction and how far off something is."""
    entry = moment.asked
    if entry is None:
        return Reply("I don't know where that is. There is nothing here that I know by that name.")
    gap = dist(entry.position, moment.here)
    if gap < 2.0:
        return Reply(f"{capital(entry_title(moment, entry))} is right here.", Emote.POINT)
    storey = storey_of(moment, entry)
    way = direction(moment.here, entry.position)
    return Reply(f"{capital(entry_title(moment, entry))} is {rounded_m(gap)} to the {way} of us{storey}.", Emote.POINT)


def far(moment: Moment) -> Reply:
    """Tells how far a walk something is."""
    entry = moment.asked
    if entry is None:
        return Reply("I don't know how far that is. There is nothing here that I know by that name.")
    walk = None
    if moment.routes is not None and entry.sort == "place":
        walk = moment.routes.distance(moment.npc.world, moment.npc.slot, entry.index)
    metres = dist(entry.position, moment.here) if walk is None else walk
    how = "in a straight line" if walk is None else f"on foot, {_minutes_on_foot(metres)}"
    return Reply(f"{capital(entry_title(moment, entry))} is about {rounded_m(metres)} away {how}.")


def about(moment: Moment) -> Reply:
    """Tells what is known of something or somebody."""
    entry = moment.asked
    if entry is None:
        return lost(moment)
    if entry.sort == "person":
        who = moment.world.avatars[entry.key]
        kind = "a visitor" if who.kind == VISITOR else with_article(who.role) if who.role else "someone who lives here"
        where = f"{rounded_m(dist(entry.position, moment.here))} to the {direction(moment.here, entry.position)}"
        return Reply(f"{entry.name} is {kind}, {where} of us.")
    node = moment.world.graph.node(entry.key)
    written = node.attributes.get("text")
    says = f" It says: {written}" if isinstance(written, str) and written else ""
    sort = next(iter(sorted(entry.classes)), "place").replace("_", " ")
    called = f", {with_article(sort)}," if entry.proper else ""
    way = f"{rounded_m(dist(entry.position, moment.here))} to the {direction(moment.here, entry.position)} of us"
    return Reply(f"{capital(entry_title(moment, entry))}{called} is {way}.{says}")


def reading(moment: Moment) -> Reply:
    """Tells what a sensor measures."""
    world, asked = moment.world, set(moment.words)
    named = moment.asked
    found = [
        (node, field, value, unit)
        for node, fields in world.readings.items()
        for field, (value, unit) in fields.items()
        if asked & set(tokens(field)) or (named is not None and node == named.key)
    ]
    if not found:
        return Reply("I don't know; nothing here measures that.")
    here = [each for each in found if named is not None and each[0] == named.key] or found
    node, field, value, unit = here[0]
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return Reply(f"The {field} of {node_title(moment, node)} is {shown}{' ' + unit if unit else ''}.")


def _minutes_on_foot(metres: float) -> str:
    minutes = metres / WALK_SPEED / 60
    return (
        "less than a minute" if minutes < 0.75 else f"about {max(1, round(minutes))} minute{'s'[: round(minutes) > 1]}"
    )
