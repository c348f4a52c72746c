"""Runs a scenario without a window, as fast as it goes, and says what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ecumene_scenarios.cast import cast
from ecumene_scenarios.record import Recorder, digest_of
from ecumene_scenarios.registry import load_scenario
from ecumene_scenarios.scenario import Scenario
from ecumene_scenarios.session import Session
from ecumene_scenarios.statistics import known, number
from ecumene_sim.frame import Frame


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run led to.

    Attributes:
        scenario: Its name.
        seed: Its seed.
        minds: Who decided: "fusion", "scripted" or "none".
        ticks: Ticks stepped.
        ended: "scenario" when the scenario ended it, else "ticks".
        metrics: Name → value, units are in the names; None where nothing happened that it could be the mean of.
        events: Name → how often.
        layout: Hash of the compiled world.
        digest: BLAKE2b of the final state; equal runs have equal digests.
        recording: Path of the recording, None without one.
    """

    scenario: str
    seed: int
    minds: str
    ticks: int
    ended: str
    metrics: Mapping[str, float | None]
    events: Mapping[str, int]
    layout: str
    digest: str
    recording: str | None

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)

    def table(self) -> list[tuple[str, str]]:
        """The metrics as rows of name and number, for people; a dash for None."""
        return [(name.replace("_", " "), number(value, ",.2f")) for name, value in self.metrics.items()]


def run(
    scenario: str | Path | Scenario,
    *,
    seed: int = 0,
    ticks: int | None = None,
    minds: str | None = None,
    weights: Path | None = None,
    recorder: Recorder | None = None,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Runs a scenario to its end.

    Args:
        scenario: Name, YAML file or a fresh scenario.
        seed: Of the world and every chance draw.
        ticks: How long at most; None for as long as the scenario says.
        minds: "fusion", "scripted" or "none"; None for what the scenario says.
        weights: Of the fast minds; None for the shipped ones.
        recorder: Writes a recording; closed here, properly only if the run comes to its end.
        device: Where it runs.
        progress: Told ticks done and ticks in all, once a second of world time.

    Raises:
        UnknownScenarioError: There is no such scenario.
        DocumentError: The file breaks a rule.
        WeightsError: The weights can't be read.
    """
    chosen = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    total = chosen.ticks if ticks is None else ticks
    with recorder or nullcontext():
        session = Session(chosen, seed=seed, device=device)
        cast(session, minds, weights=weights)
        frame, events = _driven(session, recorder, total, progress)
        if recorder:
            recorder.close(session.world.state)
    return Outcome(
        scenario=chosen.name,
        seed=seed,
        minds=chosen.minds if minds is None else minds,
        ticks=session.now,
        ended="scenario" if frame is not None and bool(frame.done.all()) else "ticks",
        metrics={name: known(round(float(value[0]), 6)) for name, value in chosen.metrics(session.world).items()},
        events=dict(sorted(events.items())),
        layout=session.world.layout.hash,
        digest=digest_of(session.world.state).hex(),
        recording=str(recorder.path) if recorder else None,
    )


def _driven(
    session: Session, recorder: Recorder | None, total: int, progress: Callable[[int, int], None] | None
) -> tuple[Frame | None, Counter[str]]:
    """Ticks until the scenario or the ticks end; returns the last frame and counts of events."""
    events: Counter[str] = Counter()
    frame: Frame | None = None
    if recorder:
        recorder.start(session.header(), session.snapshot(), session.now)
        session.recorder = recorder
    for done in range(1, total + 1):
        frame = session.tick()
        events.update(event.name for event in frame.events)
        if recorder and recorder.wants_keyframe:
            recorder.keyframe(session.snapshot(), session.now)
        over = bool(frame.done.all())
        if progress and (done % 20 == 0 or over or done == total):
            progress(done, total)
        if over:
            break
    return frame, events
