"""How things stand to one another: what holds in the designed rooms, and a network that tells it from boxes and sorts.

What holds comes from exact boxes, headings and the data's own supports. The network is shown neither headings nor
supports, only boxes blurred as a scan would blur them. It was never shown a real scan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

import ecumene_models
from ecumene_models.checkpoint import read
from ecumene_models.errors import WeightsError
from ecumene_models.metrics import Row
from ecumene_models.relation_training import (
    RelationTraining,
    Truth,
    blurred,
    cropped,
    train_relations,
)
from ecumene_models.relations import (
    MODEL,
    PAIRED,
    Boxes,
    RelationsConfig,
    RelationsNet,
    load_relations,
    offsets,
    save_relations,
    wall_gap,
)
from ecumene_world.errors import GraphError
from ecumene_world.learning.rooms import SORTS, Room

RELATED: Final = (*PAIRED, "against_wall")
WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights" / "relations.safetensors"
RESULTS: Final = Path(ecumene_models.__file__).parent / "cards" / "relations.json"
SPLIT: Final = "5-fold by floor plan, each fold with a seed of its own, boxes blurred"
FOLDS: Final = 5
_NAMES: Final = tuple(SORTS)
_SEATS: Final = tuple(_NAMES.index(name) for name in ("chair", "sofa"))
_FRONTED: Final = (*_SEATS, _NAMES.index("screen"))
_FACED: Final = tuple(_NAMES.index(name) for name in ("table", "sofa", "bed", "screen", "appliance"))
_COVERS: Final = tuple(_NAMES.index(name) for name in ("table", "bed"))

Progress = Callable[[int, int, float], None]
"""Told epochs done, epochs in all and the mean loss of the last one; NaN for networks that were there already."""
Told = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of a room or a scan.

    Attributes:
        name: What relations call it.
        sort: One of `rooms.SORTS`.
        centre: x, y, z of its axis-aligned box, metres, z up.
        size: Of that box, metres.
    """

    name: str
    sort: str
    centre: tuple[float, float, float]
    size: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Relation:
    """One statement.

    Attributes:
        first: Name of a thing.
        relation: One of `RELATED`.
        second: Name of another; "" for a wall.
        confidence: 0..1.
    """

    first: str
    relation: str
    second: str
    confidence: float


class Relater:
    """Says how things stand to one another."""

    def __init__(self, network: RelationsNet, thresholds: Sequence[float]) -> None:
        self.network = network
        self.thresholds = tuple(thresholds)

    @classmethod
    def shipped(cls) -> Relater:
        """Returns the relater whose weights come with the package.

        Raises:
            WeightsError: The weights are missing or damaged.
        """
        return cls.load(WEIGHTS)

    @classmethod
    def load(cls, path: Path) -> Relater:
        """Returns the relater of a weights file.

        Raises:
            WeightsError: The file is missing or damaged.
        """
        return cls(load_relations(path), read(path, model=MODEL).notes["thresholds"])

    @torch.no_grad()
    def relate(self, things: Sequence[Thing], floor: tuple[float, float, float, float] | None = None) -> list[Relation]:
        """Returns what is likely to hold, things in their order.

        Args:
            things: Up to a few hundred of one room; all pairs are looked at.
            floor: Least x, y and greatest x, y; without it nothing stands against a wall.

        Raises:
            GraphError: A sort is unknown, or a number is not finite.
        """
        if not things:
            return []
        unknown = [thing.sort for thing in things if thing.sort not in SORTS]
        if unknown:
            raise GraphError(f"{unknown[0]!r} is not a sort of thing; sorts are {', '.join(SORTS)}")
        boxes = Boxes(
            torch.tensor([[_NAMES.index(thing.sort) for thing in things]]),
            torch.tensor([[thing.centre for thing in things]], dtype=torch.float32),
            torch.tensor([[thing.size for thing in things]], dtype=torch.float32),
            torch.tensor([floor or (torch.nan,) * 4], dtype=torch.float32),
        )
        if not bool(boxes.centre.isfinite().all() and boxes.size.isfinite().all()):
            raise GraphError("boxes must consist of finite numbers")
        scores = _scores(self.network, boxes)
        pairs = scores.pairs[0]
        found = [
            Relation(things[i].name, PAIRED[r], things[j].name, float(pairs[i, j, r]))
            for i, j, r in (pairs > torch.tensor(self.thresholds[:-1])).nonzero().tolist()
        ]
        walls = scores.wall[0].tolist() if floor else []
        found += [
            Relation(thing.name, "against_wall", "", share)
            for thing, share in zip(things, walls, strict=False)
            if share > self.thresholds[-1]
        ]
        return found


def boxes_of(rooms: Sequence[Room]) -> Boxes:
    """Returns the exact boxes of rooms, padded to the fullest."""
    most = max(len(room.sort) for room in rooms)
    sort = np.full((len(rooms), most), -1, np.int64)
    centre, size = np.zeros((len(rooms), most, 3), np.float32), np.zeros((len(rooms), most, 3), np.float32)
    for row, room in enumerate(rooms):
        count = len(room.sort)
        sort[row, :count], centre[row, :count], size[row, :count] = room.sort, room.centre, room.size
    floor = np.stack([room.floor for room in rooms])
    return Boxes(*(torch.from_numpy(part) for part in (sort, centre, size, floor)))


def truth_of(rooms: Sequence[Room]) -> Truth:
    """Returns what holds in rooms.

    on, inside: the data's supports. next_to: footprints at most 0.3 m apart, sharing a third of the lower one's
    height, on the same support. under: a quarter of its footprint below a table or bed that it stands beside on the
    floor. facing: the nearest table, sofa, bed, screen or appliance within 3 m and 30° of the front of a chair, sofa or
    screen. against_wall: within 0.15 m of the floor's edge.
    """
    boxes = boxes_of(rooms)
    o = offsets(boxes)
    there = boxes.there
    both = there[:, :, None] & there[:, None] & ~torch.eye(there.shape[1], dtype=torch.bool)
    support, inside, heading = _padded(rooms, there)
    columns = torch.arange(there.shape[1])
    held = (support[:, :, None] == columns) & both
    within = held & inside[:, :, None]
    apart = ~held & ~held.transpose(1, 2)
    same = (support[:, :, None] == support[:, None]) & apart & both
    beside = same & (o.gap < 0.3) & (o.shared > 0.33)
    stands = (support < 0) & (boxes.centre[..., 2] - boxes.size[..., 2] / 2 < 0.3)
    cover = _among(boxes.sort, _COVERS)
    below = same & cover[:, None] & stands[:, :, None] & (o.covered > 0.25) & (o.overtops < 0.45) & (o.above < -0.3)
    pairs = torch.stack((held & ~within, within, beside, _faces(boxes, heading, o.gap, both), below), dim=3)
    gap, _ = wall_gap(boxes)
    wall = torch.where(gap.isnan(), torch.nan, (gap < 0.15).float())
    return Truth(pairs.float(), wall)


def compared(
    rooms: Sequence[Room],
    training: RelationTraining,
    folder: Path,
    progress: Told | None = None,
) -> list[Row]:
    """Returns network and baselines side by side on rooms that they never saw; networks in `folder` are reused.

    Raises:
        WeightsError: The folder holds networks of another configuration.
    """
    values: dict[tuple[str, str], list[float]] = {}
    for fold in range(FOLDS):
        for key, value in fold_scores(rooms, training, folder, fold, progress).items():
            values.setdefault(key, []).append(value)
    order = sorted(values, key=lambda key: (key[0] != "macro_f1", key[0]))
    return [Row.of(name, metric, values[metric, name], baseline=name != MODEL, split=SPLIT) for metric, name in order]


def fold_scores(
    rooms: Sequence[Room], training: RelationTraining, folder: Path, fold: int, progress: Told | None = None
) -> dict[tuple[str, str], float]:
    """Returns F1 scores by metric and model on the rooms that one fold holds out.

    Thresholds of the network and of the baselines alike are the best on the rooms that were trained on.

    Raises:
        WeightsError: The folder holds a network of another configuration.
    """
    boxes, truth = boxes_of(rooms), truth_of(rooms)
    known, asked = folds(rooms, training.seed)[fold]
    own = replace(training, seed=training.seed + fold)
    generator = torch.Generator().manual_seed(1000 + own.seed)
    config = RelationsConfig(len(SORTS))
    held, wanted = (Truth(*(part[rows] for part in truth)) for rows in (known, asked))
    tuned_on, tested_on = (
        blurred(Boxes(*(part[rows] for part in boxes)), config, own, generator) for rows in (known, asked)
    )
    told = counted_from(fold * training.epochs, progress)
    network = _network(boxes, truth, known, config, own, folder / f"{MODEL}-{fold}.safetensors", told)
    guessers = {MODEL: _guesser(network), "class_pair_prior": _prior(tuned_on, held), "rules": _rules}
    values: dict[tuple[str, str], float] = {}
    for name, guess in guessers.items():
        limits = _thresholds(guess(tuned_on), held, tuned_on.there)
        parts = zip(*_split(guess(tested_on), wanted, tested_on.there, limits), strict=True)
        each = [_f1(scores > limit, truly, counted) for scores, limit, truly, counted in parts]
        values |= {(f"f1_{relation}", name): value for relation, value in zip(RELATED, each, strict=True)}
        values["macro_f1", name] = sum(each) / len(each)
    return values


def trained(
    rooms: Sequence[Room], training: RelationTraining, folder: Path, progress: Progress | None = None
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
    boxes, truth, everything = boxes_of(rooms), truth_of(rooms), torch.arange(len(rooms))
    path = folder / WEIGHTS.name
    _network(
        boxes,
        truth,
        everything,
        RelationsConfig(len(SORTS)),
        training,
        path,
        counted_from(total - training.epochs, told),
    )
    (folder / RESULTS.name).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    return path, rows


def shipped_results() -> list[Row]:
    """Returns the comparison that was made when the shipped weights were trained.

    Raises:
        WeightsError: None came with this version.
    """
    if not RESULTS.is_file():
        raise WeightsError(
            "no figures for relations came with this version; `ecumene evaluate relations --fresh` makes them"
        )
    return [Row(**row) for row in json.loads(RESULTS.read_text())]


def folds(rooms: Sequence[Room], seed: int) -> list[tuple[Tensor, Tensor]]:
    """Returns rows to train on and to test on; floor plans stay together, collections are spread evenly."""
    plans = sorted({room.group for room in rooms})
    order = np.random.default_rng(seed).permutation(len(plans)).tolist()
    collections: dict[str, int] = {}
    fold: dict[str, int] = {}
    for plan in (plans[row] for row in order):
        collection = plan.partition("/")[0]
        fold[plan] = collections.get(collection, 0) % FOLDS
        collections[collection] = collections.get(collection, 0) + 1
    of = torch.tensor([fold[room.group] for room in rooms])
    return [((of != index).nonzero().flatten(), (of == index).nonzero().flatten()) for index in range(FOLDS)]


def _padded(rooms: Sequence[Room], there: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns support (B, N) i64, inside (B, N) bool and heading (B, N) of rooms; -1, False and 0 where empty."""
    support = torch.full(there.shape, -1)
    inside, heading = torch.zeros_like(there), torch.zeros(there.shape)
    for row, room in enumerate(rooms):
        count = len(room.sort)
        support[row, :count] = torch.from_numpy(room.support)
        inside[row, :count] = torch.from_numpy(room.inside)
        heading[row, :count] = torch.from_numpy(room.heading)
    return support, inside, heading


def _among(sort: Tensor, kinds: tuple[int, ...]) -> Tensor:
    return torch.isin(sort, torch.tensor(kinds))


def _faces(boxes: Boxes, heading: Tensor, gap: Tensor, both: Tensor) -> Tensor:
    """Returns (B, N, N) bool: what each thing with a front is turned to."""
    apart = boxes.centre[:, None, :, :2] - boxes.centre[:, :, None, :2]
    front = torch.stack((heading.cos(), heading.sin()), dim=2)[:, :, None]
    ahead = (apart * front).sum(3) / apart.norm(dim=3).clamp_min(0.05)
    able = both & _among(boxes.sort, _FRONTED)[:, :, None] & _among(boxes.sort, _FACED)[:, None]
    seats = _among(boxes.sort, _SEATS)
    able &= seats[:, :, None] | seats[:, None] | _among(boxes.sort, (_NAMES.index("bed"),))[:, None]
    distance = torch.where(able & (ahead > 0.866) & (gap < 3.0), gap + 0.01 * apart.norm(dim=3), torch.inf)
    nearest = distance.argmin(2, keepdim=True)
    found = torch.zeros_like(both).scatter_(2, nearest, value=True)
    return found & distance.isfinite()


@torch.no_grad()
def _scores(network: RelationsNet, boxes: Boxes) -> Truth:
    related = network(boxes)
    nobody = torch.eye(boxes.sort.shape[1], dtype=torch.bool)[..., None]
    return Truth(related.pairs.sigmoid().masked_fill(nobody, 0.0), related.wall.sigmoid())


def _guesser(network: RelationsNet) -> Callable[[Boxes], Truth]:
    def guess(boxes: Boxes) -> Truth:
        parts = [
            _scores(network, Boxes(*(part[row : row + 8] for part in boxes))) for row in range(0, len(boxes.sort), 8)
        ]
        return Truth(torch.cat([part.pairs for part in parts]), torch.cat([part.wall for part in parts]))

    return guess


def _prior(boxes: Boxes, truth: Truth) -> Callable[[Boxes], Truth]:
    """Returns a guesser by how often each relation holds between two sorts, and nothing else."""
    sorts = len(SORTS)
    kinds = boxes.sort.clamp_min(0)
    both = (boxes.there[:, :, None] & boxes.there[:, None]).flatten()
    pair = (kinds[:, :, None] * sorts + kinds[:, None]).flatten()[both]
    counts = torch.zeros(sorts * sorts, len(PAIRED)).index_add_(0, pair, truth.pairs.flatten(0, 2)[both])
    shares = counts / (torch.bincount(pair, minlength=sorts * sorts)[:, None] + 1.0)
    known = boxes.there & ~truth.wall.isnan()
    leaning = torch.zeros(sorts).index_add_(0, kinds[known], truth.wall[known])
    leaning /= torch.bincount(kinds[known], minlength=sorts) + 1.0

    def guess(asked: Boxes) -> Truth:
        kind = asked.sort.clamp_min(0)
        return Truth(shares[kind[:, :, None] * sorts + kind[:, None]], leaning[kind])

    return guess


def _rules(boxes: Boxes) -> Truth:
    """Guesses by rule from the boxes: the definitions of `truth_of`, with supports and fronts guessed as well."""
    o = offsets(boxes)
    both = boxes.there[:, :, None] & boxes.there[:, None] & ~torch.eye(boxes.sort.shape[1], dtype=torch.bool)
    resting = torch.where(both & (o.covered > 0.4), o.above.abs(), torch.inf)
    on = torch.zeros_like(both).scatter_(2, resting.argmin(2, keepdim=True), value=True) & (resting < 0.12)
    holder = _among(boxes.sort, tuple(_NAMES.index(name) for name in ("appliance", "cabinet", "box", "bathroom")))
    inside = both & holder[:, None] & (o.covered > 0.7) & (o.raised > -0.05) & (o.overtops < 0.05) & ~on
    floored = boxes.centre[..., 2] - boxes.size[..., 2] / 2 < 0.2
    level = floored[:, :, None] == floored[:, None]
    beside = both & (o.gap < 0.3) & (o.shared > 0.33) & level & ~on & ~on.transpose(1, 2)
    under = both & _among(boxes.sort, _COVERS)[:, None] & floored[:, :, None] & (o.covered > 0.25)
    under &= (o.overtops < 0.45) & (o.above < -0.3)
    able = both & _among(boxes.sort, _SEATS)[:, :, None] & _among(boxes.sort, _FACED)[:, None] & (o.gap < 3.0)
    distance = torch.where(able, o.gap, torch.inf)
    facing = torch.zeros_like(both).scatter_(2, distance.argmin(2, keepdim=True), value=True) & able
    gap, _ = wall_gap(boxes)
    return Truth(torch.stack((on, inside, beside, facing, under), dim=3).float(), (gap < 0.15).float())


def _split(
    scores: Truth, wanted: Truth, there: Tensor, limits: Sequence[float]
) -> tuple[list[Tensor], Sequence[float], list[Tensor], list[Tensor]]:
    """Returns for each relation its scores, threshold, truth and which entries count."""
    both = there[:, :, None] & there[:, None]
    known = there & ~wanted.wall.isnan()
    pairs = range(len(PAIRED))
    return (
        [*(scores.pairs[..., r] for r in pairs), scores.wall],
        limits,
        [*(wanted.pairs[..., r] > 0.5 for r in pairs), wanted.wall > 0.5],
        [*(both for _ in pairs), known],
    )


def _thresholds(scores: Truth, wanted: Truth, there: Tensor) -> list[float]:
    """Returns the threshold of each relation that is best on rooms that were trained on."""
    nothing = [0.5] * len(RELATED)
    tried = [step / 20 for step in range(1, 19)]
    parts = zip(*_split(scores, wanted, there, nothing), strict=True)
    return [max(tried, key=lambda t: _f1(s > t, w, k)) for s, _, w, k in parts]


def _f1(guessed: Tensor, wanted: Tensor, counted: Tensor) -> float:
    hits = float((guessed & wanted & counted).sum())
    return 2 * hits / max(1.0, float((guessed & counted).sum() + (wanted & counted).sum()))


def _network(
    boxes: Boxes,
    truth: Truth,
    rows: Tensor,
    config: RelationsConfig,
    training: RelationTraining,
    path: Path,
    told: Told,
) -> RelationsNet:
    """Returns the network of a file, or trains it and writes the file."""
    settings: Any = json.loads(json.dumps({**asdict(training), **asdict(config)}))
    if path.is_file():
        if read(path, model=MODEL).notes.get("training") != settings:
            raise WeightsError(f"{path} was trained otherwise; give another folder")
        told(training.epochs, float("nan"))
        return load_relations(path)
    some, wanted = cropped(Boxes(*(part[rows] for part in boxes)), Truth(*(part[rows] for part in truth)))
    network = train_relations(some, wanted, config, training, lambda done, _total, loss: told(done, loss))
    seen = blurred(some, config, training, torch.Generator().manual_seed(training.seed))
    limits = _thresholds(_guesser(network)(seen), wanted, some.there)
    notes = {"training": settings, "thresholds": limits, "rooms": len(rows), "sorts": list(SORTS)}
    save_relations(network, path, notes)
    return network


def counted_from(start: int, told: Told | None) -> Told:
    """Returns a listener that adds what was done before."""
    return lambda done, loss: told(start + done, loss) if told is not None else None
