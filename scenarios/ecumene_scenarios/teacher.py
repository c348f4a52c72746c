"""The teacher that minds imitate first: it knows the ground around everybody and where everybody goes.

Of a fan of velocities it picks the one that best trades progress against coming near to walls and people. Its pupils
have to find out with their senses what it is told.

Source: learning from a privileged teacher follows Chen et al. 2019, Learning by cheating.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import torch
from torch import Tensor

from ecumene_agents import scripted
from ecumene_agents.vectors import angle, heading, length, unit
from ecumene_models.actions import PolicyActions
from ecumene_models.senses import SenseBatch
from ecumene_scenarios.packs.task import Task
from ecumene_sim.frame import MAX_GAZE
from ecumene_world import grid
from ecumene_world.layout import Layout
from ecumene_world.state import State
from ecumene_world.world import World

LOOK_DOWN: Final = -0.35
"""Pitch of the gaze while walking, radians: low things stay in view until they are a step away."""

_DIRECTIONS: Final = 20
_PACES: Final = (1.0, 0.65, 0.3)
_KEEP_RIGHT: Final = 0.08
"""Cost of the left half of the fan, so that people pass each other on the right."""
_AHEAD_S: Final = (0.2, 0.4, 0.65, 0.9, 1.2)
_WALL_M: Final = 0.3
"""Gap between body and wall from which on it is far enough."""
_WALL: Final = 1.6
_BODY_M: Final = 0.25
_HORIZON_S: Final = 2.5
_NEAREST: Final = 6
_GAPS: Final = ((0.06, 1.4), (0.18, 0.5))
"""Gaps between bodies that should be kept, metres, and what it costs to be about to lose them."""
_FAR_M: Final = 1e3
_PARTS: Final = ("move", "turn", "gaze", "interact", "emote", "speak")


_ROOM: Final = 1.0
"""What it costs to be about to lose the room that one should keep."""


def walk(state: State, layout: Layout, way: Tensor, rows: Tensor, room: Tensor | None = None) -> Tensor:
    """Returns the (N, 2) velocity that the teacher wants, in parts of the top speed, body frame.

    Args:
        state: Of B worlds with C slots.
        layout: Of these worlds.
        way: (N, 2) where to head for, metres from the body, world axes.
        rows: (N,) i64 which of the B·C slots.
        room: (N,) gap to keep between bodies, metres; 0 or None for no more than everybody keeps.
    """
    world, slot = rows // state.slots, rows % state.slots
    speed = state.max_speed[world, slot][:, None]
    wish = unit(way) * (length(way) / 0.6).clamp(max=1.0)[:, None] * speed
    tried = _fan(wish)
    now = state.velocity[world, slot][:, None, :2]
    left = torch.sin(angle(tried) - angle(wish)[:, None])
    cost = length(tried - wish[:, None]) + 0.15 * length(tried - now) + _KEEP_RIGHT * left
    cost = cost + _beside_walls(state, layout, tried, world, slot) + _beside_people(state, tried, world, slot, room)
    best = tried.gather(1, cost.argmin(dim=1)[:, None, None].expand(-1, 1, 2))[:, 0] / speed
    yaw = state.yaw[world, slot]
    cos, sin = yaw.cos(), yaw.sin()
    return torch.stack((cos * best[:, 0] + sin * best[:, 1], cos * best[:, 1] - sin * best[:, 0]), dim=-1)


def guided(scenario: Task, world: World, senses: SenseBatch, rows: Tensor, move: Tensor | None = None) -> PolicyActions:
    """Returns what the teacher would do in the place of N agents of a task.

    Args:
        scenario: The task.
        world: Where they are.
        senses: What they perceive, N rows.
        rows: (N,) i64 which of the B·C slots.
        move: (N, 2) how they walk, body frame, where that is left to them; None where the teacher walks, too.
    """
    state = world.state
    told, point = scenario.guide(world, senses, rows)
    if move is None:
        end = torch.where(told[:, None], point, state.waypoint.flatten(0, 1)[rows, :2])
        way = end - state.position.flatten(0, 1)[rows, :2]
        move = walk(state, world.layout, way, rows, scenario.room(state).flatten()[rows])
    stands, uses, errand = (
        part.flatten()[rows] for part in (scenario.standing(state), scenario.uses(state), scenario.taught(state))
    )
    move, face = move.masked_fill(stands[:, None], 0.0), _bearings(scenario, state, rows)
    return lesson(senses, move, errand=errand, told=told & scenario.turns_first, face=face, uses=uses)


def _bearings(scenario: Task, state: State, rows: Tensor) -> Tensor:
    """Where agents should face while they stand, (N,) radians in the body frame; NaN for anywhere."""
    turns, point = (part.flatten(0, 1)[rows] for part in scenario.faces(state))
    bearing = angle(point - state.position.flatten(0, 1)[rows, :2]) - state.yaw.flatten()[rows]
    return torch.atan2(bearing.sin(), bearing.cos()).masked_fill(~turns, math.nan)


def _fan(wish: Tensor) -> Tensor:
    """Returns the (N, V, 2) velocities tried for (N, 2) wanted ones; the last is to stand."""
    turn = torch.arange(_DIRECTIONS, device=wish.device) * (2 * math.pi / _DIRECTIONS)
    fan = heading(angle(wish)[:, None] + turn)
    paces = torch.tensor(_PACES, device=wish.device)
    tried = (fan[:, :, None] * paces[:, None] * length(wish)[:, None, None, None]).flatten(1, 2)
    return torch.cat((tried, torch.zeros_like(tried[:, :1])), dim=1)


def _beside_walls(state: State, layout: Layout, tried: Tensor, world: Tensor, slot: Tensor) -> Tensor:
    """Returns the (N, V) cost of how near walls the (N, V, 2) velocities lead."""
    at, level = state.position[world, slot][:, None, :2], state.level[world, slot][:, None]
    worst = torch.zeros_like(tried[..., 0])
    for seconds in _AHEAD_S:
        point = at + tried * seconds
        gap = grid.sample(layout, layout.clearance, level.expand(point.shape[:-1]), point) - _BODY_M
        danger = (1 - gap / _WALL_M).clamp(0.0, 1.5)
        worst = torch.maximum(worst, _WALL * danger * danger / (0.6 + seconds))
    return worst


def _beside_people(state: State, tried: Tensor, world: Tensor, slot: Tensor, room: Tensor | None) -> Tensor:
    """Returns the (N, V) cost of how near others the (N, V, 2) velocities lead, and how soon."""
    others = state.alive[world] & (torch.arange(state.slots, device=world.device) != slot[:, None])
    offset = (state.position[world] - state.position[world, slot][:, None])[..., :2]
    offset = offset.masked_fill(~others[..., None], _FAR_M)
    near = length(offset).topk(min(_NEAREST, state.slots), dim=1, largest=False).indices[..., None].expand(-1, -1, 2)
    motion = state.velocity[world][..., :2].gather(1, near)
    place = offset.gather(1, near)[:, None]
    relative = tried[:, :, None] - motion[:, None]
    danger = [weight * _danger(relative, place, 2 * _BODY_M + gap) for gap, weight in _GAPS]
    if room is not None and bool((room > 0).any()):
        asked = room[:, None, None]
        danger.append(_ROOM * (asked > 0) * _danger(relative, place, 2 * _BODY_M + asked))
    return torch.stack(danger).sum(dim=0).amax(dim=-1)


def _danger(relative: Tensor, place: Tensor, reach: float | Tensor) -> Tensor:
    """Returns how soon (..., 2) relative velocities bring two centres within `reach`: large now, 0 from the horizon."""
    closing = (relative * place).sum(dim=-1)
    speed2 = (relative * relative).sum(dim=-1).clamp(min=1e-6)
    gap2 = (place * place).sum(dim=-1) - reach * reach
    root = closing * closing - speed2 * gap2
    time = (closing - root.clamp(min=0.0).sqrt()) / speed2
    hits = (root > 0) & (closing > 0) & (time < _HORIZON_S)
    soon = (0.6 / time.clamp(min=0.15) - 0.6 / _HORIZON_S).masked_fill(~hits, 0.0)
    return torch.where((gap2 < 0) & (closing > 0), 3.0 + closing.clamp(max=2.0), soon)


def lesson(
    senses: SenseBatch,
    move: Tensor,
    *,
    errand: Tensor,
    told: Tensor,
    face: Tensor | None = None,
    uses: Tensor | None = None,
) -> PolicyActions:
    """Returns what N pupils should do: walk as given and look where they go, or copy the scripted controller.

    Args:
        senses: N rows.
        move: (N, 2) velocity in parts of the top speed, body frame; zero for those who stand.
        errand: (N,) bool, who does what only the scripted controller knows.
        told: (N,) bool, who walks to where nobody told it. Ears can't tell ahead from behind, so these turn before
            they walk, and never walk backwards.
        face: (N,) bearing that they should face while they stand, radians; NaN or None for where they look anyway.
        uses: (N,) bool, who should use what is at hand.
    """
    walks = length(move) > 1e-3
    bearing = angle(move) * walks
    if face is not None:
        bearing = torch.where(walks | face.isnan(), bearing, face.nan_to_num())
    forward = torch.stack((move[:, 0].clamp(min=0.0), move[:, 1]), dim=-1)
    gaze = torch.stack(((bearing * (0.5 / MAX_GAZE[0])).clamp(-1, 1), walks * (LOOK_DOWN / MAX_GAZE[1])), dim=-1)
    nothing = torch.zeros_like(senses.verb)
    actions = PolicyActions(
        move=torch.where(told[:, None], forward, move),
        turn=bearing / math.pi,
        gaze=gaze,
        interact=nothing if uses is None else uses.long(),
        emote=nothing,
        speak=nothing,
    )
    rows = errand.nonzero().flatten()
    copied = scripted.act(senses.rows(rows))
    parts = {name: getattr(actions, name).index_copy(0, rows, getattr(copied, name)) for name in _PARTS}
    return replace(actions, **parts)
