from __future__ import annotations

import numpy as np
import pytest

from ecumene_world.errors import ImportFailed
from ecumene_world.generate.survey import Survey
from ecumene_world.importers.features import Feature, Projection, projection_of, survey_of

SQUARE = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]])


def survey(*features: Feature, span_m: float = 1000.0) -> Survey:
    return survey_of(features, name="t", projection=Projection(), span_m=span_m)


def house(**tags: str) -> Feature:
    return Feature("polygon", SQUARE, {"building": "yes", **tags})


@pytest.mark.parametrize(
    ("tags", "height"),
    [
        ({"height": "12.5"}, 12.5),
        ({"height": "12,5 m"}, 12.5),
        ({"height": "40'"}, 12.192),
        ({"building:levels": "4"}, 12.4),
        ({"height": "7", "building:levels": "4"}, 7.0),
        ({"height": "unknown"}, 0.0),
        ({"height": "9999"}, 0.0),
        ({}, 0.0),
    ],
)
def test_heights_come_from_tags(tags: dict[str, str], height: float) -> None:
    assert survey(house(**tags)).footprints[0].height_m == pytest.approx(height)


@pytest.mark.parametrize(
    ("tags", "use"),
    [
        ({"amenity": "cafe"}, "cafe"),
        ({"tourism": "museum"}, "museum"),
        ({"shop": "bakery"}, "shop"),
        ({"shop": "vacant"}, ""),
        ({"office": "architect"}, "office"),
        ({"amenity": "school"}, "school"),
    ],
)
def test_uses_come_from_tags(tags: dict[str, str], use: str) -> None:
    assert survey(house(**tags)).footprints[0].use == use


def test_ways_have_widths_by_class_or_tag() -> None:
    line = np.array([[0.0, 0.0], [50.0, 0.0]])
    kinds = [{"highway": "primary"}, {"highway": "residential", "width": "5.5"}, {"highway": "footway"}]
    ways = survey(*(Feature("line", line, tags) for tags in kinds)).ways
    assert [(way.width_m, way.path) for way in ways] == [(12.0, False), (5.5, False), (2.6, True)]


@pytest.mark.parametrize("tags", [{"tunnel": "yes"}, {"layer": "-1"}, {"location": "underground"}])
def test_what_lies_underground_is_left_out(tags: dict[str, str]) -> None:
    found = survey(house(), Feature("polygon", SQUARE, {"building": "yes", **tags}))
    assert len(found.footprints) == 1


def test_layers_name_what_tags_do_not() -> None:
    line = np.array([[0.0, 0.0], [50.0, 0.0]])
    found = survey(Feature("polygon", SQUARE, {}, "my_buildings"), Feature("line", line, {}, "streets"))
    assert (len(found.footprints), len(found.ways)) == (1, 1)


def test_points_become_spots() -> None:
    found = survey(house(), Feature("point", SQUARE[:1], {"natural": "tree"}), Feature("point", SQUARE[:1], {"a": "b"}))
    assert [spot.kind for spot in found.spots] == ["broadleaf_tree"]


def test_the_middle_is_where_most_houses_are() -> None:
    crowd = [Feature("polygon", SQUARE + np.array([1000 + 20 * n, 0]), {"building": "yes"}) for n in range(5)]
    found = survey(*crowd, Feature("polygon", SQUARE - np.array([9000, 0]), {"building": "yes"}), span_m=400.0)
    assert len(found.footprints) == 5
    assert abs(np.mean([f.polygon.mean(0) for f in found.footprints])) < 25


def test_nothing_to_build_is_refused() -> None:
    with pytest.raises(ImportFailed, match="no building and no street"):
        survey(Feature("point", SQUARE[:1], {"natural": "tree"}))
    with pytest.raises(ImportFailed, match="no features"):
        survey()


def test_mercator_shrinks_with_latitude() -> None:
    north = np.array([[0.0, 8_399_737.9], [1000.0, 8_399_737.9]])  # 60° north, where a metre is drawn twice as long
    metres = Projection(mercator=True).to_metres([north])[0]
    assert metres[1, 0] - metres[0, 0] == pytest.approx(500.0, rel=1e-3)


def test_degrees_become_metres() -> None:
    metres = Projection(geographic=True).to_metres([np.array([[24.0, 60.0], [24.01, 60.0], [24.0, 60.01]])])[0]
    assert metres[1, 0] - metres[0, 0] == pytest.approx(556.6, rel=1e-3)
    assert metres[2, 1] - metres[0, 1] == pytest.approx(1113.2, rel=1e-3)


@pytest.mark.parametrize("bad", [[[200.0, 0.0]], [[0.0, 95.0]], [[np.nan, 0.0]], [[np.inf, 0.0]]])
def test_impossible_coordinates_are_refused(bad: list[list[float]]) -> None:
    with pytest.raises(ImportFailed):
        Projection(geographic=True).to_metres([np.array(bad)])


@pytest.mark.parametrize(
    ("srs", "text", "expected"),
    [
        (3857, "", Projection(mercator=True)),
        (4326, "", Projection(geographic=True)),
        (1, 'GEOGCS["x"]', Projection(geographic=True)),
        (2263, 'PROJCS["x",GEOGCS["y",UNIT["degree",0.01745]],UNIT["foot",0.3048]]', Projection(unit_m=0.3048)),
        (5514, "", Projection()),
    ],
)
def test_projections_are_recognised(srs: int, text: str, expected: Projection) -> None:
    assert projection_of(srs, text) == expected
