"""Real time: drives `Session.tick` at 20 Hz on a thread of its own and tells the event loop what happened."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from ecumene_server.inbox import Inbox
from ecumene_server.news import Answer, News, Ticket
from ecumene_server.pace import Pace
from ecumene_server.timings import Timings
from ecumene_server.watch import Watch
from ecumene_sim.engine import Probe
from ecumene_sim.events import NAMES
from ecumene_sim.frame import Frame
from ecumene_world.command import Command, Interact
from ecumene_world.event import Event
from ecumene_world.state import DT
from ecumene_world.world import World

USES: Final = frozenset(NAMES.values())
"""Events that tell what came of using a thing."""
CHORES_S: Final = 0.01
"""Time a tick may spend on questions to the world; the rest of them wait for the next tick."""

T = TypeVar("T")


class Ticking(Protocol):
    """A session, as the host sees it."""

    world: World
    probe: Probe

    def tick(self, commands: Sequence[Command] = ()) -> Frame:
        """Steps once."""


class Log(Protocol):
    """Takes what was applied in a tick and returns its record; see `journal.TickLog`."""

    def record(self) -> bytes:
        """Returns the record of the tick just stepped, empty when nothing is logged."""


class Host:
    """The tick thread.

    Args:
        session: What is ticked.
        watch: Turns frames into news.
        log: Where the tick's record comes from, or None.
        publish: Called on the tick thread with each tick's news.
        chore: Called on the tick thread after each tick.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        session: Ticking,
        watch: Watch,
        log: Log | None,
        publish: Callable[[News], None],
        chore: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.session = session
        self.inbox = Inbox()
        self.timings = Timings(clock)
        session.probe = self.timings.ended
        self.pace = Pace(DT, clock)
        self.failed: Future[None] = Future()
        """Done when the thread ends; holds the error that ended it, if one did."""
        self._watch = watch
        self._log = log
        self._publish = publish
        self._chore = chore
        self._clock = clock
        self._questions: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tick", daemon=True)

    @property
    def world(self) -> World:
        """The world; to be read on the tick thread only, see `ask`."""
        return self.session.world

    def start(self) -> None:
        """Begins to tick."""
        self.pace = Pace(DT, self._clock)
        self._thread.start()

    def stop(self) -> None:
        """Lets the tick under way end, then the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, command: Command, ticket: Ticket | None = None) -> None:
        """Queues a command for the next tick; any thread may call this."""
        self.inbox.put(command, ticket)

    def ask(self, question: Callable[[], T]) -> Future[T]:
        """Runs the question on the tick thread between two ticks; any thread may call this."""
        answer: Future[T] = Future()
        self._questions.append((question, answer))
        if self._stopping.is_set():
            self._answer_questions(budget_s=0.0)
        return answer

    def wonder(self, question: Callable[[], T]) -> Awaitable[T]:
        """Does as `ask`, for coroutines."""
        return asyncio.wrap_future(self.ask(question))

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                late_s = self.pace.wait()
                self.timings.begin()
                news = self._tick()
                self._chore()
                self.timings.ended("chores")
                self._publish(news)  # wakes the thread of the sockets, which takes the interpreter: so it comes last
                self._answer_questions(CHORES_S)
                self.timings.ended("questions")
                self.timings.finish(news.tick, late_s)
            self.failed.set_result(None)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it again
            self.failed.set_exception(error)

    def _tick(self) -> News:
        commands, tickets = self.inbox.take()
        frame = self.session.tick(commands)
        answers = _answers(commands, tickets, frame)
        record = self._log.record() if self._log is not None else b""
        self.timings.ended("record")
        news = self._watch.news(frame, answers, record)
        self.timings.ended("news")
        return news

    def _answer_questions(self, budget_s: float) -> None:
        until = self._clock() + budget_s
        while self._questions:
            question, answer = self._questions.popleft()
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(question())
                except Exception as error:  # noqa: BLE001 - belongs to who asked
                    answer.set_exception(error)
            if budget_s and self._clock() > until:
                return


def _answers(commands: Sequence[Command], tickets: dict[tuple[str, str], Ticket], frame: Frame) -> tuple[Answer, ...]:
    """What became of each ticketed command."""
    if not tickets:
        return ()
    reasons = {
        (str(event.data.get("command")), event.subject): str(event.data.get("reason"))
        for event in frame.events
        if event.name == "rejected"
    }
    used = {event.subject: event for event in frame.events if event.name in USES}
    durable = {command.name: command.durable for command in commands}
    return tuple(_answer(ticket, key, reasons.get(key), used, durable[key[0]]) for key, ticket in tickets.items())


def _answer(
    ticket: Ticket,
    key: tuple[str, str],
    reason: str | None,
    used: Mapping[str, Event],
    durable: bool,
) -> Answer:
    name, subject = key
    if reason is not None or name != Interact.name:
        return Answer(ticket, reason, durable=durable and reason is None)
    event = used.get(subject)
    if event is None or event.name == "nothing_there":
        return Answer(ticket, "There is nothing in reach that can be used.")
    text = "\n".join(str(event.data[part]) for part in ("title", "text") if event.data.get(part))
    return Answer(ticket, text=text or None)
