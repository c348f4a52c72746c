"""OpenStreetMap extracts (`.osm.pbf`, `.osm`), read with the optional osmium library."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers.features import MAX_FEATURES, Feature, Projection
from ecumene_world.importers.geometry import features_of, library

_KEYS: Final = (
    *("building", "highway", "leisure", "landuse", "natural", "amenity", "shop", "tourism", "office", "place"),
    "historic",
)


def read_osm(path: Path) -> tuple[list[Feature], Projection]:
    """Returns the features of an extract that mean something for a town, in longitude and latitude.

    Raises:
        ImportFailed: It is no OpenStreetMap file or is damaged, or osmium is not installed.
        TooLarge: It holds more than `MAX_FEATURES` such features.
    """
    try:
        import osmium
    except ImportError:
        raise ImportFailed("OpenStreetMap files need the osmium library; install ecumene[data]") from None
    features: list[Feature] = []
    try:
        keys = osmium.filter.KeyFilter(*_KEYS)
        for found in osmium.FileProcessor(str(path)).with_locations().with_areas(keys).with_filter(keys):
            features += _features(found, osmium)
            if len(features) > MAX_FEATURES:
                raise TooLarge(f"{path.name} holds more than {MAX_FEATURES} features")
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        raise ImportFailed(f"{path.name} is not a readable OpenStreetMap file: {error}") from error
    return features, Projection(geographic=True)


def _features(found: Any, osmium: Any) -> list[Feature]:
    """Returns the features of one node, open way or area; a closed building way comes again as an area."""
    tags = {tag.k[:80]: tag.v[:200] for tag in found.tags}
    shapely = library()
    if found.is_node():
        return list(features_of(shapely.Point(found.location.lon, found.location.lat), tags))
    if found.is_way():
        if "highway" not in tags or tags.get("area") == "yes":
            return []
        points = [(node.lon, node.lat) for node in found.nodes if node.location.valid()]
        return list(features_of(shapely.LineString(points), tags)) if len(points) >= 2 else []
    if found.is_area() and not ("highway" in tags and tags.get("area") != "yes"):
        try:
            wkb = osmium.geom.WKBFactory().create_multipolygon(found)
        except RuntimeError:  # an area whose rings don't close is left out, as every map does
            return []
        return list(features_of(shapely.from_wkb(bytes.fromhex(wkb)), tags))
    return []
