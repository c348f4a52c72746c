"""Draws what minds do in each task, seen from above, on held-out arenas.

    python benchmarks/task_pictures.py [--weights FILE] [--tasks follow,find] [--seed N] [--out docs/images/tasks.png]
    python benchmarks/task_pictures.py --strip 8 --tasks come,alarm --out docs/images/task-strips.png

The first shows who walked where in the first 20 seconds: a trail begins at a small dot and ends at a large one; a ring
around it says that the agent did what it was to do, a cross marks a point that those who count had to reach. The second
shows moments, one row a task: where everybody is, which way they face, how they came there in the last two seconds, and
rings round those who have just done what they were to do. Needs Pillow.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ecumene_agents.batch import actions_of
from ecumene_models import load_policy
from ecumene_models.adapters import dressed, load_adapter
from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.cast import WEIGHTS
from ecumene_scenarios.evaluate import SPLITS, Controller, minds
from ecumene_scenarios.packs.task import Task
from ecumene_scenarios.picture import View, colour_of
from ecumene_scenarios.registry import TASKS, load_scenario

_PANEL: Final = 300
_COLUMNS: Final = 4
_TITLE: Final = 18
_GOAL: Final = (30, 30, 34)
_DONE: Final = (250, 250, 250)
_THING: Final = (150, 120, 80)
_RECENT: Final = 10
"""So many decisions back trails reach in a strip."""


def panel(task: str, controller: Controller, seed: int, decisions: int) -> Image.Image:
    """Returns the picture of one world of a task."""
    scenario = _task(task)
    env = BatchedEnv(scenario, seed=seed, worlds=1)
    step = env.reset(seed)
    state = env.session.world.state
    view = _ground(env)
    trails: dict[tuple[int, int], list[list[float]]] = {}
    done: set[tuple[int, int]] = set()
    for _ in range(decisions):
        for slot in step.alive[0].nonzero().flatten().tolist():
            trail = trails.setdefault((slot, int(step.serial[0, slot])), [])
            if not trail and scenario.judged(state)[0, slot] and state.target[0, slot] < 0:
                _cross(view, state.goal[0, slot, :2].double().numpy())
            trail.append(state.position[0, slot, :2].tolist())
        before, arrived = step.serial.clone(), scenario.memory["arrived_count"].clone()
        step = env.step(actions_of(step.senses.slots, controller(step.senses)))
        if bool(scenario.memory["arrived_count"] > arrived):
            ended = (step.terminated & ~step.truncated)[0].nonzero().flatten().tolist()
            done |= {(slot, int(before[0, slot])) for slot in ended}
    for (slot, serial), places in trails.items():
        _trail(view, np.array(places), colour_of(slot), done=(slot, serial) in done)
    return _titled(view.image, task)


def strip(task: str, controller: Controller, seed: int, decisions: int, moments: int) -> list[Image.Image]:
    """Returns pictures of one world of a task at so many moments, evenly apart."""
    scenario = _task(task)
    env = BatchedEnv(scenario, seed=seed, worlds=1)
    step = env.reset(seed)
    state = env.session.world.state
    trails: dict[tuple[int, int], list[list[float]]] = {}
    done: dict[tuple[int, int], int] = {}
    pictures: list[Image.Image] = []
    shown = {round((index + 1) * decisions / moments) for index in range(moments)}
    for now in range(1, decisions + 1):
        for slot in step.alive[0].nonzero().flatten().tolist():
            trails.setdefault((slot, int(step.serial[0, slot])), []).append(state.position[0, slot, :2].tolist())
        before, arrived = step.serial.clone(), scenario.memory["arrived_count"].clone()
        step = env.step(actions_of(step.senses.slots, controller(step.senses)))
        if bool(scenario.memory["arrived_count"] > arrived):
            ended = (step.terminated & ~step.truncated)[0].nonzero().flatten().tolist()
            done |= {(slot, int(before[0, slot])): now for slot in ended}
        if now in shown:
            view = _ground(env)
            for slot in step.alive[0].nonzero().flatten().tolist():
                trail = trails.get((slot, int(step.serial[0, slot])), [])[-_RECENT:]
                _walker(view, [*trail, state.position[0, slot, :2].tolist()], float(state.yaw[0, slot]), slot)
            for (slot, serial), since in done.items():
                if now - since < _RECENT:
                    last = view.pixels(np.array(trails[slot, serial][-1:]))[0]
                    view.disc(last, 0.25 * view.scale + 3.0, _DONE)
                    view.disc(last, 0.25 * view.scale, colour_of(slot))
            pictures.append(_titled(view.image, f"{task}, {now / 5:.0f} s"))
    return pictures


def _task(name: str) -> Task:
    """A task that never starts anew by itself."""
    scenario = load_scenario(name)
    assert isinstance(scenario, Task), f"{name} is not a task"
    scenario.ticks = 1 << 40
    return scenario


def _ground(env: BatchedEnv) -> View:
    """A picture of the ground with the things on it, as long as they are."""
    state, layout = env.session.world.state, env.session.world.layout
    view = View(layout, _PANEL)
    lengths = layout.thing_lengths().tolist()
    for place, yaw, length in zip(state.thing_position[0].tolist(), state.thing_yaw[0].tolist(), lengths, strict=True):
        half = 0.5 * max(0.0, length - 0.5)
        ends = [[place[0] + side * half * math.cos(yaw), place[1] + side * half * math.sin(yaw)] for side in (-1, 1)]
        first, last = view.pixels(np.array(ends))
        for end in (first, last):
            view.disc(end, 0.25 * view.scale, _THING)
        view.line(first, last, _THING, 0.25 * view.scale)
    return view


def _walker(view: View, places: list[list[float]], yaw: float, slot: int) -> None:
    """Somebody, the way there, and a nose that tells where the body faces."""
    view.path(np.array(places), colour_of(slot), 1.2)
    here = view.pixels(np.array(places[-1:]))[0]
    view.disc(here, 0.25 * view.scale + 1.0, colour_of(slot))
    ahead = view.pixels(np.array([[places[-1][0] + 0.5 * math.cos(yaw), places[-1][1] + 0.5 * math.sin(yaw)]]))[0]
    view.line(here, ahead, _GOAL, 1.2)


def _cross(view: View, goal: NDArray[np.float64]) -> None:
    x, y = view.pixels(goal[None])[0]
    for dx, dy in ((4, 4), (4, -4)):
        view.line(np.array([x - dx, y - dy]), np.array([x + dx, y + dy]), _GOAL, 1.5)


def _trail(view: View, places: NDArray[np.float64], colour: tuple[int, ...], *, done: bool) -> None:
    view.path(places, colour, 1.5)
    first, last = view.pixels(places[[0, -1]])
    view.disc(first, 2.0, colour)
    if done:
        view.disc(last, 0.25 * view.scale + 3.0, _DONE)
    view.disc(last, 0.25 * view.scale, colour)


def _titled(image: NDArray[np.uint8], title: str) -> Image.Image:
    whole = Image.new("RGB", (_PANEL + 4, _PANEL + _TITLE), (250, 250, 248))
    whole.paste(Image.fromarray(image), (2, _TITLE))
    ImageDraw.Draw(whole).text((6, 3), title, fill=(20, 20, 24))
    return whole


def main() -> None:
    """Draws and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="the shipped ones")
    parser.add_argument("--adapter", type=Path, help="that they wear")
    parser.add_argument("--tasks", default=",".join(TASKS), help="which, with commas")
    parser.add_argument("--seed", type=int, default=SPLITS["test"] + 900, help="of the arenas")
    parser.add_argument("--decisions", type=int, default=100, help="5 a second")
    parser.add_argument("--without", default=None, help="a sense that nobody has")
    parser.add_argument("--strip", type=int, default=0, metavar="N", help="N moments of each task instead of trails")
    parser.add_argument("--out", type=Path, default=Path("docs/images/tasks.png"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    policy = load_policy(options.weights)
    worn = policy if options.adapter is None else dressed(policy, load_adapter(options.adapter))
    controller = minds(worn, without=options.without)
    tasks = options.tasks.split(",")
    if options.strip:
        rows = [strip(task, controller, options.seed, options.decisions, options.strip) for task in tasks]
        panels = [picture for row in rows for picture in row]
    else:
        panels = [panel(task, controller, options.seed, options.decisions) for task in tasks]
    columns = options.strip or min(_COLUMNS, len(panels))
    width, height = panels[0].size
    sheet = Image.new("RGB", (columns * width, -(-len(panels) // columns) * height), (250, 250, 248))
    for index, each in enumerate(panels):
        sheet.paste(each, (index % columns * width, index // columns * height))
    sheet.save(options.out, optimize=True)
    print(f"{options.out}: {options.out.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
