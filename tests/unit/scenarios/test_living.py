import pytest
import torch

from ecumene_scenarios import Session
from ecumene_scenarios.packs.living import PACE, Living, pace
from ecumene_world.grid import components, nearest, sample


class Museum(Living):
    """Two storeys."""

    name = "museum"
    world_type = "museum"
    people = 14


class Plaza(Living):
    """A square among houses."""

    name = "plaza"


class Flat(Living):
    """Rooms without any open space."""

    name = "flat"
    world_type = "apartment"
    people = 6


@pytest.mark.parametrize("kind", [Plaza, Museum, Flat])
def test_people_begin_spread_over_the_world_free_and_reachable(kind: type[Living]) -> None:
    session = Session(kind(), seed=2)
    layout, state = session.world.layout, session.world.state
    here = state.alive[0]
    place, level = state.position[0, here], state.level[0, here]
    assert int(here.sum()) == kind.people
    assert (sample(layout, layout.clearance, level, place[:, :2]) > 0.25).all()
    assert ((sample(layout, layout.floor, level, place[:, :2]) - place[:, 2]).abs() < 0.05).all()
    parts = torch.from_numpy(components(layout.clearance.numpy(), layout.next_level.numpy(), 0.245))
    assert (nearest(layout, parts, level, place[:, :2]) == 1).all()
    gaps = torch.cdist(place, place) + 10 * torch.eye(len(place))
    assert float(gaps.min()) > 0.55
    spread = (place[:, :2].amax(0) - place[:, :2].amin(0)).amin()
    x0, y0, x1, y1 = layout.bounds
    assert float(spread) > 0.3 * min(x1 - x0, y1 - y0)


def test_posts_are_filled_from_the_start() -> None:
    session = Session(Plaza(), seed=2)
    jobs = {who.role for who in session.world.avatars.values()}
    assert jobs >= {"waiter", "shopkeeper", "cook"} & set(session.world.layout.place_role)


def test_people_walk_as_fast_as_people_do() -> None:
    generator = torch.Generator().manual_seed(0)
    paces = torch.tensor([pace(generator) for _ in range(1000)])
    assert float(paces.mean()) == pytest.approx(1.34, abs=0.02)
    assert float(paces.std()) == pytest.approx(0.2, abs=0.02)
    assert float(paces.min()) >= PACE[2][0] - 1e-4
    assert float(paces.max()) <= PACE[2][1] + 1e-4
