"""Why a mind decided as it did: where it looked, what each expert proposed, and what would change without a sense.

The last is exact: the same network decides again without that sense, or without that neighbour. All variants go through
it as one batch. Attention and the pool's weights come for free but say something else: see `docs/how-to/explain.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_models.actions import EXPERTS, PolicyActions, PolicyOutput, divergence
from ecumene_models.fusion import GROUPS, FusionPolicy
from ecumene_models.senses import NEIGHBOURS, SENSES, SenseBatch

ABLATED: Final = (*SENSES, "neighbours")
"""What is taken away, one at a time; then each neighbour."""
VARIANTS: Final = 1 + len(ABLATED) + NEIGHBOURS
"""Decisions that an explanation takes: as it was, then without each."""
NOTHING: Final = 1e-9
"""A divergence up to this is rounding, nats."""


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
        neighbour_effects: What would change without each of the 8 neighbours.
        value: What the mind expects to come of it, None for the scripted controller.
        intent: What the NPC wanted, such as "going to Market square".
        cause: Why its slow mind wants that, "" for one that has none.
    """

    move: tuple[float, float]
    turn: float
    attention: Mapping[str, float]
    neighbour_attention: tuple[float, ...]
    pool: Mapping[str, float]
    experts: Mapping[str, tuple[float, float]]
    effects: Mapping[str, Effect]
    neighbour_effects: tuple[Effect, ...]
    value: float | None
    intent: str = ""
    cause: str = ""

    @property
    def top(self) -> str:
        """The sense whose loss would change the decision most, "" if none would change it at all."""
        name = max(self.effects, key=lambda sense: self.effects[sense].divergence)
        return name if self.effects[name].divergence > NOTHING else ""

    @property
    def top_neighbour(self) -> int:
        """The neighbour whose absence would change the decision most, -1 if none would change it at all."""
        nats = [effect.divergence for effect in self.neighbour_effects]
        return nats.index(max(nats)) if max(nats) > NOTHING else -1

    def to_json(self) -> dict[str, Any]:
        """The explanation as JSON."""
        return {**asdict(self), "top": self.top, "top_neighbour": self.top_neighbour}


def explain(policy: FusionPolicy, senses: SenseBatch, memory: Tensor | None = None) -> Explanation:
    """Explains what a policy decides for one row of senses and, if it has memory, for what it remembered, (1, M)."""
    rows = variants(senses)
    with torch.inference_mode():
        output = policy(rows) if memory is None else policy(rows, memory=memory.expand(len(rows), -1))
    nats, move, turn = losses(output, 1)[0], output.move, output.turn
    effects = _effects(nats, move, turn)
    return Explanation(
        move=_pair(move),
        turn=float(turn[0]),
        attention=_attention(output),
        neighbour_attention=tuple(output.attention[0, :, GROUPS["neighbours"]].mean(dim=0).tolist()),
        pool=dict(zip(EXPERTS, output.contribution[0].tolist(), strict=True)),
        experts=_experts(output),
        effects=dict(zip(ABLATED, effects, strict=False)),
        neighbour_effects=effects[len(ABLATED) :],
        value=float(output.value[0]),
    )


def explain_scripted(act: Callable[[SenseBatch], PolicyActions], senses: SenseBatch) -> Explanation:
    """Explains what a controller without a network does for one row of senses."""
    actions = act(variants(senses))
    move, turn = actions.move, actions.turn
    squares = 0.5 * (((move[1:] - move[:1]) ** 2).sum(dim=1) + (turn[1:] - turn[:1]) ** 2)
    effects = _effects(squares, move, turn)
    by_sense = dict(zip(ABLATED, effects, strict=False))
    return Explanation(
        _pair(move), float(turn[0]), {}, (0.0,) * NEIGHBOURS, {}, {}, by_sense, effects[len(ABLATED) :], None
    )


def variants(senses: SenseBatch) -> SenseBatch:
    """Returns N rows of senses, then the same without each of `ABLATED`, then without each neighbour: 13 N rows."""
    blinded = (senses.without(sense) for sense in SENSES)
    unmet = (senses.unmet(neighbour) for neighbour in range(NEIGHBOURS))
    return SenseBatch.cat([senses, *blinded, senses.alone(), *unmet])


def losses(output: PolicyOutput, count: int) -> Tensor:
    """Returns (N, 12) how far a decision is from the one without each sense and each neighbour, nats.

    Args:
        output: What a policy makes of `variants`.
        count: N.
    """
    vector = output.vector.view(VARIANTS, count, -1)
    nats = divergence(vector[:1].expand(VARIANTS - 1, -1, -1), vector[1:], output.log_std)
    return nats.transpose(0, 1)


def _attention(output: PolicyOutput) -> dict[str, float]:
    share = output.attention[0].mean(dim=0)
    return {name: float(share[tokens].sum()) for name, tokens in GROUPS.items()}


def _experts(output: PolicyOutput) -> dict[str, tuple[float, float]]:
    moves, present = output.experts[0, :, :2].tolist(), output.expert_present[0].tolist()
    return {name: (x, y) for name, (x, y), here in zip(EXPERTS, moves, present, strict=True) if here}


def _effects(change: Tensor, move: Tensor, turn: Tensor) -> tuple[Effect, ...]:
    """Returns effects from the (12,) change and (13, 2) moves and (13,) turns, of which row 0 has all senses."""
    speed = length(move[1:] - move[:1])
    rows = zip(change.tolist(), speed.tolist(), (turn[1:] - turn[:1]).tolist(), strict=True)
    return tuple(Effect(max(nats, 0.0), pace, angle) for nats, pace, angle in rows)


def _pair(move: Tensor) -> tuple[float, float]:
    x, y = move[0].tolist()
    return (x, y)
