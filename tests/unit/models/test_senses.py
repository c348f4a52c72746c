import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.senses import SenseBatch


def test_zeros_have_the_shapes_and_types_of_real_senses() -> None:
    zeros, real = SenseBatch.zeros(3).tensors(), random_senses(3).tensors()
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in zeros.items()} == {
        name: (tensor.shape, tensor.dtype) for name, tensor in real.items()
    }
    assert bool(zeros["present"].all())


def test_chunks_joined_are_the_whole() -> None:
    senses = random_senses(10)
    joined = SenseBatch.cat(list(senses.chunks(4)))
    assert all(torch.equal(tensor, joined.tensors()[name]) for name, tensor in senses.tensors().items())
    assert [len(part) for part in senses.chunks(4)] == [4, 4, 2]


def test_taking_a_sense_away_leaves_the_original_alone() -> None:
    senses = random_senses(4)
    assert not bool(senses.without("hearing").present[:, 1].any())
    assert bool(senses.present.all())
    assert not bool(senses.alone().neighbour_present.any())


def test_rows_can_be_chosen_by_slice_index_and_mask() -> None:
    senses = random_senses(6)
    mask = torch.tensor([False, True, False, False, True, False])
    assert torch.equal(senses.rows(mask).verb, senses.rows(torch.tensor([1, 4])).verb)
    assert torch.equal(senses.rows(slice(2, 4)).touch, senses.touch[2:4])
