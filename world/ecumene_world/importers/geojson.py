"""GeoJSON: a text file of features in longitude and latitude.

Source: RFC 7946. The older `crs` member is honoured where it names Web Mercator.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers.features import MAX_FEATURES, Feature, Projection
from ecumene_world.importers.geometry import features_of, library

_GEOMETRIES: Final = {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"}


def read_geojson(path: Path) -> tuple[list[Feature], Projection]:
    """Returns all features of a file and how its coordinates become metres.

    Raises:
        ImportFailed: It is no GeoJSON, or a geometry is malformed.
        TooLarge: It holds more than `MAX_FEATURES` features.
    """
    try:
        document = json.loads(path.read_bytes(), parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise ImportFailed(f"{path.name} is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("type") not in {"FeatureCollection", "Feature"}:
        raise ImportFailed(f"{path.name} is not GeoJSON: its type must be FeatureCollection or Feature")
    entries = document.get("features") if document["type"] == "FeatureCollection" else [document]
    if not isinstance(entries, list):
        raise ImportFailed(f"{path.name} has no list of features")
    if len(entries) > MAX_FEATURES:
        raise TooLarge(f"{path.name} holds {len(entries)} features; {MAX_FEATURES} is the limit")
    features = [feature for n, entry in enumerate(entries) for feature in _features(entry, n)]
    mercator = any(code in json.dumps(document.get("crs", "")) for code in ("3857", "900913"))
    return features, Projection(mercator=mercator, geographic=not mercator)


def _features(entry: Any, number: int) -> list[Feature]:
    """Returns the features of one entry; one without geometry gives none."""
    if not isinstance(entry, dict) or entry.get("type") != "Feature":
        raise ImportFailed(f"entry {number} of the features is not a Feature")
    geometry = entry.get("geometry")
    if geometry is None:
        return []
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        raise ImportFailed(f"feature {number} has a geometry that is none of {', '.join(sorted(_GEOMETRIES))}")
    shapely = library()
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
        return list(features_of(shape, _tags(entry.get("properties")), ""))
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        raise ImportFailed(f"feature {number} has a malformed geometry: {error}") from error


def _tags(properties: Any) -> Mapping[str, str]:
    """Returns the properties that are plain values, as text."""
    if not isinstance(properties, dict):
        return {}
    plain = {key: value for key, value in properties.items() if isinstance(value, str | int | float)}
    return {str(key)[:80]: str(value)[:200] for key, value in plain.items()}


def _refused(constant: str) -> float:
    raise ImportFailed(f"a GeoJSON number is {constant}; finite numbers are needed")
