"""Gives a stored world the number of NPCs that its server is told now, and room for its visitors."""

from __future__ import annotations

import itertools
from typing import Final

from ecumene_agents.spots import Spots
from ecumene_agents.whereabouts import Whereabouts
from ecumene_scenarios.packs.living import Living
from ecumene_scenarios.session import Session
from ecumene_world import kinds
from ecumene_world.command import Despawn
from ecumene_world.world import World

_VISITOR: Final = kinds.kind_named("visitor").code


def fitted(session: Session, *, npcs: int | None, visitors: int) -> Session:
    """Returns a session that has so many NPCs and room for so many visitors; a snapshot has to follow.

    Those who came last leave first. Newcomers are drawn from the world's own chances, like those of a new world.

    Args:
        session: Of a `Living` scenario, fresh out of the store, nobody deciding yet.
        npcs: How many are wanted; None for as many as there are.
        visitors: How many more avatars must fit in.
    """
    world, scenario = session.world, session.scenario
    assert isinstance(scenario, Living), f"{scenario.name} has no residents"
    here = _npcs(world)
    wanted = len(here) if npcs is None else npcs
    if wanted + visitors > world.state.slots:
        session = _widened(session, wanted + visitors)
    world.apply([Despawn(key) for key in here[wanted:]])
    if wanted > len(here):
        _let_in(scenario, world, wanted - len(here))
    return session


def _let_in(scenario: Living, world: World, count: int) -> None:
    """Lets so many NPCs more in."""
    where = Whereabouts(world, 0, Spots(world.layout))
    free = (number for number in itertools.count() if f"npc:{number}" not in world.avatars)
    for number in itertools.islice(free, count):
        (event,) = world.apply([scenario.resident(world, number, world.generators["scenario"], where)])
        assert event.name == "spawned", f"there is room for NPC {number}: {event.data}"


def _npcs(world: World) -> list[str]:
    """Keys of the NPCs in the order in which they came."""
    return [who.key for who in world.avatars.values() if who.kind != _VISITOR]


def _widened(session: Session, slots: int) -> Session:
    """Returns the session with more avatar slots; what is counted for each slot begins anew."""
    world, old = session.world, session.world.state.slots
    world.state = world.state.with_slots(slots)
    kept = {name: each for name, each in session.scenario.memory.items() if old not in each.shape[1:2]}
    session.scenario.memory = kept
    return Session(session.scenario, seed=session.seed, world=world, device=world.state.device)
