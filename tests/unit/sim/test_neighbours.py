"""Neighbours against a search through all pairs."""

import pytest
import torch

from ecumene_sim import neighbours
from ecumene_sim.neighbours import nearest, touching

BOUNDS = (-3.0, -2.0, 20.0, 15.0)


def scattered(
    worlds: int, slots: int, seed: int, side: float = 12.0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns points (2, B·C), radii and who is alive."""
    generator = torch.Generator().manual_seed(seed)
    at = torch.rand(2, worlds * slots, generator=generator) * side - 2.0
    radius = torch.rand(worlds, slots, generator=generator) * 0.3 + 0.2
    return at, radius, torch.rand(worlds, slots, generator=generator) < 0.8


@pytest.mark.parametrize(("worlds", "slots"), [(1, 1), (1, 2), (3, 7), (4, 8), (2, 64), (1, 200), (3, 150)])
def test_touching_pairs_are_those_of_a_search_through_all(worlds: int, slots: int) -> None:
    at, radius, alive = scattered(worlds, slots, slots)
    found = touching(at, radius, alive, BOUNDS)
    kept = [(int(a), int(b)) for a, b, meets in zip(found.first, found.second, found.meet, strict=True) if meets]
    expected = set()
    for world in range(worlds):
        for i in range(slots):
            for j in range(i):
                a, b = world * slots + j, world * slots + i
                gap = float((at[:, a] - at[:, b]).square().sum().sqrt())
                if alive[world, i] and alive[world, j] and gap < float(radius[world, i] + radius[world, j]) - 1e-6:
                    expected.add((a, b))
    assert {tuple(sorted(pair)) for pair in kept} == expected
    assert len(kept) == len(expected), "every pair is met once"


def test_bodies_beyond_the_bounds_are_found_too() -> None:
    at = torch.full((2, 80), 500.0)
    at[0] += 10.0 * torch.arange(80)
    at[:, 1] = at[:, 0] + 0.1
    found = touching(at, torch.full((1, 80), 0.25), torch.ones(1, 80, dtype=torch.bool), BOUNDS)
    assert [(int(a), int(b)) for a, b in zip(found.first, found.second, strict=True)] == [(0, 1)]


@pytest.mark.parametrize("pairs", [1, neighbours.TREE_PAIRS])
@pytest.mark.parametrize("slots", [3, 20, 300])
def test_the_nearest_are_those_of_a_full_sort(slots: int, pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "TREE_PAIRS", pairs)
    at, _, alive = scattered(2, slots, slots)
    position = torch.cat((at, torch.zeros(1, 2 * slots))).t().reshape(2, slots, 3)
    viewers = torch.tensor([2, 0])
    found = nearest(position, alive, viewers, 8, 5.0)
    for world in range(2):
        for row, viewer in enumerate(viewers.tolist()):
            distance = (position[world, :, :2] - position[world, viewer, :2]).norm(dim=-1)
            others = [j for j in distance.argsort().tolist() if j != viewer and alive[world, j] and distance[j] <= 5]
            kept = found.slot[world, row][found.valid[world, row]].tolist()
            assert kept == others[:8]


def test_nobody_is_a_neighbour_of_a_lonely_viewer() -> None:
    alive = torch.zeros(1, 4, dtype=torch.bool)
    alive[0, 2] = True
    assert not nearest(torch.zeros(1, 4, 3), alive, torch.tensor([2]), 8, 30.0).valid.any()


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_finds_the_same_as_a_comparison_with_everyone(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bit by bit, the dead, those who stand in one spot and those beyond reach among them."""
    at, _, alive = scattered(2, 400, seed, side=60.0)
    position = torch.cat((at, torch.zeros(1, 800))).t().reshape(2, 400, 3).contiguous()
    position[:, 7] = position[:, 3]
    viewers = torch.arange(seed, 400, 4)
    dense = nearest(position, alive, viewers, 10, 8.0)
    monkeypatch.setattr(neighbours, "TREE_PAIRS", 1)
    tree = nearest(position, alive, viewers, 10, 8.0)
    assert torch.equal(tree.valid, dense.valid)
    assert bool((~dense.valid).any())
    assert torch.equal(tree.distance[tree.valid], dense.distance[dense.valid])
    apart = dense.distance[..., 1:] != dense.distance[..., :-1]
    sure = dense.valid[..., 1:-1] & apart[..., 1:] & apart[..., :-1]
    assert torch.equal(tree.slot[..., 1:-1][sure], dense.slot[..., 1:-1][sure])


@pytest.mark.parametrize("here", [0, 1])
def test_a_tree_of_nobody_or_one(here: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "TREE_PAIRS", 1)
    alive = torch.zeros(1, 4, dtype=torch.bool)
    alive[0, :here] = True
    position = torch.zeros(1, 4, 3)
    position[0, 3] = torch.nan
    found = nearest(position, alive, torch.tensor([0, 3]), 2, 30.0)
    assert found.slot.shape == (1, 2, 2)
    assert not found.valid[0, 0].any()
    assert not found.valid[0, 1].any()
