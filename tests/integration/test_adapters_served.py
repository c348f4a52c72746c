"""A real server whose NPCs wear adapters, exchanged while it serves."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from tests.integration.servers import Program, fetch, program
from tests.integration.visitors import Visitor
from torch.nn import functional

from ecumene_agents.batch import batch_of
from ecumene_models import load_policy
from ecumene_models.actions import split_choices
from ecumene_models.adapters import blank, save_adapter, trainable
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.packs.living import ROLES
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.session import Session
from ecumene_world.state import Emote


def put(path: Path, seed: int, base: str | None = None) -> None:
    """Writes an adapter that changes a little."""
    draw = torch.Generator().manual_seed(seed)
    made = blank(load_policy(WEIGHTS), draw)
    parts = {n: (d, torch.randn(u.shape, generator=draw) * 0.02) for n, (d, u) in made.parts.items()}
    save_adapter(replace(made, parts=parts, base=base or made.base), path)


def told(served: Program, words: str) -> str:
    """Waits for a line of output."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = next((line for line in list(served.lines) if words in line), None)
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{words!r} was not told:\n" + "".join(served.lines))


def tick_of(served: Program) -> int:
    return int(fetch(f"{served.url}/healthz")[2].split(b'"tick":')[1].split(b",")[0])


def test_adapters_are_exchanged_while_the_server_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "adapters"
    folder.mkdir()
    put(folder / "resident.safetensors", 1)
    with program(tmp_path, "--npcs", "4", "--minds", "fusion", "--adapters", str(folder)) as served:
        put(folder / "gardener.safetensors", 2)
        before = tick_of(served)
        served.process.send_signal(signal.SIGHUP)
        assert told(served, "NPCs wear") == "NPCs wear gardener, resident now.\n"
        put(folder / "cook.safetensors", 3, base="0" * 64)
        served.process.send_signal(signal.SIGHUP)
        assert "was made for the policy 000000000000…" in told(served, "The adapters stay as they are")
        time.sleep(1.0)
        assert tick_of(served) > before + 5
        assert served.terminate() == 0


def test_a_server_with_adapters_of_other_minds_does_not_open(tmp_path: Path) -> None:
    folder = tmp_path / "adapters"
    folder.mkdir()
    put(folder / "cook.safetensors", 3, base="0" * 64)
    served = program(tmp_path, "--npcs", "1", "--minds", "fusion", "--adapters", str(folder))
    told = r"ecumene: the adapter was made for the policy 0{12}…; for this one, \w{12}…, it has to be trained anew\n"
    with pytest.raises(AssertionError, match=told), served:
        pass


def gesturing(path: Path, emote: Emote) -> None:
    """Writes an adapter whose wearers always make a gesture that no mind makes by itself."""
    session = Session(load_scenario("plaza"), seed=0)
    senses = batch_of(session.engine.sense(session.world.slots_alive(0)))
    policy = trainable(load_policy(WEIGHTS), torch.Generator().manual_seed(0))
    learning = [parameter for parameter in policy.parameters() if parameter.requires_grad]
    optimiser, wanted = torch.optim.Adam(learning, lr=0.02), torch.full((len(senses),), int(emote))
    for _ in range(60):
        logits = split_choices(policy(senses).vector)["emote"]
        optimiser.zero_grad()
        functional.cross_entropy(logits, wanted).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert policy.bank is not None
    save_adapter(policy.bank.adapter(1, policy.fingerprint), path)


def made(visitor: Visitor, entity: int, since: int = 0) -> list[int]:
    """Returns the gestures that somebody was seen to make in frames from number `since` on."""
    parts = [frame.entities for frame in visitor.frames[since:]]
    return [int(emote) for part in parts for emote in part.emote[part.id == entity]]


def skipped(served: Program) -> int:
    return int(json.loads(fetch(f"{served.url}/healthz")[2])["ticks_skipped"])


@pytest.mark.timeout(240)
async def test_roles_behave_as_their_adapters_and_change_with_them(tmp_path: Path) -> None:
    """A visitor sees two roles make other gestures, and change them when the adapters do, without a tick missed."""
    folder = tmp_path / "adapters"
    folder.mkdir()
    files = {emote: tmp_path / f"{emote.name}.safetensors" for emote in (Emote.DANCE, Emote.POINT)}
    for emote, file in files.items():
        gesturing(file, emote)
    missed = []
    with program(tmp_path, "--npcs", "3", "--minds", "fusion", "--adapters", str(folder)) as served:
        async with Visitor(served.url) as visitor:
            npcs = [each for each in (await visitor.join()).people if each.key.startswith("npc:")]
            role = {each.id: ROLES[int(each.key.removeprefix("npc:")) % len(ROLES)] for each in npcs}
            one, other, bare = role
            for plan in ((Emote.DANCE, Emote.POINT), (Emote.POINT, Emote.DANCE)):
                for who, emote in zip((one, other), plan, strict=True):
                    (folder / f"{role[who]}.safetensors").write_bytes(files[emote].read_bytes())
                before = skipped(served)
                served.process.send_signal(signal.SIGHUP)
                await visitor.until(partial(_seen, visitor, (one, other), plan), 30)
                missed.append(skipped(served) - before)
            odd, unmoved = {int(emote) for emote in files}, set(made(visitor, bare))
            assert odd <= set(made(visitor, one))
            assert unmoved
            assert not odd & unmoved, "its role wears nothing"
        assert min(missed) == 0, "an exchange makes no tick late"
        assert served.terminate() == 0


def _seen(visitor: Visitor, people: tuple[int, int], plan: tuple[Emote, Emote]) -> bool | None:
    """Returns True when each makes its gesture now, as far as the visitor sees."""
    recent = len(visitor.frames) - 20
    now = [made(visitor, who, max(0, recent))[-1:] for who in people]
    return True if now == [[int(emote)] for emote in plan] else None
