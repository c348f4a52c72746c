"""Whatever avatars do, their bodies stay where bodies can be."""

import functools

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sim.rooms import Box, Plan, busy_plan, crowd, layout_of, put, restless, world_of
from tests.unit.world.scenes import house, yard

from ecumene_sim import Actions, Engine
from ecumene_sim.terrain import Terrain
from ecumene_sim.walls import TOLERANCE_M, Doors
from ecumene_world.world import World

spot = st.floats(1, 15)
size = st.floats(0.1, 4)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    boxes = [Box(x, y, x + draw(size), y + draw(size)) for x, y in draw(st.lists(st.tuples(spot, spot), max_size=8))]
    return Plan(width=16, depth=16, cell=draw(st.sampled_from([0.2, 0.25, 0.4])), boxes=boxes)


def clearance(world: World) -> torch.Tensor:
    terrain, state = Terrain(world.layout), world.state
    return terrain.sample(terrain.near, state.level, state.position.permute(2, 0, 1)[:2])[0]


def placed(world: World, count: int, seed: int) -> torch.Tensor:
    """Puts a crowd where bodies fit; returns (1, C) who was placed."""
    crowd(world, count, seed, margin=0.3)
    return world.state.alive.clone()


@settings(max_examples=25, deadline=None)
@given(plans(), st.integers(0, 10**6), st.booleans())
def test_nobody_ends_inside_a_wall(plan: Plan, seed: int, fast: bool) -> None:
    if not (layout_of(plan).clearance > 0.3).any():
        return
    world = world_of(plan, slots=12)
    placed(world, 12, seed)
    if fast:
        world.state.kind[:] = 201
    engine, generator = Engine(world), torch.Generator().manual_seed(seed)
    for _ in range(40):
        if fast:
            world.state.desired_velocity.copy_(torch.rand(1, 12, 2, generator=generator) * 8 - 4)
        engine.step(Actions.none() if fast else restless(world, 12, generator))
        assert (clearance(world) >= 0.25 - TOLERANCE_M - 2e-3).all()
    assert all(column.isfinite().all() for column in world.state.fields().values() if column.is_floating_point())


@functools.cache
def compiled(name: str) -> World:
    return World({"house": house, "yard": yard}[name](), slots=16)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(["house", "yard"]), st.integers(0, 10**6))
def test_nobody_leaves_the_walkable_area_of_a_compiled_scene(name: str, seed: int) -> None:
    template = compiled(name)
    world = World(template.graph, slots=16, layout=template.layout)
    layout, generator = world.layout, torch.Generator().manual_seed(seed)
    picks = torch.randint(len(layout.spawn_level), (16,), generator=generator)
    for slot, pick in enumerate(picks.tolist()):
        x, y, z = layout.spawn_position[pick].tolist()
        put(world, slot, x, y, slot * 0.4)
        world.state.position[0, slot, 2], world.state.level[0, slot] = z, layout.spawn_level[pick]
    terrain, engine = Terrain(layout), Engine(world)
    before = clearance(world)
    for _ in range(80):
        engine.step(restless(world, 16, generator))
        after = clearance(world)
        standing = world.state.posture[0] == 0
        assert (after >= torch.minimum(before, torch.tensor(0.25 - TOLERANCE_M)) - 5e-3)[0, standing].all()
        before = torch.where(standing, torch.maximum(before, torch.minimum(after, torch.tensor(0.25))), before)
        surface = layout.surface.view(-1)[terrain.cell(world.state.level, world.state.position.permute(2, 0, 1)[:2])]
        assert (surface[0, standing] > 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_nobody_passes_a_closed_door(seed: int) -> None:
    world = world_of(busy_plan(), slots=20)
    crowd(world, 20, seed, margin=0.35)
    state, generator = world.state, torch.Generator().manual_seed(seed)
    _, gap = Doors.nearest_leaf(Terrain(world.layout), state)
    state.alive &= gap > 0.3
    left = state.position[0, :, 0] < 6.07
    engine = Engine(world)
    for _ in range(60):
        state.desired_velocity.copy_(torch.rand(1, 20, 2, generator=generator) * 3 - 1.5)
        state.desired_velocity[0, :, 0] += torch.where(left, 1.5, -1.5)
        engine.step(Actions.none())
        assert torch.equal((state.position[0, :, 0] < 6.07)[state.alive[0]], left[state.alive[0]])


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 30), st.integers(0, 10**6))
def test_parting_moves_no_centre_of_mass(count: int, seed: int) -> None:
    world = world_of(Plan(), slots=30)
    generator = torch.Generator().manual_seed(seed)
    for slot in range(count):
        x, y = (torch.rand(2, generator=generator) * 0.6 * count**0.5 + 8).tolist()
        put(world, slot, x, y)
    before = world.state.position[0, :count].clone()
    Engine(world).step(Actions.none())
    moved = world.state.position[0, :count] - before
    if moved.norm(dim=-1).max() < 0.0799:
        assert moved.sum(dim=0).abs().max() < 1e-5 * count, "pushes below the limit cancel out"
    assert moved.norm(dim=-1).max() <= 0.0801


@settings(max_examples=20, deadline=None)
@given(st.floats(-3.1, 3.1), st.floats(-3.1, 3.1), st.floats(0, 1.4))
def test_speed_never_grows_beyond_the_limit(yaw: float, target: float, start: float) -> None:
    world = world_of(Plan())
    put(world, 0, 10, 10, yaw)
    world.state.velocity[0, 0, 0] = start
    world.state.target_yaw[0, 0] = target
    engine, generator = Engine(world), torch.Generator().manual_seed(1)
    for _ in range(20):
        engine.step(restless(world, 1, generator))
        assert world.state.velocity[0, 0, :2].norm() <= max(1.4, start) + 1e-5
        assert abs(float(world.state.yaw_rate[0, 0])) <= 4.0 + 1e-4
        assert abs(float(world.state.yaw[0, 0])) <= torch.pi + 1e-5
