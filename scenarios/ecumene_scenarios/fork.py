"""Forks: a saved moment of a world, without its visitors, as a scenario that learning or life begins from again.

A fork is two files side by side: a snapshot (`.moment`) and a small YAML file that names it and may be edited.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ecumene_agents.keeping import without_strangers
from ecumene_scenarios.errors import ForkError, RecordingError
from ecumene_scenarios.recording import Recording
from ecumene_scenarios.replay import reached
from ecumene_world import snapshot
from ecumene_world.command import Despawn
from ecumene_world.kinds import BY_NAME
from ecumene_world.layout import Layout
from ecumene_world.state import State
from ecumene_world.world import World

MEMORY: Final = "minds"
"""Under which a snapshot keeps what minds remember."""
SUFFIX: Final = ".moment"
TASK: Final = "goto"
"""How agents of a fork are rewarded: for reaching the places that they were on the way to."""

_VISITOR: Final = BY_NAME["visitor"].code


@dataclass(frozen=True, slots=True)
class Fork:
    """What a fork was made of.

    Attributes:
        scenario: Path of the YAML file.
        moment: Path of the snapshot beside it.
        world: Name of the world it is of.
        tick: Ticks that the world had lived.
        keyframe_tick: Tick of the snapshot that this moment was reached from.
        replayed: Ticks whose commands and decisions were repeated from there; the state is exact.
        memories_tick: Tick of what NPCs remember, which no replay brings on; None if the source holds no memories.
        npcs: How many are there.
        visitors: How many visitors were left out.
        heading: NPCs that were on the way to a place.
    """

    scenario: str
    moment: str
    world: str
    tick: int
    keyframe_tick: int
    replayed: int
    memories_tick: int | None
    npcs: int
    visitors: int
    heading: int

    def to_json(self) -> dict[str, Any]:
        """What was made as JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Reached:
    """A world at the moment that was asked for.

    Attributes:
        name: Of the world.
        world: As it was; it may be changed by whoever gets this.
        keyframe_tick: Tick of the snapshot that it was reached from.
        replayed: Ticks repeated from there.
    """

    name: str
    world: World
    keyframe_tick: int
    replayed: int


def at_tick(path: Path, tick: int | None) -> Reached:
    """Returns the world of a recording as it was when it had lived so many ticks, None for its last.

    Raises:
        RecordingError: The file is no recording, or of several worlds side by side.
        UnknownMomentError: It does not reach that tick.
        DivergedError: It does not replay here as it was recorded.
    """
    recording = Recording.read(path)
    if recording.header["worlds"] != 1:
        raise RecordingError(f"{path.name} holds {recording.header['worlds']} worlds; only one can be forked")
    replay, start = reached(recording, tick, path.name)
    return Reached(path.stem, replay.world, start, replay.engine.tick - start)


def write(found: Reached, path: Path, *, living: bool = False) -> Fork:
    """Writes a moment as a scenario, a YAML file and the snapshot beside it, and says what it holds.

    Args:
        found: Its world loses its visitors.
        path: Of the YAML file.
        living: Whether NPCs go on with their own day rather than being rewarded for where they go.

    Raises:
        ForkError: Nobody but visitors is there.
        OSError: It can't be written.
    """
    world, tick = found.world, int(found.world.state.tick[0])
    visitors = [avatar.key for avatar in world.avatars.values() if avatar.kind == _VISITOR]
    left = without_visitors(world)
    if not left.avatars:
        raise ForkError(f"{found.name} has no NPCs at tick {tick}; a fork needs at least one")
    moment = path.with_suffix(SUFFIX)
    moment.write_bytes(snapshot.save(left))
    path.write_text(_document(found.name, tick, moment.name, len(left.avatars), living=living))
    return Fork(
        scenario=str(path),
        moment=str(moment),
        world=found.name,
        tick=tick,
        keyframe_tick=found.keyframe_tick,
        replayed=found.replayed,
        memories_tick=found.keyframe_tick if MEMORY in left.extra else None,
        npcs=len(left.avatars),
        visitors=len(visitors),
        heading=int((left.state.alive & (left.state.place >= 0)).sum()),
    )


def without_visitors(world: World) -> World:
    """Returns a world of NPCs alone, one slot each, that holds nothing about anybody else.

    Whom visitors carried things for, led or talked to goes on without them: what they held lies where they stood, no
    intent is about them, and no memory names them. What builders built stays, since it is part of the place.
    """
    world.apply([Despawn(avatar.key) for avatar in list(world.avatars.values()) if avatar.kind == _VISITOR])
    if world.stale:
        world.recompile()
    who = sorted(world.avatars.values(), key=lambda avatar: avatar.slot)
    slots = torch.tensor([avatar.slot for avatar in who], dtype=torch.int64, device=world.state.device)
    left = World(world.graph, slots=max(1, len(who)), seed=world.seed, layout=world.layout, device=world.state.device)
    _gather(world.state, left.state, slots)
    for slot, avatar in enumerate(who):
        left.enrol_again(replace(avatar, slot=slot))
    left.readings = world.readings
    left.generators = world.generators
    if MEMORY in world.extra:
        left.extra[MEMORY] = without_strangers(world.extra[MEMORY], left.avatars)
    return left


def _gather(old: State, new: State, slots: Tensor) -> None:
    """Copies everything of the old state but other slots' rows; slots that are referred to get their new numbers."""
    number = torch.full((old.slots + 1,), -1, dtype=torch.int64, device=old.device)
    number[slots] = torch.arange(len(slots), device=old.device)
    for name, column in new.fields().items():
        source: Tensor = getattr(old, name)
        if State.is_per_slot(name):
            column[:, : len(slots)] = source[:, slots]
        else:
            column.copy_(source)
    for column in (new.target, new.thing_holder, new.thing_partner):
        column.copy_(number[column])


class Moment:
    """A forked moment, read once and entered as often as wanted."""

    def __init__(self, path: Path) -> None:
        """Reads the snapshot of a fork.

        Raises:
            ForkError: It can't be read.
            SnapshotError: It is damaged or of another version.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ForkError(f"the moment {str(path)!r} can't be read: {error.strerror}") from error
        self.world = snapshot.load(data)

    @property
    def people(self) -> int:
        """How many NPCs are there."""
        return len(self.world.avatars)

    @property
    def layout(self) -> Layout:
        """The compiled place."""
        return self.world.layout

    def enter(self, world: World, which: Tensor, *, renamed: bool, clock: bool) -> None:
        """Puts the worlds `which` (B,) bool into this moment; others stay untouched.

        Args:
            world: Of this moment's graph, with as many slots.
            which: The worlds.
            renamed: Whether NPCs are called `npc:<world>.<number>`; otherwise as they were, after their world's number
                where there are several worlds.
            clock: Whether their clocks show the moment's tick; otherwise these go on.
        """
        chosen = which.tolist()
        world.apply([Despawn(who.key, world=who.world) for who in list(world.avatars.values()) if chosen[who.world]])
        kept = {"serial"} if clock else {"serial", "tick"}
        for index in which.nonzero().flatten().tolist():
            for name, column in world.state.fields().items():
                if name not in kept:
                    column[index] = getattr(self.world.state, name)[0]
            world.state.serial[index] += world.state.alive[index]
            for number, who in enumerate(self.world.avatars.values()):
                key = _key(who.key, number, index, world.state.worlds, renamed=renamed)
                serial = int(world.state.serial[index, who.slot])
                world.enrol_again(replace(who, key=key, world=index, serial=serial))
        world.readings = {node: dict(fields) for node, fields in self.world.readings.items()}


def _key(key: str, number: int, index: int, worlds: int, *, renamed: bool) -> str:
    if renamed:
        return f"npc:{index}.{number}"
    return key if worlds == 1 else f"npc:{index}.{key.removeprefix('npc:')}"


def _document(name: str, tick: int, moment: str, people: int, *, living: bool) -> str:
    """The YAML file of a fork."""
    title = f"{name} at tick {tick}"
    about = "go on with their day" if living else "are rewarded for reaching the places they were on the way to"
    lines = [
        f"fork: {json.dumps(moment)}",
        f"title: {json.dumps(title)}",
        f"describe: {json.dumps(f'{people} NPCs of {title} {about}.')}",
        *([] if living else [f"task: {TASK}"]),
        "minds: fusion",
        "ticks: 1200",
    ]
    return "".join(f"{line}\n" for line in lines)
