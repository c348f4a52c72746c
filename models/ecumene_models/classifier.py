"""A classifier of what is seen, heard and felt at once, fused as the minds fuse their senses.

Every sense has an expert of its own, and so has the form: vision and touch share one space, so what is seen and what is
felt at the same spot is also looked at together. The experts' log-probabilities are added up, each times a gain that is
fitted on data which they have not seen: a calibrated product of experts. Attention over the tokens of all senses adds a
correction that starts at zero and holds only where at least two senses are there to be compared.

Source: Hinton, Training Products of Experts by Minimizing Contrastive Divergence, 2002, section 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from ecumene_models import checkpoint
from ecumene_models.crossmodal import CrossModal, pooled
from ecumene_models.errors import WeightsError
from ecumene_models.percepts import IMAGE_TOKENS, SOUND_TOKENS, ImageEncoder, Percepts, SoundEncoder, TouchMap
from ecumene_models.senses import SENSES

MODEL: Final = "fused-classifier"
EXPERTS: Final = (*SENSES, "form")
"""Who judges; the form is there where vision and touch both are."""
SIZES: Final = (IMAGE_TOKENS, SOUND_TOKENS, IMAGE_TOKENS, IMAGE_TOKENS)
"""Tokens of each of `EXPERTS`."""
GROUPS: Final[Mapping[str, slice]] = {
    name: slice(1 + sum(SIZES[:index]), 1 + sum(SIZES[: index + 1])) for index, name in enumerate(EXPERTS)
}
"""Which tokens each expert holds, in the order of the last axis of `Classified.attention`; token 0 asks."""
TOKENS: Final = 1 + sum(SIZES)


@dataclass(frozen=True, slots=True)
class ClassifierConfig:
    """Sizes of a `FusedClassifier`.

    Attributes:
        classes: That it tells apart.
        d: Width of a token.
        heads: Attention heads; divides `d`.
        layers: Transformer layers, at least 1.
        hidden: Width inside the feed-forward parts and the experts' heads.
        experts: Whether there is a pool of experts; without it the attention decides alone, as textbooks have it, and
            there are no tokens of the form.
    """

    classes: int = 10
    d: int = 64
    heads: int = 4
    layers: int = 2
    hidden: int = 96
    experts: bool = True


@dataclass(frozen=True, slots=True)
class Classified:
    """What a classifier says of N percepts.

    Attributes:
        log_chances: (N, classes) log-probabilities; uniform where no sense is present.
        experts: (N, 4, classes) log-probabilities by each expert alone; what absent ones say does not count.
        expert_present: (N, 4) bool.
        contribution: (N, 3) nats by which the pool would be less sure of its answer without each sense; 0 where absent.
        attention: (N, heads, T) where the deciding token looked.
    """

    log_chances: Tensor
    experts: Tensor
    expert_present: Tensor
    contribution: Tensor
    attention: Tensor


class FusedClassifier(CrossModal):
    """Percepts of N things in, log-probabilities of their classes and the explanation out."""

    def __init__(self, config: ClassifierConfig | None = None, generator: torch.Generator | None = None) -> None:
        """Builds the network; with no generator the numbers are those of seed 0."""
        super().__init__()
        self.config = config = config or ClassifierConfig()
        with torch.device("meta"):
            self._build(config)
        self._allocate()
        self._initialise(generator or torch.Generator().manual_seed(0))

    def _build(self, config: ClassifierConfig) -> None:
        d = config.d
        self.vision, self.hearing, self.touch = ImageEncoder(d), SoundEncoder(d), ImageEncoder(d)
        self.touch_map = TouchMap()
        if config.experts:
            self.form = ImageEncoder(d, width=24, planes=4)
        self.judges = nn.ModuleList(
            nn.Sequential(nn.Linear(size * d, config.hidden), nn.ReLU(), nn.Linear(config.hidden, config.classes))
            for size in (SIZES if config.experts else ())
        )
        self.gain = nn.Parameter(torch.zeros(2, len(EXPERTS)))
        sizes, tokens = (d, config.heads, config.hidden), 1 + sum(self.sizes)
        self._build_cross(sizes, tokens=tokens, queries=tokens, layers=config.layers, outputs=config.classes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many tokens there are of each of `EXPERTS`; without experts there are none of the form."""
        return SIZES if self.config.experts else SIZES[: len(SENSES)]

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        self._initialise_cross(generator)
        self.gain[:, : len(SENSES)] = 1.0
        if not self.config.experts:
            bound = self.config.d**-0.5
            nn.init.uniform_(self.residual.weight, -bound, bound, generator=generator)

    def forward(self, percepts: Percepts) -> Classified:
        """Classifies N percepts."""
        tokens = self.encode(percepts)
        return self.fuse(tokens, self.consult(tokens), percepts.present)

    def encode(self, percepts: Percepts) -> Tensor:
        """Returns (N, T - 1, d) tokens; what is absent is encoded from zeros, so that its numbers never count."""
        sees, hears, feels = percepts.present.unbind(dim=1)
        image = percepts.image.masked_fill(~sees[:, None, None, None], 0.0)
        felt = self.touch_map(percepts.glimpses.masked_fill(~feels[:, None, None], 0.0))
        frames = percepts.frames.masked_fill(~hears[:, None, None], 0.0)
        tokens = [self.vision(image), self.hearing(frames), self.touch(felt)]
        if self.config.experts:
            tokens.append(self.form(torch.cat((image, felt), dim=1)))
        return torch.cat(tokens, dim=1)

    def consult(self, tokens: Tensor) -> Tensor:
        """Returns the experts' (N, 4, classes) log-probabilities from their own tokens; uniform if there are none."""
        if not self.config.experts:
            return tokens.new_zeros(len(tokens), len(EXPERTS), self.config.classes).log_softmax(-1)
        own = (part.flatten(1) for part in torch.split(torch.relu(tokens), list(SIZES), dim=1))
        return torch.stack([judge(part) for judge, part in zip(self.judges, own, strict=True)], 1).log_softmax(-1)

    def pool(self, experts: Tensor, present: Tensor) -> Tensor:
        """Returns (N, classes), the sum of the log-probabilities of the experts present, each times its gain."""
        there = self.experts_present(present)
        gain = self.gain[there[:, -1].long()] * there
        return pooled(experts, gain[..., None])

    def fuse(self, tokens: Tensor, experts: Tensor, present: Tensor) -> Classified:
        """Returns the answer to encoded percepts of which (N, 3) senses are present."""
        asking = tokens.new_zeros(len(tokens), 1, tokens.shape[2])
        there = self.experts_present(present)
        normed, attention = self._look(torch.cat((asking, tokens), dim=1), self._tokens_present(there))
        row = self.residual(normed) * self._counts(present)
        if self.config.experts:
            row = row + self.pool(experts, present)
        contribution = self.contribution(experts, present)
        return Classified(row.log_softmax(-1), experts, there, contribution, attention)

    def contribution(self, experts: Tensor, present: Tensor) -> Tensor:
        """Returns (N, 3) nats that the pool's answer loses when a sense, and all it takes part in, is taken away."""
        pool = self.pool(experts, present).log_softmax(-1)
        answer = pool.argmax(-1, keepdim=True)
        left = [self.pool(experts, present & ~gone).log_softmax(-1) for gone in torch.eye(len(SENSES)).bool()]
        return torch.cat([(pool - other).gather(-1, answer) for other in left], dim=1)

    def experts_present(self, present: Tensor) -> Tensor:
        """Returns (N, 4) bool of (N, 3) senses."""
        form = present[:, :1] & present[:, 2:] & self.config.experts
        return torch.cat((present, form), dim=1)

    def _tokens_present(self, there: Tensor) -> Tensor:
        """Returns (N, T) bool of (N, 4) experts; token 0 is always there."""
        sizes = torch.tensor(self.sizes, device=there.device)
        own = there[:, : len(sizes)].repeat_interleave(sizes, dim=1)
        return torch.cat((torch.ones_like(there[:, :1]), own), dim=1)

    def _counts(self, present: Tensor) -> Tensor:
        """Returns (N, 1): 1 where attention has a say. With experts it takes two senses, without them one."""
        return (present.sum(1, keepdim=True) > int(self.config.experts)).float()


def save_classifier(network: FusedClassifier, path: Path, notes: Mapping[str, Any]) -> str:
    """Writes a classifier and returns its digest."""
    return checkpoint.write(path, network, model=MODEL, config=asdict(network.config), notes=notes)


def load_classifier(path: Path) -> FusedClassifier:
    """Reads a classifier, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        network = FusedClassifier(ClassifierConfig(**found.config))
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError):
        sizes = json.dumps(dict(found.config))
        raise WeightsError(f"{path} describes a network that can't be built: {sizes}") from None
    checkpoint.fit(network, found, path)
    return network.eval()
