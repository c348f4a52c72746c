from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError
from ecumene_models.relations import (
    EDGE_TYPES,
    MODEL,
    Boxes,
    RelationsConfig,
    RelationsNet,
    load_relations,
    offsets,
    pair_features,
    rough_edges,
    save_relations,
    wall_gap,
)

CONFIG = RelationsConfig(sorts=5, width=16)
ON, ON_BACK, INSIDE, _, _, _, BESIDE, NEAR = range(EDGE_TYPES)


def boxes(count: int = 7, seed: int = 0) -> Boxes:
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(2, count, 3, generator=generator) * torch.tensor([4.0, 4.0, 1.0])
    size = 0.2 + torch.rand(2, count, 3, generator=generator)
    floor = torch.tensor([[-1.0, -1.0, 5.0, 5.0], [-2.0, -1.0, 6.0, 5.0]])
    return Boxes(torch.randint(0, 5, (2, count), generator=generator), centre, size, floor)


def table_and_lamp() -> Boxes:
    """A table of a metre and, on it, a lamp; then a chair beside the table."""
    centre = torch.tensor([[[0.0, 0.0, 0.35], [0.1, 0.0, 0.9], [0.9, 0.0, 0.45]]])
    size = torch.tensor([[[1.0, 1.0, 0.7], [0.2, 0.2, 0.4], [0.5, 0.5, 0.9]]])
    return Boxes(torch.tensor([[0, 1, 2]]), centre, size, torch.tensor([[-0.6, -2.0, 3.0, 2.0]]))


def net(seed: int = 0) -> RelationsNet:
    return RelationsNet(CONFIG, torch.Generator().manual_seed(seed)).eval()


def test_offsets_of_a_lamp_on_a_table() -> None:
    found = offsets(table_and_lamp())
    assert found.covered[0, 1, 0] == pytest.approx(1.0)
    assert found.above[0, 1, 0] == pytest.approx(0.0, abs=1e-6)
    assert found.gap[0, 0, 2] == pytest.approx(0.15)
    assert found.overtops[0, 2, 0] == pytest.approx(0.2)


def test_rough_edges_point_both_ways() -> None:
    edges = rough_edges(table_and_lamp())[0]
    assert edges[ON].nonzero().tolist() == [[1, 0]]
    assert edges[ON_BACK].nonzero().tolist() == [[0, 1]]
    assert not edges[INSIDE].any()
    assert edges[BESIDE, 0, 2] == edges[BESIDE, 2, 0] == 1
    assert not edges[NEAR].diagonal().any()


def test_nearest_wall_is_found_and_none_without_a_floor() -> None:
    room = table_and_lamp()
    gap, way = wall_gap(room)
    assert gap[0, 0] == pytest.approx(0.1)
    assert way[0, 0].tolist() == [-1.0, 0.0]
    gap, _ = wall_gap(room._replace(floor=torch.full((1, 4), torch.nan)))
    assert gap.isnan().all()
    assert net()(room._replace(floor=torch.full((1, 4), torch.nan))).pairs.isfinite().all()


def test_order_of_things_does_not_matter() -> None:
    room, order = boxes(), torch.tensor([3, 0, 6, 2, 1, 5, 4])
    mixed = Boxes(room.sort[:, order], room.centre[:, order], room.size[:, order], room.floor)
    plain, other = net()(room), net()(mixed)
    torch.testing.assert_close(plain.pairs[:, order][:, :, order], other.pairs, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(plain.wall[:, order], other.wall, atol=1e-5, rtol=1e-4)


def test_empty_places_change_nothing() -> None:
    room = boxes()
    padded = Boxes(
        torch.cat((room.sort, torch.full((2, 3), -1)), 1),
        torch.cat((room.centre, torch.zeros(2, 3, 3)), 1),
        torch.cat((room.size, torch.zeros(2, 3, 3)), 1),
        room.floor,
    )
    torch.testing.assert_close(net()(room).pairs, net()(padded).pairs[:, :7, :7], atol=1e-5, rtol=1e-4)


def test_where_the_room_lies_does_not_matter() -> None:
    room = boxes()
    shift = torch.tensor([10.0, -7.0])
    moved = Boxes(room.sort, room.centre + torch.tensor([10.0, -7.0, 0.0]), room.size, room.floor + shift.repeat(2))
    torch.testing.assert_close(pair_features(room), pair_features(moved), atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(net()(room).pairs, net()(moved).pairs, atol=1e-3, rtol=1e-3)


def test_messages_reach_pairs_that_did_not_change() -> None:
    room = table_and_lamp()
    other = room._replace(sort=torch.tensor([[0, 1, 3]]))
    with_messages = net()(room).pairs - net()(other).pairs
    assert with_messages[0, 0, 1].abs().max() > 1e-4
    alone = RelationsNet(RelationsConfig(5, 16, rounds=0), torch.Generator().manual_seed(0)).eval()
    assert torch.equal(alone(room).pairs[0, 0, 1], alone(other).pairs[0, 0, 1])


def test_saved_and_loaded_says_the_same(tmp_path: Path) -> None:
    network = net()
    save_relations(network, tmp_path / "relations.safetensors", {"thresholds": [0.5]})
    again = load_relations(tmp_path / "relations.safetensors")
    assert again.config == CONFIG
    assert torch.equal(network(boxes()).pairs, again(boxes()).pairs)


def test_unknown_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "relations.safetensors"
    checkpoint.write(path, net(), model=MODEL, config={"sorts": 5, "height": 3})
    with pytest.raises(WeightsError, match="can't be built"):
        load_relations(path)
