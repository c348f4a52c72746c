"""The training command really runs, resumes where it stopped, and its weights can be evaluated."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecumene_models import FusionPolicy, load_policy, save_policy
from ecumene_models.checkpoint import read
from ecumene_scenarios.errors import NoTaskError, TrainingError
from ecumene_scenarios.evaluate import SPLITS, Arenas, evaluate
from ecumene_scenarios.judge import Judge
from ecumene_scenarios.packs.training import Avoid
from ecumene_scenarios.training import (
    JUDGE,
    LOG,
    WEIGHTS,
    Arena,
    Progress,
    Trainer,
    TrainingConfig,
    _fared,
    arena_seed,
    beginner,
    gathered,
    last_numbers,
    train,
)
from ecumene_server import cli
from ecumene_world.world import stream

SHORT = TrainingConfig(worlds=1, steps=4, clone=2, critic=1, improve=1, refresh=2)


def test_smoke(tmp_path: Path) -> None:
    reports: list[Progress] = []
    path = train(SHORT, tmp_path, reports.append)
    assert path == tmp_path / WEIGHTS
    assert [report.stage for report in reports] == ["clone", "clone", "critic", "improve"]
    assert reports[-1].iteration == reports[-1].iterations == 4
    assert reports[1].numbers["imitation"] < reports[0].numbers["imitation"]
    assert {"policy", "kl", "clipped", "entropy", "value", "goto/success", "wait/reward"} <= reports[-1].numbers.keys()
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [1, 2, 3, 4]
    assert load_policy(path).log_std[0].item() == pytest.approx(SHORT.ppo.log_std[0], abs=0.01)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "config",
    [
        SHORT,
        replace(SHORT, memory=8, judge="centralised", tasks=("recall",)),
        replace(SHORT, curriculum=True, tasks=("goto", "recall")),
    ],
)
def test_a_resumed_run_ends_as_an_uninterrupted_one(tmp_path: Path, config: TrainingConfig) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(config, whole)
    trainer = Trainer(config, parts)
    reports = trainer.run()
    for _ in range(3):
        next(reports)
    assert Trainer(config, parts).iteration == 2, "the last checkpoint lies where arenas changed"
    train(config, parts)
    first, second = (load_policy(folder / WEIGHTS).state_dict() for folder in (whole, parts))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("task", ["follow", "find", "come", "alarm"])
def test_every_task_of_perception_can_be_trained(tmp_path: Path, task: str) -> None:
    reports: list[Progress] = []
    train(replace(SHORT, tasks=(task,), clone=1), tmp_path, reports.append)
    assert reports[-1].decisions > 3 * 4 * 3
    assert {f"{task}/success", f"{task}/reward", "policy"} <= reports[-1].numbers.keys()


def test_training_may_begin_with_given_weights(tmp_path: Path) -> None:
    first = train(replace(SHORT, tasks=("avoid",), clone=1, critic=0, improve=0), tmp_path / "first")
    again = Trainer(replace(SHORT, tasks=("wait",), start=str(first)), tmp_path / "again").learner.policy.state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in load_policy(first).state_dict().items())


def test_a_sense_may_be_lacking_in_all_of_training() -> None:
    config = replace(SHORT, sense_drop=0.0, lacking=("hearing",))
    present = Arena(config, "wait", 0, 0).senses().present
    assert present.any(dim=0).tolist() == [True, False, True]
    assert Arena(replace(config, lacking=()), "wait", 0, 0).senses().present.any(dim=0).all()


def test_new_options_leave_no_trace_where_they_are_not_used(tmp_path: Path) -> None:
    train(SHORT, tmp_path)
    notes = read(tmp_path / WEIGHTS, model="fusion-policy").notes["training"]
    assert not {"memory", "judge"} & notes.keys()
    assert not (tmp_path / JUDGE).exists()


def test_a_centralised_critic_judges_and_the_minds_know_what_to_expect(tmp_path: Path) -> None:
    reports: list[Progress] = []
    path = train(replace(SHORT, judge="centralised", tasks=("avoid",), steps=8), tmp_path, reports.append)
    assert all({"judge", "value"} <= report.numbers.keys() for report in reports)
    begun = Judge(stream(SHORT.seed, "judge")).state_dict()
    learned = read(tmp_path / JUDGE, model="judge").tensors
    assert all(bool((learned[name] != tensor).any()) for name, tensor in begun.items())
    assert type(load_policy(path)) is FusionPolicy
    with pytest.raises(TrainingError, match="the critic can't be 'fair'; own or centralised would do"):
        Trainer(replace(SHORT, judge="fair"), tmp_path)


def test_a_centralised_critic_learns_what_it_is_shown(tmp_path: Path) -> None:
    config = replace(SHORT, judge="centralised", tasks=("avoid",), steps=8)
    learner, noise = Trainer(config, tmp_path).learner, stream(config.seed, "noise")
    experience, _ = gathered(learner, [Arena(config, "avoid", 0, 0)], config, "clone", noise)
    first, *_, last = [learner.learn(experience, "clone", 1.0, noise)["judge"] for _ in range(4)]
    assert last < 0.8 * first


def test_minds_without_memory_may_begin_those_with_it(tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    plain = FusionPolicy(generator=torch.Generator().manual_seed(5))
    save_policy(plain, path)
    begun = beginner(replace(SHORT, memory=8, start=str(path))).state_dict()
    assert all(torch.equal(tensor, begun[name]) for name, tensor in plain.state_dict().items())
    assert begun["recall.cell.weight_hh"].shape == (24, 8)


@pytest.mark.parametrize("memory", [0, 8])
def test_minds_without_relations_may_begin_those_with_them(tmp_path: Path, memory: int) -> None:
    path, again = tmp_path / "plain.safetensors", tmp_path / "again.safetensors"
    plain = FusionPolicy(generator=torch.Generator().manual_seed(5))
    save_policy(plain, path)
    assert "relations" not in read(path, model="fusion-policy").config
    begun = beginner(replace(SHORT, relations=True, memory=memory, start=str(path)))
    assert all(torch.equal(tensor, begun.state_dict()[name]) for name, tensor in plain.state_dict().items())
    assert not begun.relation.any()
    with torch.no_grad():
        begun.relation.fill_(0.25)
    save_policy(begun, again)
    assert torch.equal(load_policy(again).relation, begun.relation)
    assert torch.equal(beginner(replace(SHORT, memory=memory, start=str(again))).relation, begun.relation)


def test_a_curriculum_gives_arenas_to_tasks_that_lack_success(tmp_path: Path) -> None:
    trainer = Trainer(replace(SHORT, curriculum=True, tasks=("goto", "recall"), arenas=3), tmp_path)
    reports, met = trainer.run(), []
    for _ in range(2):
        next(reports)
        met.append([arena.task for arena in trainer.arenas])
    trainer.success = {"goto": 1.0, "recall": 0.0}
    next(reports)
    assert met == [["goto"] * 3 + ["recall"] * 3] * 2
    assert [arena.task for arena in trainer.arenas] == ["goto"] + ["recall"] * 5
    with pytest.raises(TrainingError, match="none to give away; 2 would do"):
        Trainer(replace(SHORT, curriculum=True, arenas=1), tmp_path)


def test_success_is_that_of_all_arenas_of_a_task(tmp_path: Path) -> None:
    trainer = Trainer(replace(SHORT, tasks=("goto",), arenas=2), tmp_path)
    report = next(trainer.run())
    ended, arrived = 0.0, 0.0
    for number, arena in enumerate(trainer.arenas):
        memory = arena.scenario.memory
        memory["left_count"][:], memory["arrived_count"][:] = 3.0 - number, 2.0 * (1 - number)
        ended, arrived = ended + 3.0 - number, arrived + 2.0 * (1 - number)
    alive = [arena.step.alive.flatten()[None] for arena in trainer.arenas]
    rewards = torch.zeros(1, sum(part.numel() for part in alive))
    numbers = _fared(trainer.arenas, [part.numel() for part in alive], rewards, torch.cat(alive, 1))
    assert numbers["goto/success"] == pytest.approx(arrived / ended)
    assert report.numbers.keys() >= numbers.keys()


def test_a_run_that_has_ended_tells_the_numbers_that_it_ended_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "minds", "--smoke", "--tasks", "wait", "--worlds", "1", "--out", str(tmp_path), "--json"]
    said = []
    for _ in range(2):
        assert cli.run(command) == 0
        said.append(json.loads(capsys.readouterr().out))
    assert said[0] == said[1]
    assert "wait/success" in said[0]["numbers"]
    assert said[0]["numbers"] == json.loads((tmp_path / LOG).read_text().splitlines()[-1])["numbers"]


def test_a_run_without_iterations_has_no_numbers(tmp_path: Path) -> None:
    train(replace(SHORT, clone=0, critic=0, improve=0), tmp_path)
    assert last_numbers(tmp_path) == {}


def test_another_configuration_does_not_resume(tmp_path: Path) -> None:
    Trainer(SHORT, tmp_path)._checkpoint()
    with pytest.raises(TrainingError, match="another configuration"):
        Trainer(TrainingConfig(seed=9), tmp_path)


def test_a_scenario_without_reward_can_not_be_trained(tmp_path: Path) -> None:
    with pytest.raises(NoTaskError, match="'plaza' is no task, since nobody is rewarded in it; tasks are goto, "):
        train(TrainingConfig(tasks=("plaza",)), tmp_path)
    assert not list(tmp_path.iterdir()), "the folder may be given again, with a task"


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("worlds is 0", replace(SHORT, worlds=0)),
        ("arenas is -1", replace(SHORT, arenas=-1)),
        ("steps is 0", replace(SHORT, steps=0)),
        ("refresh is 0", replace(SHORT, refresh=0)),
        ("clone is -1", replace(SHORT, clone=-1)),
        ("improve is -5", replace(SHORT, improve=-5)),
    ],
)
def test_too_few_of_anything_is_refused_before_a_run_begins(tmp_path: Path, name: str, config: TrainingConfig) -> None:
    with pytest.raises(TrainingError, match=f"{name}; it must be at least"):
        train(config, tmp_path)
    assert not list(tmp_path.iterdir())


def test_evaluation_has_a_row_for_every_model_task_and_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Avoid, "limit_ticks", 40)
    path = train(TrainingConfig(worlds=1, steps=2, clone=1, critic=0, improve=0, refresh=2), tmp_path)
    told: list[tuple[int, int]] = []
    rows = evaluate(
        path,
        Arenas(seeds=2, worlds=1, steps=6),
        tasks=("avoid",),
        without=("vision",),
        progress=lambda *done: told.append(done),
    )
    assert {row.model for row in rows} == {"scripted", "minds", "minds without vision"}
    assert {row.metric for row in rows} == {"success", "collisions_per_agent_minute", "seconds_to_goal", "jitter"}
    assert all(row.low <= row.value <= row.high and row.seeds == 2 for row in rows if row.metric != "seconds_to_goal")
    times = [row for row in rows if row.metric == "seconds_to_goal"]
    assert all(math.isnan(row.value) == (row.seeds == 0) for row in times), "in two seconds hardly anybody arrives"
    assert [row.baseline for row in rows] == [row.model == "scripted" for row in rows]
    assert told[-1] == (6, 6)
    assert {row.split for row in rows} == {"test"}


def test_only_tasks_can_be_evaluated() -> None:
    with pytest.raises(NoTaskError, match="'plaza' is no task, since nobody is rewarded in it; tasks are goto, "):
        evaluate(None, Arenas(seeds=1), tasks=("plaza",))


def test_two_processes_make_the_same_figures_as_one() -> None:
    one, two = (evaluate(None, Arenas(2, 1, 4), tasks=("avoid",), jobs=jobs) for jobs in (1, 2))
    assert one == two


def test_the_same_command_makes_the_same_weights_bit_for_bit(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ecumene_server", "train", "minds", "--smoke", "--tasks", "wait", "--out"]
    runs = [
        subprocess.Popen([*command, str(tmp_path / order)], env=os.environ | {"PYTHONHASHSEED": order}, text=True)
        for order in ("1", "2")
    ]
    assert [run.wait() for run in runs] == [0, 0]
    first, second = ((tmp_path / order / WEIGHTS).read_bytes() for order in ("1", "2"))
    assert first == second


def test_no_arena_is_in_two_splits() -> None:
    config = TrainingConfig()
    seeds = [arena_seed(replace(config, seed=seed), config.iterations, 1) for seed in (0, 1, 899, 900, 123_456_789)]
    assert max(seeds) < SPLITS["validation"] < SPLITS["test"]
    assert SPLITS["test"] - SPLITS["validation"] > 1_000
