from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.world.maps import geojson

from ecumene_world.errors import ImportFailed
from ecumene_world.importers.features import Projection
from ecumene_world.importers.geojson import read_geojson


def written(folder: Path, document: object) -> Path:
    path = folder / "a.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_features_are_read(tmp_path: Path) -> None:
    features, projection = read_geojson(geojson(tmp_path / "a.geojson"))
    assert projection == Projection(geographic=True)
    assert {feature.shape for feature in features} == {"point", "line", "polygon"}


def test_an_old_crs_member_names_mercator(tmp_path: Path) -> None:
    document = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}},
        "features": [],
    }
    assert read_geojson(written(tmp_path, document))[1] == Projection(mercator=True)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "not GeoJSON"),
        ({"type": "Topology"}, "not GeoJSON"),
        ({"type": "FeatureCollection", "features": 3}, "no list of features"),
        ({"type": "FeatureCollection", "features": [3]}, "entry 0"),
        ({"type": "Feature", "geometry": {"type": "Sphere"}}, "feature 0 has a geometry that is none of"),
        ({"type": "Feature", "geometry": {"type": "Point", "coordinates": ["a", "b"]}}, "feature 0 has a malformed"),
        ({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}}, "feature 0 has a malformed"),
        ('{"type": "Feature", "geometry": {"type": "Point", "coordinates": [NaN, 0]}}', "NaN"),
    ],
)
def test_malformed_documents_are_named(tmp_path: Path, document: object, message: str) -> None:
    with pytest.raises(ImportFailed, match=message):
        read_geojson(written(tmp_path, document))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="not JSON"):
        read_geojson(written(tmp_path, "[" * 200_000))


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon"]), coordinates=json_values)
def test_any_coordinates_are_read_or_refused(tmp_path: Path, kind: str, coordinates: object) -> None:
    document = {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}}
    with suppress(ImportFailed):
        features, _ = read_geojson(written(tmp_path, json.dumps(document)))
        assert all(feature.points.shape[1] == 2 for feature in features)
