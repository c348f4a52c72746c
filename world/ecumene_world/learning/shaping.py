"""New shapes: learned from four folds of the furniture, compared on the fifth, and made from a class and a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

import ecumene_models
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_models.pointnet import load_pointnet
from ecumene_models.shape_codes import GanTraining, Gaussian, Kernels, interpolation, train_generator
from ecumene_models.shape_diffusion import DiffusionTraining, train_diffusion
from ecumene_models.shape_training import ShapeTraining, SolidShapes, train_autoencoder
from ecumene_models.shapes import Autoencoder, Prior, ShapeModel, ShapesConfig, save_shapes
from ecumene_world.learning import furniture
from ecumene_world.learning.asset_ways import BY_CHANCE, BY_SEED, CHOSEN, asset_makers
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
from ecumene_world.learning.variants import COUNT, SHAPED, write_variants

FOLDS: Final = 5
HELD_OUT: Final = 0
SPLIT: Final = "fold 0 of 5 by group"
GAN: Final = "latent GAN"
CORRECTED: Final = "GAN that corrects the Gaussian"
DIFFUSION: Final = "latent diffusion"
GAUSSIAN: Final = "Gaussian of the class"
KERNELS: Final = "kernels of the class"
BETWEEN: Final = "between two shapes"
DECODED: Final = "decoded real shape"
PRIORS: Final = (GAN, CORRECTED, DIFFUSION, GAUSSIAN, KERNELS)
"""What can be shipped, as far as it can be drawn from without the shapes that were learned from."""
BASELINES: Final = {
    *(GAUSSIAN, KERNELS, BETWEEN, DECODED, "rescaled real shape", "real shape"),
    *(BY_SEED, BY_CHANCE, f"{CHOSEN} real shape"),
}
CONFIG: Final = ShapesConfig(tuple(CLASSES), latent=64, doublings=4)
RESULTS: Final = "shapes.json"
VARIANTS: Final = "shape_variants.json"
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


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is compared and made beside the training.

    Attributes:
        seeds: Of priors and draws.
        assets: How many of these seeds choose things of the library as well.
        kinds: Of furniture that get shapes.
        count: Shapes of each.
    """

    seeds: int = SEEDS
    assets: int = SEEDS
    kinds: tuple[str, ...] = tuple(SHAPED)
    count: int = COUNT


def train_all(
    solids: Solids,
    training: ShapeTraining,
    gan: GanTraining,
    diffusion: DiffusionTraining,
    folder: Path,
    *,
    extent: Extent = Extent(),
    progress: Progress | None = None,
) -> tuple[Path, list[Row]]:
    """Trains the autoencoder, then priors for each seed, compares them with baselines and keeps the best.

    `folder` gets `shapes.safetensors`, `shapes.json` and `shape_variants.json`; an interrupted run goes on in the midst
    of the autoencoder and of the comparison.

    Returns:
        The weights' path, and the rows of the comparison.
    """
    known, held = split(solids)
    total = training.epochs + extent.seeds + extent.assets + len(extent.kinds)
    steps = Steps(progress, total)
    network = train_autoencoder(
        tensors_of(known), CONFIG, training, state=folder / "autoencoder.state", report=lambda _e, _n, loss: steps(loss)
    )
    steps.done = training.epochs
    codes, kinds = codes_of(network, known), torch.from_numpy(known.kinds)
    reference = Reference.of(held, known, load_pointnet(JUDGE))
    settings = [asdict(training), asdict(gan), asdict(diffusion)]
    each = []
    for seed in range(training.seed, training.seed + extent.seeds):
        draws = {
            **priors_of(codes, kinds, replace(gan, seed=seed), replace(diffusion, seed=seed)),
            BETWEEN: interpolation(codes, kinds),
            DECODED: Kernels.of(codes, kinds, len(CLASSES), 0.0),
        }
        each.append(_judged(makers(network, known, draws), reference, seed, folder, "priors", settings))
        steps()
    rows = [*_reconstructed(network, known, held), *rows_of_scores(_by_way(each), BASELINES, SPLIT)]
    winner = default_of(rows)
    prior = priors_of(codes, kinds, replace(gan, seed=training.seed), replace(diffusion, seed=training.seed))[winner]
    model = ShapeModel(network, prior)
    ways = asset_makers(_choosers(network, known, {winner: prior}))
    chosen = []
    for seed in range(training.seed, training.seed + extent.assets):
        chosen.append(_judged(ways, reference, seed, folder, "assets", [*settings, winner]))
        steps()
    rows += rows_of_scores(_by_way(chosen), BASELINES, SPLIT)
    weights = folder / WEIGHTS.name
    notes = {"data": furniture.FILE, "sha256": furniture.SHA256, "split": SPLIT, **asdict(training), "prior": winner}
    save_shapes(model, weights, notes)
    _write(folder / RESULTS, rows, settings, winner)
    write_variants(model, folder / VARIANTS, kinds=extent.kinds, count=extent.count, told=lambda _: steps())
    return weights, rows


class Steps:
    """Counts steps and tells of each."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self, loss: float = float("nan")) -> None:
        """One more is done."""
        self.done += 1
        if self.progress:
            self.progress(self.done, self.total, loss)


def priors_of(
    codes: torch.Tensor, kinds: torch.Tensor, gan: GanTraining, diffusion: DiffusionTraining
) -> dict[str, Prior]:
    """Returns all that new codes can be drawn from, of codes (M, code) of real shapes of classes (M,)."""
    count = len(CLASSES)
    return {
        GAN: train_generator(codes, kinds, count, gan),
        CORRECTED: train_generator(codes, kinds, count, replace(gan, residual=True)),
        DIFFUSION: train_diffusion(codes, kinds, count, diffusion),
        GAUSSIAN: Gaussian.of(codes, kinds, count),
        KERNELS: Kernels.of(codes, kinds, count),
    }


def _choosers(network: Autoencoder, known: Solids, draws: Mapping[str, Prior]) -> dict[str, Make]:
    """Returns what things of the library are chosen by: made shapes and real ones."""
    made = makers(network, known, draws)
    return {name: made[name] for name in (*draws, "real shape")}


def _by_way(each: list[dict[str, dict[str, float]]]) -> dict[str, list[Mapping[str, float]]]:
    """Returns the scores of each way, one dictionary a seed."""
    return {name: [one[name] for one in each] for name in (each[0] if each else {})}


def _judged(
    ways: Mapping[str, Make], reference: Reference, seed: int, folder: Path, name: str, settings: list[Any]
) -> dict[str, dict[str, float]]:
    """Returns the scores of all ways with one seed; kept in `folder`, and read from there if the settings are equal."""
    kept = folder / f"{name}-{seed}.json"
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
    return min(
        (name for name in PRIORS if (name, "one_nna") in value),
        key=lambda name: (value[name, "one_nna"], value[name, "mmd_cd"]),
    )


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


def _reconstructed(network: Autoencoder, known: Solids, held: Solids) -> list[Row]:
    """Returns the chamfer distance of the autoencoder on held-out shapes and on a quarter of those learned from."""
    made, floor = reconstruction(network, held)
    learned, _ = reconstruction(network, known.every(4))
    return [
        Row.of("autoencoder", "chamfer", [made], baseline=False, split=SPLIT),
        Row.of("autoencoder, on shapes learned from", "chamfer", [learned], baseline=False, split=SPLIT),
        Row.of("the same surface sampled twice", "chamfer", [floor], baseline=True, split=SPLIT),
    ]


def _write(path: Path, rows: list[Row], settings: list[dict[str, Any]], winner: str) -> None:
    training, gan, diffusion = settings
    found = {
        "rows": [row.to_json() for row in rows],
        "metrics": list(METRICS),
        "default": winner,
        "training": training,
        "gan": gan,
        "diffusion": diffusion,
    }
    path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
