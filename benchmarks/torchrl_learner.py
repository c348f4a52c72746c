"""Multi-agent PPO as torchrl's own example composes it, on our yardsticks: what ours is measured beside.

The environment, sizes of networks and batches, learning rate and losses are the same as in
`ecumene_scenarios.yardsticks.mappo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from tensordict.nn import TensorDictModule
from tensordict.nn.distributions import NormalParamExtractor
from torch import Tensor, nn
from torchrl.collectors import Collector
from torchrl.data import Bounded, Categorical, Composite, LazyTensorStorage, TensorDictReplayBuffer, Unbounded
from torchrl.data.replay_buffers.samplers import SamplerWithoutReplacement
from torchrl.envs import EnvBase
from torchrl.modules import MultiAgentMLP, ProbabilisticActor, TanhNormal, ValueOperator
from torchrl.objectives import ClipPPOLoss, ValueEstimators

from ecumene_scenarios.yardsticks import Yardstick
from ecumene_scenarios.yardsticks.mappo import Settings

ACTION = ("agents", "action")
OBSERVATION = ("agents", "observation")
REWARD = ("agents", "reward")


class TorchrlEnv(EnvBase):  # type: ignore[misc]
    """A yardstick as torchrl wants it; after `steps` steps a world's time is out."""

    def __init__(self, env: Yardstick, steps: int) -> None:
        super().__init__(device="cpu", batch_size=(env.worlds,))
        self.env, self.steps = env, steps
        self.lived = torch.zeros(env.worlds, dtype=torch.int64)
        batch, agents = (env.worlds,), env.agents
        width = env.reset().shape[-1]
        flag = Categorical(n=2, shape=(*batch, 1), dtype=torch.bool)
        self.observation_spec = Composite(
            agents=Composite(observation=Unbounded(shape=(*batch, agents, width)), shape=(*batch, agents)), shape=batch
        )
        self.action_spec = Composite(
            agents=Composite(action=Bounded(-1.0, 1.0, shape=(*batch, agents, 2)), shape=(*batch, agents)), shape=batch
        )
        self.reward_spec = Composite(
            agents=Composite(reward=Unbounded(shape=(*batch, agents, 1)), shape=(*batch, agents)), shape=batch
        )
        self.done_spec = Composite(done=flag, terminated=flag.clone(), truncated=flag.clone(), shape=batch)

    def _reset(self, tensordict: TensorDictBase | None, **_: Any) -> TensorDictBase:
        which = None
        if tensordict is not None and "_reset" in tensordict:
            which = tensordict["_reset"].view(-1)
        self.lived[slice(None) if which is None else which] = 0
        return self._told(self.env.reset(which), torch.zeros(self.env.worlds, dtype=torch.bool))

    def _step(self, tensordict: TensorDictBase) -> TensorDictBase:
        outcome = self.env.step(tensordict[ACTION])
        self.lived += 1
        told = self._told(outcome.observation, outcome.done)
        told[REWARD] = outcome.reward.unsqueeze(-1)
        return told

    def _told(self, observation: Tensor, terminated: Tensor) -> TensorDictBase:
        out = TensorDict({}, batch_size=self.batch_size)
        out["agents"] = TensorDict({"observation": observation}, batch_size=(*self.batch_size, self.env.agents))
        truncated = self.lived >= self.steps
        out["terminated"], out["truncated"] = terminated.unsqueeze(-1), truncated.unsqueeze(-1)
        out["done"] = (terminated | truncated).unsqueeze(-1)
        return out

    def _set_seed(self, seed: int | None) -> None:
        self.env.generator.manual_seed(seed or 0)


class TorchrlMappo:
    """torchrl's MAPPO with the settings of ours; `round` collects one episode in every world and learns from it."""

    def __init__(self, env: Yardstick, settings: Settings, *, width: int, rounds: int) -> None:
        self.settings, self.frames = settings, env.worlds * settings.steps
        wrapped = TorchrlEnv(env, settings.steps)
        self.policy = _actor(wrapped, width)
        critic = ValueOperator(_network(wrapped, width, 1, centralised=True), in_keys=[OBSERVATION])
        self.loss = ClipPPOLoss(
            self.policy, critic, clip_epsilon=settings.clip, entropy_bonus=False, normalize_advantage=False
        )
        self.loss.set_keys(reward=REWARD, action=ACTION, done=("agents", "done"), terminated=("agents", "terminated"))
        self.loss.make_value_estimator(ValueEstimators.GAE, gamma=settings.gamma, lmbda=settings.lam)
        self.optimiser = torch.optim.Adam(self.loss.parameters(), lr=settings.rate)
        self.collector = Collector(
            wrapped, self.policy, device="cpu", frames_per_batch=self.frames, total_frames=self.frames * rounds
        )
        storage = LazyTensorStorage(self.frames, device="cpu")
        self.buffer = TensorDictReplayBuffer(
            storage=storage, sampler=SamplerWithoutReplacement(), batch_size=settings.batch
        )
        self.batches: Iterator[TensorDictBase] = iter(self.collector)

    def round(self) -> float:
        """Collects and learns; returns what an agent earned in an episode on average."""
        data = next(self.batches)
        for name in ("done", "terminated"):
            shape = data["next", "agents", "reward"].shape
            data["next", "agents", name] = data["next", name].unsqueeze(-1).expand(shape)
        with torch.no_grad():
            self.loss.value_estimator(
                data, params=self.loss.critic_network_params, target_params=self.loss.target_critic_network_params
            )
        self.buffer.extend(data.reshape(-1))
        for _ in range(self.settings.epochs * -(-self.frames // self.settings.batch)):
            found = self.loss(self.buffer.sample())
            (found["loss_objective"] + found["loss_critic"]).backward()
            torch.nn.utils.clip_grad_norm_(self.loss.parameters(), self.settings.max_norm)
            self.optimiser.step()
            self.optimiser.zero_grad()
        self.collector.update_policy_weights_()
        return float(data["next", "agents", "reward"].sum(1).mean())

    @torch.no_grad()
    def mean_return(self, env: Yardstick, steps: int) -> float:
        """Returns what an agent earns in an episode on average when it does what it thinks best."""
        observation, total = env.reset(), torch.zeros(env.worlds, env.agents)
        for _ in range(steps):
            told = TensorDict(
                {"agents": TensorDict({"observation": observation}, [env.worlds, env.agents])}, [env.worlds]
            )
            outcome = env.step(self.policy.module[0](told)["agents", "loc"].tanh())
            observation = outcome.observation
            total += outcome.reward
        return float(total.mean())


def _network(env: TorchrlEnv, width: int, outputs: int, *, centralised: bool) -> nn.Module:
    network: nn.Module = MultiAgentMLP(
        n_agent_inputs=env.observation_spec[OBSERVATION].shape[-1],
        n_agent_outputs=outputs,
        n_agents=env.env.agents,
        centralised=centralised,
        share_params=True,
        depth=2,
        num_cells=width,
        activation_class=nn.Tanh,
    )
    return network


def _actor(env: TorchrlEnv, width: int) -> ProbabilisticActor:
    network = nn.Sequential(_network(env, width, 4, centralised=False), NormalParamExtractor())
    intention = TensorDictModule(network, in_keys=[OBSERVATION], out_keys=[("agents", "loc"), ("agents", "scale")])
    return ProbabilisticActor(
        intention,
        spec=env.full_action_spec_unbatched,
        in_keys=[("agents", "loc"), ("agents", "scale")],
        out_keys=[ACTION],
        distribution_class=TanhNormal,
        return_log_prob=True,
    )
