"""PointNet beside its baselines: five folds that keep near-duplicates together, each shape judged once, unseen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import ecumene_models
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_models.pointnet import (
    MOST_POINTS,
    PointNet,
    PointNetConfig,
    Recognition,
    Seen,
    look,
    pose,
    recognised,
    save_pointnet,
    told,
)
from ecumene_models.pointnet_training import PointNetTraining, Report, Views, train_pointnet, views_of
from ecumene_world.errors import ImportFailed
from ecumene_world.learning import furniture
from ecumene_world.learning.baselines import BASELINES, recall
from ecumene_world.learning.labels import CLASSES, folds
from ecumene_world.learning.shapes import Shapes

FOLDS: Final = 5
SPLIT: Final = "5 folds by group"
MODEL: Final = "PointNet"
ALONE: Final = "its network alone"
MEMORY: Final = "its kernel regression alone"
RESULTS: Final = "pointnet.json"
SHIPPED: Final = Path(ecumene_models.__file__).parent / "cards" / RESULTS
"""The comparison that was made when the shipped weights were trained."""
_AMONG: Final = 5
_AT_ONCE: Final = 16
_RESAMPLES: Final = 2000


@dataclass(frozen=True, slots=True)
class Material:
    """Shapes, as training looks at them and as recognition sees them.

    Attributes:
        shapes: M of them.
        views: Of all.
        seen: One sampling of each.
    """

    shapes: Shapes
    views: Views
    seen: Seen

    @classmethod
    def of(cls, shapes: Shapes) -> Material:
        """Looks at shapes, which takes half a minute for all of them."""
        clouds = torch.from_numpy(shapes.points)
        sparse = torch.split(clouds[:, :: max(1, clouds.shape[1] // MOST_POINTS)], _AT_ONCE)
        parts = zip(*(look(pose(part)) for part in sparse), strict=True)
        return cls(shapes, views_of(clouds), Seen(*(torch.cat(part) for part in parts)))

    def of_rows(self, rows: Tensor) -> Seen:
        """Returns what is seen of some shapes."""
        return Seen(*(part[rows] for part in self.seen))


@dataclass(frozen=True, slots=True)
class Judged:
    """What one method says of every shape that it has not seen.

    Attributes:
        guess: (M,) class.
        found: (M,) whether the same class is among the five nearest.
    """

    guess: NDArray[np.int64]
    found: NDArray[np.bool_]


def train_on(
    material: Material,
    which: NDArray[np.bool_],
    training: PointNetTraining,
    state: Path | None = None,
    report: Report | None = None,
) -> PointNet:
    """Returns a network trained on the shapes that are marked."""
    rows = torch.from_numpy(np.flatnonzero(which))
    config, kinds = PointNetConfig(tuple(CLASSES)), torch.from_numpy(material.shapes.kinds)[rows]
    return train_pointnet(material.views.of(rows), kinds, config, training, state=state, report=report)


def judge_fold(
    material: Material,
    fold: int,
    training: PointNetTraining,
    folder: Path | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Returns guesses and finds of one fold by the network and all baselines, lists by row; kept in `folder` if given.

    A kept result of the same settings is returned as it is.
    """
    shapes = material.shapes
    settings = {**asdict(training), "fold": fold, "shapes": len(shapes.labels)}
    kept = folder / f"fold-{fold}-{training.seed}.json" if folder else None
    if kept and kept.is_file():
        known: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        if known["settings"] == json.loads(json.dumps(settings)):
            return known
    asked = np.array(folds(shapes.labels, FOLDS)) == fold
    state = folder / f"fold-{fold}-{training.seed}.state" if folder else None
    network = train_on(material, ~asked, training, state, report)
    methods = {name: _network(one, material, asked) for name, one in ((MODEL, network), (ALONE, network.forgetful()))}
    methods[MEMORY] = _memory(network, material, asked)
    methods |= {name: _baseline(name, shapes, asked) for name in BASELINES}
    result = {"settings": settings, "rows": np.flatnonzero(asked).tolist(), "methods": methods}
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(result), "utf-8")
    return result


def train_all(
    shapes: Shapes, training: PointNetTraining, folder: Path, report: Report | None = None
) -> tuple[Path, tuple[Row, ...]]:
    """Trains five folds to compare with the baselines, then a network on everything; an interrupted run goes on.

    Fold k has the seed of the training plus k, the last network that plus five. `folder` gets `pointnet.safetensors`
    and `pointnet.json`.

    Returns:
        The weights' path, and the rows of the comparison.
    """

    def heard(part: int) -> Report:
        return lambda epoch, epochs, loss: (
            report((part * epochs) + epoch, (FOLDS + 1) * epochs, loss) if report else None
        )

    material = Material.of(shapes)
    results = [
        judge_fold(material, fold, replace(training, seed=training.seed + fold), folder, heard(fold))
        for fold in range(FOLDS)
    ]
    found = summary(shapes, results, training)
    (folder / RESULTS).write_text(json.dumps(found, indent=1), "utf-8")
    last = replace(training, seed=training.seed + FOLDS)
    network = train_on(material, np.ones(len(shapes.labels), bool), last, folder / "all.state", heard(FOLDS))
    weights = folder / "pointnet.safetensors"
    notes = {"data": furniture.FILE, "sha256": furniture.SHA256, "shapes": len(shapes.labels), **asdict(last)}
    save_pointnet((network,), weights, notes)
    return weights, rows_of(found)


def summary(shapes: Shapes, results: Sequence[Mapping[str, Any]], training: PointNetTraining) -> dict[str, Any]:
    """Returns rows, confusion matrix (truth down, guess across) and what was mistaken, as JSON, from all folds."""
    rows = []
    groups = np.array([label.group for label in shapes.labels])
    for name in results[0]["methods"]:
        judged = _gathered(shapes, results, name)
        for metric, right in (("accuracy", judged.guess == shapes.kinds), ("recall_at_5", judged.found)):
            low, high = interval(right, groups)
            rows.append(Row(name, name in BASELINES, metric, float(right.mean()), low, high, FOLDS, SPLIT))
    guess = _gathered(shapes, results, MODEL).guess
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    np.add.at(confusion, (shapes.kinds, guess), 1)
    names = tuple(CLASSES)
    mistaken = [
        {"name": label.name, "class": label.kind, "guess": names[said]}
        for label, said in zip(shapes.labels, guess, strict=True)
        if names[said] != label.kind
    ]
    return {
        "rows": [row.to_json() for row in rows],
        "classes": list(names),
        "confusion": confusion.tolist(),
        "mistaken": mistaken,
        "training": asdict(training),
    }


def rows_of(found: Mapping[str, Any]) -> tuple[Row, ...]:
    """Returns the rows of an evaluation that was written as JSON."""
    return tuple(Row(**row) for row in found["rows"])


def shipped_results() -> tuple[Row, ...]:
    """Returns the comparison that was made when the shipped weights were trained.

    Raises:
        WeightsError: None came with this version.
    """
    if not SHIPPED.is_file():
        raise WeightsError(
            "no figures for pointnet came with this version; `ecumene evaluate pointnet --fresh` makes them"
        )
    return rows_of(json.loads(SHIPPED.read_text("utf-8")))


def interval(right: NDArray[np.bool_], groups: NDArray[np.int64]) -> tuple[float, float]:
    """Returns the 95 % interval of the mean of (M,) by resampling whole groups."""
    _, of = np.unique(groups, return_inverse=True)
    hits, sizes = np.bincount(of, right), np.bincount(of)
    drawn = np.random.default_rng(0).integers(len(sizes), size=(_RESAMPLES, len(sizes)))
    means = hits[drawn].sum(1) / sizes[drawn].sum(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _gathered(shapes: Shapes, results: Sequence[Mapping[str, Any]], name: str) -> Judged:
    """Returns one method's word on all shapes."""
    guess, found = np.full(len(shapes.labels), -1), np.zeros(len(shapes.labels), bool)
    for result in results:
        guess[result["rows"]] = result["methods"][name]["guess"]
        found[result["rows"]] = result["methods"][name]["found"]
    if (guess < 0).any():
        raise ImportFailed(f"the folds leave out {int((guess < 0).sum())} of {len(guess)} shapes")
    return Judged(guess, found)


def _network(network: PointNet, material: Material, asked: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """Returns a network's word on the shapes asked for, seen at the density of a scan."""
    parts = torch.split(torch.arange(len(asked)), _AT_ONCE)
    heard = [recognised(network, material.of_rows(rows)) for rows in parts]
    logits, embedding = (torch.cat([getattr(one, field) for one in heard]) for field in Recognition._fields)
    return _answers(logits[asked], embedding.numpy(), material.shapes, asked)


def _memory(network: PointNet, material: Material, asked: NDArray[np.bool_]) -> dict[str, list[Any]]:
    """Returns the word of a network's kernel regression."""
    numbers = told(material.seen)
    return _answers(network.remembered(numbers)[asked], network.described(numbers).numpy(), material.shapes, asked)


def _baseline(name: str, shapes: Shapes, asked: NDArray[np.bool_]) -> dict[str, list[Any]]:
    features, guess = BASELINES[name]
    points = torch.from_numpy(shapes.points[:, :: shapes.points.shape[1] // 1024])
    numbers = torch.cat([features(part) for part in torch.split(points, _AT_ONCE)])
    numbers = (numbers - numbers[~asked].mean(0)) / numbers[~asked].std(0).clamp_min(1e-6)
    logits = guess(numbers[~asked], torch.from_numpy(shapes.kinds[~asked]), numbers[asked])
    return _answers(logits, numbers.numpy(), shapes, asked)


def _answers(
    logits: Tensor, embedding: NDArray[np.float32], shapes: Shapes, asked: NDArray[np.bool_]
) -> dict[str, list[Any]]:
    same = shapes.kinds[asked][:, None] == shapes.kinds[~asked][None]
    found = recall(embedding[~asked], embedding[asked], same, _AMONG)
    return {"guess": logits.argmax(1).tolist(), "found": found.tolist()}
