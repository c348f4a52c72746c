"""Minds as bytes without strangers."""

import json

import pytest

from ecumene_agents.errors import MindMemoryError
from ecumene_agents.keeping import packed, without_strangers
from ecumene_agents.memory import Episode, Memory
from ecumene_agents.mind import Aim, Favour, Mind, Talk
from ecumene_agents.persona import Persona
from ecumene_agents.schedule import Activity
from ecumene_world.state import Verb


def mind(other: str) -> Mind:
    """A mind full of somebody."""
    memory = Memory(keeps_speech=True)
    memory.meet(other, "Somebody", 3)
    memory.note(Episode(3, "heard", other, text="a secret"))
    memory.note(Episode(4, "arrived", where="Square"))
    made = Mind(Persona("npc:7", "Mara Birk", "cook", "calm", -1, 4, (), (), 7.0), memory)
    made.aim = Aim(next(iter(Activity)), Verb.GREET, "I want to talk", person=other)
    made.favour, made.talk = Favour(Verb.FOLLOW, other, 90), Talk(other, 90)
    made.sent = (Verb.FOLLOW, None, other, None)
    return made


def test_a_stranger_leaves_no_trace() -> None:
    kept = without_strangers(packed({"npc:0": mind("visitor:ada"), "visitor:ada": mind("npc:0")}), {"npc:0"})
    assert b"ada" not in kept
    assert b"secret" not in kept
    assert b"Somebody" not in kept
    (record,) = json.loads(kept).values()
    assert [each["where"] for each in record["memory"]["episodes"]] == ["Square"]


def test_who_is_here_stays_known_but_for_their_words() -> None:
    kept = without_strangers(packed({"npc:0": mind("npc:1")}), {"npc:0", "npc:1"})
    assert b"secret" not in kept
    record = json.loads(kept)["npc:0"]
    assert record["memory"]["people"]["npc:1"]["name"] == "Somebody"
    assert record["aim"]["person"] == record["favour"]["who"] == record["talk"]["partner"] == "npc:1"
    assert record["sent"][2] == "npc:1"


def test_what_are_no_minds_is_refused() -> None:
    with pytest.raises(MindMemoryError, match="damaged"):
        without_strangers(b'{"npc:0": {}}', {"npc:0"})
