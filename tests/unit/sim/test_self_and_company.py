"""Tokens of the own body, the goal, the others, and touch."""

import math

import pytest
import torch
from tests.unit.sim.rooms import Box, Plan, Thing, put, walk, world_of

from ecumene_sim import Actions, Engine, Senses
from ecumene_world.kinds import Category
from ecumene_world.state import Posture, Sound, Verb
from ecumene_world.world import World


def sensed(world: World) -> Senses:
    return Engine(world).sense(torch.tensor([0]))


def test_the_body_knows_its_motion_posture_and_needs() -> None:
    world = world_of(Plan(things=(Thing("ball", 5, 5),)))
    put(world, 0, 5, 5, yaw=1.0)
    engine = Engine(world)
    world.state.needs[0, 0] = torch.tensor([0.1, 0.2, 0.3, 0.4])
    for _ in range(10):
        engine.step(walk(0))
    world.state.posture[0, 0] = int(Posture.LIE)
    world.state.held[0, 0] = 0
    world.state.gaze[0, 0] = torch.tensor([0.5, -0.2])
    body = sensed(world).body[0, 0]
    assert body.tolist() == pytest.approx([1.4, 0, 0, 0.5, -0.2, 0, 1, 1, 0.1, 0.2, 0.3, 0.4], abs=1e-3)


def test_the_goal_is_seen_from_the_body() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5, yaw=math.pi / 2)
    state = world.state
    state.verb[0, 0], state.place[0, 0] = int(Verb.GO), 0
    state.waypoint[0, 0], state.goal[0, 0] = torch.tensor([5.0, 8.0, 0]), torch.tensor([9.0, 8.0, 3.0])
    state.goal_level[0, 0] = 1
    assert sensed(world).goal[0, 0].tolist() == pytest.approx([3, 0, 3, 5, 1, 1], abs=1e-5)
    assert sensed(world).verb[0, 0] == Verb.GO


def test_who_waits_has_no_goal() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    world.state.waypoint[0, 0] = 9.0
    assert not sensed(world).goal.any()


def test_who_seeks_what_it_does_not_know_the_place_of_has_no_goal_either() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    world.state.verb[0, 0] = int(Verb.FIND)
    world.state.waypoint[0, 0] = 9.0
    assert not sensed(world).goal.any()
    world.state.target[0, 0] = 1
    assert sensed(world).goal[0, 0, 5] == 1


def test_who_seeks_a_sort_of_thing_knows_which_and_not_where() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    state = world.state
    state.verb[0, 0], state.place[0, 0] = int(Verb.FIND), -1 - Category.TABLE
    state.goal[0, 0] = state.waypoint[0, 0] = 9.0
    assert sensed(world).goal[0, 0].tolist() == [-1, 1, 1, 1, -1, 0], "6 is 0110, lowest bit first"
    state.position[0, 0, :2] = 2.0
    assert sensed(world).goal[0, 0].tolist() == [-1, 1, 1, 1, -1, 0]
    state.verb[0, 0], state.place[0, 0] = int(Verb.LEAVE), -1
    assert not sensed(world).goal.any()


def test_neighbours_come_nearest_first_as_seen_from_the_body() -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10, yaw=math.pi / 2)
    put(world, 1, 10, 13, yaw=-math.pi / 2, visitor=True)
    put(world, 2, 9, 10, yaw=math.pi / 2)
    state = world.state
    state.velocity[0, 1] = torch.tensor([0.0, -1.0, 0.0])
    state.target[0, 0], state.sound[0, 2] = 1, int(Sound.SPEECH)
    senses = sensed(world)
    assert senses.neighbour_slot[0, 0].tolist() == [2, 1, -1, -1, -1, -1, -1, -1]
    near, far = senses.neighbours[0, 0, :2].tolist()
    assert near == pytest.approx([0, 1, 0, 0, 0, 1, 0.25, 1, 0, 0, 0, 1], abs=1e-5)
    assert far == pytest.approx([3, 0, 0, -1, 0, 3, 0.25, -1, 0, 1, 1, 0], abs=1e-5)
    assert not senses.neighbours[0, 0, 2:].any()


def test_walls_hide_neighbours_unless_they_are_near_enough_to_feel() -> None:
    world = world_of(Plan(boxes=(Box(11, 0, 11.2, 20),)))
    put(world, 0, 10.6, 10)
    put(world, 1, 14, 10)
    put(world, 2, 11.6, 10)
    assert sensed(world).neighbour_slot[0, 0, :2].tolist() == [2, -1]


def test_those_on_another_storey_are_no_neighbours() -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10)
    put(world, 1, 12, 10)
    world.state.position[0, 1, 2] = 2.8
    assert (sensed(world).neighbour_slot == -1).all()


def test_those_beyond_twelve_metres_are_no_neighbours() -> None:
    world = world_of(Plan())
    put(world, 0, 2, 10)
    put(world, 1, 14.1, 10)
    assert (sensed(world).neighbour_slot == -1).all()


@pytest.mark.parametrize(("posture", "load"), [(Posture.STAND, 6.867), (Posture.SIT, 1.717), (Posture.LIE, 0.0)])
def test_touch_is_in_units_of_a_hundred_newtons(posture: Posture, load: float) -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10)
    state = world.state
    state.posture[0, 0], state.touch_hand[0, 0] = int(posture), 15.0
    state.contact[0, 0, 3] = 250.0
    touch = sensed(world).touch[0, 0].tolist()
    assert touch == pytest.approx([0, 0, 0, 2.5, 0, 0, 0, 0, 0.15, load], abs=1e-3)


def test_in_a_world_with_fewer_slots_than_neighbours_tokens_are_padded() -> None:
    world = world_of(Plan(), slots=1)
    put(world, 0, 10, 10)
    senses = sensed(world)
    assert senses.neighbours.shape == (1, 1, 8, 12)
    assert (senses.neighbour_slot == -1).all()
    Engine(world).step(Actions.none())
