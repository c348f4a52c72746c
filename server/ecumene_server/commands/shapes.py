"""New shapes for `ecumene train`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

Progress = Callable[[int, int, float], None]


def trained(options: argparse.Namespace, folder: Path, heard: Progress) -> tuple[Path, Sequence[Any]]:
    """Trains the autoencoder and the generators; returns the weights' path and the rows.

    A smoke run takes every sixth shape, for one epoch and one seed, and shapes one kind of furniture.
    """
    from ecumene_models.shape_codes import GanTraining
    from ecumene_models.shape_diffusion import DiffusionTraining
    from ecumene_models.shape_training import ShapeTraining
    from ecumene_world.learning.furniture import fetch_furniture
    from ecumene_world.learning.shaping import Extent, train_all
    from ecumene_world.learning.solids import load_solids

    smoke = bool(getattr(options, "smoke", False))
    epochs = getattr(options, "iterations", None) or (1 if smoke else ShapeTraining().epochs)
    training = ShapeTraining(seed=getattr(options, "seed", 0), epochs=epochs, device=getattr(options, "device", "cpu"))
    gan, diffusion, extent = GanTraining(), DiffusionTraining(), Extent()
    solids = load_solids(options.data or fetch_furniture())
    if smoke:
        gan, diffusion = replace(gan, steps=5), replace(diffusion, steps=5)
        solids, extent = solids.every(6), Extent(seeds=1, assets=0, kinds=("bed",), count=1)
    return train_all(solids, training, gan, diffusion, folder, extent=extent, progress=heard)


def shipped() -> Sequence[Any]:
    """Returns the comparison that was made when the shipped weights were trained."""
    from ecumene_world.learning.shaping import shipped_results

    return shipped_results()
