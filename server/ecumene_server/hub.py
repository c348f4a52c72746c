"""Everybody who is connected: joins, requests, and each tick's news to those whom it concerns.

Runs on the event loop alone. `Hub` talks to the simulation through `Simulation`, to stored accounts through
`Accounts` and to the log through `Journal`; connections call it as their `Listener`, guests as their `Room`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from ecumene_server import limits, wire
from ecumene_server.answers import Answers
from ecumene_server.broadcast import Broadcast
from ecumene_server.counters import Counters
from ecumene_server.departures import Departures
from ecumene_server.errors import RefusedError, StoreError
from ecumene_server.guest import Guest
from ecumene_server.interest import BUDGET_BYTES
from ecumene_server.link import Link, refuse
from ecumene_server.news import Answer, ChatLine, News, Speech, Stand, Ticket
from ecumene_server.picture import Message, Picture
from ecumene_server.requests import Request, command_of
from ecumene_server.stream import Stream
from ecumene_server.surroundings import Account, Accounts, Building, Journal, Opening, Simulation
from ecumene_server.visitor import LINGER_S, Visitor
from ecumene_world import kinds
from ecumene_world.command import Role, Say, Spawn, Steer
from ecumene_world.errors import CommandError

MAX_CLIENTS: Final = 2_000
STALE: Final = "Your old token is not known here any more, so you come in as somebody new."

_VISITOR: Final = kinds.kind_named("visitor").code


class Hub:
    """Connections, visitors and what they are told.

    Args:
        simulation: The running world.
        accounts: Stored accounts.
        journal: The log, or None when nothing is stored: then nothing waits for it.
        building: Makes districts.
        opening: The world as it opens.
        clock: Monotonic seconds.
        spawn: Starts a coroutine in the background.
    """

    def __init__(
        self,
        simulation: Simulation,
        accounts: Accounts,
        journal: Journal | None,
        building: Building,
        *,
        opening: Opening,
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self._simulation = simulation
        self._accounts = accounts
        self._journal = journal
        self._building = building
        self._answers = Answers(journal, self.answer)
        self._picture = Picture(opening)
        self._least_role = opening.role
        self._keeps_chat = opening.keep_chat
        self._clock = clock
        self._spawn = spawn
        self._opened = clock()
        self._guests: dict[Link, Guest[Visitor]] = {}
        self._links: dict[Guest[Visitor], Link] = {}
        self._visitors: dict[str, Visitor] = {}
        self._departures = Departures(self._picture, simulation, accounts, spawn, self._opened)
        self.counters = Counters()
        self._broadcast = Broadcast(budget_bytes, self.counters, self._refuse)

    @property
    def tick_now(self) -> int:
        """The last tick that was told."""
        return self._picture.tick

    @property
    def clients(self) -> int:
        """How many visitors have a connection and an avatar."""
        return sum(visitor.is_here for visitor in self._visitors.values())

    @property
    def title(self) -> str:
        """What the world is called."""
        return self._picture.title

    @property
    def npcs(self) -> int:
        """How many avatars are no visitors."""
        return sum(person.kind != _VISITOR for person in self._picture.people.values())

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
        self._departures.tick(now)

    def stop(self, reason: str) -> dict[str, Stand]:
        """Tells everybody goodbye; returns where visitors stood, by account."""
        farewell = wire.encode(wire.Closing(reason, retry_s=2.0))
        for link, guest in self._guests.items():
            guest.leave()
            link.send(farewell)
        return {key.removeprefix("visitor:"): stand for key, stand in self._picture.stands.items()}

    # What guests want; see `guest.Room`.

    def hello(self, guest: Guest[Visitor], message: wire.Hello) -> None:
        """Looks the account up, then lets the avatar appear."""
        self._spawn(self._join(self._links[guest], guest, message))

    def steer(self, visitor: Visitor, message: wire.Steer) -> None:
        """Passes the wish on; the newest of a tick wins."""
        self._simulation.submit(Steer(visitor.key, message.move, message.yaw, message.gaze, message.run))

    def request(self, visitor: Visitor, message: Request) -> None:
        """Turns the message into a command, or answers why not."""
        try:
            command = command_of(visitor, message)
        except (CommandError, ValueError) as error:
            self.answer(Answer(Ticket(visitor.key, message.id), error=str(error)))
            return
        if command.durable and self._answers.failing is not None:
            self.answer(Answer(Ticket(visitor.key, message.id), error=_unsaveable(self._answers.failing)))
            return
        self._simulation.submit(command, Ticket(visitor.key, message.id))
        if isinstance(command, Say):
            self.counters.speeches += 1

    def build(self, visitor: Visitor, message: wire.Build | wire.Abandon) -> None:
        """Has a district made or given up, or answers why not."""
        ticket = Ticket(visitor.key, message.id)
        if visitor.role < Role.ADMIN:
            yours = visitor.role.name.lower()
            self.answer(Answer(ticket, error=f"districts are built by admins only; your role is {yours}"))
        elif isinstance(message, wire.Abandon):
            self._building.give_up(ticket, visitor.name)
        elif self._answers.failing is not None:
            self.answer(Answer(ticket, error=_unsaveable(self._answers.failing)))
        else:
            self._building.begin(ticket, visitor.name, message)

    def inspect(self, visitor: Visitor, message: wire.Inspect) -> None:
        """Answers later with what there is to see."""
        self._spawn(self._inspect(visitor, message))

    def too_soon(self, visitor: Visitor, request_id: int, sentence: str) -> None:
        """Answers that the request was not done."""
        self.answer(Answer(Ticket(visitor.key, request_id), error=sentence))

    def acknowledge(self, visitor: Visitor, seq: int) -> None:
        """Forgets what has arrived."""
        visitor.stream.acknowledge(seq)

    def ping(self, visitor: Visitor, sent: float) -> None:
        """Answers at once."""
        visitor.hint(wire.Pong(sent, self._picture.tick, self._elapsed_ms()))

    def bye(self, visitor: Visitor) -> None:
        """Lets the avatar leave now."""
        self._release(visitor)

    # What ticks bring.

    def publish(self, news: News) -> None:
        """Tells everybody what concerns them, then writes the tick's record."""
        self._picture.tick, self._picture.stands = news.tick, news.visitors
        if news.place is not None:
            self._each(self._picture.move_into(news.place))
        self._announce(news)
        self._speak(news)
        self._answers.take(news)
        self._broadcast.show(news, self._visitors.values())

    def committed(self, tick: int) -> None:
        """Everything up to the tick is on disk: tells those who wait for it."""
        self._answers.committed(tick)

    def unsaved(self, sentence: str) -> None:
        """The log can't be written: tells those who wait for it why."""
        self._answers.unsaved(sentence)

    def inform(self, key: str, make: Message) -> None:
        """Tells one visitor something, if it is here or may come back to its stream."""
        visitor = self._visitors.get(key.removeprefix("visitor:"))
        if visitor is not None and visitor.entity is not None:
            visitor.tell(make(visitor.stream.number()))

    def scene_changed(self, url: str) -> None:
        """A new scene file is served: tells everybody to fetch it."""
        self._each(self._picture.redrawn(url))

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
        self._departures.claim(visitor.key)
        standing = self._picture.ids.get(visitor.key)
        if standing is not None and self._departures.stand(visitor.key) is None:
            self._admit(visitor, standing)
            return
        stand = self._departures.stand(visitor.key) or account.stand
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
        visitor.hint(self._picture.welcome(visitor, entity, self._elapsed_ms(), resumed=missed is not None))
        if visitor.notice is not None:
            visitor.tell(wire.Done(visitor.stream.number(), wire.HELLO_ID, ok=True, text=visitor.notice))
            visitor.notice = None
        for data in missed or ():
            visitor.link.send(data)

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
        stand = self._picture.stands.get(visitor.key)
        self._simulation.submit(Steer(visitor.key, (0.0, 0.0), stand.yaw if stand else 0.0))

    def _release(self, visitor: Visitor) -> None:
        self._visitors.pop(visitor.account, None)
        if visitor.guest is not None:
            visitor.guest.leave()
        self._departures.begin(visitor.key)

    # Telling.

    def _announce(self, news: News) -> None:
        for entity in news.left:
            person = self._picture.people.get(entity)
            if person is not None:
                self._departures.left(person.key)
            self._each(self._picture.left(entity))
        for person in news.joined:
            self._each(self._picture.joined(person))
            self._settle(person)
        for message in self._picture.changes(news):
            self._each(message)

    def _settle(self, person: wire.Person) -> None:
        """Welcomes the visitor whose avatar has just appeared."""
        visitor = self._visitors.get(person.key.removeprefix("visitor:")) if person.kind == _VISITOR else None
        if visitor is not None and visitor.entity is None:
            self._admit(visitor, person.id)

    def _speak(self, news: News) -> None:
        for speech in news.speech:
            self._keep(news.tick, speech)
            for key in speech.hearers:
                visitor = self._visitors.get(key.removeprefix("visitor:"))
                if visitor is not None and visitor.entity is not None:
                    visitor.tell(wire.Said(visitor.stream.number(), speech.entity, speech.title, speech.text))

    def _keep(self, tick: int, speech: Speech) -> None:
        """Stores what a visitor said, if the server was told to."""
        speaker = self._picture.people.get(speech.entity)
        if self._keeps_chat and self._journal is not None and speaker is not None and speaker.kind == _VISITOR:
            self._journal.keep_chat(ChatLine(tick, speaker.key.removeprefix("visitor:"), speech.text))

    def answer(self, answer: Answer) -> None:
        """Tells what became of a request."""
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

    def _each(self, make: Message) -> None:
        for visitor in self._visitors.values():
            if visitor.entity is not None:
                visitor.tell(make(visitor.stream.number()))

    async def _inspect(self, visitor: Visitor, message: wire.Inspect) -> None:
        visitor.hint(await self._simulation.inspect(message))

    def _elapsed_ms(self) -> float:
        return (self._clock() - self._opened) * 1000


def _unsaveable(reason: str) -> str:
    return f"That was not done, because nothing can be saved now: {reason}."
