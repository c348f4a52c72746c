from __future__ import annotations

import argparse

import pytest
import torch

from ecumene_server import cli
from ecumene_server.commands import asked
from ecumene_server.errors import UsageError


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("evaluate", "minds", "--seeds", "0"), "--seeds is 0; it must be at least 1"),
        (("evaluate", "minds", "--worlds", "0"), "--worlds is 0; it must be at least 1"),
        (("evaluate", "minds", "--steps", "-4"), "--steps is -4; it must be at least 1"),
        (("evaluate", "minds", "--jobs", "0"), "--jobs is 0; it must be at least 1"),
        (("evaluate", "minds", "--crowd", "0"), "--crowd is 0; it must be at least 1"),
        (("evaluate", "minds", "--fresh"), "--fresh means nothing to `ecumene evaluate minds`; leave it out"),
        (("evaluate", "minds", "--tasks", "dance"), "'dance' is not a task; tasks are goto, avoid, "),
        (("evaluate", "minds", "--tasks", "gone.yaml"), "gone.yaml can't be read: No such file or directory"),
        (("evaluate", "fusion", "--without", "vision"), "--without means nothing to `ecumene evaluate fusion`; "),
        (("evaluate", "fusion", "--jobs", "2"), "--jobs means nothing to `ecumene evaluate fusion`; leave it out"),
        (("train", "minds", "--worlds", "0"), "--worlds is 0; it must be at least 1"),
        (("train", "minds", "--refresh", "0"), "--refresh is 0; it must be at least 1"),
        (("train", "minds", "--iterations", "-5"), "--iterations is -5; it must be at least 0"),
        (("train", "minds", "--device", "abacus"), "--device is 'abacus'; cpu or cuda would do"),
        (("train", "minds", "--objective", "masked"), "--objective means nothing to `ecumene train minds`; "),
        (("train", "senses", "--arenas", "0"), "--arenas is 0; it must be at least 1"),
        (("train", "senses", "--memory", "gru"), "--memory means nothing to `ecumene train senses`; leave it out"),
        (("train", "adapter", "--tasks", "goto", "--clone", "3"), "--clone means nothing to `ecumene train adapter`"),
        (("train", "relations", "--from", "x"), "--from means nothing to `ecumene train relations`; leave it out"),
        (("run", "goto", "--device", "cuda:7x"), "--device is "),
    ],
)
def test_what_can_not_be_done_as_asked_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert cli.run(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"ecumene: {sentence}")
    assert err.count("\n") == 1


def test_a_gpu_is_used_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert asked.device("cuda:1") == "cuda:1"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="torch finds no GPU here; cpu would do"):
        asked.device("cuda")


def test_what_was_not_given_is_not_refused() -> None:
    options = argparse.Namespace(worlds=None, start=None)
    asked.at_least(1, options, "worlds")
    asked.unused(options, {"start": None}, "train relations")
