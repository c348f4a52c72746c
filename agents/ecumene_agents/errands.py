"""Errands: how an NPC goes about its day, from what it needs and plans to a spot or a seat of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import hypot
from typing import Final

from ecumene_agents.aims import aim_for, pressing
from ecumene_agents.chance import number
from ecumene_agents.memory import Episode
from ecumene_agents.mind import Aim, Mind, Stage
from ecumene_agents.scene import Claims, Scene
from ecumene_agents.schedule import Activity, Clock, current, plan
from ecumene_agents.spots import Point, Spots
from ecumene_agents.yielding import aside
from ecumene_world.avatar import Avatar
from ecumene_world.command import Command, Interact, SetIntent
from ecumene_world.state import TICK_HZ, Posture, Verb
from ecumene_world.world import World

SETTLE_M: Final = 6.0
"""So near a place an NPC looks for its very spot."""
THERE_M: Final = 0.9
AWAY_M: Final = 4.0
"""Who has come so far from where it last made progress has got on, if by a detour."""
STUCK_TICKS: Final = 20 * TICK_HZ
"""Who gets on no further for so long gives up, and does something else first."""
YIELD_TICKS: Final = 4 * TICK_HZ
"""Who gets on no further for so long, or up to twice as long by chance, lets others pass."""
ASIDE_TICKS: Final = 5 * TICK_HZ
"""How long one lets others pass."""


class Errands:
    """What the NPCs of all worlds are about when nobody talks to them or asks for anything.

    Args:
        world: The worlds.
        spots: Returns those of the layout in use.
        aims: Returns what all NPCs of a world are about, by its index.
    """

    def __init__(self, world: World, spots: Callable[[], Spots], aims: Callable[[int], Iterable[Aim]]) -> None:
        self._world = world
        self._spots = spots
        self._aims = aims
        self._claimed: tuple[Scene, Claims] | None = None

    def pursue(self, mind: Mind, who: Avatar, scene: Scene, clock: Clock, tick: int) -> Iterator[Command]:
        """Follows needs and the plan of the day: returns the intents that carry them forward."""
        wanted, urgent = self._wanted(mind, scene.needs[who.slot].tolist(), clock, tick)
        aim = mind.aim
        if aim is None or self._over(mind, aim, wanted, tick):
            if aim is not None and aim.stage is not Stage.DWELL and self._stuck(mind, tick):
                aim = self._begin_another(mind, "I could not get through to where I wanted to be", tick)
            else:
                aim = aim_for(wanted, mind, self._world.layout, self._world.seed, tick, urgent=urgent)
                self._begin(mind, aim, tick)
        yield from self._carry_on(mind, who, aim, scene, tick)

    def _begin(self, mind: Mind, aim: Aim, tick: int) -> None:
        """Lets an NPC be about something new."""
        aim.since = tick
        mind.aim, mind.best_m, mind.progress = aim, 1e9, tick

    def _begin_another(self, mind: Mind, reason: str, tick: int) -> Aim:
        """Lets who can't have what it wants now do something else first; returns what."""
        aim = aim_for(Activity.STROLL, mind, self._world.layout, self._world.seed, tick, urgent=False)
        aim.reason = reason
        self._begin(mind, aim, tick)
        return aim

    def _wanted(self, mind: Mind, needs: Sequence[float], clock: Clock, tick: int) -> tuple[Activity, bool]:
        """Returns the activity that is called for now, and whether a need calls for it."""
        day = clock.day(tick)
        if mind.day != day:
            mind.plan, mind.day = plan(mind.persona, self._world.seed, day), day
        need = pressing(needs, mind.aim.activity if mind.aim else None)
        return (need, True) if need else (current(mind.plan, clock.hour(tick)).activity, False)

    def _over(self, mind: Mind, aim: Aim, wanted: Activity, tick: int) -> bool:
        """Tells whether an NPC should choose anew: it has stayed long enough, gave up, or is wanted elsewhere."""
        if aim.stage is Stage.DWELL:
            return tick - aim.since > aim.stay_ticks
        if self._stuck(mind, tick):
            return True
        return wanted is not aim.activity and aim.stage is Stage.TRAVEL and tick - aim.since > STUCK_TICKS

    @staticmethod
    def _stuck(mind: Mind, tick: int) -> bool:
        return tick - mind.progress > STUCK_TICKS

    def _carry_on(self, mind: Mind, who: Avatar, aim: Aim, scene: Scene, tick: int) -> Iterator[Command]:
        """Sends the intents that carry an aim forward."""
        spots = self._spots()
        if aim.place < 0 or aim.place >= len(spots.place_name):
            yield from intend(mind, who, Verb.WAIT)
            return
        if mind.aside is not None and tick < mind.until:
            yield from intend(mind, who, Verb.GO, point=mind.aside)
            return
        goal = aim.point or spots.place_point[aim.place]
        x, y, _ = scene.position(who.slot)
        gap = hypot(goal[0] - x, goal[1] - y)
        if gap < mind.best_m - 0.5 or hypot(mind.anchor[0] - x, mind.anchor[1] - y) > AWAY_M:
            mind.best_m, mind.anchor, mind.progress = min(gap, mind.best_m), (x, y), tick
        elif self._lets_pass(mind, who, aim, goal, scene, tick):
            return
        if aim.stage is Stage.TRAVEL:
            if gap > SETTLE_M or int(scene.level[who.slot]) != spots.place_level[aim.place]:
                yield from intend(mind, who, Verb.GO, place=spots.place_name[aim.place])
                return
            if not self._settle(mind, who, aim, scene, tick):
                self._begin_another(mind, "there was no room for me where I wanted to be", tick)
                return
        yield from self._arrive(mind, who, aim, scene, tick)

    def _lets_pass(self, mind: Mind, who: Avatar, aim: Aim, goal: Point, scene: Scene, tick: int) -> bool:
        """Lets who has got no further for some seconds step aside, now one, now another; tells whether it does."""
        since = max(mind.progress, mind.until)
        if tick - since <= YIELD_TICKS or aim.stage is Stage.DWELL:
            return False
        waits = tick - since > YIELD_TICKS * (1 + number(self._world.seed, who.key, since, "patience"))
        if not waits or int(scene.posture[who.slot]) != Posture.STAND or scene.gap(who.slot, goal) < THERE_M:
            return False
        others = scene.others(who.slot)
        mind.aside = aside(self._world.layout, scene.position(who.slot), int(scene.level[who.slot]), goal, others)
        mind.until = tick + ASIDE_TICKS
        return mind.aside is not None

    def _settle(self, mind: Mind, who: Avatar, aim: Aim, scene: Scene, tick: int) -> bool:
        """Chooses the very spot or seat at a place; tells whether there was one."""
        claims = self._claims(scene)
        if aim.verb is Verb.SIT:
            reach = self._spots().place_radius[aim.place] + 6.0
            aim.seat = claims.seat(scene.position(who.slot), aim.place, reach)
            if aim.seat < 0:
                aim.verb = Verb.GO
        if aim.seat >= 0:
            aim.point = self._spots().seat_approach[aim.seat]
        else:
            aim.point = claims.spot(aim.place, self._world.seed, who.key, tick // TICK_HZ)
        aim.enter(Stage.SETTLE, tick)
        mind.best_m, mind.progress = 1e9, tick
        return aim.point is not None

    def _claims(self, scene: Scene) -> Claims:
        """Returns what is taken in a scene, looked up once for all who think in it."""
        if self._claimed is None or self._claimed[0] is not scene:
            self._claimed = scene, Claims(scene, self._spots(), self._aims(scene.index))
        return self._claimed[1]

    def _arrive(self, mind: Mind, who: Avatar, aim: Aim, scene: Scene, tick: int) -> Iterator[Command]:
        """Walks to the spot, sits down if that is the aim, and notes the visit."""
        assert aim.point is not None, "a settled aim has its spot"
        seated = int(scene.posture[who.slot]) != Posture.STAND
        close = scene.gap(who.slot, aim.point) < THERE_M
        if aim.stage is Stage.DWELL and aim.seat >= 0 and not seated:
            aim.enter(Stage.SETTLE, tick)
            mind.best_m, mind.progress = 1e9, tick
        if aim.stage is Stage.SETTLE and not seated and aim.seat >= 0:
            if tick - aim.since >= STUCK_TICKS:
                self._begin_another(mind, "I could not sit down where I wanted to", tick)
                return
            if aim.seat in scene.seat:
                aim.point, aim.seat = None, -1
                aim.enter(Stage.TRAVEL, tick)
                return
            if close:
                thing = self._world.layout.thing_name(self._spots().seat_things[aim.seat])
                yield Interact(who.key, thing, world=who.world)
        elif aim.stage is Stage.SETTLE and (seated or close):
            aim.seat = int(scene.seat[who.slot])
            aim.enter(Stage.DWELL, tick)
            self._note_arrival(mind, aim, tick)
        yield from intend(mind, who, aim.verb, point=aim.point)

    def _note_arrival(self, mind: Mind, aim: Aim, tick: int) -> None:
        title = self._spots().place_name[aim.place]
        mind.memory.visit(title, tick)
        mind.memory.note(Episode(tick, "arrived", where=title))


def intend(
    mind: Mind,
    who: Avatar,
    verb: Verb,
    *,
    place: str | None = None,
    target: str | None = None,
    point: Point | None = None,
) -> list[Command]:
    """Returns the command for an intent, nothing if it is the one last sent."""
    intent = (verb, place, target, point)
    if mind.sent == intent:
        return []
    mind.sent = intent
    return [SetIntent(who.key, verb, place, target, point, world=who.world)]
