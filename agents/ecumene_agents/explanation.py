"""Why a mind decided as it did: where it looked, what each expert proposed, and what would change without a sense.

The last is exact: the same network decides again without that sense. All variants go through it as one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch

from ecumene_agents.vectors import length
from ecumene_models.actions import EXPERTS, PolicyActions, PolicyOutput, divergence
from ecumene_models.fusion import GROUPS, FusionPolicy
from ecumene_models.senses import NEIGHBOURS, SENSES, SenseBatch

ABLATED: Final = (*SENSES, "neighbours")
"""What is taken away, one at a time."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What taking one sense away does to a decision.

    Attributes:
        divergence: Kullback-Leibler divergence from the decision with all senses, nats; for the scripted controller
            half the squared change of move and turn, in their units.
        speed: Length of the change of the wanted velocity, in parts of the top speed.
        turn: Change of the wanted turn, in parts of π.
    """

    divergence: float
    speed: float
    turn: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision, taken apart.

    Attributes:
        move: Wanted velocity forward and left, in parts of the top speed.
        turn: Wanted turn, in parts of π.
        attention: Share of the last layer's attention on each group of tokens, heads averaged; sums to 1. Empty for
            the scripted controller, which has none.
        neighbour_attention: The same for each of the 8 neighbours.
        pool: Weight of each expert in the pool that fusion starts from; sums to 1.
        experts: Velocity that each expert present proposes.
        effects: What would change without each sense; of senses that the avatar lacks, nothing.
        value: What the mind expects to come of it, None for the scripted controller.
    """

    move: tuple[float, float]
    turn: float
    attention: Mapping[str, float]
    neighbour_attention: tuple[float, ...]
    pool: Mapping[str, float]
    experts: Mapping[str, tuple[float, float]]
    effects: Mapping[str, Effect]
    value: float | None

    @property
    def top(self) -> str:
        """The sense whose loss would change the decision most, "" if none would change it at all."""
        name = max(self.effects, key=lambda sense: self.effects[sense].divergence)
        return name if self.effects[name].divergence > 1e-9 else ""


def explain(policy: FusionPolicy, senses: SenseBatch) -> Explanation:
    """Explains what a policy decides for one row of senses."""
    with torch.inference_mode():
        output = policy(variants(senses))
    vector = output.vector
    nats = divergence(vector[:1].expand(len(ABLATED), -1), vector[1:], output.log_std)
    move, turn = output.move, output.turn
    return Explanation(
        move=_pair(move),
        turn=float(turn[0]),
        attention=_attention(output),
        neighbour_attention=tuple(output.attention[0, :, GROUPS["neighbours"]].mean(dim=0).tolist()),
        pool=dict(zip(EXPERTS, output.contribution[0].tolist(), strict=True)),
        experts=_experts(output),
        effects=_effects(nats, move, turn),
        value=float(output.value[0]),
    )


def explain_scripted(act: Callable[[SenseBatch], PolicyActions], senses: SenseBatch) -> Explanation:
    """Explains what a controller without a network does for one row of senses."""
    actions = act(variants(senses))
    move, turn = actions.move, actions.turn
    squares = 0.5 * (((move[1:] - move[:1]) ** 2).sum(dim=1) + (turn[1:] - turn[:1]) ** 2)
    effects = _effects(squares, move, turn)
    return Explanation(_pair(move), float(turn[0]), {}, (0.0,) * NEIGHBOURS, {}, {}, effects, None)


def variants(senses: SenseBatch) -> SenseBatch:
    """Returns one row of senses, then the same without each of `ABLATED`."""
    assert len(senses) == 1, "one decision is explained at a time"
    return SenseBatch.cat([senses, *(senses.without(sense) for sense in SENSES), senses.alone()])


def _attention(output: PolicyOutput) -> dict[str, float]:
    share = output.attention[0].mean(dim=0)
    return {name: float(share[tokens].sum()) for name, tokens in GROUPS.items()}


def _experts(output: PolicyOutput) -> dict[str, tuple[float, float]]:
    moves, present = output.experts[0, :, :2].tolist(), output.expert_present[0].tolist()
    return {name: (x, y) for name, (x, y), here in zip(EXPERTS, moves, present, strict=True) if here}


def _effects(change: torch.Tensor, move: torch.Tensor, turn: torch.Tensor) -> dict[str, Effect]:
    """Returns effects from the (4,) change and (5, 2) moves and (5,) turns, of which row 0 has all senses."""
    speed = length(move[1:] - move[:1])
    rows = zip(ABLATED, change.tolist(), speed.tolist(), (turn[1:] - turn[:1]).tolist(), strict=True)
    return {name: Effect(max(nats, 0.0), pace, angle) for name, nats, pace, angle in rows}


def _pair(move: torch.Tensor) -> tuple[float, float]:
    x, y = move[0].tolist()
    return (x, y)
