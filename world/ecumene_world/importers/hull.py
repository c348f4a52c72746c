"""Hulls: a coarse closed mesh about the points of one thing.

Faces of occupied voxels that touch free ones, with their corners pulled to the points nearby, which rounds the blocks
off.

Source: after Gibson, "Constrained elastic surface nets", 1998: corners move to the mean of what surrounds them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh

_PULL: Final = 0.7
_SIDES: Final = (
    ((1, 0, 0), ((1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1))),
    ((-1, 0, 0), ((0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1))),
    ((0, 1, 0), ((1, 1, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1))),
    ((0, -1, 0), ((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1))),
    ((0, 0, 1), ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1))),
    ((0, 0, -1), ((0, 1, 0), (1, 1, 0), (1, 0, 0), (0, 0, 0))),
)
"""For each side of a voxel: its outward step, and its corners counter-clockwise seen from outside."""


def hull_of(xyz: NDArray[np.float64], rgb: NDArray[np.uint8], voxel_m: float) -> Mesh:
    """Returns a mesh about points (N, 3), N >= 1, coloured by the points (N, 3) in each voxel."""
    low = xyz.min(0) - 0.5 * voxel_m
    keys = np.floor((xyz - low) / voxel_m).astype(np.int64) + 1
    size = keys.max(0) + 2
    flat = (keys[:, 0] * size[1] + keys[:, 1]) * size[2] + keys[:, 2]
    voxels, of, count = np.unique(flat, return_inverse=True, return_counts=True)
    middle = np.stack([np.bincount(of, xyz[:, axis]) for axis in range(3)], 1) / count[:, None]
    colour = np.stack([np.bincount(of, rgb[:, channel]) for channel in range(3)], 1) / count[:, None]
    cell = np.stack([voxels // (size[1] * size[2]), voxels // size[2] % size[1], voxels % size[2]], 1)
    corners, owners = [], []
    for step, side in _SIDES:
        beyond = voxels + (step[0] * size[1] + step[1]) * size[2] + step[2]
        at = np.searchsorted(voxels, beyond).clip(0, len(voxels) - 1)
        bare = np.flatnonzero(voxels[at] != beyond)
        corners.append(cell[bare][:, None] + np.array(side))
        owners.append(bare)
    quads, owner = np.concatenate(corners), np.concatenate(owners)
    ids = (quads[..., 0] * (size[1] + 1) + quads[..., 1]) * (size[2] + 1) + quads[..., 2]
    names, first, index = np.unique(ids, return_index=True, return_inverse=True)
    places = low + (quads.reshape(-1, 3)[first] - 1) * voxel_m
    index = index.reshape(-1, 4)
    pulled = np.zeros((len(names), 4))
    for corner in range(4):
        np.add.at(pulled, index[:, corner], np.column_stack([middle[owner], np.ones(len(owner))]))
    places = places + _PULL * (pulled[:, :3] / pulled[:, 3:] - places)
    faces = np.concatenate([index[:, [0, 1, 2]], index[:, [0, 2, 3]]])
    paint = np.round(np.concatenate([colour[owner], colour[owner]])).clip(0, 255)
    return Mesh.of(places, faces, paint.astype(np.uint8))
