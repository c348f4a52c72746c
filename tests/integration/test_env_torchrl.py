"""The torchrl environment passes torchrl's own check, and says what `batched_env` says."""

import sys

import pytest
import torch
from tensordict import TensorDict
from torchrl.envs import check_env_specs

from ecumene_scenarios import spaces
from ecumene_scenarios.batched import BatchedEnv
from ecumene_scenarios.packs.training import Avoid
from ecumene_scenarios.torchrl import EcumeneEnv


def crossing(ticks: int = 1200) -> Avoid:
    scenario = Avoid(least=3, most=5)
    scenario.ticks = ticks
    return scenario


def env(*, worlds: int = 3, ticks: int = 1200, flat: bool = True) -> EcumeneEnv:
    return EcumeneEnv(crossing(ticks), seed=2, worlds=worlds, flat=flat)


def onward(env: EcumeneEnv, seen: TensorDict) -> TensorDict:
    """Everybody heads for its waypoint."""
    way = seen["agents", "observation", "goal"][..., :2]
    action = torch.zeros(*env.action_spec["agents", "action"].shape)
    action[..., :2] = way / way.norm(dim=-1, keepdim=True).clamp(min=1.0)
    seen["agents", "action"] = action
    return seen


@pytest.mark.parametrize("flat", [True, False])
def test_specs_as_torchrl_checks_them(flat: bool) -> None:
    check_env_specs(env(ticks=8, flat=flat), seed=3, break_when_any_done="both")


def test_it_steps_as_the_tensor_environment_does() -> None:
    made, core = env(), BatchedEnv(crossing(), seed=2, worlds=3)
    made.set_seed(7)
    seen, step = made.reset(), core.reset(7)
    generator = torch.Generator().manual_seed(1)
    for _ in range(40):
        flat = torch.cat([part.flatten(2) for part in spaces.tensors(step.senses).values()], dim=-1)
        assert torch.equal(seen["agents", "observation"], flat)
        assert torch.equal(seen["agents", "mask"], step.alive)
        assert torch.equal(seen["agents", "serial"], step.serial)
        values = torch.rand(3, made.core.slots, 8, generator=generator) * 2 - 1
        seen["agents", "action"] = values
        told, seen = made.step_and_maybe_reset(seen)
        step = core.step(spaces.decided(torch.arange(core.slots), values))
        assert torch.equal(told["next", "agents", "reward"][..., 0], step.reward)
        assert torch.equal(told["next", "agents", "terminated"][..., 0], step.terminated)
        assert torch.equal(told["next", "agents", "truncated"][..., 0], step.truncated)


def test_agents_come_and_go_within_an_episode() -> None:
    made = env(flat=False)
    made.set_seed(3)
    seen = made.reset()
    changed = ended = 0
    for _ in range(60):
        told, after = made.step_and_maybe_reset(onward(made, seen))
        over = told["next", "agents", "done"][..., 0]
        assert not (over & ~seen["agents", "mask"]).any(), "only those who acted can end"
        stayed = seen["agents", "mask"] & ~over
        assert torch.equal(after["agents", "serial"][stayed], seen["agents", "serial"][stayed])
        ended += int(over.sum())
        changed += int((after["agents", "serial"] != seen["agents", "serial"]).sum())
        seen = after
    assert ended > 5
    assert changed > 5


def test_a_world_that_is_over_starts_over_and_others_go_on() -> None:
    made = env(flat=False)
    made.set_seed(3)
    seen = made.reset()
    for _ in range(10):
        _, seen = made.step_and_maybe_reset(onward(made, seen))
    which = torch.tensor([[False], [True], [False]])
    before = seen.clone()
    after = made.reset(seen.set("_reset", which))
    same = (after["agents", "observation", "neighbours"] == before["agents", "observation", "neighbours"]).all(-1)
    assert same[[0, 2]].all()
    assert not same[1][after["agents", "mask"][1]].all()
    assert not after["done"].any()
    _, later = made.step_and_maybe_reset(onward(made, after))
    assert later["agents", "mask"].any(1).all()


def test_time_runs_out_for_worlds_and_for_whoever_is_left_in_them() -> None:
    rolled = env(ticks=16).rollout(8, break_when_any_done=False)
    assert rolled["next", "truncated"][..., 0].tolist() == [[False, False, False, True] * 2] * 3
    assert not rolled["next", "terminated"].any()
    last = rolled[:, 3]
    assert torch.equal(last["next", "agents", "done"][..., 0], last["agents", "mask"])


def test_without_torchrl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ecumene_scenarios.torchrl")
    monkeypatch.setitem(sys.modules, "tensordict", None)
    with pytest.raises(ImportError, match=r"pip install \"ecumene\[torchrl\]\""):
        import ecumene_scenarios.torchrl  # noqa: F401
