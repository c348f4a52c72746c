"""Furnishing rooms by what was learned from designed ones: training, and the comparison with the baselines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

import ecumene_models
from ecumene_models import layout_metrics as metrics
from ecumene_models.checkpoint import read
from ecumene_models.errors import WeightsError
from ecumene_models.layout_gan import MODEL, LayoutConfig, LayoutGan, load_layout, save_layout
from ecumene_models.layout_training import LayoutTraining, compete_layout, train_layout
from ecumene_models.layouts import Layouts
from ecumene_models.metrics import Row
from ecumene_world.generate.learned_layout import WEIGHTS, LearnedLayout
from ecumene_world.learning.arrangements import MOST, NAMES, ROLES, TAGS, Arrangement, layouts_of
from ecumene_world.learning.nearest_room import nearest_rooms
from ecumene_world.learning.ruled_rooms import COARSE_NAMES, RULED, coarse, ruled_rooms

RESULTS: Final = Path(ecumene_models.__file__).parent / "cards" / "layout.json"
SPLIT: Final = "5-fold by floor plan, each fold with a seed of its own, as drawn, before any fitting"
RULED_SPLIT: Final = "the same, rooms of four roles and what stands on their floors, by coarse kinds"
FOLDS: Final = 5
BUILT: Final = "layout_gan, as built"
"""With the assets of the library, clear of walls, doors and each other, the best of six tries."""
DRAWS: Final = 3
"""How often each held-out room is furnished."""
METRICS: Final = (
    "classifier_accuracy",
    "count_distance",
    "pair_distance",
    "frechet_distance",
    "diversity",
    "novelty",
    "overlap",
    "out_of_floor",
)

Progress = Callable[[int, int, float], None]
"""Told epochs done, epochs in all and the mean loss of the last one; NaN for networks that were there already."""
Told = Callable[[int, float], None]
Draws = Mapping[str, Sequence[Layouts]]


def trained(
    rooms: Sequence[Arrangement], training: LayoutTraining, folder: Path, progress: Progress | None = None
) -> tuple[Path, list[Row]]:
    """Compares, then trains on all rooms; networks that are in the folder already are reused.

    Returns:
        The weights' path, and the rows of the comparison.

    Raises:
        WeightsError: The folder holds networks of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    each = training.epochs + training.rounds
    total = (FOLDS + 1) * each

    def told(start: int) -> Told:
        return lambda done, loss: progress(start + done, total, loss) if progress is not None else None

    layouts = layouts_of(rooms)
    values: dict[tuple[str, str, str], list[float]] = {}
    for fold, (known, asked) in enumerate(folds(rooms, training.seed)):
        own = replace(training, seed=training.seed + fold)
        files = folder / f"{MODEL}-start-{fold}.safetensors", folder / f"{MODEL}-{fold}.safetensors"
        networks = _networks(layouts.rows(known), own, files, told(fold * each))
        for key, value in _fold_values(rooms, layouts, networks, known, asked, own.seed, folder).items():
            values.setdefault(key, []).append(value)
    rows = _rows(values)
    path = folder / WEIGHTS.name
    files = folder / f"{MODEL}-start.safetensors", path
    _networks(layouts, replace(training, seed=training.seed + FOLDS), files, told(FOLDS * each))
    (folder / RESULTS.name).write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    return path, rows


def shipped_results() -> list[Row]:
    """Returns the comparison that was made when the shipped weights were trained.

    Raises:
        WeightsError: None came with this version.
    """
    if not RESULTS.is_file():
        raise WeightsError("no figures for layout came with this version; `ecumene evaluate layout --fresh` makes them")
    return [Row(**row) for row in json.loads(RESULTS.read_text())]


def folds(rooms: Sequence[Arrangement], seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Returns rows to train on and to test on; floor plans stay together, collections are spread evenly."""
    plans = sorted({room.group for room in rooms})
    order = np.random.default_rng(seed).permutation(len(plans)).tolist()
    met: dict[str, int] = {}
    fold: dict[str, int] = {}
    for plan in (plans[row] for row in order):
        collection = plan.partition("/")[0]
        fold[plan] = met.get(collection, 0) % FOLDS
        met[collection] = met.get(collection, 0) + 1
    of = torch.tensor([fold[room.group] for room in rooms])
    return [((of != index).nonzero().flatten(), (of == index).nonzero().flatten()) for index in range(FOLDS)]


def scores(
    real: Layouts, known: Layouts, draws: Sequence[Layouts], groups: Sequence[int], kinds: int
) -> dict[str, float]:
    """Returns all metrics of rooms that were furnished `len(draws)` times, beside the real rooms of the same floors."""
    seen, truly = metrics.features(known, kinds), metrics.features(real, kinds)
    made = [metrics.features(draw, kinds) for draw in draws]
    told = metrics.classifier_accuracy(truly, torch.cat(made), groups, list(groups) * len(draws))
    return {
        "classifier_accuracy": told,
        "count_distance": _mean([metrics.count_distance(real, draw, kinds) for draw in draws]),
        "pair_distance": _mean([metrics.pair_distance(real, draw) for draw in draws]),
        "frechet_distance": _mean([metrics.frechet_distance(seen, truly, part) for part in made]),
        "diversity": metrics.diversity(draws),
        "novelty": float(metrics.nearest(draws[0], known).mean()),
        "overlap": _mean([metrics.overlap(draw) for draw in draws]),
        "out_of_floor": _mean([metrics.out_of_floor(draw) for draw in draws]),
    }


def _fold_values(
    rooms: Sequence[Arrangement],
    layouts: Layouts,
    networks: tuple[LayoutGan, LayoutGan],
    known: torch.Tensor,
    asked: torch.Tensor,
    seed: int,
    folder: Path,
) -> dict[tuple[str, str, str], float]:
    """Returns values by split, metric and model of one fold; kept in the folder."""
    kept = folder / f"{MODEL}-values-{seed}.json"
    settings = [networks_digest(network) for network in networks] + [DRAWS]
    if kept.is_file():
        held = json.loads(kept.read_text())
        if held["settings"] == settings:
            return {(split, metric, model): value for split, metric, model, value in held["values"]}
    real, seen = layouts.rows(asked), layouts.rows(known)
    names = sorted({room.group for room in rooms})
    groups = [names.index(rooms[row].group) for row in asked.tolist()]
    draws = _draws(real, seen, networks, seed)
    values: dict[tuple[str, str, str], float] = {}
    for model, made in draws.items():
        values |= {(SPLIT, key, model): value for key, value in scores(real, seen, made, groups, len(NAMES)).items()}
    values |= _own(SPLIT, real, seen)
    values |= _ruled_values(real, seen, draws, networks[1], groups, seed)
    kept.write_text(json.dumps({"settings": settings, "values": [[*key, value] for key, value in values.items()]}))
    return values


def _draws(real: Layouts, known: Layouts, networks: tuple[LayoutGan, LayoutGan], seed: int) -> dict[str, list[Layouts]]:
    """Returns what each method makes of held-out rooms, several times each."""
    start, last = networks
    makers: dict[str, Callable[[torch.Generator], Layouts]] = {
        "layout_gan": lambda g: last.generator.sample(real, g),
        "likelihood only": lambda g: start.generator.sample(real, g),
        "nearest_room": lambda g: nearest_rooms(real, known, g),
        "real_rooms": lambda g: _others(real, known, g),
    }
    found = {}
    for name, make in makers.items():
        generator = torch.Generator().manual_seed(1000 + seed)
        found[name] = [make(generator) for _ in range(DRAWS)]
    return found


def _ruled_values(
    real: Layouts, known: Layouts, draws: Draws, network: LayoutGan, groups: Sequence[int], seed: int
) -> dict[tuple[str, str, str], float]:
    """Returns the metrics beside the procedural rooms, by what both know."""
    codes = torch.tensor([tuple(ROLES.values()).index(role) for role in RULED])
    mine, theirs = (torch.isin(part.role, codes).nonzero().flatten() for part in (real, known))
    some, seen = real.rows(mine), coarse(known.rows(theirs))
    made = {name: [coarse(draw.rows(mine)) for draw in held] for name, held in draws.items()}
    made["procedural"] = [ruled_rooms(some, seed * 10 + draw) for draw in range(DRAWS)]
    built = LearnedLayout(network)
    made[BUILT] = [ruled_rooms(some, seed * 10 + draw, built) for draw in range(2)]
    own = [groups[row] for row in mine.tolist()]
    values: dict[tuple[str, str, str], float] = {}
    for model in ("layout_gan", BUILT, "nearest_room", "procedural", "real_rooms"):
        found = scores(coarse(some), seen, made[model], own, len(COARSE_NAMES))
        values |= {(RULED_SPLIT, key, model): value for key, value in found.items()}
    return values | _own(RULED_SPLIT, coarse(some), seen)


def _own(split: str, real: Layouts, known: Layouts) -> dict[tuple[str, str, str], float]:
    """Returns what real rooms measure by themselves."""
    return {
        (split, "novelty", "real_rooms"): float(metrics.nearest(real, known).mean()),
        (split, "overlap", "real_rooms"): metrics.overlap(real),
        (split, "out_of_floor", "real_rooms"): metrics.out_of_floor(real),
    }


def _others(real: Layouts, known: Layouts, generator: torch.Generator) -> Layouts:
    """Returns for each room a known one of its role, drawn at random, with its own floor."""
    rows = []
    for role in real.role.tolist():
        same = (known.role == role).nonzero().flatten()
        rows.append(int(same[int(torch.randint(len(same), (), generator=generator))]))
    return known.rows(torch.tensor(rows))


def _networks(
    rooms: Layouts, training: LayoutTraining, files: tuple[Path, Path], told: Told
) -> tuple[LayoutGan, LayoutGan]:
    """Returns the network before and after its competition with the critic, from files or trained into them."""
    first, last = files
    settings = _settings(training)
    if not _is_there(first, settings):
        network = train_layout(rooms, _config(), training, lambda done, _, loss: told(done, loss))
        save_layout(network, first, _notes(settings, rooms))
    start = load_layout(first)
    if not _is_there(last, settings):
        epochs = training.epochs
        network = compete_layout(start, rooms, training, lambda done, _, loss: told(epochs + done, loss))
        save_layout(network, last, _notes(settings, rooms))
    told(training.epochs + training.rounds, float("nan"))
    return start, load_layout(last)


def _is_there(path: Path, settings: Mapping[str, Any]) -> bool:
    if not path.is_file():
        return False
    if read(path, model=MODEL).notes.get("training") != settings:
        raise WeightsError(f"{path} was trained otherwise; give another folder")
    return True


def networks_digest(network: LayoutGan) -> float:
    """Returns a number that tells one network from another."""
    return float(sum(part.double().abs().sum() for part in network.state_dict().values()))


def _config() -> LayoutConfig:
    return LayoutConfig(len(NAMES), len(ROLES), len(TAGS), MOST)


def _settings(training: LayoutTraining) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(json.dumps({**asdict(training), **asdict(_config())}))
    return settings


def _notes(settings: Mapping[str, Any], rooms: Layouts) -> dict[str, Any]:
    return {
        "training": settings,
        "rooms": len(rooms.role),
        "kinds": list(NAMES),
        "roles": list(ROLES.values()),
        "tags": list(TAGS),
    }


def _rows(values: Mapping[tuple[str, str, str], Sequence[float]]) -> list[Row]:
    prefix = {SPLIT: "", RULED_SPLIT: "four_roles/"}
    baselines = {"nearest_room", "procedural", "real_rooms"}
    order = sorted(values, key=lambda key: ((SPLIT, RULED_SPLIT).index(key[0]), METRICS.index(key[1])))
    return [
        Row.of(model, prefix[split] + metric, values[split, metric, model], baseline=model in baselines, split=split)
        for split, metric, model in order
    ]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
