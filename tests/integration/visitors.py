"""A real visitor for tests: websockets' client, our messages, and what they brought."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from ecumene_server import codec, wire

T = TypeVar("T")


class Visitor:
    """Connects, says hello and remembers every message.

    Args:
        url: `http://host:port` of the server.
        name: Said in the hello.
        token: Of an earlier welcome.
        resume: Stream to take up.
    """

    def __init__(
        self, url: str, name: str = "Zoe", *, token: str | None = None, resume: wire.Resume | None = None
    ) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws"
        self._hello = wire.Hello(wire.PROTOCOL, name, token, resume)
        self._ids = itertools.count(1)
        self._steers = itertools.count(1)
        self._task: asyncio.Task[None] | None = None
        self.messages: list[wire.ServerMessage] = []
        self.frames: list[codec.CellFrame] = []
        self.seen = asyncio.Condition()
        self.closed: ConnectionClosed | None = None
        self.socket: ClientConnection

    async def __aenter__(self) -> Self:
        self.socket = await connect(self._url, compression=None, max_size=None)
        self._task = asyncio.create_task(self._listen())
        await self.send(self._hello)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()
        if self._task is not None:
            await self._task

    async def send(self, message: wire.ClientMessage) -> None:
        await self.socket.send(wire.encode(message))

    async def join(self) -> wire.Welcome:
        return await self.first(wire.Welcome)

    async def steer(self, ahead: float = 0.0, left: float = 0.0, *, yaw: float = 0.0, run: bool = False) -> None:
        await self.send(wire.Steer(next(self._steers), (ahead, left), yaw, run=run))

    async def ask(self, make: Callable[[int], wire.ClientMessage], within_s: float = 10.0) -> wire.Done:
        """Sends a request and returns its answer."""
        number = next(self._ids)
        await self.send(make(number))
        return await self.until(
            lambda: next((m for m in self.messages if isinstance(m, wire.Done) and m.id == number), None), within_s
        )

    async def first(self, kind: type[T], within_s: float = 10.0, where: Callable[[T], bool] = lambda _: True) -> T:
        """Returns the first message of that kind."""
        return await self.until(
            lambda: next((m for m in self.messages if isinstance(m, kind) and where(m)), None), within_s
        )

    async def until(self, found: Callable[[], T | None], within_s: float = 10.0) -> T:
        """Waits until messages have brought what is looked for."""
        async with asyncio.timeout(within_s), self.seen:
            while (value := found()) is None:
                await self.seen.wait()
        return value

    def where(self, entity: int) -> tuple[float, float, float] | None:
        """Returns where an avatar was seen last."""
        for frame in reversed(self.frames):
            for row in (frame.entities.id == entity).nonzero()[0].tolist():
                x, y, z = frame.entities.position[row].tolist()
                return x, y, z
        return None

    def of(self, kind: type[T]) -> list[T]:
        return [message for message in self.messages if isinstance(message, kind)]

    async def _listen(self) -> None:
        try:
            while True:
                await self._take(await self.socket.recv())
        except ConnectionClosed as error:
            self.closed = error
        async with self.seen:
            self.seen.notify_all()

    async def _take(self, data: Any) -> None:
        assert isinstance(data, bytes), "the server sends binary messages only"
        async with self.seen:
            if data[0] == wire.HOT:
                self.frames += codec.decode_frames(data)
            else:
                self.messages.append(wire.decode_server(data))
            self.seen.notify_all()
