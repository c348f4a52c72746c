"""The benchmark of crowds measures what it says: alone, in a ring, at a door, standing and crossing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import crowds  # noqa: E402

NONE = Path("none")
FORCE = "social force"


def test_weidmann_as_published() -> None:
    assert crowds.weidmann(0.01) == pytest.approx(1.34, abs=0.01)
    assert crowds.weidmann(1.0) == pytest.approx(1.06, abs=0.01)
    assert crowds.weidmann(5.4) == pytest.approx(0.0, abs=1e-9)


def test_who_is_alone_walks_at_the_speed_drawn_for_it() -> None:
    found = crowds.alone(FORCE, NONE, 1)
    assert found["free speed, part of what was drawn"][0] == pytest.approx(1.0, abs=0.01)
    assert found["free speed, m/s"][0] == pytest.approx(1.34, abs=0.15)


def test_a_fuller_ring_is_slower() -> None:
    speeds = [crowds.ring(FORCE, NONE, 1, density, 40)[f"ring at {density:g}, m/s"][0] for density in (0.2, 2.0)]
    assert speeds[1] < 0.8 * speeds[0]


def test_tables_and_panels_have_every_figure() -> None:
    found = {"minds": {"free speed, m/s": [1.3, 1.4], "ring at 0.5, m/s": [1.2, 1.2]}}
    lines = crowds.table(found).splitlines()
    assert lines[2].startswith("| free speed, m/s | 1.35 (0.71 to 1.99) | 1.34 (Weidmann 1993) |")
    assert lines[3].startswith("| ring at 0.5, m/s | 1.20 (1.20 to 1.20) | 1.30 (Weidmann 1993) |")
    speed, flow = crowds.panels(found)
    assert [line.name for line in speed.lines] == ["minds", "real (Weidmann)"]
    assert flow.lines[0].points == [(0.5, 0.6)]
