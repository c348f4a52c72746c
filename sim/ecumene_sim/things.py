"""Things that change by themselves: doors that close, alarms that stop, things that go where their holder goes."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ecumene_sim.compaction import chosen, nobody, write
from ecumene_sim.terrain import Terrain, take
from ecumene_sim.walls import Doors
from ecumene_world.kinds import BY_NAME, Interaction
from ecumene_world.layout import Layout
from ecumene_world.state import DT, Posture, Sound, State

DOOR_CLOSES_S: Final = 6.0
"""An open door closes after this long, unless somebody stands in it."""
DOOR_WAITS_S: Final = 0.5
"""How long a door waits before it tries again to close."""
DOORWAY_M: Final = 0.5
"""Bodies nearer to the leaf than this keep it from closing."""
HAND_AHEAD_M: Final = 0.35
"""Held things are this far ahead of their holder."""
HAND_SHARE: Final = 0.6
"""Height of the hand as a share of the holder's."""
REACH_M: Final = {
    Interaction.NONE: 0.0,
    Interaction.SIT: 1.2,
    Interaction.LIE: 1.6,
    Interaction.OPEN: 1.5,
    Interaction.PICK_UP: 1.2,
    Interaction.PRESS: 1.4,
    Interaction.READ: 2.5,
}
"""How far one reaches, from the middle of the body to the thing (or seat), metres along the ground."""
PRESSED: Final = {
    "alarm_button": (Sound.ALARM, 30.0),
    "radio": (Sound.MUSIC, 0.0),
    "screen": (Sound.MUSIC, 0.0),
    "bell_post": (Sound.BELL, 2.0),
    "post_box": (Sound.DOOR, 1.0),
    "stove": (Sound.BUMP, 0.0),
    "sink": (Sound.BUMP, 0.0),
}
"""What a pressed thing sounds like and how long it stays on, seconds; 0 until pressed again."""
LASTING: Final = (Sound.ALARM, Sound.MUSIC, Sound.BELL)
"""Sounds that go on, or come again, for as long as their thing is on, whoever turned it on."""


class ThingTable:
    """What the engine knows about the O things of a layout, (O,) each.

    Attributes:
        sound: i64 `Sound` when turned on or opened.
        stays: f32 seconds it stays on; 0 until it is used again.
        lasts: bool, sounds for as long as it is on.
        opens: bool, doors and cabinets.
        loose: bool, can be carried.
        loose_index: (n,) i64 indices of loose things.
        length: f32 metres from end to end of what two have to carry; 0 of all else.
        heavy: bool, two have to carry it.
        heavy_index: (h,) i64 indices of these.
        reach: (7,) f32 metres by `Interaction`.
        door: i64 door index or -1.
    """

    def __init__(self, layout: Layout) -> None:
        device = layout.device
        interaction, kind = layout.thing_interaction, layout.thing_kind
        self.opens = interaction == int(Interaction.OPEN)
        self.loose = interaction == int(Interaction.PICK_UP)
        self.loose_index = self.loose.nonzero().view(-1)
        self.length = layout.thing_lengths()
        self.heavy = self.length > 0
        self.heavy_index = self.heavy.nonzero().view(-1)
        self.reach = torch.tensor([REACH_M[each] for each in Interaction], device=device).clamp(min=1e-3)
        self.door = layout.thing_door
        self.is_door = self.door >= 0
        self.sound = torch.zeros_like(kind).masked_fill(self.opens, int(Sound.DOOR))
        self.stays = torch.zeros(len(kind), device=device).masked_fill(self.is_door, DOOR_CLOSES_S)
        for name, (sound, seconds) in PRESSED.items():
            of_kind = kind == BY_NAME[name].code
            self.sound.masked_fill_(of_kind, int(sound))
            self.stays.masked_fill_(of_kind, seconds)
        self.lasts = torch.isin(self.sound, torch.tensor([int(sound) for sound in LASTING], device=device))


def doorways_taken(state: State, terrain: Terrain) -> Tensor:
    """Returns (B, O) bool: the thing is an open door, and somebody stands in it."""
    worlds, things = state.thing_state.shape
    if not terrain.has_doors:
        return torch.zeros((worlds, things), dtype=torch.bool, device=state.device)
    door, distance = Doors.nearest_leaf(terrain, state)
    inside = (distance < DOORWAY_M) & state.alive & (state.posture == int(Posture.STAND)) & (door >= 0)
    index = torch.where(inside, take(terrain.layout.door_thing, door.clamp(min=0)), things)
    marks = torch.zeros((worlds, things + 1), dtype=torch.bool, device=state.device)
    marks.scatter_(1, index, torch.ones_like(index, dtype=torch.bool))
    return marks[:, :things] & (state.thing_state != 0)


def toggle(state: State, table: ThingTable, index: Tensor, where: Tensor) -> None:
    """Turns things on or off, opens or closes them, and lets that be heard.

    Args:
        state: Of the world.
        table: Of its things.
        index: (R,) i64 rows of a (B·O) table, distinct where the mask is True.
        where: (R,) bool.
    """
    thing = index % max(state.thing_state.shape[1], 1)
    on = (state.thing_state.view(-1).index_select(0, index) == 0).long()
    heard = (on > 0) | take(table.opens, thing)
    write(state.thing_state, index, where, on)
    write(state.thing_timer, index, where, take(table.stays, thing) * on)
    write(state.thing_sound, index, where, take(table.sound, thing) * heard)
    write(state.thing_sound_age, index, where, torch.zeros_like(on))


def keep_sounding(state: State, table: ThingTable) -> None:
    """Lets what is on sound again once it has fallen silent, and what is off fall silent: commands set states only."""
    on = state.thing_state != 0
    again = table.lasts & on & (state.thing_sound == int(Sound.SILENCE))
    state.thing_sound.copy_(torch.where(again, table.sound, state.thing_sound).masked_fill(table.lasts & ~on, 0))
    state.thing_sound_age.masked_fill_(again | (table.lasts & ~on), 0)


def run_timers(state: State, table: ThingTable, terrain: Terrain) -> Tensor:
    """Lets time pass for things that return to rest; a door waits for those who stand in it.

    Returns:
        (B, O) bool: returned to rest in this tick.
    """
    runs = state.thing_timer > 0
    state.thing_timer.sub_(DT).clamp_(min=0.0)
    due = runs & (state.thing_timer < 0.5 * DT)
    if nobody(due):
        return due
    index = chosen(due)
    blocked = due & table.is_door & doorways_taken(state, terrain)
    state.thing_timer.masked_fill_(due, 0.0).masked_fill_(blocked, DOOR_WAITS_S)
    rests = due & ~blocked & ~table.loose & (state.thing_state != 0)
    toggle(state, table, index, rests.view(-1).index_select(0, index))
    return rests


def carry(state: State, table: ThingTable) -> None:
    """Moves held things with their holders, and drops those whose holder is gone; what takes two is `hauling`'s."""
    things = state.thing_holder.shape[1]
    if len(table.loose_index) == 0:
        return
    _let_go_of_others_things(state, table)
    held, holder = state.thing_holder >= 0, state.thing_holder.clamp(min=0)
    if len(table.heavy_index):
        held = held & ~table.heavy
    x, y, z = (state.position[..., axis].gather(1, holder) for axis in range(3))
    yaw = state.yaw.gather(1, holder)
    in_hand = state.held.gather(1, holder) == torch.arange(things, device=held.device)
    kept = held & in_hand & state.alive.gather(1, holder)
    hand = torch.stack((x + yaw.cos() * HAND_AHEAD_M, y + yaw.sin() * HAND_AHEAD_M, z), dim=-1)
    dropped = torch.stack((x, y, z), dim=-1)
    hand[..., 2] += state.height.gather(1, holder) * HAND_SHARE
    where = torch.where(kept.unsqueeze(-1), hand, torch.where(held.unsqueeze(-1), dropped, state.thing_position))
    state.thing_position.copy_(where)
    state.thing_holder.masked_fill_(~kept & ~table.heavy, -1)


def _let_go_of_others_things(state: State, table: ThingTable) -> None:
    """Empties the hands of avatars that are gone or whose thing says that somebody else holds it."""
    slot, held = torch.arange(state.held.shape[1], device=state.held.device), state.held.clamp(min=0)
    mine = state.thing_holder.gather(1, held) == slot
    if len(table.heavy_index):
        mine = mine | (state.thing_partner.gather(1, held) == slot)
    state.held.masked_fill_(~(mine & state.alive), -1)
