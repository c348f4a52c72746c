"""Training of shapes: a variational autoencoder that learns what is solid from probes in and about the box."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path
from typing import Final

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.errors import CloudError
from ecumene_models.shapes import Autoencoder, ShapesConfig

_KEPT_EVERY: Final = 5
_GENTLE: Final = 0.1
"""Errors below this share of the truncation count by their square."""
Report = Callable[[int, int, float], None]
"""Called after each epoch with how many are done, of how many, and the mean loss."""


@dataclass(frozen=True, slots=True)
class ShapeTraining:
    """How the autoencoder is trained.

    Attributes:
        seed: Of weights, order and every distortion.
        epochs: Passes over the shapes.
        batch: Shapes a step.
        rate: Highest learning rate; it rises over the first twentieth and falls along a cosine.
        decay: Of the weights, decoupled.
        points: How many points the encoder sees.
        probes: How many points a shape the decoder is asked about.
        shell: Thickness added to every surface, so that sheets are solid; edges of the box.
        truncation: Depths beyond this count as this, edges of the box.
        divergence: Weight of the divergence from the normal distribution about the mean of the class, which is
            learned too, against the loss of a probe.
        bend: How far the middle of each axis may be moved, edges of the box.
        stretch: Standard deviation of the logarithm that a size is scaled by.
        device: `cpu` or `cuda`.
    """

    seed: int = 0
    epochs: int = 200
    batch: int = 8
    rate: float = 3e-3
    decay: float = 1e-2
    points: int = 384
    probes: int = 1024
    shell: float = 0.012
    truncation: float = 0.04
    divergence: float = 3e-4
    bend: float = 0.12
    stretch: float = 0.1
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class SolidShapes:
    """What is learned from, as `ecumene_world.learning.solids` gives it.

    Attributes:
        visible: (M, V, 3) points of the surface, box coordinates.
        probes: (M, P, 3) points in and about the box.
        distance: (M, P) to the surface, negative inside.
        size_m: (M, 3).
        kinds: (M,) classes.
    """

    visible: Tensor
    probes: Tensor
    distance: Tensor
    size_m: Tensor
    kinds: Tensor

    def digest(self) -> str:
        """Returns what tells these shapes from others."""
        parts = (self.visible, self.probes, self.distance, self.size_m, self.kinds)
        return hashlib.sha256(b"".join(part.contiguous().numpy().tobytes() for part in parts)).hexdigest()

    def check(self) -> None:
        """Refuses what can't be learned from.

        Raises:
            CloudError: Shapes disagree, or a number is not finite or a size not positive.
        """
        count = len(self.visible)
        if not count or {len(self.probes), len(self.distance), len(self.size_m), len(self.kinds)} != {count}:
            raise CloudError(f"{count} shapes need as many probes, distances, sizes and classes, and at least one")
        finite = all(bool(torch.isfinite(part).all()) for part in (self.visible, self.probes, self.distance))
        if not finite or not bool((self.size_m > 0).all()):
            raise CloudError("a shape has a coordinate that is not finite or a size that is not positive")


def train_autoencoder(
    shapes: SolidShapes,
    config: ShapesConfig,
    training: ShapeTraining,
    *,
    state: Path | None = None,
    report: Report | None = None,
) -> Autoencoder:
    """Returns a trained autoencoder, in evaluation mode, on the CPU.

    Args:
        shapes: What is learned from.
        config: Sizes of the networks.
        training: How.
        state: File that the run is kept in after every fifth epoch, and gone on from if it is of the same settings.
        report: Hears of each epoch.

    Raises:
        CloudError: The shapes can't be learned from.
    """
    shapes.check()
    generator = torch.Generator().manual_seed(training.seed)
    run = _Run(config, training, shapes)
    first = run.restore(state, generator) if state else 0
    for epoch in range(first, training.epochs):
        total = 0.0
        batches = torch.split(torch.randperm(len(shapes.visible), generator=generator), training.batch)
        for rows in batches:
            loss = _loss(run, _drawn(shapes, rows, training, generator), training, generator)
            run.learn(loss)
            total += float(loss.detach())
        if report:
            report(epoch + 1, training.epochs, total / len(batches))
        if state and (epoch + 1) % _KEPT_EVERY == 0:
            run.keep(state, epoch + 1, generator)
    return run.averaged.cpu().eval()


class _Run:
    """Network, optimiser and the running mean of the weights, which is what one gets in the end."""

    def __init__(self, config: ShapesConfig, training: ShapeTraining, shapes: SolidShapes) -> None:
        self.training = training
        self.header = {"settings": json.dumps([config.to_json(), asdict(training), shapes.digest()], sort_keys=True)}
        device = torch.device(training.device)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            self.network = Autoencoder(config).to(device)
        middles = torch.zeros(len(config.classes), config.latent)
        self.middles = nn.Embedding(len(config.classes), config.latent, _weight=middles)
        self.middles.to(device)
        self.averaged = Autoencoder(config).to(device)
        self.averaged.load_state_dict(self.network.state_dict())
        learned = [*self.network.parameters(), *self.middles.parameters()]
        self.optimiser = torch.optim.AdamW(learned, lr=training.rate, weight_decay=training.decay)
        self.step = 0
        self.steps = training.epochs * -(-len(shapes.visible) // training.batch)

    def rate(self) -> float:
        """The learning rate of this step."""
        done = self.step / max(self.steps, 1)
        return self.training.rate * (done / 0.05 if done < 0.05 else (1 + cos(pi * (done - 0.05) / 0.95)) / 2)

    def learn(self, loss: Tensor) -> None:
        """Takes one step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        keep = min(0.99, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)

    def keep(self, path: Path, epoch: int, generator: torch.Generator) -> None:
        """Writes everything that the next epoch depends on."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        tensors |= {f"middles.{name}": value for name, value in self.middles.state_dict().items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        for row, kept in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{row}.{name}": value for name, value in kept.items()}
        tensors |= {"generator": generator.get_state(), "at": torch.tensor([epoch, self.step])}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        save_file({name: value.cpu().contiguous() for name, value in tensors.items()}, str(part), self.header)
        part.replace(path)

    def restore(self, path: Path, generator: torch.Generator) -> int:
        """Takes up a kept run of the same settings; returns how many epochs are done."""
        if not path.is_file():
            return 0
        with safe_open(str(path), framework="pt") as file:
            if file.metadata() != self.header:
                return 0
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self.network.load_state_dict(_under("network.", tensors))
        self.averaged.load_state_dict(_under("averaged.", tensors))
        self.middles.load_state_dict(_under("middles.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimiser.", tensors).items():
            row, _, key = name.partition(".")
            state.setdefault(int(row), {})[key] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})
        generator.set_state(tensors["generator"])
        epoch, self.step = (int(number) for number in tensors["at"])
        return epoch


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _drawn(shapes: SolidShapes, rows: Tensor, training: ShapeTraining, generator: torch.Generator) -> SolidShapes:
    """Returns some points of some shapes, mirrored, bent along each axis and resized by chance."""
    seen = _some(shapes.visible.shape[1], training.points, generator)
    asked = _some(shapes.probes.shape[1], training.probes, generator)
    bend = (torch.rand(len(rows), 1, 3, generator=generator) * 2 - 1) * training.bend
    mirrored = torch.rand(len(rows), 1, 1, generator=generator) < 0.5
    visible, probes = (
        _bent(_mirrored(part.float(), mirrored), bend)
        for part in (shapes.visible[rows][:, seen], shapes.probes[rows][:, asked])
    )
    scale = (torch.randn(len(rows), 3, generator=generator) * training.stretch).exp()
    drawn = (visible, probes, shapes.distance[rows][:, asked].float(), shapes.size_m[rows] * scale, shapes.kinds[rows])
    return SolidShapes(*(part.to(training.device) for part in drawn))


def _some(count: int, wanted: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=generator)[:wanted]


def _mirrored(points: Tensor, which: Tensor) -> Tensor:
    """Returns points (B, N, 3) of which some shapes have left and right exchanged."""
    other = torch.stack([points[..., 0], 1 - points[..., 1], points[..., 2]], -1)
    return torch.where(which, other, points)


def _bent(points: Tensor, bend: Tensor) -> Tensor:
    """Returns points whose box stays and whose middle planes move by `bend` (B, 1, 3): t + 4 b t (1 - t)."""
    inside = points.clamp(0, 1)
    return points + 4 * bend * inside * (1 - inside)


def _loss(run: _Run, drawn: SolidShapes, training: ShapeTraining, generator: torch.Generator) -> Tensor:
    network, log_size = run.network, drawn.size_m.log()
    mean, spread = network.encoder(drawn.visible, log_size)
    noise = torch.randn(mean.shape, generator=generator).to(mean.device)
    form = mean + noise * (spread / 2).exp()
    depth = network.decoder(network.decoder.planes(network.code(form, log_size)), drawn.probes)
    wanted = ((training.shell - drawn.distance) / training.truncation).clamp(-1, 1)
    off = mean - run.middles(drawn.kinds)
    divergence = (off.square() + spread.exp() - 1 - spread).sum(1).mean() / 2
    fit = functional.smooth_l1_loss(depth, wanted, beta=_GENTLE)
    loss: Tensor = fit + training.divergence * divergence
    return loss
