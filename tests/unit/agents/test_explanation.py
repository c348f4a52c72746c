import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_agents import scripted
from ecumene_agents.explanation import ABLATED, explain, explain_scripted
from ecumene_models.actions import divergence
from ecumene_models.fusion import FusionPolicy
from ecumene_models.senses import SENSES


def trained(seed: int = 0) -> FusionPolicy:
    policy, draw = FusionPolicy(), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.15 * torch.randn(parameter.shape, generator=draw))
    return policy.eval()


@pytest.mark.parametrize("seed", range(5))
def test_the_top_sense_is_the_one_whose_loss_changes_most(seed: int) -> None:
    policy, row = trained(seed), random_senses(1, seed)
    told = explain(policy, row)
    with torch.inference_mode():
        full = policy(row)
        loss = {
            sense: float(divergence(full.vector, policy(row.without(sense)).vector, full.log_std)) for sense in SENSES
        }
        loss["neighbours"] = float(divergence(full.vector, policy(row.alone()).vector, full.log_std))
    for sense in ABLATED:
        assert told.effects[sense].divergence == pytest.approx(loss[sense], rel=1e-2, abs=1e-4)
    assert told.top == max(loss, key=loss.__getitem__)


def test_a_sense_that_is_absent_has_no_effect_and_no_attention() -> None:
    told = explain(trained(), random_senses(1).without("hearing"))
    assert told.effects["hearing"].divergence < 1e-6
    assert told.attention["hearing"] == 0.0
    assert "hearing" not in told.experts
    assert told.pool["hearing"] == 0.0


def test_shares_sum_to_one() -> None:
    told = explain(trained(), random_senses(1))
    assert sum(told.attention.values()) == pytest.approx(1.0, abs=1e-5)
    assert sum(told.pool.values()) == pytest.approx(1.0, abs=1e-5)
    assert sum(told.neighbour_attention) == pytest.approx(told.attention["neighbours"], abs=1e-6)


def test_the_decision_told_is_the_decision_made() -> None:
    policy, row = trained(), random_senses(1)
    with torch.inference_mode():
        output = policy(row)
    told = explain(policy, row)
    assert told.move == pytest.approx(tuple(output.move[0].tolist()), abs=1e-5)
    assert told.turn == pytest.approx(float(output.turn[0]), abs=1e-5)
    assert told.value == pytest.approx(float(output.value[0]), abs=1e-4)


def test_the_scripted_controller_can_be_explained_too() -> None:
    row = random_senses(1, 3)
    row.touch[:] = 0.0
    told = explain_scripted(scripted.act, row)
    assert told.value is None
    assert told.effects["touch"].divergence == 0.0
    assert set(told.effects) == set(ABLATED)


def test_with_nothing_to_decide_no_sense_is_on_top() -> None:
    row = random_senses(1).alone()
    row.verb[:] = 0
    assert explain_scripted(scripted.act, row).top == ""
