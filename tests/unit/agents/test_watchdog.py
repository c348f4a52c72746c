"""NPCs that get nowhere, each stuck on purpose, and NPCs that only stand as they mean to."""

from __future__ import annotations

import pytest
import torch
from tests.unit.agents.grounds import block, open_ground, place, send, settle, world_of

from ecumene_agents.minds import Minds
from ecumene_agents.spots import Spots
from ecumene_agents.watchdog import CIRCLE_TICKS, LOOK_TICKS, STILL_TICKS, Cause, Stuck, Watchdog
from ecumene_sim import Engine
from ecumene_world import Node, Pose, SceneGraph, World
from ecumene_world.command import SetIntent
from ecumene_world.state import TICK_HZ, Posture, Verb

ME = "npc:ana"


def dog_of(world: World) -> Watchdog:
    spots = Spots(world.layout)
    return Watchdog(world, lambda: spots)


def watched(dog: Watchdog, ticks: int = STILL_TICKS + LOOK_TICKS, first: int = 0) -> dict[str, Stuck]:
    """Looks on while nobody moves."""
    for tick in range(first, first + ticks + 1, LOOK_TICKS):
        dog.look(tick)
    return dog.stuck


def walks(world: World, slot: int, x: float, y: float) -> None:
    world.state.desired_velocity[0, slot] = torch.tensor([x, y])


def field() -> World:
    """Returns open ground on which Ana, in slot 0, wants to walk from the origin to the east."""
    world = world_of("open")
    settle(world, ME, 0, 0, title="Ana")
    world.apply([SetIntent(ME, Verb.GO, point=(8.0, 0.0, 0.0))])
    walks(world, 0, 1.4, 0.0)
    return world


def only(found: dict[str, Stuck]) -> tuple[Cause, str]:
    assert list(found) == [ME]
    return found[ME].cause, found[ME].other


def test_nobody_is_stuck_before_patience_is_over() -> None:
    dog = dog_of(field())
    assert watched(dog, STILL_TICKS - LOOK_TICKS) == {}
    dog.look(STILL_TICKS)
    assert list(dog.stuck) == [ME]
    assert dog.stuck[ME].since == 0


def test_a_person_ahead_is_in_the_way() -> None:
    world = field()
    settle(world, "npc:bea", 0.55, 0.1, title="Bea")
    settle(world, "npc:cid", -0.5, 0.0, title="Cid")
    found = watched(dog_of(world))
    assert only(found) == (Cause.PERSON, "Bea")
    assert str(found[ME]) == "no nearer to its goal for 9 s: Bea is in the way"


def test_a_wall_ahead_is_in_the_way() -> None:
    world = world_of("walled")
    settle(world, ME, -0.5, -4.0)
    send(world, ME, Verb.GO, "east")
    walks(world, 0, 1.4, 0.0)
    assert only(watched(dog_of(world))) == (Cause.WALL, "")


def test_two_halves_that_do_not_hang_together_have_no_way_between_them() -> None:
    graph = open_ground(10.0)
    block(graph, "wall", 0.0, 0.0, 0.6, 20.0)
    for name, x in (("west", -6.0), ("east", 6.0)):
        place(graph, name, x, 0.0, "square")
    world = World(graph, slots=8)
    settle(world, ME, -2.0, 0.0)
    world.apply([SetIntent(ME, Verb.GO, point=(6.0, 0.0, 0.0))])
    walks(world, 0, 1.4, 0.0)
    assert only(watched(dog_of(world))) == (Cause.NO_WAY, "")


@pytest.mark.parametrize("goal", [(0.0, 0.0), (900.0, 0.0)], ids=["in a building", "off the map"])
def test_nobody_can_stand_in_a_building_or_off_the_map(goal: tuple[float, float]) -> None:
    graph = open_ground(10.0)
    block(graph, "hall", 0.0, 0.0, 8.0, 8.0)
    world = World(graph, slots=8)
    settle(world, ME, -6.0, 0.0)
    world.state.verb[0, 0] = int(Verb.GO)
    world.state.goal[0, 0, :2] = torch.tensor(goal)
    walks(world, 0, 1.4, 0.0)
    assert only(watched(dog_of(world))) == (Cause.UNREACHABLE, "")


def test_a_closed_door_is_in_the_way_and_an_open_one_is_not() -> None:
    graph = open_ground(10.0)
    graph.add(Node("wall", "wall", Pose.at(0, 0, yaw=1.5707963), attributes={"size": [20.0, 0.2, 2.6]}))
    graph.add(Node("gate", "door", Pose.at(0, 0, yaw=1.5707963)), parent="wall")
    world = World(graph, slots=8)
    (x, y) = world.layout.door_segment[0].mean(dim=0).tolist()
    settle(world, ME, x - 0.6, y)
    world.apply([SetIntent(ME, Verb.GO, point=(x + 6.0, y, 0.0))])
    walks(world, 0, 1.4, 0.0)
    dog = dog_of(world)
    assert only(watched(dog)) == (Cause.DOOR, "gate")
    world.state.thing_state.fill_(1)
    dog.look(400)
    assert dog.stuck[ME].cause is not Cause.DOOR


def bench() -> tuple[World, tuple[float, float, float]]:
    """Returns ground with one bench, and where one stands before its first seat."""
    graph = open_ground(8.0)
    graph.add(Node("bench", "bench", Pose.at(3, 3)))
    world = World(graph, slots=8)
    x, y, z = world.layout.seat_approach[0].tolist()
    return world, (x, y, z)


def test_somebody_else_sits_where_it_wants_to_sit() -> None:
    world, point = bench()
    settle(world, ME, point[0], point[1])
    for seat in range(len(world.layout.seat_thing)):
        sitter = settle(world, f"npc:{seat}", -4.0, 2.0 * seat, title="Bea")
        world.state.seat[0, sitter], world.state.posture[0, sitter] = seat, int(Posture.SIT)
    world.apply([SetIntent(ME, Verb.SIT, point=point)])
    assert only(watched(dog_of(world))) == (Cause.SEAT_TAKEN, "Bea")


def test_a_free_seat_that_it_does_not_get_onto() -> None:
    world, point = bench()
    settle(world, ME, point[0], point[1])
    world.apply([SetIntent(ME, Verb.SIT, point=point)])
    assert only(watched(dog_of(world))) == (Cause.NO_SEAT, "")


def test_a_mind_that_does_not_make_it_walk() -> None:
    world = field()
    walks(world, 0, 0.05, 0.0)
    assert only(watched(dog_of(world))) == (Cause.UNMOVED, "")


def test_walking_up_and_down_is_no_progress_either() -> None:
    world = field()
    dog = dog_of(world)
    for tick in range(0, CIRCLE_TICKS + LOOK_TICKS, LOOK_TICKS):
        world.state.position[0, 0, 0] = 1.5 * (tick // LOOK_TICKS % 2)
        dog.look(tick)
    assert only(dog.stuck) == (Cause.CIRCLES, "")


def test_who_walks_on_is_not_stuck_and_who_was_is_no_more() -> None:
    world = field()
    dog = dog_of(world)
    assert len(watched(dog)) == 1
    world.state.position[0, 0, 0] = 1.2
    dog.look(200)
    assert dog.stuck == {}
    assert dog.begun == {Cause.CIRCLES: 1}


def test_a_new_goal_starts_the_patience_anew() -> None:
    world = field()
    dog = dog_of(world)
    watched(dog, STILL_TICKS - LOOK_TICKS)
    world.apply([SetIntent(ME, Verb.GO, point=(-8.0, 0.0, 0.0))])
    dog.look(STILL_TICKS)
    assert dog.stuck == {}


def test_a_newcomer_in_the_slot_starts_anew() -> None:
    world = field()
    dog = dog_of(world)
    watched(dog, STILL_TICKS - LOOK_TICKS)
    world.state.serial[0, 0] += 1
    dog.look(STILL_TICKS)
    assert dog.stuck == {}


def test_one_who_is_steered_is_nobodys_business() -> None:
    dog = dog_of(field())
    dog.minded = lambda key: key != ME
    assert watched(dog) == {}


@pytest.mark.parametrize("verb", [Verb.WAIT, Verb.AVOID, Verb.QUEUE])
def test_standing_is_what_some_intents_are(verb: Verb) -> None:
    world = field()
    world.state.verb[0, 0] = int(verb)
    assert watched(dog_of(world), 60 * TICK_HZ) == {}


@pytest.mark.parametrize("verb", [Verb.GO, Verb.WORK, Verb.GATHER, Verb.LEAVE, Verb.HAND_OVER])
def test_who_has_arrived_may_stand_for_ever(verb: Verb) -> None:
    world = field()
    world.state.verb[0, 0] = int(verb)
    world.state.goal[0, 0, 0] = 0.8
    assert watched(dog_of(world), 60 * TICK_HZ) == {}


@pytest.mark.parametrize("posture", [Posture.SIT, Posture.LIE])
@pytest.mark.parametrize("verb", [Verb.SIT, Verb.GO])
def test_who_sits_or_lies_may_do_so_for_ever(verb: Verb, posture: Posture) -> None:
    world = field()
    world.state.verb[0, 0], world.state.posture[0, 0] = int(verb), int(posture)
    assert watched(dog_of(world), 60 * TICK_HZ) == {}


@pytest.mark.parametrize(("verb", "gap"), [(Verb.FOLLOW, 1.9), (Verb.GREET, 1.7), (Verb.COME, 1.4)])
def test_who_is_beside_somebody_may_stand(verb: Verb, gap: float) -> None:
    world = field()
    settle(world, "visitor:eve", gap, 0.0, kind="visitor")
    send(world, ME, verb, target="visitor:eve")
    assert watched(dog_of(world), 60 * TICK_HZ) == {}


def test_who_can_not_get_to_somebody_is_stuck() -> None:
    world = field()
    settle(world, "visitor:eve", 6.0, 0.0, kind="visitor")
    send(world, ME, Verb.FOLLOW, target="visitor:eve")
    assert only(watched(dog_of(world)))[0] is Cause.CIRCLES


def test_who_seeks_without_knowing_where_may_stand() -> None:
    world = field()
    world.state.verb[0, 0] = int(Verb.FIND)
    assert watched(dog_of(world), 60 * TICK_HZ) == {}


def test_visitors_are_not_watched() -> None:
    world = world_of("open")
    settle(world, "visitor:eve", 0, 0, kind="visitor")
    world.state.verb[0, 0], world.state.goal[0, 0, 0] = int(Verb.GO), 8.0
    assert watched(dog_of(world)) == {}


def village() -> SceneGraph:
    graph = open_ground(15.0)
    block(graph, "hall", 0.0, 0.0, 6.0, 6.0)
    for name, x, y in (("west", -9.0, 0.0), ("east", 9.0, 0.0), ("north", 0.0, 9.0)):
        place(graph, name, x, y, "square")
    graph.add(Node("bench", "bench", Pose.at(-9, 3)))
    return graph


def test_people_who_live_their_day_are_not_taken_for_stuck() -> None:
    """Half a minute of scripted minds that walk, greet, talk, sit and stand about."""
    world = World(village(), slots=12, seed=5)
    for index in range(6):
        settle(world, f"npc:{index}", -10.0 + 3 * index, -8.0, title=f"Person {index}")
    minds, engine = Minds(world), Engine(world)
    still: dict[str, int] = {}
    for tick in range(30 * TICK_HZ):
        world.apply(minds.think(tick))
        slots = torch.arange(tick % 4, 12, 4)
        minds.routes.update(slots)
        engine.step(minds.decide(engine.sense(slots)))
        if tick % LOOK_TICKS == 0:
            minds.watchdog.look(tick)
            for key in minds.watchdog.stuck:
                still[key] = still.get(key, 0) + 1
            for who in world.avatars.values():
                if minds.mind(who.key).talk is not None or int(world.state.posture[0, who.slot]):
                    assert who.key not in minds.watchdog.stuck
    assert still == {}
