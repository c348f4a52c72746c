"""Cross-modal attention that computes only what a decision needs.

A textbook encoder updates every token in every layer. Here neighbours are only ever looked at, and the last layer
answers for the self token alone, with its key and value matrices folded into the single query; the result is that of
ordinary attention, up to rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class MixBlock(nn.Module):
    """A pre-norm transformer layer in which the first `queries` tokens look at all tokens and are updated."""

    def __init__(self, d: int, heads: int, hidden: int, queries: int) -> None:
        super().__init__()
        self.heads, self.queries = heads, queries
        self.norm = nn.LayerNorm(d)
        self.query = nn.Linear(d, d)
        self.key_value = nn.Linear(d, 2 * d, bias=False)
        self.out = nn.Linear(d, d)
        self.feed_norm = nn.LayerNorm(d)
        self.feed = nn.Sequential(nn.Linear(d, hidden), nn.ReLU(), nn.Linear(hidden, d))

    def forward(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Mixes (N, T, d) tokens of which (N, T) bool are present."""
        count, size, d = tokens.shape
        normed = self.norm(tokens)
        per_head = (self.heads, d // self.heads)
        query = self.query(normed[:, : self.queries]).view(count, self.queries, *per_head).transpose(1, 2)
        pair = self.key_value(normed).view(count, size, 2, *per_head).permute(2, 0, 3, 1, 4)
        mask = present[:, None, None, :].expand(count, 1, self.queries, size)
        seen = functional.scaled_dot_product_attention(query, pair[0], pair[1], attn_mask=mask)
        mixed = tokens[:, : self.queries] + self.out(seen.transpose(1, 2).reshape(count, self.queries, d))
        mixed = mixed + self.feed(self.feed_norm(mixed))
        return torch.cat((mixed, tokens[:, self.queries :]), dim=1)


class SelfBlock(nn.Module):
    """A pre-norm transformer layer for token 0 only, which also tells where that token looked.

    With one query per head, q·(K x) is (Kᵀq)·x and Σ a (V x) is V Σ a x, so neither K nor V ever meets all tokens.
    """

    def __init__(self, d: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(d)
        self.query = nn.Linear(d, d)
        self.key = nn.Parameter(torch.zeros(heads, d // heads, d))
        self.value = nn.Parameter(torch.zeros(heads, d, d // heads))
        self.out = nn.Linear(d, d)
        self.feed_norm = nn.LayerNorm(d)
        self.feed = nn.Sequential(nn.Linear(d, hidden), nn.ReLU(), nn.Linear(hidden, d))
        bound = d**-0.5
        nn.init.uniform_(self.key, -bound, bound)
        nn.init.uniform_(self.value, -bound, bound)

    def forward(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the new self token (N, d) and its attention (N, heads, T)."""
        count, _, d = tokens.shape
        normed = self.norm(tokens)
        query = self.query(normed[:, 0]).view(count, self.heads, d // self.heads).transpose(0, 1)
        probe = torch.bmm(query, self.key).transpose(0, 1)
        score = torch.bmm(probe, normed.transpose(1, 2)) * (d // self.heads) ** -0.5
        attention = score.masked_fill(~present[:, None, :], float("-inf")).softmax(dim=-1)
        gathered = torch.bmm(attention, normed).transpose(0, 1)
        seen = torch.bmm(gathered, self.value).transpose(0, 1).reshape(count, d)
        mixed = tokens[:, 0] + self.out(seen)
        return mixed + self.feed(self.feed_norm(mixed)), attention
