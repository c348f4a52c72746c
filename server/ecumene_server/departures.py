"""Avatars on their way out: those whose visitor left, and those whose visitor did not come back after a restart."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from ecumene_server.errors import StoreError
from ecumene_server.news import Stand
from ecumene_server.picture import Picture
from ecumene_server.surroundings import Accounts, Simulation
from ecumene_server.visitor import LINGER_S
from ecumene_world import kinds
from ecumene_world.command import Despawn

_VISITOR = kinds.kind_named("visitor").code


class Departures:
    """Lets avatars go, and remembers where they stood.

    Args:
        picture: Who is there.
        simulation: The running world.
        accounts: Stored accounts.
        spawn: Starts a coroutine in the background.
        now: Monotonic seconds.
    """

    def __init__(
        self,
        picture: Picture,
        simulation: Simulation,
        accounts: Accounts,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        now: float,
    ) -> None:
        self._picture = picture
        self._simulation = simulation
        self._accounts = accounts
        self._spawn = spawn
        self._orphans = {person.key: now for person in picture.people.values() if person.kind == _VISITOR}
        self._leaving: dict[str, Stand] = {}

    def claim(self, key: str) -> None:
        """The avatar has its visitor again."""
        self._orphans.pop(key, None)

    def stand(self, key: str) -> Stand | None:
        """Returns where an avatar stands that was told to leave and is still there, None for any other."""
        return self._leaving.get(key)

    def left(self, key: str) -> None:
        """The avatar is gone."""
        self._leaving.pop(key, None)

    def tick(self, now: float) -> None:
        """Lets go of avatars whose visitor has not come back for `LINGER_S`."""
        for key, since in list(self._orphans.items()):
            if now - since > LINGER_S:
                self.begin(key)

    def begin(self, key: str) -> None:
        """Tells an avatar to leave."""
        self._orphans.pop(key, None)
        stand = self._picture.stands.get(key)
        if stand is not None and key in self._picture.ids:
            self._leaving[key] = stand
            self._spawn(self._keep_stand(key, stand))
            self._simulation.submit(Despawn(key))

    async def _keep_stand(self, key: str, stand: Stand) -> None:
        with contextlib.suppress(StoreError):  # the avatar then appears at a spawn point; the journal tells of trouble
            await self._accounts.put_stand(key.removeprefix("visitor:"), stand)
