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
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.errors import CloudError
from ecumene_models.segmenter import Cloud, Segmenter, SegmenterConfig, sorted_into_cells, thinned, yawed

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
        batch: Labelled scans a step; as many unlabelled ones beside them, if there are any.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        most: Points of a scan that are looked at in a step.
        stretch: A room is scaled by up to this share.
        jitter_m: Standard deviation of noise on each point.
        open: Share of rooms whose ceiling is left out, as many scans have none.
        sure: Least share at which the teacher's word counts.
        trust: Weight of what the teacher says, reached after a third of the steps.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    steps: int = 400
    batch: int = 2
    rate: float = 3e-3
    decay: float = 0.02
    most: int = 7000
    stretch: float = 0.12
    jitter_m: float = 0.006
    open: float = 0.25
    sure: float = 0.8
    trust: float = 0.6
    device: str = "cpu"


def train_segmenter(
    scans: Sequence[Labelled], config: SegmenterConfig, training: SegmenterTraining, report: Report | None = None
) -> Segmenter:
    """Returns a trained network, the running mean of its weights, in evaluation mode, on the CPU.

    Raises:
        CloudError: No scan is labelled, or a label is none of the network's.
    """
    known = [scan for scan in scans if scan.kind is not None]
    unknown = [scan for scan in scans if scan.kind is None]
    _check(known, config)
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

    def told(self, scans: Sequence[Labelled], generator: torch.Generator) -> Tensor:
        """Returns the loss on scans whose labels are known."""
        parts = [_seen(scan, self.network.config, self.training, generator) for scan in scans]
        kinds = torch.cat([part.kind for part in parts if part.kind is not None]).to(self.training.device)
        logits = self.network(self._cells([part.xyz for part in parts], generator))
        return functional.cross_entropy(logits, kinds, self.weight, label_smoothing=0.05)

    def guessed(self, scans: Sequence[Labelled], generator: torch.Generator) -> Tensor:
        """Returns the loss on what the teacher is sure of in scans that nobody has labelled."""
        parts = [_seen(scan, self.network.config, self.training, generator).xyz for scan in scans]
        with torch.no_grad():
            shares = self.teacher(self._cells(parts, generator)).softmax(1)
        sure, kinds = shares.max(1)
        again = [_distorted(part, self.training, generator) for part in parts]
        each = functional.cross_entropy(
            self.network(self._cells(again, generator)), kinds, self.weight, reduction="none"
        )
        ramp = min(1.0, 3 * self.step / self.training.steps)
        counted = (sure > self.training.sure).float()
        return self.training.trust * ramp * (each * counted).sum() / len(counted)

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
            for mean, now in zip(self.teacher.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)

    def _cells(self, parts: Sequence[Tensor], generator: torch.Generator) -> Cloud:
        """Returns scans in cells of a grid that begins anywhere."""
        shift = torch.rand(3, generator=generator) * self.network.config.cell_m * torch.tensor([1.0, 1.0, 0.3])
        scan = torch.cat([torch.full((len(part),), n) for n, part in enumerate(parts)])
        xyz = torch.cat([part + shift for part in parts])
        return sorted_into_cells(xyz.to(self.training.device), self.network.config, scan.to(self.training.device))


def _drawn(scans: Sequence[Labelled], count: int, generator: torch.Generator) -> list[Labelled]:
    return [scans[row] for row in torch.randint(len(scans), (count,), generator=generator).tolist()]


def _seen(scan: Labelled, config: SegmenterConfig, training: SegmenterTraining, generator: torch.Generator) -> Labelled:
    """Returns a scan as it might have been: thinned, some points gone, perhaps a side and the ceiling too."""
    xyz, kind = scan.xyz, scan.kind
    rows, _ = thinned(xyz + torch.rand(3, generator=generator) * config.spacing_m, config.spacing_m)
    kept = torch.rand(len(rows), generator=generator) < 0.6 + 0.4 * torch.rand((), generator=generator)
    if bool(torch.rand((), generator=generator) < training.open):
        top = float(xyz[:, 2].quantile(0.98))
        kept &= xyz[rows, 2] < top - 0.06
    if bool(torch.rand((), generator=generator) < 0.4):
        angle = torch.rand((), generator=generator) * 2 * pi
        along = xyz[rows, 0] * angle.cos() + xyz[rows, 1] * angle.sin()
        kept &= along < along.quantile(0.5 + 0.5 * torch.rand((), generator=generator))
    rows = rows[kept] if int(kept.sum()) > 50 else rows
    rows = rows[torch.randperm(len(rows), generator=generator)[: training.most]]
    return Labelled(_distorted(xyz[rows], training, generator), None if kind is None else kind[rows])


def _distorted(xyz: Tensor, training: SegmenterTraining, generator: torch.Generator) -> Tensor:
    """Returns points turned about z, mirrored, scaled, noisy, and a little off the floor."""
    draw = torch.rand(6, generator=generator)
    middle = (xyz.amin(0) + xyz.amax(0)) / 2 * xyz.new_tensor([1.0, 1.0, 0.0])
    turned = yawed(xyz - middle, draw[0] * 2 * pi)
    scale = 1 + (draw[1:4] * 2 - 1) * training.stretch * torch.tensor([0.5, 0.5, 0.5]) + (draw[4] - 0.5) * 0.1
    mirror = torch.tensor([1.0 if float(draw[5]) < 0.5 else -1.0, 1.0, 1.0])
    noise = torch.randn(xyz.shape, generator=generator) * training.jitter_m
    lift = torch.tensor([0.0, 0.0, float(torch.rand((), generator=generator)) * 0.06 - 0.03])
    return turned * scale * mirror + noise + lift


def _balance(scans: Sequence[Labelled], classes: int) -> Tensor:
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
