from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from tests.unit.server.doubles import EPOCH, FakeLink, Stage
from websockets.frames import CloseCode

from ecumene_server import wire
from ecumene_server.broadcast import SLOW_BYTES, STUCK_BYTES
from ecumene_server.codec import decode_frames
from ecumene_server.guest import HELLO_S
from ecumene_server.news import ChatLine, Place, Speech, Stand, Ticket
from ecumene_server.surroundings import Account
from ecumene_server.visitor import LINGER_S
from ecumene_world.command import Despawn, Interact, Role, Say, SetThing, Spawn, Steer


async def test_a_hello_becomes_an_avatar_and_a_welcome() -> None:
    stage = Stage()
    link, welcome = await stage.join("Zoe")
    assert stage.world.all == [Spawn("visitor:a1", "visitor", None, None, "Zoe", 1)]
    assert (welcome.token, welcome.epoch, welcome.world, welcome.role) == ("token-1", EPOCH, "Plaza", 0)
    assert welcome.entity == stage.world.ids["visitor:a1"]
    assert {person.title for person in welcome.people} == {"Ada", "Zoe"}
    assert [thing.name for thing in welcome.things] == ["door"]
    assert stage.hub.clients == 1
    assert link.closed is None


async def test_others_are_told_of_arrivals_and_departures() -> None:
    stage = Stage()
    first, _ = await stage.join("Zoe")
    second, welcome = await stage.join("Max")
    assert [(m.title, m.id) for m in first.of(wire.Joined)] == [("Max", welcome.entity)]
    stage.send(second, wire.Bye())
    stage.step()
    await stage.settle()
    assert [m.id for m in first.of(wire.Left)] == [welcome.entity]
    assert stage.accounts.stands["a2"] == Stand((1.0, 2.0, 0.0), 0.0)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (wire.Hello(2, "Zoe"), "Protocol 2 is not spoken here"),
        (wire.Hello(wire.PROTOCOL, "x" * 200), "A name of 200 characters is too long"),
        (wire.Say(1, "hi"), "The first message must be 'hello'"),
    ],
)
async def test_a_wrong_beginning_is_refused(message: wire.ClientMessage, reason: str) -> None:
    stage = Stage()
    link = stage.open()
    stage.send(link, message)
    assert link.of(wire.Refused)[0].reason.startswith(reason)
    assert link.closed is CloseCode.POLICY_VIOLATION
    assert stage.world.all == []


async def test_silence_instead_of_a_hello_is_refused() -> None:
    stage = Stage()
    link = stage.open()
    stage.clock.now += HELLO_S + 0.1
    stage.hub.tick()
    assert link.closed is CloseCode.POLICY_VIOLATION


async def test_a_full_world_says_so() -> None:
    stage = Stage()
    stage.world.full = True
    link = await stage.say_hello()
    stage.step()
    assert link.of(wire.Refused)[0].reason == "You can't appear: the world is full."


async def test_speech_reaches_its_hearers_only() -> None:
    stage = Stage()
    near, _ = await stage.join("Near")
    far, _ = await stage.join("Far")
    stage.step(speech=(stage.speech("hello", "visitor:a1"),))
    assert [(m.title, m.text) for m in near.of(wire.Said)] == [("Ada", "hello")]
    assert far.of(wire.Said) == []


@pytest.mark.parametrize("keep_chat", [False, True])
async def test_what_visitors_say_is_kept_only_where_the_server_was_told_to(keep_chat: bool) -> None:
    stage = Stage(keep_chat=keep_chat)
    _, welcome = await stage.join()
    mine = Speech(welcome.entity, "Zoe", "my secret", frozenset())
    stage.step(speech=(mine, stage.speech("an NPC's words")))
    assert stage.journal.chat == ([ChatLine(stage.world.tick, "a1", "my secret")] if keep_chat else [])


async def test_a_durable_request_is_done_only_once_it_is_on_disk() -> None:
    stage = Stage()
    link, _ = await stage.join()
    stage.send(link, wire.Say(5, "hello"))
    news = stage.step(durable=True)
    assert stage.journal.put_ticks[-1] == (news.tick, True)
    assert link.of(wire.Done) == []
    stage.hub.committed(news.tick - 1)
    assert link.of(wire.Done) == []
    stage.hub.committed(news.tick)
    assert [(m.id, m.ok) for m in link.of(wire.Done)] == [(5, True)]
    stage.hub.committed(news.tick)
    assert len(link.of(wire.Done)) == 1


async def test_a_request_that_can_not_be_saved_is_answered_with_the_reason() -> None:
    stage = Stage()
    link, _ = await stage.join()
    stage.send(link, wire.Say(5, "hello"))
    stage.step(durable=True)
    stage.hub.unsaved("the disk is full")
    assert [(m.id, m.ok, m.error) for m in link.of(wire.Done)] == [(5, False, "the disk is full")]


async def test_while_nothing_can_be_saved_durable_requests_are_not_even_tried() -> None:
    stage = Stage()
    link, _ = await stage.join()
    stage.journal.failing = "the disk is full"
    stage.send(link, wire.Say(5, "hello"))
    stage.send(link, wire.Gesture(6, 1))
    stage.step()
    assert [(m.id, m.ok) for m in link.of(wire.Done)] == [(5, False), (6, True)]
    assert link.of(wire.Done)[0].error == "That was not done, because nothing can be saved now: the disk is full."
    assert not [command for command in stage.world.all if isinstance(command, Say)]
    stage.journal.failing = None
    stage.send(link, wire.Say(7, "hello"))
    stage.step()
    assert link.of(wire.Done)[-1].ok


async def test_who_appears_while_nothing_can_be_saved_stays() -> None:
    stage = Stage()
    link = await stage.say_hello()
    stage.step(durable=True)
    stage.hub.unsaved("the disk is full")
    assert len(link.of(wire.Welcome)) == 1
    assert link.closed is None


async def test_a_rejected_request_is_answered_at_once() -> None:
    stage = Stage()
    link, _ = await stage.join()
    stage.send(link, wire.Use(3, "door"))
    stage.step(errors={"interact": "'door' is not a thing"})
    assert link.of(wire.Done)[0].error == "'door' is not a thing"
    assert stage.world.all[-1] == Interact("visitor:a1", "door")


async def test_edits_need_a_role_and_may_not_steer_others() -> None:
    stage = Stage()
    link, _ = await stage.join()
    edit = {"command": "thing", "thing": "door", "state": 1}
    stage.send(link, wire.Edit(1, edit))
    stage.send(link, wire.Edit(2, {"command": "say", "key": "npc:1", "text": "I am Ada"}))
    stage.send(link, wire.Edit(3, {"command": "spawn", "key": "visitor:x"}))
    stage.send(link, wire.Edit(4, {"command": "nonsense"}))
    answers = {m.id: m.error or "" for m in link.of(wire.Done)}
    assert "needs the role builder" in answers[1]
    assert "is no edit" in answers[2]
    assert "needs the role system" in answers[3]
    assert "not a command" in answers[4]
    assert len(stage.world.all) == 1
    account = stage.accounts.known["token-1"]
    stage.accounts.known["token-1"] = replace(account, role=Role.BUILDER)
    link = await stage.say_hello("Zoe", "token-1")
    stage.send(link, wire.Edit(5, edit))
    assert stage.world.all[-1] == SetThing("door", 1)


async def test_chat_is_cleaned_before_anybody_sees_it() -> None:
    stage = Stage()
    link, _ = await stage.join()
    stage.send(link, wire.Say(1, "  he\x00llo\u202e <b> "))
    stage.send(link, wire.Say(2, " \x00 "))
    assert stage.world.all[-1] == Say("visitor:a1", "hello <b>")
    assert link.of(wire.Done)[0].error == "The message is empty."


async def test_a_lost_visitor_stands_still_then_leaves_and_is_remembered() -> None:
    stage = Stage()
    link, welcome = await stage.join()
    stage.hub.closed(link)
    stage.clock.now += LINGER_S - 1
    stage.hub.tick()
    assert stage.world.all[1:] == [Steer("visitor:a1", (0.0, 0.0), 0.0)]
    stage.clock.now += 2
    stage.hub.tick()
    await stage.settle()
    assert stage.world.all[2:] == [Despawn("visitor:a1")]
    stage.step()
    back = await stage.say_hello("Zoe", welcome.token)
    spawn = stage.world.all[3]
    assert isinstance(spawn, Spawn)
    assert spawn.position == (1.0, 2.0, 0.0)
    stage.step()
    assert back.of(wire.Welcome)[0].entity != welcome.entity


async def test_a_resume_gets_what_it_missed_and_nothing_twice() -> None:
    stage = Stage()
    link, welcome = await stage.join()
    stage.step(speech=(stage.speech("one", "visitor:a1"),))
    seq = link.of(wire.Said)[0].seq
    stage.hub.closed(link)
    stage.step(speech=(stage.speech("two", "visitor:a1"), stage.speech("three", "visitor:a1")))
    back = await stage.say_hello("Zoe", welcome.token, wire.Resume(welcome.session, seq))
    again = back.of(wire.Welcome)[0]
    assert (again.resumed, again.entity, again.session) == (True, welcome.entity, welcome.session)
    assert (again.people, again.things) == ([], [])
    assert [m.text for m in back.of(wire.Said)] == ["two", "three"]
    assert [m.seq for m in back.of(wire.Said)] == [seq + 1, seq + 2]


async def test_a_resume_that_is_too_old_becomes_a_fresh_welcome() -> None:
    stage = Stage()
    link, welcome = await stage.join()
    stage.step(speech=(stage.speech("one", "visitor:a1"),))
    stage.send(link, wire.Ack(1))
    stage.hub.closed(link)
    back = await stage.say_hello("Zoe", welcome.token, wire.Resume(welcome.session, 0))
    again = back.of(wire.Welcome)[0]
    assert not again.resumed
    assert again.session != welcome.session
    assert again.people
    stage.step(speech=(stage.speech("two", "visitor:a1"),))
    assert [m.seq for m in back.of(wire.Said)] == [1]


async def test_somebody_elses_session_can_not_be_resumed() -> None:
    stage = Stage()
    link, welcome = await stage.join("Zoe")
    stage.step(speech=(stage.speech("secret", "visitor:a1"),))
    stage.hub.closed(link)
    thief = await stage.say_hello("Eve", None, wire.Resume(welcome.session, 0))
    stage.step()
    assert not thief.of(wire.Welcome)[0].resumed
    assert thief.of(wire.Said) == []


async def test_a_second_window_takes_over() -> None:
    stage = Stage()
    first, welcome = await stage.join()
    second = await stage.say_hello("Zoe", welcome.token)
    assert first.of(wire.Refused)[0].reason == "This visitor was opened in another window."
    assert second.of(wire.Welcome)[0].entity == welcome.entity
    stage.hub.closed(first)
    assert stage.hub.clients == 1
    stage.step(speech=(stage.speech("hi", "visitor:a1"),))
    assert second.of(wire.Said)


async def test_leaving_and_coming_back_in_one_tick_makes_a_new_avatar() -> None:
    stage = Stage()
    link, welcome = await stage.join()
    stage.send(link, wire.Bye())
    back = await stage.say_hello("Zoe", welcome.token)
    stage.step()
    again = back.of(wire.Welcome)[0]
    assert again.entity != welcome.entity
    assert [p.id for p in again.people if p.kind == 201] == [again.entity]


async def test_slow_clients_skip_and_stuck_ones_are_closed() -> None:
    stage = Stage()
    slow, _ = await stage.join("Slow")
    quick, _ = await stage.join("Quick")
    slow.backlog = SLOW_BYTES + 1
    before = len(slow.frames), len(quick.frames)
    stage.step()
    assert (len(slow.frames), len(quick.frames)) == (before[0], before[1] + 1)
    assert stage.hub.counters.skipped == 1
    slow.backlog = STUCK_BYTES + 1
    stage.step()
    assert slow.closed is CloseCode.POLICY_VIOLATION
    assert quick.closed is None


async def test_positions_come_in_one_websocket_frame() -> None:
    stage = Stage()
    link, _ = await stage.join()
    frame = link.frames[-1]
    assert frame[0] == 0x82
    header = 2 if frame[1] < 126 else 4
    assert decode_frames(frame[header:])[0].epoch == EPOCH


async def test_things_that_change_are_told_and_remembered_for_latecomers() -> None:
    stage = Stage()
    first, _ = await stage.join("Zoe")
    stage.step(things=(wire.ThingChanged(0, 0, 1, -1, (1.0, 1.0, 0.0)),))
    assert [(m.i, m.state) for m in first.of(wire.ThingChanged)] == [(0, 1)]
    _, welcome = await stage.join("Max")
    assert welcome.things[0].state == 1


async def test_a_new_layout_sends_its_things() -> None:
    stage = Stage()
    link, _ = await stage.join()
    bench = wire.Thing(0, "bench", "Bench", 50, 0, (0.0, 0.0, 0.0), 0.0, 0, 1)
    stage.step(place=Place("Plaza", (-64.0, -64.0, 64.0, 64.0), (bench,), ()))
    stage.hub.scene_changed("/scene.glb?2")
    assert [(m.url, m.things[0].name) for m in link.of(wire.Scene)] == [
        ("/scene.glb?1", "bench"),
        ("/scene.glb?2", "bench"),
    ]


async def test_pings_and_looks_are_answered() -> None:
    stage = Stage()
    link, _ = await stage.join()
    stage.clock.now += 1.5
    stage.send(link, wire.Ping(42.5))
    stage.send(link, wire.Inspect(8, node="bench"))
    await stage.settle()
    assert link.of(wire.Pong) == [wire.Pong(42.5, 1, 1500.0)]
    assert link.of(wire.Inspected)[0].title == "A bench"


async def test_requests_that_come_too_fast_are_told_so() -> None:
    stage = Stage()
    link, _ = await stage.join()
    for number in range(10):
        stage.send(link, wire.Say(number, "hi"))
    assert [m.id for m in link.of(wire.Done)] == [6, 7, 8, 9]
    assert link.closed is None


async def test_a_flood_closes_the_flooder_alone() -> None:
    stage = Stage()
    flooder, _ = await stage.join("Flooder")
    other, _ = await stage.join("Other")
    for number in range(200):
        stage.send(flooder, wire.Ping(float(number)))
    assert flooder.of(wire.Refused)[0].reason == "Too many messages; at most 60 a second are taken."
    assert flooder.closed is CloseCode.POLICY_VIOLATION
    assert other.closed is None
    assert len(flooder.of(wire.Refused)) == 1


async def test_avatars_of_an_earlier_run_leave_unless_their_visitor_returns() -> None:
    stage = Stage()
    orphan = wire.Person(3 << 16 | 1, "visitor:a1", "Zoe", 201, 1)
    stage.opening = replace(stage.opening, people=(orphan,))
    hub = type(stage.hub)(
        stage.world,
        stage.accounts,
        stage.journal,
        stage.building,
        opening=stage.opening,
        clock=stage.clock,
        spawn=stage._spawn,
    )
    stage.world.ids["visitor:a1"], stage.world.stands["visitor:a1"] = orphan.id, Stand((9.0, 9.0, 0.0), 1.0)
    hub.publish(stage.world.step())
    stage.clock.now += LINGER_S + 1
    hub.tick()
    await stage.settle()
    assert stage.world.all == [Despawn("visitor:a1")]
    assert stage.accounts.stands["a1"] == Stand((9.0, 9.0, 0.0), 1.0)


async def test_stopping_tells_everybody_and_returns_where_they_stood() -> None:
    stage = Stage()
    link, _ = await stage.join()
    assert stage.hub.stop("We close.") == {"a1": Stand((1.0, 2.0, 0.0), 0.0)}
    assert link.of(wire.Closing)[0].reason == "We close."


async def test_unknown_links_are_ignored() -> None:
    stage = Stage()
    stranger = FakeLink()
    stage.hub.received(stranger, b"\x02")
    stage.hub.closed(stranger)
    assert stranger.sent == []


async def test_only_admins_build_and_not_while_nothing_can_be_saved() -> None:
    stage = Stage()
    visitor, _ = await stage.join()
    stage.send(visitor, wire.Build(1, "cafe"))
    assert visitor.of(wire.Done)[-1].error == "districts are built by admins only; your role is visitor"
    stage.accounts.known["secret"] = Account("admin", "Ada", Role.ADMIN, 1, "secret", None)
    admin, _ = await stage.join("Ada", "secret")
    stage.send(admin, wire.Build(2, "cafe", 3))
    stage.send(admin, wire.Abandon(3))
    first, second = (Ticket("visitor:admin", number) for number in (2, 3))
    assert stage.building.wishes == [(first, "Ada", wire.Build(2, "cafe", 3)), (second, "Ada", None)]
    stage.journal.failing = "the disk is full"
    stage.send(admin, wire.Build(4, "cafe"))
    assert "the disk is full" in str(admin.of(wire.Done)[-1].error)


async def test_only_who_asked_is_told_how_far_a_district_is() -> None:
    stage = Stage()
    zoe, _ = await stage.join("Zoe")
    max_, _ = await stage.join("Max")
    told = wire.Building(0, 1, "cafe", 3, "looking for a place", 0.4)
    stage.hub.inform(next(iter(stage.world.ids)), lambda seq: msgspec.structs.replace(told, seq=seq))
    stage.hub.inform("visitor:nobody", lambda seq: msgspec.structs.replace(told, seq=seq))
    assert [len(link.of(wire.Building)) for link in (zoe, max_)] == [1, 0]
