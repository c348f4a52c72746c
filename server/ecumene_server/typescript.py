"""Writes the client's half of the protocol: `web/src/wire.generated.ts` from the Structs of `wire`.

Run it as `python -m ecumene_server.typescript [FILE]`; an architecture test keeps the file up to date.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from pathlib import Path
from typing import Any, Final

import msgspec

from ecumene_server import codec, wire

DEFAULT_FILE: Final = Path("web/src/wire.generated.ts")

_HEAD: Final = """\
// Generated from server/ecumene_server/wire.py by `python -m ecumene_server.typescript`. Do not edit.
"""
_SCALARS: Final[dict[object, str]] = {
    int: "number",
    float: "number",
    str: "string",
    bool: "boolean",
    bytes: "Uint8Array",
    Any: "unknown",
    type(None): "null",
}


def generate() -> str:
    """Returns the whole TypeScript file."""
    structs = [each for each in vars(wire).values() if _is_message(each)]
    parts = [_HEAD, _constants(), *(_interface(each) for each in structs)]
    parts += [_union("ClientMessage", wire.ClientMessage), _union("ServerMessage", wire.ServerMessage)]
    parts += [_union("ReliableMessage", wire.Reliable)]
    return "\n".join(parts)


def _is_message(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, msgspec.Struct) and not value.__name__.startswith("_")


def _constants() -> str:
    values: dict[str, float] = {
        "PROTOCOL": wire.PROTOCOL,
        "HOT": wire.HOT,
        "RARE": wire.RARE,
        "MAX_MESSAGE_BYTES": wire.MAX_MESSAGE_BYTES,
        "MAX_NAME": wire.MAX_NAME,
        "MAX_TEXT": wire.MAX_TEXT,
        "HEARING_M": wire.HEARING_M,
        "CELL_VERSION": codec.VERSION,
        "CELL_M": codec.CELL_M,
        "CELL_HEADER_BYTES": codec.HEADER.size,
        "ENTITY_BYTES": codec.ENTITY_BYTES,
        "FLAG_FAR": codec.FLAG_FAR,
        "VISITOR": codec.VISITOR,
        "SPEAKING": codec.SPEAKING,
        "HOLDING": codec.HOLDING,
    }
    return "".join(f"export const {name} = {value:g};\n" for name, value in values.items())


def _interface(struct: type[msgspec.Struct]) -> str:
    lines = [f"/** {_summary(struct)} */", f"export interface {struct.__name__} {{"]
    tag = struct.__struct_config__.tag
    if tag is not None:
        lines.append(f'  t: "{tag}";')
    optional = struct.__struct_config__.forbid_unknown_fields
    hints = typing.get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        mark = "?" if optional and not field.required else ""
        lines.append(f"  {field.name}{mark}: {_type(hints[field.name])};")
    return "\n".join([*lines, "}", ""])


def _summary(struct: type[msgspec.Struct]) -> str:
    return " ".join((inspect.getdoc(struct) or "").split("\n\n")[0].split())


def _union(name: str, union: Any) -> str:
    return f"export type {name} = {' | '.join(each.__name__ for each in typing.get_args(union))};\n"


def _type(hint: Any) -> str:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint.__name__
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return f"{_element(arguments[0])}[]"
    if origin is tuple:
        return f"[{', '.join(_type(each) for each in arguments)}]"
    if origin is dict:
        return f"Record<string, {_type(arguments[1])}>"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_type(each) for each in arguments)
    raise TypeError(f"{hint!r} has no TypeScript type; use scalars, list, tuple, dict or a Struct")


def _element(hint: Any) -> str:
    inner = _type(hint)
    return f"({inner})" if "|" in inner else inner


def main() -> None:
    """Writes the file named on the command line, or the client's own one."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FILE
    path.write_text(generate(), encoding="utf-8")


if __name__ == "__main__":
    main()
