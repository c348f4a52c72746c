from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.world.maps import hamlet, osm

from ecumene_world.errors import ImportFailed
from ecumene_world.importers.features import survey_of
from ecumene_world.importers.osm import read_osm


def test_houses_and_streets_are_read(tmp_path: Path) -> None:
    features, projection = read_osm(osm(tmp_path / "a.osm"))
    survey = survey_of(features, name="t", projection=projection, span_m=900)
    houses, streets = hamlet()
    assert len(survey.footprints) == len(houses)
    assert len(survey.ways) == len(streets)
    assert [footprint.height_m for footprint in survey.footprints] == pytest.approx([9.3] * len(houses))


@pytest.mark.parametrize("content", [b"", b"<osm><node", b"\0\0\0\x0dgarbage"])
@pytest.mark.parametrize("suffix", [".osm", ".osm.pbf"])
def test_other_files_are_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(ImportFailed, match="not a readable OpenStreetMap file"):
        read_osm(path)
