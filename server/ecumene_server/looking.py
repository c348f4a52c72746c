"""Looks into avatars and nodes for those who ask; runs on the tick thread between two ticks."""

from __future__ import annotations

from typing import Final

import torch

from ecumene_server import wire
from ecumene_sim.engine import Engine
from ecumene_sim.frame import BANDS, COLUMNS, FAR_M, ROWS, Senses
from ecumene_world import kinds
from ecumene_world.avatar import Avatar
from ecumene_world.graph import Node
from ecumene_world.kinds import Category
from ecumene_world.state import Posture, Verb
from ecumene_world.world import World

NEEDS: Final = ("rest", "food", "company", "fun")
SENSES: Final = ("vision", "hearing", "touch")
NOTICED: Final = 8
"""Most neighbours listed."""

_SLOT_BITS: Final = 0xFFFF


def look(engine: Engine, message: wire.Inspect) -> wire.Inspected:
    """Returns what there is to see of the avatar or node that the message names."""
    world = engine.world
    if (message.entity is None) == (message.node is None):
        return _nothing(engine, message, "Inspect needs either an entity or a node.")
    if message.node is not None:
        return _node(engine, message, message.node)
    avatar = _avatar(world, message.entity or 0)
    if avatar is None:
        return _nothing(engine, message, f"Nobody has the id {message.entity}.")
    return _body(engine, message, avatar)


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
    return facts


def _body(engine: Engine, message: wire.Inspect, avatar: Avatar) -> wire.Inspected:
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
    mind = None if avatar.kind == kinds.kind_named("visitor").code else mind_of(engine, avatar)
    return wire.Inspected(
        message.id, engine.tick, avatar.title, avatar.kind, avatar.entity & 0xFFFFFFFF, facts=facts, mind=mind
    )


def mind_of(engine: Engine, avatar: Avatar) -> wire.Mind:
    """Returns what the world itself knows of a mind: its senses, needs and intent."""
    world, slot = engine.world, avatar.slot
    state = world.state
    senses = engine.sense(torch.tensor([slot], device=state.device))
    present = state.sense_present[0, slot].tolist()
    verb = Verb(int(state.verb[0, slot]))
    x, y, z = state.goal[0, slot].tolist()
    return wire.Mind(
        driver="scripted",
        persona=f"{avatar.title}, {avatar.role}." if avatar.role else f"{avatar.title}.",
        intent=_intent(world, avatar, verb),
        reason="",
        goal=None if verb is Verb.WAIT else (x, y, z),
        needs=dict(zip(NEEDS, (round(each, 3) for each in state.needs[0, slot].tolist()), strict=True)),
        senses=dict(zip(SENSES, present, strict=True)),
        contribution={},
        noticed=noticed(world, senses),
        remembers=[],
        action=[],
        vision=picture(senses) if present[0] else None,
        hearing=heard(senses) if present[1] else None,
        bands=BANDS,
        touch=[round(each * 100, 1) for each in senses.touch[0, 0, :9].tolist()],
    )


def picture(senses: Senses) -> wire.Picture:
    """Returns the first avatar's view, one byte a ray."""
    depth = (senses.vision_depth[0, 0] * (255 / FAR_M)).clamp(0, 255).to(torch.uint8)
    return wire.Picture(ROWS, COLUMNS, _bytes(depth), _bytes(senses.vision_kind[0, 0]), FAR_M)


def heard(senses: Senses) -> bytes:
    """Returns the newest sound frame of the first avatar's ears, left then right, one byte a band."""
    return _bytes((senses.hearing[0, 0, :, -1] * 255).clamp(0, 255).to(torch.uint8))


def noticed(world: World, senses: Senses) -> list[wire.Noticed]:
    """Returns whom the first avatar has around it, and what fills its view, nearest first."""
    found = []
    for slot, row in zip(senses.neighbour_slot[0, 0].tolist(), senses.neighbours[0, 0].tolist(), strict=True):
        if slot >= 0:
            found.append(wire.Noticed("neighbour", _title(world, slot), round(row[5], 2), 0.0))
    kind, depth = senses.vision_kind[0, 0].flatten(), senses.vision_depth[0, 0].flatten()
    for category in torch.unique(kind).tolist():
        share = float((kind == category).float().mean())
        nearest = float(depth[kind == category].min())
        if category != int(Category.SKY):
            name = Category(category).name.lower()
            found.append(wire.Noticed("vision", name, round(nearest, 2), round(share, 3)))
    return sorted(found, key=lambda each: each.distance_m)[: 2 * NOTICED]


def _intent(world: World, avatar: Avatar, verb: Verb) -> str:
    state, slot = world.state, avatar.slot
    words = verb.name.lower().replace("_", " ")
    place, target = int(state.place[0, slot]), int(state.target[0, slot])
    if place >= 0:
        name = world.layout.names[int(world.layout.place_row[place])]
        title = str(world.graph.node(name).attributes.get("title", name)) if name in world.graph else name
        return f"{words}: {title}"
    if target >= 0:
        return f"{words}: {_title(world, target)}"
    return words


def _title(world: World, slot: int) -> str:
    key = world.key_of(0, slot)
    return world.avatars[key].title if key is not None else "nobody"


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()
