from __future__ import annotations

import pytest
import torch
from tests.unit.world.kitchens import kitchen

from ecumene_models.layouts import Layouts
from ecumene_models.placement import intrusion
from ecumene_models.relations import Boxes
from ecumene_world.generate.straightening import boxes_of, straightened, straightener
from ecumene_world.learning.arrangements import NAMES, layouts_of
from ecumene_world.learning.placing import SLACK_M
from ecumene_world.learning.rooms import SORTS


def room() -> Layouts:
    return layouts_of([kitchen()])


def shifted(boxes: Boxes) -> Boxes:
    """A refiner that moves everything by 0.1 m along x."""
    return boxes._replace(centre=boxes.centre + torch.tensor([0.1, 0.0, 0.0]))


def test_only_what_stands_on_the_floor_is_put_straight() -> None:
    layouts = room()
    boxes = boxes_of(layouts)
    assert torch.equal(boxes.there, layouts.stands)
    table = NAMES.index("table")
    assert (boxes.sort[layouts.stands & (layouts.kind == table)] == list(SORTS).index("table")).all()


def test_boxes_lie_along_the_walls_whichever_way_things_look() -> None:
    layouts = room()
    turned = layouts._replace(yaw=layouts.yaw + torch.pi / 2)
    assert torch.allclose(boxes_of(turned).size[..., :2], boxes_of(layouts).size[..., :2].flip(-1), atol=1e-4)


def test_what_is_carried_moves_along_with_what_carries_it() -> None:
    layouts = room()
    moved = (straightened(layouts, shifted).place - layouts.place)[layouts.there]
    assert torch.allclose(moved, torch.tensor([0.1, 0.0]).expand_as(moved), atol=1e-6)


def test_nothing_else_changes() -> None:
    layouts = room()
    after = straightened(layouts, shifted)
    assert all(torch.equal(a, b) for a, b in zip(layouts[2:], after[2:], strict=True))
    assert torch.equal(layouts.kind, after.kind)


def test_the_shipped_network_parts_what_overlaps() -> None:
    layouts = room()
    stands = layouts.stands[0].nonzero().flatten()
    layouts.place[0, stands[1]] = layouts.place[0, stands[0]] + 0.05
    before, after = boxes_of(layouts), boxes_of(straightener()(layouts))
    assert float(intrusion(before).max()) > 0.3
    assert float(intrusion(after).max()) < float(intrusion(before).max())
    assert float(intrusion(after).max()) == pytest.approx(0.0, abs=SLACK_M)
