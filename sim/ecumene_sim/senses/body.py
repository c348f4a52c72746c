"""What avatars know of themselves: how they move and hold themselves, what they need, and where they want to go."""

from __future__ import annotations

import torch
from torch import Tensor

from ecumene_sim.angles import into_frame
from ecumene_sim.senses.viewer import Viewers
from ecumene_world.state import Posture, State, Verb


def body(state: State, viewers: Viewers) -> Tensor:
    """Returns (B, A, 12) as `Senses.body` says."""
    slots = viewers.slots
    velocity = state.velocity.index_select(1, slots)
    ahead, left = into_frame(velocity[..., 0], velocity[..., 1], viewers.cos, viewers.sin)
    posture, held = state.posture.index_select(1, slots), state.held.index_select(1, slots)
    moving = torch.stack((ahead, left, state.yaw_rate.index_select(1, slots)), dim=-1)
    flags = torch.stack((posture == int(Posture.SIT), posture == int(Posture.LIE), held >= 0), dim=-1)
    gaze, needs = state.gaze.index_select(1, slots), state.needs.index_select(1, slots)
    return torch.cat((moving, gaze, flags.to(moving.dtype), needs), dim=-1)


def goal(state: State, viewers: Viewers) -> Tensor:
    """Returns (B, A, 6) as `Senses.goal` says; none for those who wait, or seek without knowing where."""
    slots = viewers.slots
    waypoint, end = state.waypoint.index_select(1, slots), state.goal.index_select(1, slots)
    way, rest = (point.permute(2, 0, 1)[:2] - viewers.at for point in (waypoint, end))
    ahead, left = into_frame(way[0], way[1], viewers.cos, viewers.sin)
    distance = (ahead * ahead + left * left).sqrt()
    remaining = (rest[0] * rest[0] + rest[1] * rest[1]).sqrt()
    climb = (state.goal_level.index_select(1, slots) - viewers.level).to(distance.dtype)
    wants, seeks = aims(state, slots)
    tokens = torch.stack((ahead, left, distance, remaining, climb, torch.ones_like(climb)), dim=-1)
    sought = _code_of(-1 - state.place.index_select(1, slots))
    return tokens * wants.to(tokens.dtype).unsqueeze(-1) + sought * seeks.unsqueeze(-1)


def aims(state: State, slots: Tensor) -> tuple[Tensor, Tensor]:
    """Returns which avatars know where they want to go, and which seek without knowing where, (B, A) bool each."""
    verb = state.verb.index_select(1, slots)
    nowhere = (state.place.index_select(1, slots) < 0) & (state.target.index_select(1, slots) < 0)
    seeks = ((verb == int(Verb.FIND)) | (verb == int(Verb.COME)) | (verb == int(Verb.LEAVE))) & nowhere
    return (verb != int(Verb.WAIT)) & ~seeks, seeks


def _code_of(sought: Tensor) -> Tensor:
    """Returns (B, A, 6) the code of (B, A) categories that are sought, zeros where it is none: see `Senses.goal`."""
    one, two, three, four = (((sought >> bit) & 1) * 2 - 1 for bit in range(4))
    code = torch.stack((one, two, torch.ones_like(one), three, four, torch.zeros_like(one)), dim=-1)
    return (code * (sought > 0).unsqueeze(-1)).to(torch.float32)
