"""Commands about things and what sensors say of them."""
# ruff: noqa: D102 - `Command` says what limits, possible and apply do.

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

from ecumene_world.commands.base import Command, Role, command, require
from ecumene_world.event import Event
from ecumene_world.plain import shown
from ecumene_world.pose import Vector3

if TYPE_CHECKING:
    from ecumene_world.world import World

MAX_FIELDS: Final = 64
"""Most different readings of one node."""
MAX_STATE: Final = 255


@command("thing", Role.BUILDER, durable=True)
@dataclass(frozen=True, slots=True)
class SetThing(Command):
    """A thing gets a state from afar, such as a door opened by its keeper.

    Attributes:
        thing: Node name.
        state: 0 at rest, else what its kind makes of it.
    """

    thing: str
    state: int

    def limits(self) -> None:
        require(0 <= self.state <= MAX_STATE, f"state {self.state} of a thing must lie in 0..{MAX_STATE}")

    def possible(self, world: World) -> None:
        world.thing(self.thing)

    def apply(self, world: World) -> list[Event]:
        row = (self.world, world.thing(self.thing))
        world.state.thing_state[row] = self.state
        world.state.thing_timer[row] = 0.0
        x, y, z = world.state.thing_position[row].tolist()
        return [world.event("thing", self.thing, data={"state": self.state}, position=(x, y, z), at=self)]


@command("reading", Role.ADMIN)
@dataclass(frozen=True, slots=True)
class Reading(Command):
    """A sensor says something about a node.

    Attributes:
        node: Node name.
        field: What is measured, such as "temperature".
        value: How much.
        unit: Of what.
        source: Who says so, such as a topic.
    """

    node: str
    field: str
    value: float | int | bool | str
    unit: str = ""
    source: str = ""

    def limits(self) -> None:
        for what, text, most in (("field", self.field, 60), ("unit", self.unit, 20), ("source", self.source, 200)):
            require(len(text) <= most, f"the {what} of a reading has {len(text)} characters; {most} are allowed")
        require(bool(self.field), "a reading needs the name of what is measured")
        if isinstance(self.value, str):
            require(len(self.value) <= 500, f"a reading of {len(self.value)} characters is too long; 500 are allowed")
        require(not isinstance(self.value, float) or isfinite(self.value), "a reading must be a finite number")

    def possible(self, world: World) -> None:
        require(self.node in world.graph, f"a reading names node {shown(self.node)}, which does not exist")
        known = world.readings.get(self.node, {})
        require(
            self.field in known or len(known) < MAX_FIELDS,
            f"node {self.node!r} has {MAX_FIELDS} different readings already; no more are kept",
        )

    def apply(self, world: World) -> list[Event]:
        world.readings.setdefault(self.node, {})[self.field] = (self.value, self.unit)
        data = {"field": self.field, "value": self.value, "unit": self.unit, "source": self.source}
        return [world.event("reading", self.node, data=data, position=_where(world, self.node), at=self)]


def _where(world: World, node: str) -> Vector3 | None:
    """Returns where the layout has a node, None while it is not compiled yet."""
    row = world.layout.row.get(node)
    if row is None:
        return None
    x, y, z = world.layout.world_position[row].tolist()
    return (x, y, z)
