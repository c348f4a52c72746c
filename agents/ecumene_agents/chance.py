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


def some(options: Sequence[T], count: int, seed: int, *words: object) -> list[T]:
    """Returns that many different options, or all if there are fewer, in an order of chance.

    It takes about as many draws as options are wanted, however many there are to choose from.
    """
    chosen: dict[int, None] = {}
    draw = 0
    while len(chosen) < min(count, len(options)):
        chosen[int(number(seed, *words, draw) * len(options))] = None
        draw += 1
    return [options[i] for i in chosen]
