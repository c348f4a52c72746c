"""Figures that there are none of are told as none, and spoil no mean."""

import json
import math
from dataclasses import replace

import pytest

from ecumene_scenarios import evaluate as module
from ecumene_scenarios.evaluate import Arenas, Row, evaluate
from ecumene_server import cli
from ecumene_server.commands.evaluate import told

NAN = math.nan


def rows(monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> dict[str, Row]:
    """Evaluates arenas in which arriving took so long; by metric."""
    fared = [{"success": float(not math.isnan(value)), "seconds_to_goal": value} for value in seconds]
    monkeypatch.setattr(module, "fared", lambda trial: fared[trial.seed - module.SPLITS["test"]])
    return {row.metric: row for row in evaluate(None, Arenas(seeds=len(seconds)), tasks=("goto",))}


def test_the_mean_time_is_of_the_arenas_in_which_somebody_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(monkeypatch, [NAN, 4.0, 6.0])
    took = found["seconds_to_goal"]
    assert (took.value, took.seeds) == (5.0, 2)
    assert took.low < 5.0 < took.high
    assert found["success"].value == pytest.approx(2 / 3)
    assert found["success"].seeds == 3


def test_arriving_takes_no_time_at_all_only_if_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    row = rows(monkeypatch, [NAN, NAN])["seconds_to_goal"]
    said = row.to_json()
    assert (said["value"], said["low"], said["high"], said["seeds"]) == (None, None, None, 0)
    assert rows(monkeypatch, [0.0, 0.0])["seconds_to_goal"].to_json()["value"] == 0.0


def test_machines_are_told_null(monkeypatch: pytest.MonkeyPatch) -> None:
    minds = replace(rows(monkeypatch, [NAN])["seconds_to_goal"], model="minds")
    said = json.loads(json.dumps(told([minds]), allow_nan=False))
    assert said["tasks"] == {"goto": {"seconds_to_goal": None}}
    assert said["rows"][0]["value"] is None


def refused(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def test_the_command_tells_people_a_dash_and_machines_null(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "fared", lambda trial: {"success": 0.0, "seconds_to_goal": NAN})
    command = ["evaluate", "minds", "--tasks", "goto", "--seeds", "2", "--jobs", "1"]
    assert cli.run(command) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["goto", "seconds_to_goal", "minds", "–", "–", "to", "–"] in lines
    assert ["goto", "success", "minds", "0.000", "0.000", "to", "0.000"] in lines
    assert cli.run([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out, parse_constant=refused)
    assert said["tasks"] == {"goto": {"success": 0.0, "seconds_to_goal": None}}
