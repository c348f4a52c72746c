"""`ecumene replay --explain`: the decision that is explained is the one that was recorded."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecumene_agents.explanation import ABLATED
from ecumene_scenarios import run as headless
from ecumene_scenarios.record import Recorder
from ecumene_scenarios.recording import Recording
from ecumene_server import cli


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "avoid.rec"
    headless.run("avoid", seed=3, ticks=48, recorder=Recorder(path))
    return path


def explained(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> Any:
    assert cli.run(["replay", str(path), "--explain", *arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_what_is_explained_is_what_was_decided(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compared = 0
    for number, tick in ((0, 40), (1, 41), (2, 42), (3, 43)):
        told = explained(capsys, recorded, f"npc:0.{number}", "--at", str(tick))
        assert (told["tick"], told["key"]) == (tick, f"npc:0.{number}")
        if told["recorded"] is not None:
            compared += 1
            assert told["recorded"][2] == pytest.approx(127 * told["explanation"]["turn"], abs=1.01)
    assert compared > 0, "somebody decided in the tick that is explained"


def test_it_tells_what_counts_intent_and_value(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = explained(capsys, recorded, "npc:0.1", "--at", "20")["explanation"]
    assert set(told["effects"]) == set(ABLATED)
    assert len(told["neighbour_effects"]) == 8
    assert told["top"] == max(told["effects"], key=lambda sense: told["effects"][sense]["divergence"])
    assert told["intent"].startswith(("going to place", "waiting"))
    assert isinstance(told["value"], float)
    assert cli.run(["replay", str(recorded), "--explain", "npc:0.1", "--at", "20"]) == 0
    shown = capsys.readouterr().out
    assert told["intent"] in shown
    assert all(sense in shown for sense in ABLATED)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--explain", "npc:0.1", "--at", "99"], "any tick from 0 to 48 would do"),
        (["--explain", "npc:9.1"], "'npc:9.1' is not there at tick 48; did you mean 'npc:0."),
        (["--at", "3"], "it needs --explain KEY"),
    ],
)
def test_what_cannot_be_explained_is_told(
    recorded: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(Recording.read(recorded).ticks) == 48
    assert cli.run(["replay", str(recorded), *arguments]) == 2
    assert words in capsys.readouterr().err
