"""The running world as the hub sees it: commands in, looks into minds, and NPCs that answer."""

from __future__ import annotations

from collections.abc import Awaitable

from ecumene_server import looking, wire
from ecumene_server.host import Host
from ecumene_server.news import Ticket
from ecumene_sim.engine import Engine
from ecumene_world.command import Command


class Live:
    """Implements `hub.Simulation` on a host."""

    def __init__(self, host: Host, engine: Engine) -> None:
        self._host = host
        self._engine = engine

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command for the next tick."""
        self._host.submit(command, ticket)

    def inspect(self, message: wire.Inspect) -> Awaitable[wire.Inspected]:
        """Looks between two ticks."""
        return self._host.wonder(lambda: looking.look(self._engine, message))

    def speak(self, key: str, text: str) -> None:
        """Lets the NPC that is spoken to answer."""
