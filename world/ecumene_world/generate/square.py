"""The square: fountain, benches, market and café tables about it, trees along its paths, and where newcomers appear."""

from __future__ import annotations

from collections.abc import Mapping
from math import atan2, cos, hypot, pi, sin

import numpy as np

from ecumene_world.generate.lines import beside, gaps, stations
from ecumene_world.generate.plan import PAVEMENT_Z_M, Square, TownPlan
from ecumene_world.generate.tables import terrace_table
from ecumene_world.generate.work import Work
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose

_Z: float = PAVEMENT_Z_M
_ARRIVAL = 0.72
"""Where newcomers appear, as a share of the square's radius."""
_BEHIND_M = 6.0
"""Room behind them for those who look over their shoulders."""
_AROUND_M = 8.0
"""Width of the room about them."""
_CLEAR_M = 4.0
"""Width of what is kept clear as far as the rim across the fountain."""
_VISTA_M = 9.0
"""Width of what is kept clear between the fountain and a town hall."""
_KERB_M = 1.5
"""So near the town hall's door plants may stand."""
Gap = tuple[float, float]
"""Middle and opening of the sector between two paths, radians."""
LAMP: Mapping[str, float | str] = {"style": "lantern"}


def set_square(work: Work, square: Square) -> tuple[float, float]:
    """Furnishes the square; returns where newcomers appear."""
    x, y = square.centre
    place = work.build.place("square", square.title, Pose.at(x, y, _Z), square.radius_m).name
    basin = round(min(3.4, square.radius_m * 0.2), 2)
    work.build.stand("fountain", Pose.at(x, y, _Z), parent=place, params={"radius_m": basin}, seed=work.seed)
    spawn = _arrival(work, square, place, *outlook(work.plan, square.centre))
    angles = sorted(atan2(*(path[1] - path[0])[::-1]) for path in square.paths)
    openings = gaps(angles)
    for gap in openings:
        _sector(work, square, place, gap)
    if square.market:
        _market(work, square, place, openings[0::2])
    for gap in openings[1::2]:
        _arc(work, square, place, "terrace", gap, 0.76, 4.4)
    _signs(work, square, place, openings)
    for n, path in enumerate(square.paths):
        _alley(work, path, place, n)
    work.build.place("bench_row", f"Benches by the fountain, {square.title}", _polar(square, openings[0][0], 0.36), 2.5)
    return spawn


def _sector(work: Work, square: Square, place: str, gap: Gap) -> None:
    """Sets the sector between two paths: benches near the fountain, lamps and a bin at the rim, flowers behind."""
    _arc(work, square, place, "bench", gap, 0.44, 2.7, front_m=0.7)
    (middle, opening), radius = gap, square.radius_m
    for side in (-1, 1):
        angle = middle + side * (opening / 2 - 2.2 / radius)
        _stand(work, square, place, "street_lamp", angle, 0.94, params=LAMP, seed=work.seed)
    # Beside a lamp, on the side away from the path.
    _stand(work, square, place, "bin", middle + opening / 2 - 3.1 / radius, 0.95, seed=work.seed)
    count = int((opening * (radius + 1.5) - 2.5) / 2.6)
    for n in range(count):
        angle = middle + (n - (count - 1) / 2) * 2.6 / (radius + 1.5)
        params = {"length_m": 1.1, "width_m": 2.2}
        _stand(work, square, place, "flower_bed", angle, 1 + 1.3 / radius, on="lawn", params=params, seed=n % 3)


def _market(work: Work, square: Square, place: str, openings: list[Gap]) -> None:
    for gap in openings:
        _arc(work, square, place, "market_stall", gap, 0.80, 3.7, front_m=1.2)
    if openings:
        work.build.place("market", f"Market on {square.title}", _polar(square, openings[0][0], 0.62), 3.0)


def _signs(work: Work, square: Square, place: str, openings: list[Gap]) -> None:
    """Stands what is there once: notice board, bell, statue, kiosk, post box."""
    middle, opening = openings[0]
    text = f"{square.title}. Market every day; music by the fountain at dusk."
    board: dict[str, JSON] = {"title": f"Notices of {square.title}", "text": text}
    _stand(work, square, place, "notice_board", middle - opening * 0.36, 0.92, attributes=board)
    _stand(work, square, place, "post_box", middle + opening * 0.36, 0.93)
    middle, opening = openings[-1]
    _stand(work, square, place, "bell_post", middle + opening * 0.30, 0.92)
    figure: dict[str, JSON] = {"title": "The Gardener", "text": "She planted the lindens of this square."}
    for middle, _ in openings[1:]:
        if _stand(work, square, place, "statue", middle, 1 + 5.5 / square.radius_m, on="lawn", attributes=figure):
            break
    for middle, _ in openings[2:]:
        if _stand(work, square, place, "kiosk", middle, 1 + 5.0 / square.radius_m, on="lawn"):
            break


def _alley(work: Work, path: np.ndarray, place: str, number: int) -> None:
    """Lines a path with trees of one sort, lamps and benches."""
    species = (work.seed + number) % 3
    for side in (-1, 1):
        for n, (x, y, yaw) in enumerate(stations(beside(path, side * 3.4), 7.0, 3.0)):
            if n % 3 == 2:
                pose = Pose.at(x, y, _Z, yaw - side * pi / 2)
                work.build.stand("street_lamp", pose, on=("lawn",), parent=place, params=LAMP, seed=work.seed)
            else:
                tree = Pose.at(x, y, _Z, work.turn())
                work.build.stand("broadleaf_tree", tree, on=("lawn",), spare_m=0.7, parent=place, seed=species)
        for n, (x, y, yaw) in enumerate(stations(beside(path, side * 1.28), 7.0, 6.5)):
            if (n + (side > 0)) % 2 == 0:
                pose = Pose.at(x, y, _Z, yaw - side * pi / 2)
                work.build.stand("bench", pose, parent=place, spare_m=0.0, seed=work.seed)


def _arc(
    work: Work, square: Square, place: str, kind: str, gap: Gap, share: float, step_m: float, *, front_m: float = 0.0
) -> None:
    """Stands things of a kind along an arc between two paths, facing the fountain."""
    (middle, opening), radius = gap, square.radius_m * share
    count = int((opening * radius - 3.2) / step_m)
    for index in range(count):
        angle = middle + (index - (count - 1) / 2) * step_m / radius
        if kind == "terrace":
            terrace_table(work.build, _polar(square, angle, share), on=("plaza",), parent=place, seed=work.seed)
        else:
            seed = work.seed if kind == "bench" else None
            _stand(work, square, place, kind, angle, share, front_m=front_m, seed=seed)


def _stand(  # noqa: PLR0913 - a thing, where it stands and what it is
    work: Work,
    square: Square,
    place: str,
    kind: str,
    angle: float,
    share: float,
    *,
    on: str = "plaza",
    front_m: float = 0.0,
    params: Mapping[str, float | str] | None = None,
    seed: int | None = None,
    attributes: Mapping[str, JSON] | None = None,
) -> bool:
    """Stands a thing at polar coordinates about the fountain, facing it; tells whether it fits."""
    node = work.build.stand(
        kind,
        _polar(square, angle, share),
        on=(on,),
        parent=place,
        front_m=front_m,
        params=params,
        seed=seed,
        attributes=attributes,
    )
    return node is not None


def _polar(square: Square, angle: float, share: float) -> Pose:
    """Returns a pose at a share of the disk's radius, facing the fountain."""
    (x, y), radius = square.centre, square.radius_m * share
    return Pose.at(x + radius * cos(angle), y + radius * sin(angle), _Z, angle + pi)


def outlook(plan: TownPlan, centre: tuple[float, float]) -> tuple[float, float]:
    """Returns in which direction from the middle of a square lies what is most worth seeing, and how far off.

    A town hall wins; else the public house, or house, that rises highest over the square.

    Returns:
        Radians; metres to its door, 0 if it is no town hall.
    """
    best, ahead, away = 0.0, 0.0, 0.0
    for house in plan.houses:
        hall = house.style == "civic" and house.entrance is not None
        x, y = house.entrance[:2] if hall and house.entrance else house.polygon.mean(0).tolist()
        dx, dy = x - centre[0], y - centre[1]
        rises = (8.0 if hall else 1.6 if house.title else 1.0) * house.height_m / max(hypot(dx, dy), 10.0)
        if rises > best:
            best, ahead, away = rises, atan2(dy, dx), hypot(dx, dy) if hall else 0.0
    return ahead, away


def _arrival(work: Work, square: Square, place: str, ahead: float, away_m: float) -> tuple[float, float]:
    """Lets newcomers appear across the fountain from what is worth seeing, and keeps the view clear; returns where."""
    x, y, _ = _polar(square, ahead + pi, _ARRIVAL).position
    work.build.place("spawn", "Arrival", Pose.at(x, y, _Z, ahead), 2.5, parent=place)

    def clear(near: float, far: float, wide: float) -> None:
        middle = (near + far) / 2
        work.site.keep_clear(x + middle * cos(ahead), y + middle * sin(ahead), ahead, (far - near, wide))

    fountain = square.radius_m * _ARRIVAL
    clear(-_BEHIND_M, 3.0, _AROUND_M)
    clear(3.0, fountain + square.radius_m, _CLEAR_M)
    clear(fountain, fountain + max(away_m - _KERB_M, square.radius_m), _VISTA_M)
    return x, y
