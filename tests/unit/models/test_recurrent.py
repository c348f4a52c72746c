"""A memory that starts without effect, carries what was seen, and unrolls to what single steps remember."""

from pathlib import Path

import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.checkpoint import load_policy, read, save_policy
from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionConfig, FusionPolicy
from ecumene_models.recurrent import Course, RecurrentConfig, RecurrentPolicy

STEPS, COLUMNS, WIDTH = 5, 6, 16


def trained(seed: int = 1) -> RecurrentPolicy:
    """A policy whose memory counts, as after training."""
    policy = RecurrentPolicy(RecurrentConfig(memory=WIDTH, chunk=4), torch.Generator().manual_seed(seed))
    draw = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in policy.recall.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw))
    return policy.eval()


def test_untrained_it_decides_as_a_policy_without_memory() -> None:
    senses, seed = random_senses(9), 3
    plain = FusionPolicy(generator=torch.Generator().manual_seed(seed)).eval()
    policy = RecurrentPolicy(generator=torch.Generator().manual_seed(seed)).eval()
    memory = torch.randn(9, policy.config.memory, generator=torch.Generator().manual_seed(1))
    ours, theirs = policy(senses, memory=memory), plain(senses)
    assert torch.allclose(ours.vector, theirs.vector, atol=1e-6)
    assert torch.allclose(ours.value, theirs.value, atol=1e-6)
    assert theirs.memory is None


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    RecurrentPolicy()
    assert torch.equal(before, torch.random.get_rng_state())


def test_what_was_perceived_before_changes_the_decision() -> None:
    policy, now = trained(), random_senses(3, seed=5)
    after = [policy(now, memory=policy(random_senses(3, seed=seed)).memory) for seed in (6, 7)]
    assert not torch.allclose(after[0].vector, after[1].vector)
    assert not torch.allclose(after[0].value, after[1].value)


def test_chunks_do_not_matter() -> None:
    policy, senses = trained(), random_senses(10)
    memory = torch.randn(10, WIDTH, generator=torch.Generator().manual_seed(1))
    whole = policy(senses, memory=memory)
    rows = [policy(senses.rows(slice(i, i + 1)), memory=memory[i : i + 1]) for i in range(10)]
    assert whole.memory is not None
    for index, row in enumerate(rows):
        assert row.memory is not None
        assert torch.allclose(whole.memory[index], row.memory[0], atol=1e-6)


def course() -> Course:
    """Rows in order of step; column 1 is born late, column 2 leaves early, column 3 changes hands."""
    generator = torch.Generator().manual_seed(2)
    here = torch.ones(STEPS, COLUMNS, dtype=torch.bool)
    here[:2, 1] = False
    here[3:, 2] = False
    fresh = torch.zeros_like(here)
    fresh[2, 1] = fresh[2, 3] = True
    step, column = here.nonzero().unbind(1)
    return Course(step, column, fresh[here], torch.randn(COLUMNS, WIDTH, generator=generator))


def test_unrolling_is_stepping() -> None:
    policy, way = trained(), course()
    senses = random_senses(len(way.step))
    found = policy.through(senses, way)
    held = way.before.clone()
    for step in range(STEPS):
        rows = (way.step == step).nonzero().flatten()
        columns = way.column[rows]
        before = held[columns].masked_fill(way.fresh[rows, None], 0.0)
        one = policy(senses.rows(rows), memory=before)
        assert one.memory is not None
        assert found.memory is not None
        assert torch.allclose(found.memory[rows], one.memory, atol=1e-5)
        assert torch.allclose(found.vector[rows], one.vector, atol=1e-5)
        held[columns] = one.memory.detach()


def test_gradients_reach_back_to_the_first_step_but_not_over_a_birth() -> None:
    policy, way = trained(), course()
    way.before.requires_grad_(True)
    found = policy.through(random_senses(len(way.step)), way)
    last = found.vector[way.step == STEPS - 1].pow(2).sum()
    (reached,) = torch.autograd.grad(last, way.before)
    felt = reached.abs().sum(1) > 0
    assert felt.tolist() == [True, False, False, False, True, True]


def test_groups_hold_whole_columns_once_each() -> None:
    way = course()
    groups = list(way.groups(9, torch.Generator().manual_seed(1)))
    assert len(groups) > 1
    assert torch.equal(torch.cat(groups).sort().values, torch.arange(len(way.step)))
    for rows in groups:
        part = way.rows(rows)
        assert int(part.column.max()) + 1 == len(part.before)
        for column in torch.unique(part.column):
            original = torch.unique(way.column[rows[part.column == column]])
            assert len(original) == 1
            assert torch.equal(way.before[original[0]], part.before[column])
            assert int((way.column == original[0]).sum()) == int((part.column == column).sum())


def test_weights_come_back_as_what_they_were(tmp_path: Path) -> None:
    policy, senses = trained(), random_senses(4)
    path = tmp_path / "minds.safetensors"
    save_policy(policy, path)
    loaded = load_policy(path)
    assert isinstance(loaded, RecurrentPolicy)
    assert loaded.config == policy.config
    assert torch.equal(loaded(senses).vector, policy(senses).vector)
    save_policy(FusionPolicy(FusionConfig(d=32, heads=2)), path)
    assert type(load_policy(path)) is FusionPolicy


def test_a_reader_that_knows_no_memory_refuses_by_name(tmp_path: Path) -> None:
    path = tmp_path / "minds.safetensors"
    save_policy(trained(), path)
    with pytest.raises(WeightsError, match="weights of 'recurrent-policy', not of 'fusion-policy'"):
        read(path, model="fusion-policy")
