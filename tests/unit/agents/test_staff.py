"""Staff: posts are for one, other places for as many as have room, and then there is no work."""

from __future__ import annotations

from tests.unit.agents.grounds import place, village

from ecumene_agents.spots import Spots
from ecumene_agents.staff import COLLEAGUES_M, Staff
from ecumene_world import Layout, compile_layout


def town() -> Layout:
    graph = village()
    place(graph, "stove", 20.0, 5.0, "cook")
    return compile_layout(graph)


LAYOUT = town()
SPOTS = Spots(LAYOUT)


def test_a_post_is_for_one_and_others_work_where_there_is_room() -> None:
    staff = Staff(SPOTS)
    room = SPOTS.room(LAYOUT.place_index["coffee"], COLLEAGUES_M)
    works = [staff.hire(f"npc:{number}", "cook", 1) for number in range(room + 3)]
    assert [LAYOUT.place_role[work] for work in works[: room + 1]] == ["cook", *["cafe"] * room]
    assert works[room + 1 :] == [-1, -1]


def test_who_works_there_already_takes_up_room() -> None:
    post = LAYOUT.place_index["stove"]
    assert Staff(SPOTS).hire("npc:1", "cook", 1) == post
    assert Staff(SPOTS, [post, -1]).hire("npc:1", "cook", 1) != post


def test_who_has_no_trade_has_no_work() -> None:
    assert Staff(SPOTS).hire("npc:1", "resident", 1) == -1
