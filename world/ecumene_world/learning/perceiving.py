"""The fusion testbed: one digit is seen behind an occluder, heard in noise and felt by a finger, all at once.

How hard each sense has it is set by the constants of `Difficulty`: so that a vision expert by itself gets about half
right, touch two thirds and hearing nearly nine in ten, on validation data of a split of its own.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from math import pi
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ecumene_models.percepts import READINGS, SWEEP, LogMel, Percepts
from ecumene_world.errors import ImportFailed
from ecumene_world.learning.spoken import RATE_HZ, Spoken

SIDE: Final = 8
CLASSES: Final = 10
_HUM_S: Final = 30


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What stands between a digit and the senses.

    Attributes:
        covers: Occluders in front of the image.
        cover: Least and greatest side of an occluder, pixels of 8.
        grain: Standard deviation of the noise of a pixel; ink is 1.
        signal_db: Least and greatest ratio of speech to noise.
        glimpses: Times that the finger touches the image, each a short straight sweep.
        tremor: Standard deviation of the noise of one reading of pressure; ink is 1.
        drift: Standard deviation of the error of where the finger believes to be, pixels.
    """

    covers: int = 1
    cover: tuple[int, int] = (5, 7)
    grain: float = 0.15
    signal_db: tuple[float, float] = (-17.0, -5.0)
    glimpses: int = 10
    tremor: float = 0.2
    drift: float = 0.3


@dataclass(frozen=True, slots=True)
class Digits:
    """Handwritten digits.

    Attributes:
        image: (M, 8, 8) f32, ink 0..1.
        digit: (M,) i64.
    """

    image: Tensor
    digit: Tensor


@dataclass(frozen=True, slots=True)
class Part:
    """Images and sounds of one part of a split.

    Attributes:
        image: (M, 8, 8) f32.
        digit: (M,) i64.
        sound: (S, 6400) f32.
        length: (S,) i64 samples.
        said: (10, R) i64, rows of `sound` that say each digit.
        hum: (H,) f32 pink noise, root mean square 1.
    """

    image: Tensor
    digit: Tensor
    sound: Tensor
    length: Tensor
    said: Tensor
    hum: Tensor


def load_digits(path: Path) -> Digits:
    """Returns the handwritten digits of scikit-learn's `digits.csv.gz`.

    Raises:
        ImportFailed: The file is no table of 65 columns.
    """
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, delimiter=",", dtype=np.int64, ndmin=2)
    except (OSError, EOFError, ValueError) as error:
        raise ImportFailed(f"{path} holds no digits: {error}") from None
    if table.shape[1] != SIDE * SIDE + 1:
        raise ImportFailed(f"{path} has {table.shape[1]} columns; {SIDE * SIDE} pixels and a digit are expected")
    image = torch.from_numpy(table[:, :-1]).float().view(-1, SIDE, SIDE) / 16
    return Digits(image, torch.from_numpy(table[:, -1].copy()))


def split(digits: Digits, spoken: Spoken, seed: int) -> tuple[Part, Part, Part]:
    """Returns training, validation and test data: 60, 10 and 30 % of the images, and of the voices likewise."""
    draw = torch.Generator().manual_seed(seed)
    images = _shares(torch.randperm(len(digits.digit), generator=draw))
    voice = torch.from_numpy(spoken.voice)
    known = torch.from_numpy(np.unique(spoken.voice))
    voices = _shares(known[torch.randperm(len(known), generator=draw)])
    parts = []
    for rows, speakers in zip(images, voices, strict=True):
        heard = torch.isin(voice, speakers).nonzero()[:, 0]
        of = torch.from_numpy(spoken.digit)[heard]
        said = torch.stack([(of == digit).nonzero()[:, 0] for digit in range(CLASSES)])
        sound = torch.from_numpy(spoken.sound)[heard]
        length = torch.from_numpy(spoken.length)[heard]
        hum = pink(_HUM_S * RATE_HZ, draw)
        parts.append(Part(digits.image[rows], digits.digit[rows], sound, length, said, hum))
    return parts[0], parts[1], parts[2]


def pink(samples: int, draw: torch.Generator) -> Tensor:
    """Returns (samples,) noise whose power falls with frequency as that of speech roughly does, root mean square 1."""
    spectrum = torch.fft.rfft(torch.randn(samples, generator=draw))
    frequency = torch.arange(len(spectrum)).clamp_min(1).sqrt()
    noise: Tensor = torch.fft.irfft(spectrum / frequency, n=samples)
    return noise / noise.square().mean().sqrt()


def perceive(
    part: Part,
    rows: Tensor,
    difficulty: Difficulty,
    draw: torch.Generator,
    *,
    vary: bool = False,
) -> tuple[Percepts, Tensor]:
    """Returns what the senses report of the images of (N,) rows, each heard from a random voice, and (N,) digits.

    Args:
        part: Of the split.
        rows: Images.
        difficulty: Of each sense.
        draw: Draws everything that is left to chance.
        vary: Whether images are turned, moved and stretched a little before anything perceives them, to train on.
    """
    image, digit = part.image[rows], part.digit[rows]
    if vary:
        image = varied(image, draw)
    percepts = Percepts(
        image=seen(image, difficulty, draw),
        frames=heard(part, digit, difficulty, draw),
        glimpses=felt(image, difficulty, draw),
        present=torch.ones(len(rows), 3, dtype=torch.bool),
    )
    return percepts, digit


def varied(image: Tensor, draw: torch.Generator) -> Tensor:
    """Returns (N, 8, 8) images turned by some 8°, stretched by some 8 %, and moved by some 0.4 pixels."""
    count = len(image)
    angle, stretch_x, stretch_y, shear = 0.14 * torch.randn(4, count, generator=draw)
    scale = 0.08 / 0.14
    away = 0.1 * torch.randn(count, 2, generator=draw)
    row_x = torch.stack((1 + scale * stretch_x, -angle + scale * shear, away[:, 0]), 1)
    row_y = torch.stack((angle, 1 + scale * stretch_y, away[:, 1]), 1)
    grid = functional.affine_grid(torch.stack((row_x, row_y), 1), [count, 1, SIDE, SIDE], align_corners=False)
    moved: Tensor = functional.grid_sample(image[:, None], grid, align_corners=False)[:, 0]
    return moved


def seen(image: Tensor, difficulty: Difficulty, draw: torch.Generator) -> Tensor:
    """Returns (N, 2, 8, 8) what the eye reports: grainy ink, 0 where covered, and what is covered, 0 or 1."""
    count = len(image)
    least, greatest = difficulty.cover
    hidden = torch.zeros(count, SIDE, SIDE, dtype=torch.bool)
    place = torch.arange(SIDE)
    for _ in range(difficulty.covers):
        side = torch.randint(least, greatest + 1, (count, 2), generator=draw)
        start = (torch.rand(count, 2, generator=draw) * (SIDE - side + 1)).long()
        inside = (place >= start[..., None]) & (place < (start + side)[..., None])
        hidden |= inside[:, 0, :, None] & inside[:, 1, None, :]
    grainy = image + difficulty.grain * torch.randn(image.shape, generator=draw)
    return torch.stack((grainy.masked_fill(hidden, 0.0), hidden.float()), 1)


def heard(part: Part, digit: Tensor, difficulty: Difficulty, draw: torch.Generator) -> Tensor:
    """Returns (N, frames, bands) log-mel frames of each digit, said by a random voice in noise."""
    count, samples = len(digit), part.sound.shape[1]
    which = part.said[digit, torch.randint(part.said.shape[1], (count,), generator=draw)]
    sound, length = part.sound[which], part.length[which]
    late = (torch.rand(count, generator=draw) * (samples - length + 1)).long()
    place = torch.arange(samples) - late[:, None]
    said = sound.gather(1, place.clamp_min(0)).masked_fill(place < 0, 0.0)
    start = torch.randint(len(part.hum) - samples, (count, 1), generator=draw)
    noise = part.hum[start + torch.arange(samples)]
    low, high = difficulty.signal_db
    ratio = low + (high - low) * torch.rand(count, 1, generator=draw)
    frames: Tensor = _LOG_MEL(said + noise * 10 ** (-ratio / 20))
    return frames


_LOG_MEL: Final = LogMel(RATE_HZ)


def felt(image: Tensor, difficulty: Difficulty, draw: torch.Generator) -> Tensor:
    """Returns (N, glimpses, 8): where each sweep of a finger begins and heads (x, y, cos, sin), and four pressures."""
    count, glimpses = len(image), difficulty.glimpses
    start = torch.rand(count, glimpses, 2, generator=draw) * (SIDE - 2) + 0.5
    angle = 2 * pi * torch.rand(count, glimpses, generator=draw)
    heading = torch.stack((angle.cos(), angle.sin()), 2)
    along = torch.linspace(0, SWEEP * (SIDE - 1) / 2, READINGS)[:, None]
    place = start[:, :, None] + along * heading[:, :, None]
    # pixel i is centred at i; grid_sample wants -1..1 from the first centre to the last
    grid = place.flatten(1, 2)[:, :, None] * (2 / (SIDE - 1)) - 1
    ink = functional.grid_sample(image[:, None], grid, align_corners=True)[:, 0, :, 0].view(count, glimpses, READINGS)
    pressure = ink + difficulty.tremor * torch.randn(ink.shape, generator=draw)
    believed = start + difficulty.drift * torch.randn(start.shape, generator=draw)
    return torch.cat((believed * (2 / (SIDE - 1)) - 1, heading, pressure), 2)


def examples(
    part: Part, difficulty: Difficulty, times: int, seed: int, *, vary: bool = False
) -> tuple[Percepts, Tensor]:
    """Returns every image of a part perceived `times` times over, the same for the same arguments."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.arange(len(part.digit))
    found = [perceive(part, rows, difficulty, draw, vary=vary) for _ in range(times)]
    return Percepts.cat([percepts for percepts, _ in found]), part.digit.repeat(times)


def _shares(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    first, second = round(0.6 * len(rows)), round(0.7 * len(rows))
    return rows[:first], rows[first:second], rows[second:]
