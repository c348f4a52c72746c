"""Streets: trees, lamps, benches and signs at the kerb, crossings at the corners, cars parked between them."""

from __future__ import annotations

from itertools import pairwise
from math import atan2, cos, pi, sin
from typing import Final

import numpy as np

from ecumene_world.generate.lines import at, beside, length_m, stations
from ecumene_world.generate.plan import PAVEMENT_Z_M, Street
from ecumene_world.generate.square import LAMP
from ecumene_world.generate.work import Work
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_Z: Final = PAVEMENT_Z_M
_ON: Final = ("pavement",)
_STEP_M: Final = 8.0
_CAR_STEP_M: Final = 5.9
_CARS: Final = ("car", "car", "car", "car", "van")
_CORNER_M: Final = 9.0
"""How far from a junction's middle its crossings lie."""
_SPECIES: Final = 8
_TREE_M: Final = 7.0
"""Least height of a street's trees: one walks under their crowns."""
_DASH_M: Final = (3.0, 5.0)
"""Length of the dashes between lanes, and of the gaps."""
_LINE_M: Final = 0.13
_SPINE_M: Final = 0.002
"""Width of what joins the dashes, too thin to be seen."""
_LANES_M: Final = 6.0
"""Least width of a carriageway whose lanes are marked."""


def line_street(work: Work, street: Street, title: str) -> None:
    """Furnishes one street."""
    rng = np.random.default_rng([work.seed, *title.encode()])
    species = rng.permutation(_SPECIES)[:2].tolist()
    if street.width_m >= 5.5:
        for s in (_CORNER_M, length_m(street.line) - _CORNER_M):
            _crossing(work, street, s)
    if street.width_m >= _LANES_M:
        _lanes(work, street)
    for side in (-1, 1):
        kerb = beside(street.line, side * (street.width_m / 2 + 0.8))
        for n, (x, y, yaw) in enumerate(stations(kerb, _STEP_M, 4.0)):
            _slot(work, n + (side > 0), x, y, yaw - side * pi / 2, int(species[n % 5 == 4]))
        if street.width_m >= 6.5:
            _park(work, street, side)
    _signpost(work, street, title)


def _slot(work: Work, number: int, x: float, y: float, away: float, species: int) -> None:
    """Fills one slot at a kerb; `away` is the direction from the carriageway to the houses."""
    along = (-sin(away), cos(away))

    def beside_it(metres: float) -> tuple[float, float]:
        return x + metres * along[0], y + metres * along[1]

    if number % 4 == 1:
        work.build.stand("street_lamp", Pose.at(x, y, _Z, away + pi), on=_ON, params=LAMP, seed=work.seed)
    else:
        tree = {"height_m": _TREE_M + 0.15 * species}
        work.build.stand("broadleaf_tree", Pose.at(x, y, _Z, work.turn()), on=_ON, params=tree, seed=species)
    if number % 5 == 2:
        work.build.stand("bench", Pose.at(*beside_it(2.9), _Z, away), on=_ON, spare_m=0.03, seed=work.seed)
        work.build.stand("bin", Pose.at(*beside_it(4.4), _Z, away), on=_ON, spare_m=0.03, seed=work.seed)
    elif number % 9 == 4:
        for n in range(3):
            work.build.stand("bicycle", Pose.at(*beside_it(2.6 + 0.75 * n), _Z, away + 0.2), on=_ON, spare_m=0.0)
    elif number % 23 == 13:
        work.build.stand("post_box", Pose.at(*beside_it(2.5), _Z, away), on=_ON, seed=0)


def _park(work: Work, street: Street, side: int) -> None:
    """Parks cars along one side, clear of corners, facing the way that side drives."""
    lane = beside(street.line, side * (street.width_m / 2 - 1.4))
    for x, y, yaw in stations(lane, _CAR_STEP_M, _CORNER_M + 5.0):
        if work.chance(0.45):
            kind = _CARS[int(work.rng.integers(len(_CARS)))]
            pose = Pose.at(x, y, 0.0, yaw if side < 0 else yaw + pi)
            work.build.stand(kind, pose, on=("asphalt",), spare_m=0.1)


def _lanes(work: Work, street: Street) -> None:
    """Paints dashes between the lanes, straight piece by straight piece, each as one comb on a hair-thin spine."""
    dash, gap = _DASH_M
    for a, b in pairwise(street.line):
        length = float(np.hypot(*(b - a)))
        count = int((length - 2 * (_CORNER_M + 3.0) + gap) / (dash + gap))
        if count < 1:
            continue
        first = (length - count * (dash + gap) + gap) / 2
        half = _LINE_M / 2
        comb = [(first, -half), (length - first, -half)]
        for n in reversed(range(count)):
            s = first + n * (dash + gap)
            comb += [(s + dash, half), (s, half)]
            comb += [(s, _SPINE_M - half), (s - gap, _SPINE_M - half)] if n else []
        along = (b - a) / length
        work.build.surface("street", a + np.array(comb) @ np.stack([along, [-along[1], along[0]]]), 0.012, "marking")


def _crossing(work: Work, street: Street, s: float) -> None:
    """Paints a zebra crossing as one comb-shaped surface, and keeps it clear of cars."""
    x, y, yaw = at(street.line, s)
    wide, long = street.width_m - 0.6, 2.8
    if not all(work.site.style_at(x + d * -sin(yaw), y + d * cos(yaw)) == "asphalt" for d in (-wide / 2, 0, wide / 2)):
        return
    stripes = max(3, int(wide / 1.0))
    pitch = wide / (stripes - 0.5)
    comb = [(-long / 2, -wide / 2)]
    for n in range(stripes):
        left = -wide / 2 + n * pitch
        comb += [(long / 2, left), (long / 2, left + pitch / 2), (-long / 2 + 0.02, left + pitch / 2)]
        if n < stripes - 1:
            comb.append((-long / 2 + 0.02, left + pitch))
    comb[-1] = (-long / 2, comb[-1][1])
    corners = np.array(comb)
    c, s_ = cos(yaw), sin(yaw)
    world = corners @ np.array([[c, s_], [-s_, c]]) + [x, y]
    work.build.surface("street", world, 0.012, "marking")
    work.site.paint(world, "asphalt")
    work.site.keep_clear(x, y, yaw, (long + 1.0, street.width_m + 5.0))


def _signpost(work: Work, street: Street, title: str) -> None:
    """Stands a signpost with the street's name near its start."""
    for side in (1, -1):
        x, y, yaw = at(beside(street.line, side * (street.width_m / 2 + 0.9)), min(12.5, length_m(street.line) / 2))
        attributes: dict[str, JSON] = {"title": title, "text": f"{title}. {_heading(work, x, y)}"}
        if work.build.stand("signpost", Pose.at(x, y, _Z, yaw), on=_ON, spare_m=0.05, attributes=attributes):
            return


def _heading(work: Work, x: float, y: float) -> str:
    """Returns where the square lies from a point, in words."""
    square = work.plan.square
    if square is None:
        return "Have a good day."
    dx, dy = square.centre[0] - x, square.centre[1] - y
    names = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")
    towards = names[round(atan2(dy, dx) / (pi / 4)) % 8]
    return f"{square.title}: {round((dx * dx + dy * dy) ** 0.5 / 10) * 10} m {towards}."
