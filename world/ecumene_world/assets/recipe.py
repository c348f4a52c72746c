"""How a kind is described to the library: a builder, its variants and the parameters it accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ecumene_world.assets.asset import Asset, Collider, Seat
from ecumene_world.assets.mesh import RGB, Mesh
from ecumene_world.assets.palette import rgb
from ecumene_world.errors import GraphError

Range = tuple[float, float]
Accepted = Range | tuple[str, ...] | None
"""What a parameter may be: a range of numbers, one of some words, or (None) a colour such as '#c46a4a'."""
T = TypeVar("T")


class Draw:
    """The choices behind one variant: given parameters win, the rest comes from the variant's generator.

    A parameter that is given still consumes its random number, so that it changes nothing but itself.
    """

    def __init__(self, rng: np.random.Generator, variant: int, params: Mapping[str, float | str]) -> None:
        self.rng = rng
        self.variant = variant
        self._params = params

    def size(self, name: str, low: float, high: float) -> float:
        """Returns the parameter of that name, or a number drawn from low..high."""
        drawn = float(self.rng.uniform(low, high))
        given = self._params.get(name)
        return drawn if given is None else float(given)

    def fixed(self, name: str, usual: float) -> float:
        """Returns the parameter of that name, or what is usual; it consumes no random number."""
        return float(self._params.get(name, usual))

    def chosen(self, name: str, usual: str) -> str:
        """Returns the word given as parameter, or the usual one for every variant."""
        return str(self._params.get(name, usual))

    def given(self, name: str) -> bool:
        """Tells whether a parameter was given."""
        return name in self._params

    def word(self, name: str, words: Sequence[str]) -> str:
        """Returns the parameter of that name, or the word whose turn it is: variants go through them in order."""
        return str(self._params.get(name, words[self.variant % len(words)]))

    def colour(self, choices: Sequence[RGB], name: str = "colour") -> RGB:
        """Returns the colour given as parameter, or the one whose turn it is: variants go through them in order."""
        given = self._params.get(name)
        return choices[self.variant % len(choices)] if given is None else rgb(str(given))

    def pick(self, choices: Sequence[T]) -> T:
        """Returns one of some things, each as likely."""
        return choices[int(self.rng.integers(len(choices)))]

    def between(self, low: float, high: float) -> float:
        """Returns a number drawn from low..high."""
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        """Tells, at random, yes in that share of variants."""
        return bool(self.rng.random() < share)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to build one kind.

    Attributes:
        kind: Its name.
        build: Makes it.
        params: What each parameter accepts.
        variants: How many seeds look different; few, so that instancing stays effective.
    """

    kind: str
    build: Callable[[Draw], Asset]
    params: Mapping[str, Accepted] = field(default_factory=dict)
    variants: int = 6

    def check(self, params: Mapping[str, float | str]) -> None:
        """Checks parameters.

        Raises:
            GraphError: One is unknown, of the wrong type or out of range.
        """
        for name, value in params.items():
            if name not in self.params:
                known = ", ".join(sorted(self.params)) or "none"
                raise GraphError(f"{name!r} is not a parameter of {self.kind!r}, which accepts {known}")
            accepted = self.params[name]
            if not _fits(value, accepted):
                raise GraphError(f"{name} of {self.kind!r} is {value!r}; {_wanted(accepted)} is accepted")


def solid(
    kind: str,
    parts: Iterable[Mesh],
    colliders: Sequence[Collider] | None = None,
    seats: Sequence[Seat] = (),
) -> Asset:
    """Returns an asset of some parts; without colliders given, its bounding box is solid."""
    mesh = Mesh.merged(parts)
    low, high = mesh.bounds.astype(float)
    x, y, z = (high - low).tolist()
    if colliders is None:
        a, b, c = ((low + high) / 2).tolist()
        colliders = (Collider("box", (a, b, c), (x, y, z)),)
    return Asset(kind, mesh, tuple(colliders), tuple(seats), (x, y, z))


def post(radius: float, height: float, at: tuple[float, float] = (0.0, 0.0)) -> Collider:
    """Returns a cylinder that stands on the floor."""
    return Collider("cylinder", (at[0], at[1], height / 2), (2 * radius, 2 * radius, height))


def block(size: tuple[float, float, float], at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Collider:
    """Returns a box that stands on `at`."""
    return Collider("box", (at[0], at[1], at[2] + size[2] / 2), size)


def _fits(value: float | str, accepted: Accepted) -> bool:
    if accepted is None:
        return isinstance(value, str) and _is_colour(value)
    if isinstance(accepted[0], str):
        return value in accepted
    low, high = accepted[0], accepted[1]
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= float(value) <= float(high)


def _is_colour(code: str) -> bool:
    try:
        rgb(code)
    except ValueError:
        return False
    return True


def _wanted(accepted: Accepted) -> str:
    if accepted is None:
        return "a colour such as '#c46a4a'"
    if isinstance(accepted[0], str):
        return " or ".join(repr(word) for word in accepted)
    return f"a number from {accepted[0]} to {accepted[1]}"
