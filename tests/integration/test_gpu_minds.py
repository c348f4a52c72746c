"""The benchmark of NPCs on one device runs, on a CPU and a handful of NPCs, and can tell devices that disagree."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import gpu_minds  # noqa: E402


def test_it_runs_without_scipy_and_safetensors(tmp_path: Path) -> None:
    """A fresh interpreter in which only torch, numpy and networkx can be imported, and the standard library."""
    program = tmp_path / "bare.py"
    program.write_text(
        "import sys, runpy, importlib.abc\n"
        "class Hide(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('scipy', 'safetensors', 'msgspec', 'gymnasium', 'pettingzoo'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "sys.argv = ['gpu_minds.py', '--device', 'cpu', '--npcs', '40', '--slots', '20', '--ticks', '4']\n"
        "sys.argv += ['--warm', '1', '--train', '--train-worlds', '4', '--train-rounds', '1', '--json']\n"
        f"runpy.run_path({str(ROOT / 'benchmarks/gpu_minds.py')!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    path = ":".join(str(ROOT / folder) for folder in ("models", "world", "sim", "agents", "scenarios"))
    environment = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(program)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (row,) = found["rows"]
    assert (row["npcs"], row["worlds"], row["deciding"], row["graphs"]) == (40, 2, 10, False)
    assert set(row["ms"]) == {"sense", "decide", "step", "tick"}
    assert all(ms > 0 for ms in row["ms"].values())
    assert all(done["mb"] > 0 for done in row["work"].values())
    assert found["agreement"]["ok"]
    assert "scipy" in found["missing"]
    assert found["training"]["ours"] > 0


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_half_as_many_bits_decide_alike(dtype: str) -> None:
    options = gpu_minds.parser().parse_args(["--device", "cpu", "--npcs", "120", "--slots", "60", "--dtype", dtype])
    found = gpu_minds.agreement(options)
    assert found["ok"], found


def test_devices_that_disagree_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    options = gpu_minds.parser().parse_args(["--device", "cpu", "--npcs", "60", "--slots", "60"])
    policy = gpu_minds.policy_of
    drift = iter((0.0, 0.5))

    def other(chunk: int) -> object:
        made = policy(chunk)
        made.residual.bias.data.add_(next(drift))
        return made

    monkeypatch.setattr(gpu_minds, "policy_of", other)
    assert not gpu_minds.agreement(options)["ok"]


def test_everybody_walks_and_no_share_is_left_out() -> None:
    crowd = gpu_minds.Crowd(60, 30, torch.device("cpu"), torch.float32, 256)
    start = crowd.world.state.position.clone()
    gpu_minds.ticked(crowd, crowd.phases, 20)
    moved = (crowd.world.state.position - start).norm(dim=-1)
    assert float((moved > 0.2).float().mean()) > 0.8
    assert sorted({int(slot) for share in crowd.shares for slot in share}) == list(range(30))
