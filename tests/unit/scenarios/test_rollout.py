"""Advantages against a slow oracle that follows one life at a time."""

import torch

from ecumene_scenarios.rollout import advantages

GAMMA, LAM = 0.9, 0.8


def test_advantages_match_a_walk_along_each_life() -> None:
    noise = torch.Generator().manual_seed(3)
    steps, slots = 12, 7
    reward, value = torch.randn(steps, slots, generator=noise), torch.randn(steps, slots, generator=noise)
    last = torch.randn(slots, generator=noise)
    ended = torch.rand(steps, slots, generator=noise) < 0.2
    expired = (torch.rand(steps, slots, generator=noise) < 0.2) & ~ended
    found = advantages(reward, value, last, ended, expired, gamma=GAMMA, lam=LAM)
    for slot in range(slots):
        for start in range(steps):
            assert abs(float(found[start, slot]) - _walked(start, slot, reward, value, last, ended, expired)) < 1e-5


def _walked(start, slot, reward, value, last, ended, expired) -> float:  # type: ignore[no-untyped-def]
    total, weight = 0.0, 1.0
    for step in range(start, len(reward)):
        after = float(value[step + 1, slot]) if step + 1 < len(reward) else float(last[slot])
        if ended[step, slot]:
            after = 0.0
        elif expired[step, slot]:
            after = float(value[step, slot])
        total += weight * (float(reward[step, slot]) + GAMMA * after - float(value[step, slot]))
        weight *= GAMMA * LAM
        if ended[step, slot] or expired[step, slot]:
            break
    return total


def test_nothing_flows_over_the_end_of_a_life() -> None:
    reward = torch.tensor([[0.0], [100.0]])
    zeros = torch.zeros(2, 1)
    ended = torch.tensor([[True], [False]])
    found = advantages(reward, zeros, torch.zeros(1), ended, torch.zeros_like(ended), gamma=1.0, lam=1.0)
    assert found[0, 0] == 0
