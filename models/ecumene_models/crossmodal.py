"""What every fused network shares: experts are pooled, and attention over tokens of all senses corrects the pool.

The correction starts at zero, so an untrained network says what its experts say together. What is absent is masked in
the pool and in the attention alike.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecumene_models.attention import MixBlock, SelfBlock


class CrossModal(nn.Module):
    """Base of fused networks; its parameters stand beside those of the network that inherits it.

    Attributes:
        role: (T, d), added to each token so that it is known which one it is; token 0 asks for all.
        mix: Layers in which the first tokens look at all.
        last: Layer in which token 0 alone looks at all.
        norm: Of what token 0 found.
        residual: What that changes of the pooled row; starts at zero.
    """

    role: nn.Parameter
    mix: nn.ModuleList
    last: SelfBlock
    norm: nn.LayerNorm
    residual: nn.Linear

    def _build_cross(
        self, sizes: tuple[int, int, int], *, tokens: int, queries: int, layers: int, outputs: int
    ) -> None:
        """Adds the parts of the fusion.

        Args:
            sizes: Width of a token, attention heads, width of the feed-forward parts.
            tokens: Of all senses, T.
            queries: How many of the first tokens the mixing layers update.
            layers: At least 1, with the last.
            outputs: Columns of a row.
        """
        d, heads, hidden = sizes
        self.role = nn.Parameter(torch.zeros(tokens, d))
        self.mix = nn.ModuleList(MixBlock(d, heads, hidden, queries) for _ in range(layers - 1))
        self.last = SelfBlock(d, heads, hidden)
        self.norm = nn.LayerNorm(d)
        self.residual = nn.Linear(d, outputs)

    def _allocate(self) -> None:
        """Gives every parameter memory; buffers are constants and have theirs already."""
        for module in self.modules():
            for name, parameter in module.named_parameters(recurse=False):
                setattr(module, name, nn.Parameter(torch.zeros(parameter.shape)))

    @torch.no_grad()
    def _initialise_cross(self, generator: torch.Generator) -> None:
        """Draws every module's numbers, in the order in which they were built, and sets the correction to zero."""
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                module.weight.fill_(1.0)
                module.bias.zero_()
            elif isinstance(module, nn.Embedding | nn.EmbeddingBag):
                nn.init.normal_(module.weight, std=0.5, generator=generator)
            elif isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
                bound = module.weight[0].numel() ** -0.5
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
                if module.bias is not None:
                    nn.init.uniform_(module.bias, -bound, bound, generator=generator)
            elif isinstance(module, nn.GRU):
                for parameter in module.parameters():
                    bound = module.hidden_size**-0.5
                    nn.init.uniform_(parameter, -bound, bound, generator=generator)
            elif isinstance(module, SelfBlock):
                bound = module.key.shape[2] ** -0.5
                nn.init.uniform_(module.key, -bound, bound, generator=generator)
                nn.init.uniform_(module.value, -bound, bound, generator=generator)
        nn.init.normal_(self.role, std=0.1, generator=generator)
        self.residual.weight.zero_()
        self.residual.bias.zero_()

    def _look(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what token 0 finds among (N, T, d) tokens of which (N, T) are present: (N, d), and (N, heads, T)."""
        mixed = tokens + self.role
        for block in self.mix:
            mixed = block(mixed, present)
        found, attention = self.last(mixed, present)
        return self.norm(found), attention


def pooled(proposed: Tensor, weight: Tensor) -> Tensor:
    """Returns (N, K), the sum over experts of (N, E, K) rows times (N, E, K) or (N, E, 1) weights, 0 where absent."""
    return (proposed * weight).sum(dim=1)


def shares(surety: Tensor, present: Tensor) -> Tensor:
    """Returns (N, E, G) weights that add up to 1 over the experts present, from log weights and (N, E) bool."""
    return surety.masked_fill(~present[..., None], float("-inf")).softmax(dim=1)


def dropped(present: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Returns (N, senses) presence after modality dropout took each sense away with some probability."""
    return present & (torch.rand(present.shape, generator=generator, device=present.device) >= probability)
