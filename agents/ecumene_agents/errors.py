"""Errors of the agents.

AgentsError
├── MindMemoryError       bytes are no memory of minds
└── NobodyThereError      a question about an avatar that is not here or has no mind
"""

from __future__ import annotations


class AgentsError(Exception):
    """Base of all errors raised by `ecumene_agents`; its text is a sentence fit for users."""


class MindMemoryError(AgentsError):
    """Bytes are no memory of minds."""


class NobodyThereError(AgentsError):
    """A question about an avatar that is not here, or that no mind drives."""
