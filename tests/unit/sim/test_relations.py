"""How neighbours are related to the one who senses, to things and to places: each relation true, and not quite."""

import math

import pytest
import torch
from tests.unit.sim.rooms import Box, Plan, Thing, put, world_of

from ecumene_models.senses import NEIGHBOURS, RELATIONS
from ecumene_sim import Engine, frame
from ecumene_sim.frame import Senses
from ecumene_world.graph import RELATIONS as WORDS
from ecumene_world.state import Posture, Verb
from ecumene_world.world import World

BENCH, OTHER, BALL, PLANK, DOOR = range(5)
PLAN = Plan(
    boxes=(Box(0, 15, 8, 15.2), Box(9, 15, 20, 15.2), Box(0, 2, 4, 2.5, top=0.8)),
    things=(
        Thing("bench", 5, 10, seats=((0, -0.5), (0, 0.5))),
        Thing("bench", 12, 5, seats=((0, 0.0),)),
        Thing("ball", 9, 9),
        Thing("ball", 9, 8),
        Thing("door", 8.5, 15.1, leaf=(8, 15.1, 9, 15.1)),
    ),
    places=(("park", 10, 10, 6.0), ("cafe", 12, 10, 1.5)),
)


def room() -> World:
    """Who senses stands in the park and looks along +x; another stands 1.5 m to its left and looks away."""
    world = world_of(PLAN)
    put(world, 0, 8, 10)
    put(world, 1, 8, 11.5)
    return world


def sensed(world: World) -> Senses:
    return Engine(world).sense(torch.tensor([0]))


def found(world: World) -> set[str]:
    """What holds of the nearest neighbour."""
    senses = sensed(world)
    assert senses.neighbour_slot[0, 0, 0] == 1
    assert not senses.relations[0, 0, 1:].any()
    return {name for name, holds in zip(frame.RELATIONS, senses.relations[0, 0, 0].tolist(), strict=True) if holds}


def moved(world: World, x: float, y: float, slot: int = 1) -> World:
    world.state.position[0, slot, :2] = torch.tensor([x, y])
    return world


def test_relations_are_those_that_minds_take_in_the_words_of_the_graph() -> None:
    assert len(frame.RELATIONS) == RELATIONS
    assert frame.NEIGHBOURS == NEIGHBOURS
    assert {*frame.RELATIONS[:-1]} < {*WORDS}
    relations = sensed(room()).relations
    assert relations.dtype == torch.bool
    assert relations.shape == (1, 1, NEIGHBOURS, RELATIONS)


def test_one_is_inside_my_place_and_not_in_a_smaller_one_or_outside() -> None:
    world = room()
    assert found(world) == {"inside"}
    assert found(moved(world, 11, 10)) == set(), "in the cafe within the park"
    moved(world, 11.5, 10.4, slot=0)
    assert found(world) == {"inside"}, "both in the cafe"
    moved(world, 2, 10, slot=0)
    assert found(moved(world, 2, 11.5)) == set(), "both nowhere"
    moved(world, 5, 10, slot=0)
    assert found(moved(world, 3.5, 12)) == set(), "outside of my place"


def test_on_is_who_sits_or_lies() -> None:
    world = room()
    world.state.seat[0, 1], world.state.posture[0, 1] = 0, int(Posture.SIT)
    assert found(world) == {"inside", "on"}


@pytest.mark.parametrize(("degrees", "faces"), [(-90, True), (-61, True), (-119, True), (-59, False), (90, False)])
def test_facing_is_within_thirty_degrees(degrees: float, faces: bool) -> None:
    world = room()
    world.state.yaw[0, 1] = math.radians(degrees)
    world.state.yaw[0, 0] = 2.0
    assert ("facing" in found(world)) == faces


@pytest.mark.parametrize(
    ("verb", "at", "beside"),
    [
        (Verb.GO, (8.0, 12.4), True),
        (Verb.GO, (8.0, 12.6), False),
        (Verb.WAIT, (8.0, 12.4), False),
        (Verb.FIND, (8.0, 12.4), False),
    ],
)
def test_next_to_is_who_stands_where_i_know_that_my_intent_ends(
    verb: Verb, at: tuple[float, float], beside: bool
) -> None:
    world = room()
    world.state.verb[0, 0], world.state.goal[0, 0, :2] = int(verb), torch.tensor(at)
    world.state.yaw[0, 0] = 2.0
    assert ("next_to" in found(world)) == beside
    world.state.goal_level[0, 0] = 1
    assert "next_to" not in found(world)


@pytest.mark.parametrize(
    ("x", "y", "against"), [(6.0, 14.7, True), (6.0, 14.2, False), (2.0, 2.9, False), (0.3, 8.0, False)]
)
def test_against_a_wall_is_near_something_tall(x: float, y: float, against: bool) -> None:
    world = moved(room(), x, y)
    moved(world, x + 1.0, y - 0.4, slot=0)
    assert ("against_wall" in found(world)) == against, "low walls and the edge of the world are none"


@pytest.mark.parametrize(("x", "y", "inside"), [(8.5, 15.0, True), (8.5, 14.75, True), (8.5, 14.25, False)])
def test_door_to_is_who_stands_in_a_doorway(x: float, y: float, inside: bool) -> None:
    world = moved(room(), x, y)
    moved(world, x, y - 1.4, slot=0)
    assert ("door_to" in found(world)) == inside


def test_part_of_is_who_sits_on_what_i_sit_on() -> None:
    world = room()
    world.state.seat[0, :2] = torch.tensor([0, 1])
    assert found(world) == {"inside", "on", "part_of"}
    world.state.seat[0, 1] = 2
    assert found(world) == {"inside", "on"}, "on another bench"


def test_part_of_is_who_carries_the_other_end_of_what_i_carry() -> None:
    world = room()
    world.state.held[0, :2] = BALL
    assert found(world) == {"inside", "part_of", "holds"}
    world.state.held[0, 1] = PLANK
    assert found(world) == {"inside", "holds"}
    world.state.held[0, 1] = -1
    assert found(world) == {"inside"}, "that I hold something says nothing of another"


def test_who_sits_is_part_of_the_seat_and_not_of_what_another_holds() -> None:
    world = room()
    world.state.seat[0, 0], world.state.held[0, 0], world.state.held[0, 1] = 0, BALL, BALL
    assert found(world) == {"inside", "holds"}


def test_worlds_side_by_side_are_related_each_by_itself() -> None:
    world = world_of(PLAN, worlds=2)
    for number in range(2):
        put(world, 0, 8, 10, index=number)
        put(world, 1, 8, 11.5, index=number)
    world.state.held[1, 1] = BALL
    holds = sensed(world).relations[..., frame.RELATIONS.index("holds")]
    assert holds[:, 0, 0].tolist() == [False, True]
    assert not holds[:, 0, 1:].any()


def test_a_world_without_things_doors_and_places_has_hardly_any_relations() -> None:
    world = world_of(Plan(), slots=2)
    put(world, 0, 8, 10)
    put(world, 1, 9, 10, yaw=math.pi)
    assert found(world) == {"facing"}
