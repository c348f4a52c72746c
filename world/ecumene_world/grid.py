"""Sampling of the walkable grid, and which parts of it hang together."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

if TYPE_CHECKING:
    from ecumene_world.layout import Layout


class Surface(IntEnum):
    """What is walked on."""

    NONE = 0
    GROUND = 1
    STREET = 2
    SQUARE = 3
    LAWN = 4
    FLOOR = 5
    STAIRS = 6


def sample(layout: Layout, field: Tensor, level: Tensor, xy: Tensor) -> Tensor:
    """Returns a field (L, H, W) between its nodes, bilinearly; points beyond the grid get its border's value.

    Args:
        layout: Where the grid lies.
        field: (L, H, W) floats, such as `layout.clearance`.
        level: (...) i64 storeys.
        xy: (..., 2) metres.
    """
    (a, b, c, d), fx, fy = _corners(layout, field, level, xy)
    low = a + (b - a) * fx
    return low + (c + (d - c) * fx - low) * fy


def sample_near(
    layout: Layout, field: Tensor, level: int | slice, xy: Sequence[Sequence[float]] | NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns what `sample` does at n points close together, at a third of the price: (n,) on a storey, (L, n) on all.

    Args:
        layout: Where the grid lies.
        field: (L, H, W) f32.
        level: Which storey, or `slice(None)` for all.
        xy: (n, 2) metres.
    """
    height, width = field.shape[1:]
    at = (np.asarray(xy, np.float32) - np.array(layout.origin, np.float32)) / np.float32(layout.cell_m)
    at = np.clip(at, 0, np.array((width - 1, height - 1), np.float32))
    node = np.minimum(at.astype(np.int64), (width - 2, height - 2))
    share_x, share_y = (at - node.astype(np.float32)).T
    first, last = node.min(axis=0), node.max(axis=0)
    patch = field[level, first[1] : last[1] + 2, first[0] : last[0] + 2].numpy(force=True)
    ix, iy = (node - first).T
    low, high = (patch[..., y, ix] + (patch[..., y, ix + 1] - patch[..., y, ix]) * share_x for y in (iy, iy + 1))
    between: NDArray[np.float32] = low + (high - low) * share_y
    return between


def gradient(layout: Layout, field: Tensor, level: Tensor, xy: Tensor) -> Tensor:
    """Returns (..., 2) slope of a field along x and y, per metre, of the bilinear patch that a point lies in."""
    return sample_with_gradient(layout, field, level, xy)[1]


def sample_with_gradient(layout: Layout, field: Tensor, level: Tensor, xy: Tensor) -> tuple[Tensor, Tensor]:
    """Returns what `sample` and `gradient` do, for the price of one."""
    (a, b, c, d), fx, fy = _corners(layout, field, level, xy)
    low, high = a + (b - a) * fx, c + (d - c) * fx
    along_x = (b - a) + ((d - c) - (b - a)) * fy
    return low + (high - low) * fy, torch.stack([along_x, high - low], -1) / layout.cell_m


def nearest(layout: Layout, field: Tensor, level: Tensor, xy: Tensor) -> Tensor:
    """Returns a field's value (...) at the grid node nearest to each point; for categories and storeys.

    Args:
        layout: Where the grid lies.
        field: (L, H, W) of any type, such as `layout.next_level`.
        level: (...) i64 storeys.
        xy: (..., 2) metres.
    """
    height, width = field.shape[1:]
    x0, y0 = layout.origin
    ix = ((xy[..., 0] - x0) / layout.cell_m).round().long().clamp(0, width - 1)
    iy = ((xy[..., 1] - y0) / layout.cell_m).round().long().clamp(0, height - 1)
    return field[level, iy, ix]


def components(clearance: NDArray[np.float32], next_level: NDArray[np.int8], radius_m: float) -> NDArray[np.int32]:
    """Returns (L, H, W) which connected part of the world a body of some radius is in: 0 none, 1 the largest, 2 ...

    Nodes hang together with their four neighbours, and across storeys through portals.

    Args:
        clearance: (L, H, W) metres.
        next_level: (L, H, W) storeys.
        radius_m: Nodes with less clearance than this belong to no part.
    """
    free = clearance >= radius_m
    parts = np.zeros(free.shape, np.int32)
    count = 0
    for level, layer in enumerate(free):
        found, new = label(layer)
        parts[level] = np.where(layer, found + count, 0)
        count += new
    merged = _through_portals(parts, next_level, count)
    sizes = np.bincount(merged[parts.ravel()], minlength=int(merged.max()) + 1)
    sizes[0] = 0
    rank = np.zeros(len(sizes), np.int32)
    order = np.argsort(-sizes, kind="stable")
    rank[order] = np.arange(1, len(sizes) + 1)
    rank[0] = 0
    return rank[merged][parts]


def _through_portals(parts: NDArray[np.int32], next_level: NDArray[np.int8], count: int) -> NDArray[np.int32]:
    """Returns (count + 1,) a number for each part, equal for parts that portals join; 0 stays 0."""
    own = np.arange(len(parts), dtype=np.int8)[:, None, None]
    level, iy, ix = np.nonzero(next_level != own)
    here, there = parts[level, iy, ix], parts[next_level[level, iy, ix].astype(np.int64), iy, ix]
    both = (here > 0) & (there > 0)
    links = coo_array((np.ones(int(both.sum()), np.int8), (here[both], there[both])), (count + 1, count + 1))
    return np.asarray(connected_components(links, directed=False)[1], np.int32)


def _corners(
    layout: Layout, field: Tensor, level: Tensor, xy: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor, Tensor], Tensor, Tensor]:
    """Returns the four nodes' values around each point and how far it is from the first along x and y, 0..1."""
    height, width = field.shape[1:]
    x0, y0 = layout.origin
    u = ((xy[..., 0] - x0) / layout.cell_m).clamp(0, width - 1)
    v = ((xy[..., 1] - y0) / layout.cell_m).clamp(0, height - 1)
    ix, iy = u.floor().clamp(max=width - 2), v.floor().clamp(max=height - 2)
    at = (level * height + iy.long()) * width + ix.long()
    flat = field.reshape(-1)
    return (flat[at], flat[at + 1], flat[at + width], flat[at + width + 1]), u - ix, v - iy
