"""What a node looks like: from the library, from its polygon or from imported arrays."""

from __future__ import annotations

from typing import Final

from ecumene_world.assets import library
from ecumene_world.assets.asset import Asset
from ecumene_world.errors import GraphError
from ecumene_world.graph import Node

_BUILT: Final = frozenset(library.kinds())


def asset_of(node: Node) -> Asset | None:
    """Returns the library's asset for a node, None for kinds without one and for nodes with a shape of their own.

    Raises:
        GraphError: A parameter is unknown or out of range; the message names the node.
    """
    if node.kind not in _BUILT or "mesh" in node.attributes or "polygon" in node.attributes:
        return None
    try:
        return library.build(node.kind, node.seed, node.params)
    except GraphError as error:
        raise GraphError(f"node {node.name!r}: {error}") from error
