"""The scene that slow minds think in: who is near enough to be greeted."""

from __future__ import annotations

import math
import random

from tests.unit.agents.grounds import settle, world_of

from ecumene_agents.scene import GREET_M, NOTICED, Scene
from ecumene_world.command import Despawn


def test_the_nearest_on_the_storey_are_noticed_in_order() -> None:
    world, draw = world_of("open", slots=40), random.Random(4)
    places = [(draw.uniform(-3, 3), draw.uniform(-3, 3)) for _ in range(40)]
    for number, place in enumerate(places):
        settle(world, f"npc:{number}", *place)
    world.apply([Despawn("npc:7")])
    world.state.level[0, 3] = 1
    scene = Scene.of(world, 0, [0, 5, 3])
    for me in (0, 5):
        others = [slot for slot in range(40) if slot not in {me, 3, 7}]
        gaps = {slot: math.dist(places[me], places[slot]) for slot in others}
        wanted = sorted((slot for slot in others if gaps[slot] <= GREET_M), key=gaps.__getitem__)
        assert len(wanted) > NOTICED
        assert scene.near[me] == wanted[:NOTICED]
    assert scene.near[3] == [], "nobody else is upstairs"
    assert set(scene.near) == {0, 3, 5}
