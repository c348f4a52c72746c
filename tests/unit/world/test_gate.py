from __future__ import annotations

from dataclasses import replace

import pytest

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.assets import library
from ecumene_world.gate import Check, Report, gated, inspect
from ecumene_world.gate.checks import MISMATCH_M, mismatch
from ecumene_world.kinds import Category, kind_named
from ecumene_world.plain import JSON


def yard() -> SceneGraph:
    """Two rooms side by side, a door between them, things in both."""
    graph = SceneGraph("yard")
    ring: list[JSON] = [[-6, -3], [6, -3], [6, 3], [-6, 3]]
    graph.add(Node("floor", "floor", attributes={"polygon": ring}))
    for n, x in enumerate((-3.0, 3.0)):
        half: list[JSON] = [[-3, -3], [3, -3], [3, 3], [-3, 3]]
        graph.add(Node(f"room {n}", "room", Pose.at(x, 0), attributes={"polygon": half}))
    graph.add(
        Node(
            "wall",
            "wall",
            attributes={"size": [6.0, 0.14, 2.6], "openings": [[2.5, 1.0, 0.0, 2.1]]},
            pose=Pose.at(0, 0, 0, 1.5708),
        )
    )
    graph.add(Node("table", "table", Pose.at(-4, 1.5), seed=1))
    graph.add(Node("cup", "cup", Pose.at(-4, 1.5, 0.75)))
    graph.add(Node("bench", "bench", Pose.at(3, 2.0, 0, -1.5708)))
    graph.add(Node("arrival", "place", Pose.at(-2, -1), attributes={"role": "spawn", "radius_m": 0.5}))
    graph.relate("cup", "on", "table")
    top = library.build("table", 1).size[2]
    graph.move("cup", Pose.at(-4, 1.5, top))
    return graph


def test_a_sound_world_passes() -> None:
    report = inspect(yard())
    assert report.failed == ()
    assert report.ok
    assert report.to_json()["rooms"] == {"value": 1.0, "limit": 1.0, "ok": True}


def test_overlaps_are_seen_and_the_smaller_thing_goes() -> None:
    graph = yard()
    graph.add(Node("chair", "chair", Pose.at(-4, 1.5)))
    report = inspect(graph)
    assert "overlaps" in report.failed
    assert report.checks["overlaps"].culprits == ("chair",)
    world = gated(graph)
    fixed, after, done = world.graph, world.report, world.repairs
    assert after.ok
    assert "chair" not in fixed
    assert "table" in fixed
    assert "chair" in graph
    assert any("chair" in sentence for sentence in done)


def test_a_chair_may_stand_under_the_table_it_faces() -> None:
    graph = yard()
    graph.add(Node("chair", "chair", Pose.at(-3.7, 1.5)))
    graph.relate("chair", "facing", "table")
    assert inspect(graph).checks["overlaps"].value == 0.0


def test_things_in_walls_overlap() -> None:
    graph = yard()
    graph.add(Node("shelf", "shelf", Pose.at(0.0, 2.0)))
    assert inspect(graph).checks["overlaps"].culprits == ("shelf",)


@pytest.mark.parametrize(
    "pose",
    [Pose.at(3, 0, 0.5), Pose.at(3, 0, -0.4), Pose.at(20, 0), Pose.at(6.0, 0.0)],
    ids=["above", "below", "off", "edge"],
)
def test_what_floats_or_stands_off_the_floor_is_seen(pose: Pose) -> None:
    graph = yard()
    graph.add(Node("box", "box", pose, params={"size_m": 0.9}))
    report = inspect(graph)
    assert report.checks["supported"].culprits == ("box",)
    fixed, after = gated(graph).graph, gated(graph).report
    assert after.ok
    assert "box" not in fixed


def test_what_stands_on_nothing_falls_with_its_support() -> None:
    graph = yard()
    graph.move("cup", Pose.at(-4, 1.5, 1.4))
    assert inspect(graph).checks["supported"].culprits == ("cup",)


def test_what_hangs_needs_a_wall() -> None:
    graph = yard()
    graph.add(Node("good", "painting", Pose.at(0.08, 2.0, 1.5)))
    assert inspect(graph).ok
    graph.add(Node("bad", "painting", Pose.at(3.0, 0.0, 1.5)))
    assert inspect(graph).checks["supported"].culprits == ("bad",)


def test_a_blocked_door_is_seen_and_cleared() -> None:
    graph = yard()
    graph.add(Node("wardrobe", "wardrobe", Pose.at(0.6, 0.0)))
    graph.add(Node("place", "place", Pose.at(4, -2), attributes={"role": "office", "radius_m": 0.5}))
    report = inspect(graph)
    assert {"walkable", "rooms", "reachable"} <= set(report.failed)
    world = gated(graph)
    fixed, after, done = world.graph, world.report, world.repairs
    assert after.ok
    assert "wardrobe" not in fixed
    assert "bench" in fixed or any("bench" in sentence for sentence in done)


def test_only_what_bars_the_way_goes() -> None:
    """Two things wall a door off; what stands along the walls of the room behind, smaller, stays."""
    graph = yard()
    graph.add(Node("desk", "table", Pose.at(0.9, 0.0), params={"width_m": 1.6, "depth_m": 1.2}, seed=1))
    for n, x in enumerate((1.5, 2.6, 4.8)):
        graph.add(Node(f"stool {n}", "stool", Pose.at(x, -2.6)))
    assert "rooms" in inspect(graph).failed
    world = gated(graph)
    assert world.report.ok
    assert [sentence.split(":")[0] for sentence in world.repairs] == ["took away desk"]


def test_a_narrow_doorway_fails_and_stays() -> None:
    graph = yard()
    wall = graph.node("wall")
    graph.replace(replace(wall, attributes={**wall.attributes, "openings": [[2.5, 0.7, 0.0, 2.1]]}))
    report = inspect(graph)
    assert report.checks["doors"].value == pytest.approx(0.7)
    assert not gated(graph).report.ok


def test_a_sound_world_stays_as_it_is() -> None:
    graph = yard()
    world = gated(graph)
    assert world.graph is graph
    assert world.report is world.before
    assert world.layout.graph_hash == graph.hash()
    assert world.repairs == ()


def test_limits_are_floors_or_ceilings() -> None:
    assert Check(0.98, 0.98, True, "share").ok
    assert not Check(0.97, 0.98, True, "share").ok
    assert Check(0.0, 0.0, False, "things").ok
    assert Report({"a": Check(2.0, 1.0, False, "things")}).failed == ("a",)


@pytest.mark.parametrize(
    "kind", [kind for kind in library.kinds() if kind not in {"npc", "visitor", "house", "building"}]
)
def test_colliders_match_what_is_drawn(kind: str) -> None:
    for seed in range(library.variants(kind)):
        asset = library.build(kind, seed)
        if asset.colliders and kind_named(kind).category is not Category.BUILDING:
            assert mismatch(asset) <= MISMATCH_M, seed
