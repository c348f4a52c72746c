"""The door to all commands: what they are, who may give them, how they become records and what they do.

Schema, permission and possibility are three questions: `from_record` answers the first, `permitted` the second and
`check` the third.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from ecumene_world import schema
from ecumene_world.commands.base import COMMANDS, Command, Role
from ecumene_world.commands.body import Despawn, Gesture, Interact, Say, Spawn, Steer
from ecumene_world.commands.edits import AddBranch, AddNode, MoveNode, Recompile, Relate, RemoveNode
from ecumene_world.commands.intent import SetIntent
from ecumene_world.commands.things import Reading, SetThing
from ecumene_world.errors import CommandError
from ecumene_world.plain import JSON, shown

if TYPE_CHECKING:
    from ecumene_world.world import World

__all__ = [
    "COMMANDS",
    "AddBranch",
    "AddNode",
    "Command",
    "Despawn",
    "Gesture",
    "Interact",
    "MoveNode",
    "Reading",
    "Recompile",
    "Relate",
    "RemoveNode",
    "Role",
    "Say",
    "SetIntent",
    "SetThing",
    "Spawn",
    "Steer",
    "check",
    "from_record",
    "permitted",
    "to_record",
]


def permitted(command: Command, role: Role, own_keys: Collection[str] = ()) -> bool:
    """Tells whether someone may give a command.

    Args:
        command: Which.
        role: Whose role.
        own_keys: Keys of the avatars that are theirs; who is below ADMIN steers and speaks only through these.
    """
    if role < command.needs:
        return False
    return not command.own or role >= Role.ADMIN or getattr(command, "key") in own_keys  # noqa: B009 - set where `own` is


def check(command: Command, world: World) -> None:
    """Checks that a command is well formed and can be carried out now.

    Raises:
        CommandError: It isn't, or can't; one sentence.
    """
    _check_form(command)
    if not 0 <= command.world < world.state.worlds:
        raise CommandError(f"world {command.world} does not exist; there are {world.state.worlds}")
    command.possible(world)


def to_record(command: Command) -> dict[str, JSON]:
    """Returns a command as plain data: its name as "command", then its fields."""
    return {"command": command.name, **schema.to_record(command)}


def from_record(record: object) -> Command:
    """Returns the command that plain data describes.

    Raises:
        CommandError: The command or a field is unknown, missing, of the wrong type or out of range.
    """
    if not isinstance(record, Mapping):
        raise CommandError(f"a command must be an object, not {shown(record)}")
    name = record.get("command")
    cls = COMMANDS.get(name) if isinstance(name, str) else None
    if cls is None:
        raise CommandError(f"{shown(name)} is not a command; known are {', '.join(COMMANDS)}")
    rest = {key: value for key, value in record.items() if key != "command"}
    command = schema.from_record(cls, rest, f"command {name!r}")
    command.limits()
    return command


def _check_form(command: Command) -> None:
    if type(command) is not COMMANDS.get(getattr(command, "name", "")):
        raise CommandError(f"{shown(command)} is not a command; known are {', '.join(COMMANDS)}")
    schema.check(command, f"command {command.name!r}")
    command.limits()
