"""Errors of the world.

WorldError
├── GraphError            a scene graph, or an edit of one, breaks a rule
│   ├── UnknownKindError
│   └── RequestError      a world was asked for that can't be had
├── CommandError          a command can't be carried out
├── SnapshotError         bytes are no snapshot of ours, or a damaged one
└── ImportFailed          a file can't become a world
    ├── TooLarge
    └── Unfit             a file is sound, but no world can be made of what it holds
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorldError(Exception):
    """Base of all errors raised by `ecumene_world`; its text is a sentence fit for users."""


class GraphError(WorldError):
    """A scene graph, or an edit of one, breaks a rule; the message names the node."""


class UnknownKindError(GraphError):
    """A kind that does not exist."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"{name!r} is not a kind of thing{hint}")


class RequestError(GraphError):
    """A world was asked for that can't be had; the message says what can."""


class CommandError(WorldError):
    """A command is malformed, not permitted or impossible now."""


class SnapshotError(WorldError):
    """Bytes are no snapshot of this version, or are damaged."""


class ImportFailed(WorldError):  # noqa: N818 - reads as what happened
    """A file can't become a world; the message says where and why."""


class TooLarge(ImportFailed):
    """A file exceeds a size or node limit."""


class Unfit(ImportFailed):
    """A file is sound, but holds nothing that a world can be made of, such as a scan of a single point."""
