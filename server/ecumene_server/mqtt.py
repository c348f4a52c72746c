"""The MQTT bridge: sensors come in as commands, events and states of things go out.

It lives on the event loop and keeps away from the tick: of each topic only the newest message waits, at most `BATCH` of
them are checked between two ticks and queued like any other command, with the rights of the system; what happens is
taken from the news. Whatever the broker does, the world goes on.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import msgspec
from aiomqtt import Client, Message, MqttError, Will

from ecumene_server import wire
from ecumene_server.host import Host
from ecumene_server.limits import Bucket
from ecumene_server.news import News, Place
from ecumene_server.topics import Broker
from ecumene_world.command import Command, check
from ecumene_world.errors import CommandError

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
"""Pauses between attempts to connect double from the first to the longest."""
TIMEOUT_S: Final = 5.0
"""How long the broker may take to answer."""
GOODBYE_S: Final = 6.0
"""How long the bridge may take to close."""
MAX_IN: Final = 5000
"""Topics whose newest message waits at most; the one that waits longest makes room."""
MAX_OUT: Final = 2000
"""Events and errors that wait at most, as while the broker is away; older ones make room."""
BATCH: Final = 32
"""Most messages that reach the world in one tick: 640 a second."""
ERRORS: Final = (20.0, 100.0)
"""Refusals told under `errors`, a second and at once; more are counted only."""
FAILURE: Final = 128
"""Least answer to a subscription that means no."""
ONLINE, OFFLINE = b"online", b"offline"
PRIVATE: Final = frozenset({"said"})
"""Events that never leave: what people say is theirs."""

_NO_DELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_LOG: Final = logging.getLogger("ecumene.mqtt")


@dataclass(slots=True)
class BridgeCounters:
    """What the bridge counts for `/metrics`."""

    messages_in: int = 0
    messages_out: int = 0
    superseded: int = 0
    refused: int = 0
    dropped: int = 0
    connections: int = 0

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(0, self.connections - 1)


class Bridge:
    """Ties a running world to a broker.

    Args:
        broker: Which.
        host: The tick thread.
        place: The things of the world as it is now.
        people: Who is there now.
    """

    def __init__(self, broker: Broker, host: Host, place: Place, people: Iterable[wire.Person]) -> None:
        self.counters = BridgeCounters()
        self.connected = False
        """Whether messages go both ways right now."""
        self._broker = broker
        self._host = host
        self._names: tuple[str, ...] = ()
        self._states: dict[str, int] = {}
        self._people = {person.id: person.key for person in people}
        self._stale: dict[str, None] = {}
        self._out: deque[tuple[str, bytes]] = deque()
        self._asked: dict[str, Command] = {}
        self._errors = Bucket.full(*ERRORS, time.monotonic())
        self._leaving, self._arriving, self._closing = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._ticked = asyncio.Event()
        self._move_into(place)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps connected until the context ends, then says goodbye."""
        loop = asyncio.get_running_loop()
        asking = loop.create_task(self._hand_over(), name="mqtt in")
        connecting = loop.create_task(self._stay_connected(), name="mqtt")
        try:
            yield
        finally:
            self._closing.set()
            asking.cancel()
            await asyncio.wait([connecting], timeout=GOODBYE_S)
            connecting.cancel()
            await asyncio.gather(asking, connecting, return_exceptions=True)

    def publish(self, news: News) -> None:
        """Queues what a tick brought; never waits."""
        self._ticked.set()
        if news.place is not None:
            self._move_into(news.place)
        for thing in news.things:
            self._note(self._names[thing.i], thing.state)
        for event in self._events(news):
            self._put(self._broker.events, {"tick": news.tick, **event})
        if self._stale or self._out:
            self._leaving.set()

    def _move_into(self, place: Place) -> None:
        """Takes over the things of a layout; those that are gone lose their retained states."""
        self._names = tuple(thing.name for thing in place.things)
        gone = self._states.keys() - set(self._names)
        for name in gone:
            del self._states[name]
        self._stale.update(dict.fromkeys(gone))
        for thing in place.things:
            self._note(thing.name, thing.state)

    def _note(self, name: str, state: int) -> None:
        if self._states.get(name) != state:
            self._states[name] = state
            self._stale[name] = None

    def _events(self, news: News) -> Iterator[dict[str, Any]]:
        for person in news.joined:
            self._people[person.id] = person.key
            yield _event("joined", person.key)
        for entity in news.left:
            yield _event("left", self._people.pop(entity, ""))
        for name, subject, other, data in (*news.happened, *news.deeds):
            if name not in PRIVATE:
                yield _event(name, subject, other, data)

    def _put(self, topic: str, content: Mapping[str, Any]) -> None:
        if len(self._out) >= MAX_OUT:
            self._out.popleft()
            self.counters.dropped += 1
        self._out.append((topic, msgspec.json.encode(content)))

    def _refuse(self, topic: str, reason: str) -> None:
        self.counters.refused += 1
        if not self._errors.take(time.monotonic()):
            return
        self._put(self._broker.errors, {"topic": topic[:300], "error": reason})
        self._leaving.set()

    def _drop(self) -> None:
        self.counters.dropped += 1

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._closing.is_set():
            try:
                async with self._client() as client:
                    pause = FIRST_PAUSE_S
                    await self._serve(client)
            except (MqttError, OSError, ValueError) as error:
                if pause == FIRST_PAUSE_S:
                    _LOG.warning("no connection to the MQTT broker at %s: %s", self._broker.host, error)
            finally:
                self.connected = False
            await self._rest(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _client(self) -> Client:
        broker = self._broker
        return Client(
            broker.host,
            broker.port,
            username=broker.username,
            password=broker.password,
            tls_context=broker.tls_context(),
            will=Will(broker.status, OFFLINE, qos=1, retain=True),
            timeout=TIMEOUT_S,
            keepalive=30,
            socket_options=[_NO_DELAY],
            queue_type=_queue_that_makes_room(self._drop),
            max_queued_incoming_messages=MAX_IN,
        )

    async def _serve(self, client: Client) -> None:
        """Passes messages both ways until the connection or the bridge ends."""
        await self._begin(client)
        loop = asyncio.get_running_loop()
        ways = (self._read(client), self._write(client), self._closing.wait())
        tasks = [loop.create_task(way) for way in ways]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        await client.publish(self._broker.status, OFFLINE, retain=True)

    async def _begin(self, client: Client) -> None:
        answers = await client.subscribe(self._broker.incoming, qos=1)
        if any(getattr(answer, "value", answer) >= FAILURE for answer in answers):
            raise MqttError(f"the broker does not let us subscribe to {self._broker.incoming!r}")
        await client.publish(self._broker.status, ONLINE, retain=True)
        self._stale.update(dict.fromkeys(self._states))
        self._leaving.set()
        self.counters.connections += 1
        self.connected = True

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            self.counters.messages_in += 1
            topic, payload = message.topic.value, message.payload
            assert isinstance(payload, bytes | bytearray), "aiomqtt hands on what came over the wire"
            try:
                command = self._broker.command(topic, bytes(payload), retained=message.retain)
            except CommandError as error:
                self._refuse(topic, str(error))
            else:
                self._ask(topic, command)

    def _ask(self, topic: str, command: Command) -> None:
        """Queues a message in the place of an older one of its topic."""
        if topic in self._asked:
            self.counters.superseded += 1
        elif len(self._asked) >= MAX_IN:
            del self._asked[next(iter(self._asked))]
            self._drop()
        self._asked[topic] = command
        self._arriving.set()

    async def _hand_over(self) -> None:
        """Has the world check what arrived, a batch a tick, and tells what it refuses."""
        while True:
            await self._arriving.wait()
            self._arriving.clear()
            while self._asked:
                batch = [(topic, self._asked.pop(topic)) for topic in list(islice(self._asked, BATCH))]
                for topic, reason in await self._host.wonder(functools.partial(_submit, self._host, batch)):
                    self._refuse(topic, reason)
                self._ticked.clear()
                await self._ticked.wait()

    async def _write(self, client: Client) -> None:
        while True:
            await self._leaving.wait()
            self._leaving.clear()
            while self._stale or self._out:
                await self._send(client, *self._next())

    def _next(self) -> tuple[str, bytes, bool]:
        """Returns topic and payload of what is to be sent next, and whether the broker keeps it."""
        if not self._stale:
            return (*self._out.popleft(), False)
        name = next(iter(self._stale))
        del self._stale[name]
        state = self._states.get(name)
        return self._broker.state(name), b"" if state is None else msgspec.json.encode({"value": state}), True

    async def _send(self, client: Client, topic: str, payload: bytes, retain: bool) -> None:
        try:
            await client.publish(topic, payload, retain=retain)
        except MqttError:
            self._drop()
            raise
        self.counters.messages_out += 1


def _event(name: str, subject: str, other: str = "", data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "subject": subject, "object": other, "data": dict(data or {})}


def _submit(host: Host, batch: Sequence[tuple[str, Command]]) -> list[tuple[str, str]]:
    """Queues the commands that are possible; returns topic and reason of the others. Runs on the tick thread."""
    refused = []
    for topic, command in batch:
        try:
            check(command, host.world)
        except CommandError as error:
            refused.append((topic, str(error)))
        else:
            host.submit(command)
    return refused


def _queue_that_makes_room(dropped: Callable[[], None]) -> type[asyncio.Queue[Message]]:
    """Returns a class of queues whose oldest message makes room for a new one when they are full."""

    class Newest(asyncio.Queue[Message]):
        def put_nowait(self, item: Message) -> None:
            if self.full():
                self.get_nowait()
                dropped()
            super().put_nowait(item)

    return Newest
