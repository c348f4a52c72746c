from dataclasses import replace

import pytest
import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.actions import CONTINUOUS, EXPERTS, act, evaluate
from ecumene_models.errors import SensesError
from ecumene_models.fusion import GROUPS, TOKENS, FusionConfig, FusionPolicy
from ecumene_models.recurrent import RecurrentConfig, RecurrentPolicy
from ecumene_models.senses import SENSES, SPEAKING, SenseBatch


def trained(seed: int = 0, chunk: int = 0, *, remembers: bool = False) -> FusionPolicy:
    """A policy whose residual is no longer zero, as after training."""
    generator = torch.Generator().manual_seed(seed)
    policy = (
        RecurrentPolicy(RecurrentConfig(chunk=chunk), generator)
        if remembers
        else FusionPolicy(FusionConfig(chunk=chunk), generator)
    )
    draw = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw))
    return policy.eval()


def scrambled(senses: SenseBatch, sense: str, value: float) -> SenseBatch:
    if sense == "vision":
        kinds = torch.full_like(senses.vision_kind, 7)
        return replace(senses, vision_depth=torch.full_like(senses.vision_depth, value), vision_kind=kinds)
    return replace(senses, **{sense: torch.full_like(getattr(senses, sense), value)})


def test_it_is_small() -> None:
    assert sum(parameter.numel() for parameter in FusionPolicy().parameters()) <= 300_000


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_makes_the_same_weights(seed: int) -> None:
    first, second = (FusionPolicy(generator=torch.Generator().manual_seed(seed)) for _ in range(2))
    other = FusionPolicy(generator=torch.Generator().manual_seed(seed + 10))
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(first.role, other.role)


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    FusionPolicy()
    assert torch.equal(before, torch.random.get_rng_state())


def test_at_first_the_decision_is_the_pool_of_the_experts() -> None:
    policy, senses = FusionPolicy().eval(), random_senses(20, present=0.6)
    output = policy(senses)
    raw = output.experts.clone()
    raw[..., :CONTINUOUS] = raw[..., :CONTINUOUS].atanh()
    low = raw.masked_fill(~output.expert_present[..., None], float("inf")).amin(dim=1)
    high = raw.masked_fill(~output.expert_present[..., None], float("-inf")).amax(dim=1)
    fused = output.vector.clone()
    fused[:, :CONTINUOUS] = fused[:, :CONTINUOUS].atanh()
    assert bool(((fused >= low - 1e-4) & (fused <= high + 1e-4)).all())
    with torch.no_grad():
        policy.last.value.add_(1.0)
    assert torch.equal(policy(senses).vector, output.vector)


def test_with_one_expert_left_it_decides_alone() -> None:
    senses = random_senses(8)
    output = FusionPolicy().eval()(replace(senses, present=torch.zeros_like(senses.present)))
    assert torch.allclose(output.vector, output.experts[:, EXPERTS.index("self")], atol=1e-6)
    assert torch.allclose(output.contribution, torch.tensor([1.0, 0, 0, 0]).expand(8, -1))


@pytest.mark.parametrize("sense", SENSES)
@pytest.mark.parametrize("value", [0.5, float("nan"), float("inf")])
def test_what_an_absent_sense_reports_never_counts(sense: str, value: float) -> None:
    policy, senses = trained(), random_senses(12, present=0.7).without(sense)
    clean, dirty = policy(senses), policy(scrambled(senses, sense, value))
    for name in ("vector", "value", "attention", "contribution", "experts"):
        assert torch.equal(getattr(clean, name), getattr(dirty, name)), name


def test_who_speaks_is_known_to_those_who_hear_alone() -> None:
    policy, senses = trained(), random_senses(16)
    spoken = senses.neighbours.clone()
    spoken[..., SPEAKING] = 1 - spoken[..., SPEAKING]
    told = replace(senses, neighbours=spoken)
    with torch.no_grad():
        assert not torch.equal(policy(senses).vector, policy(told).vector)
        one, other = (policy(batch.without("hearing")).vector for batch in (senses, told))
    assert torch.equal(one, other)
    assert torch.equal(told.neighbours, spoken), "what is given is not written to"


def test_what_absent_neighbours_report_never_counts() -> None:
    policy, senses = trained(), random_senses(12)
    noise = torch.where(senses.neighbour_present[..., None], senses.neighbours, torch.nan)
    assert torch.equal(policy(senses).vector, policy(replace(senses, neighbours=noise)).vector)


@pytest.mark.parametrize("sense", SENSES)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("remembers", [False, True])
def test_a_sense_that_reports_no_numbers_is_as_one_that_is_absent(sense: str, value: float, remembers: bool) -> None:
    policy, senses = trained(remembers=remembers), random_senses(12)
    broken = senses.rows(slice(0, 1)).without(sense)
    expected = policy(SenseBatch.cat([broken, senses.rows(slice(1, 12))]))
    found = policy(SenseBatch.cat([scrambled(senses.rows(slice(0, 1)), sense, value), senses.rows(slice(1, 12))]))
    for name in ("vector", "value", "attention", "contribution"):
        assert torch.equal(getattr(expected, name), getattr(found, name)), name


@pytest.mark.parametrize("category", [16, 48, 255])
@pytest.mark.parametrize("pixel", [0, 25])
@pytest.mark.parametrize("remembers", [False, True])
def test_who_sees_a_category_that_there_is_none_of_is_as_one_without_sight(
    category: int, pixel: int, remembers: bool
) -> None:
    policy, senses = trained(remembers=remembers), random_senses(12)
    dirty = senses.vision_kind.clone()
    dirty[3].view(-1)[pixel] = category
    output = policy(replace(senses, vision_kind=dirty))
    blind = senses.present.clone()
    blind[3, SENSES.index("vision")] = False
    assert torch.equal(output.vector, policy(replace(senses, present=blind)).vector)
    assert not torch.equal(output.vector[3], policy(senses).vector[3])


def test_categories_that_are_no_bytes_are_refused() -> None:
    senses = random_senses(3)
    with pytest.raises(SensesError, match=r"vision_kind must be torch\.uint8, not torch\.int64"):
        trained()(replace(senses, vision_kind=senses.vision_kind.long() - 1))


@pytest.mark.parametrize("part", ["neighbours", "body", "goal"])
def test_one_number_that_is_none_spoils_nothing_else(part: str) -> None:
    policy, senses = trained(), random_senses(12)
    senses = replace(senses, neighbour_present=torch.ones_like(senses.neighbour_present))
    dirty = getattr(senses, part).clone()
    dirty[3].view(-1)[0] = torch.nan
    output, clean = policy(replace(senses, **{part: dirty})), policy(senses)
    assert bool(output.vector.isfinite().all())
    others = [row for row in range(12) if row != 3]
    assert torch.equal(output.vector[others], clean.vector[others])


@pytest.mark.parametrize(
    ("part", "shape"),
    [("touch", (12, 5)), ("touch", (1, 10)), ("vision_depth", (12, 4, 24)), ("present", (12,)), ("verb", (11,))],
)
@pytest.mark.parametrize("remembers", [False, True])
def test_senses_of_other_shapes_are_refused_in_a_sentence(part: str, shape: tuple[int, ...], remembers: bool) -> None:
    senses = random_senses(12)
    wrong = replace(senses, **{part: getattr(senses, part).new_zeros(shape)})
    with pytest.raises(SensesError, match=r"has the shape \(.*\), not \("):
        trained(remembers=remembers)(wrong)


def test_a_sense_that_is_there_counts() -> None:
    policy, senses = trained(), random_senses(12)
    for sense in SENSES:
        assert not torch.allclose(policy(senses).vector, policy(scrambled(senses, sense, 0.5)).vector), sense


def test_no_combination_of_senses_gives_nan() -> None:
    policy, senses = trained(), random_senses(8).alone()
    for code in range(8):
        mask = torch.tensor([bool(code >> bit & 1) for bit in range(3)]).expand(8, 3)
        output = policy(replace(senses, present=mask))
        assert bool(output.vector.isfinite().all())
        assert bool(output.value.isfinite().all())
        assert torch.allclose(output.contribution.sum(dim=1), torch.ones(8), atol=1e-5)


def test_attention_is_a_distribution_over_what_is_present() -> None:
    senses = random_senses(30, present=0.5)
    attention = trained()(senses).attention.detach()
    assert attention.shape == (30, 4, TOKENS)
    assert torch.allclose(attention.sum(dim=-1), torch.ones(30, 4), atol=1e-5)
    blind = ~senses.present[:, 0]
    assert float(attention[blind][..., GROUPS["vision"]].abs().max()) == 0.0
    nobody = ~senses.neighbour_present
    assert float(attention[..., GROUPS["neighbours"]].amax(dim=1)[nobody].max()) == 0.0


def test_the_groups_cover_every_token_once() -> None:
    assert sorted(i for group in GROUPS.values() for i in range(TOKENS)[group]) == list(range(TOKENS))


def test_gradients_reach_every_parameter() -> None:
    policy, senses = FusionPolicy(), random_senses(64)
    with torch.no_grad():
        policy.residual.weight.normal_(generator=torch.Generator().manual_seed(3))
    output = policy(senses)
    logprob, entropy = evaluate(output, act(output, torch.Generator().manual_seed(1))[0])
    loss = logprob.sum() + entropy.sum() + output.value.sum() + output.experts.square().sum()
    torch.autograd.backward(loss)
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().sum()) > 0, name


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_chunks_change_nothing_but_the_last_digits(chunk: int) -> None:
    senses = random_senses(50, present=0.7)
    whole, chunked = trained(chunk=0)(senses), trained(chunk=chunk)(senses)
    for name in ("vector", "value", "experts", "contribution", "attention"):
        assert torch.allclose(getattr(whole, name), getattr(chunked, name), atol=1e-4), name
    assert torch.equal(whole.expert_present, chunked.expert_present)


def test_rows_do_not_influence_each_other() -> None:
    policy, senses = trained(), random_senses(9, present=0.7)
    alone = policy(senses.rows(slice(4, 5)))
    assert torch.allclose(policy(senses).vector[4], alone.vector[0], atol=1e-5)


def test_modality_dropout_takes_whole_senses_and_is_reproducible() -> None:
    policy, senses = trained(), random_senses(400)
    first = policy(senses, drop=torch.Generator().manual_seed(5))
    second = policy(senses, drop=torch.Generator().manual_seed(5))
    assert torch.equal(first.expert_present, second.expert_present)
    kept = first.expert_present[:, 1:].float().mean()
    assert abs(float(kept) - (1 - policy.config.drop)) < 0.03
    assert bool(policy(senses).expert_present.all())


def test_an_empty_batch_is_answered_by_an_empty_one() -> None:
    output = trained()(random_senses(0))
    assert len(output) == 0
    assert output.vector.shape == (0, 15)


def related(seed: int = 0) -> FusionPolicy:
    """The policy of `trained` that is also told of relations, whose tokens are zero."""
    plain = trained(seed)
    policy = FusionPolicy(replace(plain.config, relations=True))
    policy.load_state_dict(policy.state_dict() | plain.state_dict())
    return policy.eval()


@pytest.mark.parametrize("remembers", [False, True])
def test_relation_tokens_start_at_zero_and_draw_nothing(remembers: bool) -> None:
    plain, told = (
        RecurrentPolicy(RecurrentConfig(relations=relations))
        if remembers
        else FusionPolicy(FusionConfig(relations=relations))
        for relations in (False, True)
    )
    extra = {name: tensor for name, tensor in told.state_dict().items() if name not in plain.state_dict()}
    assert extra.keys() == {"relation"}
    assert not extra["relation"].any()
    assert all(torch.equal(tensor, told.state_dict()[name]) for name, tensor in plain.state_dict().items())


def test_with_zero_tokens_relations_change_no_bit() -> None:
    senses = random_senses(12)
    plain, told = trained()(senses), related()(senses)
    for name in ("vector", "value", "attention", "contribution", "experts"):
        assert torch.equal(getattr(plain, name), getattr(told, name)), name


def test_a_relation_alone_changes_the_decision_of_those_who_are_told() -> None:
    senses = random_senses(12)
    senses = replace(senses, neighbour_present=torch.ones_like(senses.neighbour_present))
    flipped = senses.relations.clone()
    flipped[3, 5, 2] ^= True
    other = replace(senses, relations=flipped)
    assert torch.equal(trained()(senses).vector, trained()(other).vector)
    policy = related()
    with torch.no_grad():
        policy.relation.normal_(generator=torch.Generator().manual_seed(3))
    changed = (policy(senses).vector != policy(other).vector).any(dim=1)
    assert changed.nonzero().flatten().tolist() == [3]


def test_relations_of_absent_neighbours_never_count() -> None:
    policy, senses = related(), random_senses(12)
    with torch.no_grad():
        policy.relation.fill_(0.5)
    noise = senses.relations ^ ~senses.neighbour_present[..., None]
    assert not torch.equal(noise, senses.relations)
    assert torch.equal(policy(senses).vector, policy(replace(senses, relations=noise)).vector)


def test_relations_that_are_no_truths_are_refused() -> None:
    senses = random_senses(3)
    with pytest.raises(SensesError, match=r"relations must be torch\.bool, not torch\.float32"):
        trained()(replace(senses, relations=torch.full((3, 8, 8), torch.nan)))
    with pytest.raises(SensesError, match=r"relations of 3 avatars has the shape"):
        trained()(replace(senses, relations=senses.relations[..., :7]))
