"""What a client may send, and how often; pure functions and token buckets, no clock of their own."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Final

from ecumene_server import wire
from ecumene_server.errors import RefusedError

MAX_PITCH: Final = 1.6
"""Radians a gaze may be turned to any side, a little beyond what a body can do."""
_ALWAYS_REMOVED: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_JOINERS: Final = frozenset({"\u200d", "\ufe0f"})
"""Kept inside emoji and scripts that need them."""


@dataclass(slots=True)
class Bucket:
    """A token bucket: `rate` a second on average, `burst` at once.

    Attributes:
        rate: Tokens that come back each second.
        burst: Most tokens held.
        tokens: Tokens held at `at`.
        at: Seconds on the caller's clock.
    """

    rate: float
    burst: float
    tokens: float
    at: float

    @classmethod
    def full(cls, rate: float, burst: float, now: float) -> Bucket:
        """Returns a bucket that holds `burst` tokens."""
        return cls(rate, burst, burst, now)

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Takes tokens if there are enough; returns whether it did."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < amount:
            return False
        self.tokens -= amount
        return True


def clean(text: str) -> str:
    """Returns the text without control and invisible characters, in NFC, with single spaces.

    Markup is left as it is: every consumer treats text as text.
    """
    kept = (
        " " if char.isspace() else char
        for char in unicodedata.normalize("NFC", text)
        if char.isspace() or char in _JOINERS or unicodedata.category(char) not in _ALWAYS_REMOVED
    )
    return " ".join("".join(kept).split())


def name_of(raw: str) -> str:
    """Returns the visitor's name as others will see it.

    Raises:
        RefusedError: It is longer than `wire.MAX_NAME`, or nothing of it can be shown.
    """
    if len(raw) > wire.MAX_NAME:
        raise RefusedError(f"A name of {len(raw)} characters is too long; at most {wire.MAX_NAME} are taken.")
    name = clean(raw)
    if not any(char.isalnum() for char in name):
        raise RefusedError(f"The name {name!r} has no letter or digit; choose one that has.")
    return name


def text_of(raw: str) -> str:
    """Returns a chat line as others will see it.

    Raises:
        ValueError: It is empty or longer than `wire.MAX_TEXT`; the sentence may be shown.
    """
    if len(raw) > wire.MAX_TEXT:
        raise ValueError(f"A message of {len(raw)} characters is too long; at most {wire.MAX_TEXT} are taken.")
    text = clean(raw)
    if not text:
        raise ValueError("The message is empty.")
    return text


def check_steer(steer: wire.Steer) -> None:
    """Passes a steering wish that a body could have.

    Raises:
        RefusedError: A number is not finite, or a wish exceeds what the protocol allows; no client of ours sends that.
    """
    numbers = (*steer.move, steer.yaw, *steer.gaze)
    if not all(map(math.isfinite, numbers)):
        raise RefusedError(f"Steering needs finite numbers, not {numbers}.")
    if max(map(abs, steer.move)) > 1.001:
        raise RefusedError(f"A move of {steer.move} is too fast; each part must be within -1 and 1.")
    if abs(steer.yaw) > 1e4 or max(map(abs, steer.gaze)) > MAX_PITCH:
        raise RefusedError(f"A heading of {steer.yaw} with a gaze of {steer.gaze} is out of range.")


def clip_move(move: tuple[float, float]) -> tuple[float, float]:
    """Returns the move with its length limited to 1, so that diagonals are not faster."""
    length = max(1.0, math.hypot(*move))
    return _unit(move[0] / length), _unit(move[1] / length)


def turned(yaw: float) -> float:
    """Returns the same heading within half a turn of 0."""
    return math.remainder(yaw, math.tau)


def _unit(share: float) -> float:
    return max(-1.0, min(1.0, share))
