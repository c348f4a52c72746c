"""A graph network that says how the things of a room stand to one another, from boxes and sorts alone.

Rough guesses, made by rule from noisy boxes, are the typed edges along which messages pass; the network corrects them
and adds what no single pair of boxes shows, such as which way a chair faces.

Source: relational graph convolution of Schlichtkrull et al., Modeling Relational Data with GCNs, ESWC 2018, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError

MODEL: Final = "relations"
PAIRED: Final = ("on", "inside", "next_to", "facing", "under")
"""Relations of an ordered pair, in the order of the pair outputs."""
EDGE_TYPES: Final = 8
"""on, inside, under and their opposites, next to, near."""
_PAIR_FEATURES: Final = 12
_NODE_FEATURES: Final = 7


@dataclass(frozen=True, slots=True)
class RelationsConfig:
    """Sizes of the network.

    Attributes:
        sorts: Sorts of things that it knows.
        width: Of the features of a thing.
        rounds: Of message passing; 0 looks at each pair alone.
        dropout: Share of features of things left out while training.
    """

    sorts: int
    width: int = 64
    rounds: int = 3
    dropout: float = 0.1


class Boxes(NamedTuple):
    """Things of B rooms, up to N each.

    Attributes:
        sort: (B, N) i64; -1 where there is none.
        centre: (B, N, 3) metres, z up.
        size: (B, N, 3) of the axis-aligned box, metres.
        floor: (B, 4) least x, y and greatest x, y of the floor; NaN where it is not known.
    """

    sort: Tensor
    centre: Tensor
    size: Tensor
    floor: Tensor

    @property
    def there(self) -> Tensor:
        """(B, N) bool, where there is a thing."""
        return self.sort >= 0


class Related(NamedTuple):
    """Logits.

    Attributes:
        pairs: (B, N, N, 5) how the row's thing stands to the column's, see `PAIRED`.
        wall: (B, N) whether a thing stands against a wall.
    """

    pairs: Tensor
    wall: Tensor


class RelationsNet(nn.Module):
    """Message passing over typed edges, then one head for pairs and one for walls."""

    def __init__(self, config: RelationsConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.sort = nn.Embedding(config.sorts, w)
        self.box = nn.Linear(_NODE_FEATURES, w)
        self.own = nn.ModuleList([nn.Linear(w, w) for _ in range(config.rounds)])
        self.passed = nn.ModuleList([nn.Linear(EDGE_TYPES * w, w, bias=False) for _ in range(config.rounds)])
        self.norm = nn.ModuleList([nn.LayerNorm(w) for _ in range(config.rounds)])
        self.first = nn.Linear(w, w)
        self.second = nn.Linear(w, w, bias=False)
        self.pair = nn.Linear(_PAIR_FEATURES, w, bias=False)
        self.between = nn.Linear(w, w)
        self.head = nn.Linear(w, len(PAIRED))
        self.wall = nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, 1))
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        nn.init.normal_(self.sort.weight, std=0.5, generator=generator)

    def forward(self, boxes: Boxes, drop: torch.Generator | None = None) -> Related:
        """Returns logits; `drop` decides which features are left out while training."""
        pairs = pair_features(boxes)
        edges = rough_edges(boxes)
        shares = edges / edges.sum(3, keepdim=True).clamp_min(1.0)
        things = torch.relu(self.sort(boxes.sort.clamp_min(0)) + self.box(node_features(boxes)))
        for own, passed, norm in zip(self.own, self.passed, self.norm, strict=True):
            heard = torch.einsum("brij,bjw->birw", shares, things).flatten(2)
            things = things + torch.relu(norm(own(things) + passed(heard)))
            if drop is not None and self.config.dropout:
                kept = torch.rand(things.shape, generator=drop).to(things.device) >= self.config.dropout
                things = things * kept / (1 - self.config.dropout)
        joint = self.first(things)[:, :, None] + self.second(things)[:, None] + self.pair(pairs)
        logits = self.head(torch.relu(self.between(torch.relu(joint))))
        return Related(logits, self.wall(things).squeeze(2))


class Offsets(NamedTuple):
    """How the boxes of all ordered pairs lie to each other, each (B, N, N), row i against column j.

    Attributes:
        gap: Metres between the footprints; 0 where they overlap.
        covered: Share of i's footprint that lies over j's.
        above: Bottom of i over the top of j, metres; negative if lower.
        raised: Bottom of i over the bottom of j.
        overtops: Top of i over the top of j.
        shared: Height that both take up, as a share of the lower one's.
    """

    gap: Tensor
    covered: Tensor
    above: Tensor
    raised: Tensor
    overtops: Tensor
    shared: Tensor


def offsets(boxes: Boxes) -> Offsets:
    """Returns how the boxes of all ordered pairs lie to each other."""
    low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
    low_i, high_i, low_j, high_j = low[:, :, None], high[:, :, None], low[:, None], high[:, None]
    common = torch.minimum(high_i, high_j) - torch.maximum(low_i, low_j)
    gap = (-common[..., :2]).clamp_min(0).norm(dim=3)
    area = (high_i - low_i)[..., :2].clamp_min(0.01).prod(3)
    covered = common[..., :2].clamp_min(0).prod(3) / area
    lower = torch.minimum((high_i - low_i)[..., 2], (high_j - low_j)[..., 2]).clamp_min(0.01)
    above, raised, overtops = (low_i - high_j)[..., 2], (low_i - low_j)[..., 2], (high_i - high_j)[..., 2]
    return Offsets(gap, covered, above, raised, overtops, (common[..., 2].clamp_min(0) / lower).clamp_max(1))


def pair_features(boxes: Boxes) -> Tensor:
    """Returns (B, N, N, 12) of all ordered pairs."""
    o = offsets(boxes)
    apart = boxes.centre[:, None, :, :2] - boxes.centre[:, :, None, :2]
    distance = apart.norm(dim=3, keepdim=True)
    way = apart / distance.clamp_min(0.05)
    heights = torch.stack((o.above, o.raised, o.overtops), dim=3)
    near = torch.stack(((-o.gap / 0.15).exp(), (-o.gap / 0.6).exp()), dim=3)
    rest = torch.stack((o.covered, o.covered.transpose(1, 2), o.shared), dim=3)
    touching = (-o.above.abs() / 0.1).exp()[..., None]
    return torch.cat((way, (-distance / 2).exp(), heights.clamp(-2, 2), near, rest, touching), dim=3)


def node_features(boxes: Boxes) -> Tensor:
    """Returns (B, N, 7): size, height of the bottom, nearness and direction of the nearest wall."""
    gap, way = wall_gap(boxes)
    near = torch.where(gap.isnan(), 0.0, (-gap.clamp_min(0) / 0.3).exp())
    bottom = boxes.centre[..., 2] - boxes.size[..., 2] / 2
    parts = (boxes.size.clamp_min(0.01).log(), bottom[..., None], near[..., None], way * near[..., None])
    return torch.cat(parts, dim=2)


def wall_gap(boxes: Boxes) -> tuple[Tensor, Tensor]:
    """Returns metres to the nearest wall (B, N), NaN where the floor is not known, and the way there (B, N, 2)."""
    low, high = boxes.centre - boxes.size / 2, boxes.centre + boxes.size / 2
    floor = boxes.floor[:, None]
    sides = torch.cat((low[..., :2] - floor[..., :2], floor[..., 2:] - high[..., :2]), dim=2)
    gap, side = sides.nan_to_num(nan=torch.inf).min(2)
    ways = boxes.centre.new_tensor([[-1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    return torch.where(gap.isinf(), torch.nan, gap), ways[side]


def rough_edges(boxes: Boxes) -> Tensor:
    """Returns (B, 8, N, N) of 0 and 1: which typed edges messages pass along, guessed by rule."""
    o = offsets(boxes)
    both = (
        boxes.there[:, :, None]
        & boxes.there[:, None]
        & ~torch.eye(boxes.sort.shape[1], dtype=torch.bool).to(boxes.sort.device)
    )
    on = (o.covered > 0.4) & (o.above.abs() < 0.12)
    inside = (o.covered > 0.7) & (o.raised > -0.05) & (o.overtops < 0.05) & ~on
    under = (o.covered > 0.2) & (o.raised.abs() < 0.25) & ~inside
    beside = (o.gap < 0.4) & (o.shared > 0.3)
    near = o.gap < 1.5
    kinds = (on, on.transpose(1, 2), inside, inside.transpose(1, 2), under, under.transpose(1, 2), beside, near)
    return torch.stack([(kind & both).float() for kind in kinds], dim=1)


def save_relations(network: RelationsNet, path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes a network and returns the digest."""
    return checkpoint.write(path, network, model=MODEL, config=asdict(network.config), notes=notes)


def load_relations(path: Path) -> RelationsNet:
    """Reads a network, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        network = RelationsNet(RelationsConfig(**found.config))
    except (TypeError, ValueError, RuntimeError):
        raise WeightsError(f"{path} describes a network that can't be built: {dict(found.config)}") from None
    checkpoint.fit(network, found, path)
    return network.eval()
