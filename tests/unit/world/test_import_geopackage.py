from __future__ import annotations

import sqlite3
import struct
from contextlib import suppress
from pathlib import Path

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.world.maps import blob, geopackage

from ecumene_world.errors import ImportFailed
from ecumene_world.importers import geopackage as module
from ecumene_world.importers.features import Projection
from ecumene_world.importers.geopackage import read_geopackage


def test_layers_are_read_with_tags_and_system(tmp_path: Path) -> None:
    features, projection = read_geopackage(geopackage(tmp_path / "a.gpkg"))
    assert projection == Projection(unit_m=1.0)
    assert sorted({feature.layer for feature in features}) == ["buildings", "streets"]
    assert any(feature.tags.get("name") == "South Street" for feature in features)


def test_an_envelope_is_skipped(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    shape = shapely.Polygon([(0, 0), (9, 0), (9, 9)])
    framed = b"GP\0\3" + struct.pack("<i4d", 5514, 0, 9, 0, 9) + shapely.to_wkb(shape)
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM buildings")
        file.execute("INSERT INTO buildings (geom) VALUES (?)", (framed,))
    rings = [f.points for f in read_geopackage(path)[0] if f.layer == "buildings"]
    assert len(rings) == 1
    assert len(rings[0]) == 3


def test_a_courtyard_is_cut_open(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    shape = shapely.box(0, 0, 30, 30).difference(shapely.box(10, 10, 20, 20))
    with sqlite3.connect(path) as file:
        file.execute("DELETE FROM buildings")
        file.execute("INSERT INTO buildings (geom) VALUES (?)", (blob(shape),))
    parts = [shapely.Polygon(f.points) for f in read_geopackage(path)[0] if f.layer == "buildings"]
    assert sum(part.area for part in parts) == pytest.approx(800.0)
    assert not any(part.intersects(shapely.Point(15, 15)) for part in parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("DROP TABLE buildings", "not a readable GeoPackage"),
        ("UPDATE buildings SET geom = x'00112233'", "no GeoPackage geometry"),
        ("UPDATE buildings SET geom = substr(geom, 1, 20)", "damaged geometry"),
        ("UPDATE buildings SET geom = 'text'", "no GeoPackage geometry"),
        ("UPDATE gpkg_geometry_columns SET column_name = 'shape'", "no column"),
        ("UPDATE gpkg_geometry_columns SET srs_id = 4326 WHERE table_name = 'streets'", "mixes coordinate systems"),
        ("DELETE FROM gpkg_geometry_columns", "no vector layer"),
    ],
)
def test_damage_is_named(tmp_path: Path, change: str, message: str) -> None:
    path = geopackage(tmp_path / "a.gpkg")
    with sqlite3.connect(path) as file:
        file.execute(change)
    with pytest.raises(ImportFailed, match=message):
        read_geopackage(path)


def test_an_endless_view_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEPS", 100_000)
    path = geopackage(tmp_path / "a.gpkg")
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE buildings")
        endless = (
            "WITH RECURSIVE n(geom) AS (SELECT 1 UNION ALL SELECT geom + 1 FROM n) SELECT geom FROM n WHERE geom < 0"
        )
        file.execute(f"CREATE VIEW buildings AS {endless}")
    with pytest.raises(ImportFailed, match="interrupted"):
        read_geopackage(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(ImportFailed, match="not a readable GeoPackage"):
        read_geopackage(path)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spots=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_damaged_bytes_only_ever_fail_politely(tmp_path: Path, spots: list[tuple[float, int]]) -> None:
    data = bytearray(geopackage_bytes(tmp_path))
    for share, value in spots:
        data[int(share * (len(data) - 1))] = value
    path = tmp_path / "b.gpkg"
    path.write_bytes(data)
    with suppress(ImportFailed):
        features, _ = read_geopackage(path)
        assert all(feature.points.shape[1] == 2 for feature in features)


def geopackage_bytes(folder: Path) -> bytes:
    path = folder / "whole.gpkg"
    if not path.exists():
        geopackage(path)
    return path.read_bytes()
