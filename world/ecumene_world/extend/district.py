"""What an admin asks for: a type, a seed, wishes, a size and where."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from math import isfinite
from typing import Final

from ecumene_world.errors import RequestError
from ecumene_world.generate import TYPES, Size, check_request
from ecumene_world.validate import MAX_COORDINATE_M

KINDS: Final = {kind: size for kind, size in TYPES.items() if kind != "arena"}
"""What a district can be; arenas have walls all round."""


@dataclass(frozen=True, slots=True)
class District:
    """A wish for a district.

    Attributes:
        kind: One of `KINDS`.
        seed: Any whole number from 0.
        tags: Wishes that the kind knows.
        size_m: Edge length; the kind's usual one if None.
        at: x, y of its middle, metres; None for a free plot beside what is there.
    """

    kind: str
    seed: int = 0
    tags: tuple[str, ...] = ()
    size_m: float | None = None
    at: tuple[float, float] | None = None

    def check(self) -> None:
        """Checks what can be checked without a world.

        Raises:
            RequestError: The kind, a tag, the seed, the size or the point is not one that can be had.
        """
        if self.kind not in KINDS:
            near = difflib.get_close_matches(self.kind, KINDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RequestError(f"{self.kind!r} can't be a district, but {', '.join(KINDS)} can{hint}")
        check_request(self.kind, self.seed, self.tags, self.size_m)
        if self.at is not None and not all(isfinite(part) and abs(part) <= MAX_COORDINATE_M - 1e3 for part in self.at):
            most = f"{(MAX_COORDINATE_M - 1e3) / 1e3:g} km"
            raise RequestError(f"the point {self.at} lies off limits: at most {most} from the middle of the world")

    @property
    def size(self) -> Size:
        """Usual, least and greatest edge of its kind, metres."""
        return KINDS[self.kind]
