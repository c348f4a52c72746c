"""One thing perceived by three senses at once, and the encoders of an image, of sound and of touch.

Absent senses are masked by the caller; an encoder is never given numbers that must not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Self

import torch
from torch import Tensor, nn

from ecumene_models.senses import SENSES

SIDE: Final = 8
MELS: Final = 20
READINGS: Final = 4
GLIMPSE: Final = 4 + READINGS
"""Numbers of one glimpse of touch: place x, y, heading cos, sin, and the readings along the way."""
SWEEP: Final = 0.7
"""Length of a glimpse; the image is 2 wide."""
IMAGE_TOKENS, SOUND_TOKENS = 4, 3
_REACH: Final = 0.28
"""Distance at which a reading counts for a third; neighbouring spots are 0.29 apart."""


@dataclass(frozen=True, slots=True)
class Percepts:
    """What three senses report of N things; every tensor is on one device.

    Attributes:
        image: (N, 2, 8, 8) f32, ink 0..1 and what is covered, 0 or 1.
        frames: (N, F, 20) f32, log-mel frames, oldest first.
        glimpses: (N, G, 8) f32, sweeps of a finger: start (-1..1), heading, four pressures; in order.
        present: (N, 3) bool, which of vision, hearing and touch work.
    """

    image: Tensor
    frames: Tensor
    glimpses: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.present)

    def rows(self, index: slice | Tensor) -> Self:
        """Returns the rows that `index` (slice, (M,) i64 or (N,) bool) selects."""
        return replace(self, **{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def chunks(self, size: int) -> Iterator[Self]:
        """Yields the rows in pieces of at most `size`."""
        for start in range(0, len(self), size):
            yield self.rows(slice(start, start + size))

    def to(self, device: torch.device | str) -> Self:
        """Returns the percepts on another device."""
        return replace(self, **{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def only(self, *senses: str) -> Self:
        """Returns the percepts with every sense but these taken away."""
        kept = torch.tensor([sense in senses for sense in SENSES], device=self.present.device)
        return replace(self, present=self.present & kept)

    @classmethod
    def cat(cls, percepts: Sequence[Percepts]) -> Self:
        """Joins percepts, rows in the given order."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: torch.cat([getattr(part, name) for part in percepts]) for name in names})


class LogMel(nn.Module):
    """Log-mel frames of N waves at once: 32 ms windows every 16 ms, 20 bands up to half the sample rate."""

    window: Tensor
    filters: Tensor

    def __init__(self, rate_hz: int, size: int = 256, hop: int = 128, bands: int = MELS) -> None:
        super().__init__()
        self.size, self.hop = size, hop
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        self.register_buffer("filters", mel_filters(rate_hz, size, bands), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        """Returns (N, F, bands) of (N, samples); each row is centred on its own mean, so that level counts little."""
        pieces = wave.unfold(1, self.size, self.hop) * self.window
        power = torch.view_as_real(torch.fft.rfft(pieces)).square().sum(-1)
        mels = (power @ self.filters + 1e-3).log()
        return 0.5 * (mels - mels.mean((1, 2), keepdim=True))


def mel_filters(rate_hz: int, size: int, bands: int) -> Tensor:
    """Returns (size / 2 + 1, bands) triangles that are evenly spaced on the mel scale from 60 Hz up.

    Source: O'Shaughnessy, Speech Communication (1987): mel = 2595 log10(1 + f / 700).
    """
    low, high = (2595 * torch.log10(1 + torch.tensor(hz) / 700) for hz in (60.0, rate_hz / 2))
    edges = 700 * (10 ** (torch.linspace(float(low), float(high), bands + 2) / 2595) - 1)
    hz = torch.linspace(0, rate_hz / 2, size // 2 + 1)[:, None]
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp_min(0)


class ImageEncoder(nn.Module):
    """Three convolutions over planes of 8 × 8; one token for each quarter, (N, 4, d)."""

    def __init__(self, d: int, width: int = 16, planes: int = 2) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(planes, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 3, padding=1, stride=2),
            nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
            nn.ReLU(),
        )
        self.token = nn.Linear(4 * 2 * width, d)

    def forward(self, image: Tensor) -> Tensor:
        """Encodes (N, planes, 8, 8)."""
        found = self.layers(image)
        count, channels = found.shape[:2]
        quarters = found.view(count, channels, 2, 2, 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(count, 4, channels * 4)
        tokens: Tensor = self.token(quarters)
        return tokens


class SoundEncoder(nn.Module):
    """Two convolutions over log-mel frames, then a GRU: its greatest, its middle and its last state, (N, 3, d)."""

    def __init__(self, d: int, width: int = 48, hidden: int = 48) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(MELS, width, 5, padding=2, stride=2),
            nn.ReLU(),
            nn.Conv1d(width, width, 5, padding=2, stride=2),
            nn.ReLU(),
        )
        self.memory = nn.GRU(width, hidden, batch_first=True)
        self.token = nn.Linear(hidden, d)

    def forward(self, frames: Tensor) -> Tensor:
        """Encodes (N, F, 20)."""
        states, last = self.memory(self.layers(frames.transpose(1, 2)).transpose(1, 2))
        half = states.shape[1] // 2
        kept = torch.stack((states.amax(1), states[:, half], last[0]), 1)
        tokens: Tensor = self.token(kept)
        return tokens


class TouchMap(nn.Module):
    """Puts the readings of all glimpses on one map of 8 × 8. What a finger felt stays where it was, in any order."""

    spots: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("spots", torch.linspace(-1, 1, SIDE, device="cpu"), persistent=False)

    def forward(self, glimpses: Tensor) -> Tensor:
        """Returns (N, 2, 8, 8) of (N, G, 8): mean pressure around each spot, and readings near it, at most 1.5."""
        start, heading, pressure = torch.split(glimpses, [2, 2, READINGS], dim=2)
        along = torch.linspace(0, SWEEP, READINGS, device=glimpses.device)[:, None]
        place = start[:, :, None] + along * heading[:, :, None]
        near = (-((place[..., None] - self.spots) ** 2) / _REACH**2).exp()
        across, down = near[..., 0, :].flatten(1, 2), near[..., 1, :].flatten(1, 2)
        count = down.transpose(1, 2) @ across
        felt = (down * pressure.flatten(1)[..., None]).transpose(1, 2) @ across
        return torch.stack((felt / (count + 0.1), count.clamp_max(1.5)), dim=1)
