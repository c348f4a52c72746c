"""The social force model drives, repels, looks ahead and keeps off walls, as published."""

import math

import pytest
import torch

from ecumene_scenarios.packs.arena import ground
from ecumene_scenarios.yardsticks import social_force
from ecumene_world.command import Spawn
from ecumene_world.world import World


@pytest.fixture
def world() -> World:
    return World(ground(20.0, 0, "test"), slots=2, seed=0)


def put(world: World, *places: tuple[float, float], goal: tuple[float, float] = (8.0, 0.0)) -> None:
    for index, (x, y) in enumerate(places):
        world.apply([Spawn(f"npc:{index}", "npc", (x, y, 0.0), 0.0, max_speed=1.3)])
    world.state.waypoint[..., :2] = torch.tensor(goal)


def pushed(world: World) -> torch.Tensor:
    return social_force.force(world.state, world.layout)[0, 0]


def test_alone_one_speeds_up_to_the_wanted_speed(world: World) -> None:
    put(world, (0.0, 0.0))
    assert pushed(world).tolist() == pytest.approx([1.3 / 0.5, 0.0], abs=1e-3)
    world.state.velocity[0, 0, 0] = 1.3
    assert pushed(world).tolist() == pytest.approx([0.0, 0.0], abs=1e-3)
    social_force.steer(world.state, world.layout)
    assert world.state.desired_velocity[0, 0].tolist() == pytest.approx([1.3, 0.0], abs=1e-3)


def test_a_standing_other_pushes_by_the_published_potential(world: World) -> None:
    put(world, (0.0, 0.0), (0.9, 0.0))
    world.state.velocity[0, 0, 0] = 1.3
    assert pushed(world)[0].item() == pytest.approx(-2.1 / 0.3 * math.exp(-0.9 / 0.3), rel=1e-3)


def test_who_is_behind_counts_half(world: World) -> None:
    put(world, (0.0, 0.0), (-0.9, 0.0))
    world.state.velocity[0, 0, 0] = 1.3
    assert pushed(world)[0].item() == pytest.approx(0.5 * 2.1 / 0.3 * math.exp(-0.9 / 0.3), rel=1e-3)


def test_who_comes_nearer_pushes_from_further_away(world: World) -> None:
    put(world, (0.0, 0.0), (2.5, 0.4))
    standing = pushed(world)
    world.state.velocity[0, 1, 0] = -1.3
    coming = pushed(world)
    assert coming[1] < 10 * standing[1] < 0, "it steps aside"


def test_the_push_is_the_slope_of_its_potential(world: World) -> None:
    put(world, (0.0, 0.0), (1.1, 0.3))
    state = world.state
    state.velocity[0, 1, :2] = torch.tensor([-0.7, 0.2])

    def potential(x: float, y: float) -> float:
        away = torch.tensor([x - 1.1, y - 0.3], dtype=torch.float64)
        step = torch.tensor([-1.4, 0.4], dtype=torch.float64)
        short = 0.5 * ((away.norm() + (away - step).norm()) ** 2 - step.norm() ** 2).sqrt()
        return float(2.1 * (-short / 0.3).exp())

    size = 1e-4
    slope = [-(potential(size, 0) - potential(-size, 0)), -(potential(0, size) - potential(0, -size))]
    found = social_force._repelled(state, state.velocity[..., :2])[0, 0, 1]
    assert found.tolist() == pytest.approx([value / (2 * size) for value in slope], rel=1e-3)


def test_a_wall_pushes_inwards(world: World) -> None:
    put(world, (0.0, 9.4), goal=(8.0, 9.4))
    assert pushed(world)[1] < -1.0
