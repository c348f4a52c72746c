"""The running world as the hub sees it: commands in, and looks into minds."""

from __future__ import annotations

from collections.abc import Awaitable

from ecumene_agents import Minds
from ecumene_server import looking, wire
from ecumene_server.host import Host
from ecumene_server.lateness import Lateness
from ecumene_server.news import Ticket
from ecumene_sim.engine import Engine
from ecumene_world.command import Command


class Live:
    """Implements `surroundings.Simulation` on a host."""

    def __init__(self, host: Host, engine: Engine, minds: Minds | None, lateness: Lateness | None = None) -> None:
        self._host = host
        self._engine = engine
        self._minds = minds
        self._lateness = lateness

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command for the next tick."""
        self._host.submit(command, ticket)

    def inspect(self, message: wire.Inspect) -> Awaitable[wire.Inspected]:
        """Looks between two ticks."""
        return self._host.wonder(lambda: looking.look(self._engine, self._minds, message, self._lateness))
