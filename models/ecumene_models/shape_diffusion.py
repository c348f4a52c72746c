"""Codes of shapes by diffusion: noise is taken away step by step by a network that knows the class.

Source: Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", NeurIPS 2020; Nichol, Dhariwal, "Improved
denoising diffusion probabilistic models", ICML 2021 (cosine schedule).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.shape_codes import whitened


@dataclass(frozen=True, slots=True)
class DiffusionTraining:
    """How a diffusion of codes is trained.

    Attributes:
        seed: Of weights, order and noise.
        steps: Of the optimiser.
        batch: Codes a step.
        rate: Highest learning rate; it falls along a cosine.
        decay: Of the weights, decoupled.
        hidden: Of the network's layers.
        levels: Of noise, from almost none to nothing else.
    """

    seed: int = 0
    steps: int = 3000
    batch: int = 128
    rate: float = 1e-3
    decay: float = 1e-2
    hidden: int = 160
    levels: int = 40


class Diffusion(nn.Module):
    """A class and noise to a code, in the frame that the codes of all classes are white in."""

    centre: Tensor
    basis: Tensor
    kept: Tensor

    def __init__(self, classes: int, code: int, *, components: int, hidden: int, levels: int) -> None:
        super().__init__()
        self.classes = classes
        self.sizes = {"components": components, "hidden": hidden, "levels": levels}
        self.register_buffer("centre", torch.zeros(code))
        self.register_buffer("basis", torch.zeros(components, code))
        share = torch.arange(levels + 1) / levels
        kept = torch.cos((share + 0.008) / 1.008 * pi / 2).square()
        self.register_buffer("kept", (kept / kept[0]).clamp(1e-4, 1.0))
        self.layers = nn.Sequential(
            nn.Linear(components + classes + 6, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
            nn.Linear(hidden, components),
        )

    def clean(self, noisy: Tensor, level: Tensor, kinds: Tensor) -> Tensor:
        """Returns what whitened codes (B, components) with noise of a level (B,) are taken for without it."""
        share = level[:, None] / (len(self.kept) - 1)
        waves = share * pi * torch.tensor([1.0, 2.0, 4.0])
        told = [noisy, functional.one_hot(kinds, self.classes).float(), waves.sin(), waves.cos()]
        kept = self.kept[level][:, None]
        found: Tensor = kept.sqrt() * noisy + (1 - kept).sqrt() * self.layers(torch.cat(told, 1))
        return found

    @torch.no_grad()
    def forward(self, kinds: Tensor, generator: torch.Generator) -> Tensor:
        """Returns codes (B, code) of classes (B,)."""
        x = torch.randn(len(kinds), len(self.basis), generator=generator)
        for level in range(len(self.kept) - 1, 0, -1):
            clean = self.clean(x, torch.full_like(kinds, level), kinds)
            now, before = self.kept[level], self.kept[level - 1]
            step = now / before
            mean = (before.sqrt() * (1 - step) * clean + step.sqrt() * (1 - before) * x) / (1 - now)
            spread = ((1 - before) / (1 - now) * (1 - step)).sqrt()
            x = mean + spread * torch.randn(x.shape, generator=generator)
        return self.centre + x @ self.basis


def train_diffusion(codes: Tensor, kinds: Tensor, classes: int, training: DiffusionTraining) -> Diffusion:
    """Returns a diffusion of codes like (M, code), of classes (M,), in evaluation mode."""
    random = torch.Generator().manual_seed(training.seed)
    white, centre, basis = whitened(codes, 0)
    sizes = {"components": len(basis), "hidden": training.hidden, "levels": training.levels}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        network, averaged = (Diffusion(classes, codes.shape[1], **sizes) for _ in range(2))
    for made in (network, averaged):
        made.centre.copy_(centre)
        made.basis.copy_(basis)
    averaged.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), training.rate, weight_decay=training.decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps)
    for step in range(training.steps):
        rows = torch.randint(len(white), (training.batch,), generator=random)
        level = torch.randint(1, training.levels + 1, (training.batch,), generator=random)
        noise = torch.randn(training.batch, white.shape[1], generator=random)
        kept = network.kept[level][:, None]
        noisy = kept.sqrt() * white[rows] + (1 - kept).sqrt() * noise
        loss = functional.mse_loss(network.clean(noisy, level, kinds[rows]), white[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for mean, now in zip(averaged.parameters(), network.parameters(), strict=True):
                mean.lerp_(now, 1 - min(0.998, (step + 1) / (step + 10)))
    return averaged.eval()
