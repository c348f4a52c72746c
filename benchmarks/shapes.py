"""Draws the pictures of docs about shapes: what was learned from, what is made of it, and what users see.

    python benchmarks/shapes.py [--data FILE.deb] [--out docs/images]

Writes `shapes.png` (each class: the real shape nearest to a made one, the made mesh, the thing of the library that it
chose) and `shape-variants.png` (kinds of furniture by seed, and in shapes that the network chose), and prints how much
the things of each kind differ.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecumene_models import shape_metrics
from ecumene_models.shapes import load_shapes
from ecumene_world.assets import library
from ecumene_world.assets.asset import Asset
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.render import Camera, Look, render, write_png
from ecumene_world.generate.shapes import shaped_asset, shapes
from ecumene_world.learning import furniture
from ecumene_world.learning.forms import form
from ecumene_world.learning.matching import nearest_asset
from ecumene_world.learning.sampling import surface_points
from ecumene_world.learning.shape_evaluation import boxed, real_clouds
from ecumene_world.learning.shaping import WEIGHTS, split
from ecumene_world.learning.solids import Solids, load_solids, seen_points

Picture = NDArray[np.uint8]
KINDS: Final = ("chair", "armchair", "sofa", "table", "cabinet", "bookcase", "bed", "floor_lamp", "potted_plant")
_TILE: Final = 132
_POINTS: Final = 512
_VARIANTS: Final = 6
"""As many as the library has of its own of most kinds."""
_SEED: Final = 1
_BLUE: Final = (150, 165, 195)
_CLEAR: Final = Look(sky=(238, 240, 238), horizon=(238, 240, 238))


def tile(mesh: Mesh) -> Picture:
    """Returns a picture of one thing that fills it, its front to the right."""
    return render([mesh], Camera.orbit(mesh.bounds, -0.7, 0.35), (_TILE, _TILE), _CLEAR)


def painted(mesh: Mesh, colour: RGB) -> Mesh:
    """Returns a mesh in one colour."""
    return mesh.painted(np.tile(np.array(colour, np.uint8), (len(mesh.faces), 1)))


def rows_of_classes(package: Path) -> Picture:
    """Returns a column for each class: nearest real shape, made mesh, chosen thing."""
    model = load_shapes(WEIGHTS)
    known, _ = split(load_solids(package))
    models = {each.name: each for each in furniture.catalogue(package)}
    columns = []
    for name in model.classes:
        made = form(model.autoencoder, model.draw(name, _SEED))
        cloud = torch.from_numpy(surface_points(made, 512, np.random.default_rng(_SEED))[:, :3])
        real = models[nearest_real(cloud, known, model.classes.index(name))].read_mesh().turned(np.pi / 2)
        asset = nearest_asset(cloud, name).build()
        columns.append(np.concatenate([tile(painted(real, _BLUE)), tile(made), tile(asset.mesh)]))
    return np.concatenate(columns, 1)


def nearest_real(cloud: torch.Tensor, known: Solids, kind: int) -> str:
    """Returns the name of the shape of a class that was learned from and is most like a cloud."""
    mine = known.of(np.flatnonzero(known.kinds == kind))
    apart = shape_metrics.distances(boxed(cloud[None, ::2]), boxed(real_clouds(mine, 256, 0)))[0]
    return mine.labels[int(apart.argmin())].name


def variants() -> Picture:
    """Returns a row for each kind: on the left by seed, on the right in shapes that the network chose."""
    rows = []
    for kind in KINDS:
        own = [library.build(kind, seed) for seed in range(_VARIANTS)]
        learned = [shaped_asset(kind, seed) for seed in range(_VARIANTS)]
        gap = np.full((_TILE, 24, 3), 255, np.uint8)
        rows.append(np.concatenate([*(tile(a.mesh) for a in own), gap, *(tile(a.mesh) for a in learned)], 1))
    return np.concatenate(rows)


def variety(assets: Sequence[Asset]) -> float:
    """Returns the mean chamfer distance of all pairs of things, each with its longest edge 1, in thousandths."""
    clouds = [seen_points(asset.mesh, _POINTS, np.random.default_rng(row)) for row, asset in enumerate(assets)]
    apart = shape_metrics.within(boxed(torch.from_numpy(np.stack(clouds))))
    return 1000 * float(apart.sum()) / (len(assets) * (len(assets) - 1))


def main() -> None:
    """Draws and writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    write_png(options.out / "shapes.png", rows_of_classes(options.data or furniture.fetch_furniture()))
    write_png(options.out / "shape-variants.png", variants())
    print("kind, differing by seed, in shapes that the network chose (chamfer distance, thousandths)")
    for kind, learned in shapes().items():
        own = variety([library.build(kind, seed) for seed in range(library.variants(kind))])
        print(
            f"{kind}, {own:.1f}, {variety([shaped_asset(kind, seed) for seed in range(len(learned))]):.1f}", flush=True
        )


if __name__ == "__main__":
    main()
