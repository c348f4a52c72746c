"""Made shapes beside held-out real ones: the latent GAN and its baselines, on shapes that none of them has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecumene_models import shape_metrics
from ecumene_models.metrics import Row
from ecumene_models.pointnet import PointNet, recognise
from ecumene_models.shape_codes import Draw
from ecumene_models.shapes import Autoencoder
from ecumene_world.learning.forms import clouds_of
from ecumene_world.learning.solids import Solids

POINTS: Final = 256
CELLS: Final = 24
_OTHER: Final = 1000
"""Added to seeds, so that a real shape is never drawn by the very points that it is compared with."""
FINE_POINTS: Final = 1024
FINE_CELLS: Final = 32
SEEDS: Final = 5
METRICS: Final = ("coverage", "mmd_cd", "one_nna", "jsd", "class_agreement", "novelty")
Make = Callable[[Tensor, int], Tensor]
"""From classes (B,) and a seed to clouds (B, POINTS, 3), metres."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What made shapes are held against.

    Attributes:
        held: (R, POINTS, 3) clouds of held-out shapes, longest edge 1 about the origin.
        kinds: (R,) their classes.
        among: (R, R) distances within them.
        known: (M, POINTS, 3) clouds of the shapes that were learned from, likewise.
        known_kinds: (M,).
        judge: Names the class of a cloud.
    """

    held: Tensor
    kinds: Tensor
    among: Tensor
    known: Tensor
    known_kinds: Tensor
    judge: tuple[PointNet, ...]

    @classmethod
    def of(cls, held: Solids, known: Solids, judge: tuple[PointNet, ...]) -> Reference:
        """Returns the reference of a split."""
        first, second = (boxed(real_clouds(part, POINTS, 0)) for part in (held, known))
        kinds, known_kinds = torch.from_numpy(held.kinds), torch.from_numpy(known.kinds)
        return cls(first, kinds, shape_metrics.within(first), second, known_kinds, judge)


def real_clouds(solids: Solids, count: int, seed: int) -> Tensor:
    """Returns (M, count, 3) points of real shapes, metres."""
    rows = np.random.default_rng(seed).permutation(solids.visible.shape[1])[:count]
    return torch.from_numpy(solids.visible[:, rows].astype(np.float32) * solids.size_m[:, None])


def boxed(clouds: Tensor) -> Tensor:
    """Returns clouds (B, N, 3) about the origin with the longest edge of their box 1."""
    low, high = clouds.amin(1), clouds.amax(1)
    edge = (high - low).amax(1).clamp_min(1e-6)
    return (clouds - ((low + high) / 2)[:, None]) / edge[:, None, None]


def makers(network: Autoencoder, known: Solids, draws: Mapping[str, Draw]) -> dict[str, Make]:
    """Returns all that shapes are made by: ways to draw codes, real shapes at other sizes, and real shapes."""
    made = {name: _decoded(network, draw) for name, draw in draws.items()}
    return {**made, "rescaled real shape": _rescaled(known, 0.2), "real shape": _rescaled(known, 0.0)}


def scores(make: Make, reference: Reference, seed: int) -> dict[str, float]:
    """Returns each metric of as many made shapes as are held out, of the same classes."""
    clouds = make(reference.kinds, seed)
    made = boxed(clouds)
    across = shape_metrics.distances(made, reference.held)
    return {
        "coverage": shape_metrics.coverage(across),
        "mmd_cd": shape_metrics.mmd(across),
        "one_nna": shape_metrics.one_nna(shape_metrics.within(made), across, reference.among),
        "jsd": shape_metrics.jsd(made, reference.held),
        "class_agreement": agreement(reference.judge, clouds, reference.kinds),
        "novelty": novelty(made, reference),
    }


def agreement(judge: tuple[PointNet, ...], clouds: Tensor, kinds: Tensor) -> float:
    """Share of clouds (B, N, 3), metres, that the judge takes for their class; an empty one is of none."""
    there = (clouds.amax(1) - clouds.amin(1)).amax(1) > 1e-3
    said = torch.full_like(kinds, -1)
    said[there] = recognise(judge, clouds[there]).logits.argmax(1)
    return float((said == kinds).float().mean())


def novelty(made: Tensor, reference: Reference) -> float:
    """Mean chamfer distance of made clouds to the nearest shape of their class that was learned from."""
    nearest = []
    for cloud, kind in zip(made, reference.kinds, strict=True):
        mine = reference.known[reference.known_kinds == kind]
        nearest.append(float(shape_metrics.distances(cloud[None], mine).min()))
    return sum(nearest) / len(nearest)


def reconstruction(network: Autoencoder, held: Solids) -> tuple[float, float]:
    """Returns the mean chamfer distance of held-out shapes to what the autoencoder makes of them, and the floor.

    The floor is that of two samplings of the same real surface.
    """
    codes = network.encode(torch.from_numpy(held.visible[:, :1024]).float(), torch.from_numpy(held.size_m))
    made = boxed(clouds_of(network, codes, FINE_POINTS, FINE_CELLS, np.random.default_rng(0)))
    points = boxed(real_clouds(held, 2 * FINE_POINTS, 0))
    real, again = points[:, ::2], points[:, 1::2]
    return _apart(made, real), _apart(again, real)


def _apart(first: Tensor, second: Tensor) -> float:
    pairs = zip(first, second, strict=True)
    return float(torch.cat([shape_metrics.chamfer(one[None], other[None]) for one, other in pairs]).mean())


def rows_of_scores(found: Mapping[str, list[Mapping[str, float]]], baselines: set[str], split: str) -> list[Row]:
    """Returns a row for each metric and method of one dictionary a seed."""
    return [
        Row.of(name, metric, [each[metric] for each in runs], baseline=name in baselines, split=split)
        for metric in METRICS
        for name, runs in found.items()
    ]


def _decoded(network: Autoencoder, draw: Draw) -> Make:
    def make(kinds: Tensor, seed: int) -> Tensor:
        codes = draw(kinds, torch.Generator().manual_seed(seed))
        return clouds_of(network, codes, POINTS, CELLS, np.random.default_rng(seed))

    return make


def _rescaled(known: Solids, spread: float) -> Make:
    """Returns what takes a random real shape of the class and scales its edges by up to e^spread either way."""

    def make(kinds: Tensor, seed: int) -> Tensor:
        generator = np.random.default_rng(seed)
        rows = _any_of(known.kinds, kinds.numpy(), generator)
        clouds = real_clouds(known.of(rows), POINTS, _OTHER + seed)
        scale = np.exp(generator.uniform(-spread, spread, (len(rows), 1, 3)))
        return clouds * torch.from_numpy(scale).float()

    return make


def _any_of(kinds: NDArray[np.int64], wanted: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Returns a random row of each class that is wanted."""
    return np.array([generator.choice(np.flatnonzero(kinds == kind)) for kind in wanted], np.int64)
