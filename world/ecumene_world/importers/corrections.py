"""The file of guesses that a person can correct: what each thing of a scan was taken for, and what it shall be."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ecumene_world.errors import ImportFailed
from ecumene_world.plain import JSON

FORMAT: Final = "ecumene labels 1"
NOTHING: Final = "nothing"
"""Label of what shall be left out."""
_MOST_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing of a scan.

    Attributes:
        number: Of the thing, the same each time the same scan is read with the same weights.
        label: What it counts as.
        guess: What it was taken for.
        confidence: 0..1.
        centre_m: Middle of its box in the world.
        size_m: Of its box.
    """

    number: int
    label: str
    guess: str
    confidence: float
    centre_m: tuple[float, float, float]
    size_m: tuple[float, float, float]

    def to_json(self) -> dict[str, JSON]:
        """Returns JSON scalars and lists."""
        return {
            "id": self.number,
            "label": self.label,
            "guess": self.guess,
            "confidence": round(self.confidence, 3),
            "centre_m": [round(value, 2) for value in self.centre_m],
            "size_m": [round(value, 2) for value in self.size_m],
        }


def write_labels(path: Path, guesses: Sequence[Guess], source: str, classes: Sequence[str]) -> None:
    """Writes the file; `source` tells the scan and the weights it belongs to."""
    told = {
        "format": FORMAT,
        "source": source,
        "help": "Change a label to one of 'labels' and import again with --labels and this file.",
        "labels": [*classes, NOTHING],
        "things": [guess.to_json() for guess in guesses],
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_labels(path: Path, source: str, classes: Sequence[str]) -> dict[int, str]:
    """Returns the label of each thing that a person has changed.

    Raises:
        ImportFailed: The file is missing, no such file, of another scan or other weights, or holds an unknown label.
    """
    held = _read(path)
    if held.get("source") != source:
        raise ImportFailed(
            f"{path.name} belongs to another scan or other weights ({held.get('source')!r:.80}); this is {source!r}"
        )
    things = held.get("things")
    if not isinstance(things, list):
        raise ImportFailed(f"{path.name} has no list of things")
    changed: dict[int, str] = {}
    for thing in things:
        number, label, guess = _thing(thing, path.name)
        if label not in (*classes, NOTHING):
            near = difflib.get_close_matches(label, [*classes, NOTHING], n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"labels are {', '.join((*classes, NOTHING))}"
            raise ImportFailed(f"{path.name} calls thing {number} {label!r:.60}; {hint}")
        if label != guess:
            changed[number] = label
    return changed


def edited(path: Path) -> bool:
    """Tells whether a person has changed a label in the file.

    Raises:
        ImportFailed: It is no file of labels.
    """
    things = _read(path).get("things")
    told = [_thing(thing, path.name) for thing in things] if isinstance(things, list) else []
    return any(label != guess for _, label, guess in told)


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise ImportFailed(f"there is no file of labels {str(path)!r}")
    if path.stat().st_size > _MOST_BYTES:
        raise ImportFailed(f"{path.name} has {path.stat().st_size} bytes; {_MOST_BYTES} is the limit")
    try:
        held = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ImportFailed(f"{path.name} is not a JSON file of labels: {error}"[:200]) from None
    if not isinstance(held, dict) or held.get("format") != FORMAT:
        raise ImportFailed(f"{path.name} is not a file of labels of this version ({FORMAT!r})")
    return held


def _thing(thing: object, name: str) -> tuple[int, str, str]:
    match thing:
        case {"id": int(number), "label": str(label), "guess": str(guess)}:
            return number, label, guess
    raise ImportFailed(f"{name} has a thing without id, label and guess: {thing!r:.80}")
