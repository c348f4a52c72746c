"""Everybody who is connected: joins, requests, and each tick's news to those whom it concerns.

Runs on the event loop alone. `Hub` talks to the simulation through `Simulation`, to stored accounts through
`Accounts` and to the log through `Journal`; connections call it as their `Listener`, guests as their `Room`.
"""

from __future__ import annotations

import contextlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from ecumene_server import limits, wire
from ecumene_server.codec import CELL_M, Cell
from ecumene_server.connection import frame_of
from ecumene_server.errors import RefusedError, StoreError
from ecumene_server.guest import Guest
from ecumene_server.interest import BUDGET_BYTES, Interest
from ecumene_server.link import Link, refuse
from ecumene_server.news import Answer, ChatLine, News, Place, Speech, Stand, Ticket
from ecumene_server.stream import Stream
from ecumene_server.visitor import LINGER_S, Visitor
from ecumene_world import kinds
from ecumene_world.command import Command, Despawn, Gesture, Interact, Role, Say, Spawn, Steer, from_record, permitted
from ecumene_world.errors import CommandError
from ecumene_world.state import TICK_HZ, Emote

SLOW_BYTES: Final = 262_144
"""A client with more bytes waiting than this gets no hot frames until they have drained."""
STUCK_BYTES: Final = 8_388_608
"""A client with more than this is closed: it does not even take rare messages."""
MAX_CLIENTS: Final = 2_000
STALE: Final = "Your old token is not known here any more, so you come in as somebody new."

_VISITOR: Final = kinds.kind_named("visitor").code


@dataclass(frozen=True, slots=True)
class Account:
    """What is stored about a visitor.

    Attributes:
        id: Public id.
        name: Last used name.
        role: What it may do.
        look: Seed of its appearance.
        token: Its secret, known only in the moment of the hello.
        stand: Where its avatar stood last, or None.
    """

    id: str
    name: str
    role: Role
    look: int
    token: str
    stand: Stand | None


class Simulation(Protocol):
    """The running world, as the hub sees it; `host.Host` implements it."""

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command for the next tick."""

    def inspect(self, message: wire.Inspect) -> Awaitable[wire.Inspected]:
        """Looks into a mind or a node between two ticks."""


class Accounts(Protocol):
    """Stored accounts; `store.Store` implements it."""

    async def admit(self, token: str | None, name: str) -> Account:
        """Returns the account of the token, or a new one; remembers the name."""

    async def put_stand(self, account: str, stand: Stand) -> None:
        """Remembers where the avatar stood."""


class Journal(Protocol):
    """The log of ticks; `journal.Journal` implements it and calls `Hub.committed` and `Hub.unsaved`."""

    @property
    def failing(self) -> str | None:
        """Why nothing can be written now, None while writing works."""

    def put(self, tick: int, record: bytes, *, durable: bool) -> None:
        """Queues one tick's record; a durable one is written at once."""

    def keep_chat(self, line: ChatLine) -> None:
        """Queues a line of chat, written with its tick's record."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How the world is when the doors open.

    Attributes:
        place: Title, bounds and things.
        people: Everybody alive.
        epoch: Counts server starts of this world.
        tick: The last tick that was stepped.
        scene: URL of the scene file.
        role: What every visitor may do at least.
        keep_chat: Whether what visitors say is stored.
    """

    place: Place
    people: tuple[wire.Person, ...]
    epoch: int
    tick: int
    scene: str
    role: Role = Role.VISITOR
    keep_chat: bool = False


@dataclass(slots=True)
class Counters:
    """What the hub counts for `/metrics`."""

    messages_in: int = 0
    bytes_in: int = 0
    hot_out: int = 0
    hot_bytes_out: int = 0
    skipped: int = 0
    refused: int = 0
    joins: int = 0
    resumes: int = 0
    speeches: int = 0


class Hub:
    """Connections, visitors and what they are told.

    Args:
        simulation: The running world.
        accounts: Stored accounts.
        journal: The log, or None when nothing is stored: then nothing waits for it.
        opening: The world as it opens.
        clock: Monotonic seconds.
        spawn: Starts a coroutine in the background.
    """

    def __init__(
        self,
        simulation: Simulation,
        accounts: Accounts,
        journal: Journal | None,
        *,
        opening: Opening,
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self._simulation = simulation
        self._accounts = accounts
        self._journal = journal
        self._place = opening.place
        self._people = {person.id: person for person in opening.people}
        self._ids = {person.key: person.id for person in self._people.values()}
        self._things = {thing.i: thing for thing in opening.place.things}
        self._epoch = opening.epoch
        self._tick = opening.tick
        self._scene = opening.scene
        self._least_role = opening.role
        self._keeps_chat = opening.keep_chat
        self._clock = clock
        self._spawn = spawn
        self._opened = clock()
        self._interest = Interest(budget_bytes)
        self._guests: dict[Link, Guest[Visitor]] = {}
        self._links: dict[Guest[Visitor], Link] = {}
        self._departing: dict[str, Stand] = {}
        self._visitors: dict[str, Visitor] = {}
        self._orphans = {p.key: self._opened for p in self._people.values() if p.kind == _VISITOR}
        self._stands: Mapping[str, Stand] = {}
        self._unsaved: deque[tuple[int, tuple[Answer, ...]]] = deque()
        self._palette = {str(code): kind.name for code, kind in kinds.BY_CODE.items()}
        self.counters = Counters()

    @property
    def tick_now(self) -> int:
        """The last tick that was told."""
        return self._tick

    @property
    def clients(self) -> int:
        """How many visitors have a connection and an avatar."""
        return sum(visitor.is_here for visitor in self._visitors.values())

    @property
    def npcs(self) -> int:
        """How many avatars are no visitors."""
        return sum(person.kind != _VISITOR for person in self._people.values())

    # Connections.

    def opened(self, link: Link) -> None:
        """Begins a conversation."""
        if len(self._guests) >= MAX_CLIENTS:
            self._refuse(link, RefusedError(f"The server is full: {MAX_CLIENTS} connections are open."))
            return
        guest = Guest(self, self._clock)
        self._guests[link], self._links[guest] = guest, link

    def received(self, link: Link, data: bytes) -> None:
        """Lets the guest understand one message; one that breaks a rule is told and closed."""
        guest = self._guests.get(link)
        if guest is None:
            return
        self.counters.messages_in += 1
        self.counters.bytes_in += len(data)
        try:
            guest.receive(data)
        except RefusedError as error:
            self._refuse(link, error)

    def closed(self, link: Link) -> None:
        """Keeps the visitor of a lost connection for `LINGER_S`."""
        guest = self._guests.pop(link, None)
        if guest is not None:
            del self._links[guest]
            guest.leave()
            self._lose(guest)

    def tick(self) -> None:
        """Refuses who does not say hello, lets go who stays away; called about once a second."""
        now = self._clock()
        for link, guest in list(self._guests.items()):
            try:
                guest.check_patience()
            except RefusedError as error:
                self._refuse(link, error)
        for visitor in list(self._visitors.values()):
            if visitor.lost_at is not None and now - visitor.lost_at > LINGER_S:
                self._release(visitor)
        for key, since in list(self._orphans.items()):
            if now - since > LINGER_S:
                self._depart(key)

    def stop(self, reason: str) -> dict[str, Stand]:
        """Tells everybody goodbye; returns where visitors stood, by account."""
        farewell = wire.encode(wire.Closing(reason, retry_s=2.0))
        for link, guest in self._guests.items():
            guest.leave()
            link.send(farewell)
        return {key.removeprefix("visitor:"): stand for key, stand in self._stands.items()}

    # What guests want; see `guest.Room`.

    def hello(self, guest: Guest[Visitor], message: wire.Hello) -> None:
        """Looks the account up, then lets the avatar appear."""
        self._spawn(self._join(self._links[guest], guest, message))

    def steer(self, visitor: Visitor, message: wire.Steer) -> None:
        """Passes the wish on; the newest of a tick wins."""
        self._simulation.submit(Steer(visitor.key, message.move, message.yaw, message.gaze, message.run))

    def request(self, visitor: Visitor, message: wire.Say | wire.Use | wire.Gesture | wire.Edit) -> None:
        """Turns the message into a command, or answers why not."""
        try:
            command = _command(visitor, message)
        except (CommandError, ValueError) as error:
            self._answer(Answer(Ticket(visitor.key, message.id), error=str(error)))
            return
        if command.durable and self._journal is not None and self._journal.failing is not None:
            sentence = f"That was not done, because nothing can be saved now: {self._journal.failing}."
            self._answer(Answer(Ticket(visitor.key, message.id), error=sentence))
            return
        self._simulation.submit(command, Ticket(visitor.key, message.id))
        if isinstance(command, Say):
            self.counters.speeches += 1

    def inspect(self, visitor: Visitor, message: wire.Inspect) -> None:
        """Answers later with what there is to see."""
        self._spawn(self._inspect(visitor, message))

    def too_soon(self, visitor: Visitor, request_id: int, sentence: str) -> None:
        """Answers that the request was not done."""
        self._answer(Answer(Ticket(visitor.key, request_id), error=sentence))

    def acknowledge(self, visitor: Visitor, seq: int) -> None:
        """Forgets what has arrived."""
        visitor.stream.acknowledge(seq)

    def ping(self, visitor: Visitor, sent: float) -> None:
        """Answers at once."""
        visitor.hint(wire.Pong(sent, self._tick, self._elapsed_ms()))

    def bye(self, visitor: Visitor) -> None:
        """Lets the avatar leave now."""
        self._release(visitor)

    # What ticks bring.

    def publish(self, news: News) -> None:
        """Tells everybody what concerns them, then writes the tick's record."""
        self._tick = news.tick
        self._stands = news.visitors
        if news.place is not None:
            self._move_into(news.place)
        self._announce(news)
        self._speak(news)
        self._answer_all(news)
        self._show(news)

    def committed(self, tick: int) -> None:
        """Everything up to the tick is on disk: tells those who wait for it."""
        while self._unsaved and self._unsaved[0][0] <= tick:
            for answer in self._unsaved.popleft()[1]:
                self._answer(answer)

    def unsaved(self, sentence: str) -> None:
        """The log can't be written: what waits for it is answered with the reason; who has just appeared may stay."""
        while self._unsaved:
            for answer in self._unsaved.popleft()[1]:
                if answer.ticket.request is not None:
                    self._answer(Answer(answer.ticket, error=sentence))

    def scene_changed(self, url: str) -> None:
        """A new scene file is served: tells everybody to fetch it."""
        self._scene = url
        self._tell_scene()

    # Joining.

    async def _join(self, link: Link, guest: Guest[Visitor], message: wire.Hello) -> None:
        name = limits.name_of(message.name)
        try:
            account = await self._accounts.admit(message.token, name)
        except StoreError as error:
            self._refuse(link, RefusedError(f"You can't come in now, because accounts can't be used: {error.reason}."))
            return
        if self._guests.get(link) is not guest:
            return
        account = replace(account, role=max(account.role, self._least_role))
        visitor = self._visitors.get(account.id)
        if visitor is None:
            self._arrive(link, guest, account, stale=message.token not in (None, account.token))
        else:
            self._return(link, guest, account, visitor, message.resume)

    def _arrive(self, link: Link, guest: Guest[Visitor], account: Account, *, stale: bool) -> None:
        visitor = Visitor(
            account.id, account.name, account.role, secrets.token_urlsafe(12), account.token, account.look, Stream()
        )
        visitor.notice = STALE if stale else None
        self._visitors[account.id] = visitor
        visitor.link, visitor.guest = link, guest
        self._orphans.pop(visitor.key, None)
        standing = self._ids.get(visitor.key)
        if standing is not None and visitor.key not in self._departing:
            self._admit(visitor, standing)
            return
        stand = self._departing.get(visitor.key, account.stand)
        spawn = Spawn(
            visitor.key,
            "visitor",
            None if stand is None else stand.position,
            None if stand is None else stand.yaw,
            account.name,
            account.look,
        )
        self._simulation.submit(spawn, Ticket(visitor.key, None))

    def _return(
        self, link: Link, guest: Guest[Visitor], account: Account, visitor: Visitor, resume: wire.Resume | None
    ) -> None:
        self._replace(visitor)
        visitor.link, visitor.guest, visitor.lost_at = link, guest, None
        visitor.token, visitor.role = account.token, account.role
        missed = None
        if resume is not None and resume.session == visitor.session:
            missed = visitor.stream.after(resume.seq)
        if missed is None:
            visitor.stream, visitor.session = Stream(), secrets.token_urlsafe(12)
        if visitor.entity is not None:
            self._admit(visitor, visitor.entity, missed)

    def _replace(self, visitor: Visitor) -> None:
        """Closes the connection that another one of the same account takes over from."""
        if visitor.guest is not None:
            visitor.guest.visitor = None
            self._refuse(self._links[visitor.guest], RefusedError("This visitor was opened in another window."))

    def _admit(self, visitor: Visitor, entity: int, missed: list[bytes] | None = None) -> None:
        visitor.entity = entity
        guest = visitor.guest
        if guest is None or visitor.link is None:
            return
        guest.admit(visitor)
        self.counters.joins += 1
        self.counters.resumes += missed is not None
        visitor.hint(self._welcome(visitor, entity, resumed=missed is not None))
        if visitor.notice is not None:
            visitor.tell(wire.Done(visitor.stream.number(), wire.HELLO_ID, ok=True, text=visitor.notice))
            visitor.notice = None
        for data in missed or ():
            visitor.link.send(data)

    def _welcome(self, visitor: Visitor, entity: int, *, resumed: bool) -> wire.Welcome:
        stand = self._stands.get(visitor.key, Stand((0.0, 0.0, 0.0), 0.0))
        return wire.Welcome(
            session=visitor.session,
            token=visitor.token,
            epoch=self._epoch,
            tick=self._tick,
            tick_hz=TICK_HZ,
            server_ms=self._elapsed_ms(),
            world=self._place.world,
            scene=self._scene,
            entity=entity,
            role=int(visitor.role),
            cell_m=CELL_M,
            bounds=self._place.bounds,
            position=stand.position,
            yaw=stand.yaw,
            palette=self._palette,
            attribution=list(self._place.attribution),
            things=[] if resumed else list(self._things.values()),
            people=[] if resumed else list(self._people.values()),
            seq=visitor.stream.seq,
            resumed=resumed,
        )

    # Leaving.

    def _refuse(self, link: Link, error: RefusedError) -> None:
        self.counters.refused += 1
        guest = self._guests.get(link)
        if guest is not None:
            guest.leave()
        refuse(link, error)

    def _lose(self, guest: Guest[Visitor]) -> None:
        visitor = guest.visitor or next((v for v in self._visitors.values() if v.guest is guest), None)
        if visitor is None or visitor.guest is not guest:
            return
        visitor.link = visitor.guest = None
        visitor.lost_at = self._clock()
        if visitor.entity is not None:
            self._stop(visitor)

    def _stop(self, visitor: Visitor) -> None:
        stand = self._stands.get(visitor.key)
        self._simulation.submit(Steer(visitor.key, (0.0, 0.0), stand.yaw if stand else 0.0))

    def _release(self, visitor: Visitor) -> None:
        self._visitors.pop(visitor.account, None)
        if visitor.guest is not None:
            visitor.guest.leave()
        self._depart(visitor.key)

    def _depart(self, key: str) -> None:
        self._orphans.pop(key, None)
        stand = self._stands.get(key)
        if stand is not None and key in self._ids:
            self._departing[key] = stand
            self._spawn(self._keep_stand(key, stand))
            self._simulation.submit(Despawn(key))

    async def _keep_stand(self, key: str, stand: Stand) -> None:
        with contextlib.suppress(StoreError):  # the avatar then appears at a spawn point; the journal tells of trouble
            await self._accounts.put_stand(key.removeprefix("visitor:"), stand)

    # Telling.

    def _announce(self, news: News) -> None:
        for entity in news.left:
            self._forget(entity)
        for person in news.joined:
            self._people[person.id] = person
            self._ids[person.key] = person.id
            self._each(
                lambda seq, p=person: wire.Joined(seq, p.id, p.key, p.title, p.kind, p.look)  # type: ignore[misc]
            )
            self._settle(person)
        for change in news.things:
            self._remember(change)
            self._each(
                lambda seq, c=change: wire.ThingChanged(seq, c.i, c.state, c.holder, c.position)  # type: ignore[misc]
            )
        for name, subject, other, data in news.happened:
            self._each(
                lambda seq, n=name, s=subject, o=other, d=data: wire.Happened(seq, n, s, o, dict(d))  # type: ignore[misc]
            )

    def _settle(self, person: wire.Person) -> None:
        """Welcomes the visitor whose avatar has just appeared."""
        visitor = self._visitors.get(person.key.removeprefix("visitor:")) if person.kind == _VISITOR else None
        if visitor is not None and visitor.entity is None:
            self._admit(visitor, person.id)

    def _forget(self, entity: int) -> None:
        person = self._people.pop(entity, None)
        if person is not None:
            self._departing.pop(person.key, None)
            if self._ids.get(person.key) == entity:
                del self._ids[person.key]
        self._each(lambda seq: wire.Left(seq, entity))

    def _remember(self, change: wire.ThingChanged) -> None:
        old = self._things[change.i]
        self._things[change.i] = wire.Thing(
            old.i,
            old.name,
            old.title,
            old.kind,
            change.state,
            change.position,
            old.yaw,
            old.level,
            old.interaction,
            change.holder,
        )

    def _speak(self, news: News) -> None:
        for speech in news.speech:
            self._keep(news.tick, speech)
            for key in speech.hearers:
                visitor = self._visitors.get(key.removeprefix("visitor:"))
                if visitor is not None and visitor.entity is not None:
                    visitor.tell(wire.Said(visitor.stream.number(), speech.entity, speech.title, speech.text))

    def _keep(self, tick: int, speech: Speech) -> None:
        """Stores what a visitor said, if the server was told to."""
        speaker = self._people.get(speech.entity)
        if self._keeps_chat and self._journal is not None and speaker is not None and speaker.kind == _VISITOR:
            self._journal.keep_chat(ChatLine(tick, speaker.key.removeprefix("visitor:"), speech.text))

    def _answer_all(self, news: News) -> None:
        waits = tuple(answer for answer in news.answers if answer.durable and answer.error is None)
        for answer in news.answers:
            if answer not in waits or self._journal is None:
                self._answer(answer)
        if self._journal is None or not news.record:
            return
        if waits:
            self._unsaved.append((news.tick, waits))
        self._journal.put(news.tick, news.record, durable=bool(waits))

    def _answer(self, answer: Answer) -> None:
        visitor = self._visitors.get(answer.ticket.key.removeprefix("visitor:"))
        if visitor is None:
            return
        if answer.ticket.request is None:
            self._answer_spawn(visitor, answer)
            return
        ok = answer.error is None
        visitor.tell(wire.Done(visitor.stream.number(), answer.ticket.request, ok, answer.error, answer.text))

    def _answer_spawn(self, visitor: Visitor, answer: Answer) -> None:
        if answer.error is None:
            return
        self._visitors.pop(visitor.account, None)
        if visitor.link is not None:
            self._refuse(visitor.link, RefusedError(f"You can't appear: {answer.error}."))

    def _show(self, news: News) -> None:
        self._interest.begin(news.frames, news.tick)
        frames: dict[Cell, bytes] = {}
        for visitor in self._visitors.values():
            cell = news.cells.get(visitor.key)
            if cell is None or visitor.link is None or visitor.entity is None:
                continue
            if cell not in frames:
                message = self._interest.message(cell)
                frames[cell] = frame_of(message) if message else b""
            self._show_one(visitor, visitor.link, frames[cell])

    def _show_one(self, visitor: Visitor, link: Link, frame: bytes) -> None:
        backlog = link.backlog
        if backlog > STUCK_BYTES:
            self._refuse(link, RefusedError("The connection is too slow: 8 MiB wait to be sent."))
        elif backlog > SLOW_BYTES:
            visitor.skipped += 1
            self.counters.skipped += 1
        elif frame:
            link.send_frame(frame)
            self.counters.hot_out += 1
            self.counters.hot_bytes_out += len(frame)

    def _move_into(self, place: Place) -> None:
        self._place = place
        self._things = {thing.i: thing for thing in place.things}
        self._tell_scene()

    def _tell_scene(self) -> None:
        things = list(self._things.values())
        self._each(lambda seq: wire.Scene(seq, self._scene, self._scene.partition("?")[2], things))

    def _each(self, make: Callable[[int], wire.Reliable]) -> None:
        for visitor in self._visitors.values():
            if visitor.entity is not None:
                visitor.tell(make(visitor.stream.number()))

    async def _inspect(self, visitor: Visitor, message: wire.Inspect) -> None:
        visitor.hint(await self._simulation.inspect(message))

    def _elapsed_ms(self) -> float:
        return (self._clock() - self._opened) * 1000


def _command(visitor: Visitor, message: wire.Say | wire.Use | wire.Gesture | wire.Edit) -> Command:
    match message:
        case wire.Say(text=text):
            return Say(visitor.key, limits.text_of(text))
        case wire.Use(thing=thing):
            return Interact(visitor.key, thing)
        case wire.Gesture(emote=emote):
            return Gesture(visitor.key, Emote(emote))
        case wire.Edit(command=record):
            command = from_record(record)
            if command.own:
                raise CommandError(f"{command.name!r} is no edit; send it as a message of its own")
            if not permitted(command, visitor.role, (visitor.key,)):
                raise CommandError(
                    f"{command.name!r} needs the role {command.needs.name.lower()}, yours is {_role(visitor)}"
                )
            return command


def _role(visitor: Visitor) -> str:
    return visitor.role.name.lower()
