"""Encoders: each turns one sense of N avatars into tokens of width d.

Absent senses are masked by the caller; an encoder is never given numbers that must not count.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecumene_models.senses import (
    BANDS,
    BODY,
    CATEGORIES,
    COLUMNS,
    EARS,
    FRAMES,
    GOAL,
    NEIGHBOUR,
    PASSABLE,
    ROWS,
    TOUCH,
    VERBS,
    VIEW,
)

VISION_TOKENS = 3
"""Left, middle and right third of the view."""

_FAR_M = 30.0
_LOOKAHEAD_S = 3.0
_BODIES_M = 0.5
"""Two radii: bodies whose centres are this far apart touch."""


def symlog(metres: Tensor) -> Tensor:
    """Returns sign(x) ln(1 + |x|): near things keep their resolution, far things stay bounded."""
    return torch.sign(metres) * torch.log1p(metres.abs())


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Returns two linear layers with a ReLU between."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def _drawn(rows: int, width: int) -> Tensor:
    """Returns a table that is normal at random, as torch makes it.

    Left to itself torch loads its compiler to draw one on the meta device, which takes two seconds.
    """
    table = torch.zeros(rows, width)
    return table if table.is_meta else table.normal_()


class VisionEncoder(nn.Module):
    """A small CNN over category, depth and nearness, beside the nearest obstacle of each column; (N, 3, d).

    Every kernel is as large as its stride, so one reordering of the pixels makes each convolution a plain product, and
    the first one, over one-hot categories, a sum of table rows.
    """

    order: Tensor
    corner: Tensor
    elevation: Tensor
    bars: Tensor

    def __init__(self, d: int) -> None:
        super().__init__()
        self.category = nn.EmbeddingBag(4 * CATEGORIES, 16, mode="sum", _weight=_drawn(4 * CATEGORIES, 16))
        self.fine = nn.Linear(4 * 2, 16)
        self.coarse = nn.Linear(4 * 16, 32)
        self.token = nn.Linear(4 * 32 + COLUMNS // VISION_TOKENS, d)
        self.register_buffer("order", _patch_order(), persistent=False)
        self.register_buffer("corner", _patch_corner(), persistent=False)
        self.register_buffer("elevation", _elevation(), persistent=False)
        self.register_buffer("bars", _bars(), persistent=False)

    def forward(self, depth: Tensor, kind: Tensor, pitch: Tensor) -> Tensor:
        """Encodes (N, 8, 24) depth in m, (N, 8, 24) category and (N,) pitch of the gaze in radians."""
        count = len(depth)
        metres = depth.flatten(1).index_select(1, self.order).view(count, 48, 4)
        row = kind.flatten(1).index_select(1, self.order).int() + self.corner
        shapes = self.fine(torch.cat((metres * (1 / _FAR_M), 1.0 / (1.0 + metres)), dim=-1))
        patches = torch.relu(shapes + self.category(row.view(-1, 4)).view_as(shapes))
        blocks = torch.relu(self.coarse(patches.view(count, 12, 64)))
        near = self.nearness(depth, kind, pitch).view(count, VISION_TOKENS, COLUMNS // VISION_TOKENS)
        tokens: Tensor = self.token(torch.cat((blocks.view(count, VISION_TOKENS, 128), near), dim=-1))
        return tokens

    def nearness(self, depth: Tensor, kind: Tensor, pitch: Tensor) -> Tensor:
        """Returns (N, 24) 1 / (0.3 + metres along the ground) of the nearest obstacle in each column, 0 for none."""
        along = depth * (self.elevation + pitch[:, None]).cos()[..., None]
        bars = self.bars.index_select(0, kind.reshape(-1).int()).view_as(along)
        return (bars / (0.3 + along)).amax(dim=1)


def _elevation() -> Tensor:
    """Returns (8,) elevation of each row above the middle of the view, radians."""
    return VIEW[1] * (0.5 - (torch.arange(ROWS, device="cpu") + 0.5) / ROWS)


def _bars() -> Tensor:
    """Returns (16,) 1 for each category that bars the way, else 0."""
    return torch.tensor([float(category not in PASSABLE) for category in range(CATEGORIES)], device="cpu")


def _patch_order() -> Tensor:
    """Returns (192,) pixels ordered by third of the view, then 4 × 4 block, 2 × 2 patch, pixel."""
    pixels = torch.arange(ROWS * COLUMNS, device="cpu").view(2, 2, 2, VISION_TOKENS, 2, 2, 2)
    return pixels.permute(3, 0, 4, 1, 5, 2, 6).flatten()


def _patch_corner() -> Tensor:
    """Returns (192,) first table row of each ordered pixel: its corner of the 2 × 2 patch times the categories."""
    return (torch.arange(ROWS * COLUMNS, device="cpu") % 4 * CATEGORIES).int()


class HearingEncoder(nn.Module):
    """Two strided convolutions in time over the sum and the difference of the ears; (N, 1, d).

    The difference is enlarged because it carries the direction of a sound and is small beside the level.
    """

    def __init__(self, d: int, hidden: int = 48) -> None:
        super().__init__()
        self.pair = nn.Linear(2 * EARS * BANDS, hidden)
        self.quad = nn.Linear(2 * hidden, hidden)
        self.token = nn.Linear(FRAMES // 4 * hidden, d)

    def forward(self, hearing: Tensor) -> Tensor:
        """Encodes (N, 2, 8, 16) log-mel frames, newest last."""
        left, right = hearing.unbind(dim=1)
        frames = torch.cat((0.5 * (left + right), 4.0 * (left - right)), dim=-1)
        pairs = torch.relu(self.pair(frames.reshape(len(hearing), FRAMES // 2, 4 * BANDS)))
        quads = torch.relu(self.quad(pairs.reshape(len(hearing), FRAMES // 4, 2 * pairs.shape[-1])))
        token: Tensor = self.token(quads.flatten(1)[:, None])
        return token


class VectorEncoder(nn.Module):
    """An MLP over one plain vector; (N, 1, d)."""

    def __init__(self, width: int, d: int) -> None:
        super().__init__()
        self.layers = mlp(width, d, d)

    def forward(self, vector: Tensor) -> Tensor:
        """Encodes (N, width)."""
        token: Tensor = self.layers(vector)[:, None]
        return token


class IntentEncoder(nn.Module):
    """Verb, way and goal; (N, 1, d)."""

    def __init__(self, d: int, embedding: int = 16) -> None:
        super().__init__()
        self.verb = nn.Embedding(VERBS, embedding, _weight=_drawn(VERBS, embedding))
        self.layers = mlp(embedding + GOAL + 3, d, d)

    def forward(self, goal: Tensor, verb: Tensor) -> Tensor:
        """Encodes (N, 6) goal in m and (N,) verb."""
        way, distance = goal[:, :2], goal[:, 2:3]
        direction = way / distance.clamp(min=0.1)
        shaped = (symlog(goal[:, :4]), goal[:, 4:], direction, 1.0 / (1.0 + distance), self.verb(verb))
        token: Tensor = self.layers(torch.cat(shaped, dim=-1))[:, None]
        return token


class NeighbourEncoder(nn.Module):
    """One token per neighbour from relative place, motion and role; (N, 8, d)."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.layers = mlp(NEIGHBOUR + 7, d, d)

    def forward(self, neighbours: Tensor) -> Tensor:
        """Encodes (N, 8, 12) neighbours in the body frame, m and m/s."""
        place, motion, distance, rest = torch.split(neighbours, [3, 2, 1, NEIGHBOUR - 6], dim=-1)
        direction = place[..., :2] / distance.clamp(min=0.1)
        near = 1.0 / (0.3 + distance)
        shaped = (symlog(place), motion, symlog(distance), rest, direction, near, encounter(place[..., :2], motion))
        tokens: Tensor = self.layers(torch.cat(shaped, dim=-1))
        return tokens


def encounter(place: Tensor, motion: Tensor) -> Tensor:
    """Returns (..., 4) what would come of two bodies if neither changed its velocity within the next three seconds.

    The columns are how soon they are closest (1 now, 0 later), the gap between them then (m, at most 2), and the
    product of soon and a gap below 0.5 m to the left and to the right, which is large where one has to give way.

    Args:
        place: (..., 2) relative position, m.
        motion: (..., 2) relative velocity, m/s.
    """
    speed2 = (motion * motion).sum(dim=-1).clamp(min=1e-4)
    seconds = (-(place * motion).sum(dim=-1) / speed2).clamp(0.0, _LOOKAHEAD_S)
    closest = place + motion * seconds[..., None]
    gap = closest.square().sum(dim=-1).sqrt() - _BODIES_M
    soon = 1.0 - seconds / _LOOKAHEAD_S
    urgent = soon * (1.0 - 2.0 * gap).clamp(0.0, 2.0)
    left = closest[..., 1] > 0
    return torch.stack((soon, gap.clamp(max=2.0), urgent * left, urgent * ~left), dim=-1)


def touch_encoder(d: int) -> VectorEncoder:
    """Returns the encoder of (N, 10) touch."""
    return VectorEncoder(TOUCH, d)


def body_encoder(d: int) -> VectorEncoder:
    """Returns the encoder of (N, 12) proprioception."""
    return VectorEncoder(BODY, d)
