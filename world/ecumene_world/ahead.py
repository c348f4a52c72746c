"""What is made of a layout, made before the tick in which the world takes the layout up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from ecumene_world.layout import Layout

T = TypeVar("T")


class Ahead(Generic[T]):
    """Keeps what was made of the layout in use, and of the one that comes next.

    One thread may `prepare` while another calls `of`. What was made of the layout before stays until `tidy`, since to
    let go of large tables takes time, too.

    Args:
        make: Makes it; what it returns must depend on nothing that changes meanwhile.
    """

    def __init__(self, make: Callable[[Layout], T]) -> None:
        self._make = make
        self._now: tuple[Layout, T] | None = None
        self._next: tuple[Layout, T] | None = None
        self._past: tuple[Layout, T] | None = None

    def prepare(self, layout: Layout) -> None:
        """Makes it of a layout that may come into use."""
        self.put(layout, self._make(layout))

    def put(self, layout: Layout, made: T) -> None:
        """Takes what somebody else has made of a layout that may come into use."""
        self._next = (layout, made)

    def of(self, layout: Layout) -> T:
        """Returns what was made of the layout in use, making it now if that has not been done."""
        now = self._now
        if now is None or now[0] is not layout:
            ahead = self._next
            self._past, now = now, ahead if ahead is not None and ahead[0] is layout else (layout, self._make(layout))
            self._now, self._next = now, None
        return now[1]

    def tidy(self) -> None:
        """Lets go of what was made of the layout that was in use before."""
        self._past = None
