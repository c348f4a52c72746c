from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.models.layout_rooms import BED, CHAIR, KINDS, furnished, many, room

from ecumene_models import layout_metrics as metrics
from ecumene_models.layouts import FLOOR, joined, reflected


def test_the_same_rooms_are_at_no_distance() -> None:
    rooms = many(12)
    assert metrics.count_distance(rooms, rooms, KINDS) == 0
    assert metrics.pair_distance(rooms, rooms) == 0
    seen = metrics.features(rooms, KINDS)
    assert metrics.frechet_distance(seen, seen, seen) == pytest.approx(0.0, abs=1e-3)
    assert metrics.nearest(rooms, rooms) == pytest.approx(np.zeros(12), abs=1e-6)


def test_one_more_chair_each_counts_by_its_share_of_the_kinds() -> None:
    one = room([(BED, 1.0, 0.5, 0.0, 2.0, 1.0, FLOOR)], (4.0, 3.0))
    two = room([(BED, 1.0, 0.5, 0.0, 2.0, 1.0, FLOOR), (CHAIR, 3.0, 2.0, 0.0, 0.5, 0.5, FLOOR)], (4.0, 3.0))
    assert metrics.count_distance(one, two, KINDS) == pytest.approx(0.5)


def test_pairs_in_other_bins_are_wholly_apart() -> None:
    near, far = (
        room([(BED, 0.5, 0.5, 0.0, 0.2, 0.2, FLOOR), (CHAIR, x, 0.5, 0.0, 0.2, 0.2, FLOOR)], (8.0, 3.0))
        for x in (1.2, 6.5)
    )
    assert metrics.pair_distance(near, far) == pytest.approx(1.0)


def test_a_shifted_cloud_has_the_frechet_distance_of_its_shift() -> None:
    known = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0))
    assert metrics.frechet_distance(known, known, known + torch.tensor([1.0, 0, 0])) == pytest.approx(1.0, abs=0.05)


def test_a_classifier_tells_what_differs_and_guesses_at_what_does_not() -> None:
    generator = torch.Generator().manual_seed(1)
    a, b = torch.randn(400, 5, generator=generator), torch.randn(400, 5, generator=generator)
    groups = [row // 4 for row in range(400)]
    assert metrics.classifier_accuracy(a, b, groups, groups) == pytest.approx(0.5, abs=0.06)
    assert metrics.classifier_accuracy(a, b + 4.0, groups, groups) > 0.98


def test_features_do_not_change_with_symmetries() -> None:
    plain = metrics.features(furnished(), KINDS)
    for way in range(8):
        torch.testing.assert_close(metrics.features(reflected(furnished(), way), KINDS), plain, atol=1e-3, rtol=1e-3)


def test_a_mirrored_room_is_no_news_and_a_missing_thing_costs_two_metres() -> None:
    mirrored = reflected(furnished(), 3)
    assert metrics.nearest(mirrored, furnished())[0] == pytest.approx(0.0, abs=1e-5)
    bed = np.array([[0.0, 0.0, 0.0]])
    assert metrics.apart(bed, np.array([[0.0, 0.3, 0.4]])) == pytest.approx(0.5)
    assert metrics.apart(bed, np.array([[1.0, 0.0, 0.0]])) == 2.0
    assert metrics.apart(bed, np.zeros((0, 3))) == 2.0
    assert metrics.apart(np.zeros((0, 3)), np.zeros((0, 3))) == 0.0


def test_equal_draws_have_no_diversity() -> None:
    assert metrics.diversity([many(3), many(3)]) == 0.0
    assert metrics.diversity([furnished(), furnished(shift=0.2)]) == pytest.approx(0.4 / 3, abs=1e-4)


def test_shares_of_overlap_and_of_what_sticks_out() -> None:
    rooms = joined([furnished(), furnished()])
    rooms.place[0, CHAIR, 0] = 2.9
    assert metrics.overlap(rooms) == pytest.approx(2 / 6)
    rooms.place[1, BED, 0] = 0.5
    assert metrics.out_of_floor(rooms) == pytest.approx(1 / 6)
