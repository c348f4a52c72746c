"""Files become worlds: maps, glTF scenes and point clouds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ecumene_world.errors import ImportFailed
from ecumene_world.graph import SceneGraph

__all__ = ["SUFFIXES", "read"]

_CITY: Final = (".gpkg", ".geojson", ".json", ".pbf", ".osm")
_GLTF: Final = (".glb", ".gltf")
_CLOUD: Final = (".ply", ".pcd", ".las", ".laz")
SUFFIXES: Final = (*_CITY, *_GLTF, *_CLOUD)
"""What `read` accepts."""


def read(path: Path | str, **options: Any) -> SceneGraph:
    """Returns the world that a file describes, by its suffix.

    Args:
        path: The file.
        **options: Of `import_city`, `import_gltf` or `import_cloud`.

    Raises:
        ImportFailed: The suffix is unknown, or the file can't become a world.
    """
    suffix = Path(path).suffix.lower()
    if suffix in _CITY:
        from ecumene_world.importers.city import import_city

        return import_city(path, **options)
    if suffix in _GLTF:
        from ecumene_world.importers.gltf import import_gltf

        return import_gltf(path, **options)
    if suffix in _CLOUD:
        from ecumene_world.importers.cloud import import_cloud

        return import_cloud(path, **options)
    raise ImportFailed(f"{Path(path).name} has the suffix {suffix!r}; {', '.join(SUFFIXES)} are read")
