"""What a mind perceives, as tensors with one row per avatar.

The sizes are those of the senses of `ecumene_sim`; they stand here because weights are shaped by them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Self

import torch
from torch import Tensor

from ecumene_models.errors import SensesError

SENSES: Final = ("vision", "hearing", "touch")
"""Senses that can be absent, in the order of `SenseBatch.present`."""

ROWS, COLUMNS = 8, 24
EARS, FRAMES, BANDS = 2, 8, 16
TOUCH, BODY, GOAL = 10, 12, 6
NEIGHBOURS, NEIGHBOUR, RELATIONS = 8, 12, 8
SPEAKING: Final = 11
"""Column of a neighbour that says whether it speaks. That is heard, so it counts only where hearing does."""
CATEGORIES, VERBS = 16, 16
VIEW: Final = (math.radians(150), math.radians(60))
"""Width and height of the field of view, radians."""
PASSABLE: Final = frozenset({0, 1, 4, 8, 12, 14, 15})
"""Categories of vision that don't bar the way: sky, ground, doors, streets, small items; avatars come as neighbours."""

_SHAPES: Final = {
    "vision_depth": (ROWS, COLUMNS),
    "vision_kind": (ROWS, COLUMNS),
    "hearing": (EARS, FRAMES, BANDS),
    "touch": (TOUCH,),
    "body": (BODY,),
    "neighbours": (NEIGHBOURS, NEIGHBOUR),
    "neighbour_present": (NEIGHBOURS,),
    "relations": (NEIGHBOURS, RELATIONS),
    "goal": (GOAL,),
    "verb": (),
    "present": (len(SENSES),),
}


@dataclass(frozen=True, slots=True)
class SenseBatch:
    """Senses of N avatars at one instant; every tensor is on one device.

    Attributes:
        vision_depth: (N, 8, 24) f32, distance along each ray, m.
        vision_kind: (N, 8, 24) u8, category that each ray meets.
        hearing: (N, 2, 8, 16) f32, log-mel of left and right ear, newest frame last, about 0..1.
        touch: (N, 10) f32, forces / 100 N: eight body sectors, hand, standing load.
        body: (N, 12) f32, proprioception.
        neighbours: (N, 8, 12) f32, nearest avatars in the body frame, m and m/s.
        neighbour_present: (N, 8) bool, which rows of `neighbours` hold someone.
        relations: (N, 8, 8) bool, how each neighbour is related to me, to things and to places: in my place, on a
            thing, next to my goal, facing me, against a wall, in a doorway, part of what I sit on or hold, holding.
        goal: (N, 6) f32, waypoint dx, dy in the body frame, distance, goal distance (m), level difference, has goal.
        verb: (N,) i64, what the avatar intends.
        present: (N, 3) bool, which of vision, hearing and touch work.
    """

    vision_depth: Tensor
    vision_kind: Tensor
    hearing: Tensor
    touch: Tensor
    body: Tensor
    neighbours: Tensor
    neighbour_present: Tensor
    relations: Tensor
    goal: Tensor
    verb: Tensor
    present: Tensor

    def __len__(self) -> int:
        return self.verb.shape[0]

    def tensors(self) -> dict[str, Tensor]:
        """Returns the tensors by name, in the order of the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def rows(self, index: slice | Tensor) -> Self:
        """Returns the rows that `index` (slice, (M,) i64 or (N,) bool) selects."""
        return replace(self, **{name: tensor[index] for name, tensor in self.tensors().items()})

    def to(self, device: torch.device | str) -> Self:
        """Returns the batch on another device."""
        return replace(self, **{name: tensor.to(device) for name, tensor in self.tensors().items()})

    def chunks(self, size: int) -> Iterator[Self]:
        """Yields the rows in pieces of at most `size`."""
        for start in range(0, len(self), size):
            yield self.rows(slice(start, start + size))

    def trusted(self) -> Self:
        """Returns the batch in which what is no finite number doesn't count; no row changes because of another.

        A sense of an avatar that reports NaN or infinity counts as absent, as does vision that reports a category that
        there is none of, and such a neighbour; such numbers of body and goal count as zero. Nothing is read back from
        the device.

        Raises:
            SensesError: A tensor has another shape than an attribute says, relations are not bool, or categories no
                bytes.
        """
        self._check()
        sees = _finite(self.vision_depth.flatten(1)) & (self.vision_kind.flatten(1).amax(dim=1) < CATEGORIES)
        counted = self.present & torch.stack((sees, _finite(self.hearing.flatten(1)), _finite(self.touch)), dim=1)
        return replace(
            self,
            present=counted,
            neighbour_present=self.neighbour_present & _finite(self.neighbours),
            body=self.body.nan_to_num(0.0, 0.0, 0.0),
            goal=self.goal.nan_to_num(0.0, 0.0, 0.0),
        )

    def _check(self) -> None:
        count = self.verb.shape[:1]
        for name, shape in _SHAPES.items():
            found, wanted = getattr(self, name).shape, (*count, *shape)
            if found != wanted:
                raise SensesError(
                    f"{name} of {count[0] if count else 0} avatars has the shape {tuple(found)}, not {wanted}"
                )
        for name, dtype in (("relations", torch.bool), ("vision_kind", torch.uint8)):
            given = getattr(self, name).dtype
            if given != dtype:
                raise SensesError(f"{name} must be {dtype}, not {given}")

    def without(self, sense: str) -> Self:
        """Returns the batch with one of `SENSES` taken away from every avatar."""
        present = self.present.clone()
        present[:, SENSES.index(sense)] = False
        return replace(self, present=present)

    def alone(self) -> Self:
        """Returns the batch with every neighbour taken away."""
        return replace(self, neighbour_present=torch.zeros_like(self.neighbour_present))

    def unmet(self, neighbour: int) -> Self:
        """Returns the batch with one of the neighbours, 0..7, taken away from every avatar."""
        here = self.neighbour_present.clone()
        here[:, neighbour] = False
        return replace(self, neighbour_present=here)

    @classmethod
    def cat(cls, batches: Sequence[SenseBatch]) -> Self:
        """Joins batches, rows in the given order."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: torch.cat([getattr(batch, name) for batch in batches]) for name in names})

    @classmethod
    def zeros(cls, count: int, device: torch.device | str = "cpu") -> Self:
        """Returns `count` avatars with all senses present, that perceive nothing."""
        dtypes = {"vision_kind": torch.uint8, "neighbour_present": torch.bool, "relations": torch.bool}
        dtypes["verb"] = torch.int64
        made = {
            name: torch.zeros((count, *shape), dtype=dtypes.get(name, torch.float32), device=device)
            for name, shape in _SHAPES.items()
        }
        made["present"] = torch.ones((count, len(SENSES)), dtype=torch.bool, device=device)
        return cls(**made)


def _finite(reported: Tensor) -> Tensor:
    """Returns where (..., K) numbers are all finite: (...) bool; one sum is quicker than a look at each."""
    return reported.sum(dim=-1).isfinite()
