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

    def propose(self, brief: object) -> None:
        return None


@pytest.mark.parametrize(
    ("words", "learned"), [("", False), ("--layout procedural", False), ("--layout learned", True)]
)
def test_who_furnishes_is_a_choice(
    words: str, learned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def made(*arguments: Any, proposer: Any, **options: Any) -> Gated:
        asked.append(proposer)
        return really(*arguments, proposer=proposer, **options)

    monkeypatch.setattr(generate, "generated", made)
    monkeypatch.setattr(learned_layout.LearnedLayout, "shipped", Nothing)
    assert cli.run(["generate", "meeting", "--json", *words.split()]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]
    assert [isinstance(one, Nothing) for one in asked] == [learned]


def test_other_choices_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", "apartment", "--layout", "dreamt"]) == 2
    assert "dreamt" in capsys.readouterr().err
