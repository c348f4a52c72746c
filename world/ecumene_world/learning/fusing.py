"""The fusion testbed: what fused senses get right beside single experts, products of experts and textbook fusion.

Three seeds, each with a split of its own: no image and no voice of the test was trained on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

import ecumene_models
from ecumene_models.classifier import ClassifierConfig, FusedClassifier, save_classifier
from ecumene_models.classifier_training import (
    ClassifierTraining,
    calibrate,
    train_experts,
    train_form,
    train_fusion,
    train_textbook,
)
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row, accuracy
from ecumene_models.percepts import Percepts
from ecumene_models.senses import SENSES
from ecumene_world.learning.perceiving import Difficulty, Digits, Part, examples, split
from ecumene_world.learning.spoken import Spoken

SEEDS: Final = 3
SPLIT: Final = "30 % of the images and of the voices held out, split anew by each seed"
RESULTS: Final = "fusion.json"
SHIPPED: Final = Path(ecumene_models.__file__).parent / "cards" / RESULTS
MODEL: Final = "fusion"
PRODUCT: Final = "product_of_experts"
EXPERTS: Final = {"vision": "vision_expert", "hearing": "hearing_expert", "touch": "touch_expert"}
SUBSETS: Final = {
    "avt": ("hearing", "vision", "touch"),
    "av": ("hearing", "vision"),
    "at": ("hearing", "touch"),
    "vt": ("vision", "touch"),
    "a": ("hearing",),
    "v": ("vision",),
    "t": ("touch",),
}
"""Which senses are there, by the letters that metrics end on."""
NOISE: Final = {
    "vision": (0.1, 0.2, 0.4, 0.6, 0.9, 1.2),
    "hearing": (6.0, 0.0, -6.0, -12.0, -18.0, -24.0),
    "touch": (0.1, 0.2, 0.4, 0.6, 0.9, 1.2),
}
"""Levels of noise of one sense while the others stay as they were: grain, signal in dB, tremor."""
_VALIDATION_SEED, _TEST_SEED = 1_000, 2_000

Progress = Callable[[int, int, float], None]
"""Told steps done, steps in all and the loss of the last one."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often each image is perceived anew.

    Attributes:
        training: Turned and stretched a little each time.
        validation: To fit the gains of the experts.
        test: To measure.
        noisy: To measure at each level of noise.
    """

    training: int = 16
    validation: int = 12
    test: int = 8
    noisy: int = 1


def train_all(
    digits: Digits,
    spoken: Spoken,
    training: ClassifierTraining,
    folder: Path,
    *,
    sizes: Sizes | None = None,
    seeds: int = SEEDS,
    progress: Progress | None = None,
) -> tuple[Path, tuple[Row, ...]]:
    """Trains and compares all methods with each seed; an interrupted run goes on where it was.

    Seed k is that of the training plus k. `folder` gets `fusion.json`, and weights of the fusion of each seed.

    Returns:
        The path of the first seed's weights, and the rows of the comparison.

    Raises:
        WeightsError: The folder holds a run of other settings.
    """
    steps = {"fused": training.steps + training.forming + training.fusing, "textbook": 2 * training.steps}
    total, done = seeds * sum(steps.values()), 0
    found = []
    for name, train in _STAGES.items():
        for index in range(seeds):
            mine = replace(training, seed=training.seed + index)
            stage = Stage(name, train, mine, sizes or Sizes(), folder)
            found.append(_kept(digits, spoken, stage, _counted(done, total, progress)))
            done += steps[name]
    result = summary(found)
    (folder / RESULTS).write_text(json.dumps(result, indent=1), "utf-8")
    return _weights(folder, training.seed), rows_of(result)


def train_fused(data: Data, training: ClassifierTraining, told: Told | None) -> dict[str, FusedClassifier]:
    """Returns the fusion and the products of the experts that it is made of."""
    product = _fresh(training, experts=True)
    train_experts(product, *data.train, training, told)
    calibrated, fused = deepcopy(product), deepcopy(product)
    calibrate(calibrated, *data.validation, form=False)
    train_form(fused, *data.train, training, told)
    calibrate(fused, *data.validation)
    train_fusion(fused, *data.train, training, told)
    return {MODEL: fused.eval(), PRODUCT: product.eval(), "calibrated_product": calibrated.eval()}


def train_textbooks(data: Data, training: ClassifierTraining, told: Told | None) -> dict[str, FusedClassifier]:
    """Returns networks whose attention decides alone, trained by one loss without and with modality dropout."""
    textbook, dropout = _fresh(training, experts=False), _fresh(training, experts=False)
    train_textbook(textbook, *data.train, replace(training, drop=0.0), told)
    train_textbook(dropout, *data.train, training, told)
    return {"textbook": textbook.eval(), "textbook_with_dropout": dropout.eval()}


@dataclass(frozen=True, slots=True)
class Data:
    """What is perceived of one split, and its digits."""

    train: tuple[Percepts, Tensor]
    validation: tuple[Percepts, Tensor]


@dataclass(frozen=True, slots=True)
class Stage:
    """Some of the methods with one seed."""

    name: str
    train: Callable[[Data, ClassifierTraining, Told | None], dict[str, FusedClassifier]]
    training: ClassifierTraining
    sizes: Sizes
    folder: Path


Told = Callable[[float], None]
_STAGES: Final = {"fused": train_fused, "textbook": train_textbooks}


def measure(
    networks: Mapping[str, FusedClassifier], test: Part, difficulty: Difficulty, sizes: Sizes, seed: int
) -> dict[str, Any]:
    """Returns accuracies by method and subset, curves by sense and method, and how explanations agree, as JSON."""
    percepts, classes = examples(test, difficulty, sizes.test, _TEST_SEED + seed)
    accuracies: dict[str, dict[str, float]] = {}
    for name, network in networks.items():
        chances = _answers(network, percepts)
        accuracies[name] = {letters: accuracy(chances[letters], classes) for letters in SUBSETS}
    for sense, name in EXPERTS.items() if PRODUCT in networks else ():
        alone = accuracies[PRODUCT][sense_letter(sense)]
        accuracies[name] = {letters: alone for letters, senses in SUBSETS.items() if sense in senses}
    curves: dict[str, dict[str, list[float]]] = {}
    for sense, levels in NOISE.items():
        curves[sense] = {name: [] for name in networks}
        for level in levels:
            noisy, kinds = examples(test, noisier(difficulty, sense, level), sizes.noisy, _TEST_SEED + seed)
            for name, network in networks.items():
                curves[sense][name].append(accuracy(_answer(network, noisy), kinds))
    explained = explanations(networks[MODEL], percepts) if MODEL in networks else {}
    return {"accuracy": accuracies, "curves": curves, "explanation": explained}


def noisier(difficulty: Difficulty, sense: str, level: float) -> Difficulty:
    """Returns a testbed in which one of `SENSES` has another level of noise: grain, signal in dB, or tremor."""
    if sense == "vision":
        return replace(difficulty, grain=level)
    if sense == "hearing":
        return replace(difficulty, signal_db=(level, level))
    return replace(difficulty, tremor=level)


def sense_letter(sense: str) -> str:
    """Returns what metrics call a sense: a, v or t."""
    return next(letters for letters, senses in SUBSETS.items() if senses == (sense,))


@torch.no_grad()
def explanations(network: FusedClassifier, percepts: Percepts) -> dict[str, float]:
    """Returns how contributions agree with what really happens to the answer when each sense is taken away.

    `contribution_sign` is the share of senses whose sign is right, of those that count for a tenth of a nat or more;
    `contribution_order` that of pairs of senses which stand in the right order.
    """
    told, real = [], []
    for part in percepts.chunks(512):
        tokens = network.encode(part)
        experts = network.consult(tokens)
        whole = network.fuse(tokens, experts, part.present)
        answer = whole.log_chances.argmax(1, keepdim=True)
        sure = whole.log_chances.gather(1, answer)
        lost = []
        for column in range(len(SENSES)):
            present = part.present.clone()
            present[:, column] = False
            lost.append(sure - network.fuse(tokens, experts, present).log_chances.gather(1, answer))
        told.append(whole.contribution)
        real.append(torch.cat(lost, 1))
    said, true = torch.cat(told), torch.cat(real)
    counts = true.abs() > 0.1
    pairs = [(0, 1), (0, 2), (1, 2)]
    order = torch.stack([(said[:, a] > said[:, b]) == (true[:, a] > true[:, b]) for a, b in pairs])
    return {
        "contribution_sign": float(((said > 0) == (true > 0))[counts].float().mean()),
        "contribution_order": float(order.float().mean()),
    }


def summary(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Returns rows and curves over seeds, as JSON, of what each stage of each seed gave."""
    rows = []
    for name in _names(part["accuracy"] for part in found):
        parts = [part["accuracy"][name] for part in found if name in part["accuracy"]]
        rows += [_row(name, f"accuracy_{letters}", [part[letters] for part in parts]) for letters in parts[0]]
    curves: dict[str, Any] = {}
    for sense, levels in NOISE.items():
        methods = {}
        for name in _names(part["curves"][sense] for part in found):
            each = [part["curves"][sense][name] for part in found if name in part["curves"][sense]]
            methods[name] = [sum(values) / len(values) for values in zip(*each, strict=True)]
            rows.append(_row(name, f"accuracy_avt_noisy_{sense}", [values[-1] for values in each]))
        curves[sense] = {"levels": list(levels), "methods": methods}
    for metric in _names(part["explanation"] for part in found):
        values = [part["explanation"][metric] for part in found if metric in part["explanation"]]
        rows.append(_row(MODEL, metric, values))
    return {"rows": [row.to_json() for row in rows], "curves": curves, "settings": [part["settings"] for part in found]}


def _names(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Returns the keys of all, each once, in the order in which they came."""
    return list(dict.fromkeys(name for part in parts for name in part))


def rows_of(found: Mapping[str, Any]) -> tuple[Row, ...]:
    """Returns the rows of an evaluation that was written as JSON."""
    return tuple(Row(**row) for row in found["rows"])


def shipped_results() -> tuple[Row, ...]:
    """Returns the comparison that came with this version.

    Raises:
        WeightsError: None came.
    """
    if not SHIPPED.is_file():
        raise WeightsError("no figures for fusion came with this version; `ecumene evaluate fusion --fresh` makes them")
    return rows_of(json.loads(SHIPPED.read_text("utf-8")))


def _row(name: str, metric: str, values: Sequence[float]) -> Row:
    return Row.of(name, metric, values, baseline=name != MODEL, split=SPLIT)


def _kept(digits: Digits, spoken: Spoken, stage: Stage, told: Told) -> dict[str, Any]:
    """Returns what one stage gave, from its folder if it is there."""
    training, sizes, difficulty = stage.training, stage.sizes, Difficulty()
    settings = {**asdict(training), **asdict(sizes), **asdict(difficulty), "sounds": spoken.digest()}
    settings = json.loads(json.dumps(settings))
    kept = stage.folder / f"{stage.name}-{training.seed}.json"
    if kept.is_file():
        known: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        if known["settings"] != settings:
            raise WeightsError(f"{kept} was made otherwise; give another folder")
        return known
    train, validation, test = split(digits, spoken, training.seed)
    data = Data(
        examples(train, difficulty, sizes.training, training.seed, vary=True),
        examples(validation, difficulty, sizes.validation, _VALIDATION_SEED + training.seed),
    )
    networks = stage.train(data, training, told)
    found = {"settings": settings, **measure(networks, test, difficulty, sizes, training.seed)}
    if MODEL in networks:
        save_classifier(networks[MODEL], _weights(stage.folder, training.seed), {"training": settings})
    kept.write_text(json.dumps(found), "utf-8")
    return found


def _fresh(training: ClassifierTraining, *, experts: bool) -> FusedClassifier:
    return FusedClassifier(ClassifierConfig(experts=experts), torch.Generator().manual_seed(training.seed))


def _weights(folder: Path, seed: int) -> Path:
    return folder / f"fusion-{seed}.safetensors"


def _counted(start: int, total: int, progress: Progress | None) -> Told:
    """Returns a listener to losses that counts on from the steps done before."""
    done = iter(range(start + 1, total + 1))
    return lambda loss: progress(next(done), total, loss) if progress is not None else None


def _chunks(network: FusedClassifier, percepts: Percepts) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    for part in percepts.chunks(512):
        tokens = network.encode(part)
        yield tokens, network.consult(tokens), part.present


@torch.no_grad()
def _answer(network: FusedClassifier, percepts: Percepts) -> Tensor:
    """Returns (N, 10) log-probabilities with all senses."""
    return torch.cat([network.fuse(*part).log_chances for part in _chunks(network, percepts)])


@torch.no_grad()
def _answers(network: FusedClassifier, percepts: Percepts) -> dict[str, Tensor]:
    """Returns (N, 10) log-probabilities by subset."""
    found: dict[str, list[Tensor]] = {letters: [] for letters in SUBSETS}
    for tokens, experts, present in _chunks(network, percepts):
        for letters, senses in SUBSETS.items():
            kept = present & torch.tensor([sense in senses for sense in SENSES])
            found[letters].append(network.fuse(tokens, experts, kept).log_chances)
    return {letters: torch.cat(parts) for letters, parts in found.items()}
