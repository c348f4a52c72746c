from __future__ import annotations

import pytest
from tests.integration.squares import square

from ecumene_world import Layout, compile_layout
from ecumene_world.ahead import Ahead


class Maker:
    """Counts what it makes."""

    def __init__(self) -> None:
        self.made: list[Layout] = []

    def __call__(self, layout: Layout) -> int:
        self.made.append(layout)
        return len(self.made)


@pytest.fixture(scope="module")
def layouts() -> tuple[Layout, Layout]:
    return compile_layout(square()), compile_layout(square(), cell_m=0.5)


def test_it_is_made_once_for_each_layout(layouts: tuple[Layout, Layout]) -> None:
    first, second = layouts
    maker = Maker()
    ahead = Ahead(maker)
    assert [ahead.of(first), ahead.of(first), ahead.of(second), ahead.of(second)] == [1, 1, 2, 2]


def test_what_was_prepared_is_taken_and_not_made_again(layouts: tuple[Layout, Layout]) -> None:
    first, second = layouts
    maker = Maker()
    ahead = Ahead(maker)
    ahead.of(first)
    ahead.prepare(second)
    assert ahead.of(first) == 1, "the layout in use is still the first"
    assert ahead.of(second) == 2
    assert maker.made == [first, second]
    ahead.put(first, 70)
    assert ahead.of(first) == 70


def test_what_was_prepared_of_another_layout_is_passed_over(layouts: tuple[Layout, Layout]) -> None:
    first, second = layouts
    ahead = Ahead(Maker())
    ahead.put(second, 70)
    assert ahead.of(first) == 1
    assert ahead.of(second) == 2


def test_what_is_in_use_or_comes_next_is_not_tidied_away(layouts: tuple[Layout, Layout]) -> None:
    first, second = layouts
    ahead = Ahead(Maker())
    ahead.of(first)
    ahead.prepare(second)
    ahead.tidy()
    assert [ahead.of(first), ahead.of(second)] == [1, 2]
    ahead.tidy()
    assert [ahead.of(second), ahead.of(first)] == [2, 3]
