import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.encoders import HearingEncoder, NeighbourEncoder, VisionEncoder, symlog


def test_symlog_is_odd_and_keeps_order() -> None:
    metres = torch.linspace(-1000, 1000, 101)
    assert torch.allclose(symlog(metres), -symlog(-metres))
    assert bool((symlog(metres).diff() > 0).all())


@pytest.mark.parametrize("third", [0, 1, 2])
def test_each_vision_token_sees_its_third_of_the_view_only(third: int) -> None:
    senses, encoder = random_senses(2), VisionEncoder(16)
    before = encoder(senses.vision_depth, senses.vision_kind)
    depth = senses.vision_depth.clone()
    depth[:, :, 8 * third : 8 * third + 8] = 0.3
    changed = (encoder(depth, senses.vision_kind) != before).any(dim=-1).any(dim=0)
    assert changed.tolist() == [token == third for token in range(3)]


def test_vision_tells_categories_and_rows_apart() -> None:
    senses, encoder = random_senses(1), VisionEncoder(16)
    depth = torch.full_like(senses.vision_depth, 5.0)
    kind = torch.zeros_like(senses.vision_kind)
    seen = []
    for row, category in ((1, 4), (2, 4), (1, 5)):
        other = kind.clone()
        other[:, row, 3] = category
        seen.append(encoder(depth, other))
    assert not torch.allclose(seen[0], seen[1])
    assert not torch.allclose(seen[0], seen[2])


def test_hearing_tells_left_from_right_and_old_from_new() -> None:
    encoder, silence = HearingEncoder(16), torch.zeros(1, 2, 8, 16)
    left, right, late = silence.clone(), silence.clone(), silence.clone()
    left[0, 0, 2, 5] = right[0, 1, 2, 5] = late[0, 0, 7, 5] = 1.0
    heard = [encoder(sound) for sound in (left, right, late)]
    assert not torch.allclose(heard[0], heard[1])
    assert not torch.allclose(heard[0], heard[2])


def test_neighbours_are_encoded_each_on_its_own() -> None:
    encoder, senses = NeighbourEncoder(16), random_senses(3)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(encoder(senses.neighbours)[:, order], encoder(senses.neighbours[:, order]), atol=1e-6)
