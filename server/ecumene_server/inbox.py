"""Commands on their way to the tick: put by the event loop, taken by the tick thread."""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from ecumene_server.news import Ticket
from ecumene_world.command import AddBranch, AddNode, Command, MoveNode, Relate, RemoveNode, Steer

MAX_WAITING: Final = 20_000
"""Commands that wait at most; unticketed ones beyond that are left out."""


EDITS: Final = (AddNode, AddBranch, RemoveNode, MoveNode, Relate)
"""Commands after which the layout must be compiled again."""


class Inbox:
    """A queue of commands in which the newest `Steer` of an avatar replaces the one before.

    A tick gets at most one ticketed command of each (name, subject), so that a `rejected` event tells exactly which
    command it is about; the others wait for the next tick.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Command, Ticket | None]] = deque()
        self._steers: dict[str, Steer] = {}
        self.holds_edits = False
        """Whether edits wait, so that the layout that is being compiled can be taken up."""
        self.dropped = 0
        """Commands left out because too many waited."""

    def put_first(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command before all that wait."""
        with self._lock:
            self._waiting.appendleft((command, ticket))

    def put(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command; its ticket's owner is told what became of it."""
        with self._lock:
            if isinstance(command, Steer) and ticket is None:
                self._steers[command.key] = command
            elif len(self._waiting) < MAX_WAITING or ticket is not None:
                self._waiting.append((command, ticket))
            else:
                self.dropped += 1

    def take(self) -> tuple[list[Command], dict[tuple[str, str], Ticket]]:
        """Returns the commands for the next tick, and the tickets by (command name, subject)."""
        with self._lock:
            steers, self._steers = self._steers, {}
            waiting, self._waiting = self._waiting, deque()
            commands: list[Command] = list(steers.values())
            tickets: dict[tuple[str, str], Ticket] = {}
            for command, ticket in waiting:
                key = (command.name, subject_of(command))
                held = self.holds_edits and isinstance(command, EDITS)
                if held or (ticket is not None and key in tickets):
                    self._waiting.append((command, ticket))
                    continue
                commands.append(command)
                if ticket is not None:
                    tickets[key] = ticket
        return commands, tickets


def subject_of(command: Command) -> str:
    """Returns what a `rejected` event would name as the subject of the command, see `World.apply`."""
    for name in ("key", "thing", "node", "a"):
        text = getattr(command, name, None)
        if isinstance(text, str):
            return text
    return ""
