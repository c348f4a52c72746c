"""What the hub counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """What the hub counts for `/metrics`."""

    messages_in: int = 0
    bytes_in: int = 0
    hot_out: int = 0
    hot_bytes_out: int = 0
    skipped: int = 0
    refused: int = 0
    joins: int = 0
    resumes: int = 0
    speeches: int = 0
