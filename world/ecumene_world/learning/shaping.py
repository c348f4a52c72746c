"""New shapes: learned from four folds of the furniture, compared on the fifth, and made from a class and a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

import ecumene_models
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_models.pointnet import load_pointnet
from ecumene_models.shape_codes import Draw, GanTraining, Gaussian, interpolation, train_generator
from ecumene_models.shape_training import ShapeTraining, SolidShapes, train_autoencoder
from ecumene_models.shapes import Autoencoder, ShapeModel, ShapesConfig, save_shapes
from ecumene_world.learning import furniture
from ecumene_world.learning.labels import CLASSES, folds
from ecumene_world.learning.shape_evaluation import (
    METRICS,
    SEEDS,
    Make,
    Reference,
    makers,
    reconstruction,
    rows_of_scores,
    scores,
)
from ecumene_world.learning.solids import Solids

FOLDS: Final = 5
HELD_OUT: Final = 0
SPLIT: Final = "fold 0 of 5 by group"
GAN: Final = "latent GAN"
GAUSSIAN: Final = "Gaussian of the class"
BETWEEN: Final = "between two shapes"
BASELINES: Final = {GAUSSIAN, BETWEEN, "rescaled real shape", "real shape"}
RESULTS: Final = "shapes.json"
WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights" / "shapes.safetensors"
JUDGE: Final = WEIGHTS.with_name("pointnet.safetensors")
SHIPPED: Final = Path(ecumene_models.__file__).parent / "cards" / RESULTS
"""The comparison that was made when the shipped weights were trained."""
Progress = Callable[[int, int, float], None]
"""Told steps done, of how many, and the loss, which is not a number where there is none."""


def tensors_of(solids: Solids) -> SolidShapes:
    """Returns what the autoencoder learns from."""
    parts = (solids.visible, solids.probes, solids.distance, solids.size_m, solids.kinds)
    return SolidShapes(*(torch.from_numpy(part) for part in parts))


def split(solids: Solids) -> tuple[Solids, Solids]:
    """Returns the shapes that are learned from and those held out; no group straddles them."""
    held = np.array(folds(solids.labels, FOLDS)) == HELD_OUT
    return solids.of(np.flatnonzero(~held)), solids.of(np.flatnonzero(held))


def train_all(
    solids: Solids,
    training: ShapeTraining,
    gan: GanTraining,
    folder: Path,
    *,
    seeds: int = SEEDS,
    progress: Progress | None = None,
) -> tuple[Path, list[Row]]:
    """Trains the autoencoder, then a GAN for each seed, compares them with the baselines and keeps the best.

    `folder` gets `shapes.safetensors` and `shapes.json`; an interrupted run goes on in the midst of the autoencoder.

    Returns:
        The weights' path, and the rows of the comparison.
    """
    known, held = split(solids)
    total = training.epochs + seeds
    told = progress or (lambda *_: None)
    network = train_autoencoder(
        tensors_of(known),
        ShapesConfig(tuple(CLASSES)),
        training,
        state=folder / "autoencoder.state",
        report=lambda epoch, _, loss: told(epoch, total, loss),
    )
    codes, kinds = codes_of(network, known), torch.from_numpy(known.kinds)
    gaussian = Gaussian.of(codes, kinds, len(CLASSES))
    reference = Reference.of(held, known, load_pointnet(JUDGE))
    each = []
    for seed in range(training.seed, training.seed + seeds):
        draws: dict[str, Draw] = {
            GAN: train_generator(codes, kinds, len(CLASSES), replace(gan, seed=seed)),
            GAUSSIAN: gaussian,
            BETWEEN: interpolation(codes, kinds),
        }
        each.append(_judged(makers(network, known, draws), reference, seed, folder, [asdict(training), asdict(gan)]))
        told(training.epochs + len(each), total, float("nan"))
    found: dict[str, list[Mapping[str, float]]] = {name: [one[name] for one in each] for name in each[0]}
    rows = [*_reconstructed(network, held), *rows_of_scores(found, BASELINES, SPLIT)]
    winner = default_of(rows)
    prior = train_generator(codes, kinds, len(CLASSES), replace(gan, seed=training.seed)) if winner == GAN else gaussian
    weights = folder / WEIGHTS.name
    notes = {"data": furniture.FILE, "sha256": furniture.SHA256, "split": SPLIT, **asdict(training), "prior": winner}
    save_shapes(ShapeModel(network, prior), weights, notes)
    _write(folder / RESULTS, rows, training, gan, winner)
    return weights, rows


def _judged(
    ways: Mapping[str, Make], reference: Reference, seed: int, folder: Path, settings: list[dict[str, Any]]
) -> dict[str, dict[str, float]]:
    """Returns the scores of all ways with one seed; kept in `folder`, and read from there if the settings are equal."""
    kept = folder / f"seed-{seed}.json"
    described = json.dumps([settings, seed, len(reference.held), len(reference.known)], sort_keys=True)
    if kept.is_file():
        known: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        if known["settings"] == described:
            return dict(known["scores"])
    found = {name: scores(make, reference, seed) for name, make in ways.items()}
    kept.write_text(json.dumps({"settings": described, "scores": found}), "utf-8")
    return found


def codes_of(network: Autoencoder, solids: Solids) -> torch.Tensor:
    """Returns the codes (M, code) of real shapes."""
    parts = [
        network.encode(
            torch.from_numpy(solids.visible[row : row + 64]).float(), torch.from_numpy(solids.size_m[row : row + 64])
        )
        for row in range(0, len(solids.labels), 64)
    ]
    return torch.cat(parts)


def default_of(rows: list[Row]) -> str:
    """Returns the way to draw codes whose shapes are hardest to tell from real ones; the nearer if two are equal."""
    value = {(row.model, row.metric): row.value for row in rows}
    return min((GAN, GAUSSIAN), key=lambda name: (value[name, "one_nna"], value[name, "mmd_cd"]))


def rows_of(found: Mapping[str, Any]) -> list[Row]:
    """Returns the rows of a comparison that was written as JSON."""
    return [Row(**row) for row in found["rows"]]


def shipped_results() -> list[Row]:
    """Returns the comparison that was made when the shipped weights were trained.

    Raises:
        WeightsError: None came with this version.
    """
    if not SHIPPED.is_file():
        raise WeightsError("no figures for shapes came with this version; `ecumene evaluate shapes --fresh` makes them")
    return rows_of(json.loads(SHIPPED.read_text("utf-8")))


def _reconstructed(network: Autoencoder, held: Solids) -> list[Row]:
    """Returns the chamfer distance of the autoencoder on held-out shapes, beside that of sampling them twice."""
    made, floor = reconstruction(network, held)
    return [
        Row.of("autoencoder", "chamfer", [made], baseline=False, split=SPLIT),
        Row.of("the same surface sampled twice", "chamfer", [floor], baseline=True, split=SPLIT),
    ]


def _write(path: Path, rows: list[Row], training: ShapeTraining, gan: GanTraining, winner: str) -> None:
    found = {
        "rows": [row.to_json() for row in rows],
        "metrics": list(METRICS),
        "default": winner,
        "training": asdict(training),
        "gan": asdict(gan),
    }
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
