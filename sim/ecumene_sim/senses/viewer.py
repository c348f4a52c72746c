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
        at: (2, B, A) metres.
        z: Of the feet, metres.
        eye: Height of the eyes, metres.
        cos: Of the body's heading; also sin.
        head_cos: Of the body's heading plus gaze yaw; also head_sin.
        pitch: Radians, up positive.
        level: i64.
    """

    slots: Tensor
    at: Tensor
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
        position = state.position.index_select(1, slots)
        x, y, z = position.permute(2, 0, 1).contiguous().unbind()
        at = torch.stack((x, y))
        yaw, gaze = state.yaw.index_select(1, slots), state.gaze.index_select(1, slots)
        posture = state.posture.index_select(1, slots)
        eye = state.height.index_select(1, slots) * EYE_SHARE
        for held, height in EYE_M.items():
            eye.masked_fill_(posture == int(held), height)
        head, pitch = yaw + gaze[..., 0], gaze[..., 1].contiguous()
        level = state.level.index_select(1, slots)
        return cls(slots, at, z, z + eye, yaw.cos(), yaw.sin(), head.cos(), head.sin(), pitch, level)

    @property
    def shape(self) -> tuple[int, int]:
        """(B, A)."""
        return self.z.shape[0], self.z.shape[1]
