"""Plants and stones."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final

import numpy as np

from ecumene_world.assets import palette
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import darker, graded, lighter, mixed, speckled
from ecumene_world.assets.recipe import Draw, Recipe, block, post, solid
from ecumene_world.assets.solids import Point, blob, cone, cylinder, lathe, loft, slab, sphere, tube

_CROWNS: Final = ("round", "tall", "wide", "cloud")
_PLANTS: Final = ("ball", "palm", "blades")


def broadleaf_tree(draw: Draw) -> Asset:
    """A trunk with a slight bend under a crown of two to four leafy masses; `crown` says how they are grouped."""
    height = draw.size("height_m", 5.2, 7.6)
    shape = draw.word("crown", _CROWNS)
    tint = draw.colour((*palette.LEAVES[:5], palette.AUTUMN[0], palette.LEAVES[5], palette.BLOSSOM[0]))
    bark = draw.pick(palette.BARK)
    reach = {"round": 0.30, "tall": 0.20, "wide": 0.36, "cloud": 0.31}[shape] * height
    lean = np.array([draw.between(-0.05, 0.05), draw.between(-0.05, 0.05)]) * height
    fork = 0.50 * height
    path = [(0, 0, 0), (0, 0, 0.05 * height), (*(lean * 0.4), 0.26 * height), (*lean, fork + 0.12 * height)]
    trunk = tube(path, np.array([0.040, 0.026, 0.021, 0.012]) * height, bark, sides=5)
    x, y = lean.tolist()
    masses: list[tuple[Point, Point]]
    if shape == "tall":
        masses = [
            ((reach, reach, 0.33 * height), (x, y, 0.68 * height)),
            ((reach * 0.72, reach * 0.72, 0.16 * height), (x * 1.2, y, 0.90 * height)),
        ]
    elif shape == "wide":
        masses = [
            ((reach, reach, 0.20 * height), (x, y, 0.67 * height)),
            ((reach * 0.68, reach * 0.68, 0.19 * height), (x + reach * 0.12, y, 0.85 * height)),
        ]
    else:
        masses = [
            ((reach, reach, 0.27 * height), (x, y, 0.66 * height)),
            ((reach * 0.74, reach * 0.74, 0.21 * height), (x, y + reach * 0.1, 0.85 * height)),
        ]
    turn = draw.between(0, 2 * pi)
    lumps = 1
    for lump in range(lumps):
        angle = turn + lump * pi * 0.9
        side = (x + cos(angle) * reach * 0.75, y + sin(angle) * reach * 0.75, draw.between(0.56, 0.63) * height)
        masses.append(((reach * 0.5, reach * 0.5, reach * 0.42), side))
    crown = [
        blob(radius, tint, at, draw.rng, rough=0.11, detail=1 if index < 2 else 0)
        for index, (radius, at) in enumerate(masses)
    ]
    parts = [trunk, speckled(graded(Mesh.merged(crown), darker(tint, 0.34), lighter(tint, 0.16)), draw.rng, 0.05)]
    return solid("broadleaf_tree", parts, [post(0.032 * height, 0.5 * height)])


def conifer_tree(draw: Draw) -> Asset:
    """A straight trunk under four or five skirts of needles, each a ragged cone."""
    height = draw.size("height_m", 5.5, 9.0)
    tint = draw.colour(palette.NEEDLES)
    snow = 0.0 if not draw.given("snow") else draw.size("snow", 0, 1)
    skirts = 4 + int(draw.chance(0.5))
    reach = height * draw.between(0.19, 0.25)
    parts = [cylinder(0.022 * height, 0.2 * height, draw.pick(palette.BARK), sides=6)]
    for level in range(skirts):
        share = level / skirts
        base = height * (0.11 + 0.80 * share)
        top = min(height, base + height * (0.40 - 0.18 * share))
        skirt = _ragged_cone(reach * (1 - 0.80 * share), top - base, tint, draw)
        shaded = graded(skirt, darker(tint, 0.38), lighter(mixed(tint, palette.WHITE, snow * 0.7), 0.10 + 0.10 * share))
        parts.append(shaded.turned(draw.between(0, pi)).moved(z=base))
    return solid(
        "conifer_tree", [parts[0], speckled(Mesh.merged(parts[1:]), draw.rng)], [post(0.028 * height, height / 2)]
    )


def bush(draw: Draw) -> Asset:
    """Three overlapping leafy masses, some in flower."""
    height = draw.size("height_m", 0.8, 1.25)
    tint = draw.colour(palette.LEAVES)
    width = height * draw.between(0.62, 0.78)
    masses = [blob((width, width, height * 0.52), tint, (0, 0, height * 0.48), draw.rng, rough=0.12)]
    turn = draw.between(0, 2 * pi)
    for index in range(2):
        angle = turn + index * 2.4
        at = (cos(angle) * width * 0.62, sin(angle) * width * 0.62, height * 0.33)
        masses.append(blob((width * 0.62, width * 0.62, height * 0.36), tint, at, draw.rng, rough=0.14, detail=0))
    leaves = _grounded(speckled(graded(Mesh.merged(masses), darker(tint, 0.34), lighter(tint, 0.18)), draw.rng))
    parts = [leaves]
    if draw.variant % 3 == 1:
        parts.append(_blossoms(leaves, draw.pick(palette.PETALS), 9, draw))
    return solid("bush", parts, [post(width * 0.85, height * 0.9)])


def hedge(draw: Draw) -> Asset:
    """A clipped hedge along x with a softly uneven surface."""
    length, height = draw.size("length_m", 1.8, 2.4), draw.size("height_m", 0.85, 1.15)
    width = draw.size("width_m", 0.5, 0.65)
    tint = draw.colour(palette.LEAVES)
    half, cut = width / 2, min(0.12, width * 0.25)
    upper = [[half, height - cut], [half - cut, height], [-half + cut, height], [-half, height - cut]]
    profile = np.array([[-half * 0.9, 0], [half * 0.9, 0], [half, height * 0.5], *upper, [-half, height * 0.5]])
    stations = max(2, min(9, round(length / 0.8))) + 1
    places = np.linspace(-length / 2, length / 2, stations)
    rings = []
    for index, x in enumerate(places):
        inner = 0 < index < stations - 1
        wobble = draw.rng.uniform(-0.035, 0.035, profile.shape) * [1, 0.6]
        ring = profile * (1.0 if inner else 0.95) + wobble
        rings.append(np.column_stack([np.full(len(ring), x), ring[:, 0], np.maximum(ring[:, 1], 0)]))
    body = loft(rings, tint)
    return solid("hedge", [speckled(graded(body, darker(tint, 0.32), lighter(tint, 0.12)), draw.rng, 0.07)])


def flower_bed(draw: Draw) -> Asset:
    """A bed of earth with an edging of stone, green tufts and flowers in two colours."""
    length, width = draw.size("length_m", 1.6, 2.2), draw.size("width_m", 0.8, 1.1)
    tint = draw.colour(palette.PETALS)
    second = palette.PETALS[(draw.variant + 2) % len(palette.PETALS)]
    stone, green = draw.pick(palette.STONE), draw.pick(palette.LEAVES)
    rim = 0.12
    parts = [slab((length, width, 0.18), stone, bevel=0.03)]
    parts.append(slab((length - 2 * rim, width - 2 * rim, 0.06), palette.EARTH, (0, 0, 0.16), bevel=0.05))
    across, along = max(1, round((width - rim) / 0.36)), max(2, round((length - rim) / 0.36))
    across, along = min(across, 4), min(along, 7)
    for row in range(across):
        for column in range(along):
            x = ((column + 0.5) / along - 0.5) * (length - 2.6 * rim) + draw.between(-0.04, 0.04)
            y = ((row + 0.5) / across - 0.5) * (width - 2.6 * rim) + draw.between(-0.04, 0.04)
            tall = draw.between(0.14, 0.24)
            tuft = cone(0.13, tall, green, (x, y, 0.2), sides=4)
            parts.append(graded(tuft, darker(green, 0.25), lighter(green, 0.1)))
            petals = tint if (row + column) % 2 else second
            head = lathe(
                [(0, 0), (0.085, 0.06), (0, 0.1)], [darker(petals, 0.12), petals], (x, y, 0.16 + tall), sides=5
            )
            parts.append(head.moved())
    return solid("flower_bed", parts, [block((length, width, 0.3))])


def rock(draw: Draw) -> Asset:
    """A weathered boulder with smaller stones leaning on it."""
    height = draw.size("height_m", 0.5, 1.1)
    stone = mixed(draw.colour(palette.STONE), (128, 130, 132), 0.45)
    wide, deep = height * draw.between(0.72, 1.0), height * draw.between(0.6, 0.8)
    parts = [blob((wide, deep, height * 0.62), stone, (0, 0, height * 0.40), draw.rng, rough=0.17)]
    small = height * draw.between(0.26, 0.38)
    angle = draw.between(0, 2 * pi)
    at = (cos(angle) * wide * 0.95, sin(angle) * deep * 1.0, small * 0.45)
    parts.append(blob((small, small * 0.9, small * 0.8), stone, at, draw.rng, rough=0.18, detail=0))
    whole = _grounded(Mesh.merged(parts))
    return solid("rock", [speckled(graded(whole, darker(stone, 0.28), lighter(stone, 0.15)), draw.rng, 0.04)])


def potted_plant(draw: Draw) -> Asset:
    """A pot with a clipped ball, a small palm or upright blades; `plant` says which."""
    height = draw.size("height_m", 0.85, 1.3)
    plant = draw.word("plant", _PLANTS)
    pot, leaf = draw.colour(palette.TERRA_POTS), draw.pick(palette.LEAVES)
    wide, tall = draw.fixed("girth", 1.0) * (0.21 * height + 0.02), draw.fixed("pot", 0.34) * height
    reach = draw.fixed("reach", 1.0)
    rim = 0.12 * tall
    profile = [(wide * 0.68, 0), (wide * 0.94, tall - rim), (wide * 1.08, tall - rim), (wide * 1.08, tall)]
    profile += [(wide * 0.9, tall), (wide * 0.9, tall - 0.03), (0, tall - 0.03)]
    bands = [pot, darker(pot, 0.1), lighter(pot, 0.08), lighter(pot, 0.12), darker(pot, 0.3), palette.EARTH]
    parts = [lathe(profile, bands, sides=8)]
    if plant == "ball":
        radius = min(0.30 * height, 1.6 * wide) * reach
        middle = max(height - radius, tall + 0.4 * radius)
        parts.append(cylinder(0.02, middle - tall + 0.05, draw.pick(palette.BARK), (0, 0, tall - 0.04), sides=5))
        crown = blob((radius, radius, radius), leaf, (0, 0, middle), draw.rng, rough=0.07)
        parts.append(speckled(graded(crown, darker(leaf, 0.32), lighter(leaf, 0.16)), draw.rng))
    else:
        parts += [_frond(index, height, tall, wide, leaf, plant, draw, reach) for index in range(9)]
    return solid("potted_plant", parts, [post(wide * 1.1, height * 0.9)])


def _frond(
    index: int, height: float, base: float, wide: float, leaf: RGB, plant: str, draw: Draw, reach: float
) -> Mesh:
    """Returns one leaf: arching outward for a palm, almost upright for blades."""
    angle = index * 2.39996
    rise = height - base
    spread = rise * reach * (0.75 if plant == "palm" else 0.16) * draw.between(0.8, 1.1)
    lift = rise * (draw.between(0.62, 1.0) if plant == "palm" else draw.between(0.6, 1.0))
    start = 0.1 * wide if plant == "palm" else 0.55 * wide * (index % 3) / 2
    bend = 0.62 if plant == "palm" else 1.0
    path = [
        (start, 0, base - 0.04),
        (start + spread * 0.45, 0, base + lift * 0.8),
        (start + spread, 0, base + lift * bend),
    ]
    blade = tube(path, (0.012 * height, 0.055 * height, 0.004), leaf, sides=3)
    flat = blade.scaled(1.0, 1.0 if plant == "palm" else 1.4, 1.0)
    shade = graded(flat, darker(leaf, 0.30), lighter(leaf, 0.05 + 0.15 * draw.between(0, 1)))
    return shade.turned(angle)


def _ragged_cone(radius: float, height: float, tint: RGB, draw: Draw) -> Mesh:
    """Returns a cone whose hem goes in and out over ten points, sixteen sides."""
    points = 12
    angle = np.arange(points) * 2 * pi / points
    hem = radius * np.where(np.arange(points) % 2, 0.78, 1.0) * draw.rng.uniform(0.94, 1.06, points)
    drop = np.where(np.arange(points) % 2, 0.06, -0.03) * height
    ring = np.stack([hem * np.cos(angle), hem * np.sin(angle), drop], 1)
    tip = np.tile([0.0, 0.0, height], (points, 1))
    return loft([ring, tip], tint)


def _blossoms(leaves: Mesh, petals: RGB, count: int, draw: Draw) -> Mesh:
    """Returns small flowers set on upward faces."""
    upward = np.nonzero(leaves.normals[:, 2] > 0.1)[0]
    chosen = draw.rng.choice(upward, min(count, len(upward)), replace=False)
    places = leaves.triangles[chosen].mean(1)
    return Mesh.merged(sphere(0.06, petals, (float(x), float(y), float(z)), detail=0) for x, y, z in places)


def _grounded(mesh: Mesh) -> Mesh:
    """Returns the mesh with everything below the floor pressed onto it."""
    vertices = mesh.vertices.copy()
    vertices[:, 2] = np.maximum(vertices[:, 2], 0)
    return Mesh(vertices, mesh.faces, mesh.colours).moved(z=-float(vertices[:, 2].min()))


RECIPES: Final = (
    Recipe("broadleaf_tree", broadleaf_tree, {"height_m": (2.0, 16.0), "crown": _CROWNS, "colour": None}, variants=8),
    Recipe("conifer_tree", conifer_tree, {"height_m": (2.0, 25.0), "snow": (0.0, 1.0), "colour": None}),
    Recipe("bush", bush, {"height_m": (0.3, 3.0), "colour": None}),
    Recipe("hedge", hedge, {"length_m": (0.5, 12.0), "width_m": (0.3, 1.5), "height_m": (0.3, 3.0), "colour": None}),
    Recipe("flower_bed", flower_bed, {"length_m": (0.6, 6.0), "width_m": (0.5, 3.0), "colour": None}),
    Recipe("rock", rock, {"height_m": (0.2, 3.0), "colour": None}),
    Recipe(
        "potted_plant",
        potted_plant,
        {
            "height_m": (0.4, 2.5),
            "girth": (0.5, 1.6),
            "pot": (0.15, 0.6),
            "reach": (0.5, 1.6),
            "plant": _PLANTS,
            "colour": None,
        },
    ),
)
