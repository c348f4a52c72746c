from __future__ import annotations

from math import pi

import numpy as np
import pytest

from ecumene_world import Node, Pose, SceneGraph, compile_layout
from ecumene_world.generate.builder import Builder, footprint_of
from ecumene_world.generate.interiors import enter, suits
from ecumene_world.generate.plan import House
from ecumene_world.generate.rooms import Furnisher, Opening, Room, wall
from ecumene_world.generate.site import Site
from ecumene_world.generate.uses import assigned, likely_height_m, street_name

USES = ["cafe", "shop", "museum", "home", "clinic", "school", "office"]


def furnisher(wide: float = 6.0, deep: float = 5.0) -> Furnisher:
    graph = SceneGraph()
    graph.add(Node("house", "room", Pose.at(10, 20, 0, 0.7)))
    builder = Builder(graph, Site((0, 10, 25, 35), 0.1), 1)
    room = Room(graph.world_pose("house"), 0.0, -wide / 2, deep, wide / 2)
    builder.site.paint(room.corners, "floor")
    return Furnisher(builder, room, "house", 0, np.random.default_rng(1))


def house(use: str, turn: float = 0.4, wide: float = 18.0, deep: float = 13.0, height_m: float = 13.0) -> House:
    c, s = np.cos(turn), np.sin(turn)
    plan = np.array([[-wide / 2, 0], [wide / 2, 0], [wide / 2, deep], [-wide / 2, deep]]) @ [[c, s], [-s, c]]
    return House(plan, height_m, use, f"The {use}", (0.0, 0.0, turn - pi / 2), 5)


@pytest.mark.parametrize("side", ["front", "back", "left", "right"])
def test_furniture_stands_with_its_back_to_the_wall(side: str) -> None:
    f = furnisher()
    (node,) = f.against("bookcase", [side], 1)  # type: ignore[list-item]
    x, y, _ = f.room.frame.inverse().apply(f.build.graph.world_pose(node.name).position)
    (_, _), (deep, _) = footprint_of("bookcase", node.seed)
    gap = {"front": x, "back": 5.0 - x, "right": y + 3.0, "left": 3.0 - y}[side]
    assert gap == pytest.approx(deep / 2, abs=0.12)


def test_chairs_face_their_table() -> None:
    f = furnisher()
    table = f.group("table", "chair", 4, 2.5, 0.0)
    assert table is not None
    facing = [r for r in f.build.graph.relations(table.name) if r.relation == "facing"]
    assert len(facing) == 4
    at = np.array(f.build.graph.world_pose(table.name).position[:2])
    for relation in facing:
        pose = f.build.graph.world_pose(relation.subject)
        way = at - pose.position[:2]
        assert np.cos(np.arctan2(way[1], way[0]) - pose.yaw) > 0.98


def test_things_upon_others_stand_on_their_top() -> None:
    f = furnisher()
    table = f.stand("table", 2.0, 0.0, 0.0)
    assert table is not None
    cup = f.upon("cup", table)
    assert 0.3 < f.build.graph.world_pose(cup.name).position[2] < 1.1
    assert f.build.graph.relations(cup.name)[0].relation == "on"


def test_what_does_not_fit_is_left_out() -> None:
    f = furnisher(2.0, 2.0)
    assert len(f.against("bookcase", ["left", "right"], 30)) < 8
    assert f.stand("sofa", 30.0, 0.0, 0.0) is None


def test_a_wall_with_a_door_can_be_walked_through() -> None:
    graph = SceneGraph()
    builder = Builder(graph, Site((-6, -6, 6, 6), 0.1), 1)
    builder.surface("floor", [(-5, -5), (5, -5), (5, 5), (-5, 5)], 0.0, "floor")
    wall(builder, (-5, 0), (5, 0), 0.0, height_m=2.6, openings=[Opening(4.0, title="Middle door")])
    layout = compile_layout(graph)
    assert len(layout.door_thing) == 1
    assert layout.door_segment[0].mean(0).tolist() == pytest.approx([-1.0, 0.0], abs=0.05)
    assert builder.site.reach(0, 3).nearest(0, -3) is not None
    assert graph.node("door").attributes["title"] == "Middle door"


@pytest.mark.parametrize("use", USES)
def test_every_use_is_furnished_and_walkable(use: str) -> None:
    """Whatever a building is for, its rooms connect to the street and to each other."""
    graph = SceneGraph()
    builder = Builder(graph, Site((-25, -25, 25, 25)), 1)
    builder.surface("square", [(-24, -24), (24, -24), (24, 24), (-24, 24)], 0.12, "plaza")
    building = house(use)
    assert suits(building)
    enter(builder, building, 1)
    graph.validate()
    layout = compile_layout(graph)
    assert use in layout.place_role
    inside = layout.place_role.index(use)
    assert layout.place_position[inside, 2] > 0.1
    assert len(layout.door_thing) == sum(node.kind == "door" for node in graph.walk()) >= (2 if use != "museum" else 1)
    assert len(graph) > 40
    assert len(layout.thing_row) > 6
    if use == "museum":
        assert 1 in layout.place_level.tolist()


@pytest.mark.parametrize(
    "unfit",
    [house("cafe", wide=5.0, deep=4.0), house("cafe", height_m=2.5), house("cafe", wide=60.0, deep=40.0)],
)
def test_unfit_buildings_stay_solid(unfit: House) -> None:
    assert not suits(unfit)


def test_a_building_without_a_door_stays_solid() -> None:
    known = house("cafe")
    assert not suits(House(known.polygon, known.height_m, "cafe", "", None, 1))


def test_houses_near_the_square_are_public() -> None:
    row = [house("") for _ in range(14)]
    moved = [
        House(h.polygon + np.array([40.0 * n, 0]), h.height_m, "", "", (40.0 * n, 0.0, -pi / 2), n)
        for n, h in enumerate(row)
    ]
    found = assigned(moved, (0.0, 0.0), 3)
    assert [h.use for h in found[:3]] == ["cafe", "museum", "shop"]
    assert found[-1].use in ("home", "school")
    assert all(h.title for h in found[:10])


def test_heights_grow_with_the_footprint() -> None:
    rng = np.random.default_rng(1)
    small, large = (np.mean([likely_height_m(area, rng) for _ in range(50)]) for area in (30.0, 400.0))
    assert small < 4 < 10 < large


def test_street_names_differ() -> None:
    names = [street_name(n, 3) for n in range(45)]
    assert len(set(names)) == 45
