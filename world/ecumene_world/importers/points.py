"""Point clouds as arrays, whatever file they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.errors import Unfit

MAX_POINTS: Final = 50_000_000
MAX_BYTES: Final = 1 << 30
FEWEST_POINTS: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """N points.

    Attributes:
        xyz: (N, 3) in the file's unit and frame.
        rgb: (N, 3) sRGB, None if the file has no colours.
        unit_m: Metres per unit.
        notes: What was changed on the way.
    """

    xyz: NDArray[np.float64]
    rgb: NDArray[np.uint8] | None = None
    unit_m: float = 1.0
    notes: tuple[str, ...] = ()

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Points:
        """Returns some of the points."""
        return Points(self.xyz[which], None if self.rgb is None else self.rgb[which], self.unit_m, self.notes)

    def finite(self, name: str) -> Points:
        """Returns the points whose coordinates are finite numbers; sensors mark what they missed with others.

        Raises:
            ImportFailed: Half of the points or more are not finite, or too few are left.
        """
        good: NDArray[np.bool_] = np.all(np.isfinite(self.xyz), axis=1)
        lost = int((~good).sum())
        if lost * 2 > len(good):
            raise Unfit(f"{lost} of the {len(good)} points of {name} are not finite numbers")
        if len(good) - lost < FEWEST_POINTS:
            raise Unfit(f"{name} has {len(good) - lost} points; at least {FEWEST_POINTS} are needed")
        if not lost:
            return self
        kept = self.take(good)
        return Points(
            kept.xyz, kept.rgb, kept.unit_m, (*kept.notes, f"{lost} points that are no numbers were left out")
        )


def colours_of(columns: dict[str, NDArray[np.generic]]) -> NDArray[np.uint8] | None:
    """Returns (N, 3) sRGB from columns named red, green and blue: bytes, 16-bit values or shares 0..1."""
    if not {"red", "green", "blue"} <= columns.keys():
        return None
    rows = np.stack([np.asarray(columns[name], np.float64) for name in ("red", "green", "blue")], 1)
    rows = np.nan_to_num(rows)
    most = float(rows.max(initial=0.0))
    if most <= 1.0 and columns["red"].dtype.kind == "f":
        rows = rows * 255.0
    elif most > 255.0:
        rows = rows / 257.0
    return np.asarray(np.clip(np.round(rows), 0, 255), np.uint8)
