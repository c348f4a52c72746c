"""Sensors and listeners at a real broker, which also goes away and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiomqtt import Client, MqttError
from tests.integration.servers import fetch, program, serving
from tests.integration.visitors import Visitor
from tests.lacking import lacking

from ecumene_server import wire
from ecumene_server.app import App
from ecumene_server.mqtt import BATCH
from ecumene_server.news import Ticket
from ecumene_world.command import Command, Reading

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
    """A broker that remembers nothing.

    Attributes:
        folder: For its files.
        port: On 127.0.0.1.
        rules: Lines of its configuration: who may come in, and how.
    """

    folder: Path
    port: int
    rules: str = "allow_anonymous true"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/town"

    def start(self) -> None:
        assert MOSQUITTO is not None
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\npersistence false\n{self.rules}\n")
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
    with brokered(tmp_path) as started:
        yield started


@contextmanager
def brokered(folder: Path, *rules: str) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        lacking("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = Mosquitto(folder, port, "\n".join(rules or ("allow_anonymous true",)))
    try:
        started.start()
        yield started
    finally:
        started.kill()


def run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=60)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker with a certificate of our own making that lets in nobody but zoe."""
    if shutil.which("openssl") is None or shutil.which("mosquitto_passwd") is None:
        lacking("openssl or mosquitto_passwd is not installed")
    files = tmp_path / "broker"
    files.mkdir()
    key, certificate, passwords = files / "key.pem", tmp_path / "ca.pem", files / "passwords"
    made = ("-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2")
    run("openssl", "req", "-x509", *made, "-subj", "/CN=Test broker", "-addext", "subjectAltName=IP:127.0.0.1")
    passwords.touch()
    run("mosquitto_passwd", "-b", passwords, "zoe", "p@ss:word/1")
    rules = [f"certfile {certificate}", f"keyfile {key}", "allow_anonymous false", f"password_file {passwords}"]
    if os.getuid() == 0:
        rules.append("user root")  # it would give up root's rights before it reads root's files
    with brokered(tmp_path, *rules) as started:
        yield started


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


SECRET = "p%40ss%3Aword%2F1"
"""The password as it stands in a URL."""


def address(guarded: Mosquitto, secret: str = SECRET) -> str:
    return f"mqtts://zoe:{secret}@127.0.0.1:{guarded.port}/town"


async def test_a_broker_with_tls_and_a_password_is_served(tmp_path: Path, guarded: Mosquitto) -> None:
    authority = str(tmp_path / "ca.pem")
    async with serving(tmp_path, mqtt=address(guarded), mqtt_ca=authority) as app:
        await connected(app)
        trusted = ssl.create_default_context(cafile=authority)
        ours = {"username": "zoe", "password": "p@ss:word/1", "tls_context": trusted}
        async with Client("127.0.0.1", guarded.port, **ours) as client:  # type: ignore[arg-type]
            await client.publish("town/in/bench/temperature", '{"value": 21.5}', qos=1)
            await until(lambda: app.session.world.readings.get("bench") == {"temperature": (21.5, "")})


@pytest.mark.parametrize(("secret", "trusted"), [("wrong", True), (SECRET, False)], ids=["password", "certificate"])
async def test_a_broker_that_does_not_know_us_or_that_we_do_not_know_gets_nothing(
    tmp_path: Path, guarded: Mosquitto, secret: str, trusted: bool
) -> None:
    authority = ["--mqtt-ca", str(tmp_path / "ca.pem")] if trusted else []
    with program(tmp_path, "--mqtt", address(guarded, secret), *authority) as server:

        def said() -> str | None:
            return next(
                (line for line in server.lines if "no connection to the MQTT broker at 127.0.0.1" in line), None
            )

        line = await until(said)
        assert line.startswith("ecumene: ")
        assert ("certificate verify failed" in line) is not trusted
        _, _, metrics = await asyncio.to_thread(fetch, f"{server.url}/metrics")
        assert b"ecumene_mqtt_connected 0.0" in metrics
        assert server.terminate() == 0
        assert secret not in "".join(server.lines)
        assert "Traceback" not in "".join(server.lines)


async def test_what_avatars_do_is_told(tmp_path: Path, broker: Mosquitto) -> None:
    async with serving(tmp_path, mqtt=broker.url) as app, listening(broker) as ear, Visitor(app.url, "Zoe") as zoe:
        await connected(app)
        mine = await zoe.join()
        key = next(person.key for person in mine.people if person.id == mine.entity)
        await app.host.wonder(lambda: app.session.world.state.position[0, mine.entity & 0xFFFF, :2].fill_(6.0))
        assert not (await zoe.ask(lambda i: wire.Use(i, "bell-0"))).ok
        assert (await zoe.ask(lambda i: wire.Gesture(i, 1))).ok
        assert (await zoe.ask(lambda i: wire.Use(i, "bench"))).ok
        await ear.say("bench/after", '{"value": 1}')
        await until(lambda: any(event["name"] == "reading" for event in ear.of("town/out/events")))
        events = {event["name"]: event for event in ear.of("town/out/events")}
        assert (events["sat"]["subject"], events["sat"]["object"]) == (key, "bench")
        assert events["gesture"]["subject"] == key
        assert "nothing_there" not in events


async def test_a_flood_keeps_the_newest_and_reaches_the_world_in_portions(tmp_path: Path, broker: Mosquitto) -> None:
    async with serving(tmp_path, mqtt=broker.url) as app, listening(broker) as ear:
        await connected(app)
        bridge = app.bridge
        assert bridge is not None
        taken: list[int] = []
        take = app.host.inbox.take

        def counted() -> tuple[list[Command], dict[tuple[str, str], Ticket]]:
            commands, tickets = take()
            taken.append(len(commands))
            return commands, tickets

        app.host.inbox.take = counted  # type: ignore[method-assign]
        newest: dict[tuple[str, str], int] = {}
        for number in range(4_000):
            node, name = f"bell-{number % 20}", f"f{number % 7}"
            newest[node, name] = number
            bridge._ask(f"town/in/{node}/{name}", Reading(node, name, number))
        await until(lambda: not bridge._asked)
        await ear.say("sign/last", '{"value": 1}')
        await until(lambda: "sign" in app.session.world.readings)
        assert 0 < max(taken) <= BATCH + 1
        assert bridge.counters.superseded == 4_000 - len(newest)
        kept = app.session.world.readings
        assert {key: kept[key[0]][key[1]][0] for key in newest} == newest
        metrics = (await asyncio.to_thread(fetch, f"{app.url}/metrics"))[2].decode()
        assert f"ecumene_mqtt_superseded_total {float(bridge.counters.superseded)}" in metrics


async def test_a_flood_of_nonsense_is_counted_and_told_in_portions(tmp_path: Path, broker: Mosquitto) -> None:
    async with serving(tmp_path, mqtt=broker.url) as app, listening(broker) as ear:
        await connected(app)
        bridge = app.bridge
        assert bridge is not None
        for _ in range(600):
            await ear.client.publish("town/in/bench/t", "nonsense", qos=0)
        await ear.say("sign/last", '{"value": 1}')
        await until(lambda: "sign" in app.session.world.readings)
        assert bridge.counters.refused == 600
        assert 100 <= len(ear.of("town/errors")) < 600
