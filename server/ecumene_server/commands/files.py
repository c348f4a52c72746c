"""Files that commands read and write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ecumene_server.errors import FailedError, UsageError


def existing(path: Path) -> Path:
    """Returns the path of a file.

    Raises:
        UsageError: There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {str(path)!r}")
    return path


def written(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` write a file.

    Raises:
        FailedError: It can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
    except OSError as error:
        raise FailedError(f"{str(path)!r} can't be written: {error.strerror}") from error
