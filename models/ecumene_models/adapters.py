"""Low-rank adapters on a frozen policy: every avatar of a batch may wear another one, in one forward pass.

Each adapted layer adds up · (mask * (down · x)), where down and up hold the columns of all adapters side by side and
the mask keeps those of the adapter that the row wears: no gathering, no loop over adapters.

Source: Hu et al. 2022, LoRA: low-rank adaptation of large language models, section 4.1; Chen et al. 2024, Punica:
multi-tenant LoRA serving, for many adapters in one batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from ecumene_models import checkpoint
from ecumene_models.actions import PolicyOutput
from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionPolicy
from ecumene_models.recurrent import Course, RecurrentPolicy
from ecumene_models.senses import SenseBatch

TARGETS: Final = (
    *(f"intent.layers.{index}" for index in (0, 2)),
    "vision.token",
    *(f"hearing.{name}" for name in ("pair", "quad", "token")),
    *(f"neighbours.layers.{index}" for index in (0, 2)),
    *(f"experts.own.{index}" for index in range(4)),
    "experts.common",
    *(f"mix.0.{name}" for name in ("query", "key_value", "out", "feed.0", "feed.2")),
    *(f"last.{name}" for name in ("query", "out", "feed.0", "feed.2")),
    "residual",
)
"""Linear layers that are adapted: most between senses and action, since many layers a little beat few layers more."""
RANK: Final = 1
MODEL: Final = "fusion-adapter"
SCALE: Final = 4.0
"""Weight of an adapter's part, so that it learns as fast as the layer would."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter.

    Attributes:
        base: Fingerprint of the policy it was made for.
        parts: Layer to its (in, rank) and (rank, out) matrices.
    """

    base: str
    parts: Mapping[str, tuple[Tensor, Tensor]]

    @property
    def rank(self) -> int:
        """Columns of each part."""
        return next(iter(self.parts.values()))[0].shape[1]

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return sum(part.numel() for pair in self.parts.values() for part in pair)


@dataclass(frozen=True, slots=True)
class Worn:
    """What the rows of a pass wear.

    Attributes:
        bank: All adapters.
        mask: (N, K · rank) f32, 1 in the columns of the adapter that a row wears.
    """

    bank: Bank
    mask: Tensor


_WORN: Final[ContextVar[Worn | None]] = ContextVar("worn", default=None)


class Bank(nn.Module):
    """K adapters of one rank side by side; never changed while it is in use, but replaced as a whole."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        super().__init__()
        self.count, self.rank = len(adapters), adapters[0].rank
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for name in adapters[0].parts:
            pairs = [adapter.parts[name] for adapter in adapters]
            self.down[_key(name)] = nn.Parameter(torch.cat([down for down, _ in pairs], dim=1))
            self.up[_key(name)] = nn.Parameter(torch.cat([up for _, up in pairs], dim=0))

    def mask(self, index: Tensor) -> Tensor:
        """Returns (N, K · rank) f32 for (N,) i64 of which 0 wears none and k the k-th adapter."""
        owner = torch.arange(1, self.count + 1, device=index.device).repeat_interleave(self.rank)
        return (index[:, None] == owner).float() * SCALE

    def adapter(self, number: int, base: str) -> Adapter:
        """Returns a copy of the adapter of that number, 1..K."""
        span = slice((number - 1) * self.rank, number * self.rank)
        parts = {
            name: (self.down[_key(name)][:, span].detach().clone(), self.up[_key(name)][span].detach().clone())
            for name in TARGETS
        }
        return Adapter(base, parts)


class AdaptedLinear(nn.Module):
    """A frozen layer and what the worn adapters add to it."""

    def __init__(self, name: str, layer: nn.Linear) -> None:
        super().__init__()
        self.key, self.layer = _key(name), layer

    def forward(self, x: Tensor) -> Tensor:
        """Returns (N, ..., out) of (N, ..., in)."""
        plain: Tensor = self.layer(x)
        worn = _WORN.get()
        if worn is None:
            return plain
        mask = worn.mask if x.dim() == 2 else worn.mask[:, None]
        low = (x @ worn.bank.down[self.key] * mask).flatten(0, -2)
        plain.view(-1, plain.shape[-1]).addmm_(low, worn.bank.up[self.key])  # in place, which spares a pass over it
        return plain


class Wearing(FusionPolicy):
    """A policy whose rows may wear adapters; by itself every row wears `wears`."""

    bank: Bank | None
    wears: int
    fingerprint: str

    def bank_of(self, adapters: Sequence[Adapter]) -> Bank | None:
        """Returns adapters side by side, numbered from 1; None for none.

        Raises:
            WeightsError: One is of another base or rank.
        """
        for adapter in adapters:
            if adapter.base != self.fingerprint:
                raise WeightsError(
                    f"the adapter was made for the policy {adapter.base[:12]}…; "
                    f"for this one, {self.fingerprint[:12]}…, it has to be trained anew"
                )
            if adapter.rank != adapters[0].rank:
                raise WeightsError(f"adapters of rank {adapter.rank} and {adapters[0].rank} can't be worn together")
        return Bank(adapters).to(self.log_std.device) if adapters else None

    def dress(self, adapters: Sequence[Adapter]) -> None:
        """Puts adapters on, numbered from 1, in the place of those before.

        Raises:
            WeightsError: One is of another base or rank.
        """
        self.bank = self.bank_of(adapters)

    @contextmanager
    def wearing(self, index: Tensor, bank: Bank | None = None) -> Iterator[None]:
        """Lets the rows of the next pass, on this thread, wear (N,) i64 adapters, 0 for none.

        Args:
            index: Their numbers.
            bank: The adapters that are numbered; None for those put on by `dress`.
        """
        token = _CHOSEN.set(_Chosen(index, self.bank if bank is None else bank))
        try:
            yield
        finally:
            _CHOSEN.reset(token)

    def _decide(self, senses: SenseBatch) -> PolicyOutput:
        with self._worn(senses):
            return super()._decide(senses)

    @contextmanager
    def _worn(self, senses: SenseBatch) -> Iterator[None]:
        """Puts on what the next rows of the pass wear."""
        chosen = _CHOSEN.get()
        bank = self.bank if chosen is None else chosen.bank
        if bank is None:
            yield
            return
        index = senses.verb.new_full(senses.verb.shape, self.wears) if chosen is None else chosen.take(len(senses))
        token = _WORN.set(Worn(bank, bank.mask(index)))
        try:
            yield
        finally:
            _WORN.reset(token)


@dataclass(slots=True)
class _Chosen:
    """Which adapters the rows of a pass wear, handed out chunk by chunk."""

    index: Tensor
    bank: Bank | None
    start: int = 0

    def take(self, count: int) -> Tensor:
        part = self.index[self.start : self.start + count]
        assert len(part) == count, f"{len(self.index)} rows wear something, but more are decided for"
        self.start += count
        return part


_CHOSEN: Final[ContextVar[_Chosen | None]] = ContextVar("chosen", default=None)


class AdaptedPolicy(Wearing):
    """A policy without memory that wears adapters."""


class AdaptedRecurrentPolicy(Wearing, RecurrentPolicy):
    """A policy with memory that wears adapters."""

    def through(self, senses: SenseBatch, course: Course) -> PolicyOutput:
        """Decides for N rows that follow one another; see `RecurrentPolicy.through`."""
        with self._worn(senses):
            return super().through(senses, course)

    def _recalled(self, senses: SenseBatch, memory: Tensor) -> PolicyOutput:
        with self._worn(senses):
            return super()._recalled(senses, memory)


def adaptable(base: FusionPolicy) -> Wearing:
    """Returns a frozen copy of a policy that can wear adapters and wears none."""
    kind: type[Wearing] = AdaptedRecurrentPolicy if isinstance(base, RecurrentPolicy) else AdaptedPolicy
    policy = kind(base.config)
    policy.load_state_dict(base.state_dict())
    policy.bank, policy.wears, policy.fingerprint = None, 0, fingerprint(base)
    for parameter in policy.parameters():
        parameter.requires_grad = False
    for name in TARGETS:
        parent, _, last = name.rpartition(".")
        layer = policy.get_submodule(name)
        assert isinstance(layer, nn.Linear), f"{name} is no linear layer"
        setattr(policy.get_submodule(parent), last, AdaptedLinear(name, layer))
    return policy.eval()


def blank(base: FusionPolicy, generator: torch.Generator, *, rank: int = RANK) -> Adapter:
    """Returns an adapter that changes nothing yet."""
    parts = {}
    for name in TARGETS:
        layer = base.get_submodule(name)
        layer = layer.layer if isinstance(layer, AdaptedLinear) else layer
        assert isinstance(layer, nn.Linear), f"{name} is no linear layer"
        down = torch.randn(layer.in_features, rank, generator=generator) * layer.in_features**-0.5
        parts[name] = (down, torch.zeros(rank, layer.out_features))
    return Adapter(base.fingerprint if isinstance(base, Wearing) else fingerprint(base), parts)


def trainable(base: FusionPolicy, generator: torch.Generator, *, rank: int = RANK) -> Wearing:
    """Returns a policy of which every row wears the one adapter, which alone learns."""
    return dressed(base, blank(base, generator, rank=rank))


def dressed(base: FusionPolicy, adapter: Adapter) -> Wearing:
    """Returns a frozen copy of a policy of which every row wears an adapter.

    Raises:
        WeightsError: The adapter was made for another policy.
    """
    policy = adaptable(base)
    policy.dress([adapter])
    policy.wears = 1
    return policy


def share(adapter: Adapter, base: FusionPolicy) -> float:
    """Returns how many numbers an adapter has for each of its base."""
    return adapter.size / sum(parameter.numel() for parameter in base.parameters())


def save_adapter(adapter: Adapter, path: Path, notes: Mapping[str, object] | None = None) -> str:
    """Writes an adapter with the fingerprint of its base; returns its digest."""
    whole = nn.ParameterDict()
    for name, (down, up) in adapter.parts.items():
        whole[f"{_key(name)}:down"], whole[f"{_key(name)}:up"] = nn.Parameter(down), nn.Parameter(up)
    about = {"base": adapter.base, "rank": adapter.rank}
    return checkpoint.write(path, whole, model=MODEL, config=about, notes=notes)


def load_adapter(path: Path) -> Adapter:
    """Reads an adapter.

    Raises:
        WeightsError: The file is missing, damaged, of another version or no adapter.
    """
    found = checkpoint.read(path, model=MODEL)
    try:
        parts = {name: (found.tensors[f"{_key(name)}:down"], found.tensors[f"{_key(name)}:up"]) for name in TARGETS}
        return Adapter(str(found.config["base"]), parts)
    except KeyError as error:
        raise WeightsError(f"{path} is an adapter without {error}") from None


def fingerprint(policy: FusionPolicy) -> str:
    """Returns the SHA-256 of a policy's numbers, whatever file they came from; 64 hex digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(policy.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _key(name: str) -> str:
    """A layer's name where dots are not allowed."""
    return name.replace(".", "-")
