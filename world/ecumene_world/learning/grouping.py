"""Near-duplicates: models of the same geometry up to stretching, quarter turns and mirroring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

NEAR = 1.1
"""Largest distance of duplicates, where 1 is that of two samplings of one surface."""
NEAR_NAMESAKES = 1.25
"""The same for models of one maker whose names differ by digits only."""
_CANDIDATES = 6
_BINS = 6


def distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Returns how far two clouds (N, 3) are apart, stretched into the unit box, at the best heading.

    It is the mean chamfer distance over that of each cloud's two halves: 1 for two samplings of one surface.
    Quarter turns and mirror images are tried.
    """
    first, second = _boxed(a), _boxed(b)
    own = (_chamfer(first[::2], first[1::2]) + _chamfer(second[::2], second[1::2])) / 2
    return min(_chamfer(first[::2], way[1::2]) for way in _ways(second)) / max(own, 1e-9)


def group(
    clouds: Sequence[NDArray[np.float32]], names: Sequence[str], kinds: Sequence[str]
) -> tuple[NDArray[np.int64], list[tuple[float, int, int]]]:
    """Returns (M,) numbers that are equal for near-duplicates and for what they link, and all compared pairs.

    Compared are, within a class, each model and the six whose points fill the box most alike.

    Args:
        clouds: (N, 3) each.
        names: Such as `Scopia/chair3`: maker and model.
        kinds: Classes.
    """
    filled = np.stack([_filling(cloud) for cloud in clouds])
    pairs: set[tuple[int, int]] = set()
    for row, kind in enumerate(kinds):
        others = np.array([i for i, other in enumerate(kinds) if other == kind and i != row], np.int64)
        alike = np.abs(filled[others] - filled[row]).sum(1).argsort(kind="stable")[:_CANDIDATES]
        pairs |= {(min(row, int(i)), max(row, int(i))) for i in others[alike]}
    compared = sorted((distance(clouds[i], clouds[j]), i, j) for i, j in pairs)
    links = [(i, j) for d, i, j in compared if d < (NEAR_NAMESAKES if _stem(names[i]) == _stem(names[j]) else NEAR)]
    rows, columns = np.array(links, np.int64).reshape(-1, 2).T
    joined = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(len(clouds), len(clouds)))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64), compared


def _stem(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalpha() or letter == "/")


def _boxed(cloud: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns a cloud centred and stretched into the box from -1/2 to 1/2."""
    low, high = cloud.min(0), cloud.max(0)
    return np.asarray((cloud - (low + high) / 2) / np.maximum(high - low, 1e-9), np.float32)


def _filling(cloud: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns shares of points by height and distance from the box's faces, blind to quarter turns and mirroring."""
    x, y, z = _boxed(cloud).T
    near, far = np.sort(np.abs(np.stack([x, y])), axis=0)
    bins = [np.clip((part * scale).astype(np.int64), 0, _BINS - 1) for part, scale in ((near, 12), (far, 12))]
    level = np.clip(((z + 0.5) * _BINS).astype(np.int64), 0, _BINS - 1)
    flat = (bins[0] * _BINS + bins[1]) * _BINS + level
    return np.asarray(np.bincount(flat, minlength=_BINS**3) / len(cloud))


def _chamfer(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.mean(KDTree(a).query(b)[0]) + np.mean(KDTree(b).query(a)[0])) / 2


def _ways(cloud: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Returns a cloud at four headings and its mirror image at four."""
    x, y, z = cloud.T
    planes = ((x, y), (-x, y), (x, -y), (-x, -y), (y, x), (-y, x), (y, -x), (-y, -x))
    return [np.stack([a, b, z], 1) for a, b in planes]
