"""A frozen world takes along what fast minds with memory remember, and minds take it up again."""

from pathlib import Path

import torch

from ecumene_agents.minds import Minds
from ecumene_agents.remembering import RECALLED
from ecumene_models import save_policy
from ecumene_models.recurrent import RecurrentConfig, RecurrentPolicy
from ecumene_scenarios import Session
from ecumene_scenarios.cast import cast
from ecumene_scenarios.packs.training import Avoid
from ecumene_scenarios.session import restored
from ecumene_server.freeze import Freezer


def test_minds_with_memory_go_on_from_a_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "minds.safetensors"
    save_policy(RecurrentPolicy(RecurrentConfig(memory=8), torch.Generator().manual_seed(1)), path)
    session = Session(Avoid(least=3, most=4), seed=2)
    session.minds = minds = Minds(session.world, weights=path, routes=session.routes)
    for _ in range(9):
        session.tick()
    frozen = Freezer(session, minds).freeze()
    again = restored(frozen.packed(), Avoid(least=3, most=4), seed=2)
    woken = cast(again, "fusion", weights=path)
    assert woken is not None
    assert woken.fast.memory is not None
    assert minds.fast.memory is not None
    assert minds.fast.memory.held.any()
    assert torch.equal(woken.fast.memory.held, minds.fast.memory.held)
    assert torch.equal(woken.fast.memory.serial, minds.fast.memory.serial)
    assert RECALLED not in frozen.without_minds().world.extra
