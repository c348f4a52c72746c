from __future__ import annotations

from pathlib import Path

import pytest

from ecumene_server import auth
from ecumene_server.errors import FailedError


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {auth.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 32 for token in tokens)


def test_the_admin_token_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "town.admin"
    token = auth.admin_token(path)
    assert auth.admin_token(path) == token
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_token_that_can_not_be_kept_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="can't be kept: No such file or directory"):
        auth.admin_token(tmp_path / "nowhere" / "town.admin")


def test_digests_tell_tokens_apart() -> None:
    assert auth.digest("a") != auth.digest("b")
    assert auth.is_same("a", "a")
    assert not auth.is_same("a", "ä")
