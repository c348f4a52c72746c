"""The door to sensors and other systems: an MQTT client that never holds up a tick.

Topics below the prefix of the broker's URL::

    in/<node>/<field>       to us: {"value": number, true, false or text, "unit": text, may be left out}
                            the field `state` of a thing sets its state, anything else is a reading of that node
    events                  from us: what happened, one JSON object each
    state/<thing>           from us, retained: state, holder and position of a thing
    reading/<node>/<field>  from us, retained: the last accepted reading
    errors                  from us: what was not accepted, and why
    status                  from us, retained: open or closed

Of several readings of the same field within a tick the newest counts. Without the broker the world goes on; the
client tries again, ever more slowly up to `LONGEST_S`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiomqtt
import msgspec

from ecumene_server import wire
from ecumene_server.errors import UsageError
from ecumene_server.news import News
from ecumene_world.command import Command, Reading, SetThing
from ecumene_world.errors import CommandError

PREFIX: Final = "ecumene"
MAX_PAYLOAD: Final = 4096
"""Bytes of a message to us."""
PER_TICK: Final = 100
"""Most readings that enter the world in one tick; others wait, the newest of each field."""
MAX_WAITING: Final = 10_000
"""Messages to the broker that wait while it is slow or gone; the oldest are dropped."""
SHORTEST_S: Final = 0.25
LONGEST_S: Final = 15.0
"""First and longest pause before another try to connect."""
STATE: Final = "state"

_LOG: Final = logging.getLogger("ecumene.mqtt")
_NODELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Without it Nagle's algorithm holds small messages back for 40 ms."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a sensor sends."""

    value: float | int | bool | str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is.

    Attributes:
        host: Name or address.
        port: TCP port.
        prefix: Before every topic, without slashes at its ends.
        user: Name to log in with, or None.
        password: Its password, or None.
        tls: Whether the connection is encrypted.
    """

    host: str
    port: int
    prefix: str
    user: str | None
    password: str | None
    tls: bool

    @classmethod
    def parsed(cls, url: str) -> Broker:
        """Returns what `mqtt://user:password@host:port/prefix` says; `mqtts` encrypts.

        Raises:
            UsageError: It is no such URL, or its prefix has wildcards.
        """
        parts = urlsplit(url)
        prefix = parts.path.strip("/") or PREFIX
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or {"+", "#"} & set(prefix):
            raise UsageError(f"{url!r} is no broker; mqtt://HOST:PORT/PREFIX is expected, without + and #")
        tls = parts.scheme == "mqtts"
        user, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
        return cls(parts.hostname, parts.port or (8883 if tls else 1883), prefix, user, password, tls)


@dataclass(slots=True)
class BridgeCounters:
    """What the bridge counts for `/metrics`."""

    received: int = 0
    refused: int = 0
    sent: int = 0
    dropped: int = 0
    connects: int = 0


class Bridge:
    """One world's client of one broker; `run` is a background task.

    Args:
        broker: Where to.
        submit: Queues a command for the next tick.
        things: Everything usable as it is now, told to every broker that is connected to.
        status: What to say of the world while it is open.
    """

    def __init__(
        self,
        broker: Broker,
        submit: Callable[[Command], None],
        things: Callable[[], Iterable[wire.Thing]],
        status: dict[str, Any],
    ) -> None:
        self.counters = BridgeCounters()
        self.connected = False
        self._broker = broker
        self._submit = submit
        self._things = things
        self._status = status
        self._names: dict[int, str] = {}
        self._readings: dict[tuple[str, str], Command] = {}
        self._outgoing: deque[tuple[str, bytes, bool]] = deque(maxlen=MAX_WAITING)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Stays connected until cancelled."""
        pause_s = SHORTEST_S
        while True:
            try:
                async with self._client() as client:
                    pause_s = SHORTEST_S
                    await self._converse(client)
            except aiomqtt.MqttError as error:
                if self.connected or pause_s == SHORTEST_S:
                    _LOG.warning("the broker %s:%d is gone: %s", self._broker.host, self._broker.port, error)
            finally:
                self.connected = False
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_S, 2 * pause_s)

    def publish(self, news: News) -> None:
        """Queues what a tick brought for the broker, and hands waiting readings to the next tick."""
        for name, subject, other, data in news.happened:
            self._tell("events", {"tick": news.tick, "name": name, "subject": subject, "object": other, "data": data})
            if name == "reading":
                topic = f"reading/{subject}/{data.get('field')}"
                self._tell(
                    topic, {"value": data.get("value"), "unit": data.get("unit"), "tick": news.tick}, retain=True
                )
        for command, subject, reason in news.rejected:
            if command in (Reading.name, SetThing.name):
                self._refuse(subject, reason)
        if news.place is not None:
            self._tell_things()
        for change in news.things:
            self._tell_thing(self._names.get(change.i, str(change.i)), change.state, change.holder, change.position)
        for key in list(self._readings)[:PER_TICK]:
            self._submit(self._readings.pop(key))

    def _client(self) -> aiomqtt.Client:
        broker = self._broker
        return aiomqtt.Client(
            broker.host,
            broker.port,
            username=broker.user,
            password=broker.password,
            tls_context=ssl.create_default_context() if broker.tls else None,
            will=aiomqtt.Will(self._topic("status"), json.dumps({"status": "closed"}), qos=1, retain=True),
            socket_options=[_NODELAY],
            keepalive=20,
            timeout=10,
        )

    async def _converse(self, client: aiomqtt.Client) -> None:
        """Listens and speaks until the connection breaks."""
        await client.subscribe(self._topic("in/#"), qos=1)
        self.connected = True
        self.counters.connects += 1
        self._tell("status", {"status": "open", **self._status}, retain=True)
        self._tell_things()
        speaking = asyncio.create_task(self._speak(client))
        try:
            async for message in client.messages:
                self._take(str(message.topic), message.payload)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)

    async def _speak(self, client: aiomqtt.Client) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                topic, payload, retain = self._outgoing[0]
                await client.publish(topic, payload, qos=0, retain=retain)
                self._outgoing.popleft()
                self.counters.sent += 1

    def _take(self, topic: str, payload: Any) -> None:
        """Understands one message to us."""
        self.counters.received += 1
        try:
            command = command_of(topic.removeprefix(self._topic("in/")), payload, source=topic)
        except (ValueError, CommandError) as error:
            self._refuse(topic, str(error))
            return
        if isinstance(command, Reading):
            self._readings[command.node, command.field] = command
        else:
            self._submit(command)

    def _refuse(self, about: str, reason: str) -> None:
        self.counters.refused += 1
        _LOG.info("%s: %s", about, reason)
        self._tell("errors", {"about": about, "error": reason})

    def _tell_things(self) -> None:
        self._names = {}
        for thing in self._things():
            self._names[thing.i] = thing.name
            self._tell_thing(thing.name, thing.state, thing.holder, thing.position)

    def _tell_thing(self, name: str, state: int, holder: int, position: tuple[float, float, float]) -> None:
        told = {"state": state, "holder": holder, "position": [round(each, 3) for each in position]}
        self._tell(f"state/{name}", told, retain=True)

    def _tell(self, topic: str, value: dict[str, Any], *, retain: bool = False) -> None:
        if {"+", "#", "\0"} & set(topic):
            return  # names may have characters that topics may not
        if len(self._outgoing) == MAX_WAITING:
            self.counters.dropped += 1
        self._outgoing.append((self._topic(topic), json.dumps(value).encode(), retain))
        self._wake.set()

    def _topic(self, rest: str) -> str:
        return f"{self._broker.prefix}/{rest}"


_decoder: Final = msgspec.json.Decoder(Message)


def command_of(topic: str, payload: Any, *, source: str) -> Command:
    """Returns the command that a message stands for.

    Args:
        topic: `<node>/<field>`; node names may contain slashes, fields may not.
        payload: JSON.
        source: Kept with a reading.

    Raises:
        ValueError: Topic or payload is not as it should be; one sentence.
        CommandError: A value is out of range.
    """
    node, slash, name = topic.rpartition("/")
    if not slash or not node or not name:
        raise ValueError("a topic names a node and a field: in/NODE/FIELD")
    if not isinstance(payload, bytes) or len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a message has at most {MAX_PAYLOAD} bytes")
    try:
        message = _decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"a message is a JSON object with a value and perhaps a unit: {error}") from None
    value = message.value
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a value must be a finite number")
    command: Command
    if name == STATE:
        if not isinstance(value, int):
            raise ValueError(f"the state of a thing is a whole number, not {value!r}")
        command = SetThing(node, int(value))
    else:
        command = Reading(node, name, value, message.unit, source)
    command.limits()
    return command
