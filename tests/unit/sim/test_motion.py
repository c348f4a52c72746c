"""Turning, speeding up, and walking on floors and stairs."""

import math
from itertools import pairwise

import pytest
import torch
from tests.unit.sim.rooms import Plan, put, walk, world_of
from tests.unit.world.scenes import hill, house

from ecumene_sim import Actions, Engine
from ecumene_sim.motion import EMOTE_S, RUN_SPEED
from ecumene_world.state import Emote, Sound
from ecumene_world.world import World


def stepped(world: World, actions: Actions, ticks: int) -> None:
    engine = Engine(world)
    for _ in range(ticks):
        engine.step(actions)
        actions = Actions.none()


def test_full_stick_is_the_walking_speed_reached_at_four_metres_per_second_squared() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    stepped(world, walk(0), 1)
    assert world.state.velocity[0, 0, 0] == pytest.approx(0.2, abs=1e-5)
    stepped(world, Actions.none(), 6)
    assert world.state.velocity[0, 0, 0] == pytest.approx(1.4, abs=1e-5)
    assert world.state.position[0, 0, 0] == pytest.approx(5 + 0.05 * sum(0.2 * n for n in range(1, 8)), abs=1e-4)


def test_a_diagonal_stick_is_no_faster() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    stepped(world, walk(0, forward=1.0, left=1.0), 20)
    assert world.state.velocity[0, 0].norm() == pytest.approx(1.4, abs=0.02)


def test_forward_is_where_the_body_faces() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5, yaw=math.pi / 2)
    stepped(world, walk(0), 20)
    assert world.state.position[0, 0, 0] == pytest.approx(5, abs=1e-3)
    assert world.state.position[0, 0, 1] > 6


@pytest.mark.parametrize(("visitor", "speed"), [(True, RUN_SPEED), (False, 1.4)])
def test_only_visitors_run(visitor: bool, speed: float) -> None:
    world = world_of(Plan())
    put(world, 0, 2, 10, visitor=visitor)
    world.state.desired_velocity[0, 0, 0] = 9.0
    stepped(world, Actions.none(), 30)
    assert world.state.velocity[0, 0, 0] == pytest.approx(speed, abs=1e-4)


def test_bodies_turn_the_short_way_at_four_radians_per_second() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5, yaw=3.0)
    world.state.target_yaw[0, 0] = -3.0
    stepped(world, Actions.none(), 1)
    assert world.state.yaw_rate[0, 0] == pytest.approx(4.0, abs=1e-4)
    stepped(world, Actions.none(), 1)
    assert world.state.yaw[0, 0] == pytest.approx(-3.0, abs=1e-4), "0.28 rad across the seam, not six the other way"


def test_a_turn_is_a_change_of_heading_from_now() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5, yaw=1.0)
    stepped(world, walk(0, forward=0.0, turn=0.25), 40)
    assert world.state.yaw[0, 0] == pytest.approx(1.0 + math.pi * 32 / 127, abs=1e-4)


def test_the_head_turns_no_further_than_it_can() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    world.state.target_gaze[0, 0] = torch.tensor([3.0, -3.0])
    stepped(world, Actions.none(), 40)
    assert world.state.gaze[0, 0].tolist() == pytest.approx([1.2, -0.8])


def test_wishes_hold_until_the_next_decision_and_only_for_who_decided() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    put(world, 1, 5, 10)
    stepped(world, walk(1), 10)
    assert world.state.velocity[0, 0].tolist() == [0, 0, 0]
    assert world.state.velocity[0, 1, 0] == pytest.approx(1.4, abs=1e-4)


def test_a_greeting_is_speech_and_an_emote_lasts_two_seconds() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    still, one = torch.zeros(1, 1, 2), torch.ones(1, 1)
    stepped(world, Actions.from_floats(torch.tensor([0]), still, emote=one, speak=one), 1)
    assert world.state.sound[0, 0] == Sound.SPEECH
    assert world.state.emote[0, 0] == Emote.WAVE
    stepped(world, Actions.none(), int(EMOTE_S * 20) - 1)
    assert world.state.emote[0, 0] == Emote.NONE


def test_a_wish_does_not_cut_a_running_emote_or_sentence_short() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    world.state.emote[0, 0], world.state.emote_left[0, 0] = int(Emote.DANCE), 1.0
    world.state.sound[0, 0], world.state.sound_age[0, 0] = int(Sound.SPEECH), 10
    still, one = torch.zeros(1, 1, 2), torch.ones(1, 1)
    stepped(world, Actions.from_floats(torch.tensor([0]), still, emote=one, speak=one), 1)
    assert world.state.emote[0, 0] == Emote.DANCE
    assert world.state.sound_age[0, 0] == 11


def test_feet_follow_a_hill() -> None:
    world = World(hill(0.2), slots=2)
    put(world, 0, 4, 10)
    stepped(world, walk(0), 100)
    x, _, z = world.state.position[0, 0].tolist()
    assert x > 9
    assert z == pytest.approx(0.2 * x, abs=0.03)
    assert world.state.velocity[0, 0, 2] == pytest.approx(0.2 * 1.4, abs=0.05)


def test_stairs_lead_to_the_next_storey_and_back() -> None:
    world = World(house(), slots=2)
    foot, top = along_the_stairs(-0.6), along_the_stairs(5.6)
    put(world, 0, *foot, yaw=0.3)
    world.state.position[0, 0, 2] = 0.1
    engine = Engine(world)
    heights = []
    for tick in range(400):
        engine.step(walk(0, forward=1.0 if tick < 200 else -1.0))
        heights.append(float(world.state.position[0, 0, 2]))
        if tick == 199:
            assert world.state.level[0, 0] == 1
            assert world.state.position[0, 0, 2] == pytest.approx(2.9, abs=0.02)
            assert (world.state.position[0, 0, :2] - torch.tensor(top)).norm() < 8
    assert world.state.level[0, 0] == 0
    assert world.state.position[0, 0, 2] < 0.3
    climbs = [abs(b - a) for a, b in pairwise(heights)]
    assert max(climbs) < 0.2, "nobody is lifted or dropped"


def along_the_stairs(distance: float) -> tuple[float, float]:
    """Returns a point on the axis of the house's stairs, which start at local (-4, 3) and climb along +x."""
    x, y, yaw = -4 + distance, 3.0, 0.3
    return x * math.cos(yaw) - y * math.sin(yaw), 1 + x * math.sin(yaw) + y * math.cos(yaw)
