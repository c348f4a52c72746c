"""What pretrained senses buy when there is a tenth of the experience: minds that begin with them beside others.

Each run learns from about 81 thousand decisions in goto, find, come and alarm (the shipped minds: 835 thousand), by one
of two recipes: `imitation`, the shipped one scaled down, or `reward`, policy gradients alone. It begins with weights of
its seed (`scratch`), or with these after the encoders and the attention were replaced by those that `ecumene train
senses --seed 100` leaves (`masked` or another objective; `shuffled` is the control). So all starts of a seed share
heads, arenas, people and chance, and make as many gradient steps. What is there already under --out is not done again.

    python benchmarks/pretraining.py [--seeds 0,1,2] [--recipes imitation,reward] [--starts scratch,masked] [--out DIR]
    python benchmarks/pretraining.py --split test --table [--json]
    python benchmarks/pretraining.py --error [--seeds 0,1,2] [--starts scratch,masked]

The last trains nothing but imitation, on 8 thousand decisions that the teacher made, the same for all, and prints how
far minds then are from the teacher in arenas that they didn't learn in: a small and quick measure of the same thing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from ecumene_models import load_policy, save_policy
from ecumene_models.cloning import imitation_error
from ecumene_models.pretraining import OBJECTIVES, PretrainingConfig, trained_parameters
from ecumene_scenarios import sensing
from ecumene_scenarios.evaluate import SPLITS, Arenas, Trial, fared
from ecumene_scenarios.ppo import Learner, PPOConfig
from ecumene_scenarios.rollout import Experience
from ecumene_scenarios.statistics import t_interval
from ecumene_scenarios.training import WEIGHTS, Arena, Trainer, TrainingConfig, beginner, gathered
from ecumene_scenarios.unlabelled import Walks
from ecumene_world.world import stream

TASKS: Final = ("goto", "find", "come", "alarm")
SCRATCH: Final = "scratch"
PRETRAINED: Final = 100
"""Seed of the pretraining that all runs share."""
ENCODERS: Final = "-encoders"
"""Of a start: attention is not taken over, encoders alone are."""
PERMUTED: Final = "-permuted"
"""Of a start, a control: the numbers of each tensor change places, so that sizes stay and knowledge is lost."""
SENSES: Final = "-senses"
"""Of a start: not even the encoders of body and intent are taken over."""
PASSES: Final = 3
"""Over the lessons of a teacher."""
LESSONS, EXAM = 701, 702
"""Seeds of the arenas in which a teacher is imitated, and of those in which that is examined."""
SHOWN: Final = ("success", "collisions_per_agent_minute")
EVALUATION: Final = Arenas(seeds=1, worlds=8, steps=15)
_FEW: Final = TrainingConfig(tasks=TASKS, worlds=16, arenas=1, refresh=2)
RECIPES: Final[Mapping[str, TrainingConfig]] = {
    "imitation": replace(_FEW, clone=3, critic=1, improve=1, ppo=PPOConfig(max_kl=1e6)),
    "reward": replace(
        _FEW,
        clone=0,
        critic=0,
        improve=5,
        ppo=PPOConfig(
            improve_rate=1e-3,
            entropy=0.0,
            imitate=0.0,
            max_kl=1e6,
            log_std=(-1.0, -1.0, -1.4),
        ),
    ),
}
"""Neither stops early, so that all starts make the same number of gradient steps."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training run."""

    recipe: str
    start: str
    seed: int

    def folder(self, out: Path) -> Path:
        return out / f"{self.recipe}-{self.start}-{self.seed}"


def main() -> None:
    """Trains, evaluates and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    log = options.out / f"{options.split}.jsonl"
    options.out.mkdir(parents=True, exist_ok=True)
    runs = [
        Run(recipe, start, int(seed))
        for seed in options.seeds.split(",")
        for recipe in options.recipes.split(",")
        for start in options.starts.split(",")
    ]
    if options.error:
        print(json.dumps(errors(runs, options.out), indent=1))
        return
    if not options.table:
        for run in runs:
            if run not in {Run(row["recipe"], row["start"], row["seed"]) for row in _rows(log)}:
                row = measured(run, options.out, options.split)
                with log.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
    rows = [row for row in _rows(log) if Run(row["recipe"], row["start"], row["seed"]) in runs]
    print(json.dumps(rows) if options.json else table(rows))


def measured(run: Run, out: Path, split: str) -> dict[str, Any]:
    """Trains one run if it hasn't been, and returns how it fares on held-out arenas."""
    notes = trained(run, out)
    figures: dict[str, dict[str, float]] = {}
    for task in TASKS:
        seeds = range(SPLITS[split], SPLITS[split] + EVALUATION.seeds)
        arenas = replace(EVALUATION, split=split)
        weights = run.folder(out) / WEIGHTS
        each = [fared(Trial(task, "minds", weights, seed, arenas)) for seed in seeds]
        figures[task] = {name: sum(numbers[name] for numbers in each) / len(each) for name in SHOWN}
    return {"recipe": run.recipe, "start": run.start, "seed": run.seed, "split": split, **notes, "tasks": figures}


def trained(run: Run, out: Path) -> dict[str, float]:
    """Trains one run if it hasn't been; returns decisions and gradient steps."""
    path = run.folder(out) / "steps.json"
    if not path.is_file():
        config = replace(RECIPES[run.recipe], seed=run.seed, start=start_of(run, out))
        trainer = Trainer(config, run.folder(out))
        steps = 0.0
        for report in trainer.run():
            steps += report.numbers["steps"]
            shown = {name: round(value, 3) for name, value in report.numbers.items()}
            print(run, report.iteration, shown, f"{time.process_time():.0f} s", flush=True)
        path.write_text(json.dumps({"decisions": trainer.decisions, "steps": steps}))
    found: dict[str, float] = json.loads(path.read_text())
    return found


def errors(runs: Sequence[Run], out: Path) -> list[dict[str, Any]]:
    """Returns imitation error on held-out arenas after each pass over the lessons, and its difference from scratch."""
    lessons, exam = (_taught(seed) for seed in (LESSONS, EXAM))
    found: dict[tuple[str, int], list[float]] = {}
    for run in runs:
        learner = Learner(beginner(replace(_FEW, seed=run.seed, start=start_of(run, out))), PPOConfig(clone_epochs=1))
        order = stream(run.seed, "order")
        found[run.start, run.seed] = []
        for _ in range(PASSES):
            learner.learn(lessons, "clone", 1.0, order)
            with torch.no_grad():
                error = imitation_error(learner.policy(exam.senses).vector, exam.labels).mean()
            found[run.start, run.seed].append(float(error))
        print(run.start, run.seed, *(round(error, 4) for error in found[run.start, run.seed]), flush=True)
    rows: list[dict[str, Any]] = []
    for start in dict.fromkeys(run.start for run in runs):
        seeds = [run.seed for run in runs if run.start == start]
        for done in range(PASSES):
            each = [found[start, seed][done] for seed in seeds]
            less = [found[start, seed][done] - found[SCRATCH, seed][done] for seed in seeds if (SCRATCH, seed) in found]
            rows.append({"start": start, "passes": done + 1, "error": _shown(each), "from scratch": _shown(less)})
    return rows


def _taught(seed: int) -> Experience:
    """Returns what the teacher met and did in one arena of each task."""
    config = replace(_FEW, seed=seed, worlds=8, sense_drop=0.0)
    learner = Learner(beginner(replace(config, start="")), PPOConfig())
    arenas = [Arena(config, task, 0, 0) for task in config.tasks]
    return gathered(learner, arenas, config, "clone", stream(seed, "lessons"), guidance=1.0)[0]


def start_of(run: Run, out: Path) -> str:
    """Returns the path of the weights that a run begins with; empty for those of its seed."""
    return "" if run.start == SCRATCH else str(begun(run, out))


def begun(run: Run, out: Path) -> Path:
    """Returns the path of the weights that a run begins with; pretrains what it takes over if that hasn't been done."""
    objective = run.start.partition("-")[0]
    folder, path = out / f"senses-{objective}", run.folder(out) / "start.safetensors"
    if not (folder / sensing.WEIGHTS).is_file():
        how = sensing.SensingConfig(Walks(seed=PRETRAINED), pretraining=PretrainingConfig(objective=objective))
        print(json.dumps(dict(sensing.train_senses(how, folder).explained)), flush=True)
    policy = beginner(replace(RECIPES[run.recipe], seed=run.seed))
    learned = load_policy(folder / sensing.WEIGHTS).state_dict()
    left: tuple[str, ...] = ("role", "mix.", "last.", "norm.") if run.start.endswith((ENCODERS, SENSES)) else ()
    left += ("body.", "intent.") if run.start.endswith(SENSES) else ()
    taken = [name for name in trained_parameters(policy) if not name.startswith(left)]
    if run.start.endswith(PERMUTED):
        chance = stream(run.seed, "permuted")
        for name in taken:
            order = torch.randperm(learned[name].numel(), generator=chance)
            learned[name] = learned[name].flatten()[order].view_as(learned[name])
    policy.load_state_dict(policy.state_dict() | {name: learned[name] for name in taken})
    save_policy(policy, path)
    return path


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns a Markdown table of success over seeds, and of the paired difference from scratch."""
    starts = list(dict.fromkeys(str(row["start"]) for row in rows))
    others = [start for start in starts if start != SCRATCH]
    heads = [*starts, *(f"{start} - {SCRATCH}" for start in others)]
    lines = [f"| recipe | task | {' | '.join(heads)} |", f"|---|---|{'---|' * len(heads)}"]
    for recipe in dict.fromkeys(str(row["recipe"]) for row in rows):
        for task in (*TASKS, "mean"):
            found = {start: _successes(rows, recipe, start, task) for start in starts}
            cells = [_shown(list(found[start].values())) for start in starts]
            for start in others:
                both = sorted(found[start].keys() & found[SCRATCH].keys())
                cells.append(_shown([found[start][seed] - found[SCRATCH][seed] for seed in both]))
            lines.append(f"| {recipe} | {task} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _successes(rows: Sequence[Mapping[str, Any]], recipe: str, start: str, task: str) -> dict[int, float]:
    """Success by seed; of all tasks the mean."""
    tasks = TASKS if task == "mean" else (task,)
    chosen = [row for row in rows if (row["recipe"], row["start"]) == (recipe, start)]
    return {row["seed"]: sum(row["tasks"][name]["success"] for name in tasks) / len(tasks) for row in chosen}


def _shown(values: Sequence[float]) -> str:
    if not values:
        return ""
    value, low, high = t_interval(values)
    return f"{value:.3f} ({low:.3f} to {high:.3f}), {len(values)}"


def _rows(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.is_file() else []


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", default="0,1,2", metavar="A,B")
    parser.add_argument("--recipes", default=",".join(RECIPES), metavar="A,B")
    parser.add_argument(
        "--starts",
        default="scratch,masked",
        metavar="A,B",
        help=f"scratch, {', '.join(OBJECTIVES)}; followed by {ENCODERS}, {SENSES} or {PERMUTED}",
    )
    parser.add_argument("--split", default="validation", choices=SPLITS)
    parser.add_argument("--out", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--error", action="store_true", help="measure imitation alone, quickly")
    parser.add_argument("--table", action="store_true", help="only print what has been measured")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
