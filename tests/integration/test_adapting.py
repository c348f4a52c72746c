"""An adapter is trained by imitation: the same seed gives the same one, and its base stays as it was."""

from pathlib import Path

import pytest
import torch

from ecumene_models import load_policy
from ecumene_models.adapters import adaptable, fingerprint, load_adapter, share
from ecumene_scenarios.adapting import adapt
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.errors import TrainingError, UnknownScenarioError


@pytest.mark.timeout(600)
def test_the_same_seed_gives_the_same_adapter(tmp_path: Path) -> None:
    files = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    told: list[tuple[int, float]] = []
    for file in files:
        adapt(
            WEIGHTS,
            "avoid",
            file,
            seed=3,
            epochs=2,
            arenas=1,
            worlds=1,
            progress=lambda i, loss: told.append((i, loss)),
        )
    assert files[0].read_bytes() == files[1].read_bytes()
    assert [number for number, _ in told] == [1, 2, 1, 2]
    assert told[1][1] < told[0][1], "it gets better at what it was taught"
    base, adapter = load_policy(WEIGHTS), load_adapter(files[0])
    assert adapter.base == fingerprint(base)
    assert share(adapter, base) <= 0.02
    assert all(float(up.abs().sum()) > 0 for _, up in adapter.parts.values()), "every layer has learned something"
    adaptable(base).dress([adapter])
    assert torch.isfinite(adapter.parts["residual"][1]).all()


def test_what_is_no_task_cannot_be_adapted_to(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="'plaza' can't be trained"):
        adapt(WEIGHTS, "plaza", tmp_path / "none.safetensors")
    with pytest.raises(UnknownScenarioError, match="did you mean 'queue'"):
        adapt(WEIGHTS, "queu", tmp_path / "none.safetensors")
