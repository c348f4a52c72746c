"""Tracebacks go to a file; people get a sentence that names it."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import traceback
from pathlib import Path
from typing import Any, Final

_LOG: Final = logging.getLogger("ecumene")


def sentence(error: BaseException) -> str:
    """Writes the traceback of an unexpected error to a fresh file; returns what to tell."""
    with tempfile.NamedTemporaryFile("w", prefix="ecumene-", suffix=".log", delete=False, encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    return f"something unexpected went wrong ({type(error).__name__}); details are in {Path(log.name)}"


def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Takes what a callback or a background task of the event loop did not catch; the server goes on.

    asyncio has closed the connection whose callback it was.
    """
    del loop
    error = context.get("exception")
    _LOG.error("%s", sentence(error) if isinstance(error, BaseException) else context.get("message"))
