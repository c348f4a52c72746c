"""Commands survive records, junk never becomes one, and applying them never raises."""

import json
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.world.scenes import world

from ecumene_world import CommandError, Pose
from ecumene_world.branch import Branch, packed
from ecumene_world.command import (
    COMMANDS,
    AddBranch,
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
    from_record,
    to_record,
)
from ecumene_world.graph import RELATIONS, Node
from ecumene_world.kinds import Category
from ecumene_world.state import Emote, Verb

keys = st.sampled_from(["npc:1", "npc:2", "visitor:ada", "né ✓"])
nodes = st.sampled_from(["bench", "bell", "ball", "market", "shed", "ground", "world", "nothing"])
reals = st.floats(-1e4, 1e4)
points = st.tuples(reals, reals, reals)
unit = st.floats(-1, 1)
texts = st.text("ab é✓😀", max_size=20)
indices = st.integers(-1, 2)

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        Spawn,
        keys,
        st.sampled_from(["npc", "visitor"]),
        st.none() | points,
        st.none() | reals,
        texts,
        st.integers(0, 2**40),
        texts,
        st.floats(0.1, 9),
        world=indices,
    ),
    st.builds(Despawn, keys, world=indices),
    st.builds(Steer, keys, st.tuples(unit, unit), st.floats(-9, 9), st.tuples(unit, unit), st.booleans()),
    st.builds(Interact, keys, st.none() | nodes),
    st.builds(Gesture, keys, st.sampled_from(Emote)),
    st.builds(Say, keys, texts.map(lambda text: text + "!"), st.booleans()),
    st.builds(SetIntent, keys, st.sampled_from(Verb), st.none() | nodes),
    st.builds(SetIntent, keys, st.sampled_from(Verb), target=keys),
    st.builds(SetIntent, keys, st.sampled_from(Verb), point=points),
    st.builds(SetIntent, keys, st.just(Verb.FIND), point=points, sought=st.sampled_from(list(Category)[1:])),
    st.builds(SetThing, nodes, st.integers(0, 255), world=indices),
    st.builds(
        Reading,
        nodes,
        texts.map(lambda text: text + "f"),
        reals | st.integers(-9, 9) | st.booleans() | texts,
        texts,
        texts,
    ),
    st.builds(AddNode, st.fixed_dictionaries({"name": nodes, "kind": st.sampled_from(["rug", "cup", "bench"])}), nodes),
    nodes.map(lambda name: AddBranch(name, packed(Branch(((Node(name, "rug"), ""), (Node("cup", "cup"), name)), ())))),
    st.builds(RemoveNode, nodes),
    st.builds(MoveNode, nodes, st.builds(Pose.at, reals, reals, reals, st.floats(-3, 3))),
    st.builds(Relate, nodes, st.sampled_from(RELATIONS), nodes),
    st.builds(Recompile, world=indices),
)


@given(commands)
@settings(max_examples=300)
def test_a_record_restores_the_command_through_json(command: Command) -> None:
    assert from_record(json.loads(json.dumps(to_record(command)))) == command


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["bench", "npc:1", 10**400]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=400)
def test_a_spoilt_record_is_refused_or_still_a_command(data: st.DataObject) -> None:
    record: dict[str, Any] = dict(to_record(data.draw(commands)))
    name = data.draw(st.sampled_from([*record, "surprise"]))
    record[name] = data.draw(junk)
    try:
        command = from_record(record)
    except CommandError:
        return
    assert from_record(json.loads(json.dumps(to_record(command)))) == command


@given(junk)
def test_junk_is_no_command(record: Any) -> None:
    try:
        from_record(record)
    except CommandError:
        return
    raise AssertionError("junk became a command")


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """Returns an instance of a command class with any values in its fields, or no command at all."""
    cls = COMMANDS[draw(st.sampled_from(sorted(COMMANDS)))]
    names = [
        name for name in cls.__dataclass_fields__ if name in draw(st.sets(st.sampled_from([*cls.__dataclass_fields__])))
    ]
    required = [name for name, f in cls.__dataclass_fields__.items() if f.default is f.default_factory]
    try:
        values: dict[str, Any] = {name: draw(junk) for name in sorted({*names, *required})}
        return cls(**values)
    except TypeError:
        return draw(junk)


@given(st.lists(commands | broken(), max_size=15))
@settings(max_examples=40, deadline=None)
def test_applying_anything_never_raises_and_leaves_a_sound_world(sequence: list[Any]) -> None:
    w = world(worlds=2, slots=2)
    shapes = {name: tensor.shape for name, tensor in w.state.fields().items() if not name.startswith("thing_")}
    events = w.apply(sequence)
    assert all(event.data["reason"] for event in events if event.name == "rejected")
    assert {name: tensor.shape for name, tensor in w.state.fields().items() if name in shapes} == shapes
    assert all(torch.isfinite(tensor).all() for tensor in w.state.fields().values())
    assert int(w.state.alive.sum()) == len(w.avatars)
    for who in w.avatars.values():
        assert w.state.alive[who.world, who.slot]
        assert w.state.serial[who.world, who.slot] == who.serial
        assert w.key_of(who.world, who.slot) == who.key
    w.graph.validate()
