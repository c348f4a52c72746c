"""A small software renderer: a visibility buffer of triangles, then sun, sky and shadow for each pixel.

It has no textures, no transparency and no indirect light; it serves previews and tests, not the client.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.raster import Camera, Raster, point
from ecumene_world.errors import GraphError

__all__ = ["Camera", "Instances", "Look", "png", "render", "write_png"]

_SHADOW_PX: Final = (256, 2048)
"""Least and greatest side of a map of shadows; in between it is as wide as the picture."""
_NEAR_SHADOW_M: Final = 45.0
"""Up to this distance from the camera, shadows come from a map of their own, which is finer."""
_SUN: Final = np.array([0.42, -0.58, 0.70]) / np.linalg.norm([0.42, -0.58, 0.70])
"""Unit direction towards the sun."""


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
    seen = Raster.of(triangles, camera, width, height)
    light = _background(look, camera, width, height)
    rows, columns = np.nonzero(seen.face >= 0)
    if len(rows):
        face = seen.face[rows, columns]
        points = seen.points(rows, columns)
        shadow_px = int(np.clip(width, *_SHADOW_PX))
        shade = _shade(triangles, face, points, camera, look, shadow_px)
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


def _shade(
    triangles: NDArray[np.float64],
    face: NDArray[np.int64],
    points: NDArray[np.float64],
    camera: Camera,
    look: Look,
    shadow_px: int,
) -> NDArray[np.float64]:
    """Returns linear light (N, 3) that falls on the seen points: warm sun, blue sky from above, bounce from below."""
    a, b, c = np.moveaxis(triangles, 1, 0)
    normals = np.cross(b - a, c - a)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    sun = np.clip(normals @ _SUN, 0, 1)[face]
    if look.shadows:
        near = np.ones(len(points), bool)
        if not camera.span_m:
            near = ((points - np.array(camera.eye)) ** 2).sum(1) < _NEAR_SHADOW_M**2
        for part in (near, ~near):
            lit = np.nonzero(part & (sun > 0))[0]
            if len(lit):
                sun[lit] *= _sunlit(triangles, points[lit], normals[face[lit]], shadow_px)
    sky = np.array([0.72, 0.64, 0.56]) + np.array([0.20, 0.36, 0.56]) * (normals[:, 2:] * 0.5 + 0.5)
    return np.asarray(sun[:, None] * (np.array([1.06, 1.0, 0.90]) * look.sun) + (sky * look.ambient)[face])


def _sunlit(
    triangles: NDArray[np.float64], points: NDArray[np.float64], normals: NDArray[np.float64], side: int
) -> NDArray[np.float64]:
    """Returns the share 0..1 of sunlight at points (N, 3) with normals (N, 3), from a square map of shadows."""
    low, high = points.min(0), points.max(0)
    reach = float(np.linalg.norm(high - low)) + 1.0
    middle = (low + high) / 2
    sun = Camera(point(middle + _SUN * (reach + 50.0)), point(middle), span_m=1.0)
    local = (points - middle) @ sun.basis().T
    sun = replace(sun, span_m=float(np.abs(local[:, :2]).max()) * 2.04 + 1e-3)
    shadow = Raster.of(triangles, sun, side, side, both_sides=True)
    pixel = side / sun.span_m
    # Points move off their surface by more than a pixel of the map, or a slope would shade itself in stripes.
    local += (normals @ sun.basis().T) * (0.01 + 1.2 / pixel)
    x, y = side / 2 + local[:, 0] * pixel, side / 2 - local[:, 1] * pixel
    depth = local[:, 2] + (reach + 50.0) - (0.01 + 0.6 / pixel)
    first = np.where(shadow.face < 0, np.float32(np.inf), shadow.depth).reshape(-1)
    lit = np.zeros(len(points))
    offsets = ((-0.8, -0.3), (0.3, -0.8), (0.8, 0.3), (-0.3, 0.8))
    for dx, dy in offsets:
        column = np.clip((x + dx).astype(np.int64), 0, side - 1)
        row = np.clip((y + dy).astype(np.int64), 0, side - 1)
        lit += depth <= first[row * side + column]
    return lit / len(offsets)


def _background(look: Look, camera: Camera, width: int, height: int) -> NDArray[np.float64]:
    """Returns (H, W, 3) linear light that fades from the horizon to half a radian above it; a map has no sky."""
    top, bottom = _linear(np.array([look.sky, look.horizon], np.uint8))
    if camera.span_m:
        return np.broadcast_to(bottom, (height, width, 3)).copy()
    _, up, forward = camera.basis()
    rows = (height / 2 - np.arange(height) - 0.5) * (camera.height_at_1m / height)
    rays = forward + rows[:, None] * up
    rise = np.arctan2(rays[:, 2], np.hypot(rays[:, 0], rays[:, 1]))
    share = np.clip(rise / 0.5, 0, 1)[:, None, None]
    return np.broadcast_to(bottom + (top - bottom) * share, (height, width, 3)).copy()


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
