"""The furniture models as light meshes to scan: thinned to some thousand triangles once, kept beside the package."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.assets.mesh import Mesh
from ecumene_world.learning import furniture
from ecumene_world.learning.labels import folds, read_labels

FILE: Final = "furniture-surfaces.npz"
CELLS: Final = 56
"""Corners within one of so many steps along the longest edge are drawn together."""
FOLDS: Final = 5
OTHER: Final = "other"
_VERSION: Final = 1
_LARGEST_M: Final = 2.2
_SMALLEST_M: Final = 0.08
_NOT_OTHER: Final = re.compile(
    "bench|lounge|hammock|window|curtain|blind|shutter|pool|crossing|rail|slot|elevator|stair|column|fence|fan|arrow"
    "|cone|tatami|carpet|rug|mat|male|boy|girl|goal|hut|sidewalk|chimney|mattress|sandpit|trampoline|seesaw|swing",
    re.IGNORECASE,
)
"""Models that no label names and that are outdoor things, people, or what the classes would quarrel over."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Surface:
    """One model.

    Attributes:
        name: Catalogue and model.
        kind: One of `labels.CLASSES`, or `other` for models without a label.
        fold: Shared with its near-duplicates; models without a label are dealt by their title.
        triangles: (F, 3, 3) f32 metres, standing on z = 0 over the origin, front towards -y.
        size_m: (3,) width, depth, height.
    """

    name: str
    kind: str
    fold: int
    triangles: NDArray[np.float32]
    size_m: NDArray[np.float32]


def load_surfaces(package: Path, progress: Progress | None = None) -> tuple[Surface, ...]:
    """Returns the models that furnish rooms, ordered by name; read from OBJ the first time, which takes a minute.

    Raises:
        ImportFailed: The package is another, or a model in it can't be read.
    """
    kept = package.with_name(FILE)
    key = _key()
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            if str(file["key"]) == key:
                return _from(file["triangles"], file["starts"], json.loads(str(file["told"])))
    kinds = _kinds()
    models = [one for one in furniture.catalogue(package) if one.name in kinds or _fit(one)]
    told: list[tuple[str, str, int]] = []
    triangles: list[NDArray[np.float32]] = []
    for done, model in enumerate(models):
        kind, fold = kinds.get(model.name) or (OTHER, _dealt(model.title))
        told.append((model.name, kind, fold))
        triangles.append(thinned(model.read_mesh(), CELLS))
        if progress:
            progress(done + 1, len(models))
    keep(triangles, told, package)
    return _from(np.concatenate(triangles), _starts(triangles), told)


def keep(triangles: Sequence[NDArray[np.float32]], told: Sequence[tuple[str, str, int]], package: Path) -> None:
    """Writes models, with name, class and fold of each, beside a package, where `load_surfaces` finds them."""
    kept = package.with_name(FILE)
    part = kept.with_suffix(".part.npz")
    every, words = np.concatenate(triangles), np.array(json.dumps(told))
    np.savez(part, key=np.array(_key()), triangles=every, starts=_starts(triangles), told=words)
    part.replace(kept)


def thinned(mesh: Mesh, cells: int) -> NDArray[np.float32]:
    """Returns triangles (F, 3, 3) of a mesh whose corners are drawn together within steps of its longest edge."""
    low, high = mesh.bounds.astype(np.float64)
    step = max(float((high - low).max()) / cells, 1e-6)
    cell = np.floor((mesh.vertices - low) / step).astype(np.int64)
    flat = (cell[:, 0] * (cells + 2) + cell[:, 1]) * (cells + 2) + cell[:, 2]
    _, of, count = np.unique(flat, return_inverse=True, return_counts=True)
    middle = np.stack([np.bincount(of, mesh.vertices[:, axis]) / count for axis in range(3)], 1)
    faces = of[mesh.faces]
    sound = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    _, first = np.unique(np.sort(faces[sound], axis=1), axis=0, return_index=True)
    return np.asarray(middle[faces[sound][np.sort(first)]], np.float32)


def _from(
    triangles: NDArray[np.float32], starts: NDArray[np.int64], told: Sequence[tuple[str, str, int]]
) -> tuple[Surface, ...]:
    found = []
    for (name, kind, fold), start, end in zip(told, starts[:-1], starts[1:], strict=True):
        part = triangles[start:end]
        if len(part):
            corners = part.reshape(-1, 3)
            found.append(Surface(name, kind, fold, part, np.ptp(corners, axis=0)))
    return tuple(found)


def _starts(triangles: Sequence[NDArray[np.float32]]) -> NDArray[np.int64]:
    return np.cumsum([0] + [len(part) for part in triangles])


def _kinds() -> dict[str, tuple[str, int]]:
    """Returns class and fold of each labelled model."""
    found = read_labels()
    return {label.name: (label.kind, fold) for label, fold in zip(found, folds(found, FOLDS), strict=True)}


def _fit(model: furniture.Furniture) -> bool:
    longest = max(model.size_m)
    return _SMALLEST_M <= longest <= _LARGEST_M and not _NOT_OTHER.search(model.title)


def _dealt(title: str) -> int:
    stem = "".join(letter for letter in title.lower() if letter.isalpha())
    return hashlib.sha256(stem.encode()).digest()[0] % FOLDS


def _key() -> str:
    """Returns what a kept file must be made from."""
    return hashlib.sha256(json.dumps([furniture.SHA256, CELLS, _VERSION, _kinds()]).encode()).hexdigest()
