"""The world in a mirror is seen, heard and felt in a mirror."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sim.rooms import Box, Plan, put, world_of

from ecumene_sim import Actions, Engine, Senses
from ecumene_world.state import Sound
from ecumene_world.world import World

SIDE = 20.0
spot = st.floats(2, 17)
size = st.floats(0.5, 3)
height = st.sampled_from([0.5, 1.0, 2.5, 4.0])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Box], list[tuple[float, float, float]]]:
    """Returns boxes on the grid, and avatars: x, y, yaw; the first is the one who senses."""
    corners = draw(st.lists(st.tuples(st.integers(8, 60), st.integers(8, 60), st.integers(2, 10), height), max_size=6))
    boxes = [Box(x / 4, y / 4, (x + wide) / 4, (y + 4) / 4, top) for x, y, wide, top in corners]
    people = draw(st.lists(st.tuples(spot, spot, st.floats(-3, 3)), min_size=2, max_size=6))
    return boxes, people


def sensed(boxes: list[Box], people: list[tuple[float, float, float]]) -> Senses:
    world = world_of(Plan(boxes=boxes))
    for slot, (x, y, yaw) in enumerate(people):
        put(world, slot, x, y, yaw)
        world.state.sound[0, slot], world.state.sound_age[0, slot] = int(Sound.SPEECH), 8
        world.state.loudness[0, slot] = 65.0
    return Engine(world).sense(torch.tensor([0]))


@settings(max_examples=25, deadline=None)
@given(scenes())
def test_a_mirrored_world_is_sensed_mirrored(scene: tuple[list[Box], list[tuple[float, float, float]]]) -> None:
    boxes, people = scene
    mirrored = [Box(b.x0, SIDE - b.y1, b.x1, SIDE - b.y0, b.top, b.category) for b in boxes]
    here, there = sensed(boxes, people), sensed(mirrored, [(x, SIDE - y, -yaw) for x, y, yaw in people])
    off = (here.vision_kind != there.vision_kind.flip(-1)).float().mean()
    assert off < 0.03, "but for pixels on an edge"
    assert (here.hearing - there.hearing.flip(2)).abs().max() < 2e-2
    sign = torch.tensor([1, -1, 1, 1, -1, 1, 1, 1, -1, 1, 1, 1.0])
    assert torch.allclose(here.neighbours, there.neighbours * sign, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(-math.pi, math.pi), st.floats(0.6, 6), st.floats(1.2, 2.5))
def test_the_same_voice_is_louder_from_nearer(bearing: float, distance: float, further: float) -> None:
    loud = []
    for away in (distance, distance * further):
        world = world_of(Plan(width=60, depth=60, cell=1.0))
        put(world, 0, 30, 30)
        put(world, 1, 30 + away * math.cos(bearing), 30 + away * math.sin(bearing))
        loud.append(float(spoken(world).hearing.sum()))
    assert loud[0] > loud[1]


def spoken(world: World) -> Senses:
    world.state.sound[0, 1], world.state.loudness[0, 1] = int(Sound.SPEECH), 70.0
    engine = Engine(world)
    for _ in range(10):
        engine.step(Actions.none())
    return engine.sense(torch.tensor([0]))


@settings(max_examples=25, deadline=None)
@given(scenes())
def test_senses_are_finite_and_within_their_ranges(scene: tuple[list[Box], list[tuple[float, float, float]]]) -> None:
    senses = sensed(*scene)
    for name in Senses.__dataclass_fields__:
        assert getattr(senses, name).float().isfinite().all(), name
    assert senses.vision_depth.min() >= 0
    assert senses.vision_depth.max() <= 30
    assert senses.vision_kind.max() <= 15
    assert senses.hearing.min() >= 0
    assert senses.hearing.max() <= 1.25
