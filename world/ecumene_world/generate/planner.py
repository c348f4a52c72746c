"""The planner: divides a surveyed town into streets, pavements, gardens and a square, and gives houses doors.

The parts are cut out of one another, so they tile the town: nothing lies twice in the same place and nothing flickers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import atan2, hypot
from typing import Any, Final

import numpy as np

from ecumene_world.errors import ImportFailed
from ecumene_world.generate import uses
from ecumene_world.generate.plan import PAVEMENT_Z_M, Green, House, Square, Street, Surface, TownPlan
from ecumene_world.generate.survey import Footprint, Points, Survey, Way
from ecumene_world.importers.geometry import library, pieces

_MARGIN_M: Final = 38.0
_PAVEMENT_M: Final = 3.2
_FORECOURT_M: Final = 8.0
"""How wide the gap between a pavement and a row of houses may be for it to be paved as well."""
_ROW_M2: Final = 140.0
"""Houses with a larger footprint stand in a row along the street; smaller ones in gardens."""
_LEAST_HOUSE_M2: Final = 9.0
_LEAST_SQUARE_M2: Final = 350.0
_LEAST_YARD_M2: Final = 60.0
"""Larger courtyards can be walked into."""
_GATEWAY_M: Final = 4.2
"""Width of the gap in a row of houses that leads into a courtyard."""
_PASSABLE_M: Final = 1.4
"""Least width of a gap between houses that already leads somewhere."""
_QUADRANT: Final = 4
"""Segments of a quarter circle in rounded corners."""


def plan_town(survey: Survey, seed: int) -> TownPlan:
    """Returns the plan of a surveyed town; the same for the same survey and seed.

    Raises:
        ImportFailed: The survey holds nothing that can be built, or shapely is not installed.
    """
    return _Planner(survey, seed).plan()


class _Planner:
    """Holds the regions (shapely geometries, metres) while they are cut out of one another."""

    def __init__(self, survey: Survey, seed: int) -> None:
        self.geo = library()
        self.survey = survey
        self.seed = seed
        self.rng = np.random.default_rng([seed, 1])
        self.outlines = self._outlines(survey.footprints)
        self.built = self._union()
        self.extent = self._extent()
        self.gateways = self._gateways()
        self.outlines = self._parted(self.outlines)
        self.built = self._union()
        self.streets = [way for way in self._clipped(survey.ways) if not way.path]
        self.carriageway = self._carriageway()
        self.pavement = self._pavement()

    def plan(self) -> TownPlan:
        """Returns the finished plan."""
        land = self._open_land()
        square = self._square(land)
        surfaces = [
            *self._surfaces("street", "asphalt", self.carriageway, 0.0),
            *self._surfaces("square", "pavement", self.pavement, PAVEMENT_Z_M),
        ]
        if square is not None:
            land, paved = self._laid_out(land, square)
            rings = self._rings(square)
            surfaces += self._surfaces("square", "plaza", paved.difference(rings), PAVEMENT_Z_M)
            surfaces += self._surfaces("square", "plaza_dark", paved.intersection(rings), PAVEMENT_Z_M)
        paths = self._paths(land)
        surfaces += self._surfaces("square", "path", paths, PAVEMENT_Z_M)
        land = [part for whole in land for part in self._polygons(whole.difference(paths))]
        for part in land:
            surfaces += self._surfaces("lawn", "lawn", part, PAVEMENT_Z_M)
        x0, y0, x1, y1 = self.extent.bounds
        return TownPlan(
            self.survey.name,
            (x0, y0, x1, y1),
            surfaces,
            self._houses(square),
            [Street(way.line, way.width_m, way.title) for way in self.streets],
            square,
            self._greens(land),
            self.survey.spots,
            self.survey.attribution,
        )

    def _outlines(self, footprints: Iterable[Footprint]) -> list[tuple[Any, Footprint]]:
        """Returns valid polygons with their footprints, larger first; what stands inside another is left out."""
        shapes: list[tuple[Any, Footprint]] = []
        for footprint in footprints:
            whole = self.geo.make_valid(self.geo.Polygon(footprint.polygon))
            shapes += [(self.geo.Polygon(ring), footprint) for ring in pieces(whole, 400, _LEAST_HOUSE_M2)]
        shapes.sort(key=lambda pair: -pair[0].area)
        tree = self.geo.STRtree([shape for shape, _ in shapes])
        kept = []
        for index, (shape, footprint) in enumerate(shapes):
            larger = [other for other in tree.query(shape) if other < index]
            if not any(shapes[other][0].intersection(shape).area > 0.5 * shape.area for other in larger):
                kept.append((shape, footprint))
        return kept

    def _union(self) -> Any:
        return self.geo.union_all([shape for shape, _ in self.outlines])

    def _gateways(self) -> list[Way]:
        """Returns the shortest ways through the houses into each courtyard that no gap leads into."""
        lines = self.geo.union_all([_line(way.line) for way in self.survey.ways if not way.path])
        free = self.extent.difference(self.built.buffer(_PASSABLE_M / 2, join_style="mitre"))
        parts = sorted(self._polygons(free), key=lambda part: -part.area)
        outside = [part for n, part in enumerate(parts) if n == 0 or part.intersects(lines)]
        yards = [part for part in parts if part.area > _LEAST_YARD_M2 and part not in outside]
        streets = self.geo.union_all(outside)
        inner = [yard.buffer(-_GATEWAY_M / 2, join_style="mitre") for yard in yards]
        ends = [yard if within.is_empty else within for yard, within in zip(yards, inner, strict=True)]
        ways = [self.geo.get_coordinates(self.geo.shortest_line(streets, end)) for end in ends]
        return [Way(_longer(line, _PASSABLE_M), _GATEWAY_M - 1.4, path=True) for line in ways]

    def _parted(self, outlines: Sequence[tuple[Any, Footprint]]) -> list[tuple[Any, Footprint]]:
        """Returns the houses with gaps where gateways lead through."""
        gaps = [_line(way.line).buffer(_GATEWAY_M / 2, cap_style="flat") for way in self.gateways]
        if not gaps:
            return list(outlines)
        cut = self.geo.union_all(gaps)
        parted: list[tuple[Any, Footprint]] = []
        for shape, footprint in outlines:
            if shape.intersects(cut):
                rings = pieces(shape.difference(cut), 400, _LEAST_HOUSE_M2)
                parted += [(self.geo.Polygon(ring), footprint) for ring in rings]
            else:
                parted.append((shape, footprint))
        return parted

    def _extent(self) -> Any:
        """Returns the town's ground: everything within a margin of what is known, rounded off and without holes."""
        known = self.built if self.outlines else self.geo.union_all([_line(way.line) for way in self.survey.ways])
        if known.is_empty:
            raise ImportFailed(f"{self.survey.name} has no building with an area and no street with a length")
        grown = known.buffer(_MARGIN_M + 30, quad_segs=_QUADRANT).buffer(-30, quad_segs=_QUADRANT)
        largest = max(self._polygons(grown), key=lambda polygon: polygon.area)
        return self.geo.Polygon(largest.exterior).simplify(1.0)

    def _clipped(self, ways: Iterable[Way]) -> list[Way]:
        """Returns the parts of ways that lie inside the extent, short ends left out."""
        cut = [(way, part) for way in ways for part in self.geo.get_parts(_line(way.line).intersection(self.extent))]
        kept = [(way, part) for way, part in cut if part.geom_type == "LineString" and part.length > 4.0]
        return [replace(way, line=self.geo.get_coordinates(part.simplify(0.1))) for way, part in kept]

    def _carriageway(self) -> Any:
        """Returns what is driven on: widened centre lines with rounded corners, clear of houses."""
        wide = self._corridor(0.0)
        rounded = wide.buffer(4.0, quad_segs=_QUADRANT).buffer(-4.0, quad_segs=_QUADRANT)
        clear = rounded.difference(self.built.buffer(1.4, join_style="mitre")).intersection(self.extent)
        return self._without_slivers(clear, 1.0).simplify(0.05)

    def _pavement(self) -> Any:
        """Returns what lines the carriageway: a strip, and all of the gap before houses that stand in a row."""
        rows = self.geo.union_all([shape for shape, _ in self.outlines if shape.area > _ROW_M2])
        forecourt = rows.buffer(_FORECOURT_M, quad_segs=_QUADRANT).intersection(
            self._corridor(_PAVEMENT_M + _FORECOURT_M)
        )
        strip = self.geo.union_all([self._corridor(_PAVEMENT_M), self.carriageway.buffer(_PAVEMENT_M * 0.7), forecourt])
        smooth = strip.buffer(1.5, quad_segs=_QUADRANT).buffer(-1.5, quad_segs=_QUADRANT).simplify(0.05)
        rest = smooth.intersection(self.extent).difference(self.geo.union_all([self.carriageway, self.built]))
        return self._without_slivers(rest, 0.35)

    def _corridor(self, beyond_m: float) -> Any:
        lines = [_line(way.line).buffer(way.width_m / 2 + beyond_m, quad_segs=_QUADRANT) for way in self.streets]
        return self.geo.union_all(lines)

    def _open_land(self) -> list[Any]:
        """Returns the polygons that are neither street nor house."""
        taken = self.geo.union_all([self.carriageway, self.pavement, self.built])
        return self._polygons(self.extent.difference(taken))

    def _square(self, land: Sequence[Any]) -> Square | None:
        """Returns the square that suits the town best: one on the map, or the largest open land amid streets."""
        mapped = [area for area in self.survey.areas if area.use == "square"]
        marked = self.geo.union_all([self.geo.make_valid(self.geo.Polygon(area.polygon)) for area in mapped])
        scored = [(self._suits(polygon, marked), polygon) for polygon in land]
        score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        if best is None or score <= 0:
            return None
        simple = self.geo.Polygon(best.exterior).simplify(0.5)
        pole = self.geo.maximum_inscribed_circle(best, tolerance=0.5)
        (x, y), edge = self.geo.get_coordinates(pole)
        inner = hypot(edge[0] - x, edge[1] - y)
        radius = float(np.clip(0.62 * inner, 5.0, 18.0))
        near = [area.title for area in mapped if area.title and self.geo.Polygon(area.polygon).intersects(best)]
        title = next(iter(near), uses.square_name(self.seed))
        return Square(_ring(simple), (float(x), float(y)), radius, self._spokes(simple, (x, y), radius), title)

    def _suits(self, polygon: Any, marked: Any) -> float:
        """Returns how well a piece of open land would do as the square; not positive if not at all."""
        if polygon.area < _LEAST_SQUARE_M2 or polygon.distance(self.extent.exterior) < 2.0:
            return 0.0
        rim = polygon.exterior
        along_street = rim.intersection(self.pavement.buffer(0.3)).length / rim.length
        if along_street < 0.55:
            return 0.0
        compact = 4 * np.pi * polygon.area / rim.length**2
        favoured = 3.0 if not marked.is_empty and polygon.intersection(marked).area > 0.3 * polygon.area else 1.0
        central = 1.0 / (1.0 + polygon.centroid.distance(self.built.centroid) / 200.0)
        return float(min(polygon.area, 4000.0) * compact * along_street * central * favoured)

    def _spokes(self, outline: Any, centre: tuple[float, float], radius: float) -> list[Points]:
        """Returns paths from the disk to well-spread corners and sides of the square."""
        ring = outline.exterior
        stations = np.linspace(0, ring.length, 240, endpoint=False)
        rim = self.geo.get_coordinates(ring.interpolate(stations))
        corners = _ring(outline)
        sharp = np.argsort(-np.linalg.norm(corners - np.array(centre), axis=1), kind="stable")[:4]
        wanted = [corners[index] for index in sharp]
        nearest = np.argsort(np.linalg.norm(rim - np.array(centre), axis=1), kind="stable")
        wanted += [rim[index] for index in nearest]
        chosen: list[tuple[float, Points]] = []
        for end in wanted:
            way = np.asarray(end) - np.array(centre)
            angle = atan2(way[1], way[0])
            apart = all(abs((angle - other + np.pi) % (2 * np.pi) - np.pi) > 0.75 for other, _ in chosen)
            if apart and hypot(*way) > radius + 1 and len(chosen) < 7:
                unit = way / hypot(*way)
                chosen.append((angle, np.stack([np.array(centre) + unit * (radius - 0.5), np.asarray(end) + unit * 2])))
        return [line for _, line in chosen]

    def _laid_out(self, land: Sequence[Any], square: Square) -> tuple[list[Any], Any]:
        """Returns the land without what the square paves, and that pavement: disk, paths and a rim."""
        disk = self.geo.Point(square.centre).buffer(square.radius_m, quad_segs=12)
        paths = [_line(path).buffer(1.6, cap_style="flat") for path in square.paths]
        outline = self.geo.Polygon(square.polygon)
        rim = outline.difference(outline.buffer(-1.2, join_style="mitre"))
        paved = self.geo.union_all([disk, rim, *paths])
        rest: list[Any] = []
        laid = []
        for polygon in land:
            if polygon.intersection(outline).area > 0.5 * polygon.area:
                laid.append(polygon.intersection(paved))
                rest += self._polygons(self._without_slivers(polygon.difference(paved), 0.5))
                laid.append(polygon.difference(self.geo.union_all([paved, *rest])))
            else:
                rest.append(polygon)
        return rest, self.geo.union_all(laid)

    def _rings(self, square: Square) -> Any:
        """Returns the bands of darker paving about the fountain."""
        centre = self.geo.Point(square.centre)
        bands = ((0.27, 0.31), (0.56, 0.59), (0.95, 1.0))
        rings = [
            centre.buffer(high * square.radius_m, quad_segs=12).difference(
                centre.buffer(low * square.radius_m, quad_segs=12)
            )
            for low, high in bands
        ]
        return self.geo.union_all(rings)

    def _paths(self, land: Sequence[Any]) -> Any:
        """Returns footpaths across open land: those on the map, and one from each garden house's door to the street."""
        known = [way for way in (*self.survey.ways, *self.gateways) if way.path]
        ways = [_line(way.line).buffer(way.width_m / 2) for way in self._clipped(known)]
        doors = [self._door_path(shape) for shape, _ in self.outlines]
        every = self.geo.union_all(ways + [path for path in doors if path is not None])
        if every.is_empty:
            return every
        return every.intersection(self.geo.union_all(list(land)))

    def _door_path(self, shape: Any) -> Any:
        """Returns the strip from a house's door to the nearest pavement, if there is land between them."""
        door = self._entrance(shape)
        if door is None or self.pavement.is_empty:
            return None
        here = self.geo.Point(door[:2])
        line = self.geo.shortest_line(here, self.pavement)
        if not 0.3 < line.length < 30.0 or line.intersection(self.built.buffer(-0.2)).length > 0.3:
            return None
        return line.buffer(0.8, cap_style="square")

    def _greens(self, land: Iterable[Any]) -> list[Green]:
        """Returns lawns that are large enough to plant."""
        marked = [area for area in self.survey.areas if area.use == "green"]
        shapes = [self.geo.make_valid(self.geo.Polygon(area.polygon)) for area in marked]
        greens = []
        for polygon in land:
            if polygon.area < 25.0:
                continue
            inside = [n for n, shape in enumerate(shapes) if shape.intersection(polygon).area > 0.4 * polygon.area]
            island = polygon.exterior.intersection(self.built.buffer(0.5)).length < 1.0
            edge = polygon.distance(self.extent.exterior) < 1.0
            title = next((marked[n].title for n in inside if marked[n].title), "")
            public = bool(inside) or (island and not edge)
            greens += [Green(ring, public, edge, title) for ring in pieces(polygon, 200, 25.0)]
        return greens

    def _houses(self, square: Square | None) -> list[House]:
        """Returns all houses with heights, doors and uses."""
        spots = [spot for spot in self.survey.spots if spot.use]
        houses = []
        for shape, footprint in self.outlines:
            use, title = footprint.use, footprint.title
            if not use and spots:
                near = min(spots, key=lambda spot: shape.distance(self.geo.Point(spot.position)))
                if shape.distance(self.geo.Point(near.position)) < 2.0:
                    use, title = near.use, near.title or title
            height = footprint.height_m or uses.likely_height_m(shape.area, self.rng)
            seed = int(self.rng.integers(2**31))
            houses.append(House(_ring(shape), height, use, title, self._entrance(shape), seed))
        centre = square.centre if square else (self.built.centroid.x, self.built.centroid.y)
        return uses.assigned(houses, centre, self.seed)

    def _entrance(self, shape: Any) -> tuple[float, float, float] | None:
        """Returns the middle of the side that faces a street best, and the direction outward; None if walled in."""
        ring = _ring(shape)
        best: tuple[float, tuple[float, float, float]] | None = None
        for a, b in zip(ring, np.roll(ring, -1, 0), strict=True):
            length = hypot(*(b - a))
            if length < 2.2:
                continue
            outward = np.array([b[1] - a[1], a[0] - b[0]]) / length
            middle = (a + b) / 2
            step = self.geo.Point(middle + outward * 1.0)
            if self.built.distance(step) < 0.7 or not self.extent.contains(step):
                continue
            away = min(step.distance(self.carriageway), 60.0) if not self.carriageway.is_empty else 0.0
            score = min(length, 14.0) * 0.4 - away
            if best is None or score > best[0]:
                x, y = middle.tolist()
                best = (score, (x, y, atan2(outward[1], outward[0])))
        return best[1] if best else None

    def _surfaces(self, kind: str, style: str, region: Any, z: float) -> list[Surface]:
        return [Surface(kind, ring, z, style) for ring in pieces(region)]

    def _polygons(self, region: Any) -> list[Any]:
        parts = self.geo.get_parts(region)
        return [part for part in parts if part.geom_type == "Polygon" and part.area > 0.5]

    def _without_slivers(self, region: Any, half_m: float) -> Any:
        """Returns a region without parts narrower than twice `half_m`."""
        opened = region.buffer(-half_m, join_style="mitre").buffer(half_m * 1.02, join_style="mitre")
        return region.intersection(opened)


def _line(points: Points) -> Any:
    return library().LineString(points)


def _longer(line: Points, by_m: float) -> Points:
    """Returns a straight line (2, 2) with both ends moved outward."""
    along = (line[1] - line[0]) / max(float(np.hypot(*(line[1] - line[0]))), 1e-9) * by_m
    return np.stack([line[0] - along, line[1] + along])


def _ring(polygon: Any) -> Points:
    """Returns a polygon's outer ring (P, 2), open and counter-clockwise."""
    return next(iter(pieces(library().Polygon(polygon.exterior), 10_000, 0.0)))
