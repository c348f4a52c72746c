"""What the hub stands on: the running world, stored accounts and the log, as it sees them, and how a world opens."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from ecumene_server import wire
from ecumene_server.news import ChatLine, Place, Stand, Ticket
from ecumene_world.command import Command, Role


@dataclass(frozen=True, slots=True)
class Account:
    """What is stored about a visitor.

    Attributes:
        id: Public id.
        name: Last used name.
        role: What it may do.
        look: Seed of its appearance.
        token: Its secret, known only in the moment of the hello.
        stand: Where its avatar stood last, or None.
    """

    id: str
    name: str
    role: Role
    look: int
    token: str
    stand: Stand | None


class Simulation(Protocol):
    """The running world, as the hub sees it; `host.Host` implements it."""

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command for the next tick."""

    def inspect(self, message: wire.Inspect) -> Awaitable[wire.Inspected]:
        """Looks into a mind or a node between two ticks."""


class Building(Protocol):
    """Where districts are made; `growth.Growth` implements it and calls `Hub.inform` and `Hub.answer`."""

    def begin(self, ticket: Ticket, who: str, message: wire.Build) -> None:
        """Makes a district, or answers why not; the ticket is answered once it stands."""

    def give_up(self, ticket: Ticket, who: str) -> None:
        """Gives up what is being made, or answers why not."""


class Accounts(Protocol):
    """Stored accounts; `store.Store` implements it."""

    async def admit(self, token: str | None, name: str) -> Account:
        """Returns the account of the token, or a new one; remembers the name."""

    async def put_stand(self, account: str, stand: Stand) -> None:
        """Remembers where the avatar stood."""


class Journal(Protocol):
    """The log of ticks; `journal.Journal` implements it and calls `Hub.committed` and `Hub.unsaved`."""

    @property
    def failing(self) -> str | None:
        """Why nothing can be written now, None while writing works."""

    def put(self, tick: int, record: bytes, *, durable: bool) -> None:
        """Queues one tick's record; a durable one is written at once."""

    def keep_chat(self, line: ChatLine) -> None:
        """Queues a line of chat, written with its tick's record."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How the world is when the doors open.

    Attributes:
        place: Title, bounds and things.
        people: Everybody alive.
        epoch: Counts server starts of this world.
        tick: The last tick that was stepped.
        scene: URL of the scene file.
        role: What every visitor may do at least.
        keep_chat: Whether what visitors say is stored.
    """

    place: Place
    people: tuple[wire.Person, ...]
    epoch: int
    tick: int
    scene: str
    role: Role = Role.VISITOR
    keep_chat: bool = False
