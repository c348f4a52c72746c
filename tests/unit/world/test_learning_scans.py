from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecumene_models.segmenter_training import SegmenterTraining
from ecumene_world.assets.mesh import Mesh
from ecumene_world.assets.solids import box
from ecumene_world.learning import planes, segmenting
from ecumene_world.learning.rooms import SORTS, Room
from ecumene_world.learning.scanning import CEILING, FLOOR, WALL, Scanner, Shell, cut_up, scan
from ecumene_world.learning.scans import CLASSES, Scan, a_few, load_scans, room_folds, simulated
from ecumene_world.learning.surfaces import FOLDS, Surface, thinned

SHELL = Shell((0.0, 0.0, 0.0), (4.0, 3.0, 2.5))
EXACT = Scanner(rays=48, noise_m=0.0, lost=0.0, mixed=0.0)
CRATE = box((1.0, 1.0, 1.0), (90, 90, 90)).moved(2.0, 1.5).triangles.astype(np.float64)
STATION = np.array([[0.5, 1.5, 1.4]])


def seen(triangles: np.ndarray, scanner: Scanner = EXACT, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    owner = np.zeros(len(triangles), np.int64)
    found = scan(SHELL, triangles, owner, STATION, scanner, np.random.default_rng(seed))
    return found.xyz, found.hit


def test_a_box_is_seen_where_it_is() -> None:
    xyz, hit = seen(CRATE)
    on = xyz[hit == 0]
    assert len(on) > 300
    assert (np.abs(on - [2.0, 1.5, 0.5]).max(1) <= 0.5 + 1e-6).all()
    faces = np.abs(np.abs(on - [2.0, 1.5, 0.5]) - 0.5) < 1e-6
    assert faces.any(1).all()
    assert (on[:, 0] < 2.5 - 1e-6).all() or (on[on[:, 0] > 2.5 - 1e-6][:, 2] > 1 - 1e-6).all()


def test_the_side_that_faces_away_and_what_is_behind_are_missing() -> None:
    xyz, hit = seen(CRATE)
    on = xyz[hit == 0]
    assert not ((on[:, 0] > 2.49) & (on[:, 2] < 0.99)).any()
    behind = (np.abs(xyz[:, 1] - 1.5) < 0.3) & (xyz[:, 0] > 2.55) & (xyz[:, 0] < 3.0) & (xyz[:, 2] < 0.05)
    assert not behind.any()


def test_an_empty_room_is_floor_walls_and_ceiling() -> None:
    xyz, hit = seen(np.zeros((0, 3, 3)))
    assert len(xyz) == 6 * 48 * 48
    assert np.abs(xyz[hit == FLOOR][:, 2]).max() < 1e-9
    assert np.abs(xyz[hit == CEILING][:, 2] - 2.5).max() < 1e-9
    on_wall = np.minimum(xyz[hit == WALL][:, :2], np.array([4.0, 3.0]) - xyz[hit == WALL][:, :2]).min(1)
    assert np.abs(on_wall).max() < 1e-9


def test_noise_and_losses_are_what_was_asked_for() -> None:
    exact, _ = seen(CRATE)
    noisy, hit = seen(CRATE, Scanner(rays=48, noise_m=0.01, lost=0.3, mixed=0.0))
    assert 0.55 < len(noisy) / len(exact) < 0.71
    assert 0.005 < np.abs(noisy[hit == FLOOR][:, 2]).mean() < 0.02
    again, _ = seen(CRATE, Scanner(rays=48, noise_m=0.01, lost=0.3, mixed=0.0))
    assert np.array_equal(noisy, again)


def test_cutting_up_keeps_the_surface() -> None:
    pieces, owner = cut_up(CRATE, np.arange(len(CRATE)), 0.3)

    def area(triangles: np.ndarray) -> float:
        across = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
        return float(np.linalg.norm(across, axis=1).sum() / 2)

    assert area(pieces) == pytest.approx(area(CRATE))
    assert np.linalg.norm(pieces - np.roll(pieces, -1, 1), axis=2).max() <= 0.3
    assert set(owner.tolist()) == set(range(len(CRATE)))


def test_thinning_a_mesh_keeps_its_box() -> None:
    ball = Mesh.of(*_ball(), (0, 0, 0))
    few = thinned(ball, 10)
    assert 20 < len(few) < len(ball.faces)
    assert np.ptp(few.reshape(-1, 3), axis=0) == pytest.approx([2.0, 2.0, 2.0], abs=0.25)


def _ball() -> tuple[np.ndarray, np.ndarray]:
    steps = 24
    turn, up = np.meshgrid(np.linspace(0, 2 * np.pi, steps), np.linspace(-np.pi / 2, np.pi / 2, steps))
    points = np.stack([np.cos(turn) * np.cos(up), np.sin(turn) * np.cos(up), np.sin(up)], -1).reshape(-1, 3)
    at = np.arange(steps * steps).reshape(steps, steps)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]))
    return points, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def room(number: int) -> Room:
    names = list(SORTS)
    sorts = np.array([names.index("table"), names.index("chair"), names.index("opening")])
    return Room(
        f"kitchens/{number}",
        f"kitchens/{number}",
        sorts,
        np.array([[2.0, 1.5, 0.4], [1.0, 0.6, 0.45], [0.05, 1.5, 1.4]], np.float32),
        np.array([[1.2, 0.8, 0.8], [0.5, 0.5, 0.9], [0.1, 1.0, 1.2]], np.float32),
        np.zeros(3, np.float32),
        np.full(3, -1),
        np.zeros(3, bool),
        np.array([0.0, 0.0, 4.0, 3.0], np.float32),
    )


ROOMS = tuple(room(number) for number in range(5))
SURFACES = tuple(
    Surface(f"{kind}/{fold}", kind, fold, box(size, (0, 0, 0)).triangles, np.array(size, np.float32))
    for fold in range(FOLDS)
    for kind, size in (("table", (1.2, 0.8, 0.75)), ("chair", (0.5, 0.5, 0.9)), ("door_window", (1.0, 0.1, 1.2)))
)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scan, ...]:
    return load_scans(ROOMS, SURFACES, tmp_path_factory.mktemp("scans"))


def test_scans_hold_what_was_put_there_and_are_the_same_again(scans: tuple[Scan, ...], tmp_path: Path) -> None:
    assert len(scans) == 10
    for one in scans[:2]:
        assert {CLASSES[kind] for kind in np.unique(one.kind)} >= {"floor", "wall", "ceiling", "table", "chair"}
        assert (one.thing[one.kind < 3] == -1).all()
        assert (one.thing[one.kind == CLASSES.index("chair")] >= 0).all()
    fold = room_folds(ROOMS)[ROOMS[0].group]
    again = simulated(ROOMS[0], fold, fold, SURFACES, extras=False)
    (first,) = [one for one in scans if one.room == ROOMS[0].name and one.model_fold == fold]
    assert np.abs(again.xyz - first.xyz).max() < 0.001
    assert np.array_equal(again.kind, first.kind)


def test_a_fold_learns_from_neither_its_rooms_nor_its_furniture(scans: tuple[Scan, ...]) -> None:
    for fold in range(FOLDS):
        known, asked = segmenting.split(scans, fold)
        assert known
        assert asked
        assert not {one.room for one in known} & {one.room for one in asked}
        assert not {one.model_fold for one in known} & {one.model_fold for one in asked}


def test_few_labels_are_a_tenth_of_the_rooms(scans: tuple[Scan, ...]) -> None:
    known, _ = segmenting.split(scans, 0)
    few, both = segmenting.material(known, segmenting.FEW), segmenting.material(known, segmenting.TAUGHT)
    assert 0 < len(few) < len(known)
    assert len(both) == len(known)
    assert sum(one.kind is not None for one in both) == len(few)


def test_geometry_finds_the_shell_and_names_pieces_by_size(scans: tuple[Scan, ...]) -> None:
    known, asked = segmenting.split(scans, 0)
    sizes = planes.learned_sizes(known)
    guess = planes.labelled(asked[0].xyz.astype(np.float64), sizes)
    truth = asked[0].kind.astype(np.int64)
    for kind in (0, 2):
        assert ((guess == kind) & (truth == kind)).sum() / ((guess == kind) | (truth == kind)).sum() > 0.8
    assert (guess == CLASSES.index("chair")).any()


def test_a_smoke_run_compares_and_is_not_run_twice(scans: tuple[Scan, ...], tmp_path: Path) -> None:
    training = SegmenterTraining(steps=1, batch=1)
    scans = tuple(replace(one, xyz=one.xyz[:1500], kind=one.kind[:1500], thing=one.thing[:1500]) for one in scans)
    heard: list[tuple[int, int, float]] = []
    weights, rows = segmenting.train_all(scans, training, tmp_path, lambda *told: heard.append(told))
    assert weights.stat().st_size < 4_000_000
    assert {row.model for row in rows} == set(segmenting.METHODS)
    assert {row.metric for row in rows} >= {"miou", "accuracy", "iou_floor", "iou_chair"}
    assert all(row.seeds == 5 for row in rows if row.metric == "miou")
    assert heard[-1][:2] == (45, 45)
    (tmp_path / "fold-0-1.safetensors").unlink()
    segmenting.judge(scans, 0, segmenting.FULL, training, tmp_path)
    assert not (tmp_path / "fold-0-1.safetensors").exists()
    segmenting.judge(scans, 0, segmenting.FULL, replace(training, seed=9), tmp_path)
    assert (tmp_path / "fold-0-1.safetensors").exists()


def test_a_few_rooms_cover_all_folds() -> None:
    assert sorted(room_folds(a_few(ROOMS)).values()) == [0, 1, 2, 3, 4]
