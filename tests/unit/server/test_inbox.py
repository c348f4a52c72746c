from __future__ import annotations

from tests.integration.squares import square

from ecumene_server.inbox import Inbox, subject_of
from ecumene_server.news import Ticket
from ecumene_world.command import AddNode, Gesture, Reading, Recompile, RemoveNode, Say, SetThing, Steer
from ecumene_world.state import Emote
from ecumene_world.world import World

ME = Ticket("visitor:a", 1)


def steer(key: str, ahead: float) -> Steer:
    return Steer(key, (ahead, 0.0), 0.0)


def test_only_the_newest_steering_of_each_avatar_is_left() -> None:
    inbox = Inbox()
    for command in (steer("a", 0.1), steer("b", 0.2), steer("a", 0.3)):
        inbox.put(command)
    assert inbox.take() == ([steer("a", 0.3), steer("b", 0.2)], {})
    assert inbox.take() == ([], {})


def test_requests_of_one_sort_about_one_subject_come_one_a_tick_in_order() -> None:
    inbox = Inbox()
    tickets = [Ticket("visitor:a", number) for number in range(3)]
    for number, ticket in enumerate(tickets):
        inbox.put(SetThing("door", number), ticket)
    inbox.put(Say("visitor:a", "hi"), ME)
    first, asked = inbox.take()
    assert first == [SetThing("door", 0), Say("visitor:a", "hi")]
    assert asked == {("thing", "door"): tickets[0], ("say", "visitor:a"): ME}
    assert [inbox.take()[0] for _ in range(3)] == [[SetThing("door", 1)], [SetThing("door", 2)], []]


def test_a_command_may_go_before_all_that_wait() -> None:
    inbox = Inbox()
    inbox.put(SetThing("door", 1), ME)
    inbox.put_first(SetThing("gate", 2))
    assert inbox.take()[0] == [SetThing("gate", 2), SetThing("door", 1)]


def test_commands_of_the_server_itself_do_not_wait() -> None:
    inbox = Inbox()
    for number in range(5):
        inbox.put(SetThing("door", number))
    assert len(inbox.take()[0]) == 5


def test_the_subject_is_the_one_that_a_rejection_names() -> None:
    world = World(square(), slots=2)
    commands = [
        SetThing("nothing", 1),
        Say("nobody", "hi"),
        Gesture("nobody", Emote.WAVE),
        Reading("nothing", "t", 1.0),
        AddNode({"name": "x", "kind": "bench", "parent": "y"}),
    ]
    rejected = world.apply(commands)
    assert [(e.data["command"], e.subject) for e in rejected] == [(c.name, subject_of(c)) for c in commands]


def test_edits_wait_while_they_are_held_and_then_come_in_order() -> None:
    inbox = Inbox()
    inbox.holds_edits = True
    first, second = RemoveNode("bench"), RemoveNode("bell")
    for command in (first, SetThing("door", 1), second):
        inbox.put(command, Ticket("visitor:a", 1))
    assert inbox.take()[0] == [SetThing("door", 1)]
    inbox.put_first(Recompile())
    inbox.holds_edits = False
    assert inbox.take()[0] == [Recompile(), first, second]
