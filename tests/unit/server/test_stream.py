from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecumene_server import wire
from ecumene_server.stream import RING, Stream


def tell(stream: Stream, count: int) -> list[bytes]:
    return [stream.keep(wire.Left(stream.number(), n)) for n in range(count)]


def test_messages_are_numbered_from_one() -> None:
    stream = Stream()
    data = tell(stream, 3)
    assert [wire.decode_server(each) for each in data] == [wire.Left(1, 0), wire.Left(2, 1), wire.Left(3, 2)]


def test_a_resume_gets_exactly_what_it_missed() -> None:
    stream = Stream()
    data = tell(stream, 5)
    assert stream.after(2) == data[2:]
    assert stream.after(5) == []


def test_a_resume_beyond_what_was_sent_is_no_resume() -> None:
    stream = Stream()
    tell(stream, 2)
    assert stream.after(3) is None
    assert stream.after(-1) is None


def test_acknowledged_messages_are_forgotten() -> None:
    stream = Stream()
    data = tell(stream, 4)
    stream.acknowledge(3)
    stream.acknowledge(1)
    assert stream.after(3) == data[3:]
    assert stream.after(2) is None


def test_a_ring_that_overflowed_can_not_resume() -> None:
    stream = Stream()
    data = tell(stream, RING + 10)
    assert stream.after(9) is None
    assert stream.after(10) == data[10:]


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(0, 40))
def test_whatever_is_acknowledged_a_resume_is_complete_or_refused(acks: list[int], seq: int) -> None:
    stream = Stream()
    data = tell(stream, 20)
    for ack in acks:
        stream.acknowledge(ack)
    assert stream.after(seq) in (None, data[seq:])
    if seq <= 20 and all(ack <= seq for ack in acks):
        assert stream.after(seq) == data[seq:]
