"""A real server whose NPCs wear adapters, exchanged while it serves."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path

import torch
from tests.integration.servers import Program, fetch, program

from ecumene_models import load_policy
from ecumene_models.adapters import blank, save_adapter
from ecumene_scenarios.cast import WEIGHTS


def put(path: Path, seed: int, base: str | None = None) -> None:
    """Writes an adapter that changes a little."""
    draw = torch.Generator().manual_seed(seed)
    made = blank(load_policy(WEIGHTS), draw)
    parts = {n: (d, torch.randn(u.shape, generator=draw) * 0.02) for n, (d, u) in made.parts.items()}
    save_adapter(replace(made, parts=parts, base=base or made.base), path)


def told(served: Program, words: str) -> str:
    """Waits for a line of output."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = next((line for line in list(served.lines) if words in line), None)
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{words!r} was not told:\n" + "".join(served.lines))


def tick_of(served: Program) -> int:
    return int(fetch(f"{served.url}/healthz")[2].split(b'"tick":')[1].split(b",")[0])


def test_adapters_are_exchanged_while_the_server_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "adapters"
    folder.mkdir()
    put(folder / "resident.safetensors", 1)
    with program(tmp_path, "--npcs", "4", "--minds", "fusion", "--adapters", str(folder)) as served:
        put(folder / "gardener.safetensors", 2)
        before = tick_of(served)
        served.process.send_signal(signal.SIGHUP)
        assert told(served, "NPCs wear") == "NPCs wear gardener, resident now.\n"
        put(folder / "cook.safetensors", 3, base="0" * 64)
        served.process.send_signal(signal.SIGHUP)
        assert "was made for the policy 000000000000…" in told(served, "The adapters stay as they are")
        time.sleep(1.0)
        assert tick_of(served) > before + 5
        assert served.terminate() == 0
