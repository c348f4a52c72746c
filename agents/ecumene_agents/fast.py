"""The fast mind: senses in, actions out. It knows nothing but the senses, so it may run on any thread or process.

One with memory also knows what it perceived before, slot by slot; wherever it runs, it has to see every decision.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Final, Literal

import torch
from torch import Tensor

from ecumene_agents import scripted
from ecumene_agents.batch import actions_of, batch_of
from ecumene_agents.remembering import Remembering
from ecumene_agents.vectors import length
from ecumene_agents.wardrobe import Wardrobe
from ecumene_models.actions import PolicyActions, likeliest
from ecumene_models.fusion import FusionPolicy
from ecumene_models.recurrent import RecurrentPolicy
from ecumene_models.senses import SenseBatch
from ecumene_sim.frame import Actions, Senses

DEAD_ZONE: Final = 0.2
"""A wanted speed below this share of the walking speed is none, so that who stands does not creep."""


class FastMind:
    """Decides for any number of avatars at once.

    Args:
        policy: None for the scripted controller.
        device: Where the policy runs.
        wardrobe: Who wears which adapter of the policy; None where nobody wears any.
    """

    def __init__(
        self,
        policy: FusionPolicy | None,
        device: torch.device | str = "cpu",
        *,
        wardrobe: Wardrobe | None = None,
    ) -> None:
        self.policy = policy
        self.wardrobe = wardrobe
        self.device = torch.device(device)
        if policy is not None:
            policy.to(self.device).eval()
        self.memory = Remembering(policy) if isinstance(policy, RecurrentPolicy) else None

    @property
    def kind(self) -> Literal["fusion", "scripted"]:
        """Which controller it is."""
        return "scripted" if self.policy is None else "fusion"

    def decide(self, senses: Senses) -> Actions:
        """Returns what the sensed slots do: one forward pass for all of them."""
        batch = batch_of(senses).to(self.device)
        with nullcontext() if self.wardrobe is None else self.wardrobe.dressing(senses):
            actions = self.act(batch) if self.memory is None else self._recalling(senses, batch)
        return actions_of(senses.slots, _to(actions, senses.slots.device))

    def act(self, batch: SenseBatch) -> PolicyActions:
        """Returns the likeliest actions of N rows that remember nothing, with the reflexes that every mind has."""
        if self.policy is None:
            return scripted.act(batch)
        with torch.inference_mode():
            actions = likeliest(self.policy(batch))
        return with_reflexes(actions, batch)

    def _recalling(self, senses: Senses, batch: SenseBatch) -> PolicyActions:
        assert self.memory is not None, "only minds with memory recall"
        with torch.inference_mode():
            output = self.memory.decide(batch, senses.slots.to(self.device), senses.serial.to(self.device))
            actions = likeliest(output)
        return with_reflexes(actions, batch)


def with_reflexes(actions: PolicyActions, batch: SenseBatch) -> PolicyActions:
    """Returns actions with what no policy needs to learn.

    Who sits at rest stays seated, closed doors are opened, and who hardly wants to move stands.
    """
    rests = scripted.rests(batch)
    moves = (~rests & (length(actions.move) >= DEAD_ZONE)).to(actions.move.dtype)
    return replace(
        actions,
        move=actions.move * moves[:, None],
        interact=torch.where(rests, 0, torch.maximum(actions.interact, scripted.at_door(batch).long())),
    )


def _to(actions: PolicyActions, device: torch.device) -> PolicyActions:
    if actions.turn.device == device:
        return actions
    parts: dict[str, Tensor] = {name: getattr(actions, name).to(device) for name in PolicyActions.__slots__}
    return PolicyActions(**parts)
