"""Requests of visitors as commands."""

from __future__ import annotations

from ecumene_server import limits, wire
from ecumene_server.visitor import Visitor
from ecumene_world.command import Command, Gesture, Interact, Say, from_record, permitted
from ecumene_world.errors import CommandError
from ecumene_world.state import Emote

Request = wire.Say | wire.Use | wire.Gesture | wire.Edit


def command_of(visitor: Visitor, message: Request) -> Command:
    """Returns what a visitor asks for.

    Raises:
        CommandError: It is malformed, or not for this visitor.
        ValueError: There is no such emote.
    """
    match message:
        case wire.Say(text=text):
            return Say(visitor.key, limits.text_of(text))
        case wire.Use(thing=thing):
            return Interact(visitor.key, thing)
        case wire.Gesture(emote=emote):
            return Gesture(visitor.key, Emote(emote))
        case wire.Edit(command=record):
            command = from_record(record)
            if command.own:
                raise CommandError(f"{command.name!r} is no edit; send it as a message of its own")
            if not permitted(command, visitor.role, (visitor.key,)):
                raise CommandError(
                    f"{command.name!r} needs the role {command.needs.name.lower()}, yours is {_role(visitor)}"
                )
            return command


def _role(visitor: Visitor) -> str:
    return visitor.role.name.lower()
