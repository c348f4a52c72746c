"""Strict YAML: plain scalars, lists and mappings of bounded size; anything cleverer is refused by name.

YAML from strangers is read here, so aliases (the billion laughs), tags, duplicate keys, deep nesting and
non-finite numbers are refused before any value is built.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from ecumene_scenarios.errors import DocumentError, nearest

MAX_BYTES: Final = 262_144
MAX_EVENTS: Final = 20_000
MAX_DEPTH: Final = 16


def read(path: Path) -> dict[str, Any]:
    """Reads a YAML file into plain Python values.

    Raises:
        DocumentError: It is unreadable, too large, not a mapping, or uses what is refused.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"{path.name} can't be read: {error.strerror}") from error
    return parse(data, path.name)


@contextmanager
def placed(path: Path) -> Iterator[None]:
    """Adds the line to what is refused of a file that has been read, where the message begins with a place in it."""
    try:
        yield
    except DocumentError as error:
        text, start = str(error), f"{path.name}: "
        within = text.removeprefix(start) if text.startswith(start) else ""
        found = [(len(where), line) for where, line in _lines(path) if within.startswith((f"{where}:", f"{where} "))]
        if not found:
            raise
        raise DocumentError(f"{path.name} line {max(found)[1]}: {within}") from error


def _lines(path: Path) -> Iterator[tuple[str, int]]:
    """Yields what messages call each key and item of a YAML file, and its line, from 1."""
    todo = [("", yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader))]
    while todo:
        where, node = todo.pop()
        if isinstance(node, yaml.MappingNode):
            inside = [(f"{where}: {key.value}" if where else key.value, key, value) for key, value in node.value]
        else:
            items = node.value if isinstance(node, yaml.SequenceNode) else ()
            inside = [(f"{where}[{index}]", item, item) for index, item in enumerate(items)]
        for name, mark, value in inside:
            yield name, mark.start_mark.line + 1
            todo.append((name, value))


def parse(data: bytes, name: str) -> dict[str, Any]:
    """Parses YAML bytes into plain Python values; `name` is used in messages."""
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{name} is larger than {MAX_BYTES} bytes, the most a scenario may have")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{name} is not UTF-8 text (byte {error.start})") from error
    try:
        _refuse_cleverness(text, name)
        value = yaml.load(text, _Loader)  # noqa: S506 -- a SafeLoader that also refuses duplicate keys
    except yaml.YAMLError as error:
        raise DocumentError(f"{name} is not valid YAML{_where(error)}: {_problem(error)}") from error
    except (ValueError, OverflowError) as error:
        raise DocumentError(f"{name} holds a value that can't be read: {error}") from error
    if not isinstance(value, dict):
        raise DocumentError(f"{name} must be a mapping such as 'world: ...', not {_kind(value)}")
    _refuse_oddities(value, name)
    return value


def known_keys(data: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    """Refuses keys other than some; `where` is used in messages."""
    for key in data:
        if key not in keys:
            raise DocumentError(f"{where} has the unknown key {key!r}{nearest(key, keys)}; known are {', '.join(keys)}")


def text_of(value: object, where: str) -> str:
    """Returns a value that must be text and not empty; `where` is used in messages."""
    if not isinstance(value, str) or not value.strip():
        raise DocumentError(f"{where} is {value!r}; some text would do")
    return value


def one_of(value: object, words: Sequence[str], where: str) -> str:
    """Returns a value that must be one of some words; `where` is used in messages."""
    if not isinstance(value, str) or value not in words:
        raise DocumentError(f"{where} is {value!r}{nearest(str(value), words)}; one of {', '.join(words)} would do")
    return value


def _refuse_cleverness(text: str, name: str) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if count > MAX_EVENTS:
            raise DocumentError(f"{name} has more than {MAX_EVENTS} values, the most a scenario may have")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise DocumentError(f"{name} line {line} uses a YAML anchor or alias; write the value out instead")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise DocumentError(f"{name} line {line} uses the YAML tag {tag!r}; only plain values are accepted")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise DocumentError(f"{name} line {line} is nested more than {MAX_DEPTH} deep")


def _refuse_oddities(value: object, where: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise DocumentError(f"{where} has the key {key!r}; keys must be text (quote it)")
            _refuse_oddities(item, f"{where}: {key}")
    elif isinstance(value, list):
        for item in value:
            _refuse_oddities(item, where)
    elif isinstance(value, float) and not math.isfinite(value):
        raise DocumentError(f"{where} is {value}; numbers must be finite")
    elif not isinstance(value, str | int | float | bool | None):
        raise DocumentError(f"{where} is {_kind(value)}; only text, numbers, true and false are accepted (quote it)")


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return "" if mark is None else f" (line {mark.line + 1})"


def _problem(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


def _kind(value: object) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "empty"}
    return names.get(type(value), f"a {type(value).__name__}")


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is not plain text", key.start_mark)
            if key.value in seen:
                problem = f"the key {key.value!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)
