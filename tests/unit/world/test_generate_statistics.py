from __future__ import annotations

import numpy as np
import pytest

from ecumene_world.generate.morphology import measured, quantiles, street_entropy
from ecumene_world.generate.statistics import known, mean_count, median_of_town
from ecumene_world.generate.style import PALETTES, scaled, style_of
from ecumene_world.generate.survey import Footprint, Survey, Way
from ecumene_world.generate.tags import TAGS


def test_a_grid_of_streets_has_the_entropy_of_four_directions() -> None:
    grid = [np.array([[0.0, n], [9.0, n]]) for n in range(4)] + [np.array([[n, 0.0], [n, 9.0]]) for n in range(4)]
    assert street_entropy(grid) == pytest.approx(np.log(4))
    fan = [np.array([[0.0, 0.0], [np.cos(a), np.sin(a)]]) for a in np.linspace(0, np.pi, 18, endpoint=False)]
    assert street_entropy(fan) == pytest.approx(np.log(36))


def test_blocks_and_coverage_are_measured_between_streets() -> None:
    ring = [(0, 0), (100, 0), (100, 100), (0, 100)]
    ways = [Way(np.array([ring[n], ring[(n + 1) % 4]], np.float64)) for n in range(4)]
    house = Footprint(np.array([[10, 10], [60, 10], [60, 60], [10, 60]], np.float64))
    found = measured(Survey("square", [house], ways))
    assert found["blocks"] == 1
    assert found["block_area_m2"][1] == pytest.approx(10_000)
    assert found["coverage"][1] == pytest.approx(0.25)


def test_the_shipped_statistics_are_plausible_and_hold_no_source() -> None:
    rooms = known()["rooms"]
    assert set(rooms) == {"bathroom", "bedroom", "kitchen", "living"}
    assert mean_count("bedroom", "bed") == pytest.approx(1.07)
    assert mean_count("bedroom", "dragon") == 0.0
    assert 5_000 < median_of_town("block_area_m2") < 30_000
    assert all(0 <= thing["present"] <= 1 for room in rooms.values() for thing in room["things"].values())


def test_quantiles_of_nothing_are_nothing() -> None:
    assert quantiles([]) == []
    assert quantiles([1.0, 2.0, 3.0])[1] == 2.0


def test_styles_follow_tags_and_otherwise_the_seed() -> None:
    assert style_of(["modern"], 1).palette == style_of(["modern"], 2).palette == PALETTES["modern"]
    assert len({style_of((), seed).palette for seed in range(40)}) == len(PALETTES)
    assert style_of(["busy"], 1).density > style_of((), 1).density > style_of(["minimal"], 1).density
    assert scaled(10.0, ["large"]) > 10.0 > scaled(10.0, ["small"])


def test_every_tag_says_what_it_does() -> None:
    assert all(does for tags in TAGS.values() for does in tags.values())
    assert "elderly" in TAGS["apartment"]
    assert "small" not in TAGS["town"]
