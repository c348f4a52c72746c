"""All senses of a batch of avatars, computed together so that they share what they look up."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import BANDS, COLUMNS, EARS, FAR_M, ROWS, SOUND_FRAMES, TOUCH_WIDTH, Senses
from ecumene_sim.neighbours import Nearest, nearest
from ecumene_sim.senses import sight_lines
from ecumene_sim.senses.body import body, goal
from ecumene_sim.senses.company import company
from ecumene_sim.senses.hearing import Ears
from ecumene_sim.senses.touch import touch
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.senses.vision import SEEN, Retina, loose_things
from ecumene_sim.sound import Signatures
from ecumene_sim.terrain import Terrain
from ecumene_sim.things import ThingTable
from ecumene_world.kinds import Category
from ecumene_world.state import State

ALL: Final = frozenset({"vision", "hearing", "touch"})
"""Names of the senses that can be left out."""


class Sensorium:
    """Computes senses in one layout; keeps the directions, bands and tables that never change."""

    def __init__(self, terrain: Terrain, things: ThingTable, signatures: Signatures) -> None:
        self._terrain, self._things = terrain, things
        device = terrain.layout.device
        self._retina = Retina(device)
        self._ears = Ears(signatures, device)

    @torch.no_grad()
    def sense(self, state: State, slots: Tensor, modalities: frozenset[str]) -> Senses:
        """Returns the senses of the avatars in those slots of every world."""
        viewers = Viewers.of(state, slots)
        near = nearest(state.position, state.alive, slots, SEEN, FAR_M)
        present = self._present(state, slots, modalities)
        hearing, hidden = self._hearing(state, viewers, near, modalities)
        tokens, slot = company(state, viewers, near, hidden)
        depth, kind = self._vision(state, viewers, near, present, modalities)
        return Senses(
            slots=slots,
            vision_depth=depth,
            vision_kind=kind,
            hearing=hearing.mul_(present[..., 1, None, None, None]),
            touch=self._touch(state, slots, present, modalities),
            body=body(state, viewers),
            neighbours=tokens,
            neighbour_slot=slot,
            goal=goal(state, viewers),
            verb=state.verb.index_select(1, slots),
            present=present,
        )

    def _present(self, state: State, slots: Tensor, modalities: frozenset[str]) -> Tensor:
        """Returns (B, A, 3) which senses the avatars have and were asked for."""
        has = state.sense_present.index_select(1, slots)
        asked = [name in modalities for name in ("vision", "hearing", "touch")]
        if all(asked):
            return has
        for sense, wanted in enumerate(asked):
            if not wanted:
                has[..., sense] = False
        return has

    def _vision(
        self, state: State, viewers: Viewers, near: Nearest, present: Tensor, modalities: frozenset[str]
    ) -> tuple[Tensor, Tensor]:
        """Returns depth and kind, (B, A, 8, 24) each."""
        shape = (*viewers.shape, ROWS, COLUMNS)
        if "vision" not in modalities:
            device = viewers.at.device
            return torch.full(shape, FAR_M, device=device), torch.zeros(shape, dtype=torch.uint8, device=device)
        things = loose_things(state, viewers, self._things.loose_index)
        picture = self._retina.see(self._terrain, state, viewers, near, things)
        blind = ~present[..., 0, None, None]
        return picture.depth.masked_fill_(blind, FAR_M), picture.kind.masked_fill_(blind, int(Category.SKY))

    def _hearing(
        self, state: State, viewers: Viewers, near: Nearest, modalities: frozenset[str]
    ) -> tuple[Tensor, Tensor]:
        """Returns what is heard (B, A, 2, 8, 16), and which of the nearest avatars walls hide (B, A, K) bool."""
        ears, terrain = self._ears, self._terrain
        places = torch.stack([near.of(state.position[..., axis]) for axis in range(2)])
        if "hearing" not in modalities:
            walls, _ = sight_lines.walls(terrain, viewers, places)
            return torch.zeros((*viewers.shape, EARS, SOUND_FRAMES, BANDS), device=places.device), walls > 0
        sources = ears.attend(ears.sources(state, terrain.layout.thing_level), viewers, near)
        sounding = torch.stack((sources.x, sources.y))
        walls, thickness = sight_lines.walls(terrain, viewers, torch.cat((places, sounding), dim=3))
        count = near.slot.shape[2]
        floors = (sources.level - viewers.level.unsqueeze(-1)).abs().to(walls.dtype)
        doors = sight_lines.doors(terrain, state, viewers, sounding)
        loss = ears.loss(walls[..., count:], thickness[..., count:], doors, floors)
        return ears.listen(sources, viewers, loss), walls[..., :count] > 0

    def _touch(self, state: State, slots: Tensor, present: Tensor, modalities: frozenset[str]) -> Tensor:
        """Returns (B, A, 10)."""
        if "touch" not in modalities:
            return torch.zeros((*present.shape[:2], TOUCH_WIDTH), device=state.device)
        return touch(state, slots) * present[..., 2, None]
