"""Sensors and listeners at a real broker, which also goes away and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiomqtt import Client, MqttError
from tests.integration.servers import fetch, program, serving
from tests.integration.visitors import Visitor

from ecumene_server import wire
from ecumene_server.app import App

MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
PATIENCE_S = 15.0

T = TypeVar("T")


async def until(probe: Callable[[], T | None]) -> T:
    """Returns the first answer that is something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (answer := probe()):
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)
    return answer


@dataclass
class Mosquitto:
    """A broker that remembers nothing."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/town"

    def start(self) -> None:
        assert MOSQUITTO is not None
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < deadline, (self.folder / "mosquitto.log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        assert os.environ.get("CI") != "true", "mosquitto is not installed"
        pytest.skip("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = Mosquitto(tmp_path, port)
    try:
        started.start()
        yield started
    finally:
        started.kill()


@dataclass
class Ear:
    """Somebody else at the broker, who hears everything."""

    client: Client
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def of(self, topic: str) -> list[Any]:
        return [json.loads(payload) for each, payload in self.heard if each == topic]

    def last(self, topic: str) -> bytes | None:
        return next((payload for each, payload in reversed(self.heard) if each == topic), None)

    async def say(self, topic: str, payload: str | bytes) -> None:
        await self.client.publish(f"town/in/{topic}", payload, qos=1)

    async def listen(self) -> None:
        with contextlib.suppress(MqttError):
            async for message in self.client.messages:
                assert isinstance(message.payload, bytes)
                self.heard.append((message.topic.value, message.payload))


@asynccontextmanager
async def listening(broker: Mosquitto) -> AsyncIterator[Ear]:
    async with Client("127.0.0.1", broker.port) as client:
        await client.subscribe("town/#", qos=1)
        ear = Ear(client)
        task = asyncio.create_task(ear.listen())
        try:
            yield ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def connected(app: App) -> None:
    bridge = app.bridge
    assert bridge is not None
    await until(lambda: bridge.connected)


def state_of(app: App, thing: str) -> int:
    world = app.session.world
    return int(world.state.thing_state[0, world.thing(thing)])


async def test_sensors_are_read_and_things_switched(tmp_path: Path, broker: Mosquitto) -> None:
    async with listening(broker) as ear:
        async with serving(tmp_path, mqtt=broker.url) as app:
            await until(lambda: ear.last("town/out/status") == b"online")
            await until(lambda: ear.last("town/out/bell-3/state") == b'{"value":0}')
            await ear.say("bench/temperature", '{"value": 21.5, "unit": "°C"}')
            await until(lambda: app.session.world.readings.get("bench") == {"temperature": (21.5, "°C")})
            (told,) = await until(lambda: ear.of("town/out/events"))
            assert (told["name"], told["subject"]) == ("reading", "bench")
            assert told["data"] == {"field": "temperature", "value": 21.5, "unit": "°C", "source": "mqtt"}
            await ear.say("bell-3/state", '{"value": "on"}')
            await until(lambda: ear.last("town/out/bell-3/state") == b'{"value":1}')
            assert await app.host.wonder(lambda: [state_of(app, f"bell-{i}") for i in (2, 3)]) == [0, 1]
            metrics = (await asyncio.to_thread(fetch, f"{app.url}/metrics"))[2].decode()
            assert "ecumene_mqtt_connected 1.0" in metrics
            assert "ecumene_mqtt_messages_in_total 2.0" in metrics
            assert "ecumene_mqtt_refused_total 0.0" in metrics
        await until(lambda: ear.last("town/out/status") == b"offline")
        assert ear.last("town/errors") is None


BAD = {
    "bench/temperature": [
        "",
        "21.5",
        "{",
        '{"value": NaN}',
        '{"value": 1e999}',
        '{"value": 1, "x": 2}',
        '{"value": 1%s}' % (" " * 5000),
    ],
    "nowhere/temperature": ['{"value": 1}'],
    "bench/a b": ['{"value": 1}'],
    "bench": ['{"value": 1}'],
    "bench/a/b": ['{"value": 1}'],
    "bell-3/state": ['{"value": 7}'],
    "spawn/state": ['{"value": 1}'],
}


async def test_what_is_wrong_gives_one_error_each_and_nothing_else(tmp_path: Path, broker: Mosquitto) -> None:
    async with serving(tmp_path, mqtt=broker.url) as app, listening(broker) as ear:
        await connected(app)
        wanted = []
        for topic, payloads in BAD.items():
            for payload in payloads:
                await ear.say(topic, payload)
                wanted.append(f"town/in/{topic}")
        await until(lambda: len(ear.of("town/errors")) >= len(wanted))
        await ear.say("sign/last", '{"value": 1}')
        await until(lambda: "sign" in app.session.world.readings)
        errors = ear.of("town/errors")
        assert sorted(each["topic"] for each in errors) == sorted(wanted)
        assert all(set(each) == {"topic", "error"} and len(each["error"]) > 20 for each in errors)
        assert set(app.session.world.readings) == {"sign"}
        assert state_of(app, "bell-3") == 0
        assert app.bridge is not None
        assert app.bridge.counters.refused == len(wanted)
        async with listening(broker) as late:
            await until(lambda: late.last("town/out/status"))
            assert late.last("town/errors") is None


async def ticks_per_second(app: App) -> float:
    before, start = app.host.timings.ticks, time.monotonic()
    await asyncio.sleep(2.0)
    return (app.host.timings.ticks - before) / (time.monotonic() - start)


async def test_the_world_ticks_on_while_the_broker_is_away(tmp_path: Path, broker: Mosquitto) -> None:
    async with serving(tmp_path, mqtt=broker.url) as app:
        async with listening(broker) as ear:
            await connected(app)
            await ear.say("bell-3/state", '{"value": true}')
            await until(lambda: ear.last("town/out/bell-3/state") == b'{"value":1}')
        usual = await ticks_per_second(app)
        broker.kill()
        bridge = app.bridge
        assert bridge is not None
        await until(lambda: not bridge.connected)
        assert await ticks_per_second(app) > usual / 2
        await asyncio.to_thread(broker.start)
        await connected(app)
        async with listening(broker) as ear:
            await until(lambda: ear.last("town/out/bell-3/state") == b'{"value":1}')
            await until(lambda: ear.last("town/out/bell-4/state") == b'{"value":0}')
            assert ear.last("town/out/status") == b"online"
            await ear.say("bench/load", '{"value": 2}')
            await until(lambda: app.session.world.readings.get("bench") == {"load": (2, "")})
        assert bridge.counters.reconnects == 1


async def test_a_server_opens_without_its_broker(tmp_path: Path, broker: Mosquitto) -> None:
    broker.kill()
    async with serving(tmp_path, mqtt=broker.url) as app:
        await until(lambda: app.host.timings.ticks > 20)
        assert app.bridge is not None
        assert not app.bridge.connected
        await asyncio.to_thread(broker.start)
        await connected(app)


async def test_what_visitors_say_never_leaves(tmp_path: Path, broker: Mosquitto) -> None:
    async with serving(tmp_path, mqtt=broker.url) as app, listening(broker) as ear:
        await connected(app)
        async with Visitor(app.url, "Zoe") as zoe:
            await zoe.join()
            assert (await zoe.ask(lambda i: wire.Say(i, "between us"))).ok
        await ear.say("bench/after", '{"value": 1}')
        await until(lambda: any(event["name"] == "reading" for event in ear.of("town/out/events")))
        assert {event["name"] for event in ear.of("town/out/events")} >= {"joined"}
        assert not [payload for _, payload in ear.heard if b"between us" in payload or b"Zoe" in payload]


async def test_the_broker_tells_when_a_server_dies(tmp_path: Path, broker: Mosquitto) -> None:
    async with listening(broker) as ear:
        with program(tmp_path, "--mqtt", broker.url) as server:
            await until(lambda: ear.last("town/out/status") == b"online")
            server.kill()
            await until(lambda: ear.last("town/out/status") == b"offline")
