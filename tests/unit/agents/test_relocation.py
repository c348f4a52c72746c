"""Minds in a new layout: names stay true, gone places are given up, new posts are taken, by one each."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.agents.grounds import place, village

from ecumene_agents.memory import Memory
from ecumene_agents.mind import Aim, Favour, Mind
from ecumene_agents.persona import Persona, persona_of
from ecumene_agents.relocation import relocate, seat_in
from ecumene_agents.schedule import Activity
from ecumene_agents.spots import Spots
from ecumene_world import Layout, compile_layout
from ecumene_world.avatar import Avatar
from ecumene_world.graph import SceneGraph
from ecumene_world.state import Verb

OLD = compile_layout(village())


def mind(key: str, role: str = "cook", work: str = "") -> Mind:
    avatar = Avatar(key, 0, 0, 0, key, role, 200, 1)
    return Mind(persona_of(avatar, OLD, 1, (), OLD.place_index[work] if work else -1), Memory())


def is_idle(mind: Mind) -> bool:
    return mind.aim is None and mind.favour is None


def named(layout: Layout, index: int) -> str:
    return layout.names[int(layout.place_row[index])]


def moved(minds: dict[str, Mind], graph: SceneGraph) -> Layout:
    new = compile_layout(graph)

    def fresh(key: str) -> Persona:
        return persona_of(Avatar(key, 0, 0, 0, key, minds[key].persona.role, 200, 1), new, 1, ())

    relocate(minds, OLD, Spots(new), 1, fresh)
    return new


def without(name: str) -> SceneGraph:
    graph = village()
    graph.remove(name)
    return graph


def test_places_keep_their_names_though_their_numbers_change() -> None:
    first, last = named(OLD, 0), named(OLD, len(OLD.place_role) - 1)
    ada = mind("npc:1")
    lives = OLD.place_index[last]
    ada.persona = replace(ada.persona, home=lives, likes=(lives, OLD.place_index[first]))
    ada.aim = Aim(Activity.STROLL, Verb.GO, "I want to", lives)
    ada.favour = Favour(Verb.GO, "visitor:z", 100, lives)
    new = moved({"npc:1": ada}, without(first))
    assert new.place_index[last] != OLD.place_index[last]
    assert ada.persona.home == ada.aim.place == ada.favour.place == new.place_index[last]
    assert ada.persona.likes == (new.place_index[last],)


def test_who_was_on_the_way_to_what_is_gone_chooses_anew_and_gets_another_home() -> None:
    first = named(OLD, 0)
    ada = mind("npc:1")
    ada.persona = replace(ada.persona, home=0, work=0)
    ada.aim, ada.favour = Aim(Activity.HOME, Verb.GO, "I want to", 0), Favour(Verb.GO, "visitor:z", 100, 0)
    new = moved({"npc:1": ada}, without(first))
    assert is_idle(ada)
    assert all(index < len(new.place_role) for index in (ada.persona.home, ada.persona.work))
    assert first not in new.place_index


def test_new_posts_are_taken_by_one_each_of_those_who_have_none() -> None:
    minds = {f"npc:{n}": mind(f"npc:{n}", "cook" if n < 3 else "doctor") for n in range(4)}
    before = {key: each.persona.work for key, each in minds.items()}
    graph = village()
    place(graph, "stove", 5.0, -12.0, "cook", "Cook of the new café")
    new = moved(minds, graph)
    works = [each.persona.work for each in minds.values()]
    assert works.count(new.place_index["stove"]) == 1
    assert minds["npc:0"].persona.work == new.place_index["stove"]
    assert minds["npc:3"].persona.work == before["npc:3"]


def test_whose_work_is_gone_takes_what_jobs_there_are() -> None:
    place_of = {"npc:0": "lessons", "npc:1": "lessons", "npc:2": "exhibits", "npc:3": ""}
    minds = {key: mind(key, "teacher", work) for key, work in place_of.items()}
    new = moved(minds, without("lessons"))
    works = [named(new, each.persona.work) for each in minds.values() if each.persona.work >= 0]
    assert works == ["exhibits", "exhibits", "exhibits"]
    assert minds["npc:3"].persona.work < 0


def test_some_come_to_like_a_new_place() -> None:
    minds = {f"npc:{n}": mind(f"npc:{n}") for n in range(60)}
    graph = village()
    place(graph, "new square", 5.0, -12.0, "square")
    new = moved(minds, graph)
    fond = sum(new.place_index["new square"] in each.persona.likes for each in minds.values())
    assert 5 <= fond <= 25
    assert all(len(each.persona.likes) <= 4 for each in minds.values())


def test_seats_stay_seats_of_the_same_thing() -> None:
    new = compile_layout(without("bench 1"))
    for seat, thing in enumerate(OLD.seat_thing.tolist()):
        name = OLD.names[int(OLD.thing_row[thing])]
        found = seat_in(seat, OLD, new)
        if name == "bench 1":
            assert found == -1
        else:
            assert new.names[int(new.thing_row[int(new.seat_thing[found])])] == name
            assert new.seat_position[found].tolist() == OLD.seat_position[seat].tolist()
    assert seat_in(-1, OLD, new) == -1
