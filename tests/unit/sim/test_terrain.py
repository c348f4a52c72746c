"""Lookups in the layout's grid."""

import torch
from tests.unit.sim.rooms import Box, Plan, Thing, busy_plan, layout_of
from tests.unit.world.scenes import compiled, hill, house

from ecumene_sim.terrain import Terrain
from ecumene_world.grid import sample

GENERATOR = torch.Generator().manual_seed(0)


def points(layout_bounds: tuple[float, float, float, float], count: int = 500) -> torch.Tensor:
    x0, y0, x1, y1 = layout_bounds
    unit = torch.rand(2, count, generator=GENERATOR)
    return unit * torch.tensor([[x1 - x0], [y1 - y0]]) + torch.tensor([[x0], [y0]])


def test_samples_are_those_of_the_grid_on_every_storey() -> None:
    layout = compiled(house())
    terrain, at = Terrain(layout), points(layout.bounds)
    level = torch.randint(0, layout.levels, (500,), generator=GENERATOR)
    for image, field in (
        (terrain.near, layout.clearance),
        (terrain.floor, layout.floor),
        (terrain.tall, layout.tall_clearance),
    ):
        expected = sample(layout, field, level, at.t())
        assert torch.allclose(terrain.sample(image, level, at)[0], expected, atol=2e-3)


def test_points_beyond_the_grid_read_its_border_and_not_another_storey() -> None:
    layout = compiled(house())
    terrain = Terrain(layout)
    x0, y0, x1, y1 = layout.bounds
    outside = torch.tensor([[x0 - 50, x1 + 50], [y0 - 50, y1 + 50]])
    for level in range(layout.levels):
        storey = torch.full((2,), level)
        corners = layout.clearance[level, [0, -1], [0, -1]]
        assert torch.allclose(terrain.sample(terrain.near, storey, outside)[0], corners, atol=2e-3)


def test_push_directions_gain_the_clearance_that_is_missing() -> None:
    layout = layout_of(Plan(boxes=(Box(5, 5, 8, 8),)))
    terrain, level = Terrain(layout), torch.zeros(1, dtype=torch.int64)
    at = torch.tensor([[4.8], [6.5]])
    field = terrain.sample(terrain.slope, level, at)
    moved = at + field[1:] * (0.5 - field[0])
    assert torch.allclose(terrain.sample(terrain.near, level, moved)[0], torch.tensor(0.5), atol=0.03)


def test_the_nearest_door_is_known_all_over_the_room() -> None:
    plan = Plan(things=[Thing("door", x, 10, leaf=(x, 10, x + 1, 10)) for x in (2.0, 10.0, 16.0)])
    terrain = Terrain(layout_of(plan))
    at = torch.tensor([[3.0, 11.0], [4.0, 16.0]])
    assert terrain.doors_near(torch.zeros(2, dtype=torch.int64), at)[:, 0].tolist() == [0, 1]
    assert terrain.doors_near(torch.zeros(2, dtype=torch.int64), at)[:, 3].tolist() == [-1, -1], "there are but three"


def test_edges_of_the_walkable_area_are_no_obstacles_to_the_eye() -> None:
    terrain = Terrain(layout_of(Plan()))
    assert terrain.sight_hit[0, 0].max() <= 0
    assert terrain.sight_hit[0, 0].min() < -1e5


def test_things_near_come_with_their_coarse_cell() -> None:
    terrain = Terrain(layout_of(busy_plan()))
    near = terrain.things_near(torch.zeros(1, dtype=torch.int64), torch.tensor([[2.0], [2.0]]))
    assert near[0, 0] == 2, "the ball at 3, 3 is the nearest to the first coarse cell"


def test_floors_follow_the_ground() -> None:
    layout = compiled(hill(0.2))
    terrain = Terrain(layout)
    at = torch.tensor([[5.0, 10.0], [10.0, 10.0]])
    height = terrain.sample(terrain.floor, torch.zeros(2, dtype=torch.int64), at)[0]
    assert torch.allclose(height, torch.tensor([1.0, 2.0]), atol=0.02)
