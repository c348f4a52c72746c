"""Meshes and clouds of codes: what the decoder of shapes knows, drawn as a surface at its real size."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecumene_models.shapes import MARGIN, Autoencoder
from ecumene_world.assets.isosurface import smoothed, surface
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.errors import GraphError
from ecumene_world.learning.sampling import surface_points

MOST_TRIANGLES: Final = 3000
FINENESS: Final = (44, 40, 36, 32, 28, 24, 20, 16)
"""Cells along the longest edge that are tried, until a mesh has few enough triangles."""
_FEWEST_CELLS: Final = 6
_LEVEL: Final = -0.4
_GREY: Final = (196, 190, 180)


def form(network: Autoencoder, code: Tensor, colour: RGB = _GREY, *, most: int = MOST_TRIANGLES) -> Mesh:
    """Returns the mesh of a code at real size, standing on z = 0 about the origin, front towards +x.

    Args:
        network: That the code is of.
        code: (code,).
        colour: Of every face.
        most: How many triangles it may have.

    Raises:
        GraphError: The decoder says that nothing is solid.
    """
    for cells in FINENESS:
        mesh = drawn(network, code, cells, colour)
        if len(mesh.faces) <= most:
            break
    return mesh


def drawn(network: Autoencoder, code: Tensor, cells: int, colour: RGB = _GREY) -> Mesh:
    """Returns the mesh of a code with so many cells along its longest edge, as in `form`.

    Raises:
        GraphError: The decoder says that nothing is solid.
    """
    size = code[-3:].exp().double().numpy()
    counts = np.maximum(np.round(cells * size / size.max()), _FEWEST_CELLS).astype(np.int64)
    field, low, step = _field(network, code, counts)
    vertices, faces = surface(field, _LEVEL)
    if not len(faces):
        raise GraphError("the shape of this code is empty; another seed would make another")
    inside = smoothed(vertices, faces, 2) * step + low
    return _sized(inside, faces, size, colour)


def clouds_of(network: Autoencoder, codes: Tensor, count: int, cells: int, generator: np.random.Generator) -> Tensor:
    """Returns (B, count, 3) points of the surfaces of codes, metres; an empty shape is one point."""
    made = []
    for code in codes:
        try:
            mesh = drawn(network, code, cells)
            made.append(surface_points(mesh, count, generator)[:, :3])
        except GraphError:
            made.append(np.zeros((count, 3), np.float32))
    return torch.from_numpy(np.stack(made))


def _field(
    network: Autoencoder, code: Tensor, counts: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Returns depths on a grid about the box, the box coordinates of its first node and its steps."""
    low = np.full(3, -MARGIN / 2)
    step = (1 + MARGIN) / counts
    axes = [torch.from_numpy(low[axis] + step[axis] * np.arange(counts[axis] + 1)).float() for axis in range(3)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
    depths = network.depth(code, points.reshape(-1, 3)).reshape(points.shape[:3])
    return depths.numpy(), low, step


def _sized(inside: NDArray[np.float64], faces: NDArray[np.int32], size: NDArray[np.float64], colour: RGB) -> Mesh:
    """Returns a mesh in box coordinates stretched to exactly its size."""
    low, high = inside.min(0), inside.max(0)
    fitted = (inside - low) / np.maximum(high - low, 1e-6) * size
    return Mesh.of(fitted, faces, colour).centred()
