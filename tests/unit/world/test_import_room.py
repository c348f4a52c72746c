from __future__ import annotations

import json
from math import pi
from pathlib import Path

import numpy as np
import pytest

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError
from ecumene_world import compile_layout
from ecumene_world.assets.library import build
from ecumene_world.errors import ImportFailed, Unfit
from ecumene_world.importers import indoor, recognise
from ecumene_world.importers.boxes import back_of, box_of
from ecumene_world.importers.corrections import NOTHING, Guess, edited, read_labels, write_labels
from ecumene_world.importers.fitting import fitted
from ecumene_world.importers.indoor import floor_height
from ecumene_world.learning.scanning import Scanner, Shell, scan

CLASSES = ("chair", "table", "other")
GUESSES = (
    Guess(0, "chair", "chair", 0.8123, (1.0, 2.0, 0.4), (0.5, 0.5, 0.9)),
    Guess(1, "table", "table", 0.4, (3.0, 2.0, 0.4), (1.2, 0.8, 0.75)),
)


def write_ply(path: Path, xyz: np.ndarray) -> Path:
    header = (
        f"ply\nformat binary_little_endian 1.0\nelement vertex {len(xyz)}\n"
        "property float x\nproperty float y\nproperty float z\nend_header\n"
    )
    path.write_bytes(header.encode() + xyz.astype("<f4").tobytes())
    return path


def furnished(turn: float = 0.0) -> np.ndarray:
    """Points of a room of 4 m by 5 m with a bed, a table and a cabinet, as a scanner sees it."""
    things = [
        build("bed", 0, {"length_m": 2.0, "width_m": 1.6}).mesh.moved(-0.9, -1.5),
        build("table", 0, {"shape": "square"}).mesh.moved(0.9, 1.0),
        build("cabinet", 0).mesh.turned(pi).moved(1.7, -1.4),
    ]
    triangles = np.concatenate([thing.triangles for thing in things]).astype(np.float64)
    owner = np.repeat(np.arange(3), [len(thing.faces) for thing in things])
    stations = np.array([[-1.5, 2.0, 1.5], [0.7, -0.4, 1.4], [1.5, 2.1, 1.6]])
    shell = Shell((-2.0, -2.5, 0.0), (2.0, 2.5, 2.6))
    seen = scan(shell, triangles, owner, stations, Scanner(rays=72), np.random.default_rng(0)).xyz
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(seen @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + [10.0, -4.0, 3.0])


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ply(tmp_path_factory.mktemp("room") / "my_room.ply", furnished(0.5))


def test_a_scan_becomes_a_room_with_things(room: Path) -> None:
    found = recognise.import_room(room)
    assert found.graph.name == "my room"
    assert 2 <= len(found.guesses) <= 40
    assert all(0 < guess.confidence <= 1 for guess in found.guesses)
    assert set(found.nodes) == {guess.number for guess in found.guesses}
    largest = found.guesses[0]
    node = found.graph.node(found.nodes[largest.number])
    assert node.attributes["label"] == largest.label
    kinds = [node.kind for node in found.graph.walk()]
    assert kinds.count("floor") == 1
    assert "wall" in kinds
    assert "spawn" in [node.attributes.get("role") for node in found.graph.walk()]
    assert compile_layout(found.graph).floor.max() < 0.2
    for one in found.relations:
        assert one.first in found.graph
        assert one.second in found.graph
    again = recognise.import_room(room)
    assert again.graph.hash() == found.graph.hash()
    assert again.guesses == found.guesses


def test_corrected_labels_are_taken_up(room: Path, tmp_path: Path) -> None:
    first = recognise.import_room(room)
    path = tmp_path / "my_room.labels.json"
    write_labels(path, first.guesses, first.source, first.classes)
    assert not edited(path)
    held = json.loads(path.read_text())
    held["things"][0]["label"] = "cabinet" if first.guesses[0].guess != "cabinet" else "sofa"
    held["things"][1]["label"] = NOTHING
    path.write_text(json.dumps(held))
    assert edited(path)
    second = recognise.import_room(room, labels=path)
    assert second.guesses[0].label == held["things"][0]["label"]
    assert second.guesses[0].guess == first.guesses[0].guess
    assert second.nodes[0] == f"{held['things'][0]['label']} 1"
    assert 1 not in second.nodes
    assert len(second.nodes) == len(first.nodes) - 1
    write_labels(path, second.guesses, second.source, second.classes)
    assert recognise.import_room(room, labels=path).graph.hash() == second.graph.hash()


def test_labels_of_another_scan_or_with_unknown_words_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.labels.json"
    write_labels(path, GUESSES, "abc", CLASSES)
    assert read_labels(path, "abc", CLASSES) == {}
    with pytest.raises(ImportFailed, match="belongs to another scan"):
        read_labels(path, "abd", CLASSES)
    path.write_text(path.read_text().replace('"label": "chair"', '"label": "chiar"'))
    with pytest.raises(ImportFailed, match="did you mean 'chair'"):
        read_labels(path, "abc", CLASSES)
    for text, said in (("{", "not a JSON file"), ("[]", "not a file of labels"), ("", "not a JSON file")):
        path.write_text(text)
        with pytest.raises(ImportFailed, match=said):
            read_labels(path, "abc", CLASSES)
    path.write_text(json.dumps({"format": "ecumene labels 1", "source": "abc", "things": [{"id": "1"}]}))
    with pytest.raises(ImportFailed, match="without id, label and guess"):
        read_labels(path, "abc", CLASSES)
    with pytest.raises(ImportFailed, match="no file of labels"):
        read_labels(tmp_path / "none.json", "abc", CLASSES)


@pytest.mark.parametrize(
    ("xyz", "said"),
    [
        (np.zeros((0, 3)), "0 points"),
        (np.zeros((1, 3)), "1 points"),
        (np.full((500, 3), np.nan), "not finite"),
        (np.random.default_rng(0).random((500, 3)) * [4, 4, 0], "0.00 m high"),
        (np.random.default_rng(0).random((500, 3)) * [4, 0, 3], "seen from above"),
        (np.random.default_rng(0).random((500, 3)) * [400, 40, 3], "399 m wide"),
    ],
)
def test_clouds_that_are_no_rooms_are_refused(xyz: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(Unfit, match=said):
        recognise.import_room(write_ply(tmp_path / "x.ply", xyz))


def test_a_claim_of_a_thousand_million_points_is_refused(tmp_path: Path) -> None:
    path = write_ply(tmp_path / "x.ply", np.zeros((3, 3)))
    path.write_bytes(path.read_bytes().replace(b"vertex 3", b"vertex 1000000000"))
    with pytest.raises(ImportFailed, match="promises 1000000000"):
        recognise.import_room(path)


def test_damaged_weights_are_refused(room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray((recognise.WEIGHTS / "segmenter.safetensors").read_bytes())
    data[-9] ^= 4
    (tmp_path / "segmenter.safetensors").write_bytes(bytes(data))
    monkeypatch.setattr(recognise, "WEIGHTS", tmp_path)
    with pytest.raises(WeightsError, match="is damaged: its digest is"):
        recognise.import_room(room)


def test_shipped_weights_are_small_and_whole() -> None:
    path = recognise.WEIGHTS / "segmenter.safetensors"
    assert path.stat().st_size <= 4_000_000
    assert len(checkpoint.read(path, model="segmenter").sha256) == 64


def test_two_guesses_in_one_box_are_one_thing() -> None:
    rng = np.random.default_rng(0)
    bed = rng.random((900, 3)) * [2.0, 1.6, 0.5]
    pillow = rng.random((60, 3)) * [0.4, 0.4, 0.1] + [0.1, 0.1, 0.42]
    lamp = rng.random((40, 3)) * [0.2, 0.2, 1.5] + [2.6, 0.0, 0.0]
    piece = np.repeat([0, 1, 2], [900, 60, 40])
    merged = indoor._merged(np.concatenate([bed, pillow, lamp]), piece)
    assert merged.tolist() == [0] * 960 + [1] * 40


def test_a_box_is_found_at_any_heading() -> None:
    points = (np.random.default_rng(0).random((4000, 3)) - 0.5) * [2.0, 0.8, 1.0]
    for yaw in (0.0, 0.4, 1.2):
        c, s = np.cos(yaw), np.sin(yaw)
        box = box_of(points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + [5, 6, 1])
        assert sorted(box.size) == pytest.approx([0.8, 1.0, 2.0], abs=0.12)
        assert box.centre == pytest.approx((5, 6, 1), abs=0.05)
        assert sorted(box.extent(yaw)) == pytest.approx([0.8, 1.0, 2.0], abs=0.25)


def test_a_chair_turns_its_back_to_its_back() -> None:
    rng = np.random.default_rng(0)
    seat = rng.random((500, 3)) * [0.5, 0.5, 0.05] + [-0.25, -0.25, 0.42]
    back = rng.random((500, 3)) * [0.05, 0.5, 0.45] + [0.2, -0.25, 0.45]
    legs = rng.random((60, 3)) * [0.5, 0.5, 0.42] + [-0.25, -0.25, 0.0]
    xyz = np.concatenate([seat, back, legs])
    assert back_of(xyz, box_of(xyz)).max() > 0.5
    fit = fitted("chair", box_of(xyz), xyz, (3.0, 0.0))
    assert fit is not None
    assert fit.kind == "chair"
    assert abs(np.cos(fit.yaw) + 1) < 0.1


def test_what_hangs_or_fits_nothing_keeps_its_own_shape() -> None:
    xyz, up = np.random.default_rng(0).random((500, 3)) * [0.6, 0.4, 0.6], np.array([0, 0, 1.5])
    assert fitted("cabinet", box_of(xyz + up), xyz + up, (3.0, 0.0)) is None
    assert fitted("bed", box_of(xyz), xyz, (3.0, 0.0)) is None
    assert fitted("other", box_of(xyz), xyz, (3.0, 0.0)) is None


def test_stray_points_below_do_not_move_the_floor() -> None:
    rng = np.random.default_rng(0)
    floor = np.column_stack([rng.random((2000, 2)) * 4, rng.normal(0.3, 0.01, 2000)])
    rest = rng.random((2000, 3)) * [4, 4, 2.3] + [0, 0, 0.3]
    stray = rng.random((3, 3)) * [4, 4, 0.3]
    assert floor_height(np.concatenate([floor, rest, stray])) == pytest.approx(0.3, abs=0.03)
