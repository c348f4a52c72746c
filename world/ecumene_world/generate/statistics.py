"""Statistics of real rooms and of a real town, which generated ones follow; derived, with nothing of the sources.

Rooms: 120 hand-made iTHOR rooms (Allen Institute for AI, through PyPI procthor, Apache-2.0). Town: Bubeneč, Prague
(through PyPI momepy, BSD-3-Clause). `benchmarks/world_statistics.py` derives the file anew.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def known() -> dict[str, Any]:
    """Returns the whole file."""
    found: dict[str, Any] = json.loads(files("ecumene_world.generate").joinpath("statistics.json").read_text("utf-8"))
    return found


def mean_count(role: str, kind: str) -> float:
    """Returns how many of a kind a real room of a role holds on average; 0 for a pair that was never seen."""
    things = known()["rooms"].get(role, {}).get("things", {})
    return float(things.get(kind, {}).get("mean", 0.0))


def median_of_town(name: str) -> float:
    """Returns the median of a measure of a real town, such as `block_area_m2`."""
    return float(known()["town"][name][1])
