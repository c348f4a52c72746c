"""What houses are for when the map doesn't say: likely heights, roles near the square, names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import cos, hypot, radians
from typing import Final

import numpy as np

from ecumene_world.generate.interiors import suits
from ecumene_world.generate.lines import area_m2
from ecumene_world.generate.plan import House, Street

_STOREY_M: Final = 3.1
_NEAR_SQUARE: Final = ("cafe", "museum", "shop", "cafe", "shop", "office", "shop", "clinic", "shop", "office")
"""Roles of the houses nearest to the square, if the map gives none."""
_PER_PUBLIC: Final = 10
"""One house in so many is public."""
_SMALL_M2: Final = 45.0

_NAMES: Final = {
    "cafe": ("Café Linden", "The Copper Kettle", "Café Meridian", "Morning & Co.", "The Blue Cup", "Café Arcade"),
    "shop": ("Harbour Goods", "Green Basket", "Paper & Pine", "The Corner Shop", "Wool & Thread", "Fern Flowers"),
    "museum": ("Town Museum", "Museum of Everyday Things", "House of Maps", "Public Library"),
    "school": ("Linden School", "School on the Hill", "Orchard School"),
    "clinic": ("Corner Clinic", "Dr. Alder's Practice", "Well Street Clinic"),
    "office": ("Town Office", "Atelier North", "Lantern Studio", "Survey Office", "Orchard Press"),
    "home": ("",),
}
_SQUARES: Final = ("Linden Square", "Fountain Square", "Market Square", "Orchard Square")
_STREETS: Final = (
    *("Linden Street", "Orchard Lane", "Mill Street", "Lantern Row", "Copper Lane", "Bridge Street", "Willow Street"),
    *("Station Road", "Garden Row", "Baker Street", "Museum Street", "Hill Road", "Poplar Avenue", "Well Street"),
    *("Market Street", "Chestnut Avenue", "School Lane", "Rose Street", "Long Acre", "Beacon Street"),
)


def likely_height_m(area_m2: float, rng: np.random.Generator) -> float:
    """Returns a plausible height to the eaves for a footprint: sheds are low, villas have two storeys, rows four."""
    if area_m2 < _SMALL_M2:
        return 3.0
    typical = 2 if area_m2 < 150 else 3 if area_m2 < 230 else 4
    storeys = typical + int(rng.choice([-1, 0, 0, 1] if typical > 2 else [0, 0, 1]))
    return 0.6 + _STOREY_M * storeys


def assigned(houses: Sequence[House], centre: tuple[float, float], seed: int) -> list[House]:
    """Returns the houses, each with a role: those near the centre public, the largest a school, the rest homes.

    Public roles go to houses that can be furnished, if there are enough of them.
    """
    rng = np.random.default_rng([seed, 2])
    unused = [n for n, house in enumerate(houses) if house.entrance is not None and not house.use]
    nearest = sorted(unused, key=lambda n: _distance(houses[n], centre))
    large = [n for n in nearest if area_m2(houses[n].polygon) > _SMALL_M2]
    wanted = min(max(len(houses) // _PER_PUBLIC, len(_NEAR_SQUARE)), 4 * len(_NEAR_SQUARE))
    public = [_NEAR_SQUARE[n % len(_NEAR_SQUARE)] for n in range(wanted)]
    near = large[: 5 * wanted]
    order = sorted(near, key=lambda n: not suits(houses[n])) + large[len(near) :]
    roles = dict(zip(order, public, strict=False))
    rest = [n for n in large if n not in roles]
    if rest:
        roles[max(rest, key=lambda n: (suits(houses[n]), area_m2(houses[n].polygon)))] = "school"
    named: dict[str, int] = {}
    result = []
    for n, house in enumerate(houses):
        use = house.use or roles.get(n, "home" if house.entrance is not None else "")
        title = house.title or _name(use, named, rng)
        result.append(replace(house, use=use, title=title))
    return result


def square_name(seed: int) -> str:
    """Returns the name of a square."""
    return _SQUARES[seed % len(_SQUARES)]


def street_name(number: int, seed: int) -> str:
    """Returns the name of the n-th street; names differ until the list runs out."""
    order = np.random.default_rng([seed, 3]).permutation(len(_STREETS))
    name = _STREETS[int(order[number % len(_STREETS)])]
    turn = number // len(_STREETS)
    return name if not turn else f"{name} {turn + 1}"


def _name(use: str, named: dict[str, int], rng: np.random.Generator) -> str:
    choices = _NAMES.get(use, ("",))
    if use not in named:
        named[use] = int(rng.integers(len(choices)))
    named[use] += 1
    return choices[named[use] % len(choices)]


def _distance(house: House, centre: tuple[float, float]) -> float:
    assert house.entrance is not None, "only houses with a door are ranked"
    return hypot(house.entrance[0] - centre[0], house.entrance[1] - centre[1])


def street_names(streets: Sequence[Street], seed: int) -> list[str]:
    """Returns a name for each street; pieces that continue each other straight on share one."""
    names = [street.title for street in streets]
    number = 0
    for n, street in enumerate(streets):
        if names[n]:
            continue
        names[n] = next(
            (names[m] for m in range(len(streets)) if m != n and names[m] and _continues(street, streets[m])), ""
        )
        if not names[n]:
            names[n] = street_name(number, seed)
            number += 1
    return names


def _continues(a: Street, b: Street) -> bool:
    """Tells whether two streets meet end to end and turn by less than 25° there."""
    for first in (a.line, a.line[::-1]):
        for second in (b.line, b.line[::-1]):
            if np.hypot(*(first[0] - second[0])) < 1.0:
                u, v = first[0] - first[1], second[1] - second[0]
                cosine = float(u @ v) / max(float(np.linalg.norm(u) * np.linalg.norm(v)), 1e-9)
                if cosine > cos(radians(25)):
                    return True
    return False
