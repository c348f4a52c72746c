"""Training of the segmenter, with or without scans that nobody has labelled: the same seed gives the same weights.

Unlabelled scans are named by a teacher, the running mean of the network's own weights; what it is sure of, the network
learns as if it were so, seen at another heading and scale.

Source: Tarvainen, Valpola, "Mean teachers are better role models", NeurIPS 2017, section 2, with labels in place of a
consistency cost (Sohn et al., "FixMatch", NeurIPS 2020, section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.errors import CloudError
from ecumene_models.segmenter import (
    Cloud,
    Part,
    Segmenter,
    SegmenterConfig,
    sorted_into_cells,
    thinned,
    whereabouts,
    yawed,
)

_OFF_M: Final = 0.12
"""Points farther than this from floor, top and sides are off the shell."""
_OFF_SHELL: Final = 0.85
Report = Callable[[int, int, float], None]
"""Called every so many steps with how many are done, of how many, and the mean loss since."""


class Labelled(NamedTuple):
    """One scan to learn from.

    Attributes:
        xyz: (N, 3) f32 metres, floor at z = 0.
        kind: (N,) i64 rows of the network's classes; None if nobody has said.
    """

    xyz: Tensor
    kind: Tensor | None


@dataclass(frozen=True, slots=True)
class SegmenterTraining:
    """How a network is trained.

    Attributes:
        seed: Of weights, order and every distortion.
        steps: How often weights are changed.
        batch: Labelled columns a step; as many unlabelled ones beside them, if there are any.
        reach_m: Half the width of a column of a scan, which is what is looked at in a step.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        stretch: A room is scaled by up to this share.
        askew: Standard deviation of a room's heading off a quarter turn, radians.
        jitter_m: Standard deviation of noise on each point.
        vague: Standard deviation of what is added to the measures of lumps.
        open: Share of columns whose ceiling is left out, as many scans have none.
        sure: Least share at which the teacher's word counts.
        trust: Weight of what the teacher says, reached after a third of the steps.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    steps: int = 400
    batch: int = 3
    reach_m: float = 1.5
    rate: float = 1e-2
    decay: float = 0.02
    stretch: float = 0.12
    askew: float = 0.05
    jitter_m: float = 0.006
    vague: float = 0.1
    open: float = 0.2
    sure: float = 0.8
    trust: float = 0.6
    device: str = "cpu"


class _Ready(NamedTuple):
    """A thinned scan, where its points lie in it, their kinds if they are known, and rows that are off the shell."""

    xyz: Tensor
    where: Tensor
    kind: Tensor | None
    inside: Tensor


def train_segmenter(
    scans: Sequence[Labelled], config: SegmenterConfig, training: SegmenterTraining, report: Report | None = None
) -> Segmenter:
    """Returns a trained network, the running mean of its weights, in evaluation mode, on the CPU.

    Raises:
        CloudError: No scan is labelled, or a label is none of the network's.
    """
    _check([scan for scan in scans if scan.kind is not None], config)
    ready = [_ready(scan, config) for scan in scans]
    known = [scan for scan in ready if scan.kind is not None]
    unknown = [scan for scan in ready if scan.kind is None]
    generator = torch.Generator().manual_seed(training.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = Segmenter(config).to(training.device)
    run = _Run(network, training, _balance(known, len(config.classes)).to(training.device))
    total, since = 0.0, 0
    for step in range(training.steps):
        loss = run.told(_drawn(known, training.batch, generator), generator)
        if unknown:
            loss = loss + run.guessed(_drawn(unknown, training.batch, generator), generator)
        run.learn(loss)
        total, since = total + float(loss.detach()), since + 1
        if report and ((step + 1) % 20 == 0 or step + 1 == training.steps):
            report(step + 1, training.steps, total / since)
            total, since = 0.0, 0
    return run.teacher.cpu().eval()


class _Run:
    """Network, optimiser, and the running mean of the weights, which teaches and is what one gets in the end."""

    def __init__(self, network: Segmenter, training: SegmenterTraining, weight: Tensor) -> None:
        self.network = network
        self.training = training
        self.weight = weight
        self.teacher = Segmenter(network.config).to(training.device)
        self.teacher.load_state_dict(network.state_dict())
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=training.rate, weight_decay=training.decay)
        self.step = 0

    def told(self, scans: Sequence[_Ready], generator: torch.Generator) -> Tensor:
        """Returns the loss on scans whose labels are known."""
        columns = [_column(scan, self.training, generator) for scan in scans]
        kinds = torch.cat([column.kind for column in columns if column.kind is not None]).to(self.training.device)
        logits = self.network(self._cells([_distorted(one, self.training, generator) for one in columns], generator))
        return functional.cross_entropy(logits, kinds, self.weight, label_smoothing=0.05)

    def guessed(self, scans: Sequence[_Ready], generator: torch.Generator) -> Tensor:
        """Returns the loss on what the teacher is sure of in scans that nobody has labelled."""
        columns = [_column(scan, self.training, generator) for scan in scans]
        with torch.no_grad():
            told = self.teacher(self._cells([Part(one.xyz, one.where) for one in columns], generator)).softmax(1)
        sure, kinds = told.max(1)
        seen = self._cells([_distorted(one, self.training, generator) for one in columns], generator)
        each = functional.cross_entropy(self.network(seen), kinds, self.weight, reduction="none")
        ramp = min(1.0, 3 * self.step / self.training.steps)
        counted = (sure > self.training.sure).float()
        mean: Tensor = (each * counted).sum() / len(counted)
        return self.training.trust * ramp * mean

    def learn(self, loss: Tensor) -> None:
        """Takes one step."""
        done = self.step / self.training.steps
        rate = self.training.rate * (done / 0.1 if done < 0.1 else (1 + cos(pi * (done - 0.1) / 0.9)) / 2)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        keep = min(0.98, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.teacher.state_dict().values(), self.network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - keep)

    def _cells(self, parts: Sequence[Part], generator: torch.Generator) -> Cloud:
        """Returns parts in cells of a grid that begins anywhere."""
        shift = torch.rand(3, generator=generator) * self.network.config.cell_m * torch.tensor([1.0, 1.0, 0.2])
        moved = [Part((xyz + shift).to(self.training.device), where.to(self.training.device)) for xyz, where in parts]
        return sorted_into_cells(moved, self.network.config)


def _ready(scan: Labelled, config: SegmenterConfig) -> _Ready:
    rows, _ = thinned(scan.xyz, config.spacing_m)
    xyz = scan.xyz[rows]
    where = whereabouts(xyz)
    inside = (where[:, :3] > _OFF_M).all(1).nonzero().flatten()
    return _Ready(xyz, where, None if scan.kind is None else scan.kind[rows], inside)


def _drawn(scans: Sequence[_Ready], count: int, generator: torch.Generator) -> list[_Ready]:
    return [scans[row] for row in torch.randint(len(scans), (count,), generator=generator).tolist()]


def _column(scan: _Ready, training: SegmenterTraining, generator: torch.Generator) -> _Ready:
    """Returns what is about a point that lies, mostly, on no side of the room; perhaps without the ceiling."""
    draw = torch.rand(4, generator=generator).tolist()
    off_shell = draw[0] < _OFF_SHELL and len(scan.inside)
    pool = scan.inside if off_shell else torch.arange(len(scan.xyz))
    centre = scan.xyz[pool[int(draw[1] * len(pool))]]
    kept = ((scan.xyz - centre)[:, :2].abs() < training.reach_m).all(1)
    where = scan.where
    if draw[2] < training.open:
        open_sky = where[:, 1] > _OFF_M
        kept &= open_sky
        below = where[open_sky, 1].amin() if bool(open_sky.any()) else where.new_zeros(())
        where = where - functional.pad(below[None], (1, where.shape[1] - 2))
    kept &= torch.rand(len(kept), generator=generator) < 0.7 + 0.3 * draw[3]
    rows = kept.nonzero().flatten() if int(kept.sum()) > 20 else torch.arange(len(scan.xyz))
    return _Ready(scan.xyz[rows], where[rows], None if scan.kind is None else scan.kind[rows], rows[:0])


def _distorted(scan: _Ready, training: SegmenterTraining, generator: torch.Generator) -> Part:
    """Returns points turned about z by quarters and a little, mirrored, scaled, noisy, and a little off the floor."""
    draw = torch.rand(6, generator=generator)
    middle = (scan.xyz.amin(0) + scan.xyz.amax(0)) / 2 * torch.tensor([1.0, 1.0, 0.0])
    turn = (draw[0] * 4).floor() * pi / 2 + torch.randn((), generator=generator) * training.askew
    turned = yawed(scan.xyz - middle, turn)
    scale = 1 + (draw[1:4] * 2 - 1) * training.stretch / 2 + (draw[4] * 2 - 1) * training.stretch / 2
    mirror = torch.tensor([1.0 if float(draw[5]) < 0.5 else -1.0, 1.0, 1.0])
    noise = torch.randn(scan.xyz.shape, generator=generator) * training.jitter_m
    lift = torch.tensor([0.0, 0.0, float(torch.rand((), generator=generator)) * 0.06 - 0.03])
    place = scan.where[:, :3] * scale[2] + lift[2:] * torch.tensor([1.0, 0.0, 0.0]) + noise * torch.tensor([1, 0, 1])
    lump = scan.where[:, 3:] + torch.randn(scan.where.shape[1] - 3, generator=generator) * training.vague
    return Part(turned * scale * mirror + noise + lift, torch.cat([place, lump], 1))


def _balance(scans: Sequence[_Ready], classes: int) -> Tensor:
    """Returns (classes,) weights whose mean over the points is 1: rare classes count more, by the root of rarity."""
    count = torch.stack([torch.bincount(scan.kind, minlength=classes) for scan in scans if scan.kind is not None])
    share = count.sum(0).clamp_min(1).float()
    weight = share.rsqrt()
    return weight * share.sum() / (weight * share).sum()


def _check(known: Sequence[Labelled], config: SegmenterConfig) -> None:
    if not known:
        raise CloudError("no scan has labels; at least 1 is needed to learn from")
    for scan in known:
        assert scan.kind is not None, "only scans with labels are looked at"
        fits = len(scan.kind) == len(scan.xyz) and len(scan.xyz) and scan.kind.min() >= 0
        if not fits or int(scan.kind.max()) >= len(config.classes):
            raise CloudError(f"{len(scan.xyz)} points need as many labels, each below {len(config.classes)}")
