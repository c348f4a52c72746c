from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecumene_world.errors import ImportFailed
from ecumene_world.learning.rooms import SORTS, rooms


def thing(kind: str, name: str, at: tuple[float, float, float], **more: Any) -> dict[str, Any]:
    """An object at x, height, depth of half a metre, as iTHOR writes it."""
    place = dict(zip("xyz", at, strict=True))
    box = {"center": place, "size": {"x": 0.5, "y": 0.6, "z": 0.7}}
    rest = {"rotation": {"x": 0, "y": more.get("turn", 0), "z": 0}, "parentReceptacles": more.get("parents")}
    return {"objectType": kind, "objectId": name, "axisAlignedBoundingBox": box, **rest}


def written(tmp_path: Path, held: Any) -> Path:
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps(held))
    return path


def test_a_room_is_turned_upright(tmp_path: Path) -> None:
    floor = thing("Floor", "Floor|0", (0, 0, 0))
    chair = thing("Chair", "Chair|1", (1, 0.3, 2), turn=90, parents=["Floor|0"])
    (room,) = rooms(written(tmp_path, {"bedrooms": [[floor, chair]]}))
    assert room.centre.tolist() == [[1.0, 2.0, pytest.approx(0.3)]]
    assert room.size[0].tolist() == pytest.approx([0.5, 0.7, 0.6])
    assert np.cos(room.heading[0]) == pytest.approx(1.0), "turned clockwise by 90° from +y it looks along +x"
    assert room.floor.tolist() == pytest.approx([-0.25, -0.35, 0.25, 0.35])
    assert room.support.tolist() == [-1]


def test_supports_are_found_through_basins_and_drawers_are_passed_over(tmp_path: Path) -> None:
    desk, book = thing("Desk", "Desk|1", (0, 0, 0)), thing("Book", "Book|2", (0, 1, 0), parents=["Desk|1"])
    sink = thing("Sink", "Sink|3", (2, 0, 0))
    soap = thing("SoapBar", "Soap|4", (2, 1, 0), parents=["Sink|3|SinkBasin"])
    pen = thing("Pen", "Pen|5", (0, 0, 0), parents=["Drawer|9", "Desk|1"])
    (room,) = rooms(
        written(tmp_path, {"kitchens": [[desk, book, sink, soap, pen, thing("Drawer", "Drawer|9", (0, 0, 0))]]})
    )
    assert room.support.tolist() == [-1, 0, -1, 2, 0]
    assert room.inside.tolist() == [False, False, False, True, False]
    assert room.sort[0] == list(SORTS).index("table")
    assert np.isnan(room.floor).all()


def test_furnishings_of_one_plan_share_a_group(tmp_path: Path) -> None:
    one = [thing("Sofa", "Sofa|1", (0, 0, 0))]
    found = rooms(written(tmp_path, {"robothor": [one] * 6, "kitchens": [one] * 2}))
    assert [room.group for room in found] == ["robothor/0"] * 5 + ["robothor/1", "kitchens/0", "kitchens/1"]


@pytest.mark.parametrize("held", [{"kitchens": [[{"objectType": "Chair"}]]}, {"kitchens": 3}, [1]])
def test_other_files_are_refused(tmp_path: Path, held: Any) -> None:
    with pytest.raises(ImportFailed, match="can't be read as rooms"):
        rooms(written(tmp_path, held))


def test_a_type_has_one_sort() -> None:
    kinds = [kind for held in SORTS.values() for kind in held.split()]
    assert len(kinds) == len(set(kinds))
