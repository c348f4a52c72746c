"""The layout GAN for `ecumene train` and `ecumene evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Progress = Callable[[int, int, float], None]


def trained(options: argparse.Namespace, folder: Path, heard: Progress) -> tuple[Path, Sequence[Any]]:
    """Trains the five folds and then a network on all rooms; returns its weights' path and the rows.

    A smoke run takes some forty of the rooms, for one epoch and one round.
    """
    from ecumene_models.layout_training import LayoutTraining
    from ecumene_world.learning.arrangements import arrangements
    from ecumene_world.learning.arranging import trained as compared

    smoke = bool(getattr(options, "smoke", False))
    usual = LayoutTraining()
    training = LayoutTraining(
        seed=getattr(options, "seed", 0),
        epochs=getattr(options, "iterations", None) or (1 if smoke else usual.epochs),
        rounds=1 if smoke else usual.rounds,
    )
    rooms = arrangements(options.data)
    return compared(rooms[:: max(1, len(rooms) // 40)] if smoke else rooms, training, folder, heard)


def shipped() -> Sequence[Any]:
    """Returns the comparison that was made when the shipped weights were trained."""
    from ecumene_world.learning.arranging import shipped_results

    return shipped_results()
