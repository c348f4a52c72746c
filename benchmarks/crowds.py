"""Believable crowds: minds, the scripted controller and the social force model beside figures of real pedestrians.

Five scenes, the same people and seeds for each: alone on a street, a ring-shaped corridor at rising density, a room
left through an opening 1 m wide, a crowd that gathers at a point, and a square crossed in all directions.
Intervals are 95 % t intervals of the mean over seeds.

    python benchmarks/crowds.py [--weights FILE] [--seeds 3] [--models minds scripted "social force"] [--json]
    python benchmarks/crowds.py --plot docs/images/crowds.png
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.fast import FastMind
from ecumene_agents.vectors import angle, length
from ecumene_models import load_policy
from ecumene_scenarios import chart, contacts
from ecumene_scenarios.batched import STRIDE
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.packs.arena import add_block, add_place, ground
from ecumene_scenarios.packs.living import pace
from ecumene_scenarios.statistics import t_interval
from ecumene_scenarios.yardsticks import social_force
from ecumene_sim import Engine
from ecumene_sim.frame import Actions
from ecumene_world import SceneGraph
from ecumene_world.command import Spawn
from ecumene_world.graph import Node
from ecumene_world.plain import JSON
from ecumene_world.state import DT, TICK_HZ, State, Verb
from ecumene_world.world import World, stream

MODELS: Final = ("minds", "scripted", "social force")
RING_M: Final = (4.0, 6.5)
"""Inner and outer radius of the ring."""
DENSITIES: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5)
"""People per square metre in the ring."""
GAP_M: Final = 1.0
"""Width of the opening that people leave through."""
LEAVING: Final = 40
"""How many leave."""
TURNS_FROM: Final = 0.3
"""A direction of walking is one from this speed on, m/s."""
REAL: Final[Mapping[str, str]] = {
    "free speed, m/s": "1.34 (Weidmann 1993)",
    "free speed, standard deviation": "0.26 (Weidmann 1993)",
    "ring, rms from Weidmann, m/s": "0",
    "opening 1 m, people/(m s)": "1.3 to 1.9",
    "opening, left in time": "1",
    "standing, nearest neighbour, m": "0.45 to 1.2 is personal (Hall 1966)",
}
"""What real people do, for the rows where a figure is known."""

Act = Callable[[Engine, int], Actions]
Steer = Callable[[World, int], None]


def weidmann(density: float) -> float:
    """Speed of people on the level, m/s, at a density per square metre.

    Source: Weidmann 1993, Transporttechnik der Fussgänger, section 4.
    """
    return 1.34 * (1 - math.exp(-1.913 * (1 / density - 1 / 5.4)))


def main() -> None:
    """Measures, prints and draws."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--seeds", type=int, default=3, help="worlds side by side")
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--densities", nargs="+", type=float, default=list(DENSITIES))
    parser.add_argument("--seconds", type=float, default=20.0, help="of walking that is measured")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = {model: measured(model, options) for model in options.models}
    if options.plot:
        chart.save(options.plot, panels(found), x_label="people per square metre")
    if options.json:
        print(json.dumps(found))
    else:
        print(table(found))


Figures = dict[str, list[float]]


def measured(model: str, options: argparse.Namespace) -> Figures:
    """Returns every figure of one model, a value a seed."""
    seeds, ticks = options.seeds, round(options.seconds * TICK_HZ)
    figures: Figures = {}
    figures |= alone(model, options.weights, seeds)
    for density in options.densities:
        figures |= ring(model, options.weights, seeds, density, ticks)
    curve = [(density, figures[f"ring at {density:g}, m/s"]) for density in options.densities]
    figures["ring, rms from Weidmann, m/s"] = [
        math.sqrt(sum((speeds[seed] - weidmann(density)) ** 2 for density, speeds in curve) / len(curve))
        for seed in range(seeds)
    ]
    figures |= leaving(model, options.weights, seeds)
    figures |= gathering(model, options.weights, seeds)
    figures |= crossing(model, options.weights, seeds, ticks)
    return figures


@dataclass(slots=True)
class Track:
    """What is written down of a crowd, tick by tick.

    Attributes:
        position: (B, C, 2) each, metres.
        velocity: (B, C, 2) each, m/s.
        alive: (B, C) each.
        collisions: (B,) contacts begun.
        force: (B,) newtons per person, summed over ticks.
    """

    position: list[Tensor] = field(default_factory=list)
    velocity: list[Tensor] = field(default_factory=list)
    alive: list[Tensor] = field(default_factory=list)
    collisions: Tensor | int = 0
    memory: dict[str, Tensor] = field(default_factory=dict)

    def note(self, state: State) -> None:
        """Writes down a tick."""
        self.position.append(state.position[..., :2].clone())
        self.velocity.append(state.velocity[..., :2].clone())
        self.alive.append(state.alive.clone())
        self.collisions = self.collisions + contacts.begun(self.memory, state).sum(1)

    def minutes(self) -> Tensor:
        """Minutes that people were there, (B,)."""
        return torch.stack(self.alive).sum((0, 2)) * (DT / 60)


def controller(model: str, weights: Path) -> Act:
    """Returns what decides for everybody: minds every fourth tick from their senses, the social force in each."""
    if model == "social force":
        return pushed
    mind = FastMind(load_policy(weights) if model == "minds" else None)

    def act(engine: Engine, tick: int) -> Actions:
        if tick % STRIDE:
            return Actions.none(worlds=engine.world.state.worlds)
        senses = engine.sense()
        return actions_of(senses.slots, mind.act(batch_of(senses)))

    return act


def pushed(engine: Engine, tick: int) -> Actions:
    """Lets the social force move everybody; nobody decides."""
    del tick
    social_force.steer(engine.world.state, engine.world.layout)
    return Actions.none(worlds=engine.world.state.worlds)


def walked(world: World, act: Act, steer: Steer, ticks: int, warm: int = 0) -> Track:
    """Lets a crowd walk and writes down all but the first ticks."""
    engine, track = Engine(world, eventful=False), Track()
    for tick in range(warm + ticks):
        if tick % STRIDE == 0:
            steer(world, tick)
        engine.step(act(engine, tick))
        if tick >= warm:
            track.note(world.state)
    return track


def peopled(
    graph: SceneGraph, seeds: int, places: Callable[[np.random.Generator], Sequence[tuple[float, float]]]
) -> World:
    """Returns worlds whose people stand at places drawn for each, each with a pace of its own, on their way."""
    drawn = [places(np.random.default_rng([seed, 11])) for seed in range(seeds)]
    world = World(graph, worlds=seeds, slots=max(map(len, drawn)), seed=0)
    for index, points in enumerate(drawn):
        generator = stream(index, "paces")
        for number, (x, y) in enumerate(points):
            yaw = float(torch.rand((), generator=generator)) * 2 * math.pi
            world.apply(
                [Spawn(f"npc:{index}.{number}", "npc", (x, y, 0.0), yaw, max_speed=pace(generator), world=index)]
            )
    world.state.verb.fill_(int(Verb.GO))
    return world


def head_for(state: State, way: Tensor, goal: Tensor | None = None) -> None:
    """Gives everybody a waypoint, (B, C, 2) metres, and a goal, if that is another point."""
    state.waypoint[..., :2] = way
    state.goal[..., :2] = way if goal is None else goal


def alone(model: str, weights: Path, seeds: int) -> Figures:
    """Free walking: thirty people a seed, each alone in a street of its own."""
    people = 30
    graph = ground(44.0, 0, "street")
    add_place(graph, "end", (18.0, 0.0))
    world = peopled(graph, people * seeds, lambda rng: [(-18.0, float(rng.uniform(-2, 2)))])
    end = torch.tensor([20.0, 0.0])

    def steer(world: World, tick: int) -> None:
        del tick
        head_for(world.state, end.expand(people * seeds, 1, 2))

    track = walked(world, controller(model, weights), steer, 10 * TICK_HZ, 4 * TICK_HZ)
    speed = length(torch.stack(track.velocity)).mean(0).view(seeds, people)
    wish = world.state.max_speed.view(seeds, people)
    return {
        "free speed, m/s": speed.mean(1).tolist(),
        "free speed, standard deviation": speed.std(1).tolist(),
        "free speed, part of what was drawn": (speed / wish).mean(1).tolist(),
    }


def ring(model: str, weights: Path, seeds: int, density: float, ticks: int) -> Figures:
    """The fundamental diagram: everybody walks the same way round a ring."""
    inner, outer = RING_M
    number = round(density * math.pi * (outer**2 - inner**2))
    graph = SceneGraph("ring", 0)
    graph.add(Node("floor", "square", attributes={"polygon": _circle(outer, 72)}))
    graph.add(Node("core", "building", attributes={"polygon": _circle(inner, 72), "height_m": 2.6}))
    world = peopled(graph, seeds, lambda rng: _on_lanes(rng, number))

    def steer(world: World, tick: int) -> None:
        del tick
        at = world.state.position[..., :2]
        radius = length(at).clamp(inner + 0.5, outer - 0.5)
        ahead = angle(at) + 0.45
        head_for(world.state, torch.stack((ahead.cos(), ahead.sin()), dim=-1) * radius[..., None])

    track = walked(world, controller(model, weights), steer, ticks, 10 * TICK_HZ)
    at, velocity = torch.stack(track.position), torch.stack(track.velocity)
    forward = (at[..., 0] * velocity[..., 1] - at[..., 1] * velocity[..., 0]) / length(at)
    return {f"ring at {density:g}, m/s": forward.mean((0, 2)).tolist()}


def leaving(model: str, weights: Path, seeds: int) -> Figures:
    """The bottleneck: forty people leave a room through an opening."""
    graph = ground(18.0, 0, "room")
    side = 9.0 - GAP_M / 2
    for name, sign in (("left", 1), ("right", -1)):
        add_block(graph, name, (2.0, sign * (GAP_M / 2 + side / 2)), (0.3, side), 0.0)
    world = peopled(graph, seeds, lambda rng: _lattice(rng, LEAVING, (-5.5, 1.0), (-3.2, 3.2), 0.95))
    crossed = torch.full(world.state.alive.shape, math.inf)

    def steer(world: World, tick: int) -> None:
        at = world.state.position[..., :2]
        through = at[..., 0] > 2.0
        crossed[through & crossed.isinf()] = tick * DT
        aside = torch.where(through, at[..., 1].clamp(-6, 6), 0.0)
        far = torch.stack((torch.full_like(aside, 8.0), aside), dim=-1)
        way = torch.stack((torch.where(at[..., 0] > 1.7, 8.0, 2.4), aside), dim=-1)
        head_for(world.state, way, far)
        world.state.alive[at[..., 0] > 7.0] = False

    track = walked(world, controller(model, weights), steer, 60 * TICK_HZ)
    ordered = crossed.sort(dim=1).values
    counted = [row[row.isfinite()] for row in ordered]
    flows = [(len(row) - 10) / float(row[-6] - row[4]) / GAP_M if len(row) > 15 else 0.0 for row in counted]
    pauses = [float(row.diff().max()) if len(row) > 1 else math.inf for row in counted]
    return {
        "opening 1 m, people/(m s)": flows,
        "opening, left in time": [len(row) / LEAVING for row in counted],
        "opening, longest pause, s": pauses,
        "opening, collisions per agent-minute": (track.collisions / track.minutes()).tolist(),
    }


def gathering(model: str, weights: Path, seeds: int) -> Figures:
    """Standing: twenty people come to one point and stay."""
    people = 20
    graph = ground(16.0, 0, "square")
    world = peopled(graph, seeds, lambda rng: _lattice(rng, people, (-6.5, 6.5), (-6.5, 6.5), 1.2))

    def steer(world: World, tick: int) -> None:
        del tick
        head_for(world.state, torch.zeros(*world.state.alive.shape, 2))

    track = walked(world, controller(model, weights), steer, 5 * TICK_HZ, 25 * TICK_HZ)
    at, speed = torch.stack(track.position), length(torch.stack(track.velocity))
    apart = length(at[:, :, :, None] - at[:, :, None]) + 1e6 * torch.eye(people)
    return {
        "standing, nearest neighbour, m": apart.amin(-1).mean((0, 2)).tolist(),
        "standing, nearer than 0.6 m": (apart.amin(-1) < 0.6).float().mean((0, 2)).tolist(),
        "standing, speed, m/s": speed.mean((0, 2)).tolist(),
        "standing, collisions per agent-minute": (track.collisions / track.minutes()).tolist(),
    }


def crossing(model: str, weights: Path, seeds: int, ticks: int) -> Figures:
    """Everyday walking: twenty-four people cross a square from point to point."""
    people, half = 24, 7.0
    graph = ground(16.0, 0, "square")
    world = peopled(graph, seeds, lambda rng: _lattice(rng, people, (-half, half), (-half, half), 1.2))
    generator = stream(0, "goals")
    goal = (torch.rand((seeds, people, 2), generator=generator) * 2 - 1) * half

    def steer(world: World, tick: int) -> None:
        del tick
        fresh = (torch.rand(goal.shape, generator=generator) * 2 - 1) * half
        there = length(goal - world.state.position[..., :2]) < 1.0
        goal[there] = fresh[there]
        head_for(world.state, goal)

    track = walked(world, controller(model, weights), steer, ticks, 4 * TICK_HZ)
    velocity = torch.stack(track.velocity)
    speed = length(velocity)
    moves = (speed[1:] > TURNS_FROM) & (speed[:-1] > TURNS_FROM)
    turn = angle(velocity[1:]) - angle(velocity[:-1])
    turned = torch.atan2(turn.sin(), turn.cos()).abs() * moves
    change = (speed[1:] - speed[:-1]) / DT
    change = change.masked_fill(change.abs() < 0.2, 0.0).sign()
    flips = (change[1:] * change[:-1] < 0).float().mean((0, 2)) / DT
    return {
        "crossing, part of the drawn speed": (speed / world.state.max_speed).mean((0, 2)).tolist(),
        "crossing, turning, degrees/s": (turned.sum((0, 2)) / moves.sum((0, 2)) / DT * 180 / math.pi).tolist(),
        "crossing, acceleration changes sign, 1/s": flips.tolist(),
        "crossing, collisions per agent-minute": (track.collisions / track.minutes()).tolist(),
    }


def _circle(radius: float, corners: int) -> list[JSON]:
    turns = [2 * math.pi * corner / corners for corner in range(corners)]
    return [[radius * math.cos(turn), radius * math.sin(turn)] for turn in turns]


def _on_lanes(rng: np.random.Generator, number: int) -> list[tuple[float, float]]:
    """Returns points in four lanes of the ring, in proportion to their lengths."""
    lanes = np.array([4.4, 4.97, 5.54, 6.1])
    ends = np.round(np.cumsum(lanes) / lanes.sum() * number).astype(int)
    counts = np.diff(np.concatenate(([0], ends)))
    points: list[tuple[float, float]] = []
    for radius, count in zip(lanes.tolist(), counts.tolist(), strict=True):
        turns = rng.uniform(0, 2 * math.pi) + 2 * math.pi * np.arange(count) / max(count, 1)
        points.extend((radius * math.cos(turn), radius * math.sin(turn)) for turn in turns.tolist())
    return points


def _lattice(
    rng: np.random.Generator, number: int, across: tuple[float, float], along: tuple[float, float], step: float
) -> list[tuple[float, float]]:
    """Returns distinct points of a shaken lattice."""
    xs, ys = np.arange(*across, step), np.arange(*along, step)
    nodes = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    chosen = nodes[rng.permutation(len(nodes))[:number]]
    shaken = chosen + rng.uniform(-0.12, 0.12, chosen.shape)
    return [(float(x), float(y)) for x, y in shaken]


def table(found: Mapping[str, Figures]) -> str:
    """Returns a Markdown table with a line for each figure and a column for each model."""
    models = list(found)
    lines = [f"| figure | {' | '.join(models)} | real people |", f"|---|{'---|' * len(models)}---|"]
    for name in found[models[0]]:
        cells = []
        for model in models:
            value, low, high = t_interval(found[model][name])
            cells.append(f"{value:.2f} ({low:.2f} to {high:.2f})")
        real = REAL.get(name, "")
        if name.startswith("ring at"):
            real = f"{weidmann(float(name.split()[2].rstrip(','))):.2f} (Weidmann 1993)"
        lines.append(f"| {name} | {' | '.join(cells)} | {real} |")
    return "\n".join(lines)


def panels(found: Mapping[str, Figures]) -> list[chart.Panel]:
    """Returns the fundamental diagram: speed and flow against density."""
    lines = []
    for model, figures in found.items():
        points = [
            (float(name.split()[2].rstrip(",")), sum(values) / len(values))
            for name, values in figures.items()
            if name.startswith("ring at")
        ]
        lines.append(chart.Line(model, points))
    shown = [step / 20 for step in range(5, 51)]
    lines.append(chart.Line("real (Weidmann)", [(density, weidmann(density)) for density in shown]))
    flows = [chart.Line(line.name, [(x, x * y) for x, y in line.points]) for line in lines]
    return [chart.Panel("speed in a ring, m/s", lines, 1.6), chart.Panel("flow, people/(m s)", flows, 2.4)]


if __name__ == "__main__":
    main()
