"""What of a furniture model is solid: points in and about its box with their distance to the surface, sampled once.

Many models are not closed. Cells of a grid that the surface crosses are marked, and what cannot be reached from
outside without crossing one is inside; a model with holes is nothing but its shell. The frame is the library's: front
towards +x, z up, stretched into the box from 0 to 1, the real size kept beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from ecumene_world.assets.mesh import Mesh
from ecumene_world.errors import ImportFailed
from ecumene_world.learning import furniture
from ecumene_world.learning.labels import CLASSES, Label, read_labels
from ecumene_world.learning.sampling import surface_points

VISIBLE: Final = 2048
PROBES: Final = 4096
CELLS: Final = 48
FILE: Final = f"furniture-solids-{CELLS}.npz"
MARGIN: Final = 0.08
"""How far beyond the box probes lie."""
_DENSE: Final = 100_000
_COARSE: Final = 60_000
_NEAR: Final = (0.03, 0.1)
"""Standard deviations of the probes about the surface: half of them, and a quarter; the rest is anywhere."""
_VERSION: Final = 3
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Solids:
    """Labelled shapes in their boxes.

    Attributes:
        labels: M of them, ordered by name.
        visible: (M, VISIBLE, 3) points on what can be seen from outside, evenly over the real surface, box coordinates.
        probes: (M, PROBES, 3) box coordinates.
        distance: (M, PROBES) to the surface in edges of the box, negative inside.
        size_m: (M, 3) depth along x, width along y and height, metres.
    """

    labels: tuple[Label, ...]
    visible: NDArray[np.float16]
    probes: NDArray[np.float16]
    distance: NDArray[np.float16]
    size_m: NDArray[np.float32]

    @property
    def kinds(self) -> NDArray[np.int64]:
        """(M,) row of each label's class in `CLASSES`."""
        row = {name: number for number, name in enumerate(CLASSES)}
        return np.array([row[label.kind] for label in self.labels], np.int64)

    def of(self, rows: NDArray[np.int64]) -> Solids:
        """Returns some of them."""
        labels = tuple(self.labels[row] for row in rows)
        return Solids(labels, self.visible[rows], self.probes[rows], self.distance[rows], self.size_m[rows])

    def every(self, step: int) -> Solids:
        """Returns each `step`-th shape of each class, at least one of each."""
        kinds = self.kinds
        return self.of(np.sort(np.concatenate([np.flatnonzero(kinds == kind)[::step] for kind in np.unique(kinds)])))


def load_solids(package: Path, progress: Progress | None = None) -> Solids:
    """Returns the labelled shapes of a fetched package; it takes minutes the first time and is kept beside it.

    What is drawn for a model depends on its name alone, so anybody gets the same.

    Raises:
        ImportFailed: The package is another, or lacks a labelled model.
    """
    found = read_labels()
    kept = package.with_name(FILE)
    key = _key(found)
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            if str(file["key"]) == key:
                return Solids(found, file["visible"], file["probes"], file["distance"], file["size_m"])
    models = {model.name: model for model in furniture.catalogue(package)}
    missing = [label.name for label in found if label.name not in models]
    if missing:
        raise ImportFailed(f"{package} has no model {missing[0]!r}, which is labelled")
    parts = []
    for done, label in enumerate(found):
        seed = int.from_bytes(hashlib.sha256(label.name.encode()).digest()[:8], "little")
        parts.append(probed(models[label.name].read_mesh().turned(np.pi / 2), np.random.default_rng(seed)))
        if progress:
            progress(done + 1, len(found))
    visible, probes, distance, size = (np.stack(column) for column in zip(*parts, strict=True))
    part = kept.with_suffix(".part.npz")
    np.savez(part, key=np.array(key), visible=visible, probes=probes, distance=distance, size_m=size)
    part.replace(kept)
    return Solids(found, visible, probes, distance, size)


def probed(
    mesh: Mesh, generator: np.random.Generator
) -> tuple[NDArray[np.float16], NDArray[np.float16], NDArray[np.float16], NDArray[np.float32]]:
    """Returns visible points, probes, their distances and the size of one mesh; see `Solids`.

    Raises:
        GraphError: No face has an area.
    """
    dense = surface_points(mesh, _DENSE, generator)[:, :3].astype(np.float64)
    low, size = dense.min(0), np.maximum(np.ptp(dense, axis=0), 1e-3)
    surface = (dense - low) / size
    state = _filled(surface)
    seen = surface[_exposed(state)[tuple(_cell(surface).T)]]
    visible = seen[np.sort(generator.choice(len(seen), VISIBLE, replace=len(seen) < VISIBLE))]
    probes = _probes(seen, generator)
    return (
        visible.astype(np.float16),
        probes.astype(np.float16),
        _signed(probes, surface, state).astype(np.float16),
        size.astype(np.float32),
    )


def seen_points(mesh: Mesh, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
    """Returns points (count, 3) of a mesh, metres, of what can be seen of it from outside; as `Solids.visible` are.

    Raises:
        GraphError: No face has an area.
    """
    dense = surface_points(mesh, _COARSE, generator)[:, :3].astype(np.float64)
    low, size = dense.min(0), np.maximum(np.ptp(dense, axis=0), 1e-3)
    cells = tuple(_cell((dense - low) / size).T)
    seen = dense[_exposed(_filled((dense - low) / size))[cells]]
    return np.asarray(seen[generator.choice(len(seen), count, replace=len(seen) < count)], np.float32)


_OUTSIDE, _SURFACE, _INSIDE = 0, 1, 2


def _filled(surface: NDArray[np.float64]) -> NDArray[np.int8]:
    """Returns (CELLS + 4,)^3 states of the cells of the box and of two layers about it.

    Gaps of two cells count as closed, and so do the bottom and the back, which many makers leave out.
    """
    crossed = np.zeros((CELLS + 4,) * 3, bool)
    crossed[tuple(_cell(surface).T)] = True
    crossed = ndimage.binary_closing(crossed, np.ones((3, 3, 3), bool))
    blocked = crossed.copy()
    blocked[:2] = blocked[:, :, :2] = True
    regions, _ = ndimage.label(~blocked)
    state = np.full(crossed.shape, _INSIDE, np.int8)
    state[regions == regions[-1, -1, -1]] = _OUTSIDE
    state[:2] = state[:, :, :2] = _OUTSIDE
    state[crossed] = _SURFACE
    return state


def _exposed(state: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Returns which cells of the surface touch the outside."""
    reached = ndimage.binary_dilation(state == _OUTSIDE, np.ones((3, 3, 3), bool))
    return np.asarray(reached & (state == _SURFACE))


def _cell(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns (N, 3) cells of points."""
    return np.clip((points * CELLS).astype(np.int64) + 2 - (points < 0), 0, CELLS + 3)


def _probes(seen: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Returns (PROBES, 3) points near the surface and anywhere."""
    half = PROBES // 2
    near = [
        seen[generator.integers(len(seen), size=count)] + generator.normal(0.0, spread, (count, 3))
        for count, spread in ((half, _NEAR[0]), (half // 2, _NEAR[1]))
    ]
    anywhere = generator.uniform(-MARGIN, 1 + MARGIN, (PROBES - half - half // 2, 3))
    probes = np.clip(np.concatenate([*near, anywhere]), -MARGIN, 1 + MARGIN)
    return generator.permutation(probes)


def _signed(probes: NDArray[np.float64], surface: NDArray[np.float64], state: NDArray[np.int8]) -> NDArray[np.float64]:
    """Returns distances (N,), negative inside; a probe next to the surface is of the side that it lies towards."""
    distance, nearest = KDTree(surface).query(probes)
    away = (probes - surface[nearest]) / np.maximum(distance, 1e-9)[:, None]
    side = state[tuple(_cell(probes).T)]
    for step in (1.0, 2.0, 3.0):
        further = state[tuple(_cell(probes + away * (step / CELLS)).T)]
        side = np.where(side == _SURFACE, further, side)
    return np.where(side == _INSIDE, -distance, distance)


def _key(found: tuple[Label, ...]) -> str:
    """Returns what a kept file must be made from."""
    names = repr((_VERSION, furniture.SHA256, VISIBLE, PROBES, CELLS, [label.name for label in found]))
    return hashlib.sha256(names.encode()).hexdigest()
