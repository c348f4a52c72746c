from typing import Any

import pytest
from tests.unit.world.scenes import world

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
    Role,
    Say,
    SetIntent,
    SetThing,
    Spawn,
    Steer,
    check,
    from_record,
    permitted,
    to_record,
)
from ecumene_world.errors import CommandError
from ecumene_world.graph import Node
from ecumene_world.kinds import Category
from ecumene_world.pose import Pose
from ecumene_world.state import Emote, Verb

EXAMPLES: list[Command] = [
    Spawn("npc:1", "npc", (1.0, 2.0, 0.0), 0.5, "Ada", 3, "baker", 1.2),
    Despawn("npc:1"),
    Steer("visitor:a", (1.0, -0.5), 3.0, (0.1, 0.2), run=True),
    Interact("visitor:a", "bench"),
    Interact("visitor:a"),
    Gesture("visitor:a", Emote.WAVE),
    Say("visitor:a", "Good morning"),
    SetIntent("npc:1", Verb.GO, place="market"),
    SetIntent("npc:1", Verb.FIND, point=(1.0, 2.0, 0.0), sought=Category.SEAT),
    Say("visitor:a", "Over here!", calls=True),
    SetThing("bell", 1),
    Reading("bench", "temperature", 21.5, "°C", "mqtt:bench"),
    Reading("bench", "taken", value=True),
    AddNode({"name": "cup", "kind": "cup", "position": [1.0, 2.0, 3.0]}, "bench"),
    AddBranch("cafe", packed(Branch(((Node("cafe", "place"), ""), (Node("stool", "stool"), "cafe")), ())), "market"),
    RemoveNode("bench"),
    MoveNode("bench", Pose.at(1, 2, yaw=0.5)),
    Relate("ball", "next_to", "bench"),
    Recompile(world=1),
]


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: command.name)
def test_a_record_restores_the_command(command: Command) -> None:
    record = to_record(command)
    assert record["command"] == command.name
    assert from_record(record) == command


def test_every_command_has_an_example_and_its_own_name() -> None:
    assert {type(command) for command in EXAMPLES} == set(COMMANDS.values())
    assert all(COMMANDS[name].name == name for name in COMMANDS)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (None, "a command must be an object"),
        ([], "a command must be an object"),
        ({}, "None is not a command; known are spawn"),
        ({"command": "fly"}, "'fly' is not a command"),
        ({"command": ["say"]}, "is not a command"),
        ({"command": "say", "key": "a"}, "command 'say' lacks the field 'text'"),
        ({"command": "say", "key": "a", "text": ""}, "nothing to say"),
        ({"command": "say", "key": "a", "text": "x" * 501}, "501 characters is too long to say"),
        ({"command": "say", "key": "a", "text": "x", "loud": True}, "unknown field 'loud'"),
        ({"command": "steer", "key": "a", "move": [2, 0], "yaw": 0}, r"must lie in -1\.\.1"),
        ({"command": "steer", "key": "a", "move": [0, 0], "yaw": 1e9}, "fifty turns"),
        ({"command": "steer", "key": "a", "move": [0, 0], "yaw": float("nan")}, "finite"),
        ({"command": "steer", "key": "a", "move": [0, 0], "yaw": 0, "gaze": [4, 0]}, "gaze"),
        ({"command": "spawn", "key": ""}, "avatar key ''"),
        ({"command": "spawn", "key": "a\nb"}, "printable"),
        ({"command": "spawn", "key": "a", "kind": "dragon"}, "one of 'npc', 'visitor'"),
        ({"command": "spawn", "key": "a", "max_speed": 0}, "walking speed"),
        ({"command": "spawn", "key": "a", "position": [1e7, 0, 0]}, "100 km"),
        ({"command": "gesture", "key": "a", "emote": 9}, "3 cheer"),
        ({"command": "intent", "key": "a", "verb": 1, "place": "x", "target": "y"}, "not several"),
        ({"command": "thing", "thing": "bell", "state": -1}, r"0\.\.255"),
        ({"command": "reading", "node": "a", "field": "", "value": 1}, "needs the name"),
        ({"command": "reading", "node": "a", "field": "f", "value": float("nan")}, "finite|text"),
        ({"command": "add_node", "node": {"name": "a", "kind": "dragon"}}, "not a kind"),
        ({"command": "add_node", "node": {"name": "a"}}, "the kind of node 'a' must be text"),
        ({"command": "add_node", "node": {"name": "a", "kind": "cup", "parent": "b"}}, "stands beside it"),
        ({"command": "add_branch", "node": "a", "branch": "é"}, "letters, digits and signs"),
        ({"command": "add_branch", "node": "a", "branch": "a"}, "damaged"),
        ({"command": "move_node", "node": "a", "pose": {"scale": 0}}, "scale 0.0"),
        ({"command": "relate", "a": "x", "relation": "eats", "b": "y"}, "'eats' is not a relation"),
    ],
)
def test_a_malformed_record_is_refused(record: Any, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        from_record(record)


def test_visitors_may_move_their_own_avatar_only() -> None:
    steer = Steer("visitor:a", (0.0, 0.0), 0.0)
    assert permitted(steer, Role.VISITOR, {"visitor:a"})
    assert not permitted(steer, Role.VISITOR, {"visitor:b"})
    assert not permitted(steer, Role.BUILDER)
    assert permitted(steer, Role.ADMIN)


def test_building_needs_a_builder_and_coming_and_going_the_system() -> None:
    for command in EXAMPLES:
        least = {
            "add_node": 1,
            "remove_node": 1,
            "move_node": 1,
            "relate": 1,
            "thing": 1,
            "intent": 1,
            "reading": 2,
            "add_branch": 2,
        }
        least |= {"spawn": 3, "despawn": 3, "recompile": 3}
        allowed = [role for role in Role if permitted(command, role, {"visitor:a"})]
        assert min(allowed) == least.get(command.name, 0), command.name


def test_what_changes_the_world_for_good_is_durable() -> None:
    lasting = {name for name, command in COMMANDS.items() if command.durable}
    assert lasting == {
        "spawn",
        "despawn",
        "say",
        "thing",
        "add_node",
        "add_branch",
        "remove_node",
        "move_node",
        "relate",
        "recompile",
    }


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (Say("nobody", "hi"), "no avatar 'nobody' is in this world"),
        (Say("nobody", 3), "'text' of command 'say' must be text"),  # type: ignore[arg-type]
        (SetIntent("a", Verb.FIND, sought=Category.SKY), "other than sky"),
        (SetIntent("a", Verb.FIND, place="market", sought=Category.SEAT), "names no place"),
        (Recompile(world=4), "world 4 does not exist; there are 1"),
        (Recompile(world=-1), "world -1 does not exist"),
        (Recompile(world="0"), "whole number"),  # type: ignore[arg-type]
        (Command(), "is not a command"),
        ("say", "'say' is not a command"),
        (None, "None is not a command"),
    ],
)
def test_an_impossible_command_is_refused(command: Any, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        check(command, world())
