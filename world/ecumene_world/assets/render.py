"""A small software renderer: a visibility buffer of triangles, then sun, sky and shadow for each pixel.

All triangles of a kind of size are rasterised at once in numpy, so that a town of 300,000 takes seconds, not minutes.
It has no textures, no transparency and no indirect light; it serves previews and tests, not the client.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import tan
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.errors import GraphError

_EMPTY: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_NEAR_M: Final = 0.05
_BATCH: Final = 1 << 21
"""Fragments tested at once; bounds memory to about 100 MB."""
_TILE: Final = 16
_SHADOW_PX: Final = 1536
_SUN: Final = np.array([0.42, -0.58, 0.70]) / np.linalg.norm([0.42, -0.58, 0.70])
"""Unit direction towards the sun."""


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
        return cls(_point(eye), _point(middle), fov_rad)

    def basis(self) -> NDArray[np.float64]:
        """Returns (3, 3) rows right, up and forward."""
        forward = np.subtract(self.target, self.eye, dtype=np.float64)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, self.up)
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])


@dataclass(frozen=True, slots=True, eq=False)
class Instances:
    """One mesh drawn N times.

    Attributes:
        mesh: What is drawn.
        matrices: (N, 4, 4) from the mesh's frame to the world.
    """

    mesh: Mesh
    matrices: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """Light and background.

    Attributes:
        sky: sRGB at the top of the picture.
        horizon: sRGB at its bottom, and of distant haze.
        sun: Linear strength of sunlight.
        ambient: Linear strength of skylight.
        haze_m: Distance at which things have lost 63 % of their colour; 0 for clear air.
        shadows: Whether the sun casts them.
    """

    sky: RGB = (158, 200, 226)
    horizon: RGB = (226, 234, 232)
    sun: float = 0.86
    ambient: float = 0.42
    haze_m: float = 0.0
    shadows: bool = True


def render(
    scene: Sequence[Mesh | Instances],
    camera: Camera,
    size: tuple[int, int] = (960, 640),
    look: Look = Look(),
    *,
    supersample: int = 2,
) -> NDArray[np.uint8]:
    """Returns a picture (H, W, 3), sRGB.

    Args:
        scene: What is drawn; back faces are not.
        camera: From where.
        size: Width and height in pixels.
        look: Light and background.
        supersample: Samples per pixel along each axis.
    """
    triangles, colours = _gathered(scene)
    width, height = size[0] * supersample, size[1] * supersample
    seen = _Raster.of(triangles, camera, width, height)
    light = _background(look, width, height)
    rows, columns = np.nonzero(seen.face >= 0)
    if len(rows):
        face = seen.face[rows, columns]
        points = seen.points(rows, columns)
        shade = _shade(triangles, face, points, look)
        paint = _linear(colours[face]) * shade
        if look.haze_m > 0:
            distance = np.linalg.norm(points - np.array(camera.eye), axis=1, keepdims=True)
            clear = np.exp(-distance / look.haze_m)
            paint = paint * clear + _linear(np.array([look.horizon], np.uint8)) * (1 - clear)
        light[rows, columns] = paint
    light = light.reshape(size[1], supersample, size[0], supersample, 3).mean((1, 3))
    return _encoded(light)


def write_png(path: Path | str, image: NDArray[np.uint8]) -> None:
    """Writes an (H, W, 3) sRGB picture as PNG.

    Source: ISO/IEC 15948, sections 5 and 10.
    """
    Path(path).write_bytes(png(image))


def png(image: NDArray[np.uint8]) -> bytes:
    """Returns an (H, W, 3) sRGB picture as the bytes of a PNG file.

    Raises:
        GraphError: The array has another shape or type.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise GraphError(f"a picture is (H, W, 3) uint8; this is {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, width * 3)], 1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


@dataclass(frozen=True, slots=True, eq=False)
class _Raster:
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
    ) -> _Raster:
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
        across = _view_height(self.camera) / height * (depth if not self.camera.span_m else 1.0)
        x = (columns + 0.5 - width / 2) * across
        y = (height / 2 - rows - 0.5) * across
        return np.asarray(np.stack([x, y, depth], 1) @ self.camera.basis() + np.array(self.camera.eye))


def _gathered(scene: Sequence[Mesh | Instances]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Returns all triangles (T, 3, 3) in the world and their colours (T, 3)."""
    triangles: list[NDArray[np.float64]] = [np.zeros((0, 3, 3))]
    colours: list[NDArray[np.uint8]] = [np.zeros((0, 3), np.uint8)]
    for item in scene:
        if isinstance(item, Mesh):
            triangles.append(item.triangles.astype(np.float64))
            colours.append(item.colours)
        else:
            m = np.asarray(item.matrices, np.float64).reshape(-1, 4, 4)
            corners = np.einsum("nij,fkj->nfki", m[:, :3, :3], item.mesh.triangles) + m[:, None, None, :3, 3]
            triangles.append(corners.reshape(-1, 3, 3))
            colours.append(np.tile(item.mesh.colours, (len(m), 1)))
    return np.concatenate(triangles), np.concatenate(colours)


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


def _view_height(camera: Camera) -> float:
    """Returns the picture's height in metres: at one metre for perspective, anywhere for orthographic views."""
    return camera.span_m or 2 * tan(camera.fov_rad / 2)


def _projected(local: NDArray[np.float64], camera: Camera, width: int, height: int) -> NDArray[np.float64]:
    """Returns camera-space points as pixel x, pixel y (downward) and depth in metres."""
    depth = local[..., 2]
    scale = height / _view_height(camera) / (1.0 if camera.span_m else depth)
    return np.stack([width / 2 + local[..., 0] * scale, height / 2 - local[..., 1] * scale, depth], -1)


def _drawn(
    screen: NDArray[np.float64], owner: NDArray[np.int64], width: int, height: int, orthographic: bool
) -> NDArray[np.uint64]:
    """Returns (H * W) keys: depth bits of the nearest triangle above, its owner below; depth bits sort as numbers do.

    A triangle is covered by square tiles as large as its box, up to 16 pixels, and all tiles of a size go at once.
    """
    buffer = np.full(width * height, _EMPTY)
    low = np.clip(np.floor(screen[:, :, :2].min(1)), 0, [width - 1, height - 1]).astype(np.int64)
    high = np.clip(np.floor(screen[:, :, :2].max(1)), 0, [width - 1, height - 1]).astype(np.int64)
    extent = (high - low).max(1) + 1
    planes = _planes(screen, orthographic)
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
        step = max(1, _BATCH // side**2)
        for at in range(0, len(which), step):
            part = which[at : at + step]
            _draw_tiles(buffer, planes[part], owner[part], start[at : at + step], side, (width, height), orthographic)
    return buffer


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
    planes: NDArray[np.float64],
    owner: NDArray[np.int64],
    start: NDArray[np.int64],
    side: int,
    size: tuple[int, int],
    orthographic: bool,
) -> None:
    """Lowers the buffer's keys where square tiles (N) at `start` are covered by their triangles."""
    width, height = size
    grid_y, grid_x = np.divmod(np.arange(side * side), side)
    x = start[:, :1] + grid_x
    y = start[:, 1:] + grid_y
    inside = (x < width) & (y < height)
    for edge in range(3):
        a, b, c = planes[:, edge].T[:, :, None]
        inside &= a * (x + 0.5) + b * (y + 0.5) + c >= -1e-7
    tile, pixel = np.nonzero(inside)
    px, py = x[tile, pixel], y[tile, pixel]
    a, b, c = planes[tile, 3].T
    value = a * (px + 0.5) + b * (py + 0.5) + c
    depth = np.maximum(value if orthographic else 1.0 / np.maximum(value, 1e-9), 0.0).astype(np.float32)
    keys = (depth.view(np.uint32).astype(np.uint64) << np.uint64(32)) | owner[tile].astype(np.uint64)
    np.minimum.at(buffer, py * width + px, keys)


def _shade(
    triangles: NDArray[np.float64], face: NDArray[np.int64], points: NDArray[np.float64], look: Look
) -> NDArray[np.float64]:
    """Returns linear light (N, 3) that falls on the seen points: warm sun, blue sky from above, bounce from below."""
    a, b, c = np.moveaxis(triangles, 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    facing = np.clip(normals @ _SUN, 0, 1)[face]
    if look.shadows:
        facing = facing * _sunlit(triangles, points + normals[face] * 0.02)
    up = normals[face, 2:] * 0.5 + 0.5
    sky = np.array([0.92, 1.0, 1.12]) * up + np.array([0.72, 0.64, 0.56]) * (1 - up)
    return np.asarray(facing[:, None] * np.array([1.06, 1.0, 0.90]) * look.sun + sky * look.ambient)


def _sunlit(triangles: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the share 0..1 of sunlight that reaches points (N, 3), from a shadow map of all triangles."""
    low, high = points.min(0), points.max(0)
    reach = float(np.linalg.norm(high - low)) + 1.0
    middle = (low + high) / 2
    sun = Camera(_point(middle + _SUN * (reach + 50.0)), _point(middle), span_m=1.0)
    across = (points - middle) @ sun.basis().T
    sun = replace(sun, span_m=float(np.abs(across[:, :2]).max()) * 2 * 1.02 + 1e-3)
    shadow = _Raster.of(triangles, sun, _SHADOW_PX, _SHADOW_PX, both_sides=True)
    local = (points - np.array(sun.eye)) @ sun.basis().T
    pixel = _SHADOW_PX / sun.span_m
    x, y = _SHADOW_PX / 2 + local[:, 0] * pixel, _SHADOW_PX / 2 - local[:, 1] * pixel
    slack = 0.02 + 1.5 / pixel
    lit = np.zeros(len(points))
    offsets = ((-0.8, -0.3), (0.3, -0.8), (0.8, 0.3), (-0.3, 0.8))
    for dx, dy in offsets:
        column = np.clip((x + dx).astype(np.int64), 0, _SHADOW_PX - 1)
        row = np.clip((y + dy).astype(np.int64), 0, _SHADOW_PX - 1)
        lit += (shadow.face[row, column] < 0) | (local[:, 2] <= shadow.depth[row, column] + slack)
    return lit / len(offsets)


def _background(look: Look, width: int, height: int) -> NDArray[np.float64]:
    """Returns (H, W, 3) linear light that fades from sky above to horizon below."""
    top, bottom = _linear(np.array([look.sky, look.horizon], np.uint8))
    share = np.linspace(0, 1, height)[:, None, None]
    return np.broadcast_to(top + (bottom - top) * share, (height, width, 3)).copy()


def _linear(srgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns sRGB bytes as linear light 0..1, gamma 2.2."""
    return np.asarray((srgb / 255.0) ** 2.2)


def _encoded(light: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns linear light as sRGB bytes, highlights rolled off softly above 0.8."""
    over = np.maximum(light - 0.8, 0)
    soft = np.minimum(light, 0.8) + 0.2 * (1 - np.exp(-over / 0.2))
    return np.asarray(np.clip(np.round(soft ** (1 / 2.2) * 255), 0, 255), np.uint8)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _point(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
