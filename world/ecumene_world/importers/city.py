"""Cities: map files become towns that can be walked, with streets, gardens, a square and things to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from ecumene_world.datasets import attribution_of
from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.graph import SceneGraph
from ecumene_world.importers.features import Feature, Projection, survey_of
from ecumene_world.importers.geojson import read_geojson
from ecumene_world.importers.geopackage import read_geopackage
from ecumene_world.importers.osm import read_osm

MAX_BYTES: Final = 512 << 20
_READERS: Final[dict[str, Callable[[Path], tuple[list[Feature], Projection]]]] = {
    ".gpkg": read_geopackage,
    ".geojson": read_geojson,
    ".json": read_geojson,
    ".pbf": read_osm,
    ".osm": read_osm,
}
SUFFIXES: Final = tuple(_READERS)


def import_city(
    path: Path | str, *, name: str = "", seed: int = 1, span_m: float = 900.0, max_bytes: int = MAX_BYTES
) -> SceneGraph:
    """Returns the town that a map file describes, dressed and ready to walk; the same for the same file and seed.

    Ground is flat: heights of terrain are not read. What a map doesn't say (heights, uses, names, furniture) is made up
    plausibly from the seed.

    Args:
        path: A GeoPackage, GeoJSON or OpenStreetMap (`.osm.pbf`, `.osm`) file.
        name: Title of the world; by default the file's name.
        seed: Of everything made up.
        span_m: Widest extent kept about the middle of the buildings.
        max_bytes: Largest file read.

    Raises:
        ImportFailed: The file is missing, no map, damaged or empty, or an optional library is missing.
        TooLarge: A limit is exceeded.
    """
    from ecumene_world.generate.dressing import dress
    from ecumene_world.generate.planner import plan_town

    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ImportFailed(f"{path.name} is no map file; {', '.join(SUFFIXES)} are read")
    if not path.is_file():
        raise ImportFailed(f"{path} is not a file")
    if path.stat().st_size > max_bytes:
        raise TooLarge(f"{path.name} has {path.stat().st_size} bytes; {max_bytes} is the limit")
    features, projection = reader(path)
    title = name or path.name.split(".")[0].replace("_", " ").title()
    survey = survey_of(features, name=title, projection=projection, span_m=span_m, attribution=attribution_of(path))
    return dress(plan_town(survey, seed), seed)
