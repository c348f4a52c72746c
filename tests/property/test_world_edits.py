"""After any edits, compiling again is compiling from scratch, and what had a name keeps its state."""

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.world.scenes import world, yard

from ecumene_world import Pose, SceneGraph, World, compile_layout
from ecumene_world.command import AddNode, Command, MoveNode, Recompile, Relate, RemoveNode, Spawn
from ecumene_world.kinds import BY_CODE

NAMES = ["bench", "bell", "ball", "market", "shed", "x0", "x1", "x2", "x3"]
KINDS = ["bench", "chair", "ball", "rock", "place", "door", "rug", "broadleaf_tree"]
spot = st.floats(-8, 8).map(lambda value: round(value, 2))
names = st.sampled_from(NAMES)


@st.composite
def edits(draw: st.DrawFn) -> Command:
    choice = draw(st.integers(0, 9))
    name = draw(names)
    if choice < 4:
        node: dict[str, Any] = {
            "name": name,
            "kind": draw(st.sampled_from(KINDS)),
            "position": [draw(spot), draw(spot), 0.0],
        }
        return AddNode(node, draw(st.sampled_from(["world", *NAMES])))
    if choice < 7:
        return MoveNode(name, Pose.at(draw(spot), draw(spot), yaw=draw(st.floats(-3, 3))))
    if choice < 9:
        return RemoveNode(name)
    return Relate(name, "next_to", draw(names))


def kind_in(w: World, name: str) -> str:
    """Returns the kind that the layout, which may be older than the graph, has for a thing."""
    return BY_CODE[int(w.layout.thing_kind[w.layout.thing_index[name]])].name


@given(st.lists(edits() | st.just(Recompile()), max_size=12))
@settings(max_examples=20, deadline=None)
def test_recompiling_equals_compiling_from_scratch_and_keeps_state_by_name(commands: list[Command]) -> None:
    w = world(slots=4)
    w.apply([Spawn("a"), Spawn("b")])
    kinds = {name: w.graph.node(name).kind for name in w.layout.thing_index}
    marks = {name: 100 + index for index, name in enumerate(w.layout.thing_index)}
    for name, index in w.layout.thing_index.items():
        w.state.thing_state[0, index] = marks[name]
    alive_since_start = set(marks)
    avatars = {
        name: tensor.clone()
        for name, tensor in w.state.fields().items()
        if name in ("position", "serial", "yaw", "alive")
    }
    for command in commands:
        w.apply([command])
        alive_since_start &= {name for name in w.layout.thing_index if kind_in(w, name) == kinds.get(name)}
    events = w.apply([Recompile()])
    assert [event.name for event in events] == ["edited"]

    scratch = compile_layout(SceneGraph.from_json(w.graph.to_json()))
    assert w.layout.hash == scratch.hash
    assert w.layout.names == scratch.names
    for name, tensor in scratch.tensors().items():
        assert torch.equal(getattr(w.layout, name), tensor), name

    for name, index in w.layout.thing_index.items():
        if name in alive_since_start and kind_in(w, name) == kinds[name]:
            assert int(w.state.thing_state[0, index]) == marks[name]
    for name, tensor in avatars.items():
        assert torch.equal(getattr(w.state, name), tensor), name
    assert w.state.thing_position.shape[1] == len(w.layout.thing_row)


@given(st.permutations(["bench", "bell", "ball"]), st.integers(0, 2))
@settings(max_examples=5, deadline=None)
def test_states_are_kept_exactly_when_only_others_change(order: list[str], keep: int) -> None:
    w = world()
    kept = order[keep]
    w.state.thing_state[0, w.thing(kept)] = 42
    for name in order:
        if name != kept:
            w.apply([RemoveNode(name), Recompile()])
    assert list(w.layout.thing_index) == [kept]
    assert int(w.state.thing_state[0, 0]) == 42


def test_the_yard_has_what_the_edits_are_about() -> None:
    assert {"bench", "bell", "ball", "market", "shed"} <= {node.name for node in yard().walk()}
