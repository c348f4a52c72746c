"""GeoPackage: vector layers of a SQLite file, read with the standard library.

Source: OGC 12-128r19, sections 2.1.3 (geometry encoding) and 2.1.5 (geometry columns).
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers.features import MAX_FEATURES, Feature, Projection, projection_of
from ecumene_world.importers.geometry import features_of, library

_ENVELOPE_BYTES: Final = (0, 32, 48, 48, 64)
_MAX_BLOB: Final = 8 << 20
_STEPS: Final = 50_000_000
"""SQLite instructions after which a query is given up: a file may hold views that never end."""
_SKIPPED_LAYERS: Final = ("tessellation", "plot", "parcel", "cadast")
_TAG_COLUMNS_MAX: Final = 200


def read_geopackage(path: Path) -> tuple[list[Feature], Projection]:
    """Returns all features of a file and how its coordinates become metres.

    Raises:
        ImportFailed: It is no GeoPackage, is damaged, or its layers disagree about coordinates.
        TooLarge: It holds more than `MAX_FEATURES` features.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as file:
            file.execute("PRAGMA trusted_schema=OFF")
            file.set_progress_handler(lambda: 1, _STEPS)
            return _read(file, path.name)
    except sqlite3.Error as error:
        raise ImportFailed(f"{path.name} is not a readable GeoPackage: {error}") from error


def _read(file: sqlite3.Connection, name: str) -> tuple[list[Feature], Projection]:
    layers = file.execute(
        "SELECT g.table_name, g.column_name, g.srs_id, coalesce(s.definition, '') FROM gpkg_geometry_columns g "
        "LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id"
    ).fetchall()
    chosen = [row for row in layers if not any(word in str(row[0]).lower() for word in _SKIPPED_LAYERS)]
    systems = {int(row[2]) for row in chosen}
    if len(systems) > 1:
        raise ImportFailed(f"{name} mixes coordinate systems {sorted(systems)}; one is needed")
    features: list[Feature] = []
    for table, column, *_ in chosen:
        for feature in _layer(file, str(table), str(column)):
            features.append(feature)
            if len(features) > MAX_FEATURES:
                raise TooLarge(f"{name} holds more than {MAX_FEATURES} features")
    if not chosen:
        raise ImportFailed(f"{name} holds no vector layer")
    return features, projection_of(int(chosen[0][2]), str(chosen[0][3]))


def _layer(file: sqlite3.Connection, table: str, column: str) -> Iterator[Feature]:
    cursor = file.execute(f"SELECT * FROM {_quoted(table)}")  # noqa: S608 - an identifier can't be bound, so it is quoted
    names = [entry[0] for entry in cursor.description][:_TAG_COLUMNS_MAX]
    if column not in names:
        raise ImportFailed(f"layer {table!r} has no column {column!r}")
    at = names.index(column)
    for row in cursor:
        if row[at] is None:
            continue
        tags = {
            key: str(value)[:200]
            for key, value in zip(names, row, strict=False)
            if isinstance(value, str | int | float)
        }
        yield from features_of(_geometry(row[at], table), tags, table.lower())


def _geometry(blob: Any, table: str) -> Any:
    """Returns the shapely geometry of a GeoPackage blob."""
    if not isinstance(blob, bytes) or len(blob) < 8 or blob[:2] != b"GP":
        raise ImportFailed(f"layer {table!r} holds a geometry that is no GeoPackage geometry")
    if len(blob) > _MAX_BLOB:
        raise TooLarge(f"layer {table!r} holds a geometry of {len(blob)} bytes; {_MAX_BLOB} is the limit")
    kind = (blob[3] >> 1) & 7
    if kind >= len(_ENVELOPE_BYTES):
        raise ImportFailed(f"layer {table!r} holds a geometry with envelope type {kind}; 0 to 4 are defined")
    shapely = library()
    try:
        return shapely.force_2d(shapely.from_wkb(blob[8 + _ENVELOPE_BYTES[kind] :]))
    except (shapely.errors.ShapelyError, struct.error, ValueError) as error:
        raise ImportFailed(f"layer {table!r} holds a damaged geometry: {error}") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
