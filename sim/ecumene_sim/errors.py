"""Errors of the simulation.

SimError
└── ActionsError    actions don't have the shape or type that the engine takes
"""

from __future__ import annotations


class SimError(Exception):
    """Base of all errors raised by `ecumene_sim`; its text is a sentence fit for users."""


class ActionsError(SimError):
    """Actions don't have the shape or type that the engine takes."""
