"""Everything that changes each tick, as one struct of preallocated tensors.

Shapes: B worlds, C avatar slots, O things (rows of `Layout.thing_*`). A slot is reused after its avatar has left;
`serial` tells the two apart, so `(slot, serial)` names an avatar for good.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from ecumene_world.layout import Layout

TICK_HZ: Final = 20
"""Ticks a second."""
DT: Final = 1.0 / TICK_HZ
"""Seconds a tick."""
MAX_SLOTS: Final = 1 << 16
"""Most avatar slots a world can have; a slot number takes the low 16 bits of an entity id."""
OF_PAIRS: Final = frozenset({"thing_partner", "thing_span", "thing_yaw"})
"""Columns about things that two carry. They are as `State.empty` makes them until two have carried something; snapshots
without them are read as such, and digests leave them out until then."""


class Posture(IntEnum):
    """How an avatar holds its body."""

    STAND = 0
    SIT = 1
    LIE = 2


class Emote(IntEnum):
    """A short gesture of the whole body."""

    NONE = 0
    WAVE = 1
    NOD = 2
    CHEER = 3
    POINT = 4
    DANCE = 5


class Sound(IntEnum):
    """What a source sounds like."""

    SILENCE = 0
    FOOTSTEP = 1
    SPEECH = 2
    DOOR = 3
    ALARM = 4
    MUSIC = 5
    BELL = 6
    CALL = 7
    BUMP = 8


class Verb(IntEnum):
    """What an avatar intends."""

    WAIT = 0
    GO = 1
    FOLLOW = 2
    SIT = 3
    GREET = 4
    AVOID = 5
    FIND = 6
    COME = 7
    LEAVE = 8
    HAND_OVER = 9
    QUEUE = 10
    GATHER = 11
    WORK = 12
    CARRY = 13


def _column(shape: str, dtype: torch.dtype = torch.float32, fill: float = 0) -> dict[str, object]:
    """Returns metadata of a tensor with one axis per letter or digit of `shape` that starts out as `fill`."""
    return {"shape": shape, "dtype": dtype, "fill": fill}


_I64, _BOOL = torch.int64, torch.bool


@dataclass(slots=True, eq=False)
class State:
    """The mutable half of a world; positions in metres, world frame, angles in radians.

    Rows of slots that are not `alive` hold what their last avatar left behind and mean nothing.
    """

    tick: Tensor = field(metadata=_column("B", _I64))
    """(B,) ticks since the world began."""

    alive: Tensor = field(metadata=_column("BC", _BOOL))
    """(B, C) whether an avatar holds the slot. Set by Spawn and Despawn."""
    serial: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) how many avatars the slot has had; grows by one at each spawn."""
    kind: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) kind code, 200 npc or 201 visitor."""
    look: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) seed of the avatar's body and colours."""

    position: Tensor = field(metadata=_column("BC3"))
    """(B, C, 3) metres, where the feet stand."""
    velocity: Tensor = field(metadata=_column("BC3"))
    """(B, C, 3) metres per second, world frame."""
    yaw: Tensor = field(metadata=_column("BC"))
    """(B, C) heading of the body, radians counter-clockwise from +x."""
    yaw_rate: Tensor = field(metadata=_column("BC"))
    """(B, C) radians per second."""
    gaze: Tensor = field(metadata=_column("BC2"))
    """(B, C, 2) yaw and pitch of the head relative to the body, radians; positive pitch looks up."""
    level: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) storey of the walkable grid."""
    posture: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) a `Posture`."""
    radius: Tensor = field(metadata=_column("BC", fill=0.25))
    """(B, C) of the body, metres."""
    height: Tensor = field(metadata=_column("BC", fill=1.72))
    """(B, C) of the body, metres."""
    mass: Tensor = field(metadata=_column("BC", fill=70.0))
    """(B, C) kilograms."""
    max_speed: Tensor = field(metadata=_column("BC", fill=1.4))
    """(B, C) walking speed at full stick, metres per second."""

    desired_velocity: Tensor = field(metadata=_column("BC2"))
    """(B, C, 2) wanted velocity, world frame, metres per second. Set by Steer and by actions."""
    target_yaw: Tensor = field(metadata=_column("BC"))
    """(B, C) wanted heading, radians."""
    target_gaze: Tensor = field(metadata=_column("BC2"))
    """(B, C, 2) wanted gaze, yaw and pitch relative to the body, radians."""
    interact: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) pending wish to use a thing: 0 none, 1 the nearest, 2 + thing index."""
    emote: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) an `Emote`."""
    emote_left: Tensor = field(metadata=_column("BC"))
    """(B, C) seconds until the emote ends."""

    contact: Tensor = field(metadata=_column("BC8"))
    """(B, C, 8) newtons on each 45° sector of the body; sector 0 is centred ahead, then counter-clockwise."""
    touch_hand: Tensor = field(metadata=_column("BC"))
    """(B, C) newtons felt by the hand."""

    sound: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) a `Sound` the avatar makes."""
    sound_age: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) ticks since that sound began."""
    loudness: Tensor = field(metadata=_column("BC"))
    """(B, C) dB at one metre."""

    seat: Tensor = field(metadata=_column("BC", _I64, -1))
    """(B, C) seat index sat or lain on, else -1."""
    held: Tensor = field(metadata=_column("BC", _I64, -1))
    """(B, C) thing index carried, else -1."""

    verb: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) a `Verb`."""
    goal: Tensor = field(metadata=_column("BC3"))
    """(B, C, 3) where the intent ends, metres."""
    goal_level: Tensor = field(metadata=_column("BC", _I64))
    """(B, C) storey of the goal."""
    waypoint: Tensor = field(metadata=_column("BC3"))
    """(B, C, 3) the next point to head for on the way to the goal, metres."""
    target: Tensor = field(metadata=_column("BC", _I64, -1))
    """(B, C) slot of the other avatar an intent is about, else -1."""
    place: Tensor = field(metadata=_column("BC", _I64, -1))
    """(B, C) place index an intent is about, -1 for none, -1 - c for anything of `Category` c that is to be found."""
    needs: Tensor = field(metadata=_column("BC4", fill=1.0))
    """(B, C, 4) rest, food, company, fun; 1 is satisfied, 0 is empty."""
    sense_present: Tensor = field(metadata=_column("BC3", _BOOL, fill=1))
    """(B, C, 3) whether the avatar has vision, hearing, touch."""

    thing_state: Tensor = field(metadata=_column("BO", _I64))
    """(B, O) open or closed, on or off, ...; 0 is the rest state."""
    thing_holder: Tensor = field(metadata=_column("BO", _I64, -1))
    """(B, O) slot of the avatar that carries the thing, or one end of it, else -1."""
    thing_position: Tensor = field(metadata=_column("BO3"))
    """(B, O, 3) metres."""
    thing_timer: Tensor = field(metadata=_column("BO"))
    """(B, O) seconds until the thing returns to rest by itself; 0 never."""
    thing_sound: Tensor = field(metadata=_column("BO", _I64))
    """(B, O) a `Sound` the thing makes."""
    thing_sound_age: Tensor = field(metadata=_column("BO", _I64))
    """(B, O) ticks since that sound began."""
    thing_partner: Tensor = field(metadata=_column("BO", _I64, -1))
    """(B, O) slot of the avatar that carries the other end of a thing that takes two, else -1."""
    thing_span: Tensor = field(metadata=_column("BO"))
    """(B, O) metres between the two who carry the thing, or last did, when they took hold of it; 0 if nobody has."""
    thing_yaw: Tensor = field(metadata=_column("BO"))
    """(B, O) heading, radians, of things that take two: along their length. Others have that of the layout."""

    @classmethod
    def empty(cls, worlds: int, slots: int, layout: Layout, device: torch.device | str = "cpu") -> State:
        """Returns a state without avatars whose things are at rest where the layout has them."""
        assert 1 <= slots <= MAX_SLOTS, f"slots must be 1..{MAX_SLOTS}, not {slots}"
        sizes = {"B": worlds, "C": slots, "O": len(layout.thing_row)}
        state = cls(**{f.name: _allocated(f, sizes, device) for f in fields(cls)})
        state.thing_state.copy_(layout.thing_state0.expand(worlds, -1))
        state.thing_position.copy_(layout.thing_position.expand(worlds, -1, -1))
        state.thing_yaw.copy_(layout.thing_yaw.expand(worlds, -1))
        return state

    @property
    def worlds(self) -> int:
        """B, how many worlds run side by side."""
        return self.alive.shape[0]

    @property
    def slots(self) -> int:
        """C, how many avatars fit into each world."""
        return self.alive.shape[1]

    @property
    def device(self) -> torch.device:
        """Where all tensors are."""
        return self.alive.device

    def fields(self) -> dict[str, Tensor]:
        """Returns every tensor by its name, in the order of declaration; the tensors themselves, not copies."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def clone(self) -> State:
        """Returns a deep copy."""
        return State(**{name: tensor.clone() for name, tensor in self.fields().items()})

    def with_slots(self, slots: int) -> State:
        """Returns a deep copy with more avatar slots; those that are new are free."""
        assert self.slots <= slots <= MAX_SLOTS, f"slots must be {self.slots}..{MAX_SLOTS}, not {slots}"
        wider = self.clone()
        for each in fields(State):
            if each.metadata["shape"].startswith("BC"):
                column: Tensor = getattr(self, each.name)
                new = column.new_full((self.worlds, slots - self.slots, *column.shape[2:]), each.metadata["fill"])
                setattr(wider, each.name, torch.cat([column, new], dim=1))
        return wider

    def copy_(self, other: State) -> State:
        """Overwrites every tensor in place with those of `other`, which must have the same shapes; returns self."""
        for name, tensor in self.fields().items():
            tensor.copy_(getattr(other, name))
        return self

    def to(self, device: torch.device | str) -> State:
        """Returns this state on a device; tensors already there are shared."""
        return State(**{name: tensor.to(device) for name, tensor in self.fields().items()})

    def entity_id(self, world: int, slot: int) -> int:
        """Returns `serial << 16 | slot`, which no later avatar of that slot will have again."""
        return int(self.serial[world, slot]) << 16 | slot

    @classmethod
    def is_per_slot(cls, name: str) -> bool:
        """Tells whether a column has a row for each avatar slot, (B, C, ...)."""
        return any(each.name == name and each.metadata["shape"].startswith("BC") for each in fields(cls))

    def reset_slot(self, world: int, slot: int) -> None:
        """Puts every column of a slot back to its initial value, except its serial."""
        for f in fields(self):
            if f.metadata["shape"].startswith("BC") and f.name != "serial":
                getattr(self, f.name)[world, slot] = f.metadata["fill"]


def _allocated(spec: Field[Any], sizes: dict[str, int], device: torch.device | str) -> Tensor:
    """Returns a filled tensor for one field; letters of its shape are looked up in `sizes`."""
    shape = [sizes.get(axis) or (0 if axis in sizes else int(axis)) for axis in spec.metadata["shape"]]
    return torch.full(shape, spec.metadata["fill"], dtype=spec.metadata["dtype"], device=device)
