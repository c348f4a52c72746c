"""Counts what people do: one total per world and per measured thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from ecumene_scenarios import contacts
from ecumene_sim.frame import Frame
from ecumene_world.state import DT, Posture, Sound, State

METRICS: Final[Mapping[str, str]] = {
    "people": "avatars alive now",
    "agent_minutes": "minutes lived, summed over avatars",
    "walked_m": "metres walked, summed over avatars",
    "collisions": "times an avatar began to touch a wall, a thing or somebody, after half a second without",
    "collisions_per_agent_minute": "collisions divided by agent_minutes",
    "spoken": "times an avatar began to speak",
    "seated_share": "share of lived time spent sitting or lying",
    "events": "events of any kind",
}
"""Every metric of a living world and what it counts."""

_TOTALS: Final = ("agent_ticks", "walked_m", "collisions", "spoken", "seated_ticks", "events")


def started(memory: dict[str, Tensor], state: State, which: Tensor) -> None:
    """Sets the totals of the worlds `which` (B,) bool to zero."""
    for name in _TOTALS:
        total = memory.setdefault(name, torch.zeros(state.worlds, device=state.device))
        total[which] = 0.0


def counted(memory: dict[str, Tensor], frame: Frame) -> None:
    """Adds one frame to the totals."""
    state = frame.state
    alive = state.alive.float()
    speaking = (state.sound == Sound.SPEECH) & (state.sound_age == 1) & state.alive
    memory["agent_ticks"] += alive.sum(1)
    memory["walked_m"] += (state.velocity[..., :2].norm(dim=-1) * alive).sum(1) * DT
    memory["collisions"] += contacts.begun(memory, state).sum(1)
    memory["spoken"] += speaking.float().sum(1)
    memory["seated_ticks"] += ((state.posture != Posture.STAND) * alive).sum(1)
    memory["events"] += float(len(frame.events))


def metrics(memory: Mapping[str, Tensor], state: State) -> dict[str, Tensor]:
    """The `METRICS` of each world, name → (B,) f32."""
    lived = memory["agent_ticks"].clamp(min=1.0)
    minutes = memory["agent_ticks"] * DT / 60
    return {
        "people": state.alive.sum(1).float(),
        "agent_minutes": minutes,
        "walked_m": memory["walked_m"].clone(),
        "collisions": memory["collisions"].clone(),
        "collisions_per_agent_minute": memory["collisions"] / (lived * DT / 60),
        "spoken": memory["spoken"].clone(),
        "seated_share": memory["seated_ticks"] / lived,
        "events": memory["events"].clone(),
    }
