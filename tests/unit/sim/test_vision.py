"""What avatars see, against a slow oracle and by eye."""

import math
import random

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.unit.sim.rooms import Box, Plan, Thing, put, world_of
from tests.unit.world.scenes import hill

from ecumene_sim import Engine, Senses
from ecumene_sim.senses.vision import FIELD_OF_VIEW
from ecumene_world.kinds import Category
from ecumene_world.state import Posture
from ecumene_world.world import World

WIDTH, HEIGHT = FIELD_OF_VIEW
EYE = 1.72 * 0.94


def seen(world: World, *slots: int) -> Senses:
    return Engine(world).sense(torch.tensor(slots or (0,)))


def oracle(
    x: float, y: float, head: float, pitch: float, boxes: list[Box]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns depth and category of every pixel by testing every ray against every box and the ground."""
    depth, kind = np.full((8, 24), 30.0), np.zeros((8, 24), dtype=np.int64)
    for row in range(8):
        elevation = math.tan(pitch + (0.5 - (row + 0.5) / 8) * HEIGHT)
        stretch = math.sqrt(1 + elevation**2)
        for column in range(24):
            azimuth = head + (0.5 - (column + 0.5) / 24) * WIDTH
            ray = (math.cos(azimuth), math.sin(azimuth), elevation)
            best, category = 30.0 / stretch, int(Category.SKY)
            if elevation < 0 and EYE / -elevation < best:
                best, category = EYE / -elevation, int(Category.GROUND)
            for box in boxes:
                entry = enters(box, (x, y, EYE), ray)
                if entry is not None and entry < best:
                    best, category = entry, int(box.category)
            depth[row, column], kind[row, column] = best * stretch, category
    return depth, kind


def enters(box: Box, eye: tuple[float, float, float], ray: tuple[float, float, float]) -> float | None:
    """Returns how far along a ray it enters a box, None if it misses."""
    first, last = 0.0, 1e9
    sides = ((box.x0, box.x1), (box.y0, box.y1), (-1.0, box.top))
    for start, speed, (low, high) in zip(eye, ray, sides, strict=True):
        if abs(speed) < 1e-12:
            if not low <= start <= high:
                return None
            continue
        a, b = sorted(((low - start) / speed, (high - start) / speed))
        first, last = max(first, a), min(last, b)
    return first if first < last else None


def cluttered(seed: int) -> list[Box]:
    rng = random.Random(seed)
    boxes = [Box(0, 0, 24, 0.3), Box(0, 23.7, 24, 24), Box(0, 0, 0.3, 24), Box(23.7, 0, 24, 24)]
    kinds = [Category.TABLE, Category.BUILDING, Category.SEAT, Category.VEGETATION]
    for _ in range(14):
        x, y = rng.uniform(1, 20), rng.uniform(1, 20)
        top = rng.choice([0.45, 0.8, 1.2, 1.9, 2.6, 5.0])
        boxes.append(Box(x, y, x + rng.uniform(0.3, 3), y + rng.uniform(0.3, 3), top, rng.choice(kinds)))
    return boxes


def test_pictures_agree_with_an_oracle_within_a_cell() -> None:
    off, wrong, pixels = 0, 0, 0
    for seed in range(4):
        boxes = cluttered(seed)
        plan = Plan(width=24, depth=24, cell=0.25, boxes=boxes)
        world = world_of(plan)
        free = (world.layout.clearance[0] > 0.3).nonzero()
        for shot in range(5):
            row, column = free[(shot * 977 + seed * 31) % len(free)].tolist()
            put(world, 0, column * 0.25, row * 0.25, yaw=shot * 1.3)
            pitch = (shot - 2) * 0.15
            world.state.gaze[0, 0] = torch.tensor([0.3, pitch])
            senses = seen(world)
            depth, kind = oracle(column * 0.25, row * 0.25, shot * 1.3 + 0.3, pitch, boxes)
            off += int((np.abs(senses.vision_depth[0, 0].numpy() - depth) > 0.25).sum())
            wrong += int((senses.vision_kind[0, 0].numpy() != kind).sum())
            pixels += depth.size
    assert off / pixels < 0.04
    assert wrong / pixels < 0.04


def test_the_field_of_view_follows_body_and_gaze() -> None:
    world = world_of(Plan(boxes=(Box(12, 9.75, 12.5, 10.25, 3.0, Category.VEGETATION),)))
    put(world, 0, 10, 10)
    assert (seen(world).vision_kind[0, 0] == Category.VEGETATION).any(dim=0).nonzero().flatten().tolist() == [11, 12]
    world.state.gaze[0, 0, 0] = 1.0
    columns = (seen(world).vision_kind[0, 0] == Category.VEGETATION).any(dim=0).nonzero().flatten()
    assert columns.min() > 18, "looking left moves what is ahead to the right"
    world.state.yaw[0, 0] = math.pi
    assert not (seen(world).vision_kind == Category.VEGETATION).any()


def test_looking_down_shows_ground_and_up_sky() -> None:
    world = world_of(Plan(width=80, depth=80, cell=0.5))
    put(world, 0, 40, 40)
    world.state.gaze[0, 0, 1] = -0.8
    assert (seen(world).vision_kind == Category.GROUND).all()
    world.state.gaze[0, 0, 1] = 0.8
    senses = seen(world)
    assert not senses.vision_kind.any()
    assert (senses.vision_depth == 30).all()


def test_over_a_low_thing_one_sees_what_stands_behind() -> None:
    plan = Plan(boxes=(Box(11.5, 8, 12, 12, 0.8, Category.TABLE), Box(15, 8, 15.5, 12, 3.0, Category.BUILDING)))
    world = world_of(plan)
    put(world, 0, 10, 10)
    middle = seen(world).vision_kind[0, 0, :, 12].tolist()
    assert middle[3] == Category.BUILDING
    assert middle[7] == Category.TABLE


@pytest.mark.parametrize("visitor", [False, True])
def test_avatars_are_seen_where_they_stand(visitor: bool) -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10)
    put(world, 1, 13, 10, visitor=visitor)
    senses = seen(world)
    kind = int(Category.VISITOR if visitor else Category.NPC)
    where = senses.vision_kind[0, 0] == kind
    assert where.any(dim=0).nonzero().flatten().tolist() == [11, 12]
    assert senses.vision_depth[0, 0][where].min() == pytest.approx(2.81, abs=0.03)
    assert not where[0].any(), "nobody is three metres tall"
    assert where[4].any()


def test_far_avatars_fill_at_least_a_pixel() -> None:
    world = world_of(Plan(width=80, depth=80, cell=0.5))
    put(world, 0, 40, 40)
    for bearing in range(-70, 71, 7):
        put(world, 1, 40 + 25 * math.cos(math.radians(bearing)), 40 + 25 * math.sin(math.radians(bearing)))
        assert (seen(world).vision_kind == Category.NPC).any(), bearing


def test_walls_hide_avatars_and_low_tables_do_not() -> None:
    for top, hidden in ((2.5, True), (0.7, False)):
        world = world_of(Plan(boxes=(Box(11, 5, 11.3, 15, top),)))
        put(world, 0, 10, 10)
        put(world, 1, 13, 10)
        assert (seen(world).vision_kind == Category.NPC).any() != hidden


def test_who_sits_is_lower_and_who_lies_lower_still() -> None:
    rows = []
    for posture in Posture:
        world = world_of(Plan())
        put(world, 0, 10, 10)
        put(world, 1, 13.5, 10)
        world.state.posture[0, 1] = int(posture)
        rows.append(int((seen(world).vision_kind[0, 0] == Category.NPC).any(dim=1).nonzero().min()))
    assert rows == sorted(rows)
    assert rows[0] < rows[2]


def test_closed_doors_are_seen_and_open_ones_seen_through() -> None:
    plan = Plan(
        boxes=(Box(12, 0, 12.15, 9.5), Box(12, 10.5, 12.15, 20), Box(16, 0, 16.2, 20, 3.0, Category.BUILDING)),
        things=(Thing("door", 12.07, 10, leaf=(12.07, 9.5, 12.07, 10.5)),),
    )
    world = world_of(plan)
    put(world, 0, 10, 10)
    shut = seen(world)
    assert shut.vision_kind[0, 0, 4, 12] == Category.DOOR
    assert shut.vision_depth[0, 0, 4, 12] == pytest.approx(2.07, abs=0.03)
    world.state.thing_state[0, 0] = 1
    assert seen(world).vision_kind[0, 0, 3, 12] == Category.BUILDING


def test_loose_things_are_seen_on_the_floor_and_in_other_hands_but_not_in_the_own() -> None:
    world = world_of(Plan(things=(Thing("ball", 11.5, 10),)))
    put(world, 0, 10, 10)
    world.state.gaze[0, 0, 1] = -0.5
    assert (seen(world).vision_kind == Category.ITEM).any()
    world.state.thing_holder[0, 0], world.state.held[0, 0] = 0, 0
    assert not (seen(world).vision_kind == Category.ITEM).any()


def test_the_ground_ahead_of_a_hill_rises() -> None:
    world = World(hill(0.3), slots=2)
    put(world, 0, 5, 10)
    put(world, 1, 15, 10, yaw=math.pi)
    for slot, x in ((0, 5.0), (1, 15.0)):
        world.state.position[0, slot, 2] = 0.3 * x
    up, down = seen(world, 0, 1).vision_depth[0, :, 5, 12].tolist()
    assert up < down


def test_the_blind_spot_behind_is_thirty_metres_of_nothing_known() -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10)
    put(world, 1, 8, 10)
    assert not (seen(world).vision_kind == Category.NPC).any()
