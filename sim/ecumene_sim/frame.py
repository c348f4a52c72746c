"""What goes into a tick and what comes out of it: Actions, Senses, Frame.

B worlds, C avatar slots, A avatars that decide now, K neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.errors import ActionsError
from ecumene_world.event import Event
from ecumene_world.state import State

ACTION_WIDTH: Final = 8
MAX_TURN: Final = math.pi
"""Wanted change of heading at full scale, radians."""
MAX_GAZE: Final = (1.2, 0.8)
"""Gaze yaw and pitch at full scale, radians."""
ROWS: Final = 8
COLUMNS: Final = 24
FAR_M: Final = 30.0
"""Vision reports this depth where it sees nothing nearer."""
NEIGHBOURS: Final = 8
NEIGHBOUR_WIDTH: Final = 12
RELATIONS: Final = ("inside", "on", "next_to", "facing", "against_wall", "door_to", "part_of", "holds")
"""How a neighbour is related, in the order of the last axis of `Senses.relations`; all but the last are words of the
scene graph, see `ecumene_world.graph.RELATIONS`."""
EARS: Final = 2
SOUND_FRAMES: Final = 8
BANDS: Final = 16
TOUCH_WIDTH: Final = 10
BODY_WIDTH: Final = 12
GOAL_WIDTH: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Actions:
    """What A avatars decided, as bytes: a recording's bytes are the decision itself.

    Attributes:
        slots: (A,) i64, distinct; the same slots in every world.
        raw: (B, A, 8) i8: move x, move y (body frame, /127 × max speed), turn (/127 × π, wanted change of heading
            from now), gaze yaw (/127 × 1.2 rad), gaze pitch (/127 × 0.8 rad, up positive), interact (0, 1),
            emote (0..5), speak (0 none, 1 a greeting that is heard as speech).
    """

    slots: Tensor
    raw: Tensor

    def __post_init__(self) -> None:
        if self.slots.ndim != 1 or self.slots.dtype != torch.int64:
            raise ActionsError(f"slots must be (A,) int64, not {tuple(self.slots.shape)} {self.slots.dtype}")
        shape = tuple(self.raw.shape)
        if self.raw.dtype != torch.int8 or len(shape) != 3 or shape[1:] != (len(self.slots), ACTION_WIDTH):
            raise ActionsError(f"raw must be (B, {len(self.slots)}, {ACTION_WIDTH}) int8, not {shape} {self.raw.dtype}")

    @classmethod
    def none(cls, device: torch.device | str = "cpu", *, worlds: int = 1) -> Actions:
        """Returns actions of nobody: everyone goes on as before."""
        slots = torch.zeros(0, dtype=torch.int64, device=device)
        return cls(slots, torch.zeros((worlds, 0, ACTION_WIDTH), dtype=torch.int8, device=device))

    @classmethod
    def from_floats(
        cls,
        slots: Tensor,
        move: Tensor,
        turn: Tensor | None = None,
        gaze: Tensor | None = None,
        interact: Tensor | None = None,
        emote: Tensor | None = None,
        speak: Tensor | None = None,
    ) -> Actions:
        """Returns actions quantised to bytes; shares are clamped to −1..1.

        Args:
            slots: (A,) i64.
            move: (B, A, 2) share of the maximum speed, body frame.
            turn: (B, A) share of π.
            gaze: (B, A, 2) shares of 1.2 and 0.8 rad.
            interact: (B, A) 0 or 1.
            emote: (B, A) 0..5.
            speak: (B, A) 0 or 1.
        """
        raw = torch.zeros((*move.shape[:2], ACTION_WIDTH), dtype=torch.int8, device=move.device)
        raw[..., 0:2] = _quantised(move)
        if turn is not None:
            raw[..., 2] = _quantised(turn)
        if gaze is not None:
            raw[..., 3:5] = _quantised(gaze)
        for column, choice in ((5, interact), (6, emote), (7, speak)):
            if choice is not None:
                raw[..., column] = choice.to(torch.int8)
        return cls(slots, raw)


def _quantised(share: Tensor) -> Tensor:
    """Returns shares −1..1 as i8 −127..127."""
    return (share.clamp(-1.0, 1.0) * 127.0).round().to(torch.int8)


@dataclass(frozen=True, slots=True, eq=False)
class Senses:
    """What A avatars sense, from their own point of view (ego frame: +x ahead of the body, +y to its left).

    A sense that an avatar lacks, or that was not asked for, is blank: vision far and SKY, hearing and touch zero, and
    its flag in `present` is False.
    """

    slots: Tensor
    """(A,) i64."""
    vision_depth: Tensor
    """(B, A, 8, 24) f32 metres along the ray, 0..30; row 0 looks up, column 0 looks left; 150° × 60°, follows gaze."""
    vision_kind: Tensor
    """(B, A, 8, 24) u8 `Category`."""
    hearing: Tensor
    """(B, A, 2, 8, 16) f32 left and right ear, 8 frames of 50 ms (oldest first), 16 mel bands; 0 is 20 dB, 1 is 100."""
    touch: Tensor
    """(B, A, 10) f32 units of 100 N: 8 body sectors counter-clockwise from ahead, hand, load on the feet."""
    body: Tensor
    """(B, A, 12) f32: forward and left velocity (m/s), yaw rate (rad/s), gaze yaw and pitch (rad), sitting, lying,
    holding (0/1), needs: rest, food, company, fun (0..1)."""
    neighbours: Tensor
    """(B, A, 8, 12) f32, nearest first, zero padded: dx, dy, dz, dvx, dvy (ego frame, m and m/s), distance, radius,
    cos and sin of its heading relative to mine, is visitor, is my target, is speaking."""
    neighbour_slot: Tensor
    """(B, A, 8) i64, -1 padded."""
    relations: Tensor
    """(B, A, 8, 8) bool, how each neighbour is related, in the order of `RELATIONS`; False where there is none.

    inside: the smallest place whose radius reaches it is also mine. on: it sits or lies on a thing. next_to: it stands
    within a metre of the point where my intent ends, which is on my storey, and I know where. facing: its body is
    turned to me, give or take 30°. against_wall: something taller than 1.5 m is within half a metre. door_to: it
    stands within half a metre of a door's closed leaf. part_of: the thing that it sits on, or else holds, is the one
    that I sit on, or else hold. holds: it has a thing, or an end of one, in its hands. Walls, doors and places are
    looked up at the nearest node of the grid."""
    goal: Tensor
    """(B, A, 6) f32: waypoint dx, dy (ego, m), its distance, distance of the goal (m), levels to climb, has a goal.

    Who finds, comes or leaves without knowing where to has no goal. If it knows what sort of thing it seeks, the bits
    of that `Category`, lowest first, stand in columns 0, 1, 3 and 4 as -1 or 1, and column 2 is 1; else all are 0."""
    verb: Tensor
    """(B, A) i64 `Verb`."""
    present: Tensor
    """(B, A, 3) bool: vision, hearing, touch."""
    serial: Tensor
    """(B, A) i64, which avatar of its slot it is: who decides with memory forgets when this changes."""


@dataclass(slots=True, eq=False)
class Frame:
    """One tick's outcome; reward, done, left and metrics are blank until a scenario scores it."""

    tick: int
    """Ticks that world 0 has lived."""
    state: State
    """Read-only by agreement."""
    collisions: Tensor
    """(B, C) i64 other avatars pressed against in this tick."""
    outcome: Tensor
    """(B, C) i64 `Outcome` of what each avatar tried with its hands or body."""
    outcome_thing: Tensor
    """(B, C) i64 thing index, -1 none."""
    outcome_other: Tensor
    """(B, C) i64 slot of the avatar handed to, -1 none."""
    reward: Tensor
    """(B, C) f32."""
    done: Tensor
    """(B,) bool: this world's episode ended."""
    left: Tensor
    """(B, C) bool: agents whose episode ends with this tick."""
    events: tuple[Event, ...] = ()
    """What happened, in order of slots; only made when the engine is `eventful`."""
    metrics: dict[str, Tensor] = field(default_factory=dict)
    """(B,) each."""
