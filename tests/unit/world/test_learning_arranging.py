from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecumene_models.errors import WeightsError
from ecumene_models.layout_training import LayoutTraining
from ecumene_models.layouts import FLOOR, Layouts
from ecumene_world.learning import arranging
from ecumene_world.learning.arrangements import NAMES, ROLES, Arrangement, layouts_of
from ecumene_world.learning.arranging import METRICS, RULED_SPLIT, SPLIT, folds, trained
from ecumene_world.learning.nearest_room import nearest_rooms
from ecumene_world.learning.ruled_rooms import COARSE_NAMES, coarse, ruled_rooms

QUICK = LayoutTraining(epochs=1, rounds=1, alone=0, looks=1, candidates=6, targets=2)


def bedroom(name: str, wide: float = 4.0) -> Arrangement:
    """A bed in a corner, a desk at the far wall with a lamp on it, a chair before it."""
    return Arrangement(
        name,
        name,
        "bedroom",
        (wide, 3.0),
        np.array([NAMES.index(kind) for kind in ("bed", "desk", "chair", "desk_lamp")], np.int64),
        np.array([[1.0, 0.6], [wide - 0.35, 2.0], [wide - 1.1, 2.0], [wide - 0.35, 2.3]], np.float32),
        np.array([0.0, np.pi, 0.0, 0.0], np.float32),
        np.array([[2.0, 1.2, 0.5], [0.7, 1.4, 0.75], [0.5, 0.5, 0.9], [0.2, 0.2, 0.4]], np.float32),
        np.array([-1, -1, -1, 1], np.int64),
    )


ROOMS = [bedroom(f"bedrooms/{row}", 3.6 + 0.1 * row) for row in range(10)]


def test_training_gives_rows_weights_and_goes_on_where_it_was(tmp_path: Path) -> None:
    epochs: list[int] = []
    path, rows = trained(ROOMS, QUICK, tmp_path, lambda done, _all, _loss: epochs.append(done))
    assert epochs[-1] == 12
    own = [row for row in rows if row.split == SPLIT]
    assert {row.metric for row in own} == set(METRICS)
    assert {row.model for row in own if row.baseline} == {"nearest_room", "real_rooms"}
    assert {row.model for row in rows if row.split == RULED_SPLIT and row.baseline} >= {"procedural"}
    assert all(row.seeds == 5 for row in rows)
    stamp = path.stat().st_mtime_ns
    assert trained(ROOMS, QUICK, tmp_path)[1] == rows
    assert path.stat().st_mtime_ns == stamp
    with pytest.raises(WeightsError, match="trained otherwise"):
        trained(ROOMS, replace(QUICK, epochs=2), tmp_path)


def test_no_floor_plan_is_on_both_sides_and_each_room_is_asked_once() -> None:
    held = [replace(ROOMS[0], name=f"robothor/{row}", group=f"robothor/{row // 5}") for row in range(50)]
    asked = []
    for known, tested in folds(held, seed=3):
        assert not {held[row].group for row in known.tolist()} & {held[row].group for row in tested.tolist()}
        asked += tested.tolist()
    assert sorted(asked) == list(range(50))


def test_the_nearest_room_keeps_its_things_at_their_walls() -> None:
    known = layouts_of([bedroom("bedrooms/0", 4.0)])
    asked = known._replace(floor=torch.tensor([[5.0, 3.0]]))
    made = nearest_rooms(asked, known, torch.Generator().manual_seed(0))
    assert made.kind.tolist() == known.kind.tolist()
    gaps = torch.minimum(made.place, asked.floor[:, None] - made.place)[0]
    before = torch.minimum(known.place, known.floor[:, None] - known.place)[0]
    assert (gaps[:2].sort(1).values - before[:2].sort(1).values).abs().max() < 0.25
    again = nearest_rooms(asked, known, torch.Generator().manual_seed(0))
    assert torch.equal(made.place, again.place)


def test_the_nearest_room_is_the_one_of_the_most_similar_floor() -> None:
    known = layouts_of([bedroom("bedrooms/0", 3.0), bedroom("bedrooms/1", 8.0)])
    known.kind[1, 0] = NAMES.index("sofa")
    asked = known.rows(torch.tensor([0]))._replace(floor=torch.tensor([[7.5, 3.0]]))
    made = nearest_rooms(asked, known, torch.Generator().manual_seed(0), among=1)
    assert made.kind[0, 0] == NAMES.index("sofa")


def test_coarse_rooms_hold_what_stands_on_the_floor() -> None:
    made = coarse(layouts_of(ROOMS[:2]))
    assert [COARSE_NAMES[kind] for kind in made.kind[0].tolist()] == ["bed", "desk", "seat"]
    assert (made.support == FLOOR).all()


def test_rooms_by_rule_have_beds_within_their_floors() -> None:
    made = ruled_rooms(layouts_of(ROOMS[:2]), 1)
    assert (made.kind == COARSE_NAMES.index("bed")).any(1).all()
    assert (made.place[made.there] > 0).all()


def test_figures_come_with_the_package_or_say_how_to_make_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arranging, "RESULTS", tmp_path / "none.json")
    with pytest.raises(WeightsError, match="--fresh"):
        arranging.shipped_results()


def test_scores_of_the_very_same_rooms_are_the_best_there_are() -> None:
    real: Layouts = layouts_of(ROOMS)
    found = arranging.scores(real, real, [real, real], list(range(10)), len(NAMES))
    assert found["count_distance"] == found["pair_distance"] == found["novelty"] == found["diversity"] == 0
    assert found["classifier_accuracy"] == pytest.approx(0.5)
    assert len(ROLES) == 5
