from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
import pytest

from ecumene_world import GraphError, SceneGraph, compile_layout
from ecumene_world.gate import gated, inspect
from ecumene_world.generate.board import Board, Box, overlap
from ecumene_world.generate.builder import Builder
from ecumene_world.generate.fitting import fitted, footprint, top_of
from ecumene_world.generate.floorplan import divided
from ecumene_world.generate.furnisher import Furnisher
from ecumene_world.generate.interiors import enter, suits
from ecumene_world.generate.plan import House
from ecumene_world.generate.posts import JOBS, posts_in
from ecumene_world.generate.procedural import ROLES, Procedural
from ecumene_world.generate.proposer import Brief, Doorway, Proposal
from ecumene_world.generate.room_building import Wish
from ecumene_world.generate.site import Site
from ecumene_world.generate.style import style_of
from ecumene_world.generate.uses import assigned, likely_height_m, street_name
from ecumene_world.generate.walls import Opening, wall

USES = ["cafe", "shop", "museum", "home", "clinic", "school", "office", "meeting", "classroom", "apartment"]


def brief(
    role: str = "living", deep: float = 6.0, wide: float = 5.0, seed: int = 1, tags: tuple[str, ...] = ()
) -> Brief:
    y = wide / 2
    polygon = ((0.0, -y), (deep, -y), (deep, y), (0.0, y))
    return Brief(role, polygon, 2.8, (Doorway(0.0, 0.0, 0.0, 1.0),), ("back",), (), tags, seed)


def house(use: str, turn: float = 0.4, wide: float = 18.0, deep: float = 13.0, height_m: float = 13.0) -> House:
    c, s = np.cos(turn), np.sin(turn)
    plan = np.array([[-wide / 2, 0], [wide / 2, 0], [wide / 2, deep], [-wide / 2, deep]]) @ [[c, s], [-s, c]]
    return House(plan, height_m, use, f"The {use}", (0.0, 0.0, turn - pi / 2), 5)


def street() -> tuple[SceneGraph, Builder]:
    graph = SceneGraph()
    builder = Builder(graph, Site((-25, -25, 25, 25)), 1)
    builder.surface("square", [(-24, -24), (24, -24), (24, 24), (-24, 24)], 0.12, "plaza")
    return graph, builder


@pytest.mark.parametrize("role", ROLES)
def test_rooms_of_every_role_and_size_keep_their_floor_free(role: str) -> None:
    """Nothing overlaps, sticks out or walls anything off, in small, long and large rooms."""
    for deep, wide, seed in ((3.0, 2.7, 1), (7.5, 3.6, 2), (6.0, 6.0, 3), (13.0, 10.0, 4)):
        asked = brief(role, deep, wide, seed)
        result = fitted(asked, Procedural().propose(asked) or [], seed)
        boxes = [box for thing in result.things if (box := footprint(thing)) is not None]
        board = Board(asked)
        assert all(board.holds(box) for box in boxes)
        assert not any(overlap(a, b) for n, a in enumerate(boxes) for b in boxes[:n])
        board.taken += boxes
        assert board.lost(()).area_m2 == 0.0


def test_rooms_are_furnished_as_densely_as_they_are_large() -> None:
    counts = {}
    for deep, wide in ((4.0, 3.5), (14.0, 11.0)):
        asked = brief("open_office", deep, wide)
        things = fitted(asked, Procedural().propose(asked) or [], 1).things
        counts[deep] = sum(thing.kind == "desk" for thing in things)
    assert counts[14.0] >= 6 * max(counts[4.0], 1)


def test_chairs_face_their_table() -> None:
    f = Furnisher(brief(), style_of((), 1))
    table = f.group("table", "chair", 4, 3.0, 0.0)
    assert table is not None
    chairs = [item for item in f.items if item.kind == "chair"]
    assert len(chairs) == 4
    for chair in chairs:
        assert chair.faces == table
        way = np.array([3.0 - chair.x, -chair.y])
        ahead = np.array([cos(chair.yaw), sin(chair.yaw)])
        assert float(way @ ahead) > 0.3
        assert abs(float(way[0] * ahead[1] - way[1] * ahead[0])) < 0.75


@pytest.mark.parametrize("side", ["front", "back", "left", "right"])
def test_furniture_stands_with_its_back_to_the_wall(side: str) -> None:
    f = Furnisher(Brief("study", brief().polygon, 2.8, seed=3), style_of((), 1))
    (index,) = f.against("bookcase", [side], 1)  # type: ignore[list-item]
    box = footprint(f.items[index])
    assert box is not None
    gap = {"front": box.x, "back": 6.0 - box.x, "right": box.y + 2.5, "left": 2.5 - box.y}[side]
    assert gap - box.along == pytest.approx(0.03, abs=0.02)


def test_nothing_tall_stands_before_a_window() -> None:
    f = Furnisher(brief(), style_of((), 1))
    assert f.against("wardrobe", ["back"], 1) == []
    assert f.against("sofa", ["back"], 1) != []


def test_what_is_proposed_is_moved_or_left_out() -> None:
    """A proposer's mistakes never reach the room: overlaps, things outside, in the door's way or on what is gone."""
    crowd = [
        Proposal("table", 3.0, 0.0, seed=1, params={"shape": "square", "width_m": 1.2, "depth_m": 0.8}),
        Proposal("cup", 3.0, 0.2, support=0),
        Proposal("cabinet", 3.5, 0.1, seed=1),
        Proposal("sofa", 0.5, 0.0, seed=1),
        Proposal("bed", 9.0, 0.0, seed=1),
        Proposal("cup", 9.0, 0.0, support=4),
        Proposal("desk", 5.0, -1.6, size=(0.7, 99.0, 0.7), seed=1),
    ]
    result = fitted(brief(), crowd, 1)
    kinds = [thing.kind for thing in result.things]
    assert kinds.count("cup") == 1
    assert "bed" not in kinds
    assert result.left_out >= 2
    desk = [thing for thing in result.things if thing.kind == "desk"]
    assert all(float(thing.params["width_m"]) == 2.4 for thing in desk)
    boxes = [box for thing in result.things if (box := footprint(thing)) is not None]
    assert not any(overlap(a, b) for n, a in enumerate(boxes) for b in boxes[:n])


@pytest.mark.parametrize(
    ("proposal", "message"),
    [
        (Proposal("dragon", 1.0, 0.0), "'dragon' was proposed for a living"),
        (Proposal("chair", float("nan"), 0.0), "not finite"),
        (Proposal("cup", 1.0, 0.0, support=3), "must come before it"),
    ],
)
def test_malformed_proposals_are_refused(proposal: Proposal, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        fitted(brief(), [proposal], 1)


def test_a_proposer_furnishes_the_rooms_it_knows_and_the_gate_passes() -> None:
    class Sofas:
        def propose(self, brief: Brief) -> Sequence[Proposal] | None:
            x0, y0, x1, y1 = brief.bounds
            return [Proposal("sofa", (x0 + x1) / 2, (y0 + y1) / 2, pi)] * 9 if brief.role == "living" else None

    graph, builder = street()
    enter(builder, house("home", 0.0), 1, Wish((), Sofas()))
    living = [node.name for node in graph.walk() if node.kind == "room" and "Living" in node.name]
    inside = [graph.node(name).kind for name in graph.children(living[0])]
    assert set(inside) <= {"sofa", "floor", "place"}
    assert 1 <= inside.count("sofa") < 9
    assert inspect(graph).ok


def test_tags_steer_what_stands_where() -> None:
    def things(role: str, *tags: str) -> list[Proposal]:
        return [t for seed in range(6) for t in Procedural().propose(brief(role, 6.0, 5.0, seed, tags)) or []]

    assert len(things("living", "busy")) > len(things("living", "minimal"))
    assert any(t.kind == "rug" for t in things("bedroom"))
    assert not any(t.kind == "rug" for t in things("bedroom", "elderly"))
    plants = [sum(t.kind == "potted_plant" for t in things("living", *tags)) for tags in ((), ("green",))]
    assert plants[1] > plants[0]
    wood = {t.params.get("colour") for t in things("living", "modern") if t.kind == "table"}
    assert wood == {"#8d8479"}


@pytest.mark.parametrize("role", JOBS)
def test_work_has_a_post(role: str) -> None:
    asked = brief(role, 8.0, 7.0, 5)
    posts = posts_in(role, fitted(asked, Procedural().propose(asked) or [], 5).things)
    assert {job for job, _, _ in JOBS[role]} & {post.job for post in posts}


def test_things_upon_others_stand_on_their_top() -> None:
    table = Proposal("table", 1.0, 1.0, seed=2, params={"height_m": 0.6})
    assert top_of(table, 0.0, 0.0) == pytest.approx(0.6, abs=0.03)


def test_boxes_overlap_only_where_they_do() -> None:
    a = Box(0.0, 0.0, 0.0, 1.0, 0.5)
    assert overlap(a, Box(1.5, 0.0, 0.0, 0.6, 0.5))
    assert not overlap(a, Box(1.61, 0.0, 0.0, 0.6, 0.5))
    assert not overlap(a, Box(1.45, 1.0, pi / 4, 0.6, 0.6))
    assert overlap(a, Box(1.0, 0.9, pi / 4, 0.8, 0.4))


@pytest.mark.parametrize("use", USES)
def test_cells_tile_the_building_and_every_one_has_a_way_in(use: str) -> None:
    rect = (0.3, -6.0, 12.0, 7.0)
    plan = divided(use, rect, style_of((), 3), np.random.default_rng(3))
    area = sum((cell.x1 - cell.x0) * (cell.y1 - cell.y0) for cell in plan.cells)
    assert area == pytest.approx(11.7 * 13.0)
    joined = {0}
    for _ in plan.cells:
        joined |= {n for link in plan.links for n in (link.a, link.b) if {link.a, link.b} & joined}
    assert joined == set(range(len(plan.cells)))


@pytest.mark.parametrize("use", USES)
def test_every_use_is_furnished_and_passes_the_gate(use: str) -> None:
    """Whatever a building is for, its rooms connect to the street and to each other, even where it stands askew."""
    graph, builder = street()
    building = house(use)
    assert suits(building)
    enter(builder, building, 1)
    graph.validate()
    layout = compile_layout(graph)
    assert {"home" if use == "apartment" else use, "exit"} <= set(layout.place_role)
    assert len(layout.door_thing) == sum(node.kind == "door" for node in graph.walk()) >= 1
    assert len(layout.thing_row) > 6
    assert gated(graph).report.failed == ()
    assert (1 in layout.place_level.tolist()) == (use == "museum")


def test_what_is_left_of_a_crooked_house_is_walled_off() -> None:
    graph, builder = street()
    plan = np.array([[-9, 0], [9, 0], [9, 8], [3, 8], [3, 16], [-9, 16]], np.float64)
    enter(builder, House(plan, 9.0, "office", "L", (0.0, 0.0, -pi / 2), 1), 1)
    assert any(node.name.startswith("masonry") for node in graph.walk())
    assert inspect(graph).failed == ()


@pytest.mark.parametrize(("deep", "storeys"), [(8.0, 1), (9.0, 2)])
def test_stairs_are_built_where_the_hall_is_deep_enough_for_them(deep: float, storeys: int) -> None:
    graph, builder = street()
    enter(builder, house("museum", wide=13.0, deep=deep), 1)
    assert sum(node.kind == "stairs" for node in graph.walk()) == storeys - 1
    assert gated(graph).report.checks["rooms"].value == 1.0


def test_the_way_in_behind_a_bay_is_not_walled_off() -> None:
    graph, builder = street()
    front = [[-9, 0.3], [-4, 0.3], [-4, 0], [4, 0], [4, 0.3], [9, 0.3]]
    enter(builder, House(np.array([*front, [9, 13], [-9, 13]]), 9.0, "shop", "Bay", (0.0, 0.0, -pi / 2), 1), 1)
    assert any(node.name.startswith("masonry") for node in graph.walk())
    assert inspect(graph).checks["rooms"].value == 1.0


@pytest.mark.parametrize(
    "unfit",
    [house("cafe", wide=5.0, deep=4.0), house("cafe", height_m=2.5), house("cafe", wide=60.0, deep=40.0)],
)
def test_unfit_buildings_stay_solid(unfit: House) -> None:
    assert not suits(unfit)


def test_a_building_without_a_door_stays_solid() -> None:
    known = house("cafe")
    assert not suits(House(known.polygon, known.height_m, "cafe", "", None, 1))


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


def test_two_barriers_one_behind_the_other_are_parted_together() -> None:
    """Either alone leaves the back of the room walled off, so that leaving out only one of them gains nothing."""
    across: dict[str, float | str] = {"depth_m": 0.8, "width_m": 2.4, "shape": "square"}
    tables = [Proposal("table", x, y, 0.0, params=across) for x in (2.2, 3.4) for y in (-1.25, 1.25)]
    result = fitted(brief(wide=5.0), tables, 1)
    assert 0 < len(result.things) < len(tables)
    board = Board(brief(wide=5.0))
    board.taken += [box for thing in result.things if (box := footprint(thing)) is not None]
    assert board.lost(()).area_m2 == 0.0


@pytest.mark.parametrize(("gap", "open_"), [(0.7, False), (1.05, True)])
def test_only_ways_that_the_walkable_grid_can_use_however_it_lies_count(gap: float, open_: bool) -> None:
    board = Board(brief(deep=6.0, wide=4.0))
    board.taken += [Box(3.0, side * (1.0 + gap / 4), 0.0, 0.3, 1.0 - gap / 4) for side in (-1, 1)]
    assert (board.lost(()).area_m2 == 0.0) == open_
