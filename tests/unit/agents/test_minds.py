import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.unit.agents.grounds import all_slots, engine_of, open_ground, send, settle, world_of

from ecumene_agents import scripted
from ecumene_agents.batch import batch_of
from ecumene_agents.errors import MindMemoryError, NobodyThereError
from ecumene_agents.fast import DEAD_ZONE, FastMind, with_reflexes
from ecumene_agents.minds import Minds
from ecumene_models import FusionPolicy, WeightsError, save_policy
from ecumene_models.actions import PolicyActions
from ecumene_models.senses import SenseBatch
from ecumene_world import Node, Pose
from ecumene_world.command import Command, Despawn, Gesture, Interact, Say, SetIntent
from ecumene_world.event import Event
from ecumene_world.kinds import Category
from ecumene_world.state import Verb
from ecumene_world.world import World


def scene() -> World:
    world = world_of("village")
    settle(world, "npc:1", -2, -5, title="Mara Holm", role="shopkeeper")
    settle(world, "npc:2", 2, -5, title="Jonas Vale", role="gardener")
    settle(world, "visitor:ada", -2, -3.5, kind="visitor", title="Ada")
    return world


def said(world: World, who: str, text: str) -> list[Event]:
    return [event for event in world.apply([Say(who, text)]) if event.name == "said"]


def words(commands: list[Command]) -> list[tuple[str, str]]:
    return [(command.key, command.text) for command in commands if isinstance(command, Say)]


def test_without_a_policy_the_scripted_controller_decides() -> None:
    world = scene()
    send(world, "npc:1", Verb.GO, "coffee")
    senses = engine_of(world).sense(all_slots(world))
    minds = Minds(world)
    assert minds.kind == "scripted"
    assert torch.equal(minds.decide(senses).raw, scripted.decide(senses).raw)


def test_a_policy_decides_for_all_in_one_batch(tmp_path: Path) -> None:
    world, path = scene(), tmp_path / "minds.safetensors"
    policy = FusionPolicy(generator=torch.Generator().manual_seed(4))
    save_policy(policy, path)
    minds = Minds(world, weights=path)
    senses = engine_of(world).sense(all_slots(world))
    raw = minds.decide(senses).raw
    assert minds.kind == "fusion"
    assert raw.shape == (1, 16, 8)
    with torch.inference_mode():
        batch = batch_of(senses)
        expected = FastMind(policy.eval()).act(batch).continuous
    assert torch.allclose(raw[0, :, :5].float() / 127, expected.clamp(-1, 1), atol=0.005)


def test_bad_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights at"):
        Minds(scene(), weights=tmp_path / "none.safetensors")


def test_reflexes_keep_who_rests_seated_and_open_doors() -> None:
    senses = SenseBatch.zeros(3)
    senses = replace(senses, verb=torch.tensor([int(Verb.SIT), int(Verb.GO), int(Verb.GO)]))
    senses.body[:2, 5] = 1.0
    senses.vision_depth[:] = 20.0
    senses.vision_kind[2, 4, 11:13], senses.vision_depth[2, 4, 11:13] = int(Category.DOOR), 0.8
    senses.goal[2] = torch.tensor([3.0, 0, 3, 3, 0, 1])
    some = torch.ones(3, dtype=torch.int64)
    actions = PolicyActions(torch.ones(3, 2), torch.ones(3), torch.ones(3, 2), some * 0, some, some)
    kept = with_reflexes(actions, senses)
    assert kept.move[:, 0].tolist() == [0.0, 1.0, 1.0]
    assert kept.interact.tolist() == [0, 0, 1]
    assert torch.equal(kept.emote, actions.emote)


def test_everybody_thinks_once_a_second() -> None:
    minds = Minds(scene())
    thinkers = [command.key for tick in range(20) for command in minds.think(tick) if isinstance(command, SetIntent)]
    assert sorted(thinkers) == ["npc:1", "npc:2"]
    assert minds.mind("npc:1").aim is not None


def test_the_npc_nearest_to_a_visitor_answers() -> None:
    world = scene()
    minds = Minds(world)
    ((key, text),) = words(minds.hear(said(world, "visitor:ada", "who are you?")))
    assert key == "npc:1"
    assert "Mara Holm" in text


def test_the_one_who_is_named_answers() -> None:
    world = scene()
    minds = Minds(world)
    ((key, text),) = words(minds.hear(said(world, "visitor:ada", "Jonas, who are you?")))
    assert key == "npc:2"
    assert "Jonas Vale" in text


def test_nobody_answers_npcs_or_from_afar_or_what_was_not_said() -> None:
    world = scene()
    minds = Minds(world)
    assert minds.hear(said(world, "npc:2", "hello")) == []
    assert minds.hear([Event(0, "gesture", "visitor:ada", position=(0.0, 0.0, 0.0))]) == []
    settle(world, "visitor:bo", 35, 35, kind="visitor")
    assert minds.hear(said(world, "visitor:bo", "hello")) == []


def test_who_is_spoken_to_stops_and_faces_the_visitor() -> None:
    world = scene()
    minds = Minds(world)
    commands = minds.converse("npc:1", "visitor:ada", "hello")
    assert [type(command) for command in commands] == [Say, Gesture, SetIntent]
    intent = commands[2]
    assert isinstance(intent, SetIntent)
    assert (intent.verb, intent.target) == (Verb.WAIT, "visitor:ada")
    assert minds.mind("npc:1").talk is not None


def test_a_favour_asked_for_becomes_an_intent_and_can_be_ended() -> None:
    world = scene()
    minds = Minds(world)
    follow = minds.converse("npc:1", "visitor:ada", "follow me please")
    assert any(isinstance(c, SetIntent) and c.verb is Verb.FOLLOW for c in follow)
    world.apply(follow)
    assert int(world.state.verb[0, 0]) == int(Verb.FOLLOW)
    minds.converse("npc:1", "visitor:ada", "thank you")
    assert minds.mind("npc:1").favour is not None
    minds.converse("npc:1", "visitor:ada", "stop following me")
    assert minds.mind("npc:1").favour is None


def happened(name: str, subject: str, other: str) -> list[Event]:
    return [Event(0, name, subject, other, {"thing": "ball"}, (0.0, 0.0, 0.0))]


def test_who_is_pulled_at_by_a_visitor_offers_what_it_holds_until_it_is_gone() -> None:
    world = scene()
    minds = Minds(world)
    (intent,) = minds.hear(happened("pulled", "visitor:ada", "npc:1"))
    assert isinstance(intent, SetIntent)
    assert (intent.key, intent.verb, intent.target) == ("npc:1", Verb.HAND_OVER, "visitor:ada")
    assert minds.hear(happened("put_down", "npc:2", "ball")) == []
    assert minds.mind("npc:1").favour is not None
    assert minds.hear(happened("handed_over", "npc:1", "visitor:ada")) == []
    assert minds.mind("npc:1").favour is None


@pytest.mark.parametrize("answers", [True, False])
def test_a_visitor_gets_what_it_pulls_at(answers: bool) -> None:
    ground = open_ground()
    ground.add(Node("ball", "ball", Pose.at(-2, -5)))
    world = World(ground, slots=4, seed=1)
    npc, visitor = settle(world, "npc:1", -2, -5), settle(world, "visitor:ada", -1.2, -5, yaw=math.pi, kind="visitor")
    state, engine, minds = world.state, engine_of(world), Minds(world)
    state.held[0, npc], state.thing_holder[0, 0] = 0, npc
    heard: list[Command] = []
    for tick in range(80):
        pulls = tick % 20 == 10 and int(state.held[0, visitor]) < 0
        world.apply([*heard, *([Interact("visitor:ada")] if pulls else [])])
        frame = engine.step(minds.decide(engine.sense(torch.tensor([npc]))))
        heard = minds.hear(frame.events) if answers else []
    assert int(state.held[0, visitor]) == (0 if answers else -1)
    assert int(state.held[0, npc]) == (-1 if answers else 0)


def test_nothing_is_offered_to_npcs_or_by_visitors() -> None:
    world = scene()
    minds = Minds(world)
    assert minds.hear(happened("pulled", "npc:2", "npc:1")) == []
    assert minds.hear(happened("pulled", "visitor:ada", "visitor:ada")) == []
    assert minds.mind("npc:1").favour is None


def test_what_visitors_say_is_kept_only_if_asked_for() -> None:
    world = scene()
    for keeps, kept in ((False, ""), (True, "my secret plan")):
        minds = Minds(world, keeps_speech=keeps)
        minds.reply("npc:1", "visitor:ada", "my secret plan")
        assert minds.mind("npc:1").memory.recent("heard")[0].text == kept


def test_explanations_are_of_the_last_decision() -> None:
    world = scene()
    send(world, "npc:1", Verb.GO, "coffee")
    minds, engine = Minds(world, FusionPolicy()), engine_of(world)
    with pytest.raises(NobodyThereError, match="slot 0 has not decided anything yet"):
        minds.explain(0)
    actions = minds.decide(engine.sense(torch.tensor([0, 4])))
    minds.decide(engine.sense(torch.tensor([1, 5])))
    told = minds.explain(0)
    decided = actions.raw[0, 0, :2].float() / 127
    assert told.move == pytest.approx(decided.tolist(), abs=DEAD_ZONE)
    assert minds.neighbours(0)[:2] == ["visitor:ada", "npc:2"]
    row = minds.senses_of("npc:1")
    assert row is not None
    assert int(row.verb[0]) == int(Verb.GO)
    assert minds.senses_of("visitor:ada") is None


def test_explanations_of_a_batch_are_of_the_right_world() -> None:
    world = world_of("village", worlds=2)
    settle(world, "npc:1", 0, -5)
    world.state.goal[1, 0] = torch.tensor([5.0, 5.0, 0.0])
    for name in ("alive", "position", "radius"):
        getattr(world.state, name)[1] = getattr(world.state, name)[0]
    world.state.verb[1, 0] = int(Verb.GO)
    world.state.waypoint[1, 0] = torch.tensor([0.0, 8.0, 0.0])
    minds = Minds(world)
    minds.decide(engine_of(world).sense(torch.tensor([0])))
    assert minds.explain(0, 0).move == (0.0, 0.0)
    assert abs(minds.explain(0, 1).move[1]) > 0.3


def test_minds_survive_a_snapshot() -> None:
    world = scene()
    minds = Minds(world)
    for tick in range(200):
        world.apply(minds.think(tick))
    minds.converse("npc:1", "visitor:ada", "take me to the cafe")
    twin = Minds(world)
    twin.unpack(minds.pack())
    assert twin.mind("npc:1").favour == minds.mind("npc:1").favour
    assert twin.mind("npc:2").aim == minds.mind("npc:2").aim
    for tick in range(200, 400):
        first, second = minds.think(tick), twin.think(tick)
        assert first == second
        world.apply(first)


def test_minds_of_the_departed_are_not_restored() -> None:
    world = scene()
    minds = Minds(world)
    minds.mind("npc:2")
    data = minds.pack()
    world.apply([Despawn("npc:2")])
    minds.unpack(data)
    assert "npc:2" not in minds._slow.minds


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"npc:1": {}}', b'{"npc:1": {"memory": 3}}', b"\xff\xfe"])
def test_damaged_memory_is_refused(data: bytes) -> None:
    with pytest.raises(MindMemoryError, match="damaged"):
        Minds(scene()).unpack(data)


@pytest.mark.parametrize("key", ["npc:9", "visitor:ada"])
def test_only_npcs_have_minds(key: str) -> None:
    with pytest.raises(NobodyThereError, match="is not an NPC"):
        Minds(scene()).mind(key)
