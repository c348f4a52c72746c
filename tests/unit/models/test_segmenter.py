from __future__ import annotations

from dataclasses import replace
from math import pi
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ecumene_models import checkpoint
from ecumene_models.errors import CloudError, WeightsError
from ecumene_models.metrics import confusion, intersections_over_union
from ecumene_models.segmenter import (
    Part,
    Segmenter,
    SegmenterConfig,
    load_segmenter,
    save_segmenter,
    shares,
    sorted_into_cells,
    straight,
    thinned,
    whereabouts,
    yawed,
)

CONFIG = SegmenterConfig(("floor", "wall", "thing"), width=8)


def network(seed: int = 0) -> Segmenter:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Segmenter(CONFIG).eval()


def room(points: int = 3000, seed: int = 0) -> Tensor:
    """Points on the floor and two walls of a room of 4 m by 3 m by 2.5 m."""
    generator = torch.Generator().manual_seed(seed)
    xyz = torch.rand(points, 3, generator=generator) * torch.tensor([4.0, 3.0, 2.5])
    side = torch.arange(points) % 3
    xyz[side == 0, 2] = 0.0
    xyz[side == 1, 0] = 0.0
    xyz[side == 2, 1] = 0.0
    return xyz


def logits(*scans: Tensor) -> Tensor:
    found: Tensor = network()(sorted_into_cells([Part(scan, whereabouts(scan)) for scan in scans], CONFIG))
    return found.detach()


def test_order_of_points_does_not_matter() -> None:
    xyz = room()
    order = torch.randperm(len(xyz), generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(logits(xyz)[order], logits(xyz[order]), atol=1e-4, rtol=1e-4)


def test_scans_side_by_side_do_not_hear_of_each_other() -> None:
    first, second = room(seed=1), room(2000, seed=2)
    both = logits(first, second)
    torch.testing.assert_close(both[: len(first)], logits(first), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(both[len(first) :], logits(second), atol=1e-4, rtol=1e-4)


def test_what_is_near_counts_and_what_is_far_does_not() -> None:
    xyz = room()
    with_chair = torch.cat([xyz, torch.tensor([[0.3, 0.3, 0.3]]).repeat(40, 1) + room(40, seed=3) * 0.1])
    changed = (logits(with_chair)[: len(xyz)] - logits(xyz)).abs().amax(1) > 1e-6
    near = (xyz - torch.tensor([0.3, 0.3, 0.3])).norm(dim=1) < 0.5
    assert bool(changed[near].any())
    alone = torch.cat([xyz, xyz[:1] + torch.tensor([0.0, 300.0, 0.0])])
    assert not bool(torch.isnan(logits(alone)).any())


def test_shares_are_shares() -> None:
    found = shares(network(), room(), views=2)
    assert found.shape == (3000, 3)
    torch.testing.assert_close(found.sum(1), torch.ones(3000), atol=1e-5, rtol=0.0)


def test_a_room_is_turned_straight() -> None:
    for angle in (0.2, 0.9, 1.3):
        found = float(straight(yawed(room(), torch.tensor(angle))))
        assert min(abs(found - angle), pi / 2 - abs(found - angle)) < 0.06


def test_thinning_keeps_one_point_a_cube_and_knows_whose() -> None:
    xyz = room()
    rows, of = thinned(xyz, 0.25)
    assert len(rows) < 1000
    assert of.shape == (3000,)
    assert bool(((xyz - xyz[rows][of]).abs() <= 0.25 + 1e-5).all())
    assert len(thinned(xyz[rows], 1e-4)[0]) == len(rows)


@pytest.mark.parametrize(
    ("cloud", "said"),
    [
        (torch.zeros(0, 3), "N of 1 or more"),
        (torch.zeros(5, 2), "N of 1 or more"),
        (torch.tensor([[0.0, float("nan"), 0.0]]), "not finite"),
        (torch.tensor([[0.0, 0.0, 0.0], [9000.0, 0.0, 0.0]]), "fit into cells"),
    ],
)
def test_what_is_no_scan_is_refused(cloud: Tensor, said: str) -> None:
    with pytest.raises(CloudError, match=said):
        shares(network(), cloud)


def test_a_single_point_is_a_scan() -> None:
    assert shares(network(), torch.zeros(1, 3)).shape == (1, 3)


def test_intersections_over_union_of_a_toy() -> None:
    truth, guessed = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 0, 1, 1, 1, 1])
    counts = confusion(guessed, truth, 4)
    assert counts.tolist() == [[2, 1, 0, 0], [0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    each = intersections_over_union(counts)
    assert each[:3].tolist() == [2 / 3, 2 / 4, 0.0]
    assert bool(each[3].isnan())


def test_weights_survive_the_disk(tmp_path: Path) -> None:
    save_segmenter(network(), tmp_path / "s.safetensors", {"seed": 0})
    again = load_segmenter(tmp_path / "s.safetensors")
    assert again.config == CONFIG
    torch.testing.assert_close(shares(again, room()), shares(network(), room()))


def test_damaged_and_foreign_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_segmenter(network(), path)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="is damaged: its digest is"):
        load_segmenter(path)
    checkpoint.write(path, network(), model="pointnet", config={})
    with pytest.raises(WeightsError, match="holds weights of 'pointnet'"):
        load_segmenter(path)
    checkpoint.write(path, network(), model="segmenter", config={"classes": ["a"], "depth": 3})
    with pytest.raises(WeightsError, match="can't be built"):
        load_segmenter(path)
    checkpoint.write(path, network(), model="segmenter", config=replace(CONFIG, width=10).to_json())
    with pytest.raises(WeightsError, match="would fit"):
        load_segmenter(path)
