from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from tests.unit.world.maps import geojson, geopackage

from ecumene_world import Layout, SceneGraph, compile_layout
from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers import SUFFIXES, imported, read
from ecumene_world.importers.city import import_city


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> SceneGraph:
    graph = read(geojson(tmp_path_factory.mktemp("map") / "little_hamlet.geojson"), seed=3)
    graph.validate()
    return graph


@pytest.fixture(scope="module")
def layout(town: SceneGraph) -> Layout:
    return compile_layout(town)


def kinds(graph: SceneGraph) -> Counter[str]:
    return Counter(node.kind for node in graph.walk())


def test_a_map_becomes_a_furnished_town(town: SceneGraph) -> None:
    found = kinds(town)
    assert town.name == "Little Hamlet"
    assert found["building"] == 10
    for kind in (
        "fountain",
        "bench",
        "street_lamp",
        "broadleaf_tree",
        "car",
        "market_stall",
        "chair",
        "door",
        "signpost",
    ):
        assert found[kind] >= 1, kind


def test_the_same_seed_gives_the_same_town(town: SceneGraph, tmp_path: Path) -> None:
    again = read(geojson(tmp_path / "little_hamlet.geojson"), seed=3)
    assert again.hash() == town.hash()


def test_names_on_the_map_are_kept(town: SceneGraph) -> None:
    titles = {node.attributes.get("title") for node in town.walk()}
    assert {"Café Hamlet", "South Street"} <= titles


def ancestors(graph: SceneGraph, name: str) -> Iterator[str]:
    above = graph.parent(name)
    while above is not None:
        yield above
        above = graph.parent(above)


def test_every_place_can_be_reached(town: SceneGraph, layout: Layout) -> None:
    """The compiler stands places on ground that is connected with the spawn; it must not have to move them far."""
    placed = [town.world_pose(layout.names[int(row)]).position for row in layout.place_row]
    moved = np.hypot(*(np.array(placed)[:, :2] - layout.place_position[:, :2].numpy()).T)
    assert (moved < layout.place_radius.numpy() + 0.5).all()
    assert {"spawn", "square", "cafe", "shop", "street"} <= set(layout.place_role)


def test_every_seat_and_door_of_the_town_counts(town: SceneGraph, layout: Layout) -> None:
    found = kinds(town)
    assert len(layout.door_thing) == found["door"]
    assert len(layout.seat_thing) >= 0.9 * sum(found[kind] for kind in ("bench", "chair", "sofa", "stool", "armchair"))


def test_things_outside_stand_apart(town: SceneGraph) -> None:
    """No two solid things of the street overlap, and none stands in a house."""
    at = {
        node.name: town.world_pose(node.name).position[:2]
        for node in town.walk()
        if node.kind in ("broadleaf_tree", "street_lamp", "bin", "market_stall", "fountain")
        and not any(town.node(above).kind == "building" for above in ancestors(town, node.name))
    }
    points = np.array(list(at.values()))
    gaps = np.hypot(*(points[:, None] - points).transpose(2, 0, 1)) + 9 * np.eye(len(points))
    assert gaps.min() > 0.3
    houses = [
        shapely.Polygon(np.array(node.attributes["polygon"]) + town.world_pose(node.name).position[:2])
        for node in town.walk()
        if node.kind == "building"
    ]
    assert not any(house.intersects(shapely.MultiPoint(points)) for house in houses)


def test_surfaces_tile_the_ground(town: SceneGraph) -> None:
    """Ground pieces do not overlap, so that nothing flickers; zebra crossings lie upon the asphalt on purpose."""
    pieces = [
        shapely.Polygon(np.array(node.attributes["polygon"]) + town.world_pose(node.name).position[:2])
        for node in town.walk()
        if node.kind in ("street", "square", "lawn") and node.attributes.get("style") != "marking"
    ]
    assert all(piece.is_valid for piece in pieces)
    total = sum(piece.area for piece in pieces)
    assert shapely.union_all(pieces).area == pytest.approx(total, rel=2e-3)


def test_interiors_have_doors_and_furniture(town: SceneGraph) -> None:
    inside = [node for node in town.walk() if node.attributes.get("interior") is True]
    assert inside
    for node in inside:
        below = Counter(each.kind for each in town.walk() if node.name in ancestors(town, each.name))
        assert below["door"] >= 1
        assert below["floor"] >= 1
        assert below["wall"] >= 4
        assert sum(below.values()) > 20


def test_projected_maps_work_without_tags(tmp_path: Path) -> None:
    graph = import_city(geopackage(tmp_path / "plain.gpkg"), seed=1)
    assert kinds(graph)["building"] == 10


def test_what_is_made_up_about_a_map_passes_the_gate(tmp_path: Path) -> None:
    drawn = import_city(geopackage(tmp_path / "plain.gpkg"), seed=1)
    world = imported(tmp_path / "plain.gpkg", seed=1)
    assert world.report.ok
    assert len(drawn) - len(world.graph) >= len(world.repairs)
    assert world.layout.graph_hash == world.graph.hash()
    assert read(tmp_path / "plain.gpkg", seed=1).hash() == world.graph.hash()


def test_limits_and_suffixes(tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson")
    with pytest.raises(TooLarge, match="10 is the limit"):
        import_city(path, max_bytes=10)
    with pytest.raises(ImportFailed, match="is not a file"):
        import_city(tmp_path / "missing.gpkg")
    with pytest.raises(ImportFailed, match="no map file"):
        import_city(tmp_path / "a.txt")
    with pytest.raises(ImportFailed, match=r"\.gpkg, .*\.laz are read"):
        read(tmp_path / "a.doc")
    assert ".glb" in SUFFIXES
