"""Who decides for NPCs in a served world: trained minds, the scripted baseline, or nobody."""

from __future__ import annotations

from ecumene_agents import scripted
from ecumene_scenarios.session import DecidingMinds
from ecumene_server.settings import Settings
from ecumene_sim.frame import Actions, Senses
from ecumene_world.world import World


class Scripted:
    """The scripted baseline as minds."""

    def decide(self, senses: Senses) -> Actions:
        """Decides for the sensed slots."""
        return scripted.decide(senses)


def minds_for(settings: Settings, world: World) -> DecidingMinds | None:
    """Returns the minds that the settings ask for."""
    del world
    return None if settings.minds == "none" else Scripted()
