"""Flat-shaded triangle meshes: the one form of geometry that assets, the exporter and the renderer share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, sin
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecumene_world.errors import GraphError

RGB = tuple[int, int, int]
"""One sRGB colour, 0..255 each."""


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Triangles with one colour each.

    Attributes:
        vertices: (V, 3) metres, right-handed, z up.
        faces: (F, 3) vertex indices, counter-clockwise seen from outside.
        colours: (F, 3) sRGB, one per face.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colours: NDArray[np.uint8]

    @classmethod
    def of(cls, vertices: ArrayLike, faces: ArrayLike, colours: ArrayLike) -> Self:
        """Returns a mesh from anything array-like; a single colour (3,) paints every face."""
        corners = np.asarray(faces, np.int32).reshape(-1, 3)
        paint = np.broadcast_to(np.asarray(colours, np.uint8), corners.shape).copy()
        return cls(np.asarray(vertices, np.float32).reshape(-1, 3), corners, paint)

    @classmethod
    def empty(cls) -> Self:
        """Returns a mesh of nothing, the neutral element of `merged`."""
        return cls.of(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3)))

    @classmethod
    def merged(cls, meshes: Iterable[Mesh]) -> Self:
        """Returns all meshes as one, in order; vertices are not welded."""
        parts = list(meshes)
        if not parts:
            return cls.empty()
        starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
        return cls(
            np.concatenate([part.vertices for part in parts]),
            np.concatenate([part.faces + np.int32(start) for part, start in zip(parts, starts, strict=True)]),
            np.concatenate([part.colours for part in parts]),
        )

    @property
    def bounds(self) -> NDArray[np.float32]:
        """(2, 3) lowest and highest corner in metres; zeros for an empty mesh."""
        if not len(self.vertices):
            return np.zeros((2, 3), np.float32)
        return np.stack([self.vertices.min(0), self.vertices.max(0)])

    @property
    def triangles(self) -> NDArray[np.float32]:
        """(F, 3, 3) corner positions of each face, metres."""
        return self.vertices[self.faces]

    @property
    def normals(self) -> NDArray[np.float32]:
        """(F, 3) unit outward normals; zero for a face without area."""
        a, b, c = np.moveaxis(self.triangles, 1, 0)
        cross = np.cross(b - a, c - a)
        length = np.linalg.norm(cross, axis=1, keepdims=True)
        return np.asarray(cross / np.maximum(length, 1e-12), np.float32)

    @property
    def volume_m3(self) -> float:
        """Signed volume; positive when a closed mesh is wound outward, meaningless for an open one."""
        a, b, c = np.moveaxis(self.triangles.astype(np.float64), 1, 0)
        return float(np.einsum("fi,fi->", a, np.cross(b, c)) / 6.0)

    def transformed(self, matrix: ArrayLike) -> Mesh:
        """Returns this mesh under a (4, 4) affine matrix; a mirroring matrix also flips the winding."""
        m = np.asarray(matrix, np.float64)
        vertices = self.vertices @ m[:3, :3].T + m[:3, 3]
        faces = self.faces[:, ::-1].copy() if np.linalg.det(m[:3, :3]) < 0 else self.faces
        return Mesh(np.asarray(vertices, np.float32), faces, self.colours)

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        """Returns this mesh shifted, metres."""
        return Mesh(self.vertices + np.array([x, y, z], np.float32), self.faces, self.colours)

    def scaled(self, x: float, y: float | None = None, z: float | None = None) -> Mesh:
        """Returns this mesh stretched about the origin; one argument scales all axes."""
        return self.transformed(np.diag([x, x if y is None else y, x if z is None else z, 1.0]))

    def turned(self, yaw: float) -> Mesh:
        """Returns this mesh turned about z, radians, counter-clockwise seen from above."""
        return self.transformed(_rotation(0, 1, yaw))

    def pitched(self, angle: float) -> Mesh:
        """Returns this mesh turned about y, radians; a positive angle leans +z towards +x."""
        return self.transformed(_rotation(2, 0, angle))

    def rolled(self, angle: float) -> Mesh:
        """Returns this mesh turned about x, radians; a positive angle leans +y towards +z."""
        return self.transformed(_rotation(1, 2, angle))

    def mirrored(self) -> Mesh:
        """Returns the mirror image across the plane y = 0, wound outward again."""
        return self.scaled(1.0, -1.0, 1.0)

    def painted(self, colour: ArrayLike) -> Mesh:
        """Returns this mesh in one colour (3,) or in given face colours (F, 3)."""
        return Mesh.of(self.vertices, self.faces, colour)

    def centred(self) -> Mesh:
        """Returns this mesh moved so that its footprint's centre is the origin and its lowest point is z = 0."""
        low, high = self.bounds
        middle = (low + high) / 2
        return self.moved(-float(middle[0]), -float(middle[1]), -float(low[2]))

    def validate(self) -> None:
        """Checks shapes, indices and numbers.

        Raises:
            GraphError: Arrays disagree in shape, an index points nowhere or a coordinate is not finite.
        """
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 3:
            raise GraphError(f"mesh vertices have shape {self.vertices.shape}; (V, 3) is needed")
        if self.faces.shape != self.colours.shape or self.faces.ndim != 2 or self.faces.shape[1] != 3:
            raise GraphError(f"mesh faces {self.faces.shape} and colours {self.colours.shape} must both be (F, 3)")
        if self.faces.size and not (self.faces.min() >= 0 and self.faces.max() < len(self.vertices)):
            raise GraphError(f"mesh faces point outside the {len(self.vertices)} vertices")
        if not np.isfinite(self.vertices).all():
            raise GraphError("mesh vertices must be finite numbers")


def _rotation(first: int, second: int, angle: float) -> NDArray[np.float64]:
    """Returns a (4, 4) rotation that turns axis `first` towards axis `second`."""
    matrix = np.eye(4)
    matrix[first, first] = matrix[second, second] = cos(angle)
    matrix[second, first] = sin(angle)
    matrix[first, second] = -sin(angle)
    return matrix
