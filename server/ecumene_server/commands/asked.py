"""What options ask for, checked before anything is made of it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from ecumene_server.errors import UsageError


def at_least(least: int, options: argparse.Namespace, *names: str) -> None:
    """Refuses numbers that are too small; options that weren't given are None.

    Raises:
        UsageError: One of them is below `least`.
    """
    for name in names:
        number = getattr(options, name)
        if number is not None and number < least:
            raise UsageError(f"--{name} is {number}; it must be at least {least}")


def device(name: str) -> str:
    """Returns the name of a device that this machine has.

    Raises:
        UsageError: It has none of that name.
    """
    import torch

    kind = name.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"--device is {name!r}; cpu or cuda would do")
    if kind == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device is cuda, but torch finds no GPU here; cpu would do")
    return name


def unused(options: argparse.Namespace, usual: Mapping[str, Any], what: str) -> None:
    """Refuses options that would be ignored.

    Args:
        options: As parsed.
        usual: Name of each option that means nothing here, and its value where it isn't given.
        what: What the options were given for.

    Raises:
        UsageError: One of them was given.
    """
    for name, value in usual.items():
        if getattr(options, name) != value:
            flag = {"start": "from"}.get(name, name.replace("_", "-"))
            raise UsageError(f"--{flag} means nothing to `ecumene {what}`; leave it out")
