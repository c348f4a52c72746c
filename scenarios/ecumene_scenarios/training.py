"""Trains minds on tasks side by side: gathers experience, learns, writes weights and a log.

Arenas change every `refresh` iterations, which is also where checkpoints lie: a run that is resumed there goes on bit
for bit as if it had never stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.fast import with_reflexes
from ecumene_models import FusionPolicy, SenseBatch, load_policy, save_policy
from ecumene_models.actions import PolicyActions
from ecumene_models.checkpoint import POLICIES, fit, read
from ecumene_models.checkpoint import write as write_weights
from ecumene_models.fusion import FusionConfig
from ecumene_models.recurrent import RecurrentConfig, RecurrentPolicy
from ecumene_models.senses import SENSES
from ecumene_scenarios.batched import BatchedEnv, Step
from ecumene_scenarios.curriculum import allotted
from ecumene_scenarios.errors import TrainingError
from ecumene_scenarios.judge import Judge, told
from ecumene_scenarios.ppo import Learner, PPOConfig, drawn, movement_logprob
from ecumene_scenarios.registry import BASICS, load_task
from ecumene_scenarios.rollout import Experience, Recollection, advantages, joined_actions
from ecumene_scenarios.teacher import guided
from ecumene_world.world import stream

WEIGHTS: Final = "minds.safetensors"
HELD_OUT: Final = 900_000
"""Arenas of this seed and above are for validation and test; training never uses them."""
OPTIMISER: Final = "optimiser.safetensors"
JUDGE: Final = "judge.safetensors"
TEACHING: Final = "teaching.safetensors"
JUDGES: Final = ("own", "centralised")
LOG: Final = "log.jsonl"
LATER: Final[Mapping[str, Any]] = {"memory": 0, "judge": "own", "relations": False, "curriculum": False}
"""Parts of the configuration that weights made before them don't note, and what those were made with."""
RISE: Final = 8
"""Iterations in which the learning rate of improving rises."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What to train and for how long.

    Attributes:
        seed: Of weights, arenas, people and noise.
        tasks: Scenario names; each must be a task with rewards.
        worlds: Copies of each arena side by side.
        arenas: Arenas of each task at a time.
        steps: Decisions an iteration.
        clone: Iterations of imitation.
        critic: Iterations in which only the critic's target changes the loss besides imitation.
        improve: Iterations of policy gradients.
        refresh: Iterations between new arenas and checkpoints.
        sense_drop: Probability that an agent lives without one of its senses, for each sense.
        lacking: Senses that nobody ever has.
        start: File of weights to begin with; empty to begin with weights drawn from the seed.
        memory: Numbers that the minds remember, 0 for minds without memory.
        judge: "own" for the policy's own critic, "centralised" for one that is told more, see `judge`.
        relations: Whether minds are told how their neighbours are related; weights without begin with zeros for it.
        curriculum: Whether tasks that fared worse have more arenas in the next period, see `curriculum.allotted`.
        device: "cpu" or "cuda".
        ppo: How experience is used.
    """

    seed: int = 0
    tasks: tuple[str, ...] = BASICS
    worlds: int = 8
    arenas: int = 2
    steps: int = 24
    clone: int = 30
    critic: int = 2
    improve: int = 16
    refresh: int = 6
    sense_drop: float = 0.06
    lacking: tuple[str, ...] = ()
    start: str = ""
    memory: int = 0
    judge: str = "own"
    relations: bool = False
    curriculum: bool = False
    device: str = "cpu"
    ppo: PPOConfig = field(default_factory=PPOConfig)

    @property
    def iterations(self) -> int:
        """Of all stages together."""
        return self.clone + self.critic + self.improve

    def check(self) -> None:
        """Refuses what can't be trained, before anything is written.

        Raises:
            TrainingError: A number is too small, or there is no such critic.
            NoTaskError: One of the tasks is none.
        """
        if self.judge not in JUDGES:
            raise TrainingError(f"the critic can't be {self.judge!r}; {' or '.join(JUDGES)} would do")
        least = {"worlds": 1, "arenas": 1, "steps": 1, "refresh": 1, "clone": 0, "critic": 0, "improve": 0}
        for name, number in least.items():
            if getattr(self, name) < number:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be at least {number}")
        if self.curriculum and self.arenas < 2:
            raise TrainingError("a curriculum with one arena of each task has none to give away; 2 would do")
        for task in self.tasks:
            load_task(task)

    def stage(self, iteration: int) -> tuple[str, int]:
        """The stage of an iteration and how many iterations of that stage lie behind."""
        start = 0
        for name, length in (("clone", self.clone), ("critic", self.critic), ("improve", self.improve)):
            if iteration < start + length:
                return name, iteration - start
            start += length
        raise AssertionError(iteration)

    def guidance(self, iteration: int) -> float:
        """Share of decisions that the teacher makes itself: all at first, half in the second iteration, then none."""
        return max(0.0, 1.0 - 0.5 * iteration)

    def pace(self, stage: str, done: int) -> float:
        """Share of the learning rate: falls to a fifth while cloning, and starts anew, slowly, when improving.

        It doesn't depend on how long improving lasts, so a longer run goes through the weights of a shorter one.
        """
        if stage == "improve":
            return min(1.0, (1 + done) / RISE)
        return 1.0 - 0.8 * done / self.clone if stage == "clone" else 0.2


@dataclass(frozen=True, slots=True)
class Progress:
    """One iteration's report.

    Attributes:
        iteration: Counted from 1.
        iterations: In all.
        period: How often the arenas have been exchanged.
        stage: "clone", "critic" or "improve".
        decisions: Agent decisions learned from so far.
        numbers: Losses, and per task reward per decision, success and collisions per agent-minute of the arena so far.
    """

    iteration: int
    iterations: int
    period: int
    stage: str
    decisions: int
    numbers: dict[str, float]


def train(
    config: TrainingConfig,
    folder: Path,
    progress: Callable[[Progress], None] | None = None,
    *,
    tensorboard: bool = False,
) -> Path:
    """Trains, resuming from `folder` if it holds a checkpoint of the same configuration; returns the weights' path.

    Raises:
        TrainingError: The folder belongs to another configuration, or there is nothing to train as asked.
    """
    trainer = Trainer(config, folder)
    writers: list[Callable[[Progress], None]] = [_log_to(folder / LOG, trainer.iteration)]
    if progress is not None:
        writers.append(progress)
    if tensorboard:
        writers.append(_tensorboard(folder))
    for report in trainer.run():
        for write in writers:
            write(report)
    return folder / WEIGHTS


class Trainer:
    """The state of a training run: learner, arenas and how far it has come."""

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        config.check()
        self.config, self.folder = config, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.iteration = 0
        self.decisions = 0
        self.success: dict[str, float] = {}
        judge = Judge(stream(config.seed, "judge")).to(config.device) if config.judge == "centralised" else None
        self.learner = Learner(beginner(config).to(config.device), config.ppo, judge)
        self.arenas: list[Arena] = []
        if (folder / WEIGHTS).is_file():
            self._resume()

    def run(self) -> Iterator[Progress]:
        """Yields a report after each iteration; saves a checkpoint before arenas change and at the end."""
        config = self.config
        while self.iteration < config.iterations:
            if self.iteration % config.refresh == 0 or not self.arenas:
                self._checkpoint()
                self.arenas = [
                    Arena(config, task, self.iteration, row)
                    for task, count in self._allotted().items()
                    for row in range(count)
                ]
            stage, done = config.stage(self.iteration)
            if stage != "clone" and done == 0:
                self.learner.begin_exploring()
            noise = stream(config.seed, f"iteration {self.iteration}")
            guidance = config.guidance(self.iteration)
            experience, numbers = gathered(self.learner, self.arenas, config, stage, noise, guidance)
            numbers |= self.learner.learn(experience, stage, config.pace(stage, done), noise)
            self.iteration += 1
            self.decisions += len(experience)
            self.success = {task: numbers[f"{task}/success"] for task in config.tasks}
            period = (self.iteration - 1) // config.refresh
            yield Progress(self.iteration, config.iterations, period, stage, self.decisions, numbers)
        self._checkpoint()

    def _allotted(self) -> dict[str, int]:
        """How many arenas each task gets in the period that begins."""
        config = self.config
        known = self.success if config.curriculum else {}
        return allotted(config.tasks, config.arenas, known)

    def _notes(self) -> dict[str, Any]:
        notes = {"training": noted(self.config), "iteration": self.iteration, "decisions": self.decisions}
        return notes | {"success": self.success} if self.config.curriculum else notes

    def _checkpoint(self) -> None:
        save_policy(self.learner.policy, self.folder / WEIGHTS, notes=self._notes())
        save_file(_momenta(self.learner.optimiser), str(self.folder / OPTIMISER))
        if self.learner.judge is not None and self.learner.teaching is not None:
            write_weights(self.folder / JUDGE, self.learner.judge, model="judge", config={})
            save_file(_momenta(self.learner.teaching), str(self.folder / TEACHING))

    def _resume(self) -> None:
        notes = read(self.folder / WEIGHTS, model=POLICIES).notes
        if notes.get("training") != json.loads(json.dumps(noted(self.config))):
            raise TrainingError(f"{self.folder} holds a run with another configuration; give another folder")
        self.iteration, self.decisions = int(notes["iteration"]), int(notes["decisions"])
        self.success = notes.get("success", {})
        self.learner.policy.load_state_dict(load_policy(self.folder / WEIGHTS).state_dict())
        _restore(self.learner.optimiser, self.folder / OPTIMISER)
        if self.learner.judge is not None and self.learner.teaching is not None:
            fit(self.learner.judge, read(self.folder / JUDGE, model="judge"), self.folder / JUDGE)
            _restore(self.learner.teaching, self.folder / TEACHING)


def _momenta(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What an optimiser remembers, by number of the parameter and name."""
    found: dict[str, Tensor] = {}
    for index, state in optimiser.state_dict()["state"].items():
        found |= {f"{index}.{name}": tensor.detach().cpu().clone() for name, tensor in state.items()}
    return found


def _restore(optimiser: torch.optim.Optimizer, path: Path) -> None:
    """Takes back what `_momenta` returned."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in load_file(str(path)).items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def beginner(config: TrainingConfig) -> FusionPolicy:
    """The policy that training begins with; weights without memory or relations may begin one that has them.

    Raises:
        WeightsError: The weights to begin with can't be read or don't fit.
    """
    start = load_policy(Path(config.start)) if config.start else None
    relations = config.relations or (start is not None and start.config.relations)
    if not config.memory and start is not None and start.config.relations == relations:
        return start
    noise = stream(config.seed, "weights")
    memory = config.memory or (start.config.memory if isinstance(start, RecurrentPolicy) else 0)
    policy = (
        RecurrentPolicy(RecurrentConfig(memory=memory, relations=relations), noise)
        if memory
        else FusionPolicy(replace(FusionConfig() if start is None else start.config, relations=relations), noise)
    )
    if start is not None:
        policy.load_state_dict(policy.state_dict() | start.state_dict())
    return policy


def noted(config: TrainingConfig) -> dict[str, Any]:
    """The configuration as weights note it: what is new since the first weights is named only where it is used."""
    found = asdict(config)
    return {name: value for name, value in found.items() if name not in LATER or value != LATER[name]}


def arena_seed(config: TrainingConfig, iteration: int, row: int) -> int:
    """The seed of the arena in which one iteration takes place, below `HELD_OUT`."""
    period = iteration // config.refresh
    most = 1 + len(config.tasks) * (config.arenas - 1) if config.curriculum else config.arenas
    return 1 + (config.seed * 1_000 + most * period + row) % (HELD_OUT - 1)


class Arena:
    """Worlds of one task, what its agents perceive now, and which senses each of them lives without.

    Attributes:
        fresh: (B, C) bool, slots of agents that have perceived but not acted yet.
        held: (slots of all worlds, memory) f32, what they remember; None before anybody acts.
    """

    def __init__(self, config: TrainingConfig, task: str, iteration: int, row: int) -> None:
        seed = arena_seed(config, iteration, row)
        self.task = task
        self.scenario = load_task(task)
        self.env = BatchedEnv(self.scenario, seed=seed, worlds=config.worlds, device=config.device)
        self.step = self.env.reset(seed)
        lacking = [config.sense_drop if sense not in config.lacking else 1.0 for sense in SENSES]
        self.drop = torch.tensor(lacking, device=config.device)
        self.noise = stream(seed, "senses")
        shape = (*self.step.alive.shape, 3)
        self.present = torch.ones(shape, dtype=torch.bool, device=config.device)
        self.serial = torch.full_like(self.step.serial, -1)
        self.fresh = torch.zeros_like(self.step.alive)
        self.held: Tensor | None = None

    @property
    def size(self) -> int:
        """Slots of all its worlds."""
        return self.step.alive.numel()

    def senses(self) -> SenseBatch:
        """What all slots perceive, worlds outermost, without the senses that each agent lacks."""
        fresh = (self.step.serial != self.serial) & self.step.alive
        drawn_now = torch.rand(self.present.shape, generator=self.noise).to(fresh.device) >= self.drop
        self.present = torch.where(fresh[..., None], drawn_now, self.present)
        self.serial = torch.where(fresh, self.step.serial, self.serial)
        self.fresh = self.fresh | fresh
        batch = batch_of(self.step.senses)
        return replace(batch, present=batch.present & self.present.view(-1, 3))

    def lesson(self, senses: SenseBatch, move: Tensor, *, imitate: bool) -> PolicyActions:
        """What a teacher would do in the place of the agents alive.

        Args:
            senses: What these perceive, N rows, in order of their slots.
            move: (N, 2) how they walk.
            imitate: Whether they should walk as the teacher would rather than as they do.
        """
        rows = self.step.alive.flatten().nonzero().flatten()
        return guided(self.scenario, self.env.session.world, senses, rows, None if imitate else move)

    def graded(self) -> Tensor:
        """Which slots have a reward to learn from, (slots of all worlds,) bool."""
        return ~self.scenario.taught(self.env.session.world.state).flatten()

    def act(self, actions: PolicyActions) -> Step:
        """Steps with one row of actions a slot; rows of empty slots do nothing."""
        self.step = self.env.step(actions_of(self.step.senses.slots, actions))
        self.fresh = torch.zeros_like(self.fresh)
        return self.step


@torch.no_grad()
def gathered(
    learner: Learner,
    arenas: list[Arena],
    config: TrainingConfig,
    stage: str,
    noise: torch.Generator,
    guidance: float = 0.0,
) -> tuple[Experience, dict[str, float]]:
    """Lets the policy act for `config.steps` decisions in all arenas; returns what it met and how it fared."""
    policy, judge = learner.policy, learner.judge
    sizes = [arena.size for arena in arenas]
    count, device = sum(sizes), config.device
    tracks = {name: torch.zeros(config.steps, count, device=device) for name in ("reward", "value")}
    never = torch.zeros(config.steps, count, dtype=torch.bool, device=device)
    flags = {name: never.clone() for name in ("ended", "expired", "alive")}
    recollection = _recollection(policy, arenas, device)
    kept: list[tuple[SenseBatch, PolicyActions, PolicyActions, Tensor, Tensor, Tensor]] = []
    known: list[Tensor] = []
    for step in range(config.steps):
        senses = SenseBatch.cat([arena.senses() for arena in arenas])
        alive = torch.cat([arena.step.alive.flatten() for arena in arenas])
        rows = alive.nonzero().flatten()
        seen = senses.rows(rows)
        output = recollection.decide(seen, rows, _fresh(arenas))
        labels = _lessons(arenas, seen, output.move, imitate=stage != "improve")
        actions = drawn(output, noise if stage != "clone" else None)
        if guidance:
            led = torch.rand(len(rows), generator=noise) < guidance
            actions = _either(led.to(device), labels, actions)
        graded = torch.cat([arena.graded() for arena in arenas])[rows]
        kept.append((seen, actions, labels, movement_logprob(output, actions), output.vector, graded))
        if judge is not None:
            known.append(_known(arenas)[rows])
        tracks["value"][step, rows] = output.value if judge is None else judge(known[-1])
        flags["alive"][step] = alive
        for arena, part in zip(arenas, _spread(with_reflexes(actions, seen), rows, sizes), strict=True):
            arena.act(part)
        tracks["reward"][step] = torch.cat([arena.step.reward.flatten() for arena in arenas])
        flags["ended"][step] = torch.cat([arena.step.terminated.flatten() for arena in arenas])
        flags["expired"][step] = torch.cat([arena.step.truncated.flatten() for arena in arenas])
    senses = SenseBatch.cat([arena.senses() for arena in arenas])
    last = recollection.value(senses, _fresh(arenas)) if judge is None else judge(_known(arenas))
    for arena, held in zip(arenas, torch.split(recollection.held, sizes), strict=True):
        arena.held = held
    experience = _experience(config.ppo, kept, tracks, flags, last)
    experience = replace(experience, course=recollection.course(), known=torch.cat(known) if known else None)
    return experience, _fared(arenas, sizes, tracks["reward"], flags["alive"])


def _fresh(arenas: list[Arena]) -> Tensor:
    return torch.cat([arena.fresh.flatten() for arena in arenas])


def _known(arenas: list[Arena]) -> Tensor:
    """What a centralised critic is told about all slots of all arenas."""
    return torch.cat([told(arena.scenario, arena.env.session.world.state) for arena in arenas])


def _recollection(policy: FusionPolicy, arenas: list[Arena], device: str) -> Recollection:
    """What the agents of all arenas remember now."""
    for arena in arenas:
        if arena.held is None:
            arena.held = Recollection.blank(policy, arena.size, device)
    return Recollection(policy, torch.cat([arena.held for arena in arenas if arena.held is not None]))


def _lessons(arenas: list[Arena], seen: SenseBatch, move: Tensor, *, imitate: bool) -> PolicyActions:
    """What the teacher says to all agents alive, arenas in order."""
    counts = [int(arena.step.alive.sum()) for arena in arenas]
    parts: list[PolicyActions] = []
    start = 0
    for arena, count in zip(arenas, counts, strict=True):
        span = slice(start, start + count)
        parts.append(arena.lesson(seen.rows(span), move[span], imitate=imitate))
        start += count
    return joined_actions(parts)


def _either(led: Tensor, one: PolicyActions, other: PolicyActions) -> PolicyActions:
    """Rows of `one` where (N,) bool, of `other` elsewhere."""
    index = torch.where(led, 0, len(led)) + torch.arange(len(led), device=led.device)
    return joined_actions((one, other)).rows(index)


def _spread(actions: PolicyActions, rows: Tensor, sizes: list[int]) -> list[PolicyActions]:
    """Rows of alive agents as one row a slot, zeros elsewhere, one part an arena."""
    parts: dict[str, tuple[Tensor, ...]] = {}
    for name in ("move", "turn", "gaze", "interact", "emote", "speak"):
        part = getattr(actions, name)
        whole = part.new_zeros((sum(sizes), *part.shape[1:]))
        whole[rows] = part
        parts[name] = torch.split(whole, sizes)
    return [PolicyActions(**{name: parts[name][index] for name in parts}) for index in range(len(sizes))]


def _experience(
    config: PPOConfig,
    kept: list[tuple[SenseBatch, PolicyActions, PolicyActions, Tensor, Tensor, Tensor]],
    tracks: dict[str, Tensor],
    flags: dict[str, Tensor],
    last: Tensor,
) -> Experience:
    advantage = advantages(
        tracks["reward"], tracks["value"], last, flags["ended"], flags["expired"], gamma=config.gamma, lam=config.lam
    )
    alive = flags["alive"]
    senses, actions, labels, logprob, vector, graded = zip(*kept, strict=True)
    return Experience(
        senses=SenseBatch.cat(senses),
        actions=joined_actions(actions),
        labels=joined_actions(labels),
        logprob=torch.cat(logprob),
        vector=torch.cat(vector),
        graded=torch.cat(graded),
        advantage=advantage[alive],
        target=(advantage + tracks["value"])[alive],
    )


def _fared(arenas: list[Arena], sizes: list[int], reward: Tensor, alive: Tensor) -> dict[str, float]:
    """Reward per decision, success and collisions of each task, of all its arenas together."""
    numbers: dict[str, float] = {}
    rewards, lives = torch.split(reward, sizes, dim=1), torch.split(alive, sizes, dim=1)
    for task in dict.fromkeys(arena.task for arena in arenas):
        mine = [index for index, arena in enumerate(arenas) if arena.task == task]
        numbers[f"{task}/reward"] = float(torch.cat([rewards[index][lives[index]] for index in mine]).mean())
        metrics = [arenas[index].scenario.metrics(arenas[index].env.session.world) for index in mine]
        for name, counted in (("success", "ended"), ("collisions_per_agent_minute", "agent_minutes")):
            value, weight = (torch.cat([each[key] for each in metrics]) for key in (name, counted))
            numbers[f"{task}/{name}"] = float((value * weight).sum() / weight.sum().clamp(min=1e-6))
    return numbers


def _log_to(path: Path, done: int) -> Callable[[Progress], None]:
    """Appends reports to a log, after dropping those of iterations that will be repeated."""
    lines = path.read_text().splitlines() if path.exists() else []
    kept = [line for line in lines if json.loads(line)["iteration"] <= done]
    path.write_text("".join(f"{line}\n" for line in kept))

    def write(report: Progress) -> None:
        with path.open("a") as file:
            file.write(json.dumps(asdict(report)) + "\n")

    return write


def last_numbers(folder: Path) -> dict[str, float]:
    """The numbers of the last iteration that the log of a run holds; none of a run without iterations."""
    lines = (folder / LOG).read_text().splitlines()
    numbers: dict[str, float] = json.loads(lines[-1])["numbers"] if lines else {}
    return numbers


def _tensorboard(folder: Path) -> Callable[[Progress], None]:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError("TensorBoard is not installed; `pip install ecumene[train]` brings it") from error
    writer = SummaryWriter(str(folder / "tensorboard"))

    def write(report: Progress) -> None:
        for name, value in report.numbers.items():
            writer.add_scalar(name, value, report.decisions)
        writer.flush()

    return write
