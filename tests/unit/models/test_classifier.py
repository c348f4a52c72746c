from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.unit.models.percept_rows import random_percepts

from ecumene_models import checkpoint
from ecumene_models.classifier import (
    EXPERTS,
    GROUPS,
    MODEL,
    TOKENS,
    ClassifierConfig,
    FusedClassifier,
    load_classifier,
    save_classifier,
)
from ecumene_models.crossmodal import CrossModal
from ecumene_models.errors import WeightsError
from ecumene_models.fusion import FusionPolicy
from ecumene_models.percepts import Percepts
from ecumene_models.senses import SENSES

FIELDS = {"vision": "image", "hearing": "frames", "touch": "glimpses"}
SMALL = ClassifierConfig(d=32, hidden=48)


def trained(*, experts: bool = True) -> FusedClassifier:
    """A classifier whose correction is no longer zero, as after training."""
    network = FusedClassifier(replace(SMALL, experts=experts))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw))
    return network.eval()


def scrambled(percepts: Percepts, sense: str, value: float) -> Percepts:
    name = FIELDS[sense]
    return replace(percepts, **{name: torch.full_like(getattr(percepts, name), value)})


def test_it_fuses_as_the_minds_do() -> None:
    assert issubclass(FusedClassifier, CrossModal)
    assert issubclass(FusionPolicy, CrossModal)
    assert FusedClassifier.__dict__.keys().isdisjoint({"_look", "_initialise_cross", "_build_cross"})


def test_at_first_it_is_the_product_of_its_experts() -> None:
    network, percepts = FusedClassifier(SMALL), random_percepts(9, present=0.6)
    found = network(percepts)
    product = (found.experts[:, :3] * percepts.present[..., None]).sum(1).log_softmax(-1)
    assert torch.allclose(found.log_chances, product, atol=1e-6)
    with torch.no_grad():
        network.last.value.add_(1.0)
    assert torch.equal(network(percepts).log_chances, found.log_chances)


def test_training_can_move_it_away_from_the_pool() -> None:
    network, percepts = trained(), random_percepts(9)
    found = network(percepts)
    pool = network.pool(found.experts, percepts.present).log_softmax(-1)
    assert not torch.allclose(found.log_chances, pool, atol=1e-3)


@pytest.mark.parametrize("sense", SENSES)
def test_with_one_sense_its_expert_decides(sense: str) -> None:
    found = trained()(random_percepts(12).only(sense))
    expert = found.experts[:, SENSES.index(sense)]
    assert torch.equal(found.log_chances.argmax(1), expert.argmax(1))


@pytest.mark.parametrize("sense", SENSES)
@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("experts", [True, False])
def test_what_an_absent_sense_reports_never_counts(sense: str, value: float, *, experts: bool) -> None:
    network, percepts = trained(experts=experts), random_percepts(12, present=0.7)
    percepts.present[:, SENSES.index(sense)] = False
    clean, dirty = network(percepts), network(scrambled(percepts, sense, value))
    for name in ("log_chances", "attention", "contribution"):
        assert torch.equal(getattr(clean, name), getattr(dirty, name)), name


@pytest.mark.parametrize("experts", [True, False])
def test_a_sense_that_is_there_counts(*, experts: bool) -> None:
    network, percepts = trained(experts=experts), random_percepts(12)
    for sense in SENSES:
        assert not torch.allclose(
            network(percepts).log_chances, network(scrambled(percepts, sense, 0.5)).log_chances
        ), sense


@pytest.mark.parametrize("experts", [True, False])
def test_no_combination_of_senses_gives_nan_and_none_gives_no_opinion(*, experts: bool) -> None:
    network, percepts = trained(experts=experts), random_percepts(8)
    for code in range(8):
        mask = torch.tensor([bool(code >> bit & 1) for bit in range(3)]).expand(8, 3)
        found = network(replace(percepts, present=mask))
        assert torch.allclose(found.log_chances.exp().sum(1), torch.ones(8), atol=1e-5)
        assert bool(found.contribution.isfinite().all())
        assert bool(found.attention.isfinite().all())
    found = network(replace(percepts, present=torch.zeros(8, 3, dtype=torch.bool)))
    assert torch.allclose(found.log_chances.exp(), torch.full((8, 10), 0.1))
    assert torch.equal(found.contribution, torch.zeros(8, 3))


def test_attention_is_a_distribution_of_each_head_over_what_is_present() -> None:
    percepts = random_percepts(30, present=0.5)
    with torch.no_grad():
        found = trained()(percepts)
    assert found.attention.shape == (30, 4, TOKENS)
    assert torch.allclose(found.attention.sum(-1), torch.ones(30, 4), atol=1e-5)
    for column, name in enumerate(EXPERTS):
        without = ~found.expert_present[:, column]
        assert float(found.attention[without][..., GROUPS[name]].abs().max()) == 0.0
        assert bool((found.attention[~without][..., GROUPS[name]] > 0).all())


def test_the_groups_cover_all_tokens_but_the_one_that_asks() -> None:
    assert sorted(i for group in GROUPS.values() for i in range(TOKENS)[group]) == list(range(1, TOKENS))


def test_the_form_takes_sight_and_touch() -> None:
    network, percepts = trained(), random_percepts(40, present=0.5)
    both = percepts.present[:, 0] & percepts.present[:, 2]
    assert torch.equal(network(percepts).expert_present[:, EXPERTS.index("form")], both)
    assert not bool(trained(experts=False)(percepts).expert_present[:, EXPERTS.index("form")].any())


def test_contribution_is_what_the_pool_loses_without_a_sense() -> None:
    network, percepts = trained(), random_percepts(20)
    with torch.no_grad():
        network.gain[1, -1] = 0.7
    found = network(percepts)
    whole = network.pool(found.experts, percepts.present).log_softmax(-1)
    answer = whole.argmax(1)
    gain = network.gain.detach()
    blind = (found.experts * torch.tensor([0.0, gain[0, 1], gain[0, 2], 0.0])[:, None]).sum(1).log_softmax(-1)
    deaf = (found.experts * torch.tensor([gain[1, 0], 0.0, gain[1, 2], gain[1, 3]])[:, None]).sum(1).log_softmax(-1)
    for column, left in enumerate((blind, deaf)):
        lost = (whole - left)[torch.arange(20), answer]
        assert torch.allclose(found.contribution[:, column], lost, atol=1e-5)


def test_the_untrained_contribution_is_the_exact_one() -> None:
    network, percepts = FusedClassifier(SMALL), random_percepts(20)
    found = network(percepts)
    answer = found.log_chances.argmax(1, keepdim=True)
    for column, sense in enumerate(SENSES):
        left = network(percepts.only(*(other for other in SENSES if other != sense)))
        lost = (found.log_chances - left.log_chances).gather(1, answer)[:, 0]
        assert torch.allclose(found.contribution[:, column], lost, atol=1e-5)


def test_rows_do_not_influence_each_other() -> None:
    network, percepts = trained(), random_percepts(9, present=0.7)
    alone = network(percepts.rows(slice(4, 5)))
    assert torch.allclose(network(percepts).log_chances[4], alone.log_chances[0], atol=1e-5)


def test_building_leaves_the_global_generator_alone_and_repeats() -> None:
    before = torch.random.get_rng_state()
    first, second = (FusedClassifier(SMALL, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    for (name, a), b in zip(first.named_parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b), name
    assert not torch.equal(first.role, FusedClassifier(SMALL, torch.Generator().manual_seed(4)).role)


def test_a_classifier_comes_back_as_it_was(tmp_path: Path) -> None:
    network, percepts = trained(), random_percepts(5)
    save_classifier(network, tmp_path / "fusion.safetensors", {"seed": 4})
    loaded = load_classifier(tmp_path / "fusion.safetensors")
    assert loaded.config == SMALL
    assert torch.equal(loaded(percepts).log_chances, network(percepts).log_chances)


def test_a_network_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    checkpoint.write(tmp_path / "odd", trained(), model=MODEL, config={"d": 32, "depth": 4})
    with pytest.raises(WeightsError, match="can't be built"):
        load_classifier(tmp_path / "odd")
