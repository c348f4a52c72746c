"""What every command is: plain data with a schema, a permission, limits and an effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from math import dist
from typing import TYPE_CHECKING, ClassVar, TypeVar

from ecumene_world.avatar import Avatar
from ecumene_world.errors import CommandError
from ecumene_world.event import Event
from ecumene_world.plain import shown
from ecumene_world.pose import Vector3

if TYPE_CHECKING:
    from ecumene_world.world import World

MAX_KEY: int = 120
"""Longest avatar key, characters."""


class Role(IntEnum):
    """Who may do what; each role may do all that the ones before it may."""

    VISITOR = 0
    BUILDER = 1
    ADMIN = 2
    SYSTEM = 3


@dataclass(frozen=True, slots=True)
class Command:
    """A wish to change a world, carried out between two ticks.

    Attributes:
        world: Which of the B worlds it is about; edits of the graph are about all of them.
    """

    name: ClassVar[str] = ""
    """Stable name in records and on the wire."""
    needs: ClassVar[Role] = Role.SYSTEM
    """Least role that may give it."""
    durable: ClassVar[bool] = False
    """Whether it is acknowledged only after it is on disk."""
    own: ClassVar[bool] = False
    """Whether it is about the avatar `key`, which then must be the sender's own."""

    world: int = field(default=0, kw_only=True)

    def limits(self) -> None:
        """Checks what can be checked without a world: ranges and lengths.

        Raises:
            CommandError: Something is out of range; one sentence.
        """

    def possible(self, world: World) -> None:
        """Checks whether it can be carried out now.

        Raises:
            CommandError: It can't; one sentence.
        """

    def apply(self, world: World) -> list[Event]:
        """Carries it out; `limits` and `possible` have passed."""
        raise NotImplementedError


COMMANDS: dict[str, type[Command]] = {}
"""Every command by its name."""

_C = TypeVar("_C", bound=type[Command])


def command(name: str, needs: Role, *, durable: bool = False, own: bool = False) -> Callable[[_C], _C]:
    """Returns a decorator that gives a command class its name and rules and registers it."""

    def register(cls: _C) -> _C:
        cls.name, cls.needs, cls.durable, cls.own = name, needs, durable, own
        COMMANDS[name] = cls
        return cls

    return register


def require(condition: bool, sentence: str) -> None:
    """Raises a CommandError with that sentence unless the condition holds."""
    if not condition:
        raise CommandError(sentence)


def check_key(key: str) -> None:
    """Checks the form of an avatar key."""
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise CommandError(f"avatar key {shown(key)} must be 1..{MAX_KEY} printable characters")


def check_point(point: Vector3, what: str) -> None:
    """Checks that a point lies within the coordinates a world can have."""
    if dist(point, (0.0, 0.0, 0.0)) > 1e5:
        raise CommandError(f"{what} {shown(point)} is more than 100 km from the origin")


def avatar(world: World, key: str, index: int) -> Avatar:
    """Returns an avatar of one of the worlds.

    Raises:
        CommandError: It is not there.
    """
    found = world.avatars.get(key)
    if found is None or found.world != index:
        raise CommandError(f"no avatar {shown(key)} is in this world")
    return found
