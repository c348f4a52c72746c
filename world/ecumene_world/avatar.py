"""Avatars: who holds a slot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Avatar:
    """A body in the world, steered by a mind or a person.

    Attributes:
        key: Stable name, such as "npc:17" or "visitor:ada"; unique among all avatars of a `World`.
        world: Index of the world, 0..B-1.
        slot: Row of the state, 0..C-1.
        serial: Which avatar of that slot this is, 1 for the first.
        title: What people call it.
        role: What it does for a living, "" if nothing.
        kind: Kind code, 200 npc or 201 visitor.
        look: Seed of its body and colours.
    """

    key: str
    world: int
    slot: int
    serial: int
    title: str
    role: str
    kind: int
    look: int

    @property
    def entity(self) -> int:
        """`serial << 16 | slot`, the avatar's number on the wire."""
        return self.serial << 16 | self.slot
