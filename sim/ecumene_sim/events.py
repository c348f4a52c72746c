"""Outcomes of a tick in words: events for people, logs and minds."""

from __future__ import annotations

from typing import Final

import torch

from ecumene_sim.asking import Outcome, Outcomes
from ecumene_world.event import Event
from ecumene_world.plain import JSON
from ecumene_world.world import World

NAMES: Final = {
    Outcome.NOTHING_THERE: "nothing_there",
    Outcome.SAT: "sat",
    Outcome.LAY_DOWN: "lay_down",
    Outcome.STOOD_UP: "stood_up",
    Outcome.OPENED: "opened",
    Outcome.CLOSED: "closed",
    Outcome.TURNED_ON: "turned_on",
    Outcome.TURNED_OFF: "turned_off",
    Outcome.READ: "read",
    Outcome.PICKED_UP: "picked_up",
    Outcome.PUT_DOWN: "put_down",
    Outcome.HANDED_OVER: "handed_over",
    Outcome.PULLED: "pulled",
}
"""Event names; the object is the thing, or where there is another party that one, with the thing in data."""


def events_of(world: World, tick: int, outcomes: Outcomes) -> tuple[Event, ...]:
    """Returns what happened, in order of worlds and slots, then things that returned to rest, then those that fell."""
    noted = outcomes.code.nonzero().tolist()
    rested, dropped = outcomes.rested.nonzero().tolist(), outcomes.dropped.nonzero().tolist()
    return (
        *(_done(world, tick, outcomes, *row) for row in noted),
        *(_of_thing(world, tick, "rested", *row) for row in rested),
        *(_of_thing(world, tick, "dropped", *row) for row in dropped),
    )


def _done(world: World, tick: int, outcomes: Outcomes, index: int, slot: int) -> Event:
    """Returns what an avatar did."""
    outcome = Outcome(int(outcomes.code[index, slot]))
    thing, other = int(outcomes.thing[index, slot]), int(outcomes.other[index, slot])
    node = world.layout.thing_name(thing) if thing >= 0 else ""
    receiver = world.key_of(index, other) if other >= 0 else None
    data = _details(world, index, outcome, node, thing, shared=other >= 0)
    position = tuple(world.state.position[index, slot].tolist())
    subject = world.key_of(index, slot) or f"slot:{slot}"
    return Event(tick, NAMES[outcome], subject, receiver or node, data, position, index)


def _details(world: World, index: int, outcome: Outcome, node: str, thing: int, *, shared: bool) -> dict[str, JSON]:
    """Returns what else is worth saying: the text of what was read, the thing's state or which thing it was."""
    if outcome is Outcome.READ:
        attributes = world.graph.node(node).attributes
        return {"title": str(attributes.get("title", node)), "text": str(attributes.get("text", ""))}
    if shared:
        return {"thing": node}
    if thing >= 0:
        return {"state": int(world.state.thing_state[index, thing])}
    return {}


def _of_thing(world: World, tick: int, name: str, index: int, thing: int) -> Event:
    """Returns what became of a thing by itself."""
    x, y, z = torch.Tensor.tolist(world.state.thing_position[index, thing])
    return Event(tick, name, world.layout.thing_name(thing), "", {"state": 0}, (x, y, z), index)
