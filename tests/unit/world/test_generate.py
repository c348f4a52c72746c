from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from ecumene_world import GraphError, SceneGraph, compile_layout
from ecumene_world.generate import TYPES, generate


def kinds(graph: SceneGraph) -> Counter[str]:
    return Counter(node.kind for node in graph.walk())


@pytest.mark.parametrize("kind", ["plaza", "apartment", "arena"])
def test_a_seed_says_everything(kind: str) -> None:
    assert generate(kind, 5).hash() == generate(kind, 5).hash()
    assert generate(kind, 5).hash() != generate(kind, 6).hash()


@pytest.mark.parametrize("seed", range(12))
def test_every_goal_of_an_arena_can_be_reached(seed: int) -> None:
    graph = generate("arena", seed)
    layout = compile_layout(graph)
    assert layout.place_role.count("goal") == 4
    placed = np.array([graph.world_pose(layout.names[int(row)]).position[:2] for row in layout.place_row])
    moved = np.hypot(*(placed - layout.place_position[:, :2].numpy()).T)
    assert moved.max() < 0.6
    assert len(layout.seat_thing) >= 3


def test_tags_shape_an_arena() -> None:
    walls = kinds(generate("arena", 3))["wall"]
    assert walls > kinds(generate("arena", 3, tags=["open"]))["wall"] == 4
    gaps = [generate("arena", seed, tags=["doors"]) for seed in range(3)]
    assert all(kinds(graph)["door"] == kinds(graph)["wall"] - 4 for graph in gaps)


@pytest.mark.parametrize("size", [12.0, 60.0])
def test_arenas_come_in_sizes(size: float) -> None:
    graph = generate("arena", 1, size_m=size)
    layout = compile_layout(graph)
    extent = layout.cell_m * max(layout.floor.shape[1:])
    assert extent == pytest.approx(size, abs=3.0)


def test_a_plaza_has_a_day_in_it() -> None:
    graph = generate("plaza", 7)
    layout = compile_layout(graph)
    assert {"spawn", "square", "market", "cafe", "shop", "museum"} <= set(layout.place_role)
    assert layout.floor.shape[0] == 2
    found = kinds(graph)
    assert found["fountain"] == 1
    assert found["stairs"] == 1
    assert found["door"] > 5
    assert len(layout.place_row) == sum(node.kind == "place" for node in graph.walk())


def test_the_upper_storey_can_be_reached() -> None:
    graph = generate("plaza", 7)
    layout = compile_layout(graph)
    upper = [n for n, level in enumerate(layout.place_level.tolist()) if level == 1]
    assert upper
    for n in upper:
        asked = graph.world_pose(layout.names[int(layout.place_row[n])]).position
        assert np.abs(np.array(asked) - layout.place_position[n].numpy()).max() < 2.0


def test_a_quiet_plaza_has_no_market() -> None:
    assert kinds(generate("plaza", 7, tags=["quiet"]))["market_stall"] == 0
    assert kinds(generate("plaza", 7))["market_stall"] > 0


@pytest.mark.parametrize("seed", range(4))
def test_an_apartment_is_furnished_and_its_rooms_connect(seed: int) -> None:
    graph = generate("apartment", seed)
    layout = compile_layout(graph)
    found = kinds(graph)
    assert found["door"] >= 3
    assert found["bed"] >= 1
    assert found["table"] + found["desk"] >= 2
    assert len(layout.door_thing) == found["door"]
    assert layout.seat_thing.shape[0] >= 4
    assert "home" in layout.place_role


def test_a_town_is_planned_like_a_city() -> None:
    graph = generate("town", 2, size_m=150.0)
    graph.validate()
    found = kinds(graph)
    assert found["building"] > 8
    assert found["street"] > 3
    roles = {node.attributes.get("role") for node in graph.walk() if node.kind == "place"}
    assert {"spawn", "home", "street"} <= roles


@pytest.mark.parametrize(
    ("kind", "seed", "options", "message"),
    [
        ("towm", 0, {}, "did you mean 'town'"),
        ("plaza", -1, {}, "seed -1"),
        ("plaza", 0, {"size_m": 9000.0}, "9000 m is not within 56 and 100"),
        ("arena", 0, {"size_m": float("nan")}, "nan m is not within"),
        ("arena", 0, {"tags": ["dens"]}, "'dens' is not known for arena; open, doors are"),
    ],
)
def test_what_cannot_be_had_is_said(kind: str, seed: int, options: dict[str, object], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        generate(kind, seed, **options)  # type: ignore[arg-type]


def test_progress_is_told() -> None:
    told: list[tuple[str, float]] = []
    generate("arena", 1, progress=lambda doing, share: told.append((doing, share)))
    assert [share for _, share in told] == [0.0, 1.0]
    assert set(TYPES) == {"town", "plaza", "apartment", "arena"}
