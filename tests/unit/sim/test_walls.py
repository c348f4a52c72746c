"""Walls and doors stop bodies."""

import pytest
import torch
from tests.unit.sim.rooms import Box, Plan, Thing, busy_plan, put, walk, world_of

from ecumene_sim import Actions, Engine
from ecumene_world.world import World

WALL = Plan(boxes=(Box(10, 0, 10.15, 20),))
DOORWAY = Plan(
    boxes=(Box(10, 0, 10.15, 9.5), Box(10, 10.5, 10.15, 20)),
    things=(Thing("door", 10.07, 10, leaf=(10.07, 9.5, 10.07, 10.5)),),
)


def walked(world: World, ticks: int, *, fast: bool = False) -> torch.Tensor:
    """Walks slot 0 ahead; returns its track (ticks, 2)."""
    engine, track = Engine(world), []
    for _ in range(ticks):
        if fast:
            world.state.desired_velocity[0, 0] = torch.tensor([3.0, 0.0])
            engine.step(Actions.none())
        else:
            engine.step(walk(0))
        track.append(world.state.position[0, 0, :2].clone())
    return torch.stack(track)


def test_a_body_stops_its_radius_before_a_wall_and_feels_it_ahead() -> None:
    world = world_of(WALL)
    put(world, 0, 8, 10)
    track = walked(world, 60)
    assert track[-1, 0] == pytest.approx(9.75, abs=0.03)
    assert world.state.velocity[0, 0, :2].norm() < 0.02
    sectors = world.state.contact[0, 0]
    assert sectors[0] > 10
    assert not sectors[1:].any()


@pytest.mark.parametrize("start", [8.0, 8.03, 8.06, 8.09, 8.12])
def test_nobody_runs_through_a_thin_wall(start: float) -> None:
    world = world_of(WALL)
    put(world, 0, start, 10, visitor=True)
    assert walked(world, 60, fast=True)[:, 0].max() < 9.78


def test_a_body_slides_along_a_wall() -> None:
    world = world_of(WALL)
    put(world, 0, 9.5, 5, yaw=0.8)
    track = walked(world, 100)
    assert track[-1, 0] == pytest.approx(9.75, abs=0.03)
    assert track[-1, 1] > 8.5, "the part of the stick along the wall still counts"


def test_a_convex_corner_is_walked_around() -> None:
    world = world_of(Plan(boxes=(Box(8, 8, 12, 9.9),)))
    put(world, 0, 5, 10)
    assert walked(world, 250)[-1, 0] > 13, "touching the box with the shoulder pushes aside"


def test_a_closed_door_stops_and_an_open_one_lets_through() -> None:
    world = world_of(DOORWAY)
    put(world, 0, 8, 10)
    assert walked(world, 60)[-1, 0] < 10.07 - 0.24
    world.state.thing_state[0, 0] = 1
    assert walked(world, 60)[-1, 0] > 11


@pytest.mark.parametrize("start", [8.0, 8.03, 8.06, 8.09, 8.12])
def test_nobody_runs_through_a_closed_door(start: float) -> None:
    world = world_of(DOORWAY)
    put(world, 0, start, 10.2, visitor=True)
    assert walked(world, 60, fast=True)[:, 0].max() < 10.07 - 0.2


def test_whoever_starts_too_near_a_wall_can_leave_it_but_not_enter_it() -> None:
    world = world_of(WALL)
    put(world, 0, 9.9, 10)
    track = walked(world, 20)
    assert track.max(dim=0).values[0] <= 9.77


def test_nobody_squeezes_through_a_gap_narrower_than_the_body() -> None:
    world = world_of(Plan(cell=0.1, boxes=(Box(10, 0, 10.6, 9.8), Box(10, 10.2, 10.6, 20))))
    put(world, 0, 8, 10)
    assert walked(world, 80)[-1, 0] < 10.05


def test_a_crowd_pressed_into_a_corner_stays_in_the_room() -> None:
    world = world_of(busy_plan(), slots=30)
    for slot in range(30):
        put(world, slot, 1.5 + 0.3 * (slot % 6), 1.5 + 0.3 * (slot // 6))
    world.state.desired_velocity[0] = torch.tensor([-1.0, -1.0])
    engine = Engine(world)
    for _ in range(150):
        engine.step(Actions.none())
    position = world.state.position[0]
    assert position[:, :2].min() > 0.2 + 0.25 - 0.02
    assert position[:, :2].max() < 6
