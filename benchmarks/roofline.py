"""What a piece of work moves and computes at least, operation by operation, and what the device could do in that time.

Every operation is taken to read its operands from memory and to write its result there, as eager torch does; fused
kernels move less. Gathers count what they fetch, not the table. Views are free.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

FETCHES: Final[Mapping[str, int]] = {
    "index_select": 1,
    "gather": 1,
    "index": 1,
    "embedding": 1,
    "_embedding_bag": 4,
    "grid_sampler_2d": 4,
    "_grid_sampler_2d_cpu_fallback": 4,
    "searchsorted": 20,
}
"""Operations that fetch so many numbers of their first operand for each one that they write."""
FREE: Final = frozenset({"empty", "empty_strided", "empty_like", "new_empty", "detach", "alias", "lift_fresh"})


@dataclass(slots=True)
class Work:
    """What was done.

    Attributes:
        bytes: Read and written.
        flops: Multiplications and additions of matrix products, and one for each number that another operation writes.
        operations: How many, views and allocations aside.
    """

    bytes: int = 0
    flops: int = 0
    operations: int = 0

    def seconds(self, peaks: Peaks) -> float:
        """Returns how long the device needs if it does nothing but this at its peak."""
        return max(self.bytes / peaks.bytes_s, self.flops / peaks.flops_s)


@dataclass(frozen=True, slots=True)
class Peaks:
    """What a device was measured to do: bytes a second of a copy, both ways, and operations a second of a product."""

    bytes_s: float
    flops_s: float


class _Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes what every operation moves."""

    def __init__(self, work: Work) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._work = work

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in FREE or func.is_view:
            return result
        read = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        wrote = [each for each in tree_leaves(result) if isinstance(each, Tensor)]
        moved = _size(wrote)
        if name in FETCHES and read:
            moved += sum(each.numel() for each in wrote[:1]) * FETCHES[name] * read[0].element_size() + _size(read[1:])
        else:
            moved += _size(read)
        self._work.bytes += moved
        self._work.flops += sum(each.numel() for each in wrote)
        self._work.operations += 1
        return result


def _size(tensors: Iterable[Tensor]) -> int:
    """Returns the bytes of tensors; what is expanded counts once."""
    return sum(min(each.numel() * each.element_size(), each.untyped_storage().nbytes()) for each in tensors)


def counted(work: Callable[[], object]) -> Work:
    """Does something once and returns what it took."""
    done, products = Work(), FlopCounterMode(display=False)
    with products, _Ledger(done):
        work()
    done.flops += products.get_total_flops()
    return done


def peaks(device: torch.device, dtype: torch.dtype, *, megabytes: int, side: int) -> Peaks:
    """Measures a device: the best of several copies, and of several square matrix products in a type."""
    source = torch.zeros(megabytes << 18, device=device)
    target = torch.zeros_like(source)
    a = torch.randn((side, side), device=device, generator=torch.Generator(device).manual_seed(0)).to(dtype)
    copied = best(lambda: target.copy_(source), device)
    multiplied = best(lambda: a @ a, device)
    return Peaks(2 * source.nbytes / copied, 2 * side**3 / multiplied)


def best(work: Callable[[], object], device: torch.device, rounds: int = 10) -> float:
    """Returns the shortest of several runs, seconds."""
    times = []
    for _ in range(rounds + 2):
        settle(device)
        start = time.perf_counter()
        work()
        settle(device)
        times.append(time.perf_counter() - start)
    return min(times[2:])


def settle(device: torch.device) -> None:
    """Waits until a device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
