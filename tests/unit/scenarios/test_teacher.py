"""The teacher walks where it should, gives way, keeps off walls and looks where it goes."""

import math

import pytest
import torch
from torch import Tensor

from ecumene_models import SenseBatch
from ecumene_scenarios.packs.arena import add_block, add_place, ground
from ecumene_scenarios.teacher import LOOK_DOWN, lesson, walk
from ecumene_sim.frame import MAX_GAZE
from ecumene_world.command import Spawn
from ecumene_world.state import Verb
from ecumene_world.world import World


@pytest.fixture
def world() -> World:
    """An open square of 12 m with a low box east of the middle."""
    graph = ground(12.0, 0, "test")
    add_block(graph, "box", (3.0, 0.0), (1.0, 1.0), 0.0, 0.5)
    add_place(graph, "place", (-3.0, 0.0))
    return World(graph, slots=4, seed=0)


def put(world: World, *places: tuple[float, float, float]) -> None:
    for index, (x, y, yaw) in enumerate(places):
        world.apply([Spawn(f"npc:{index}", "npc", (x, y, 0.0), yaw, "somebody", index)])


def wanted(world: World, way: tuple[float, float], slot: int = 0) -> Tensor:
    return walk(world.state, world.layout, torch.tensor([way]), torch.tensor([slot]))[0]


def test_in_the_open_it_walks_straight_at_full_speed(world: World) -> None:
    put(world, (-3.0, 0.0, math.pi / 2))
    assert wanted(world, (0.0, 4.0)).tolist() == pytest.approx([1.0, 0.0], abs=1e-5)
    assert wanted(world, (0.0, 0.0)).tolist() == [0.0, 0.0]


def test_it_walks_around_what_is_ahead(world: World) -> None:
    put(world, (1.6, 0.1, 0.0))
    move = wanted(world, (4.0, 0.0))
    assert move.norm() < 0.4 or abs(math.atan2(move[1], move[0])) > 0.5


def test_it_makes_room_for_who_comes_towards_it(world: World) -> None:
    put(world, (-4.0, 3.0, 0.0), (-1.0, 3.0, math.pi))
    assert wanted(world, (6.0, 0.0)).tolist() == pytest.approx([1.0, 0.0], abs=1e-5)
    world.state.velocity[0, 1, 0] = -1.4
    assert wanted(world, (6.0, 0.0))[1] < -0.1, "it passes on the right"


def test_a_lesson_looks_where_it_goes_and_copies_errands() -> None:
    senses = SenseBatch.zeros(4)
    senses.verb[3] = int(Verb.WAIT)
    move = torch.tensor([[0.0, 1.0], [-1.0, 0.5], [0.0, 0.0], [1.0, 0.0]])
    told, errand = torch.tensor([False, True, False, False]), torch.tensor([False, False, False, True])
    actions = lesson(senses, move, errand=errand, told=told)
    assert actions.turn[0].item() == pytest.approx(0.5)
    assert actions.gaze[:3, 1].tolist() == pytest.approx([LOOK_DOWN / MAX_GAZE[1]] * 2 + [0.0])
    assert actions.move[1].tolist() == pytest.approx([0.0, 0.5]), "who goes by ear does not walk backwards"
    assert actions.move[3].tolist() == [0.0, 0.0], "the scripted controller waits"
