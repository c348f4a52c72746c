from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecumene_server.cli import main
from ecumene_world.learning import solids
from ecumene_world.learning.labels import CLASSES, Label
from ecumene_world.learning.solids import Solids


def balls(count: int = 144) -> Solids:
    """Balls that fill their boxes, in turn of all classes."""
    generator = np.random.default_rng(0)
    visible = generator.normal(size=(count, 300, 3))
    visible = 0.5 + 0.5 * visible / np.linalg.norm(visible, axis=2, keepdims=True)
    probes = generator.random((count, 900, 3))
    distance = np.linalg.norm(probes - 0.5, axis=2) - 0.5
    labels = tuple(Label(f"Ball/{row:03}", tuple(CLASSES)[row % len(CLASSES)], row) for row in range(count))
    size = np.exp(generator.uniform(-1, 1, (count, 3))).astype(np.float32)
    return Solids(labels, visible.astype(np.float16), probes.astype(np.float16), distance.astype(np.float16), size)


def test_a_smoke_run_leaves_weights_and_rows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(solids, "load_solids", lambda _package: balls())
    command = ("train", "shapes", "--smoke", "--data", str(tmp_path / "any.deb"), "--out", str(tmp_path), "--json")
    with pytest.raises(SystemExit) as end:
        main(command)
    assert not end.value.code
    said = json.loads(capsys.readouterr().out)
    assert Path(said["weights"]).is_file()
    assert len(json.loads((tmp_path / "shape_variants.json").read_text())["bed"]) == 1
    metrics = {"chamfer", "coverage", "mmd_cd", "one_nna", "jsd", "class_agreement", "novelty"}
    assert {row["metric"] for row in said["rows"]} == metrics
