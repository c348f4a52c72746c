"""Choices that depend on a seed and on words only: the same NPC makes the same choice in every run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def number(seed: int, *words: object) -> float:
    """Returns a number in 0..1 (1 excluded)."""
    text = "\x1f".join((str(seed), *(str(word) for word in words)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def pick(options: Sequence[T], seed: int, *words: object) -> T:
    """Returns one of the options, of which there is at least one."""
    return options[int(number(seed, *words) * len(options))]


def shuffled(options: Sequence[T], seed: int, *words: object) -> list[T]:
    """Returns the options in another order."""
    order = sorted(range(len(options)), key=lambda i: number(seed, *words, i))
    return [options[i] for i in order]
