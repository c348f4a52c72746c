"""Rasterising: which triangle each pixel of a camera's picture shows, for all triangles of a size at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import tan
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_EMPTY: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_NEAR_M: Final = 0.05
_BATCH: Final = 1 << 20
"""Fragments tested at once; bounds memory to about 50 MB."""
_TILE: Final = 16


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the picture is taken from.

    Attributes:
        eye: Position, metres.
        target: What is in the picture's middle, metres.
        fov_rad: Vertical opening angle of a perspective view.
        span_m: Height of an orthographic view; 0 for perspective.
        up: Which way is up in the picture; must not be parallel to the view.
    """

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_rad: float = 0.7
    span_m: float = 0.0
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)

    @classmethod
    def plan(cls, bounds: ArrayLike, aspect: float = 1.0) -> Camera:
        """Returns a map view from straight above, +y up, that shows (2, 3) bounds in a picture of width/height."""
        low, high = np.asarray(bounds, np.float64)
        x, y, _ = ((low + high) / 2).tolist()
        width, depth, height = (high - low).tolist()
        top = float(high[2]) + 10.0 + 0.1 * height
        span = 1.04 * max(depth, width / aspect, 0.1)
        return cls((x, y, top), (x, y, float(low[2])), span_m=span, up=(0.0, 1.0, 0.0))

    @classmethod
    def orbit(
        cls, bounds: ArrayLike, yaw: float = 0.6, pitch: float = 0.45, *, fov_rad: float = 0.6, fit: float = 1.0
    ) -> Camera:
        """Returns a perspective view that shows all of (2, 3) bounds.

        Args:
            bounds: Lowest and highest corner, metres.
            yaw: Where the camera stands, radians counter-clockwise from +x.
            pitch: How far above the horizon it stands, radians.
            fov_rad: Vertical opening angle.
            fit: Distance against the one at which the bounding sphere just fits.
        """
        low, high = np.asarray(bounds, np.float64)
        middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
        away = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
        eye = middle + away * max(radius, 0.05) / np.sin(fov_rad / 2) * fit
        return cls(point(eye), point(middle), fov_rad)

    @property
    def height_at_1m(self) -> float:
        """The picture's height in metres: at one metre for perspective, anywhere for orthographic views."""
        return self.span_m or 2 * tan(self.fov_rad / 2)

    def basis(self) -> NDArray[np.float64]:
        """Returns (3, 3) rows right, up and forward."""
        forward = np.subtract(self.target, self.eye, dtype=np.float64)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, self.up)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Which triangle each pixel shows.

    Attributes:
        face: (H, W) triangle index, -1 for none.
        depth: (H, W) metres along the view.
        camera: From where.
    """

    face: NDArray[np.int64]
    depth: NDArray[np.float32]
    camera: Camera

    @classmethod
    def of(
        cls, triangles: NDArray[np.float64], camera: Camera, width: int, height: int, *, both_sides: bool = False
    ) -> Raster:
        """Returns what a camera sees of triangles (T, 3, 3), back faces only if asked for."""
        local = (triangles - np.array(camera.eye)) @ camera.basis().T
        owner = np.arange(len(local))
        if not camera.span_m:
            local, owner = _clipped(local, owner)
        screen = _projected(local, camera, width, height)
        a, b, c = np.moveaxis(screen, 1, 0)
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        low, high = screen[:, :, :2].min(1), screen[:, :, :2].max(1)
        facing = np.abs(area) > 1e-9 if both_sides else area < -1e-9
        shown = facing & (high > 0).all(1) & (low[:, 0] < width) & (low[:, 1] < height)
        if camera.span_m:
            shown &= screen[:, :, 2].min(1) > 0
        nearest = _drawn(screen[shown], owner[shown], width, height, bool(camera.span_m))
        face = np.where(nearest == _EMPTY, np.int64(-1), (nearest & np.uint64(0xFFFF_FFFF)).astype(np.int64))
        depth = (nearest >> np.uint64(32)).astype(np.uint32).view(np.float32)
        return cls(face.reshape(height, width), depth.reshape(height, width), camera)

    def points(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.float64]:
        """Returns the world positions (N, 3) that some pixels show, metres."""
        height, width = self.face.shape
        depth = self.depth[rows, columns].astype(np.float64)
        across = self.camera.height_at_1m / height * (depth if not self.camera.span_m else 1.0)
        x = (columns + 0.5 - width / 2) * across
        y = (height / 2 - rows - 0.5) * across
        return np.asarray(np.stack([x, y, depth], 1) @ self.camera.basis() + np.array(self.camera.eye))


def _clipped(local: NDArray[np.float64], owner: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Cuts camera-space triangles (T, 3, 3) off at the near plane; a triangle with one corner behind becomes two."""
    behind = local[:, :, 2] < _NEAR_M
    count = behind.sum(1)
    kept, owners = [local[count == 0]], [owner[count == 0]]
    for corners_behind in (1, 2):
        chosen = count == corners_behind
        lone = np.argmax(behind[chosen] if corners_behind == 1 else ~behind[chosen], axis=1)
        order = (lone[:, None] + np.arange(3)) % 3
        a, b, c = np.moveaxis(np.take_along_axis(local[chosen], order[:, :, None], 1), 1, 0)
        ab, ac = _at_near(a, b), _at_near(a, c)
        if corners_behind == 1:
            kept += [np.stack([ab, b, c], 1), np.stack([ab, c, ac], 1)]
            owners += [owner[chosen], owner[chosen]]
        else:
            kept.append(np.stack([a, ab, ac], 1))
            owners.append(owner[chosen])
    return np.concatenate(kept), np.concatenate(owners)


def _at_near(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns where the lines from a to b (N, 3) cross the near plane."""
    share = (_NEAR_M - a[:, 2:]) / np.where(a[:, 2:] == b[:, 2:], 1.0, b[:, 2:] - a[:, 2:])
    return np.asarray(a + (b - a) * share)


def _projected(local: NDArray[np.float64], camera: Camera, width: int, height: int) -> NDArray[np.float64]:
    """Returns camera-space points as pixel x, pixel y (downward) and depth in metres."""
    depth = local[..., 2]
    scale = height / camera.height_at_1m / (1.0 if camera.span_m else depth)
    return np.stack([width / 2 + local[..., 0] * scale, height / 2 - local[..., 1] * scale, depth], -1)


def _drawn(
    screen: NDArray[np.float64], owner: NDArray[np.int64], width: int, height: int, orthographic: bool
) -> NDArray[np.uint64]:
    """Returns (H * W) keys: depth bits of the nearest triangle above, its owner below; depth bits sort as numbers do.

    A triangle is covered by square tiles as large as its box, up to 16 pixels, and all tiles of a size go at once.
    """
    # Rows and columns are padded by a tile, so that tiles at the border need no test of their own.
    stride = width + _TILE
    buffer = np.full(stride * (height + _TILE), _EMPTY)
    low = np.clip(np.floor(screen[:, :, :2].min(1)), 0, [width - 1, height - 1]).astype(np.int64)
    high = np.clip(np.floor(screen[:, :, :2].max(1)), 0, [width - 1, height - 1]).astype(np.int64)
    planes = _planes(screen, orthographic)
    for side, which, start in _tiles(planes, low, high):
        step = max(1, _BATCH // side**2)
        for at in range(0, len(which), step):
            part = which[at : at + step]
            _draw_tiles(buffer, stride, planes[part], owner[part], start[at : at + step], side, orthographic)
    return buffer.reshape(-1, stride)[:height, :width].reshape(-1)


def _tiles(
    planes: NDArray[np.float64], low: NDArray[np.int64], high: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Yields tile sizes, and for each the triangle and the upper left pixel of every tile (N), (N, 2) to draw."""
    extent = (high - low).max(1, initial=0) + 1
    previous = 0
    for side in (2, 4, 8, _TILE):
        chosen = np.nonzero((extent > previous) & ((extent <= side) | (side == _TILE)))[0]
        previous = side
        tiles = (high[chosen] - low[chosen]) // side + 1
        count = tiles.prod(1)
        which = np.repeat(chosen, count)
        number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
        across = np.repeat(tiles[:, 0], count)
        start = low[which] + np.stack([number % across, number // across], 1) * side
        if side == _TILE:
            touched = _touched(planes[which], start)
            which, start = which[touched], start[touched]
        yield side, which, start


def _planes(screen: NDArray[np.float64], orthographic: bool) -> NDArray[np.float64]:
    """Returns (T, 4, 3) linear functions of pixel x, y: three edges (positive inside) and depth or its inverse."""
    x, y = screen[:, :, 0], screen[:, :, 1]
    value = screen[:, :, 2] if orthographic else 1.0 / screen[:, :, 2]
    after, last = [1, 2, 0], [2, 0, 1]
    dx = y[:, last] - y[:, after]
    dy = x[:, after] - x[:, last]
    edges = np.stack([dx, dy, -(dx * x[:, after] + dy * y[:, after])], 2)
    area = (edges[:, :, :2] * screen[:, :, :2]).sum(2) + edges[:, :, 2]
    edges /= np.where(area == 0, 1.0, area)[:, :, None]
    return np.concatenate([edges, np.einsum("tk,tkc->tc", value, edges)[:, None]], 1)


def _touched(planes: NDArray[np.float64], start: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tells which of the large tiles (N) do not lie wholly outside one of their triangle's edges."""
    slope, offset = planes[:, :3, :2], planes[:, :3, 2]
    best = np.einsum("nec,nc->ne", slope, start) + np.maximum(slope * _TILE, 0).sum(2) + offset
    return np.asarray((best >= -1e-7).all(1))


def _draw_tiles(
    buffer: NDArray[np.uint64],
    stride: int,
    planes: NDArray[np.float64],
    owner: NDArray[np.int64],
    start: NDArray[np.int64],
    side: int,
    orthographic: bool,
) -> None:
    """Lowers the buffer's keys where square tiles (N) at `start` are covered by their triangles."""
    grid = np.arange(side, dtype=np.float32)
    corner = np.einsum("nec,nc->ne", planes[:, :, :2], start + 0.5) + planes[:, :, 2]
    first, slope = corner.astype(np.float32), planes[:, :, :2].astype(np.float32)
    inside = np.ones((len(owner), side, side), bool)
    for edge in range(3):
        rows = first[:, edge, None] + slope[:, edge, 1, None] * grid
        inside &= rows[:, :, None] + (slope[:, edge, 0, None] * grid)[:, None, :] >= -1e-6
    tile, y, x = np.nonzero(inside)
    value = corner[tile, 3] + planes[tile, 3, 0] * x + planes[tile, 3, 1] * y
    depth = np.maximum(value if orthographic else 1.0 / np.maximum(value, 1e-9), 0.0).astype(np.float32)
    keys = (depth.view(np.uint32).astype(np.uint64) << np.uint64(32)) | owner[tile].astype(np.uint64)
    np.minimum.at(buffer, (start[tile, 1] + y) * stride + start[tile, 0] + x, keys)


def point(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Returns a (3,) array as a tuple."""
    x, y, z = values.tolist()
    return x, y, z
