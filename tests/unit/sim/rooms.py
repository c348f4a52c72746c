"""Layouts made by hand from boxes, exact to the float, for tests of the simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from ecumene_sim import Actions
from ecumene_world.compiler.clearance import TALL_M
from ecumene_world.compiler.things import COARSE_M, DOOR_REACH_M
from ecumene_world.graph import Node, SceneGraph
from ecumene_world.kinds import BY_NAME, Category
from ecumene_world.layout import Layout
from ecumene_world.plain import JSON
from ecumene_world.world import World


@dataclass(frozen=True)
class Box:
    """An upright box: x0, y0, x1, y1, top, metres."""

    x0: float
    y0: float
    x1: float
    y1: float
    top: float = 2.5
    category: Category = Category.WALL


@dataclass(frozen=True)
class Thing:
    """A thing of a kind at a place; seats are offsets from it."""

    kind: str
    x: float
    y: float
    z: float = 0.0
    yaw: float = 0.0
    seats: Sequence[tuple[float, float]] = ()
    leaf: tuple[float, float, float, float] | None = None
    name: str = ""


@dataclass
class Plan:
    """A rectangle of floor with boxes and things on it, and as many storeys alike."""

    width: float = 20.0
    depth: float = 20.0
    cell: float = 0.25
    storeys: int = 1
    boxes: Sequence[Box] = ()
    things: Sequence[Thing] = ()
    places: Sequence[tuple[str, float, float, float]] = ()
    rooms: Sequence[Box] = field(default_factory=tuple)


def signed_distance(x: Tensor, y: Tensor, box: Box) -> Tensor:
    """Returns distances of points to a box in plan, negative inside."""
    dx = (x - (box.x0 + box.x1) / 2).abs() - (box.x1 - box.x0) / 2
    dy = (y - (box.y0 + box.y1) / 2).abs() - (box.y1 - box.y0) / 2
    outside = (dx.clamp(min=0).square() + dy.clamp(min=0).square()).sqrt()
    return outside + torch.maximum(dx, dy).clamp(max=0)


def layout_of(plan: Plan) -> Layout:
    """Returns the layout of a plan: every storey's ground at z = 0, x and y from 0."""
    width, depth, cell = plan.width, plan.depth, plan.cell
    xs, ys = torch.arange(0, width + cell / 2, cell), torch.arange(0, depth + cell / 2, cell)
    y, x = torch.meshgrid(ys, xs, indexing="ij")
    edge = torch.stack((x, width - x, y, depth - y)).amin(dim=0)
    clear, tops, kinds = edge, torch.zeros_like(x), torch.full_like(x, float(Category.SKY))
    tall, tall_top, tall_kind = torch.full_like(x, 100.0), torch.zeros_like(x), torch.zeros_like(x)
    for box in plan.boxes:
        distance = signed_distance(x, y, box)
        nearer = distance < clear
        clear = torch.where(nearer, distance, clear)
        tops, kinds = torch.where(nearer, box.top, tops), torch.where(nearer, float(box.category), kinds)
        if box.top >= TALL_M:
            nearer = distance < tall
            tall = torch.where(nearer, distance, tall)
            tall_top = torch.where(nearer, box.top, tall_top)
            tall_kind = torch.where(nearer, float(box.category), tall_kind)
    surface = (edge > 0).to(torch.uint8)
    fields = {
        "floor": torch.zeros_like(x),
        "clearance": clear,
        "top": tops,
        "near_category": kinds.to(torch.uint8),
        "tall_clearance": tall,
        "tall_top": tall_top,
        "tall_category": tall_kind.to(torch.uint8),
        "surface": surface,
        "next_level": torch.zeros_like(x, dtype=torch.int8),
    }
    return assemble(plan, {name: value.repeat(plan.storeys, 1, 1) for name, value in fields.items()}, x, y)


def assemble(plan: Plan, fields: dict[str, Tensor], x: Tensor, y: Tensor) -> Layout:
    """Returns a layout of grid fields and the plan's things."""
    things = plan.things
    count = len(things)
    names = ("world", *(thing.name or f"{thing.kind}_{index}" for index, thing in enumerate(things)))
    kinds = [BY_NAME[thing.kind] for thing in things]
    position = torch.tensor([[t.x, t.y, t.z] for t in things]).view(count, 3)
    seats = [(index, t.x + dx, t.y + dy, t.yaw) for index, t in enumerate(things) for dx, dy in t.seats]
    thing_seat = torch.full((count, 4), -1, dtype=torch.int64)
    for number, (index, *_) in enumerate(seats):
        free = int((thing_seat[index] < 0).nonzero()[0])
        thing_seat[index, free] = number
    doors = [(index, t.leaf) for index, t in enumerate(things) if t.leaf is not None]
    thing_door = torch.full((count,), -1, dtype=torch.int64)
    for number, (index, _) in enumerate(doors):
        thing_door[index] = number
    segment = torch.tensor([leaf for _, leaf in doors]).view(len(doors), 2, 2)
    seat_at = torch.tensor([[sx, sy, 0.45] for _, sx, sy, _ in seats]).view(len(seats), 3)
    seat_yaw = torch.tensor([yaw for *_, yaw in seats]).view(len(seats))
    ahead = torch.stack((seat_yaw.cos(), seat_yaw.sin(), torch.zeros_like(seat_yaw)), dim=-1) * 0.6
    approach = seat_at + ahead
    approach[:, 2] = 0.0
    nodes = len(names)
    levels = fields["floor"].shape[0]
    values: dict[str, object] = {
        "hash": "0" * 64,
        "graph_hash": "0" * 64,
        "names": names,
        "row": MappingProxyType({name: row for row, name in enumerate(names)}),
        "kind": torch.tensor([1, *(kind.code for kind in kinds)]),
        "parent": torch.tensor([-1, *([0] * count)]),
        "depth_start": (0, 1, nodes),
        "rest_position": torch.cat((torch.zeros(1, 3), position)),
        "rest_rotation": torch.tensor([[1.0, 0, 0, 0]]).expand(nodes, 4),
        "rest_scale": torch.ones(nodes),
        "world_position": torch.cat((torch.zeros(1, 3), position)),
        "world_rotation": torch.tensor([[1.0, 0, 0, 0]]).expand(nodes, 4),
        "world_scale": torch.ones(nodes),
        "asked_cell_m": plan.cell,
        "thing_index": MappingProxyType({name: index for index, name in enumerate(names[1:])}),
        "place_index": MappingProxyType({}),
        "cell_m": plan.cell,
        "origin": (0.0, 0.0),
        **fields,
        "thing_row": torch.arange(1, nodes),
        "thing_kind": torch.tensor([kind.code for kind in kinds], dtype=torch.int64),
        "thing_interaction": torch.tensor([int(kind.interaction) for kind in kinds], dtype=torch.int64),
        "thing_position": position,
        "thing_yaw": torch.tensor([t.yaw for t in things]),
        "thing_level": torch.zeros(count, dtype=torch.int64),
        "thing_state0": torch.zeros(count, dtype=torch.int64),
        "thing_of_cell": things_of_cells(plan, position, levels),
        "seat_thing": torch.tensor([index for index, *_ in seats], dtype=torch.int64),
        "seat_position": seat_at,
        "seat_yaw": seat_yaw,
        "seat_approach": approach,
        "thing_seat": thing_seat,
        "door_thing": torch.tensor([index for index, _ in doors], dtype=torch.int64),
        "door_segment": segment,
        "door_level": torch.zeros(len(doors), dtype=torch.int64),
        "door_of_cell": doors_of_cells(segment, x, y).unsqueeze(0).expand(levels, -1, -1).contiguous(),
        "thing_door": thing_door,
        "place_row": torch.zeros(len(plan.places), dtype=torch.int64),
        "place_role": tuple(role for role, *_ in plan.places),
        "place_position": torch.tensor([[px, py, 0.0] for _, px, py, _ in plan.places]).view(-1, 3),
        "place_level": torch.zeros(len(plan.places), dtype=torch.int64),
        "place_radius": torch.tensor([radius for *_, radius in plan.places]),
        "spawn_position": torch.tensor([[plan.width / 2, plan.depth / 2, 0.0]]),
        "spawn_level": torch.zeros(1, dtype=torch.int64),
        "spawn_yaw": torch.zeros(1),
        "unreachable": (),
    }
    known = {name: value for name, value in values.items() if name in Layout.__dataclass_fields__}
    return Layout(**known)  # type: ignore[arg-type]


def things_of_cells(plan: Plan, position: Tensor, levels: int) -> Tensor:
    """Returns (L, h, w, 8) i32 nearest things of each coarse cell."""
    columns, rows = int(plan.width // COARSE_M) + 1, int(plan.depth // COARSE_M) + 1
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centre = (torch.stack((x, y), dim=-1).float() + 0.5) * COARSE_M
    nearest = torch.full((levels, rows, columns, 8), -1, dtype=torch.int32)
    if len(position):
        distance = (centre.unsqueeze(2) - position[:, :2]).square().sum(-1)
        order = distance.argsort(dim=-1)[..., :8].to(torch.int32)
        nearest[..., : order.shape[-1]] = order
    return nearest


def doors_of_cells(segment: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Returns (H, W) i16 nearest door in reach or -1."""
    best = torch.full_like(x, DOOR_REACH_M)
    door = torch.full_like(x, -1, dtype=torch.int16)
    for number in range(len(segment)):
        (ax, ay), (bx, by) = segment[number].tolist()
        length = (bx - ax) ** 2 + (by - ay) ** 2
        share = (((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length).clamp(0, 1)
        distance = ((x - ax - share * (bx - ax)).square() + (y - ay - share * (by - ay)).square()).sqrt()
        door = torch.where(distance < best, number, door).to(torch.int16)
        best = torch.minimum(best, distance)
    return door


def world_of(plan: Plan, *, worlds: int = 1, slots: int = 8) -> World:
    """Returns an empty world of a plan; its graph holds the plan's things by name and nothing else."""
    graph = SceneGraph("plan")
    for index, thing in enumerate(plan.things):
        texts: dict[str, JSON] = {"title": "A title", "text": "A text."}
        graph.add(Node(thing.name or f"{thing.kind}_{index}", thing.kind, attributes=texts))
    return World(graph, worlds=worlds, slots=slots, layout=layout_of(plan))


def put(
    world: World, slot: int, x: float, y: float, yaw: float = 0.0, *, index: int = 0, visitor: bool = False
) -> None:
    """Puts an avatar into a slot, standing."""
    state, row = world.state, (index, slot)
    state.alive[row] = True
    state.kind[row] = 201 if visitor else 200
    state.position[row] = torch.tensor([x, y, 0.0])
    state.yaw[row] = state.target_yaw[row] = yaw


def walk(*slots: int, forward: float = 1.0, left: float = 0.0, turn: float = 0.0, worlds: int = 1) -> Actions:
    """Returns actions of some slots that all walk the same way, relative to their bodies."""
    count = len(slots)
    move = torch.tensor([forward, left]).expand(worlds, count, 2)
    return Actions.from_floats(torch.tensor(slots), move, torch.full((worlds, count), turn))


def use(*slots: int) -> Actions:
    """Returns actions of some slots that stand still and use what is near."""
    still = torch.zeros(1, len(slots), 2)
    return Actions.from_floats(torch.tensor(slots), still, interact=torch.ones(1, len(slots)))


def crowd(world: World, count: int, seed: int = 0, margin: float = 0.3) -> None:
    """Puts avatars at random free spots of every world, not touching walls; they may overlap."""
    layout, state = world.layout, world.state
    generator = torch.Generator().manual_seed(seed)
    free = (layout.clearance[0] > margin).nonzero()
    for index in range(state.worlds):
        picks = free[torch.randint(len(free), (count,), generator=generator)]
        yaws = torch.rand(count, generator=generator) * 6.28 - 3.14
        for slot, ((row, column), yaw) in enumerate(zip(picks.tolist(), yaws.tolist(), strict=True)):
            put(world, slot, column * layout.cell_m, row * layout.cell_m, yaw, index=index)


def restless(world: World, count: int, generator: torch.Generator) -> Actions:
    """Returns random actions of the first slots, each world its own."""
    worlds = world.state.worlds

    def draw(*shape: int) -> Tensor:
        return torch.rand(worlds, count, *shape, generator=generator)

    return Actions.from_floats(
        torch.arange(count),
        draw(2) * 2 - 0.7,
        draw() - 0.5,
        draw(2) * 2 - 1,
        (draw() < 0.05).long(),
        (draw() < 0.02).long(),
        (draw() < 0.02).long(),
    )


def busy_plan() -> Plan:
    """Returns a room with walls, furniture, a door, seats and loose things."""
    boxes = (
        Box(0, 0, 12, 0.2),
        Box(0, 9.8, 12, 10),
        Box(0, 0, 0.2, 10),
        Box(11.8, 0, 12, 10),
        Box(6, 0.2, 6.15, 4.5),
        Box(6, 5.5, 6.15, 9.8),
        Box(2, 7, 4, 8, 0.75, Category.TABLE),
        Box(8.8, 2, 9.2, 4, 0.9, Category.SEAT),
    )
    things = (
        Thing("door", 6.07, 5.0, leaf=(6.07, 4.5, 6.07, 5.5), name="door"),
        Thing("bench", 9.0, 3.0, seats=((0.0, -0.5), (0.0, 0.5)), name="bench"),
        Thing("ball", 3.0, 3.0, name="ball"),
        Thing("cup", 8.0, 7.0, name="cup"),
        Thing("alarm_button", 11.0, 9.0, name="alarm"),
        Thing("notice_board", 1.0, 9.0, name="board"),
        Thing("bell_post", 4.5, 2.0, name="bell"),
    )
    return Plan(width=12, depth=10, cell=0.2, boxes=boxes, things=things, places=(("cafe", 3.0, 5.0, 1.5),))
