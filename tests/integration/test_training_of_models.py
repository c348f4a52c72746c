"""The training commands of the networks that learn from rooms, on a few rooms of our own, as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


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
