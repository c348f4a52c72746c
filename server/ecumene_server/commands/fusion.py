"""The fusion testbed for `ecumene train` and `ecumene evaluate`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecumene_server.errors import UsageError

Progress = Callable[[int, int, float], None]
SMOKE_STEPS = 3


def trained(options: argparse.Namespace, folder: Path, heard: Progress) -> tuple[Path, Sequence[Any]]:
    """Trains and compares all methods with three seeds; returns the weights' path and the rows.

    `--data` names a folder that holds both the images and the spoken digits. A smoke run takes three steps with one
    seed.
    """
    from ecumene_models.classifier_training import ClassifierTraining
    from ecumene_world.datasets import RECIPES, fetch
    from ecumene_world.learning import spoken
    from ecumene_world.learning.fusing import SEEDS, Sizes, train_all
    from ecumene_world.learning.perceiving import load_digits

    if getattr(options, "device", "cpu") != "cpu":
        raise UsageError("fusion is trained on the CPU; leave --device out")
    smoke = bool(getattr(options, "smoke", False))
    steps = getattr(options, "iterations", None) or (SMOKE_STEPS if smoke else ClassifierTraining().steps)
    usual = ClassifierTraining(seed=getattr(options, "seed", 0), steps=steps)
    training = replace(usual, forming=min(steps, usual.forming), fusing=min(steps, usual.fusing))
    data = options.data
    images = load_digits(data / RECIPES["digits"].file_name if data else fetch("digits"))
    sounds = spoken.load_spoken(data / spoken.FILE if data else spoken.fetch_spoken())
    sizes = Sizes(1, 1, 1, 1) if smoke else Sizes()
    return train_all(images, sounds, training, folder, sizes=sizes, seeds=1 if smoke else SEEDS, progress=heard)


def shipped() -> Sequence[Any]:
    """Returns the comparison that came with this version."""
    from ecumene_world.learning.fusing import shipped_results

    return shipped_results()
