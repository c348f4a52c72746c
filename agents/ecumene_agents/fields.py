"""Flow fields: for one goal, the next step of the cheapest walk from every node of the walkable grid.

Cost is length, times more where it is narrow, so that people keep off walls where there is room. Storeys hang together
through portals: whoever stands on one goes on upstairs, or downstairs, at the same x, y.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from ecumene_world.grid import Surface
from ecumene_world.layout import Layout

BODY_RADIUS_M: Final = 0.25
"""Nodes with less clearance are not walked on."""
ROOMY_M: Final = 0.9
"""Clearance from which on walls no longer cost anything."""

NOWHERE: Final = -1
"""Direction of a node that no way leads from."""
ARRIVED: Final = 4
"""Direction of the goal itself. Others are 3 (dy + 1) + (dx + 1)."""
PORTAL: Final = 9
"""Direction of a portal: the same x, y on the next storey."""

_TIGHT_COST: Final = 2.5
_LAWN_COST: Final = 0.25
_PORTAL_M: Final = 0.1
_STEPS: Final = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)

Nodes = NDArray[np.int64]
Directions = NDArray[np.int8]


class RouteMap:
    """The walkable grid of one layout as a graph; nodes are flat indices (level · H + iy) · W + ix.

    Attributes:
        shape: (L, H, W).
        cell_m: Spacing of nodes, metres.
        free: (L·H·W,) bool, where a body fits.
        snap: (L·H·W,) i64, nearest free node of the same storey; itself where free.
        portal: (L·H·W,) i64, the node on which an avatar that stands there continues; itself almost everywhere.
        node: (F,) i64, the free nodes.
        number: (L·H·W,) i32, which of the free nodes each one is, -1 where not free.
    """

    def __init__(self, layout: Layout) -> None:
        clearance = layout.clearance.cpu().numpy()
        self.shape = clearance.shape
        self.cell_m = layout.cell_m
        self.free = (clearance >= BODY_RADIUS_M - 0.005).ravel()
        self.snap = _snapped(self.free.reshape(self.shape))
        self.portal = _portals(layout.next_level.cpu().numpy(), self.free)
        self.node = np.flatnonzero(self.free)
        self.number = np.full(self.free.size, -1, np.int32)
        self.number[self.node] = np.arange(len(self.node), dtype=np.int32)
        self._cost = _costs(clearance, layout.surface.cpu().numpy())

    @cached_property
    def _graph(self) -> csr_array:
        """The edges; made when the first field is computed, since that may happen elsewhere."""
        return self._backward_graph(self._cost)

    def __len__(self) -> int:
        return self.free.size

    def field(self, goal: int, limit: float = np.inf) -> Directions:
        """Returns the next step from every node towards a free goal node: (L·H·W,) i8.

        Args:
            goal: Flat node.
            limit: Greatest cost to look for, about metres; nodes further away get `NOWHERE`.
        """
        directions = np.full(len(self), NOWHERE, np.int8)
        start = self.number[goal]
        assert start >= 0, "a goal is snapped to a free node first"
        _, before = dijkstra(self._graph, indices=start, return_predecessors=True, limit=limit)
        reached = np.flatnonzero(before >= 0)
        node, following = self.node[reached], self.node[before[reached]]
        directions[node] = self._direction(node, following)
        directions[goal] = ARRIVED
        return directions

    def cost(self, goal: int) -> NDArray[np.float64]:
        """Returns the cost of the cheapest walk to a free goal node from every node: (L·H·W,), infinite if none."""
        cost = np.full(len(self), np.inf)
        cost[self.node] = dijkstra(self._graph, indices=self.number[goal])
        return cost

    def _direction(self, node: Nodes, following: Nodes) -> Directions:
        """Returns the direction codes that lead from nodes to their followers."""
        width, storey = self.shape[2], self.shape[1] * self.shape[2]
        dy = following // width % self.shape[1] - node // width % self.shape[1]
        dx = following % width - node % width
        climbs = following // storey != node // storey
        return np.where(climbs, PORTAL, 3 * (dy + 1) + dx + 1).astype(np.int8)

    def _backward_graph(self, cost: NDArray[np.float32]) -> csr_array:
        """Returns edges from each free node to those that can step onto it, with their cost."""
        columns = [self._steps_onto(dy, dx, cost) for dy, dx in _STEPS]
        columns += [self._climbs_onto(rise) for rise in (-1, 1)] if self.shape[0] > 1 else []
        source = np.stack([source for source, _ in columns], axis=1)
        weight = np.stack([weight for _, weight in columns], axis=1)
        there = source >= 0
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        return csr_array((weight[there].astype(np.float64), source[there], ends), shape=(len(self.node),) * 2)

    def _steps_onto(self, dy: int, dx: int, cost: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Returns, for each free node, the number of the node dy, dx away that can step onto it, or -1, and the cost.

        Diagonal steps need both corners free; who stands on a portal goes on elsewhere.
        """
        inside, near = self._shifted(dy, dx)
        passable = inside & self.free[near] & (self.portal[near] == near)
        if dy and dx:
            passable &= self.free[self._shifted(dy, 0)[1]] & self.free[self._shifted(0, dx)[1]]
        length = self.cell_m * (dy * dy + dx * dx) ** 0.5
        weight = 0.5 * length * (cost[self.node] + cost[near])
        return np.where(passable, self.number[near], -1), weight.astype(np.float32)

    def _shifted(self, dy: int, dx: int) -> tuple[NDArray[np.bool_], Nodes]:
        """Returns whether each free node has a grid node dy, dx away, and which; itself where not."""
        _, height, width = self.shape
        iy, ix = self.node // width % height + dy, self.node % width + dx
        inside = (iy >= 0) & (iy < height) & (ix >= 0) & (ix < width)
        return inside, np.where(inside, self.node + dy * width + dx, self.node)

    def _climbs_onto(self, rise: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Returns, for each free node, the number of the portal `rise` storeys away that leads onto it, or -1."""
        storey = self.shape[1] * self.shape[2]
        source = self.node + rise * storey
        inside = (source >= 0) & (source < len(self))
        source = np.where(inside, source, self.node)
        leads = inside & (self.portal[source] == self.node) & (source != self.node)
        return np.where(leads, self.number[source], -1), np.full(len(source), _PORTAL_M, np.float32)


def _costs(clearance: NDArray[np.float32], surface: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the cost per metre of every node: (L·H·W,), 1 where it is roomy."""
    tight = np.clip((ROOMY_M - clearance) / (ROOMY_M - BODY_RADIUS_M), 0.0, 1.0)
    lawn = surface == int(Surface.LAWN)
    return np.asarray(1.0 + _TIGHT_COST * tight * tight + _LAWN_COST * lawn, np.float32).ravel()


def _snapped(free: NDArray[np.bool_]) -> Nodes:
    """Returns the nearest free node on the same storey for each node; itself on a storey without any."""
    height, width = free.shape[1:]
    own = np.arange(free.size).reshape(free.shape)
    snapped = own.copy()
    for level, layer in enumerate(free):
        if layer.any():
            iy, ix = distance_transform_edt(~layer, return_distances=False, return_indices=True)
            snapped[level] = (level * height + iy) * width + ix
    return snapped.ravel()


def _portals(next_level: NDArray[np.int8], free: NDArray[np.bool_]) -> Nodes:
    """Returns the node each node continues on; portals that end where no body fits lead nowhere."""
    own = np.arange(next_level.size)
    level = np.arange(len(next_level))[:, None, None]
    storey = next_level.shape[1] * next_level.shape[2]
    target = own + ((next_level.astype(np.int64) - level) * storey).ravel()
    return np.where(free & free[target], target, own)
