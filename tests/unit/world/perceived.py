"""A few images and tones for the tests of the fusion testbed."""

from __future__ import annotations

import numpy as np
import torch

from ecumene_world.learning.perceiving import Digits
from ecumene_world.learning.spoken import SAMPLES, Spoken


def digits(count: int = 100) -> Digits:
    image = torch.rand(count, 8, 8, generator=torch.Generator().manual_seed(0))
    return Digits(image, torch.arange(count) % 10)


def spoken(voices: int = 10) -> Spoken:
    """Tones, whose pitch is the digit's and whose loudness does not change."""
    digit = np.tile(np.arange(10), voices)
    length = np.full(len(digit), 2000)
    time = np.arange(SAMPLES) / 8000
    sound = np.sqrt(2) * np.sin(2 * np.pi * (300 + 300 * digit[:, None]) * time)
    sound[:, 2000:] = 0
    return Spoken(sound.astype(np.float32), length, digit, np.repeat(np.arange(voices), 10))
