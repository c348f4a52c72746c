"""Flow fields against a slow oracle: Dijkstra with a heap over plain Python dictionaries."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.unit.agents.grounds import grid_layout

from ecumene_agents.fields import ARRIVED, NOWHERE, PORTAL, RouteMap

Cell = tuple[int, int, int]


def neighbours(free: NDArray[np.bool_], ahead: NDArray[np.int8], cell: Cell) -> Iterator[tuple[Cell, float]]:
    """Yields where one can step from a cell, and the length of the step."""
    level, y, x = cell
    if ahead[cell] != level and free[ahead[cell], y, x]:
        yield (int(ahead[cell]), y, x), 0.1
        return
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            inside = 0 <= y + dy < free.shape[1] and 0 <= x + dx < free.shape[2]
            if (dy or dx) and inside and free[level, [y + dy, y + dy, y], [x + dx, x, x + dx]].all():
                yield (level, y + dy, x + dx), float(np.hypot(dx, dy))


def oracle(free: NDArray[np.bool_], ahead: NDArray[np.int8], goal: Cell) -> dict[Cell, float]:
    """Returns the length of the shortest walk from every cell to the goal, by relaxing until nothing changes."""
    onto: dict[Cell, list[tuple[Cell, float]]] = {}
    for index in zip(*np.nonzero(free), strict=True):
        cell = (int(index[0]), int(index[1]), int(index[2]))
        for after, length in neighbours(free, ahead, cell):
            onto.setdefault(after, []).append((cell, length))
    best: dict[Cell, float] = {}
    heap = [(0.0, goal)]
    while heap:
        length, cell = heapq.heappop(heap)
        if cell in best:
            continue
        best[cell] = length
        for before, step in onto.get(cell, []):
            heapq.heappush(heap, (length + step, before))
    return best


@st.composite
def grids(draw: st.DrawFn) -> tuple[NDArray[np.bool_], NDArray[np.int8], Cell]:
    levels, height, width = draw(st.integers(1, 2)), draw(st.integers(2, 7)), draw(st.integers(2, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    free = rng.random((levels, height, width)) < draw(st.sampled_from([0.6, 0.8, 0.95]))
    free.flat[rng.integers(free.size)] = True
    ahead = np.broadcast_to(np.arange(levels, dtype=np.int8)[:, None, None], free.shape).copy()
    for _ in range(levels - 1):
        portal = rng.integers(2), rng.integers(height), rng.integers(width)
        ahead[portal] = 1 - portal[0]
    cells = np.argwhere(free)
    chosen = cells[rng.integers(len(cells))].tolist()
    return free, ahead, (chosen[0], chosen[1], chosen[2])


@settings(max_examples=150, deadline=None)
@given(grids())
def test_every_field_is_a_shortest_path_tree(grid: tuple[NDArray[np.bool_], NDArray[np.int8], Cell]) -> None:
    free, ahead, goal = grid
    routes = RouteMap(grid_layout(free, ahead))
    flat = int(np.ravel_multi_index(goal, free.shape))
    wanted, field = oracle(free, ahead, goal), routes.field(flat)
    for index in np.ndindex(free.shape):
        cell = (index[0], index[1], index[2])
        if cell not in wanted:
            assert field[np.ravel_multi_index(cell, free.shape)] == NOWHERE
        else:
            assert walked(field, routes, cell, goal) == pytest.approx(wanted[cell])


def walked(field: NDArray[np.int8], routes: RouteMap, cell: Cell, goal: Cell) -> float:
    """Returns the length of the walk down a field."""
    length, (level, y, x) = 0.0, cell
    for _ in range(1000):
        code = int(field[(level * routes.shape[1] + y) * routes.shape[2] + x])
        if code == ARRIVED:
            assert (level, y, x) == goal
            return length
        assert code != NOWHERE
        if code == PORTAL:
            there = int(routes.portal[(level * routes.shape[1] + y) * routes.shape[2] + x])
            level, length = there // (routes.shape[1] * routes.shape[2]), length + 0.1
        else:
            dy, dx = code // 3 - 1, code % 3 - 1
            y, x, length = y + dy, x + dx, length + float(np.hypot(dx, dy))
    raise AssertionError("the field goes round in circles")
