"""Tags: the wishes that each type of world knows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from ecumene_world.errors import RequestError
from ecumene_world.generate.style import COMMON

_OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "apartment": {"studio": "one large room and a bath"},
    "office": {"cells": "small offices instead of open ones"},
    "meeting": {},
    "classroom": {"group": "tables for four instead of rows"},
    "clinic": {"ward": "beds to stay in"},
    "museum": {"art": "statues and pictures", "history": "old things", "science": "curious things"},
    "shop": {"books": "sells books", "clothes": "sells clothes", "flowers": "sells flowers", "grocery": "sells food"},
    "cafe": {"bar": "a long counter"},
    "town": {"dense": "more rows of houses", "villas": "more houses in gardens", "green": "more parks and plants"},
    "plaza": {"quiet": "no market"},
    "arena": {"open": "no inner walls", "doors": "a door in every gap"},
}
_SIZES: Final = {"large", "small"}
TAGS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        kind: own
        if kind == "arena"
        else {
            **{tag: does for tag, does in COMMON.items() if kind not in {"town", "plaza"} or tag not in _SIZES},
            **own,
        }
        for kind, own in _OWN.items()
    }
)
"""What each type knows: tag and what it does."""
_CONTRARY: Final = (("large", "small"), ("minimal", "busy"), ("dense", "villas"))


def check_tags(kind: str, tags: Sequence[str]) -> None:
    """Checks the tags for a type.

    Raises:
        RequestError: A tag is unknown, or two contradict each other; the message names the nearest known one.
    """
    known = TAGS[kind]
    for tag in tags:
        if tag not in known:
            near = difflib.get_close_matches(tag, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RequestError(f"the tag {tag!r} is not known for {kind}, but {', '.join(known)} are{hint}")
    for a, b in _CONTRARY:
        if a in tags and b in tags:
            raise RequestError(f"the tags {a!r} and {b!r} contradict each other; give one of them")
