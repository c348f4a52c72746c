"""Figures of merit, and intervals over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Final

import torch
from torch import Tensor

_T_975: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""Student's t at 97.5 % for 1, 2, … degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a comparison.

    Attributes:
        model: Name of the model or baseline.
        baseline: Whether it is a baseline.
        metric: Name, such as `accuracy`.
        value: Mean over seeds.
        low: Lower end of the 95 % t interval of the mean.
        high: Upper end.
        seeds: How many runs.
        split: What it was measured on.
    """

    model: str
    baseline: bool
    metric: str
    value: float
    low: float
    high: float
    seeds: int
    split: str

    @classmethod
    def of(cls, model: str, metric: str, values: Sequence[float], *, baseline: bool, split: str) -> Row:
        """Returns the line of a metric's values, one a seed; at most ten."""
        mean = sum(values) / len(values)
        half = 0.0
        if len(values) > 1:
            deviation = sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
            half = _T_975[len(values) - 2] * deviation / sqrt(len(values))
        return cls(model, baseline, metric, mean, mean - half, mean + half, len(values), split)

    def to_json(self) -> dict[str, Any]:
        """Returns JSON scalars by name."""
        return asdict(self)


def accuracy(chances: Tensor, kinds: Tensor) -> float:
    """Share of rows (N, classes) whose greatest entry is that of the true class (N,)."""
    return float((chances.argmax(1) == kinds).float().mean())


def macro_f1(chances: Tensor, kinds: Tensor) -> float:
    """Mean F1 score over the classes that occur among the true ones."""
    guessed = chances.argmax(1)
    scores = []
    for kind in sorted(set(kinds.tolist())):
        hits = float(((guessed == kind) & (kinds == kind)).sum())
        scores.append(2 * hits / float((guessed == kind).sum() + (kinds == kind).sum()))
    return sum(scores) / len(scores)


def recall_at(asked: Tensor, asked_kinds: Tensor, known: Tensor, known_kinds: Tensor, count: int) -> float:
    """Share of rows with one of their own class among their `count` nearest known rows, by Euclidean distance."""
    rows = torch.cdist(asked, known).topk(count, largest=False).indices
    return float((known_kinds[rows] == asked_kinds[:, None]).any(1).float().mean())


def confusion(guessed: Tensor, kinds: Tensor, classes: int) -> Tensor:
    """Returns (classes, classes) i64: how often each true class (row) was called what (column); inputs are (N,)."""
    return torch.bincount(kinds * classes + guessed, minlength=classes * classes).reshape(classes, classes)


def intersections_over_union(counts: Tensor) -> Tensor:
    """Returns (classes,) of a confusion matrix: hits over all that are or were called the class; NaN where none."""
    hits = counts.diagonal().double()
    return hits / (counts.sum(0) + counts.sum(1) - counts.diagonal())
