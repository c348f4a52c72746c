"""A top-down picture of one world: plain numpy, no window, the same bytes everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecumene_world.layout import Layout
from ecumene_world.state import State

Image = NDArray[np.uint8]
Points = NDArray[np.float64]

_BLOCKED: Final = (74, 78, 88)
_SURFACES: Final = np.array(
    [_BLOCKED, (226, 220, 206), (196, 196, 198), (214, 206, 190), (190, 210, 170), (228, 214, 190), (206, 190, 170)],
    np.uint8,
)
_NPC: Final = ((46, 98, 170), (196, 84, 60), (62, 140, 92), (150, 86, 160), (210, 150, 40), (40, 140, 160))
_VISITOR: Final = (220, 40, 120)
_THING: Final = (150, 120, 80)
_GOAL: Final = (120, 120, 120)


class View:
    """A window on one storey of a layout: metres to pixels, y up.

    Args:
        layout: The compiled world.
        size: Height and width of the picture at most, pixels.
        level: The storey drawn.
    """

    def __init__(self, layout: Layout, size: int = 512, level: int = 0) -> None:
        west, south, east, north = layout.bounds
        self.scale = size / max(east - west, north - south)
        self.origin = (west, north)
        self.width = max(1, round((east - west) * self.scale))
        self.height = max(1, round((north - south) * self.scale))
        self.image: Image = self._ground(layout, level)

    def _ground(self, layout: Layout, level: int) -> Image:
        x = self.origin[0] + (np.arange(self.width) + 0.5) / self.scale
        y = self.origin[1] - (np.arange(self.height) + 0.5) / self.scale
        rows, columns = layout.floor.shape[1:]
        ix = np.clip(np.rint((x - layout.origin[0]) / layout.cell_m), 0, columns - 1).astype(int)
        iy = np.clip(np.rint((y - layout.origin[1]) / layout.cell_m), 0, rows - 1).astype(int)
        surface = layout.surface[level].cpu().numpy()[iy[:, None], ix]
        free = layout.clearance[level].cpu().numpy()[iy[:, None], ix] > 0
        return _SURFACES[np.where(free, surface, 0)]

    def pixels(self, points: Points) -> Points:
        """(N, 2) metres → (N, 2) pixel column and row."""
        return np.stack(((points[:, 0] - self.origin[0]) * self.scale, (self.origin[1] - points[:, 1]) * self.scale), 1)

    def disc(self, centre: Points, radius: float, colour: Sequence[int]) -> None:
        """Fills a disc; centre (2,) and radius in pixels."""
        x0, x1 = max(0, int(centre[0] - radius)), min(self.width, int(centre[0] + radius) + 2)
        y0, y1 = max(0, int(centre[1] - radius)), min(self.height, int(centre[1] + radius) + 2)
        if x0 < x1 and y0 < y1:
            ys, xs = np.ogrid[y0:y1, x0:x1]
            inside = (xs - centre[0]) ** 2 + (ys - centre[1]) ** 2 <= max(radius, 0.7) ** 2
            self.image[y0:y1, x0:x1][inside] = colour

    def line(self, start: Points, end: Points, colour: Sequence[int], width: float = 1.0) -> None:
        """Draws a straight line; ends (2,) in pixels."""
        steps = int(np.abs(end - start).max()) + 1
        for share in np.linspace(0.0, 1.0, steps + 1):
            self.disc(start + share * (end - start), width / 2, colour)

    def path(self, points: Points, colour: Sequence[int], width: float = 1.0) -> None:
        """Draws a polyline through (N, 2) metres."""
        pixels = self.pixels(points)
        for start, end in pairwise(pixels):
            self.line(start, end, colour, width)


def colour_of(slot: int) -> tuple[int, int, int]:
    """The colour that an NPC slot has in every picture."""
    return _NPC[slot % len(_NPC)]


def draw(
    layout: Layout, state: State, *, world: int = 0, size: int = 512, level: int = 0, goals: bool = False
) -> Image:
    """Draws the avatars and things of one world seen from above.

    Returns:
        (H, W, 3) u8, the longer side `size` pixels.
    """
    view = View(layout, size, level)
    for thing in view.pixels(state.thing_position[world, :, :2].double().cpu().numpy()):
        view.disc(thing, 0.2 * view.scale, _THING)
    alive = (state.alive[world] & (state.level[world] == level)).cpu().numpy()
    position = view.pixels(state.position[world, :, :2].double().cpu().numpy())
    goal = view.pixels(state.goal[world, :, :2].double().cpu().numpy())
    yaw = state.yaw[world].double().cpu().numpy()
    visitor = (state.kind[world] == 201).cpu().numpy()
    for slot in np.flatnonzero(alive):
        colour = _VISITOR if visitor[slot] else colour_of(int(slot))
        if goals:
            view.line(position[slot], goal[slot], _GOAL)
        nose = position[slot] + 0.45 * view.scale * np.array([np.cos(yaw[slot]), -np.sin(yaw[slot])])
        view.line(position[slot], nose, colour, 2.0)
        view.disc(position[slot], float(state.radius[world, slot]) * view.scale, colour)
    return view.image
