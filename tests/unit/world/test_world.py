from collections import Counter
from math import pi
from typing import Any, cast

import pytest
import torch
from tests.unit.world.scenes import compiled, field, house, world

from ecumene_world import Event, World, compile_layout
from ecumene_world.command import (
    AddNode,
    Command,
    Despawn,
    Gesture,
    Interact,
    MoveNode,
    Reading,
    Recompile,
    Relate,
    RemoveNode,
    Say,
    SetIntent,
    SetThing,
    Spawn,
    Steer,
)
from ecumene_world.grid import sample
from ecumene_world.kinds import Category
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose
from ecumene_world.state import Emote, Posture, Sound, Verb
from ecumene_world.world import stream

ZIGZAG: list[JSON] = [[index % 2, index] for index in range(501)]


def only(events: list[Event]) -> Event:
    assert len(events) == 1, events
    return events[0]


def reason(events: list[Event]) -> str:
    event = only(events)
    assert event.name == "rejected"
    return str(event.data["reason"])


def test_a_spawned_avatar_stands_at_a_spawn_point() -> None:
    w = world()
    event = only(w.apply([Spawn("npc:1", title="Ada", role="baker", look=7)]))
    assert (event.name, event.subject, event.data["title"]) == ("spawned", "npc:1", "Ada")
    who = w.avatars["npc:1"]
    assert event.data["entity"] == who.entity == w.state.entity_id(0, who.slot)
    assert (who.kind, who.role, who.look, who.serial) == (200, "baker", 7, 1)
    spots = w.layout.spawn_position
    assert (w.state.position[0, who.slot] == spots).all(1).any()
    assert torch.equal(w.state.goal[0, who.slot], w.state.position[0, who.slot])
    assert w.key_of(0, who.slot) == "npc:1"
    assert w.slot_of("npc:1") == who.slot


def test_a_wanted_position_gets_the_floor_and_storey_there() -> None:
    w = world(house())
    upstairs = Pose.at(0, 1, yaw=0.3).apply((3, -1, 2.5))
    w.apply([Spawn("npc:up", position=upstairs), Spawn("npc:down", position=(*upstairs[:2], 0.0), yaw=2.0)])
    up, down = w.avatars["npc:up"].slot, w.avatars["npc:down"].slot
    assert w.state.level[0, [up, down]].tolist() == [1, 0]
    assert w.state.position[0, [up, down], 2].tolist() == pytest.approx([2.9, 0.1])
    assert w.state.yaw[0, down] == w.state.target_yaw[0, down] == 2.0


def test_nobody_appears_inside_an_obstacle_or_off_the_map() -> None:
    w = world()
    assert "nobody can stand at (6.0, 6.0, 0.0)" in reason(w.apply([Spawn("npc:1", position=(6.0, 6.0, 0.0))]))
    assert "nobody can stand" in reason(w.apply([Spawn("npc:1", position=(500.0, 0.0, 0.0))]))
    assert not w.avatars


def test_newcomers_keep_apart_while_there_is_room() -> None:
    w = world(field(), slots=60)
    w.apply([Spawn(f"npc:{index}") for index in range(60)])
    gaps = torch.cdist(w.state.position[0], w.state.position[0]) + 9 * torch.eye(60)
    assert gaps.min() >= 0.6


def test_a_full_world_rejects_and_has_room_again_later() -> None:
    w = world(slots=2)
    events = w.apply([Spawn("a"), Spawn("b"), Spawn("c")])
    assert [event.name for event in events] == ["spawned", "spawned", "rejected"]
    assert events[2].data["reason"] == "the world is full: all 2 places are taken"
    assert only(w.apply([Despawn("a")])).name == "despawned"
    assert only(w.apply([Spawn("c")])).name == "spawned"


def test_a_slot_that_is_used_again_is_another_entity_and_clean() -> None:
    w = world(slots=1)
    first = only(w.apply([Spawn("a", max_speed=0.5)])).data["entity"]
    w.apply([Gesture("a", Emote.DANCE), SetIntent("a", Verb.GO, place="market"), Despawn("a")])
    assert not w.state.alive.any()
    assert w.key_of(0, 0) is None
    assert w.slot_of("a") is None
    second = only(w.apply([Spawn("b")])).data["entity"]
    assert first != second
    assert w.state.emote[0, 0] == w.state.verb[0, 0] == 0
    assert w.state.place[0, 0] == -1
    assert w.state.max_speed[0, 0] == pytest.approx(1.4)


def test_spawning_never_changes_a_shape() -> None:
    w = world()
    shapes = {name: tensor.shape for name, tensor in w.state.fields().items()}
    w.apply([Spawn("a"), Spawn("b"), Despawn("a")])
    assert {name: tensor.shape for name, tensor in w.state.fields().items()} == shapes


def test_who_calls_is_louder_than_who_speaks() -> None:
    w = world()
    w.apply([Spawn("a"), Spawn("b"), Say("a", "hello"), Say("b", "hello", calls=True)])
    a, b = (w.avatars[key].slot for key in "ab")
    assert w.state.sound[0, [a, b]].tolist() == [Sound.SPEECH, Sound.CALL]
    assert w.state.loudness[0, b] > w.state.loudness[0, a] + 10


def test_what_sort_of_thing_is_sought_stands_in_the_place_of_a_place() -> None:
    w = world()
    w.apply([Spawn("a"), SetIntent("a", Verb.FIND, point=(1.0, 1.0, 0.0), sought=Category.TABLE)])
    slot = w.avatars["a"].slot
    assert (int(w.state.place[0, slot]), float(w.state.goal[0, slot, 0])) == (-1 - Category.TABLE, 1.0)


def test_who_leaves_drops_what_was_carried_and_is_nobodys_target() -> None:
    w = world()
    w.apply([Spawn("a", position=(1.0, 1.0, 0.0)), Spawn("b"), SetIntent("b", Verb.FOLLOW, target="a")])
    ball, slot = w.thing("ball"), w.avatars["a"].slot
    w.state.thing_holder[0, ball], w.state.held[0, slot] = slot, ball
    w.apply([Despawn("a")])
    assert w.state.thing_holder[0, ball] == -1
    assert w.state.thing_position[0, ball].tolist() == [1, 1, 0]
    assert w.state.target[0, w.avatars["b"].slot] == -1


def test_steering_is_in_the_frame_of_the_wanted_yaw() -> None:
    w = world()
    w.apply([Spawn("visitor:a", "visitor"), Steer("visitor:a", (1.0, 0.0), pi / 2, (5.0 - 3.0, -1.0))])
    assert w.state.desired_velocity[0, 0].tolist() == pytest.approx([0, 1.4], abs=1e-6)
    assert w.state.target_yaw[0, 0] == pytest.approx(pi / 2)
    assert w.state.target_gaze[0, 0].tolist() == pytest.approx([1.2, -0.8])
    w.apply([Steer("visitor:a", (0.0, 0.5), 0.0)])
    assert w.state.desired_velocity[0, 0].tolist() == pytest.approx([0, 0.7], abs=1e-6)


def test_only_visitors_run_and_diagonals_are_no_faster() -> None:
    w = world()
    w.apply([Spawn("visitor:a", "visitor"), Spawn("npc:b")])
    w.apply([Steer("visitor:a", (1.0, 1.0), 0.0, run=True), Steer("npc:b", (1.0, 0.0), 0.0, run=True)])
    assert w.state.desired_velocity[0, :2].norm(dim=1).tolist() == pytest.approx([3.0, 1.4])


def test_interacting_asks_for_the_nearest_or_a_named_thing() -> None:
    w = world()
    w.apply([Spawn("a"), Interact("a")])
    assert w.state.interact[0, 0] == 1
    w.apply([Interact("a", "bell")])
    assert w.state.interact[0, 0] == 2 + w.layout.thing_index["bell"]
    assert reason(w.apply([Interact("a", "shed")])) == "'shed' is not a thing that can be used here"


def test_speech_is_heard_and_reported() -> None:
    w = world()
    w.state.tick += 41
    event = w.apply([Spawn("a", title="Ada"), Say("a", "Hello there")])[1]
    assert (event.name, event.tick, event.subject) == ("said", 41, "a")
    assert event.data == {"text": "Hello there", "title": "Ada"}
    assert event.position == tuple(w.state.position[0, 0].tolist())
    assert w.state.sound[0, 0] == Sound.SPEECH
    assert w.state.loudness[0, 0] == 60


def test_a_gesture_lasts_a_while() -> None:
    w = world()
    event = w.apply([Spawn("a"), Gesture("a", Emote.WAVE)])[1]
    assert event.data == {"emote": "wave"}
    assert w.state.emote[0, 0] == Emote.WAVE
    assert w.state.emote_left[0, 0] == 2.5
    w.apply([Gesture("a", Emote.NONE)])
    assert w.state.emote_left[0, 0] == 0


def test_intents_set_goal_and_waypoint() -> None:
    w = world()
    w.apply([Spawn("a"), Spawn("b"), SetIntent("a", Verb.GO, place="market")])
    assert w.state.place[0, 0] == w.layout.place_index["market"]
    assert (
        w.state.goal[0, 0].tolist()
        == w.state.waypoint[0, 0].tolist()
        == w.layout.place_position[w.place("market")].tolist()
    )
    w.apply([SetIntent("a", Verb.FOLLOW, target="b")])
    assert w.state.place[0, 0] == -1
    assert w.state.target[0, 0] == 1
    assert torch.equal(w.state.goal[0, 0], w.state.position[0, 1])
    w.apply([SetIntent("a", Verb.GO, point=(2.0, -2.0, 0.0))])
    assert w.state.goal[0, 0].tolist() == [2, -2, 0]
    w.apply([SetIntent("a", Verb.WAIT)])
    assert torch.equal(w.state.goal[0, 0], w.state.position[0, 0])
    assert w.state.verb[0, 0] == Verb.WAIT


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (SetIntent("a", Verb.GO, place="shed"), "'shed' is not a place that one can go to here"),
        (SetIntent("a", Verb.FOLLOW, target="ghost"), "no avatar 'ghost'"),
        (SetIntent("a", Verb.FOLLOW, target="a"), "can't be the target of its own intent"),
        (SetThing("shed", 1), "'shed' is not a thing"),
        (Reading("ghost", "x", 1.0), "node 'ghost', which does not exist"),
        (AddNode({"name": "bench", "kind": "bench"}), "'bench' exists already"),
        (AddNode({"name": "x", "kind": "bench"}, "ghost"), "parent 'ghost' does not exist"),
        (AddNode({"name": "x", "kind": "bench", "params": {"width_m": 50}}), "node 'x': width_m of 'bench' is 50"),
        (AddNode({"name": "x", "kind": "mesh", "attributes": {"mesh": "gone"}}), "array 'gone/vertices'"),
        (
            AddNode({"name": "x", "kind": "lawn", "attributes": {"polygon": ZIGZAG}}),
            "500 corners",
        ),
        (RemoveNode("world"), "can't be removed"),
        (RemoveNode("ghost"), "node 'ghost' does not exist"),
        (MoveNode("world", Pose()), "can't be moved"),
        (MoveNode("ghost", Pose()), "'ghost' does not exist"),
        (Relate("ball", "on", "ghost"), "'ghost' does not exist"),
        (Despawn("ghost"), "no avatar 'ghost'"),
        (Spawn("a"), "avatar 'a' is here already"),
    ],
)
def test_what_cannot_be_done_is_rejected_with_the_reason(command: Command, sentence: str) -> None:
    w = world()
    w.apply([Spawn("a")])
    before, state = w.graph.hash(), w.state.clone()
    assert sentence in reason(w.apply([command]))
    assert w.graph.hash() == before
    assert not w.stale
    for name, tensor in w.state.fields().items():
        assert torch.equal(tensor, getattr(state, name)), name


def test_nonsense_is_rejected_and_the_rest_still_happens() -> None:
    w = world()
    nonsense: list[Any] = [
        None,
        3,
        "say",
        Say("a", cast("str", None)),
        Spawn(cast("str", 5)),
        Steer("a", (float("nan"), 0.0), 0.0),
        Command(),
        Recompile(world=9),
    ]
    events = w.apply([*nonsense, Spawn("a")])  # type: ignore[list-item]
    assert Counter(event.name for event in events) == {"rejected": len(nonsense), "spawned": 1}
    assert all(isinstance(event.data["reason"], str) for event in events[:-1])


def test_things_get_states_from_afar() -> None:
    w = world()
    event = only(w.apply([SetThing("bell", 1)]))
    assert (event.name, event.subject, event.data) == ("thing", "bell", {"state": 1})
    assert w.state.thing_state[0, w.thing("bell")] == 1


def test_readings_are_kept_by_node_and_field() -> None:
    w = world()
    event = only(w.apply([Reading("bench", "temperature", 20.5, "°C", "probe")]))
    assert event.position == (-4, 0, 0)
    w.apply([Reading("bench", "temperature", 21.5, "°C"), Reading("bench", "wet", value=True)])
    assert w.readings == {"bench": {"temperature": (21.5, "°C"), "wet": (True, "")}}


def test_a_node_keeps_a_bounded_number_of_readings() -> None:
    w = world()
    w.apply([Reading("bench", f"f{index}", index) for index in range(64)])
    assert "64 different readings" in reason(w.apply([Reading("bench", "one more", 1)]))
    assert only(w.apply([Reading("bench", "f3", 9)])).name == "reading"


def test_edits_show_in_the_layout_after_a_recompile() -> None:
    w = world()
    crate = {"name": "crate", "kind": "rock", "position": [0.0, -4.0, 0.0], "seed": 1}
    event = only(w.apply([AddNode(crate)]))  # type: ignore[arg-type]
    assert (event.name, event.subject, event.data) == ("edited", "crate", {"edit": "added"})
    assert w.stale
    assert "crate" not in w.layout.row
    w.apply([Recompile()])
    assert not w.stale
    assert "crate" in w.layout.row
    assert sample(w.layout, w.layout.clearance, torch.tensor(0), torch.tensor([0.0, -4.0])) < 0


def test_removing_a_node_forgets_its_readings() -> None:
    w = world()
    w.apply([Reading("bench", "wet", value=True), RemoveNode("bench")])
    assert w.readings == {}


def test_a_layout_compiled_elsewhere_is_taken_only_if_it_fits() -> None:
    w = world()
    w.apply([RemoveNode("ball")])
    elsewhere = compiled(w.graph.copy())
    w.offer(elsewhere, w.edits)
    w.apply([Recompile()])
    assert w.layout is elsewhere
    w.apply([MoveNode("bell", Pose.at(4, -5))])
    w.offer(compile_layout(w.graph, cell_m=0.5), w.edits)
    w.apply([Recompile()])
    assert w.layout.cell_m == 0.25
    w.apply([MoveNode("bell", Pose.at(4, -6))])
    w.offer(elsewhere, w.edits - 1)
    w.apply([Recompile()])
    assert w.layout.thing_position[w.thing("bell")].tolist() == [4, -6, 0]


def test_a_graph_that_does_not_compile_is_rejected_and_the_world_goes_on() -> None:
    w = world()
    layout = w.layout
    w.apply([RemoveNode("ground")])
    assert "nothing to walk on" in reason(w.apply([Recompile()]))
    assert w.layout is layout
    assert w.stale
    assert only(w.apply([Spawn("a")])).name == "spawned"


def test_recompiling_keeps_the_spacing_that_was_asked_for() -> None:
    w = World(field(), layout=compile_layout(field(), cell_m=0.5))
    w.apply([AddNode({"name": "rug", "kind": "rug"}), Recompile()])
    assert w.layout.cell_m == 0.5


def test_worlds_side_by_side_have_their_own_avatars_and_things() -> None:
    w = world(worlds=2)
    w.apply([Spawn("a", world=1), SetThing("bell", 1, world=1)])
    assert w.state.alive.sum(1).tolist() == [0, 1]
    assert w.state.thing_state[:, w.thing("bell")].tolist() == [0, 1]
    assert w.slots_alive(1).tolist() == [0]
    assert w.key_of(1, 0) == "a"
    assert "no avatar 'a'" in reason(w.apply([Say("a", "hi", world=0)]))
    assert only(w.apply([Say("a", "hi", world=1)])).world == 1


def test_streams_differ_by_name_and_seed_and_repeat() -> None:
    draws = {
        (seed, name): torch.rand(3, generator=stream(seed, name)).tolist() for seed in (1, 2) for name in ("a", "b")
    }
    assert len({tuple(draw) for draw in draws.values()}) == 4
    assert torch.rand(3, generator=stream(1, "a")).tolist() == draws[1, "a"]


def test_the_seed_decides_where_newcomers_appear() -> None:
    first, again, other = (World(field(), seed=seed) for seed in (5, 5, 6))
    for w in (first, again, other):
        w.apply([Spawn(f"npc:{index}") for index in range(4)])
    assert torch.equal(first.state.position, again.state.position)
    assert not torch.equal(first.state.position, other.state.position)


def test_sitting_survives_a_swap_and_standing_up_is_forced_when_the_seat_goes() -> None:
    w = world()
    w.apply([Spawn("a"), Spawn("b")])
    seat = int(w.layout.thing_seat[w.thing("bench"), 1])
    w.state.seat[0, 0], w.state.posture[0, 0] = seat, Posture.SIT
    added = AddNode({"name": "first", "kind": "chair", "position": [0.0, -5.0, 0.0]})
    w.apply([RemoveNode("ball"), added, MoveNode("bench", Pose.at(-4, 1)), Recompile()])
    kept = int(w.state.seat[0, 0])
    assert int(w.layout.seat_thing[kept]) == w.thing("bench")
    assert int(w.layout.thing_seat[w.thing("bench"), 1]) == kept
    assert w.state.posture[0, 0] == Posture.SIT
    w.apply([RemoveNode("bench"), Recompile()])
    assert w.state.seat[0, 0] == -1
    assert w.state.posture[0, 0] == Posture.STAND
