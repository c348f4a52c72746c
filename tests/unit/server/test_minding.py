from __future__ import annotations

from collections.abc import Callable
from typing import cast

from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.minds import Minds
from ecumene_server.minding import Thoughts
from ecumene_world.command import Command, Say, SetIntent
from ecumene_world.event import Event
from ecumene_world.state import Verb


def test_speech_and_pulls_are_answered_between_two_ticks() -> None:
    world = world_of("village")
    settle(world, "npc:1", -2, -5, title="Mara Holm")
    settle(world, "visitor:ada", -2, -3.5, kind="visitor", title="Ada")
    later: list[Callable[[], None]] = []
    queued: list[Command] = []
    thoughts = Thoughts(Minds(world), later.append, queued.append)
    at = (-2.0, -3.5, 0.0)
    assert thoughts.hear([Event(0, "opened", "visitor:ada", "gate", {}, at)]) == ()
    assert not later
    pulled = Event(0, "pulled", "visitor:ada", "npc:1", {"thing": "ball"}, at)
    assert thoughts.hear([Event(0, "said", "visitor:ada", "", {"text": "hello"}, at), pulled]) == ()
    assert not queued, "nothing is thought within the tick"
    (answer,) = later
    answer()
    assert any(isinstance(command, Say) for command in queued)
    intent = cast("SetIntent", queued[-1])
    assert (intent.key, intent.verb, intent.target) == ("npc:1", Verb.HAND_OVER, "visitor:ada")
