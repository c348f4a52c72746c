"""The colours that everything is painted with, and how faces are shaded with them; all sRGB."""

from __future__ import annotations

from typing import Final

import numpy as np

from ecumene_world.assets.mesh import RGB, Mesh


def rgb(code: str) -> RGB:
    """Returns the colour of a `#rrggbb` code.

    Raises:
        ValueError: The text is no such code.
    """
    if len(code) != 7 or code[0] != "#":
        raise ValueError(f"{code!r} is not a colour such as '#c46a4a'")
    red, green, blue = bytes.fromhex(code[1:])
    return red, green, blue


def _all(*codes: str) -> tuple[RGB, ...]:
    return tuple(rgb(code) for code in codes)


FACADES: Final = _all(
    *("#f0dfbe", "#ead6a4", "#e9c9ab", "#e2b5a5", "#ccd4b6", "#c1d0d4", "#d6d0db", "#eee7d8", "#dcbd88", "#d3a78c"),
    *("#f2e8cf", "#d9c7a3"),
)
TERRACOTTA: Final = _all("#a8604a", "#9a5546", "#b3725a", "#8a5347", "#a56d52", "#8f6a58")
SLATE: Final = _all("#5f6772", "#6f6a6e", "#4f5c66")
CIVIC_WALL: Final = rgb("#e9d9b4")
COPPER: Final = rgb("#6fa08c")
GOLD: Final = rgb("#c9a24f")
TRIM: Final = rgb("#f6efe2")
PLINTH: Final = _all("#a89f92", "#b3a794", "#989089")
DOORS: Final = _all("#5b3d2e", "#3f5a4c", "#7a3b33", "#35506b", "#8a5f37", "#5d5348")
SHUTTERS: Final = _all("#5f7f67", "#6d5340", "#54708a", "#8b5146", "#7f8a63")
GLASS: Final = rgb("#6d8ea3")
GLASS_LIT: Final = rgb("#a9c6cf")
STONE: Final = _all("#c9c0b0", "#b8afa2", "#d3c8b4")
PAVING: Final = _all("#cfc4b2", "#c2b7a6")
ASPHALT: Final = rgb("#6f7276")
EARTH: Final = rgb("#6b4f3a")
GRASS: Final = rgb("#8fb565")
WATER: Final = rgb("#6fb3c8")
WATER_LIGHT: Final = rgb("#a6d8e0")

LEAVES: Final = _all("#6f9d4c", "#7fac52", "#5d9150", "#93b257", "#6aa063", "#88a04a")
AUTUMN: Final = _all("#d4953f", "#c8703d", "#c9a544")
BLOSSOM: Final = _all("#e8b4bf", "#f0d0d0")
NEEDLES: Final = _all("#3f6f52", "#4b7d58", "#3a6459", "#56835a")
BARK: Final = _all("#7a5a42", "#6a4d3a", "#8a6a4f")
PETALS: Final = _all("#e4705c", "#f0c04c", "#f3ece0", "#c98bc0", "#e895a5", "#7f7cc4")

OAK: Final = _all("#c99a68", "#b8875a", "#d8b283")
WALNUT: Final = _all("#7d5239", "#6c4733", "#8b5d3f")
TIMBER: Final = OAK + WALNUT
PAINTED: Final = _all("#f2ece1", "#dfe5df", "#cdd8d6", "#e8dccb")
IRON: Final = _all("#333c42", "#2f4a44", "#3d3f4a")
STEEL: Final = rgb("#a3acb2")
BRASS: Final = rgb("#c9a24f")
BRONZE: Final = _all("#6f8f80", "#7d6b4a", "#5f7f78")
CHARCOAL: Final = rgb("#3a3d42")
RUBBER: Final = rgb("#34363a")
WHITE: Final = rgb("#f4f1ea")
PAPER: Final = rgb("#f3ead6")
GLOW: Final = rgb("#ffe9b0")
TERRA_POTS: Final = _all("#c4714d", "#d9cdbd", "#5f7480", "#a85a44")

FABRIC: Final = _all("#3f7f7c", "#d9735a", "#d9a441", "#4a6484", "#84597a", "#8a9a6b", "#b9ab99", "#6b6f78")
ACCENTS: Final = _all("#2f8f8b", "#e0694f", "#e2ac45", "#3e5f86", "#7f5276", "#6f9b54")
CARS: Final = _all("#c8473f", "#e9e4da", "#3f6f91", "#5f7f6c", "#e0b04a", "#4a4f58", "#aeb9bd", "#7fa8b8", "#8a3f46")

SKIN: Final = _all("#f1c7a5", "#e2ad85", "#c68a60", "#a06a45", "#7a4d33", "#f5d5bb")
HAIR: Final = _all("#2f2522", "#5a3a28", "#8a5a34", "#c99b55", "#a8492f", "#8d8a87")
SHIRTS: Final = FABRIC + ACCENTS
TROUSERS: Final = _all("#3b4656", "#5a5048", "#6f6a5d", "#2f3338", "#7a6a55")
SHOES: Final = _all("#3a2f2a", "#5b4436", "#e6e0d5", "#2d3036")


def mixed(a: RGB, b: RGB, share: float) -> RGB:
    """Returns the colour `share` of the way from a to b."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def darker(colour: RGB, share: float = 0.15) -> RGB:
    """Returns a colour moved towards a warm dark by `share`."""
    return mixed(colour, (38, 28, 34), share)


def lighter(colour: RGB, share: float = 0.15) -> RGB:
    """Returns a colour moved towards a warm white by `share`."""
    return mixed(colour, (255, 250, 238), share)


def speckled(mesh: Mesh, rng: np.random.Generator, amount: float = 0.05) -> Mesh:
    """Returns the mesh with the brightness of each face varied at random by up to the share `amount`."""
    gain = 1 + rng.uniform(-amount, amount, (len(mesh.faces), 1))
    return mesh.painted(np.clip(mesh.colours * gain, 0, 255))


def graded(mesh: Mesh, low: RGB, high: RGB) -> Mesh:
    """Returns the mesh painted from `low` at its lowest, downward faces to `high` at its highest, upward ones."""
    floor, ceiling = mesh.bounds[:, 2]
    height = (mesh.triangles[:, :, 2].mean(1) - floor) / max(float(ceiling - floor), 1e-6)
    share = np.clip(0.65 * height + 0.35 * (mesh.normals[:, 2] * 0.5 + 0.5), 0, 1)[:, None]
    return mesh.painted(np.round(np.array(low) * (1 - share) + np.array(high) * share))
