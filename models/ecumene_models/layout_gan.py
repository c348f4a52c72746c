"""A conditional generative adversarial network of room layouts: type, floor and tags in, a set of things out.

The generator furnishes a room thing by thing: a transformer over what stands already draws the next kind and its size,
then points at one of many candidate poses by Gumbel noise. Candidates are proposed along walls, beside and about other
things, on top of them and at random; how each lies to the walls and to all that stands is what it is judged by, so
what is learned holds for floors of any size. The critic sees whole layouts through the same eyes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from ecumene_models import checkpoint
from ecumene_models.errors import WeightsError
from ecumene_models.layouts import (
    FLOOR,
    PAIR_FEATURES,
    WALL_FEATURES,
    Layouts,
    Things,
    extents,
    pair_features,
    things_of,
    wall_features,
)

MODEL: Final = "layout"
KEPT: Final = 24
"""Offsets remembered of each pair of kinds."""
_SIZES: Final = 3


@dataclass(frozen=True, slots=True)
class LayoutConfig:
    """Sizes of generator and critic.

    Attributes:
        kinds: Kinds of things.
        roles: Types of rooms.
        tags: Wishes.
        most: Greatest number of things in a room.
        width: Of features.
        heads: Of attention.
        layers: Of the transformer.
        sizes: Typical sizes of each kind.
    """

    kinds: int
    roles: int
    tags: int
    most: int = 40
    width: int = 48
    heads: int = 4
    layers: int = 2
    sizes: int = 8


class Candidates(NamedTuple):
    """M poses for each of T things.

    Attributes:
        place: (T, M, 2) metres.
        yaw: (T, M) radians.
        support: (T, M) i64 column of what it would stand on; `FLOOR` for the floor.
    """

    place: Tensor
    yaw: Tensor
    support: Tensor


class Eye(nn.Module):
    """How a thing lies to the walls and to others, as features."""

    def __init__(self, config: LayoutConfig) -> None:
        super().__init__()
        w, kinds = config.width, config.kinds
        self.one = nn.Embedding(kinds, w)
        self.other = nn.Embedding(kinds, w)
        self.pair = nn.Embedding(kinds * kinds, w)
        self.lie = nn.Linear(PAIR_FEATURES, w)
        self.between = nn.Linear(w, w)
        self.wall = nn.Linear(WALL_FEATURES + 3, w)
        self.kind = nn.Embedding(kinds, w)
        self.corner = nn.Linear(w, w)
        self.kinds = kinds
        nn.init.normal_(self.pair.weight, std=0.02)

    def forward(self, kind: Tensor, one: Things, floor: Tensor, others: tuple[Tensor, Things], seen: Tensor) -> Tensor:
        """Returns (T, M, 2 width).

        Args:
            kind: (T,) or (T, M) of the things.
            one: Their poses and sizes, (T, M).
            floor: (T, 1, 2).
            others: Kinds (T, J) and poses and sizes (T, J) of what they are seen beside.
            seen: (T, M, J) 0 where there is nothing, 1 where there is, 2 where it carries the thing.
        """
        other_kind, other = others
        kind = kind if kind.dim() == 2 else kind[:, None]
        row, at = (seen > 0).any(1).nonzero(as_tuple=True)
        how = seen[row, :, at]
        lie = pair_features(
            Things(one.place[row], one.yaw[row], one.size[row]),
            Things(other.place[row, at][:, None], other.yaw[row, at][:, None], other.size[row, at][:, None]),
            (how > 1).float(),
        )
        met = other_kind[row, at][:, None]
        names = self.one(kind[row]) + self.other(met) + self.pair(kind[row] * self.kinds + met)
        pairs = torch.relu(self.between(torch.relu(self.lie(lie) + names))) * (how > 0).float()[..., None]
        company = pairs.new_zeros(*one.yaw.shape, pairs.shape[2]).index_add(0, row, pairs) / 4
        area = torch.cat((one.size[..., :2], floor.prod(-1, keepdim=True).sqrt().expand_as(one.size[..., :1]) / 4), -1)
        walls = torch.relu(self.wall(torch.cat((wall_features(one, floor), area), -1)) + self.kind(kind))
        return torch.cat((company, torch.relu(self.corner(walls))), -1)


class LayoutGenerator(nn.Module):
    """Furnishes rooms thing by thing.

    Buffers hold what is typical of the rooms learned from: sizes of each kind, what carries what, and how things of
    two kinds lay to each other; candidates are drawn from them.
    """

    typical: Tensor
    spread: Tensor
    carried: Tensor
    carriers: Tensor
    offsets: Tensor
    offset_count: Tensor

    def __init__(self, config: LayoutConfig) -> None:
        super().__init__()
        self.config = config
        w, kinds = config.width, config.kinds
        self.room = nn.Linear(config.roles + config.tags + 3, w)
        self.thing = nn.Embedding(kinds, w)
        self.shape = nn.Linear(_SIZES + WALL_FEATURES, w)
        self.done = nn.Linear(kinds, w)
        layer = nn.TransformerEncoderLayer(w, config.heads, 2 * w, 0.1, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.next = nn.Linear(w, kinds + 1)
        self.named = nn.Embedding(kinds, w)
        self.extent = nn.Sequential(nn.Linear(2 * w, w), nn.ReLU(), nn.Linear(w, config.sizes))
        self.eye = Eye(config)
        self.context = nn.Linear(w, w)
        self.pose = nn.Sequential(nn.Linear(3 * w, w), nn.ReLU(), nn.Linear(w, w), nn.ReLU(), nn.Linear(w, 1))
        self.register_buffer("typical", torch.zeros(kinds, config.sizes, _SIZES))
        self.register_buffer("spread", torch.zeros(kinds))
        self.register_buffer("carried", torch.zeros(kinds))
        self.register_buffer("carriers", torch.zeros(kinds, kinds))
        self.register_buffer("offsets", torch.zeros(kinds, kinds, KEPT, 3))
        self.register_buffer("offset_count", torch.zeros(kinds, kinds, dtype=torch.long))

    def contexts(self, layouts: Layouts) -> Tensor:
        """Returns (B, N + 1, width): what is known before each thing, from the room and the things before it."""
        size = layouts.floor.sort(1).values / 4
        room = torch.cat(
            (
                functional.one_hot(layouts.role, self.config.roles).float(),
                layouts.tags,
                size,
                size.prod(1, keepdim=True),
            ),
            1,
        )
        there = layouts.there[..., None].float()
        kinds = functional.one_hot(layouts.kind.clamp_min(0), self.config.kinds).float() * there
        shape = torch.cat((layouts.size, wall_features(things_of(layouts), layouts.floor[:, None])), 2)
        things = self.thing(layouts.kind.clamp_min(0)) + self.shape(shape) + self.done(kinds.cumsum(1))
        tokens = torch.cat((self.room(room)[:, None], things), 1)
        count = tokens.shape[1]
        ahead = torch.ones(count, count, dtype=torch.bool, device=tokens.device).triu(1)
        out: Tensor = self.layers(tokens, mask=ahead)
        return out

    def kind_logits(self, contexts: Tensor, last: Tensor) -> Tensor:
        """Returns (..., kinds + 1) of the next kind, the end last; no kind comes after a later one (`last`)."""
        logits: Tensor = self.next(contexts)
        kinds = torch.arange(self.config.kinds + 1, device=logits.device)
        return logits.masked_fill(kinds < last[..., None], -torch.inf)

    def size_logits(self, contexts: Tensor, kind: Tensor) -> Tensor:
        """Returns (..., sizes) of the typical sizes of a kind."""
        logits: Tensor = self.extent(torch.cat((contexts, self.named(kind)), -1))
        return logits

    def pose_logits(self, context: Tensor, kind: Tensor, size: Tensor, found: Candidates, before: Layouts) -> Tensor:
        """Returns (T, M) of candidates.

        Args:
            context: (T, width).
            kind: (T,).
            size: (T, 3).
            found: Candidates.
            before: T rooms with what stands before each thing.
        """
        one = Things(found.place, found.yaw, size[:, None].expand(-1, found.yaw.shape[1], -1))
        columns = torch.arange(before.kind.shape[1], device=kind.device)
        seen = before.there[:, None].long() + (found.support[..., None] == columns).long()
        others = (before.kind.clamp_min(0), things_of(before))
        looks = self.eye(kind, one, before.floor[:, None], others, seen)
        context = self.context(context)[:, None].expand(-1, looks.shape[1], -1)
        logits: Tensor = self.pose(torch.cat((looks, context), 2)).squeeze(2)
        return logits

    def propose(
        self, kind: Tensor, size: Tensor, before: Layouts, count: int, generator: torch.Generator
    ) -> Candidates:
        """Returns `count` candidates for each of T things, drawn at random."""
        return _Proposals(self, kind, size, before, count, generator).drawn()

    @torch.no_grad()
    def sample(
        self,
        rooms: Layouts,
        generator: torch.Generator,
        *,
        candidates: int = 256,
        warmth: float = 1.0,
        pose_warmth: float = 1.0,
    ) -> Layouts:
        """Returns rooms furnished anew.

        Args:
            rooms: Roles, floors and tags; things in them are ignored.
            generator: Of all chance, on the CPU.
            candidates: Poses tried for each thing.
            warmth: Below 1, what is likely becomes more so.
            pose_warmth: The same for poses.
        """
        made = rooms.empty(self.config.most)
        last = torch.zeros(len(rooms.role), dtype=torch.long)
        for at in range(self.config.most):
            before = made.before(at)
            context = self.contexts(before)[:, -1]
            kind = _drawn(self.kind_logits(context, last) / warmth, generator)
            going = (kind < self.config.kinds).nonzero().flatten()
            last = kind
            if not len(going):
                break
            kind = kind[going]
            which = _drawn(self.size_logits(context[going], kind) / warmth, generator)
            noise = torch.randn(len(going), 1, generator=generator) * self.spread[kind][:, None]
            size = (self.typical[kind, which] + noise).exp()
            some = before.rows(going)
            found = self.propose(kind, size, some, candidates, generator)
            choice = _drawn(self.pose_logits(context[going], kind, size, found, some) / pose_warmth, generator)
            row = torch.arange(len(going))
            made.kind[going, at], made.size[going, at] = kind, size
            made.place[going, at], made.yaw[going, at] = found.place[row, choice], found.yaw[row, choice]
            made.support[going, at] = found.support[row, choice]
        return made.cropped()


class LayoutCritic(nn.Module):
    """Says how real a layout looks, thing by thing."""

    def __init__(self, config: LayoutConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.eye = Eye(config)
        self.room = nn.Linear(config.roles + config.tags + 3, w)
        self.counts = nn.Linear(config.kinds, w)
        self.each = nn.Sequential(nn.Linear(3 * w, w), nn.LeakyReLU(0.2), nn.Linear(w, 1))
        self.whole = nn.Sequential(nn.Linear(5 * w, w), nn.LeakyReLU(0.2), nn.Linear(w, 1))
        for layer in [layer for layer in self.modules() if isinstance(layer, nn.Linear)]:
            parametrizations.spectral_norm(layer)

    def forward(self, layouts: Layouts) -> tuple[Tensor, Tensor]:
        """Returns how real each room looks (B,), and each thing in it (B, N); greater is more real."""
        size = layouts.floor.sort(1).values / 4
        role = functional.one_hot(layouts.role, self.config.roles).float()
        room = self.room(torch.cat((role, layouts.tags, size, size.prod(1, keepdim=True)), 1))
        there = layouts.there
        columns = torch.arange(there.shape[1], device=there.device)
        both = there[:, :, None] & there[:, None] & ~torch.eye(there.shape[1], dtype=torch.bool, device=there.device)
        seen = both.long() + ((layouts.support[..., None] == columns) & both).long()
        kind, things = layouts.kind.clamp_min(0), things_of(layouts)
        looks = self.eye(kind, things, layouts.floor[:, None], (kind, things), seen)
        each: Tensor = self.each(torch.cat((looks, room[:, None].expand(-1, looks.shape[1], -1)), 2)).squeeze(2)
        each = each * there
        counts = functional.one_hot(kind, self.config.kinds).float() * there[..., None]
        mean = (looks * there[..., None]).sum(1) / there.sum(1, keepdim=True).clamp_min(1)
        most = (looks * there[..., None]).amax(1)[:, : self.config.width]
        whole = self.whole(torch.cat((mean, most, room, torch.relu(self.counts(counts.sum(1)))), 1)).squeeze(1)
        return whole + each.sum(1) / there.sum(1).clamp_min(1), each


class LayoutGan(nn.Module):
    """Generator and critic."""

    def __init__(self, config: LayoutConfig) -> None:
        super().__init__()
        self.config = config
        self.generator = LayoutGenerator(config)
        self.critic = LayoutCritic(config)


class _Proposals:
    """Draws candidates of T things, M each, of five sorts."""

    def __init__(
        self,
        network: LayoutGenerator,
        kind: Tensor,
        size: Tensor,
        before: Layouts,
        count: int,
        generator: torch.Generator,
    ) -> None:
        self.network, self.kind, self.before, self.generator = network, kind, before, generator
        self.shape = (len(kind), count)
        self.size = size[:, None].expand(-1, count, -1)
        self.floor = before.floor[:, None].expand(-1, count, -1)

    def drawn(self) -> Candidates:
        """Returns candidates: on things, at walls, beside things, about things, anywhere."""
        place, yaw = self._anywhere()
        support = torch.full(self.shape, FLOOR)
        sort = self._uniform()
        for limit, draw in ((0.75, self._at_wall), (0.35, self._about), (0.15, self._beside)):
            here = sort < limit
            other, turned, valid = draw()
            place = torch.where((here & valid)[..., None], other, place)
            yaw = torch.where(here & valid, turned, yaw)
        other, turned, valid, carrier = self._upon()
        place = torch.where(valid[..., None], other, place)
        return Candidates(place, torch.where(valid, turned, yaw), torch.where(valid, carrier, support))

    def _uniform(self, *more: int) -> Tensor:
        return torch.rand((*self.shape, *more), generator=self.generator)

    def _quarter(self) -> Tensor:
        return torch.randint(4, self.shape, generator=self.generator) * (torch.pi / 2)

    def _reach(self, yaw: Tensor) -> Tensor:
        return extents(yaw, self.size)

    def _anywhere(self) -> tuple[Tensor, Tensor]:
        yaw = torch.where(self._uniform() < 0.7, self._quarter(), self._uniform() * 2 * torch.pi - torch.pi)
        reach = self._reach(yaw)
        return reach + self._uniform(2) * (self.floor - 2 * reach).clamp_min(0), yaw

    def _at_wall(self) -> tuple[Tensor, Tensor, Tensor]:
        """Near a wall, mostly with the back to it, a third of them in a corner."""
        side = torch.randint(4, self.shape, generator=self.generator)
        inward = side * (torch.pi / 2)
        yaw = torch.where(self._uniform() < 0.7, inward, self._quarter())
        reach = self._reach(yaw)
        gap = -torch.where(self._uniform() < 0.6, 0.05, 0.2) * (1 - self._uniform()).log()
        room = (self.floor - 2 * reach).clamp_min(0)
        place = reach + self._uniform(2) * room
        corner = torch.where((self._uniform() < 0.5)[..., None], gap[..., None], room - gap[..., None])
        place = torch.where((self._uniform() < 0.33)[..., None], reach + corner.clamp_min(0), place)
        lengthwise = (side % 2)[..., None] == torch.tensor([0, 1])
        low = (side < 2)[..., None]
        wall = torch.where(low, reach + gap[..., None], self.floor - reach - gap[..., None])
        return torch.where(lengthwise, wall, place), yaw, torch.ones(self.shape, dtype=torch.bool)

    def _other(self, weight: Tensor) -> tuple[Tensor, Things, Tensor, Tensor]:
        """Returns columns (T, M) of things drawn by weight (T, J), their poses, kinds and whether there are any."""
        if not weight.shape[1]:
            nothing = torch.zeros(self.shape, dtype=torch.long)
            blank = Things(torch.zeros(*self.shape, 2), torch.zeros(self.shape), torch.ones(*self.shape, 3))
            return nothing, blank, nothing, nothing.bool()
        valid = (weight.sum(1, keepdim=True) > 0).expand(self.shape)
        chance = torch.where(weight.sum(1, keepdim=True) > 0, weight, torch.ones_like(weight))
        at = torch.multinomial(chance, self.shape[1], replacement=True, generator=self.generator)
        three = at[..., None].expand(-1, -1, 3)
        size = self.before.size.gather(1, three)
        poses = Things(self.before.place.gather(1, three[..., :2]), self.before.yaw.gather(1, at), size)
        return at, poses, self.before.kind.clamp_min(0).gather(1, at), valid

    def _about(self) -> tuple[Tensor, Tensor, Tensor]:
        """As things of the two kinds lay to each other in a room that was learned from."""
        known = self.network.offset_count[self.kind[:, None], self.before.kind.clamp_min(0)]
        _, other, kind, valid = self._other((known.clamp_max(6) * self.before.there).float())
        count = self.network.offset_count[self.kind[:, None], kind]
        which = (self._uniform() * count.clamp_min(1)).long()
        offset = self.network.offsets[self.kind[:, None], kind, which]
        noise = torch.randn((*self.shape, 2), generator=self.generator) * 0.05
        return _beyond(other, offset[..., :2] + noise), other.yaw + offset[..., 2], valid & (count > 0)

    def _beside(self) -> tuple[Tensor, Tensor, Tensor]:
        """Side by side with another thing, backs in line."""
        _, other, _, valid = self._other(self.before.stands.float())
        gap = -0.04 * (1 - self._uniform()).log()
        side = torch.where(self._uniform() < 0.5, 1.0, -1.0)
        aside = side * ((other.size[..., 1] + self.size[..., 1]) / 2 + gap)
        ahead = (self.size[..., 0] - other.size[..., 0]) / 2
        return _beyond(other, torch.stack((ahead, aside), -1)), other.yaw, valid

    def _upon(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """On top of another thing, for the kinds that are carried, as often as they are."""
        carries = self.network.carriers[self.kind[:, None], self.before.kind.clamp_min(0)] * self.before.stands
        at, other, _, valid = self._other(carries)
        half = (other.size[..., :2] / 2 - self.size[..., :2].amin(-1, keepdim=True) / 2).clamp_min(0.02)
        turn = torch.where(self._uniform() < 0.6, self._quarter(), self._uniform() * 2 * torch.pi)
        place = _beyond(other, (self._uniform(2) * 2 - 1) * half)
        wanted = self._uniform() < self.network.carried[self.kind][:, None]
        yaw = other.yaw + turn
        return place, yaw, valid & wanted, at


def _beyond(other: Things, offset: Tensor) -> Tensor:
    """Returns points at an offset (..., 2) in others' frames."""
    c, s = other.yaw.cos(), other.yaw.sin()
    u, v = offset.unbind(-1)
    return other.place + torch.stack((c * u - s * v, s * u + c * v), -1)


def _drawn(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Returns (T,) rows drawn from logits (T, M) by Gumbel noise."""
    noise = torch.rand(logits.shape, generator=generator).clamp(1e-9, 1 - 1e-7)
    return (logits.cpu() - (-noise.log()).log()).argmax(1)


def save_layout(network: LayoutGan, path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes a network and returns the digest."""
    return checkpoint.write(path, network, model=MODEL, config=asdict(network.config), notes=notes)


def load_layout(path: Path) -> LayoutGan:
    """Reads a network, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        network = LayoutGan(LayoutConfig(**found.config))
    except (TypeError, ValueError, RuntimeError, AssertionError):
        raise WeightsError(f"{path} describes a network that can't be built: {dict(found.config)}") from None
    checkpoint.fit(network, found, path)
    return network.eval()
