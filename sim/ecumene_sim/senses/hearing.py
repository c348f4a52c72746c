"""What avatars hear: the loudest few sources around them, as two ears would.

Each source's energy per mel band and tick comes from its signature, falls with the square of the distance, is muffled
by walls, closed doors and floors (high bands more than low), arrives late by the speed of sound, and differs between
the ears by where it is relative to the head. Energies add up, then become dB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import BANDS, SOUND_FRAMES
from ecumene_sim.neighbours import Nearest
from ecumene_sim.senses import sight_lines
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.sound import VOICES, Signatures
from ecumene_sim.terrain import Terrain
from ecumene_world.state import DT, Sound, State

HEARD: Final = 6
"""Sources an ear follows at once: the loudest."""
LOUD: Final = 24
"""Loudest sources of the whole world that are listened for, besides each listener's nearest avatars."""
SPEED_OF_SOUND: Final = 343.0
"""m/s."""
EAR_DELAY_S: Final = 0.00066
"""How much later the far ear hears a source at the side, seconds."""
EAR_DB: Final = (1.0, 9.0)
"""How much louder the near ear hears a source at the side than the far ear: half of this each way, lowest and
highest band, dB."""
WALL_DB: Final = (10.0, 26.0)
"""Lost at each wall, lowest and highest band."""
THICKNESS_DB: Final = (6.0, 14.0)
"""Lost per metre inside obstacles."""
DOOR_DB: Final = (7.0, 16.0)
"""Lost at each closed door."""
STOREY_DB: Final = (14.0, 30.0)
"""Lost at each floor between listener and source."""
QUIET_DB: Final = 20.0
"""Heard as 0."""
RANGE_DB: Final = 80.0
"""Heard as 1 this much above `QUIET_DB`."""
_NEPER: Final = math.log(10.0) / 10.0
_NEAREST_M: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Sounding things and avatars; S of each world (B, S), or of each listener (B, A, S)."""

    x: Tensor
    y: Tensor
    level: Tensor
    """i64 storey."""
    power: Tensor
    """Energy at one metre relative to 0 dB; 0 is silent."""
    signature: Tensor
    """i64 row of `Signatures.energy`."""
    age: Tensor
    """i64 ticks since it began."""
    slot: Tensor
    """i64 slot of the avatar, -1 of a thing."""

    def columns(self) -> tuple[Tensor, ...]:
        """Returns the seven columns in order."""
        return self.x, self.y, self.level, self.power, self.signature, self.age, self.slot

    def pick(self, index: Tensor) -> Sources:
        """Returns the sources at those places of the last axis."""
        return Sources(*(column.gather(-1, index) for column in self.columns()))


class Ears:
    """Bands' constants on one device."""

    def __init__(self, signatures: Signatures, device: torch.device) -> None:
        self.signatures = signatures
        share = torch.arange(BANDS, device=device) / (BANDS - 1)

        def slant(ends: tuple[float, float]) -> Tensor:
            return (ends[0] + (ends[1] - ends[0]) * share) * _NEPER

        self.ear, self.wall, self.thickness = slant(EAR_DB) * 0.5, slant(WALL_DB), slant(THICKNESS_DB)
        self.door, self.storey = slant(DOOR_DB), slant(STOREY_DB)
        self.frame = torch.arange(SOUND_FRAMES, device=device) - SOUND_FRAMES

    def sources(self, state: State, thing_level: Tensor) -> Sources:
        """Returns all avatars and things of each world as sources, (B, C + O)."""
        worlds, slots = state.alive.shape
        avatar_power = (state.loudness * _NEPER).exp() * (state.alive & (state.sound != int(Sound.SILENCE)))
        loudness = self.signatures.loudness.index_select(0, state.thing_sound.reshape(-1)).view_as(state.thing_sound)
        thing_power = (loudness * _NEPER).exp() * (state.thing_sound != int(Sound.SILENCE))
        slot = torch.arange(slots, device=state.alive.device).expand(worlds, -1)
        return Sources(
            torch.cat((state.position[..., 0], state.thing_position[..., 0]), dim=1),
            torch.cat((state.position[..., 1], state.thing_position[..., 1]), dim=1),
            torch.cat((state.level, thing_level.expand(worlds, -1)), dim=1),
            torch.cat((avatar_power, thing_power), dim=1),
            torch.cat((state.sound * VOICES + state.look % VOICES, state.thing_sound * VOICES), dim=1),
            torch.cat((state.sound_age, state.thing_sound_age), dim=1),
            torch.cat((slot, torch.full_like(state.thing_sound, -1)), dim=1),
        )

    def attend(self, everything: Sources, viewers: Viewers, near: Nearest) -> Sources:
        """Returns the `HEARD` sources with the most energy at each listener, (B, A, HEARD), before walls."""
        worlds, listeners, count = near.slot.shape
        loudest = everything.power.topk(min(LOUD, everything.power.shape[1]), dim=1).indices
        far = everything.pick(loudest)
        close = Sources(*(c.gather(1, near.slot.view(worlds, -1)).view_as(near.slot) for c in everything.columns()))
        merged = [
            torch.cat((a, b.unsqueeze(1).expand(-1, listeners, -1)), dim=-1)
            for a, b in zip(close.columns(), far.columns(), strict=True)
        ]
        both = Sources(*merged)
        square = (both.x - viewers.x.unsqueeze(-1)).square() + (both.y - viewers.y.unsqueeze(-1)).square()
        energy = both.power / square.clamp(min=_NEAREST_M * _NEAREST_M)
        energy[..., :count] *= near.valid
        energy[..., count:] *= ~_listed(both.slot[..., count:], near, viewers.slots)
        heard = energy.topk(min(HEARD, energy.shape[-1]), dim=-1)
        picked = both.pick(heard.indices)
        audible = (heard.values > 0).to(picked.power.dtype)
        return Sources(*(picked.power * audible if c is picked.power else c for c in picked.columns()))

    def loss(self, terrain: Terrain, state: State, viewers: Viewers, sources: Sources) -> Tensor:
        """Returns (B, A, K, 16) nepers of energy lost on the way to each source."""
        walls, thickness = sight_lines.walls(terrain, viewers, sources.x, sources.y)
        floors = (sources.level - viewers.level.unsqueeze(-1)).abs().to(walls.dtype)
        lost = walls.clamp(max=3.0).unsqueeze(-1) * self.wall + thickness.clamp(max=3.0).unsqueeze(-1) * self.thickness
        lost = lost + floors.unsqueeze(-1) * self.storey
        doors = sight_lines.doors(terrain, state, viewers, sources.x, sources.y)
        return lost if doors is None else lost + doors.unsqueeze(-1) * self.door

    def listen(self, sources: Sources, viewers: Viewers, loss: Tensor) -> Tensor:
        """Returns (B, A, 2, 8, 16) hearing of sources (B, A, K) whose way loses (B, A, K, 16) nepers of energy."""
        dx, dy = sources.x - viewers.x.unsqueeze(-1), sources.y - viewers.y.unsqueeze(-1)
        distance = (dx * dx + dy * dy).sqrt()
        energy = sources.power / (distance * distance).clamp(min=_NEAREST_M * _NEAREST_M)
        head_cos, head_sin = viewers.head_cos.unsqueeze(-1), viewers.head_sin.unsqueeze(-1)
        lateral = (dy * head_cos - dx * head_sin) / distance.clamp(min=_NEAREST_M)
        ears = []
        for side in (1.0, -1.0):
            delay = (distance * (1.0 / SPEED_OF_SOUND) - lateral * (side * 0.5 * EAR_DELAY_S)).clamp(min=0.0)
            spectrum = self._spectrum(sources, delay * (1.0 / DT))
            gain = ((lateral * side).unsqueeze(-1) * self.ear - loss).exp() * energy.unsqueeze(-1)
            ears.append(_ordered_sum(spectrum * gain.unsqueeze(-2)))
        level = torch.stack(ears, dim=2).clamp(min=1e-9).log() * (1.0 / _NEPER)
        return ((level - QUIET_DB) * (1.0 / RANGE_DB)).clamp_(0.0, 1.25)

    def _spectrum(self, sources: Sources, delay: Tensor) -> Tensor:
        """Returns (B, A, K, 8, 16) energies of the last eight ticks, each source `delay` ticks late."""
        table = self.signatures
        sound = sources.signature // VOICES
        length = table.ticks.index_select(0, sound.view(-1)).view_as(sound).unsqueeze(-1)
        loops = table.loops.index_select(0, sound.view(-1)).view_as(sound).unsqueeze(-1)
        whole = delay.floor()
        newest = (sources.age - whole.long()).unsqueeze(-1) + self.frame
        part = (delay - whole)[..., None, None]
        return _frames(table.energy, sources.signature, newest, length, loops) * (1.0 - part) + (
            _frames(table.energy, sources.signature, newest - 1, length, loops) * part
        )


def _listed(slot: Tensor, near: Nearest, me: Tensor) -> Tensor:
    """Returns which loud avatars are listed as near already, or are the listener."""
    listed = ((slot.unsqueeze(-1) == near.slot.unsqueeze(-2)) & near.valid.unsqueeze(-2)).any(dim=-1)
    return listed | (slot == me.view(1, -1, 1))


def _frames(energy: Tensor, row: Tensor, frame: Tensor, length: Tensor, loops: Tensor) -> Tensor:
    """Returns rows of the signature table at (..., 8) frames, silence before the start and after the end."""
    silent = energy.shape[1] - 1
    looped = torch.where(loops, frame % length, frame)
    within = (frame >= 0) & (looped < length)
    index = row.unsqueeze(-1) * (silent + 1) + torch.where(within, looped, silent)
    return energy.view(-1, BANDS).index_select(0, index.view(-1)).view(*index.shape, BANDS)


def _ordered_sum(values: Tensor) -> Tensor:
    """Returns the sum over axis 2, added up in order, so that it never depends on the batch."""
    total = values[:, :, 0]
    for source in range(1, values.shape[2]):
        total = total + values[:, :, source]
    return total
