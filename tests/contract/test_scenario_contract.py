"""Every shipped scenario keeps the contract, and the check notices those that don't."""

from dataclasses import replace

import pytest
import torch

from ecumene_scenarios.contract import check
from ecumene_scenarios.errors import ContractError
from ecumene_scenarios.packs.training import Goto
from ecumene_scenarios.registry import ABROAD, TASKS, load_scenario
from ecumene_sim.frame import Frame
from ecumene_world.world import World


@pytest.mark.parametrize("name", [*TASKS, *ABROAD])
def test_training_tasks_keep_the_contract(name: str) -> None:
    check(lambda: load_scenario(name))


class Careless(Goto):
    """Moves people while scoring."""

    def score(self, frame: Frame, world: World) -> Frame:
        world.state.position += 0.1
        return super().score(frame, world)


class Forgetful(Goto):
    """Draws from no generator of ours."""

    def reset(self, world: World, which: torch.Tensor, generator: torch.Generator) -> None:
        lucky = torch.Generator()
        lucky.seed()
        super().reset(world, which, lucky)


class Greedy(Goto):
    """Resets every world whatever it is asked."""

    def reset(self, world: World, which: torch.Tensor, generator: torch.Generator) -> None:
        super().reset(world, torch.ones_like(which), generator)


class Shapeless(Goto):
    """Gives one reward a world."""

    def score(self, frame: Frame, world: World) -> Frame:
        scored = super().score(frame, world)
        return replace(scored, reward=scored.reward.sum(1))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Careless, "score changed the state"),
        (Forgetful, "different states"),
        (Greedy, "changed '.*' of another world"),
        (Shapeless, "reward of shape"),
    ],
)
def test_the_check_notices(made: type[Goto], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        check(made)
