"""The training commands of the networks that learn from rooms and from furniture, on a few of our own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecumene_world.assets.solids import box
from ecumene_world.datasets import RECIPES
from ecumene_world.learning import furniture, shapes, surfaces
from ecumene_world.learning.labels import CLASSES, read_labels


def thing(kind: str, name: str, at: tuple[float, float, float], size: float, parent: str = "Floor|0") -> dict[str, Any]:
    box = {"center": dict(zip("xyz", at, strict=True)), "size": dict.fromkeys("xyz", size)}
    place = {"rotation": {"x": 0, "y": 90, "z": 0}, "parentReceptacles": [parent]}
    return {"objectType": kind, "objectId": name, "axisAlignedBoundingBox": box, **place}


def room(number: int) -> list[dict[str, Any]]:
    """Four metres square, with a table, a vase on it, two chairs and a bed whose places depend on the number."""
    off = number % 7 / 10
    return [
        thing("Floor", "Floor|0", (0, 0, 0), 4.0),
        thing("DiningTable", "Table|1", (off, 0.4, 0), 0.8),
        thing("Vase", "Vase|2", (off, 0.9, 0), 0.2, "Table|1"),
        thing("Chair", "Chair|3", (off + 0.8, 0.25, 0), 0.5),
        thing("Chair", "Chair|4", (off - 0.8, 0.25, 0), 0.5),
        thing("Bed", "Bed|5", (-1.0, 0.5, 1.5 - off), 1.0),
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rooms.json"
    kinds = ("kitchens", "living_rooms", "bedrooms", "bathrooms")
    path.write_text(json.dumps({kind: [room(number) for number in range(40)] for kind in kinds}))
    return path


@pytest.mark.parametrize("name", ["layout", "placement", "relations"])
def test_smoke(name: str, data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecumene_server", "train", name, "--smoke", "--data", str(data), "--json"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["weights"]).is_file()
    assert {row["baseline"] for row in said["rows"]} == {True, False}


@pytest.fixture(scope="module")
def furnished(data: Path) -> Path:
    """The folder of `data` with cubes and slabs in place of the furniture package, as if it had been read before."""
    package = data.with_name(furniture.FILE)
    labels = read_labels()
    rng = np.random.default_rng(0)
    edges = {kind: rng.uniform(0.2, 2.0, 3) for kind in CLASSES}
    points = np.stack([rng.random((shapes.POINTS, 3)) * edges[label.kind] for label in labels]).astype(np.float32)
    sizes = np.array([edges[label.kind] for label in labels], np.float32)
    shapes.keep(shapes.Shapes(labels, points, sizes), package)
    told = [(f"{kind}/{fold}", kind, fold) for fold in range(surfaces.FOLDS) for kind in (*CLASSES, surfaces.OTHER)]
    cube = box((0.6, 0.6, 0.8), (0, 0, 0)).triangles
    surfaces.keep([cube] * len(told), told, package)
    shutil.copy(data, data.with_name(RECIPES["rooms"].file_name))
    return data.parent


@pytest.mark.parametrize("name", ["pointnet", "segmenter"])
def test_smoke_on_furniture(name: str, furnished: Path, tmp_path: Path) -> None:
    source = furnished / furniture.FILE if name == "pointnet" else furnished
    command = [sys.executable, "-m", "ecumene_server", "train", name, "--smoke", "--data", str(source), "--json"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["weights"]).is_file()
    assert {row["baseline"] for row in said["rows"]} == {True, False}
