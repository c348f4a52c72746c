from dataclasses import replace
from math import hypot

import torch
from tests.unit.agents.grounds import world_of

from ecumene_agents.spots import APART_M, ROOM_M, Point, Spots
from ecumene_sim.things import REACH_M
from ecumene_world.grid import sample
from ecumene_world.kinds import Interaction


def test_spots_are_at_the_place_roomy_and_of_many() -> None:
    layout = world_of("village").layout
    spots, place = Spots(layout), layout.place_index["middle"]
    found = [spot for n in range(40) if (spot := spots.standing(place, [], 1, f"npc:{n}", 0)) is not None]
    assert len(set(found)) > 15
    middle = layout.place_position[place]
    for x, y, z in found:
        gap = float((torch.tensor([x, y, z]) - middle).norm())
        clear = sample(layout, layout.clearance, torch.tensor(0), torch.tensor([x, y]))
        assert gap <= 6.1
        assert float(clear) >= ROOM_M


def test_spots_lie_on_this_side_of_the_wall() -> None:
    layout = world_of("walled").layout
    wide = replace(layout, place_radius=torch.full_like(layout.place_radius, 9.0))
    middle = layout.place_index["east"]
    near = replace(wide, place_position=wide.place_position.clone())
    near.place_position[middle] = torch.tensor([0.8, -4.0, 0.0])
    spots = Spots(near)
    found = spots.standings(middle)
    assert len(found) > 5
    assert all(x > 0 for x, _, _ in found)


def test_a_place_without_room_has_its_own_point() -> None:
    layout = world_of("village").layout
    tight = replace(layout, clearance=torch.full_like(layout.clearance, 0.31))
    place = layout.place_index["coffee"]
    point = tuple(layout.place_position[place].tolist())
    assert Spots(tight).standing(place, [], 1, "x") == point
    assert Spots(tight).standing(place, [point], 1, "x") is None
    assert Spots(tight).room(place, 1.5) == 1


def test_one_stands_apart_from_others_until_a_place_is_full() -> None:
    layout = world_of("village").layout
    spots, place = Spots(layout), layout.place_index["coffee"]
    taken: list[Point] = []
    while (spot := spots.standing(place, taken, 1, len(taken))) is not None:
        assert all(hypot(spot[0] - x, spot[1] - y) >= APART_M for x, y, _ in taken)
        taken.append(spot)
    assert 10 < len(taken) <= len(spots.standings(place))
    assert 1 < spots.room(place, 1.5) < len(taken)


def test_seats_are_listed_nearest_first_on_their_storey() -> None:
    layout = world_of("village").layout
    spots = Spots(layout)
    near = spots.seats((6.0, 3.0, 0.0), 0, 5.0)
    assert near
    assert {layout.thing_name(spots.seat_things[seat]) for seat in near} == {"bench 1"}
    assert spots.seats((6.0, 3.0, 0.0), 1, 5.0) == []
    everywhere = spots.seats((6.0, 3.0, 0.0), 0, 50.0)
    assert len(everywhere) == 2 * len(near)
    assert everywhere[: len(near)] == near


def test_a_seat_out_of_reach_of_its_approach_is_not_listed() -> None:
    layout = world_of("village").layout
    first, *others = Spots(layout).seats((6.0, 3.0, 0.0), 0, 5.0)
    away = layout.seat_approach.clone()
    away[first] = layout.seat_position[first] + torch.tensor([REACH_M[Interaction.SIT] - 0.05, 0.0, 0.0])
    assert Spots(replace(layout, seat_approach=away)).seats((6.0, 3.0, 0.0), 0, 5.0) == others
    away[first] = layout.seat_position[first] + torch.tensor([REACH_M[Interaction.SIT] - 0.15, 0.0, 0.0])
    assert first in Spots(replace(layout, seat_approach=away)).seats((6.0, 3.0, 0.0), 0, 5.0)
