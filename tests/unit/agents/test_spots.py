from dataclasses import replace

import torch
from tests.unit.agents.grounds import world_of

from ecumene_agents.spots import ROOM_M, Spots
from ecumene_sim.things import REACH_M
from ecumene_world.grid import sample
from ecumene_world.kinds import Interaction


def test_spots_are_at_the_place_roomy_and_of_many() -> None:
    layout = world_of("village").layout
    spots, place = Spots(layout), layout.place_index["middle"]
    found = {spots.standing(place, 1, f"npc:{n}", 0) for n in range(40)}
    assert len(found) > 15
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
    assert all(isinstance(value, float) for value in spots.standing(middle, 1, "x"))


def test_a_place_without_room_has_its_own_point() -> None:
    layout = world_of("village").layout
    tight = replace(layout, clearance=torch.full_like(layout.clearance, 0.31))
    place = layout.place_index["coffee"]
    assert Spots(tight).standing(place, 1, "x") == tuple(layout.place_position[place].tolist())


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
