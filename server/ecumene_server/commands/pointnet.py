"""PointNet for `ecumene train`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Progress = Callable[[int, int, float], None]
SMOKE_EPOCHS = 1


def trained(options: argparse.Namespace, folder: Path, heard: Progress) -> tuple[Path, Sequence[Any]]:
    """Trains the five folds and then a network on all shapes; returns its weights' path and the rows.

    A smoke run takes every twelfth shape, for one epoch.
    """
    from ecumene_models.pointnet_training import PointNetTraining
    from ecumene_world.learning.evaluation import train_all
    from ecumene_world.learning.furniture import fetch_furniture
    from ecumene_world.learning.shapes import load_shapes

    smoke = bool(getattr(options, "smoke", False))
    epochs = getattr(options, "iterations", None) or (SMOKE_EPOCHS if smoke else PointNetTraining().epochs)
    training = PointNetTraining(
        seed=getattr(options, "seed", 0), epochs=epochs, device=getattr(options, "device", "cpu")
    )
    shapes = load_shapes(options.data or fetch_furniture())
    return train_all(shapes.every(12) if smoke else shapes, training, folder, heard)
