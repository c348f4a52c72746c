from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ecumene_models.metrics import Row
from ecumene_server.cli import main
from ecumene_server.commands import learned
from ecumene_world.learning import relating

ROWS = [Row("relations", False, "macro_f1", 0.5, 0.4, 0.6, 5, "held out")]


def run(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[argparse.Namespace]:
    """What a stand-in for training is asked."""
    heard: list[argparse.Namespace] = []

    def train(options: argparse.Namespace, folder: Path, progress: learned.Progress) -> tuple[Path, Sequence[Any]]:
        heard.append(options)
        progress(1, 1, 0.25)
        return folder / "weights.safetensors", ROWS

    monkeypatch.setitem(learned.TRAINED, "relations", train)
    return heard


def test_training_ends_with_weights_and_rows(
    asked: list[argparse.Namespace], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run("train", "relations", "--seed", "3", "--out", str(tmp_path), "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["weights"] == str(tmp_path / "weights.safetensors")
    assert said["rows"][0]["metric"] == "macro_f1"
    assert asked[0].seed == 3


def test_known_figures_need_no_training(
    asked: list[argparse.Namespace], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(learned.SHIPPED, "relations", lambda: ROWS)
    assert not run("evaluate", "relations", "--json")
    said = json.loads(capsys.readouterr().out)
    (row,) = said["rows"]
    assert not asked
    assert set(row) == {"model", "baseline", "metric", "value", "low", "high", "seeds", "split"}


def test_a_version_without_figures_says_how_to_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(relating, "RESULTS", tmp_path / "none.json")
    assert run("evaluate", "relations") == 1
    assert "--fresh" in capsys.readouterr().err


def test_fresh_figures_are_trained_for(
    asked: list[argparse.Namespace],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not run("evaluate", "relations", "--fresh", "--json")
    assert json.loads(capsys.readouterr().out)["rows"][0]["value"] == 0.5
    assert len(asked) == 1


def test_the_shipped_figures_of_every_model_can_be_shown() -> None:
    for known in learned.SHIPPED.values():
        rows = known()
        assert any(row.baseline for row in rows)
        assert any(not row.baseline for row in rows)


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("fusion", "accuracy_avt"),
        ("layout", "frechet_distance"),
        ("pointnet", "accuracy"),
        ("placement", "overlap"),
        ("relations", "macro_f1"),
        ("segmenter", "miou"),
        ("shapes", "one_nna"),
    ],
)
def test_a_machine_finds_the_shipped_figures_under_the_names_of_their_metrics(
    name: str, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not run("evaluate", name, "--json")
    said = json.loads(capsys.readouterr().out)
    (row,) = (row for row in said["rows"] if (row["model"], row["metric"]) == (said["model"], metric))
    assert said[metric] == row["value"]
