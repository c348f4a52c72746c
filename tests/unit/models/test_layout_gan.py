from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.unit.models.layout_rooms import CUP, KINDS, ROLES, TABLE, TAGS, furnished, many

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError
from ecumene_models.layout_gan import (
    MODEL,
    LayoutConfig,
    LayoutCritic,
    LayoutGan,
    LayoutGenerator,
    load_layout,
    save_layout,
)
from ecumene_models.layout_training import learn_typical
from ecumene_models.layouts import FLOOR, joined

CONFIG = LayoutConfig(KINDS, ROLES, TAGS, most=6, width=16, heads=2, layers=1, sizes=2)


@pytest.fixture(scope="module")
def network() -> LayoutGan:
    torch.manual_seed(0)
    made = LayoutGan(CONFIG)
    learn_typical(made.generator, many(8), torch.Generator().manual_seed(0))
    return made.eval()


def test_what_is_typical_comes_from_the_rooms(network: LayoutGan) -> None:
    generator = network.generator
    assert generator.carried.tolist() == [0, 0, 0, 1]
    assert generator.carriers[CUP].tolist() == [0, 1, 0, 0]
    assert generator.typical[TABLE].exp()[0].tolist() == pytest.approx([0.8, 1.2, 0.7])
    assert generator.offset_count[2, TABLE] > 0


def test_rooms_are_furnished_within_bounds_and_cups_stand_on_tables(network: LayoutGan) -> None:
    rooms = many(5).empty(0)
    made = network.generator.sample(rooms, torch.Generator().manual_seed(3), candidates=16)
    assert made.kind.shape[1] <= CONFIG.most
    assert (made.kind.diff(dim=1)[made.there[:, 1:]] >= 0).all(), "kinds come in their order"
    assert made.place[made.there].isfinite().all()
    held = made.support != FLOOR
    assert (made.kind[held] == CUP).all()
    assert (made.kind.gather(1, made.support.clamp_min(0))[held] == TABLE).all()


def test_the_same_seed_gives_the_same_rooms(network: LayoutGan) -> None:
    a, b, c = (network.generator.sample(many(3), torch.Generator().manual_seed(s), candidates=16) for s in (1, 1, 2))
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert a.place.shape != c.place.shape or not torch.equal(a.place, c.place)


def test_what_comes_later_is_not_looked_at(network: LayoutGan) -> None:
    one = furnished()
    other = one._replace(place=one.place.clone())
    other.place[0, 3] += 1.0
    before, after = network.generator.contexts(one), network.generator.contexts(other)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4], after[:, 4])


def test_no_kind_comes_after_a_later_one(network: LayoutGan) -> None:
    logits = network.generator.kind_logits(torch.zeros(1, 16), torch.tensor([TABLE]))
    assert logits[0].isinf().tolist() == [True, False, False, False, False]


def test_the_critic_sees_neither_padding_nor_order() -> None:
    torch.manual_seed(0)
    critic = LayoutCritic(CONFIG).eval()
    one = furnished()
    wide = joined([one, one.empty(9)]).rows(torch.tensor([0]))
    with torch.no_grad():
        score, each = critic(one)
        padded, more = critic(wide)
        turned, _ = critic(one._replace(place=one.place.flip(1)))
    torch.testing.assert_close(score, padded, atol=1e-5, rtol=1e-4)
    assert more[0, 4:].tolist() == [0.0] * 5
    assert each.shape == (1, 4)
    assert not torch.equal(score, turned)


def test_saved_and_loaded_furnishes_the_same(network: LayoutGan, tmp_path: Path) -> None:
    path = tmp_path / "layout.safetensors"
    save_layout(network, path, {"seed": 1})
    again = load_layout(path)
    a, b = (each.generator.sample(many(2), torch.Generator().manual_seed(5), candidates=8) for each in (network, again))
    assert torch.equal(a.place, b.place)


def test_damaged_weights_are_refused(network: LayoutGan, tmp_path: Path) -> None:
    path = tmp_path / "layout.safetensors"
    save_layout(network, path)
    held = bytearray(path.read_bytes())
    held[-5] ^= 1
    path.write_bytes(bytes(held))
    with pytest.raises(WeightsError, match="is damaged"):
        load_layout(path)


def test_weights_of_impossible_sizes_are_refused(network: LayoutGan, tmp_path: Path) -> None:
    path = tmp_path / "layout.safetensors"
    checkpoint.write(path, network, model=MODEL, config={"kinds": 4, "windows": 3})
    with pytest.raises(WeightsError, match="can't be built"):
        load_layout(path)


def test_candidates_are_as_many_as_asked_for_even_in_an_empty_room(network: LayoutGan) -> None:
    rooms = many(2).empty(0)
    generator: LayoutGenerator = network.generator
    found = generator.propose(torch.tensor([0, 3]), torch.ones(2, 3), rooms, 9, torch.Generator().manual_seed(0))
    assert found.place.shape == (2, 9, 2)
    assert (found.support == FLOOR).all()
