from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from ecumene_server import cli
from ecumene_server.errors import FailedError, StoreError
from ecumene_world.errors import GraphError


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.run(arguments)
    out, err = capsys.readouterr()
    return status, out, err


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    class Parser:
        def parse_args(self, arguments: object) -> argparse.Namespace:
            raise error

    monkeypatch.setattr(cli, "parser", lambda _: Parser())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "the following arguments are required: COMMAND; see ecumene --help"),
        (("dance",), "invalid choice: 'dance'"),
        (("serve", "--port", "many"), "argument --port: invalid int value: 'many'; see ecumene serve --help"),
        (("serve", "--port", "70000"), "port 70000 is not within 0 and 65535"),
        (("serve", "nowhere.json"), "the world 'nowhere.json' is neither a file nor one of town"),
        (("serve", "--mqtt", "http://here"), "is no address like mqtt://host:1883/prefix"),
        (("evaluate", "minds", "--tasks", "dance"), "'dance' is not a task; tasks are goto, avoid, wait, follow, find"),
        (("evaluate", "minds", "--without", "smell"), "'smell' is not a sense; senses are vision, hearing, touch"),
        (("evaluate", "minds", "--crowd", "0"), "--crowd is 0; it must be at least 1"),
        (("train", "minds", "--sense-less", "smell"), "'smell' is not a sense"),
        (("train", "minds", "--from", "nowhere.safetensors"), "there is no file 'nowhere.safetensors'"),
        (("serve", "--config", "nowhere.toml"), "the settings file 'nowhere.toml' can't be read"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_status_two(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("ecumene: ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("error", [FailedError("it is so."), StoreError("it is so."), GraphError("it is so.")])
def test_what_can_not_be_done_is_one_sentence_and_status_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    raising(monkeypatch, error)
    assert run(capsys) == (1, "", "ecumene: it is so.\n")


def test_the_unexpected_is_one_sentence_and_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(monkeypatch, ZeroDivisionError("inner detail"))
    status, _, err = run(capsys)
    assert status == 1
    assert err.startswith("ecumene: something unexpected went wrong (ZeroDivisionError); details are in ")
    assert "inner detail" not in err
    log = Path(err.rsplit(" ", 1)[1].strip())
    assert "ZeroDivisionError: inner detail" in log.read_text()
    log.unlink()


def test_an_interruption_is_no_crash(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    assert run(capsys) == (1, "", "ecumene: interrupted\n")


@pytest.mark.parametrize("name", [*cli.COMMANDS])
def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run([name, "--help"])
    assert ended.value.code == 0
    assert "usage: ecumene" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys; from ecumene_server.cli import parser; parser(()).format_help(); print('torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
