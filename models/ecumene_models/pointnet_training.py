"""Training of PointNet: the same seed gives the same weights, and an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import cos, pi
from pathlib import Path
from typing import Final, NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.errors import CloudError
from ecumene_models.pointnet import MOST_POINTS, PointNet, PointNetConfig, Seen, look, pose, told
from ecumene_models.shape_features import SURFACE, description, surfaces

Report = Callable[[int, int, float], None]
"""Called after each epoch with how many are done, of how many, and the mean loss."""
VIEWS: Final = 6
"""Samplings of a shape that training chooses from."""
VIEW_POINTS: Final = 512
_PAIRS: Final = 1024
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class PointNetTraining:
    """How a network is trained.

    Attributes:
        seed: Of weights, order and every distortion.
        epochs: Passes over the shapes.
        batch: Shapes a step.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        smoothing: Share of the label spread over all classes.
        points: From and to how many points a view is thinned; drawn anew for each batch.
        stretch: Each edge is scaled by up to this share, and all edges together by half of it.
        turn: Radians that a shape may stand off its standard pose.
        jitter: Standard deviation of noise on each point, in units of the longest edge.
        cut: Share of shapes of which one side is missing, as in a scan.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    epochs: int = 50
    batch: int = 32
    rate: float = 2e-3
    decay: float = 0.05
    smoothing: float = 0.1
    points: tuple[int, int] = (96, 224)
    stretch: float = 0.15
    turn: float = 0.15
    jitter: float = 0.01
    cut: float = 0.2
    device: str = "cpu"


class Views(NamedTuple):
    """Shapes in standard pose, each sampled some times.

    Attributes:
        points: (M, V, N, 3) in units of the longest edge.
        surface: (M, V, N, 6) how the surface lies there.
        size_m: (M, 3) edges of the box.
        told: (M, W, 204) size and description, from W samplings of up to `MOST_POINTS` points.
    """

    points: Tensor
    surface: Tensor
    size_m: Tensor
    told: Tensor

    def of(self, rows: Tensor) -> Views:
        """Returns those of some shapes."""
        return Views(*(part[rows] for part in self))


def views_of(clouds: Tensor, count: int = VIEWS, seed: int = 0) -> Views:
    """Returns clouds (M, P, 3), metres, z up, as training looks at them: `count` times, in up to `VIEW_POINTS` points.

    Raises:
        CloudError: A cloud is no thing.
    """
    posed = pose(clouds)
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randperm(clouds.shape[1], generator=generator)[:VIEW_POINTS] for _ in range(count)]
    points = torch.stack([posed.points[:, rows] for rows in drawn], 1)
    surface = surfaces(points.flatten(0, 1)).reshape(len(clouds), count, -1, SURFACE)
    return Views(points, surface, posed.size_m, torch.cat([_told(part) for part in torch.split(clouds, _AT_ONCE)]))


def _told(clouds: Tensor) -> Tensor:
    """Returns (M, W, 204): each W-th point from the first, second, ... on."""
    step = max(1, clouds.shape[1] // MOST_POINTS)
    return torch.stack([told(look(pose(clouds[:, first::step]))) for first in range(step)], 1)


def train_pointnet(
    views: Views,
    labels: Tensor,
    config: PointNetConfig,
    training: PointNetTraining,
    *,
    state: Path | None = None,
    report: Report | None = None,
) -> PointNet:
    """Returns a trained network, in evaluation mode, on the CPU.

    Args:
        views: Of M shapes, see `views_of`.
        labels: (M,) rows of `config.classes`.
        config: Sizes of the network; it remembers what is told of all shapes.
        training: How.
        state: File that the run is kept in after every tenth epoch, and gone on from if it is of the same settings.
        report: Hears of each epoch.

    Raises:
        CloudError: Labels do not fit.
    """
    count = len(views.size_m)
    if len(labels) != count or not len(labels) or int(labels.max()) >= len(config.classes) or labels.min() < 0:
        raise CloudError(f"{count} clouds need as many labels, each below {len(config.classes)}")
    device = torch.device(training.device)
    generator = torch.Generator().manual_seed(training.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = PointNet(replace(config, known=views.told.shape[0] * views.told.shape[1]))
    network.remember(views.told.flatten(0, 1), labels.repeat_interleave(views.told.shape[1]))
    network = network.to(device)
    run = _Run(network, training, _digest(views, labels), steps_an_epoch=-(-len(labels) // training.batch))
    shapes = Views(*(part.to(device) for part in views))
    target = functional.one_hot(labels, len(config.classes)).float().to(device)
    weight = _balance(labels, len(config.classes)).to(device)
    first = run.restore(state, generator) if state else 0
    for epoch in range(first, training.epochs):
        loss = _epoch(run, shapes, target, weight, generator)
        if report:
            report(epoch + 1, training.epochs, loss)
        if state and (epoch + 1) % 10 == 0:
            run.keep(state, epoch + 1, generator)
    return run.averaged.cpu().eval()


class _Run:
    """Network, optimiser and the running mean of the weights, which is what one gets in the end."""

    def __init__(self, network: PointNet, training: PointNetTraining, data: str, *, steps_an_epoch: int) -> None:
        self.network = network
        self.training = training
        self.data = data
        self.averaged = PointNet(network.config).to(next(network.parameters()).device)
        self.averaged.load_state_dict(network.state_dict())
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=training.rate, weight_decay=training.decay)
        self.step = 0
        self.steps = max(training.epochs * steps_an_epoch, 1)

    def rate(self) -> float:
        """The learning rate of this step."""
        done = self.step / self.steps
        return self.training.rate * (done / 0.1 if done < 0.1 else (1 + cos(pi * (done - 0.1) / 0.9)) / 2)

    def learn(self, loss: Tensor) -> None:
        """Takes one step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        keep = min(0.99, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)

    def keep(self, path: Path, epoch: int, generator: torch.Generator) -> None:
        """Writes everything that the next epoch depends on."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        for row, kept in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{row}.{name}": value for name, value in kept.items()}
        tensors |= {"generator": generator.get_state(), "at": torch.tensor([epoch, self.step])}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, str(part), self._header())
        part.replace(path)

    def restore(self, path: Path, generator: torch.Generator) -> int:
        """Takes up a kept run of the same settings; returns how many epochs are done."""
        if not path.is_file():
            return 0
        with safe_open(str(path), framework="pt") as file:
            if file.metadata() != self._header():
                return 0
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self.network.load_state_dict(_under("network.", tensors))
        self.averaged.load_state_dict(_under("averaged.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimiser.", tensors).items():
            row, _, key = name.partition(".")
            state.setdefault(int(row), {})[key] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        generator.set_state(tensors["generator"])
        epoch, self.step = (int(number) for number in tensors["at"])
        return epoch

    def _header(self) -> dict[str, str]:
        """What must be equal for a run to be gone on with."""
        settings = {**asdict(self.training), **self.network.config.to_json(), "data": self.data}
        return {"settings": json.dumps(settings, sort_keys=True)}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _epoch(run: _Run, shapes: Views, target: Tensor, weight: Tensor, generator: torch.Generator) -> float:
    """Takes all shapes once, in random order; returns the mean loss."""
    training = run.training
    run.network.train()
    order = torch.randperm(len(target), generator=generator)
    total = torch.zeros((), device=target.device)
    batches = [part.to(target.device) for part in torch.split(order, training.batch) if len(part) > 1]
    for rows in batches:
        seen = distorted(_thinned(shapes, rows, training, generator), training, generator)
        wanted = target[rows] * (1 - training.smoothing) + training.smoothing / target.shape[1]
        logits = run.network(seen, generator).logits
        each = -(wanted * functional.log_softmax(logits, 1)).sum(1) * (target[rows] @ weight)
        loss = each.mean()
        run.learn(loss)
        total += loss.detach()
    return float(total) / max(len(batches), 1)


class Sample(NamedTuple):
    """Points of a batch of shapes: (B, n, 3), (B, n, 6) and (B, 3), as `Views` has them."""

    points: Tensor
    surface: Tensor
    size_m: Tensor


def distorted(sample: Sample, training: PointNetTraining, generator: torch.Generator) -> Seen:
    """Returns shapes as they might have been: stretched, mirrored, a little turned, noisy, some without one side."""
    count, many, _ = sample.points.shape
    device = sample.points.device

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator).to(device)

    stretch = ((draw(count, 3) * 2 - 1) * training.stretch + (draw(count, 1) * 2 - 1) * training.stretch / 2).exp()
    size = sample.size_m * stretch
    points = sample.points * (sample.size_m.amax(1) / size.amax(1))[:, None, None] * stretch[:, None]
    normals = functional.normalize(sample.surface[..., :3] / stretch[:, None], dim=-1)
    flips = torch.where(draw(count, 3) < 0.5, -1.0, 1.0)
    flips[:, 2] = 1.0
    angle = (draw(count) * 2 - 1) * training.turn
    points, normals = _turned(points * flips[:, None], angle), _turned(normals * flips[:, None], angle)
    rows = _kept(points, draw(count) < training.cut, draw(count) * 2 * pi, draw(count))
    noise = torch.randn(points.shape, generator=generator).to(device)
    whole = torch.cat([points, normals, sample.surface[..., 3:]], -1)
    whole = whole.gather(1, rows[..., None].expand(-1, -1, whole.shape[2]))
    points, surface = whole[..., :3] + noise * (training.jitter * draw(count, 1, 1)), whole[..., 3:]
    pairs = torch.randint(many, (2, _PAIRS), generator=generator).to(device)
    return Seen(points, size, surface, description(points, surface, size, pairs))


def _thinned(shapes: Views, rows: Tensor, training: PointNetTraining, generator: torch.Generator) -> Sample:
    """Returns a view of each shape of a batch, thinned to n random points; n is drawn for the whole batch."""
    views, points = shapes.points.shape[1:3]
    low, high = training.points
    view = torch.randint(views, (len(rows),), generator=generator).to(rows.device)
    count = int(torch.randint(low, high + 1, (), generator=generator))
    some = torch.randperm(points, generator=generator)[:count].to(rows.device)
    return Sample(shapes.points[rows, view][:, some], shapes.surface[rows, view][:, some], shapes.size_m[rows])


def _turned(points: Tensor, angle: Tensor) -> Tensor:
    """Returns clouds (B, N, 3) turned about z by angles (B,)."""
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x, y, z = points.unbind(-1)
    return torch.stack([c * x - s * y, s * x + c * y, z], -1)


def _kept(points: Tensor, which: Tensor, heading: Tensor, depth: Tensor) -> Tensor:
    """Returns rows (B, N) of clouds; up to 40 % at one side give way to others of the same cloud where `which` says."""
    toward = points[..., 0] * heading.cos()[:, None] + points[..., 1] * heading.sin()[:, None]
    order = toward.argsort(1)
    count = points.shape[1]
    kept = (count * (1 - 0.4 * depth * which)).clamp_min(1).long()
    return order.gather(1, torch.arange(count, device=points.device)[None] % kept[:, None])


def _balance(labels: Tensor, classes: int) -> Tensor:
    """Returns (classes,) weights whose mean over the shapes is 1: rare classes count more, by the root of rarity."""
    count = torch.bincount(labels, minlength=classes).clamp_min(1).float()
    weight = count.rsqrt()
    return weight / weight[labels].mean()


def _digest(views: Views, labels: Tensor) -> str:
    """Returns what tells one set of shapes from another."""
    return hashlib.sha256(views.points.numpy().tobytes() + labels.numpy().tobytes()).hexdigest()
