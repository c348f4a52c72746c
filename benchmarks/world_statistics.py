"""Derives the statistics that generated rooms and towns follow from real ones, and checks the shipped file.

    python benchmarks/world_statistics.py [--write | --compare]

Fetches the iTHOR and RoboTHOR scenes (PyPI procthor, Apache-2.0) and Bubeneč (PyPI momepy, BSD-3-Clause) by their
recipes, prints the statistics as JSON, and fails if `world/ecumene_world/generate/statistics.json` says otherwise.
With `--compare`, it prints those of the town beside the medians of ten made-up towns instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from ecumene_world import datasets
from ecumene_world.generate.morphology import measured, quantiles
from ecumene_world.generate.town import survey
from ecumene_world.importers.features import survey_of
from ecumene_world.importers.geopackage import read_geopackage

SHIPPED = Path(__file__).parents[1] / "world/ecumene_world/generate/statistics.json"
ROOMS = {"bathrooms": "bathroom", "bedrooms": "bedroom", "kitchens": "kitchen", "living_rooms": "living"}
KINDS = {
    "ArmChair": "armchair",
    "Bathtub": "bathtub",
    "Bed": "bed",
    "Cabinet": "cabinet",
    "Chair": "chair",
    "CoffeeTable": "table",
    "CounterTop": "counter",
    "Desk": "desk",
    "DiningTable": "table",
    "Dresser": "cabinet",
    "FloorLamp": "floor_lamp",
    "Fridge": "fridge",
    "GarbageCan": "bin",
    "HousePlant": "potted_plant",
    "Painting": "painting",
    "Shelf": "bookcase",
    "ShelvingUnit": "bookcase",
    "SideTable": "cabinet",
    "Sink": "sink",
    "Sofa": "sofa",
    "Stool": "stool",
    "StoveBurner": "stove",
    "TVStand": "screen",
    "Television": "screen",
    "Toilet": "toilet",
    "Window": "window",
}
STANDING = {"armchair", "bathtub", "bed", "chair", "counter", "desk", "fridge", "sofa", "stool", "table", "toilet"}
PARTS = {"stove": 4, "bookcase": 4}
"""How many objects of the scenes make one of our things: four burners a stove, about four boards a bookcase."""
WALL_M = 0.35


def rooms() -> dict[str, Any]:
    """Returns, for each role, what its real rooms hold."""
    data = json.loads(datasets.fetch("rooms").read_text())
    return {role: _role(data[name]) for name, role in ROOMS.items()}


def _role(scenes: list[list[dict[str, Any]]]) -> dict[str, Any]:
    areas, covers, walls = [], [], Counter[str]()
    counts: list[Counter[str]] = []
    seen = Counter[str]()
    for scene in scenes:
        floor = next(thing for thing in scene if thing["objectType"] == "Floor")["axisAlignedBoundingBox"]
        x, z = floor["size"]["x"], floor["size"]["z"]
        found = [
            (KINDS[thing["objectType"]], thing["axisAlignedBoundingBox"])
            for thing in scene
            if thing["objectType"] in KINDS
        ]
        areas.append(x * z)
        covers.append(sum(b["size"]["x"] * b["size"]["z"] for kind, b in found if kind in STANDING) / (x * z))
        counts.append(Counter(kind for kind, _ in found))
        for kind, b in found:
            gaps = [
                abs(abs(b["center"][axis] - floor["center"][axis]) + b["size"][axis] / 2 - floor["size"][axis] / 2)
                for axis in ("x", "z")
            ]
            seen[kind] += 1
            walls[kind] += min(gaps) < WALL_M
    things = {}
    for kind in sorted(seen):
        each = np.array([count[kind] / PARTS.get(kind, 1) for count in counts])
        things[kind] = {
            "mean": round(float(each.mean()), 2),
            "present": round(float((each > 0).mean()), 2),
            "at_wall": round(walls[kind] / seen[kind], 2),
        }
    return {
        "rooms": len(scenes),
        "area_m2": quantiles(areas),
        "covered": quantiles(covers),
        "things": things,
    }


def town() -> dict[str, Any]:
    """Returns block area, coverage, building area and street orientation of Bubeneč."""
    features, projection = read_geopackage(datasets.fetch("bubenec"))
    return measured(survey_of(features, name="Bubenec", projection=projection, span_m=900.0))


def compared(sizes: tuple[float, ...] = (300.0, 400.0), seeds: int = 10) -> dict[str, Any]:
    """Returns the shipped statistics of the real town and the medians over seeds of made-up towns of some sizes."""
    rows = {"real": json.loads(SHIPPED.read_text())["town"]}
    for size in sizes:
        made = [measured(survey(seed, size, ())) for seed in range(seeds)]
        rows[f"made, {size:.0f} m"] = {
            name: np.round(np.median([row[name] for row in made], axis=0), 2).tolist() for name in made[0]
        }
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the shipped file anew")
    parser.add_argument("--compare", action="store_true", help="print real and made-up towns side by side")
    options = parser.parse_args()
    if options.compare:
        print(json.dumps(compared(), indent=1))
        return 0
    found = {"rooms": rooms(), "town": town()}
    text = json.dumps(found, indent=1) + "\n"
    print(text)
    if options.write:
        SHIPPED.write_text(text)
    return 0 if json.loads(SHIPPED.read_text()) == json.loads(text) else 1


if __name__ == "__main__":
    sys.exit(main())
