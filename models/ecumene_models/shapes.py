"""Shapes from numbers: a PointNet encoder, a latent space with a prior of each class, and an implicit decoder.

A shape is stretched into the box from 0 to 1, its front towards +x; its size in metres belongs to the code. The
decoder makes of a code three planes of features and says of any point in the box how deep it lies inside, so that a
surface can be drawn from it at any fineness.

Sources: Qi, Su, Mo, Guibas, "PointNet", CVPR 2017 (encoder); Chen, Zhang, "Learning implicit fields for generative
shape modeling", CVPR 2019 (decoder by points, GAN on its codes); Peng et al., "Convolutional occupancy networks",
ECCV 2020 (features from planes).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ecumene_models import checkpoint
from ecumene_models.errors import ShapeError, WeightsError
from ecumene_models.shape_codes import Gaussian, Generator, Kernels
from ecumene_models.shape_diffusion import Diffusion

MODEL: Final = "shapes"
MARGIN: Final = 0.08
"""How far beyond the box the decoder knows what is solid, in edges of the box."""
_SURE: Final = -5.0
"""Logarithm of variance that the encoder begins with: noise as strong as the signal would hide it."""
Prior = Gaussian | Kernels | Generator | Diffusion
PRIORS: Final[Mapping[str, type[Prior]]] = {
    "gaussian": Gaussian,
    "kernels": Kernels,
    "gan": Generator,
    "diffusion": Diffusion,
}
"""What codes can be drawn from, by the name that a file of weights calls it."""
_AXES: Final = ([0, 1], [0, 2], [1, 2])


@dataclass(frozen=True, slots=True)
class ShapesConfig:
    """Sizes of the networks.

    Attributes:
        classes: What can be made, in order of the rows of `kinds`.
        latent: Numbers that describe a form, beside the three of its size.
        width: Of the encoder's first layer; its widest has six times as many channels.
        channels: Of the decoder's coarsest grid, of 4 cells an edge; the finest has a quarter as many.
        hidden: Of the layers that look at one point.
        doublings: How often the decoder halves its cells, at least twice: 3 for 32 cells an edge, 4 for 64.
    """

    classes: tuple[str, ...]
    latent: int = 48
    width: int = 48
    channels: int = 64
    hidden: int = 64
    doublings: int = 3

    @property
    def code(self) -> int:
        """How many numbers a shape is made from: form, and logarithms of depth, width and height in metres."""
        return self.latent + 3

    def to_json(self) -> dict[str, Any]:
        """Returns JSON scalars and lists."""
        return {**asdict(self), "classes": list(self.classes)}


class Encoder(nn.Module):
    """PointNet: points of a surface to the mean and logarithm of variance of its form."""

    def __init__(self, config: ShapesConfig) -> None:
        super().__init__()
        w = config.width
        self.each = nn.ModuleList([_Shared(3, w), _Shared(w, 2 * w), _Shared(2 * w, 6 * w)])
        self.joint = nn.Sequential(nn.Linear(12 * w + 3, 4 * w), nn.ReLU(), nn.Linear(4 * w, 2 * config.latent))

    def forward(self, points: Tensor, log_size: Tensor) -> tuple[Tensor, Tensor]:
        """Returns (B, latent) twice.

        Args:
            points: (B, N, 3) box coordinates.
            log_size: (B, 3) logarithms of metres.
        """
        x = points * 2 - 1
        for layer in self.each:
            x = layer(x)
        mean, spread = self.joint(torch.cat([x.amax(1), x.mean(1), log_size], 1)).chunk(2, 1)
        return mean, (spread + _SURE).clamp(-12, 6)


class _Shared(nn.Module):
    """One layer applied to every point alike: (B, N, inward) to (B, N, outward)."""

    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inward, outward)
        self.norm = nn.LayerNorm(outward)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.linear(x)))


class Decoder(nn.Module):
    """Codes to three planes of features, and planes to how deep points lie inside."""

    def __init__(self, config: ShapesConfig) -> None:
        super().__init__()
        c, h = config.channels, config.hidden
        self.seed = nn.Linear(config.code, 3 * c * 16)
        widths = (c, 2 * c // 3, c // 2, *[c // 4] * (config.doublings - 2))
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(3 * a, 3 * b, 4, 2, 1, groups=3) for a, b in itertools.pairwise(widths)]
        )
        self.point = nn.Sequential(
            nn.Linear(3 * widths[-1] + 3, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, 1)
        )

    def planes(self, code: Tensor) -> Tensor:
        """Returns (B, 3, channels / 4, cells, cells), features over (x, y), (x, z) and (y, z), of codes (B, code)."""
        x = self.seed(code).reshape(len(code), -1, 4, 4)
        for layer in self.up:
            x = layer(functional.relu(x))
        return functional.relu(x).reshape(len(code), 3, -1, *x.shape[2:])

    def forward(self, planes: Tensor, points: Tensor) -> Tensor:
        """Returns depths (B, N) of points (B, N, 3), box coordinates: above 0 inside, from about -1 to 1."""
        where = (points * 2 - 1) / (1 + 2 * MARGIN)
        found = [
            functional.grid_sample(
                planes[:, plane], where[:, :, None, axes], align_corners=False, padding_mode="border"
            )[..., 0].transpose(1, 2)
            for plane, axes in enumerate(_AXES)
        ]
        depth: Tensor = self.point(torch.cat([*found, where], 2))
        return depth[..., 0]


class Autoencoder(nn.Module):
    """Encoder and decoder of shapes in their boxes."""

    def __init__(self, config: ShapesConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.apply(_begun)

    def code(self, form: Tensor, log_size: Tensor) -> Tensor:
        """Returns (B, code) of forms (B, latent) and logarithms of sizes (B, 3)."""
        return torch.cat([form, log_size], 1)

    @torch.no_grad()
    def encode(self, points: Tensor, size_m: Tensor) -> Tensor:
        """Returns codes (B, code) of surfaces (B, N, 3), box coordinates, and sizes (B, 3)."""
        log_size = size_m.log()
        return self.code(self.encoder(points, log_size)[0], log_size)

    @torch.no_grad()
    def depth(self, code: Tensor, points: Tensor) -> Tensor:
        """Returns depths (N,) of points (N, 3), box coordinates, in the shape of one code (code,)."""
        planes = self.decoder.planes(code[None])
        depth: Tensor = self.decoder(planes, points[None])[0]
        return depth


class ShapeModel(nn.Module):
    """What makes new shapes: the autoencoder, and the prior that codes of a class are drawn from."""

    def __init__(self, autoencoder: Autoencoder, prior: Prior) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.prior = prior

    @property
    def classes(self) -> tuple[str, ...]:
        """What can be made."""
        return self.autoencoder.config.classes

    def draw(self, name: str, seed: int) -> Tensor:
        """Returns the code (code,) of a new shape of a class; the same for the same seed.

        Raises:
            ShapeError: There is no such class.
        """
        if name not in self.classes:
            raise ShapeError(f"{name!r} can't be made; classes are {', '.join(self.classes)}")
        generator = torch.Generator().manual_seed(seed)
        code: Tensor = self.prior(torch.tensor([self.classes.index(name)]), generator)[0]
        return code


def save_shapes(model: ShapeModel, path: Path, notes: Mapping[str, Any] | None = None) -> str:
    """Writes a model and returns the digest."""
    prior = model.prior
    name = next(name for name, sort in PRIORS.items() if isinstance(prior, sort))
    sizes: Mapping[str, int] = {} if isinstance(prior, Gaussian) else prior.sizes
    config = {**model.autoencoder.config.to_json(), "prior": {"name": name, **sizes}}
    return checkpoint.write(path, model, model=MODEL, config=config, notes=notes)


def load_shapes(path: Path) -> ShapeModel:
    """Reads a model, in evaluation mode, on the CPU.

    Raises:
        WeightsError: The file is missing, damaged, of another version or model, or its shapes do not fit.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        sizes = dict(found.config)
        described = dict(sizes.pop("prior"))
        config = ShapesConfig(**{**sizes, "classes": tuple(sizes["classes"])})
        prior = PRIORS[described.pop("name")](len(config.classes), config.code, **described)
        model = ShapeModel(Autoencoder(config), prior)
    except (TypeError, ValueError, KeyError, AttributeError, RuntimeError, ZeroDivisionError):
        raise WeightsError(f"{path} describes a network that can't be built: {dict(found.config)}") from None
    checkpoint.fit(model, found, path)
    return model.eval()


def _begun(layer: nn.Module) -> None:
    """Sets weights so that features neither fade nor grow from layer to layer; torch's own fade."""
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=(2 / layer.in_features) ** 0.5)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.ConvTranspose2d) and layer.bias is not None:
        # Of the 4 by 4 taps, stride 2 leaves four for each cell.
        nn.init.normal_(layer.weight, std=(2 / (4 * layer.in_channels / layer.groups)) ** 0.5)
        nn.init.zeros_(layer.bias)
