"""How real plots are built on, and who draws that better: a conditional GAN or a fitted procedure.

    python benchmarks/town_plots.py [--seeds 5] [--steps 2000] [--json]

The plots of Bubeneč (PyPI momepy, BSD-3-Clause) that carry a house are split into five folds by block. From the area,
the breadth and the compactness of a plot, each rival draws how much of it is built over, how far the built middle lies
back from the street, how long the house is for its breadth, and in how many parts it comes. The fitted procedure is
linear in the plot with residuals that were really observed; the copier takes what stands on the most similar plot. A
GAN is WGAN-GP with two small layers. Measures compare plots with what is drawn on them, all held out, 8 draws a plot,
in units of the real spread: Fréchet distance and energy distance (less is better), and how well the nearest neighbour
tells real from drawn (0.5 is best).
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from torch import nn

from ecumene_scenarios.statistics import t_interval
from ecumene_world import datasets

FOLDS, DRAWS = 5, 8
LEAST_BUILT_M2 = 30.0
FEATURES = ("log area", "log breadth", "compactness")
DRAWN = ("logit of coverage", "setback", "log of length by breadth", "log of parts")
Array = NDArray[np.float64]
Rival = Callable[[Array, Array, Array, np.random.Generator], Array]
"""Draws what stands on test plots, of training plots, what stands on them, test plots and a generator."""


def main() -> None:
    """Compares and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    plots, built, block = real_plots(datasets.fetch("bubenec"))
    rivals: dict[str, Rival] = {
        "conditional GAN": lambda *a: gan(*a, steps=options.steps),
        "fitted procedure": fitted,
        "most similar plot": similar,
    }
    rows = {}
    for name, rival in rivals.items():
        found = [held_out(rival, plots, built, block, seed) for seed in range(options.seeds)]
        rows[name] = {key: t_interval([one[key] for one in found]) for key in found[0]}
    if options.json:
        print(json.dumps({"plots": len(plots), "blocks": int(block.max()) + 1, "rows": rows}, indent=1))
        return
    print(f"{len(plots)} plots of {int(block.max()) + 1} blocks, {options.seeds} seeds")
    for name, row in rows.items():
        print(f"{name:20s}", *(f"{key} {mean:.3f} ({low:.3f} to {high:.3f})" for key, (mean, low, high) in row.items()))


def real_plots(path: Path) -> tuple[Array, Array, NDArray[np.int64]]:
    """Returns (P, 3) plots, (P, 4) what stands on them, and (P,) the block that each belongs to."""
    layers = {name: _layer(path, name) for name in ("buildings", "streets", "plots")}
    streets = shapely.union_all(layers["streets"])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.node(streets))))
    rows = [(_plot(plot), _built(plot, layers["buildings"], streets), plot) for plot in layers["plots"]]
    kept = [(plot, built, shape) for plot, built, shape in rows if built is not None]
    block = [int(np.argmin(shapely.distance(faces, shape.centroid))) for _, _, shape in kept]
    names = {old: new for new, old in enumerate(sorted(set(block)))}
    return (
        np.array([plot for plot, _, _ in kept]),
        np.array([built for _, built, _ in kept]),
        np.array([names[one] for one in block]),
    )


def _layer(path: Path, name: str) -> list[Any]:
    """Returns the geometries of a layer; a GeoPackage puts a header of 8 bytes and an envelope before each."""
    with closing(sqlite3.connect(path)) as file:
        blobs = [row[0] for row in file.execute(f"SELECT geom FROM {name}")]
    sizes = (0, 32, 48, 48, 64)
    return [shapely.make_valid(shapely.from_wkb(blob[8 + sizes[blob[3] >> 1 & 7] :])) for blob in blobs]


def _plot(plot: Any) -> list[float]:
    box = shapely.minimum_rotated_rectangle(plot)
    breadth = min(_sides(box))
    return [np.log(plot.area), np.log(breadth), 4 * np.pi * plot.area / plot.length**2]


def _built(plot: Any, buildings: list[Any], streets: Any) -> list[float] | None:
    parts = [shapely.intersection(plot, house) for house in buildings if house.intersects(plot)]
    parts = [part for part in parts if part.area > LEAST_BUILT_M2]
    if not parts:
        return None
    whole = shapely.union_all(parts)
    share = min(max(whole.area / plot.area, 0.01), 0.99)
    long, short = sorted(_sides(shapely.minimum_rotated_rectangle(max(parts, key=lambda part: part.area))))[::-1]
    back = whole.centroid.distance(streets) / np.sqrt(plot.area)
    return [np.log(share / (1 - share)), back, np.log(long / max(short, 1.0)), np.log(len(parts))]


def _sides(box: Any) -> tuple[float, float]:
    corners = np.array(box.exterior.coords)
    return float(np.hypot(*(corners[1] - corners[0]))), float(np.hypot(*(corners[2] - corners[1])))


def held_out(rival: Rival, plots: Array, built: Array, block: NDArray[np.int64], seed: int) -> dict[str, float]:
    """Draws on every plot from what was learned on the other folds, and compares all plots with all drawings."""
    rng = np.random.default_rng(seed)
    fold = _folds(block, rng)
    drawn = np.zeros((DRAWS, *built.shape))
    for test in range(FOLDS):
        here = fold == test
        centre, spread = built[~here].mean(0), built[~here].std(0)
        middle, width = plots[~here].mean(0), plots[~here].std(0)
        known, asked = (plots[~here] - middle) / width, (plots[here] - middle) / width
        for one in range(DRAWS):
            drawn[one, here] = rival(known, (built[~here] - centre) / spread, asked, rng) * spread + centre
    scale = np.concatenate((plots, built), 1).std(0)
    real = np.concatenate((plots, built), 1) / scale
    made = [np.concatenate((plots, one), 1) / scale for one in drawn]
    scores = [
        {"frechet": frechet(real, one), "energy": energy(real, one), "one_nna": one_nna(real, one)} for one in made
    ]
    return {key: float(np.mean([score[key] for score in scores])) for key in scores[0]}


def _folds(block: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Deals blocks to folds, the largest first, each to the smallest fold."""
    sizes, fold = np.zeros(FOLDS), np.zeros(len(block), np.int64)
    order = rng.permutation(int(block.max()) + 1)
    for one in sorted(order, key=lambda n: -(block == n).sum()):
        to = int(sizes.argmin())
        fold[block == one] = to
        sizes[to] += (block == one).sum()
    return fold


def fitted(known: Array, built: Array, asked: Array, rng: np.random.Generator) -> Array:
    """Linear in the plot; what the line misses is drawn from what it missed."""
    lines = np.linalg.lstsq(np.c_[known, np.ones(len(known))], built, rcond=None)[0]
    missed = built - np.c_[known, np.ones(len(known))] @ lines
    return np.asarray(np.c_[asked, np.ones(len(asked))] @ lines + missed[rng.integers(len(missed), size=len(asked))])


def similar(known: Array, built: Array, asked: Array, rng: np.random.Generator) -> Array:
    """Copies one of the three most similar plots."""
    nearest = cdist(asked, known).argsort(1)[:, :3]
    return np.asarray(built[nearest[np.arange(len(asked)), rng.integers(3, size=len(asked))]])


_GANS: dict[bytes, nn.Module] = {}


def gan(known: Array, built: Array, asked: Array, rng: np.random.Generator, *, steps: int) -> Array:
    """WGAN-GP on plots; a generator is trained once for a set of training plots."""
    key = known.tobytes() + built.tobytes()
    if key not in _GANS:
        _GANS.clear()
        _GANS[key] = _trained(
            torch.tensor(known).float(), torch.tensor(built).float(), steps, int(rng.integers(1 << 30))
        )
    noise = torch.tensor(rng.normal(size=(len(asked), 4))).float()
    with torch.no_grad():
        made = _GANS[key](torch.cat((torch.tensor(asked).float(), noise), 1))
    return np.asarray(made.double().numpy())


def _trained(known: torch.Tensor, built: torch.Tensor, steps: int, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    plots, outputs = known.shape[1], built.shape[1]
    maker = nn.Sequential(nn.Linear(plots + 4, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2))
    maker.append(nn.Linear(64, outputs))
    critic = nn.Sequential(nn.Linear(plots + outputs, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2))
    critic.append(nn.Linear(64, 1))
    optimisers = [torch.optim.Adam(net.parameters(), lr=5e-4, betas=(0.5, 0.9)) for net in (maker, critic)]
    for step in range(steps):
        rows = torch.randint(len(known), (64,))
        made = maker(torch.cat((known[rows], torch.randn(64, 4)), 1))
        if step % 4 == 3:
            loss = -critic(torch.cat((known[rows], made), 1)).mean()
            which = 0
        else:
            real, false = torch.cat((known[rows], built[rows]), 1), torch.cat((known[rows], made.detach()), 1)
            between = torch.lerp(real, false, torch.rand(64, 1)).requires_grad_()
            slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0].norm(dim=1)
            loss = critic(false).mean() - critic(real).mean() + 10 * (slope - 1).square().mean()
            which = 1
        optimisers[which].zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimisers[which].step()
    return maker


def frechet(real: Array, made: Array) -> float:
    """Fréchet distance of normal distributions fitted to both."""
    first, second = np.cov(real.T), np.cov(made.T)
    root = np.real(sqrtm(first @ second))
    return float(((real.mean(0) - made.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root))


def energy(real: Array, made: Array) -> float:
    """Energy distance: twice the mean distance across, less those within."""
    return float(2 * cdist(real, made).mean() - cdist(real, real).mean() - cdist(made, made).mean())


def one_nna(real: Array, made: Array) -> float:
    """Share of points whose nearest neighbour is of their own sort."""
    every = np.concatenate((real, made))
    apart = cdist(every, every) + np.diag(np.full(len(every), np.inf))
    sort = np.arange(len(every)) < len(real)
    return float((sort[apart.argmin(1)] == sort).mean())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000, help="of the GAN (2000)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
