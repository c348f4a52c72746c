"""The torchrl API: worlds are the batch, avatar slots the agents, and a mask says which slots hold somebody.

    pip install "ecumene[torchrl]"

Keys, for B worlds of C slots:
    agents / observation    (B, C, 785) f32, or one entry a sense, as in `ecumene_scenarios.spaces`
    agents / mask           (B, C) bool, who decides now; what other rows say means nothing
    agents / serial         (B, C) i64, which avatar of its slot that is
    agents / action         (B, C, 8) f32 in -1..1, as in `spaces.action_space`; those of empty slots are not used
    agents / reward         (B, C, 1) f32, what the agents that have just acted got
    agents / done           (B, C, 1) bool, who of these has just ended; also `terminated` and `truncated`
    done                    (B, 1) bool, which worlds are over; also `terminated`, never set, and `truncated`

Where an agent has ended, the slot's next row is already that of whoever came after it: cut there by `agents / done`.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

from ecumene_scenarios import spaces
from ecumene_scenarios.batched import BatchedEnv, Step
from ecumene_scenarios.scenario import Scenario

try:
    from tensordict import TensorDict, TensorDictBase
    from torchrl.data import Bounded, Categorical, Composite, Unbounded
    from torchrl.envs import EnvBase
except ImportError as error:
    raise ImportError('torchrl is not installed; `pip install "ecumene[torchrl]"` brings it') from error

GROUP: Final = "agents"
ENDS: Final = ("done", "terminated", "truncated")


class EcumeneEnv(EnvBase):  # type: ignore[misc]
    """B worlds of a scenario under one layout; worlds that are over wait for torchrl to reset them.

    Args:
        scenario: Name, YAML file or a fresh scenario.
        seed: Of the layout that all worlds share, and of the first reset.
        worlds: B.
        flat: One row of numbers an agent; False for one entry a sense.
        device: Where all tensors are.
    """

    def __init__(
        self,
        scenario: str | Scenario,
        *,
        seed: int = 0,
        worlds: int = 8,
        flat: bool = True,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(device=device, batch_size=(worlds,))
        self.core = BatchedEnv(scenario, seed=seed, worlds=worlds, restart=False, device=device)
        self._flat, self._next_seed = flat, seed
        self._slots = torch.arange(self.core.slots, device=device)
        self._declare((worlds,), (worlds, self.core.slots))

    def _declare(self, batch: tuple[int, ...], each: tuple[int, ...]) -> None:
        device = self.device
        whole = {"shape": batch, "device": device}
        group = {"shape": each, "device": device}

        def flags(shape: tuple[int, ...]) -> dict[str, Categorical]:
            return {name: Categorical(2, shape=(*shape, 1), dtype=torch.bool, device=device) for name in ENDS}

        seen = Composite(
            observation=self._perceivable(each),
            mask=Categorical(2, shape=each, dtype=torch.bool, device=device),
            serial=Unbounded(shape=each, dtype=torch.int64, device=device),
            **group,
        )
        acts = Bounded(-1.0, 1.0, shape=(*each, *spaces.action_space().shape), device=device)
        self.observation_spec = Composite({GROUP: seen}, **whole)
        self.action_spec = Composite({GROUP: Composite(action=acts, **group)}, **whole)
        earned = Unbounded(shape=(*each, 1), device=device)
        self.reward_spec = Composite({GROUP: Composite(reward=earned, **group)}, **whole)
        self.done_spec = Composite({GROUP: Composite(flags(each), **group), **flags(batch)}, **whole)

    def _perceivable(self, each: tuple[int, ...]) -> Bounded | Composite:
        """What all agents may perceive, bounds of their spaces."""
        parts = {
            name: Bounded(low, high, shape=(*each, *shape), device=self.device)
            for name, (shape, low, high) in spaces.SENSES.items()
        }
        if not self._flat:
            return Composite(parts, shape=each, device=self.device)
        box = spaces.observation_space(flat=True)
        low, high = (torch.from_numpy(getattr(box, name)).expand(*each, -1) for name in ("low", "high"))
        return Bounded(low, high, shape=low.shape, device=self.device)

    def _reset(self, tensordict: TensorDictBase | None, **_: Any) -> TensorDictBase:
        which = None if tensordict is None else tensordict.get("_reset", None)
        if which is not None and not bool(which.all()):
            return self._told(self.core.restart(which.view(-1)))
        step = self.core.reset(self._next_seed)
        self._next_seed += 1
        return self._told(step)

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        step = self.core.step(spaces.decided(self._slots, tensordict[GROUP, "action"]))
        told = self._told(step)
        told[GROUP, "reward"] = step.reward[..., None]
        return told

    def _told(self, step: Step) -> TensorDictBase:
        parts = spaces.tensors(step.senses)
        each = step.alive.shape
        seen: Tensor | TensorDictBase = torch.cat([part.flatten(2) for part in parts.values()], dim=-1)
        if not self._flat:
            seen = TensorDict(parts, batch_size=each, device=self.device)
        ended = {"terminated": step.terminated, "truncated": step.truncated, "done": step.terminated | step.truncated}
        agents = {"observation": seen, "mask": step.alive, "serial": step.serial}
        agents |= {name: flag[..., None] for name, flag in ended.items()}
        over = step.done[:, None]
        worlds = {"done": over, "truncated": over.clone(), "terminated": torch.zeros_like(over)}
        group = TensorDict(agents, batch_size=each, device=self.device)
        return TensorDict({GROUP: group, **worlds}, batch_size=self.batch_size, device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        self._next_seed = seed or 0
