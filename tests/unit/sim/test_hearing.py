"""What two ears hear."""

import math
from dataclasses import replace
from itertools import pairwise, product
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from tests.unit.sim.rooms import Box, Plan, Thing, put, world_of

from ecumene_sim import Actions, Engine
from ecumene_sim.senses.hearing import _listed, thing_bodies
from ecumene_sim.senses.others import Others
from ecumene_sim.terrain import Terrain
from ecumene_world.state import Sound
from ecumene_world.world import World

WALL = Plan(boxes=(Box(10, 0, 10.2, 20),))
DOORWAY = Plan(
    boxes=(Box(10, 0, 10.15, 9.5), Box(10, 10.5, 10.15, 20)),
    things=(Thing("door", 10.07, 10, leaf=(10.07, 9.5, 10.07, 10.5)),),
)
LEFT, RIGHT = 0, 1


def heard(world: World, ticks: int = 6) -> torch.Tensor:
    """Lets slot 1 speak for a while; returns what slot 0 hears, (2, 8, 16)."""
    world.state.sound[0, 1], world.state.loudness[0, 1] = int(Sound.SPEECH), 70.0
    world.state.sound_age[0, 1] = 0
    engine = Engine(world)
    for _ in range(ticks):
        engine.step(Actions.none())
    return engine.sense(torch.tensor([0])).hearing[0, 0]


def pair(x: float, y: float, plan: Plan | None = None, *, yaw: float = 0.0) -> World:
    """Returns a listener at (8, 10) that faces `yaw`, and a speaker."""
    world = world_of(plan or Plan())
    put(world, 0, 8, 10, yaw=yaw)
    put(world, 1, x, y)
    return world


def test_a_lone_still_avatar_hears_nothing() -> None:
    world = world_of(Plan())
    put(world, 0, 8, 10)
    assert not Engine(world).sense(torch.tensor([0])).hearing.any()


def test_nearer_is_louder_by_six_decibels_for_half_the_way() -> None:
    near, far = heard(pair(10, 10)), heard(pair(12, 10))
    both = (near > 0) & (far > 0)
    assert both.any()
    assert ((near - far)[both] * 80).mean() == pytest.approx(6.02, abs=0.5)


@pytest.mark.parametrize(("y", "near", "far"), [(13.0, LEFT, RIGHT), (7.0, RIGHT, LEFT)])
def test_the_ear_on_the_side_of_the_source_hears_more(y: float, near: int, far: int) -> None:
    ears = heard(pair(8, y))
    assert ears[near].sum() > ears[far].sum() + 0.5
    high = (ears[near] - ears[far])[-1, 8:]
    low = (ears[near] - ears[far])[-1, :4]
    assert high.max() > low.max(), "the head shades high bands more"


def test_ahead_both_ears_hear_the_same() -> None:
    ears = heard(pair(11, 10))
    assert torch.allclose(ears[LEFT], ears[RIGHT], atol=1e-4)


def test_turning_the_head_turns_the_ears() -> None:
    world = pair(11, 10)
    world.state.gaze[0, 0, 0] = world.state.target_gaze[0, 0, 0] = -1.2
    ears = heard(world)
    assert ears[LEFT].sum() > ears[RIGHT].sum() + 0.4, "looking right puts what is ahead to the left"


def test_a_wall_muffles_high_bands_most() -> None:
    free, behind = heard(pair(12, 10)), heard(pair(12, 10, WALL))
    lost = (free - behind)[0] * 80
    clear = (behind[0] > 0) & (free[0] > 0)
    assert lost[clear].min() > 8
    assert behind.sum() < 0.75 * free.sum()
    assert lost.max() > lost[clear].min() + 5


def test_a_closed_door_muffles_and_an_open_one_does_not() -> None:
    free, shut = heard(pair(12, 10)), heard(pair(12, 10, DOORWAY))
    world = pair(12, 10, DOORWAY)
    world.state.thing_state[0, 0] = 1
    ajar = heard(world)
    assert shut.sum() < free.sum() - 1
    assert torch.allclose(ajar, free, atol=1e-3)


def test_a_floor_between_muffles() -> None:
    world = pair(10, 10, Plan(storeys=2))
    world.state.level[0, 1] = 1
    world.state.posture[0, 1], world.state.seat[0, 1] = 1, 0
    assert heard(world).sum() < 0.7 * heard(pair(10, 10)).sum()


def test_far_sounds_come_later() -> None:
    onset = []
    for x in (8.5, 8 + 343 * 0.05 * 0.5, 19.5):
        ears = heard(pair(x, 10), ticks=3)[LEFT]
        onset.append(
            float((ears.exp() * torch.arange(8).view(8, 1) * (ears > 0)).sum() / (ears.exp() * (ears > 0)).sum())
        )
    assert onset == sorted(onset)


def test_the_window_slides_through_a_sound_and_past_its_end() -> None:
    world = pair(10, 10)
    engine = Engine(world)
    world.state.sound[0, 1], world.state.loudness[0, 1] = int(Sound.CALL), 70.0
    rows = []
    for _ in range(40):
        engine.step(Actions.none())
        rows.append(engine.sense(torch.tensor([0])).hearing[0, 0, LEFT])
    for before, after in pairwise(rows[:16]):
        assert torch.allclose(before[1:], after[:-1], atol=1e-5), "what was heard moves one frame into the past"
    assert rows[4].any()
    assert not rows[-1].any()


def test_an_alarm_is_heard_across_the_square_among_many_walkers() -> None:
    plan = Plan(width=60, depth=60, cell=0.5, things=(Thing("alarm_button", 50, 50),))
    world = world_of(plan, slots=60)
    generator = torch.Generator().manual_seed(0)
    for slot in range(60):
        x, y = (torch.rand(2, generator=generator) * 6 + 5).tolist()
        put(world, slot, x, y)
    world.state.thing_state[0, 0] = 1
    engine = Engine(world)
    world.state.desired_velocity[0, :, 0] = 1.0
    for _ in range(10):
        engine.step(Actions.none())
    with_alarm = engine.sense(torch.tensor([0])).hearing
    world.state.thing_sound[0, 0] = 0
    assert with_alarm.sum() > engine.sense(torch.tensor([0])).hearing.sum() + 1


def test_one_hears_oneself_not_twice() -> None:
    world = pair(10, 10)
    world.state.sound[0, 0], world.state.loudness[0, 0] = int(Sound.SPEECH), 70.0
    world.state.sound_age[0, 0] = 4
    assert not Engine(world).sense(torch.tensor([0])).hearing.any(), "the own voice is left out"


def test_each_voice_sounds_its_own() -> None:
    one, other = pair(10, 10), pair(10, 10)
    other.state.look[0, 1] = 3
    assert not torch.allclose(heard(one), heard(other), atol=0.05)


def test_which_way_a_listener_hears_best_is_where_the_source_is() -> None:
    for turn in range(8):
        yaw = turn * math.pi / 4
        ears = heard(pair(11, 10, yaw=yaw))
        lead = float(ears[LEFT].sum() - ears[RIGHT].sum())
        assert lead == pytest.approx(0, abs=0.05) if abs(math.sin(yaw)) < 0.1 else lead * -math.sin(yaw) > 0


def test_hearing_needs_no_wall_data_to_be_finite() -> None:
    world = pair(8.0, 10.0, replace(WALL, boxes=()))
    assert heard(world).isfinite().all(), "a source in the very same spot"


BELL = Thing("bell_post", 12, 10)
POST = Box(11.9, 9.9, 12.1, 10.1)


def rung(*boxes: Box) -> torch.Tensor:
    """What slot 0 hears at (8, 10) of a bell at (12, 10), (2, 8, 16)."""
    world = world_of(Plan(boxes=boxes, things=(BELL,)))
    put(world, 0, 8, 10)
    world.state.thing_state[0, 0] = 1
    engine = Engine(world)
    for _ in range(8):
        engine.step(Actions.none())
    return engine.sense(torch.tensor([0])).hearing[0, 0]


def test_a_bell_is_not_muffled_by_its_own_post() -> None:
    assert rung().any()
    assert torch.allclose(rung(POST), rung(), atol=1e-4)


def test_a_wall_muffles_a_bell_beyond_its_post() -> None:
    walled = rung(POST, Box(10, 0, 10.2, 20))
    assert walled.sum() < 0.75 * rung(POST).sum()


def test_what_sounds_without_a_body_is_muffled_by_the_wall_it_hangs_on() -> None:
    world = world_of(Plan(boxes=(POST,), things=(replace(BELL, kind="alarm_button"), BELL)))
    assert thing_bodies(Terrain(world.layout)).tolist() == [0.0, pytest.approx(0.3 + 0.1, abs=0.01)]


def test_the_loudest_that_are_near_or_oneself_are_listed_once() -> None:
    generator = torch.Generator().manual_seed(3)
    slots, sources = 12, 20
    loudest = torch.stack([torch.randperm(sources, generator=generator)[:7] for _ in range(2)])
    near = torch.randint(slots, (2, slots, 5), generator=generator)
    valid = torch.rand(near.shape, generator=generator) < 0.6
    others = SimpleNamespace(slot=near, valid=valid)
    me = torch.arange(slots)
    found = _listed(loudest, sources, cast("Others", others), me)
    for world, listener, loud in product(range(2), range(slots), range(7)):
        source = int(loudest[world, loud])
        mine = near[world, listener][valid[world, listener]].tolist()
        assert bool(found[world, listener, loud]) == (source in {*mine, listener})
