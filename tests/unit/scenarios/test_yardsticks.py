"""Yardsticks against their rules written out in plain Python, one body at a time."""

from __future__ import annotations

import math

import pytest
import torch

from ecumene_scenarios.errors import ScenarioError
from ecumene_scenarios.yardsticks import Navigation, Spread, Yardstick
from ecumene_scenarios.yardsticks.navigation import APART_M, RAYS, REACH_M

Point = tuple[float, float]


def crowded(kind: type[Spread | Navigation], seed: int = 3) -> Yardstick:
    """Returns two worlds of four agents that stand so close that they touch."""
    env = kind(worlds=2, agents=4, seed=seed)
    env.reset()
    env.bodies.position.mul_(0.18)
    env.bodies.velocity.uniform_(-1, 1, generator=torch.Generator().manual_seed(seed))
    return env


def points(env: Yardstick, world: int) -> list[Point]:
    return [(x, y) for x, y in env.bodies.position[:, world].T.tolist()]


def stepped(env: Yardstick, world: int, force: list[Point]) -> list[Point]:
    """Returns where the rules take everybody."""
    matter = env.matter()
    at = points(env, world)
    speed = [(x * (1 - matter.drag), y * (1 - matter.drag)) for x, y in env.bodies.velocity[:, world].T.tolist()]
    dt = matter.dt / matter.substeps
    for _ in range(matter.substeps):
        total = [pushed(at, index, force[index], matter.radius) for index in range(len(at))]
        speed = [(v[0] + f[0] * dt, v[1] + f[1] * dt) for v, f in zip(speed, total, strict=True)]
        at = [(p[0] + v[0] * dt, p[1] + v[1] * dt) for p, v in zip(at, speed, strict=True)]
    return at


def pushed(at: list[Point], index: int, force: Point, radius: float) -> Point:
    x, y = force
    for other, place in enumerate(at):
        distance = math.dist(place, at[index])
        overlap = 2 * radius - distance
        if other == index or overlap < 0:
            continue
        strength = 100 * 1e-3 * (overlap / 1e-3 + math.log1p(math.exp(-overlap / 1e-3)))
        x += strength * (at[index][0] - place[0]) / distance
        y += strength * (at[index][1] - place[1]) / distance
    return x, y


@pytest.mark.parametrize("kind", [Spread, Navigation])
def test_bodies_move_by_the_rules(kind: type[Spread | Navigation]) -> None:
    env = crowded(kind)
    force = torch.rand(2, 4, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1
    expected = [stepped(env, world, [(x, y) for x, y in force[world].tolist()]) for world in range(2)]
    env.step(force)
    assert torch.allclose(env.bodies.position.permute(1, 2, 0), torch.tensor(expected), atol=1e-5)


def test_forces_beyond_one_newton_are_cut_off() -> None:
    strong, full = crowded(Spread), crowded(Spread)
    strong.step(torch.full((2, 4, 2), 9.0))
    full.step(torch.ones(2, 4, 2))
    assert torch.equal(strong.bodies.position, full.bodies.position)


def test_spread_rewards_landmarks_that_are_covered_and_punishes_bumps() -> None:
    env = crowded(Spread)
    outcome = env.outcome()
    for world in range(2):
        at, marks = points(env, world), env.targets[:, world].T.tolist()
        missing = sum(min(math.dist(place, mark) for place in at) for mark in marks)
        bumps = sum(a != b and math.dist(at[a], at[b]) < 0.3 for a in range(4) for b in range(4))
        assert bumps > 0
        assert outcome.reward[world].tolist() == pytest.approx([-4 * missing - bumps] * 4, abs=1e-4)


def test_spread_observes_itself_then_landmarks_then_others() -> None:
    env = crowded(Spread)
    seen = env.outcome().observation[1, 2].tolist()
    at, marks = points(env, 1), env.targets[:, 1].T.tolist()
    ways = [mark[axis] - at[2][axis] for mark in marks for axis in range(2)]
    others = [at[other][axis] - at[2][axis] for other in (0, 1, 3) for axis in range(2)]
    assert seen == pytest.approx([*at[2], *env.bodies.velocity[:, 1, 2].tolist(), *ways, *others], abs=1e-6)


def test_navigation_pays_for_ways_made_and_for_collisions() -> None:
    env = crowded(Navigation)
    env.outcome()
    before = [points(env, world) for world in range(2)]
    outcome = env.step(torch.ones(2, 4, 2))
    for world in range(2):
        goals, after = env.targets[:, world].T.tolist(), points(env, world)
        gained = sum(math.dist(a, g) - math.dist(b, g) for a, b, g in zip(before[world], after, goals, strict=True))
        close = [sum(a != b and math.dist(after[a], after[b]) <= 0.205 for b in range(4)) for a in range(4)]
        assert outcome.reward[world].tolist() == pytest.approx([gained - count for count in close], abs=1e-4)


def test_navigation_ends_where_all_are_at_their_goals() -> None:
    env = Navigation(worlds=2, agents=3, seed=1)
    env.reset()
    env.bodies.position[:, 0] = env.targets[:, 0]
    outcome = env.outcome()
    assert outcome.done.tolist() == [True, False]
    assert outcome.metrics["arrived"].tolist() == pytest.approx([0.01, 0.0])


def test_lidar_sees_the_near_side_of_who_is_ahead_and_nobody_behind() -> None:
    env = Navigation(worlds=1, agents=2, seed=1)
    env.reset()
    env.bodies.position[:, 0] = torch.tensor([[0.0, 0.3], [0.0, 0.0]])
    seen = env.outcome().observation[0, :, -RAYS:]
    assert seen[0].tolist() == pytest.approx([REACH_M - 0.2] + [0.0] * (RAYS - 1), abs=1e-6)
    assert seen[1].tolist() == pytest.approx([0.0] * 6 + [REACH_M - 0.2] + [0.0] * 5, abs=1e-6)


def test_everybody_and_every_goal_start_apart() -> None:
    env = Navigation(worlds=50, agents=8, seed=5)
    env.reset()
    places = torch.cat((env.bodies.position, env.targets), dim=2).permute(1, 2, 0)
    gaps = torch.cdist(places, places) + 9 * torch.eye(16)
    assert float(gaps.min()) >= APART_M - 1e-5


@pytest.mark.parametrize("kind", [Spread, Navigation])
def test_a_reset_leaves_other_worlds_alone(kind: type[Spread | Navigation]) -> None:
    env = crowded(kind)
    before = env.bodies.position.clone()
    env.reset(torch.tensor([False, True]))
    assert torch.equal(env.bodies.position[:, 0], before[:, 0])
    assert not torch.equal(env.bodies.position[:, 1], before[:, 1])
    assert float(env.bodies.velocity[:, 1].abs().max()) == 0.0


@pytest.mark.parametrize("kind", [Spread, Navigation])
def test_the_same_seed_gives_the_same_worlds(kind: type[Spread | Navigation]) -> None:
    first, second, other = (kind(worlds=2, agents=3, seed=seed).reset() for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ScenarioError, match="at least one world and one agent, not 0 and 3"):
        Spread(worlds=0, agents=3)
    with pytest.raises(ScenarioError, match="room for 16 agents, not 40"):
        Navigation(worlds=1, agents=40)
