"""Dressing: turns a town plan into a scene graph with everything that makes it a place to be.

Order matters. Ways that must stay clear are marked first (doors, walking lines, paths), then the square is set, then
streets are lined, then lawns are planted. What doesn't fit is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import atan2, cos, hypot, pi, sin
from typing import Final

import numpy as np

from ecumene_world.generate.builder import Builder
from ecumene_world.generate.interiors import enter, suits
from ecumene_world.generate.plan import PAVEMENT_Z_M, Green, House, Square, Street, TownPlan
from ecumene_world.generate.site import Reach, Site
from ecumene_world.generate.survey import Points
from ecumene_world.generate.uses import street_names
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_FOOT: Final = ("pavement", "plaza", "path")
_TREE_STEP_M: Final = 9.0
_CAR_STEP_M: Final = 5.9
_CARS: Final = ("car", "car", "car", "van")
_ENTERABLE: Final = {"cafe": 2, "museum": 1, "shop": 2, "clinic": 1, "office": 1, "school": 1, "home": 2}
"""How many buildings of each use can be entered, if they suit."""
_PUBLIC: Final = {"cafe", "shop", "museum", "school", "clinic", "office"}


def dress(plan: TownPlan, seed: int) -> SceneGraph:
    """Returns the scene graph of a planned town; the same for the same plan and seed."""
    graph = SceneGraph(plan.name, seed, plan.attribution)
    x0, y0, x1, y1 = plan.bounds
    builder = Builder(graph, Site((x0 - 2, y0 - 2, x1 + 2, y1 + 2)), seed)
    _Dresser(plan, builder, seed).dress()
    return graph


class _Dresser:
    """Works through a plan with a builder."""

    def __init__(self, plan: TownPlan, builder: Builder, seed: int) -> None:
        self.plan = plan
        self.build = builder
        self.site = builder.site
        self.rng = np.random.default_rng([seed, 5])
        self.seed = seed
        self.entered: dict[int, Node] = {}
        self.names = street_names(plan.streets, seed)

    def dress(self) -> None:
        """Adds everything in order."""
        for surface in self.plan.surfaces:
            self.build.surface(surface.kind, surface.polygon, surface.z, surface.style)
        self._houses()
        self._clear_ways()
        spawn = self._square(self.plan.square) if self.plan.square else self._spawn_on_street()
        self._forecourts()
        for street in self.plan.streets:
            self._line(street)
        for green in self.plan.greens:
            self._plant(green)
        self._places(self.site.reach(*spawn))

    def _houses(self) -> None:
        """Adds all buildings; the public ones nearest to the square, and one home, can be entered."""
        chosen = self._enterable()
        for n, house in enumerate(self.plan.houses):
            self.site.paint(house.polygon, "built")
            if n in chosen:
                self.entered[n] = enter(self.build, house, self.seed)
            else:
                self._house(house)

    def _enterable(self) -> set[int]:
        """Returns the indices of houses to furnish: for each use, the suitable ones nearest to the square."""
        centre = self.plan.square.centre if self.plan.square else (0.0, 0.0)
        near = sorted(range(len(self.plan.houses)), key=lambda n: _away(self.plan.houses[n], centre))
        left = dict(_ENTERABLE)
        chosen = set()
        for n in near:
            use = self.plan.houses[n].use
            if left.get(use, 0) > 0 and suits(self.plan.houses[n]):
                left[use] -= 1
                chosen.add(n)
        return chosen

    def _house(self, house: House) -> None:
        """Adds a solid building."""
        x, y = ((house.polygon.min(0) + house.polygon.max(0)) / 2).tolist()
        doors = [] if house.entrance is None else [house.entrance]
        attributes: dict[str, JSON] = {
            "polygon": np.round(house.polygon - [x, y], 3).tolist(),
            "height_m": round(house.height_m, 2),
            "entrances": [[round(a - x, 3), round(b - y, 3), round(yaw, 4)] for a, b, yaw in doors],
        }
        if house.title:
            attributes["title"] = house.title
        self.build.add("building", Pose.at(x, y), name=house.title or "house", seed=house.seed, attributes=attributes)

    def _clear_ways(self) -> None:
        """Marks doorsteps, the walking line of every pavement and the paths of the square."""
        for house in self.plan.houses:
            if house.entrance is not None:
                x, y, yaw = house.entrance
                self.site.keep_clear(x + 1.1 * cos(yaw), y + 1.1 * sin(yaw), yaw, (2.2, 1.8))
        for street in self.plan.streets:
            for side in (-1, 1):
                self.site.keep_line_clear(_beside(street.line, side * (street.width_m / 2 + 2.1)), 1.3)
        for path in self.plan.square.paths if self.plan.square else ():
            self.site.keep_line_clear(path, 2.4)

    def _square(self, square: Square) -> tuple[float, float]:
        """Sets the square about its fountain; returns where newcomers appear."""
        z, (x, y), radius = PAVEMENT_Z_M, square.centre, square.radius_m
        place = self.build.place("square", square.title, Pose.at(x, y, z), radius).name
        self.build.stand(
            "fountain", Pose.at(x, y, z), parent=place, params={"radius_m": round(min(2.6, radius * 0.2), 2)}
        )
        angles = sorted(atan2(*(path[1] - path[0])[::-1]) for path in square.paths)
        gaps = list(_gaps(angles))
        for middle, opening in gaps:
            self._ring(place, square, "bench", middle, opening, 0.46, 2.6, front_m=0.7)
        stalls = gaps[: max(1, len(gaps) // 2)]
        for middle, opening in stalls:
            self._ring(place, square, "market_stall", middle, opening, 0.84, 3.6, front_m=1.2)
        for middle, opening in gaps[len(stalls) :]:
            self._ring(place, square, "parasol_table", middle, opening, 0.78, 4.2)
        for middle, _ in gaps:
            self._at(place, square, "street_lamp", middle, radius * 0.93)
            self._at(place, square, "bin", middle + 0.16, radius * 0.5)
        if gaps:
            self._at(
                place,
                square,
                "notice_board",
                gaps[0][0] - gaps[0][1] * 0.38,
                radius * 0.9,
                attributes={"title": square.title, "text": f"{square.title}. Market every day; concerts at dusk."},
            )
            self._at(place, square, "bell_post", gaps[-1][0] + gaps[-1][1] * 0.36, radius * 0.9)
        self._alleys(place, square)
        spawn = self._clearing(square)
        facing = atan2(y - spawn[1], x - spawn[0])
        self.build.place("spawn", "Arrival", Pose.at(*spawn, z, facing), 2.0, parent=place)
        return spawn

    def _ring(
        self,
        place: str,
        square: Square,
        kind: str,
        middle: float,
        opening: float,
        share: float,
        step_m: float,
        front_m: float = 0.0,
    ) -> None:
        """Stands things of a kind along an arc between two paths, facing the fountain."""
        radius = square.radius_m * share
        count = int((opening * radius - 3.4) / step_m)
        for index in range(count):
            angle = middle + (index - (count - 1) / 2) * step_m / radius
            self._at(place, square, kind, angle, radius, front_m=front_m)

    def _at(
        self,
        place: str,
        square: Square,
        kind: str,
        angle: float,
        radius: float,
        front_m: float = 0.0,
        attributes: Mapping[str, JSON] | None = None,
    ) -> None:
        """Stands a thing at polar coordinates about the fountain, facing it."""
        x, y = square.centre[0] + radius * cos(angle), square.centre[1] + radius * sin(angle)
        self.build.stand(
            kind,
            Pose.at(x, y, PAVEMENT_Z_M, angle + pi),
            on=("plaza",),
            parent=place,
            front_m=front_m,
            attributes=attributes,
        )

    def _alleys(self, place: str, square: Square) -> None:
        """Lines the square's paths with trees, benches and lamps."""
        for path in square.paths:
            for side in (-1, 1):
                for n, (x, y, yaw) in enumerate(_stations(_beside(path, side * 3.3), 6.5, 3.0)):
                    kind = "street_lamp" if n % 4 == 2 else "broadleaf_tree"
                    self.build.stand(kind, Pose.at(x, y, PAVEMENT_Z_M, yaw), on=("lawn",), spare_m=0.7, parent=place)
                for n, (x, y, yaw) in enumerate(_stations(_beside(path, side * 1.25), 6.5, 6.2)):
                    if n % 2 == 0:
                        self.build.stand(
                            "bench", Pose.at(x, y, PAVEMENT_Z_M, yaw - side * pi / 2), parent=place, spare_m=0.0
                        )

    def _clearing(self, square: Square) -> tuple[float, float]:
        """Returns a free spot on the square's disk, between the fountain and the rim, with room around it."""
        for share in (0.66, 0.72, 0.6, 0.8, 0.5):
            for angle in np.linspace(0, 2 * pi, 32, endpoint=False):
                x = square.centre[0] + share * square.radius_m * cos(angle)
                y = square.centre[1] + share * square.radius_m * sin(angle)
                rows, columns = self.site._box(x, y, 0.0, (2.4, 2.4))  # noqa: SLF001
                if not self.site.taken[rows, columns].any():
                    return x, y
        return square.centre[0] + square.radius_m, square.centre[1]

    def _spawn_on_street(self) -> tuple[float, float]:
        """Adds a spawn place on the widest piece of pavement (or lawn) and returns it."""
        for styles in (_FOOT, ("lawn",), ("asphalt",)):
            room = self.site.distance_m(styles)
            row, column = np.unravel_index(int(np.argmax(room)), room.shape)
            if room[row, column] > 0.6:
                x, y = self.site.point(int(row), int(column))
                self.build.place("spawn", "Arrival", Pose.at(x, y, PAVEMENT_Z_M), min(2.0, float(room[row, column])))
                return x, y
        return self.site.point(0, 0)

    def _forecourts(self) -> None:
        """Puts a sign beside every public door and, before cafés, tables."""
        for house in self.plan.houses:
            if house.entrance is None or house.use not in _PUBLIC:
                continue
            x, y, yaw = house.entrance
            side = (-sin(yaw), cos(yaw))
            for sign in (1, -1):
                at = (x + 0.5 * cos(yaw) + sign * 1.7 * side[0], y + 0.5 * sin(yaw) + sign * 1.7 * side[1])
                if self.build.stand(
                    "notice_board",
                    Pose.at(*at, PAVEMENT_Z_M, yaw),
                    on=_FOOT,
                    params={"width_m": 1.0},
                    attributes={"title": house.title, "text": f"{house.title}: {house.use}, open to all."},
                ):
                    break
            if house.use == "cafe":
                for n in range(-3, 4):
                    at = (x + 2.0 * cos(yaw) + n * 2.9 * side[0], y + 2.0 * sin(yaw) + n * 2.9 * side[1])
                    self.build.stand("parasol_table", Pose.at(*at, PAVEMENT_Z_M, yaw), on=_FOOT, spare_m=0.3)

    def _line(self, street: Street) -> None:
        """Lines one street with trees, lamps, benches and parked cars."""
        curb = street.width_m / 2 + 0.75
        for side in (-1, 1):
            for n, (x, y, yaw) in enumerate(_stations(_beside(street.line, side * curb), _TREE_STEP_M, 5.0)):
                self._curb(n, x, y, yaw - side * pi / 2)
            if street.width_m >= 6.5:
                self._park(street, side)

    def _curb(self, number: int, x: float, y: float, away: float) -> None:
        """Stands one thing at a curb; `away` is the direction from the carriageway to the houses."""
        z, on = PAVEMENT_Z_M, ("pavement",)
        if number % 4 == 1:
            self.build.stand("street_lamp", Pose.at(x, y, z, away + pi), on=on, params={"style": "lantern"})
        else:
            self.build.stand("broadleaf_tree", Pose.at(x, y, z, float(self.rng.uniform(0, 2 * pi))), on=on)
        along = (-sin(away), cos(away))
        if number % 5 == 2:
            self.build.stand("bench", Pose.at(x + 3.4 * along[0], y + 3.4 * along[1], z, away), on=on, spare_m=0.05)
            self.build.stand("bin", Pose.at(x + 4.9 * along[0], y + 4.9 * along[1], z, away), on=on, spare_m=0.05)

    def _park(self, street: Street, side: int) -> None:
        for x, y, yaw in _stations(_beside(street.line, side * (street.width_m / 2 - 1.1)), _CAR_STEP_M, 12.0):
            if self.rng.random() < 0.5:
                facing = yaw if side < 0 else yaw + pi
                kind = _CARS[int(self.rng.integers(len(_CARS)))]
                self.build.stand(kind, Pose.at(x, y, 0.0, facing), on=("asphalt",), spare_m=0.15)

    def _plant(self, green: Green) -> None:
        """Plants a lawn: hedges towards pavements around private ones, then trees and bushes where there is room."""
        low, high = green.polygon.min(0), green.polygon.max(0)
        area = abs(_area(green.polygon))
        if not green.public:
            self._hedges(green.polygon)
        share = 0.011 if green.public else 0.008
        for _ in range(int(area * share * 3)):
            x, y = (low + self.rng.random(2) * (high - low)).tolist()
            draw, yaw = float(self.rng.random()), float(self.rng.uniform(0, 2 * pi))
            if draw < 0.42:
                kind = "conifer_tree" if self.rng.random() < 0.25 else "broadleaf_tree"
                self.build.stand(kind, Pose.at(x, y, PAVEMENT_Z_M, yaw), on=("lawn",), spare_m=1.7)
            elif draw < 0.8:
                self.build.stand("bush", Pose.at(x, y, PAVEMENT_Z_M, yaw), on=("lawn",), spare_m=0.35)
            elif draw < 0.9 and green.public:
                self.build.stand("flower_bed", Pose.at(x, y, PAVEMENT_Z_M, yaw), on=("lawn",), spare_m=0.6)

    def _hedges(self, ring: Points) -> None:
        for a, b in zip(ring, np.roll(ring, -1, 0), strict=True):
            length = hypot(*(b - a))
            if length < 2.0:
                continue
            inward = np.array([a[1] - b[1], b[0] - a[0]]) / length
            for x, y, yaw in _stations(np.stack([a, b]) + inward * 0.55, 2.1, 1.1):
                out = np.array([x, y]) - inward * 1.0
                if self.site.style_at(*out.tolist()) == "pavement":
                    self.build.stand(
                        "hedge", Pose.at(x, y, PAVEMENT_Z_M, yaw), on=("lawn",), spare_m=0.0, params={"length_m": 2.1}
                    )

    def _places(self, reach: Reach) -> None:
        """Adds places at doors, on lawns and along streets that can be reached on foot."""
        for n, house in enumerate(self.plan.houses):
            if house.entrance is not None and house.use and n not in self.entered:
                x, y, yaw = house.entrance
                at = reach.nearest(x + 1.0 * cos(yaw), y + 1.0 * sin(yaw), 1.5)
                if at is not None:
                    title = house.title or "Home"
                    self.build.place(house.use, title, Pose.at(*at, PAVEMENT_Z_M, yaw + pi))
        seen: set[str] = set()
        for street, title in zip(self.plan.streets, self.names, strict=True):
            x, y = _middle(_beside(street.line, street.width_m / 2 + 2.1))
            at = reach.nearest(x, y, 6.0)
            if at is not None and title not in seen:
                seen.add(title)
                self.build.place("street", title, Pose.at(*at, PAVEMENT_Z_M), 3.0)
        for green in self.plan.greens:
            if green.public and abs(_area(green.polygon)) > 200:
                at = reach.nearest(float(green.polygon[:, 0].mean()), float(green.polygon[:, 1].mean()), 8.0)
                if at is not None:
                    self.build.place("park", green.title or "Green", Pose.at(*at, PAVEMENT_Z_M), 4.0)


def _away(house: House, centre: tuple[float, float]) -> float:
    middle = house.polygon.mean(0)
    return hypot(float(middle[0]) - centre[0], float(middle[1]) - centre[1])


def _gaps(angles: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yields the middle and the opening of each gap between sorted directions, widest first; a full circle if none."""
    if not angles:
        yield 0.0, 2 * pi
        return
    after = [*angles[1:], angles[0] + 2 * pi]
    gaps = [((a + b) / 2, b - a) for a, b in zip(angles, after, strict=True)]
    yield from sorted(gaps, key=lambda gap: -gap[1])


def _beside(line: Points, offset_m: float) -> Points:
    """Returns a line moved to its left (right if negative), mitred at corners."""
    along = np.diff(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    left = np.stack([-along[:, 1], along[:, 0]], 1)
    normals = np.concatenate([left[:1], left[:-1] + left[1:], left[-1:]])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    firsts = np.concatenate([left[:1], left])
    mitre = 1.0 / np.maximum((normals * firsts).sum(1, keepdims=True), 0.5)
    return np.asarray(line + normals * mitre * offset_m)


def _stations(line: Points, step_m: float, ends_m: float) -> Iterator[tuple[float, float, float]]:
    """Yields x, y and direction at even steps along a line, none nearer to its ends than `ends_m`."""
    along = np.diff(line, axis=0)
    lengths = np.linalg.norm(along, axis=1)
    total = float(lengths.sum())
    count = int((total - 2 * ends_m) / step_m) + 1
    if total <= 2 * ends_m:
        return
    start = np.concatenate([[0.0], np.cumsum(lengths)])
    spread = (total - 2 * ends_m - (count - 1) * step_m) / 2
    for n in range(count):
        s = ends_m + spread + n * step_m
        at = min(int(np.searchsorted(start, s, side="right")) - 1, len(along) - 1)
        unit = along[at] / max(lengths[at], 1e-9)
        x, y = (line[at] + unit * (s - start[at])).tolist()
        yield x, y, atan2(unit[1], unit[0])


def _middle(line: Points) -> tuple[float, float]:
    stations = list(_stations(line, 1.0, 0.0))
    x, y, _ = stations[len(stations) // 2]
    return x, y


def _area(ring: Points) -> float:
    x, y = ring.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
