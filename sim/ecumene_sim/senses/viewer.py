"""The avatars that sense now: where their eyes and ears are and which way they face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_world.state import Posture, State

EYE_SHARE: Final = 0.94
"""Height of the eyes of one who stands, share of the body's height."""
EYE_M: Final = {Posture.SIT: 1.15, Posture.LIE: 0.6}
"""Height of the eyes above the floor when seated or lying, metres."""


@dataclass(frozen=True, slots=True, eq=False)
class Viewers:
    """A sensing avatars of each of B worlds; every tensor is (B, A) unless said otherwise.

    Attributes:
        slots: (A,) i64.
        x: metres; also y, z (the feet), eye (height of the eyes).
        cos: Of the body's heading; also sin.
        head_cos: Of the body's heading plus gaze yaw; also head_sin.
        pitch: Radians, up positive.
        level: i64.
    """

    slots: Tensor
    x: Tensor
    y: Tensor
    z: Tensor
    eye: Tensor
    cos: Tensor
    sin: Tensor
    head_cos: Tensor
    head_sin: Tensor
    pitch: Tensor
    level: Tensor

    @classmethod
    def of(cls, state: State, slots: Tensor) -> Viewers:
        """Returns the avatars in those slots."""
        x, y, z = state.position.index_select(1, slots).unbind(dim=-1)
        yaw, gaze = state.yaw.index_select(1, slots), state.gaze.index_select(1, slots)
        posture = state.posture.index_select(1, slots)
        eye = state.height.index_select(1, slots) * EYE_SHARE
        for held, height in EYE_M.items():
            eye = eye.masked_fill(posture == int(held), height)
        head = yaw + gaze[..., 0]
        level = state.level.index_select(1, slots)
        return cls(
            slots, x, y, z, z + eye, yaw.cos(), yaw.sin(), head.cos(), head.sin(), gaze[..., 1].contiguous(), level
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(B, A)."""
        return self.x.shape[0], self.x.shape[1]

    @property
    def world(self) -> Tensor:
        """(B, 1) i64 index of each world."""
        return torch.arange(self.x.shape[0], device=self.x.device).unsqueeze(1)
