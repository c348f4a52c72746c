"""Districts on request: what is offered, who has to wait, and what is kept beside the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from tests.integration.squares import square

from ecumene_server import layoutfile, wire
from ecumene_server.growth import Growth, Work, offer
from ecumene_server.inbox import Inbox
from ecumene_server.kept import Kept, made_by
from ecumene_server.news import Answer, Ticket
from ecumene_world import compile_layout
from ecumene_world.command import Recompile


class Ended:
    """A grower that notes that it was ended."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def growth(answers: list[Answer], grower: Ended | None = None) -> Growth:
    nothing = cast("Any", None)
    return Growth(
        nothing, nothing, cast("Any", grower or Ended()), nothing, lambda _key, _message: None, answers.append
    )


def test_what_is_offered_has_sizes_and_tags() -> None:
    kinds = offer()
    assert "arena" not in kinds
    assert kinds["cafe"]["size"] == [13.0, 8.0, 24.0]
    assert kinds["cafe"]["tags"]["bar"] == "a long counter"


def test_a_second_wish_is_told_what_is_being_built() -> None:
    answers: list[Answer] = []
    busy = growth(answers)
    busy._work = Work(Ticket("visitor:a", 1), "Ada", wire.Build(1, "cafe", 3), "checking the whole", 0.75)
    busy.begin(Ticket("visitor:b", 2), "Ben", wire.Build(2, "plaza"))
    (answer,) = answers
    assert answer.ticket == Ticket("visitor:b", 2)
    assert answer.error == (
        "one district is built at a time, and cafe 3 for Ada (checking the whole, 75 %) is being built now"
    )


def test_only_what_is_not_being_put_in_can_be_given_up() -> None:
    answers: list[Answer] = []
    grower = Ended()
    busy = growth(answers, grower)
    busy.give_up(Ticket("visitor:a", 1), "Ada")
    busy._work = Work(Ticket("visitor:a", 2), "Ada", wire.Build(2, "cafe", 3), settled=True)
    busy.give_up(Ticket("visitor:a", 3), "Ada")
    busy._work.settled = False
    busy.give_up(Ticket("visitor:a", 4), "Ben")
    sentences = ["no district is being built", "it is being put in already; remove it when it stands", None]
    assert [answer.error for answer in answers] == sentences
    assert (grower.closed, busy._work.dropped) == (1, "Ben")


def test_a_layout_made_with_a_district_becomes_the_one_that_is_kept(tmp_path: Path) -> None:
    kept, layout = Kept(tmp_path, "square"), compile_layout(square())
    layoutfile.write(layout, kept.grown_file, made_by())
    kept.keep(layout)
    assert not kept.grown_file.exists()
    found = kept.layout()
    assert found is not None
    assert found.hash == layout.hash


def test_what_is_put_first_comes_first_with_its_ticket() -> None:
    inbox, ticket = Inbox(), Ticket("visitor:a", 1)
    inbox.put(Recompile(world=1))
    inbox.put_first(Recompile(), ticket)
    commands, tickets = inbox.take()
    assert commands == [Recompile(), Recompile(world=1)]
    assert tickets == {("recompile", ""): ticket}
