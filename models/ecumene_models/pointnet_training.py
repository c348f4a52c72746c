"""Training of PointNet: the same seed gives the same weights, and an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.errors import CloudError
from ecumene_models.pointnet import PointNet, PointNetConfig, Posed, pose

Report = Callable[[int, int, float], None]
"""Called after each epoch with how many are done, of how many, and the mean loss."""


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
        points: From and to how many points a shape is thinned; drawn anew for each batch.
        stretch: Each edge is scaled by up to this share, and all edges together by half of it.
        turn: Radians that a shape may stand off its standard pose.
        jitter: Standard deviation of noise on each point, in units of the longest edge.
        cut: Share of shapes of which one side is missing, as in a scan.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    epochs: int = 45
    batch: int = 24
    rate: float = 2e-3
    decay: float = 0.05
    smoothing: float = 0.1
    points: tuple[int, int] = (128, 320)
    stretch: float = 0.15
    turn: float = 0.15
    jitter: float = 0.01
    cut: float = 0.2
    device: str = "cpu"


def train_pointnet(
    clouds: Tensor,
    labels: Tensor,
    config: PointNetConfig,
    training: PointNetTraining,
    *,
    state: Path | None = None,
    report: Report | None = None,
) -> PointNet:
    """Returns a trained network, in evaluation mode, on the CPU.

    Args:
        clouds: (M, P, 3) metres, z up.
        labels: (M,) rows of `config.classes`.
        config: Sizes of the network.
        training: How.
        state: File that the run is kept in after every tenth epoch, and gone on from if it is of the same settings.
        report: Hears of each epoch.

    Raises:
        CloudError: A cloud is no thing, or labels do not fit.
    """
    if len(labels) != len(clouds) or not len(labels) or int(labels.max()) >= len(config.classes) or labels.min() < 0:
        raise CloudError(f"{len(clouds)} clouds need as many labels, each below {len(config.classes)}")
    device = torch.device(training.device)
    generator = torch.Generator().manual_seed(training.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = PointNet(config).to(device)
    run = _Run(network, training, _digest(clouds, labels), steps_an_epoch=-(-len(labels) // training.batch))
    shapes = Posed(*(part.to(device) for part in pose(clouds)))
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


def _epoch(run: _Run, shapes: Posed, target: Tensor, weight: Tensor, generator: torch.Generator) -> float:
    """Takes all shapes once, in random order; returns the mean loss."""
    training = run.training
    run.network.train()
    order = torch.randperm(len(target), generator=generator)
    total = torch.zeros((), device=target.device)
    batches = [part.to(target.device) for part in torch.split(order, training.batch) if len(part) > 1]
    for rows in batches:
        points = _thinned(shapes.points[rows], training, generator)
        seen = distorted(Posed(points, shapes.size_m[rows]), training, generator)
        wanted = target[rows] * (1 - training.smoothing) + training.smoothing / target.shape[1]
        logits = run.network(seen, generator).logits
        each = -(wanted * functional.log_softmax(logits, 1)).sum(1) * (target[rows] @ weight)
        loss = each.mean()
        run.learn(loss)
        total += loss.detach()
    return float(total) / max(len(batches), 1)


def distorted(posed: Posed, training: PointNetTraining, generator: torch.Generator) -> Posed:
    """Returns clouds as they might have been: stretched, mirrored, a little turned, noisy, some without one side."""
    count = len(posed.points)

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator).to(posed.points.device)

    stretch = ((draw(count, 3) * 2 - 1) * training.stretch + (draw(count, 1) * 2 - 1) * training.stretch / 2).exp()
    size = posed.size_m * stretch
    points = posed.points * (posed.size_m.amax(1) / size.amax(1))[:, None, None] * stretch[:, None]
    flips = torch.where(draw(count, 3) < 0.5, -1.0, 1.0)
    flips[:, 2] = 1.0
    points = _turned(points * flips[:, None], (draw(count) * 2 - 1) * training.turn)
    points = _cut(points, draw(count) < training.cut, draw(count) * 2 * pi, draw(count))
    noise = torch.randn(points.shape, generator=generator).to(points.device)
    return Posed(points + noise * (training.jitter * draw(count, 1, 1)), size)


def _thinned(points: Tensor, training: PointNetTraining, generator: torch.Generator) -> Tensor:
    """Returns (B, n, 3) random points of (B, P, 3); n is drawn for the whole batch."""
    low, high = training.points
    count = int(torch.randint(low, high + 1, (), generator=generator))
    rows = torch.randint(points.shape[1], (len(points), count), generator=generator).to(points.device)
    return points.gather(1, rows[..., None].expand(-1, -1, 3))


def _turned(points: Tensor, angle: Tensor) -> Tensor:
    """Returns clouds (B, N, 3) turned about z by angles (B,)."""
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x, y, z = points.unbind(-1)
    return torch.stack([c * x - s * y, s * x + c * y, z], -1)


def _cut(points: Tensor, which: Tensor, heading: Tensor, depth: Tensor) -> Tensor:
    """Returns clouds of which some have lost up to 40 % of their points at one side, for others of their own."""
    toward = points[..., 0] * heading.cos()[:, None] + points[..., 1] * heading.sin()[:, None]
    order = toward.argsort(1)
    count = points.shape[1]
    kept = (count * (1 - 0.4 * depth * which)).clamp_min(1).long()
    rows = torch.arange(count, device=points.device)[None] % kept[:, None]
    return points.gather(1, order.gather(1, rows)[..., None].expand(-1, -1, 3))


def _balance(labels: Tensor, classes: int) -> Tensor:
    """Returns (classes,) weights whose mean over the shapes is 1: rare classes count more, by the root of rarity."""
    count = torch.bincount(labels, minlength=classes).clamp_min(1).float()
    weight = count.rsqrt()
    return weight / weight[labels].mean()


def _digest(clouds: Tensor, labels: Tensor) -> str:
    """Returns what tells one set of shapes from another."""
    return hashlib.sha256(clouds.numpy().tobytes() + labels.numpy().tobytes()).hexdigest()
