"""What avatars see: a small picture of depths and categories each.

150° × 60° around the gaze in 24 columns × 8 rows. Obstacles are met by marching the clearance fields (2½-D: a top per
spot, no ceilings, nothing hangs in the air), ground and sky by geometry, closed doors, other avatars and loose things
as leaves and upright cylinders. Each pixel is a cone: a cylinder that reaches into a pixel's column is seen in it.
What stands on another storey is not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import COLUMNS, FAR_M, ROWS
from ecumene_sim.neighbours import Nearest
from ecumene_sim.senses.rays import CATEGORIES, DEPTH_UNITS, NOTHING, key_of, march, penalty
from ecumene_sim.senses.sight_lines import ClosedDoors
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.terrain import Terrain, take
from ecumene_world.kinds import BY_NAME, Category
from ecumene_world.state import Posture, State

FIELD_OF_VIEW: Final = (math.radians(150), math.radians(60))
"""Width and height of the picture, radians."""
NEAR_STEPS: Final = 16
"""Samples of each ray among all obstacles."""
FAR_STEPS: Final = 14
"""Samples of each ray among tall obstacles."""
SEEN: Final = 10
"""Nearest avatars that are drawn."""
SEEN_THINGS: Final = 4
"""Nearest loose things that are drawn."""
DOOR_HEIGHT_M: Final = 2.1
THING_RADIUS_M: Final = 0.18
THING_HEIGHT_M: Final = 0.3
LYING_HEIGHT_M: Final = 0.4
SITTING_SHARE: Final = 0.75
"""Height of a seated body as a share of its height."""
_VISITOR: Final = BY_NAME["visitor"].code
_HALF_COLUMN: Final = math.tan(FIELD_OF_VIEW[0] / COLUMNS / 2)
_HALF_ROW: Final = math.tan(FIELD_OF_VIEW[1] / ROWS / 2)
_SURFACE_CATEGORY: Final = (
    Category.GROUND,
    Category.GROUND,
    Category.STREET,
    Category.STREET,
    Category.VEGETATION,
    Category.GROUND,
    Category.STREET,
)


@dataclass(frozen=True, slots=True, eq=False)
class Posts:
    """K upright cylinders before each viewer, (K, B·A, 1) each."""

    dx: Tensor
    """Relative to the viewer, world axes, metres."""
    dy: Tensor
    radius: Tensor
    foot: Tensor
    """Height of the lower end relative to the viewer's eye, metres."""
    head: Tensor
    category: Tensor
    absent: Tensor
    """f32: 0, or more where there is none."""


class Retina:
    """The fixed directions of all pixels, on one device."""

    def __init__(self, device: torch.device) -> None:
        width, height = FIELD_OF_VIEW
        azimuth = (0.5 - (torch.arange(COLUMNS, device=device) + 0.5) / COLUMNS) * width
        elevation = (0.5 - (torch.arange(ROWS, device=device) + 0.5) / ROWS) * height
        self.cos, self.sin = azimuth.cos().view(1, COLUMNS), azimuth.sin().view(1, COLUMNS)
        self.tan = elevation.tan().view(ROWS, 1)
        self.surface_category = torch.tensor([float(c) for c in _SURFACE_CATEGORY], device=device)

    def see(self, terrain: Terrain, state: State, viewers: Viewers, near: Nearest, things: Posts | None) -> Picture:
        """Returns the pictures of B·A viewers (row-major)."""
        rays = Rays.of(self, terrain, viewers)
        seen = torch.minimum(rays.obstacles(terrain, NEAR_STEPS), rays.tall_obstacles(terrain, FAR_STEPS))
        seen = torch.minimum(seen, rays.ground(terrain, self.surface_category))
        for posts in (avatars(state, viewers, near), things):
            if posts is not None:
                seen = rays.draw(posts, seen)
        doors = ClosedDoors.near(terrain, state, viewers)
        if doors is not None:
            seen = rays.hang(doors, seen)
        return Picture.of(seen, rays.slope, viewers.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Depth (B, A, 8, 24) f32 metres and kind (B, A, 8, 24) u8."""

    depth: Tensor
    kind: Tensor

    @classmethod
    def of(cls, seen: Tensor, slope: Tensor, shape: tuple[int, int]) -> Picture:
        """Decodes (8, B·A, 24) keys; depth becomes that along the ray."""
        seen = seen.clamp(max=NOTHING)
        ground = (seen * (1.0 / CATEGORIES)).floor()
        kind = seen - ground * CATEGORIES
        depth = (ground * (1.0 / DEPTH_UNITS) * (slope * slope + 1.0).sqrt()).clamp_(max=FAR_M)
        depth = depth.masked_fill_(seen >= NOTHING, FAR_M)
        return cls(_images(depth, shape), _images(kind.to(torch.uint8), shape))


def _images(rows: Tensor, shape: tuple[int, int]) -> Tensor:
    """Returns (8, B·A, 24) rows as (B, A, 8, 24) images."""
    return rows.transpose(0, 1).reshape(*shape, ROWS, COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class Rays:
    """All sight rays; V = B·A viewers, 24 columns, 8 rows."""

    level: Tensor
    """(V, 1) i64."""
    x: Tensor
    """(V, 1) metres."""
    y: Tensor
    foot: Tensor
    """(V, 1) height of the floor the viewer stands on."""
    eye: Tensor
    """(V, 1) height of the eye."""
    cos: Tensor
    """(V, 24) direction of each column in plan; also sin."""
    sin: Tensor
    slope: Tensor
    """(8, V, 1) climb per metre along the ground of each row."""
    start: Tensor
    """(V·24, 2) image coordinates of the eye."""
    along: Tensor
    """(V·24, 2) image units per metre."""
    reach: Tensor
    """(V·24,) metres to the end of the grid or of sight."""

    @classmethod
    def of(cls, retina: Retina, terrain: Terrain, viewers: Viewers) -> Rays:
        """Returns the rays of the viewers."""
        x, y = viewers.x.reshape(-1, 1), viewers.y.reshape(-1, 1)
        level = viewers.level.reshape(-1, 1)
        head_cos, head_sin = viewers.head_cos.reshape(-1, 1), viewers.head_sin.reshape(-1, 1)
        cos = head_cos * retina.cos - head_sin * retina.sin
        sin = head_sin * retina.cos + head_cos * retina.sin
        pitch = viewers.pitch.reshape(1, -1).tan()
        slope = ((pitch + retina.tan) / (1.0 - pitch * retina.tan).clamp(min=0.05)).unsqueeze(-1)
        u, v = terrain.uv(level, x, y)
        start = torch.stack((u.expand_as(cos), v.expand_as(cos)), dim=-1).view(-1, 2)
        along = torch.stack((cos * terrain.per_metre[0], sin * terrain.per_metre[1]), dim=-1).view(-1, 2)
        reach = torch.minimum(_to_border(terrain, x, cos, 0), _to_border(terrain, y, sin, 1)).view(-1)
        eye = viewers.eye.reshape(-1, 1)
        return cls(level, x, y, viewers.z.reshape(-1, 1), eye, cos, sin, slope, start, along, reach)

    def obstacles(self, terrain: Terrain, steps: int) -> Tensor:
        """Returns (8, V, 24) keys of obstacles of any height, as far as the steps reach."""
        return self._march(terrain.near, terrain.near_hit, steps)

    def tall_obstacles(self, terrain: Terrain, steps: int) -> Tensor:
        """Returns (8, V, 24) keys of tall obstacles."""
        return self._march(terrain.tall, terrain.tall_hit, steps)

    def _march(self, field: Tensor, hit: Tensor, steps: int) -> Tensor:
        eye = self.eye.expand_as(self.cos).reshape(-1)
        slope = self.slope.expand(ROWS, *self.cos.shape).reshape(ROWS, -1)
        seen = march(field, hit, self.start, self.along, self.reach, eye, slope, steps)
        return seen.view(ROWS, *self.cos.shape)

    def ground(self, terrain: Terrain, surface_category: Tensor) -> Tensor:
        """Returns (8, V, 24) keys of the ground: the viewer's own floor, then corrected by the floor's height there."""
        fall = (-self.slope).clamp(min=1e-4)
        first = ((self.eye - self.foot) / fall).clamp(max=FAR_M)
        height = terrain.sample(terrain.floor, *self._at(first))[0]
        depth = ((self.eye - height) / fall).clamp_(0.0, 2 * FAR_M)
        cell = terrain.cell(*self._at(depth))
        category = surface_category.index_select(0, take(terrain.surface, cell).view(-1).int()).view(depth.shape)
        return key_of(depth, category).add_(penalty(depth - FAR_M))

    def _at(self, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns storey, x, y of the points at those depths."""
        x = torch.addcmul(self.x, self.cos, depth)
        return self.level.expand(x.shape), x, torch.addcmul(self.y, self.sin, depth)

    def draw(self, posts: Posts, seen: Tensor) -> Tensor:
        """Returns the keys with cylinders drawn into them."""
        depth, missed = self._meet(posts)
        keys = key_of(depth, posts.category).add_(missed)
        half_row = depth * _HALF_ROW
        lowest, highest = posts.foot - half_row, posts.head + half_row
        for post in range(len(depth)):
            height = self.slope * depth[post]
            outside = torch.maximum(lowest[post] - height, height - highest[post])
            seen = torch.minimum(seen, penalty(outside).add_(keys[post]))
        return seen

    def hang(self, doors: ClosedDoors, seen: Tensor) -> Tensor:
        """Returns the keys with closed doors drawn into them."""
        leaves = ClosedDoors(*(c.reshape(-1, c.shape[-1]) for c in doors.columns()))
        x, y = self.x.unsqueeze(-1), self.y.unsqueeze(-1)
        depth, along = leaves.crossing(x, y, self.cos.unsqueeze(-1), self.sin.unsqueeze(-1))
        missed = (depth < 0) | (along < 0) | (along > 1) | ~leaves.closed.unsqueeze(-2)
        depth = depth.masked_fill_(missed, 2 * FAR_M).amin(dim=-1)
        height = torch.addcmul(self.eye - self.foot, self.slope, depth)
        outside = torch.maximum(height - DOOR_HEIGHT_M, depth - FAR_M)
        return torch.minimum(seen, penalty(outside).add_(key_of(depth, float(Category.DOOR))))

    def _meet(self, posts: Posts) -> tuple[Tensor, Tensor]:
        """Returns (K, V, 24) depth at which each column meets each cylinder, and a penalty where it doesn't."""
        ahead = posts.dx * self.cos + posts.dy * self.sin
        aside = (posts.dx * self.sin - posts.dy * self.cos).abs_()
        inside = (posts.radius * posts.radius - aside * aside).clamp_(min=0.0).sqrt_()
        depth = (ahead - inside).clamp_(min=0.0)
        excess = torch.maximum(aside - torch.maximum(ahead * _HALF_COLUMN, posts.radius), 1e-3 - ahead)
        return depth, penalty(torch.maximum(excess, posts.absent))


def _to_border(terrain: Terrain, at: Tensor, direction: Tensor, axis: int) -> Tensor:
    """Returns (V, 24) metres to the grid's border along one axis, at most as far as one sees."""
    bounds = terrain.layout.bounds
    safe = direction.abs().clamp(min=1e-6)
    to_high, to_low = bounds[2 + axis] - at, at - bounds[axis]
    distance = torch.where(direction > 0, to_high, to_low) / safe
    return distance.clamp_(0.0, FAR_M)


def avatars(state: State, viewers: Viewers, near: Nearest) -> Posts | None:
    """Returns the nearest avatars as cylinders."""
    near = near.first(SEEN)
    x, y, z = (near.of(state.position[..., axis]) for axis in range(3))
    height, posture = near.of(state.height), near.of(state.posture)
    height = height.masked_fill(posture == int(Posture.LIE), LYING_HEIGHT_M)
    height = torch.where(posture == int(Posture.SIT), height * SITTING_SHARE, height)
    visitor = near.of(state.kind) == _VISITOR
    category = visitor.to(x.dtype) + float(Category.NPC)
    return _posts(viewers, (x, y, z), near.of(state.radius), height, category, ~near.valid)


def _posts(
    viewers: Viewers,
    at: tuple[Tensor, Tensor, Tensor],
    radius: Tensor | float,
    height: Tensor | float,
    category: Tensor | float,
    absent: Tensor,
) -> Posts:
    """Returns cylinders at (B, A, K) points as seen by the viewers."""
    foot = at[2] - viewers.eye.unsqueeze(-1)
    columns = (
        at[0] - viewers.x.unsqueeze(-1),
        at[1] - viewers.y.unsqueeze(-1),
        torch.as_tensor(radius, device=foot.device).expand_as(foot),
        foot,
        foot + height,
        torch.as_tensor(category, device=foot.device).expand_as(foot),
        absent.to(foot.dtype),
    )
    return Posts(*(c.reshape(-1, c.shape[-1]).t().unsqueeze(-1).contiguous() for c in columns))


def loose_things(state: State, viewers: Viewers, loose: Tensor) -> Posts | None:
    """Returns the nearest loose things as cylinders; None in a layout without any."""
    if len(loose) == 0:
        return None
    at = state.thing_position.index_select(1, loose)
    dx = at[..., 0].unsqueeze(1) - viewers.x.unsqueeze(2)
    dy = at[..., 1].unsqueeze(1) - viewers.y.unsqueeze(2)
    square, index = (dx * dx + dy * dy).topk(min(SEEN_THINGS, len(loose)), dim=-1, largest=False)
    x, y, z = (at[..., axis].gather(1, index.view(len(at), -1)).view_as(index) for axis in range(3))
    holder = state.thing_holder.index_select(1, loose).gather(1, index.view(len(at), -1)).view_as(index)
    absent = (square > FAR_M * FAR_M) | (holder == viewers.slots.view(1, -1, 1))
    return _posts(viewers, (x, y, z), THING_RADIUS_M, THING_HEIGHT_M, float(Category.ITEM), absent)
