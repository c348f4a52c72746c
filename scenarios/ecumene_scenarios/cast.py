"""Gives a session its minds: trained ones, the scripted controller, or nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import ecumene_models
from ecumene_agents import Minds
from ecumene_agents.remembering import RECALLED
from ecumene_scenarios.errors import ScenarioError
from ecumene_scenarios.fork import MEMORY
from ecumene_scenarios.session import Session

KINDS: Final = ("fusion", "scripted", "none")
WEIGHTS: Final = Path(ecumene_models.__file__).parent / "weights" / "minds.safetensors"
"""Of the shipped minds."""


def cast(session: Session, kind: str | None = None, *, weights: Path | None = None) -> Minds | None:
    """Lets minds drive a session's NPCs, and choose what they intend where the scenario is lively.

    Args:
        session: Whose NPCs.
        kind: One of `KINDS`; None for what the scenario asks for.
        weights: Of the fast mind when it is "fusion"; None for the shipped ones.

    Raises:
        ScenarioError: There is no such kind.
        WeightsError: The weights can't be read.
        MindMemoryError: What the world keeps of their memories is damaged.
    """
    kind = session.scenario.minds if kind is None else kind
    if kind not in KINDS:
        raise ScenarioError(f"minds can't be {kind!r}; {', '.join(KINDS)} would do")
    if kind == "none":
        return None
    trained = (weights or WEIGHTS) if kind == "fusion" else None
    minds = Minds(session.world, weights=trained, routes=session.routes, device=session.world.state.device)
    if MEMORY in session.world.extra:
        minds.unpack(session.world.extra[MEMORY])
    if RECALLED in session.world.extra and minds.fast.memory is not None:
        minds.fast.memory.unpack(session.world.extra[RECALLED])
    session.minds = minds
    session.thoughts = minds if session.scenario.lively else None
    return minds
