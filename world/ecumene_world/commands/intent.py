"""What a slow mind, or a builder, wants an avatar to do."""
# ruff: noqa: D102 - `Command` says what limits, possible and apply do.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecumene_world.commands.base import Command, Role, avatar, check_point, command, require
from ecumene_world.event import Event
from ecumene_world.kinds import Category
from ecumene_world.pose import Vector3
from ecumene_world.state import Verb

if TYPE_CHECKING:
    from ecumene_world.world import World


@command("intent", Role.BUILDER)
@dataclass(frozen=True, slots=True)
class SetIntent(Command):
    """An avatar gets an intent, about at most one of a place, another avatar or a point.

    What is `sought` the avatar knows by looks alone: a point then says where it is, and senses don't.

    Attributes:
        key: Whose.
        verb: What to do.
        place: Node name of a place to do it at.
        target: Key of another avatar to do it with.
        point: Where to do it, metres.
        sought: What sort of thing it is about, wherever that is.
    """

    key: str
    verb: Verb
    place: str | None = None
    target: str | None = None
    point: Vector3 | None = None
    sought: Category | None = None

    def limits(self) -> None:
        given = [about for about in (self.place, self.target, self.point) if about is not None]
        require(len(given) <= 1, "an intent is about a place, another avatar or a point, not several of them")
        if self.point is not None:
            check_point(self.point, "point")
        if self.sought is not None:
            alone = self.place is None and self.target is None and self.sought is not Category.SKY
            require(
                alone, "what is sought is a category other than sky, and an intent about it names no place or avatar"
            )

    def possible(self, world: World) -> None:
        avatar(world, self.key, self.world)
        if self.place is not None:
            world.place(self.place)
        if self.target is not None:
            other = avatar(world, self.target, self.world)
            require(other.key != self.key, f"avatar {self.key!r} can't be the target of its own intent")

    def apply(self, world: World) -> list[Event]:
        state, row = world.state, (self.world, avatar(world, self.key, self.world).slot)
        place = -1 - int(self.sought or 0) if self.place is None else world.place(self.place)
        target = -1 if self.target is None else avatar(world, self.target, self.world).slot
        state.verb[row], state.place[row], state.target[row] = int(self.verb), place, target
        if place >= 0:
            state.goal[row], state.goal_level[row] = world.layout.place_position[place], world.layout.place_level[place]
        elif target >= 0:
            other = (self.world, target)
            state.goal[row], state.goal_level[row] = state.position[other], state.level[other]
        elif self.point is not None:
            state.goal[row], state.goal_level[row] = state.goal.new_tensor(self.point), world.level_at(self.point)
        else:
            state.goal[row], state.goal_level[row] = state.position[row], state.level[row]
        state.waypoint[row] = state.goal[row]
        return []
