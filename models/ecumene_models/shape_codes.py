"""Where new shapes come from: priors over codes of a class, learned from the codes of shapes that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models.errors import ShapeError

Draw = Callable[[Tensor, torch.Generator], Tensor]
"""From classes (B,) to codes (B, code)."""


class Gaussian(nn.Module):
    """A normal distribution of each class, its covariance drawn towards that of all classes about their means."""

    mean: Tensor
    root: Tensor

    def __init__(self, classes: int, code: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(classes, code))
        self.register_buffer("root", torch.zeros(classes, code, code))

    @classmethod
    def of(cls, codes: Tensor, kinds: Tensor, classes: int, shrink: float = 8.0) -> Gaussian:
        """Returns the priors of codes (M, code) of classes (M,).

        Args:
            codes: Of real shapes.
            kinds: Their classes.
            classes: How many there are.
            shrink: How many shapes the covariance that all classes share counts for.
        """
        prior = cls(classes, codes.shape[1])
        centred = torch.zeros_like(codes)
        for kind in range(classes):
            mine = kinds == kind
            prior.mean[kind] = codes[mine].mean(0) if bool(mine.any()) else codes.mean(0)
            centred[mine] = codes[mine] - prior.mean[kind]
        shared = centred.T @ centred / max(len(codes) - classes, 1)
        for kind in range(classes):
            mine = centred[kinds == kind]
            covariance = (mine.T @ mine + shrink * shared) / (max(len(mine) - 1, 0) + shrink)
            ridge = 1e-6 * torch.eye(len(covariance))
            prior.root[kind] = torch.linalg.cholesky((covariance + ridge).double()).float()
        return prior

    def forward(self, kinds: Tensor, generator: torch.Generator) -> Tensor:
        """Returns codes (B, code) of classes (B,)."""
        noise = torch.randn(len(kinds), self.mean.shape[1], generator=generator)
        return self.mean[kinds] + (self.root[kinds] @ noise[..., None])[..., 0]


class Kernels(nn.Module):
    """A kernel density of each class: the code of a real shape, drawn towards the class's mean, with noise about it.

    Spreads stay those of the class. A width of 0 repeats real codes, a width of 1 is the class's normal distribution.
    """

    codes: Tensor
    kinds: Tensor
    width: Tensor

    def __init__(self, classes: int, code: int, *, count: int) -> None:
        super().__init__()
        self.sizes = {"count": count}
        self.gaussian = Gaussian(classes, code)
        self.register_buffer("codes", torch.zeros(count, code))
        self.register_buffer("kinds", torch.zeros(count, dtype=torch.long))
        self.register_buffer("width", torch.zeros(()))

    @classmethod
    def of(cls, codes: Tensor, kinds: Tensor, classes: int, width: float = 0.5) -> Kernels:
        """Returns the density of codes (M, code) of classes (M,).

        Raises:
            ShapeError: A class has no shape to be like.
        """
        missing = sorted(set(range(classes)) - set(kinds.tolist()))
        if missing:
            raise ShapeError(f"class {missing[0]} has no shape to be like")
        prior = cls(classes, codes.shape[1], count=len(codes))
        prior.gaussian = Gaussian.of(codes, kinds, classes)
        for buffer, value in ((prior.codes, codes), (prior.kinds, kinds), (prior.width, torch.tensor(width))):
            buffer.copy_(value)
        return prior

    def forward(self, wanted: Tensor, generator: torch.Generator) -> Tensor:
        """Returns codes (B, code) of classes (B,)."""
        chance = (self.kinds == wanted[:, None]).float()
        real = self.codes[torch.multinomial(chance, 1, generator=generator)[:, 0]]
        mean = self.gaussian.mean[wanted]
        noise = self.gaussian(wanted, generator) - mean
        drawn: Tensor = mean + (1 - self.width.square()).sqrt() * (real - mean) + self.width * noise
        return drawn


def interpolation(codes: Tensor, kinds: Tensor) -> Draw:
    """Returns what draws codes between two real shapes of a class."""

    def draw(wanted: Tensor, generator: torch.Generator) -> Tensor:
        made = []
        for kind in wanted.tolist():
            mine = codes[kinds == kind]
            if not len(mine):
                raise ShapeError(f"class {kind} has no shape to go between")
            first, second = torch.randint(len(mine), (2,), generator=generator).tolist()
            made.append(torch.lerp(mine[first], mine[second], float(torch.rand((), generator=generator))))
        return torch.stack(made)

    return draw


@dataclass(frozen=True, slots=True)
class GanTraining:
    """How a generator of codes is trained.

    Attributes:
        seed: Of weights, order and noise.
        steps: Of the generator.
        critic: Steps of the critic for each.
        batch: Codes a step.
        rate: Learning rate of both.
        noise: Numbers that a code is made from.
        hidden: Of both networks' layers.
        penalty: Weight of the gradient penalty.
        blur: Standard deviation of noise on what the critic sees, in spreads of the codes; it falls to a third.
        components: Directions of most variance that codes are made in; all of them if 0.
        residual: Whether the generator only corrects draws of the class's normal distribution, from no change on.
    """

    seed: int = 0
    steps: int = 1000
    critic: int = 2
    batch: int = 64
    rate: float = 1e-3
    noise: int = 32
    hidden: int = 96
    penalty: float = 5.0
    blur: float = 0.15
    components: int = 0
    residual: bool = False


class Generator(nn.Module):
    """Noise and a class to a code, in the frame that the codes of all classes are white in."""

    centre: Tensor
    basis: Tensor

    def __init__(
        self, classes: int, code: int, *, components: int, noise: int, hidden: int, residual: bool = False
    ) -> None:
        super().__init__()
        self.classes, self.noise = classes, noise
        self.sizes = {"components": components, "noise": noise, "hidden": hidden, "residual": residual}
        self.base = Gaussian(classes, components) if residual else None
        self.register_buffer("centre", torch.zeros(code))
        self.register_buffer("basis", torch.zeros(components, code))
        self.layers = nn.Sequential(
            nn.Linear(noise + classes + residual * components, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, components),
        )

    def white(self, kinds: Tensor, generator: torch.Generator) -> Tensor:
        """Returns whitened codes (B, components) of classes (B,)."""
        noise = torch.randn(len(kinds), self.noise, generator=generator)
        named = functional.one_hot(kinds, self.classes).float()
        if self.base is not None:
            drawn: Tensor = self.base(kinds, generator)
            corrected: Tensor = drawn + self.layers(torch.cat([noise, named, drawn], 1))
            return corrected
        made: Tensor = self.layers(torch.cat([noise, named], 1))
        return made

    def begin(self, white: Tensor, kinds: Tensor) -> None:
        """Takes the normal distribution of each class that is corrected from whitened codes; at first as it is."""
        if self.base is not None:
            self.base.load_state_dict(Gaussian.of(white, kinds, self.classes).state_dict())
            last = self.layers[-1]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @torch.no_grad()
    def forward(self, kinds: Tensor, generator: torch.Generator) -> Tensor:
        """Returns codes (B, code) of classes (B,)."""
        return self.centre + self.white(kinds, generator) @ self.basis


def train_generator(
    codes: Tensor,
    kinds: Tensor,
    classes: int,
    training: GanTraining,
    report: Callable[[int, float], None] | None = None,
) -> Generator:
    """Returns a generator of codes like (M, code), of classes (M,), trained as a Wasserstein GAN with penalty.

    Source: Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017.
    """
    random = torch.Generator().manual_seed(training.seed)
    white, centre, basis = whitened(codes, training.components)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)
        sizes = {"components": len(basis), "noise": training.noise, "hidden": training.hidden}
        generator, averaged = (
            Generator(classes, codes.shape[1], **sizes, residual=training.residual) for _ in range(2)
        )
        critic = _Critic(classes, len(basis), training.hidden)
    generator.begin(white, kinds)
    averaged.load_state_dict(generator.state_dict())
    for made in (generator, averaged):
        made.centre.copy_(centre)
        made.basis.copy_(basis)
    makes = torch.optim.Adam(generator.parameters(), training.rate, betas=(0.0, 0.9))
    judges = torch.optim.Adam(critic.parameters(), training.rate, betas=(0.0, 0.9))
    for step in range(training.steps):
        blur = training.blur * (1 - 2 / 3 * step / training.steps)
        for _ in range(training.critic):
            rows = torch.randint(len(white), (training.batch,), generator=random)
            with torch.no_grad():
                fake = generator.white(kinds[rows], random)
            loss = critic.loss(
                _blurred(white[rows], blur, random), _blurred(fake, blur, random), kinds[rows], training, random
            )
            judges.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            judges.step()
        rows = torch.randint(len(white), (training.batch,), generator=random)
        fake = _blurred(generator.white(kinds[rows], random), blur, random)
        wanted = -critic(fake, kinds[rows]).mean()
        makes.zero_grad(set_to_none=True)
        wanted.backward()
        makes.step()
        with torch.no_grad():
            for mean, now in zip(averaged.parameters(), generator.parameters(), strict=True):
                mean.lerp_(now, 1 - min(0.998, (step + 1) / (step + 10)))
        if report and (step + 1) % 100 == 0:
            report(step + 1, float(loss.detach()))
    return averaged.eval()


class _Critic(nn.Module):
    def __init__(self, classes: int, components: int, hidden: int) -> None:
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Linear(components + classes, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        )

    def forward(self, white: Tensor, kinds: Tensor) -> Tensor:
        judged: Tensor = self.layers(torch.cat([white, functional.one_hot(kinds, self.classes).float()], 1))
        return judged[:, 0]

    def loss(self, real: Tensor, fake: Tensor, kinds: Tensor, training: GanTraining, random: torch.Generator) -> Tensor:
        share = torch.rand(len(real), 1, generator=random)
        between = torch.lerp(real, fake, share).requires_grad_()
        (slope,) = torch.autograd.grad(self(between, kinds).sum(), between, create_graph=True)
        steep = (slope.norm(dim=1) - 1).square().mean()
        loss: Tensor = self(fake, kinds).mean() - self(real, kinds).mean() + training.penalty * steep
        return loss


def _blurred(codes: Tensor, blur: float, random: torch.Generator) -> Tensor:
    return codes + blur * torch.randn(codes.shape, generator=random)


def whitened(codes: Tensor, components: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns codes along their directions of most variance, the mean, and what (K, code) leads back."""
    centre = codes.mean(0)
    spread = codes.std(0).clamp_min(1e-4)
    _, values, directions = torch.linalg.svd((codes - centre) / spread, full_matrices=False)
    count = min(components or len(values), len(values))
    scale = (values[:count] / max(len(codes) - 1, 1) ** 0.5).clamp_min(1e-3)
    white = ((codes - centre) / spread) @ directions[:count].T / scale
    return white, centre, scale[:, None] * directions[:count] * spread
