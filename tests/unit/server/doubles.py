"""Stand-ins for the hub's surroundings: a clock, connections, a world, accounts and a log, all in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tests.unit.server.crowds import crowd
from websockets.frames import CloseCode

from ecumene_server import wire
from ecumene_server.codec import Cell, cell_of, encode_cells
from ecumene_server.hub import Hub
from ecumene_server.news import Answer, ChatLine, News, Place, Speech, Stand, Ticket
from ecumene_server.surroundings import Account, Opening
from ecumene_world.command import Command, Despawn, Role, Spawn

T = TypeVar("T")
EPOCH = 4


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass(eq=False)
class FakeLink:
    """A connection that remembers what was written."""

    backlog: int = 0
    peer: str = "192.0.2.1"
    sent: list[bytes] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    closed: CloseCode | None = None

    def send(self, message: bytes) -> None:
        self.sent.append(message)

    def send_frame(self, frame: bytes) -> None:
        self.frames.append(frame)

    def close(self, code: CloseCode, reason: str) -> None:
        assert reason
        self.closed = code

    def messages(self) -> list[wire.ServerMessage]:
        return [wire.decode_server(data) for data in self.sent]

    def of(self, kind: type[T]) -> list[T]:
        return [message for message in self.messages() if isinstance(message, kind)]


class FakeWorld:
    """Takes commands; `step` turns them into news."""

    def __init__(self) -> None:
        self.tick = 0
        self.waiting: list[tuple[Command, Ticket | None]] = []
        self.all: list[Command] = []
        self.ids: dict[str, int] = {}
        self.stands: dict[str, Stand] = {}
        self.full = False
        self._serial = 0

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        self.waiting.append((command, ticket))
        self.all.append(command)

    async def inspect(self, message: wire.Inspect) -> wire.Inspected:
        return wire.Inspected(message.id, self.tick, "A bench")

    def step(self, *, durable: bool = False, errors: dict[str, str] | None = None, **extra: Any) -> News:
        self.tick += 1
        joined, left, answers = [], [], []
        waiting, self.waiting = self.waiting, []
        for command, ticket in waiting:
            error = (errors or {}).get(command.name)
            if isinstance(command, Spawn):
                error = "the world is full" if self.full else None
                if error is None:
                    joined.append(self._spawn(command))
            if isinstance(command, Despawn):
                left.append(self.ids.pop(command.key))
                self.stands.pop(command.key)
            if ticket is not None:
                answers.append(Answer(ticket, error, durable=durable))
        cells = {key: cell_of(*stand.position[:2]) for key, stand in self.stands.items()}
        news = News(self.tick, self.frames(), dict(self.stands), cells, tuple(joined), tuple(left), record=b"record")
        return replace(news, answers=tuple(answers), **extra)

    def frames(self) -> dict[Cell, bytes]:
        here = [cell_of(*stand.position[:2]) for stand in self.stands.values()]
        return encode_cells(crowd({cell: here.count(cell) for cell in here}), epoch=EPOCH, tick=self.tick)

    def _spawn(self, command: Spawn) -> wire.Person:
        self._serial += 1
        self.ids[command.key] = self._serial << 16
        self.stands[command.key] = Stand(command.position or (1.0, 2.0, 0.0), command.yaw or 0.0)
        return wire.Person(self.ids[command.key], command.key, command.title, 201, command.look)


class FakeAccounts:
    """Accounts by token."""

    def __init__(self) -> None:
        self.known: dict[str, Account] = {}
        self.stands: dict[str, Stand] = {}

    async def admit(self, token: str | None, name: str) -> Account:
        await asyncio.sleep(0)
        if token not in self.known:
            number = len(self.known) + 1
            token = f"token-{number}"
            self.known[token] = Account(f"a{number}", name, Role.VISITOR, number, token, None)
        assert token is not None
        account = self.known[token]
        return replace(account, name=name, stand=self.stands.get(account.id, account.stand))

    async def put_stand(self, account: str, stand: Stand) -> None:
        self.stands[account] = stand


class FakeJournal:
    def __init__(self) -> None:
        self.failing: str | None = None
        self.put_ticks: list[tuple[int, bool]] = []
        self.chat: list[ChatLine] = []

    def keep_chat(self, line: ChatLine) -> None:
        self.chat.append(line)

    def put(self, tick: int, record: bytes, *, durable: bool) -> None:
        assert record
        self.put_ticks.append((tick, durable))


class FakeBuilding:
    """Notes who wants a district, or no longer."""

    def __init__(self) -> None:
        self.wishes: list[tuple[Ticket, str, wire.Build | None]] = []

    def begin(self, ticket: Ticket, who: str, message: wire.Build) -> None:
        self.wishes.append((ticket, who, message))

    def give_up(self, ticket: Ticket, who: str) -> None:
        self.wishes.append((ticket, who, None))


class Stage:
    """A hub with everything around it."""

    def __init__(self, *, keep_chat: bool = False) -> None:
        self.clock, self.world, self.accounts, self.journal = Clock(), FakeWorld(), FakeAccounts(), FakeJournal()
        self._tasks: set[asyncio.Task[None]] = set()
        thing = wire.Thing(0, "door", "Door", 13, 0, (1.0, 1.0, 0.0), 0.0, 0, 2)
        place = Place("Plaza", (-64.0, -64.0, 64.0, 64.0), (thing,), ("© us",))
        npc = wire.Person(7 << 16 | 9, "npc:1", "Ada", 200, 5)
        self.opening = Opening(place, (npc,), EPOCH, 0, "/scene.glb?1", keep_chat=keep_chat)
        self.building = FakeBuilding()
        stores = (self.accounts, self.journal)
        self.hub = Hub(self.world, *stores, self.building, opening=self.opening, clock=self.clock, spawn=self._spawn)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)

    async def settle(self) -> None:
        """Lets background work end."""
        while self._tasks:
            done, _ = await asyncio.wait(self._tasks)
            for task in done:
                task.result()
            self._tasks -= done

    def open(self) -> FakeLink:
        link = FakeLink()
        self.hub.opened(link)
        return link

    def send(self, link: FakeLink, message: wire.ClientMessage) -> None:
        self.hub.received(link, wire.encode(message))

    async def say_hello(
        self, name: str = "Zoe", token: str | None = None, resume: wire.Resume | None = None
    ) -> FakeLink:
        link = self.open()
        self.send(link, wire.Hello(wire.PROTOCOL, name, token, resume))
        await self.settle()
        return link

    async def join(self, name: str = "Zoe", token: str | None = None) -> tuple[FakeLink, wire.Welcome]:
        """Returns a link that was welcomed."""
        link = await self.say_hello(name, token)
        self.step()
        return link, link.of(wire.Welcome)[-1]

    def step(self, **options: Any) -> News:
        news = self.world.step(**options)
        self.hub.publish(news)
        return news

    def speech(self, text: str, *keys: str) -> Speech:
        return Speech(7 << 16 | 9, "Ada", text, frozenset(keys))
