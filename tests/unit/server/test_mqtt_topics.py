"""What MQTT addresses, topics and payloads stand for, and which are refused."""

from __future__ import annotations

import pytest

from ecumene_server.errors import UsageError
from ecumene_server.settings import Settings
from ecumene_server.topics import MAX_BYTES, Broker, encoded
from ecumene_world.command import Reading, SetThing
from ecumene_world.errors import CommandError

BROKER = Broker("localhost", 1883, prefix="town/north")


def test_an_address_names_everything() -> None:
    broker = Broker.of("mqtts://zoe:p%40ss@broker.example/town/north/")
    assert broker == Broker("broker.example", 8883, True, "zoe", "p@ss", "town/north")
    assert "p@ss" not in repr(broker)
    assert Broker.of("mqtt://localhost") == Broker("localhost", 1883, prefix="ecumene")
    assert Broker.of("mqtt://localhost:2000/a").port == 2000


@pytest.mark.parametrize(
    "url",
    [
        "http://host/x",
        "mqtt:///prefix",
        "mqtt://host:port/x",
        "mqtt://host:99999/x",
        "mqtt://host/a?b",
        "mqtt://host/a#b",
        "mqtt://host/a%23",
        "mqtt://host/%2Bx",
        "mqtt://host/$SYS",
        "localhost:1883",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="mqtt"):
        Settings(mqtt=url).check()


def test_a_refused_address_keeps_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        Broker.of("mqtt://zoe:secret@host:port/x")
    assert "secret" not in str(caught.value)
    assert "host:port" in str(caught.value)


@pytest.mark.parametrize("name", ["bench", "a/b", "50%", "+", "#", "%2F", "Straße 7/é"])
def test_names_of_nodes_survive_topics(name: str) -> None:
    level = encoded(name)
    assert not set(level) & set("/+#")
    assert BROKER.command(f"town/north/in/{level}/t", b'{"value": 1}') == Reading(name, "t", 1, "", "mqtt")
    assert BROKER.state(name) == f"town/north/out/{level}/state"


@pytest.mark.parametrize(
    ("payload", "value", "unit"),
    [
        ('{"value": 21.5, "unit": "°C"}', 21.5, "°C"),
        ('{"value": 3}', 3, ""),
        ('{"value": true}', True, ""),
        ('{"value": "wet"}', "wet", ""),
    ],
)
def test_a_payload_is_a_reading(payload: str, value: object, unit: str) -> None:
    command = BROKER.command("town/north/in/bench/air.humidity", payload.encode())
    assert command == Reading("bench", "air.humidity", value, unit, "mqtt")  # type: ignore[arg-type]
    assert type(command.value) is type(value)


@pytest.mark.parametrize(("value", "state"), [("0", 0), ("1", 1), ("true", 1), ("false", 0), ('"on"', 1), ('"off"', 0)])
def test_the_field_state_switches(value: str, state: int) -> None:
    assert BROKER.command("town/north/in/bell/state", b'{"value": %s}' % value.encode()) == SetThing("bell", state)


@pytest.mark.parametrize("value", ["2", "-1", '"ON"', '""', "0.5"])
def test_other_states_are_refused(value: str) -> None:
    with pytest.raises(CommandError, match=r"the state .* must be 0, 1"):
        BROKER.command("town/north/in/bell/state", b'{"value": %s}' % value.encode())


def test_a_switch_is_neither_retained_nor_measured() -> None:
    with pytest.raises(CommandError, match="retained"):
        BROKER.command("town/north/in/bell/state", b'{"value": 1}', retained=True)
    with pytest.raises(CommandError, match="no unit"):
        BROKER.command("town/north/in/bell/state", b'{"value": 1, "unit": "V"}')


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"21.5",
        b"{",
        b"[1]",
        b'{"value": NaN}',
        b'{"value": Infinity}',
        b'{"value": 1e999}',
        b'{"value": null}',
        b'{"value": [1]}',
        b'{"unit": "m"}',
        b'{"value": 1, "unit": 2}',
        b'{"value": 1, "when": 2}',
        b'{"value": 1} {}',
        b'{"value": "\xff"}',
        b'{"value": 99999999999999999999}',
        b'{"value": 1, "unit": "%s"}' % (b"m" * 21),
        b'{"value": "%s"}' % (b"m" * 501),
        b'{"value": 1%s}' % (b" " * MAX_BYTES),
        b"[" * MAX_BYTES,
    ],
)
def test_other_payloads_are_refused(payload: bytes) -> None:
    with pytest.raises(CommandError) as caught:
        BROKER.command("town/north/in/bench/t", payload)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "levels", ["bench", "bench/", "/t", "bench/a/b", "bench/a b", "bench/é", "bench/" + "t" * 61, "%FF/t", ""]
)
def test_other_topics_are_refused(levels: str) -> None:
    with pytest.raises(CommandError):
        BROKER.command(f"town/north/in/{levels}", b'{"value": 1}')
