"""How avatars move: what they intend, turning, speeding up, and standing on the floor below them."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.angles import out_of_frame, wrap
from ecumene_sim.frame import MAX_GAZE, MAX_TURN, Actions
from ecumene_sim.terrain import Terrain
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import DT, Posture, Sound, State

RUN_SPEED: Final = 3.0
"""Fastest a visitor moves, m/s; others are held to their own `max_speed`."""
ACCELERATION: Final = 4.0
"""m/s²."""
TURN_RATE: Final = 4.0
"""rad/s."""
GAZE_RATE: Final = 6.0
"""rad/s."""
EMOTE_S: Final = 2.0
"""How long an emote lasts, seconds."""
GREETING_DB: Final = 62.0
"""Loudness of a greeting at one metre."""
_VISITOR: Final = BY_NAME["visitor"].code


def intend(state: State, actions: Actions) -> None:
    """Writes what A avatars decided into the wishes of the state."""
    slots, wish = actions.slots, actions.raw.to(torch.float32) * (1.0 / 127.0)
    if not len(slots):
        return
    yaw, speed = state.yaw.index_select(1, slots), state.max_speed.index_select(1, slots)
    length = (wish[..., 0] * wish[..., 0] + wish[..., 1] * wish[..., 1]).sqrt().clamp(min=1.0)
    speed = speed / length
    x, y = out_of_frame(wish[..., 0] * speed, wish[..., 1] * speed, yaw.cos(), yaw.sin())
    state.desired_velocity.index_copy_(1, slots, torch.stack((x, y), dim=-1))
    state.target_yaw.index_copy_(1, slots, wrap(yaw + wish[..., 2] * MAX_TURN))
    gaze = torch.stack((wish[..., 3] * MAX_GAZE[0], wish[..., 4] * MAX_GAZE[1]), dim=-1)
    state.target_gaze.index_copy_(1, slots, gaze)
    _intend_gestures(state, slots, actions.raw[..., 5:8].long())


def _intend_gestures(state: State, slots: Tensor, wish: Tensor) -> None:
    """Writes wishes to interact, emote and speak, (B, A, 3) i64; a wish already pending or under way is kept."""
    pending = state.interact.index_select(1, slots)
    state.interact.index_copy_(1, slots, torch.maximum(pending, wish[..., 0].clamp(0, 1)))
    emote, left = state.emote.index_select(1, slots), state.emote_left.index_select(1, slots)
    begins = (wish[..., 1] > 0) & (left <= 0)
    state.emote.index_copy_(1, slots, torch.where(begins, wish[..., 1].clamp(0, 5), emote))
    state.emote_left.index_copy_(1, slots, left.masked_fill(begins, EMOTE_S))
    sound = state.sound.index_select(1, slots)
    speaks = (wish[..., 2] > 0) & (sound != Sound.SPEECH) & (sound != Sound.CALL)
    state.sound.index_copy_(1, slots, sound.masked_fill(speaks, int(Sound.SPEECH)))
    state.sound_age.index_copy_(1, slots, state.sound_age.index_select(1, slots).masked_fill(speaks, 0))
    state.loudness.index_copy_(1, slots, state.loudness.index_select(1, slots).masked_fill(speaks, GREETING_DB))


def standing(state: State) -> Tensor:
    """Returns (B, C) f32: 1 for living avatars on their feet, 0 for seated ones and empty slots."""
    return (state.alive & (state.posture == int(Posture.STAND))).to(torch.float32)


def turn(state: State, on_feet: Tensor) -> None:
    """Turns bodies of those on their feet, and everyone's head, towards where they want to look."""
    step = wrap(state.target_yaw - state.yaw).clamp_(-TURN_RATE * DT, TURN_RATE * DT).mul_(on_feet)
    state.yaw.copy_(wrap(state.yaw + step))
    torch.mul(step, 1.0 / DT, out=state.yaw_rate)
    state.gaze.add_((state.target_gaze - state.gaze).clamp_(-GAZE_RATE * DT, GAZE_RATE * DT))
    state.gaze[..., 0].clamp_(-MAX_GAZE[0], MAX_GAZE[0])
    state.gaze[..., 1].clamp_(-MAX_GAZE[1], MAX_GAZE[1])


def accelerate(state: State, on_feet: Tensor) -> None:
    """Brings velocities nearer to the desired ones, at most `ACCELERATION`; those not on their feet rest."""
    limit = state.max_speed.masked_fill(state.kind == _VISITOR, RUN_SPEED)
    now = state.velocity[..., :2]
    step = _shortened(_shortened(state.desired_velocity, limit) - now, ACCELERATION * DT)
    torch.mul(now + step, on_feet.unsqueeze(-1), out=now)


def _shortened(vectors: Tensor, limit: Tensor | float) -> Tensor:
    """Returns (..., 2) vectors made no longer than a limit."""
    length = (vectors[..., 0] * vectors[..., 0]).addcmul_(vectors[..., 1], vectors[..., 1]).sqrt_()
    scale = (limit / length.clamp_(min=1e-6)).clamp_(max=1.0)
    return vectors * scale.unsqueeze(-1)


def climb(state: State, terrain: Terrain, at: Tensor, on_feet: Tensor) -> None:
    """Moves those on their feet to (2, B·C) points: on to the next storey where a stair ends, and onto the floor.

    Vertical velocity becomes what the floor made of it.
    """
    at = at.view(2, *state.level.shape)
    if terrain.levels > 1:
        there = terrain.next_level(state.level, at)
        here_clear, there_clear = (terrain.sample(terrain.near, level, at)[0] for level in (state.level, there))
        passes = (on_feet > 0) & (there_clear >= torch.minimum(here_clear, state.radius - 0.02))
        state.level.copy_(torch.where(passes, there, state.level))
    z = terrain.sample(terrain.floor, state.level, at)[0]
    torch.mul((z - state.position[..., 2]).mul_(1.0 / DT), on_feet, out=state.velocity[..., 2])
    arrived = torch.stack((at[0], at[1], z), dim=-1)
    state.position.copy_(torch.where(on_feet.unsqueeze(-1) > 0, arrived, state.position))
