"""Self-supervised pretraining: a policy's encoders and attention learn from what is perceived, without any reward.

A sense is hidden, as if the avatar lacked it, and a decoder has to say from the rest what that sense perceives now and
what all of them will perceive a moment later, told how the body moved in between. The decoder reads what the policy's
heads will read, and is thrown away afterwards. The contrastive objective asks instead which of the moments of a batch
follows which.

Sources: Bachmann et al. 2022, MultiMAE: multi-modal multi-task masked autoencoders, section 3 (one modality from the
others); Radosavovic et al. 2023, Robot learning with sensorimotor pre-training, section 3 (masked sensorimotor tokens);
van den Oord et al. 2018, Representation learning with contrastive predictive coding, section 2.3 (InfoNCE).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.encoders import mlp
from ecumene_models.errors import RolloutError
from ecumene_models.fusion import GROUPS, FusionPolicy
from ecumene_models.senses import BANDS, CATEGORIES, COLUMNS, EARS, FRAMES, NEIGHBOURS, SENSES, TOUCH, SenseBatch

HIDDEN: Final = (*SENSES, "people")
"""What can be hidden: the senses, and the neighbours that every mind is told of."""
MOTION: Final = 6
"""How a body moved: forward and left in metres, cosine and sine of its turn, gaze yaw and pitch afterwards."""
BLOCKS: Final = 8
"""Parts of the view, left to right, of which is told what is to be seen there."""
SECTORS: Final = 8
OBJECTIVES: Final = ("masked", "contrastive", "shuffled")
"""What can be asked. Shuffled is a control: the decoder is asked for what somebody else perceives."""

_WIDTHS: Final = (COLUMNS + BLOCKS * CATEGORIES, 2 * EARS * BANDS, TOUCH, SECTORS)
TARGETS: Final = sum(_WIDTHS)
PARTS: Final[Mapping[str, slice]] = {
    name: slice(sum(_WIDTHS[:place]), sum(_WIDTHS[: place + 1])) for place, name in enumerate(HIDDEN)
}
"""Which targets belong to what."""
_LEAST_SPREAD: Final = 0.05
"""Targets that vary less than this are not blown up to what the others are."""
_FURTHEST: Final = 5.0
"""Standard deviations beyond which a target counts as this far off."""


@dataclass(frozen=True, slots=True)
class Rollouts:
    """What avatars perceived while they walked about; nothing says what for, or how well they did.

    Attributes:
        senses: M rows.
        now: (P,) i64, rows of which it is known what the same avatar perceived a moment later.
        later: (P,) i64, that row.
        motion: (P, 6) f32, how its body moved in between, see `MOTION`.
    """

    senses: SenseBatch
    now: Tensor
    later: Tensor
    motion: Tensor

    def __len__(self) -> int:
        return len(self.now)

    def checked(self) -> Rollouts:
        """Returns itself.

        Raises:
            RolloutError: There is no pair of moments, or a number is not finite.
        """
        if not len(self):
            raise RolloutError("these rollouts hold no two moments of one avatar; let them last longer")
        for name, tensor in {**self.senses.tensors(), "motion": self.motion}.items():
            if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                raise RolloutError(f"{name!r} of these rollouts holds numbers that are not finite")
        return self


@dataclass(frozen=True, slots=True)
class PretrainingConfig:
    """How encoders are pretrained.

    Attributes:
        objective: One of `OBJECTIVES`.
        epochs: Passes over the pairs of moments.
        batch: Pairs a step.
        rate: Learning rate of Adam at the start; falls to zero along a half cosine.
        hide: Probability that one of `HIDDEN` is hidden.
        hidden: Width inside the decoder.
        temperature: Of the contrastive objective.
        clip: Greatest norm of the gradient.
    """

    objective: str = "masked"
    epochs: int = 6
    batch: int = 512
    rate: float = 1e-3
    hide: float = 0.75
    hidden: int = 192
    temperature: float = 0.1
    clip: float = 1.0


class Scale(nn.Module):
    """Brings targets to mean 0 and spread 1, each by what the rollouts hold."""

    mean: Tensor
    spread: Tensor

    def __init__(self, found: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", found.mean(dim=0))
        self.register_buffer("spread", found.std(dim=0, correction=0).clamp(min=_LEAST_SPREAD))

    def forward(self, found: Tensor) -> Tensor:
        """Scales (N, targets)."""
        return ((found - self.mean) / self.spread).clamp(-_FURTHEST, _FURTHEST)

    def back(self, scaled: Tensor) -> Tensor:
        """Returns (N, targets) in their own units."""
        return scaled * self.spread + self.mean


class Decoder(nn.Module):
    """Says from what the heads of a policy read what is perceived now, and what will be a moment later.

    Attributes:
        scale: Of the targets.
    """

    def __init__(self, d: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.scale = Scale(torch.zeros(1, TARGETS))
        width = (GROUPS["neighbours"].start + 2) * d + len(HIDDEN)
        self.now, self.later = mlp(width, hidden, TARGETS), mlp(width + MOTION, hidden, TARGETS)
        self.sought, self.seen = mlp(width + MOTION, hidden, d), mlp(width, hidden, d)
        _draw(self, generator)

    def forward(self, read: Tensor, motion: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the (N, targets) scaled targets now and later."""
        return self.now(read), self.later(torch.cat((read, motion), dim=1))


def targets(policy: FusionPolicy, senses: SenseBatch) -> Tensor:
    """Returns what of N rows is to be predicted, (N, targets) f32, in the order of `HIDDEN`.

    That is how near obstacles are in each of 24 columns and which categories are in each eighth of the view; level and
    four times the difference of the ears in each band, earlier and later half; touch; how near people are in each
    eighth around the body.
    """
    near = policy.vision.nearness(senses.vision_depth, senses.vision_kind, senses.body[:, 4])
    columns = senses.vision_kind.long().view(len(senses), -1, BLOCKS, COLUMNS // BLOCKS).transpose(1, 2).flatten(2)
    kinds = torch.zeros(len(senses), BLOCKS, CATEGORIES, device=near.device).scatter_(2, columns, 1.0)
    halves = senses.hearing.reshape(len(senses), EARS, 2, FRAMES // 2, BANDS).mean(dim=3)
    left, right = halves.unbind(dim=1)
    heard = torch.cat(((0.5 * (left + right)).flatten(1), (4.0 * (left - right)).flatten(1)), dim=1)
    return torch.cat((near, kinds.flatten(1), heard, senses.touch.clamp(-3, 3), people(senses)), dim=1)


def people(senses: SenseBatch) -> Tensor:
    """Returns (N, 8) 1 / (0.3 + metres) to the nearest person in each 45° sector, counter-clockwise from ahead."""
    place = senses.neighbours[..., :2]
    sector = (torch.atan2(place[..., 1], place[..., 0]) / (2 * torch.pi / SECTORS)).round().long() % SECTORS
    near = (1.0 / (0.3 + senses.neighbours[..., 5].clamp(min=0.0))).masked_fill(~senses.neighbour_present, 0.0)
    return torch.zeros_like(near[:, :SECTORS]).scatter_reduce_(1, sector, near, "amax")


def hide(senses: SenseBatch, hidden: Tensor) -> SenseBatch:
    """Returns the rows without what (N, 4) bool, in the order of `HIDDEN`, says."""
    kept = senses.neighbour_present & ~hidden[:, 3:].expand(-1, NEIGHBOURS)
    return replace(senses, present=senses.present & ~hidden[:, :3], neighbour_present=kept)


def drawn(count: int, probability: float, generator: torch.Generator) -> Tensor:
    """Returns (N, 4) bool: one of `HIDDEN` in each row that hides anything."""
    which = torch.randint(0, len(HIDDEN), (count,), generator=generator)
    hides = torch.rand(count, generator=generator) < probability
    return functional.one_hot(which, len(HIDDEN)).bool() & hides[:, None]


def read(policy: FusionPolicy, senses: SenseBatch, hidden: Tensor) -> Tensor:
    """Returns (N, K) what a decoder is told of rows of which (N, 4) `hidden` is hidden."""
    features, found = policy.perceive(hide(senses, hidden))
    start = GROUPS["neighbours"].start
    near = features[:, start:].amax(dim=1)
    return torch.cat((features[:, :start].flatten(1), near, found, hidden.to(found.dtype)), dim=1)


def explained(policy: FusionPolicy, decoder: Decoder, held: Rollouts, *, most: int = 4096) -> Mapping[str, float]:
    """Returns the share of variance that predictions explain on rollouts, 1 for all and 0 for none.

    Names are "vision hidden", what is said of vision when it is hidden; "vision shown"; and "vision later", with
    nothing hidden; likewise hearing, touch and people.
    """
    policy.eval()
    index = torch.arange(min(len(held), most))
    answers = {name: said(policy, decoder, held, index, name) for name in HIDDEN}
    shown, later = said(policy, decoder, held, index)
    now, then = (decoder.scale(targets(policy, held.senses.rows(rows[index]))) for rows in (held.now, held.later))
    numbers: dict[str, float] = {}
    for name, part in PARTS.items():
        numbers[f"{name} hidden"] = _share(answers[name][0][:, part], now[:, part])
        numbers[f"{name} shown"] = _share(shown[:, part], now[:, part])
        numbers[f"{name} later"] = _share(later[:, part], then[:, part])
    return numbers


@torch.no_grad()
def said(
    policy: FusionPolicy, decoder: Decoder, held: Rollouts, index: Tensor, hidden: str = ""
) -> tuple[Tensor, Tensor]:
    """Returns what a decoder says of (N,) pairs of moments, with one of `HIDDEN` hidden or none: now, later, scaled."""
    answers = []
    for part in torch.split(index, 512):
        mask = torch.zeros(len(part), len(HIDDEN), dtype=torch.bool)
        if hidden:
            mask[:, HIDDEN.index(hidden)] = True
        answers.append(decoder(read(policy, held.senses.rows(held.now[part]), mask), held.motion[part]))
    now, later = zip(*answers, strict=True)
    return torch.cat(now), torch.cat(later)


def _share(answer: Tensor, true: Tensor) -> float:
    """Returns 1 - error / variance, both summed over all columns."""
    variance = (true - true.mean(dim=0)).square().sum()
    return float(1.0 - (answer - true).square().sum() / variance.clamp(min=1e-6))


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What pretraining leaves beside the policy.

    Attributes:
        decoder: Minds don't need it; pictures do.
        losses: Mean loss of each epoch on the rollouts learned from.
        held: The loss after each epoch on rollouts that were not learned from.
    """

    decoder: Decoder
    losses: list[float]
    held: list[float]


def pretrain(
    policy: FusionPolicy,
    rollouts: Rollouts,
    held: Rollouts,
    config: PretrainingConfig,
    generator: torch.Generator,
    progress: Callable[[int, int, float], None] | None = None,
) -> Pretrained:
    """Trains encoders and attention of `policy` in place; its heads stay as they are.

    Args:
        policy: On the CPU.
        rollouts: To learn from.
        held: Not to be learned from; the loss on them is reported after each epoch.
        config: How long and how fast.
        generator: Draws the decoder, the order of rows and what is hidden.
        progress: Told epochs done, epochs in all and the loss on `held`.

    Raises:
        RolloutError: The rollouts are empty or not finite, or there is no such objective.
    """
    if config.objective not in OBJECTIVES:
        raise RolloutError(f"there is no objective {config.objective!r}; there are {', '.join(OBJECTIVES)}")
    rollouts.checked(), held.checked()
    decoder = Decoder(policy.config.d, config.hidden, generator)
    with torch.no_grad():
        wanted = torch.cat([targets(policy, part) for part in rollouts.senses.chunks(2048)])
    decoder.scale = Scale(wanted)
    seeing = trained_parameters(policy)
    optimiser = torch.optim.Adam([*seeing.values(), *decoder.parameters()], lr=config.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.epochs * -(-len(rollouts) // config.batch))
    lesson = _Lesson(policy, decoder, config)
    losses: list[float] = []
    kept: list[float] = []
    for epoch in range(config.epochs):
        policy.train()
        order = torch.randperm(len(rollouts), generator=generator)
        each = []
        for index in torch.split(order, config.batch):
            loss = lesson.loss(rollouts, index, generator)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_([*seeing.values(), *decoder.parameters()], config.clip)
            optimiser.step()
            schedule.step()
            each.append(float(loss.detach()))
        losses.append(sum(each) / len(each))
        kept.append(lesson.held_loss(held))
        if progress is not None:
            progress(epoch + 1, config.epochs, kept[-1])
    policy.eval()
    return Pretrained(decoder, losses, kept)


def trained_parameters(policy: FusionPolicy) -> dict[str, nn.Parameter]:
    """Returns the parameters that pretraining changes: all but those of experts, correction, critic and noise."""
    heads = ("experts.", "residual.", "critic.", "log_std", "recall.")
    return {name: each for name, each in policy.named_parameters() if not name.startswith(heads)}


@dataclass(frozen=True, slots=True)
class _Lesson:
    policy: FusionPolicy
    decoder: Decoder
    config: PretrainingConfig

    def loss(self, rollouts: Rollouts, index: Tensor, generator: torch.Generator) -> Tensor:
        """Returns the loss of some pairs of moments."""
        here, then = (rollouts.senses.rows(rows[index]) for rows in (rollouts.now, rollouts.later))
        hidden = drawn(len(index), self.config.hide, generator)
        told = read(self.policy, here, hidden)
        if self.config.objective == "contrastive":
            return self._contrast(told, then, rollouts.motion[index])
        if self.config.objective == "shuffled":
            other = torch.randperm(len(index), generator=generator)
            now_rows, later_rows = here.rows(other), then.rows(other)
        else:
            now_rows, later_rows = here, then
        now, later = self.decoder(told, rollouts.motion[index])
        return 0.5 * (self._missed(now, now_rows) + self._missed(later, later_rows))

    @torch.no_grad()
    def held_loss(self, held: Rollouts) -> float:
        """Returns the mean loss on some pairs, with the same ones hidden at each call."""
        generator = torch.Generator().manual_seed(0)
        self.policy.eval()
        parts = torch.split(torch.arange(min(len(held), 4096)), self.config.batch)
        return sum(float(self.loss(held, part, generator)) * len(part) for part in parts) / sum(map(len, parts))

    def _missed(self, answer: Tensor, senses: SenseBatch) -> Tensor:
        """Returns the squared error, each of `HIDDEN` weighing the same; what somebody lacks does not count."""
        with torch.no_grad():
            wanted = self.decoder.scale(targets(self.policy, senses))
        error = (answer - wanted).square()
        parts = [part.mean(dim=1) for part in torch.split(error, list(_WIDTHS), dim=1)]
        present = torch.cat((senses.present, torch.ones_like(senses.present[:, :1])), dim=1)
        return (torch.stack(parts, dim=1) * present).sum() / present.sum().clamp(min=1)

    def _contrast(self, told: Tensor, then: SenseBatch, motion: Tensor) -> Tensor:
        """Returns the InfoNCE loss, in both directions, of which moment comes after which."""
        whole = read(self.policy, then, torch.zeros(len(then), len(HIDDEN), dtype=torch.bool))
        sought = functional.normalize(self.decoder.sought(torch.cat((told, motion), dim=1)), dim=1)
        seen = functional.normalize(self.decoder.seen(whole), dim=1)
        alike = sought @ seen.T / self.config.temperature
        true = torch.arange(len(alike))
        return 0.5 * (functional.cross_entropy(alike, true) + functional.cross_entropy(alike.T, true))


@torch.no_grad()
def _draw(module: nn.Module, generator: torch.Generator) -> None:
    """Draws all parameters evenly, as wide as torch does, but from the generator."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
