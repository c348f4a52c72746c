"""The watchdog: which NPCs want to get somewhere and don't, and why.

It looks at the state alone, once a second, and changes nothing. Whoever waits, sits, talks, queues, keeps away from
others or has arrived is doing what it wants, however long it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from ecumene_agents.scripted import ARRIVED_M, AT_GOAL_M
from ecumene_agents.spots import Spots
from ecumene_world.grid import sample
from ecumene_world.kinds import BY_NAME
from ecumene_world.state import TICK_HZ, Posture, Verb
from ecumene_world.world import World

LOOK_TICKS: Final = TICK_HZ
"""Ticks between two looks."""
STILL_M: Final = 1.0
STILL_TICKS: Final = 8 * TICK_HZ
"""Who stays within `STILL_M` for so long is stuck."""
CIRCLE_M: Final = 4.0
CIRCLE_TICKS: Final = 30 * TICK_HZ
"""Who walks, but stays within `CIRCLE_M` for so long, is stuck too."""
SLACK_M: Final = 0.6
"""Who is this much further from the goal than it would stop at has arrived all the same."""
PERSON_M: Final = 0.9
"""Others this near, and not behind, stand in the way."""
DOOR_M: Final = 1.2
AHEAD_M: Final = 0.35
"""So far ahead there must be room for a body."""
BODY_M: Final = 0.25
CREEP: Final = 0.15
"""Wanted speeds below this are none, m/s."""
SEAT_M: Final = 1.2
"""A seat is where the goal is within this distance."""

_CONTENT: Final = frozenset({Verb.WAIT, Verb.AVOID, Verb.QUEUE})
"""What is done standing."""
_ARRIVED: Final = np.array([ARRIVED_M.get(verb, AT_GOAL_M) + SLACK_M for verb in Verb])
_VISITOR: Final = BY_NAME["visitor"].code


class Cause(StrEnum):
    """Why an NPC gets nowhere; the first that applies is told."""

    NO_WAY = "no_way"
    """Where it is and where it wants to be don't hang together."""
    UNREACHABLE = "unreachable"
    """Nobody can stand where it wants to be."""
    SEAT_TAKEN = "seat_taken"
    """It wants to sit, and somebody else sits there."""
    NO_SEAT = "no_seat"
    """It wants to sit and stands at the place, but does not get onto a seat."""
    UNMOVED = "unmoved"
    """Its mind does not make it walk: no decision has come, or it decides to stand."""
    PERSON = "person"
    """Somebody stands in the way."""
    DOOR = "door"
    """A closed door is in the way."""
    WALL = "wall"
    """A wall or a thing is in the way."""
    CIRCLES = "circles"
    """It walks, and stays where it is."""


_WORDS: Final = {
    Cause.NO_WAY: "there is no way from here to there",
    Cause.UNREACHABLE: "nobody can stand where it wants to be",
    Cause.SEAT_TAKEN: "{other} sits where it wants to sit",
    Cause.NO_SEAT: "it can't get onto a seat here",
    Cause.UNMOVED: "its mind does not make it walk",
    Cause.PERSON: "{other} is in the way",
    Cause.DOOR: "the closed door {other} is in the way",
    Cause.WALL: "something solid is in the way",
    Cause.CIRCLES: "it walks up and down",
}


@dataclass(frozen=True, slots=True)
class Stuck:
    """An NPC that gets nowhere.

    Attributes:
        key: Whose.
        title: Its name.
        cause: Why.
        other: Name of the person or node in the way, "" for none.
        since: Tick since which it has made no progress.
        tick: Of this look.
    """

    key: str
    title: str
    cause: Cause
    other: str
    since: int
    tick: int

    def __str__(self) -> str:
        why = _WORDS[self.cause].format(other=self.other)
        return f"no nearer to its goal for {(self.tick - self.since) // TICK_HZ} s: {why}"


class Watchdog:
    """Keeps an eye on the NPCs of one world.

    Args:
        world: Whose; the first one of a batch.
        spots: What tells which points of the layout in use hang together.

    Attributes:
        stuck: Who is stuck, by key, longest first.
        begun: How often an NPC got stuck, by the cause that was seen first.
        minded: Whether a mind drives an avatar just now, by key; others are nobody's business here. Everybody's does
            unless a driver sets this.
    """

    def __init__(self, world: World, spots: Callable[[], Spots]) -> None:
        self.stuck: dict[str, Stuck] = {}
        self.begun: Counter[Cause] = Counter()
        self.minded: Callable[[str], bool] = _everybody
        self._world = world
        self._spots = spots
        self._begin(world.state.slots)

    def _begin(self, slots: int) -> None:
        """Forgets where everybody was."""
        self._intent = np.zeros((slots, 4), np.int64)
        self._goal = np.full((slots, 2), np.inf)
        self._anchors = tuple(_Anchor(slots, *each) for each in ((STILL_M, STILL_TICKS), (CIRCLE_M, CIRCLE_TICKS)))

    def look(self, tick: int) -> None:
        """Looks at everybody; to be called between ticks, every `LOOK_TICKS`."""
        if len(self._goal) != self._world.state.slots:
            self._begin(self._world.state.slots)
        position, goal, wants = self._wanting()
        fresh = ~wants | self._changed(goal)
        over = np.zeros(len(wants), bool)
        for anchor in self._anchors:
            over |= anchor.look(position, fresh, tick)
        found = {each.key: each for slot in np.flatnonzero(over) if (each := self._examined(int(slot), goal, tick))}
        self.begun.update(each.cause for key, each in found.items() if key not in self.stuck)
        self.stuck = dict(sorted(found.items(), key=lambda item: item[1].since))

    def causes(self) -> dict[str, int]:
        """Returns how many are stuck by cause, all causes named."""
        now = Counter(each.cause for each in self.stuck.values())
        return {cause.value: now[cause] for cause in Cause}

    def _wanting(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Returns where everybody is (C, 2), wants to be (C, 2), and who wants to be elsewhere (C,)."""
        state = self._world.state
        columns = (state.alive, state.kind, state.verb, state.target, state.posture)
        alive, kind, verb, target, posture = (each[0].numpy(force=True) for each in columns)
        position = state.position[0, :, :2].numpy(force=True).astype(np.float64)
        goal = state.goal[0, :, :2].numpy(force=True).astype(np.float64)
        goal = np.where((target >= 0)[:, None], position[target.clip(0)], goal)
        away = np.hypot(*(goal - position).T) > _ARRIVED[verb]
        storey = (state.goal_level != state.level)[0].numpy(force=True)
        sits = verb == Verb.SIT
        content = np.isin(verb, list(_CONTENT)) | (posture != Posture.STAND)
        wants = alive & (kind != _VISITOR) & ~content & (away | storey | sits)
        return position, goal, wants & self._has_goal(verb, target)

    def _has_goal(self, verb: NDArray[np.int64], target: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Returns who knows where to go: seekers may have nothing to go by yet."""
        place = self._world.state.place[0].numpy(force=True)
        seeks = np.isin(verb, [Verb.FIND, Verb.COME]) & (place < 0) & (target < 0)
        return ~seeks

    def _changed(self, goal: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Returns (C,) who wants something else than at the last look."""
        state = self._world.state
        columns = [each[0].numpy(force=True) for each in (state.verb, state.target, state.place, state.serial)]
        intent = np.stack(columns, axis=1)
        moved = (np.abs(goal - self._goal) > SLACK_M).any(axis=1) & (columns[1] < 0)
        changed = (intent != self._intent).any(axis=1) | moved
        self._intent, self._goal = intent, goal
        return changed

    def _examined(self, slot: int, goal: NDArray[np.float64], tick: int) -> Stuck | None:
        key = self._world.key_of(0, slot)
        if key is None or not self.minded(key):
            return None
        since = min(int(each.since[slot]) for each in self._anchors if each.over(slot, tick))
        x, y = goal[slot].tolist()
        cause, other = next(self._causes(slot, (x, y)))
        return Stuck(key, self._world.avatars[key].title, cause, other, since, tick)

    def _causes(self, slot: int, goal: tuple[float, float]) -> Iterator[tuple[Cause, str]]:
        """Yields what keeps a slot, the cause that explains most first."""
        state = self._world.state
        spots = self._spots()
        x, y, _ = state.position[0, slot].tolist()
        level, goal_level, verb = int(state.level[0, slot]), int(state.goal_level[0, slot]), int(state.verb[0, slot])
        here, there = spots.parts((x, y), level), spots.parts(goal, goal_level)
        if not there:
            yield Cause.UNREACHABLE, ""
        elif here and not here & there:
            yield Cause.NO_WAY, ""
        if verb == Verb.SIT and np.hypot(goal[0] - x, goal[1] - y) < _ARRIVED[verb]:
            yield self._seat(slot, goal, goal_level)
        if float(state.desired_velocity[0, slot].norm()) < CREEP:
            yield Cause.UNMOVED, ""
        yield from self._barriers(slot)
        yield Cause.CIRCLES, ""

    def _seat(self, slot: int, goal: tuple[float, float], level: int) -> tuple[Cause, str]:
        """Returns why somebody who stands before a seat does not sit."""
        near = set(self._spots().seats((*goal, 0.0), level, SEAT_M))
        seat = self._world.state.seat[0].tolist()
        sitter = next((other for other, taken in enumerate(seat) if taken in near and other != slot), None)
        return (Cause.NO_SEAT, "") if sitter is None else (Cause.SEAT_TAKEN, self._title(sitter))

    def _barriers(self, slot: int) -> Iterator[tuple[Cause, str]]:
        """Yields who and what is right ahead on the way a slot wants to walk."""
        state, layout = self._world.state, self._world.layout
        here, level = state.position[0, slot, :2], state.level[0, slot]
        ahead = state.desired_velocity[0, slot]
        ahead = ahead / ahead.norm().clamp(min=1e-6)
        away = state.position[0, :, :2] - here
        gap = away.norm(dim=1)
        near = state.alive[0] & (state.level[0] == level) & (gap < PERSON_M) & (away @ ahead > 0.25 * gap)
        near[slot] = False
        if bool(near.any()):
            yield Cause.PERSON, self._title(int(gap.masked_fill(~near, torch.inf).argmin()))
        yield from self._door(here, int(level), ahead)
        if float(sample(layout, layout.clearance, level, here + ahead * AHEAD_M)) < BODY_M:
            yield Cause.WALL, ""

    def _door(self, here: torch.Tensor, level: int, ahead: torch.Tensor) -> Iterator[tuple[Cause, str]]:
        """Yields the closed door right ahead."""
        layout = self._world.layout
        middle = layout.door_segment.mean(dim=1) - here
        gap = middle.norm(dim=1)
        closed = self._world.state.thing_state[0, layout.door_thing] == 0
        near = closed & (layout.door_level == level) & (gap < DOOR_M) & (middle @ ahead > 0.25 * gap)
        if bool(near.any()):
            door = int(gap.masked_fill(~near, torch.inf).argmin())
            yield Cause.DOOR, layout.thing_name(int(layout.door_thing[door]))

    def _title(self, slot: int) -> str:
        key = self._world.key_of(0, slot)
        return "somebody" if key is None else self._world.avatars[key].title


def _everybody(key: str) -> bool:
    """Takes every NPC for driven by a mind."""
    del key
    return True


class _Anchor:
    """Where everybody was when it last got away from where it had been.

    Args:
        slots: C.
        reach_m: Who gets so far from its anchor makes progress.
        patience: Ticks without progress after which somebody is stuck.
    """

    def __init__(self, slots: int, reach_m: float, patience: int) -> None:
        self._reach_m = reach_m
        self._patience = patience
        self._at = np.full((slots, 2), np.inf)
        self.since = np.zeros(slots, np.int64)

    def look(self, position: NDArray[np.float64], fresh: NDArray[np.bool_], tick: int) -> NDArray[np.bool_]:
        """Moves the anchors of those who start anew (C,) or made progress; returns (C,) who is stuck."""
        moved = fresh | ~(np.hypot(*(position - self._at).T) <= self._reach_m)
        self._at[moved], self.since[moved] = position[moved], tick
        stuck: NDArray[np.bool_] = tick - self.since >= self._patience
        return stuck

    def over(self, slot: int, tick: int) -> bool:
        """Tells whether a slot is stuck."""
        return bool(tick - self.since[slot] >= self._patience)
