"""Secrets: account tokens and the admin token. Only hashes are stored; the admin's is a file of mode 600."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from ecumene_server.errors import FailedError

TOKEN_BYTES: Final = 24
MAX_TOKEN: Final = 128
"""A longer token is none of ours and not even hashed."""


def new_token() -> str:
    """Returns a fresh secret of 32 URL-safe characters."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_id() -> str:
    """Returns a fresh public account id of 16 hex digits."""
    return secrets.token_hex(8)


def digest(token: str) -> str:
    """Returns what is stored of a token: 64 hex digits. Tokens are random, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same(token: str, other: str) -> bool:
    """Compares two secrets in constant time."""
    return hmac.compare_digest(token.encode(), other.encode())


def admin_token(path: Path) -> str:
    """Returns the admin's secret, making it on first use; only its owner may read the file.

    Raises:
        FailedError: The file can't be read or written.
    """
    try:
        if path.exists():
            return path.read_text(encoding="ascii").strip()
        token = new_token()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
    except OSError as error:
        raise FailedError(f"the admin token {str(path)!r} can't be kept: {error.strerror}") from error
    return token
