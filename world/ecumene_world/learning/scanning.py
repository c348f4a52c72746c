"""A simulated laser scan: what stations in a closed room see of triangles, by depth buffers on the faces of a cube.

What a station can't see is missing, as behind a real table. Noise, lost returns and points hanging between a near and
a far surface come after; intensity, colour and a scanner's own pattern of lines are not simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHELL: Final = ("floor", "wall", "ceiling")
"""Numbers -3, -2 and -1 in what a scan says was hit; things count from 0."""
FLOOR, WALL, CEILING = -3, -2, -1
_NEAR_M: Final = 0.05
_LONGEST_M: Final = 0.4
"""Triangles are cut up to edges of this length, so that those at the rim of a cube's face are not lost."""
_MOST_CANDIDATES: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class Scanner:
    """How well a station sees.

    Attributes:
        rays: Along each edge of each face of the cube; 6 * rays² in all.
        noise_m: Standard deviation of the range; twice that at 8 m.
        lost: Share of returns that are missing anyhow; slanting ones are lost more often.
        mixed: Share of returns that fall between what two neighbouring rays see.
    """

    rays: int = 112
    noise_m: float = 0.005
    lost: float = 0.05
    mixed: float = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Shell:
    """A room without furniture: a box.

    Attributes:
        low: x, y, z of the lowest corner, metres; z is the floor.
        high: Of the highest; z is the ceiling.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """N returns.

    Attributes:
        xyz: (N, 3) metres.
        hit: (N,) `FLOOR`, `WALL`, `CEILING`, or the number of the thing.
    """

    xyz: NDArray[np.float64]
    hit: NDArray[np.int64]


def scan(
    shell: Shell,
    triangles: NDArray[np.float64],
    owner: NDArray[np.int64],
    stations: NDArray[np.float64],
    scanner: Scanner,
    generator: np.random.Generator,
) -> Seen:
    """Returns what all stations see together.

    Args:
        shell: The room, which holds everything.
        triangles: (T, 3, 3) metres; seen from both sides.
        owner: (T,) number of the thing that each belongs to.
        stations: (S, 3) inside the shell.
        scanner: How well they see.
        generator: Decides noise and losses.
    """
    triangles, owner = cut_up(triangles, owner)
    parts = [_station(shell, triangles, owner, place, scanner, generator) for place in stations]
    return Seen(np.concatenate([part.xyz for part in parts]), np.concatenate([part.hit for part in parts]))


def cut_up(
    triangles: NDArray[np.float64], owner: NDArray[np.int64], longest_m: float = _LONGEST_M
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Returns the same surface in triangles (T', 3, 3) with no edge beyond `longest_m`, and their owners (T',)."""
    done, owners = [], []
    while len(triangles):
        edges = np.linalg.norm(triangles - np.roll(triangles, -1, 1), axis=2)
        long = edges.max(1) > longest_m
        done.append(triangles[~long])
        owners.append(owner[~long])
        triangles, owner, first = triangles[long], owner[long], edges[long].argmax(1)
        row = np.arange(len(triangles))
        a, b, c = (triangles[row, (first + step) % 3] for step in range(3))
        middle = (a + b) / 2
        triangles = np.concatenate([np.stack([a, middle, c], 1), np.stack([middle, b, c], 1)])
        owner = np.concatenate([owner, owner])
    return np.concatenate([*done, np.zeros((0, 3, 3))]), np.concatenate([*owners, np.zeros(0, np.int64)])


def _station(
    shell: Shell,
    triangles: NDArray[np.float64],
    owner: NDArray[np.int64],
    place: NDArray[np.float64],
    scanner: Scanner,
    generator: np.random.Generator,
) -> Seen:
    """Returns what one station sees."""
    local = np.ascontiguousarray(np.moveaxis(triangles - place, 0, 2))  # corner, axis, triangle
    parts = [_face(shell, local, owner, place, axis, sign, scanner.rays) for axis in range(3) for sign in (1.0, -1.0)]
    way, reach, hit, slant = (np.concatenate([part[n] for part in parts]) for n in range(4))
    length = np.linalg.norm(way, axis=1)
    mixed = generator.random(len(reach)) < scanner.mixed
    blend = np.where(mixed, generator.random(len(reach)), 0.0)
    reach = reach * (1 - blend) + np.roll(reach, 1) * blend
    metres = reach * length
    metres = metres + generator.normal(size=len(metres)) * scanner.noise_m * (1 + metres / 8)
    kept = generator.random(len(metres)) > scanner.lost + 0.6 * np.clip(0.12 - slant, 0, 0.12) / 0.12
    return Seen(place + way[kept] / length[kept, None] * metres[kept, None], hit[kept])


def _face(
    shell: Shell,
    local: NDArray[np.float64],
    owner: NDArray[np.int64],
    place: NDArray[np.float64],
    axis: int,
    sign: float,
    rays: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Returns rays (P, 3) of depth 1, how often that far (P,) they go, what they hit, and cosines of incidence."""
    middles = (np.arange(rays) + 0.5) / rays * 2 - 1
    grid = np.zeros((rays, rays, 3))
    others = [other for other in range(3) if other != axis]
    grid[..., axis] = sign
    grid[..., others[0]], grid[..., others[1]] = middles[:, None], middles[None]
    way = grid.reshape(-1, 3)
    reach, hit, slant = _shell(shell, place, way)
    depth = local[:, axis] * sign
    rows = np.flatnonzero(depth.min(0) > _NEAR_M)
    flat = local[:, others][..., rows] / depth[:, None, rows]  # corner, axis, triangle
    least, most = flat.min(0), flat.max(0)
    inside = (least[0] < 1) & (least[1] < 1) & (most[0] > -1) & (most[1] > -1)
    rows, flat, least, most = rows[inside], flat[..., inside], least[:, inside], most[:, inside]
    low = np.ceil((least + 1) / 2 * rays - 0.5).clip(0, rays).astype(np.int64)
    high = np.floor((most + 1) / 2 * rays - 0.5).clip(-1, rays - 1).astype(np.int64) + 1
    span = (high - low).clip(0)
    count = span[0] * span[1]
    for part in _portions(count):
        pixel, which = _candidates(low[:, part], span[:, part], count[part], rays)
        corner = flat[..., part[which]]
        at = middles[pixel // rays], middles[pixel % rays]
        spin = [_spin(corner[n], corner[(n + 1) % 3], at) for n in range(3)]
        met = (np.minimum.reduce(spin) >= 0) | (np.maximum.reduce(spin) <= 0)
        pixel, row = pixel[met], rows[part[which[met]]]
        a, b, c = (local[n][:, row].T for n in range(3))
        normal = np.cross(b - a, c - a)
        size = np.linalg.norm(normal, axis=1)
        along = (normal * way[pixel]).sum(1)
        good = np.abs(along) > 1e-9 * np.maximum(size, 1e-12)
        pixel, row, normal, size, along = pixel[good], row[good], normal[good], size[good], along[good]
        far = (normal * a[good]).sum(1) / along
        order = np.lexsort((far, pixel))
        pixel, far, row = pixel[order], far[order], row[order]
        first = np.flatnonzero(np.diff(pixel, prepend=-1))
        first = first[(far[first] > _NEAR_M) & (far[first] < reach[pixel[first]])]
        chosen = pixel[first]
        reach[chosen], hit[chosen] = far[first], owner[row[first]]
        lean = np.abs(along[order][first]) / np.maximum(size[order][first], 1e-12)
        slant[chosen] = lean / np.linalg.norm(way[chosen], axis=1)
    return way, reach, hit, slant


def _spin(
    a: NDArray[np.float64], b: NDArray[np.float64], p: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Returns (N,) on which side of the line from a (2, N) to b each p lies."""
    return np.asarray((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]))


def _portions(count: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Returns rows in runs whose counts sum to what fits into memory; rows of 0 are left out."""
    rows = np.flatnonzero(count)
    run = np.cumsum(count[rows]) // _MOST_CANDIDATES
    return np.split(rows, np.flatnonzero(np.diff(run)) + 1) if len(rows) else []


def _candidates(
    low: NDArray[np.int64], span: NDArray[np.int64], count: NDArray[np.int64], rays: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns each pixel of each triangle's bounding rectangle, and the row of the triangle."""
    which = np.repeat(np.arange(len(count)), count)
    step = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    i = low[0, which] + step // span[1, which]
    j = low[1, which] + step % span[1, which]
    return i * rays + j, which


def _shell(
    shell: Shell, place: NDArray[np.float64], way: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Returns how far rays (P, 3) go to the shell, what of it they hit, and cosines of incidence."""
    low, high = np.array(shell.low) - place, np.array(shell.high) - place
    bound = np.where(way > 0, high, low)
    far = np.where(np.abs(way) > 1e-9, bound / np.where(np.abs(way) > 1e-9, way, 1.0), np.inf)
    axis = far.argmin(1)
    row = np.arange(len(way))
    up = np.where(way[:, 2] > 0, CEILING, FLOOR)
    hit = np.where(axis == 2, up, WALL).astype(np.int64)
    return far[row, axis], hit, np.abs(way[row, axis]) / np.linalg.norm(way, axis=1)
