from __future__ import annotations

import json
from typing import Any

import pytest

from ecumene_server import cli
from ecumene_server.commands import generate
from ecumene_world.gate import Gated
from ecumene_world.generate import generated as really
from ecumene_world.generate import learned_layout


class Nothing:
    """A proposer that leaves every room to the rules."""

    def __init__(self, *, straighten: bool = False) -> None:
        self.straighten = straighten

    def propose(self, brief: object) -> None:
        return None


@pytest.mark.parametrize(
    ("words", "straight"),
    [
        ("", None),
        ("--layout procedural", None),
        ("--layout learned", False),
        ("--layout learned --refine placement", True),
    ],
)
def test_who_furnishes_is_a_choice(
    words: str, straight: bool | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def made(*arguments: Any, proposer: Any, **options: Any) -> Gated:
        asked.append(proposer)
        return really(*arguments, proposer=proposer, **options)

    monkeypatch.setattr(generate, "generated", made)
    monkeypatch.setattr(learned_layout.LearnedLayout, "shipped", Nothing)
    assert cli.run(["generate", "meeting", "--json", *words.split()]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]
    assert [getattr(one, "straighten", None) for one in asked] == [straight]


def test_there_is_nothing_to_put_straight_in_what_the_rules_draw(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", "apartment", "--refine", "placement"]) == 2
    assert "--layout learned" in capsys.readouterr().err


def test_other_choices_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", "apartment", "--layout", "dreamt"]) == 2
    assert "dreamt" in capsys.readouterr().err
