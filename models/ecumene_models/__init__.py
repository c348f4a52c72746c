"""Neural networks of Ecumene, their losses and supervised training: tensors in, tensors out."""

from ecumene_models.actions import PolicyActions, PolicyOutput
from ecumene_models.checkpoint import load_policy, save_policy
from ecumene_models.errors import ModelError, WeightsError
from ecumene_models.fusion import FusionConfig, FusionPolicy
from ecumene_models.senses import SenseBatch

__all__ = [
    "FusionConfig",
    "FusionPolicy",
    "ModelError",
    "PolicyActions",
    "PolicyOutput",
    "SenseBatch",
    "WeightsError",
    "load_policy",
    "save_policy",
]
