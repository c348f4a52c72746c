"""Gathering the rows that matter, and working on all of them, come to the same."""

import pytest
import torch

from ecumene_sim import compaction

MASK = torch.tensor([[False, True], [True, False]])


@pytest.fixture(params=[True, False], ids=["gathered", "all rows"])
def gathers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Runs a test as on a CPU and as on an accelerator."""
    monkeypatch.setattr(compaction, "_gathers", lambda device: request.param)
    return bool(request.param)


def test_chosen_rows_include_every_true(gathers: bool) -> None:
    assert compaction.chosen(MASK).tolist() == ([1, 2] if gathers else [0, 1, 2, 3])


def test_packed_rows_are_the_trues_in_order(gathers: bool) -> None:
    index, there = compaction.packed(MASK, 3)
    assert index[there].tolist() == [1, 2]
    assert len(index) == (2 if gathers else 3)


def test_trues_beyond_the_most_are_left_out_where_no_count_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_gathers", lambda device: False)
    index, there = compaction.packed(torch.tensor([False, True, True, True]), 2)
    assert index[there].tolist() == [1, 2]


def test_nobody_never_says_so_of_a_mask_with_a_true(gathers: bool) -> None:
    assert not compaction.nobody(MASK)
    assert compaction.nobody(MASK & False) == gathers


@pytest.mark.usefixtures("gathers")
def test_rows_are_written_where_the_mask_says_so() -> None:
    field = torch.zeros(2, 3, dtype=torch.int64)
    rows, where = torch.tensor([5, 1, 0, 1]), torch.tensor([True, False, False, True])
    compaction.write(field, rows, where, torch.tensor([9, 8, 7, 6]))
    assert field.tolist() == [[0, 6, 0], [0, 0, 9]]


@pytest.mark.usefixtures("gathers")
def test_vectors_are_written_as_rows() -> None:
    field = torch.zeros(1, 3, 2)
    compaction.write(field, torch.tensor([2, 0]), torch.tensor([True, False]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert field.tolist() == [[[0, 0], [0, 0], [1, 2]]]
