"""Point clouds of meshes: points spread evenly over the surface, with normals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh
from ecumene_world.errors import GraphError


def surface_points(mesh: Mesh, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Returns points (count, 6): position in metres and the unit normal of the face that each lies on.

    Faces are chosen in proportion to their area, inside ones as well: it does not know what a scanner would see.

    Args:
        mesh: What is sampled; at least one face must have an area.
        count: How many points.
        generator: Decides where they fall.

    Raises:
        GraphError: No face has an area.
    """
    a, b, c = np.moveaxis(mesh.triangles.astype(np.float64), 1, 0)
    across = np.cross(b - a, c - a)
    doubled = np.linalg.norm(across, axis=1)
    total = np.cumsum(doubled)
    if not len(total) or not total[-1] > 0:
        raise GraphError(f"a mesh of {len(total)} faces without area has no surface to sample")
    face = np.searchsorted(total, (np.arange(count) + generator.random(count)) * (total[-1] / count), side="right")
    face = np.minimum(face, len(total) - 1)
    u, v = generator.random((2, count, 1))
    root = np.sqrt(u)
    points = a[face] * (1 - root) + b[face] * (root * (1 - v)) + c[face] * (root * v)
    normals = across[face] / np.maximum(doubled[face], 1e-300)[:, None]
    return np.asarray(np.concatenate([points, normals], 1), np.float32)
