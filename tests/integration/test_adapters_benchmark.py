"""The benchmark of adapters: what share of the gain is, and what is trained and tried again."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import adapters  # noqa: E402

from ecumene_scenarios.cast import WEIGHTS  # noqa: E402
from ecumene_scenarios.evaluate import Trial  # noqa: E402


def row(model: str, seed: int, *success: float) -> adapters.Fared:
    return adapters.Fared("queue", model, seed, success, (0.0,) * len(success), 1.0)


def test_the_share_is_of_what_tuning_all_adds_to_the_base() -> None:
    rows = [row("base", 0, 0.2, 0.4)]
    rows += [row("adapter", 0, 0.6, 0.8), row("all tuned", 0, 0.7, 0.9)]
    rows += [row("adapter", 1, 0.9, 0.9), row("all tuned", 1, 0.9, 0.9)]
    assert "| 91% (80%, 100%) |" in adapters.table(rows)


def test_what_was_trained_is_tried_again_only_where_it_was_tried_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []
    tried: list[Trial] = []

    def learn(self: adapters.Done, task: str, model: str, seed: int, out: Path) -> None:
        del self, task, model, seed
        out.touch()
        trained.append(out)

    def try_out(trial: Trial) -> dict[str, float]:
        tried.append(trial)
        return {"success": 0.5, "collisions_per_agent_minute": 0.0}

    monkeypatch.setattr(adapters.Done, "_trained", learn)
    monkeypatch.setattr(adapters, "fared", try_out)
    first = adapters.Done(tmp_path, WEIGHTS, 2).fared("queue", "adapter", 0)
    assert (len(trained), len(tried)) == (1, 2)
    assert adapters.Done(tmp_path, WEIGHTS, 2).fared("queue", "adapter", 0) == first
    assert (len(trained), len(tried)) == (1, 2)
    assert len(adapters.Done(tmp_path, WEIGHTS, 3).fared("queue", "adapter", 0).success) == 3
    assert (len(trained), len(tried)) == (1, 5)
    monkeypatch.setattr(adapters, "WORLDS", adapters.WORLDS + 1)
    adapters.Done(tmp_path, WEIGHTS, 3).fared("queue", "adapter", 0)
    assert (len(trained), len(tried)) == (1, 8)
    assert json.loads(trained[0].with_suffix(".json").read_text())["cpu_s"] == first.cpu_s
    trained[0].unlink()
    adapters.Done(tmp_path, WEIGHTS, 4).fared("queue", "adapter", 0)
    assert len(trained) == 2
