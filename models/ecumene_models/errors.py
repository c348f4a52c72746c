"""Errors of the models.

ModelError
├── CloudError            points are no cloud of a thing
├── RolloutError          rollouts can't be learned from as asked
├── SensesError           senses don't have the shapes of senses
├── ShapeError            there is no shape of that class
└── WeightsError          a weights file is damaged, foreign, of another version or does not fit
"""

from __future__ import annotations


class ModelError(Exception):
    """Base of all errors raised by `ecumene_models`; its text is a sentence fit for users."""


class CloudError(ModelError):
    """Points are no cloud of a thing: too few, not finite, without extent or too large."""


class RolloutError(ModelError):
    """Rollouts are empty or not finite, or something is asked of them that nobody defined."""


class SensesError(ModelError):
    """Senses of avatars don't have the shapes that minds take."""


class ShapeError(ModelError):
    """A class of shapes that is not known was asked for."""


class WeightsError(ModelError):
    """A weights file is damaged, foreign, of another version, or does not fit the network."""
