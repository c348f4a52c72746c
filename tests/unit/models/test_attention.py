import torch
from torch.nn import functional

from ecumene_models.attention import MixBlock, SelfBlock


def rows(count: int = 6, tokens: int = 9, d: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    present = torch.rand(count, tokens, generator=draw) > 0.3
    present[:, 0] = True
    return torch.randn(count, tokens, d, generator=draw), present


def plain_attention(
    block: SelfBlock | MixBlock, tokens: torch.Tensor, present: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Textbook attention of all tokens: the oracle that the folded one must agree with."""
    count, size, d = tokens.shape
    normed = block.norm(tokens)
    split = [(normed @ m.T).view(count, size, block.heads, -1).transpose(1, 2) for m in (key, value)]
    query = block.query(normed).view(count, size, block.heads, -1).transpose(1, 2)
    score = query @ split[0].transpose(2, 3) * (d // block.heads) ** -0.5
    share = score.masked_fill(~present[:, None, None, :], float("-inf")).softmax(dim=-1)
    seen = (share @ split[1]).transpose(1, 2).reshape(count, size, d)
    mixed = tokens + block.out(seen)
    return mixed + block.feed(block.feed_norm(mixed)), share


def test_the_folded_last_layer_is_ordinary_attention_of_the_self_token() -> None:
    tokens, present = rows()
    block = SelfBlock(16, 4, 32)
    key = block.key.reshape(16, 16)
    value = block.value.transpose(1, 2).reshape(16, 16)
    wanted, share = plain_attention(block, tokens, present, key, value)
    found, attention = block(tokens, present)
    assert torch.allclose(found, wanted[:, 0], atol=1e-5)
    assert torch.allclose(attention, share[:, :, 0], atol=1e-6)


def test_the_mixing_layer_updates_its_queries_and_only_them() -> None:
    tokens, present = rows()
    block = MixBlock(16, 4, 32, queries=5)
    key, value = torch.chunk(block.key_value.weight, 2)
    wanted, _ = plain_attention(block, tokens, present, key, value)
    found = block(tokens, present)
    assert torch.allclose(found[:, :5], wanted[:, :5], atol=1e-5)
    assert torch.equal(found[:, 5:], tokens[:, 5:])


def test_masked_tokens_have_no_influence() -> None:
    tokens, present = rows()
    block = SelfBlock(16, 4, 32)
    changed = torch.where(present[..., None], tokens, functional.relu(tokens) + 9)
    assert torch.equal(block(tokens, present)[0], block(changed, present)[0])
