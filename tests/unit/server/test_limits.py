from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecumene_server import limits, wire
from ecumene_server.errors import RefusedError
from ecumene_server.limits import Bucket


def test_a_bucket_gives_its_burst_then_its_rate() -> None:
    bucket = Bucket.full(rate=2.0, burst=3.0, now=10.0)
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(10.4)
    assert bucket.take(10.5)


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = Bucket.full(rate=100.0, burst=2.0, now=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("  Zoë\t\nBell ", "Zoë Bell"),
        ("A\x00da\x1b[31m", "Ada[31m"),
        ("\u202eevil\u2066", "evil"),
        ("e\u0301", "é"),
        ("<b>Max</b>", "<b>Max</b>"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_cleaning_leaves_what_can_be_shown(raw: str, shown: str) -> None:
    assert limits.clean(raw) == shown


@given(st.text(max_size=80))
def test_clean_text_stays_clean_and_has_no_control_characters(raw: str) -> None:
    shown = limits.clean(raw)
    assert limits.clean(shown) == shown
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_a_name_of_two_hundred_characters_is_refused_with_a_sentence() -> None:
    with pytest.raises(RefusedError, match=r"^A name of 200 characters is too long; at most 40 are taken\.$"):
        limits.name_of("x" * 200)


@pytest.mark.parametrize("raw", ["", "   ", "\u200b\u200b", "---"])
def test_a_name_needs_something_to_call_it_by(raw: str) -> None:
    with pytest.raises(RefusedError, match="letter or digit"):
        limits.name_of(raw)


@pytest.mark.parametrize("raw", ["", "\x00\x01", "x" * 501])
def test_chat_must_have_something_to_show(raw: str) -> None:
    with pytest.raises(ValueError, match=r"empty|too long"):
        limits.text_of(raw)


@pytest.mark.parametrize(
    "steer",
    [
        wire.Steer(1, (math.nan, 0.0), 0.0),
        wire.Steer(1, (0.0, math.inf), 0.0),
        wire.Steer(1, (1.5, 0.0), 0.0),
        wire.Steer(1, (0.0, -50.0), 0.0),
        wire.Steer(1, (0.0, 0.0), math.inf),
        wire.Steer(1, (0.0, 0.0), 1e9),
        wire.Steer(1, (0.0, 0.0), 0.0, (3.0, 0.0)),
    ],
)
def test_impossible_steering_is_refused(steer: wire.Steer) -> None:
    with pytest.raises(RefusedError):
        limits.check_steer(steer)


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_clipped_move_is_never_faster_than_one(ahead: float, left: float) -> None:
    x, y = limits.clip_move((ahead, left))
    assert math.hypot(x, y) <= 1 + 1e-12
    assert math.isclose(math.atan2(y, x), math.atan2(left, ahead), abs_tol=1e-9) or (ahead, left) == (0, 0)


@given(st.floats(-1e4, 1e4))
def test_a_turned_heading_points_the_same_way(yaw: float) -> None:
    turned = limits.turned(yaw)
    assert abs(turned) <= math.pi
    assert math.cos(turned) == pytest.approx(math.cos(yaw), abs=1e-9)
