"""What NPCs say to each other and to those they meet: short lines about what is really so."""

from __future__ import annotations

from ecumene_agents.chance import pick
from ecumene_agents.gazetteer import place_name
from ecumene_agents.memory import Acquaintance
from ecumene_agents.mind import Mind
from ecumene_agents.schedule import Clock
from ecumene_agents.words import inert
from ecumene_world.avatar import Avatar
from ecumene_world.kinds import BY_NAME
from ecumene_world.world import World

_VISITOR = BY_NAME["visitor"].code


def salutation(clock: Clock, tick: int) -> str:
    """Returns the greeting of the hour."""
    hour = clock.hour(tick)
    return "Good morning" if 5 <= hour < 12 else "Good afternoon" if 12 <= hour < 18 else "Good evening"


def greeting(mind: Mind, other: Avatar, known: Acquaintance, clock: Clock, tick: int) -> str:
    """Returns a greeting; friends and those met before are greeted by name."""
    first = other.title.split(" ", 1)[0]
    if other.kind == _VISITOR and not known.times:
        return inert(f"{salutation(clock, tick)}. I'm {mind.persona.first_name}.")
    if other.key in mind.persona.friends:
        return inert(f"{pick(('Hello', 'Hi', 'Ah,'), tick, mind.persona.key)} {first}!")
    return inert(f"{salutation(clock, tick)}, {first}." if known.times else f"{salutation(clock, tick)}.")


def farewell(mind: Mind, other: Avatar) -> str:
    """Returns a goodbye."""
    first = other.title.split(" ", 1)[0]
    return inert(
        pick(
            (f"See you, {first}.", "I must be going. Take care!", f"Until later, {first}."),
            len(first),
            mind.persona.key,
        )
    )


def remark(mind: Mind, other: Avatar, turn: int, world: World, clock: Clock, tick: int) -> str:
    """Returns something to say in a chat: about the hour, the way one goes, or how one feels."""
    layout, aim = world.layout, mind.aim
    lines = [f"It is {clock.spoken(tick)} already."]
    if aim is not None and 0 <= aim.place < len(layout.place_role):
        lines.append(f"I am on my way to {place_name(layout, world, aim.place)}; {aim.reason}.")
    visited = [episode.where for episode in mind.memory.recent("arrived")]
    if visited and visited[0] in layout.place_index:
        lines.append(f"I was at {place_name(layout, world, layout.place_index[visited[0]])} earlier.")
    others = len(mind.memory.people)
    if others > 2:
        lines.append(f"I have met {others} people so far.")
    lines.append(f"How is your day, {other.title.split(' ', 1)[0]}?")
    return inert(lines[turn % len(lines)])
