from __future__ import annotations

import numpy as np
import pytest
import torch

from ecumene_models.relations import Boxes
from ecumene_world.learning import placing
from ecumene_world.learning.rooms import SORTS, Room

NAMES = list(SORTS)


def room(floor: float = 2.0) -> Room:
    """A table with a chair under it and a vase on it, a cabinet at the wall, and a picture."""
    sorts = [NAMES.index(name) for name in ("table", "chair", "vessel", "cabinet", "picture")]
    centre = [[0, 0, 0.4], [0.5, 0, 0.4], [0, 0, 0.9], [-1.8, 0, 0.5], [-1.95, 1, 0.2]]
    size = [[1, 1, 0.8], [0.5, 0.5, 0.8], [0.2, 0.2, 0.2], [0.4, 1, 1], [0.1, 0.5, 0.4]]
    return Room(
        name="bedrooms/0",
        group="bedrooms/0",
        sort=np.array(sorts),
        centre=np.array(centre, np.float32),
        size=np.array(size, np.float32),
        heading=np.zeros(5, np.float32),
        support=np.array([-1, -1, 0, -1, -1]),
        inside=np.zeros(5, bool),
        floor=np.array([-floor, -floor, floor, floor], np.float32),
    )


def moved(boxes: Boxes, row: int, x: float, y: float) -> Boxes:
    centre = boxes.centre.clone()
    centre[0, row, :2] += torch.tensor([x, y])
    return boxes._replace(centre=centre)


def test_only_what_stands_on_a_known_floor_counts() -> None:
    boxes = placing.standing([room(), room(float("nan"))])
    assert boxes.sort.tolist() == [[NAMES.index("table"), NAMES.index("chair"), NAMES.index("cabinet")]]


def test_a_room_as_it_was_is_perfect() -> None:
    truth = placing.standing([room()])
    found = placing.scores(truth, truth)
    assert found == {"overlap": 0.0, "out_of_floor": 0.0, "displacement": 0.0, "relations_kept": 1.0}


def test_scores_see_what_is_wrong() -> None:
    truth = placing.standing([room()])
    outside = placing.scores(moved(truth, 2, -0.3, 0.0), truth)
    assert outside["out_of_floor"] == pytest.approx(1 / 3)
    assert outside["displacement"] == pytest.approx(0.1)
    into = placing.scores(moved(truth, 2, 1.4, 0.0), truth)
    assert into["overlap"] == pytest.approx(2 / 3)
    assert into["relations_kept"] < 1.0


def test_the_resolver_parts_what_overlaps_but_leaves_chairs_under_tables() -> None:
    truth = placing.standing([room()])
    found = placing.pushed_apart(moved(truth, 2, 1.2, 0.1))
    assert placing.scores(found, truth)["overlap"] == 0.0
    assert torch.equal(placing.pushed_apart(truth).centre, truth.centre)


def test_the_resolver_brings_things_back_onto_the_floor() -> None:
    truth = placing.standing([room()])
    found = placing.pushed_apart(moved(truth, 2, -3.0, 0.0))
    assert found.centre[0, 2].tolist() == pytest.approx([-1.8, 0.0, 0.5])


def test_things_in_one_spot_are_parted_too() -> None:
    boxes = placing.standing([room()])
    centre = boxes.centre.clone()
    centre[0, 2] = centre[0, 0]
    found = placing.pushed_apart(boxes._replace(centre=centre))
    assert placing.scores(found, boxes)["overlap"] == 0.0
