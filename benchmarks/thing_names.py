"""How many things of held-out simulated rooms are named right, by the segmenter, PointNet and both.

    python benchmarks/thing_names.py runs/segmenter

The folder is that of `ecumene train segmenter`. PointNet is the shipped one, which learned from all models of
furniture, those of the held-out rooms too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from ecumene_models.pointnet import load_pointnet
from ecumene_models.segmenter import load_segmenter
from ecumene_world.importers.indoor import pieces_of
from ecumene_world.importers.recognise import WEIGHTS, by_pointnet, joined, rows_of
from ecumene_world.learning import furniture, segmenting
from ecumene_world.learning.rooms import rooms
from ecumene_world.learning.scans import CLASSES, load_scans
from ecumene_world.learning.surfaces import FOLDS, load_surfaces


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=2, help="each so many-th room (2)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    package = furniture.fetch_furniture()
    scans = load_scans(rooms(), load_surfaces(package), package.parent)
    pointnet = load_pointnet(WEIGHTS / "pointnet.safetensors")
    told = []
    for fold in range(FOLDS):
        network = load_segmenter(
            options.folder / f"fold-{fold}-{segmenting.METHODS.index(segmenting.LONG)}.safetensors"
        )
        for one in segmenting.split(scans, fold)[1][:: options.every]:
            xyz = one.xyz.astype(np.float64)
            pieces = pieces_of(xyz, network)
            for number, rows in enumerate(rows_of(pieces.piece, len(pieces.shares))):
                truth = int(np.bincount(one.kind[rows], minlength=len(CLASSES))[3:].argmax())
                own = pieces.shares[number, 3:] / max(float(pieces.shares[number, 3:].sum()), 1e-9)
                second = by_pointnet(pointnet, xyz[rows], CLASSES[3:])
                both = joined(own, second)
                guesses = (own, own if second is None else second, both)
                told.append([fold, float(both.max()), *(float(guess.argmax() == truth) for guess in guesses)])
    table = np.array(told)
    for column, name in enumerate(("segmenter", "PointNet", "both"), 2):
        folds = [table[table[:, 0] == fold, column].mean() for fold in range(FOLDS)]
        half = 2.776 * np.std(folds, ddof=1) / np.sqrt(FOLDS)
        print(f"{name}: {np.mean(folds):.3f} ({np.mean(folds) - half:.3f} to {np.mean(folds) + half:.3f})")
    sure = table[:, 1] > 0.5
    print(
        f"{len(table)} things; {sure.mean():.3f} with confidence over 0.5, of which {table[sure, 4].mean():.3f} right"
    )


if __name__ == "__main__":
    main()
