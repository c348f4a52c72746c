from __future__ import annotations

import json
from typing import Any

import pytest

from ecumene_server import cli
from ecumene_server.commands import generate
from ecumene_world.gate import Gated
from ecumene_world.generate import generated as really
from ecumene_world.generate.shapes import TAG


@pytest.mark.parametrize(
    ("words", "tags"),
    [
        ("", ()),
        ("--shapes library", ()),
        ("--shapes learned", (TAG,)),
        ("--tags green --shapes learned", ("green", TAG)),
        (f"--tags {TAG} --shapes learned", (TAG,)),
    ],
)
def test_who_shapes_furniture_is_a_choice(
    words: str, tags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, ...]] = []

    def made(*arguments: Any, tags: tuple[str, ...], **options: Any) -> Gated:
        asked.append(tags)
        return really(*arguments, tags=tags, **options)

    monkeypatch.setattr(generate, "generated", made)
    assert cli.run(["generate", "meeting", "--json", *words.split()]) == 0
    assert json.loads(capsys.readouterr().out)["ok"]
    assert asked == [tags]


def test_another_word_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["generate", "apartment", "--shapes", "dreamt"]) == 2
    assert "dreamt" in capsys.readouterr().err
