"""Tasks that fare worse are practised more, and none is forgotten."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecumene_scenarios.curriculum import allotted

TASKS = ("goto", "find", "carry")


def test_who_fares_worst_gets_most() -> None:
    assert allotted(TASKS, 3, {"goto": 1.0, "find": 0.8, "carry": 0.0}) == {"goto": 1, "find": 2, "carry": 6}


def test_what_was_never_tried_lacks_all() -> None:
    assert allotted(TASKS, 2, {"goto": 1.0, "find": 1.0}) == {"goto": 1, "find": 1, "carry": 4}


@given(st.lists(st.integers(0, 100), min_size=3, max_size=3, unique=True), st.integers(1, 5))
def test_all_have_one_and_none_is_lost(percent: list[int], arenas: int) -> None:
    counts = allotted(TASKS, arenas, {task: part / 100 for task, part in zip(TASKS, percent, strict=True)})
    assert sum(counts.values()) == arenas * len(TASKS)
    assert min(counts.values()) >= 1
    worst_first = [counts[task] for _, task in sorted(zip(percent, TASKS, strict=True))]
    assert worst_first == sorted(worst_first, reverse=True)


@given(st.floats(0, 1), st.integers(1, 5))
def test_who_fared_alike_gets_alike(success: float, arenas: int) -> None:
    assert allotted(TASKS, arenas, dict.fromkeys(TASKS, success)) == dict.fromkeys(TASKS, arenas)
