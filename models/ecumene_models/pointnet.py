"""PointNet: names a thing from the points on it, and makes of its shape an embedding to measure likeness by.

Beside the points' own layers, the network sees how the points fill the cells of their box, which a few hundred
training shapes do not suffice to learn. A cloud is first put into its standard pose: upright as it is, turned about z
so that its footprint's smallest rectangle lies along the axes, the longer side along x, standing on z = 0 and scaled
so that its longest edge is 1. What is lost by that, the size in metres, enters as three numbers of its own. Which of
four ways round a thing faces is not known: the network sees all four and takes the mean.

Source: Qi, Su, Mo, Guibas, "PointNet", CVPR 2017, section 4.2 (shared layers, max pooling); no spatial transformers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import pi
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models import checkpoint
from ecumene_models.errors import CloudError, WeightsError

MODEL: Final = "pointnet"
FEWEST_POINTS: Final = 16
LARGEST_M: Final = 1000.0
"""A thing with a longer edge is no thing: coordinates in millimetres, or a whole scan."""
_ANGLES: Final = 30
_THINNEST_M: Final = 1e-3
_HIGH, _WIDE, _DEEP = 8, 4, 4
_CELLS: Final = _HIGH * _WIDE * _DEEP
_FILLING: Final = _CELLS + 2 * _HIGH


@dataclass(frozen=True, slots=True)
class PointNetConfig:
    """Sizes of the network.

    Attributes:
        classes: What it can name, in order of its logits.
        width: Of the per-point layers; the widest has four times as many channels.
        embedding: Numbers that describe a shape.
        points: How many points a cloud is thinned or filled to.
        dropout: Share of the pooled features left out while training.
    """

    classes: tuple[str, ...]
    width: int = 48
    embedding: int = 128
    points: int = 256
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


class Recognition(NamedTuple):
    """What the network makes of a batch.

    Attributes:
        logits: (B, classes).
        embedding: (B, embedding) of unit length.
    """

    logits: Tensor
    embedding: Tensor


class PointNet(nn.Module):
    """Classifier and encoder of upright point clouds of single things."""

    def __init__(self, config: PointNetConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.each = nn.ModuleList([_Shared(3, w), _Shared(w, w), _Shared(w, 2 * w), _Shared(2 * w, 4 * w)])
        self.size = nn.Sequential(nn.Linear(6, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU())
        self.filling = nn.Sequential(nn.Linear(_FILLING, w, bias=False), nn.BatchNorm1d(w), nn.ReLU())
        self.joint = nn.Sequential(
            nn.Linear(8 * w + 2 * w, 4 * w, bias=False),
            nn.BatchNorm1d(4 * w),
            nn.ReLU(),
            nn.Linear(4 * w, config.embedding, bias=False),
            nn.BatchNorm1d(config.embedding),
        )
        self.head = nn.Linear(config.embedding, len(config.classes))

    def forward(self, posed: Posed, drop: torch.Generator | None = None) -> Recognition:
        """Returns what one way round looks like; `recognise` takes the mean of four.

        Args:
            posed: What is looked at.
            drop: Decides which pooled features are left out while training; none are without it.
        """
        x = posed.points
        for layer in self.each:
            x = layer(x)
        box = self.filling(filling(posed))
        pooled = torch.cat([x.amax(1), x.mean(1), self.size(_proportions(posed.size_m)), box], 1)
        if drop is not None:
            kept = torch.rand(pooled.shape, generator=drop).to(pooled.device) >= self.config.dropout
            pooled = pooled * kept / (1 - self.config.dropout)
        joint = self.joint(pooled)
        return Recognition(self.head(functional.relu(joint)), functional.normalize(joint, dim=1))


class _Shared(nn.Module):
    """One layer applied to every point alike: (B, N, inward) to (B, N, outward)."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inward, outward, bias=False)
        self.norm = nn.BatchNorm1d(outward)

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        out: Tensor = self.norm(self.linear(x).reshape(b * n, -1))
        return functional.relu(out).reshape(b, n, -1)


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


def facing(posed: Posed, way: int) -> Posed:
    """Returns the clouds seen one of four ways round: 0 as they are, 1 and 2 mirrored along x and y, 3 both."""
    signs = posed.points.new_tensor([-1.0 if way & 1 else 1.0, -1.0 if way & 2 else 1.0, 1.0])
    return Posed(posed.points * signs, posed.size_m)


def filling(posed: Posed) -> Tensor:
    """Returns (B, 144): how the points fill their box of 8 levels, each of 4 by 4 steps from the middle planes.

    The first 128 are roots of the share of points in each cell; then come the farthest reach along x and y at each
    level. Left and right, front and back are folded together, so it is the same whichever way round a thing faces.
    """
    half = (posed.size_m / posed.size_m.amax(1, keepdim=True))[:, None] / posed.size_m.new_tensor([2.0, 2.0, 1.0])
    inside = (posed.points / half).abs().clamp(0, 1 - 1e-6)
    steps = (inside * inside.new_tensor([_WIDE, _DEEP, _HIGH])).long()
    cell = (steps[..., 2] * _WIDE + steps[..., 0]) * _DEEP + steps[..., 1]
    counts = posed.points.new_zeros(len(cell), _CELLS).scatter_add_(1, cell, torch.ones_like(inside[..., 0]))
    none = posed.points.new_zeros(len(cell), _HIGH)
    reach = [none.scatter_reduce(1, steps[..., 2], inside[..., axis], "amax") for axis in (0, 1)]
    return torch.cat([(counts / cell.shape[1]).sqrt(), *reach], 1)


def recognise(networks: PointNet | tuple[PointNet, ...], clouds: Tensor) -> Recognition:
    """Returns log probabilities and embeddings of clouds (B, N, 3) in metres, z up, at any heading.

    Args:
        networks: In evaluation mode; of several, probabilities are averaged and embeddings put side by side.
        clouds: With any number of points that is the same for all.

    Raises:
        CloudError: A cloud is no thing; see `pose`.
    """
    members = networks if isinstance(networks, tuple) else (networks,)
    posed = pose(clouds)
    with torch.no_grad():
        seen = [[member(facing(posed, way)) for way in range(4)] for member in members]
    shares = torch.stack([one.logits.softmax(1) for views in seen for one in views]).mean(0)
    parts = [torch.stack([one.embedding for one in views]).mean(0) for views in seen]
    joined = torch.cat([functional.normalize(part, dim=1) for part in parts], 1)
    return Recognition(shares.clamp_min(1e-12).log(), functional.normalize(joined, dim=1))


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
