"""The tick thread: what it does in which order, and that an error ends it."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from ecumene_server.host import Host
from ecumene_server.news import News


class Tracked:
    """A session, its watch and its chore, that note when they are called; the third tick is the last."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.ticks = 0
        self.over = threading.Event()
        self.world: Any = None
        self.probe: Any = None

    def tick(self, commands: object = ()) -> Any:
        self.ticks += 1
        self.order.append("tick")
        if self.ticks == 3:
            self.over.set()
        if self.ticks == 4:
            raise RuntimeError("the third tick was to be the last")
        return SimpleNamespace(tick=self.ticks, events=())

    def news(self, frame: Any, answers: object, record: bytes) -> News:
        del answers, record
        return News(frame.tick, {}, {}, {})

    def publish(self, news: News) -> None:
        self.order.append(f"publish {news.tick}")

    def chore(self) -> None:
        self.order.append("chore")


def hosted(tracked: Tracked) -> Host:
    watch: Any = tracked
    return Host(tracked, watch, None, tracked.publish, tracked.chore)


def test_chores_come_before_news_wake_the_sockets_and_questions_after() -> None:
    tracked = Tracked()
    host = hosted(tracked)
    host.ask(lambda: tracked.order.append("question"))
    host.start()
    assert tracked.over.wait(10)
    host.stop()
    assert tracked.order[:4] == ["tick", "chore", "publish 1", "question"]
    assert tracked.order[4:7] == ["tick", "chore", "publish 2"]
    assert host.timings.ticks == 3


def test_an_error_in_a_tick_ends_the_thread_and_is_handed_on() -> None:
    tracked = Tracked()
    host = hosted(tracked)
    tracked.ticks = 3
    host.start()
    with pytest.raises(RuntimeError, match="was to be the last"):
        host.failed.result(10)
