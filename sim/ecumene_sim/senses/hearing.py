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
from ecumene_sim.senses.others import Others
from ecumene_sim.senses.viewer import Viewers
from ecumene_sim.sound import VOICES, Signatures
from ecumene_sim.terrain import Terrain, take
from ecumene_world.kinds import BY_NAME, Motion
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
BODY_M: Final = 0.3
"""A solid thing reaches this much further than the clearance at its middle says, metres: the grid blurs small ones."""
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
    body: Tensor
    """Metres around it that are the source itself and muffle nothing."""

    def columns(self) -> tuple[Tensor, ...]:
        """Returns the seven columns in order."""
        return self.x, self.y, self.level, self.power, self.signature, self.age, self.body


def thing_bodies(terrain: Terrain) -> Tensor:
    """Returns (O,) how far each thing's own body reaches from its middle, metres; 0 for what bars no sound."""
    layout = terrain.layout
    if layout.thing_kind.numel() == 0:
        return torch.zeros(0, device=layout.device)
    solid = [kind.code for kind in BY_NAME.values() if kind.motion == Motion.OBSTACLE]
    barring = torch.isin(layout.thing_kind, torch.tensor(solid, device=layout.device))
    clear = terrain.sample(terrain.tall, layout.thing_level, layout.thing_position[:, :2].t().contiguous())[0]
    return (BODY_M - clear).clamp(min=0.0) * barring


class Ears:
    """Bands' constants on one device."""

    def __init__(self, signatures: Signatures, device: torch.device) -> None:
        self.signatures = signatures
        share = torch.arange(BANDS, device=device) / (BANDS - 1)

        def slant(ends: tuple[float, float]) -> Tensor:
            return (ends[0] + (ends[1] - ends[0]) * share) * _NEPER

        self.ear, self.wall, self.thickness = slant(EAR_DB) * 0.5, slant(WALL_DB), slant(THICKNESS_DB)
        self.door, self.storey = slant(DOOR_DB), slant(STOREY_DB)
        self.frame = torch.arange(-1, SOUND_FRAMES, device=device) - SOUND_FRAMES

    def sources(self, state: State, thing_level: Tensor, thing_body: Tensor) -> Sources:
        """Returns all avatars and things of each world as sources, (B, C + O)."""
        avatar_power = (state.loudness * _NEPER).exp() * (state.alive & (state.sound != int(Sound.SILENCE)))
        loudness = take(self.signatures.loudness, state.thing_sound)
        thing_power = (loudness * _NEPER).exp() * (state.thing_sound != int(Sound.SILENCE))
        return Sources(
            torch.cat((state.position[..., 0], state.thing_position[..., 0]), dim=1),
            torch.cat((state.position[..., 1], state.thing_position[..., 1]), dim=1),
            torch.cat((state.level, thing_level.expand(len(state.level), -1)), dim=1),
            torch.cat((avatar_power, thing_power), dim=1),
            torch.cat((state.sound * VOICES + state.look % VOICES, state.thing_sound * VOICES), dim=1),
            torch.cat((state.sound_age, state.thing_sound_age), dim=1),
            torch.cat((torch.zeros_like(state.radius), thing_body.expand(len(state.level), -1)), dim=1),
        )

    def attend(self, everything: Sources, viewers: Viewers, others: Others) -> Sources:
        """Returns the `HEARD` sources with the most energy at each listener, (B, A, HEARD), before walls."""
        worlds, listeners, count = others.slot.shape
        loudest = everything.power.topk(min(LOUD, everything.power.shape[1]), dim=1).indices
        candidates = torch.cat((others.slot, loudest.unsqueeze(1).expand(-1, listeners, -1)), dim=2)
        flat = candidates.view(worlds, -1)
        dx, dy = (
            place.gather(1, flat).view_as(candidates) - viewers.at[axis].unsqueeze(-1)
            for axis, place in enumerate((everything.x, everything.y))
        )
        energy = everything.power.gather(1, flat).view_as(candidates)
        energy = energy / dx.mul_(dx).addcmul_(dy, dy).clamp_(min=_NEAREST_M * _NEAREST_M)
        energy[..., :count] *= others.valid
        energy[..., count:] *= ~_listed(loudest, everything.power.shape[1], others, viewers.slots)
        heard = energy.topk(min(HEARD, energy.shape[-1]), dim=-1)
        picked = candidates.gather(-1, heard.indices).view(worlds, -1)
        columns = (c.gather(1, picked).view_as(heard.values) for c in everything.columns())
        x, y, level, power, signature, age, body = columns
        return Sources(x, y, level, power * (heard.values > 0), signature, age, body)

    def loss(self, walls: Tensor, thickness: Tensor, doors: Tensor | None, floors: Tensor) -> Tensor:
        """Returns (..., 16) nepers of energy lost at walls, metres inside them, closed doors and floors."""
        lost = walls.clamp(max=3.0).unsqueeze(-1) * self.wall + thickness.clamp(max=3.0).unsqueeze(-1) * self.thickness
        lost = torch.addcmul(lost, floors.unsqueeze(-1), self.storey)
        return lost if doors is None else lost.addcmul_(doors.unsqueeze(-1), self.door)

    def listen(self, sources: Sources, way: Tensor, viewers: Viewers, loss: Tensor) -> Tensor:
        """Returns (B, A, 2, 8, 16) hearing of sources (B, A, K).

        Args:
            sources: What sounds.
            way: (2, B, A, K) from the listeners to the sources, world axes, metres.
            viewers: The listeners.
            loss: (B, A, K, 16) nepers of energy lost on the way.
        """
        dx, dy = way
        square = (dx * dx).addcmul_(dy, dy)
        distance = square.sqrt()
        lateral = dy * viewers.head_cos.unsqueeze(-1) - dx * viewers.head_sin.unsqueeze(-1)
        lateral = lateral / distance.clamp(min=_NEAREST_M)
        delay = distance * (1.0 / (SPEED_OF_SOUND * DT))
        whole = delay.floor()
        frames = self._frames(sources, whole.long())
        energy = (sources.power / square.clamp_(min=_NEAREST_M * _NEAREST_M)).unsqueeze(-1)
        ears = []
        for side in (1.0, -1.0):
            late = (delay - whole - lateral * (side * 0.5 * EAR_DELAY_S / DT)).clamp_(0.0, 1.0).unsqueeze(-1)
            gain = ((lateral * side).unsqueeze(-1) * self.ear - loss).exp_() * energy
            ears.append(_mix(frames, gain - gain * late, gain * late))
        level = torch.stack(ears, dim=2).clamp_(min=1e-9).log_().mul_(1.0 / (_NEPER * RANGE_DB))
        return level.sub_(QUIET_DB / RANGE_DB).clamp_(0.0, 1.25)

    def _frames(self, sources: Sources, delay: Tensor) -> Tensor:
        """Returns (B, A, K, 9, 16) energies of the last nine ticks, oldest first, `delay` ticks late.

        Silence before a sound begins and after it ends.
        """
        table = self.signatures
        sound = sources.signature // VOICES
        length = take(table.ticks, sound).unsqueeze(-1)
        frame = (sources.age - delay).unsqueeze(-1) + self.frame
        frame = torch.where(take(table.loops, sound).unsqueeze(-1) & (frame >= 0), frame % length, frame)
        silent = table.energy.shape[1] - 1
        within = (frame >= 0) & (frame < length)
        index = sources.signature.unsqueeze(-1) * (silent + 1) + torch.where(within, frame, silent)
        return take(table.energy.view(-1, BANDS), index)


def _listed(loudest: Tensor, sources: int, others: Others, me: Tensor) -> Tensor:
    """Returns (B, A, L) which of the (B, L) loudest of so many sources are near avatars, listed already, or I."""
    worlds, most = loudest.shape
    rank = torch.full((worlds, sources), most, device=loudest.device)
    rank.scatter_(1, loudest, torch.arange(most, device=loudest.device).expand(worlds, -1))
    near = rank.gather(1, others.slot.view(worlds, -1)).view_as(others.slot).masked_fill_(~others.valid, most)
    mine = rank.index_select(1, me).unsqueeze(-1)
    marks = torch.zeros((worlds, len(me), most + 1), dtype=torch.bool, device=loudest.device)
    return marks.scatter_(2, torch.cat((near, mine), dim=2), value=True)[..., :most]


def _mix(frames: Tensor, now: Tensor, before: Tensor) -> Tensor:
    """Returns (B, A, 8, 16) the sum over sources, in order, of each frame and the one before it by their gains.

    Args:
        frames: (B, A, K, 9, 16).
        now: (B, A, K, 16).
        before: (B, A, K, 16).
    """
    total = torch.zeros_like(frames[:, :, 0, 1:])
    gains = now.unsqueeze(-2).unbind(2), before.unsqueeze(-2).unbind(2)
    for source, gain, gain_before in zip(frames.unbind(2), *gains, strict=True):
        total.addcmul_(source[:, :, 1:], gain).addcmul_(source[:, :, :-1], gain_before)
    return total
