"""What the training tasks share: agents that join, try for a while and leave, and how they are rewarded."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import torch
from torch import Tensor

from ecumene_agents.scripted import ARRIVED_M, AT_GOAL_M
from ecumene_agents.vectors import length
from ecumene_models import SenseBatch
from ecumene_scenarios import contacts
from ecumene_scenarios.scenario import Scenario
from ecumene_sim.frame import Frame
from ecumene_world import grid
from ecumene_world.command import Command, Despawn, SetIntent, Spawn
from ecumene_world.kinds import Category
from ecumene_world.layout import Layout
from ecumene_world.pose import Vector3
from ecumene_world.state import DT, TICK_HZ, State, Verb
from ecumene_world.world import World

STRIDE: Final = 4
"""Ticks between two decisions of an agent; agents join and leave at these ticks only."""
APART_M: Final = 0.7
"""Least distance between a newcomer and everybody else."""
ARRIVED_MARGIN_M: Final = 0.45
"""An agent has arrived this much further from its goal than where the scripted controller stops, metres."""
TAUGHT_TICKS: Final = 15 * TICK_HZ
"""How long agents without a reward stay."""
PACES: Final = (0.95, 1.75)
"""Slowest and fastest walking speed of agents, m/s: those of the people of a living world."""
TRIES: Final = 4
"""Places that are tried for a newcomer."""
NEAR_M: Final = 0.25
"""Gap between bodies below which it is too close for comfort, metres."""
BRUSH_M: Final = 0.15
"""Gap between body and wall below which it is too close for comfort, metres."""


@dataclass(frozen=True, slots=True)
class Reward:
    """Weights of the reward; per tick unless an event is named.

    Attributes:
        progress: Per metre towards the waypoint.
        time: Per tick of being under way.
        arrival: For reaching the goal.
        failure: For what the task calls a failure.
        collision: For each contact that begins after half a second without any.
        force: Per 100 N of contact.
        near: For being right beside somebody while moving, falling to nothing at `NEAR_M` between bodies.
        brush: For being right beside a wall or a thing while moving, falling to nothing at `BRUSH_M` of gap.
        jitter: Per m/s of change of the wanted velocity.
        drift: Per metre moved while one should stand.
    """

    progress: float = 0.2
    time: float = 0.002
    arrival: float = 1.0
    failure: float = 1.0
    collision: float = 1.0
    force: float = 0.01
    near: float = 0.02
    brush: float = 0.02
    jitter: float = 0.01
    drift: float = 0.4


@dataclass(frozen=True, slots=True)
class Part:
    """What a newcomer is to do: where it starts and what it intends.

    Attributes:
        at: Where it starts, metres.
        yaw: Its heading, radians.
        verb: What it intends.
        place: Node name of the place the intent is about, if any.
        point: The point it is about, if any.
        somebody: Whether it is about another avatar, any that is there.
        whom: Slot of the avatar that it is about, if it is a certain one.
        sought: What sort of thing it is about; `point` is then where that is, which senses don't tell.
        speed: Walking speed, m/s; None to draw it.
    """

    at: Vector3
    yaw: float
    verb: Verb
    place: str | None = None
    point: Vector3 | None = None
    somebody: bool = False
    whom: int | None = None
    sought: Category | None = None
    speed: float | None = None


class Task(Scenario):
    """An arena whose agents join, head for their goal and leave; the population varies between worlds and in time.

    Attributes:
        least: Fewest agents of a world.
        most: Most agents of a world.
        limit_ticks: How long an agent may try.
        pause: Least and greatest number of decisions between two newcomers of a world.
        reward: The weights.
        counted_ticks: Tries that begin in the first so many ticks of a world count for success and time; None for all.
            An average of what had ended by some moment would leave out those who take long.
        turns_first: Whether those who are told by `hint` turn before they walk, and never walk backwards.
    """

    least: ClassVar[int] = 4
    most: ClassVar[int] = 16
    limit_ticks: ClassVar[int] = 40 * TICK_HZ
    pause: ClassVar[tuple[int, int]] = (1, 6)
    turns_first: ClassVar[bool] = True
    reward: Reward = Reward()
    counted_ticks: int | None = None
    ticks = 60 * TICK_HZ

    def __init__(self, *, least: int | None = None, most: int | None = None) -> None:
        super().__init__()
        self.fewest = type(self).least if least is None else least
        self.greatest = type(self).most if most is None else most

    def population(self) -> int:
        """The most agents of a world at a time."""
        return self.greatest

    def slots(self) -> int:
        """No room for visitors."""
        return self.greatest

    @abstractmethod
    def part(self, world: World, index: int, generator: torch.Generator) -> Part | None:
        """Draws what one newcomer of world `index` is to do; None when there is no room now."""

    def standing(self, state: State) -> Tensor:
        """Which agents should stand still now, (B, C) bool: by default those who wait."""
        return state.verb == Verb.WAIT

    def note(self, state: State) -> None:
        """What else is remembered of a tick before it is scored."""
        del state

    def hint(self, state: State) -> tuple[Tensor, Tensor]:
        """Who should head for a point that nobody told it, (B, C) bool, and the points, (B, C, 2) metres: nobody."""
        return torch.zeros_like(state.alive), state.goal[..., :2]

    def guide(self, world: World, senses: SenseBatch, rows: Tensor) -> tuple[Tensor, Tensor]:
        """What `hint` says to those of the (N,) `rows` of all slots, (N,) bool and (N, 2) metres.

        A task may take into account what these perceive, `senses`: nobody learns to head for what can't be known.
        """
        del senses
        told, point = self.hint(world.state)
        return told.flatten()[rows], point.flatten(0, 1)[rows]

    def faces(self, state: State) -> tuple[Tensor, Tensor]:
        """Who should face a point while it stands, (B, C) bool, and the points, (B, C, 2) metres: nobody."""
        return torch.zeros_like(state.alive), state.goal[..., :2]

    def room(self, state: State) -> Tensor:
        """Gap to other bodies that each agent should keep beyond what everybody keeps, (B, C) metres: none."""
        return torch.zeros_like(state.radius)

    def uses(self, state: State) -> Tensor:
        """Who should use what is at hand, (B, C) bool: nobody."""
        return torch.zeros_like(state.alive)

    def taught(self, state: State) -> Tensor:
        """Which agents do what no reward is defined for, (B, C) bool."""
        return (state.place < 0) & (state.verb != Verb.WAIT)

    def endless(self, state: State) -> Tensor:
        """Which agents are part of the task and stay as long as their world does, (B, C) bool: nobody."""
        return torch.zeros_like(state.alive)

    def bonus(self, state: State) -> Tensor:
        """What else the task rewards in this tick, (B, C): nothing."""
        return torch.zeros_like(state.radius)

    def failed(self, state: State) -> Tensor:
        """Which agents have just failed, (B, C) bool."""
        return torch.zeros_like(state.alive)

    def arrived(self, state: State) -> Tensor:
        """Which agents are where they should be in the end, (B, C) bool."""
        apart = length((state.goal - state.position)[..., :2])
        near = apart < self.memory["reach"][state.verb]
        return near & (state.place >= 0) & (state.level == state.goal_level)

    def judged(self, state: State) -> Tensor:
        """Which agents count for success, (B, C) bool: by default those with a place to go to."""
        return state.place >= 0

    def aim(self, state: State) -> Tensor:
        """Where progress leads to, (B, C, 2) metres: by default the waypoint."""
        return state.waypoint[..., :2]

    def reset(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Empties the worlds and lets a drawn number of agents in."""
        self._prepare(world.state, which)
        self.memory["wanted"][which] = torch.randint(
            self.fewest, self.greatest + 1, (int(which.sum()),), generator=generator
        ).to(which.device)
        chosen = which.tolist()
        leaving = [Despawn(avatar.key, world=avatar.world) for avatar in world.avatars.values() if chosen[avatar.world]]
        world.apply(leaving)
        self.begin(world, which, generator)
        for index in torch.nonzero(which).flatten().tolist():
            for _ in range(int(self.memory["wanted"][index])):
                world.apply(self._newcomer(world, index, generator))
        self._welcome(world.state)

    def begin(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """What else a reset does, before anybody joins."""
        del world, which, generator

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Sees off who has ended and lets newcomers in, at decision ticks."""
        if tick % STRIDE:
            return ()
        leaving = [
            self._despawn(world, *row) for row in torch.nonzero(self.memory["ended"] & world.state.alive).tolist()
        ]
        return (*leaving, *self._joining(world))

    def expired(self, world: World) -> Tensor:
        """Agents whose time ran out."""
        return self.memory["expired"] & world.state.alive

    def score(self, frame: Frame, world: World) -> Frame:
        """Rewards progress, arrival and calm; ends agents that arrived, failed or ran out of time."""
        state, memory = frame.state, self.memory
        self._welcome(state)
        trying = state.alive & ~memory["ended"]
        memory["age"] += trying
        self.note(state)
        standing = self.standing(state) & trying
        endless = self.endless(state)
        arrived = self.arrived(state) & trying & ~standing & ~endless
        failed = self.failed(state) & trying & ~arrived
        taught = self.taught(state)
        late = (memory["age"] >= self.limit_ticks) | (taught & (memory["age"] >= TAUGHT_TICKS))
        expired = trying & ~arrived & ~failed & ~endless & late
        scored = trying & ~taught
        reward = (
            self._reward(frame, world.layout, scored, standing)
            + self.bonus(state)
            + self.reward.arrival * arrived
            - self.reward.failure * failed
        )
        left = arrived | failed | expired
        counted = self.judged(state) & self._counted()
        self._count(scored, arrived & counted, left & counted)
        memory["ended"] |= left
        memory["expired"] |= expired
        memory["world_age"] += 1
        return replace(
            frame,
            reward=reward * scored,
            left=left,
            done=memory["world_age"] >= self.ticks,
            metrics=dict(self.metrics(world)),
        )

    def metrics(self, world: World) -> Mapping[str, Tensor]:
        """Success and collisions of the agents that have ended or are under way; NaN s to goal where none arrived."""
        del world
        return _metrics(self.memory)

    def pending(self, state: State) -> Tensor:
        """Whose tries count and have not ended, (B, C) bool."""
        return state.alive & ~self.memory["ended"] & self.judged(state) & self._counted()

    def totals(self) -> dict[str, float]:
        """The metrics of all worlds together; NaN for those of arrivals where nobody arrived."""
        summed = {name: total.sum(0, keepdim=True) for name, total in self.memory.items() if name in _TOTALS}
        return {name: float(value) for name, value in _metrics(summed).items()}

    def _reward(self, frame: Frame, layout: Layout, trying: Tensor, standing: Tensor) -> Tensor:
        state, weights = frame.state, self.reward
        velocity = state.velocity[..., :2]
        way = self.aim(state) - state.position[..., :2]
        heading = way / length(way)[..., None].clamp(min=0.1)
        progress = (velocity * heading).sum(-1) * DT
        force = state.contact.sum(-1).clamp(max=1000.0)
        change = length(state.desired_velocity - self.memory["wish"])
        self.memory["wish"] = state.desired_velocity.clone()
        begun = contacts.begun(self.memory, state) & trying
        self.memory["collisions"] += begun.sum(1)
        self.memory["force"] += (force * trying).sum(1)
        self.memory["jitter"] += (change * trying).sum(1)
        moving = weights.progress * progress - weights.time
        still = -weights.drift * length(velocity) * DT
        pain = (
            (weights.near * self._crowd(state) + weights.brush * _beside(state, layout)) * ~standing
            + weights.collision * begun
            + weights.force * force / 100
            + weights.jitter * change
        )
        return torch.where(standing, still, moving) - pain

    def _crowd(self, state: State) -> Tensor:
        """How close the nearest other body is, (B, C): 1 touching, 0 from `NEAR_M` on."""
        apart = length(state.position[:, :, None, :2] - state.position[:, None, :, :2])
        nobody = ~state.alive[:, None, :] | torch.eye(state.slots, dtype=torch.bool, device=state.device)
        gap = apart.masked_fill(nobody, 1e6).amin(-1) - 2 * state.radius
        return (1 - gap / NEAR_M).clamp(0.0, 1.0)

    def _counted(self) -> Tensor:
        """Whose tries began early enough to count for success, (B, C) bool."""
        begun = self.memory["begun"]
        return torch.ones_like(begun, dtype=torch.bool) if self.counted_ticks is None else begun < self.counted_ticks

    def _count(self, trying: Tensor, arrived: Tensor, left: Tensor) -> None:
        memory = self.memory
        memory["agent_ticks"] += trying.sum(1)
        memory["arrived_count"] += arrived.sum(1)
        memory["left_count"] += left.sum(1)
        memory["goal_ticks"] += (memory["age"] * arrived).sum(1)

    def _prepare(self, state: State, which: Tensor) -> None:
        shape, device = state.alive.shape, state.device
        if not self.memory:
            for name in ("serial", "age", "begun"):
                self.memory[name] = torch.zeros(shape, dtype=torch.int64, device=device)
            for name in ("ended", "expired"):
                self.memory[name] = torch.zeros(shape, dtype=torch.bool, device=device)
            for name in ("wanted", "joined", "world_age", "next_join"):
                self.memory[name] = torch.zeros(shape[0], dtype=torch.int64, device=device)
            for name in _TOTALS:
                self.memory[name] = torch.zeros(shape[0], device=device)
            self.memory["wish"] = torch.zeros(*shape, 2, device=device)
            reach = [ARRIVED_M.get(verb, AT_GOAL_M) + ARRIVED_MARGIN_M for verb in Verb]
            self.memory["reach"] = torch.tensor(reach, device=device)
            self.memory["start"] = torch.zeros(*shape, 2, device=device)
        for name in ("world_age", "next_join", *_TOTALS):
            self.memory[name][which] = 0
        self.memory["ended"][which] = False

    def _welcome(self, state: State) -> None:
        """Starts the clock of the agents that are new in their slot."""
        memory = self.memory
        fresh = state.alive & (state.serial != memory["serial"])
        memory["serial"] = torch.where(fresh, state.serial, memory["serial"])
        memory["age"] = memory["age"].masked_fill(fresh, 0)
        memory["begun"] = torch.where(fresh, memory["world_age"][:, None], memory["begun"])
        memory["ended"] = memory["ended"] & ~fresh
        memory["expired"] = memory["expired"] & ~fresh
        memory["start"] = torch.where(fresh[..., None], state.position[..., :2], memory["start"])
        memory["wish"] = torch.where(fresh[..., None], state.desired_velocity, memory["wish"])

    def _joining(self, world: World) -> list[Command]:
        memory = self.memory
        staying = (world.state.alive & ~memory["ended"]).sum(1)
        due = (staying < memory["wanted"]) & (memory["next_join"] <= memory["world_age"])
        joining: list[Command] = []
        for index in torch.nonzero(due).flatten().tolist():
            generator = world.generators["scenario"]
            memory["next_join"][index] = memory["world_age"][index] + STRIDE * whole(generator, *self.pause)
            joining.extend(self._newcomer(world, index, generator))
        return joining

    def _newcomer(self, world: World, index: int, generator: torch.Generator) -> list[Command]:
        drawn = (self.part(world, index, generator) for _ in range(TRIES))
        part = next((part for part in drawn if part and self._free(world.state, index, part)), None)
        if part is None:
            return []
        number = int(self.memory["joined"][index])
        self.memory["joined"][index] += 1
        key = f"npc:{index}.{number}"
        speed = number_between(generator, *PACES) if part.speed is None else part.speed
        title = f"agent {number}"
        spawn = Spawn(key, "npc", part.at, part.yaw, title, number, max_speed=speed, world=index)
        return [spawn, self._intent(world, index, key, part, generator)]

    def _intent(self, world: World, index: int, key: str, part: Part, generator: torch.Generator) -> Command:
        target = None
        others = torch.nonzero(world.state.alive[index]).flatten().tolist()
        if part.somebody and others:
            target = world.key_of(index, others[whole(generator, 0, len(others) - 1)])
        elif part.whom is not None:
            target = world.key_of(index, part.whom)
        return SetIntent(key, part.verb, part.place, target, part.point, part.sought, world=index)

    def _free(self, state: State, index: int, part: Part) -> bool:
        staying = state.alive[index] & ~self.memory["ended"][index]
        others = state.position[index][staying][:, :2]
        here = torch.tensor(part.at[:2], device=others.device)
        room = int((~staying).sum()) > 0
        return room and (len(others) == 0 or float((others - here).norm(dim=-1).min()) > APART_M)

    def _despawn(self, world: World, index: int, slot: int) -> Command:
        key = world.key_of(index, slot)
        assert key is not None, "an avatar that is alive has a key"
        return Despawn(key, world=index)


_TOTALS: Final = ("agent_ticks", "collisions", "arrived_count", "left_count", "goal_ticks", "force", "jitter")


def _beside(state: State, layout: Layout) -> Tensor:
    """How close the nearest wall or thing is, (B, C): 1 touching, 0 from `BRUSH_M` on."""
    gap = grid.sample(layout, layout.clearance, state.level, state.position[..., :2]) - state.radius
    return (1 - gap / BRUSH_M).clamp(0.0, 1.0)


def number_between(generator: torch.Generator, low: float = 0.0, high: float = 1.0) -> float:
    """A number drawn evenly from low..high."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def whole(generator: torch.Generator, low: int, high: int) -> int:
    """A whole number drawn evenly from low..high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def angle_to(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The heading from one point to another, radians."""
    return math.atan2(end[1] - start[1], end[0] - start[0])


def _metrics(memory: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the totals come to; 0 / 0 is NaN, so that nobody's arrival doesn't pass for one in no time."""
    ended, ticks = memory["left_count"], memory["agent_ticks"].clamp(min=1.0)
    return {
        "success": memory["arrived_count"] / ended.clamp(min=1.0),
        "collisions_per_agent_minute": memory["collisions"] / (ticks * DT / 60),
        "seconds_to_goal": memory["goal_ticks"] * DT / memory["arrived_count"],
        "contact_newton": memory["force"] / ticks,
        "jitter": memory["jitter"] / ticks * TICK_HZ,
        "ended": ended.clone(),
        "agent_minutes": memory["agent_ticks"] * DT / 60,
    }
