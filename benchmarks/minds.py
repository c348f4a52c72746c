"""Minds beside the scripted controller: tasks on held-out arenas, without each sense, and serving a town.

Intervals are 95 % t intervals of the mean over seeds. With a training log and the baseline's figures it draws the
learning curve.

    python benchmarks/minds.py [--weights FILE] [--against FILE ...] [--seeds 5] [--worlds 4] [--steps 75] [--json]
    python benchmarks/minds.py --tasks find,come,alarm --ticks 0
    python benchmarks/minds.py --tasks goto,find --crowd 4 --ticks 0
    python benchmarks/minds.py --curve runs/minds/log.jsonl docs/images/learning-curve.png
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ecumene_agents.vectors import length
from ecumene_models.senses import SENSES
from ecumene_scenarios import chart
from ecumene_scenarios.cast import WEIGHTS, cast
from ecumene_scenarios.evaluate import MINDS, SPLITS, WITHOUT, Arenas, Row, evaluate
from ecumene_scenarios.registry import BASICS, load_scenario
from ecumene_scenarios.session import Session
from ecumene_scenarios.statistics import number
from ecumene_world.state import TICK_HZ, Posture, State, Verb

SHOWN = ("success", "collisions_per_agent_minute", "seconds_to_goal")
WINDOW_S = 5
"""Progress in a town is judged over this long."""
THERE_M = 2.0
"""Nearer to their goal than this, walkers have arrived."""


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    if options.curve:
        log, picture = options.curve
        arenas = Arenas(options.seeds, options.worlds, options.steps, options.split)
        rows = evaluate(None, arenas, jobs=options.jobs)
        baseline = {(row.task, row.metric): row.value for row in rows}
        chart.save(picture, chart.learning_curve(log, baseline), x_label="million decisions")
        return
    arenas = Arenas(options.seeds, options.worlds, options.steps, options.split, options.crowd)
    tasks = tuple(options.tasks.split(","))
    rows = evaluate(options.weights, arenas, tasks=tasks, without=SENSES, jobs=options.jobs) if options.seeds else []
    towns = _towns([options.weights, *options.against], options.ticks) if options.ticks else []
    if options.json:
        print(json.dumps({"tasks": [row.to_json() for row in rows], "town": towns}))
        return
    if rows:
        print(table(rows))
        print("", *lost(rows), sep="\n")
    for town in towns:
        print(town)


def table(rows: Sequence[Row]) -> str:
    """Returns a Markdown table with a line for each task and metric and a column for each model."""
    models = list(dict.fromkeys(row.model for row in rows))
    found = {(row.task, row.metric, row.model): row for row in rows}
    lines = [f"| task | metric | {' | '.join(models)} |", f"|---|---|{'---|' * len(models)}"]
    for task, metric in dict.fromkeys((row.task, row.metric) for row in rows if row.metric in SHOWN):
        cells = [found[task, metric, model] for model in models]
        shown = (f"{number(cell.value)} ({number(cell.low)} to {number(cell.high)})" for cell in cells)
        lines.append(f"| {task} | {metric.replace('_', ' ')} | {' | '.join(shown)} |")
    return "\n".join(lines)


def lost(rows: Sequence[Row]) -> list[str]:
    """Returns a sentence for each task and sense: whether success without it is below all that it could be with it."""
    found = {(row.task, row.model): row for row in rows if row.metric == "success"}
    told = []
    for task in dict.fromkeys(row.task for row in rows):
        whole = found[task, MINDS]
        for sense in SENSES:
            part = found[task, WITHOUT + sense]
            needed = "costs success" if part.high < whole.low else "is not shown to cost success"
            told.append(f"{task} without {sense} {needed}: {part.value:.3f} instead of {whole.value:.3f}")
    return told


def _towns(weights: Sequence[Path], ticks: int) -> list[dict[str, Any]]:
    """Lets each of the weights serve a town, and the scripted controller."""
    return [*(served("fusion", each, ticks) for each in weights), served("scripted", weights[0], ticks)]


@dataclass(slots=True)
class Walkers:
    """Who was on the way somewhere at the start of a window, and what became of them.

    Attributes:
        start: (C, 2) metres.
        bound: (C,) bool, on their feet with a goal more than 2 m away.
        serial: (C,) who it was.
        goal: (C, 2) metres.
        judged: Windows of avatars that kept their goal.
        moved: Of these, those in which they came at least a metre further.
    """

    start: Tensor
    bound: Tensor
    serial: Tensor
    goal: Tensor
    judged: int = 0
    moved: int = 0

    @classmethod
    def of(cls, state: State) -> Walkers:
        """Starts a window."""
        return cls(*_bound(state))

    def reached(self, state: State) -> int:
        """Starts the next window; returns how many have come within `THERE_M` of the goal they were bound for."""
        place, bound, serial, goal = _bound(state)
        there = self.bound & (serial == self.serial) & state.alive[0] & (length(self.goal - place) <= THERE_M)
        self.start, self.bound, self.serial, self.goal = place, bound, serial, goal
        return int(there.sum())

    def close(self, state: State) -> None:
        """Judges a window and starts the next one."""
        start, bound, serial, goal = _bound(state)
        kept = self.bound & (serial == self.serial) & (length(goal - self.goal) < 0.5) & state.alive[0]
        self.judged += int(kept.sum())
        self.moved += int((kept & (length(start - self.start) > 1.0)).sum())
        self.start, self.bound, self.serial, self.goal = start, bound, serial, goal


def _bound(state: State) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    place, goal = state.position[0, :, :2].clone(), state.goal[0, :, :2].clone()
    feet = state.alive[0] & (state.posture[0] == int(Posture.STAND))
    travels = (state.verb[0] != int(Verb.WAIT)) & (state.place[0] >= 0)
    return place, feet & travels & (length(goal - place) > THERE_M), state.serial[0].clone(), goal


def served(kind: str, weights: Path, ticks: int, seed: int = 0) -> dict[str, Any]:
    """Runs a town and returns how its NPCs get about."""
    session = Session(load_scenario("town"), seed=seed)
    cast(session, kind, weights=weights)
    session.tick()
    state = session.world.state
    walkers, steps = Walkers.of(state), Walkers.of(state)
    wish, change, walking, speed, arrivals = state.desired_velocity.clone(), 0.0, 0.0, 0.0, 0
    for tick in range(1, ticks):
        session.tick()
        change += float(length(state.desired_velocity - wish)[state.alive].sum())
        wish = state.desired_velocity.clone()
        speed += float(length(state.velocity[0, :, :2])[walkers.bound].sum())
        walking += float(walkers.bound.sum())
        arrivals += steps.reached(state)
        if tick % (WINDOW_S * TICK_HZ) == 0:
            walkers.close(state)
    metrics = {name: float(value[0]) for name, value in session.scenario.metrics(session.world).items()}
    lived = metrics["agent_minutes"] * 60
    return {
        "minds": kind,
        "weights": weights.name if kind == "fusion" else "",
        "ticks": ticks,
        "people": metrics["people"],
        "walked_m": round(metrics["walked_m"]),
        "arrivals": arrivals,
        "collisions_per_agent_minute": round(metrics["collisions_per_agent_minute"], 3),
        "walkers_that_progress": round(walkers.moved / max(walkers.judged, 1), 3),
        "windows": walkers.judged,
        "speed_of_walkers": round(speed / max(walking, 1.0), 3),
        "change_of_wish_per_s": round(change / lived, 3),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the shipped ones")
    parser.add_argument("--against", type=Path, nargs="*", default=[], help="other weights that serve the town, too")
    parser.add_argument("--seeds", type=int, default=5, help="held-out arenas a task; 0 for the town alone")
    parser.add_argument("--worlds", type=int, default=4, help="copies of each with other people")
    parser.add_argument("--steps", type=int, default=75, help="decisions in which tries begin, 5 a second")
    parser.add_argument("--split", choices=SPLITS, default="test", help="which arenas")
    parser.add_argument("--jobs", type=int, default=1, help="processes for the arenas")
    parser.add_argument("--tasks", default=",".join(BASICS), help="which tasks, with commas")
    parser.add_argument("--crowd", type=int, default=1, help="times as many people as in training")
    parser.add_argument("--ticks", type=int, default=1200, help="of the town, 20 a second; 0 for the arenas alone")
    parser.add_argument("--curve", type=Path, nargs=2, metavar=("LOG", "PNG"), help="only draw the learning curve")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
