from dataclasses import replace

import pytest
import torch
from tests.lacking import lacking
from tests.unit.models.sense_rows import random_senses

from ecumene_agents import scripted
from ecumene_agents.explanation import ABLATED, explain, explain_scripted, losses, variants
from ecumene_models.actions import PolicyOutput, divergence
from ecumene_models.fusion import FusionPolicy
from ecumene_models.senses import NEIGHBOURS, SENSES, SenseBatch


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


@pytest.mark.parametrize("seed", range(3))
def test_each_neighbour_counts_for_what_changes_without_it(seed: int) -> None:
    policy, row = trained(seed), random_senses(1, seed)
    told = explain(policy, row)
    assert len(told.neighbour_effects) == NEIGHBOURS
    with torch.inference_mode():
        full = policy(row)
        for neighbour in range(NEIGHBOURS):
            here = row.neighbour_present.clone()
            here[0, neighbour] = False
            without = policy(replace(row, neighbour_present=here))
            loss = float(divergence(full.vector, without.vector, full.log_std))
            assert told.neighbour_effects[neighbour].divergence == pytest.approx(loss, rel=1e-2, abs=1e-4)
    counted = [effect.divergence for effect in told.neighbour_effects]
    assert told.top_neighbour == counted.index(max(counted))


def test_a_neighbour_that_is_not_there_changes_nothing() -> None:
    row = random_senses(1, 1)
    row.neighbour_present[0] = torch.tensor([True] + [False] * (NEIGHBOURS - 1))
    told = explain(trained(), row)
    assert told.top_neighbour == 0
    assert all(effect.divergence < 1e-6 for effect in told.neighbour_effects[1:])
    assert told.neighbour_effects[0].divergence == pytest.approx(told.effects["neighbours"].divergence, rel=1e-3)


def test_many_rows_lose_what_each_loses_alone() -> None:
    policy, rows = trained(), random_senses(5)
    with torch.inference_mode():
        together = losses(policy(variants(rows)), 5)
    for index in range(5):
        told = explain(policy, rows.rows(slice(index, index + 1)))
        alone = [effect.divergence for effect in (*told.effects.values(), *told.neighbour_effects)]
        assert together[index].tolist() == pytest.approx(alone, rel=1e-2, abs=1e-4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_captum_ablates_the_same() -> None:
    """captum's FeatureAblation over senses as features is the oracle of leaving one out."""
    try:
        from captum.attr import FeatureAblation
    except ImportError:
        lacking("captum is not installed; the dev extra brings it")
    policy, rows = trained(2), random_senses(6, 2)

    for index in range(len(rows)):
        row = rows.rows(slice(index, index + 1))
        with torch.inference_mode():
            whole = policy(row)

        def worth(mask: torch.Tensor, row: SenseBatch = row, whole: PolicyOutput = whole) -> torch.Tensor:
            present = row.present & (mask[:, :3] > 0.5)
            near = row.neighbour_present & (mask[:, 3:] > 0.5)
            with torch.inference_mode():
                part = policy(replace(row, present=present, neighbour_present=near))
            return -divergence(whole.vector, part.vector, whole.log_std).clone()

        value = FeatureAblation(worth).attribute(torch.ones(1, len(ABLATED)), baselines=0.0)
        told = explain(policy, row)
        assert value[0].tolist() == pytest.approx([told.effects[s].divergence for s in ABLATED], rel=1e-2, abs=1e-4)
        assert ABLATED[int(value.argmax())] == told.top


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
