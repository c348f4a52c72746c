"""Putting rooms straight: a network beside the resolver that just pushes things apart.

The rooms are the designed ones whose floor is known. Their furniture is moved about at random; better is who gets it
back, or at least to places that could be real.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

import ecumene_models
from ecumene_models.checkpoint import read
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_models.placement import (
    MODEL,
    PlacementConfig,
    PlacementNet,
    excursion,
    intrusion,
    load_placement,
    save_placement,
)
from ecumene_models.placement_training import PlacementTraining, disordered, train_placement
from ecumene_models.relations import Boxes, offsets, wall_gap
from ecumene_world.learning.relating import FOLDS, Progress, Told, boxes_of, counted_from, folds
from ecumene_world.learning.rooms import SORTS, Room

WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights" / "placement.safetensors"
RESULTS: Final = Path(ecumene_models.__file__).parent / "cards" / "placement.json"
DISORDER_M: Final = 0.3
"""Standard deviation by which the things of held-out rooms are moved, each axis."""
SLACK_M: Final = 0.02
"""Overlaps and excursions up to this don't count."""
SPLIT: Final = f"5-fold by floor plan, each fold with a seed of its own, furniture moved by {DISORDER_M:g} m"
_NAMES: Final = tuple(SORTS)
_HUNG: Final = (_NAMES.index("picture"), _NAMES.index("opening"))
_SEATS: Final = torch.tensor([_NAMES.index("chair"), _NAMES.index("box")])
_COVERS: Final = torch.tensor([_NAMES.index("table"), _NAMES.index("bed")])

Refiner = Callable[[Boxes], Boxes]


def standing(rooms: Sequence[Room]) -> Boxes:
    """Returns the boxes of what stands on the floor of each room whose floor is known, padded to the fullest."""
    known = [room for room in rooms if not bool(torch.from_numpy(room.floor).isnan().any())]
    return boxes_of([_on_the_floor(room) for room in known])


def pushed_apart(boxes: Boxes, rounds: int = 60) -> Boxes:
    """Returns rooms whose things were pushed apart along the shorter way, and back onto the floor: the baseline.

    It knows that chairs and boxes may stand under tables and beds.
    """
    exempt = _exempt(boxes)
    for _ in range(rounds):
        deep = intrusion(boxes) * ~exempt
        apart = boxes.centre[:, :, None, :2] - boxes.centre[:, None, :, :2]
        low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
        common = (torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(low[:, :, None], low[:, None]))[
            ..., :2
        ]
        along = torch.nn.functional.one_hot(common.argmin(3), 2)
        signs = torch.where(apart == 0, torch.triu(torch.ones_like(apart[..., 0]), 1)[..., None] * 2 - 1, apart.sign())
        push = (deep[..., None] * along * signs).sum(2) / 2
        moved = boxes.centre.clone()
        moved[..., :2] += push
        boxes = onto_the_floor(boxes._replace(centre=moved))
    return boxes


def onto_the_floor(boxes: Boxes) -> Boxes:
    """Returns rooms whose things were moved back over the floor, where it is known and large enough."""
    floor = boxes.floor[:, None].nan_to_num(nan=0.0)
    half = boxes.size[..., :2] / 2
    middle = (floor[..., :2] + floor[..., 2:]) / 2
    least, most = torch.minimum(floor[..., :2] + half, middle), torch.maximum(floor[..., 2:] - half, middle)
    inside = torch.maximum(torch.minimum(boxes.centre[..., :2], most), least)
    known = ~boxes.floor.isnan().any(1)
    moved = torch.where(known[:, None, None], inside, boxes.centre[..., :2])
    return boxes._replace(centre=torch.cat((moved, boxes.centre[..., 2:]), dim=2))


def shipped() -> Refiner:
    """Returns what puts rooms straight by the weights that come with the package: the network, then the resolver.

    Raises:
        WeightsError: The weights are missing or damaged.
    """
    network = refiner(load_placement(WEIGHTS))
    return lambda boxes: pushed_apart(network(boxes))


def refiner(network: PlacementNet) -> Refiner:
    """Returns the network as a function of rooms."""

    @torch.no_grad()
    def refined(boxes: Boxes) -> Boxes:
        rooms: list[Boxes] = network(boxes)
        return rooms[-1]

    return refined


def scores(room: Boxes, truth: Boxes) -> dict[str, float]:
    """Returns how good rooms are, given how they really were.

    `overlap`: share of things that overlap another where the true room has no overlap. `out_of_floor`: share of things
    that reach over the floor's edge, and did not in truth. `displacement`: mean metres from the true place.
    `relations_kept`: share of the true neighbourhoods and wall contacts that hold.
    """
    there = truth.there
    count = float(there.sum())
    wrong = (intrusion(room) > SLACK_M) & ~(intrusion(truth) > SLACK_M)
    outside = (excursion(room) > SLACK_M) & ~(excursion(truth) > SLACK_M)
    error = (room.centre - truth.centre)[..., :2].norm(dim=2)
    near, near_now = _beside(truth), _beside(room)
    wall, wall_now = (wall_gap(each)[0] < 0.15 for each in (truth, room))
    kept = (near & near_now).sum() + (wall & wall_now & there).sum()
    return {
        "overlap": float((wrong.any(2) & there).sum()) / count,
        "out_of_floor": float((outside & there).sum()) / count,
        "displacement": float((error * there).sum()) / count,
        "relations_kept": float(kept) / max(1.0, float(near.sum() + (wall & there).sum())),
    }


def compared(
    rooms: Sequence[Room], training: PlacementTraining, folder: Path, progress: Told | None = None
) -> list[Row]:
    """Returns network and baselines side by side on rooms that they never saw; networks in `folder` are reused.

    Raises:
        WeightsError: The folder holds networks of another configuration.
    """
    floored = [room for room in rooms if not bool(torch.from_numpy(room.floor).isnan().any())]
    boxes = standing(floored)
    values: dict[tuple[str, str], list[float]] = {}
    for fold, (known, asked) in enumerate(folds(floored, training.seed)):
        own = replace(training, seed=training.seed + fold)
        path = folder / f"{MODEL}-{fold}.safetensors"
        network = _network(_rows(boxes, known), own, path, counted_from(fold * training.epochs, progress))
        truth = _rows(boxes, asked)
        generator = torch.Generator().manual_seed(1000 + own.seed)
        seen = disordered(truth, torch.full((len(asked),), DISORDER_M), generator)
        refine = refiner(network)
        found = {
            MODEL: refine(seen),
            f"{MODEL} + push_apart": pushed_apart(refine(seen)),
            "push_apart": pushed_apart(seen),
            "as_found": seen,
        }
        for name, room in found.items():
            for metric, value in scores(room, truth).items():
                values.setdefault((metric, name), []).append(value)
    return [
        Row.of(name, metric, each, baseline=MODEL not in name, split=SPLIT) for (metric, name), each in _sorted(values)
    ]


def trained(
    rooms: Sequence[Room], training: PlacementTraining, folder: Path, progress: Progress | None = None
) -> tuple[Path, list[Row]]:
    """Compares, then trains on all rooms; returns the weights and the comparison.

    Raises:
        WeightsError: The folder holds networks of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    total = (FOLDS + 1) * training.epochs

    def told(done: int, loss: float) -> None:
        if progress is not None:
            progress(done, total, loss)

    rows = compared(rooms, training, folder, told)
    path = folder / WEIGHTS.name
    _network(standing(rooms), training, path, counted_from(total - training.epochs, told))
    (folder / RESULTS.name).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    return path, rows


def shipped_results() -> list[Row]:
    """Returns the comparison that was made when the shipped weights were trained.

    Raises:
        WeightsError: None came with this version.
    """
    if not RESULTS.is_file():
        raise WeightsError(
            "no figures for placement came with this version; `ecumene evaluate placement --fresh` makes them"
        )
    return [Row(**row) for row in json.loads(RESULTS.read_text())]


def _on_the_floor(room: Room) -> Room:
    bottom = room.centre[:, 2] - room.size[:, 2] / 2
    kept = (room.support < 0) & (bottom < 0.3) & ~np.isin(room.sort, _HUNG)
    return replace(
        room,
        sort=room.sort[kept],
        centre=room.centre[kept],
        size=room.size[kept],
        heading=room.heading[kept],
        support=np.full(int(kept.sum()), -1, np.int64),
        inside=room.inside[kept],
    )


def _exempt(boxes: Boxes) -> Tensor:
    seat, cover = torch.isin(boxes.sort, _SEATS), torch.isin(boxes.sort, _COVERS)
    below = seat[:, :, None] & cover[:, None]
    return below | below.transpose(1, 2)


def _beside(boxes: Boxes) -> Tensor:
    o = offsets(boxes)
    both = boxes.there[:, :, None] & boxes.there[:, None] & ~torch.eye(boxes.sort.shape[1], dtype=torch.bool)
    return both & (o.gap < 0.3) & (o.shared > 0.33)


def _rows(boxes: Boxes, rows: Tensor) -> Boxes:
    return Boxes(*(part[rows] for part in boxes))


def _sorted(values: dict[tuple[str, str], list[float]]) -> list[tuple[tuple[str, str], list[float]]]:
    order = ("overlap", "out_of_floor", "displacement", "relations_kept")
    return [(key, each) for metric in order for key, each in values.items() if key[0] == metric]


def _network(boxes: Boxes, training: PlacementTraining, path: Path, told: Told) -> PlacementNet:
    """Returns the network of a file, or trains it and writes the file."""
    config = PlacementConfig(len(SORTS))
    settings: Any = json.loads(json.dumps({**asdict(training), **asdict(config)}))
    if path.is_file():
        if read(path, model=MODEL).notes.get("training") != settings:
            raise WeightsError(f"{path} was trained otherwise; give another folder")
        told(training.epochs, float("nan"))
        return load_placement(path)
    network = train_placement(boxes, config, training, lambda done, _total, loss: told(done, loss))
    save_placement(network, path, {"training": settings, "rooms": len(boxes.sort), "sorts": list(SORTS)})
    return network
