"""RecurrentPolicy: a fusion policy that remembers, by a gated recurrent unit behind the fusion.

What it remembers corrects the action row and the value, as attention does in the policy without memory, and like it
starts at zero: an untrained memory changes nothing.

Source: Cho et al. 2014, Learning phrase representations using RNN encoder-decoder, section 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from ecumene_models.actions import WIDTH, PolicyOutput
from ecumene_models.crossmodal import dropped
from ecumene_models.fusion import Found, FusionConfig, FusionPolicy
from ecumene_models.senses import SenseBatch


@dataclass(frozen=True, slots=True)
class RecurrentConfig(FusionConfig):
    """Sizes of a `RecurrentPolicy`.

    Attributes:
        memory: Numbers that an avatar remembers.
    """

    memory: int = 64


@dataclass(frozen=True, slots=True)
class Course:
    """Which of N rows follows which: C agents' lives over T steps.

    Attributes:
        step: (N,) i64, 0..T-1.
        column: (N,) i64, 0..C-1; no two rows have both in common.
        fresh: (N,) bool, rows with which a life begins, so that nothing is remembered.
        before: (C, memory) f32, what is remembered when the first step begins.
    """

    step: Tensor
    column: Tensor
    fresh: Tensor
    before: Tensor

    def groups(self, size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Yields the (M,) rows of whole columns, drawn in random order, about `size` rows at a time."""
        columns = torch.unique(self.column)
        many = max(1, round(len(columns) * size / len(self.column)))
        order = columns[torch.randperm(len(columns), generator=generator)]
        for chosen in torch.split(order, many):
            yield torch.isin(self.column, chosen).nonzero().flatten()

    def rows(self, index: Tensor) -> Self:
        """Returns the course of some rows, (M,) i64, with as many columns as these have."""
        columns, column = torch.unique(self.column[index], return_inverse=True)
        return replace(self, step=self.step[index], column=column, fresh=self.fresh[index], before=self.before[columns])


class Recall(nn.Module):
    """What was found goes in, what is remembered changes, and corrects an action row and a value."""

    def __init__(self, d: int, memory: int, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):
            self.cell = nn.GRUCell(d, memory)
            self.residual, self.worth = nn.Linear(memory, WIDTH), nn.Linear(memory, 1)
        for module in (self.cell, self.residual, self.worth):
            for name, parameter in module.named_parameters(recurse=False):
                setattr(module, name, nn.Parameter(torch.zeros(parameter.shape, device="cpu")))
        for parameter in self.cell.parameters():
            nn.init.uniform_(parameter, -(memory**-0.5), memory**-0.5, generator=generator)

    def through(self, found: Tensor, course: Course) -> Tensor:
        """Returns (N, memory) f32, what is remembered after each row, step by step along the course."""
        length = int(course.step.max()) + 1 if len(course.step) else 0
        shape = (length, len(course.before))
        inputs = found.new_zeros((*shape, found.shape[-1])).index_put((course.step, course.column), found)
        here, fresh = (course.fresh.new_zeros(shape) for _ in range(2))
        here[course.step, course.column] = True
        fresh[course.step, course.column] = course.fresh
        held, kept = course.before, []
        for step in range(length):
            after = self.cell(inputs[step], held.masked_fill(fresh[step, :, None], 0.0))
            held = torch.where(here[step, :, None], after, held)
            kept.append(held)
        return torch.stack(kept)[course.step, course.column] if kept else found.new_zeros((0, held.shape[-1]))


class RecurrentPolicy(FusionPolicy):
    """A fast mind with a memory that its caller keeps: `PolicyOutput.memory` goes back in at the next decision."""

    config: RecurrentConfig

    def __init__(self, config: RecurrentConfig | None = None, generator: torch.Generator | None = None) -> None:
        """Builds the network; apart from memory its numbers are those of a `FusionPolicy` with the same generator."""
        generator = generator or torch.Generator().manual_seed(0)
        config = config or RecurrentConfig()
        super().__init__(config, generator)
        self.recall = Recall(config.d, config.memory, generator)

    def forward(
        self, senses: SenseBatch, drop: torch.Generator | None = None, memory: Tensor | None = None
    ) -> PolicyOutput:
        """Decides for N avatars.

        Args:
            senses: N rows.
            drop: Draws which senses modality dropout takes away; None drops nothing.
            memory: (N, memory) f32, what each remembers; None for nothing, as at the beginning of a life.
        """
        if drop is not None:
            senses = replace(senses, present=dropped(senses.present, self.config.drop, drop))
        if memory is None:
            memory = senses.body.new_zeros((len(senses), self.config.memory))
        size = self.config.chunk
        if self.training or not size or len(senses) <= size:
            return self._recalled(senses, memory)
        parts = zip(senses.chunks(size), torch.split(memory, size), strict=True)
        return PolicyOutput.cat([self._recalled(*part) for part in parts])

    def through(self, senses: SenseBatch, course: Course) -> PolicyOutput:
        """Decides for N rows that follow one another, so that gradients reach back to the first step."""
        found = self._find(senses)
        return self._remembering(found, self.recall.through(found.seen, course))

    def _recalled(self, senses: SenseBatch, memory: Tensor) -> PolicyOutput:
        found = self._find(senses)
        return self._remembering(found, self.recall.cell(found.seen, memory))

    def _remembering(self, found: Found, memory: Tensor) -> PolicyOutput:
        row = found.pool + self.residual(found.seen) + self.recall.residual(memory)
        value = self.critic(found.seen) + self.recall.worth(memory)
        return replace(self._conclude(found, row, value[:, 0]), memory=memory)
