"""Who decides for NPCs in a served world: trained minds, the scripted baseline, or nobody; and who answers visitors."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from math import dist
from pathlib import Path
from typing import Final

from ecumene_agents import Minds
from ecumene_agents.errors import AgentsError
from ecumene_agents.minds import HEARD
from ecumene_agents.remembering import RECALLED
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.fork import MEMORY
from ecumene_scenarios.session import Session
from ecumene_server import wire
from ecumene_server.apart import ApartMinds
from ecumene_server.errors import FailedError
from ecumene_server.kept import Kept
from ecumene_server.late import LateMinds
from ecumene_server.settings import Settings
from ecumene_world import kinds
from ecumene_world.avatar import Avatar
from ecumene_world.command import Command
from ecumene_world.event import Event

APART_NPCS: Final = 48
"""From so many NPCs on minds get a process of their own; fewer decide within milliseconds, and save its memory."""
_ADDRESSED: Final = re.compile(r"@(\w+)\W*(.*)", re.DOTALL)
_HANDS: Final = HEARD - {"said"}
_VISITOR: Final = kinds.kind_named("visitor").code


def minds_for(settings: Settings, session: Session, tell: Callable[[str], None]) -> Minds | None:
    """Returns the minds that the settings ask for, remembering what the snapshot kept.

    Raises:
        FailedError: The weights or the folder of adapters do not exist.
        WeightsError: They can't be read, or the adapters belong to other weights.
    """
    if settings.minds == "none":
        return None
    weights = _weights(settings) if settings.minds == "fusion" else None
    minds = Minds(
        session.world,
        weights=weights,
        adapters=adapters_in(settings) if settings.adapters else None,
        routes=session.routes,
        keeps_speech=settings.keep_chat,
        device=settings.device,
    )
    kept, recalled = (session.world.extra.get(name) for name in (MEMORY, RECALLED))
    if kept is not None:
        try:
            minds.unpack(kept)
            if recalled is not None and minds.fast.memory is not None:
                minds.fast.memory.unpack(recalled)
        except AgentsError as error:
            tell(f"The NPCs have forgotten what was: {error}.")
    return minds


def check(settings: Settings) -> None:
    """Passes settings whose minds can be made, as far as files are concerned: before a world is, which takes long.

    Raises:
        FailedError: The weights or the folder of adapters do not exist.
    """
    if settings.minds == "fusion":
        _weights(settings)
    if settings.adapters:
        adapters_in(settings)


def adapters_in(settings: Settings) -> dict[str, Path]:
    """Returns the adapters that the settings name: role, or "while-" and a verb, to file.

    Raises:
        FailedError: There is no such folder.
    """
    folder = Path(settings.adapters)
    if not folder.is_dir():
        raise FailedError(f"there is no folder of adapters {str(folder)!r}")
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def engage(minds: Minds, session: Session, kept: Kept) -> LateMinds | ApartMinds:
    """Lets minds decide in a session: on a thread here, or in a process of their own where that pays.

    Minds that wear adapters decide here, since these may be changed at any time.

    Args:
        minds: Who decides.
        session: Where.
        kept: Where the compiled layout is kept for the other process.
    """
    many = max(session.scenario.population(), len(session.world.avatars)) >= APART_NPCS
    here = session.world.state.device.type != "cpu" or minds.fast.wardrobe is not None
    if here or not many or (os.cpu_count() or 1) == 1:
        session.minds = late = LateMinds(minds, session.world)
        return late
    apart = ApartMinds(session.world, minds.weights, kept)
    session.elsewhere, session.routes.elsewhere = apart, apart.field
    minds.looks = session.engine.sense
    return apart


def _weights(settings: Settings) -> Path:
    given = Path(settings.weights or WEIGHTS)
    file = given / WEIGHTS.name if given.is_dir() else given
    if not file.is_file():
        raise FailedError(
            f"there are no weights {str(file)!r}; `ecumene train minds` makes them, --minds scripted does without"
        )
    return file


class Thoughts:
    """The slow minds of a live world: intents come from the tick, answers to visitors from between two ticks.

    Args:
        minds: Whose.
        later: Runs a question on the tick thread between two ticks.
        submit: Queues a command for the next tick.
    """

    def __init__(
        self, minds: Minds, later: Callable[[Callable[[], None]], object], submit: Callable[[Command], None]
    ) -> None:
        self._minds = minds
        self._later = later
        self._submit = submit

    def think(self, tick: int) -> Sequence[Command]:
        """Returns what NPCs intend from now on."""
        return self._minds.think(tick)

    def hear(self, events: Sequence[Event]) -> Sequence[Command]:
        """Lets the NPCs who were spoken to, or at whose things somebody pulled, answer, after the tick; nothing now."""
        said = [event for event in events if event.name == "said" and self._is_visitor(event.subject)]
        hands = [event for event in events if event.name in _HANDS]
        if said or hands:
            self._later(lambda: self._answer(said, hands))
        return ()

    def _answer(self, said: Sequence[Event], hands: Sequence[Event]) -> None:
        for event in said:
            for command in self._commands(event):
                self._submit(command)
        for command in self._minds.hear(hands):
            self._submit(command)

    def _commands(self, event: Event) -> Sequence[Command]:
        addressed = _ADDRESSED.match(str(event.data.get("text", "")))
        if addressed is None:
            return self._minds.hear([event])
        npc = self._called(addressed[1], event)
        return [] if npc is None else self._minds.converse(npc.key, event.subject, addressed[2] or "hello")

    def _called(self, name: str, event: Event) -> Avatar | None:
        """Returns the nearest NPC within earshot whose first name that is."""
        world, near = self._minds.world, []
        for avatar in world.avatars.values():
            if avatar.kind == _VISITOR or avatar.title.split(" ")[0].casefold() != name.casefold():
                continue
            x, y, z = world.state.position[avatar.world, avatar.slot].tolist()
            away = dist((x, y, z), event.position or (x, y, z))
            if away <= wire.HEARING_M:
                near.append((away, avatar.slot, avatar))
        return min(near)[2] if near else None

    def _is_visitor(self, key: str) -> bool:
        avatar = self._minds.world.avatars.get(key)
        return avatar is not None and avatar.kind == _VISITOR
