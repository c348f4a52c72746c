"""Replays recordings: steps the recorded commands and decisions again and compares, bit by bit.

No mind and no scenario is asked. With `redecide` the minds do decide again beside the replay, from the same senses, and
are compared with what was recorded; the recorded decisions still drive the world.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ecumene_agents import Minds
from ecumene_agents.explanation import Explanation
from ecumene_agents.routes import Routes
from ecumene_scenarios.errors import AbsentError, DivergedError, RecordingError, UnknownMomentError
from ecumene_scenarios.record import Tick, check_of, digest_of
from ecumene_scenarios.recording import Recording
from ecumene_scenarios.session import ENOUGH_FIELDS, DecidingMinds
from ecumene_sim import Engine
from ecumene_sim.frame import Actions
from ecumene_world import snapshot
from ecumene_world.avatar import Avatar
from ecumene_world.command import Command, from_record
from ecumene_world.errors import WorldError
from ecumene_world.world import World


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay found.

    Attributes:
        scenario: Name of what was recorded.
        seed: Its seed.
        ticks: Ticks compared, all of them equal.
        digests: Whole-state digests compared, the last one included.
        decisions: Decisions in the recording.
        redecided: Decisions that minds made again, 0 without `redecide`.
        differing: How many of these differ from the recording.
        first_difference: Tick of the first one that differs, None if none does.
        complete: Whether the recording was ended properly, and not by a killed server.
        same_threads: Whether this process has as many threads as the recording's.
    """

    scenario: str
    seed: int
    ticks: int
    digests: int
    decisions: int
    redecided: int
    differing: int
    first_difference: int | None
    complete: bool
    same_threads: bool

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON."""
        return asdict(self)


class Replay:
    """A recording in motion: `step` makes the next tick happen again.

    Attributes:
        recording: What is replayed.
        world: The world as it was.
        position: Index of the next tick in the recording.
    """

    def __init__(self, recording: Recording, *, keyframe: int = 0) -> None:
        """Starts at a keyframe; the first one stands before the first tick."""
        start = recording.keyframes[keyframe]
        self.recording = recording
        try:
            self.world: World = snapshot.load(start.snapshot)
        except WorldError as error:
            raise RecordingError(f"the recording's keyframe at tick {start.tick} can't be used: {error}") from error
        self.engine = Engine(self.world)
        self.position = start.tick - recording.keyframes[0].tick

    @property
    def done(self) -> bool:
        """Whether the last tick has been replayed."""
        return self.position >= len(self.recording.ticks)

    def commands(self) -> list[Command]:
        """The commands of the next tick.

        Raises:
            RecordingError: One of them is malformed.
        """
        tick = self.recording.ticks[self.position]
        try:
            return [from_record(record) for record in tick.commands]
        except WorldError as error:
            raise RecordingError(f"the recording holds a malformed command at tick {tick.tick}: {error}") from error

    def open(self) -> Tick:
        """Applies the next tick's commands and returns its record."""
        self.world.apply(self.commands())
        return self.recording.ticks[self.position]

    def close(self) -> None:
        """Steps with the recorded decisions, after `open`, and compares.

        Raises:
            DivergedError: The world is not as it was.
        """
        tick = self.recording.ticks[self.position]
        self.engine.step(self.recording.actions(tick))
        self.position += 1
        if tick.digest and digest_of(self.world.state) != tick.digest:
            raise DivergedError(tick.tick, f"the state differs{_where(self, tick)}")
        if check_of(self.world.state) != tick.check:
            raise DivergedError(tick.tick, "somebody or something stands elsewhere")

    def step(self) -> None:
        """Replays one tick.

        Raises:
            DivergedError: The world is not as it was.
        """
        self.open()
        self.close()


def verify(
    path: Path,
    *,
    minds: Callable[[World], DecidingMinds] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Replays a whole recording and compares every tick.

    Args:
        path: A `.rec` file.
        minds: Makes minds that decide again beside the replay; None for a plain replay.
        progress: Told ticks done and ticks in all.

    Raises:
        RecordingError: The file is no recording, or damaged.
        DivergedError: The replay differs; names the tick.
    """
    recording = Recording.read(path)
    replay = Replay(recording)
    again = Redeciding(replay, minds(replay.world)) if minds else None
    total = len(recording.ticks)
    while not replay.done:
        tick = replay.open()
        if again:
            again.compare(tick)
        replay.close()
        if progress and (replay.position % 20 == 0 or replay.done):
            progress(replay.position, total)
    complete = recording.digest != b""
    if complete and digest_of(replay.world.state) != recording.digest:
        raise DivergedError(recording.ticks[-1].tick if total else 0, "the final state differs")
    header = recording.header
    return Replayed(
        scenario=str(header.get("scenario", "")),
        seed=int(header.get("seed", 0)),
        ticks=total,
        digests=sum(bool(tick.digest) for tick in recording.ticks) + complete,
        decisions=sum(len(tick.slots) // 4 for tick in recording.ticks) * recording.header["worlds"],
        redecided=again.made if again else 0,
        differing=again.differing if again else 0,
        first_difference=again.first if again else None,
        complete=complete,
        same_threads=header.get("threads") == torch.get_num_threads(),
    )


def reached(recording: Recording, tick: int | None, name: str) -> tuple[Replay, int]:
    """Returns a replay that stands where the world had lived so many ticks, and the keyframe's tick it began at.

    Args:
        recording: What is replayed.
        tick: Ticks lived; None for the last.
        name: Of the file, for messages.

    Raises:
        UnknownMomentError: The recording does not reach that tick.
        DivergedError: It does not replay here as it was recorded.
    """
    first = recording.keyframes[0].tick
    last = first + len(recording.ticks)
    wanted = last if tick is None else tick
    if not first <= wanted <= last:
        raise UnknownMomentError(name, wanted, first, last)
    index = max(i for i, keyframe in enumerate(recording.keyframes) if keyframe.tick <= wanted)
    replay = Replay(recording, keyframe=index)
    start = recording.keyframes[index].tick
    for _ in range(wanted - start):
        replay.step()
    return replay, start


@dataclass(frozen=True, slots=True)
class Explained:
    """One decision of a recording, explained.

    Attributes:
        tick: Ticks that the world had lived.
        key: Who decides.
        title: What people call it.
        recorded: Move ahead, move left and turn as recorded, in parts of 127, where it decided in this very tick.
        explanation: Why the minds decide as they do.
    """

    tick: int
    key: str
    title: str
    recorded: tuple[int, int, int] | None
    explanation: Explanation

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON."""
        return {**{name: getattr(self, name) for name in self.__slots__}, "explanation": self.explanation.to_json()}


def explained(path: Path, key: str, tick: int | None, minds: Callable[[World], Minds]) -> Explained:
    """Explains what minds decide for an avatar of a recording, from the senses that it had.

    Args:
        path: A `.rec` file of one world.
        key: Avatar key, such as npc:3.
        tick: Ticks that the world had lived; None for the last.
        minds: Makes the minds that decide.

    Raises:
        RecordingError: The file is no recording, or damaged.
        UnknownMomentError: It does not reach that tick, or nobody of that key is there.
    """
    recording = Recording.read(path)
    replay, _ = reached(recording, tick, path.name)
    record = None if replay.done else replay.open()
    world, now = replay.world, replay.engine.tick
    who = world.avatars.get(key)
    if who is None:
        raise AbsentError(key, now, world.avatars)
    slots = torch.tensor([who.slot], device=world.state.device)
    Routes(world, per_tick=ENOUGH_FIELDS).update(slots)
    mind = minds(world)
    mind.decide(replay.engine.sense(slots))
    told = mind.explain(who.slot, who.world)
    return Explained(now, key, who.title, None if record is None else _done(recording, record, who), told)


def _done(recording: Recording, record: Tick, who: Avatar) -> tuple[int, int, int] | None:
    """What an avatar did by the record of a tick, None if it did not decide then."""
    actions = recording.actions(record)
    column = (actions.slots == who.slot).nonzero().flatten().tolist()
    if not column:
        return None
    ahead, left, turn = actions.raw[who.world, column[0], :3].tolist()
    return ahead, left, turn


class Redeciding:
    """Lets minds decide again and counts where they differ from the recording."""

    def __init__(self, replay: Replay, minds: DecidingMinds) -> None:
        self.made = 0
        self.differing = 0
        self.first: int | None = None
        self._replay, self._minds = replay, minds
        self._routes = Routes(replay.world, per_tick=ENOUGH_FIELDS)

    def compare(self, tick: Tick) -> None:
        """Decides for the slots that decided then, between `Replay.open` and `Replay.close`."""
        recorded = self._replay.recording.actions(tick)
        if not len(recorded.slots):
            return
        self._routes.update(recorded.slots)
        decided: Actions = self._minds.decide(self._replay.engine.sense(recorded.slots))
        wrong = int((decided.raw != recorded.raw).any(dim=-1).sum())
        self.made += recorded.raw.shape[0] * recorded.raw.shape[1]
        self.differing += wrong
        if wrong and self.first is None:
            self.first = tick.tick


def _where(replay: Replay, tick: Tick) -> str:
    """Whether bodies and things stand as recorded although something else differs."""
    return "" if check_of(replay.world.state) != tick.check else " in something other than place and motion"
