"""A graph network that puts the furniture of a room straight: boxes a little out of place in, better places out.

It unrolls a few steps; in each, messages pass between things that are near one another, and every thing moves a little.
What it learned from is where people put things, so it knows that chairs belong to tables and cabinets to walls.

Moves are sums of ways to neighbours and walls, each weighed by what the messages say.

Source: equivariant updates of coordinates of Satorras et al., E(n) Equivariant Graph Neural Networks, ICML 2021,
equation 4; here along the axes of the room, with walls as further neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError
from ecumene_models.relations import Boxes, node_features, offsets, pair_features

MODEL: Final = "placement"
NEAR_M: Final = 1.5
"""Things that are farther apart say nothing to one another."""
_NODE_FEATURES: Final = 15
_PAIR_FEATURES: Final = 14
_PAIR_WAYS: Final = 4
_WALLS: Final = 4


@dataclass(frozen=True, slots=True)
class PlacementConfig:
    """Sizes of the network.

    Attributes:
        sorts: Sorts of things that it knows.
        width: Of the features of a thing.
        rounds: Of message passing in a step.
        steps: In which things move.
        reach_m: How far a thing can move in a step, each axis.
    """

    sorts: int
    width: int = 64
    rounds: int = 2
    steps: int = 4
    reach_m: float = 0.4


class PlacementNet(nn.Module):
    """Message passing between near things, then how far each one moves; the same weights in every step."""

    def __init__(self, config: PlacementConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.sort = nn.Embedding(config.sorts, w)
        self.box = nn.Linear(_NODE_FEATURES, w)
        self.pair = nn.ModuleList([nn.Linear(_PAIR_FEATURES, w, bias=False) for _ in range(config.rounds)])
        self.first = nn.ModuleList([nn.Linear(w, w) for _ in range(config.rounds)])
        self.second = nn.ModuleList([nn.Linear(w, w, bias=False) for _ in range(config.rounds)])
        self.passed = nn.ModuleList([nn.Linear(2 * w, w) for _ in range(config.rounds)])
        self.norm = nn.ModuleList([nn.LayerNorm(w) for _ in range(config.rounds)])
        self.drawn = nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, _PAIR_WAYS))
        self.leans = nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, _WALLS))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        nn.init.normal_(self.sort.weight, std=0.5, generator=generator)
        for name in ("drawn.2.weight", "leans.2.weight"):
            nn.init.zeros_(self.get_parameter(name))

    def forward(self, boxes: Boxes) -> list[Boxes]:
        """Returns the room after each step."""
        rooms: list[Boxes] = []
        for _ in range(self.config.steps):
            boxes = boxes._replace(centre=boxes.centre + self._moves(boxes))
            rooms.append(boxes)
        return rooms

    def _moves(self, boxes: Boxes) -> Tensor:
        """Returns (B, N, 3) metres that each thing moves, none of them up or down."""
        ways, gaps, near = _ways(boxes), _gaps(boxes), neighbours(boxes)[..., None]
        pairs = torch.cat((pair_features(boxes), ways[..., 2:]), dim=3)
        things = torch.relu(self.sort(boxes.sort.clamp_min(0)) + self.box(_nodes(boxes, gaps)))
        said = torch.zeros_like(pairs[..., :1])
        rounds = zip(self.pair, self.first, self.second, self.passed, self.norm, strict=True)
        for pair, first, second, passed, norm in rounds:
            said = torch.relu(first(things)[:, :, None] + second(things)[:, None] + pair(pairs)) * near
            things = things + torch.relu(norm(passed(torch.cat((said.sum(2) / 4, said.amax(2)), dim=2))))
        drawn = (self.drawn(said) * ways * near).unflatten(3, (2, 2)).sum((2, 3))
        leans = (self.leans(things) * gaps).unflatten(2, (2, 2)) * gaps.new_tensor([[-1.0], [1.0]])
        moves = torch.tanh((drawn + leans.sum(2)) / self.config.reach_m) * self.config.reach_m
        return nn.functional.pad(moves * boxes.there[..., None], (0, 1))


def neighbours(boxes: Boxes) -> Tensor:
    """Returns (B, N, N) bool: which things hear one another."""
    both = boxes.there[:, :, None] & boxes.there[:, None]
    return both & (offsets(boxes).gap < NEAR_M) & ~torch.eye(boxes.sort.shape[1], dtype=torch.bool, device=both.device)


def intrusion(boxes: Boxes) -> Tensor:
    """Returns (B, N, N) metres by which two footprints would have to part, along x or y, not to overlap; 0 if apart.

    Things that share no height overlap by nothing.
    """
    low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
    common = torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(low[:, :, None], low[:, None])
    others = ~torch.eye(boxes.sort.shape[1], dtype=torch.bool, device=common.device)
    both = boxes.there[:, :, None] & boxes.there[:, None] & others & (common[..., 2] > 0)
    return common[..., :2].amin(3).clamp_min(0) * both


def excursion(boxes: Boxes) -> Tensor:
    """Returns (B, N) metres by which a thing reaches over the floor's edge; 0 where the floor is not known."""
    low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
    floor = boxes.floor[:, None]
    over = torch.cat((floor[..., :2] - low[..., :2], high[..., :2] - floor[..., 2:]), dim=2)
    return over.nan_to_num(nan=0.0).amax(2).clamp_min(0) * boxes.there


def save_placement(network: PlacementNet, path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes a network and returns the digest."""
    return checkpoint.write(path, network, model=MODEL, config=asdict(network.config), notes=notes)


def load_placement(path: Path) -> PlacementNet:
    """Reads a network, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        network = PlacementNet(PlacementConfig(**found.config))
    except (TypeError, ValueError, RuntimeError):
        raise WeightsError(f"{path} describes a network that can't be built: {dict(found.config)}") from None
    checkpoint.fit(network, found, path)
    return network.eval()


def _gaps(boxes: Boxes) -> Tensor:
    """Returns (B, N, 4) metres to the walls at least x, least y, greatest x, greatest y; 0 where they are not known."""
    low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
    floor = boxes.floor[:, None]
    gaps = torch.cat((low[..., :2] - floor[..., :2], floor[..., 2:] - high[..., :2]), dim=2)
    return gaps.nan_to_num(nan=0.0).clamp(-1, 1)


def _nodes(boxes: Boxes, gaps: Tensor) -> Tensor:
    """Returns (B, N, 15): what relations look at, how far off the four walls are, and how near."""
    known = ~boxes.floor.isnan()[:, None]
    return torch.cat((node_features(boxes), gaps, (-gaps.abs() / 0.2).exp() * known), dim=2)


def _ways(boxes: Boxes) -> Tensor:
    """Returns (B, N, N, 4): x and y from thing to thing, and how far they would have to part along each, signed."""
    low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
    common = torch.minimum(high[:, :, None], high[:, None]) - torch.maximum(low[:, :, None], low[:, None])
    apart = boxes.centre[:, None, :, :2] - boxes.centre[:, :, None, :2]
    return torch.cat((apart, common[..., :2] * apart.sign()), dim=3).clamp(-1, 1)
