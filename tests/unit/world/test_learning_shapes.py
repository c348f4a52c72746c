from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ecumene_world.assets.mesh import Mesh
from ecumene_world.errors import GraphError, ImportFailed
from ecumene_world.learning.baselines import BASELINES, recall
from ecumene_world.learning.evaluation import interval
from ecumene_world.learning.furniture import catalogue
from ecumene_world.learning.grouping import distance, group
from ecumene_world.learning.labels import CLASSES, folds, read_labels
from ecumene_world.learning.obj import read_obj
from ecumene_world.learning.sampling import surface_points

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def cloud(size: tuple[float, float, float], seed: int, hollow: bool = False) -> np.ndarray:
    points = np.random.default_rng(seed).random((800, 3)).astype(np.float32)
    if hollow:
        points = points[np.abs(points[:, 2] - 0.5) > 0.4]
    return np.asarray(points * np.array(size, np.float32))


@pytest.mark.parametrize("face", ["f 1 2 3 4", "f 1/1 2/2 3/3 4/4", "f 1//1 2//1 3//1 4//1", "f -4 -3 -2 -1"])
def test_polygons_become_triangles(face: str) -> None:
    vertices, faces = read_obj(SQUARE + face + "\n")
    assert vertices.shape == (4, 3)
    assert faces.tolist() == [[0, 1, 2], [0, 2, 3]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no face"),
        (SQUARE, "no face"),
        (SQUARE + "f 1 2 9\n", "none of its 4 vertices"),
        (SQUARE + "f 1 2 x\n", "no whole number"),
        ("v 0 0\nv 1 0\nv 1 1\nf 1 2 3\n", "not three numbers"),
        ("v 0 0 nan\nv 1 0 0\nv 1 1 0\nf 1 2 3\n", "finite"),
    ],
)
def test_bad_files_are_refused(text: str, said: str) -> None:
    with pytest.raises(ImportFailed, match=said):
        read_obj(text)


def test_points_lie_on_the_surface_in_proportion_to_area() -> None:
    mesh = Mesh.of(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 0, 0], [8, 0, 0], [5, 1, 0]], [[0, 1, 2], [3, 4, 5]], (9, 9, 9)
    )
    points = surface_points(mesh, 4000, np.random.default_rng(0))
    assert np.allclose(points[:, 2], 0.0)
    assert np.allclose(points[:, 3:], [0, 0, 1])
    assert (points[:, 0] >= 5).mean() == pytest.approx(0.75, abs=0.01)
    assert np.array_equal(points, surface_points(mesh, 4000, np.random.default_rng(0)))


def test_a_mesh_without_area_has_no_surface() -> None:
    with pytest.raises(GraphError, match="1 faces without area"):
        surface_points(Mesh.of([[0, 0, 0]] * 3, [[0, 1, 2]], (9, 9, 9)), 10, np.random.default_rng(0))


def test_stretched_turned_copies_are_near_and_others_are_not() -> None:
    plain, copy, other = cloud((1, 1, 1), 0), cloud((2, 0.5, 3), 1)[:, [1, 0, 2]], cloud((1, 1, 1), 2, hollow=True)
    assert distance(plain, copy) < 1.1
    assert distance(plain, other) > 1.25
    numbers, _ = group([plain, copy, other], ["a/x", "b/y", "c/z"], ["box", "box", "box"])
    assert numbers[0] == numbers[1] != numbers[2]


def test_labels_are_of_known_classes_and_groups_of_one_class() -> None:
    found = read_labels()
    assert len(found) == len({label.name for label in found}) == 451
    assert {label.kind for label in found} == set(CLASSES)
    assert [label.name for label in found] == sorted(label.name for label in found)
    kinds = {(label.group, label.kind) for label in found}
    assert len(kinds) == len({label.group for label in found})


def test_no_group_straddles_folds_and_folds_are_even() -> None:
    found = read_labels()
    dealt = folds(found)
    assert len({(label.group, fold) for label, fold in zip(found, dealt, strict=True)}) == len({x.group for x in found})
    for kind in CLASSES:
        count = np.bincount([f for label, f in zip(found, dealt, strict=True) if label.kind == kind], minlength=5)
        assert np.ptp(count) <= 2


def test_another_package_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="there is no"):
        catalogue(tmp_path / "x.deb")
    (tmp_path / "x.deb").write_bytes(b"!<arch>\n")
    with pytest.raises(ImportFailed, match="sha256"):
        catalogue(tmp_path / "x.deb")


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_tell_boards_from_poles(name: str) -> None:
    features, guess = BASELINES[name]
    kinds = torch.arange(20) % 2
    shapes = [cloud((1.0, 0.7, 0.1) if kind == 0 else (0.2, 0.2, 1.5), seed) for seed, kind in enumerate(kinds)]
    numbers = features(torch.from_numpy(np.stack(shapes)))
    assert (guess(numbers[:12], kinds[:12], numbers[12:]).argmax(1) == kinds[12:]).all()


def test_recall_counts_hits_among_the_nearest() -> None:
    known, asked = np.array([[0.0], [1.0], [5.0]], np.float32), np.array([[0.1], [4.9]], np.float32)
    same = np.array([[False, True, False], [True, False, False]])
    assert recall(known, asked, same, 1).tolist() == [False, False]
    assert recall(known, asked, same, 2).tolist() == [True, False]


def test_interval_is_wider_where_groups_are_larger() -> None:
    right = np.tile(np.repeat([True, False], 10), 10)
    alone, together = interval(right, np.arange(200)), interval(right, np.arange(200) // 10)
    assert alone[0] < 0.5 < alone[1]
    assert together[1] - together[0] > 1.5 * (alone[1] - alone[0])
