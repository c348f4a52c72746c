from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ecumene_world.generate.planner import plan_town
from ecumene_world.generate.survey import Footprint, Survey, Way


def block(gap_m: float = 0.0) -> Survey:
    """Four houses about a courtyard of 20 m, streets on all sides; `gap_m` leads in from the south."""
    houses = [
        [[-22, -22], [-gap_m, -22], [-gap_m, -10], [-22, -10]],
        [[gap_m, -22], [22, -22], [22, -10], [gap_m, -10]],
        [[-22, -10], [-10, -10], [-10, 22], [-22, 22]],
        [[10, -10], [22, -10], [22, 22], [10, 22]],
        [[-10, 10], [10, 10], [10, 22], [-10, 22]],
    ]
    ring = np.array([[-34, -34], [34, -34], [34, 34], [-34, 34], [-34, -34]], np.float64)
    return Survey("block", [Footprint(np.array(house, np.float64), 9.0) for house in houses], [Way(ring)])


def area_m2(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def built_m2(survey: Survey) -> float:
    return sum(area_m2(house.polygon) for house in plan_town(survey, 1).houses)


def test_a_gateway_leads_into_a_walled_in_courtyard() -> None:
    known = sum(area_m2(house.polygon) for house in block().footprints)
    assert known - built_m2(block()) == pytest.approx(4.2 * 12, abs=0.01)
    paths = [surface.polygon for surface in plan_town(block(), 1).surfaces if surface.style == "path"]
    assert any(np.ptp(ring, axis=0).max() > 12 for ring in paths)


def test_a_courtyard_with_a_gap_of_its_own_keeps_its_houses() -> None:
    known = sum(area_m2(house.polygon) for house in block(2.0).footprints)
    assert built_m2(block(2.0)) == pytest.approx(known, abs=0.01)
