"""The baseline of layouts: the real room most like what is asked for, fitted to the floor by its walls and jittered."""

from __future__ import annotations

from typing import Final

import torch

from ecumene_models.layouts import FLOOR, Layouts, reflected

_PLACE_M: Final = 0.05
_TURN: Final = 0.03
_SIZE: Final = 0.03


def nearest_rooms(asked: Layouts, known: Layouts, generator: torch.Generator, among: int = 4) -> Layouts:
    """Returns furnished rooms: of the `among` known rooms of the role with floors most alike, one, fitted and jittered.

    What stands nearer to one wall than to the other keeps its distance from it, whatever the size of the floor.
    """
    made = asked.empty(known.kind.shape[1])
    for row in range(len(asked.role)):
        same = (known.role == asked.role[row]).nonzero().flatten()
        options = []
        for way in (0, 1):
            gap = (known.floor[same].flip(1) if way else known.floor[same]) - asked.floor[row]
            options.append(gap.abs().sum(1))
        best = torch.cat(options).argsort()[: min(among, len(same))]
        choice = int(best[int(torch.randint(len(best), (), generator=generator))])
        swap = choice // len(same)
        way = swap + 2 * int(torch.randint(4, (), generator=generator))
        one = reflected(known.rows(same[choice % len(same)][None]), way)
        for target, source in zip(made[:5], one[:5], strict=True):
            target[row] = source[0]
        scale = asked.floor[row] - one.floor[0]
        beyond = one.place[0] > one.floor[0] / 2
        made.place[row] += torch.where(beyond, scale, torch.zeros(2)) * one.there[0][:, None]
    return _jittered(made, generator)


def _jittered(layouts: Layouts, generator: torch.Generator) -> Layouts:
    """Returns rooms with everything moved, turned and scaled a little; what is carried moves with what carries it."""
    move = _PLACE_M * torch.randn(layouts.place.shape, generator=generator)
    turn = _TURN * torch.randn(layouts.yaw.shape, generator=generator) * (torch.sin(2 * layouts.yaw).abs() > 0.1)
    size = (_SIZE * torch.randn(layouts.size.shape, generator=generator)).exp()
    at = layouts.support.clamp_min(0)
    carried = move.gather(1, at[..., None].expand(-1, -1, 2)) + 0.3 * move
    move = torch.where((layouts.support == FLOOR)[..., None], move, carried) * layouts.there[..., None]
    return layouts._replace(
        place=layouts.place + move, yaw=layouts.yaw + turn * layouts.there, size=layouts.size * size
    )
