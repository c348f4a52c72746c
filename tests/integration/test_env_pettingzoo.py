"""The PettingZoo environment passes PettingZoo's own tests, and its agents come and go."""

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test
from pettingzoo.utils import parallel_to_aec

from ecumene_scenarios import parallel_env
from ecumene_scenarios.env import CrowdEnv
from ecumene_scenarios.packs.training import Avoid


def crowd(*, flat: bool = True, render_mode: str | None = None, max_cycles: int | None = None) -> CrowdEnv:
    return parallel_env(Avoid(least=3, most=5), seed=2, flat=flat, render_mode=render_mode, max_cycles=max_cycles)


def test_parallel_api() -> None:
    parallel_api_test(crowd(), num_cycles=120)


def test_parallel_seed() -> None:
    parallel_seed_test(crowd, num_cycles=40)


def test_api_of_the_aec_conversion() -> None:
    api_test(parallel_to_aec(crowd(max_cycles=25)), num_cycles=40)


def test_render() -> None:
    def made(render_mode: str) -> object:
        return parallel_to_aec(crowd(render_mode=None if render_mode == "human" else render_mode))

    render_test(made)


def test_agents_join_and_leave_with_fresh_names() -> None:
    env = crowd()
    env.reset(seed=1)
    first = set(env.agents)
    seen, gone = set(first), set[str]()
    for _ in range(120):
        observations, rewards, terminated, truncated, _ = env.step(
            {agent: toward_goal(env, agent) for agent in env.agents}
        )
        left = {agent for agent in terminated if terminated[agent] or truncated[agent]}
        assert set(observations) == set(rewards) == left | set(env.agents)
        assert not left & set(env.agents)
        assert not gone & set(env.agents), "an agent that left never comes back"
        gone |= left
        seen |= set(env.agents)
        assert all(agent in env.possible_agents for agent in env.agents)
    assert gone, "somebody arrives within 24 seconds"
    assert seen - first, "somebody takes the place of those who left"


def toward_goal(env: CrowdEnv, agent: str) -> np.ndarray:
    """Walks straight to the waypoint, whose direction is the first two numbers of the sense `goal`."""
    row = env._last[agent]
    start = 192 + 192 + 256 + 10 + 12 + 96
    way = row[start : start + 2]
    action = np.zeros(8, np.float32)
    action[:2] = way / max(1.0, float(np.linalg.norm(way)))
    return action


def test_rewards_of_walking_to_the_goal_beat_those_of_standing() -> None:
    returns = []
    for walk in (True, False):
        env = crowd()
        env.reset(seed=4)
        total = 0.0
        for _ in range(60):
            actions = {agent: toward_goal(env, agent) if walk else np.zeros(8, np.float32) for agent in env.agents}
            total += sum(env.step(actions)[1].values())
        returns.append(total)
    assert returns[0] > returns[1] + 1


def test_dictionary_observations_lie_in_their_space() -> None:
    env = crowd(flat=False)
    observations, _ = env.reset(seed=5)
    for _ in range(5):
        observations = env.step({agent: env.action_space(agent).sample() for agent in env.agents})[0]
    for agent in env.agents:
        assert env.observation_space(agent).contains(observations[agent])


def test_picture_shows_people() -> None:
    env = crowd(render_mode="rgb_array")
    env.reset(seed=1)
    before = env.render()
    for _ in range(10):
        env.step({agent: toward_goal(env, agent) for agent in env.agents})
    after = env.render()
    assert before is not None
    assert after is not None
    assert before.shape == after.shape
    assert before.shape[2] == 3
    changed = (before != after).any(axis=-1)
    assert 50 < changed.sum() < changed.size / 4


def test_unknown_render_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="rgb_array"):
        crowd(render_mode="human")
