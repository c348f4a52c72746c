"""Needs come and go."""

import torch
from tests.unit.sim.rooms import Plan, Thing, busy_plan, put, world_of

from ecumene_sim import Actions, Engine
from ecumene_sim.needs import FOOD_ROLES, FUN_ROLES, NeedsTable, _at_places
from ecumene_world import Node, Pose, SceneGraph, World
from ecumene_world.plain import JSON
from ecumene_world.state import Posture

REST, FOOD, COMPANY, FUN = range(4)


def change(**where: float) -> torch.Tensor:
    """Returns how needs of slot 0, half satisfied, change in ten ticks at x, y of the busy room, by posture."""
    world = world_of(busy_plan())
    put(world, 0, where["x"], where["y"])
    world.state.needs[0, 0] = 0.5
    if where.get("sits"):
        world.state.posture[0, 0], world.state.seat[0, 0] = int(Posture.SIT), 0
    if where.get("company"):
        put(world, 1, where["x"] + 0.3, where["y"])
    engine = Engine(world)
    for _ in range(10):
        engine.step(Actions.none())
    return world.state.needs[0, 0] - 0.5


def test_all_needs_decay_slowly() -> None:
    decay = change(x=9.0, y=8.0)
    assert (decay < 0).all()
    assert decay.min() > -0.001


def test_sitting_rests_food_is_at_the_cafe_and_others_are_company() -> None:
    assert change(x=9.0, y=2.5, sits=1)[REST] > 0
    assert change(x=3.0, y=5.0)[FOOD] > 0
    assert change(x=9.0, y=8.0, company=1)[COMPANY] > 0


def test_dancing_is_fun() -> None:
    world = world_of(Plan(things=(Thing("ball", 1, 1),)))
    put(world, 0, 5, 5)
    world.state.needs[0, 0] = 0.5
    world.state.emote[0, 0], world.state.emote_left[0, 0] = 5, 3.0
    engine = Engine(world)
    for _ in range(10):
        engine.step(Actions.none())
    assert world.state.needs[0, 0, FUN] > 0.5


def test_needs_stay_between_empty_and_satisfied() -> None:
    world = world_of(busy_plan())
    put(world, 0, 3.0, 5.0)
    put(world, 1, 9.0, 8.0)
    world.state.needs[0, 1] = 0.0
    engine = Engine(world)
    for _ in range(5):
        engine.step(Actions.none())
    assert world.state.needs[0, :2].min() >= 0
    assert world.state.needs[0, :2].max() <= 1


def test_places_found_by_cell_are_those_that_all_distances_give() -> None:
    generator = torch.Generator().manual_seed(5)
    graph = SceneGraph("places")
    outline: list[JSON] = [[-30, -20], [50, -20], [50, 45], [-30, 45]]
    graph.add(Node("ground", "ground", attributes={"polygon": outline}))
    for number, role in enumerate(["cafe", "park", "home", "street", "shop", "clinic"] * 4):
        x, y, radius = (torch.rand(3, generator=generator) * torch.tensor([76.0, 61.0, 19.0])).tolist()
        about: dict[str, JSON] = {"role": role, "radius_m": radius + 0.5}
        graph.add(Node(f"place {number}", "place", Pose.at(x - 28, y - 18), attributes=about))
    world = World(graph, slots=3000)
    spread = torch.rand(3000, 2, generator=generator) * torch.tensor([120.0, 100.0]) - torch.tensor([50.0, 40.0])
    world.state.position[0, :, :2] = spread
    layout = world.layout
    gaps = torch.cdist(spread, layout.place_position[:, :2], compute_mode="donot_use_mm_for_euclid_dist")
    there = gaps <= layout.place_radius
    expected = [there[:, [role in roles for role in layout.place_role]].any(dim=1) for roles in (FOOD_ROLES, FUN_ROLES)]
    food, fun = _at_places(world.state, NeedsTable(layout))
    assert food[0].tolist() == expected[0].tolist()
    assert fun[0].tolist() == expected[1].tolist()
    assert 0 < int(food.sum()) < 3000
