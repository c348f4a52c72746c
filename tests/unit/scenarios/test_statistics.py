"""Intervals agree with textbook numbers."""

import math

import pytest

from ecumene_scenarios.statistics import known, number, t_interval


def test_interval_of_five_seeds_is_students() -> None:
    found = t_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.value == 3.0
    assert found.high - found.value == pytest.approx(2.7764 * (2.5 / 5) ** 0.5, rel=1e-4)
    assert found.low == pytest.approx(2 * found.value - found.high)


def test_one_seed_has_no_width() -> None:
    assert t_interval([2.0]) == (2.0, 2.0, 2.0)


def test_more_confidence_is_wider() -> None:
    values = [0.1, 0.4, 0.3]
    assert t_interval(values, 0.99).high > t_interval(values, 0.9).high


def test_nothing_has_no_mean() -> None:
    assert all(math.isnan(value) for value in t_interval([]))


@pytest.mark.parametrize(("value", "json", "text"), [(0.0, 0.0, "0.000"), (1.5, 1.5, "1.500"), (math.nan, None, "–")])
def test_a_missing_number_is_told_as_missing(value: float, json: float | None, text: str) -> None:
    assert known(value) == json
    assert number(value) == number(known(value)) == text
