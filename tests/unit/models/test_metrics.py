from __future__ import annotations

import pytest
import torch

from ecumene_models.metrics import Row, accuracy, macro_f1, recall_at

KINDS = torch.tensor([0, 0, 1, 2])
CHANCES = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.9, 0.0], [0.0, 0.1, 0.9]])


def test_accuracy_counts_the_greatest_entry() -> None:
    assert accuracy(CHANCES, KINDS) == 0.75


def test_macro_f1_weighs_classes_alike() -> None:
    assert macro_f1(CHANCES, KINDS) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


def test_recall_needs_one_of_the_own_class_among_the_nearest() -> None:
    known, known_kinds = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([0, 1, 1])
    asked, kinds = torch.tensor([[0.1], [0.2]]), torch.tensor([1, 0])
    assert recall_at(asked, kinds, known, known_kinds, 1) == 0.5
    assert recall_at(asked, kinds, known, known_kinds, 2) == 1.0


def test_interval_is_students() -> None:
    row = Row.of("net", "accuracy", [1.0, 2.0, 3.0, 4.0, 5.0], baseline=False, split="held out")
    half = 2.776 * (2.5**0.5) / 5**0.5
    assert (row.value, row.low, row.high) == pytest.approx((3.0, 3.0 - half, 3.0 + half))
    assert row.to_json()["seeds"] == 5


def test_one_run_has_no_interval() -> None:
    row = Row.of("net", "accuracy", [0.5], baseline=True, split="held out")
    assert row.low == row.high == 0.5
