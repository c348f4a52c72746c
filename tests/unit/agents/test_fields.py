import numpy as np
import torch
from tests.unit.agents.grounds import grid_layout, world_of

from ecumene_agents.fields import ARRIVED, NOWHERE, PORTAL, RouteMap


def maze() -> np.ndarray[tuple[int, int, int], np.dtype[np.bool_]]:
    """A snake: corridors that turn back at alternating ends."""
    free = np.ones((1, 9, 11), bool)
    for row in range(1, 9, 2):
        free[0, row, :] = False
        free[0, row, -1 if row % 4 == 1 else 0] = True
    return free


def test_in_a_maze_every_node_leads_to_the_goal() -> None:
    free = maze()
    routes = RouteMap(grid_layout(free))
    field = routes.field(0)
    assert bool((field[free.ravel()] != NOWHERE).all())
    node = int(np.ravel_multi_index((0, 8, 10), free.shape))
    steps = 0
    while field[node] != ARRIVED:
        dy, dx = divmod(int(field[node]), 3)
        node += (dy - 1) * free.shape[2] + dx - 1
        assert free.ravel()[node]
        steps += 1
    assert node == 0
    assert steps == 58


def test_the_cost_of_a_walk_is_where_the_field_leads() -> None:
    routes = RouteMap(grid_layout(maze()))
    assert routes.cost(0)[8 * 11 + 10] == 58.0


def test_a_limit_cuts_the_field_off() -> None:
    free = maze()
    routes = RouteMap(grid_layout(free))
    known = (routes.field(0, limit=12.0) != NOWHERE).sum()
    assert known == 13


def test_nobody_cuts_corners() -> None:
    free = np.ones((1, 3, 3), bool)
    free[0, 0, 1] = False
    field = RouteMap(grid_layout(free)).field(0)
    assert field[5] == 3
    assert field[2] == 3 * 2 + 1


def test_walks_keep_off_walls_where_there_is_room() -> None:
    layout = world_of("walled").layout
    routes = RouteMap(layout)
    height, width = routes.shape[1:]
    start = int((torch.tensor([-6.0, -4.0]) - torch.tensor(layout.origin))[1] / layout.cell_m) * width
    x, y = ((torch.tensor([-6.0, -4.0]) - torch.tensor(layout.origin)) / layout.cell_m).round().long().tolist()
    node = int(routes.snap[y * width + x])
    ex, ey = ((torch.tensor([6.0, -4.0]) - torch.tensor(layout.origin)) / layout.cell_m).round().long().tolist()
    field = routes.field(int(routes.snap[ey * width + ex]))
    clearance = layout.clearance.flatten()
    least = 10.0
    while field[node] != ARRIVED:
        dy, dx = divmod(int(field[node]), 3)
        node += (dy - 1) * width + dx - 1
        least = min(least, float(clearance[node]))
    assert least > 0.6
    assert start >= 0
    assert height > 0


def test_a_portal_leads_upstairs() -> None:
    free = np.ones((2, 1, 4), bool)
    ahead = np.array([[[0, 0, 0, 1]], [[1, 1, 1, 1]]], np.int8)
    field = RouteMap(grid_layout(free, ahead)).field(4)
    assert field[:4].tolist() == [5, 5, 5, PORTAL]
    assert field[4:].tolist() == [ARRIVED, 3, 3, 3]
    assert RouteMap(grid_layout(free, ahead)).field(0)[4:].tolist() == [NOWHERE] * 4


def test_blocked_nodes_snap_to_the_nearest_free_one_of_their_storey() -> None:
    free = np.ones((2, 3, 5), bool)
    free[1, :, :4] = False
    snap = RouteMap(grid_layout(free)).snap.reshape(free.shape)
    assert snap[0, 1, 2] == 7
    assert snap[1, 1, 0] == 15 + 5 + 4
