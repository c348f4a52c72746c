"""Every message that crosses the WebSocket, one msgspec Struct each; TypeScript is generated from this file.

A WebSocket message is binary. Byte 0 tells what follows: `HOT` begins one or more cell frames (`codec`), `RARE` is
followed by one msgpack map whose key `t` names its type. Entity ids are `serial << 16 | slot`, wrapped to 32 bits.
Positions are metres in the world frame (z up); yaw is radians counter-clockwise from +x. Messages from the server
that carry `seq` are reliable: numbered from 1, kept until acknowledged, sent again after a resume.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec

PROTOCOL: Final = 1
"""Version of these messages; a client that says another one is refused."""
HOT: Final = 1
"""First byte of a message made of cell frames."""
RARE: Final = 2
"""First byte of a message made of one msgpack map."""
MAX_MESSAGE_BYTES: Final = 65_536
"""A client's message may not be longer."""
HELLO_ID: Final = 0
"""Stands for the hello in `Done.id`; clients count their own ids from 1."""
MAX_NAME: Final = 40
"""Characters in a visitor's name."""
MAX_TEXT: Final = 500
"""Characters in one chat line."""
HEARING_M: Final = 30.0
"""Chat is heard within this distance of its speaker."""


class _FromClient(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    """Base of what clients send: a field we don't know closes that client."""


class _FromServer(msgspec.Struct, frozen=True, tag_field="t"):
    """Base of what the server sends."""


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which stream to take up again.

    Attributes:
        session: The `Welcome.session` of the lost connection.
        seq: The last reliable message that arrived.
    """

    session: str
    seq: int


class Hello(_FromClient, frozen=True, tag="hello"):
    """First message of every connection.

    Attributes:
        protocol: Must equal `PROTOCOL`.
        name: What others call the visitor; sanitised, at most `MAX_NAME` characters.
        token: The secret of an earlier `Welcome.token`; None asks for a new account.
        resume: The stream to take up after a lost connection, if any.
    """

    protocol: int
    name: str
    token: str | None = None
    resume: Resume | None = None


class Steer(_FromClient, frozen=True, tag="steer"):
    """Where the visitor wants to go from now on; unreliable, at most 20 a second, the newest wins.

    Attributes:
        n: Counts up; an older one than the last is ignored.
        move: Wish in the body frame, forward and left, each -1..1 of walking (or running) speed.
        yaw: Wanted heading, radians in the world frame.
        gaze: Yaw and pitch of the eyes relative to the body, radians.
        run: True to run.
    """

    n: int
    move: tuple[float, float]
    yaw: float
    gaze: tuple[float, float] = (0.0, 0.0)
    run: bool = False


class Say(_FromClient, frozen=True, tag="say"):
    """Speaks; heard within `HEARING_M`. A text that begins with `@Name` addresses that NPC."""

    id: int
    text: str


class Use(_FromClient, frozen=True, tag="use"):
    """Uses a thing by node name, or with None the nearest one in reach."""

    id: int
    thing: str | None = None


class Gesture(_FromClient, frozen=True, tag="gesture"):
    """Plays an emote: 1 wave, 2 nod, 3 cheer, 4 point, 5 dance, 0 stops."""

    id: int
    emote: int


class Edit(_FromClient, frozen=True, tag="edit"):
    """Changes the world: `command` is the record of an `ecumene_world` command, its name under "command"."""

    id: int
    command: dict[str, Any]


class Build(_FromClient, frozen=True, tag="build"):
    """Asks for a district: generated beside the ticks, joined to the streets, put in; admins only, one at a time.

    `Building` tells how far it is, `Done` that it stands and is on disk.

    Attributes:
        id: The id the client chose.
        kind: What, such as `cafe` or `town`.
        seed: Another one makes another.
        tags: Wishes that the kind knows.
        size_m: Its edge, metres; None for the usual one.
        at: x, y of its middle, metres; None for a free plot beside what is there.
    """

    id: int
    kind: str
    seed: int = 0
    tags: list[str] = []
    size_m: float | None = None
    at: tuple[float, float] | None = None


class Abandon(_FromClient, frozen=True, tag="abandon"):
    """Gives up the district that is being built, unless it is being put in already; admins only."""

    id: int


class Inspect(_FromClient, frozen=True, tag="inspect"):
    """Opens an avatar's mind (by entity id) or a node of the scene graph (by name); exactly one is given."""

    id: int
    entity: int | None = None
    node: str | None = None


class Ack(_FromClient, frozen=True, tag="ack"):
    """Every reliable message up to `seq` has arrived."""

    seq: int


class Ping(_FromClient, frozen=True, tag="ping"):
    """Asks for a `Pong`; `sent` is the client's own clock in milliseconds and comes back unchanged."""

    sent: float


class Bye(_FromClient, frozen=True, tag="bye"):
    """Leaves for good: the avatar despawns now instead of waiting for a resume."""


class Thing(msgspec.Struct, frozen=True):
    """A thing that can be used.

    Attributes:
        i: Index used by `ThingChanged.i`.
        name: Node name in the scene graph.
        title: What to show people.
        kind: Kind code, a key of `Welcome.palette`.
        state: 0 closed, off or untouched; 1 open, on or pressed.
        position: Metres, world frame.
        yaw: Radians.
        level: Storey.
        interaction: 1 sit, 2 open, 3 pick up, 4 press, 5 read, 6 lie.
        holder: Entity id of who carries it, or one end of it, or -1.
        partner: Entity id of who carries the other end, or -1.
    """

    i: int
    name: str
    title: str
    kind: int
    state: int
    position: tuple[float, float, float]
    yaw: float
    level: int
    interaction: int
    holder: int = -1
    partner: int = -1


class Person(msgspec.Struct, frozen=True):
    """An avatar: NPC or visitor.

    Attributes:
        id: Entity id, as in cell frames.
        key: Stable key that outlives respawns, such as `npc:17`.
        title: Name to show.
        kind: 200 NPC, 201 visitor.
        look: Seed of the appearance.
    """

    id: int
    key: str
    title: str
    kind: int
    look: int


class Welcome(_FromServer, frozen=True, tag="welcome"):
    """Answers `Hello`: everything a client needs besides the scene file.

    Attributes:
        session: Name of this stream, for `Resume`.
        token: Secret of the account; keep it, send it in the next `Hello`.
        epoch: Counts server starts; cell frames of another epoch are stale.
        tick: Current tick.
        tick_hz: Ticks per second.
        server_ms: Server clock now, milliseconds since it opened.
        world: Name of the world.
        scene: URL path of the GLB, with its hash.
        entity: Own entity id.
        role: 0 visitor, 1 builder, 2 admin.
        cell_m: Edge of an interest cell.
        bounds: Lowest x, y and highest x, y of the walkable grid, metres.
        position: Where the own avatar stands, metres.
        yaw: Its heading.
        palette: Kind code as decimal text to kind name.
        attribution: Lines that must be shown about the world's data.
        things: Everything usable; empty when resumed.
        people: Everybody alive; empty when resumed.
        seq: Reliable messages with a higher number follow.
        resumed: True when the old stream goes on: missed messages follow, nothing else changed.
    """

    session: str
    token: str
    epoch: int
    tick: int
    tick_hz: int
    server_ms: float
    world: str
    scene: str
    entity: int
    role: int
    cell_m: float
    bounds: tuple[float, float, float, float]
    position: tuple[float, float, float]
    yaw: float
    palette: dict[str, str]
    attribution: list[str]
    things: list[Thing]
    people: list[Person]
    seq: int
    resumed: bool


class Joined(_FromServer, frozen=True, tag="joined"):
    """An avatar appeared, anywhere in the world."""

    seq: int
    id: int
    key: str
    title: str
    kind: int
    look: int


class Left(_FromServer, frozen=True, tag="left"):
    """An avatar is gone."""

    seq: int
    id: int


class Said(_FromServer, frozen=True, tag="said"):
    """Somebody within earshot spoke.

    Attributes:
        seq: Place in the reliable stream.
        id: Entity id of the speaker.
        title: The speaker's name at that moment.
        text: What was said; plain text, never markup.
    """

    seq: int
    id: int
    title: str
    text: str


class ThingChanged(_FromServer, frozen=True, tag="thing"):
    """A thing's state, holders or place changed; fields as in `Thing`, but a yaw of None is the one it had."""

    seq: int
    i: int
    state: int
    holder: int
    position: tuple[float, float, float]
    partner: int = -1
    yaw: float | None = None


class Happened(_FromServer, frozen=True, tag="event"):
    """Something else happened: a reading arrived, the world was edited, an alarm rang.

    Attributes:
        seq: Place in the reliable stream.
        name: Kind of event, such as `reading` or `edited`.
        subject: Avatar key or node name.
        object: The other party, or empty.
        data: Details, plain JSON values.
    """

    seq: int
    name: str
    subject: str
    object: str
    data: dict[str, Any]


class Done(_FromServer, frozen=True, tag="done"):
    """Answers the client's message of that `id`.

    Attributes:
        seq: Place in the reliable stream.
        id: The id the client chose; `HELLO_ID` when there is something to say about its hello.
        ok: True when it happened; for durable requests only once its record is on disk.
        error: One sentence when it did not happen, else None.
        text: What reading a thing showed, else None.
    """

    seq: int
    id: int
    ok: bool
    error: str | None = None
    text: str | None = None


class Building(_FromServer, frozen=True, tag="building"):
    """How far the district is that was asked for with `Build`.

    Attributes:
        seq: Place in the reliable stream.
        id: Of the `Build`.
        kind: What is built.
        seed: With which seed.
        doing: What is being done.
        share: How much of the whole is done, 0..1.
        at: x, y of its entrance, metres, once it is put in.
    """

    seq: int
    id: int
    kind: str
    seed: int
    doing: str
    share: float
    at: tuple[float, float] | None = None


class Scene(_FromServer, frozen=True, tag="scene"):
    """The scene was edited: fetch the GLB again; `things` replaces the list of `Welcome`."""

    seq: int
    url: str
    hash: str
    things: list[Thing]


class Noticed(msgspec.Struct, frozen=True):
    """Something a mind perceives or attends to.

    Attributes:
        sense: `vision`, `hearing`, `touch` or `neighbour`.
        title: What it is.
        distance_m: How far away; -1 when unknown.
        weight: Share of attention, 0..1.
    """

    sense: str
    title: str
    distance_m: float
    weight: float


class Picture(msgspec.Struct, frozen=True):
    """What an avatar sees now, row by row from the top left.

    Attributes:
        rows: Rays from top to bottom.
        columns: Rays from left to right.
        depth: One byte a ray: 0 near .. 255 at `far_m`.
        kind: One byte a ray: vision category.
        far_m: Depth of 255.
    """

    rows: int
    columns: int
    depth: bytes
    kind: bytes
    far_m: float


class Mind(msgspec.Struct, frozen=True):
    """An NPC's mind, opened.

    Attributes:
        driver: Who decides: `fusion`, `scripted`, `person` or `none`.
        persona: Who it is, one or two sentences.
        intent: What it wants now, one sentence.
        reason: Why, one sentence.
        goal: Where it is heading, metres; None without a goal.
        needs: Need to satisfaction, 0..1.
        senses: Sense to whether it is present.
        contribution: Expert (self or a sense) to its share in the last decision, 0..1; empty without a network.
        attention: What the network looked at to its share, 0..1; empty without a network.
        effects: Sense to how much the decision would change without it, nats.
        proposals: Expert to the move it proposed, ahead and left, -1..1.
        noticed: What it perceives, most attended first.
        remembers: Recent memories, newest first.
        action: Last decision: move ahead and left -1..1, turn in parts of a half turn; empty before the first.
        vision: What it sees, or None without that sense.
        hearing: Left and right ear, one byte a mel band (0..255), or None.
        bands: Number of mel bands of one ear.
        touch: Newtons on 8 body sectors from ahead counter-clockwise, then the hand.
    """

    driver: str
    persona: str
    intent: str
    reason: str
    goal: tuple[float, float, float] | None
    needs: dict[str, float]
    senses: dict[str, bool]
    contribution: dict[str, float]
    attention: dict[str, float]
    effects: dict[str, float]
    proposals: dict[str, tuple[float, float]]
    noticed: list[Noticed]
    remembers: list[str]
    action: list[float]
    vision: Picture | None
    hearing: bytes | None
    bands: int
    touch: list[float]


class Inspected(_FromServer, frozen=True, tag="inspected"):
    """Answers `Inspect`; unreliable, ask again when it is lost.

    Attributes:
        id: The id the client chose.
        tick: When this was true.
        title: What was inspected.
        kind: Its kind code.
        entity: Entity id of an avatar, else None.
        node: Node name of a thing or place, else None.
        facts: Label to value, in the order to show.
        mind: An NPC's mind, else None.
        error: One sentence when there is nothing to show, else None.
    """

    id: int
    tick: int
    title: str = ""
    kind: int = 0
    entity: int | None = None
    node: str | None = None
    facts: dict[str, str] = {}
    mind: Mind | None = None
    error: str | None = None


class Pong(_FromServer, frozen=True, tag="pong"):
    """Answers `Ping`.

    Attributes:
        sent: As the client sent it.
        tick: Current tick.
        server_ms: Milliseconds since the server opened.
    """

    sent: float
    tick: int
    server_ms: float


class Refused(_FromServer, frozen=True, tag="refused"):
    """Why this connection is closed now, one sentence; the close code follows."""

    reason: str


class Closing(_FromServer, frozen=True, tag="closing"):
    """The server stops; come back after `retry_s`."""

    reason: str
    retry_s: float


ClientMessage: TypeAlias = Hello | Steer | Say | Use | Gesture | Edit | Build | Abandon | Inspect | Ack | Ping | Bye
ServerMessage: TypeAlias = (
    Welcome
    | Joined
    | Left
    | Said
    | ThingChanged
    | Happened
    | Done
    | Building
    | Scene
    | Inspected
    | Pong
    | Refused
    | Closing
)
Reliable: TypeAlias = Joined | Left | Said | ThingChanged | Happened | Done | Building | Scene

_PREFIX: Final = bytes([RARE])
_encoder: Final = msgspec.msgpack.Encoder()
_from_client: Final[msgspec.msgpack.Decoder[ClientMessage]] = msgspec.msgpack.Decoder(ClientMessage)
_from_server: Final[msgspec.msgpack.Decoder[ServerMessage]] = msgspec.msgpack.Decoder(ServerMessage)


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """Returns one WebSocket message: `RARE`, then msgpack."""
    return _PREFIX + _encoder.encode(message)


def decode_client(data: bytes) -> ClientMessage:
    """Returns the message in the bytes of one WebSocket message from a client.

    Raises:
        ValueError: They are empty, not `RARE`, not msgpack, or no message that clients may send.
    """
    _check_prefix(data)
    return _from_client.decode(memoryview(data)[1:])


def decode_server(data: bytes) -> ServerMessage:
    """Returns the message in the bytes of one WebSocket message from a server.

    Raises:
        ValueError: They are empty, not `RARE`, not msgpack, or no message that servers send.
    """
    _check_prefix(data)
    return _from_server.decode(memoryview(data)[1:])


def _check_prefix(data: bytes) -> None:
    if not data or data[0] != RARE:
        raise ValueError(f"message begins with {data[:1]!r} where byte {RARE} is expected")
