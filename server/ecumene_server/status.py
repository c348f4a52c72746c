"""What a running server tells about itself: `/healthz` and `/metrics`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ecumene_agents.roster import STRIDE
from ecumene_agents.watchdog import Watchdog
from ecumene_server.metrics import Reading, Spread

if TYPE_CHECKING:
    from ecumene_server.app import App
    from ecumene_server.lateness import Lateness
    from ecumene_server.mqtt import Bridge


TOLD: Final = 5
"""Most stuck NPCs that are told one by one."""


def health(app: App) -> dict[str, Any]:
    """Returns what `/healthz` tells."""
    timings = app.host.timings
    return {
        "status": "ok" if app.problem is None else "degraded",
        "problem": app.problem,
        "world": app.name,
        "title": app.hub.title,
        "epoch": app.epoch,
        "tick": app.hub.tick_now,
        "tick_hz": round(timings.hz(), 2),
        "tick_p50_ms": round(timings.percentile_ms(0.5), 2),
        "tick_p99_ms": round(timings.percentile_ms(0.99), 2),
        "ticks_skipped": app.host.pace.skipped,
        "npcs": app.hub.npcs,
        "decisions": None if app.minds is None else _decisions(app, app.minds.lateness),
        "stuck": None if app.thinker is None else _stuck(app.thinker.watchdog),
        "clients": app.hub.clients,
        "snapshot_tick": app.snapshot_tick,
    }


def _decisions(app: App, late: Lateness) -> dict[str, float]:
    """Returns how often each NPC decides, batches by punctuality, and how old they were when applied, ticks."""
    return {
        "each_hz": round(_each_hz(app, late), 2),
        "awake_hz": round(_awake_hz(app, late), 2),
        "on_time": late.on_time,
        "late": late.late,
        "put_off": late.dropped,
        "age_p50_ticks": late.oldest(0.5),
        "age_p99_ticks": late.oldest(0.99),
    }


def _each_hz(app: App, late: Lateness) -> float:
    """Returns how many times a second each NPC has decided lately."""
    return late.per_tick() * app.host.timings.hz() / max(1, app.hub.npcs)


def _awake_hz(app: App, late: Lateness) -> float:
    """Returns how many times a second each NPC that does not rest has decided lately."""
    return late.served() * app.host.timings.hz() / STRIDE


def _stuck(dog: Watchdog) -> dict[str, Any]:
    """Returns how many NPCs get nowhere, by cause, and a sentence about those that have been stuck longest."""
    now = list(dog.stuck.values())
    causes = {cause: count for cause, count in dog.causes().items() if count}
    return {"npcs": len(now), "causes": causes, "longest": [f"{each.title}: {each}" for each in now[:TOLD]]}


def readings(app: App) -> Iterable[Reading | Spread]:
    """Returns what `/metrics` tells."""
    yield from _ticks(app)
    yield from _clients(app)
    yield from _log(app)
    if app.bridge is not None:
        yield from _bridge(app.bridge)
    if app.minds is not None:
        late = app.minds.lateness
        for word, count in (("on_time", late.on_time), ("late", late.late), ("dropped", late.dropped)):
            labels = (("when", word),)
            yield Reading("decisions", "Batches of decisions by punctuality.", count, counts=True, labels=labels)
        yield Reading("npc_decisions", "Decisions of NPCs applied.", late.decided, counts=True)
        yield Reading("npc_turns", "Decisions that NPCs were due.", late.turns, counts=True)
        yield Reading("npc_decision_rate_hz", "Decisions a second of each NPC, lately.", _each_hz(app, late))
        yield Reading("npc_awake_rate_hz", "Decisions a second of each that does not rest.", _awake_hz(app, late))
        ages = "Ticks from the senses of a batch of decisions to the tick it was applied in."
        yield Spread("decision_age_ticks", ages, late.buckets(), late.ticks())
    if app.thinker is not None:
        yield from _watched(app.thinker.watchdog)


def _watched(dog: Watchdog) -> Iterable[Reading]:
    for cause, count in dog.causes().items():
        yield Reading("npcs_stuck", "NPCs that get nowhere, by cause.", count, labels=(("cause", cause),))
    for cause, count in dog.begun.copy().items():
        labels = (("cause", cause.value),)
        yield Reading("stuck", "NPCs that got stuck, by the cause seen first.", count, counts=True, labels=labels)


def _ticks(app: App) -> Iterable[Reading]:
    timings = app.host.timings
    yield Reading("tick", "Current tick.", app.hub.tick_now)
    yield Reading("tick_rate_hz", "Ticks a second, lately.", timings.hz())
    for share in (0.5, 0.9, 0.99):
        labels = (("quantile", f"{share:g}"),)
        yield Reading("tick_ms", "Duration of a tick, ms.", timings.percentile_ms(share), labels=labels)
    for share in (0.5, 0.99):
        for phase, ms in timings.phases_ms(share).items():
            of = (("phase", phase), ("quantile", f"{share:g}"))
            yield Reading("tick_phase_ms", "Duration of a phase of the tick, ms.", ms, labels=of)
    yield Reading("ticks", "Ticks stepped.", timings.ticks, counts=True)
    yield Reading("ticks_skipped", "Deadlines given up under load.", app.host.pace.skipped, counts=True)
    yield Reading("commands_dropped", "Commands left out under load.", app.host.inbox.dropped, counts=True)
    yield Reading("npcs", "NPCs alive.", app.hub.npcs)


def _clients(app: App) -> Iterable[Reading]:
    counters = app.hub.counters
    yield Reading("clients", "Visitors connected.", app.hub.clients)
    yield Reading("messages_in", "Messages from clients.", counters.messages_in, counts=True)
    yield Reading("bytes_in", "Bytes of messages from clients.", counters.bytes_in, counts=True)
    yield Reading("hot_frames_out", "Position messages sent.", counters.hot_out, counts=True)
    yield Reading("hot_bytes_out", "Bytes of position messages sent.", counters.hot_bytes_out, counts=True)
    yield Reading("hot_frames_skipped", "Position messages that slow clients missed.", counters.skipped, counts=True)
    yield Reading("clients_refused", "Connections closed for breaking a rule.", counters.refused, counts=True)
    yield Reading("joins", "Visitors welcomed.", counters.joins, counts=True)
    yield Reading("resumes", "Welcomes that took up an earlier stream.", counters.resumes, counts=True)


def _log(app: App) -> Iterable[Reading]:
    counters = app.journal.counters
    yield Reading("log_records", "Log records written.", counters.records, counts=True)
    yield Reading("log_bytes", "Bytes of log records written.", counters.bytes, counts=True)
    yield Reading("log_commits", "Commits they took.", counters.commits, counts=True)
    yield Reading("log_failures", "Commits that failed.", counters.failures, counts=True)
    yield Reading(
        "log_dropped", "Log records given up; a snapshot holds what they told.", counters.dropped, counts=True
    )
    yield Reading("snapshot_tick", "Last tick in the last snapshot.", app.snapshot_tick)
    yield Reading("snapshot_seconds", "Time the last snapshot took to write, s.", app.snapshot_s)


def _bridge(bridge: Bridge) -> Iterable[Reading]:
    counters = bridge.counters
    yield Reading("mqtt_connected", "Whether the MQTT broker is connected, 0 or 1.", float(bridge.connected))
    yield Reading("mqtt_messages_in", "Messages from the MQTT broker.", counters.messages_in, counts=True)
    yield Reading("mqtt_messages_out", "Messages to the MQTT broker.", counters.messages_out, counts=True)
    yield Reading("mqtt_refused", "Messages from MQTT that were refused.", counters.refused, counts=True)
    yield Reading("mqtt_superseded", "MQTT messages that a newer one overtook.", counters.superseded, counts=True)
    yield Reading("mqtt_dropped", "MQTT messages left out because too many waited.", counters.dropped, counts=True)
    yield Reading("mqtt_reconnects", "Later connections to the MQTT broker.", counters.reconnects, counts=True)
