"""Trains the minds: one policy for all agents of all tasks, first by imitation, then by proximal policy optimisation.

Stages, all on the policy's own experience:
1. clone: copy what the scripted controller would do in the situations met (so mistakes are met, and corrected, too);
2. critic: learn what situations are worth while the policy stands still;
3. improve: clipped policy gradients on how to move and turn. Gaze, gestures, speech and use of things stay imitation.

Sources: Schulman et al. 2017, Proximal policy optimization algorithms; Ross et al. 2011, A reduction of imitation
learning to no-regret online learning (DAgger).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_models import FusionPolicy
from ecumene_models.actions import PolicyActions, PolicyOutput
from ecumene_models.cloning import expert_loss, imitation_error
from ecumene_models.recurrent import RecurrentPolicy
from ecumene_scenarios.judge import Judge
from ecumene_scenarios.rollout import Experience

MOVES: Final = 3
"""Leading continuous actions that reward decides about: move forward, move left, turn."""
_LOG_2_PI: Final = math.log(2 * math.pi)

STAGES: Final = ("clone", "critic", "improve")


@dataclass(frozen=True, slots=True)
class PPOConfig:
    """How experience becomes a better policy.

    Attributes:
        epochs: Passes over the experience of one iteration when improving.
        clone_epochs: The same when imitating.
        batch: Rows a gradient step when imitating.
        improve_batch: Rows a gradient step when improving.
        rate: Learning rate of Adam when imitating.
        improve_rate: Learning rate of Adam when improving, reached within the first ten iterations.
        gamma: Discount a decision.
        lam: Decay of the advantage estimate.
        clip: How far the probability ratio may leave 1.
        value: Weight of the critic's loss.
        entropy: Weight of the entropy of movement.
        experts: Weight of the experts' imitation of what turned out well.
        imitate: Weight of imitation of gestures, gaze, speech and use of things while improving.
        max_norm: Greatest norm of the gradient.
        max_kl: An iteration ends at the first batch on which the policy has moved this far, nats.
        log_std: Logarithms of the noise on move forward, move left and turn that exploring starts with.
    """

    epochs: int = 2
    clone_epochs: int = 3
    batch: int = 512
    improve_batch: int = 1024
    rate: float = 1e-3
    improve_rate: float = 2e-4
    gamma: float = 0.97
    lam: float = 0.92
    clip: float = 0.2
    value: float = 0.5
    entropy: float = 0.001
    experts: float = 0.1
    imitate: float = 0.2
    max_norm: float = 0.5
    max_kl: float = 0.03
    log_std: tuple[float, float, float] = (-2.0, -2.0, -2.4)


def movement_logprob(output: PolicyOutput, actions: PolicyActions) -> Tensor:
    """(N,) log-probability of move and turn, before clamping."""
    spread = output.log_std[:MOVES]
    error = (actions.continuous[:, :MOVES] - output.mean[:, :MOVES]) * torch.exp(-spread)
    return (-0.5 * (error * error + _LOG_2_PI) - spread).sum(dim=-1)


def movement_entropy(output: PolicyOutput) -> Tensor:
    """Entropy of move and turn, nats; the same for all rows."""
    return (output.log_std[:MOVES] + 0.5 * (1 + _LOG_2_PI)).sum()


def drawn(output: PolicyOutput, generator: torch.Generator | None) -> PolicyActions:
    """Actions with noise on move and turn only; without a generator the likeliest ones."""
    actions, _ = FusionPolicy.act(output, None)
    if generator is None:
        return actions
    continuous = output.mean.clone()
    noise = torch.randn(continuous[:, :MOVES].shape, generator=generator, device=continuous.device)
    continuous[:, :MOVES] += noise * output.log_std[:MOVES].exp()
    choices = {name: getattr(actions, name) for name in ("interact", "emote", "speak")}
    return PolicyActions.of(continuous, choices)


class Learner:
    """A policy and its optimiser; `learn` makes one iteration's gradient steps.

    Attributes:
        judge: The centralised critic, None where the policy's own critic judges. Both learn the same, so that minds
            always know what they expect.
        teaching: The judge's optimiser.
    """

    def __init__(self, policy: FusionPolicy, config: PPOConfig, judge: Judge | None = None) -> None:
        self.policy, self.config, self.judge = policy, config, judge
        self.optimiser = torch.optim.Adam(policy.parameters(), lr=config.rate, eps=1e-5)
        self.teaching = None if judge is None else torch.optim.Adam(judge.parameters(), lr=config.rate, eps=1e-5)

    def begin_exploring(self) -> None:
        """Sets the movement noise and forgets the momentum of what came before."""
        with torch.no_grad():
            self.policy.log_std[:MOVES] = torch.tensor(self.config.log_std)
        self.optimiser = torch.optim.Adam(self.policy.parameters(), lr=self.config.rate, eps=1e-5)

    def learn(self, experience: Experience, stage: str, pace: float, generator: torch.Generator) -> dict[str, float]:
        """Makes the gradient steps of one iteration.

        Args:
            experience: What the policy has just met.
            stage: One of `STAGES`.
            pace: Share of the stage's learning rate, 0..1.
            generator: Draws the order of rows.

        Returns:
            Means of losses, of the KL divergence (nats) and of the share of clipped ratios.
        """
        self._set_rate(stage, pace)
        self.policy.train()
        sums: dict[str, float] = {}
        steps = 0
        for rows in self._batches(experience, stage, generator):
            losses = self._losses(experience, rows, stage)
            steps += 1
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss.detach())
            if stage == "improve" and float(losses["kl"]) > self.config.max_kl:
                break
            self._descend(losses)
            if self.judge is not None:
                missed = self._taught(experience, rows)
                sums["judge"] = sums.get("judge", 0.0) + missed
        self.policy.eval()
        return {name: total / steps for name, total in sums.items()} | {"steps": float(steps)}

    def _batches(self, experience: Experience, stage: str, generator: torch.Generator) -> Iterator[Tensor]:
        config = self.config
        improving = stage == "improve"
        size, epochs = (config.improve_batch, config.epochs) if improving else (config.batch, config.clone_epochs)
        for _ in range(epochs):
            if experience.course is not None:
                yield from experience.course.groups(size, generator)
            else:
                yield from torch.split(torch.randperm(len(experience), generator=generator), size)

    def _set_rate(self, stage: str, pace: float) -> None:
        rate = self.config.improve_rate if stage == "improve" else self.config.rate
        for group in self.optimiser.param_groups:
            group["lr"] = rate * pace

    def _losses(self, experience: Experience, rows: Tensor, stage: str) -> dict[str, Tensor]:
        output = self._decided(experience, rows)
        labels = experience.labels.rows(rows)
        value = 0.5 * (output.value - experience.target[rows]).pow(2).mean()
        losses = {"value": value}
        if stage == "improve":
            losses |= self._gradients(experience, rows, output)
            graded = experience.graded[rows]
            whole = imitation_error(output.vector, labels)
            losses["imitation"] = torch.where(graded, unmoved_imitation(output, labels), 3 * whole).mean()
        else:
            losses["imitation"] = imitation_error(output.vector, labels).mean()
            losses["experts"] = expert_loss(output, labels)
        with torch.no_grad():
            moved = (experience.vector[rows] - output.vector)[:, :MOVES] * torch.exp(-output.log_std[:MOVES])
            losses["kl"] = 0.5 * moved.pow(2).sum(dim=-1).mean()
        return losses

    def _taught(self, experience: Experience, rows: Tensor) -> float:
        """Makes one gradient step of the judge; returns its loss."""
        assert self.judge is not None, "only a judge is taught"
        assert self.teaching is not None, "a judge has an optimiser"
        assert experience.known is not None, "a judge has to be told"
        loss = 0.5 * (self.judge(experience.known[rows]) - experience.target[rows]).pow(2).mean()
        self.teaching.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.judge.parameters(), self.config.max_norm)
        self.teaching.step()
        return float(loss.detach())

    def _decided(self, experience: Experience, rows: Tensor) -> PolicyOutput:
        seen = experience.senses.rows(rows)
        if experience.course is None:
            output: PolicyOutput = self.policy(seen)
            return output
        assert isinstance(self.policy, RecurrentPolicy), "only these have a course"
        return self.policy.through(seen, experience.course.rows(rows))

    def _gradients(self, experience: Experience, rows: Tensor, output: PolicyOutput) -> dict[str, Tensor]:
        actions = experience.actions.rows(rows)
        graded = experience.graded[rows].to(output.value.dtype)
        count = graded.sum().clamp(min=1.0)
        advantage = experience.advantage[rows]
        centre = (advantage * graded).sum() / count
        spread = ((advantage - centre).pow(2) * graded).sum().div(count).sqrt()
        advantage = (advantage - centre) / (spread + 1e-6) * graded
        ratio = torch.exp(movement_logprob(output, actions) - experience.logprob[rows])
        clipped = ratio.clamp(1 - self.config.clip, 1 + self.config.clip)
        return {
            "policy": -torch.minimum(ratio * advantage, clipped * advantage).sum() / count,
            "entropy": movement_entropy(output),
            "experts": expert_loss(output, actions, advantage.clamp(0.0, 2.0)),
            "clipped": (ratio != clipped).float().mean(),
        }

    def _descend(self, losses: dict[str, Tensor]) -> None:
        config = self.config
        improving = "policy" in losses
        total = config.value * losses["value"]
        if improving:
            total = total + losses["policy"] - config.entropy * losses["entropy"]
        total = total + (config.imitate if improving else 1.0) * losses["imitation"]
        total = total + (config.experts if improving else 0.3) * losses["experts"]
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), config.max_norm)
        self.optimiser.step()


def unmoved_imitation(output: PolicyOutput, labels: PolicyActions) -> Tensor:
    """(N,) imitation error of everything but move and turn."""
    free = labels.continuous.clone()
    free[:, :MOVES] = output.mean[:, :MOVES].detach()
    choices = {name: getattr(labels, name) for name in ("interact", "emote", "speak")}
    row = torch.cat((output.vector[:, :MOVES].detach(), output.vector[:, MOVES:]), dim=1)
    return imitation_error(row, PolicyActions.of(free, choices))
