"""All senses of a batch of avatars, computed together so that they share what they look up."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import pad

from ecumene_sim.frame import BANDS, COLUMNS, EARS, FAR_M, ROWS, SOUND_FRAMES, TOUCH_WIDTH, Senses
from ecumene_sim.senses import sight_lines
from ecumene_sim.senses.body import body, goal
from ecumene_sim.senses.company import company
from ecumene_sim.senses.hearing import Ears, thing_bodies
from ecumene_sim.senses.others import Others
from ecumene_sim.senses.relations import Surroundings
from ecumene_sim.senses.sight_lines import ClosedDoors
from ecumene_sim.senses.touch import touch
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.senses.vision import Retina, loose_things
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
        self._surroundings = Surroundings(terrain)
        self._ears, self._bodies = Ears(signatures, device), thing_bodies(terrain)

    @torch.no_grad()
    def sense(self, state: State, slots: Tensor, modalities: frozenset[str]) -> Senses:
        """Returns the senses of the avatars in those slots of every world."""
        viewers = Viewers.of(state, slots)
        others, doors = Others.near(state, viewers), ClosedDoors.near(self._terrain, state, viewers)
        present = self._present(state, slots, modalities)
        hearing, hidden = self._hearing(state, viewers, others, doors, modalities)
        tokens, slot = company(state, viewers, others, hidden)
        depth, kind = self._vision(state, viewers, others, doors, modalities)
        return Senses(
            slots=slots,
            vision_depth=depth.masked_fill_(~present[..., 0, None, None], FAR_M),
            vision_kind=kind.masked_fill_(~present[..., 0, None, None], int(Category.SKY)),
            hearing=hearing.mul_(present[..., 1, None, None, None]),
            touch=self._touch(state, slots, present, modalities),
            body=body(state, viewers),
            neighbours=tokens,
            neighbour_slot=slot,
            relations=self._surroundings.relations(state, viewers, tokens, slot),
            goal=goal(state, viewers),
            verb=state.verb.index_select(1, slots),
            present=present,
            serial=state.serial.index_select(1, slots),
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
        self, state: State, viewers: Viewers, others: Others, doors: ClosedDoors | None, modalities: frozenset[str]
    ) -> tuple[Tensor, Tensor]:
        """Returns depth and kind, (B, A, 8, 24) each."""
        shape, device = (*viewers.shape, ROWS, COLUMNS), viewers.at.device
        if "vision" not in modalities:
            return torch.full(shape, FAR_M, device=device), torch.zeros(shape, dtype=torch.uint8, device=device)
        things = loose_things(state, viewers, self._things.loose_index)
        picture = self._retina.see(self._terrain, viewers, others, doors, things)
        return picture.depth, picture.kind

    def _hearing(
        self, state: State, viewers: Viewers, others: Others, doors: ClosedDoors | None, modalities: frozenset[str]
    ) -> tuple[Tensor, Tensor]:
        """Returns what is heard (B, A, 2, 8, 16), and which of the nearest others walls hide (B, A, K) bool."""
        ears, terrain, me = self._ears, self._terrain, viewers.at.unsqueeze(-1)
        to_others = torch.stack((others.x, others.y)) - me
        if "hearing" not in modalities:
            walls, _ = sight_lines.walls(terrain, viewers, to_others)
            return torch.zeros((*viewers.shape, EARS, SOUND_FRAMES, BANDS), device=me.device), walls > 0
        sources = ears.attend(ears.sources(state, terrain.layout.thing_level, self._bodies), viewers, others)
        way, count = torch.stack((sources.x, sources.y)) - me, others.slot.shape[2]
        spared = pad(sources.body, (count, 0))
        walls, thickness = sight_lines.walls(terrain, viewers, torch.cat((to_others, way), dim=3), spared)
        floors = (sources.level - viewers.level.unsqueeze(-1)).abs().to(walls.dtype)
        crossed = None if doors is None else sight_lines.doors_crossed(doors, way)
        loss = ears.loss(walls[..., count:], thickness[..., count:], crossed, floors)
        return ears.listen(sources, way, viewers, loss), walls[..., :count] > 0

    def _touch(self, state: State, slots: Tensor, present: Tensor, modalities: frozenset[str]) -> Tensor:
        """Returns (B, A, 10)."""
        if "touch" not in modalities:
            return torch.zeros((*present.shape[:2], TOUCH_WIDTH), device=state.device)
        return touch(state, slots) * present[..., 2, None]
