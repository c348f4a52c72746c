from __future__ import annotations

import pytest
import torch
from tests.unit.models.layout_rooms import BED, CHAIR, TABLE, furnished, room

from ecumene_models.layouts import (
    FLOOR,
    PAIR_FEATURES,
    WALL_FEATURES,
    Things,
    joined,
    lies,
    overlapping,
    own_gaps,
    pair_features,
    reflected,
    sticking_out,
    things_of,
    wall_features,
    wall_gaps,
)


def test_gaps_to_walls_by_side_and_as_the_thing_sees_them() -> None:
    one = room([(BED, 1.0, 0.5, torch.pi / 2, 1.0, 2.0, FLOOR)], (4.0, 3.0))
    assert wall_gaps(things_of(one), one.floor[:, None])[0, 0].tolist() == pytest.approx([0.0, 2.0, 0.0, 2.0], abs=1e-6)
    front, back, left, right = own_gaps(things_of(one), one.floor[:, None])[0, 0].tolist()
    assert (front, back) == pytest.approx((2.0, 0.0), abs=1e-6), "it looks along y"
    assert (left, right) == pytest.approx((0.0, 2.0), abs=1e-6), "its left is at low x"


def test_boxes_apart_touching_and_turned() -> None:
    square = Things(torch.tensor([0.0, 0.0]), torch.tensor(0.0), torch.tensor([1.0, 1.0, 1.0]))
    beside = Things(torch.tensor([1.5, 0.0]), torch.tensor(0.0), torch.tensor([1.0, 1.0, 1.0]))
    assert float(lies(square, beside).apart) == pytest.approx(0.5)
    assert float(lies(square, beside).ahead) == pytest.approx(1.5)
    turned = beside._replace(yaw=torch.tensor(torch.pi / 4))
    assert float(lies(square, turned).apart) == pytest.approx(1.5 - 0.5 - 0.5**0.5, abs=1e-5)
    inside = beside._replace(place=torch.tensor([0.2, 0.0]))
    assert float(lies(square, inside).apart) == pytest.approx(-0.8)


def test_who_stands_in_whom_and_who_sticks_out() -> None:
    clear = furnished()
    assert not overlapping(clear).any()
    assert not sticking_out(clear).any()
    pushed = clear._replace(place=clear.place + torch.tensor([[[0.0, 0], [0, 0], [-0.3, 0], [0, 0]]]))
    assert overlapping(pushed)[0].nonzero().tolist() == [[TABLE, CHAIR], [CHAIR, TABLE]], (
        "what is carried does not count"
    )
    assert sticking_out(clear._replace(floor=torch.tensor([[3.4, 3.0]])))[0].tolist() == [False, False, True, False]


@pytest.mark.parametrize("way", range(8))
def test_reflections_keep_how_things_lie(way: int) -> None:
    plain, turned = furnished(), reflected(furnished(), way)
    near, far = (wall_gaps(things_of(each), each.floor[:, None]).sort(2).values for each in (plain, turned))
    torch.testing.assert_close(near, far)
    for part in ("apart", "ahead"):
        a, b = (_matrix(each, part) for each in (plain, turned))
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_features_have_their_sizes_and_are_finite() -> None:
    one = furnished()
    t = things_of(one)
    assert wall_features(t, one.floor[:, None]).shape == (1, 4, WALL_FEATURES)
    other = Things(t.place[:, None], t.yaw[:, None], t.size[:, None])
    mine = Things(t.place[:, :, None], t.yaw[:, :, None], t.size[:, :, None])
    found = pair_features(mine, other, torch.zeros(1, 4, 4))
    assert found.shape == (1, 4, 4, PAIR_FEATURES)
    assert found.isfinite().all()


def test_rooms_are_joined_and_cropped() -> None:
    both = joined([furnished(), room([(BED, 1.0, 0.5, 0.0, 2.0, 1.0, FLOOR)], (5.0, 4.0))])
    assert both.there.sum(1).tolist() == [4, 1]
    assert both.rows(torch.tensor([1])).cropped().kind.shape == (1, 1)
    assert not both.empty(6).there.any()


def _matrix(layouts: object, part: str) -> torch.Tensor:
    from ecumene_models.layouts import Layouts

    assert isinstance(layouts, Layouts)
    t = things_of(layouts)
    lie = lies(
        Things(t.place[:, :, None], t.yaw[:, :, None], t.size[:, :, None]),
        Things(t.place[:, None], t.yaw[:, None], t.size[:, None]),
    )
    found: torch.Tensor = getattr(lie, part)
    return found
