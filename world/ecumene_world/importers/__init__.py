"""Files become worlds: maps, glTF scenes and point clouds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ecumene_world.errors import ImportFailed
from ecumene_world.graph import SceneGraph

if TYPE_CHECKING:
    from ecumene_world.gate.repair import Gated

__all__ = ["CLOUD", "SUFFIXES", "as_it_is", "imported", "read"]

_CITY: Final = (".gpkg", ".geojson", ".json", ".pbf", ".osm")
_GLTF: Final = (".glb", ".gltf")
CLOUD: Final = (".ply", ".pcd", ".las", ".laz")
SUFFIXES: Final = (*_CITY, *_GLTF, *CLOUD)
"""What `read` accepts."""


def read(path: Path | str, **options: Any) -> SceneGraph:
    """Returns the world that a file describes, by its suffix; what is made up about a map went through the gate.

    Args:
        path: The file.
        **options: Of `import_city`, `import_gltf` or `import_cloud`.

    Raises:
        ImportFailed: The suffix is unknown, or the file can't become a world.
    """
    return imported(path, **options).graph if _is_map(path) else _authored(path, options)


def imported(path: Path | str, **options: Any) -> Gated:
    """Returns the world that a file describes and what the gate says of it; arguments and errors as in `read`.

    Towns are repaired: what stands in the way there was made up. Scenes and scans are left as they are.
    """
    if _is_map(path):
        from ecumene_world.gate.repair import gated
        from ecumene_world.importers.city import import_city

        return gated(import_city(path, **options))
    return as_it_is(_authored(path, options))


def as_it_is(graph: SceneGraph) -> Gated:
    """Returns a world and what the gate says of it, nothing repaired.

    Raises:
        GraphError: The graph is invalid, or leaves nobody a place to stand.
    """
    from ecumene_world.gate.repair import Gated, measured
    from ecumene_world.gate.scene import Scene

    scene = Scene(graph)
    report = measured(scene)
    return Gated(graph, scene.layout, report, report)


def _is_map(path: Path | str) -> bool:
    return Path(path).suffix.lower() in _CITY


def _authored(path: Path | str, options: dict[str, Any]) -> SceneGraph:
    """Returns the world of a scene or a scan."""
    suffix = Path(path).suffix.lower()
    if suffix in _GLTF:
        from ecumene_world.importers.gltf import import_gltf

        return import_gltf(path, **options)
    if suffix in CLOUD:
        from ecumene_world.importers.cloud import import_cloud

        return import_cloud(path, **options)
    raise ImportFailed(f"{Path(path).name} has the suffix {suffix!r}; {', '.join(SUFFIXES)} are read")
