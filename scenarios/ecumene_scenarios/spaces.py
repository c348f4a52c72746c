"""Gymnasium spaces of senses and actions: as a dictionary of named senses, or as one flat row of numbers."""

from __future__ import annotations

from typing import Any, Final

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecumene_sim.frame import ACTION_WIDTH, Actions, Senses

Row = NDArray[np.float32]

SENSES: Final = {
    "vision_depth": ((8, 24), 0.0, 30.0),
    "vision_kind": ((8, 24), 0.0, 15.0),
    "hearing": ((2, 8, 16), 0.0, 1.25),
    "touch": ((10,), 0.0, 50.0),
    "body": ((12,), -20.0, 20.0),
    "neighbours": ((8, 12), -50.0, 50.0),
    "goal": ((6,), -1000.0, 1000.0),
    "verb": ((1,), 0.0, 15.0),
    "present": ((3,), 0.0, 1.0),
}
"""Name → shape, least and greatest value; units are those of `ecumene_sim.frame.Senses`, values beyond are cut."""
EMOTES: Final = 5
WIDTH: Final = sum(int(np.prod(shape)) for shape, _, _ in SENSES.values())


def observation_space(*, flat: bool) -> gymnasium.Space[Any]:
    """What one agent perceives: `Box` (785,) when flat, else a `Dict` of one box a sense, all f32."""
    boxes = {name: gymnasium.spaces.Box(low, high, shape, np.float32) for name, (shape, low, high) in SENSES.items()}
    if not flat:
        return gymnasium.spaces.Dict(list(boxes.items()))
    low = np.concatenate([box.low.reshape(-1) for box in boxes.values()])
    high = np.concatenate([box.high.reshape(-1) for box in boxes.values()])
    return gymnasium.spaces.Box(low, high, dtype=np.float32)


def action_space() -> gymnasium.spaces.Box:
    """What one agent decides: `Box(-1, 1, (8,))`.

    Move forward and left (parts of the walking speed), turn (part of π, counter-clockwise), gaze yaw and pitch (parts
    of their limits), then use the nearest thing (above 0.5), emote (from 0 in fifths: none, wave, nod, cheer, point,
    dance) and greet aloud (above 0.5).
    """
    return gymnasium.spaces.Box(-1.0, 1.0, (ACTION_WIDTH,), np.float32)


def tensors(senses: Senses) -> dict[str, Tensor]:
    """The senses of all worlds by name, each (B, A, ...) f32 within the bounds of its space."""
    found = {}
    for name, (shape, low, high) in SENSES.items():
        values: Tensor = getattr(senses, name).to(torch.float32)
        found[name] = values.reshape(*values.shape[:2], *shape).clamp(low, high)
    return found


def columns(senses: Senses) -> dict[str, Row]:
    """The senses of world 0 by name, each (A, ...) f32 within the bounds of its space."""
    return {name: values[0].cpu().numpy() for name, values in tensors(senses).items()}


def observation(found: dict[str, Row], row: int, *, flat: bool) -> Any:
    """One agent's observation out of `columns`."""
    if flat:
        return np.concatenate([values[row].reshape(-1) for values in found.values()])
    return {name: values[row].copy() for name, values in found.items()}


def actions(slots: list[int], rows: list[Row]) -> Actions:
    """Rows of the action space as the engine's bytes, for the given slots of world 0."""
    if not slots:
        return Actions.none()
    values = torch.from_numpy(np.stack([np.asarray(row, np.float32) for row in rows]))
    return decided(torch.tensor(slots), values[None])


def decided(slots: Tensor, values: Tensor) -> Actions:
    """Rows of the action space, (B, A, 8), as the engine's bytes for the (A,) slots; what is no number counts as 0."""
    values = values.nan_to_num()
    emote = (values[..., 6].clamp(0, 1) * EMOTES).round()
    return Actions.from_floats(
        slots,
        values[..., 0:2],
        values[..., 2],
        values[..., 3:5],
        (values[..., 5] > 0.5).long(),
        emote.long(),
        (values[..., 7] > 0.5).long(),
    )
