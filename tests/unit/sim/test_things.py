"""Things that change by themselves."""

import pytest
import torch
from tests.unit.sim.rooms import busy_plan, put, world_of

from ecumene_sim import Actions, Engine
from ecumene_world.event import Event
from ecumene_world.state import Sound
from ecumene_world.world import World

DOOR, BENCH, BALL, CUP, ALARM, BOARD, BELL = range(7)


def opened(world: World) -> Engine:
    """Opens the door by hand and returns the engine."""
    put(world, 0, 5.2, 5.0)
    world.state.interact[0, 0] = 2 + DOOR
    engine = Engine(world)
    engine.step(Actions.none())
    assert world.state.thing_state[0, DOOR] == 1
    return engine


def test_a_door_closes_after_six_seconds_and_says_so() -> None:
    world = world_of(busy_plan())
    events: list[Event] = []
    engine = opened(world)
    for _ in range(118):
        engine.step(Actions.none())
    assert world.state.thing_state[0, DOOR] == 1
    for _ in range(4):
        events += engine.step(Actions.none()).events
    assert world.state.thing_state[0, DOOR] == 0
    assert [(event.name, event.subject) for event in events] == [("rested", "door")]
    assert world.state.thing_sound[0, DOOR] == Sound.DOOR


def test_a_door_waits_for_those_who_stand_in_it() -> None:
    world = world_of(busy_plan())
    engine = opened(world)
    put(world, 1, 6.07, 5.0)
    for _ in range(140):
        engine.step(Actions.none())
    assert world.state.thing_state[0, DOOR] == 1
    world.state.alive[0, 1] = False
    for _ in range(12):
        engine.step(Actions.none())
    assert world.state.thing_state[0, DOOR] == 0


@pytest.mark.parametrize(("thing", "sound", "ticks"), [(ALARM, Sound.ALARM, 600), (BELL, Sound.BELL, 40)])
def test_alarms_and_bells_fall_silent_by_themselves(thing: int, sound: Sound, ticks: int) -> None:
    world = world_of(busy_plan())
    x, y, _ = world.layout.thing_position[thing].tolist()
    put(world, 0, x, y - 0.7)
    world.state.interact[0, 0] = 2 + thing
    engine = Engine(world)
    for tick in range(ticks - 1):
        engine.step(Actions.none())
        assert world.state.thing_sound[0, thing] == sound, tick
    for _ in range(3):
        engine.step(Actions.none())
    assert world.state.thing_state[0, thing] == 0
    assert world.state.thing_sound[0, thing] == Sound.SILENCE


def test_what_is_turned_on_from_afar_sounds_until_it_is_turned_off() -> None:
    world = world_of(busy_plan())
    world.state.thing_state[0, ALARM] = 1
    engine = Engine(world)
    for _ in range(100):
        engine.step(Actions.none())
    assert world.state.thing_sound[0, ALARM] == Sound.ALARM
    assert world.state.thing_sound_age[0, ALARM] > 90
    world.state.thing_state[0, ALARM] = 0
    engine.step(Actions.none())
    assert world.state.thing_sound[0, ALARM] == Sound.SILENCE


def test_a_thing_held_by_two_or_by_nobody_is_set_right() -> None:
    world = world_of(busy_plan())
    put(world, 0, 2.0, 3.0)
    put(world, 1, 4.0, 3.0)
    state = world.state
    state.held[0, :2] = BALL
    state.thing_holder[0, BALL], state.thing_holder[0, CUP] = 1, 5
    Engine(world).step(Actions.none())
    assert state.held[0].tolist() == [-1, BALL, -1, -1, -1, -1, -1, -1]
    assert state.thing_holder[0, BALL] == 1
    assert state.thing_holder[0, CUP] == -1, "slot 5 is empty"


def test_each_world_of_a_batch_has_its_own_things() -> None:
    world = world_of(busy_plan(), worlds=3)
    put(world, 0, 2.5, 3.0, index=1)
    world.state.interact[1, 0] = 2 + BALL
    Engine(world).step(Actions.none(worlds=3))
    assert world.state.thing_holder[:, BALL].tolist() == [-1, 0, -1]
    assert torch.equal(world.state.thing_position[0], world.layout.thing_position)
