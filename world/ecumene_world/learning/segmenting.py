"""The segmenter beside its baseline: five folds, each tested on rooms and furniture that it never saw.

Every scan, for training and for testing, is simulated (`scans`). What a fold learns from holds neither a room nor a
model of furniture of what it is tested on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

import ecumene_models
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row, confusion, intersections_over_union
from ecumene_models.segmenter import Segmenter, SegmenterConfig, save_segmenter, shares, thinned
from ecumene_models.segmenter_training import Labelled, Report, SegmenterTraining, train_segmenter
from ecumene_world.learning import planes
from ecumene_world.learning.scans import CLASSES, Scan
from ecumene_world.learning.surfaces import FOLDS

SPLIT: Final = "5 folds by room and by model group, simulated scans"
GEOMETRY: Final = "planes, touching cells, sizes"
FULL: Final = "segmenter, labels 100 %"
FEW: Final = "segmenter, labels 10 %"
TAUGHT: Final = "segmenter, labels 10 % + unlabelled"
LONG: Final = "segmenter, labels 100 %, 5 x longer"
NETWORKS: Final = (FULL, FEW, TAUGHT, LONG)
METHODS: Final = (GEOMETRY, *NETWORKS)
WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights" / "segmenter.safetensors"
RESULTS: Final = Path(ecumene_models.__file__).parent / "cards" / "segmenter.json"
LONGER: Final = 5
"""Times the steps that `LONG` and the shipped network take."""
LABELLED_SHARE: Final = 0.1
"""Of the rooms, where few have labels."""


def train_all(
    scans: Sequence[Scan], training: SegmenterTraining, folder: Path, report: Report | None = None
) -> tuple[Path, list[Row]]:
    """Compares over all folds, then trains on all scans; returns the weights' path and the rows.

    A fold that `folder` knows at the same settings is not run again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = sum(_steps(method, training) for method in NETWORKS) * FOLDS + LONGER * training.steps
    done = 0

    def heard(step: int, _: int, loss: float) -> None:
        if report:
            report(done + step, total, loss)

    judged = []
    for fold in range(FOLDS):
        counts = {}
        for method in METHODS:
            own = replace(training, seed=training.seed + fold, steps=_steps(method, training))
            counts[method] = judge(scans, fold, method, own, folder, heard)
            done += own.steps * (method in NETWORKS)
        judged.append(counts)
    rows = rows_of(judged)
    (folder / RESULTS.name).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n", "utf-8")
    last = replace(training, seed=training.seed + FOLDS, steps=LONGER * training.steps)
    network = train_segmenter(
        [learnable(one) for one in scans],
        SegmenterConfig(CLASSES),
        last,
        heard,
    )
    path = folder / WEIGHTS.name
    save_segmenter(network, path, {"data": "simulated scans", "scans": len(scans), **asdict(last)})
    return path, rows


def _steps(method: str, training: SegmenterTraining) -> int:
    return training.steps * (LONGER if method == LONG else 1)


def judge(
    scans: Sequence[Scan],
    fold: int,
    method: str,
    training: SegmenterTraining,
    folder: Path,
    report: Report | None = None,
) -> Tensor:
    """Returns the confusion matrix of one method on what one fold holds out; kept in `folder`."""
    told = {**asdict(training), **SegmenterConfig(CLASSES).to_json(), "fold": fold, "method": method}
    settings = json.loads(json.dumps({**told, "scans": digest(scans)}))
    kept = folder / f"fold-{fold}-{METHODS.index(method)}.json"
    if kept.is_file():
        known = json.loads(kept.read_text("utf-8"))
        if known["settings"] == settings:
            return torch.tensor(known["counts"])
    known_scans, asked = split(scans, fold)
    if method == GEOMETRY:
        sizes = planes.learned_sizes(known_scans)
        guesses = [torch.from_numpy(planes.labelled(one.xyz.astype(np.float64), sizes)) for one in asked]
    else:
        network = train_segmenter(material(known_scans, method), SegmenterConfig(CLASSES), training, report)
        save_segmenter(network, folder / f"fold-{fold}-{METHODS.index(method)}.safetensors", settings)
        guesses = [named(network, torch.from_numpy(one.xyz)) for one in asked]
    counts = sum(
        (
            confusion(guess, torch.from_numpy(one.kind.astype(np.int64)), len(CLASSES))
            for guess, one in zip(guesses, asked, strict=True)
        ),
        torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64),
    )
    kept.write_text(json.dumps({"settings": settings, "counts": counts.tolist()}), "utf-8")
    return counts


def split(scans: Sequence[Scan], fold: int) -> tuple[list[Scan], list[Scan]]:
    """Returns scans to learn from, without a room or a model of the fold, and those to test on: only of the fold."""
    known = [one for one in scans if fold not in (one.room_fold, one.model_fold)]
    return known, [one for one in scans if one.room_fold == fold == one.model_fold]


def material(scans: Sequence[Scan], method: str) -> list[Labelled]:
    """Returns what a method may learn from: all labels, those of a tenth of the rooms, or the rest without labels."""
    if method in (FULL, LONG):
        return [learnable(one) for one in scans]
    rooms = sorted({one.room for one in scans}, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    chosen = set(rooms[: max(1, round(LABELLED_SHARE * len(rooms)))])
    few = [learnable(one) for one in scans if one.room in chosen]
    if method == FEW:
        return few
    return few + [learnable(one)._replace(kind=None) for one in scans if one.room not in chosen]


def learnable(scan: Scan) -> Labelled:
    """Returns a scan as tensors."""
    return Labelled(torch.from_numpy(scan.xyz), torch.from_numpy(scan.kind.astype(np.int64)))


def named(network: Segmenter, xyz: Tensor) -> Tensor:
    """Returns (N,) the likeliest class of each point (N, 3), metres."""
    rows, of = thinned(xyz, network.config.spacing_m)
    return shares(network, xyz[rows]).argmax(1)[of]


def rows_of(judged: Sequence[Mapping[str, Tensor]]) -> list[Row]:
    """Returns the comparison: one value a fold, classes that a fold does not hold left out of it."""
    values: dict[tuple[str, str], list[float]] = {}
    for counts in judged:
        for method, matrix in counts.items():
            each = intersections_over_union(matrix)
            told = {"miou": float(each.nanmean()), "accuracy": float(matrix.diagonal().sum() / matrix.sum())}
            told |= {f"iou_{name}": float(each[row]) for row, name in enumerate(CLASSES)}
            for metric, value in told.items():
                if value == value:  # noqa: PLR0124 - not NaN
                    values.setdefault((metric, method), []).append(value)
    metrics = ["miou", "accuracy", *(f"iou_{name}" for name in CLASSES)]
    return [
        Row.of(method, metric, values[metric, method], baseline=method == GEOMETRY, split=SPLIT)
        for metric in metrics
        for method in METHODS
        if (metric, method) in values
    ]


def shipped_results() -> list[Row]:
    """Returns the comparison that was made when the shipped weights were trained.

    Raises:
        WeightsError: None came with this version.
    """
    if not RESULTS.is_file():
        raise WeightsError(
            "no figures for segmenter came with this version; `ecumene evaluate segmenter --fresh` makes them"
        )
    return [Row(**row) for row in json.loads(RESULTS.read_text("utf-8"))]


def digest(scans: Sequence[Scan]) -> str:
    """Returns what tells one set of scans from another."""
    told: Any = hashlib.sha256()
    for one in scans:
        told.update(f"{one.room} {one.model_fold} {len(one.xyz)}".encode() + one.kind.tobytes())
    return str(told.hexdigest())[:16]
