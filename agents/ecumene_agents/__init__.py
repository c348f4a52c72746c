"""Who decides: fast minds that act on senses, slow minds with needs, plans and memory, and what they say."""

from ecumene_agents.errors import AgentsError, MindMemoryError, NobodyThereError
from ecumene_agents.minds import Minds
from ecumene_agents.persona import full_name
from ecumene_agents.roster import Driver, Roster
from ecumene_agents.routes import Routes

__all__ = ["AgentsError", "Driver", "MindMemoryError", "Minds", "NobodyThereError", "Roster", "Routes", "full_name"]
