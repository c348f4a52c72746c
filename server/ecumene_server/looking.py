"""Looks into avatars and nodes for those who ask; runs on the tick thread between two ticks."""

from __future__ import annotations

from typing import Final

import torch

from ecumene_agents import Minds, NobodyThereError, purpose
from ecumene_agents.explanation import Explanation
from ecumene_server import wire
from ecumene_server.lateness import Lateness
from ecumene_sim.engine import Engine
from ecumene_sim.frame import BANDS, COLUMNS, FAR_M, ROWS, Senses
from ecumene_world import kinds
from ecumene_world.avatar import Avatar
from ecumene_world.graph import Node
from ecumene_world.kinds import Category
from ecumene_world.state import TICK_HZ, Posture, Verb
from ecumene_world.world import World

NEEDS: Final = ("rest", "food", "company", "fun")
SENSES: Final = ("vision", "hearing", "touch")
NOTICED: Final = 16
"""Most things and people listed."""
REMEMBERED: Final = 12
"""Most memories listed."""

_SLOT_BITS: Final = 0xFFFF
_VISITOR: Final = kinds.kind_named("visitor").code


def look(
    engine: Engine, minds: Minds | None, message: wire.Inspect, lateness: Lateness | None = None
) -> wire.Inspected:
    """Returns what there is to see of the avatar or node that the message names."""
    world = engine.world
    if (message.entity is None) == (message.node is None):
        return _nothing(engine, message, "Inspect needs either an entity or a node.")
    if message.node is not None:
        return _node(engine, message, message.node)
    avatar = _avatar(world, message.entity or 0)
    if avatar is None:
        return _nothing(engine, message, f"Nobody has the id {message.entity}.")
    return _body(engine, minds, message, avatar, lateness)


def _nothing(engine: Engine, message: wire.Inspect, sentence: str) -> wire.Inspected:
    return wire.Inspected(message.id, engine.tick, error=sentence)


def _avatar(world: World, entity: int) -> Avatar | None:
    key = world.key_of(0, entity & _SLOT_BITS)
    found = world.avatars.get(key) if key is not None else None
    return found if found is not None and found.entity & 0xFFFFFFFF == entity else None


def _node(engine: Engine, message: wire.Inspect, name: str) -> wire.Inspected:
    world = engine.world
    if name not in world.graph:
        return _nothing(engine, message, f"There is no node {name!r}.")
    node = world.graph.node(name)
    kind = kinds.kind_named(node.kind)
    title = str(node.attributes.get("title", "")) or kind.name.replace("_", " ")
    facts = {"Kind": kind.name.replace("_", " "), **_node_facts(world, node), **_thing_facts(world, name)}
    for field, (value, unit) in world.readings.get(name, {}).items():
        facts[field] = f"{value} {unit}".strip()
    return wire.Inspected(message.id, engine.tick, title, kind.code, node=name, facts=facts)


def _node_facts(world: World, node: Node) -> dict[str, str]:
    parent = world.graph.parent(node.name)
    facts = {"In": parent} if parent else {}
    for label, key in (("Role", "role"), ("Text", "text"), ("Height, m", "height_m")):
        if key in node.attributes:
            facts[label] = str(node.attributes[key])
    for relation in world.graph.relations(node.name)[:8]:
        facts[f"{relation.subject} is"] = f"{relation.relation.replace('_', ' ')} {relation.object}"
    return facts


def _thing_facts(world: World, name: str) -> dict[str, str]:
    if name not in world.layout.thing_index:
        return {}
    thing = world.thing(name)
    holder = int(world.state.thing_holder[0, thing])
    facts = {"State": str(int(world.state.thing_state[0, thing]))}
    if holder >= 0:
        facts["Held by"] = _title(world, holder)
    partner = int(world.state.thing_partner[0, thing])
    if partner >= 0:
        facts["Other end held by"] = _title(world, partner)
    return facts


def _body(
    engine: Engine, minds: Minds | None, message: wire.Inspect, avatar: Avatar, lateness: Lateness | None
) -> wire.Inspected:
    state, slot = engine.world.state, avatar.slot
    speed = float(torch.linalg.vector_norm(state.velocity[0, slot, :2]))
    facts = {
        "Role": avatar.role or "none",
        "Posture": Posture(int(state.posture[0, slot])).name.lower(),
        "Speed, m/s": f"{speed:.1f}",
        "Storey": str(int(state.level[0, slot])),
    }
    held = int(state.held[0, slot])
    if held >= 0:
        facts["Holds"] = engine.world.layout.thing_name(held)
    if minds is not None and avatar.key in minds.watchdog.stuck:
        facts["Stuck"] = str(minds.watchdog.stuck[avatar.key])
    age = None if lateness is None or avatar.kind == _VISITOR else lateness.age(slot)
    if age is not None:
        facts["Decided on senses of"] = f"{age * 1000 // TICK_HZ} ms ago"
    mind = None if avatar.kind == _VISITOR else mind_of(engine, minds, avatar)
    return wire.Inspected(
        message.id, engine.tick, avatar.title, avatar.kind, avatar.entity & 0xFFFFFFFF, facts=facts, mind=mind
    )


def mind_of(engine: Engine, minds: Minds | None, avatar: Avatar) -> wire.Mind:
    """Returns an NPC's mind: what it perceives now, what it last decided, and what its slow mind is about."""
    world, slot = engine.world, avatar.slot
    state = world.state
    senses = engine.sense(torch.tensor([slot], device=state.device))
    present = state.sense_present[0, slot].tolist()
    verb = Verb(int(state.verb[0, slot]))
    x, y, z = state.goal[0, slot].tolist()
    decided = _decision(minds, slot)
    return wire.Mind(
        driver="none" if minds is None else minds.kind,
        persona=_persona(minds, avatar),
        intent=purpose.intent(world, avatar),
        reason="" if minds is None else minds.cause(avatar.key),
        goal=None if verb is Verb.WAIT else (x, y, z),
        needs=dict(zip(NEEDS, (round(each, 3) for each in state.needs[0, slot].tolist()), strict=True)),
        senses=dict(zip(SENSES, present, strict=True)),
        contribution={} if decided is None else dict(decided.pool),
        attention={} if decided is None else dict(decided.attention),
        effects={} if decided is None else {sense: each.divergence for sense, each in decided.effects.items()},
        proposals={} if decided is None else dict(decided.experts),
        noticed=noticed(world, senses, decided),
        remembers=_memories(world, minds, avatar),
        action=[] if decided is None else [*decided.move, decided.turn],
        vision=picture(senses) if present[0] else None,
        hearing=heard(senses) if present[1] else None,
        bands=BANDS,
        touch=[round(each * 100, 1) for each in senses.touch[0, 0, :9].tolist()],
    )


def _decision(minds: Minds | None, slot: int) -> Explanation | None:
    if minds is None:
        return None
    try:
        return minds.explain(slot)
    except NobodyThereError:  # it has not decided anything yet
        return None


def _persona(minds: Minds | None, avatar: Avatar) -> str:
    if minds is None:
        return f"{avatar.title}, {avatar.role}." if avatar.role else f"{avatar.title}."
    persona = minds.mind(avatar.key).persona
    work = f", {persona.role}" if persona.role else ""
    return f"{persona.name}{work}, {persona.temper}."


def _memories(world: World, minds: Minds | None, avatar: Avatar) -> list[str]:
    if minds is None:
        return []
    memory, told = minds.mind(avatar.key).memory, []
    for episode in reversed(memory.episodes):
        known = memory.people.get(episode.who)
        words = (
            episode.what,
            known.name if known else "",
            f"at {purpose.title_of(world, episode.where)}" if episode.where else "",
        )
        told.append(f"{' '.join(filter(None, words))}, {(world_tick(world) - episode.tick) // TICK_HZ} s ago")
    return told[:REMEMBERED]


def world_tick(world: World) -> int:
    """Returns the ticks that world 0 has lived."""
    return int(world.state.tick[0])


def picture(senses: Senses) -> wire.Picture:
    """Returns the first avatar's view, one byte a ray."""
    depth = (senses.vision_depth[0, 0] * (255 / FAR_M)).clamp(0, 255).to(torch.uint8)
    return wire.Picture(ROWS, COLUMNS, _bytes(depth), _bytes(senses.vision_kind[0, 0]), FAR_M)


def heard(senses: Senses) -> bytes:
    """Returns the newest sound frame of the first avatar's ears, left then right, one byte a band."""
    return _bytes((senses.hearing[0, 0, :, -1] * 255).clamp(0, 255).to(torch.uint8))


def noticed(world: World, senses: Senses, decided: Explanation | None) -> list[wire.Noticed]:
    """Returns whom the first avatar has around it, and what fills its view, nearest first.

    A neighbour weighs what the last decision attended to it; what is seen weighs its share of the view.
    """
    found = []
    slots, rows = senses.neighbour_slot[0, 0].tolist(), senses.neighbours[0, 0].tolist()
    attended = decided.neighbour_attention if decided is not None else (0.0,) * len(slots)
    for slot, row, weight in zip(slots, rows, attended, strict=True):
        if slot >= 0:
            found.append(wire.Noticed("neighbour", _title(world, slot), round(row[5], 2), round(weight, 3)))
    kind, depth = senses.vision_kind[0, 0].flatten(), senses.vision_depth[0, 0].flatten()
    for category in torch.unique(kind).tolist():
        share = float((kind == category).float().mean())
        nearest = float(depth[kind == category].min())
        if category != int(Category.SKY):
            name = Category(category).name.lower()
            found.append(wire.Noticed("vision", name, round(nearest, 2), round(share, 3)))
    return sorted(found, key=lambda each: each.distance_m)[:NOTICED]


def _title(world: World, slot: int) -> str:
    key = world.key_of(0, slot)
    return world.avatars[key].title if key is not None else "nobody"


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
