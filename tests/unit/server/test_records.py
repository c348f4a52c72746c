from __future__ import annotations

import zlib

import pytest
import torch
from tests.integration.squares import square

from ecumene_server import records
from ecumene_server.errors import DamagedError
from ecumene_sim.frame import Actions
from ecumene_world.command import Say, SetThing, Spawn
from ecumene_world.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return World(square(), slots=4)


def test_commands_and_decisions_come_back(world: World) -> None:
    commands = [Spawn("npc:1", position=(1.0, 2.0, 0.0)), SetThing("bell-1", 1)]
    raw = torch.arange(-8, 8, dtype=torch.int8).reshape(1, 2, 8)
    record = records.unpacked(records.packed(7, commands, Actions(torch.tensor([3, 1]), raw), world.state))
    assert record.tick == 7
    assert records.commands_of(record) == commands
    actions = records.actions_of(record)
    assert actions.slots.tolist() == [3, 1]
    assert torch.equal(actions.raw, raw)


def test_what_people_say_is_not_in_the_log(world: World) -> None:
    payload = records.packed(1, [Say("visitor:a", "my secret")], Actions.none(), world.state)
    record = records.unpacked(payload)
    assert "secret" not in str(record)
    assert records.commands_of(record) == [Say("visitor:a", "·········")]


def test_the_log_takes_each_tick_once(world: World) -> None:
    log = records.TickLog()
    assert log.record() == b""
    log.write(1, [], Actions.none(), world.state)
    assert log.record() != b""
    assert log.record() == b""


@pytest.mark.parametrize("payload", [b"", b"rubbish", zlib.compress(b"\xc1"), zlib.compress(b"\x90")])
def test_damage_is_noticed(payload: bytes) -> None:
    with pytest.raises(DamagedError, match="a record of the log is damaged"):
        records.unpacked(payload)


def test_commands_of_another_version_are_noticed(world: World) -> None:
    record = records.unpacked(records.packed(1, [SetThing("bell-1", 1)], Actions.none(), world.state))
    record.commands[0]["command"] = "teleport"
    with pytest.raises(DamagedError, match="'teleport' is not a command"):
        records.commands_of(record)
