from __future__ import annotations

from typing import Any

import pytest

from ecumene_server.commands.doctor import of_server


def health(**decisions: float) -> dict[str, Any]:
    """Of a server that is well, but for what is said of its decisions."""
    usual = {"each_hz": 4.1, "awake_hz": 5.0, "on_time": 99, "late": 1, "put_off": 0}
    ages = {"age_p50_ticks": 1, "age_p99_ticks": 2}
    well = {"status": "ok", "problem": None, "tick_hz": 20.0, "tick_p99_ms": 30.0, "npcs": 40, "stuck": None}
    return {**well, "decisions": {**usual, **ages, **decisions}}


@pytest.mark.parametrize(
    ("decisions", "ok"),
    [
        ({}, True),
        ({"late": 50}, False),
        ({"awake_hz": 3.3}, False),
        ({"awake_hz": 4.6}, True),
        ({"each_hz": 1.25, "awake_hz": 5.0}, True),
        ({"each_hz": 0.0, "awake_hz": 0.0}, True),
    ],
)
def test_minds_are_judged_by_how_often_and_how_late_they_decide(decisions: dict[str, float], ok: bool) -> None:
    found = {finding.name: finding for finding in of_server(health(**decisions))}
    assert found["decisions"].ok is ok
    assert not found["decisions"].needed, "a server whose minds are slow still serves"
