"""The reliable stream to one client: numbered messages, kept until acknowledged, sent again after a resume."""

from __future__ import annotations

from collections import deque
from typing import Final

from ecumene_server import wire

RING: Final = 1024
"""Messages kept for a client that does not acknowledge; with more, a resume becomes a fresh join."""


class Stream:
    """Numbers messages from 1 and remembers those that were not acknowledged yet."""

    def __init__(self) -> None:
        self.seq = 0
        """Number of the last message."""
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=RING)

    def number(self) -> int:
        """Returns the number for the next message."""
        self.seq += 1
        return self.seq

    def keep(self, message: wire.Reliable) -> bytes:
        """Returns the message as bytes, remembering it; its `seq` must be the latest number."""
        assert message.seq == self.seq, f"message {message.seq} comes where {self.seq} is due"
        data = wire.encode(message)
        self._kept.append((message.seq, data))
        return data

    def acknowledge(self, seq: int) -> None:
        """Forgets everything up to `seq`; an older acknowledgement changes nothing."""
        while self._kept and self._kept[0][0] <= seq:
            self._kept.popleft()

    def after(self, seq: int) -> list[bytes] | None:
        """Returns the messages after `seq`, or None when some of them are no longer kept or never were sent."""
        if seq > self.seq or seq < 0:
            return None
        missing = [data for number, data in self._kept if number > seq]
        return missing if len(missing) == self.seq - seq else None
