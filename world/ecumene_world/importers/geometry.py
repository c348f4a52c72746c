"""The optional geometry library (shapely), loaded when a city is planned, and helpers upon it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed
from ecumene_world.importers.features import Feature

GRID_M: Final = 0.01
"""Corners of planned polygons are multiples of this."""


def library() -> Any:
    """Returns the `shapely` module.

    Raises:
        ImportFailed: It is not installed.
    """
    try:
        import shapely
    except ImportError:
        raise ImportFailed("cities need the shapely library; install ecumene[data]") from None
    return shapely


def features_of(geometry: Any, tags: Mapping[str, str], layer: str = "") -> Iterator[Feature]:
    """Yields one feature for each point, line or polygon of a shapely geometry; a polygon with holes is cut up."""
    shapely = library()
    if geometry is None or geometry.is_empty:
        return
    for part in shapely.get_parts(geometry):
        if part.geom_type in {"GeometryCollection", "MultiPolygon", "MultiLineString", "MultiPoint"}:
            yield from features_of(part, tags, layer)
        elif part.is_empty or not np.isfinite(shapely.get_coordinates(part)).all():
            raise ImportFailed("a geometry has a coordinate that is not a finite number")
        elif part.geom_type == "Polygon":
            for ring in pieces(shapely.make_valid(part), most_corners=4000, least_m2=0.0, grid_m=0.0):
                yield Feature("polygon", ring, tags, layer)
        else:
            points = shapely.get_coordinates(part)
            yield Feature("point" if part.geom_type == "Point" else "line", points, tags, layer)


def pieces(
    region: Any, most_corners: int = 120, least_m2: float = 0.5, grid_m: float = GRID_M
) -> Iterator[NDArray[np.float64]]:
    """Yields (P, 2) outer rings, counter-clockwise and open, of simple polygons without holes that tile a region.

    Args:
        region: Any shapely geometry; only its polygons count.
        most_corners: A piece with more is cut in two.
        least_m2: Smaller pieces are left out.
        grid_m: Corners are moved to multiples of this, so that rounding never makes edges cross; 0 leaves them.
    """
    shapely = library()
    todo = _polygons(shapely.set_precision(region, grid_m))
    while todo:
        polygon = todo.pop()
        if polygon.area <= least_m2:
            continue
        corners = shapely.get_num_coordinates(polygon)
        if not len(polygon.interiors) and corners <= most_corners:
            ring = shapely.get_coordinates(polygon.exterior)[:-1]
            yield ring if _signed_area(ring) > 0 else ring[::-1].copy()
            continue
        todo += [part for half in _halves(polygon) for part in _polygons(shapely.set_precision(half, grid_m))]


def _halves(polygon: Any) -> tuple[Any, Any]:
    """Cuts a polygon in two across its longer side, through its first hole if it has one."""
    shapely = library()
    x0, y0, x1, y1 = polygon.bounds
    middle = polygon.interiors[0].envelope.centroid if len(polygon.interiors) else polygon.envelope.centroid
    if x1 - x0 >= y1 - y0:
        boxes = (shapely.box(x0 - 1, y0 - 1, middle.x, y1 + 1), shapely.box(middle.x, y0 - 1, x1 + 1, y1 + 1))
    else:
        boxes = (shapely.box(x0 - 1, y0 - 1, x1 + 1, middle.y), shapely.box(x0 - 1, middle.y, x1 + 1, y1 + 1))
    return polygon.intersection(boxes[0]), polygon.intersection(boxes[1])


def _polygons(region: Any) -> list[Any]:
    shapely = library()
    return [
        part
        for part in shapely.get_parts(shapely.get_parts(region))
        if part.geom_type == "Polygon" and not part.is_empty
    ]


def _signed_area(ring: NDArray[np.float64]) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
