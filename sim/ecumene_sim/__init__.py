"""What happens: motion, contact, interaction, senses, and the deterministic step. Read `engine.Engine.step` first."""

from ecumene_sim.asking import Outcome
from ecumene_sim.engine import Engine, Probe
from ecumene_sim.errors import ActionsError, SimError
from ecumene_sim.frame import Actions, Frame, Senses
from ecumene_sim.senses.sensorium import ALL as ALL_SENSES

__all__ = ["ALL_SENSES", "Actions", "ActionsError", "Engine", "Frame", "Outcome", "Probe", "Senses", "SimError"]
