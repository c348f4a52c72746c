from __future__ import annotations

from pathlib import Path

import pytest

from ecumene_server import settings
from ecumene_server.errors import UsageError
from ecumene_server.settings import Settings


def test_the_command_line_wins_over_variables_over_the_file(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text("port = 1\nnpcs = 1\nseed = 1\nkeep_chat = true\nsnapshot_s = 5\n")
    env = {"ECUMENE_PORT": "2", "ECUMENE_NPCS": "2", "PATH": "/bin", "ECUMENE_DATA": "/data"}
    found = settings.load({"port": 3}, config=config, env=env)
    assert (found.port, found.npcs, found.seed) == (3, 2, 1)
    assert (found.keep_chat, found.snapshot_s) == (True, 5.0)


def test_without_sources_the_defaults_hold() -> None:
    assert settings.load({}, env={}) == Settings()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", r"names 'prot', which is no setting; did you mean 'port'\?"),
        ('port = "x"', r"sets port to 'x'; a whole number is expected"),
        ("port = true", r"a whole number is expected"),
        ("port = 70000", r"port 70000 is not within 0 and 65535"),
        ('minds = "genius"', r"minds 'genius' is none of fusion, scripted, none"),
        ("port =", r"is no TOML"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    config = tmp_path / "server.toml"
    config.write_text(text)
    with pytest.raises(UsageError, match=sentence) as caught:
        settings.load({}, config=config, env={})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ECUMENE_PORT", "eighty", r"ECUMENE_PORT is 'eighty'; a whole number is expected"),
        ("ECUMENE_BROWSER", "perhaps", r"ECUMENE_BROWSER is 'perhaps'; a yes or no is expected"),
        ("ECUMENE_POTR", "1", r"ECUMENE_POTR names 'potr', which is no setting; did you mean 'port'"),
        ("ECUMENE_CONFIG", "/nowhere.toml", r"'/nowhere.toml' can't be read"),
    ],
)
def test_a_wrong_variable_is_one_sentence(name: str, value: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        settings.load({}, env={name: value})
