"""Strict conversion between frozen dataclasses and plain records, driven by their annotations.

Knows bool, int, float, str, literals, enums of whole numbers, optional values, unions of scalars, tuples of fixed
length, `Pose`, packed text and mappings of plain JSON. Nothing is coerced but a whole number to a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import IntEnum
from functools import lru_cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ecumene_world.errors import CommandError
from ecumene_world.plain import JSON, MAX_DEPTH, MAX_INTEGER, MAX_ITEMS, MAX_PACKED, MAX_TEXT, Packed, shown

_SCALARS: Final = frozenset({bool, int, float, str, NoneType})
"""What is plain as it is."""

T = TypeVar("T")
Reader = Callable[[object, str], Any]
"""Turns a plain value into what an annotation asks for; the second argument says what it is, for messages."""


def to_record(value: object) -> dict[str, JSON]:
    """Returns a dataclass as a plain record, every field included."""
    assert is_dataclass(value), "only dataclasses become records"
    return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}


def from_record(cls: type[T], record: object, what: str) -> T:
    """Returns the dataclass that a record describes.

    Args:
        cls: Which dataclass.
        record: Field values by name.
        what: What it is, for messages, such as "command 'say'".

    Raises:
        CommandError: A field is unknown, missing or of the wrong type, or a number is not finite.
    """
    readers, required = _schema(cls)
    if not isinstance(record, Mapping):
        raise CommandError(f"{what} must be an object, not {shown(record)}")
    for name in record:
        if name not in readers:
            raise CommandError(f"{what} has the unknown field {shown(name)}; known are {', '.join(readers)}")
    for name in required:
        if name not in record:
            raise CommandError(f"{what} lacks the field {name!r}")
    return cls(**{name: readers[name](value, f"{name!r} of {what}") for name, value in record.items()})


def check(value: object, what: str) -> None:
    """Checks that every field of a dataclass holds what its annotation says.

    Raises:
        CommandError: One does not.
    """
    for name, reader, label in _labelled(type(value), what):  # type: ignore[arg-type]
        reader(getattr(value, name), label)


def _schema(cls: type[object]) -> tuple[dict[str, Reader], tuple[str, ...]]:
    """Returns a reader for each field of a dataclass, and the fields without a default."""
    return _schema_of(cls)  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _labelled(cls: type[object], what: str) -> tuple[tuple[str, Reader, str], ...]:
    """Returns each field of a dataclass with its reader and with what it is."""
    return tuple((name, reader, f"{name!r} of {what}") for name, reader in _schema(cls)[0].items())


@lru_cache(maxsize=256)
def _schema_of(cls: type[Any]) -> tuple[dict[str, Reader], tuple[str, ...]]:
    hints = get_type_hints(cls)
    required = tuple(f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING)
    return {f.name: _reader(hints[f.name]) for f in fields(cls)}, required


def _plain(value: Any) -> JSON:
    if type(value) in _SCALARS:
        scalar: JSON = value
        return scalar
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if is_dataclass(value):
        return to_record(value)
    plain: JSON = value
    return plain


def _reader(hint: Any) -> Reader:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return _union([_reader(arg) for arg in args if arg is not NoneType], optional=NoneType in args)
    if origin is Literal:
        return _one_of(args)
    if origin is tuple:
        return _fixed([_reader(arg) for arg in args])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _json_object
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return _enum(hint)
    if is_dataclass(hint):
        assert isinstance(hint, type), "annotations name classes"
        return _nested(hint)
    return {bool: _bool, int: _integer, float: _real, str: _text, Packed: _packed}[hint]


def _union(readers: list[Reader], *, optional: bool) -> Reader:
    def read(value: object, what: str) -> object:
        if value is None and optional:
            return None
        for reader in readers[:-1]:
            try:
                return reader(value, what)
            except CommandError:
                continue
        return readers[-1](value, what)

    return read


def _nested(cls: type[object]) -> Reader:
    def read(value: object, what: str) -> object:
        if not isinstance(value, cls):
            return from_record(cls, value, what)
        check(value, what)
        return value

    return read


def _one_of(choices: tuple[object, ...]) -> Reader:
    def read(value: object, what: str) -> object:
        if not isinstance(value, str) or value not in choices:
            raise CommandError(f"{what} must be one of {', '.join(map(repr, choices))}, not {shown(value)}")
        return value

    return read


def _fixed(readers: list[Reader]) -> Reader:
    def read(value: object, what: str) -> object:
        if not isinstance(value, list | tuple) or len(value) != len(readers):
            raise CommandError(f"{what} must be a list of {len(readers)}, not {shown(value)}")
        return tuple([reader(item, what) for reader, item in zip(readers, value, strict=True)])

    return read


def _enum(choices: type[IntEnum]) -> Reader:
    def read(value: object, what: str) -> IntEnum:
        number = _integer(value, what)
        if number not in choices._value2member_map_:
            known = ", ".join(f"{choice.value} {choice.name.lower()}" for choice in choices)
            raise CommandError(f"{what} must be one of {known}, not {number}")
        return choices(number)

    return read


def _bool(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise CommandError(f"{what} must be true or false, not {shown(value)}")
    return value


def _integer(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INTEGER:
        raise CommandError(f"{what} must be a whole number, not {shown(value)}")
    return value


def _real(value: object, what: str) -> float:
    if type(value) is float and -MAX_INTEGER <= value <= MAX_INTEGER:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CommandError(f"{what} must be a number, not {shown(value)}")
    if abs(value) > MAX_INTEGER or not isfinite(value):
        raise CommandError(f"{what} must be a finite number, not {shown(value)}")
    return float(value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise CommandError(f"{what} must be text, not {shown(value)}")
    if len(value) > MAX_TEXT:
        raise CommandError(f"{what} has {len(value)} characters; {MAX_TEXT} are allowed")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise CommandError(f"{what} holds half a character (a lone surrogate)")
    return value


def _packed(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.isascii():
        raise CommandError(f"{what} must be text of letters, digits and signs, not {shown(value)}")
    if len(value) > MAX_PACKED:
        raise CommandError(f"{what} has {len(value)} characters; {MAX_PACKED} are allowed")
    return value


def _json_object(value: object, what: str) -> dict[str, JSON]:
    if not isinstance(value, Mapping):
        raise CommandError(f"{what} must be an object, not {shown(value)}")
    left = [MAX_ITEMS]
    return {_text(key, what): _json(item, what, 0, left) for key, item in value.items()}


def _json(value: object, what: str, depth: int, left: list[int]) -> JSON:
    """Returns a deep copy of JSON, with `left[0]` counting down the values that may still come."""
    left[0] -= 1
    if depth > MAX_DEPTH + 2 or left[0] < 0:
        raise CommandError(f"{what} is too large or nests too deeply")
    if isinstance(value, Mapping):
        return {_text(key, what): _json(item, what, depth + 1, left) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item, what, depth + 1, left) for item in value]
    if isinstance(value, str):
        return _text(value, what)
    if value is None or isinstance(value, bool):
        return value
    return _integer(value, what) if isinstance(value, int) else _real(value, what)
