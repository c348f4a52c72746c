"""Needs come and go."""

import torch
from tests.unit.sim.rooms import Plan, Thing, busy_plan, put, world_of

from ecumene_sim import Actions, Engine
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
