"""PointNet: names a thing from the points on it, and makes of its shape an embedding to measure likeness by.

Beside the points and how the surface lies at them, the network is told what can be said of a shape without learning
(`shape_features`), for a few hundred training shapes do not suffice to learn that. What it answers is averaged with a
kernel regression on size and description, which remembers the training shapes. A cloud is first put into its
standard pose: upright as it is, turned about z so that its footprint's smallest rectangle lies along the axes, the
longer side along x, standing on z = 0 and scaled so that its longest edge is 1. What is lost by that, the size in
metres, enters as three numbers of its own. Which of four ways round a thing faces is not known: the network sees all
four and takes the mean.

Source: Qi, Su, Mo, Guibas, "PointNet", CVPR 2017, section 4.2 (shared layers, max pooling); no spatial transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import pi
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models import checkpoint
from ecumene_models.errors import CloudError, WeightsError
from ecumene_models.shape_features import DESCRIPTION, SURFACE, description, surfaces

MODEL: Final = "pointnet"
FEWEST_POINTS: Final = 16
LARGEST_M: Final = 1000.0
"""A thing with a longer edge is no thing: coordinates in millimetres, or a whole scan."""
_ANGLES: Final = 30
_THINNEST_M: Final = 1e-3
_AT_ONCE: Final = 16
_RATIOS: Final = 6
_OUTLYING: Final = 4.0
_RIDGE: Final = 0.4
_LEAST: Final = 1e-3
_NETWORK_SAYS: Final = 1 / 3
"""Weight of the network's word beside the kernel regression's."""
_LEARNED: Final = 0.5
"""Length of the learned part of an embedding; that of a usual description is the root of 2."""
TOLD: Final = _RATIOS + DESCRIPTION
MOST_POINTS: Final = 1024
"""Of larger clouds, points are taken evenly."""


@dataclass(frozen=True, slots=True)
class PointNetConfig:
    """Sizes of the network.

    Attributes:
        classes: What it can name, in order of its logits.
        width: Of the per-point layers; the widest has four times as many channels.
        told: Width of the layer that hears the description.
        known: Rows that the kernel regression remembers; without any, the network answers alone.
        embedding: Numbers that the network makes of a shape.
        dropout: Share of the pooled features left out while training.
    """

    classes: tuple[str, ...]
    width: int = 32
    told: int = 96
    known: int = 0
    embedding: int = 128
    dropout: float = 0.4

    def to_json(self) -> dict[str, Any]:
        """Returns JSON scalars and lists."""
        return {**asdict(self), "classes": list(self.classes)}


class Posed(NamedTuple):
    """Clouds in standard pose.

    Attributes:
        points: (B, N, 3) in units of the longest edge, z = 0 at the bottom.
        size_m: (B, 3) length, width and height of the smallest upright box.
    """

    points: Tensor
    size_m: Tensor


class Seen(NamedTuple):
    """What the network sees of clouds in standard pose.

    Attributes:
        points: (B, N, 3) as `Posed` has them, N of up to `MOST_POINTS`.
        size_m: (B, 3) likewise.
        surface: (B, N, 6) how the surface lies at each point.
        description: (B, 198) of the whole.
    """

    points: Tensor
    size_m: Tensor
    surface: Tensor
    description: Tensor


class Recognition(NamedTuple):
    """What the network makes of a batch.

    Attributes:
        logits: (B, classes).
        embedding: (B, E) to measure distances in: of unit length from one network; `recognise` puts together those of
            all networks and `PointNet.described`.
    """

    logits: Tensor
    embedding: Tensor


class PointNet(nn.Module):
    """Classifier and encoder of upright point clouds of single things."""

    middle: Tensor
    spread: Tensor
    rows: Tensor
    weights: Tensor

    def __init__(self, config: PointNetConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("middle", torch.zeros(TOLD))
        self.register_buffer("spread", torch.ones(TOLD))
        self.register_buffer("rows", torch.zeros(config.known, TOLD))
        self.register_buffer("weights", torch.zeros(config.known, len(config.classes)))
        w = config.width
        self.each = nn.ModuleList([_Shared(3 + SURFACE, w), _Shared(w, w), _Shared(w, 2 * w), _Shared(2 * w, 4 * w)])
        self.size = nn.Sequential(nn.Linear(6, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU())
        self.told = nn.Sequential(
            nn.Linear(DESCRIPTION, config.told, bias=False), nn.BatchNorm1d(config.told), nn.ReLU()
        )
        self.joint = nn.Sequential(
            nn.Linear(8 * w + w + config.told, 4 * w, bias=False),
            nn.BatchNorm1d(4 * w),
            nn.ReLU(),
            nn.Linear(4 * w, config.embedding, bias=False),
            nn.BatchNorm1d(config.embedding),
        )
        self.head = nn.Linear(config.embedding, len(config.classes))

    def forward(self, seen: Seen, drop: torch.Generator | None = None) -> Recognition:
        """Returns what one way round looks like; `recognise` takes the mean of four.

        Args:
            seen: What is looked at.
            drop: Decides which pooled features are left out while training; none are without it.
        """
        x = torch.cat([seen.points, seen.surface[..., :3].abs(), seen.surface[..., 3:]], -1)
        for layer in self.each:
            x = layer(x)
        size, told = self.size(_proportions(seen.size_m)), self.told(seen.description)
        pooled = torch.cat([x.amax(1), x.mean(1), size, told], 1)
        if drop is not None:
            kept = torch.rand(pooled.shape, generator=drop).to(pooled.device) >= self.config.dropout
            pooled = pooled * kept / (1 - self.config.dropout)
        joint = self.joint(pooled)
        return Recognition(self.head(functional.relu(joint)), functional.normalize(joint, dim=1))

    def remember(self, told: Tensor, labels: Tensor) -> None:
        """Fits the kernel regression: ridge regression on one-hot classes.

        Args:
            told: (known, 204) of `told` for the training shapes.
            labels: (known,) their classes.
        """
        self.middle.copy_(told.mean(0))
        self.spread.copy_(told.std(0, correction=0).clamp_min(1e-6))
        self.rows.copy_(self.described(told))
        classes = len(self.config.classes)
        wanted = functional.one_hot(labels, classes).to(told.dtype) - 1 / classes
        kernel = _kernel(self.rows, self.rows) + _RIDGE * torch.eye(len(told), device=told.device)
        self.weights.copy_(torch.linalg.solve(kernel, wanted))

    def remembered(self, told: Tensor) -> Tensor:
        """Returns (B, classes) shares by the kernel regression of what is told, (B, 204)."""
        shares = _kernel(self.described(told), self.rows) @ self.weights + 1 / len(self.config.classes)
        return functional.normalize(shares.clamp_min(_LEAST), p=1, dim=1)

    def forgetful(self) -> PointNet:
        """Returns a network of the same weights that remembers nothing: it answers and embeds alone."""
        other = PointNet(replace(self.config, known=0))
        kept = {name: value for name, value in self.state_dict().items() if name not in ("rows", "weights")}
        other.load_state_dict({**kept, "rows": other.rows, "weights": other.weights})
        return other.eval()

    def described(self, told: Tensor) -> Tensor:
        """Returns (B, 204) of what is told, by what was usual in training; size and description weigh the same."""
        rows = ((told - self.middle) / self.spread).clamp(-_OUTLYING, _OUTLYING)
        return torch.cat([rows[:, :_RATIOS] / _RATIOS**0.5, rows[:, _RATIOS:] / DESCRIPTION**0.5], 1)


class _Shared(nn.Module):
    """One layer applied to every point alike: (B, N, inward) to (B, N, outward)."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inward, outward, bias=False)
        self.norm = nn.BatchNorm1d(outward)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.linear(x).flatten(0, 1))
        return functional.relu(out).reshape(x.shape[0], x.shape[1], out.shape[1])


def pose(clouds: Tensor) -> Posed:
    """Returns clouds (B, N, 3), metres, in standard pose.

    Raises:
        CloudError: A cloud has too few points, a number that is not finite, no extent, or is larger than a kilometre.
    """
    check(clouds)
    angle = torch.arange(_ANGLES, device=clouds.device, dtype=clouds.dtype) * (pi / 2 / _ANGLES)
    cos, sin = angle.cos(), angle.sin()
    along = clouds[..., :1] * cos + clouds[..., 1:2] * sin  # (B, N, angles)
    across = clouds[..., 1:2] * cos - clouds[..., :1] * sin
    spans = torch.stack([along.amax(1) - along.amin(1), across.amax(1) - across.amin(1)], -1)
    best = (spans.clamp_min(_THINNEST_M).prod(-1) + 1e-3 * spans.sum(-1)).argmin(1)
    row = torch.arange(len(clouds), device=clouds.device)
    first, second = along[row, :, best], across[row, :, best]
    swap = (spans[row, best, 1] > spans[row, best, 0])[:, None]
    x, y = torch.where(swap, second, first), torch.where(swap, -first, second)
    turned = torch.stack([x, y, clouds[..., 2]], -1)
    low, high = turned.amin(1), turned.amax(1)
    size = (high - low).clamp_min(_THINNEST_M)
    middle = (low + high) / 2
    middle[:, 2] = low[:, 2]
    return Posed((turned - middle[:, None]) / size.amax(1)[:, None, None], size)


def look(posed: Posed) -> Seen:
    """Returns what there is to see of clouds in standard pose."""
    points = posed.points[:, :: max(1, -(-posed.points.shape[1] // MOST_POINTS))]
    surface = surfaces(points)
    return Seen(points, posed.size_m, surface, description(points, surface, posed.size_m))


def told(seen: Seen) -> Tensor:
    """Returns (B, 204): size, as logarithms of the edges in metres and of how they compare, and description."""
    return torch.cat([_proportions(seen.size_m), seen.description], 1)


def facing(seen: Seen, way: int) -> Seen:
    """Returns the clouds seen one of four ways round: 0 as they are, 1 and 2 mirrored along x and y, 3 both."""
    signs = seen.points.new_tensor([-1.0 if way & 1 else 1.0, -1.0 if way & 2 else 1.0, 1.0])
    surface = torch.cat([seen.surface[..., :3] * signs, seen.surface[..., 3:]], -1)
    return seen._replace(points=seen.points * signs, surface=surface)


def recognise(networks: PointNet | tuple[PointNet, ...], clouds: Tensor) -> Recognition:
    """Returns log probabilities and embeddings of clouds (B, N, 3) in metres, z up, at any heading.

    A part of an embedding is learned, the rest is what is told of the shape.

    Args:
        networks: In evaluation mode, trained on the same shapes; of several, probabilities are averaged and embeddings
            put side by side.
        clouds: With any number of points that is the same for all.

    Raises:
        CloudError: A cloud is no thing; see `pose`.
    """
    check(clouds)
    parts = [recognised(networks, look(pose(part))) for part in torch.split(clouds, _AT_ONCE)]
    return Recognition(torch.cat([one.logits for one in parts]), torch.cat([one.embedding for one in parts]))


@torch.no_grad()
def recognised(networks: PointNet | tuple[PointNet, ...], seen: Seen) -> Recognition:
    """Returns what `recognise` does for clouds that were looked at already."""
    members = networks if isinstance(networks, tuple) else (networks,)
    views = [[member(facing(seen, way)) for way in range(4)] for member in members]
    shares = torch.stack([one.logits.softmax(1) for some in views for one in some]).mean(0)
    if members[0].config.known:
        memory = torch.stack([member.remembered(told(seen)) for member in members]).mean(0)
        shares = _NETWORK_SAYS * shares + (1 - _NETWORK_SAYS) * memory
    parts = [functional.normalize(torch.stack([one.embedding for one in some]).mean(0), dim=1) for some in views]
    embedding = functional.normalize(torch.cat(parts, 1), dim=1)
    if members[0].config.known:
        embedding = torch.cat([_LEARNED * embedding, members[0].described(told(seen))], 1)
    return Recognition(shares.clamp_min(1e-12).log(), embedding)


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    """Returns (B, M): how alike rows of `described` are, 1 for the same."""
    return (-torch.cdist(first, second).square() / 2).exp()


def check(clouds: Tensor) -> None:
    """Refuses what is no batch of clouds of things.

    Raises:
        CloudError: See `pose`.
    """
    if clouds.ndim != 3 or clouds.shape[-1] != 3 or not clouds.dtype.is_floating_point:
        raise CloudError(f"clouds have shape {tuple(clouds.shape)}, {clouds.dtype}; (B, N, 3) of floats is needed")
    if clouds.shape[1] < FEWEST_POINTS:
        raise CloudError(f"a cloud has {clouds.shape[1]} points; at least {FEWEST_POINTS} are needed")
    if not bool(torch.isfinite(clouds).all()):
        raise CloudError("a cloud has coordinates that are not finite numbers")
    edge = clouds.amax(1) - clouds.amin(1)
    if len(clouds) and not bool((edge.amax(1) >= _THINNEST_M).all()):
        raise CloudError("all points of a cloud are in one place; a thing of a millimetre or more is needed")
    if len(clouds) and bool((edge.amax(1) > LARGEST_M).any()):
        raise CloudError(f"a cloud is {float(edge.max()):.3g} m long; up to {LARGEST_M:.0f} m can be one thing")


def resample(cloud: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Returns (count, C) rows of (N, C): without repeats where there are enough, else each at least once.

    Raises:
        CloudError: There is no row.
    """
    if not len(cloud):
        raise CloudError("a cloud has 0 points; at least 1 is needed to sample from")
    rounds = -(-count // len(cloud))
    rows = torch.cat([torch.randperm(len(cloud), generator=generator) for _ in range(rounds)])[:count]
    return cloud[rows.to(cloud.device)]


def save_pointnet(networks: tuple[PointNet, ...], path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes networks of one configuration and returns the digest."""
    config = {**networks[0].config.to_json(), "members": len(networks)}
    return checkpoint.write(path, nn.ModuleList(networks), model=MODEL, config=config, notes=notes)


def load_pointnet(path: Path) -> tuple[PointNet, ...]:
    """Reads networks, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        sizes = dict(found.config)
        members = int(sizes.pop("members"))
        config = PointNetConfig(**{**sizes, "classes": tuple(sizes["classes"])})
        networks = nn.ModuleList([PointNet(config) for _ in range(members)])
    except (TypeError, ValueError, KeyError, RuntimeError):
        raise WeightsError(f"{path} describes a network that can't be built: {dict(found.config)}") from None
    checkpoint.fit(networks, found, path)
    return tuple(network.eval() for network in networks if isinstance(network, PointNet))


def _proportions(size_m: Tensor) -> Tensor:
    """Returns (B, 6): logarithms of the edges, and of how they compare."""
    log = size_m.log()
    length, width, height = log.unbind(1)
    return torch.stack([length, width, height, length - width, height - length, height - width], 1)
