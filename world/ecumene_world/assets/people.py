"""People as things of the library: the light mesh, which stands for an avatar until its skinned body is loaded."""

from __future__ import annotations

from typing import Final

from ecumene_world.assets.asset import Asset
from ecumene_world.assets.humanoid import VARIANTS, humanoid_mesh
from ecumene_world.assets.recipe import Draw, Recipe, post, solid


def npc(draw: Draw) -> Asset:
    """An inhabitant, standing."""
    return solid("npc", [humanoid_mesh(draw.variant)], [post(0.25, 1.72)])


def visitor(draw: Draw) -> Asset:
    """A visitor's avatar, standing."""
    return solid("visitor", [humanoid_mesh(draw.variant)], [post(0.25, 1.72)])


RECIPES: Final = (Recipe("npc", npc, variants=VARIANTS), Recipe("visitor", visitor, variants=VARIANTS))
