"""Plain data: what may stand in attributes, parameters and records, so that it survives JSON unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from numbers import Integral, Real
from typing import Final, NewType, TypeAlias

from ecumene_world.errors import GraphError

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""What the standard library's `json` reads."""

MAX_DEPTH: Final = 8
"""Deepest nesting of lists in one attribute."""
MAX_ITEMS: Final = 200_000
"""Most scalars in one attribute."""
MAX_TEXT: Final = 20_000
"""Longest text in one attribute, characters."""
Packed = NewType("Packed", str)
"""Text of letters, digits and signs that stands for data, such as base64; it may be long."""
MAX_PACKED: Final = 1 << 26
"""Longest packed text, characters."""
MAX_INTEGER: Final = 2**63 - 1


def plain_mapping(given: object, what: str) -> dict[str, JSON]:
    """Returns a deep copy of a mapping of scalars and nested lists, numpy scalars and tuples made plain.

    Args:
        given: The mapping.
        what: Whose mapping, for messages, such as "attributes of node 'oak'".

    Raises:
        GraphError: It is no mapping, or holds something that JSON can't carry.
    """
    if not isinstance(given, Mapping):
        raise GraphError(f"{what} must be an object with names and values, not {shown(given)}")
    copy: dict[str, JSON] = {}
    for key, value in given.items():
        if not isinstance(key, str):
            raise GraphError(f"{what} have the key {shown(key)}; keys must be text")
        copy[key] = _Copier(f"{key!r} in {what}").copy(value, 0)
    return copy


def shown(value: object) -> str:
    """Returns a value's repr, cut short so that it fits into a sentence."""
    if isinstance(value, Mapping | list | tuple) and len(value) > 8:
        return f"a {type(value).__name__} of {len(value)} items"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


class _Copier:
    """Copies one value and counts its scalars."""

    __slots__ = ("left", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.left = MAX_ITEMS

    def copy(self, value: object, depth: int) -> JSON:
        if isinstance(value, list | tuple):
            if depth >= MAX_DEPTH:
                raise GraphError(f"{self.what} nests deeper than {MAX_DEPTH} lists")
            return [self.copy(item, depth + 1) for item in value]
        self.left -= 1
        if self.left < 0:
            raise GraphError(f"{self.what} has more than {MAX_ITEMS} values")
        return self._scalar(value)

    def _scalar(self, value: object) -> JSON:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Integral):
            if abs(int(value)) > MAX_INTEGER:
                raise GraphError(f"{self.what} is a whole number beyond ±2^63")
            return int(value)
        if isinstance(value, Real):
            if not isfinite(value):
                raise GraphError(f"{self.what} is {float(value)}; numbers must be finite")
            return float(value)
        raise GraphError(f"{self.what} is {shown(value)}; only numbers, text, true, false and lists of them are stored")

    def _text(self, value: str) -> str:
        if len(value) > MAX_TEXT:
            raise GraphError(f"{self.what} is a text of {len(value)} characters; {MAX_TEXT} are allowed")
        if any("\ud800" <= letter <= "\udfff" for letter in value) if not value.isascii() else False:
            raise GraphError(f"{self.what} holds half a character (a lone surrogate)")
        return str(value)
