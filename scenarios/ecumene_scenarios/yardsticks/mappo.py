"""Multi-agent PPO on yardsticks: all agents share one policy, the critic may see what all observe.

Source: Yu et al. 2022, The surprising effectiveness of PPO in cooperative multi-agent games. Minds are trained by
`ecumene_scenarios.training`; this is the plain algorithm, to compare with the field's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from ecumene_models.vector_policy import VectorPolicy
from ecumene_scenarios.rollout import advantages
from ecumene_scenarios.yardsticks.yardstick import Yardstick


@dataclass(frozen=True, slots=True)
class Settings:
    """How a policy learns.

    Attributes:
        steps: Of every world between two rounds of learning; episodes last as long.
        epochs: Passes over what was experienced.
        batch: Moments of a world in a gradient step; each holds all its agents.
        rate: Of Adam.
        gamma: Discount of a step.
        lam: Decay of the advantage estimate.
        clip: How far the probability ratio may leave 1.
        max_norm: Greatest norm of the gradient.
    """

    steps: int = 50
    epochs: int = 8
    batch: int = 512
    rate: float = 3e-4
    gamma: float = 0.99
    lam: float = 0.9
    clip: float = 0.2
    max_norm: float = 1.0


@dataclass(frozen=True, slots=True)
class Moments:
    """M moments of worlds: what N agents observed, did and got, each (M, N, ...)."""

    observation: Tensor
    raw: Tensor
    logprob: Tensor
    advantage: Tensor
    target: Tensor


class Mappo:
    """A policy that learns on one yardstick.

    Args:
        env: Whose worlds all start over at each round.
        policy: What learns.
        settings: How.
        seed: Of exploring and of the order of moments.
    """

    def __init__(self, env: Yardstick, policy: VectorPolicy, settings: Settings, *, seed: int = 0) -> None:
        self.env, self.policy, self.settings = env, policy, settings
        self.generator = torch.Generator(next(policy.parameters()).device).manual_seed(seed)
        self.optimiser = torch.optim.Adam(policy.parameters(), lr=settings.rate)

    def round(self) -> dict[str, float]:
        """Plays one episode in every world and learns from it; returns means of return, losses and divergence."""
        moments, earned = self._play()
        sums = dict.fromkeys(("policy", "value", "kl"), 0.0)
        steps = 0
        for rows in self._batches(len(moments.raw)):
            losses = self._losses(moments, rows)
            self._descend(losses["policy"] + losses["value"])
            sums = {name: total + float(losses[name].detach()) for name, total in sums.items()}
            steps += 1
        return {name: total / steps for name, total in sums.items()} | {"return": earned}

    @torch.no_grad()
    def _play(self) -> tuple[Moments, float]:
        """Plays on until time is out; a world that is done starts over meanwhile."""
        observation = self.env.reset()
        kept: tuple[list[Tensor], ...] = ([], [], [], [], [], [])
        for _ in range(self.settings.steps):
            intention, value = self.policy(observation)
            raw = intention.draw(self.generator)
            outcome = self.env.step(raw.tanh())
            moment = (observation, raw, intention.logprob(raw), value, outcome.reward, outcome.done)
            for column, entry in zip(kept, moment, strict=True):
                column.append(entry)
            observation = self.env.reset(outcome.done) if bool(outcome.done.any()) else outcome.observation
        seen, raws, logprobs, values, rewards, ends = (torch.stack(column) for column in kept)
        gained = self._gained(rewards, values, self.policy.value(observation), ends)
        moments = Moments(*(field.flatten(0, 1) for field in (seen, raws, logprobs, gained, gained + values)))
        return moments, float(rewards.sum(0).mean())

    def _gained(self, reward: Tensor, value: Tensor, last: Tensor, done: Tensor) -> Tensor:
        """Returns (T, B, N) advantages; what comes after the last step counts as much as the critic expects."""
        steps, settings = len(reward), self.settings
        ended = done.unsqueeze(-1).expand_as(reward).reshape(steps, -1)
        return advantages(
            reward.reshape(steps, -1),
            value.reshape(steps, -1),
            last.reshape(-1),
            ended,
            torch.zeros_like(ended),
            gamma=settings.gamma,
            lam=settings.lam,
        ).view_as(value)

    def _batches(self, count: int) -> Iterator[Tensor]:
        for _ in range(self.settings.epochs):
            order = torch.randperm(count, generator=self.generator, device=self.generator.device)
            yield from torch.split(order, self.settings.batch)

    def _losses(self, moments: Moments, rows: Tensor) -> dict[str, Tensor]:
        intention, value = self.policy(moments.observation[rows])
        advantage, clip = moments.advantage[rows], self.settings.clip
        change = intention.logprob(moments.raw[rows]) - moments.logprob[rows]
        ratio = change.exp()
        gain = torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
        return {
            "policy": -gain.mean(),
            "value": smooth_l1_loss(value, moments.target[rows]),
            "kl": (ratio - 1 - change).mean().detach(),
        }

    def _descend(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.settings.max_norm)
        self.optimiser.step()


@torch.no_grad()
def mean_return(env: Yardstick, policy: VectorPolicy, steps: int) -> float:
    """Returns what an agent earns in an episode on average when it does what it thinks best."""
    observation = env.reset()
    total = torch.zeros(env.worlds, env.agents, device=observation.device)
    for _ in range(steps):
        outcome = env.step(policy.intention(observation).mean.tanh())
        observation = outcome.observation
        total += outcome.reward
    return float(total.mean())
