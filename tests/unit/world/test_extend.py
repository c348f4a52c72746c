"""Districts: put beside what is there, joined to its streets, and refused with a sentence where they don't fit."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.integration.squares import square

from ecumene_world import Node, SceneGraph, compile_layout
from ecumene_world.branch import packed
from ecumene_world.errors import GraphError, RequestError
from ecumene_world.extend import District, Extension, extension
from ecumene_world.extend.joining import Names
from ecumene_world.extend.land import Land
from ecumene_world.gate.repair import Gated
from ecumene_world.generate import generated


@cache
def plaza() -> Gated:
    return generated("plaza", 1)


@cache
def beside_the_plaza() -> Extension:
    return extension(plaza().graph, District("cafe", 3), layout=plaza().layout)


def test_a_cafe_stands_beside_the_plaza_and_all_of_it_can_be_reached() -> None:
    found = beside_the_plaza()
    assert found.report.ok, found.report.failed
    x0, y0, x1, y1 = found.plot.bounds
    assert x1 < -30 or x0 > 30 or y1 < -30 or y0 > 30, "it lies outside the plaza's own 60 m"
    new = set(found.layout.names) - set(plaza().layout.names)
    assert len(new) == len(found.branch.nodes) > 100
    places = zip(found.layout.place_row.tolist(), found.layout.place_role, strict=True)
    roles = {role for row, role in places if found.layout.names[row] in new}
    assert {"district", "cafe", "waiter"} <= roles
    assert not new & set(found.layout.unreachable)


def test_the_plaza_itself_is_as_it_was() -> None:
    found = beside_the_plaza()
    whole = found.graph.copy()
    whole.remove(found.branch.root)
    assert whole.hash() == plaza().graph.hash()
    assert [node.name for node in plaza().graph.walk()] == [node.name for node in whole.walk()]


def test_nobody_arrives_in_a_district() -> None:
    found = beside_the_plaza()
    spawns = [node.name for node in found.graph.walk() if node.attributes.get("role") == "spawn"]
    assert spawns == [node.name for node in plaza().graph.walk() if node.attributes.get("role") == "spawn"]


def test_the_same_wish_gives_the_same_district() -> None:
    again = extension(plaza().graph, District("cafe", 3))
    assert packed(again.branch) == packed(beside_the_plaza().branch)


def test_a_second_district_lies_beside_the_first() -> None:
    first = beside_the_plaza()
    second = extension(first.graph, District("cafe", 3), layout=first.layout)
    (a0, b0, a1, b1), (x0, y0, x1, y1) = first.plot.bounds, second.plot.bounds
    assert x1 < a0 or x0 > a1 or y1 < b0 or y0 > b1
    assert second.branch.root == "Cafe 3 (2)", "the name of the first is taken"


def test_a_district_stands_on_bare_ground_where_it_is_wanted() -> None:
    graph = square()
    found = extension(graph, District("cafe", 4, at=(60.0, 0.0)))
    assert found.report.ok
    assert found.plot.centre == (60.0, 0.0)
    assert "Cafe 4" in found.graph
    assert len(graph) == len(square())


@pytest.mark.parametrize(
    ("district", "sentence"),
    [
        (District("caffe"), "'caffe' can't be a district.*did you mean 'cafe'"),
        (District("arena"), "'arena' can't be a district"),
        (District("cafe", tags=("cosy",)), "did you mean 'cozy'"),
        (District("cafe", -1), "seed -1"),
        (District("cafe", size_m=500.0), "500 m is not within"),
        (District("cafe", at=(1e6, 0.0)), "off limits"),
        (District("cafe", at=(float("nan"), 0.0)), "off limits"),
    ],
)
def test_what_can_not_be_had_is_refused_before_anything_is_made(district: District, sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        district.check()


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ((0.0, -28.0), r"at \(0, -28\) it would overlap 'bell-\d+', .* more"),
        ((900.0, 0.0), r"\(900, 0\) lies off limits, \d+ m outside the land; it must be at most 80 m from a street"),
        ((255.0, 0.0), "no open way of at most 80 m leads"),
    ],
)
def test_a_point_that_is_no_good_is_refused(at: tuple[float, float], sentence: str) -> None:
    graph = square()
    with pytest.raises(RequestError, match=sentence):
        extension(graph, District("cafe", 4, at=at))
    assert graph.hash() == square().hash()


def test_more_nodes_than_a_graph_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecumene_world.extend.MAX_NODES", 100)
    with pytest.raises(GraphError, match="which do not fit: the world has 26 and may have 100"):
        extension(square(), District("cafe", 4))


def test_names_differ_by_their_number() -> None:
    graph = SceneGraph()
    for name in ("chair", "chair 2", "Café"):
        graph.add(Node(name, "chair"))
    names = Names(graph)
    assert [names.new(name) for name in ("chair", "chair 2", "chair", "table", "Café", "x" * 120, "x" * 120)] == [
        *("chair 3", "chair 4", "chair 5", "table", "Café 2"),
        "x" * 120,
        "x" * 110 + " 2",
    ]


def test_the_land_knows_what_lies_where() -> None:
    graph = square()
    land = Land.of(graph, compile_layout(graph), margin_m=10.0)
    iy, ix = land.raster.nearest(np.array([6.0, 6.0]))
    assert land.names[land.owner[iy, ix] - 1] == "bench"
    iy, ix = land.raster.nearest(np.array([100.0, 10.0]))
    assert land.owner[iy, ix] == 0, "bare ground counts as nothing"
    assert land.walked[iy, ix]
    assert land.in_the_way(np.array([[6.0, 6.0]])).all()
