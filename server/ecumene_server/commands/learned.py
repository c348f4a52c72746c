"""Models that learn from public data: what `ecumene train` and `ecumene evaluate` do for them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from math import isnan
from pathlib import Path
from typing import Any, Final

from ecumene_server.commands import fusion, layout, output, pointnet, segmenter, shapes
from ecumene_server.errors import UsageError

Progress = Callable[[int, int, float], None]
"""Told epochs done, epochs in all and the mean loss."""
Trained = tuple[Path, Sequence[Any]]
"""Path of the weights, and rows of the comparison with the baselines."""


def train(options: argparse.Namespace) -> int:
    """Trains a model and its folds, and prints how it compares."""
    folder = folder_of(options)
    weights, rows = _run(options, folder, "training")
    if options.json:
        output.as_json({"weights": str(weights), "rows": [row.to_json() for row in rows]})
    else:
        show(rows)
        print(f"The weights are in {weights}")
    return 0


def evaluate(options: argparse.Namespace) -> int:
    """Prints the comparison that was made when the shipped weights were trained; anew if that is asked for."""
    known = SHIPPED[options.name]
    rows = _run(options, folder_of(options), "training and comparing")[1] if options.fresh else known()
    if options.json:
        output.as_json(told(options.name, rows))
    else:
        show(rows)
    return 0


def told(name: str, rows: Sequence[Any]) -> dict[str, Any]:
    """Returns the shipped model's figures, each under the name of its metric, and below them all rows."""
    own = {row.metric: row.value for row in rows if row.model == SHIPPED_AS[name]}
    return {"name": name, "model": SHIPPED_AS[name], **own, "rows": [row.to_json() for row in rows]}


def show(rows: Sequence[Any]) -> None:
    """Prints rows as a table."""
    columns = ("metric", "model", "mean", "95 % interval")
    output.table(
        columns,
        [
            (
                row.metric,
                f"{row.model}{' (baseline)' if row.baseline else ''}",
                f"{row.value:.3f}",
                f"{row.low:.3f} to {row.high:.3f}",
            )
            for row in rows
        ],
    )


def folder_of(options: argparse.Namespace) -> Path:
    """Returns the folder of a run: the one asked for, or one named after the model."""
    return Path(getattr(options, "out", None) or Path("runs") / str(options.name))


def _run(options: argparse.Namespace, folder: Path, what: str) -> Trained:
    """Trains with a bar and, if asked for, a log for TensorBoard; one thread adds up in one order on every machine."""
    import torch

    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    log = _tensorboard(folder) if getattr(options, "tensorboard", False) else None
    with output.bar(what, "epochs") as report:

        def heard(done: int, total: int, loss: float) -> None:
            report(done, total)
            if log is not None and not isnan(loss):
                log(done, loss)
            if not sys.stderr.isatty() and not options.json and done % 10 == 0:
                print(f"{done}/{total} loss {loss:.4f}", flush=True)

        return TRAINED[options.name](options, folder, heard)


def _relations(options: argparse.Namespace, folder: Path, heard: Progress) -> Trained:
    from ecumene_models.relation_training import RelationTraining
    from ecumene_world.learning.relating import trained
    from ecumene_world.learning.rooms import rooms

    smoke = bool(getattr(options, "smoke", False))
    epochs = getattr(options, "iterations", None) or (1 if smoke else RelationTraining().epochs)
    training = RelationTraining(
        seed=getattr(options, "seed", 0), epochs=epochs, device=getattr(options, "device", "cpu")
    )
    held = rooms(options.data)
    return trained(held[::8] if smoke else held, training, folder, heard)


def _placement(options: argparse.Namespace, folder: Path, heard: Progress) -> Trained:
    from ecumene_models.placement_training import PlacementTraining
    from ecumene_world.learning.placing import trained
    from ecumene_world.learning.rooms import rooms

    smoke = bool(getattr(options, "smoke", False))
    epochs = getattr(options, "iterations", None) or (1 if smoke else PlacementTraining().epochs)
    training = PlacementTraining(
        seed=getattr(options, "seed", 0), epochs=epochs, device=getattr(options, "device", "cpu")
    )
    return trained(rooms(options.data), training, folder, heard)


def _shipped_placement() -> Sequence[Any]:
    from ecumene_world.learning.placing import shipped_results

    return shipped_results()


def _shipped_relations() -> Sequence[Any]:
    from ecumene_world.learning.relating import shipped_results

    return shipped_results()


def _shipped_pointnet() -> Sequence[Any]:
    from ecumene_world.learning.evaluation import shipped_results

    return shipped_results()


def _tensorboard(folder: Path) -> Callable[[int, float], None]:
    """Returns a writer of losses."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError("TensorBoard is not installed; `pip install ecumene[train]` brings it") from error
    writer = SummaryWriter(str(folder / "tensorboard"))

    def write(done: int, loss: float) -> None:
        writer.add_scalar("loss", loss, done)
        writer.flush()

    return write


TRAINED: Final[dict[str, Callable[[argparse.Namespace, Path, Progress], Trained]]] = {
    "fusion": fusion.trained,
    "layout": layout.trained,
    "pointnet": pointnet.trained,
    "placement": _placement,
    "relations": _relations,
    "segmenter": segmenter.trained,
    "shapes": shapes.trained,
}
"""How each model is trained; a new one is a line here, one in `SHIPPED` and one in `SHIPPED_AS`."""
SHIPPED: Final[dict[str, Callable[[], Sequence[Any]]]] = {
    "fusion": fusion.shipped,
    "layout": layout.shipped,
    "pointnet": _shipped_pointnet,
    "placement": _shipped_placement,
    "relations": _shipped_relations,
    "segmenter": segmenter.shipped,
    "shapes": shapes.shipped,
}
SHIPPED_AS: Final = {
    "fusion": "fusion",
    "layout": "layout_gan",
    "pointnet": "PointNet",
    "placement": "placement + push_apart",
    "relations": "relations",
    "segmenter": "segmenter, labels 100 %, 5 x longer",
    "shapes": "Gaussian of the class",
}
"""What the rows call the model whose weights are shipped."""
