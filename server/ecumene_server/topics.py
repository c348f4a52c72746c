"""MQTT in words: where the broker is, what topics are called, and which command a message stands for.

Under the prefix of the broker's URL:

- `in/NODE/FIELD`: sensors publish `{"value": 21.5, "unit": "°C"}`; the field `state` switches a thing;
- `out/NODE/state`: the state of a thing, retained, as `{"value": 1}`;
- `out/events`: what happens, one JSON object each;
- `out/status`: "online" or "offline", retained;
- `errors`: why a message was refused.

`/`, `+`, `#` and `%` in names of nodes are percent-encoded, so that each name is one level of the topic.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import msgspec

from ecumene_server.errors import UsageError
from ecumene_world.command import Command, Reading, SetThing
from ecumene_world.errors import CommandError
from ecumene_world.plain import MAX_INTEGER, shown

SCHEMES: Final = {"mqtt": 1883, "mqtts": 8883}
"""URL schemes and their usual ports; the second is TLS."""
PREFIX: Final = "ecumene"
"""Prefix of the topics when the URL names none."""
MAX_BYTES: Final = 4096
"""Longest payload that is looked at."""
SOURCE: Final = "mqtt"
STATE: Final = "state"
STATES: Final[dict[object, int]] = {0: 0, 1: 1, "off": 0, "on": 1}
"""Payload values of the field `state`; true and false count as 1 and 0."""
FORM: Final = '{"value": number, true, false or text, "unit": text}'

_FIELD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,59}")
_RESERVED: Final = re.compile(r"[/+#%]")
_WILD: Final = frozenset("+#\0")


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Payload of a message from a sensor."""

    value: float | int | bool | str
    unit: str = ""


_DECODER: Final = msgspec.json.Decoder(Measured)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and how to come in.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: Whether the connection is encrypted.
        username: Who we are, None for anybody.
        password: Its secret.
        prefix: First levels of all topics, without slashes around.
        authority: File of certificates that the broker's is checked against, "" for those of the system.
    """

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    prefix: str = PREFIX
    authority: str = ""

    @classmethod
    def of(cls, url: str, authority: str = "") -> Broker:
        """Returns what an address like `mqtt://user:secret@host:1883/prefix` says.

        Raises:
            UsageError: It is no such address, or there is no such authority; the sentence never shows the password.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in SCHEMES or parts.query or parts.fragment:
            raise UsageError(f"mqtt {_without_secret(url)!r} is no address like mqtt://host:1883/prefix")
        prefix = unquote(parts.path.strip("/")) or PREFIX
        if _WILD & set(prefix) or prefix.startswith("$") or len(prefix) > 200:
            raise UsageError(f"mqtt prefix {prefix!r} must be 1..200 characters without + and #, not beginning with $")
        username, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
        tls = parts.scheme == "mqtts"
        broker = cls(host, port or SCHEMES[parts.scheme], tls, username or None, password, prefix, authority)
        try:
            broker.tls_context()
        except OSError as error:
            raise UsageError(f"mqtt_ca {authority!r} holds no certificates: {error.strerror or error}") from error
        return broker

    def tls_context(self) -> ssl.SSLContext | None:
        """Returns how the broker is checked, None for a connection in clear text."""
        return ssl.create_default_context(cafile=self.authority or None) if self.tls else None

    @property
    def incoming(self) -> str:
        """What is subscribed to."""
        return f"{self.prefix}/in/#"

    @property
    def errors(self) -> str:
        """Where refusals are told."""
        return f"{self.prefix}/errors"

    @property
    def events(self) -> str:
        """Where events are told."""
        return f"{self.prefix}/out/events"

    @property
    def status(self) -> str:
        """Where it is told whether the world is online."""
        return f"{self.prefix}/out/status"

    def state(self, node: str) -> str:
        """Returns where the state of a thing is told."""
        return f"{self.prefix}/out/{encoded(node)}/{STATE}"

    def command(self, topic: str, payload: bytes, *, retained: bool = False) -> Command:
        """Returns the command that a message under `in/` stands for; whether it is possible is for the world to say.

        Args:
            topic: The whole topic, prefix included.
            payload: JSON.
            retained: Whether the broker kept it from an earlier time.

        Raises:
            CommandError: It stands for none; one sentence.
        """
        node, name = _address(topic.removeprefix(f"{self.prefix}/in/"))
        measured = _measured(payload)
        if name == STATE:
            return _switch(node, measured, retained=retained)
        reading = Reading(node, name, measured.value, measured.unit, SOURCE)
        reading.limits()
        return reading


def encoded(node: str) -> str:
    """Returns a node name as one level of a topic."""
    return _RESERVED.sub(lambda found: quote(found[0], safe=""), node)


def _address(levels: str) -> tuple[str, str]:
    """Returns the node and the field that the levels after `in` name."""
    parts = levels.split("/")
    if len(parts) != 2:
        raise CommandError(f"the topic ends in {shown(levels)}; in/NODE/FIELD is expected, / in names written as %2F")
    try:
        node = unquote(parts[0], errors="strict")
    except UnicodeDecodeError:
        raise CommandError(f"the node {shown(parts[0])} is not percent-encoded UTF-8") from None
    if not node:
        raise CommandError("the topic names no node; in/NODE/FIELD is expected")
    if not _FIELD.fullmatch(parts[1]):
        raise CommandError(f"the field {shown(parts[1])} is not a word of 1..60 letters, digits and _ . : -")
    return node, parts[1]


def _measured(payload: bytes) -> Measured:
    if len(payload) > MAX_BYTES:
        raise CommandError(f"the message has {len(payload)} bytes; {MAX_BYTES} are allowed")
    try:
        measured = _DECODER.decode(payload)
    except ValueError as error:
        raise CommandError(f"the message is not of the form {FORM}: {error}") from None
    if isinstance(measured.value, int) and abs(measured.value) > MAX_INTEGER:
        raise CommandError("the value is a whole number beyond ±2^63")
    return measured


def _switch(node: str, measured: Measured, *, retained: bool) -> SetThing:
    if retained:
        raise CommandError("a switch must not be retained, or it would be repeated at every connection")
    state = STATES.get(measured.value)
    if state is None or measured.unit:
        raise CommandError(f'the state {shown(measured.value)} must be 0, 1, true, false, "on" or "off", with no unit')
    return SetThing(node, state)


def _without_secret(url: str) -> str:
    return re.sub(r"//[^/]*@", "//…@", url)
