from __future__ import annotations

import json
from math import pi
from pathlib import Path
from typing import Any

import pytest

from ecumene_models.layouts import FLOOR
from ecumene_world.errors import ImportFailed
from ecumene_world.learning.arrangements import NAMES, ROLES, Arrangement, arrangements, layouts_of

Box = tuple[float, float, float, float, float, float]


def thing(kind: str, box: Box, turn: float = 0.0, parents: list[str] | None = None, name: str = "") -> dict[str, Any]:
    """An object by x, y, z of the middle and extents, z up, as iTHOR writes it (y up)."""
    x, y, z, long, wide, high = box
    bounds = {"center": {"x": x, "y": z, "z": y}, "size": {"x": long, "y": high, "z": wide}}
    return {
        "objectType": kind,
        "objectId": name or f"{kind}|{x}|{y}",
        "axisAlignedBoundingBox": bounds,
        "rotation": {"x": 0, "y": turn, "z": 0},
        "parentReceptacles": parents,
    }


def walls(wide: float, deep: float) -> list[dict[str, Any]]:
    """A floor, and pictures on two walls, which say how large the room is."""
    return [
        thing("Floor", (wide / 2, deep / 2, 0, wide + 0.4, deep + 0.4, 0.1)),
        thing("Painting", (0.01, 1.0, 1.5, 0.02, 1.0, 0.5)),
        thing("Painting", (1.0, 0.01, 1.5, 1.0, 0.02, 0.5)),
        thing("Painting", (wide - 0.01, 1.0, 1.5, 0.02, 1.0, 0.5)),
        thing("Painting", (1.0, deep - 0.01, 1.5, 1.0, 0.02, 0.5)),
    ]


def read(tmp_path: Path, *objects: dict[str, Any], collection: str = "kitchens") -> Arrangement:
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps({collection: [[*walls(5.0, 4.0), *objects]]}))
    (found,) = arrangements(path)
    return found


def kinds(room: Arrangement) -> list[str]:
    return [NAMES[kind] for kind in room.kind]


def test_walls_are_where_the_outermost_things_are(tmp_path: Path) -> None:
    room = read(tmp_path, thing("Fridge", (4.6, 2.0, 0.9, 0.8, 0.7, 1.8), turn=270))
    assert room.floor == pytest.approx((5.0, 4.0), abs=1e-6)
    assert kinds(room) == ["fridge"]
    assert room.place[0].tolist() == pytest.approx([4.6, 2.0])
    assert room.role == "kitchen"


def test_a_heading_drawn_into_the_mesh_is_that_off_the_wall(tmp_path: Path) -> None:
    bed = thing("Bed", (4.0, 2.0, 0.3, 2.0, 1.2, 0.6), turn=0)
    room = read(tmp_path, bed, collection="bedrooms")
    assert abs(room.yaw[0]) == pytest.approx(pi), "its back is to the wall at high x"
    assert room.size[0].tolist() == pytest.approx([2.0, 1.2, 0.6])


def test_a_chair_askew_has_the_proportions_of_a_chair(tmp_path: Path) -> None:
    straight = thing("Chair", (1.5, 1.5, 0.45, 0.5, 0.4, 0.9), turn=90)
    askew = thing("Chair", (3.0, 2.0, 0.45, 0.6364, 0.6364, 0.9), turn=45)
    room = read(tmp_path, straight, askew)
    for row in range(2):
        assert room.size[row].tolist() == pytest.approx([0.5, 0.4, 0.9], abs=2e-3)


def test_a_counter_round_a_corner_becomes_two_runs(tmp_path: Path) -> None:
    room = read(tmp_path, thing("CounterTop", (1.25, 1.0, 0.9, 2.5, 2.0, 0.04)))
    assert kinds(room) == ["counter", "counter"]
    assert sorted(round(float(size), 2) for size in room.size[:, 0]) == [0.64, 0.64]
    assert room.size[:, 2].tolist() == pytest.approx([0.92, 0.92]), "a counter reaches down to the floor"


def test_what_is_built_in_or_hangs_is_left_out_and_burners_are_one_stove(tmp_path: Path) -> None:
    counter = thing("CounterTop", (2.0, 0.3, 0.9, 2.0, 0.6, 0.04))
    below = thing("Cabinet", (2.0, 0.3, 0.45, 0.5, 0.5, 0.8))
    above = thing("Cabinet", (2.0, 0.2, 1.8, 0.5, 0.4, 0.7))
    burners = [thing("StoveBurner", (4.0 + dx, 0.2 + dy, 0.9, 0.2, 0.2, 0.03)) for dx in (0, 0.4) for dy in (0, 0.25)]
    room = read(tmp_path, counter, below, above, *burners)
    assert kinds(room) == ["counter", "stove"]
    assert room.support.tolist() == [FLOOR, FLOOR]


def test_supports_come_from_parents_and_from_what_lies_below(tmp_path: Path) -> None:
    table = thing("DiningTable", (2.0, 2.0, 0.4, 1.2, 0.8, 0.8), name="DiningTable|1")
    counter = thing("CounterTop", (2.0, 0.3, 0.9, 2.0, 0.6, 0.04))
    mug = thing("Mug", (2.2, 2.0, 0.85, 0.1, 0.1, 0.1), parents=["DiningTable|1"])
    sink = thing("Sink", (2.0, 0.3, 0.8, 0.5, 0.4, 0.2))
    room = read(tmp_path, table, counter, mug, sink)
    names = kinds(room)
    assert names == ["counter", "table", "sink", "cup"]
    assert room.support.tolist() == [FLOOR, FLOOR, names.index("counter"), names.index("table")]


def test_tags_say_how_full_and_how_green_rooms_are(tmp_path: Path) -> None:
    chairs = [thing("Chair", (1.0 + n * 0.7, 2.0, 0.45, 0.4, 0.4, 0.9)) for n in range(4)]
    plant = thing("HousePlant", (4.0, 3.5, 0.5, 0.4, 0.4, 1.0))
    path = tmp_path / "rooms.json"
    path.write_text(
        json.dumps(
            {"living_rooms": [walls(5, 4) + chairs[:1], walls(5, 4) + chairs[:2], [*walls(5, 4), *chairs, plant]]}
        )
    )
    assert [room.tags for room in arrangements(path)] == [("minimal",), (), ("busy", "green")]


def test_rooms_become_tensors_padded_to_the_fullest(tmp_path: Path) -> None:
    chair = thing("Chair", (1.5, 1.5, 0.45, 0.5, 0.4, 0.9))
    table = thing("DiningTable", (3.0, 2.0, 0.4, 1.2, 0.8, 0.8))
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps({"kitchens": [[*walls(5, 4), chair, table]], "robothor": [[*walls(5, 4), chair]] * 6}))
    rooms = arrangements(path)
    layouts = layouts_of(rooms)
    assert layouts.there.sum(1).tolist() == [2, 1, 1, 1, 1, 1, 1]
    assert layouts.role[1] == list(ROLES).index("robothor")
    assert [room.group for room in rooms[1:]] == ["robothor/0"] * 5 + ["robothor/1"]


@pytest.mark.parametrize("held", [{"kitchens": [[{"objectType": "Chair"}]]}, {"cellars": [[]]}, [1]])
def test_other_files_are_refused(tmp_path: Path, held: Any) -> None:
    path = tmp_path / "rooms.json"
    path.write_text(json.dumps(held))
    with pytest.raises(ImportFailed, match="can't be read as rooms"):
        arrangements(path)
