"""The segmenter for `ecumene train` and `ecumene evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Progress = Callable[[int, int, float], None]
SMOKE_STEPS = 2


def trained(options: argparse.Namespace, folder: Path, heard: Progress) -> tuple[Path, Sequence[Any]]:
    """Trains the networks of five folds and then one on all scans; returns its weights' path and the rows.

    `--data` names a folder that holds both the furniture package and the file of rooms. A smoke run scans one room a
    fold and takes two steps.
    """
    from ecumene_models.segmenter_training import SegmenterTraining
    from ecumene_world.datasets import RECIPES
    from ecumene_world.learning import furniture
    from ecumene_world.learning.rooms import rooms
    from ecumene_world.learning.scans import a_few, load_scans
    from ecumene_world.learning.segmenting import train_all
    from ecumene_world.learning.surfaces import load_surfaces

    smoke = bool(getattr(options, "smoke", False))
    steps = getattr(options, "iterations", None) or (SMOKE_STEPS if smoke else SegmenterTraining().steps)
    training = SegmenterTraining(
        seed=getattr(options, "seed", 0), steps=steps, device=getattr(options, "device", "cpu")
    )
    data = options.data
    package = data / furniture.FILE if data else furniture.fetch_furniture()
    held = rooms(data / RECIPES["rooms"].file_name if data else None)
    kept = folder / "scans" if smoke else package.parent
    scans = load_scans(a_few(held) if smoke else held, load_surfaces(package), kept)
    return train_all(scans, training, folder, heard)


def shipped() -> Sequence[Any]:
    """Returns the comparison that was made when the shipped weights were trained."""
    from ecumene_world.learning.segmenting import shipped_results

    return shipped_results()
