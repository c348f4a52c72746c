"""Minds: who decides for the NPCs of a world, fast by senses and slow by reasons, and can say why.

`decide` may run on another thread than the rest: it reads nothing but the senses that it is given.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import torch
from torch import Tensor

from ecumene_agents import purpose, scripted
from ecumene_agents.batch import batch_of
from ecumene_agents.dialogue import Dialogue, Lore, Reply
from ecumene_agents.errors import NobodyThereError
from ecumene_agents.explanation import VARIANTS, Explanation, explain, explain_scripted
from ecumene_agents.fast import FastMind
from ecumene_agents.keeping import packed, unpacked
from ecumene_agents.memory import Episode
from ecumene_agents.mind import Favour, Mind
from ecumene_agents.roster import RESTING_TURNS, STRIDE
from ecumene_agents.routes import Routes
from ecumene_agents.schedule import Clock
from ecumene_agents.thinking import THINK_TICKS, Thinking
from ecumene_agents.wardrobe import Wardrobe
from ecumene_agents.watchdog import Watchdog
from ecumene_models.actions import PolicyActions
from ecumene_models.adapters import adaptable
from ecumene_models.checkpoint import load_policy
from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionPolicy
from ecumene_models.senses import SenseBatch
from ecumene_sim.frame import Actions, Senses
from ecumene_world.command import Command, Gesture, Say
from ecumene_world.event import Event
from ecumene_world.graph import SceneGraph
from ecumene_world.kinds import BY_NAME
from ecumene_world.layout import Layout
from ecumene_world.state import TICK_HZ, Emote, Verb
from ecumene_world.world import World

HEARING_M: Final = 6.0
"""An NPC answers visitors who speak within this distance."""
FAVOUR_TICKS: Final = 120 * TICK_HZ
"""How long an NPC does what a visitor asked for."""
GIVING_TICKS: Final = 15 * TICK_HZ
"""How long an NPC offers what a visitor pulled at."""
HEARD: Final = frozenset({"said", "pulled", "handed_over", "put_down"})
"""Events that minds answer: speech, and what happens between hands."""

_VISITOR: Final = BY_NAME["visitor"].code


class Minds:
    """The minds of all NPCs of a world.

    Args:
        world: Whose NPCs.
        policy: The fast mind; None for the scripted controller, unless `weights` are given.
        weights: Where to load the fast mind from.
        adapters: Role, or "while-" and a verb, to the file of an adapter of the fast mind that NPCs of this role, or
            all who intend that, wear; None for none, ever.
        clock: World time; a day of 20 minutes by default.
        keeps_speech: Whether NPCs remember word by word what is said to them.
        routes: Shared with whoever else needs them.
        device: Where the fast mind runs.

    Raises:
        WeightsError: The weights can't be read or do not fit.
    """

    def __init__(
        self,
        world: World,
        policy: FusionPolicy | None = None,
        *,
        weights: Path | None = None,
        adapters: Mapping[str, Path] | None = None,
        clock: Clock | None = None,
        keeps_speech: bool = False,
        routes: Routes | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.world = world
        policy = load_policy(weights) if policy is None and weights is not None else policy
        self.fast = FastMind(policy, device) if adapters is None else _dressed(world, policy, device, adapters)
        self.routes = routes or Routes(world)
        self._slow = Thinking(world, clock=clock, keeps_speech=keeps_speech)
        self.watchdog = Watchdog(world, lambda: self._slow.spots.of(world.layout))
        """Finds NPCs that get nowhere, if somebody lets it look."""
        self._keeps_speech = keeps_speech
        self._dialogue = Dialogue(world, self)
        self.weights = weights
        """Where the trained fast mind came from, None if from nowhere."""
        self.looks: Callable[[Tensor], Senses] | None = None
        """Senses slots anew for explanations, where another process decides and `decide` is never called here."""
        self._last: deque[tuple[Senses, dict[int, int]]] = deque(maxlen=STRIDE * RESTING_TURNS)

    @property
    def policy(self) -> FusionPolicy | None:
        """The trained fast mind, None for the scripted controller."""
        return self.fast.policy

    @property
    def kind(self) -> Literal["fusion", "scripted"]:
        """Which fast mind decides."""
        return self.fast.kind

    @property
    def clock(self) -> Clock:
        """World time."""
        return self._slow.clock

    def prepare(self, layout: Layout, graph: SceneGraph) -> None:
        """Makes what a layout to come needs, compiled from that graph; on any thread. Its swap then takes no time."""
        self._slow.spots.prepare(layout)
        self._dialogue.lore.put(layout, Lore.of(layout, graph))

    def tidy(self) -> None:
        """Lets go of what was made of layouts that are not in use."""
        self._slow.spots.tidy()
        self._dialogue.lore.tidy()

    def decide(self, senses: Senses) -> Actions:
        """Returns what the sensed slots do: one forward pass for all of them."""
        self._remember(senses)
        return self.fast.decide(senses)

    def act(self, batch: SenseBatch) -> PolicyActions:
        """Returns the likeliest actions of N rows, with the reflexes that every mind has."""
        return self.fast.act(batch)

    def think(self, tick: int) -> list[Command]:
        """Returns what the NPCs whose turn it is want to do about their lives; each thinks once a second.

        Call it between ticks and apply the commands with the next one.
        """
        slots = range(tick % THINK_TICKS, self.world.state.slots, THINK_TICKS)
        if tick % THINK_TICKS == 0:
            self._slow.forget_gone()
        return self._slow.think(tick, slots)

    def hear(self, events: Sequence[Event]) -> list[Command]:
        """Returns the answers to visitors who spoke to an NPC nearby or pulled at what it holds, and what it agrees to.

        Args:
            events: Of the last tick; all but `HEARD` are passed over, and what others than visitors say or pull at.
        """
        commands: list[Command] = []
        for event in events:
            who = self.world.avatars.get(event.subject)
            if event.name not in HEARD or who is None:
                continue
            if who.kind != _VISITOR:
                self._has_given(who.key, event)
            elif event.name == "pulled":
                commands += self._offer(event.object, who.key)
            elif isinstance(text := event.data.get("text"), str):
                key = self._listener(event, text)
                if key is not None:
                    commands += self.converse(key, event.subject, text)
        return commands

    def converse(self, npc_key: str, visitor_key: str, text: str) -> list[Command]:
        """Returns what an NPC says and does when a visitor speaks to it.

        Raises:
            NobodyThereError: No such NPC is in the world.
        """
        reply = self.reply(npc_key, visitor_key, text)
        npc = self.world.avatars[npc_key]
        tick = int(self.world.state.tick[npc.world])
        commands: list[Command] = [Say(npc_key, reply.text, world=npc.world)]
        if reply.emote is not Emote.NONE:
            commands.append(Gesture(npc_key, reply.emote, world=npc.world))
        return commands + self._comply(npc_key, visitor_key, reply, tick)

    def reply(self, npc_key: str, visitor_key: str, text: str) -> Reply:
        """Returns what an NPC answers, and notes that it was spoken to.

        Raises:
            NobodyThereError: No such NPC is in the world.
        """
        reply = self._dialogue.reply(npc_key, visitor_key, text)
        npc, visitor = self.world.avatars[npc_key], self.world.avatars.get(visitor_key)
        tick, memory = int(self.world.state.tick[npc.world]), self.mind(npc_key).memory
        if visitor is not None:
            since = memory.since_met(visitor_key, tick)
            if since is None or since > FAVOUR_TICKS:
                memory.meet(visitor_key, visitor.title, tick)
            memory.note(Episode(tick, "heard", visitor_key, text=text))
        return reply

    def mind(self, key: str) -> Mind:
        """Returns the slow mind of an NPC.

        Raises:
            NobodyThereError: No such NPC is in the world.
        """
        who = self.world.avatars.get(key)
        if who is None or who.kind == _VISITOR:
            raise NobodyThereError(f"{key!r} is not an NPC of this world")
        return self._slow.mind(key)

    def senses_of(self, key: str) -> SenseBatch | None:
        """Returns one row of what an NPC perceived when it last decided, None before its first decision."""
        who = self.world.avatars.get(key)
        found = None if who is None else self._perceived(who.slot)
        return None if who is None or found is None else self._row(found, who.world)

    def explain(self, slot: int, world: int = 0) -> Explanation:
        """Explains the last decision of a slot.

        Raises:
            NobodyThereError: That slot has not decided anything yet.
        """
        found = self._perceived(slot)
        if found is None:
            raise NobodyThereError(f"slot {slot} has not decided anything yet")
        row = self._row(found, world).to(self.fast.device)
        memory = None if self.fast.memory is None else self.fast.memory.row(slot, world)
        wardrobe = self.fast.wardrobe
        with nullcontext() if wardrobe is None else wardrobe.dressing_one(slot, world, row.verb, VARIANTS):
            told = explain_scripted(scripted.act, row) if self.policy is None else explain(self.policy, row, memory)
        key = self.world.key_of(world, slot)
        who = None if key is None else self.world.avatars[key]
        if key is None or who is None or who.kind == _VISITOR:
            return told
        return replace(told, intent=purpose.intent(self.world, who), cause=self.cause(key))

    def wear(self, adapters: Mapping[str, Path]) -> None:
        """Changes the adapters that NPCs wear, by role or intent, from their next decision on.

        Files are read here, decisions under way are not waited for, and what can't be worn changes nothing.

        Raises:
            WeightsError: A file can't be read, belongs to another base, or these minds were made without adapters.
        """
        if self.fast.wardrobe is None:
            raise WeightsError("these minds can't wear adapters; make them with adapters, {} will do")
        self.fast.wardrobe.wear(adapters)

    def cause(self, key: str) -> str:
        """Returns why an NPC wants what it wants, one sentence or "".

        Raises:
            NobodyThereError: No such NPC is in the world.
        """
        return purpose.cause(self.mind(key))

    def neighbours(self, slot: int, world: int = 0) -> list[str | None]:
        """Returns the keys of the 8 neighbours that a slot last perceived, in the order of its senses."""
        found = self._perceived(slot)
        if found is None:
            return []
        senses, column = found
        return [self.world.key_of(world, near) for near in senses.neighbour_slot[world, column].tolist()]

    def pack(self) -> bytes:
        """Returns all that the minds remember and are about, for a snapshot."""
        return packed(self._slow.minds)

    def unpack(self, data: bytes) -> None:
        """Takes back what `pack` returned; minds of avatars that are not here are dropped.

        Raises:
            MindMemoryError: The bytes are no such memory.
        """
        self._slow.restore(unpacked(data, self._slow.mind, self.world.avatars, keeps_speech=self._keeps_speech))

    def _comply(self, npc_key: str, visitor_key: str, reply: Reply, tick: int) -> list[Command]:
        if reply.verb is None:
            busy = self.mind(npc_key).favour is not None
            return [] if busy or visitor_key not in self.world.avatars else self._slow.hold(npc_key, visitor_key, tick)
        if reply.verb is Verb.LEAVE or visitor_key not in self.world.avatars:
            self._slow.release(npc_key)
            return []
        favour = Favour(reply.verb, visitor_key, tick + FAVOUR_TICKS, reply.place, said=tick)
        return self._slow.agree(npc_key, favour, tick)

    def _offer(self, key: str, visitor_key: str) -> list[Command]:
        """Lets an NPC hand over what a visitor pulled at: it faces the visitor and lets go when it is pulled at again.

        Who acts is the fast mind, which feels its hand.
        """
        npc = self.world.avatars.get(key)
        if npc is None or npc.kind == _VISITOR:
            return []
        tick = int(self.world.state.tick[npc.world])
        return self._slow.agree(key, Favour(Verb.HAND_OVER, visitor_key, tick + GIVING_TICKS, said=tick), tick)

    def _has_given(self, key: str, event: Event) -> None:
        """Ends the offer of an NPC whose hands are empty again."""
        if event.name not in ("handed_over", "put_down"):
            return
        favour = self.mind(key).favour
        if favour is not None and favour.verb is Verb.HAND_OVER:
            self._slow.release(key)

    def _listener(self, event: Event, text: str) -> str | None:
        """Returns the NPC that is spoken to: one within hearing that is named, else the nearest."""
        if event.position is None:
            return None
        state, (x, y, z) = self.world.state, event.position
        place = state.position[event.world]
        gap = (place - place.new_tensor((x, y, z))).norm(dim=1)
        near = state.alive[event.world] & (state.kind[event.world] != _VISITOR) & (gap < HEARING_M)
        slots = near.nonzero().flatten()
        order = slots[gap[slots].argsort(stable=True)].tolist()
        keys = [key for slot in order if (key := self.world.key_of(event.world, slot)) is not None]
        spoken = set(text.casefold().replace(",", " ").replace("!", " ").replace("?", " ").split())
        named = [key for key in keys if self.mind(key).persona.first_name.casefold() in spoken]
        return next(iter(named or keys), None)

    def _remember(self, senses: Senses) -> None:
        """Keeps the senses of this tick's share of slots for as long as it takes until everybody has decided again."""
        slots = senses.slots.tolist()
        if slots:
            self._last.appendleft((senses, {slot: column for column, slot in enumerate(slots)}))

    def _perceived(self, slot: int) -> tuple[Senses, int] | None:
        if self.looks is not None:
            return self.looks(torch.tensor([slot], device=self.world.state.device)), 0
        for senses, columns in list(self._last):
            if slot in columns:
                return senses, columns[slot]
        return None

    def _row(self, found: tuple[Senses, int], world: int) -> SenseBatch:
        senses, column = found
        agents = len(senses.slots)
        at = world * agents + column
        return batch_of(senses).rows(slice(at, at + 1))


def _dressed(
    world: World, policy: FusionPolicy | None, device: torch.device | str, adapters: Mapping[str, Path]
) -> FastMind:
    """Returns a fast mind whose NPCs wear adapters by role.

    Raises:
        WeightsError: There is no policy to adapt, or an adapter does not fit it.
    """
    if policy is None:
        raise WeightsError("the scripted controller can't wear adapters; trained weights can")
    worn = adaptable(policy).to(device)
    return FastMind(worn, device, wardrobe=Wardrobe(world, worn, adapters))
