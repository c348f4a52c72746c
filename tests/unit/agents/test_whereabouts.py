from itertools import pairwise
from math import hypot

import pytest
import torch
from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.schedule import Clock
from ecumene_agents.spots import Spots
from ecumene_agents.thinking import Thinking
from ecumene_agents.whereabouts import ON_THE_WAY, SEATED_APART_M, Start, Whereabouts
from ecumene_world.avatar import Avatar
from ecumene_world.command import SetIntent, Spawn
from ecumene_world.grid import sample
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import Verb
from ecumene_world.world import World


def newcomer(number: int, role: str = "teacher") -> Avatar:
    return Avatar(f"npc:{number}", 0, -1, 0, f"Mara {number}", role, BY_NAME["npc"].code, number)


def begun(world: World, count: int, role: str = "teacher", hour: float = 10.5) -> list[Start]:
    where = Whereabouts(world, 0, Spots(world.layout), clock=Clock(start_h=hour))
    starts = [where.of(newcomer(number, role)) for number in range(count)]
    return [start for start in starts if start is not None]


def test_most_begin_at_work_in_working_hours_and_the_others_under_way() -> None:
    world = world_of("village")
    school = world.layout.place_position[world.layout.place_index["lessons"]].tolist()
    starts = begun(world, 12)
    near = sum(hypot(x - school[0], y - school[1]) < 4.0 for (x, y, _), _ in starts)
    assert len(starts) == 12
    assert 3 <= near <= 12 * (1 - ON_THE_WAY) + 2


@pytest.mark.parametrize("count", [16, 120])
def test_nobody_begins_inside_another_or_in_a_wall(count: int) -> None:
    world = world_of("village")
    starts = begun(world, count, hour=8.0)
    points = torch.tensor([point for point, _ in starts])
    gaps = torch.cdist(points, points) + 10 * torch.eye(len(points))
    assert len(starts) == count
    assert float(gaps.min()) >= SEATED_APART_M - 1e-3
    level = torch.zeros(len(points), dtype=torch.int64)
    assert float(sample(world.layout, world.layout.clearance, level, points[:, :2]).min()) > 0.29


def test_who_is_here_already_is_kept_clear_of() -> None:
    alone = world_of("village")
    (x, y, _), _ = begun(alone, 1)[0]
    world = world_of("village")
    settle(world, "npc:99", x, y)
    (a, b, _), _ = begun(world, 1)[0]
    assert hypot(a - x, b - y) >= SEATED_APART_M


def test_the_same_world_begins_the_same() -> None:
    assert begun(world_of("village"), 20) == begun(world_of("village"), 20)
    assert begun(world_of("village", seed=2), 20) != begun(world_of("village"), 20)


def test_where_one_begins_is_where_the_first_thought_leads() -> None:
    world = world_of("village")
    where = Whereabouts(world, 0, Spots(world.layout))
    for number in range(8):
        who = newcomer(number)
        point, yaw = where.of(who) or ((0, 0, 0), 0.0)
        world.apply([Spawn(who.key, "npc", point, yaw, who.title, who.look, who.role)])
    sent = [command for command in Thinking(world).think(0, range(16)) if isinstance(command, SetIntent)]
    assert any(command.verb is not Verb.GO for command in sent), "some are where they want to be"


def test_a_world_without_places_is_begun_anywhere() -> None:
    starts = begun(world_of("open"), 10)
    assert len(starts) == 10
    assert any(hypot(a[0][0] - b[0][0], a[0][1] - b[0][1]) > 5 for a, b in pairwise(starts))


def test_a_full_world_leaves_it_to_the_spawn_points() -> None:
    world = world_of("open")
    assert len(begun(world, 1200)) < 1200
