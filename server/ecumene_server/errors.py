"""Errors of the server.

ServerError
├── FrameError            bytes are no cell frame of this version
├── RefusedError          a client broke a rule: it is told why and closed, others never notice
├── UsageError            a command line or a setting is wrong; the command exits with status 2
├── FailedError           what was asked for could not be done; the command exits with status 1
└── StoreError            the database can't be opened, read or written
    └── DamagedError      what was stored does not match its checksum
"""

from __future__ import annotations


class ServerError(Exception):
    """Base of all errors raised by `ecumene_server`; its text is a sentence fit for users."""


class FrameError(ServerError, ValueError):
    """Bytes are no cell frame of this version."""


class RefusedError(ServerError):
    """A client broke a rule; the sentence is sent to it before its connection is closed."""


class UsageError(ServerError):
    """A command line or a setting is wrong; the sentence says what would be accepted."""


class FailedError(ServerError):
    """What was asked for could not be done."""


class StoreError(ServerError):
    """The database can't be opened, read or written.

    Attributes:
        reason: Why, without saying where the database is: what visitors may read.
    """

    def __init__(self, sentence: str, reason: str | None = None) -> None:
        super().__init__(sentence)
        self.reason = sentence if reason is None else reason


class DamagedError(StoreError):
    """What was stored does not match its checksum."""
