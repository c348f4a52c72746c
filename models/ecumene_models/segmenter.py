"""The segmenter: says of every point of an indoor scan what it lies on, from the shape of what is around it.

Points are sorted into cells of a grid. A small PointNet looks at the points of each cell; cells then hear from their
neighbours and, over three coarser grids, from some metres around; at last each point hears from its cell. Only occupied
cells are worked on. Colours are not looked at.

Source: PointNet (Qi et al., CVPR 2017) within cells, in the manner of VoxelNet (Zhou, Tuzel, CVPR 2018, section 2.1);
the pyramid is that of a U-Net over sparse cells (Graham, Engelcke, van der Maaten, CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from math import pi
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models import checkpoint
from ecumene_models.errors import CloudError, WeightsError

MODEL: Final = "segmenter"
WIDEST_CELLS: Final = 4000
"""Along an axis; a key of the grid holds so many."""
_CROSS: Final = ((0, 0, 0), (1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1))
_BLOCK: Final = tuple(product((-1, 0, 1), repeat=3))
_KERNELS: Final = (_CROSS, _CROSS, _CROSS, _BLOCK)
_LEVELS: Final = len(_KERNELS)
_SHAPE: Final = 5
_WHERE: Final = 9
_POINT: Final = 3 + _WHERE
_OUTLIERS: Final = 0.005
_FAR_M: Final = 1.5
_SHELL_M: Final = 0.08
_TOUCH_M: Final = 0.1
_ANGLES: Final = 45
_STRIDE: Final = WIDEST_CELLS + 96


@dataclass(frozen=True, slots=True)
class SegmenterConfig:
    """Sizes of the network.

    Attributes:
        classes: What a point can lie on, in order of the logits.
        cell_m: Edge of the finest cells, metres; each coarser grid has twice that.
        width: Of what is known of a point and of a finest cell; coarser ones know up to twice as much.
        spacing_m: Scans are thinned to one point in each cube of this edge.
    """

    classes: tuple[str, ...]
    cell_m: float = 0.2
    width: int = 32
    spacing_m: float = 0.08

    def to_json(self) -> dict[str, Any]:
        """Returns JSON scalars and lists."""
        return {**asdict(self), "classes": list(self.classes)}


class Part(NamedTuple):
    """A scan, or a part of one.

    Attributes:
        xyz: (N, 3) f32 metres, N >= 1, floor about z = 0, walls along the axes.
        where: (N, 9) where each point lies in the whole scan, see `whereabouts`.
    """

    xyz: Tensor
    where: Tensor


class Level(NamedTuple):
    """One grid: M occupied cells.

    Attributes:
        near: (M, K) rows of a cell's neighbours and itself, M where there is none.
        up: (M,) row of its cell in the next coarser grid; zeros in the coarsest.
        shape: (M, 5) how its points are spread, the same at every heading.
    """

    near: Tensor
    up: Tensor
    shape: Tensor


class Cloud(NamedTuple):
    """Points of one or more scans, sorted into cells.

    Attributes:
        features: (N, 12) where each point lies in its cell, and `whereabouts`.
        cell: (N,) row of its finest cell.
        levels: Grids, the finest first.
    """

    features: Tensor
    cell: Tensor
    levels: tuple[Level, ...]


class Segmenter(nn.Module):
    """Logits of every point."""

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        widths = (w, 3 * w // 2, 2 * w, 2 * w)
        self.point = nn.Sequential(nn.Linear(_POINT, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU())
        self.enter = nn.ModuleList(
            [nn.Linear(2 * w + _SHAPE, w), *(nn.Linear(widths[n - 1] + _SHAPE, widths[n]) for n in range(1, _LEVELS))]
        )
        self.down = nn.ModuleList([_Exchange(width, len(k)) for width, k in zip(widths, _KERNELS, strict=True)])
        self.join = nn.ModuleList([nn.Linear(widths[n + 1] + widths[n], widths[n]) for n in range(_LEVELS - 1)])
        self.back = nn.ModuleList([_Exchange(widths[n], len(_KERNELS[n])) for n in range(_LEVELS - 1)])
        self.cell = nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, len(config.classes)))
        self.own = nn.Linear(w, len(config.classes))

    def forward(self, cloud: Cloud) -> Tensor:
        """Returns logits (N, classes)."""
        points = self.point(cloud.features)
        count = len(cloud.levels[0].up)
        x = torch.cat([_greatest(points, cloud.cell, count), _mean(points, cloud.cell, count)], 1)
        seen: list[Tensor] = []
        for n, level in enumerate(cloud.levels):
            x = torch.relu(self.enter[n](torch.cat([x, level.shape], 1)))
            x = self.down[n](x, level.near)
            seen.append(x)
            if n + 1 < _LEVELS:
                x = _greatest(x, level.up, len(cloud.levels[n + 1].up))
        for n in reversed(range(_LEVELS - 1)):
            level = cloud.levels[n]
            x = torch.relu(self.join[n](torch.cat([x[level.up], seen[n]], 1)))
            x = self.back[n](x, level.near)
        out: Tensor = self.own(points) + self.cell(x)[cloud.cell]
        return out


class _Exchange(nn.Module):
    """Cells hear from their neighbours: (M, width) to (M, width)."""

    def __init__(self, width: int, neighbours: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width * neighbours, width, bias=False)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, near: Tensor) -> Tensor:
        padded = functional.pad(x, (0, 0, 0, 1))
        heard = padded.index_select(0, near.reshape(-1)).reshape(len(x), -1)
        return x + torch.relu(self.norm(self.linear(heard)))


def _greatest(x: Tensor, of: Tensor, count: int) -> Tensor:
    """Returns (count, C): the greatest of the rows (N, C) that belong to each; every one has some."""
    out = x.new_full((count, x.shape[1]), -torch.inf)
    return out.scatter_reduce(0, of[:, None].expand_as(x), x, "amax")


def _mean(x: Tensor, of: Tensor, count: int) -> Tensor:
    sums = x.new_zeros(count, x.shape[1]).index_add(0, of, x)
    return sums / torch.bincount(of, minlength=count)[:, None].to(x.dtype)


def sorted_into_cells(parts: Sequence[Part], config: SegmenterConfig) -> Cloud:
    """Returns the points of parts, one after another, in the cells of four grids that begin at the origin.

    Args:
        parts: Cells of different parts are never neighbours.
        config: For the size of the cells.

    Raises:
        CloudError: One is wider than `WIDEST_CELLS` cells.
    """
    xyz = torch.cat([part.xyz for part in parts])
    key = torch.cat([torch.full((len(part.xyz),), n, device=xyz.device) for n, part in enumerate(parts)])
    corners = [(part.xyz.amin(0) / config.cell_m).floor().expand(len(part.xyz), 3) for part in parts]
    low = torch.cat(corners) * config.cell_m
    cell = ((xyz - low) / config.cell_m).floor().long().clamp_min(0)
    if int(cell.max()) >= WIDEST_CELLS:
        raise CloudError(
            f"a scan is {float((xyz - low).max()):.0f} m wide; up to {WIDEST_CELLS * config.cell_m:.0f} m fit "
            "into cells"
        )
    for axis in range(3):
        key = key * _STRIDE + cell[:, axis] + 8
    keys, of = torch.unique(key, return_inverse=True)
    place = xyz / config.cell_m - (xyz / config.cell_m).floor() - 0.5
    features = torch.cat([place, torch.cat([part.where for part in parts])], 1)
    levels: list[Level] = []
    moments = _moments(xyz - low, of, len(keys))
    for n, kernel in enumerate(_KERNELS):
        if n + 1 < _LEVELS:
            above, up = torch.unique(_halved(keys), return_inverse=True)
        else:
            above, up = keys[:0], torch.zeros_like(keys)
        levels.append(Level(_near(keys, kernel), up, _spread(moments, config.cell_m * 2**n)))
        moments = moments.new_zeros(max(len(above), 1), moments.shape[1]).index_add(0, up, moments)
        keys = above
    return Cloud(features, of, tuple(levels))


def whereabouts(xyz: Tensor) -> Tensor:
    """Returns (N, 9) where each point lies in its scan, and what is joined to it once floor, top and sides are gone.

    Metres above z = 0, below the top, and off the nearest side of the box but for outliers; then length, width and
    height (logarithms of metres), lowest and highest z, and number (a logarithm) of the points that touch, 0 on the
    shell.
    """
    ranks = torch.tensor([_OUTLIERS, 1 - _OUTLIERS], device=xyz.device) * (len(xyz) - 1)
    low, high = xyz.sort(0).values[ranks.round().long()]
    side = torch.minimum(xyz - low, high - xyz)[:, :2].amin(1)
    place = torch.stack([xyz[:, 2], (high[2] - xyz[:, 2]).clamp_max(_FAR_M), side.clamp_max(_FAR_M)], 1)
    inside = (place > _SHELL_M).all(1)
    lump = xyz.new_zeros(len(xyz), _WHERE - 3)
    if bool(inside.any()):
        lump[inside] = _lumps(xyz[inside])
    return torch.cat([place, lump], 1)


def _lumps(xyz: Tensor) -> Tensor:
    """Returns (N, 6) of the lump that each point belongs to: its size, lowest and highest z, and how many points."""
    cell = ((xyz - xyz.amin(0)) / _TOUCH_M).floor().long() + 1
    keys, of = torch.unique((cell[:, 0] * _STRIDE + cell[:, 1]) * _STRIDE + cell[:, 2], return_inverse=True)
    near = _near(keys, _BLOCK).cpu().numpy()
    row, column = np.nonzero(near < len(keys))
    links = coo_matrix((np.ones(len(row), np.int8), (row, near[row, column])), shape=(len(keys), len(keys)))
    lump = torch.from_numpy(connected_components(links, directed=False)[1].astype(np.int64)).to(xyz.device)[of]
    count = int(lump.max()) + 1
    index = lump[:, None].expand_as(xyz)
    low = xyz.new_zeros(count, 3).scatter_reduce(0, index, xyz, "amin", include_self=False)
    high = xyz.new_zeros(count, 3).scatter_reduce(0, index, xyz, "amax", include_self=False)
    size = (high - low).clamp_min(0.05).log()
    flat = size[:, :2].sort(1, descending=True).values
    many = torch.bincount(lump, minlength=count).log() / 3
    told = torch.cat([flat, size[:, 2:], low[:, 2:], high[:, 2:], many[:, None]], 1)
    return told[lump]


def _halved(keys: Tensor) -> Tensor:
    """Returns the keys of the cells of the next coarser grid."""
    z, rest = keys % _STRIDE, keys // _STRIDE
    y, rest = rest % _STRIDE, rest // _STRIDE
    x, scan = rest % _STRIDE, rest // _STRIDE
    return ((scan * _STRIDE + x // 2 + 4) * _STRIDE + y // 2 + 4) * _STRIDE + z // 2 + 4


def _near(keys: Tensor, kernel: tuple[tuple[int, ...], ...]) -> Tensor:
    """Returns (M, K) rows of neighbours among sorted keys (M,); M where there is none."""
    steps = keys.new_tensor([(x * _STRIDE + y) * _STRIDE + z for x, y, z in kernel])
    wanted = keys[:, None] + steps
    at = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
    return torch.where(keys[at] == wanted, at, len(keys))


def _moments(xyz: Tensor, of: Tensor, count: int) -> Tensor:
    """Returns (count, 10) sums over each cell's points of 1, x, y, z, xx, yy, zz, xy, xz, yz."""
    wide = xyz.double()
    x, y, z = wide.unbind(1)
    rows = torch.stack([torch.ones_like(x), x, y, z, x * x, y * y, z * z, x * y, x * z, y * z], 1)
    return rows.new_zeros(count, 10).index_add(0, of, rows)


def _spread(moments: Tensor, cell_m: float) -> Tensor:
    """Returns (M, 5): how many points, how they are spread in height and breadth, how long and how slanting."""
    count = moments[:, 0]
    x, y, z, xx, yy, zz, xy, xz, yz = (moments[:, 1:] / count[:, None]).unbind(1)
    xx, yy, zz, xy, xz, yz = xx - x * x, yy - y * y, zz - z * z, xy - x * y, xz - x * z, yz - y * z
    breadth, long = xx + yy, ((xx - yy).square() + 4 * xy * xy).clamp_min(0).sqrt()
    slant = (xz * xz + yz * yz).sqrt()
    scale = 8.0 / cell_m**2
    return torch.stack([count.log() / 3, zz * scale, breadth * scale, long * scale, slant * scale], 1).float()


def thinned(xyz: Tensor, spacing_m: float) -> tuple[Tensor, Tensor]:
    """Returns rows of one point in each cube (M,), and the place in those rows that stands for each point (N,)."""
    cell = ((xyz - xyz.amin(0)) / spacing_m).floor().long()
    wide = cell.amax(0) + 1
    key = (cell[:, 0] * wide[1] + cell[:, 1]) * wide[2] + cell[:, 2]
    keys, of = torch.unique(key, return_inverse=True)
    rows = torch.zeros_like(keys).scatter_reduce(0, of, torch.arange(len(xyz)), "amax", include_self=False)
    return rows, of


@torch.no_grad()
def shares(network: Segmenter, xyz: Tensor, views: int = 2) -> Tensor:
    """Returns (N, classes): how likely each point of a scan lies on what, as the mean of views a quarter turn apart.

    A room is first turned so that its walls lie along the axes, as the network has learned them.

    Args:
        network: In evaluation mode.
        xyz: (N, 3) f32 metres, about `spacing_m` apart, floor at z = 0.
        views: At how many headings it is looked at.

    Raises:
        CloudError: There is no point, a number is not finite, or it is too wide.
    """
    if xyz.ndim != 2 or xyz.shape[1] != 3 or not len(xyz):
        raise CloudError(f"points have shape {tuple(xyz.shape)}; (N, 3) with N of 1 or more is needed")
    if not bool(torch.isfinite(xyz).all()):
        raise CloudError("a scan has coordinates that are not finite numbers")
    middle = (xyz.amin(0) + xyz.amax(0)) / 2 * xyz.new_tensor([1, 1, 0])
    heading = straight(xyz)
    total = xyz.new_zeros(len(xyz), len(network.config.classes))
    for view in range(views):
        turned = yawed(xyz - middle, torch.tensor(view * pi / 2) - heading)
        total += network(sorted_into_cells([Part(turned, whereabouts(turned))], network.config)).softmax(1)
    return total / views


def straight(xyz: Tensor) -> Tensor:
    """Returns the heading, 0 to a quarter turn, at which the rectangle about points (N, 3) is smallest."""
    angle = torch.arange(_ANGLES) * (pi / 2 / _ANGLES)
    some = xyz[:: max(1, len(xyz) // 4000), :2]
    along = (some @ torch.stack([angle.cos(), angle.sin()])).sort(0).values
    across = (some @ torch.stack([-angle.sin(), angle.cos()])).sort(0).values
    cut = int(_OUTLIERS * len(some))
    area = (along[len(some) - 1 - cut] - along[cut]) * (across[len(some) - 1 - cut] - across[cut])
    return angle[area.argmin()]


def yawed(xyz: Tensor, angle: Tensor) -> Tensor:
    """Returns points (N, 3) turned about z by radians."""
    c, s = angle.cos(), angle.sin()
    x, y, z = xyz.unbind(1)
    return torch.stack([c * x - s * y, s * x + c * y, z], 1)


def save_segmenter(network: Segmenter, path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes a network and returns the digest."""
    return checkpoint.write(path, network, model=MODEL, config=network.config.to_json(), notes=notes)


def load_segmenter(path: Path) -> Segmenter:
    """Reads a network, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        sizes = dict(found.config)
        network = Segmenter(SegmenterConfig(**{**sizes, "classes": tuple(sizes["classes"])}))
    except (TypeError, ValueError, KeyError, RuntimeError):
        raise WeightsError(f"{path} describes a network that can't be built: {dict(found.config)}") from None
    checkpoint.fit(network, found, path)
    return network.eval()
