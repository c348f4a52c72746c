import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.unit.models.sense_rows import random_senses

from ecumene_models.checkpoint import fit, load_policy, read, save_policy, write
from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionConfig, FusionPolicy


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "minds.safetensors"
    save_policy(FusionPolicy(FusionConfig(d=32, heads=2)), path, notes={"seed": 7})
    return path


def header_of(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        return dict(file.metadata())


def rewritten(path: Path, **changes: str) -> None:
    save_file(load_file(str(path)), str(path), metadata={**header_of(path), **changes})


def test_a_policy_comes_back_as_it_was(saved: Path) -> None:
    policy, senses = FusionPolicy(FusionConfig(d=32, heads=2)), random_senses(5)
    loaded = load_policy(saved)
    assert loaded.config == policy.config
    assert not loaded.training
    assert torch.equal(policy(senses).vector, loaded(senses).vector)


def test_notes_and_digest_are_kept(saved: Path) -> None:
    found = read(saved, model="fusion-policy")
    assert found.notes == {"seed": 7}
    assert found.sha256 == header_of(saved)["sha256"]


def test_the_same_policy_has_the_same_digest(tmp_path: Path, saved: Path) -> None:
    again = save_policy(FusionPolicy(FusionConfig(d=32, heads=2)), tmp_path / "again", notes={"seed": 7})
    assert again == header_of(saved)["sha256"]


def test_a_file_is_the_same_to_the_last_byte_in_every_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from ecumene_models import FusionConfig, FusionPolicy, save_policy;"
        "save_policy(FusionPolicy(FusionConfig(d=32, heads=2)), pathlib.Path(sys.argv[1]), notes={'seed': 7})"
    )
    for name in ("one", "other"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert header_of(tmp_path / "one") == {**header_of(tmp_path / "other"), "model": "fusion-policy"}


def test_a_flipped_number_is_noticed(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    data[-5] ^= 1
    saved.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="is damaged: its digest is"):
        load_policy(saved)


@pytest.mark.parametrize("cut", [0, 4, 100, -7])
def test_a_truncated_file_is_noticed(saved: Path, cut: int) -> None:
    saved.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        load_policy(saved)


def test_notes_can_not_be_forged(saved: Path) -> None:
    rewritten(saved, notes='{"seed": 8}')
    with pytest.raises(WeightsError, match="damaged"):
        load_policy(saved)


def test_another_schema_is_refused(saved: Path) -> None:
    rewritten(saved, schema="2")
    with pytest.raises(WeightsError, match="schema '2'; this version reads schema 1"):
        load_policy(saved)


def test_another_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other"
    write(path, torch.nn.Linear(2, 2), model="pointnet", config={})
    with pytest.raises(WeightsError, match="weights of 'pointnet', not of 'fusion-policy'"):
        load_policy(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    save_file({"a": torch.zeros(2)}, str(path))
    with pytest.raises(WeightsError, match="its header lacks 'schema'"):
        load_policy(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there are no weights at"):
        load_policy(tmp_path / "nowhere")


def test_shapes_and_names_must_fit(saved: Path) -> None:
    found = read(saved, model="fusion-policy")
    with pytest.raises(WeightsError, match="of shape"):
        fit(FusionPolicy(), found, saved)
    with pytest.raises(WeightsError, match="tensor"):
        fit(FusionPolicy(FusionConfig(d=32, heads=2, layers=3)), found, saved)


@pytest.mark.parametrize("config", [{"d": 30, "heads": 4}, {"width": 3}, {"d": "many"}])
def test_a_network_that_can_not_be_built_is_refused(tmp_path: Path, config: dict[str, object]) -> None:
    path = tmp_path / "odd"
    write(path, torch.nn.Linear(2, 2), model="fusion-policy", config=config)
    with pytest.raises(WeightsError):
        load_policy(path)
