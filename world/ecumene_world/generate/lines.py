"""Lines on a plane: parallels, stations along them and the gaps between directions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import atan2, pi

import numpy as np

from ecumene_world.generate.survey import Points


def beside(line: Points, offset_m: float) -> Points:
    """Returns a line (P, 2) moved to its left (right if negative), mitred at corners."""
    along = np.diff(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    left = np.stack([-along[:, 1], along[:, 0]], 1)
    normals = np.concatenate([left[:1], left[:-1] + left[1:], left[-1:]])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    firsts = np.concatenate([left[:1], left])
    mitre = 1.0 / np.maximum((normals * firsts).sum(1, keepdims=True), 0.5)
    return np.asarray(line + normals * mitre * offset_m)


def stations(line: Points, step_m: float, ends_m: float) -> Iterator[tuple[float, float, float]]:
    """Yields x, y and direction at even steps along a line, none nearer to its ends than `ends_m`."""
    total = length_m(line)
    if total <= 2 * ends_m:
        return
    count = int((total - 2 * ends_m) / step_m) + 1
    spread = (total - 2 * ends_m - (count - 1) * step_m) / 2
    for n in range(count):
        yield at(line, ends_m + spread + n * step_m)


def at(line: Points, s: float) -> tuple[float, float, float]:
    """Returns x, y and direction at a distance s along a line, metres."""
    along = np.diff(line, axis=0)
    lengths = np.linalg.norm(along, axis=1)
    start = np.concatenate([[0.0], np.cumsum(lengths)])
    index = min(max(int(np.searchsorted(start, s, side="right")) - 1, 0), len(along) - 1)
    unit = along[index] / max(float(lengths[index]), 1e-9)
    x, y = (line[index] + unit * (s - start[index])).tolist()
    return x, y, atan2(unit[1], unit[0])


def length_m(line: Points) -> float:
    """Returns the length of a line."""
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


def middle(line: Points) -> tuple[float, float]:
    """Returns the point half way along a line."""
    x, y, _ = at(line, length_m(line) / 2)
    return x, y


def gaps(angles: Sequence[float]) -> list[tuple[float, float]]:
    """Returns the middle and the opening of each gap between sorted directions, widest first; a full turn if none."""
    if not angles:
        return [(0.0, 2 * pi)]
    after = [*angles[1:], angles[0] + 2 * pi]
    return sorted((((a + b) / 2, b - a) for a, b in zip(angles, after, strict=True)), key=lambda gap: -gap[1])


def area_m2(ring: Points) -> float:
    """Returns the area inside a ring, either way round."""
    x, y = ring.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
