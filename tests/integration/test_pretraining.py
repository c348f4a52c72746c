"""`ecumene train senses` really runs, and minds begin with what it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ecumene_models import FusionPolicy, load_policy
from ecumene_models.checkpoint import read
from ecumene_scenarios.training import TrainingConfig, beginner
from ecumene_server import cli
from ecumene_world.world import stream


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a smoke run leaves."""
    folder = tmp_path_factory.mktemp("senses")
    assert cli.run(["train", "senses", "--smoke", "--seed", "3", "--tasks", "goto,come", "--out", str(folder)]) == 0
    return folder


def test_smoke(folder: Path) -> None:
    report = json.loads((folder / "senses.json").read_text())
    assert report["rows"] > report["pairs"] > 0
    assert len(report["losses"]) == len(report["held"]) == 1
    assert {"vision hidden", "hearing shown", "touch later", "people hidden"} <= report["explained"].keys()
    assert read(folder / "senses.safetensors", model="fusion-policy").notes["pretraining"]["walks"]["seed"] == 3


@pytest.mark.parametrize("memory", [0, 8])
def test_minds_begin_with_pretrained_encoders_and_heads_of_their_seed(folder: Path, memory: int) -> None:
    start = folder / "senses.safetensors"
    minds = beginner(TrainingConfig(seed=3, start=str(start), memory=memory)).state_dict()
    left, fresh = load_policy(start).state_dict(), FusionPolicy(generator=stream(3, "weights")).state_dict()
    for name in ("vision.token.weight", "hearing.pair.weight", "touch.layers.0.weight", "last.key"):
        assert torch.equal(minds[name], left[name]), name
        assert not torch.equal(minds[name], fresh[name]), name
    for name in ("experts.out", "residual.weight", "critic.0.weight", "log_std"):
        assert torch.equal(minds[name], fresh[name]), name


def test_minds_are_trained_from_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = str(folder / "senses.safetensors")
    command = ["train", "minds", "--smoke", "--tasks", "come", "--from", start, "--out", str(tmp_path), "--json"]
    assert cli.run(command) == 0
    said = json.loads(capsys.readouterr().out)
    assert load_policy(Path(said["weights"])).experts.out.abs().sum() > 0
    assert read(Path(said["weights"]), model="fusion-policy").notes["training"]["start"] == start


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--objective", "guess"], "'guess' is no objective; there are masked, contrastive, shuffled"),
        (["--device", "cuda"], "senses are pretrained on the CPU"),
        (["--tasks", "nowhere"], "'nowhere' is not a task"),
        (["--worlds", "0"], "--worlds is 0; it must be at least 1"),
        (["--iterations", "-1"], "--iterations is -1; it must be at least 1"),
    ],
)
def test_what_it_can_t_do_is_refused(asked: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["train", "senses", *asked]) == 2
    assert said in capsys.readouterr().err
