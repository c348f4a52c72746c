"""An adapter is trained by imitation: the same seed gives the same one, and its base stays as it was."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecumene_models import FusionPolicy, load_policy, save_policy
from ecumene_models.adapters import adaptable, dressed, fingerprint, load_adapter, share
from ecumene_models.cloning import imitation_error
from ecumene_scenarios.adapting import Course, adapt, lessons
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.errors import TrainingError, UnknownScenarioError
from ecumene_scenarios.evaluate import Arenas, Trial, fared
from ecumene_server import cli

SHORT = Course(seed=3, rounds=2, worlds=1, steps=12, passes=2)


@pytest.mark.timeout(600)
def test_the_same_seed_gives_the_same_adapter(tmp_path: Path) -> None:
    files = [tmp_path / "one.safetensors", tmp_path / "other.safetensors"]
    told: list[tuple[int, float]] = []
    for file in files:
        adapt(WEIGHTS, "avoid", file, SHORT, lambda number, loss: told.append((number, loss)))
    assert files[0].read_bytes() == files[1].read_bytes()
    assert [number for number, _ in told] == [1, 2, 1, 2]
    base, adapter = load_policy(WEIGHTS), load_adapter(files[0])
    assert adapter.base == fingerprint(base)
    assert share(adapter, base) <= 0.02
    assert all(float(up.abs().sum()) > 0 for _, up in adapter.parts.values()), "every layer has learned something"
    adaptable(base).dress([adapter])
    assert torch.isfinite(adapter.parts["residual"][1]).all()


def test_an_adapter_does_better_where_it_was_not_taught(tmp_path: Path) -> None:
    course = replace(SHORT, worlds=2, steps=20, passes=4)
    base = load_policy(WEIGHTS)
    adapter = adapt(WEIGHTS, "queue", tmp_path / "queue.safetensors", course)
    senses, labels = lessons(base, "queue", replace(course, seed=77), 1)
    with torch.no_grad():
        errors = [float(imitation_error(each(senses).vector, labels).mean()) for each in (base, dressed(base, adapter))]
    assert errors[1] < 0.9 * errors[0]


def test_what_is_no_task_cannot_be_adapted_to(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="'plaza' is no task, since nobody is rewarded in it; tasks are goto, "):
        adapt(WEIGHTS, "plaza", tmp_path / "none.safetensors", SHORT)
    with pytest.raises(UnknownScenarioError, match="did you mean 'queue'"):
        adapt(WEIGHTS, "queu", tmp_path / "none.safetensors", SHORT)
    assert not list(tmp_path.iterdir())


def test_smoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "queue.safetensors"
    command = ["train", "adapter", "--task", "queue", "--smoke", "--out", str(out)]
    assert cli.run([*command, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    adapter = load_adapter(out)
    assert said["adapter"] == str(out)
    assert said["numbers"] == adapter.size
    assert said["base"] == adapter.base == fingerprint(load_policy(WEIGHTS))
    assert 0 < said["share"] <= 0.02
    assert len(said["losses"]) == said["rounds"] == 2
    assert cli.run(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"Compare: ecumene evaluate minds --tasks queue --weights {WEIGHTS} --adapter {out}"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "an adapter is taught one task, not 0; --tasks come would do"),
        (("--tasks", "queue,come"), "an adapter is taught one task, not 2; --tasks come would do"),
        (("--tasks", "dance"), "'dance' is not a task; tasks are goto, avoid, "),
        (("--tasks", "queue", "--from", "nowhere.safetensors"), "there is no file 'nowhere.safetensors'"),
        (("--tasks", "queue", "--device", "cuda"), "adapters are trained on the CPU; leave --device out"),
        (("--tasks", "queue", "--iterations", "0"), "0 rounds teach nothing; 1 or more would do"),
        (("--tasks", "queue", "--out", "."), "'.' is a folder; --out names the file of the adapter"),
    ],
)
def test_what_cannot_be_trained_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert cli.run(["train", "adapter", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"ecumene: {sentence}")
    assert err.count("\n") == 1


def test_an_adapter_is_evaluated_on_its_base_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, other = tmp_path / "avoid.safetensors", tmp_path / "other.safetensors"
    adapter = adapt(WEIGHTS, "avoid", file, SHORT)
    where = Arenas(1, 1, 4, "validation")
    bare, worn = (fared(Trial("avoid", "minds", WEIGHTS, 900_000, where, which)) for which in (None, file))
    assert bare != worn
    save_policy(FusionPolicy(), other)
    command = ["evaluate", "minds", "--weights", str(other), "--adapter", str(file), "--seeds", "1", "--jobs", "1"]
    assert cli.run(command) == 1
    assert "the adapter was made for the policy " in capsys.readouterr().err
    assert dressed(load_policy(WEIGHTS), adapter).wears == 1
