import torch

from ecumene_models.crossmodal import dropped, pooled, shares


def test_shares_add_up_to_one_over_those_present() -> None:
    draw = torch.Generator().manual_seed(0)
    surety = torch.randn(20, 4, 3, generator=draw)
    present = torch.rand(20, 4, generator=draw) > 0.4
    present[:, 0] = True
    found = shares(surety, present)
    assert torch.allclose(found.sum(1), torch.ones(20, 3))
    assert float(found[~present].abs().max()) == 0.0
    assert bool((found[present] > 0).all())


def test_the_pool_is_the_weighted_sum() -> None:
    rows = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert pooled(rows, torch.tensor([[[0.5], [2.0]]])).tolist() == [[6.5, 9.0]]


def test_dropout_never_gives_a_sense_back() -> None:
    present = torch.tensor([True, False, True]).expand(500, 3)
    kept = dropped(present, 0.3, torch.Generator().manual_seed(0))
    assert not bool(kept[:, 1].any())
    assert 0.6 < float(kept[:, 0].float().mean()) < 0.8
    assert torch.equal(dropped(present, 0.0, torch.Generator()), present)
