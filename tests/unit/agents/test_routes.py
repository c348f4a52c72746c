import math

import pytest
import torch
from tests.unit.agents.grounds import all_slots, send, settle, world_of

from ecumene_agents.fields import RouteMap
from ecumene_agents.routes import MARGIN_M, Routes
from ecumene_world import compile_layout
from ecumene_world.grid import sample
from ecumene_world.state import Verb
from ecumene_world.world import World


def waypoint(world: World, slot: int) -> torch.Tensor:
    return world.state.waypoint[0, slot, :2]


def clear_way(world: World, slot: int) -> float:
    """The least clearance on the straight line from an avatar to its waypoint."""
    layout, share = world.layout, torch.linspace(0, 1, 80)[:, None]
    start, end = world.state.position[0, slot, :2], waypoint(world, slot)
    points = start + (end - start) * share
    return float(sample(layout, layout.clearance, torch.zeros(80, dtype=torch.int64), points).min())


def test_a_goal_in_plain_sight_is_the_waypoint() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, 2)
    send(world, "npc:1", Verb.GO, "west")
    Routes(world, per_tick=0).update(all_slots(world))
    assert torch.equal(world.state.waypoint[0, slot], world.state.goal[0, slot])


def test_behind_a_wall_the_waypoint_leads_around_it() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.GO, "east")
    Routes(world).update(all_slots(world))
    assert clear_way(world, slot) > 0.2
    assert float(waypoint(world, slot)[1]) > -4.0


def test_following_waypoints_reaches_the_goal() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.GO, "east")
    routes = Routes(world)
    for _ in range(400):
        routes.update(all_slots(world))
        assert clear_way(world, slot) > 0.1
        way = waypoint(world, slot) - world.state.position[0, slot, :2]
        world.state.position[0, slot, :2] += way / way.norm().clamp(min=0.1) * 0.1
    assert float((world.state.position - world.state.goal)[0, slot].norm()) < 0.3


def test_without_a_field_it_heads_straight_until_work_is_done() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.GO, "east")
    routes = Routes(world, per_tick=0)
    routes.update(all_slots(world))
    assert torch.equal(world.state.waypoint[0, slot], world.state.goal[0, slot])
    assert routes.work(5) == 0
    routes.update(all_slots(world))
    assert not torch.equal(world.state.waypoint[0, slot], world.state.goal[0, slot])


def test_a_field_computed_elsewhere_leads_like_one_of_its_own() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.GO, "east")
    own, fed = Routes(world), Routes(world, per_tick=0)
    own.update(all_slots(world))
    expected = waypoint(world, slot).clone()
    fed.update(all_slots(world))
    wanted = fed.take_wanted()
    assert wanted is not None
    fed.put(*wanted, RouteMap(world.layout).field(*wanted))
    fed.update(all_slots(world))
    assert torch.equal(waypoint(world, slot), expected)
    assert fed.take_wanted() is None


def test_who_is_in_haste_gets_a_field_that_reaches_far_enough_and_a_whole_one_later() -> None:
    world = world_of("village")
    slot = settle(world, "npc:1", 30, 30)
    send(world, "npc:1", Verb.GO, "lessons")
    routes, map_ = Routes(world, per_tick=0), RouteMap(world.layout)
    routes.hasty = True
    routes.update(all_slots(world))
    wanted = routes.take_wanted()
    assert wanted is not None
    goal, reach = wanted
    assert MARGIN_M + 60 < reach < 200
    assert (routes.take_wanted(), routes.take_later()) == (None, None)
    assert torch.equal(waypoint(world, slot), world.state.position[0, slot, :2]), "it waits"
    routes.put(goal, reach, map_.field(goal, reach))
    routes.update(all_slots(world))
    assert not torch.equal(waypoint(world, slot), world.state.goal[0, slot])
    assert (routes.take_wanted(), routes.take_later()) == (None, goal)
    routes.put(goal, math.inf, map_.field(goal))
    routes.update(all_slots(world))
    assert (routes.take_wanted(), routes.take_later()) == (None, None)


def test_only_so_many_fields_are_computed_in_a_tick() -> None:
    world = world_of("village")
    for number, name in enumerate(("coffee", "exhibits", "goods", "green", "lane", "lessons")):
        settle(world, f"npc:{number}", 20, 25)
        send(world, f"npc:{number}", Verb.GO, name)
    routes = Routes(world, per_tick=2)
    routes.update(all_slots(world))
    left = routes.work(0)
    routes.update(all_slots(world))
    assert (left, routes.work(0)) == (left, left - 2)
    assert left > 1


def test_the_goal_of_a_chase_moves_with_its_target() -> None:
    world = world_of("open")
    hunter, prey = settle(world, "npc:1", 0, 0), settle(world, "npc:2", 5, 0)
    send(world, "npc:1", Verb.FOLLOW, target="npc:2")
    world.state.position[0, prey] = torch.tensor([3.0, 4.0, 0.0])
    Routes(world).update(all_slots(world))
    assert world.state.goal[0, hunter].tolist() == [3.0, 4.0, 0.0]


def test_waiting_avatars_and_empty_slots_cost_no_field() -> None:
    world = world_of("walled")
    settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.WAIT, "east")
    routes = Routes(world, per_tick=0)
    routes.update(all_slots(world))
    assert routes.work(0) == 0


def test_only_the_given_slots_are_updated() -> None:
    world = world_of("open")
    first, second = settle(world, "npc:1", 0, 0), settle(world, "npc:2", 5, 0)
    world.state.verb[0] = int(Verb.GO)
    world.state.goal[0] = torch.tensor([1.0, 2.0, 0.0])
    Routes(world).update(torch.tensor([second]))
    assert world.state.waypoint[0, second].tolist() == [1.0, 2.0, 0.0]
    assert world.state.waypoint[0, first].tolist() == [0.0, 0.0, 0.0]


def test_the_length_of_a_walk_goes_around_the_wall() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, -4)
    routes, place = Routes(world), world.layout.place_index["east"]
    assert routes.distance(0, slot, place) is None
    routes.prepare()
    walk = routes.distance(0, slot, place)
    assert walk is not None
    assert walk == pytest.approx(27, abs=3)


def test_preparing_reports_progress_and_leaves_nothing_to_do() -> None:
    world = world_of("village")
    routes, told = Routes(world, per_tick=0), list[tuple[int, int]]()
    routes.prepare(lambda done, total: told.append((done, total)))
    count = len(world.layout.place_role)
    assert told == [(n + 1, count) for n in range(count)]
    settle(world, "npc:1", 30, 30)
    send(world, "npc:1", Verb.GO, "exhibits")
    routes.update(all_slots(world))
    assert routes.work(0) == 0


def test_least_used_fields_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecumene_agents.routes.MEMORY_BYTES", 0)
    world = world_of("village")
    routes = Routes(world, per_tick=100)
    settle(world, "npc:1", 0, -8)
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        point = torch.rand(2, generator=generator) * 60 - 30
        world.state.verb[0, 0], world.state.place[0, 0] = int(Verb.GO), 0
        world.state.goal[0, 0, :2] = point
        routes.update(all_slots(world))
    assert len(routes._fields) == 16
    rows = [row for row, _ in routes._fields.values()]
    assert sorted(rows) == list(range(16))
    assert int((routes._row_of >= 0).sum()) == 16


def test_a_new_layout_is_noticed() -> None:
    world = world_of("walled")
    settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.GO, "east")
    routes = Routes(world)
    routes.update(all_slots(world))
    graph = world.graph.copy()
    graph.remove("wall")
    world.layout = compile_layout(graph)
    routes.update(all_slots(world))
    assert routes.distance(0, 0, world.layout.place_index["east"]) == pytest.approx(12, abs=0.6)


def test_worlds_of_a_batch_are_routed_like_one_alone() -> None:
    batch, single = world_of("walled", worlds=3), world_of("walled")
    for world in (batch, single):
        settle(world, "npc:1", -6, -4)
        send(world, "npc:1", Verb.GO, "east")
    for name, tensor in batch.state.fields().items():
        if name != "tick":
            tensor.copy_(tensor[:1].expand_as(tensor).clone())
    for world in (batch, single):
        Routes(world).update(all_slots(world))
    for index in range(3):
        assert torch.equal(batch.state.waypoint[index], single.state.waypoint[0])
