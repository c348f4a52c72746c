"""The labelled furniture as point clouds, sampled once and kept beside the package."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed
from ecumene_world.learning import furniture
from ecumene_world.learning.labels import CLASSES, Label, read_labels
from ecumene_world.learning.sampling import surface_points

POINTS: Final = 4096
FILE: Final = f"furniture-{POINTS}.npz"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Labelled point clouds.

    Attributes:
        labels: M of them, ordered by name.
        points: (M, POINTS, 3) metres, z up, standing on z = 0.
        size_m: (M, 3) width, depth and height that the catalogue states.
    """

    labels: tuple[Label, ...]
    points: NDArray[np.float32]
    size_m: NDArray[np.float32]

    @property
    def kinds(self) -> NDArray[np.int64]:
        """(M,) row of each label's class in `CLASSES`."""
        row = {name: number for number, name in enumerate(CLASSES)}
        return np.array([row[label.kind] for label in self.labels], np.int64)

    def every(self, step: int) -> Shapes:
        """Returns each `step`-th shape of each class, at least one of each."""
        rows = np.sort(np.concatenate([np.flatnonzero(self.kinds == kind)[::step] for kind in np.unique(self.kinds)]))
        return Shapes(tuple(self.labels[row] for row in rows), self.points[rows], self.size_m[rows])


def load_shapes(package: Path, progress: Progress | None = None) -> Shapes:
    """Returns the labelled shapes of a fetched package; sampling takes minutes the first time and is kept beside it.

    The points of a model depend on its name alone, so anybody gets the same.

    Raises:
        ImportFailed: The package is another, or lacks a labelled model.
    """
    found = read_labels()
    kept = package.with_name(FILE)
    key = _key(found)
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            if str(file["key"]) == key:
                return Shapes(found, file["points"], file["size_m"])
    models = {model.name: model for model in furniture.catalogue(package)}
    missing = [label.name for label in found if label.name not in models]
    if missing:
        raise ImportFailed(f"{package} has no model {missing[0]!r}, which is labelled")
    points = []
    for done, label in enumerate(found):
        points.append(_sampled(models[label.name]))
        if progress:
            progress(done + 1, len(found))
    shapes = Shapes(found, np.stack(points), np.array([models[label.name].size_m for label in found], np.float32))
    keep(shapes, package)
    return shapes


def keep(shapes: Shapes, package: Path) -> None:
    """Writes shapes beside a package, where `load_shapes` finds them while the labels are the same."""
    kept = package.with_name(FILE)
    part = kept.with_suffix(".part.npz")
    np.savez(part, key=np.array(_key(shapes.labels)), points=shapes.points, size_m=shapes.size_m)
    part.replace(kept)


def _sampled(model: furniture.Furniture) -> NDArray[np.float32]:
    seed = int.from_bytes(hashlib.sha256(model.name.encode()).digest()[:8], "little")
    return surface_points(model.read_mesh(), POINTS, np.random.default_rng(seed))[:, :3]


def _key(found: tuple[Label, ...]) -> str:
    """Returns what a kept file must be made from."""
    names = json.dumps([furniture.SHA256, POINTS, [label.name for label in found]])
    return hashlib.sha256(names.encode()).hexdigest()
