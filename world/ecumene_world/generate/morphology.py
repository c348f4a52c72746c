"""Morphology: what a town measures like, so that made-up towns can be held against real ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ecumene_world.generate.survey import Points, Survey
from ecumene_world.importers.geometry import library

_BINS: Final = 36
_LEAST_BLOCK_M2: Final = 400.0
_LEAST_HOUSE_M2: Final = 30.0


def measured(survey: Survey) -> dict[str, Any]:
    """Returns the 10 %, 50 % and 90 % quantiles of block area, coverage and house area, and the street entropy.

    Blocks are the land that streets enclose; coverage is the share of a block under houses of at least 30 m².
    """
    geo = library()
    streets = [way for way in survey.ways if not way.path]
    lines = geo.union_all([geo.LineString(way.line) for way in streets])
    faces = [face for face in geo.get_parts(geo.polygonize([lines])) if face.area > _LEAST_BLOCK_M2]
    houses = [geo.make_valid(geo.Polygon(f.polygon)) for f in survey.footprints if len(f.polygon) >= 3]
    houses = [house for house in houses if house.area > _LEAST_HOUSE_M2]
    built = geo.union_all(houses)
    blocks = [face for face in faces if face.intersection(built).area > 0.05 * face.area]
    return {
        "block_area_m2": quantiles([block.area for block in blocks]),
        "coverage": quantiles([block.intersection(built).area / block.area for block in blocks]),
        "house_area_m2": quantiles([house.area for house in houses]),
        "street_entropy": round(street_entropy([way.line for way in streets]), 3),
        "blocks": len(blocks),
        "houses": len(houses),
    }


def street_entropy(lines: Sequence[Points]) -> float:
    """Returns the entropy of street directions in nats, weighted by length, both ways, over 36 bins.

    A square grid has ln 4 ≈ 1.39, streets in all directions ln 36 ≈ 3.58.

    Source: G. Boeing, Urban spatial order: street network orientation, configuration, and entropy (2019), section 3.
    """
    weights = np.zeros(_BINS)
    for line in lines:
        for a, b in pairwise(line):
            angle = float(np.arctan2(b[1] - a[1], b[0] - a[0]))
            for way in (angle, angle + np.pi):
                weights[round((way % (2 * np.pi)) / (2 * np.pi) * _BINS) % _BINS] += float(np.hypot(*(b - a)))
    share = weights[weights > 0] / weights.sum()
    return float(-(share * np.log(share)).sum())


def quantiles(values: Sequence[float]) -> list[float]:
    """Returns the 10 %, 50 % and 90 % quantiles, rounded to two decimals; empty for no values."""
    return [float(value) for value in np.round(np.quantile(values, [0.1, 0.5, 0.9]), 2)] if len(values) else []
