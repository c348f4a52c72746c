"""Crowds for codec and interest tests."""

from __future__ import annotations

import numpy as np

from ecumene_server.codec import CELL_M, Cell, Entities


def crowd(cells: dict[Cell, int]) -> Entities:
    """Returns as many entities in each cell as asked, standing in its middle."""
    where = [((x + 0.5) * CELL_M, (y + 0.5) * CELL_M, 0.0) for (x, y), n in cells.items() for _ in range(n)]
    return standing(np.array(where, dtype=np.float32).reshape(-1, 3))


def standing(position: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Entities:
    """Returns an entity at each position, doing nothing."""
    n = len(position)
    zeros = np.zeros(n, dtype=np.uint8)
    still = np.zeros(n, dtype=np.float32)
    return Entities(np.arange(n, dtype=np.uint32), position, still, still, zeros, zeros, zeros, zeros)
