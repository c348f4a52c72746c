"""Training of the layout GAN: by likelihood until its rooms are plausible, then against a critic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.layout_gan import KEPT, Candidates, LayoutConfig, LayoutGan, LayoutGenerator
from ecumene_models.layouts import FLOOR, Layouts, Things, lies, reflected, things_of

Report = Callable[[int, int, float], None]
"""Called after each epoch with how many are done, of how many, and the mean loss."""
_UNLIKELY: Final = 7.0
_BLUR_M: Final = 0.02
_GENTLY: Final = 0.15
"""Share of the highest learning rate that the generator learns with against the critic."""


@dataclass(frozen=True, slots=True)
class LayoutTraining:
    """How a generator is trained.

    Attributes:
        seed: Of weights, order and noise.
        epochs: Passes over the rooms by likelihood.
        batch: Rooms a step.
        rate: Highest learning rate; it rises over the first tenth and falls along a cosine.
        decay: Of the weights, decoupled.
        candidates: Poses that the true one is told from.
        targets: Things of a room whose poses are learned from in a step.
        rounds: Of competition with the critic, after that.
        alone: The first of them in which only the critic learns.
        looks: Times that the critic sees all rooms in a round.
        critic_rate: Its learning rate.
        pressure: How much its word counts beside likelihood.
    """

    seed: int = 0
    epochs: int = 40
    batch: int = 16
    rate: float = 2e-3
    decay: float = 0.05
    candidates: int = 32
    targets: int = 6
    rounds: int = 8
    alone: int = 2
    looks: int = 3
    critic_rate: float = 1e-3
    pressure: float = 0.3


def train_layout(
    rooms: Layouts, config: LayoutConfig, training: LayoutTraining, report: Report | None = None
) -> LayoutGan:
    """Returns a network whose generator learned by likelihood, in evaluation mode; the same for the same arguments."""
    generator = torch.Generator().manual_seed(training.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network = LayoutGan(config)
        learn_typical(network.generator, rooms, generator)
        run = _Run(network, rooms, training, generator)
        for epoch in range(training.epochs):
            loss = run.learn()
            if report is not None:
                report(epoch + 1, training.epochs, loss)
    return run.mean.eval()


def compete_layout(
    start: LayoutGan, rooms: Layouts, training: LayoutTraining, report: Report | None = None
) -> LayoutGan:
    """Returns a network whose generator went on against a critic, for evaluation; the same for the same arguments."""
    generator = torch.Generator().manual_seed(training.seed + 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed + 1)
        network = LayoutGan(start.config)
        network.load_state_dict(start.state_dict())
        run = _Run(network, rooms, training, generator)
        for done in range(training.rounds):
            loss = run.compete(learning=done >= training.alone)
            if report is not None:
                report(done + 1, training.rounds, loss)
    return run.mean.eval()


class _Run:
    """One training: the network, the running mean of its weights, which is what one gets, and both optimisers."""

    def __init__(
        self, network: LayoutGan, rooms: Layouts, training: LayoutTraining, generator: torch.Generator
    ) -> None:
        self.rooms, self.training, self.draw = rooms, training, generator
        self.network, self.mean = network, LayoutGan(network.config)
        self.mean.load_state_dict(network.state_dict())
        self.network.train()
        self.optimiser = torch.optim.AdamW(
            network.generator.parameters(), lr=training.rate, weight_decay=training.decay
        )
        self.critics = torch.optim.Adam(network.critic.parameters(), lr=training.critic_rate, betas=(0.5, 0.99))
        self.step = 0
        self.steps = max(1, training.epochs * -(-len(rooms.role) // training.batch))

    def learn(self) -> float:
        """Takes all rooms once, by likelihood; returns the mean loss."""
        losses = []
        for rows in _batches(self.rooms, self.training.batch, self.draw):
            loss = likelihood(
                self.network.generator, varied(self.rooms.rows(rows), self.draw), self.training, self.draw
            )
            self._improve(loss, self.training.rate * _share(self.step / self.steps))
            losses.append(float(loss.detach()))
        return sum(losses) / len(losses)

    def compete(self, *, learning: bool) -> float:
        """Furnishes every room, teaches the critic to tell them from real ones and the generator to please it.

        Returns the critic's loss. Without `learning`, the generator stays as it is.
        """
        network, training = self.network, self.training
        made = network.eval().generator.sample(self.rooms, self.draw, candidates=training.candidates)
        network.train()
        losses = [self._judge(rows, made) for _ in range(training.looks) for rows in self._parts()]
        for rows in self._parts() if learning else ():
            fake = made.rows(rows).cropped()
            with torch.no_grad():
                whole, each = network.critic(fake)
            merit = _standard(whole)[:, None] + _standard_within(each, fake.there)
            real = likelihood(network.generator, varied(self.rooms.rows(rows), self.draw), training, self.draw)
            worth = likelihood(network.generator, fake, training, self.draw, merit.clamp(-1.5, 1.5))
            self._improve(real + training.pressure * worth, training.rate * _GENTLY)
        return sum(losses) / len(losses)

    def _parts(self) -> list[Tensor]:
        return _batches(self.rooms, self.training.batch, self.draw)

    def _judge(self, rows: Tensor, made: Layouts) -> float:
        """Takes one step of the critic by the hinge loss; both sides are blurred alike."""
        real = _blurred(varied(self.rooms.rows(rows), self.draw), self.draw)
        fake = _blurred(varied(made.rows(rows), self.draw), self.draw)
        truly, falsely = self.network.critic(real), self.network.critic(fake)
        loss = torch.relu(1 - truly[0]).mean() + torch.relu(1 + falsely[0]).mean()
        each = torch.relu(1 - truly[1])[real.there].mean() + torch.relu(1 + falsely[1])[fake.there].mean()
        self.critics.zero_grad(set_to_none=True)
        (loss + 0.5 * each).backward()  # type: ignore[no-untyped-call]
        self.critics.step()
        _averaged(self.mean.critic, self.network.critic, 0.98)
        return float(loss.detach())

    def _improve(self, loss: Tensor, rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.generator.parameters(), 2.0)
        self.optimiser.step()
        self.step += 1
        _averaged(self.mean.generator, self.network.generator, min(0.99, self.step / (self.step + 10)))


def likelihood(
    network: LayoutGenerator,
    rooms: Layouts,
    training: LayoutTraining,
    generator: torch.Generator,
    merit: Tensor | None = None,
) -> Tensor:
    """Returns the mean loss of kinds, sizes and poses of the things of some rooms.

    With merits (B, N) of the things of rooms that the generator made, those of high merit become likelier, those of
    negative merit less likely: the gradient of the expected merit.
    """
    contexts = network.contexts(rooms)
    there = rooms.there
    after = torch.cat((there.new_ones(len(there), 1), there), 1)
    kind = torch.cat((rooms.kind, torch.full_like(rooms.kind[:, :1], -1)), 1)
    wanted = torch.where(kind < 0, network.config.kinds, kind)
    last = torch.cat((torch.zeros_like(kind[:, :1]), rooms.kind.clamp_min(0)), 1)
    logits = network.kind_logits(contexts, last * after)[after]
    kinds = functional.cross_entropy(logits, wanted[after], reduction="none")
    share = _pose_loss(network, contexts, rooms, training, generator, merit)
    if merit is None:
        return kinds.mean() + 0.5 * _size_loss(network, contexts, rooms) + share
    room = (merit * there).sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp_min(1)
    weight = torch.cat((merit, torch.zeros_like(room)), 1) + room
    return _weighted(kinds, weight.masked_fill(~after, 0)[after]) + share


def _weighted(losses: Tensor, merit: Tensor) -> Tensor:
    """Returns the mean of losses times merits; what is unlikely enough already is not pushed further."""
    return (torch.where(merit < 0, losses.clamp_max(_UNLIKELY), losses) * merit).mean()


def _size_loss(network: LayoutGenerator, contexts: Tensor, rooms: Layouts) -> Tensor:
    there = rooms.there
    kind = rooms.kind[there]
    apart = (network.typical[kind] - rooms.size[there].clamp_min(0.01).log()[:, None]).square().sum(2)
    return functional.cross_entropy(network.size_logits(contexts[:, :-1][there], kind), apart.argmin(1))


def _pose_loss(
    network: LayoutGenerator,
    contexts: Tensor,
    rooms: Layouts,
    training: LayoutTraining,
    generator: torch.Generator,
    merit: Tensor | None = None,
) -> Tensor:
    """Returns how well the poses that were taken are told from proposed ones."""
    count = rooms.kind.shape[1]
    chance = rooms.there.float() + 1e-9
    at = torch.multinomial(chance, min(training.targets, count), generator=generator)
    row = torch.arange(len(at))[:, None].expand_as(at)[rooms.there.gather(1, at)]
    at = at[rooms.there.gather(1, at)]
    before = rooms.rows(row)
    hidden = torch.arange(count) >= at[:, None]
    before = before._replace(kind=before.kind.masked_fill(hidden, -1))
    kind, size = rooms.kind[row, at], rooms.size[row, at]
    found = network.propose(kind, size, before, training.candidates, generator)
    found = Candidates(
        torch.cat((rooms.place[row, at][:, None], found.place), 1),
        torch.cat((rooms.yaw[row, at][:, None], found.yaw), 1),
        torch.cat((rooms.support[row, at][:, None], found.support), 1),
    )
    logits = network.pose_logits(contexts[row, at], kind, size, found, before)
    losses = functional.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long), reduction="none")
    return losses.mean() if merit is None else _weighted(losses, merit[row, at])


def _standard(score: Tensor) -> Tensor:
    return (score - score.mean()) / score.std().clamp_min(0.1)


def _standard_within(each: Tensor, there: Tensor) -> Tensor:
    """Returns scores (B, N) about the mean of all things and over their deviation; 0 where there is nothing."""
    known = each[there]
    return ((each - known.mean()) / known.std().clamp_min(0.05)) * there


def _blurred(rooms: Layouts, generator: torch.Generator) -> Layouts:
    """Returns rooms moved by so little that only what matters tells them apart."""
    noise = _BLUR_M * torch.randn(rooms.place.shape, generator=generator)
    return rooms._replace(place=rooms.place + noise * rooms.there[..., None])


def _batches(rooms: Layouts, size: int, generator: torch.Generator) -> list[Tensor]:
    """Returns rows in random batches of rooms that hold about as many things, so that little is padded."""
    order = (rooms.there.sum(1) + 5 * torch.rand(len(rooms.role), generator=generator)).argsort()
    parts = torch.split(order, size)
    return [parts[index] for index in torch.randperm(len(parts), generator=generator).tolist()]


def varied(rooms: Layouts, generator: torch.Generator) -> Layouts:
    """Returns rooms under one of the symmetries of the square, things of a kind in random order."""
    order = rooms.kind + torch.rand(rooms.kind.shape, generator=generator) * 0.9
    order = torch.where(rooms.there, order, torch.inf).argsort(1)
    place = order.argsort(1)
    support = rooms.support.gather(1, order)
    support = torch.where(support == FLOOR, FLOOR, place.gather(1, support.clamp_min(0)))
    mixed = Layouts(
        rooms.kind.gather(1, order),
        rooms.place.gather(1, order[..., None].expand(-1, -1, 2)),
        rooms.yaw.gather(1, order),
        rooms.size.gather(1, order[..., None].expand(-1, -1, 3)),
        support,
        *rooms[5:],
    )
    return reflected(mixed, int(torch.randint(8, (), generator=generator))).cropped()


def learn_typical(network: LayoutGenerator, rooms: Layouts, generator: torch.Generator) -> None:
    """Fills the buffers from rooms: typical sizes, what carries what, how pairs lie."""
    kinds, sizes = network.config.kinds, network.config.sizes
    logs = rooms.size.clamp_min(0.01).log()
    for kind in range(kinds):
        mine = logs[rooms.kind == kind]
        if not len(mine):
            continue
        centres = _clusters(mine, sizes, generator)
        network.typical[kind] = centres
        off = (mine[:, None] - centres).square().sum(2).amin(1)
        network.spread[kind] = float((off.mean() / 3).sqrt().clamp_max(0.08))
        network.carried[kind] = float((rooms.support[rooms.kind == kind] != FLOOR).float().mean())
    held = rooms.there & (rooms.support != FLOOR)
    under = rooms.kind.gather(1, rooms.support.clamp_min(0))
    network.carriers.index_put_((rooms.kind[held], under[held]), torch.ones(int(held.sum())), accumulate=True)
    network.carriers.div_(network.carriers.sum(1, keepdim=True).clamp_min(1))
    _learn_offsets(network, rooms, generator)


def _learn_offsets(network: LayoutGenerator, rooms: Layouts, generator: torch.Generator) -> None:
    t = things_of(rooms)
    lie = lies(
        Things(t.place[:, :, None], t.yaw[:, :, None], t.size[:, :, None]),
        Things(t.place[:, None], t.yaw[:, None], t.size[:, None]),
    )
    near = (lie.apart < 0.8) & rooms.stands[:, :, None] & rooms.stands[:, None]
    near &= ~torch.eye(near.shape[1], dtype=torch.bool)
    room, one, other = near.nonzero(as_tuple=True)
    order = torch.randperm(len(room), generator=generator)
    for row in order.tolist():
        r, i, j = int(room[row]), int(one[row]), int(other[row])
        a, b = int(rooms.kind[r, i]), int(rooms.kind[r, j])
        count = int(network.offset_count[a, b])
        if count < KEPT:
            network.offsets[a, b, count] = torch.stack(
                (lie.met_ahead[r, i, j], lie.met_aside[r, i, j], -lie.turn[r, i, j])
            )
            network.offset_count[a, b] += 1


def _clusters(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Returns (count, 3) centres of points (n, 3) by k-means; some are equal where there are few points."""
    centres = points[torch.randint(len(points), (count,), generator=generator)].clone()
    for _ in range(12):
        nearest = torch.cdist(points, centres).argmin(1)
        for row in range(count):
            if (nearest == row).any():
                centres[row] = points[nearest == row].mean(0)
    return centres


@torch.no_grad()
def _averaged(mean: nn.Module, now: nn.Module, keep: float) -> None:
    for old, new in zip(mean.state_dict().values(), now.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def _share(done: float) -> float:
    """The share of the highest learning rate when `done` of the steps lie behind."""
    return done / 0.1 if done < 0.1 else (1 + cos(pi * (done - 0.1) / 0.9)) / 2
