"""A running server tells who is stuck and how late minds are: in health, metrics, inspector and `ecumene doctor`."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from tests.integration.servers import fetch, serving
from tests.integration.visitors import Visitor

from ecumene_agents.fast import FastMind
from ecumene_server import wire
from ecumene_server.cli import run
from ecumene_sim.frame import Actions, Senses
from ecumene_world.command import SetIntent
from ecumene_world.state import Verb


async def test_a_stuck_npc_and_late_minds_are_told_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    decide = FastMind.decide

    def slowly(self: FastMind, senses: Senses) -> Actions:
        time.sleep(0.2)
        return decide(self, senses)

    monkeypatch.setattr(FastMind, "decide", slowly)
    async with serving(tmp_path, npcs=2, minds="scripted") as app, Visitor(app.url) as zoe:
        await zoe.join()
        assert app.thinker is not None
        monkeypatch.setattr(app.thinker, "think", lambda tick: [])  # nobody changes their mind meanwhile
        for anchor in app.thinker.watchdog._anchors:
            anchor._patience = 40
        who = app.session.world.avatars["npc:0"]

        def pin() -> None:
            state = app.session.world.state
            state.max_speed[0, who.slot] = 0.0

        await app.host.wonder(pin)
        app.host.submit(SetIntent("npc:0", Verb.GO, point=(60.0, 0.0, 0.0)))
        health = {}
        for _ in range(150):
            await asyncio.sleep(0.2)
            _, _, body = await asyncio.to_thread(fetch, app.url + "/healthz")
            health = json.loads(body)
            if health["stuck"]["npcs"] and health["decisions"]["late"]:
                break
        assert health["stuck"]["causes"] == {"unmoved": 1}
        assert health["stuck"]["longest"][0].startswith(f"{who.title}: no nearer to its goal for ")
        assert health["decisions"]["age_p99_ticks"] >= 2
        assert 0.5 < health["decisions"]["each_hz"] < 4.0, "two NPCs take turns with minds that need 0.2 s"
        assert app.host.timings.percentile_ms(0.5) < 180, "the tick waits for slow minds"
        _, _, body = await asyncio.to_thread(fetch, app.url + "/metrics")
        values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
        assert float(values['ecumene_npcs_stuck{cause="unmoved"}']) == 1
        assert float(values['ecumene_npcs_stuck{cause="wall"}']) == 0
        assert float(values['ecumene_stuck_total{cause="unmoved"}']) == 1
        assert float(values['ecumene_decision_age_ticks_bucket{le="+Inf"}']) >= health["decisions"]["late"]
        assert float(values["ecumene_npc_decisions_total"]) >= 2
        assert 0.5 < float(values["ecumene_npc_decision_rate_hz"]) < 4.0
        await zoe.send(wire.Inspect(7, entity=who.entity & 0xFFFFFFFF))
        seen = await zoe.first(wire.Inspected)
        assert "its mind does not make it walk" in seen.facts["Stuck"]
        assert seen.facts["Decided on senses of"].endswith(" ms ago")
        assert await asyncio.to_thread(run, ["doctor", app.url]) in {0, 1}
        told = capsys.readouterr().out
        assert "stuck NPCs: 1 of 2 NPCs get nowhere" in told
        assert "batches late" in told
        assert " a second of each NPC, " in told


def test_a_server_that_is_not_there_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "http://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err.startswith("ecumene: http://127.0.0.1:9/healthz does not answer")
