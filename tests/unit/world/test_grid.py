from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.world.scenes import compiled, field

from ecumene_world import Layout
from ecumene_world.grid import components, gradient, nearest, sample, sample_near, sample_with_gradient


@pytest.fixture(scope="module")
def layout() -> Layout:
    return replace(compiled(field(2.0)), origin=(-1.0, 2.0), cell_m=0.5)


PLANE = torch.arange(4.0)[:, None] * 10 + torch.arange(5.0)[None]
FIELD = torch.stack([PLANE, -PLANE])
LEVEL0 = torch.zeros((), dtype=torch.int64)


def test_nodes_have_their_own_value(layout: Layout) -> None:
    assert sample(layout, FIELD, LEVEL0, torch.tensor([-1.0, 2.0])) == 0
    assert sample(layout, FIELD, LEVEL0, torch.tensor([1.0, 3.5])) == 34


def test_between_nodes_a_plane_is_reproduced(layout: Layout) -> None:
    xy = torch.tensor([[-0.9, 2.1], [0.33, 3.2], [0.99, 3.49]])
    values = sample(layout, FIELD, torch.tensor([0, 1, 0]), xy)
    wanted = ((xy[:, 1] - 2) / 0.5 * 10 + (xy[:, 0] + 1) / 0.5) * torch.tensor([1.0, -1.0, 1.0])
    torch.testing.assert_close(values, wanted)


def test_beyond_the_grid_its_border_goes_on(layout: Layout) -> None:
    assert sample(layout, FIELD, LEVEL0, torch.tensor([-99.0, -99.0])) == 0
    assert sample(layout, FIELD, LEVEL0, torch.tensor([99.0, 99.0])) == 34


def test_points_close_together_are_sampled_alike_without_tensors(layout: Layout) -> None:
    draw = torch.Generator().manual_seed(3)
    field = torch.rand(2, 4, 5, generator=draw)
    xy = torch.rand(40, 2, generator=draw) * 4 + torch.tensor([-2.0, 1.0])  # some of them beyond the grid
    wanted = [sample(layout, field, LEVEL0 + level, xy).numpy() for level in (0, 1)]
    np.testing.assert_array_equal(sample_near(layout, field, 1, xy.numpy()), wanted[1])
    np.testing.assert_array_equal(sample_near(layout, field, slice(None), xy.tolist()), wanted)


def test_the_gradient_of_a_plane_is_its_slope(layout: Layout) -> None:
    xy = torch.rand(3, 7, 2, generator=torch.Generator().manual_seed(1)) + torch.tensor([-1.0, 2.0])
    slope = gradient(layout, FIELD, torch.zeros(3, 7, dtype=torch.int64), xy)
    torch.testing.assert_close(slope, torch.tensor([2.0, 20.0]).expand(3, 7, 2))


def test_value_and_gradient_come_together(layout: Layout) -> None:
    xy = torch.tensor([0.4, 2.9])
    value, slope = sample_with_gradient(layout, FIELD, LEVEL0, xy)
    assert value == sample(layout, FIELD, LEVEL0, xy)
    torch.testing.assert_close(slope, gradient(layout, FIELD, LEVEL0, xy))


def test_nearest_takes_the_closest_node_of_the_storey(layout: Layout) -> None:
    codes = FIELD.to(torch.int8)
    assert nearest(layout, codes, torch.tensor([0, 1]), torch.tensor([[-0.8, 2.2], [-0.7, 2.3]])).tolist() == [0, -11]


def free(picture: list[str]) -> np.ndarray:
    return np.array([[0.5 if cell == "." else 0.0 for cell in row] for row in picture], np.float32)


def test_parts_are_ranked_by_size() -> None:
    parts = components(free(["..#...", "..#...", "######", "....#."])[None], np.zeros((1, 4, 6), np.int8), 0.3)
    assert parts[0].tolist() == [[2, 2, 0, 1, 1, 1], [2, 2, 0, 1, 1, 1], [0] * 6, [3, 3, 3, 3, 0, 4]]


def test_diagonals_do_not_connect() -> None:
    parts = components(free([".#", "#."])[None], np.zeros((1, 2, 2), np.int8), 0.3)
    assert len(np.unique(parts)) == 3


def test_portals_join_storeys() -> None:
    clearance = np.stack([free(["..#...."]), free(["#######"]), free(["##..###"])])
    onward = np.broadcast_to(np.arange(3, dtype=np.int8)[:, None, None], clearance.shape).copy()
    apart = components(clearance, onward, 0.3)
    assert apart[2, 0, 3] not in (0, apart[0, 0, 3])
    onward[0, 0, 3] = 2
    joined = components(clearance, onward, 0.3)
    assert joined[2, 0, 3] == joined[0, 0, 6] == 1
    assert joined[0, 0, 0] == 2


def test_a_portal_into_a_wall_joins_nothing() -> None:
    clearance = np.stack([free(["..."]), free(["#.."])])
    onward = np.broadcast_to(np.arange(2, dtype=np.int8)[:, None, None], clearance.shape).copy()
    onward[0, 0, 0] = 1
    parts = components(clearance, onward, 0.3)
    assert parts[0, 0, 0] != parts[1, 0, 1]


def test_nowhere_is_no_part() -> None:
    assert not components(np.zeros((1, 2, 2), np.float32), np.zeros((1, 2, 2), np.int8), 0.3).any()
