"""Layouts: what stands where in rectangular rooms, as tensors, and how boxes lie to walls and to each other.

A room's frame has its origin in a corner of the floor, x and y along the walls, metres. A thing's own frame has x to
its front.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor

PAIR_FEATURES: Final = 18
WALL_FEATURES: Final = 18
FLOOR: Final = -1
"""Support of what stands on the floor."""


class Layouts(NamedTuple):
    """Things of B rooms, up to N each; supports stand before what they carry.

    Attributes:
        kind: (B, N) i64; -1 where there is none, all of them behind the last thing.
        place: (B, N, 2) middle of the footprint, metres.
        yaw: (B, N) direction of the front, radians.
        size: (B, N, 3) extents along the thing's own x, y and z, metres.
        support: (B, N) i64 what it stands on or in; `FLOOR` for the floor.
        role: (B,) i64 type of the room.
        floor: (B, 2) extents of the floor along x and y, metres.
        tags: (B, T) f32 of 0 and 1.
    """

    kind: Tensor
    place: Tensor
    yaw: Tensor
    size: Tensor
    support: Tensor
    role: Tensor
    floor: Tensor
    tags: Tensor

    @property
    def there(self) -> Tensor:
        """(B, N) bool, where there is a thing."""
        return self.kind >= 0

    @property
    def stands(self) -> Tensor:
        """(B, N) bool, where there is a thing on the floor."""
        return self.there & (self.support == FLOOR)

    def rows(self, which: Tensor) -> Layouts:
        """Returns some of the rooms."""
        return Layouts(*(part[which] for part in self))

    def cropped(self) -> Layouts:
        """Returns the rooms without the columns that are empty in all of them, but for one."""
        count = max(1, int(self.there.sum(1).max()))
        return self.before(count)

    def before(self, column: int) -> Layouts:
        """Returns the rooms with the first columns only."""
        return self._replace(
            kind=self.kind[:, :column],
            place=self.place[:, :column],
            yaw=self.yaw[:, :column],
            size=self.size[:, :column],
            support=self.support[:, :column],
        )

    def empty(self, columns: int) -> Layouts:
        """Returns the same rooms without things, with so many columns."""
        count = len(self.role)
        new = self.floor.new_zeros
        nothing = torch.full((count, columns), -1, device=self.floor.device)
        return Layouts(
            nothing, new(count, columns, 2), new(count, columns), new(count, columns, 3), nothing.clone(), *self[5:]
        )


class Things(NamedTuple):
    """Poses and sizes of things of any leading shape, as in `Layouts`."""

    place: Tensor
    yaw: Tensor
    size: Tensor


def joined(parts: list[Layouts]) -> Layouts:
    """Returns rooms one after another, padded to the widest."""
    widest = max(part.kind.shape[1] for part in parts)
    padded = []
    for part in parts:
        wide = part.empty(widest)
        for target, source in zip(wide[:5], part[:5], strict=True):
            target[:, : source.shape[1]] = source
        padded.append(wide)
    return Layouts(*(torch.cat(columns) for columns in zip(*padded, strict=True)))


def reflected(layouts: Layouts, way: int) -> Layouts:
    """Returns rooms under one of the eight symmetries of the square: bit 0 swaps x and y, bits 1 and 2 flip them."""
    place, floor, front = layouts.place, layouts.floor, _front(layouts.yaw)
    if way & 1:
        place, floor, front = place.flip(-1), floor.flip(-1), front.flip(-1)
    for bit, axis in ((2, 0), (4, 1)):
        if way & bit:
            sign = torch.ones(2, device=place.device)
            sign[axis] = -1.0
            shift = torch.zeros_like(floor)
            shift[:, axis] = floor[:, axis]
            place, front = place * sign + shift[:, None], front * sign
    yaw = torch.atan2(front[..., 1], front[..., 0])
    return layouts._replace(place=place * layouts.there[..., None], yaw=yaw * layouts.there, floor=floor)


def extents(yaw: Tensor, size: Tensor) -> Tensor:
    """Returns (..., 2) half extents along the room's x and y."""
    c, s = yaw.cos().abs(), yaw.sin().abs()
    half = size[..., :2] / 2
    return torch.stack((c * half[..., 0] + s * half[..., 1], s * half[..., 0] + c * half[..., 1]), -1)


def wall_gaps(things: Things, floor: Tensor) -> Tensor:
    """Returns (..., 4) metres from a thing's box to the walls at low x, high x, low y and high y; negative outside."""
    reach = extents(things.yaw, things.size)
    low, high = things.place - reach, floor - things.place - reach
    return torch.stack((low[..., 0], high[..., 0], low[..., 1], high[..., 1]), -1)


def own_gaps(things: Things, floor: Tensor) -> Tensor:
    """Returns (..., 4) metres to the walls that lie to a thing's front, back, left and right."""
    gaps = wall_gaps(things, floor)
    quarter = torch.round(things.yaw / (torch.pi / 2)).long() % 4
    order = torch.tensor([[1, 0, 3, 2], [3, 2, 0, 1], [0, 1, 2, 3], [2, 3, 1, 0]], device=gaps.device)
    return gaps.gather(-1, order[quarter])


def wall_features(things: Things, floor: Tensor) -> Tensor:
    """Returns (..., 18): nearness of the walls about a thing in its own frame, how far it sticks out, and its turn."""
    gaps = own_gaps(things, floor)
    near = gaps.clamp_min(0)
    out = (-gaps).clamp_min(0).amax(-1, keepdim=True).clamp_max(1.0)
    turned = (2 * things.yaw).sin().abs()[..., None]
    return torch.cat(
        ((-near / 0.06).exp(), (-near / 0.3).exp(), (-near / 1.2).exp(), gaps.clamp(-1, 4) / 2, out, turned), -1
    )


class Lie(NamedTuple):
    """How things lie to others, each (...): see `lies`.

    Attributes:
        ahead: Where the other's middle is in one's own frame, metres to the front.
        aside: And to the left.
        met_ahead: Where one is in the other's frame, metres to its front.
        met_aside: And to its left.
        turn: Direction of the other's front against one's own, radians.
        apart: Metres between the two boxes along the axis that parts them most; negative where they overlap.
    """

    ahead: Tensor
    aside: Tensor
    met_ahead: Tensor
    met_aside: Tensor
    turn: Tensor
    apart: Tensor


def lies(one: Things, other: Things) -> Lie:
    """Returns how things lie to others, by the separating axes of both boxes; shapes broadcast."""
    offset = other.place - one.place
    dx, dy = offset[..., 0], offset[..., 1]
    turn = other.yaw - one.yaw
    c, s = turn.cos().abs(), turn.sin().abs()
    co, so, cm, sm = one.yaw.cos(), one.yaw.sin(), other.yaw.cos(), other.yaw.sin()
    u, v = dx * co + dy * so, dy * co - dx * so
    mu, mv = -dx * cm - dy * sm, -dy * cm + dx * sm
    a, b = one.size[..., 0] / 2, one.size[..., 1] / 2
    ma, mb = other.size[..., 0] / 2, other.size[..., 1] / 2
    gaps = (
        u.abs() - a - c * ma - s * mb,
        v.abs() - b - s * ma - c * mb,
        mu.abs() - ma - c * a - s * b,
        mv.abs() - mb - s * a - c * b,
    )
    return Lie(u, v, mu, mv, turn, _stacked(gaps).amax(-1))


def pair_features(one: Things, other: Things, carried: Tensor) -> Tensor:
    """Returns (..., 18) of how things lie to others; `carried` (...) is 1 where the other carries the one."""
    lie = lies(one, other)
    distance = (lie.ahead.square() + lie.aside.square()).sqrt().clamp_min(0.05)
    gap, deep = lie.apart.clamp_min(0), (-lie.apart).clamp_min(0)
    parts = (
        lie.ahead.clamp(-3, 3) / 2,
        lie.aside.clamp(-3, 3) / 2,
        lie.met_ahead.clamp(-3, 3) / 2,
        lie.met_aside.clamp(-3, 3) / 2,
        lie.ahead / distance,
        lie.aside.abs() / distance,
        lie.met_ahead / distance,
        lie.met_aside.abs() / distance,
        lie.turn.cos(),
        (2 * lie.turn).cos(),
        (-gap / 0.08).exp(),
        (-gap / 0.4).exp(),
        (-distance / 1.5).exp(),
        (deep > 0.02).float(),
        (deep / 0.2).clamp_max(2.0),
        (-lie.aside.abs() / 0.15).exp(),
        (-lie.met_aside.abs() / 0.15).exp(),
        carried,
    )
    return _stacked(parts)


def things_of(layouts: Layouts) -> Things:
    """Returns poses and sizes, (B, N)."""
    return Things(layouts.place, layouts.yaw, layouts.size)


def overlapping(layouts: Layouts, deep_m: float = 0.03) -> Tensor:
    """Returns (B, N, N) bool: which things on the floor stand in each other by more than `deep_m`."""
    t = things_of(layouts)
    apart = lies(
        Things(t.place[:, :, None], t.yaw[:, :, None], t.size[:, :, None]),
        Things(t.place[:, None], t.yaw[:, None], t.size[:, None]),
    ).apart
    both = layouts.stands[:, :, None] & layouts.stands[:, None]
    return (apart < -deep_m) & both & ~torch.eye(apart.shape[1], dtype=torch.bool, device=apart.device)


def sticking_out(layouts: Layouts, deep_m: float = 0.03) -> Tensor:
    """Returns (B, N) bool: which things on the floor stick out of it by more than `deep_m`."""
    gaps = wall_gaps(things_of(layouts), layouts.floor[:, None])
    return (gaps.amin(-1) < -deep_m) & layouts.stands


def _front(yaw: Tensor) -> Tensor:
    return torch.stack((yaw.cos(), yaw.sin()), -1)


def _stacked(parts: tuple[Tensor, ...]) -> Tensor:
    """Returns numbers of shapes that broadcast, side by side along a new last axis."""
    shape = torch.broadcast_shapes(*(part.shape for part in parts))  # type: ignore[no-untyped-call]
    return torch.stack([part.expand(shape) for part in parts], -1)
