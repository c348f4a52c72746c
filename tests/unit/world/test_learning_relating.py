from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ecumene_models.errors import WeightsError
from ecumene_models.relation_training import RelationTraining
from ecumene_models.relations import PAIRED, RelationsConfig, RelationsNet
from ecumene_world.errors import GraphError
from ecumene_world.learning.relating import (
    RELATED,
    Relater,
    Thing,
    boxes_of,
    compared,
    folds,
    trained,
    truth_of,
)
from ecumene_world.learning.rooms import SORTS, Room

NAMES = list(SORTS)


def room(name: str = "bedrooms/0") -> Room:
    """A table with a lamp, a chair that faces and is pushed under it, a bin beside, a cup inside an appliance."""
    things = [
        ("table", (2.0, 1.0, 0.37), (1.2, 0.8, 0.74), 0.0, -1, False),
        ("lamp", (2.2, 1.0, 0.94), (0.2, 0.2, 0.4), 0.0, 0, False),
        ("chair", (2.0, 1.4, 0.45), (0.5, 0.5, 0.9), -np.pi / 2, -1, False),
        ("box", (2.9, 1.0, 0.2), (0.3, 0.3, 0.4), 0.0, -1, False),
        ("appliance", (0.35, 1.0, 0.9), (0.6, 0.6, 1.8), 0.0, -1, False),
        ("vessel", (0.35, 1.0, 1.0), (0.1, 0.1, 0.1), 0.0, 4, True),
    ]
    sort = np.array([NAMES.index(thing[0]) for thing in things], np.int64)
    centre, size = (np.array([thing[part] for thing in things], np.float32) for part in (1, 2))
    heading = np.array([thing[3] for thing in things], np.float32)
    support = np.array([thing[4] for thing in things], np.int64)
    floor = np.array([0.0, 0.0, 5.0, 4.0], np.float32)
    return Room(name, name, sort, centre, size, heading, support, np.array([thing[5] for thing in things]), floor)


def holding(relation: str) -> list[list[int]]:
    found: list[list[int]] = truth_of([room()]).pairs[0, ..., PAIRED.index(relation)].nonzero().tolist()
    return found


def test_what_holds_in_a_room() -> None:
    assert holding("on") == [[1, 0]]
    assert holding("inside") == [[5, 4]]
    assert holding("facing") == [[2, 0]]
    assert holding("under") == [[2, 0]]
    assert [0, 3] in holding("next_to")
    assert [3, 0] in holding("next_to")
    assert [1, 3] not in holding("next_to"), "the lamp stands on the table, the bin on the floor"


def test_walls_are_known_where_the_floor_is() -> None:
    assert truth_of([room()]).wall[0].tolist() == [0, 0, 0, 0, 1, 0]
    bare = replace(room(), floor=np.full(4, np.nan, np.float32))
    assert truth_of([bare]).wall.isnan().all()


def test_rooms_are_padded_to_the_fullest() -> None:
    whole = room()
    part = replace(
        whole, **{key: getattr(whole, key)[:2] for key in ("sort", "centre", "size", "heading", "support", "inside")}
    )
    boxes = boxes_of([whole, part])
    assert boxes.there.sum(1).tolist() == [6, 2]
    assert truth_of([whole, part]).pairs[1, 2:].sum() == 0


def test_no_floor_plan_is_on_both_sides_and_each_room_is_asked_once() -> None:
    held = [replace(room(), name=f"robothor/{row}", group=f"robothor/{row // 5}") for row in range(50)]
    asked = []
    for known, tested in folds(held, seed=3):
        assert not {held[row].group for row in known.tolist()} & {held[row].group for row in tested.tolist()}
        asked += tested.tolist()
    assert sorted(asked) == list(range(50))


def test_training_gives_rows_weights_and_goes_on_where_it_was(tmp_path: Path) -> None:
    held = [replace(room(), name=f"kitchens/{row}", group=f"kitchens/{row}") for row in range(10)]
    training = RelationTraining(epochs=1)
    epochs: list[int] = []
    path, rows = trained(held, training, tmp_path, lambda done, _all, _loss: epochs.append(done))
    assert {row.metric for row in rows} == {"macro_f1", *(f"f1_{name}" for name in RELATED)}
    assert {row.model for row in rows if row.baseline} == {"class_pair_prior", "rules"}
    assert epochs[-1] == 6
    assert Relater.load(path).relate([]) == []
    stamp = path.stat().st_mtime_ns
    assert trained(held, training, tmp_path)[1] == rows
    assert path.stat().st_mtime_ns == stamp
    with pytest.raises(WeightsError, match="trained otherwise"):
        compared(held, RelationTraining(epochs=2), tmp_path)


def test_statements_name_things_and_stand_above_the_threshold() -> None:
    network = RelationsNet(RelationsConfig(len(SORTS)), torch.Generator().manual_seed(0)).eval()
    things = [Thing("desk", "table", (1, 1, 0.4), (1, 1, 0.8)), Thing("lamp", "lamp", (1, 1, 1), (0.2, 0.2, 0.4))]
    everything = Relater(network, [0.0] * 6).relate(things, (0, 0, 3, 3))
    assert len(everything) == 2 * len(PAIRED) + 2
    assert {one.first for one in everything} == {"desk", "lamp"}
    assert not Relater(network, [1.0] * 6).relate(things, (0, 0, 3, 3))
    assert all(one.relation != "against_wall" for one in Relater(network, [0.0] * 6).relate(things))


def test_unknown_sorts_and_broken_boxes_are_refused() -> None:
    relater = Relater(RelationsNet(RelationsConfig(len(SORTS))), [0.5] * 6)
    with pytest.raises(GraphError, match="'dragon' is not a sort of thing"):
        relater.relate([Thing("a", "dragon", (0, 0, 0), (1, 1, 1))])
    with pytest.raises(GraphError, match="finite"):
        relater.relate([Thing("a", "chair", (float("nan"), 0, 0), (1, 1, 1))])
