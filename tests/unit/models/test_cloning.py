import torch
from tests.unit.models.sense_rows import random_senses

from ecumene_models.actions import PolicyActions, act
from ecumene_models.cloning import CloningConfig, Demonstrations, clone, expert_loss, imitation_error
from ecumene_models.fusion import FusionConfig, FusionPolicy


def teacher(count: int = 512) -> Demonstrations:
    """Heads for the waypoint, waves at whom it must greet: easy to learn from the intent alone."""
    senses = random_senses(count)
    way = senses.goal[:, :2]
    move = way / way.norm(dim=1, keepdim=True).clamp(min=0.1)
    actions = PolicyActions(
        move=move,
        turn=torch.atan2(way[:, 1], way[:, 0]) / torch.pi,
        gaze=torch.zeros(count, 2),
        interact=torch.zeros(count, dtype=torch.int64),
        emote=(senses.verb == 4).long(),
        speak=torch.zeros(count, dtype=torch.int64),
    )
    return Demonstrations(senses, actions)


def cloned(seed: int) -> tuple[FusionPolicy, list[float], list[int]]:
    policy = FusionPolicy(FusionConfig(d=32, heads=2, hidden=32))
    steps: list[int] = []
    losses = clone(
        policy,
        teacher(),
        CloningConfig(epochs=6, batch=64, rate=3e-3),
        torch.Generator().manual_seed(seed),
        lambda done, total, loss: steps.append(done if total == 48 and loss > 0 else -1),
    )
    return policy, losses, steps


def test_cloning_learns_and_reports_progress() -> None:
    policy, losses, steps = cloned(0)
    assert losses[-1] < 0.35 * losses[0]
    assert steps == list(range(1, 49))
    assert not policy.training


def test_cloning_is_reproducible() -> None:
    assert cloned(1)[1] == cloned(1)[1]


def test_a_turn_is_compared_around_the_circle() -> None:
    actions, _ = act(FusionPolicy()(random_senses(1)), None)
    row = torch.zeros(1, 15)
    row[:, 2] = 0.98
    base = PolicyActions(torch.zeros(1, 2), torch.tensor([-0.98]), torch.zeros(1, 2), *(actions.interact,) * 3)
    near = imitation_error(row, base)
    far = imitation_error(row, PolicyActions(base.move, torch.tensor([0.0]), base.gaze, *(actions.interact,) * 3))
    assert float(far - near) > 0.9


def test_experts_learn_only_what_they_were_there_for_and_what_weighs() -> None:
    policy, demonstrations = FusionPolicy(), teacher(32)
    blind = demonstrations.senses.without("vision")
    torch.autograd.backward(expert_loss(policy(blind), demonstrations.actions))
    assert policy.vision.token.weight.grad is None or float(policy.vision.token.weight.grad.abs().sum()) == 0
    assert policy.touch.layers[0].weight.grad is not None
    nothing = expert_loss(policy(blind), demonstrations.actions, torch.zeros(32))
    assert float(nothing.detach()) == 0.0
