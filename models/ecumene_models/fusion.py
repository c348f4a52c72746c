"""FusionPolicy: experts per sense, pooled, then corrected by a cross-modal transformer that starts at zero.

A transformer that fuses the senses by itself leans on one of them and collapses when it is missing. So every sense has
an expert that can act without the others; the pool weighs the experts that are present, and attention adds a residual.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from ecumene_models.actions import CHOICES, CONTINUOUS, EXPERTS, WIDTH, PolicyActions, PolicyOutput
from ecumene_models.actions import act as draw_actions
from ecumene_models.actions import evaluate as evaluate_actions
from ecumene_models.crossmodal import CrossModal, dropped, pooled, shares
from ecumene_models.encoders import (
    VISION_TOKENS,
    HearingEncoder,
    IntentEncoder,
    NeighbourEncoder,
    VisionEncoder,
    body_encoder,
    mlp,
    touch_encoder,
)
from ecumene_models.senses import NEIGHBOURS, RELATIONS, SENSES, SPEAKING, SenseBatch

GROUPS: Final[Mapping[str, slice]] = {
    "body": slice(0, 1),
    "intent": slice(1, 2),
    "vision": slice(2, 2 + VISION_TOKENS),
    "hearing": slice(2 + VISION_TOKENS, 3 + VISION_TOKENS),
    "touch": slice(3 + VISION_TOKENS, 4 + VISION_TOKENS),
    "neighbours": slice(4 + VISION_TOKENS, 4 + VISION_TOKENS + NEIGHBOURS),
}
"""Which tokens each group holds, in the order of the last axis of `PolicyOutput.attention`."""

TOKENS: Final = 4 + VISION_TOKENS + NEIGHBOURS
_QUERIES: Final = 4 + VISION_TOKENS
_SHARED: Final = ((2, "move"), (1, "turn"), (2, "gaze"), *((size, name) for name, size in CHOICES.items()))
"""Columns of an action row that share one weight in the pool."""
_COLUMN_GROUP: Final = tuple(i for i, (size, _) in enumerate(_SHARED) for _ in range(size))


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """Sizes of a `FusionPolicy`.

    Attributes:
        d: Width of a token.
        heads: Attention heads; divides `d`.
        layers: Transformer layers, at least 1; the last one answers for the self token only.
        hidden: Width inside the feed-forward parts and the heads.
        drop: Probability that modality dropout takes a sense away while training.
        chunk: Avatars per pass, so that activations stay in the cache; 0 never splits. Training never does.
        log_std: Start of the learnable logarithm of the standard deviation.
        relations: Whether a token of each relation that holds is added to a neighbour's token; these start at zero.
    """

    d: int = 64
    heads: int = 4
    layers: int = 2
    hidden: int = 128
    drop: float = 0.15
    chunk: int = 256
    log_std: float = -0.7
    relations: bool = False

    def to_json(self) -> dict[str, int | float]:
        """Returns the sizes as JSON scalars; relations are named only where they are used."""
        found = asdict(self)
        return found if self.relations else {name: size for name, size in found.items() if name != "relations"}


class ExpertHeads(nn.Module):
    """One head per expert: an action row and how sure it is, from its own sense and from body and intent."""

    def __init__(self, config: FusionConfig) -> None:
        super().__init__()
        d, count = config.d, len(EXPERTS)
        widths = {"self": d, "vision": VISION_TOKENS * d, "hearing": d, "touch": d}
        self.own = nn.ModuleList(nn.Linear(widths[name], d, bias=False) for name in EXPERTS)
        self.common = nn.Linear(2 * d, count * d)
        self.out = nn.Parameter(torch.zeros(count, d, WIDTH + len(_SHARED)))

    def forward(self, own: list[Tensor], common: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (N, E, 15) action rows, means not yet bounded, and (N, E, 6) log weights."""
        shared = self.common(common).unflatten(1, (len(EXPERTS), self.out.shape[1])).transpose(0, 1)
        mine = torch.stack([layer(part) for layer, part in zip(self.own, own, strict=True)])
        proposed = torch.bmm(torch.relu(mine + shared), self.out).transpose(0, 1)
        return proposed[..., :WIDTH], proposed[..., WIDTH:]


class Found(NamedTuple):
    """What the senses of N avatars amount to before a decision.

    Attributes:
        seen: (N, d) f32, what the self token found among all tokens.
        pool: (N, 15) f32, the experts' rows pooled, means not yet bounded.
        proposed: (N, E, 15) f32, these rows.
        expert_present: (N, E) bool.
        weight: (N, E, 6) f32, shares in the pool.
        attention: (N, heads, tokens) f32.
    """

    seen: Tensor
    pool: Tensor
    proposed: Tensor
    expert_present: Tensor
    weight: Tensor
    attention: Tensor


class FusionPolicy(CrossModal):
    """The fast mind: senses of N avatars in, actions and their explanation out; no memory between calls."""

    column_group: Tensor

    def __init__(self, config: FusionConfig | None = None, generator: torch.Generator | None = None) -> None:
        """Builds the network; with no generator the numbers are those of seed 0."""
        super().__init__()
        self.config = config = config or FusionConfig()
        with torch.device("meta"):
            self._build(config)
        self._allocate()
        self._initialise(generator or torch.Generator().manual_seed(0))

    def _build(self, config: FusionConfig) -> None:
        d = config.d
        self.body, self.touch = body_encoder(d), touch_encoder(d)
        self.intent, self.vision, self.hearing = IntentEncoder(d), VisionEncoder(d), HearingEncoder(d)
        self.neighbours = NeighbourEncoder(d)
        if config.relations:
            self.relation = nn.Parameter(torch.zeros(RELATIONS, d))
        self.experts = ExpertHeads(config)
        sizes = (d, config.heads, config.hidden)
        self._build_cross(sizes, tokens=TOKENS, queries=_QUERIES, layers=config.layers, outputs=WIDTH)
        self.critic = mlp(d, d, 1)
        columns = torch.tensor(_COLUMN_GROUP, device="cpu")
        self.register_buffer("column_group", columns, persistent=False)
        self.log_std = nn.Parameter(torch.zeros(CONTINUOUS))

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        self._initialise_cross(generator)
        nn.init.normal_(self.experts.out, std=0.1 * self.config.d**-0.5, generator=generator)
        self.log_std.fill_(self.config.log_std)

    def forward(self, senses: SenseBatch, drop: torch.Generator | None = None) -> PolicyOutput:
        """Decides for N avatars.

        Args:
            senses: N rows; what is NaN or infinite in them counts as absent, see `SenseBatch.trusted`.
            drop: Draws which senses modality dropout takes away; None drops nothing.

        Raises:
            SensesError: A sense has another shape than minds take.
        """
        if drop is not None:
            senses = replace(senses, present=dropped(senses.present, self.config.drop, drop))
        chunk = self.config.chunk
        if self.training or not chunk or len(senses) <= chunk:
            return self._decide(senses)
        return PolicyOutput.cat([self._decide(part) for part in senses.chunks(chunk)])

    def perceive(self, senses: SenseBatch) -> tuple[Tensor, Tensor]:
        """Returns what heads read: (N, tokens, d) features, 0 where absent, and (N, d) what the self token found."""
        senses = senses.trusted()
        tokens, present = self._encode(senses), _tokens_present(senses)
        return torch.relu(tokens).masked_fill(~present[..., None], 0.0), self._look(tokens, present)[0]

    def _decide(self, senses: SenseBatch) -> PolicyOutput:
        found = self._find(senses)
        return self._conclude(found, found.pool + self.residual(found.seen), self.critic(found.seen)[:, 0])

    def _find(self, senses: SenseBatch) -> Found:
        senses = senses.trusted()
        tokens = self._encode(senses)
        present = _tokens_present(senses)
        proposed, surety, expert_present = self._consult(tokens, senses)
        weight = shares(surety, expert_present)
        pool = pooled(proposed, weight.index_select(-1, self.column_group))
        normed, attention = self._look(tokens, present)
        return Found(normed, pool, proposed, expert_present, weight, attention)

    def _conclude(self, found: Found, row: Tensor, value: Tensor) -> PolicyOutput:
        return PolicyOutput(
            vector=_bounded(row),
            log_std=self.log_std,
            value=value,
            experts=_bounded(found.proposed),
            expert_present=found.expert_present,
            contribution=found.weight.mean(dim=-1),
            attention=found.attention,
        )

    def _encode(self, senses: SenseBatch) -> Tensor:
        """Returns (N, tokens, d); what is absent is encoded from zeros, so that its numbers never count."""
        sees, hears, feels = senses.present.unbind(dim=1)
        depth = senses.vision_depth.masked_fill(~sees[:, None, None], 0.0)
        kind = senses.vision_kind.masked_fill(~sees[:, None, None], 0)
        hearing = senses.hearing.masked_fill(~hears[:, None, None, None], 0.0)
        neighbours = senses.neighbours.masked_fill(~senses.neighbour_present[..., None], 0.0)
        neighbours[..., SPEAKING] *= hears[:, None]
        parts = (
            self.body(senses.body),
            self.intent(senses.goal, senses.verb),
            self.vision(depth, kind, senses.body[:, 4]),
            self.hearing(hearing),
            self.touch(senses.touch.masked_fill(~feels[:, None], 0.0)),
            self._met(neighbours, senses),
        )
        return torch.cat(parts, dim=1)

    def _met(self, neighbours: Tensor, senses: SenseBatch) -> Tensor:
        """Returns (N, 8, d) tokens of neighbours and of the relations that hold for those who are there."""
        tokens: Tensor = self.neighbours(neighbours)
        if not self.config.relations:
            return tokens
        holds = (senses.relations & senses.neighbour_present[..., None]).to(tokens.dtype)
        return tokens + holds @ self.relation

    def _consult(self, tokens: Tensor, senses: SenseBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the experts' (N, E, 15) rows, (N, E, 6) log weights and (N, E) presence."""
        features = torch.relu(tokens)
        near = features[:, GROUPS["neighbours"]].masked_fill(~senses.neighbour_present[..., None], 0.0).amax(dim=1)
        own = [near, *(features[:, GROUPS[sense]].flatten(1) for sense in SENSES)]
        proposed, surety = self.experts(own, features[:, :2].flatten(1))
        always = torch.ones_like(senses.present[:, :1])
        return proposed, surety, torch.cat((always, senses.present), dim=1)

    @staticmethod
    def act(output: PolicyOutput, generator: torch.Generator | None) -> tuple[PolicyActions, Tensor]:
        """Draws actions, or the likeliest ones without a generator; see `ecumene_models.actions.act`."""
        return draw_actions(output, generator)

    @staticmethod
    def evaluate(output: PolicyOutput, actions: PolicyActions) -> tuple[Tensor, Tensor]:
        """Returns (N,) log-probability and (N,) entropy; see `ecumene_models.actions.evaluate`."""
        return evaluate_actions(output, actions)


def _bounded(row: Tensor) -> Tensor:
    """Returns action rows (..., 15) with the means in -1..1."""
    return torch.cat((torch.tanh(row[..., :CONTINUOUS]), row[..., CONTINUOUS:]), dim=-1)


def _tokens_present(senses: SenseBatch) -> Tensor:
    """Returns which tokens hold something: (N, tokens) bool."""
    always = torch.ones_like(senses.present[:, :1]).expand(-1, 2)
    vision = senses.present[:, :1].expand(-1, VISION_TOKENS)
    return torch.cat((always, vision, senses.present[:, 1:], senses.neighbour_present), dim=1)
