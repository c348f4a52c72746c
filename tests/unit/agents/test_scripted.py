import math
from dataclasses import replace

import pytest
import torch
from tests.unit.agents.grounds import all_slots, engine_of, send, settle, world_of

from ecumene_agents import scripted
from ecumene_agents.batch import batch_of
from ecumene_agents.roster import STRIDE
from ecumene_agents.routes import Routes
from ecumene_models.senses import SenseBatch
from ecumene_world.kinds import Category
from ecumene_world.state import Emote, Verb
from ecumene_world.world import World


def at_ease(count: int = 1, verb: Verb = Verb.GO) -> SenseBatch:
    """Senses in an open field: nothing but sky to see, nobody near, no goal."""
    senses = SenseBatch.zeros(count)
    far = torch.full_like(senses.vision_depth, 30.0)
    return replace(senses, vision_depth=far, verb=torch.full((count,), int(verb)))


def headed(senses: SenseBatch, x: float, y: float) -> SenseBatch:
    """With the waypoint and goal at x ahead, y to the left."""
    away = math.hypot(x, y)
    goal = torch.tensor([x, y, away, away, 0.0, 1.0]).expand(len(senses), -1)
    return replace(senses, goal=goal)


def neighbour(
    senses: SenseBatch, x: float, y: float, *, vx: float = 0.0, vy: float = 0.0, target: bool = False
) -> SenseBatch:
    """With somebody at x ahead, y to the left, of that relative velocity."""
    near, present = senses.neighbours.clone(), senses.neighbour_present.clone()
    row = [x, y, 0.0, vx, vy, math.hypot(x, y), 0.25, 1.0, 0.0, 0.0, float(target), 0.0]
    near[:, 0], present[:, 0] = torch.tensor(row), True
    return replace(senses, neighbours=near, neighbour_present=present)


def wall(senses: SenseBatch, distance: float, columns: slice, category: Category = Category.WALL) -> SenseBatch:
    """With something in those columns of the view."""
    depth, kind = senses.vision_depth.clone(), senses.vision_kind.clone()
    depth[:, :, columns], kind[:, :, columns] = distance, int(category)
    return replace(senses, vision_depth=depth, vision_kind=kind)


def walk(world: World, ticks: int) -> list[torch.Tensor]:
    """Lets everybody be driven by the controller; returns positions (C, 3) after each tick."""
    engine, routes, path = engine_of(world), Routes(world), []
    for tick in range(ticks):
        slots = all_slots(world)[tick % STRIDE :: STRIDE]
        routes.update(slots)
        engine.step(scripted.decide(engine.sense(slots)))
        path.append(world.state.position[0].clone())
    return path


@pytest.mark.parametrize("bearing", [0.0, 0.7, -1.5, 3.0])
def test_it_heads_for_the_waypoint_at_full_speed_and_turns_there(bearing: float) -> None:
    senses = headed(at_ease(), 8 * math.cos(bearing), 8 * math.sin(bearing))
    actions = scripted.act(senses)
    assert actions.move[0].tolist() == pytest.approx([math.cos(bearing), math.sin(bearing)], abs=1e-4)
    assert float(actions.turn[0]) == pytest.approx(bearing / math.pi, abs=1e-4)


def test_it_slows_down_and_stops_at_the_goal() -> None:
    pace = [float(scripted.act(headed(at_ease(), x, 0)).move.norm()) for x in (5.0, 0.6, 0.3)]
    assert pace[0] == pytest.approx(1.0)
    assert 0 < pace[1] < 0.6
    assert pace[2] == 0


@pytest.mark.parametrize("verb", list(Verb))
def test_without_anything_to_do_it_stands_still(verb: Verb) -> None:
    assert float(scripted.act(at_ease(verb=verb)).move.abs().max()) == 0


def test_who_waits_stands_still_and_faces_who_speaks() -> None:
    senses = neighbour(headed(at_ease(verb=Verb.WAIT), 8, 0), 0.0, 2.0)
    senses.neighbours[:, 0, 11] = 1.0
    actions = scripted.act(senses)
    assert float(actions.move.abs().max()) == 0
    assert float(actions.turn[0]) == pytest.approx(0.5)


@pytest.mark.parametrize("side", [-0.1, 0.0, 0.1])
def test_it_steps_aside_for_somebody_in_the_way(side: float) -> None:
    senses = neighbour(headed(at_ease(), 8, 0), 1.5, side, vx=-2.0)
    senses.body[:, 0] = 1.4
    move = scripted.act(senses).move[0]
    assert abs(float(move[1])) > 0.15 or float(move.norm()) < 0.3


def test_of_two_ways_around_it_takes_the_right_one() -> None:
    senses = neighbour(headed(at_ease(), 8, 0), 1.2, 0.0)
    assert float(scripted.act(senses).move[0, 1]) < 0


def test_somebody_walking_away_is_no_reason_to_swerve() -> None:
    senses = neighbour(headed(at_ease(), 8, 0), 1.0, 0.0, vx=1.5)
    assert scripted.act(senses).move[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-4)


def test_it_does_not_walk_into_a_wall_it_sees() -> None:
    senses = wall(headed(at_ease(), 8, 0), 0.5, slice(6, 18))
    move = scripted.act(senses).move[0]
    assert float(move[0]) < 0.75 * float(move.norm()) or float(move.norm()) < 0.6


def test_without_vision_the_wall_is_not_there_until_it_is_felt() -> None:
    blind = wall(headed(at_ease(), 8, 0), 0.3, slice(0, 24)).without("vision")
    assert scripted.act(blind).move[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-4)
    blind.touch[:, 0] = 1.0
    assert abs(float(scripted.act(blind).move[0, 1])) > 0.4
    numb = blind.without("touch")
    assert scripted.act(numb).move[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-4)


def test_avatars_ground_and_doors_are_no_walls() -> None:
    for category in (Category.GROUND, Category.NPC, Category.VISITOR, Category.DOOR, Category.ITEM):
        senses = wall(headed(at_ease(), 8, 0), 0.5, slice(0, 24), category)
        assert scripted.act(senses).move[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-4), category


def test_it_opens_the_door_it_walks_up_to() -> None:
    senses = wall(headed(at_ease(), 3, 0), 0.9, slice(10, 14), Category.DOOR)
    assert scripted.act(senses).interact.tolist() == [1]
    assert scripted.act(wall(headed(at_ease(), 3, 0), 3.0, slice(10, 14), Category.DOOR)).interact.tolist() == [0]
    waits = replace(senses, verb=torch.tensor([int(Verb.WAIT)]))
    assert scripted.act(waits).interact.tolist() == [0]


def test_who_avoids_keeps_clear_of_whom_it_is_told_to() -> None:
    senses = neighbour(at_ease(verb=Verb.AVOID), 1.0, 0.0, target=True)
    assert float(scripted.act(senses).move[0, 0]) < -0.3
    assert float(scripted.act(neighbour(at_ease(verb=Verb.GO), 1.0, 0.0)).move.norm()) == 0


def test_who_greets_comes_near_then_waves_and_speaks() -> None:
    far = neighbour(headed(at_ease(verb=Verb.GREET), 5, 0), 5.0, 0.0, target=True)
    near = neighbour(headed(at_ease(verb=Verb.GREET), 1.2, 0), 1.2, 0.0, target=True)
    assert scripted.act(far).emote.tolist() == [int(Emote.NONE)]
    assert float(scripted.act(far).move[0, 0]) > 0.9
    met = scripted.act(near)
    assert (met.emote.tolist(), met.speak.tolist()) == ([int(Emote.WAVE)], [1])
    assert float(met.move.norm()) == 0


def test_who_seeks_by_ear_turns_to_the_louder_side() -> None:
    senses = at_ease(verb=Verb.FIND)
    senses.hearing[:, 0], senses.hearing[:, 1] = 0.5, 0.45
    assert float(scripted.act(senses).move[0, 1]) > 0.2
    assert float(scripted.act(senses.without("hearing")).move.norm()) == 0


def test_who_sits_uses_the_seat_once_there_and_then_rests() -> None:
    there = headed(at_ease(verb=Verb.SIT), 0.5, 0)
    assert scripted.act(there).interact.tolist() == [1]
    assert scripted.act(headed(at_ease(verb=Verb.SIT), 3, 0)).interact.tolist() == [0]
    there.body[:, 5] = 1.0
    resting = scripted.act(there)
    assert resting.interact.tolist() == [0]
    assert float(resting.move.norm()) == 0


def test_rows_do_not_influence_each_other() -> None:
    parts = [
        headed(at_ease(), 5, 2),
        neighbour(headed(at_ease(), 8, 0), 1.5, 0.1, vx=-2.0),
        wall(headed(at_ease(), 8, 0), 0.5, slice(6, 18)),
    ]
    together = scripted.act(SenseBatch.cat(parts))
    for row, part in enumerate(parts):
        assert torch.allclose(together.move[row], scripted.act(part).move[0], atol=1e-6)


def test_it_gets_around_a_wall_without_touching_it() -> None:
    world = world_of("walled")
    slot = settle(world, "npc:1", -6, -4)
    send(world, "npc:1", Verb.GO, "east")
    felt = 0.0
    engine, routes = engine_of(world), Routes(world)
    for tick in range(800):
        slots = all_slots(world)[tick % STRIDE :: STRIDE]
        routes.update(slots)
        engine.step(scripted.decide(engine.sense(slots)))
        felt = max(felt, float(world.state.contact[0, slot].max()))
        if float((world.state.position - world.state.goal)[0, slot].norm()) < 0.5:
            break
    assert float((world.state.position - world.state.goal)[0, slot].norm()) < 0.5
    assert felt < 1.0
    assert tick < 600


def test_two_who_meet_head_on_pass_without_touching() -> None:
    world = world_of("open")
    one, other = settle(world, "npc:1", -5, 0), settle(world, "npc:2", 5, 0, math.pi)
    world.state.verb[0, [one, other]] = int(Verb.GO)
    world.state.goal[0, one], world.state.goal[0, other] = torch.tensor([6.0, 0, 0]), torch.tensor([-6.0, 0, 0])
    path = walk(world, 260)
    gaps = [float((place[one] - place[other]).norm()) for place in path]
    assert min(gaps) > 0.5
    assert float(path[-1][one][0]) > 5.0
    assert float(path[-1][other][0]) < -5.0


def test_senses_of_the_engine_become_rows_and_actions_come_back_in_order() -> None:
    world = world_of("open", worlds=2, slots=3)
    settle(world, "npc:1", 0, 0)
    senses = engine_of(world).sense(torch.tensor([2, 0]))
    assert len(batch_of(senses)) == 4
    actions = scripted.decide(senses)
    assert actions.slots.tolist() == [2, 0]
    assert actions.raw.shape == (2, 2, 8)


def test_who_sees_a_category_that_there_is_none_of_walks_as_one_without_sight() -> None:
    senses = headed(wall(at_ease(2), 1.0, slice(10, 14)), 5.0, 0.0)
    dirty = senses.vision_kind.clone()
    dirty[0, 4, 11] = 16
    found = scripted.act(replace(senses, vision_kind=dirty)).move
    assert torch.equal(
        found, torch.stack((scripted.act(senses.without("vision")).move[0], scripted.act(senses).move[1]))
    )


@pytest.mark.parametrize("part", ["vision_depth", "hearing", "touch", "neighbours"])
def test_what_is_no_number_counts_as_absent(part: str) -> None:
    senses = neighbour(headed(wall(at_ease(2), 1.0, slice(10, 14)), 5.0, 0.0), 1.5, 0.2)
    dirty = getattr(senses, part).clone()
    dirty[0] = torch.nan
    sense = {"vision_depth": "vision", "neighbours": ""}.get(part, part)
    lacking = senses.without(sense) if sense else senses.alone()
    found = scripted.act(replace(senses, **{part: dirty}))
    assert torch.equal(found.move, torch.stack((scripted.act(lacking).move[0], scripted.act(senses).move[1])))
