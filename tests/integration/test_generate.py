"""The commands that make worlds: what they print, what they refuse and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecumene_server import cli


@pytest.mark.timeout(600)
def test_generate_reports_the_gate_and_writes_what_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, glb, png = (tmp_path / name for name in ("w.json", "w.glb", "w.png"))
    asked = ["generate", "meeting", "--seed", "3", "--tags", "cozy, green", "--json"]
    assert cli.run([*asked, "-o", str(out), "--glb", str(glb), "--preview", str(png)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is True
    checks = {"walkable", "reachable", "overlaps", "supported", "rooms", "doors", "colliders", "spawns"}
    assert set(said["gate"]) == checks
    assert all({"value", "limit", "ok"} == set(check) for check in said["gate"].values())
    assert json.loads(out.read_text())["name"] == "Meeting 3"
    assert glb.read_bytes()[:4] == b"glTF"
    assert png.read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("generate aparment", "did you mean 'apartment'?"),
        ("generate apartment --tags elderlie", "did you mean 'elderly'?"),
        ("generate office --size -3", "a size of -3 m is not within 10 and 34 m"),
        ("generate office --size 4", "a size of 4 m is not within"),
        ("generate office --seed -1", "the seed -1 is not a whole number"),
        ("generate shop --tags large,small", "contradict each other"),
    ],
)
def test_what_cannot_be_had_is_a_wrong_request(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(words.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("ecumene: ")
    assert said in error


def cloud(path: Path, points: np.ndarray) -> Path:
    lines = ["ply", "format ascii 1.0", f"element vertex {len(points)}"]
    lines += [f"property float {axis}" for axis in "xyz"] + ["end_header"]
    path.write_text("\n".join([*lines, *(" ".join(str(value) for value in point) for point in points)]) + "\n")
    return path


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (np.zeros((0, 3)), "points; at least"),
        (np.array([[1.0, 2.0, 3.0]]), "points; at least"),
        (np.full((400, 3), np.nan), "not finite"),
        (np.column_stack([np.zeros(400), np.linspace(0, 9, 400), np.linspace(0, 3, 400)]), "to stand on"),
        (np.full((400, 3), 4.0), "to stand on"),
    ],
    ids=["empty", "single", "nan", "planar", "same"],
)
def test_scans_of_nothing_are_a_wrong_request(
    points: np.ndarray, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cloud(tmp_path / "scan.ply", points)
    assert cli.run(["import", str(path), "-o", str(tmp_path / "out.json")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
