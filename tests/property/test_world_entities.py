"""An entity id names one avatar for good, however avatars come and go."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.world.scenes import compiled, field

from ecumene_world import Event, World
from ecumene_world.command import Despawn, Spawn

LAYOUT = compiled(field())
SLOTS = 3
keys = st.sampled_from([f"npc:{index}" for index in range(5)])
worlds = st.integers(0, 1)


class Comings(RuleBasedStateMachine):
    """Avatars come and go in two worlds of three places; a dictionary says who should be there."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(field(), worlds=2, slots=SLOTS, layout=LAYOUT)
        self.here: dict[str, tuple[int, int]] = {}
        self.seen: dict[tuple[int, int], str] = {}
        self.count = 0

    @rule(key=keys, world=worlds)
    def spawn(self, key: str, world: int) -> None:
        event = self.only([*self.world.apply([Spawn(key, world=world)])])
        room = sum(there == world for there, _ in self.here.values()) < SLOTS
        assert event.name == ("spawned" if room and key not in self.here else "rejected")
        if event.name == "spawned":
            entity = event.data["entity"]
            assert isinstance(entity, int)
            assert (world, entity) not in self.seen, "an entity id came back"
            self.count += 1
            self.seen[world, entity] = key
            self.here[key] = (world, entity)

    @rule(key=keys, world=worlds)
    def despawn(self, key: str, world: int) -> None:
        event = self.only([*self.world.apply([Despawn(key, world=world)])])
        if self.here.get(key, (-1, 0))[0] == world:
            assert event.data["entity"] == self.here.pop(key)[1]
        else:
            assert event.name == "rejected"

    @invariant()
    def everybody_is_where_they_should_be(self) -> None:
        assert {key: (who.world, who.entity) for key, who in self.world.avatars.items()} == self.here
        alive = {(b, self.world.state.entity_id(b, s)) for b, s in self.world.state.alive.nonzero().tolist()}
        assert alive == set(self.here.values())

    @staticmethod
    def only(events: list[Event]) -> Event:
        assert len(events) == 1
        return events[0]


Comings.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestComings = Comings.TestCase
