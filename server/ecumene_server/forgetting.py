"""Forgets a visitor: account, chat, avatar, and what NPCs remember of it, in everything that is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ecumene_agents import Minds
from ecumene_agents.mind import Mind
from ecumene_scenarios.fork import MEMORY
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.session import Session
from ecumene_server.freeze import Freezer
from ecumene_server.recovery import recover
from ecumene_server.store import Store
from ecumene_sim.frame import Actions
from ecumene_world import kinds
from ecumene_world.command import Despawn

_VISITOR: Final = kinds.kind_named("visitor").code


async def forget(store: Store, account: str, scenario: Callable[[], Scenario], tell: Callable[[str], None]) -> int:
    """Removes all that is stored of an account; returns how many lines of chat that were.

    The world is opened, the avatar leaves it, and the result becomes the only snapshot: older ones and the log, which
    hold the name, are removed. Nobody may be serving the world meanwhile.
    """
    recovered = await recover(store, scenario, tell)
    if recovered is not None:
        session = recovered.session
        body = _without(session, f"visitor:{account}")
        await store.put_snapshot(await store.begin_epoch(session.now), session.now, body)
        await store.purge_history()
    lines = await store.erase(account)
    await store.compact()
    return lines


def _without(session: Session, key: str) -> bytes:
    """Lets somebody leave a world and all memories; returns the snapshot of what is left."""
    world, minds = session.world, None
    if key in world.avatars:
        session.repeat([Despawn(key)], Actions.none(world.state.device))
    if MEMORY in world.extra:
        minds = Minds(world)
        minds.unpack(world.extra[MEMORY])
        for npc in [avatar.key for avatar in world.avatars.values() if avatar.kind != _VISITOR]:
            _strike(minds.mind(npc), key)
    return Freezer(session, minds).freeze().packed()


def _strike(mind: Mind, key: str) -> None:
    mind.memory.forget(key)
    if mind.aim is not None and mind.aim.person == key:
        mind.aim = None
    if mind.favour is not None and mind.favour.who == key:
        mind.favour = None
    if mind.talk is not None and mind.talk.partner == key:
        mind.talk = None
    if key in mind.sent:
        mind.sent = ()
