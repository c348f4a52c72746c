"""Bodies that overlap part softly and feel it."""

import math

import pytest
import torch
from tests.unit.sim.rooms import Plan, put, walk, world_of

from ecumene_sim import Actions, Engine, Frame
from ecumene_world.state import Posture
from ecumene_world.world import World


def stepped(world: World, ticks: int = 1) -> Frame:
    engine = Engine(world)
    for _ in range(ticks):
        frame = engine.step(Actions.none())
    return frame


def test_two_equal_bodies_part_by_opposite_pushes_until_they_only_touch() -> None:
    world = world_of(Plan())
    put(world, 0, 10.0, 10.0)
    put(world, 1, 10.3, 10.1)
    before = world.state.position.clone()
    stepped(world)
    moved = world.state.position - before
    assert torch.allclose(moved[0, 0], -moved[0, 1], atol=2e-6)
    assert moved[0, 0, 0] < 0
    stepped(world, 60)
    gap = float((world.state.position[0, 0] - world.state.position[0, 1]).norm())
    assert gap == pytest.approx(0.5, abs=0.01)


def test_a_heavy_body_gives_way_less() -> None:
    world = world_of(Plan())
    put(world, 0, 10.0, 10.0)
    put(world, 1, 10.3, 10.0)
    world.state.mass[0, 1] = 210.0
    stepped(world)
    assert (10.0 - world.state.position[0, 0, 0]) / (world.state.position[0, 1, 0] - 10.3) == pytest.approx(3, rel=0.01)


def test_bodies_in_the_very_same_spot_part_along_x() -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10)
    put(world, 1, 10, 10)
    stepped(world)
    assert world.state.position[0, 0, 0] < 10 < world.state.position[0, 1, 0]


def test_the_seated_do_not_move_and_the_others_give_way_fully() -> None:
    world = world_of(Plan())
    put(world, 0, 10.0, 10.0)
    put(world, 1, 10.3, 10.0)
    world.state.posture[0, 1] = int(Posture.SIT)
    world.state.seat[0, 1] = 0
    stepped(world, 40)
    assert world.state.position[0, 1, 0] == pytest.approx(10.3)
    assert world.state.position[0, 0, 0] == pytest.approx(9.8, abs=0.01)


@pytest.mark.parametrize("degrees", [0, 45, 90, 180, 270, 315])
def test_touch_is_felt_on_the_side_it_comes_from(degrees: int) -> None:
    world = world_of(Plan())
    angle, yaw = math.radians(degrees), 0.7
    put(world, 0, 10, 10, yaw=yaw)
    put(world, 1, 10 + 0.4 * math.cos(yaw + angle), 10 + 0.4 * math.sin(yaw + angle), yaw=yaw + angle)
    frame = stepped(world)
    felt = world.state.contact[0, 0]
    assert int(felt.argmax()) == degrees // 45
    assert felt.max() == pytest.approx(200, rel=0.05), "0.1 m of overlap at 2000 N/m"
    assert felt.count_nonzero() == 1
    assert int(world.state.contact[0, 1].argmax()) == 4, "the other feels it from behind"
    assert frame.collisions[0, :3].tolist() == [1, 1, 0]


def test_bodies_on_different_floors_do_not_touch() -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10)
    put(world, 1, 10.1, 10)
    world.state.position[0, 1, 2] = 2.8
    world.state.posture[0, 1] = int(Posture.SIT)
    world.state.seat[0, 1] = 0
    assert not stepped(world).collisions.any()


def test_walking_into_someone_stops_both_of_equal_strength() -> None:
    world = world_of(Plan())
    put(world, 0, 8, 10)
    put(world, 1, 12, 10, yaw=math.pi)
    engine = Engine(world)
    for _ in range(80):
        engine.step(walk(0, 1))
    x = world.state.position[0, :2, 0]
    assert x[0] + x[1] == pytest.approx(20, abs=0.01)
    assert x[1] - x[0] > 0.3
    assert world.state.velocity[0, :2].norm(dim=-1).max() < 0.5


def test_a_pile_of_avatars_falls_apart() -> None:
    world = world_of(Plan(), slots=40)
    for slot in range(40):
        put(world, slot, 10 + 0.01 * (slot % 7), 10 + 0.01 * (slot // 7))
    stepped(world, 250)
    at = world.state.position[0, :, :2]
    gaps = torch.cdist(at, at) + torch.eye(40) * 9
    assert gaps.min() > 0.44
