"""`ecumene train senses`: weights with which minds can begin, made from unlabelled rollouts alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from ecumene_models import FusionPolicy, save_policy
from ecumene_models.checkpoint import write
from ecumene_models.pretraining import Pretrained, PretrainingConfig, Rollouts, explained, pretrain
from ecumene_scenarios.unlabelled import Walks, walked
from ecumene_world.world import stream

WEIGHTS: Final = "senses.safetensors"
REPORT: Final = "senses.json"
DECODER: Final = "decoder.safetensors"
"""What said what was hidden: no mind needs it, but a picture of what it says can be drawn."""


@dataclass(frozen=True, slots=True)
class SensingConfig:
    """What is pretrained on.

    Attributes:
        walks: Rollouts to learn from; their seed is that of weights and chance, too.
        held_steps: Decisions of the rollouts that are held out, in other arenas.
        pretraining: How.
    """

    walks: Walks = field(default_factory=Walks)
    held_steps: int = 16
    pretraining: PretrainingConfig = field(default_factory=PretrainingConfig)

    def held(self) -> Rollouts:
        """Returns rollouts in layouts that are not learned from."""
        walks = self.walks
        others = Walks(walks.seed, walks.tasks, 1, walks.worlds, self.held_steps)
        return walked(others, first=walks.arenas)


@dataclass(frozen=True, slots=True)
class Sensed:
    """A run's outcome.

    Attributes:
        weights: Path of the weights, a whole policy whose heads are untrained.
        policy: That policy.
        left: Decoder and losses.
        explained: Share of variance explained on held-out rollouts, by name; see `pretraining.explained`.
        pairs: Pairs of moments learned from.
        rows: Moments learned from.
    """

    weights: Path
    policy: FusionPolicy
    left: Pretrained
    explained: Mapping[str, float]
    pairs: int
    rows: int


def train_senses(
    config: SensingConfig,
    folder: Path,
    progress: Callable[[int, int, float], None] | None = None,
) -> Sensed:
    """Gathers rollouts, pretrains, and writes weights and a report; the same seed gives the same file.

    The heads of the policy are those with which `ecumene train minds` of the same seed begins.
    """
    seed = config.walks.seed
    folder.mkdir(parents=True, exist_ok=True)
    rollouts, held = walked(config.walks), config.held()
    policy = FusionPolicy(generator=stream(seed, "weights"))
    left = pretrain(policy, rollouts, held, config.pretraining, stream(seed, "pretraining"), progress)
    numbers = explained(policy, left.decoder, held)
    notes = {"pretraining": asdict(config), "rows": len(rollouts.senses), "pairs": len(rollouts)}
    save_policy(policy, folder / WEIGHTS, notes=notes)
    write(folder / DECODER, left.decoder, model="senses-decoder", config={"hidden": config.pretraining.hidden})
    report = {**notes, "losses": left.losses, "held": left.held, "explained": dict(numbers)}
    (folder / REPORT).write_text(json.dumps(report, indent=1) + "\n")
    return Sensed(folder / WEIGHTS, policy, left, numbers, len(rollouts), len(rollouts.senses))
