"""What avatars see: a small picture of depths and categories each.

150° × 60° around the gaze in 24 columns × 8 rows. Obstacles are met by marching the clearance fields (2½-D: a top per
spot, no ceilings, nothing hangs in the air), ground and sky by geometry, closed doors, other avatars and loose things
as leaves and upright cylinders. Each pixel is a cone: a cylinder that reaches into a pixel's column is seen in it.
What stands on another storey is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import COLUMNS, FAR_M, ROWS
from ecumene_sim.senses.others import Others
from ecumene_sim.senses.rays import CATEGORIES, DEPTH_UNITS, NOTHING, key_of, march, obstacles_seen, unless
from ecumene_sim.senses.sight_lines import ClosedDoors
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.terrain import Terrain, lookup
from ecumene_world.kinds import Category
from ecumene_world.state import State

FIELD_OF_VIEW: Final = (math.radians(150), math.radians(60))
"""Width and height of the picture, radians."""
NEAR_STEPS: Final = 10
"""Samples of each ray among all obstacles."""
FAR_STEPS: Final = 8
"""Samples of each ray among tall obstacles, from where the first ones end."""
SEEN_THINGS: Final = 4
"""Nearest loose things that are drawn."""
DOOR_HEIGHT_M: Final = 2.1
THING_RADIUS_M: Final = 0.18
THING_HEIGHT_M: Final = 0.3
_HALF_COLUMN: Final = math.tan(FIELD_OF_VIEW[0] / COLUMNS / 2)
_HALF_ROW: Final = math.tan(FIELD_OF_VIEW[1] / ROWS / 2)
_LEAST: Final = 1.0e-30
"""Stands for 0 below a root, m²: the root of 0 itself takes some CPUs seven times as long."""


@dataclass(frozen=True, slots=True, eq=False)
class Posts:
    """K upright cylinders before each of V viewers, (K, 1, V) each.

    Attributes:
        dx: Relative to the viewer, world axes, metres; also dy.
        radius: Metres.
        foot: Height of the lower end relative to the viewer's eye, metres.
        head: Of the upper end.
        category: f32.
        absent: f32, positive where there is none.
    """

    dx: Tensor
    dy: Tensor
    radius: Tensor
    foot: Tensor
    head: Tensor
    category: Tensor
    absent: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What is seen: depth (B, A, 8, 24) f32 metres along the ray and kind (B, A, 8, 24) u8."""

    depth: Tensor
    kind: Tensor

    @classmethod
    def of(cls, seen: Tensor, slope: Tensor, shape: tuple[int, int]) -> Picture:
        """Decodes (8, 24, V) keys; depth becomes that along the ray."""
        seen = seen.clamp(max=NOTHING)
        plan = (seen * (1.0 / CATEGORIES)).floor_()
        kind = torch.add(seen, plan, alpha=-CATEGORIES)
        stretch = (slope * slope).add_(1.0).sqrt_().mul_(1.0 / DEPTH_UNITS)
        depth = (plan * stretch).masked_fill_(seen >= NOTHING, FAR_M).clamp_(max=FAR_M)
        return cls(_images(depth, shape), _images(kind.to(torch.uint8), shape))


def _images(rows: Tensor, shape: tuple[int, int]) -> Tensor:
    """Returns (8, 24, B·A) rows as (B, A, 8, 24) images."""
    return rows.permute(2, 0, 1).reshape(*shape, ROWS, COLUMNS)


class Retina:
    """The fixed directions of all pixels, on one device."""

    def __init__(self, device: torch.device) -> None:
        width, height = FIELD_OF_VIEW
        azimuth = (0.5 - (torch.arange(COLUMNS, device=device) + 0.5) / COLUMNS) * width
        elevation = (0.5 - (torch.arange(ROWS, device=device) + 0.5) / ROWS) * height
        self.cos, self.sin = azimuth.cos().view(COLUMNS, 1), azimuth.sin().view(COLUMNS, 1)
        self.tan = elevation.tan().view(ROWS, 1, 1)

    def see(
        self, terrain: Terrain, viewers: Viewers, others: Others, doors: ClosedDoors | None, things: Posts | None
    ) -> Picture:
        """Returns the pictures of the viewers."""
        rays = Rays.of(self, terrain, viewers)
        seen = torch.minimum(rays.obstacles(terrain), rays.ground(terrain))
        rays.draw(avatars(viewers, others), seen)
        if things is not None:
            rays.draw(things, seen)
        if doors is not None:
            seen = rays.hang(doors, seen)
        return Picture.of(seen, rays.slope, viewers.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """All sight rays of V viewers: 24 columns, 8 rows.

    Attributes:
        foot: (V,) height of the floor each viewer stands on, metres.
        eye: (V,) height of the eye.
        cos: (24, V) direction of each column in plan.
        sin: (24, V).
        slope: (8, 1, V) climb per metre along the ground of each row.
        start: (2, 1, V) image coordinates of the eyes.
        along: (2, 24, V) image units per metre.
        below: (2, V) where the eyes are on the image of the floor.
        reach: (24, V) metres to the end of the grid or of sight.
    """

    foot: Tensor
    eye: Tensor
    cos: Tensor
    sin: Tensor
    slope: Tensor
    start: Tensor
    along: Tensor
    below: Tensor
    reach: Tensor

    @classmethod
    def of(cls, retina: Retina, terrain: Terrain, viewers: Viewers) -> Rays:
        """Returns the rays of the viewers."""
        head_cos, head_sin = viewers.head_cos.view(-1), viewers.head_sin.view(-1)
        cos = torch.addcmul(head_cos * retina.cos, head_sin, retina.sin, value=-1.0)
        sin = torch.addcmul(head_sin * retina.cos, head_cos, retina.sin)
        pitch = viewers.pitch.view(-1).tan()
        slope = (retina.tan + pitch) / (1.0 - retina.tan * pitch).clamp_(min=0.05)
        at = viewers.at.view(2, -1)
        level = viewers.level.view(-1)
        start, below = terrain.on_sight(level, at), terrain.on_image(terrain.storey(level), terrain.inside(at))
        along = torch.stack((cos, sin)).mul_(terrain.per_metre.unsqueeze(-1))
        reach = torch.minimum(_to_border(terrain, at, cos, 0), _to_border(terrain, at, sin, 1))
        return cls(viewers.z.view(-1), viewers.eye.view(-1), cos, sin, slope, start.unsqueeze(1), along, below, reach)

    def obstacles(self, terrain: Terrain) -> Tensor:
        """Returns (8, 24, V) keys of what stands on the floor: anything nearby, and tall things further away."""
        columns, viewers = self.cos.shape
        upper = self.start.repeat(1, columns, 1).view(2, -1)
        lower = upper.clone()
        lower[1] += terrain.tall_offset
        met = march(terrain.sight, [upper, lower], self.along.view(2, -1), [NEAR_STEPS, FAR_STEPS])
        slope = self.slope.expand(ROWS, columns, viewers).reshape(ROWS, -1)
        seen = obstacles_seen(met, self.reach.view(-1), terrain.sight_hit, self.eye.repeat(columns), slope)
        return seen.view(ROWS, columns, viewers)

    def ground(self, terrain: Terrain) -> Tensor:
        """Returns (8, 24, V) keys of the ground: the viewer's own floor, then corrected by the floor's height there."""
        fall = (-self.slope).clamp_(min=1e-4)
        depth = ((self.eye - self.foot) / fall).clamp_(max=FAR_M)
        height = lookup(terrain.floor, self._below(terrain, depth)).view(ROWS, COLUMNS, -1)
        depth = ((self.eye - height) / fall).clamp_(0.0, 2 * FAR_M)
        paving = lookup(terrain.paving, self._below(terrain, depth), "nearest").view(depth.shape)
        return unless(depth - FAR_M, key_of(depth, paving))

    def _below(self, terrain: Terrain, depth: Tensor) -> Tensor:
        """Returns (2, 8·24·V) coordinates on the floor's image, that far along or where rays leave the grid."""
        along = torch.stack((self.cos, self.sin)).mul_(terrain.scale.unsqueeze(-1)).unsqueeze(1)
        within = torch.minimum(depth, self.reach)
        return torch.addcmul(self.below[:, None, None], within, along).view(2, -1)

    def draw(self, posts: Posts, seen: Tensor) -> None:
        """Draws cylinders into (8, 24, V) keys, in place."""
        depth, keys = self._meet(posts)
        middle, half = (posts.head + posts.foot) * 0.5, (posts.head - posts.foot) * 0.5
        half = torch.add(half, depth, alpha=_HALF_ROW)
        outside = torch.zeros_like(seen)
        for post in zip((-middle).unbind(), depth.unbind(), half.unbind(), keys.unbind(), strict=True):
            torch.addcmul(post[0], self.slope, post[1], out=outside)
            torch.minimum(seen, unless(outside.abs_().sub_(post[2]), post[3]), out=seen)

    def hang(self, doors: ClosedDoors, seen: Tensor) -> Tensor:
        """Returns (8, 24, V) keys with closed doors hung into them."""
        depth, along = doors.crossing(self.cos, self.sin)
        missed = (depth < 0) | (along < 0) | (along > 1) | ~doors.closed
        depth = depth.masked_fill_(missed, 2 * FAR_M).amin(dim=0)
        height = torch.addcmul(self.eye - self.foot, self.slope, depth)
        outside = torch.maximum(height - DOOR_HEIGHT_M, depth - FAR_M)
        return torch.minimum(seen, unless(outside, key_of(depth, float(Category.DOOR))))

    def _meet(self, posts: Posts) -> tuple[Tensor, Tensor]:
        """Returns (K, 24, V) depth at which each column meets each cylinder, and its key, huge where it doesn't."""
        ahead = torch.addcmul(posts.dx * self.cos, posts.dy, self.sin)
        aside = torch.addcmul(posts.dx * self.sin, posts.dy, self.cos, value=-1.0).abs_()
        inside = torch.addcmul(posts.radius * posts.radius, aside, aside, value=-1.0).clamp_(min=_LEAST).sqrt_()
        depth = (ahead - inside).clamp_(min=0.0)
        excess = aside.sub_(torch.maximum(ahead * _HALF_COLUMN, posts.radius))
        excess = torch.maximum(torch.maximum(excess, 1e-3 - ahead), posts.absent)
        return depth, unless(excess, key_of(depth, posts.category))


def _to_border(terrain: Terrain, at: Tensor, direction: Tensor, axis: int) -> Tensor:
    """Returns (24, V) metres to the grid's border along one axis, at most as far as one sees."""
    bounds, place = terrain.layout.bounds, at[axis]
    towards = torch.where(direction > 0, bounds[2 + axis] - place, place - bounds[axis])
    return (towards / direction.abs().clamp_(min=1e-6)).clamp_(0.0, FAR_M)


def avatars(viewers: Viewers, others: Others) -> Posts:
    """Returns the nearest avatars as cylinders."""
    category = others.visitor + float(Category.NPC)
    return _posts(viewers, (others.x, others.y, others.z), others.radius, others.height, category, ~others.valid)


def loose_things(state: State, viewers: Viewers, loose: Tensor) -> Posts | None:
    """Returns the nearest loose things as cylinders; None in a layout without any."""
    if len(loose) == 0:
        return None
    place = state.thing_position.index_select(1, loose)
    dx, dy = (place[..., axis].unsqueeze(1) - viewers.at[axis].unsqueeze(2) for axis in range(2))
    square, index = dx.mul_(dx).addcmul_(dy, dy).topk(min(SEEN_THINGS, len(loose)), dim=-1, largest=False)
    flat = index.view(len(place), -1)
    at = [place[..., axis].gather(1, flat).view_as(index) for axis in range(3)]
    holder = state.thing_holder.index_select(1, loose).gather(1, flat).view_as(index)
    partner = state.thing_partner.index_select(1, loose).gather(1, flat).view_as(index)
    own = viewers.slots.view(1, -1, 1)
    absent = (square > FAR_M * FAR_M) | (holder == own) | (partner == own)
    like = torch.ones_like(square)
    return _posts(viewers, at, like * THING_RADIUS_M, like * THING_HEIGHT_M, like * float(Category.ITEM), absent)


def _posts(
    viewers: Viewers, at: Sequence[Tensor], radius: Tensor, height: Tensor, category: Tensor, absent: Tensor
) -> Posts:
    """Returns cylinders at (B, A, K) points as seen by the viewers."""
    foot = at[2] - viewers.eye.unsqueeze(-1)
    dx, dy = (at[axis] - viewers.at[axis].unsqueeze(-1) for axis in range(2))
    columns = (dx, dy, radius, foot, foot + height, category, absent.to(foot.dtype))
    return Posts(*(c.reshape(-1, c.shape[-1]).t().unsqueeze(1).contiguous() for c in columns))
