from math import atan2, cos, hypot, pi, sin

import numpy as np
import pytest

from ecumene_world import Node, SceneGraph
from ecumene_world.generate import drawn
from ecumene_world.generate.plan import House, Square, TownPlan
from ecumene_world.generate.square import outlook
from ecumene_world.generate.town import town_name, with_hall

PASSED = {"world", "place", "square", "street", "lawn", "ground", "floor", "building", "room", "fountain"}


def arrival(graph: SceneGraph) -> tuple[float, float, float]:
    (spawn,) = (node for node in graph.walk() if node.attributes.get("role") == "spawn")
    pose = graph.world_pose(spawn.name)
    return pose.position[0], pose.position[1], pose.yaw


def in_view(graph: SceneGraph, node: Node) -> bool:
    """Tells whether a thing stands within 1.5 m of the line of sight, up to 12 m ahead or 5 m behind the newcomer."""
    x, y, yaw = arrival(graph)
    a, b, _ = graph.world_pose(node.name).position
    ahead = (a - x) * cos(yaw) + (b - y) * sin(yaw)
    return -5.0 < ahead < 12.0 and abs((b - y) * cos(yaw) - (a - x) * sin(yaw)) < 1.5


@pytest.mark.parametrize(("kind", "seed"), [("town", 2), ("town", 5), ("plaza", 1), ("plaza", 4)])
def test_nothing_stands_before_the_noses_of_newcomers(kind: str, seed: int) -> None:
    graph = drawn(kind, seed, size_m=200.0 if kind == "town" else None)
    assert [node.name for node in graph.walk() if node.kind not in PASSED and in_view(graph, node)] == []


def test_newcomers_to_a_town_look_over_the_fountain_at_its_hall() -> None:
    graph = drawn("town", 2, size_m=200.0)
    (hall,) = (node for node in graph.walk() if node.attributes.get("style") == "civic")
    (fountain,) = (node for node in graph.walk() if node.kind == "fountain")
    x, y, yaw = arrival(graph)
    for node in (hall, fountain):
        a, b, _ = graph.world_pose(node.name).position
        assert abs((atan2(b - y, a - x) - yaw + pi) % (2 * pi) - pi) < 0.3
    assert hall.attributes["title"] == "Town Hall"


def house(x: float, y: float, *, height_m: float = 9.0, toward: float = pi, title: str = "") -> House:
    corners = [[x + a, y + b] for a, b in ((-6, -6), (6, -6), (6, 6), (-6, 6))]
    door = (x + 6 * cos(toward), y + 6 * sin(toward), toward)
    return House(np.array(corners, np.float64), height_m, "home", title, door, 1)


def plan(*houses: House) -> TownPlan:
    outline = np.array([[-20, -20], [20, -20], [20, 20], [-20, 20]], np.float64)
    square = Square(outline, (0.0, 0.0), 10.0, [], "Square")
    return TownPlan("Town", (-60, -60, 60, 60), [], houses, [], square, [], [], ())


def test_the_hall_is_a_house_that_looks_onto_the_square() -> None:
    made = with_hall(plan(house(40, 0, toward=0.0), house(0, 40, toward=-pi / 2), house(90, 0)))
    assert [each.style for each in made.houses] == ["auto", "civic", "auto"]
    assert with_hall(plan(house(40, 0, toward=0.0))).houses[0].style == "auto"


def test_one_looks_at_the_highest_house_where_there_is_no_hall() -> None:
    ahead, away = outlook(plan(house(40, 0), house(0, 40, height_m=20.0)), (0.0, 0.0))
    assert (ahead, away) == pytest.approx((pi / 2, 0.0))
    ahead, away = outlook(with_hall(plan(house(40, 0), house(0, 40, toward=0.0, height_m=20.0))), (0.0, 0.0))
    assert ahead == pytest.approx(0.0)
    assert away == pytest.approx(hypot(34, 0))


def test_towns_have_names_of_their_own() -> None:
    names = [town_name(seed) for seed in range(30)]
    assert names == [town_name(seed) for seed in range(30)]
    assert len(set(names)) > 20
