"""The watchdog: which NPCs want to get somewhere and don't, and why.

It looks at the state alone, once a second, and changes nothing. Whoever waits, sits, talks, queues, keeps away from
others or has arrived is doing what it wants, however long it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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

EXAMINED: Final = 32
"""Most NPCs whose cause is sought in one look; those that have waited longest for it come first."""

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
        tick: When it was last seen why.
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
        held = {key: int(slot) for slot in np.flatnonzero(over) if (key := self._key(int(slot))) is not None}
        kept = {key: each for key, each in self.stuck.items() if key in held}
        asked = [*(key for key in held if key not in kept), *sorted(kept, key=lambda key: kept[key].tick)][:EXAMINED]
        told = self._causes([held[key] for key in asked], goal)
        for key, (cause, other) in zip(asked, told, strict=True):
            if key not in kept:
                self.begun[cause] += 1
            since = min(int(each.since[held[key]]) for each in self._anchors if each.over(held[key], tick))
            kept[key] = Stuck(key, self._world.avatars[key].title, cause, other, since, tick)
        self.stuck = dict(sorted(kept.items(), key=lambda item: item[1].since))

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
        changed: NDArray[np.bool_] = (intent != self._intent).any(axis=1) | moved
        self._intent, self._goal = intent, goal
        return changed

    def _key(self, slot: int) -> str | None:
        """Returns the key of who is in a slot, None if no mind drives it."""
        key = self._world.key_of(0, slot)
        return key if key is not None and self.minded(key) else None

    def _causes(self, slots: Sequence[int], goal: NDArray[np.float64]) -> list[tuple[Cause, str]]:
        """Returns what keeps each of M slots, and who or what that is: the cause that explains most."""
        if not slots:
            return []
        state, rows = self._world.state, torch.tensor(slots, device=self._world.state.device)
        here = state.position[0, rows, :2]
        there = torch.from_numpy(goal[slots].astype(np.float32)).to(here.device)
        parts = self._spots().parts
        from_, to = parts(here, state.level[0, rows]), parts(there, state.goal_level[0, rows])
        nowhere = ~(to > 0).any(dim=1)
        joined = ((from_[:, :, None] == to[:, None]) & (to > 0)[:, None]).flatten(1).any(dim=1)
        wish = state.desired_velocity[0, rows]
        ahead = wish / wish.norm(dim=1, keepdim=True).clamp(min=1e-6)
        (person, other), (door, leaf) = self._people(rows, here, ahead), self._doors(rows, here, ahead)
        room = sample(self._world.layout, self._world.layout.clearance, state.level[0, rows], here + ahead * AHEAD_M)
        before = (state.verb[0, rows] == int(Verb.SIT)) & ((there - here).norm(dim=1) < _ARRIVED[Verb.SIT])
        tests = {
            Cause.UNREACHABLE: nowhere,
            Cause.NO_WAY: (from_ > 0).any(dim=1) & ~joined,
            Cause.NO_SEAT: before,
            Cause.UNMOVED: wish.norm(dim=1) < CREEP,
            Cause.PERSON: person,
            Cause.DOOR: door,
            Cause.WALL: room < BODY_M,
            Cause.CIRCLES: torch.ones_like(person),
        }
        causes = list(tests)
        first = torch.stack(list(tests.values())).to(torch.uint8).argmax(dim=0).tolist()
        found = [causes[index] for index in first]
        columns = (slots, there.tolist(), other.tolist(), leaf.tolist())
        return [self._named(*each) for each in zip(found, *columns, strict=True)]

    def _named(self, cause: Cause, slot: int, there: list[float], other: int, leaf: int) -> tuple[Cause, str]:
        """Returns a cause with who or what it is."""
        if cause is Cause.NO_SEAT:
            return self._seat(slot, there)
        if cause is Cause.PERSON:
            return cause, self._title(other)
        return cause, self._world.layout.thing_name(leaf) if cause is Cause.DOOR else ""

    def _seat(self, slot: int, there: list[float]) -> tuple[Cause, str]:
        """Returns why somebody who stands before a seat does not sit."""
        x, y = there
        state = self._world.state
        near = set(self._spots().seats((x, y, 0.0), int(state.goal_level[0, slot]), SEAT_M))
        sitter = next((who for who, seat in enumerate(state.seat[0].tolist()) if seat in near and who != slot), None)
        return (Cause.NO_SEAT, "") if sitter is None else (Cause.SEAT_TAKEN, self._title(sitter))

    def _people(self, rows: Tensor, here: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether somebody is right ahead of each slot (M,), and the slot that it is (M,)."""
        state = self._world.state
        others = torch.arange(state.slots, device=rows.device) != rows[:, None]
        there = others & state.alive[0] & (state.level[0] == state.level[0, rows, None])
        return _ahead(state.position[0, :, :2] - here[:, None], ahead, there, PERSON_M)

    def _doors(self, rows: Tensor, here: Tensor, ahead: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether a closed door is right ahead of each slot (M,), and the thing that it is (M,)."""
        layout, state = self._world.layout, self._world.state
        if not len(layout.door_thing):
            return torch.zeros_like(rows, dtype=torch.bool), rows
        closed = (state.thing_state[0, layout.door_thing] == 0) & (layout.door_level == state.level[0, rows, None])
        found, which = _ahead(layout.door_segment.mean(dim=1) - here[:, None], ahead, closed, DOOR_M)
        return found, layout.door_thing[which]

    def _title(self, slot: int) -> str:
        key = self._world.key_of(0, slot)
        return "somebody" if key is None else self._world.avatars[key].title


def _ahead(away: Tensor, ahead: Tensor, there: Tensor, reach_m: float) -> tuple[Tensor, Tensor]:
    """Returns whether one of P points is right ahead (M,), and the nearest that is (M,).

    Args:
        away: (M, P, 2) from each of M walkers.
        ahead: (M, 2) where they want to walk, of length 1.
        there: (M, P) which points count.
        reach_m: How near they must be.
    """
    (x, y), (to_x, to_y) = away.unbind(dim=2), ahead[:, :, None].unbind(dim=1)
    gap = (x * x + y * y).sqrt()
    near = there & (gap < reach_m) & (x * to_x + y * to_y > 0.25 * gap)
    return near.any(dim=1), gap.masked_fill(~near, torch.inf).argmin(dim=1)


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
