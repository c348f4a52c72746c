"""Commands about an avatar's body: coming, going, steering, using, gesturing, talking."""
# ruff: noqa: D102 - `Command` says what limits, possible and apply do.

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import TYPE_CHECKING, Final, Literal

import torch

from ecumene_world.commands.base import Command, Role, avatar, check_key, check_point, command, require
from ecumene_world.event import Event
from ecumene_world.kinds import kind_named
from ecumene_world.plain import shown
from ecumene_world.pose import Vector3
from ecumene_world.state import Emote, Sound

if TYPE_CHECKING:
    from ecumene_world.world import World

MAX_SPEECH: Final = 500
"""Longest thing to say, characters."""
RUN_SPEED: Final = 3.0
"""Metres per second of a running visitor."""
SPEECH_DB: Final = 60.0
"""Loudness of speech at one metre."""
CALL_DB: Final = 78.0
"""Loudness of a call at one metre."""
EMOTE_S: Final = 2.5
"""How long an emote lasts, seconds."""
MAX_GAZE: Final = (1.2, 0.8)
"""How far the head turns and nods, radians."""


@command("spawn", Role.SYSTEM, durable=True)
@dataclass(frozen=True, slots=True)
class Spawn(Command):
    """An avatar appears.

    Attributes:
        key: Stable avatar key.
        kind: "npc" or "visitor".
        position: Where, metres; None for a free spawn point.
        yaw: Heading, radians; None for the spawn point's.
        title: What people call it; "" for its key.
        look: Seed of its body and colours.
        role: What it does for a living.
        max_speed: Walking speed, metres per second.
    """

    key: str
    kind: Literal["npc", "visitor"] = "npc"
    position: Vector3 | None = None
    yaw: float | None = None
    title: str = ""
    look: int = 0
    role: str = ""
    max_speed: float = 1.4

    def limits(self) -> None:
        check_key(self.key)
        require(len(self.title) <= 120, f"a title of {len(self.title)} characters is too long; 120 are allowed")
        require(len(self.role) <= 60, f"a role of {len(self.role)} characters is too long; 60 are allowed")
        require(0 < self.max_speed <= 10, f"a walking speed of {self.max_speed} m/s is not in 0..10")
        if self.position is not None:
            check_point(self.position, "position")

    def possible(self, world: World) -> None:
        require(self.key not in world.avatars, f"avatar {self.key!r} is here already")
        require(world.free_slot(self.world) is not None, f"the world is full: all {world.state.slots} places are taken")
        if self.position is not None:
            require(world.standable(self.position), f"nobody can stand at {shown(self.position)}")

    def apply(self, world: World) -> list[Event]:
        position, level, yaw = world.arrival(self.world, self.position)
        slot = world.take_slot(self.world)
        state, row = world.state, (self.world, slot)
        state.kind[row] = kind_named(self.kind).code
        state.look[row] = self.look
        for column in (state.position, state.goal, state.waypoint):
            column[row] = column.new_tensor(position)
        state.level[row] = state.goal_level[row] = level
        state.yaw[row] = state.target_yaw[row] = yaw if self.yaw is None else self.yaw
        state.max_speed[row] = self.max_speed
        who = world.enrol(self.key, self.world, slot, title=self.title or self.key, role=self.role, look=self.look)
        return [world.event("spawned", self.key, data={"entity": who.entity, "title": who.title}, at=self)]


@command("despawn", Role.SYSTEM, durable=True)
@dataclass(frozen=True, slots=True)
class Despawn(Command):
    """An avatar leaves; what it carried stays where it was."""

    key: str

    def possible(self, world: World) -> None:
        avatar(world, self.key, self.world)

    def apply(self, world: World) -> list[Event]:
        who = avatar(world, self.key, self.world)
        event = world.event("despawned", self.key, data={"entity": who.entity}, at=self)
        world.vacate(who)
        return [event]


@command("steer", Role.VISITOR, own=True)
@dataclass(frozen=True, slots=True)
class Steer(Command):
    """A person's stick and head; holds until the next one.

    Attributes:
        key: Whose body.
        move: Forward and left in the frame of `yaw`, -1..1 each; longer than 1 is cut to 1.
        yaw: Wanted heading, radians.
        gaze: Wanted yaw and pitch of the head relative to the body, radians.
        run: Whether to run; only visitors can.
    """

    key: str
    move: tuple[float, float]
    yaw: float
    gaze: tuple[float, float] = (0.0, 0.0)
    run: bool = False

    def limits(self) -> None:
        if max(map(abs, self.move)) <= 1 and abs(self.yaw) <= 100 * pi and max(map(abs, self.gaze)) <= pi:
            return  # most commands are of this kind, and sentences take longer to write than numbers to compare
        require(max(map(abs, self.move)) <= 1, f"move {self.move} must lie in -1..1")
        require(abs(self.yaw) <= 100 * pi, f"yaw {self.yaw} is beyond fifty turns")
        require(max(map(abs, self.gaze)) <= pi, f"gaze {self.gaze} must lie in -π..π")

    def possible(self, world: World) -> None:
        avatar(world, self.key, self.world)

    def apply(self, world: World) -> list[Event]:
        steer(world, [self])
        return []

    def wanted(self, most: float) -> tuple[float, float]:
        """Returns the velocity that is wanted, world frame, m/s.

        Args:
            most: Fastest that the body goes, m/s.
        """
        forward, left = self.move
        speed = most / max(1.0, hypot(forward, left))
        c, s = cos(self.yaw), sin(self.yaw)
        return speed * (c * forward - s * left), speed * (s * forward + c * left)


def steer(world: World, commands: Collection[Steer]) -> None:
    """Carries out what people do with their sticks, all of it in a few writes; each body is steered once at most."""
    state, device = world.state, world.state.device
    bodies = [avatar(world, each.key, each.world) for each in commands]
    row = torch.tensor([(who.world, who.slot) for who in bodies], device=device).unbind(dim=1)
    visitor = kind_named("visitor").code
    fastest = [
        RUN_SPEED if each.run and who.kind == visitor else walking
        for each, who, walking in zip(commands, bodies, state.max_speed[row].tolist(), strict=True)
    ]
    wanted = [each.wanted(most) for each, most in zip(commands, fastest, strict=True)]
    gazes = [
        [max(-most, min(most, angle)) for most, angle in zip(MAX_GAZE, each.gaze, strict=True)] for each in commands
    ]
    state.desired_velocity[row] = state.desired_velocity.new_tensor(wanted)
    state.target_yaw[row] = state.target_yaw.new_tensor([each.yaw for each in commands])
    state.target_gaze[row] = state.target_gaze.new_tensor(gazes)


@command("interact", Role.VISITOR, own=True)
@dataclass(frozen=True, slots=True)
class Interact(Command):
    """An avatar wishes to use a thing; the engine decides in the step whether it is in reach.

    Attributes:
        key: Who.
        thing: Node name of the thing, None for the nearest.
    """

    key: str
    thing: str | None = None

    def possible(self, world: World) -> None:
        avatar(world, self.key, self.world)
        if self.thing is not None:
            world.thing(self.thing)

    def apply(self, world: World) -> list[Event]:
        who = avatar(world, self.key, self.world)
        world.state.interact[self.world, who.slot] = 1 if self.thing is None else 2 + world.thing(self.thing)
        return []


@command("gesture", Role.VISITOR, own=True)
@dataclass(frozen=True, slots=True)
class Gesture(Command):
    """An avatar makes a gesture."""

    key: str
    emote: Emote

    def possible(self, world: World) -> None:
        avatar(world, self.key, self.world)

    def apply(self, world: World) -> list[Event]:
        row = (self.world, avatar(world, self.key, self.world).slot)
        world.state.emote[row] = int(self.emote)
        world.state.emote_left[row] = EMOTE_S if self.emote else 0.0
        return [world.event("gesture", self.key, data={"emote": Emote(self.emote).name.lower()}, at=self)]


@command("say", Role.VISITOR, durable=True, own=True)
@dataclass(frozen=True, slots=True)
class Say(Command):
    """An avatar says something, heard as speech by all around; who calls is heard much further.

    Attributes:
        key: Who.
        text: What.
        calls: Whether it calls out loud.
    """

    key: str
    text: str
    calls: bool = False

    def limits(self) -> None:
        require(len(self.text.strip()) > 0, "there is nothing to say in an empty text")
        length = len(self.text)
        require(length <= MAX_SPEECH, f"a text of {length} characters is too long to say; {MAX_SPEECH} are allowed")

    def possible(self, world: World) -> None:
        avatar(world, self.key, self.world)

    def apply(self, world: World) -> list[Event]:
        who = avatar(world, self.key, self.world)
        row = (self.world, who.slot)
        world.state.sound[row] = int(Sound.CALL if self.calls else Sound.SPEECH)
        world.state.sound_age[row] = 0
        world.state.loudness[row] = CALL_DB if self.calls else SPEECH_DB
        return [world.event("said", self.key, data={"text": self.text, "title": who.title}, at=self)]
