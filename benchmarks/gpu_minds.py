"""How many NPCs sense, decide and step on one device, 20 times a second.

    PYTHONPATH=models:world:sim:agents:scenarios python benchmarks/gpu_minds.py [--npcs 10000 100000 1000000]
        [--device cuda] [--dtype bf16] [--compile] [--eager] [--train] [--out gpu_minds.json]

Runs from source with torch, numpy and networkx alone. NPCs live in tiles: worlds of one walled arena with furniture,
loose things and `--slots` people each, stepped side by side. A quarter of them decides in each tick, all move. On CUDA
senses, decisions and the step are captured once as graphs and replayed, while torch raises an error on whatever would
make the host wait; `--eager` launches each kernel instead. Waypoints are the goals themselves, and whoever arrives is
given another goal on the device: routes and slow minds are off the tick here as they are in a server.

Told are milliseconds of each phase, NPCs at 20 Hz, and the share of the roofline: the time that the counted bytes and
operations would take at the copy and matrix product rates measured first (see `benchmarks/roofline.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import statistics
import struct
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import torch
from torch import Tensor

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))


class _Absent(types.ModuleType):
    """Stands in for a package that is not installed: what is taken from it may be named, not called."""

    __path__: list[str] = []  # noqa: RUF012 - what makes a module a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Exception,), {"__init__": _refuse})


def _refuse(*given: object, **named: object) -> None:
    raise RuntimeError("this benchmark runs without scipy and safetensors, and something called them")


def do_without(*names: str) -> list[str]:
    """Lets packages that are not installed be imported by name; returns which those are."""
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
            sys.modules[name] = _Absent(name)
    return missing


MISSING: Final = do_without(
    *("scipy", "scipy.ndimage", "scipy.spatial", "scipy.sparse", "scipy.sparse.csgraph", "scipy.stats"),
    *("safetensors", "safetensors.torch"),
)

from benchmarks.roofline import Peaks, Work, counted, peaks, settle  # noqa: E402

from ecumene_agents.batch import actions_of, batch_of  # noqa: E402
from ecumene_agents.fast import FastMind  # noqa: E402
from ecumene_agents.roster import STRIDE  # noqa: E402
from ecumene_models.fusion import FusionConfig, FusionPolicy  # noqa: E402
from ecumene_sim import Actions, Engine, Senses, compaction  # noqa: E402
from ecumene_world.state import TICK_HZ, Verb  # noqa: E402
from ecumene_world.world import World  # noqa: E402

TYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
SPACE_M2: Final = 16.0
"""Ground for each NPC: a busy street has as much."""
ARRIVED_M: Final = 1.0
WEIGHTS: Final = ROOT / "models/ecumene_models/weights/minds.safetensors"
TICK_MS: Final = 1000.0 / TICK_HZ
TOLERANCE: Final = {
    "senses": 1e-3,
    "decisions": {"fp32": 2, "bf16": 24, "fp16": 8},
    "positions_m": {"fp32": 0.005, "bf16": 0.02, "fp16": 0.01},
}
"""How far 99 of 100 numbers may lie apart on two devices: of senses, of decision bytes (127 is all), and metres after
one round of decisions."""


def arena(slots: int) -> Any:
    """Returns the plan of a tile: a square with walls, furniture and loose things, as large as its people need."""
    rooms = importlib.import_module("tests.unit.sim.rooms")
    side = float(max(16, round((slots * SPACE_M2) ** 0.5)))
    generator = torch.Generator().manual_seed(0)
    pieces = max(4, int(side * side / 120))
    drawn = torch.rand(pieces, 3, generator=generator).tolist()
    boxes, things = [], []
    for index, (across, up, size) in enumerate(drawn):
        x, y = 2 + across * (side - 8), 2 + up * (side - 8)
        wide, deep, top = ((1 + 3 * size, 0.3, 2.6), (0.3, 1 + 3 * size, 2.6), (1.4, 0.8, 0.75))[index % 3]
        boxes.append(rooms.Box(x, y, x + wide, y + deep, top))
        kind = ("bench", "ball", "radio", "notice_board", "bell_post", "cup")[index % 6]
        seats = ((0.0, -0.5), (0.0, 0.5)) if kind == "bench" else ()
        if index < 96:
            things.append(rooms.Thing(kind, x - 1.0, y - 1.0, seats=seats))
    return rooms.Plan(width=side, depth=side, cell=0.25, boxes=boxes, things=things)


class Crowd:
    """N NPCs in tiles on one device, and the three phases of their tick.

    Args:
        npcs: N; the last tile is filled up.
        slots: NPCs in a tile.
        device: Where all tensors are.
        dtype: Of the policy.
        chunk: Rows of a pass of the policy.
    """

    def __init__(self, npcs: int, slots: int, device: torch.device, dtype: torch.dtype, chunk: int) -> None:
        slots = min(slots, npcs)
        rooms = importlib.import_module("tests.unit.sim.rooms")
        plan = arena(slots)
        empty: World = rooms.world_of(plan, worlds=1, slots=1)
        self.world = World(empty.graph, worlds=-(-npcs // slots), slots=slots, layout=empty.layout, device=device)
        self.npcs = self.world.state.worlds * slots
        self.engine = Engine(self.world, eventful=False)
        self.mind = FastMind(policy_of(chunk).to(dtype), device)
        self.dtype = dtype
        self.shares = [torch.arange(k, slots, STRIDE, device=device) for k in range(STRIDE)]
        widest = len(self.shares[0])
        self.shares = [torch.cat((each, each[: widest - len(each)])) for each in self.shares]
        self.share = self.shares[0].clone()
        self.senses: Senses
        self.actions: Actions
        free = (empty.layout.clearance[0] > 0.4).nonzero()
        order = torch.randperm(len(free), generator=torch.Generator().manual_seed(1))
        self.spots = (free[order].flip(-1) * plan.cell).to(torch.float32).to(device)
        self.turns = torch.zeros_like(self.world.state.serial)
        self._populate()

    @property
    def deciding(self) -> int:
        """How many decide in a tick."""
        return len(self.share) * self.world.state.worlds

    def turn(self, tick: int) -> None:
        """Lets the share decide whose turn it is."""
        self.share.copy_(self.shares[tick % STRIDE])

    def sense(self) -> None:
        """Sees, hears and feels."""
        self.senses = self.engine.sense(self.share)

    def decide(self) -> None:
        """Decides, in the policy's type; actions are bytes whatever it is."""
        batch = batch_of(self.senses)
        if self.dtype is not torch.float32:
            cast = {n: t.to(self.dtype) if t.dtype == torch.float32 else t for n, t in batch.tensors().items()}
            batch = replace(batch, **cast)
        actions = self.mind.act(batch)
        if self.dtype is not torch.float32:
            parts = {f.name: getattr(actions, f.name) for f in fields(actions)}
            wide = {n: t.float() if t.is_floating_point() else t for n, t in parts.items()}
            actions = replace(actions, **wide)
        self.actions = actions_of(self.share, actions)

    def step(self) -> None:
        """Moves everybody, and gives those who have arrived another goal."""
        self.engine.step(self.actions)
        self._errands()

    @property
    def phases(self) -> dict[str, Callable[[], None]]:
        """The phases of a tick, in order."""
        return {"sense": self.sense, "decide": self.decide, "step": self.step}

    def _populate(self) -> None:
        state, device = self.world.state, self.world.state.device
        state.alive.fill_(True)  # noqa: FBT003
        state.kind.fill_(200)
        state.serial.fill_(1)
        state.verb.fill_(int(Verb.GO))
        world = torch.arange(state.worlds, device=device).unsqueeze(1)
        start = (torch.arange(state.slots, device=device) * 7 + world * 131) % len(self.spots)
        state.position[..., :2] = self.spots[start]
        state.look.copy_(start)
        self.turns.copy_(start)
        state.goal[..., :2] = self.spots[(self.turns * 7919 + 13) % len(self.spots)]
        state.waypoint.copy_(state.goal)

    def _errands(self) -> None:
        state = self.world.state
        away = (state.goal - state.position)[..., :2].square().sum(dim=-1)
        there = away < ARRIVED_M * ARRIVED_M
        self.turns.add_(there)
        spot = self.spots.index_select(0, ((self.turns * 7919 + 13) % len(self.spots)).view(-1))
        state.goal[..., :2] = spot.view(*there.shape, 2)
        state.waypoint.copy_(state.goal)


def policy_of(chunk: int) -> FusionPolicy:
    """Returns the shipped fast mind, read without safetensors' help."""
    data = WEIGHTS.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + size])
    config = json.loads(header.pop("__metadata__")["config"])
    policy = FusionPolicy(FusionConfig(**(config | {"chunk": chunk})))
    types_of = {"F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, told in header.items():
        begin, end = told["data_offsets"]
        flat = torch.frombuffer(bytearray(data[8 + size + begin : 8 + size + end]), dtype=types_of[told["dtype"]])
        tensors[name] = flat.view(told["shape"])
    policy.load_state_dict(tensors)
    return policy.eval()


class Captured:
    """Phases of a crowd as CUDA graphs: one replay each."""

    def __init__(self, crowd: Crowd) -> None:
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for tick in range(STRIDE + 1):
                crowd.turn(tick)
                for phase in crowd.phases.values():
                    phase()
        torch.cuda.current_stream().wait_stream(side)
        pool = torch.cuda.graph_pool_handle()
        self.phases: dict[str, Callable[[], None]] = {}
        for name, phase in crowd.phases.items():
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=pool):
                phase()
            self.phases[name] = graph.replay


@contextlib.contextmanager
def unwaited(device: torch.device) -> Iterator[None]:
    """Lets whatever makes the host wait for a CUDA device raise an error."""
    if device.type != "cuda":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Times phases of ticks: by events on CUDA, so that nothing waits, by the clock elsewhere."""

    device: torch.device

    def mark(self) -> Any:
        """Returns a moment."""
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def between(self, start: Any, end: Any) -> float:
        """Returns the milliseconds from one moment to another, after `settle`."""
        return float(start.elapsed_time(end)) if self.device.type == "cuda" else (end - start) * 1e3


def ticked(crowd: Crowd, phases: dict[str, Callable[[], None]], ticks: int) -> dict[str, list[float]]:
    """Runs ticks without letting the host wait; returns milliseconds of each phase and of whole ticks."""
    device = crowd.world.state.device
    watch, laps = Stopwatch(device), []
    with torch.no_grad(), unwaited(device):
        for tick in range(ticks):
            marks = [watch.mark()]
            crowd.turn(tick)
            for phase in phases.values():
                phase()
                marks.append(watch.mark())
            laps.append(marks)
    settle(device)
    found = {name: [watch.between(marks[at], marks[at + 1]) for marks in laps] for at, name in enumerate(phases)}
    return found | {"tick": [watch.between(marks[0], marks[-1]) for marks in laps]}


def measure(npcs: int, options: argparse.Namespace, peak: Peaks) -> dict[str, Any]:
    """Returns one row: what a tick of so many NPCs costs."""
    device, dtype = torch.device(options.device), TYPES[options.dtype]
    crowd = Crowd(npcs, options.slots, device, dtype, options.chunk)
    if options.compile:
        crowd.mind.policy = torch.compile(crowd.mind.policy, dynamic=False)  # type: ignore[assignment]
    ticked(crowd, crowd.phases, STRIDE)
    work = {}
    with torch.no_grad():
        for name, phase in crowd.phases.items():
            work[name] = counted(phase) if not options.compile or name != "decide" else Work()
    graphs = device.type == "cuda" and not options.eager
    phases = Captured(crowd).phases if graphs else crowd.phases
    ticked(crowd, phases, options.warm)
    laps = ticked(crowd, phases, options.ticks)
    ms = {name: round(statistics.median(values), 3) for name, values in laps.items()}
    least = least_bytes(crowd)
    return {
        "npcs": crowd.npcs,
        "worlds": crowd.world.state.worlds,
        "deciding": crowd.deciding,
        "graphs": graphs,
        "ms": ms,
        "tick_p99_ms": round(sorted(laps["tick"])[int(0.99 * (len(laps["tick"]) - 1))], 3),
        "ticks_s": round(1e3 / ms["tick"], 2),
        "npcs_at_20hz": round(crowd.npcs * TICK_MS / ms["tick"]),
        "us_per_npc_tick": round(ms["tick"] * 1e3 / crowd.npcs, 4),
        "work": {
            name: {"mb": round(done.bytes / 1e6, 2), "mflop": round(done.flops / 1e6, 2), "ops": done.operations}
            for name, done in work.items()
        },
        "roofline": {name: round(done.seconds(peak) * 1e3 / ms[name], 3) for name, done in work.items()},
        "least_mb": round(least / 1e6, 2),
        "least_share": round(least / peak.bytes_s * 1e3 / ms["tick"], 4),
        "memory_mb": round(torch.cuda.max_memory_allocated(device) / 2**20) if device.type == "cuda" else None,
    }


def least_bytes(crowd: Crowd) -> int:
    """Returns the bytes that a tick fused into one kernel would still move: the state both ways, senses, weights."""
    state = sum(tensor.nbytes for tensor in crowd.world.state.fields().values())
    senses = sum(getattr(crowd.senses, each.name).nbytes for each in fields(Senses))
    assert crowd.mind.policy is not None, "minds of this benchmark are trained"
    weights = sum(each.nbytes for each in crowd.mind.policy.parameters())
    return int(2 * state + 2 * senses + weights)


def agreement(options: argparse.Namespace) -> dict[str, Any]:
    """Compares the device and its type with the CPU and fp32: senses, decisions, and where NPCs are a round later.

    Without another device the CPU works on all rows as an accelerator does, beside itself gathering the few.
    """
    device, dtype = torch.device(options.device), TYPES[options.dtype]
    sizes = (min(512, *options.npcs), min(256, options.slots))
    here = Crowd(*sizes, torch.device("cpu"), torch.float32, 256)
    there = Crowd(*sizes, device, dtype, 256)
    with torch.no_grad():
        for tick in range(10):
            here.turn(tick)
            for phase in here.phases.values():
                phase()
        there.world.state.copy_(here.world.state)
        there.turns.copy_(here.turns)
        rows = []
        for tick in range(10, 10 + STRIDE):
            for crowd, like in ((here, False), (there, True)):
                with as_accelerator(like):
                    crowd.turn(tick)
                    crowd.sense()
                    crowd.decide()
                    crowd.step()
            rows.append(apart(here, there))
    worst = {name: max(row[name] for row in rows[:1]) for name in ("vision_m", "hearing", "touch", "decisions")}
    worst["positions_m"] = rows[-1]["positions_m"]
    name = options.dtype
    limits: dict[str, Any] = TOLERANCE
    ok = (
        all(worst[each] <= limits["senses"] for each in ("vision_m", "hearing", "touch"))
        and worst["decisions"] <= limits["decisions"][name]
        and worst["positions_m"] <= limits["positions_m"][name]
    )
    return {
        "of": 0.99,
        **worst,
        "limits": {"senses": limits["senses"], **{k: limits[k][name] for k in ("decisions", "positions_m")}},
        "ok": ok,
    }


def apart(here: Crowd, there: Crowd) -> dict[str, float]:
    """Returns how far 99 of 100 numbers of two crowds lie apart at most."""

    def most(a: Tensor, b: Tensor) -> float:
        gap = (a.float() - b.to(a.device).float()).abs().flatten().sort().values
        return float(gap[int(0.99 * (len(gap) - 1))])

    return {
        "vision_m": most(here.senses.vision_depth, there.senses.vision_depth),
        "hearing": most(here.senses.hearing, there.senses.hearing),
        "touch": most(here.senses.touch, there.senses.touch),
        "decisions": most(here.actions.raw, there.actions.raw),
        "positions_m": most(here.world.state.position, there.world.state.position),
    }


@contextlib.contextmanager
def as_accelerator(like: bool) -> Iterator[None]:
    """Lets the CPU work on all rows of rare things, as devices do that must not be waited for."""
    if not like:
        yield
        return
    with patch.object(compaction, "_gathers", lambda device: False):
        yield


def training(options: argparse.Namespace) -> dict[str, Any]:
    """Returns agent-steps a second while a policy learns: our simple_spread and, where it can be imported, VMAS's."""
    if MISSING and "ecumene_scenarios" not in sys.modules:  # its front door opens onto everything; its rooms need less
        bare = types.ModuleType("ecumene_scenarios")
        bare.__path__ = [str(ROOT / "scenarios/ecumene_scenarios")]
        sys.modules["ecumene_scenarios"] = bare
    from ecumene_models.vector_policy import VectorPolicy
    from ecumene_scenarios.yardsticks import Outcome, Spread
    from ecumene_scenarios.yardsticks.mappo import Mappo, Settings

    worlds, agents, device = int(options.train_worlds), 8, torch.device(options.device)
    settings = Settings(steps=25, epochs=1, batch=max(512, worlds))

    class Vmas:
        """VMAS's task as a yardstick."""

        def __init__(self) -> None:
            self.env = importlib.import_module("vmas").make_env(
                "simple_spread", num_envs=worlds, n_agents=agents, continuous_actions=True, seed=1, device=str(device)
            )
            self.worlds = worlds

        def reset(self, which: Tensor | None = None) -> Tensor:
            del which
            return torch.stack(self.env.reset(), dim=1)

        def step(self, force: Tensor) -> Outcome:
            seen, reward, _, _ = self.env.step(list(force.unbind(1)))
            ends = torch.zeros(worlds, dtype=torch.bool, device=device)
            return Outcome(torch.stack(seen, dim=1), torch.stack(reward, dim=1), ends, {})

    def rate(env: Any) -> float:
        policy = VectorPolicy(env.reset().shape[-1], 2, agents, width=128).to(device)
        learner = Mappo(env, policy, settings)
        learner.round()
        settle(device)
        start = time.perf_counter()
        for _ in range(options.train_rounds):
            learner.round()
        settle(device)
        steps = int(options.train_rounds) * settings.steps * worlds * agents
        return float(steps / (time.perf_counter() - start))

    ours = rate(Spread(worlds=worlds, agents=agents, seed=1, device=device))
    found: dict[str, Any] = {"worlds": worlds, "agents": agents, "ours": round(ours)}
    sys.path.append(str(ROOT / "runs/peers"))
    try:
        theirs = rate(Vmas())
    except ImportError as error:
        return found | {"vmas": None, "why": f"VMAS can't be imported: {error}"}
    return found | {"vmas": round(theirs), "ratio": round(ours / theirs, 2)}


def main() -> None:
    """Measures and prints."""
    options = parser().parse_args()
    print(json.dumps(report(options)) if options.json else "\n".join(table(report(options))))


def report(options: argparse.Namespace) -> dict[str, Any]:
    """Returns everything that was measured, and writes it to the file asked for."""
    device = torch.device(options.device)
    options.chunk = options.chunk or (65_536 if device.type == "cuda" else 256)
    if device.type == "cpu":
        torch.set_num_threads(options.threads)
    large = device.type == "cuda"
    peak = peaks(device, TYPES[options.dtype], megabytes=1024 if large else 64, side=8192 if large else 768)
    with as_accelerator(options.all_rows):
        rows = [measure(npcs, options, peak) for npcs in options.npcs]
    found = {
        "device": torch.cuda.get_device_name(device) if large else f"CPU, {torch.get_num_threads()} thread(s)",
        "torch": torch.__version__,
        "dtype": options.dtype,
        "missing": MISSING,
        "peak": {"gb_s": round(peak.bytes_s / 1e9, 1), "tflop_s": round(peak.flops_s / 1e12, 3)},
        "rows": rows,
        "agreement": agreement(options),
        "training": training(options) if options.train else None,
    }
    if options.out:
        Path(options.out).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def table(found: dict[str, Any]) -> Iterator[str]:
    """Yields the lines of a table, one column for each population."""
    peak, rows = found["peak"], found["rows"]
    yield f"{found['device']}, torch {found['torch']}, {found['dtype']}: {peak['gb_s']} GB/s, {peak['tflop_s']} TFLOP/s"

    def line(name: str, values: list[Any]) -> str:
        return f"{name:38s}" + "".join(f"{value!s:>18s}" for value in values)

    yield line("NPCs (deciding in a tick)", [f"{row['npcs']:,} ({row['deciding']:,})" for row in rows])
    for phase in rows[0]["ms"]:
        yield line(f"{phase}, ms", [row["ms"][phase] for row in rows])
    yield line("tick p99, ms", [row["tick_p99_ms"] for row in rows])
    yield line("ticks a second", [row["ticks_s"] for row in rows])
    yield line("NPCs at 20 Hz, in proportion", [f"{row['npcs_at_20hz']:,}" for row in rows])
    yield line("us / NPC / tick", [row["us_per_npc_tick"] for row in rows])
    for phase in rows[0]["work"]:
        yield line(f"{phase}: MB moved", [row["work"][phase]["mb"] for row in rows])
        yield line(f"{phase}: operations", [row["work"][phase]["ops"] for row in rows])
        yield line(f"{phase}: share of the roofline", [row["roofline"][phase] for row in rows])
    yield line("share of the roofline, all fused", [row["least_share"] for row in rows])
    yield f"agreement with the CPU in fp32: {json.dumps(found['agreement'])}"
    if found["training"]:
        yield f"training, agent-steps a second: {json.dumps(found['training'])}"


def parser() -> argparse.ArgumentParser:
    """Returns the options."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--npcs", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="NPCs of each row")
    made.add_argument("--slots", type=int, default=1000, help="NPCs of a tile (1000)")
    made.add_argument("--device", default="cuda", help="cuda or cpu (cuda)")
    made.add_argument("--dtype", choices=sorted(TYPES), default="fp32", help="of the policy (fp32)")
    made.add_argument("--chunk", type=int, default=0, help="rows of a pass of the policy (65,536; on the CPU 256)")
    made.add_argument("--ticks", type=int, default=100, help="measured (100)")
    made.add_argument("--warm", type=int, default=8, help="ticks before (8)")
    made.add_argument("--threads", type=int, default=1, help="on the CPU (1)")
    made.add_argument("--compile", action="store_true", help="fuse the policy with torch.compile")
    made.add_argument("--eager", action="store_true", help="launch every kernel instead of replaying graphs")
    made.add_argument("--all-rows", action="store_true", help="on the CPU: work on all rows as an accelerator does")
    made.add_argument("--train", action="store_true", help="also learn simple_spread, beside VMAS if it is there")
    made.add_argument("--train-worlds", type=int, default=1024, help="worlds that are learned in (1024)")
    made.add_argument("--train-rounds", type=int, default=3, help="rounds of learning that are timed (3)")
    made.add_argument("--out", default="", help="also write JSON to this file")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


if __name__ == "__main__":
    main()
