"""Adapters: none changes nothing, each changes its own rows only, and only those of this base are worn."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.adapters import (
    TARGETS,
    Adapter,
    adaptable,
    blank,
    load_adapter,
    save_adapter,
    share,
    trainable,
)
from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionConfig, FusionPolicy
from ecumene_models.recurrent import RecurrentPolicy


def base(seed: int = 0, *, chunk: int = 256) -> FusionPolicy:
    return FusionPolicy(FusionConfig(chunk=chunk), torch.Generator().manual_seed(seed)).eval()


def taught(policy: FusionPolicy, seed: int) -> Adapter:
    """An adapter that changes something."""
    made, draw = blank(policy, torch.Generator().manual_seed(seed)), torch.Generator().manual_seed(seed + 100)
    parts = {n: (down, torch.randn(up.shape, generator=draw) * 0.1) for n, (down, up) in made.parts.items()}
    return replace(made, parts=parts)


@torch.inference_mode()
def test_a_policy_that_wears_nothing_is_its_base() -> None:
    policy, rows = base(), random_senses(5)
    whole = policy(rows).vector
    bare = adaptable(policy)
    assert torch.equal(bare(rows).vector, whole)
    bare.dress([blank(policy, torch.Generator().manual_seed(1))])
    bare.wears = 1
    assert torch.equal(bare(rows).vector, whole), "a blank adapter changes nothing"


@torch.inference_mode()
@pytest.mark.parametrize("chunk", [0, 3])
@pytest.mark.parametrize("kind", [FusionPolicy, RecurrentPolicy])
def test_rows_in_one_batch_decide_as_with_their_own_adapter_alone(chunk: int, kind: type[FusionPolicy]) -> None:
    policy = kind(generator=torch.Generator().manual_seed(2)).eval()
    object.__setattr__(policy, "config", replace(policy.config, chunk=chunk))
    rows, adapters = random_senses(8), [taught(policy, seed) for seed in range(3)]
    index = torch.tensor([0, 1, 2, 3, 3, 2, 1, 0])
    many, one = adaptable(policy), adaptable(policy)
    many.dress(adapters)
    with many.wearing(index):
        together = many(rows).vector
    for row, number in enumerate(index.tolist()):
        one.dress(adapters[number - 1 : number] if number else [])
        one.wears = 1
        alone = one(rows.rows(slice(row, row + 1))).vector
        torch.testing.assert_close(together[row : row + 1], alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together[1], together[6], atol=1e-3) or not torch.equal(index[1], index[6])
    plain = policy(rows).vector
    assert torch.allclose(together[[0, 7]], plain[[0, 7]], atol=1e-5)
    assert ((together - plain)[1:7].abs().amax(1) > 1e-3).all()


@torch.inference_mode()
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", [FusionPolicy, RecurrentPolicy])
def test_every_adapted_layer_changes_the_decision(target: str, kind: type[FusionPolicy]) -> None:
    policy, rows = kind(generator=torch.Generator().manual_seed(2)).eval(), random_senses(4)
    policy.residual.weight.normal_(0.0, 0.3, generator=torch.Generator().manual_seed(7))
    whole = taught(policy, 1)
    parts = {n: (down, up if n == target else torch.zeros_like(up)) for n, (down, up) in whole.parts.items()}
    worn = adaptable(policy)
    worn.dress([replace(whole, parts=parts)])
    worn.wears = 1
    assert float((worn(rows).vector - policy(rows).vector).abs().max()) > 1e-4


def test_only_the_adapter_learns_and_it_is_small() -> None:
    policy = base()
    learner = trainable(policy, torch.Generator().manual_seed(3))
    learning = {name for name, parameter in learner.named_parameters() if parameter.requires_grad}
    assert all(name.startswith("bank.") for name in learning)
    assert len(learning) == 2 * len(TARGETS)
    assert learner.bank is not None
    assert share(learner.bank.adapter(1, learner.fingerprint), policy) <= 0.02
    learner.train()
    learner(random_senses(4)).vector.sum().backward()
    assert all(p.grad is None for n, p in learner.named_parameters() if not n.startswith("bank."))
    assert any(float(p.grad.abs().sum()) > 0 for p in learner.bank.up.values() if p.grad is not None)


@torch.inference_mode()
def test_an_adapter_survives_its_file(tmp_path: Path) -> None:
    policy, rows = base(), random_senses(3)
    adapter, path = taught(policy, 1), tmp_path / "gardener.safetensors"
    save_adapter(adapter, path, {"role": "gardener"})
    one, other = adaptable(policy), adaptable(policy)
    one.dress([adapter])
    other.dress([load_adapter(path)])
    one.wears = other.wears = 1
    assert torch.equal(one(rows).vector, other(rows).vector)


def test_an_adapter_of_another_base_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    save_adapter(taught(base(1), 1), path)
    with pytest.raises(WeightsError, match="was made for the policy"):
        adaptable(base(2)).dress([load_adapter(path)])
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="is damaged"):
        load_adapter(path)
    with pytest.raises(WeightsError, match="there are no weights"):
        load_adapter(tmp_path / "none.safetensors")


def test_adapters_of_two_ranks_are_refused() -> None:
    policy = base()
    draw = torch.Generator().manual_seed(0)
    with pytest.raises(WeightsError, match="rank 3 and 1"):
        adaptable(policy).dress([blank(policy, draw), blank(policy, draw, rank=3)])
