"""Working only on the few rows that matter.

On a CPU the rows of a mask are gathered, so rare things cost little. On an accelerator reading a count back would stall
the queue, so all rows are worked on and those outside the mask must come out as doing nothing. Both give the same bits.
"""

from __future__ import annotations

import torch
from torch import Tensor


def _gathers(device: torch.device) -> bool:
    """Tells whether reading a count back is cheap."""
    return device.type == "cpu"


def chosen(mask: Tensor) -> Tensor:
    """Returns (R,) i64 flat indices that include every True of a mask; on a CPU no others."""
    if _gathers(mask.device):
        return mask.reshape(-1).nonzero().view(-1)
    return torch.arange(mask.numel(), device=mask.device)


def packed(mask: Tensor, most: int) -> tuple[Tensor, Tensor]:
    """Returns (R,) i64 flat indices of a mask's Trues in order, and (R,) bool which of these rows hold one.

    On a CPU R is as many as there are. On an accelerator it is `most`: rows left over hold index 0, and Trues beyond
    the first `most` are left out, so `most` must be more than there can be.
    """
    flat = mask.reshape(-1)
    if _gathers(mask.device):
        index = flat.nonzero().view(-1)
        return index, torch.ones_like(index, dtype=torch.bool)
    place = flat.cumsum(0).sub_(1)
    place = torch.where(flat & (place < most), place, most)
    index = torch.zeros(most + 1, dtype=torch.int64, device=mask.device)
    index.scatter_(0, place, torch.arange(len(flat), device=mask.device))
    return index[:most], torch.arange(most, device=mask.device) < flat.sum()


def nobody(mask: Tensor) -> bool:
    """Tells that a mask has no True, where that is cheap to know; False may mean that it is not."""
    return _gathers(mask.device) and not bool(mask.any())


def write(field: Tensor, rows: Tensor, where: Tensor, value: Tensor) -> None:
    """Overwrites rows of a field where a mask says so.

    Args:
        field: (..., *V) contiguous; written in place, seen as (rows, *V).
        rows: (R,) i64 flat rows; distinct where the mask is True.
        where: (R,) bool.
        value: (R, *V) or what broadcasts to it.
    """
    trailing = field.shape[field.ndim - value.ndim + 1 :] if value.ndim > 1 else ()
    flat = field.view(-1, *trailing)
    if _gathers(field.device):
        kept = where.nonzero().view(-1)
        if len(kept) == 0:
            return
        flat.index_copy_(0, rows.index_select(0, kept), value.index_select(0, kept).to(field.dtype))
        return
    spare = torch.cat((flat, flat[:1]))
    spare.index_copy_(0, torch.where(where, rows, len(flat)), value.to(field.dtype))
    flat.copy_(spare[:-1])
