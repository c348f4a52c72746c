"""The scripted baseline: a controller written by hand, a pure function of the same senses that minds get.

It stands in for a trained policy, is the bar that one must pass, and teaches it the first steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.steering import BODY_RADIUS_M, Situation, steer, walls_seen
from ecumene_agents.vectors import angle, heading, length, shortened, unit
from ecumene_models.actions import PolicyActions
from ecumene_models.senses import COLUMNS, SENSES, VERBS, SenseBatch
from ecumene_sim.frame import MAX_GAZE, Actions, Senses
from ecumene_world.kinds import Category
from ecumene_world.state import Emote, Verb

ARRIVED_M: Final[Mapping[int, float]] = {
    Verb.FOLLOW: 1.5,
    Verb.GREET: 1.3,
    Verb.FIND: 0.5,
    Verb.COME: 1.1,
    Verb.HAND_OVER: 0.9,
    Verb.GATHER: 1.8,
    Verb.WORK: 0.5,
}
"""How near the goal, m, an avatar stops; `AT_GOAL_M` for all other verbs."""
AT_GOAL_M: Final = 0.35
KEEP_CLEAR_M: Final = 4.0
"""From how far AVOID begins to keep away from others."""

_MARGIN_M: Final = 0.12
_NOBODY_M: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Company:
    """The neighbours of N avatars at a glance.

    Attributes:
        place: (N, 8, 2) relative position, m; far away where there is none.
        distance: (N, 8) m.
        target: (N, 8) bool, whom the intent is about.
        speaking: (N, 8) bool.
        meets: (N,) bool, GREET and whom it is about is within reach of the voice.
    """

    place: Tensor
    distance: Tensor
    target: Tensor
    speaking: Tensor
    meets: Tensor


def decide(senses: Senses) -> Actions:
    """Decides for all sensed slots."""
    return actions_of(senses.slots, act(batch_of(senses)))


def act(senses: SenseBatch) -> PolicyActions:
    """Returns the actions of N avatars; the same senses always give the same actions."""
    senses = _blanked(senses)
    company = _company(senses)
    velocity = steer(_situation(senses, company))
    focus = _focus(senses, velocity, company)
    return PolicyActions(
        move=velocity,
        turn=angle(focus) / math.pi,
        gaze=_gaze(focus),
        interact=(_uses(senses) | at_door(senses)).long(),
        emote=torch.where(company.meets, int(Emote.WAVE), int(Emote.NONE)),
        speak=company.meets.long(),
    )


def _blanked(senses: SenseBatch) -> SenseBatch:
    """Takes away what absent senses report, and what is no number."""
    senses = senses.trusted()
    sees, hears, feels = senses.present.unbind(dim=1)
    return replace(
        senses,
        vision_kind=senses.vision_kind.masked_fill(~sees[:, None, None], int(Category.SKY)),
        hearing=senses.hearing.masked_fill(~hears[:, None, None, None], 0.0),
        touch=senses.touch.masked_fill(~feels[:, None], 0.0),
    )


def _company(senses: SenseBatch) -> Company:
    there = senses.neighbour_present
    place = senses.neighbours[..., :2].masked_fill(~there[..., None], _NOBODY_M)
    distance, target = length(place), there & (senses.neighbours[..., 10] > 0.5)
    meets = (senses.verb == int(Verb.GREET)) & (target & (distance < ARRIVED_M[Verb.GREET] + 0.4)).any(dim=1)
    return Company(place, distance, target, there & (senses.neighbours[..., 11] > 0.5), meets)


def _situation(senses: SenseBatch, company: Company) -> Situation:
    velocity = senses.body[:, :2]
    shuns = (senses.verb == int(Verb.AVOID))[:, None]
    margin = torch.where(shuns, KEEP_CLEAR_M / 4, _MARGIN_M).masked_fill(company.target & ~shuns, 0.0)
    explained = (senses.neighbour_present & (company.distance < 0.7)).any(dim=1, keepdim=True)
    bearing, wall_m = walls_seen(senses)
    return Situation(
        wish=_wish(senses, company),
        velocity=velocity,
        place=company.place,
        motion=senses.neighbours[..., 3:5] + velocity[:, None],
        reach=BODY_RADIUS_M + senses.neighbours[..., 6] + margin,
        wall_heading=bearing,
        wall_m=wall_m,
        pressed=(senses.touch[:, :8] > 0.05) & ~explained,
    )


def _wish(senses: SenseBatch, company: Company) -> Tensor:
    """Returns the (N, 2) velocity that would be right in an empty world, in parts of the walking speed."""
    has_goal, other_storey = senses.goal[:, 5] > 0.5, senses.goal[:, 4].abs() > 0.5
    stop = torch.tensor([ARRIVED_M.get(verb, AT_GOAL_M) for verb in range(VERBS)], device=senses.goal.device)
    left = (senses.goal[:, 3] - stop[senses.verb]).masked_fill(other_storey, 1.0)
    pace = (left / 0.6).clamp(0.25, 1.0) * (has_goal & (left > 0))
    wish = unit(senses.goal[:, :2]) * pace[:, None] + _called(senses) + _shyness(senses, company)
    moves = (senses.verb != int(Verb.WAIT)) & ~rests(senses)
    return shortened(wish) * moves[:, None]


def _called(senses: SenseBatch) -> Tensor:
    """Returns the way towards what is heard, for those who seek without knowing where: (N, 2)."""
    seeks = ((senses.verb == int(Verb.FIND)) | (senses.verb == int(Verb.COME))) & (senses.goal[:, 5] < 0.5)
    left, right = senses.hearing.amax(dim=(2, 3)).unbind(dim=1)
    heard = seeks & (torch.maximum(left, right) > 0.1)
    return heading(((left - right) * 20).clamp(-1.2, 1.2)) * (0.7 * heard)[:, None]


def _shyness(senses: SenseBatch, company: Company) -> Tensor:
    """Returns the push away from others that AVOID asks for, from all of them if the intent names nobody: (N, 2)."""
    shuns = (senses.verb == int(Verb.AVOID))[:, None] & senses.neighbour_present
    counted = shuns & (company.target | ~company.target.any(dim=1, keepdim=True))
    push = (1.5 * (1 - company.distance / KEEP_CLEAR_M)).clamp(min=0.0) * counted
    return -(unit(company.place) * push[..., None]).sum(dim=1)


def rests(senses: SenseBatch) -> Tensor:
    """Returns who sits or lies, and wants to: (N,) bool."""
    return (senses.verb == int(Verb.SIT)) & _seated(senses)


def _seated(senses: SenseBatch) -> Tensor:
    return (senses.body[:, 5:7] > 0.5).any(dim=1)


def _focus(senses: SenseBatch, velocity: Tensor, company: Company) -> Tensor:
    """Returns what to face: the way one walks, else whom the intent is about, else who speaks close by: (N, 2)."""
    social = company.target | (company.speaking & (company.distance < 3.0))
    rank = company.distance.masked_fill(~social, _NOBODY_M) + 100.0 * (~company.target)
    other = company.place.gather(1, rank.argmin(dim=1)[:, None, None].expand(-1, 1, 2))[:, 0]
    faces = social.any(dim=1) & ~rests(senses)
    still = length(velocity) < 0.08
    return torch.where(still[:, None], unit(other) * faces[:, None], velocity)


def _gaze(focus: Tensor) -> Tensor:
    """Returns (N, 2) gaze in parts of its limits: the eyes lead the turn of the body and stay level."""
    yaw = (angle(focus) * (0.5 / MAX_GAZE[0])).clamp(-1, 1)
    return torch.stack((yaw, torch.zeros_like(yaw)), dim=1)


def _uses(senses: SenseBatch) -> Tensor:
    """Returns who is where the intent wants a thing used: (N,) bool."""
    verb, distance = senses.verb, senses.goal[:, 3]
    there = (senses.goal[:, 5] > 0.5) & (senses.goal[:, 4].abs() < 0.5)
    holding = senses.body[:, 7] > 0.5
    sits = (verb == int(Verb.SIT)) & ~_seated(senses) & (distance < 0.9)
    finds = (verb == int(Verb.FIND)) & ~holding & (distance < 1.0)
    hands = (verb == int(Verb.HAND_OVER)) & holding & (distance < 1.2)
    return there & (sits | finds | hands)


def at_door(senses: SenseBatch) -> Tensor:
    """Returns who walks up to a closed door: one fills part of the middle of the view within 1.1 m; (N,) bool."""
    middle = slice(COLUMNS // 2 - 3, COLUMNS // 2 + 3)
    near = (senses.vision_kind[:, 3:5, middle] == int(Category.DOOR)) & (senses.vision_depth[:, 3:5, middle] < 1.1)
    walks = (senses.verb != int(Verb.WAIT)) & (senses.goal[:, 5] > 0.5) & (senses.goal[:, 2] > 0.4)
    return near.flatten(1).any(dim=1) & walks & senses.present[:, SENSES.index("vision")]
