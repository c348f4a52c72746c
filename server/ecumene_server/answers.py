"""Answers to requests: told at once, or when the record of their tick is on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ecumene_server.news import Answer, News
from ecumene_server.surroundings import Journal


class Answers:
    """Passes answers on when they may be told.

    Args:
        journal: The log, or None when nothing is stored: then nothing waits for it.
        tell: Tells an answer to whom it concerns.
    """

    def __init__(self, journal: Journal | None, tell: Callable[[Answer], None]) -> None:
        self._journal = journal
        self._tell = tell
        self._unsaved: deque[tuple[int, tuple[Answer, ...]]] = deque()

    @property
    def failing(self) -> str | None:
        """Why nothing durable can be promised now, None while it can."""
        return None if self._journal is None else self._journal.failing

    def take(self, news: News) -> None:
        """Tells what may be told of a tick, and has its record written."""
        waits = tuple(answer for answer in news.answers if answer.durable and answer.error is None)
        for answer in news.answers:
            if answer not in waits or self._journal is None:
                self._tell(answer)
        if self._journal is None or not news.record:
            return
        if waits:
            self._unsaved.append((news.tick, waits))
        self._journal.put(news.tick, news.record, durable=bool(waits))

    def committed(self, tick: int) -> None:
        """Everything up to the tick is on disk: tells those who wait for it."""
        while self._unsaved and self._unsaved[0][0] <= tick:
            for answer in self._unsaved.popleft()[1]:
                self._tell(answer)

    def unsaved(self, sentence: str) -> None:
        """The log can't be written: what waits for it is answered with the reason; who has just appeared may stay."""
        while self._unsaved:
            for answer in self._unsaved.popleft()[1]:
                if answer.ticket.request is not None:
                    self._tell(Answer(answer.ticket, error=sentence))
