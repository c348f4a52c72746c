"""Small map files that the importer tests share."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Sequence
from math import cos, radians
from pathlib import Path

import shapely

Ring = Sequence[tuple[float, float]]


def box(x: float, y: float, wide: float, deep: float) -> Ring:
    """Returns the corners of a rectangle with its lower left corner at x, y."""
    return [(x, y), (x + wide, y), (x + wide, y + deep), (x, y + deep)]


def hamlet() -> tuple[list[tuple[Ring, dict[str, str]]], list[tuple[Ring, dict[str, str]]]]:
    """Returns footprints and streets of a hamlet: two streets that cross, rows of houses and an open block."""
    streets: list[tuple[Ring, dict[str, str]]] = [
        ([(-70.0, -32.0), (70.0, -32.0)], {"name": "South Street"}),
        ([(-70.0, 32.0), (70.0, 32.0)], {}),
        ([(-34.0, -60.0), (-34.0, 60.0)], {}),
        ([(34.0, -60.0), (34.0, 60.0)], {}),
    ]
    row = [(box(x, y, 16.0, 13.0), {"building": "yes"}) for y in (-55.0, 42.0) for x in (-24.0, -8.0, 8.0)]
    sides = [(box(x, y, 13.0, 17.0), {"building": "yes"}) for x in (-57.0, 44.0) for y in (-17.0, 0.0)]
    return [*row, *sides], streets


def geojson(path: Path, latitude: float = 50.0) -> Path:
    """Writes the hamlet as GeoJSON and returns the path."""
    scale = 1 / 111_319.49
    wide = scale / cos(radians(latitude))

    def degrees(ring: Ring) -> list[list[float]]:
        return [[14.0 + x * wide, latitude + y * scale] for x, y in ring]

    houses, streets = hamlet()
    features = [_feature("Polygon", [[*degrees(ring), degrees(ring)[0]]], tags) for ring, tags in houses]
    features += [_feature("LineString", degrees(line), {"highway": "residential", **tags}) for line, tags in streets]
    features.append(_feature("Point", degrees([(0.0, -41.0)])[0], {"amenity": "cafe", "name": "Café Hamlet"}))
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def geopackage(path: Path, srs: int = 5514, definition: str = 'PROJCS["x",UNIT["metre",1]]') -> Path:
    """Writes the hamlet as a GeoPackage and returns the path."""
    houses, streets = hamlet()
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE gpkg_spatial_ref_sys (srs_id INTEGER, definition TEXT)")
        file.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)")
        file.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?)", (srs, definition))
        for layer, shapes in (
            ("buildings", [(shapely.Polygon(ring), tags) for ring, tags in houses]),
            ("streets", [(shapely.LineString(line), tags) for line, tags in streets]),
        ):
            file.execute(f"CREATE TABLE {layer} (fid INTEGER PRIMARY KEY, geom BLOB, name TEXT)")
            file.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', ?)", (layer, srs))
            rows = [(blob(shape, srs), tags.get("name")) for shape, tags in shapes]
            file.executemany(f"INSERT INTO {layer} (geom, name) VALUES (?, ?)", rows)
    return path


def blob(shape: shapely.Geometry, srs: int = 5514) -> bytes:
    """Returns a geometry as a GeoPackage blob without an envelope."""
    return b"GP\0\1" + struct.pack("<i", srs) + bytes(shapely.to_wkb(shape, byte_order=1))


def osm(path: Path) -> Path:
    """Writes the hamlet as OpenStreetMap XML and returns the path."""
    houses, streets = hamlet()
    nodes: list[str] = []
    ways: list[str] = []

    def points(ring: Ring) -> list[int]:
        first = len(nodes) + 1
        for n, (x, y) in enumerate(ring):
            nodes.append(f'<node id="{first + n}" version="1" lat="{60 + y / 111319.49}" lon="{24 + x / 55660.0}"/>')
        return list(range(first, first + len(ring)))

    for closed, tags, ring in [
        *((True, {"building": "yes", "building:levels": "3"}, ring) for ring, _ in houses),
        *((False, {"highway": "residential", **tags}, line) for line, tags in streets),
    ]:
        ids = points(ring)
        refs = "".join(f'<nd ref="{n}"/>' for n in [*ids, ids[0]][: len(ids) + closed])
        marks = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        ways.append(f'<way id="{len(ways) + 1}" version="1">{refs}{marks}</way>')
    path.write_text('<osm version="0.6">' + "".join(nodes) + "".join(ways) + "</osm>")
    return path


def _feature(kind: str, coordinates: object, tags: dict[str, str]) -> dict[str, object]:
    return {"type": "Feature", "properties": tags, "geometry": {"type": kind, "coordinates": coordinates}}
