"""A visitor's presence: one account's avatar and stream, which outlive a lost connection for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ecumene_server import wire
from ecumene_server.guest import Guest
from ecumene_server.link import Link
from ecumene_server.stream import Stream
from ecumene_world.command import Role

LINGER_S: Final = 60.0
"""How long the avatar of a lost connection stands still before it leaves; a resume works that long."""


@dataclass(slots=True, eq=False)
class Visitor:
    """One account that is here.

    Attributes:
        account: Account id; the avatar's key is `visitor:<account>`.
        name: Sanitised name.
        role: What it may do.
        session: Name of its stream.
        token: The secret to tell it in the welcome.
        look: Seed of its appearance.
        link: Its connection, None while lost.
        guest: The conversation on that connection.
        entity: Entity id, None until the avatar stands.
        lost_at: When the connection was lost, seconds.
        skipped: Hot frames it was too slow for.
        notice: What to tell it after the welcome, None for nothing.
    """

    account: str
    name: str
    role: Role
    session: str
    token: str
    look: int
    stream: Stream
    link: Link | None = None
    guest: Guest[Visitor] | None = None
    entity: int | None = None
    lost_at: float | None = None
    skipped: int = 0
    notice: str | None = None

    @property
    def key(self) -> str:
        """The avatar's stable key."""
        return f"visitor:{self.account}"

    @property
    def is_here(self) -> bool:
        """Whether it has an avatar and a connection."""
        return self.entity is not None and self.link is not None

    def tell(self, message: wire.Reliable) -> None:
        """Sends a reliable message now, or keeps it for a resume; `message.seq` comes from `stream.number`."""
        data = self.stream.keep(message)
        if self.link is not None:
            self.link.send(data)

    def hint(self, message: wire.ServerMessage) -> None:
        """Sends an unreliable message if there is a connection."""
        if self.link is not None:
            self.link.send(wire.encode(message))
