import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.encoders import HearingEncoder, NeighbourEncoder, VisionEncoder, encounter, symlog
from ecumene_models.senses import PASSABLE
from ecumene_world.kinds import Category

LEVEL = torch.zeros(2)


def test_symlog_is_odd_and_keeps_order() -> None:
    metres = torch.linspace(-1000, 1000, 101)
    assert torch.allclose(symlog(metres), -symlog(-metres))
    assert bool((symlog(metres).diff() > 0).all())


@pytest.mark.parametrize("third", [0, 1, 2])
def test_each_vision_token_sees_its_third_of_the_view_only(third: int) -> None:
    senses, encoder = random_senses(2), VisionEncoder(16)
    before = encoder(senses.vision_depth, senses.vision_kind, LEVEL)
    depth = senses.vision_depth.clone()
    depth[:, :, 8 * third : 8 * third + 8] = 0.3
    changed = (encoder(depth, senses.vision_kind, LEVEL) != before).any(dim=-1).any(dim=0)
    assert changed.tolist() == [token == third for token in range(3)]


def test_vision_tells_categories_and_rows_apart() -> None:
    senses, encoder = random_senses(1), VisionEncoder(16)
    depth = torch.full_like(senses.vision_depth, 5.0)
    kind = torch.zeros_like(senses.vision_kind)
    seen = []
    for row, category in ((1, 4), (2, 4), (1, 5)):
        other = kind.clone()
        other[:, row, 3] = category
        seen.append(encoder(depth, other, LEVEL[:1]))
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


def test_what_bars_the_way_is_what_walkers_bump_into() -> None:
    passable = {Category.SKY, Category.GROUND, Category.DOOR, Category.STREET, Category.ITEM}
    assert passable | {Category.NPC, Category.VISITOR} == PASSABLE


def test_nearness_is_that_of_the_nearest_obstacle_along_the_ground() -> None:
    depth, kind = torch.full((1, 8, 24), 9.0), torch.full((1, 8, 24), int(Category.GROUND))
    depth[0, 6, 5], kind[0, 6, 5] = 2.0, int(Category.SEAT)
    depth[0, 4, 5], kind[0, 4, 5] = 4.0, int(Category.WALL)
    depth[0, 5, 6] = 0.5
    pitch = -0.3
    near = VisionEncoder(16).nearness(depth, kind.to(torch.uint8), torch.tensor([pitch]))[0]
    elevation = torch.deg2rad(torch.tensor(30 - 60 * 6.5 / 8)) + pitch
    assert near[5].item() == pytest.approx(1 / (0.3 + 2.0 * elevation.cos().item()), rel=1e-5)
    assert near.count_nonzero() == 1


@pytest.mark.parametrize(
    ("place", "motion", "soon", "gap"),
    [
        ((3.0, 0.0), (-1.5, 0.0), 1 / 3, -0.5),
        ((3.0, 1.0), (-1.5, 0.0), 1 / 3, 0.5),
        ((3.0, 0.0), (1.0, 0.0), 1.0, 2.0),
        ((0.6, 0.0), (0.0, 0.0), 1.0, 0.1),
        ((9.0, 0.0), (-1.0, 0.0), 0.0, 2.0),
    ],
)
def test_encounter_tells_when_and_how_near(
    place: tuple[float, float], motion: tuple[float, float], soon: float, gap: float
) -> None:
    found = encounter(torch.tensor(place), torch.tensor(motion))
    assert found[:2].tolist() == pytest.approx([soon, gap], abs=1e-5)


def test_encounter_is_urgent_on_the_side_where_the_other_passes() -> None:
    left = encounter(torch.tensor([1.0, 0.3]), torch.tensor([-1.0, 0.0]))
    right = encounter(torch.tensor([1.0, -0.3]), torch.tensor([-1.0, 0.0]))
    assert left[2] > 0.5
    assert left[3] == 0
    assert right[[3, 2]].tolist() == left[[2, 3]].tolist()
