import torch
from tests.unit.agents.grounds import world_of

from ecumene_agents.lattice import Lattice


def test_the_node_at_a_nodes_spot_is_that_node() -> None:
    for name in ("walled", "village"):
        layout = world_of(name).layout
        storeys, height, width = layout.clearance.shape
        node = torch.arange(storeys * height * width)
        lattice = Lattice(layout)
        assert torch.equal(lattice.nodes(node // (height * width), lattice.spots(node)[:, :2]), node)


def test_points_off_the_grid_have_the_node_at_its_edge() -> None:
    layout = world_of("walled").layout
    _, height, width = layout.clearance.shape
    far = torch.tensor([[-1e4, -1e4], [1e4, 1e4]])
    assert Lattice(layout).nodes(torch.zeros(2, dtype=torch.int64), far).tolist() == [0, height * width - 1]


def test_a_wall_stands_between_its_sides_and_not_along_them() -> None:
    lattice = Lattice(world_of("walled").layout)
    start = torch.tensor([[-6.0, -4.0], [-6.0, 2.0]])
    end = torch.tensor([[[6.0, -4.0], [6.0, -4.0]], [[-6.0, 3.0], [-6.0, -4.0]]])
    seen = lattice.sees(torch.zeros(2, dtype=torch.int64), start, end, 16.0)
    assert seen.tolist() == [[False, False], [True, True]]
