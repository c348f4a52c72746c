import json

import pytest

from ecumene_agents.memory import ACQUAINTANCES, EPISODES, PLACES, Episode, Memory


def test_everything_is_bounded_and_the_oldest_goes_first() -> None:
    memory = Memory()
    for tick in range(200):
        memory.note(Episode(tick, "met", f"npc:{tick}"))
        memory.meet(f"npc:{tick}", "somebody", tick)
        memory.visit(f"place {tick}", tick)
    assert [len(memory.episodes), len(memory.people), len(memory.places)] == [EPISODES, ACQUAINTANCES, PLACES]
    assert next(iter(memory.people)) == f"npc:{200 - ACQUAINTANCES}"
    assert memory.episodes[0].tick == 200 - EPISODES


def test_meeting_again_is_counted_and_renews() -> None:
    memory = Memory()
    assert memory.meet("visitor:ada", "Ada", 10).times == 0
    memory.meet("npc:1", "Mara", 20)
    assert memory.meet("visitor:ada", "Ada", 30).times == 1
    assert memory.people["visitor:ada"].times == 2
    assert list(memory.people) == ["npc:1", "visitor:ada"]
    assert (memory.since_met("visitor:ada", 45), memory.since_met("npc:9", 45)) == (15, None)


def test_speech_is_kept_only_where_that_is_allowed() -> None:
    silent, chatty = Memory(), Memory(keeps_speech=True)
    for memory in (silent, chatty):
        memory.note(Episode(1, "heard", "visitor:ada", text="my secret"))
    assert silent.recent("heard")[0].text == ""
    assert chatty.recent("heard")[0].text == "my secret"
    stored = json.loads(json.dumps(chatty.to_json()))
    assert Memory.from_json(stored, keeps_speech=False).recent("heard")[0].text == ""


def test_somebody_can_be_forgotten() -> None:
    memory = Memory()
    memory.meet("visitor:ada", "Ada", 1)
    memory.note(Episode(1, "heard", "visitor:ada"))
    memory.note(Episode(2, "arrived", where="home"))
    memory.forget("visitor:ada")
    assert not memory.people
    assert [episode.what for episode in memory.episodes] == ["arrived"]


def test_memory_survives_json() -> None:
    memory = Memory()
    memory.meet("npc:1", "Mara", 3)
    memory.visit("square", 4)
    memory.note(Episode(5, "met", "npc:1"))
    assert Memory.from_json(json.loads(json.dumps(memory.to_json())), keeps_speech=False) == memory


def test_the_latest_come_first() -> None:
    memory = Memory()
    for tick, what in enumerate(("met", "arrived", "met")):
        memory.note(Episode(tick, what))
    assert [episode.tick for episode in memory.recent("met")] == [2, 0]


@pytest.mark.parametrize("data", [{}, {"episodes": [{"tick": 1}], "people": {}, "places": {}}])
def test_a_damaged_record_raises(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        Memory.from_json(data, keeps_speech=False)
