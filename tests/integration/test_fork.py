"""`ecumene fork` on a real server: the moment is exact, free of its visitors, and a scenario to run and train in."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.integration.servers import Program, program
from tests.integration.visitors import Visitor

from ecumene_scenarios import batched_env, load_scenario, parallel_env
from ecumene_scenarios import run as headless
from ecumene_scenarios.contract import check
from ecumene_scenarios.fork import MEMORY, Moment
from ecumene_scenarios.recording import Recording
from ecumene_scenarios.replay import Replay
from ecumene_server import cli, wire
from ecumene_sim.frame import Actions

NAME = "Wilhelmina"
LINE = "the password is swordfish"


@dataclass(frozen=True)
class Past:
    """What a server left behind: its folder, its visitors' public ids, and the tick of the live fork."""

    folder: Path
    accounts: tuple[str, ...]
    live_tick: int


def fork(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.run(["fork", *arguments, "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


async def visited(served: Program) -> None:
    async with Visitor(served.url, NAME) as willa:
        await willa.join()
        assert (await willa.ask(lambda i: wire.Say(i, LINE))).ok
        assert (await willa.ask(lambda i: wire.Say(i, "follow me, please"))).ok
        await asyncio.sleep(1.5)
        served.terminate()


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    folder = tmp_path_factory.mktemp("past")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with program(folder, "--npcs", "3", "--minds", "scripted", "--keep-chat", "--record", "live.rec") as served:
            asyncio.run(asyncio.wait_for(_first_ticks(served), 30))
            assert cli.run(["fork", "square.json", "--json", "-o", "live.yaml"]) == 0, "a running server's world"
            asyncio.run(visited(served))
    with sqlite3.connect(folder / "worlds" / "square.db") as database:
        accounts = tuple(row[0] for row in database.execute("SELECT id FROM accounts"))
    return Past(folder, accounts, int(load_scenario(folder / "live.yaml").name.rsplit(" ", 1)[1]))


async def _first_ticks(served: Program) -> None:
    """Waits until the log has reached the disk."""
    async with Visitor(served.url, "Max") as max_:
        await max_.join()
        assert (await max_.ask(lambda i: wire.Say(i, "hello"))).ok


@pytest.fixture(autouse=True)
def inside(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(past.folder)


def plain(moment: Path) -> bytes:
    """The bytes of a snapshot with every block unpacked."""
    data = moment.read_bytes()
    length = int.from_bytes(data[38:42], "little")
    header, blocks = data[42 : 42 + length], data[42 + length :]
    text = json.loads(header)
    entries = [text["graph"], *text["state"].values(), *text["generators"].values(), *text["extra"].values()]
    return header + b"".join(zlib.decompress(blocks[e["start"] : e["start"] + e["packed"]]) for e in entries)


def test_the_world_is_brought_back_to_the_very_tick(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    last = fork(capsys, "square.json", "-o", "last.yaml")["tick"]
    assert 0 < past.live_tick < last
    for tick in (7, past.live_tick, last - 1):
        stored = fork(capsys, "square.json", "--at", str(tick), "-o", "stored.yaml")
        recorded = fork(capsys, "live.rec", "--at", str(tick), "-o", "recorded.yaml")
        assert stored["tick"] == recorded["tick"] == tick
        one, other = (Moment(Path(name)).world.state for name in ("stored.moment", "recorded.moment"))
        replay = Replay(Recording.read(Path("live.rec")))
        while replay.engine.tick < tick:
            replay.step()
        npcs = [replay.world.avatars[f"npc:{number}"].slot for number in range(3)]
        for name, column in one.fields().items():
            assert torch.equal(column, getattr(other, name)), name
        assert torch.equal(one.position[0], replay.world.state.position[0, npcs])


def test_nothing_of_the_visitor_is_in_the_fork(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    made = fork(capsys, "square.json", "-o", "private.yaml")
    left = plain(Path("private.moment")) + Path("private.yaml").read_bytes()
    with sqlite3.connect("worlds/square.db") as database:
        (body,) = database.execute("SELECT body FROM snapshots ORDER BY tick DESC").fetchone()
    Path("whole.moment").write_bytes(body)
    for trace in (NAME, "Max", LINE, *past.accounts, "visitor:"):
        assert trace.encode() not in left
    assert made["visitors"] >= 1
    assert NAME.encode() in plain(Path("whole.moment")), "there must be something to leave out"
    world = Moment(Path("private.moment")).world
    assert set(json.loads(world.extra[MEMORY])) <= set(world.avatars)
    assert len(world.avatars) == world.state.slots == 3
    assert (world.state.kind == 200).all()


@pytest.mark.parametrize("kind", [(), ("--living",)])
def test_the_same_seed_gives_the_same_run(kind: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    tick = fork(capsys, "square.json", "-o", "again.yaml", *kind)["tick"]
    runs = [headless.run("again.yaml", seed=seed, ticks=120, minds="scripted") for seed in (4, 4)]
    assert runs[0].digest == runs[1].digest
    assert runs[0].ticks == (tick + 120 if kind else 120)


def test_a_fork_keeps_the_scenario_contract(capsys: pytest.CaptureFixture[str]) -> None:
    fork(capsys, "square.json", "-o", "task.yaml")
    fork(capsys, "square.json", "-o", "life.yaml", "--living")
    check(lambda: load_scenario("task.yaml"))
    check(lambda: load_scenario("life.yaml"))


def test_environments_and_training_take_a_fork(capsys: pytest.CaptureFixture[str]) -> None:
    fork(capsys, "square.json", "-o", "task.yaml")
    env = batched_env("task.yaml", worlds=3)
    first = env.reset(1)
    moment = Moment(Path("task.moment")).world.state
    assert torch.equal(env.session.world.state.position, moment.position.expand(3, -1, -1))
    for _ in range(3):
        step = env.step(Actions.none("cpu", worlds=3))
    assert bool(first.alive.all())
    assert step.reward.shape == (3, 3)
    crowd = parallel_env("task.yaml")
    assert len(crowd.reset(1)[0]) == 3
    assert all(agent in crowd.possible_agents for agent in crowd.agents)
    assert cli.run(["train", "minds", "--tasks", "task.yaml", "--smoke", "--out", "runs", "--json"]) == 0
    assert "task.yaml/reward" in json.loads(capsys.readouterr().out)["numbers"]


def test_minds_are_compared_in_a_fork(capsys: pytest.CaptureFixture[str]) -> None:
    fork(capsys, "square.json", "-o", "task.yaml")
    fork(capsys, "square.json", "-o", "life.yaml", "--living")
    short = ("--seeds", "1", "--worlds", "1", "--jobs", "1", "--json", "--steps")
    assert cli.run(["evaluate", "minds", "--tasks", "task.yaml", *short, "1"]) == 1
    told = capsys.readouterr().err
    assert told == "ecumene: nobody's try counted in 'task.yaml' within 1 steps; more would do\n", "all are settled"
    assert cli.run(["evaluate", "minds", "--tasks", "task.yaml", *short, "80"]) == 0
    said = json.loads(capsys.readouterr().out)
    rows = said["rows"]
    assert {(row["model"], row["task"]) for row in rows} == {("scripted", "task.yaml"), ("minds", "task.yaml")}
    own = {row["metric"]: row["value"] for row in rows if row["model"] == "minds"}
    assert (said["name"], said["model"], said["tasks"]) == ("minds", "minds", {"task.yaml": own})
    assert next(row["value"] for row in rows if row["metric"] == "seconds_to_goal") > 0, "somebody arrived"
    assert cli.run(["evaluate", "minds", "--tasks", "task.yaml", "--crowd", "2", *short, "80"]) == 1
    assert "'task.yaml' has the people of its moment, not 2 times as many" in capsys.readouterr().err
    for command in (["evaluate", "minds", *short, "80"], ["train", "minds", "--smoke", "--out", "none"]):
        assert cli.run([*command, "--tasks", "life.yaml"]) == 2
        assert "'life.yaml' is no task, since nobody is rewarded in it; " in capsys.readouterr().err
    assert not Path("none").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["square.json", "--at", "999999"], 2, "can't be brought back to tick 999999; any tick from 0 to "),
        (["live.rec", "--at", "-1"], 2, "any tick from 0 to "),
        (["plaza", "--seed", "77"], 1, "nothing is stored of the world 'plaza-77': there is no file"),
        (["nowhere"], 2, "the world 'nowhere' is neither a file nor one of"),
        (["square.json", "-o", "fork.json"], 2, "does not end in .yaml"),
        (["square.json", "-o", "square.json/fork.yaml"], 1, "can't be written"),
    ],
)
def test_what_cannot_be_forked_is_told_in_a_sentence(
    arguments: list[str], status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["fork", *arguments]) == status
    told = capsys.readouterr().err
    assert words in told
    assert told.startswith("ecumene: ")
    assert told.count("\n") == 1


def test_a_world_is_known_by_its_stored_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert fork(capsys, "square", "-o", "named.yaml")["npcs"] == 3


def test_a_world_elsewhere_is_known_by_its_stored_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("elsewhere").mkdir()
    with sqlite3.connect("worlds/square.db") as database, sqlite3.connect("elsewhere/kept.db") as copy:
        database.backup(copy)
    url = "sqlite:///elsewhere/kept.db"
    assert fork(capsys, "square", "--db", url, "-o", "elsewhere/one.yaml")["npcs"] == 3
    assert cli.run(["fork", "sqare", "--db", url]) == 1
    assert capsys.readouterr().err == (
        "ecumene: nothing is stored of the world 'sqare' in 'elsewhere/kept.db', which holds square\n"
    )


def test_a_damaged_moment_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    fork(capsys, "square.json", "-o", "bad.yaml")
    data = bytearray(Path("bad.moment").read_bytes())
    data[-1] ^= 1
    Path("bad.moment").write_bytes(data)
    assert cli.run(["run", "bad.yaml"]) == 1
    assert "the snapshot is damaged" in capsys.readouterr().err
    Path("bad.moment").unlink()
    assert cli.run(["run", "bad.yaml"]) == 1
    assert "can't be read" in capsys.readouterr().err
    Path("bad.yaml").write_text("fork: ../bad.moment\n")
    assert cli.run(["run", "bad.yaml"]) == 2
    Path("bad.yaml").write_text("fork: bad.moment\ntask: gotto\n")
    assert cli.run(["run", "bad.yaml"]) == 2
    assert "did you mean 'goto'" in capsys.readouterr().err
