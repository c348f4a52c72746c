"""What the fast mind costs: CPU milliseconds per 1,000 NPCs by batch and by how many rows go through at a time.

The baselines of the same run are a plain transformer of the same width over the same 15 tokens, every layer for every
token (what fusion would cost without its shortcuts), and the scripted controller.

    python benchmarks/policy.py [--batches 32 125 250 500 1000] [--chunks 64 128 256 512] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import torch
from torch import nn

from ecumene_agents import scripted
from ecumene_agents.fast import FastMind
from ecumene_models import FusionPolicy
from ecumene_models.fusion import TOKENS, FusionConfig
from ecumene_models.senses import SenseBatch

ROWS_A_ROUND: Final = 4000
"""Rows decided for in each timing."""


def main() -> None:
    """Measures and prints."""
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    cases: dict[str, Callable[[SenseBatch], object]] = {
        f"fusion, chunks of {chunk}": FastMind(FusionPolicy(FusionConfig(chunk=chunk))).act for chunk in options.chunks
    }
    cases["plain transformer, all tokens"] = plain()
    cases["scripted controller"] = scripted.act
    batches = {count: senses(count) for count in options.batches}
    found: dict[str, dict[int, list[float]]] = {name: {count: [] for count in batches} for name in cases}
    for _ in range(options.rounds):
        for name, case in cases.items():
            for count, batch in batches.items():
                found[name][count].append(per_thousand(case, batch))
    rows = {name: {count: round(statistics.median(ms), 1) for count, ms in row.items()} for name, row in found.items()}
    if options.json:
        print(json.dumps({"cpu_ms_per_1000": rows, "threads": options.threads}))
        return
    print(f"{'CPU ms per 1,000 NPCs':34s}" + "".join(f"{f'{count} a batch':>16s}" for count in batches))
    for name, row in rows.items():
        print(f"{name:34s}" + "".join(f"{ms:16.1f}" for ms in row.values()))


def senses(count: int) -> SenseBatch:
    """Returns random senses of a crowd."""
    generator = torch.Generator().manual_seed(count)
    batch = SenseBatch.zeros(count)
    drawn = {
        name: torch.rand(tensor.shape, generator=generator) if tensor.dtype == torch.float32 else tensor
        for name, tensor in batch.tensors().items()
    }
    drawn["vision_depth"] = drawn["vision_depth"] * 30.0
    drawn["vision_kind"] = torch.randint(8, batch.vision_kind.shape, generator=generator, dtype=torch.uint8)
    drawn["neighbour_present"] = torch.rand(batch.neighbour_present.shape, generator=generator) < 0.5
    return replace(batch, **drawn)


def plain() -> Callable[[SenseBatch], object]:
    """Returns a textbook encoder over as many tokens; encoding of the senses is not even counted."""
    config = FusionConfig()
    layer = nn.TransformerEncoderLayer(config.d, config.heads, config.hidden, batch_first=True, norm_first=True)
    encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False).eval()

    @torch.inference_mode()
    def act(batch: SenseBatch) -> object:
        return encoder(batch.body[:, :1, None].expand(-1, TOKENS, config.d))

    return act


def per_thousand(case: Callable[[SenseBatch], object], batch: SenseBatch) -> float:
    """Returns CPU milliseconds for 1,000 rows."""
    case(batch)
    times = max(1, ROWS_A_ROUND // len(batch))
    began = time.process_time()
    for _ in range(times):
        case(batch)
    return (time.process_time() - began) * 1e6 / (times * len(batch))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 125, 250, 500, 1000], help="NPCs a batch")
    parser.add_argument("--chunks", type=int, nargs="+", default=[64, 128, 256, 512], help="rows at a time")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (5)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
