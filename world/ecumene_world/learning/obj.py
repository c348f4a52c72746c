"""Wavefront OBJ: positions and faces, nothing else. Materials, normals, groups and curves are skipped."""

from __future__ import annotations

import re
import warnings
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed, TooLarge

Number = TypeVar("Number", np.float64, np.int64)

_MOST_CORNERS = 4_000_000
_BEHIND_SLASH = re.compile(r"/[^\s]*")


def read_obj(text: str, name: str = "the OBJ file") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns vertices (V, 3) in the file's own frame and unit, and triangles (F, 3); polygons are cut into fans.

    Args:
        text: Contents of the file.
        name: What messages call it.

    Raises:
        ImportFailed: A line can't be read, a face names a vertex that is not there, or there is no face.
        TooLarge: More than four million corners.
    """
    positions: list[str] = []
    polygons: list[str] = []
    so_far: list[int] = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("v "):
            positions.append(line)
        elif line.startswith("f "):
            polygons.append(line[2:])
            so_far.append(len(positions))
    if not polygons:
        raise ImportFailed(f"{name} has no face")
    vertices = _vertices(positions, name)
    faces = _faces(polygons, np.array(so_far, np.int64), name)
    if not np.isfinite(vertices).all():
        raise ImportFailed(f"{name} has a vertex that is not three finite numbers")
    if faces.size and not (faces.min() >= 0 and faces.max() < len(vertices)):
        raise ImportFailed(f"{name} has a face that names none of its {len(vertices)} vertices")
    return vertices, faces


def _vertices(lines: list[str], name: str) -> NDArray[np.float64]:
    """Returns positions (V, 3) of lines such as `v 0 1.5 2`; a weight or colours behind them are left out."""
    wide = len(lines[0].split()) - 1 if lines else 3
    numbers = _numbers("".join(line[1:] for line in lines), np.float64)
    if wide < 3 or len(numbers) != wide * len(lines):
        raise ImportFailed(f"{name} has a vertex that is not three numbers")
    return np.ascontiguousarray(numbers.reshape(-1, wide)[:, :3])


def _faces(polygons: list[str], so_far: NDArray[np.int64], name: str) -> NDArray[np.int64]:
    """Returns triangles (F, 3); negative numbers in a polygon count back from the `so_far` vertices before it."""
    plain = [_BEHIND_SLASH.sub("", line) for line in polygons]
    counts = np.array([len(line.split()) for line in plain], np.int64)
    if counts.sum() > _MOST_CORNERS:
        raise TooLarge(f"{name} has more than {_MOST_CORNERS:,} corners")
    corners = _numbers(" ".join(plain), np.int64)
    if len(corners) != counts.sum():
        raise ImportFailed(f"{name} has a face with a corner that is no whole number")
    corners = np.where(corners > 0, corners - 1, corners + np.repeat(so_far, counts))
    return _fans(corners, counts)


def _numbers(text: str, kind: type[Number]) -> NDArray[Number]:
    """Returns the numbers of a text, up to the first word that is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return np.fromstring(text, kind, sep=" ")
        except ValueError:
            return np.zeros(0, kind)


def _fans(corners: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns triangles (F, 3) of convex polygons of `counts` corners each, stored one after another."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    fans = np.maximum(counts - 2, 0)
    of = np.repeat(np.arange(len(counts)), fans)
    step = np.arange(len(of)) - np.repeat(np.cumsum(fans) - fans, fans)
    first = starts[of]
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], 1)
