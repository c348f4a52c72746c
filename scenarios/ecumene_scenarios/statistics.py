"""Intervals around a mean of a few seeds, and how numbers are told that may be missing, NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy import stats


class Interval(NamedTuple):
    """A mean and its two-sided confidence interval, in the unit of the values."""

    value: float
    low: float
    high: float


def t_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Student's t interval of the mean over independent seeds; the bare mean of one seed, NaN of none."""
    count = len(values)
    if not count:
        return Interval(math.nan, math.nan, math.nan)
    mean = math.fsum(values) / count
    if count < 2:
        return Interval(mean, mean, mean)
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    half = float(stats.t.ppf(0.5 + confidence / 2, count - 1)) * math.sqrt(variance / count)
    return Interval(mean, mean - half, mean + half)


def known(value: float) -> float | None:
    """The number for JSON: None for NaN."""
    return None if math.isnan(value) else value


def number(value: float | None, form: str = ".3f") -> str:
    """The number for people: a dash for None and NaN."""
    return "–" if value is None or math.isnan(value) else format(value, form)
