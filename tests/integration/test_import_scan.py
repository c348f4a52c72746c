from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecumene_server import cli
from ecumene_world.importers import recognise
from ecumene_world.learning.scanning import Scanner, Shell, scan


def written(path: Path) -> Path:
    """A scan of a room with a block in it."""
    from ecumene_world.assets.solids import box

    block = box((2.0, 1.6, 0.5), (90, 90, 90)).triangles.astype(np.float64)
    shell, stations = Shell((-2.0, -2.0, 0.0), (2.0, 2.0, 2.5)), np.array([[1.5, 1.5, 1.5], [-1.6, -1.5, 1.4]])
    seen = scan(shell, block, np.zeros(len(block), np.int64), stations, Scanner(rays=64), np.random.default_rng(0))
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(seen.xyz)}\n"
    header += "property float x\nproperty float y\nproperty float z\nend_header\n"
    path.write_bytes(header.encode() + seen.xyz.astype("<f4").tobytes())
    return path


def test_import_reports_writes_and_takes_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    room, out = written(tmp_path / "room.ply"), tmp_path / "room.json"
    ask = ["import", str(room), "-o", str(out), "--json"]
    assert cli.run([*ask, "--recognise", "network"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["recognised"]
    assert {"id", "label", "guess", "confidence", "node"} <= set(report["recognised"][0])
    labels = tmp_path / "room.labels.json"
    assert report["labels"] == str(labels)
    labels.write_text(labels.read_text().replace('"label": ', '"label": "nothing", "was": '))
    assert cli.run([*ask, "--recognise", "network"]) == 2
    assert "holds corrected labels" in capsys.readouterr().err
    assert cli.run([*ask, "--recognise", "network", "--labels", str(labels)]) == 0
    left_out = json.loads(capsys.readouterr().out)
    assert [thing["node"] for thing in left_out["recognised"]] == [None] * len(report["recognised"])
    assert left_out["nodes"] < report["nodes"]
    assert cli.run([*ask, "--labels", str(labels)]) == 2
    assert "--recognise network" in capsys.readouterr().err
    assert cli.run(ask) == 0
    assert "recognised" not in json.loads(capsys.readouterr().out)


def test_damaged_weights_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray((recognise.WEIGHTS / "segmenter.safetensors").read_bytes())
    data[-9] ^= 4
    (tmp_path / "segmenter.safetensors").write_bytes(bytes(data))
    monkeypatch.setattr(recognise, "WEIGHTS", tmp_path)
    assert cli.run(["import", str(written(tmp_path / "room.ply")), "--recognise", "network"]) == 2
    said = capsys.readouterr().err
    assert "is damaged: its digest is" in said
    assert len(said.strip().splitlines()) == 1
