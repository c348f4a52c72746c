"""Map features as files give them, and what their tags mean for a town.

Tags follow OpenStreetMap's keys; a layer's name stands in where a file has none (`buildings`, `streets`, `parks`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, hypot, radians
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import ImportFailed
from ecumene_world.generate.survey import Area, AreaUse, Footprint, Points, Spot, Survey, Way

MAX_FEATURES: Final = 200_000
MAX_CORNERS: Final = 4_000_000
_EARTH_M: Final = 6_378_137.0
_STOREY_M: Final = 3.1

_WIDTHS: Final = {
    "motorway": 14.0,
    "trunk": 14.0,
    "primary": 12.0,
    "secondary": 10.5,
    "tertiary": 9.0,
    "residential": 8.0,
    "unclassified": 8.0,
    "living_street": 6.0,
    "service": 4.0,
    "road": 8.0,
}
_PATHS: Final = {"footway": 2.6, "path": 2.2, "pedestrian": 5.0, "cycleway": 2.6, "steps": 2.4, "track": 2.6}
_GREEN: Final = {
    "leisure": {"park", "garden", "playground", "dog_park", "common", "pitch"},
    "landuse": {"grass", "forest", "meadow", "recreation_ground", "village_green", "flowerbed", "cemetery"},
    "natural": {"wood", "grassland", "scrub", "heath"},
}
_SPOT_KINDS: Final = {
    ("natural", "tree"): "broadleaf_tree",
    ("amenity", "bench"): "bench",
    ("amenity", "waste_basket"): "bin",
    ("amenity", "fountain"): "fountain",
    ("amenity", "post_box"): "post_box",
    ("highway", "street_lamp"): "street_lamp",
    ("highway", "bus_stop"): "bus_stop",
    ("historic", "memorial"): "statue",
    ("tourism", "artwork"): "statue",
}
_USES: Final = {
    ("amenity", "cafe"): "cafe",
    ("amenity", "restaurant"): "cafe",
    ("amenity", "bar"): "cafe",
    ("amenity", "pub"): "cafe",
    ("amenity", "fast_food"): "cafe",
    ("tourism", "museum"): "museum",
    ("tourism", "gallery"): "museum",
    ("amenity", "library"): "museum",
    ("amenity", "theatre"): "museum",
    ("amenity", "school"): "school",
    ("amenity", "kindergarten"): "school",
    ("amenity", "university"): "school",
    ("amenity", "college"): "school",
    ("building", "school"): "school",
    ("amenity", "clinic"): "clinic",
    ("amenity", "hospital"): "clinic",
    ("amenity", "doctors"): "clinic",
    ("amenity", "dentist"): "clinic",
    ("amenity", "pharmacy"): "clinic",
    ("building", "office"): "office",
    ("amenity", "townhall"): "office",
    ("amenity", "bank"): "office",
}


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """One object of a map file: rings or lines in the file's coordinates, and tags.

    Attributes:
        shape: `point`, `line` or `polygon`.
        points: (P, 2); of a polygon the outer ring.
        tags: OpenStreetMap-like keys and values.
        layer: Name of the file's layer, lower case.
    """

    shape: str
    points: Points
    tags: Mapping[str, str] = field(default_factory=dict)
    layer: str = ""


def survey_of(
    features: Sequence[Feature],
    *,
    name: str,
    projection: Projection,
    span_m: float,
    attribution: tuple[str, ...] = (),
) -> Survey:
    """Returns what features mean for a town, in metres about the middle of its buildings.

    Args:
        features: In the file's coordinates.
        name: Of the town.
        projection: How the file's coordinates become metres.
        span_m: Widest extent kept; what lies farther than half of it from the middle is left out.
        attribution: What the world must show.

    Raises:
        ImportFailed: No building and no street is left, or a coordinate is not a finite number.
    """
    if not features:
        raise ImportFailed(f"{name} holds no features; buildings or streets are needed")
    metres = projection.to_metres([feature.points for feature in features])
    middle = _middle(features, metres)
    half = span_m / 2
    found: dict[type, list[Any]] = {Footprint: [], Way: [], Area: [], Spot: []}
    for feature, points in zip(features, metres, strict=True):
        local = points - middle
        if np.abs(local).max(1).min() <= half:
            for item in _items(feature, local):
                found[type(item)].append(item)
    footprints = [f for f in found[Footprint] if np.abs(f.polygon.mean(0)).max() <= half]
    if not footprints and not found[Way]:
        raise ImportFailed(f"{name} holds no building and no street; layers or tags name them, such as building=yes")
    return Survey(name, footprints, found[Way], found[Area], found[Spot], attribution)


@dataclass(frozen=True, slots=True)
class Projection:
    """How a file's coordinates become metres on a plane.

    Attributes:
        geographic: Coordinates are longitude and latitude in degrees.
        mercator: Coordinates are Web Mercator (EPSG:3857), whose metres grow with latitude.
        unit_m: Length of one unit of any other plane system.
    """

    geographic: bool = False
    mercator: bool = False
    unit_m: float = 1.0

    def to_metres(self, lines: Sequence[Points]) -> list[Points]:
        """Returns each (P, 2) array in metres; true to scale at the middle of them all.

        Raises:
            ImportFailed: A coordinate is not finite, or is no longitude or latitude where one is needed.
        """
        everything = np.concatenate(lines)
        if not np.isfinite(everything).all():
            raise ImportFailed("a coordinate is not a finite number")
        low, high = everything.min(0), everything.max(0)
        middle = (low + high) / 2
        if self.geographic:
            if low[0] < -180.0001 or high[0] > 180.0001 or low[1] < -90.0001 or high[1] > 90.0001:
                raise ImportFailed(f"coordinates reach from {low} to {high}; longitude and latitude are needed")
            degree = radians(1.0) * _EARTH_M
            scale = np.array([degree * cos(radians(float(middle[1]))), degree])
        elif self.mercator:
            latitude = 2 * np.arctan(np.exp(middle[1] / _EARTH_M)) - np.pi / 2
            scale = np.full(2, float(np.cos(latitude)))
        else:
            scale = np.full(2, self.unit_m)
        return [np.asarray((line - middle) * scale) for line in lines]


def projection_of(srs_id: int, definition: str) -> Projection:
    """Returns the projection that an EPSG number and a well-known text describe."""
    if srs_id in {3857, 900913, 3785}:
        return Projection(mercator=True)
    if srs_id in {4326, 4258, 4269, 0} or definition.startswith(("GEOGCS", "GEOGCRS")):
        return Projection(geographic=True)
    unit = re.findall(r"(?:LENGTH)?UNIT\[\s*\"[^\"]*\"\s*,\s*([0-9.eE+-]+)", definition)
    value = float(unit[-1]) if unit else 1.0
    return Projection(unit_m=value if 0.01 < value < 1000 else 1.0)


def _middle(features: Sequence[Feature], metres: Sequence[Points]) -> NDArray[np.float64]:
    """Returns the middle of the buildings' extent, or of everything's if there are none.

    The buildings that lie farthest out don't pull the middle away from where most stand: it is the median.
    """
    centres = [p.mean(0) for f, p in zip(features, metres, strict=True) if _is_building(f)]
    return np.asarray(np.median(np.array(centres or [p.mean(0) for p in metres]), axis=0))


def _items(feature: Feature, points: Points) -> Iterable[Footprint | Way | Area | Spot]:
    """Yields what one feature means; most mean nothing here."""
    tags = feature.tags
    if _hidden(tags):
        return
    title = tags.get("name", "")[:80]
    use = _use(tags)
    if feature.shape == "point":
        kind = next((kind for key, kind in _SPOT_KINDS.items() if tags.get(key[0]) == key[1]), "")
        if kind or use:
            yield Spot(kind, (float(points[0, 0]), float(points[0, 1])), use, title)
    elif feature.shape == "line":
        way = _way(feature, points, title)
        if way is not None:
            yield way
    elif _is_building(feature):
        yield Footprint(points, _height_m(tags), use, title)
    else:
        area = _area_use(feature)
        if area is not None:
            yield Area(points, area, title)


def _is_building(feature: Feature) -> bool:
    tagged = feature.tags.get("building", "no") != "no"
    return feature.shape == "polygon" and (tagged or "building" in feature.layer or "footprint" in feature.layer)


def _hidden(tags: Mapping[str, str]) -> bool:
    """Tells whether something lies under the ground or crosses above it."""
    below = tags.get("layer", "0").startswith("-") or tags.get("location") == "underground"
    return below or tags.get("tunnel", "no") != "no" or tags.get("indoor", "no") != "no"


def _way(feature: Feature, points: Points, title: str) -> Way | None:
    if len(points) < 2 or hypot(*(points[1:] - points[:-1]).sum(0)) == 0 == len(points) - 2:
        return None
    highway = feature.tags.get("highway", "").removesuffix("_link")
    if highway in _WIDTHS:
        return Way(points, _width_m(feature.tags) or _WIDTHS[highway], title=title)
    if highway in _PATHS:
        return Way(points, _PATHS[highway], path=True, title=title)
    named = any(word in feature.layer for word in ("street", "road", "highway", "edge"))
    return Way(points, title=title) if named and not highway else None


def _area_use(feature: Feature) -> AreaUse | None:
    tags = feature.tags
    if tags.get("place") == "square" or tags.get("highway") == "pedestrian":
        return "square"
    if tags.get("natural") == "water" or "water" in feature.layer:
        return "water"
    if any(tags.get(key) in values for key, values in _GREEN.items()) or "park" in feature.layer.split("_"):
        return "green"
    return None


def _use(tags: Mapping[str, str]) -> str:
    for (key, value), use in _USES.items():
        if tags.get(key) == value:
            return use
    if tags.get("shop", "no") not in {"no", "vacant"}:
        return "shop"
    return "office" if "office" in tags else ""


def _height_m(tags: Mapping[str, str]) -> float:
    """Returns metres to the eaves from a height or a count of storeys; 0 if neither can be read."""
    height = _number(tags.get("height") or tags.get("building:height") or "")
    storeys = _number(tags.get("building:levels") or tags.get("levels") or tags.get("storeys") or "")
    metres = height or storeys * _STOREY_M
    return metres if 2.0 <= metres <= 400.0 else 0.0


def _width_m(tags: Mapping[str, str]) -> float:
    width = _number(tags.get("width", ""))
    return width if 2.0 <= width <= 40.0 else 0.0


def _number(text: str) -> float:
    """Returns the number that a tag such as `12`, `12.5 m` or `40'` begins with, in metres; 0 if there is none."""
    match = re.match(r"\s*(\d{1,4}(?:[.,]\d{1,4})?)\s*(m|'|ft)?", text)
    if not match:
        return 0.0
    feet = match.group(2) in {"'", "ft"}
    return float(match.group(1).replace(",", ".")) * (0.3048 if feet else 1.0)
