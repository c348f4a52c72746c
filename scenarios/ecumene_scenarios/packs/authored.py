"""Scenarios written as YAML: a world, its people, what happens when, what is counted and when it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, get_type_hints

import torch
from torch import Tensor

from ecumene_scenarios import tally, yamlfile
from ecumene_scenarios.errors import DocumentError
from ecumene_scenarios.packs.living import Living
from ecumene_scenarios.yamlfile import known_keys, one_of, text_of
from ecumene_sim.frame import Frame
from ecumene_world import SceneGraph
from ecumene_world.command import COMMANDS, Command, from_record
from ecumene_world.errors import RequestError, WorldError
from ecumene_world.generate import check_request, generate
from ecumene_world.state import Emote, Verb
from ecumene_world.world import World

KEYS: Final = ("title", "describe", "world", "population", "minds", "lively", "ticks", "commands", "metrics", "end")
WORLD_KEYS: Final = ("generate", "file", "seed", "size_m", "tags")
END_KEYS: Final = ("after", "empty", "gathered", "above")
WHEN_KEYS: Final = ("at", "every", "until", "do", "who")
MINDS: Final = ("fusion", "scripted", "none")
MAX_PEOPLE: Final = 5_000
MAX_TICKS: Final = 20 * 60 * 60 * 24
EVERYBODY: Final = "all"
NEAR_M: Final = 3.0
"""Somebody is gathered at a place within its radius and this much more, metres."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A command that happens at set ticks.

    Attributes:
        at: First tick since the start.
        every: Ticks between repetitions; 0 for once.
        until: Last tick.
        who: Avatar keys it is repeated for; None when the command is about no avatar, ("all",) for every NPC.
        record: The command as `from_record` takes it, without the key when `who` names avatars.
    """

    at: int
    every: int
    until: int
    who: tuple[str, ...] | None
    record: Mapping[str, Any]

    def due(self, tick: int) -> bool:
        """Whether it happens before `tick`."""
        if not self.at <= tick <= self.until:
            return False
        return tick == self.at if self.every == 0 else (tick - self.at) % self.every == 0

    def commands(self, world: World) -> list[Command]:
        """The command, once for each avatar it is about."""
        if self.who is None:
            return [from_record(self.record)]
        record = _located(self.record, world)
        everybody = sorted((who.slot, who.key) for who in world.avatars.values() if who.key.startswith("npc:"))
        keys = [key for _, key in everybody] if self.who == (EVERYBODY,) else self.who
        return [from_record({**record, "key": key}) for key in keys]


@dataclass(frozen=True, slots=True)
class End:
    """When a run ends before its last tick.

    Attributes:
        after: Not before this tick, counted from the start.
        empty: When no avatar is left.
        gathered: Place name and the share of avatars that must be there.
        above: Metric name and the value it must exceed.
    """

    after: int = 0
    empty: bool = False
    gathered: tuple[str, float] | None = None
    above: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A checked YAML scenario."""

    title: str
    describe: str
    world: Mapping[str, Any]
    population: int
    minds: str
    lively: bool
    ticks: int
    cues: tuple[Cue, ...]
    metrics: tuple[str, ...]
    end: End


class Authored(Living):
    """A scenario from a YAML file."""

    def __init__(self, document: Document, folder: Path) -> None:
        super().__init__(document.population)
        self.document, self.folder = document, folder
        self.name = document.title  # type: ignore[misc]
        self.minds, self.lively, self.ticks = document.minds, document.lively, document.ticks

    def graph(self, seed: int) -> SceneGraph:
        """Generates or reads the world; a seed written in the file wins over `seed`."""
        about = self.document.world
        if "file" in about:
            return SceneGraph.load(self.folder / about["file"])
        return generate(
            about["generate"], about.get("seed", seed), tags=tuple(about.get("tags", ())), size_m=about.get("size_m")
        )

    def reset(self, world: World, which: Tensor, generator: torch.Generator) -> None:
        """Lets the NPCs in and starts the clock of the cues."""
        super().reset(world, which, generator)
        self.memory.setdefault("began", torch.zeros_like(world.state.tick))[which] = world.state.tick[which]

    def commands(self, tick: int, world: World) -> Sequence[Command]:
        """Carries out the cues that are due."""
        since = tick - int(self.memory["began"][0])
        return [command for cue in self.document.cues if cue.due(since) for command in cue.commands(world)]

    def score(self, frame: Frame, world: World) -> Frame:
        """Counts, and ends the run when the file says so."""
        scored = super().score(frame, world)
        return replace(scored, done=self._over(world))

    def metrics(self, world: World) -> Mapping[str, Tensor]:
        """The metrics that the file asks for."""
        every = super().metrics(world)
        return {name: every[name] for name in self.document.metrics}

    def describe(self) -> str:
        """The file's own sentence."""
        return self.document.describe

    def _over(self, world: World) -> Tensor:
        end, state = self.document.end, world.state
        over = torch.zeros_like(state.alive[:, 0])
        if end.empty:
            over |= ~state.alive.any(1)
        if end.gathered is not None:
            name, share = end.gathered
            place = world.place(_place(name, world))
            apart = (state.position - world.layout.place_position[place])[..., :2].norm(dim=-1)
            there = (apart < world.layout.place_radius[place] + NEAR_M) & state.alive
            over |= there.sum(1) >= share * state.alive.sum(1).clamp(min=1)
        if end.above is not None:
            name, limit = end.above
            over |= tally.metrics(self.memory, state)[name] > limit
        return over & (state.tick - self.memory["began"] > end.after)


def _located(record: Mapping[str, Any], world: World) -> Mapping[str, Any]:
    """The record with a role in the stead of a place's name turned into the name of the first such place."""
    wanted = record.get("place")
    return record if wanted is None else {**record, "place": _place(wanted, world)}


def _place(wanted: str, world: World) -> str:
    """The name of a place given by name or role; an unknown one is left as it is, and refused by the command."""
    layout = world.layout
    if wanted in layout.place_index or wanted not in layout.place_role:
        return wanted
    return layout.names[int(layout.place_row[layout.place_role.index(wanted)])]


def read(path: Path) -> Authored:
    """Reads a scenario file.

    Raises:
        DocumentError: It breaks a rule; one sentence that names the key.
    """
    data = yamlfile.read(path)
    with yamlfile.placed(path):
        return Authored(checked(data, path.name), path.parent)


def checked(data: Mapping[str, Any], name: str) -> Document:
    """Checks every key and value of a scenario file."""
    known_keys(data, KEYS, name)
    ticks = _whole(data.get("ticks", 1200), 1, MAX_TICKS, f"{name}: ticks")
    describe = text_of(data.get("describe", data.get("title", name)), f"{name}: describe")
    return Document(
        title=text_of(data.get("title", Path(name).stem), f"{name}: title"),
        describe=describe,
        world=_world(data.get("world"), f"{name}: world"),
        population=_whole(data.get("population", 30), 0, MAX_PEOPLE, f"{name}: population"),
        minds=one_of(data.get("minds", "fusion"), MINDS, f"{name}: minds"),
        lively=_truth(data.get("lively", True), f"{name}: lively"),
        ticks=ticks,
        cues=_cues(data.get("commands", []), ticks, f"{name}: commands"),
        metrics=_metrics(data.get("metrics", list(tally.METRICS)), f"{name}: metrics"),
        end=_end(data.get("end", {}), f"{name}: end"),
    )


def _world(value: object, where: str) -> Mapping[str, Any]:
    about = _mapping(value, where, "'generate: plaza' or 'file: world.json'")
    known_keys(about, WORLD_KEYS, where)
    if ("generate" in about) == ("file" in about):
        raise DocumentError(f"{where} needs exactly one of 'generate' and 'file'")
    for key in ("generate", "file"):
        if key in about:
            text_of(about[key], f"{where}: {key}")
    if "file" in about and (Path(about["file"]).is_absolute() or ".." in Path(about["file"]).parts):
        raise DocumentError(f"{where}: file is {about['file']!r}; it must lie beside or below the scenario file")
    if "seed" in about:
        _whole(about["seed"], 0, 2**31 - 1, f"{where}: seed")
    if "size_m" in about and not (_is_number(about["size_m"]) and 4 <= about["size_m"] <= 2000):
        raise DocumentError(f"{where}: size_m is {about['size_m']!r}; a number from 4 to 2000 would do")
    tags = about.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise DocumentError(f"{where}: tags is {tags!r}; a list of words would do")
    if "generate" in about:
        try:
            check_request(about["generate"], about.get("seed", 0), tags, about.get("size_m"))
        except RequestError as error:
            raise DocumentError(f"{where}: generate: {error}") from error
    return about


def _cues(value: object, ticks: int, where: str) -> tuple[Cue, ...]:
    if not isinstance(value, list):
        raise DocumentError(f"{where} is {value!r}; a list of mappings would do")
    return tuple(_cue(item, ticks, f"{where}[{index}]") for index, item in enumerate(value))


def _cue(value: object, ticks: int, where: str) -> Cue:
    item = _mapping(value, where, "'at: 100, do: gesture, who: all, emote: wave'")
    name = one_of(item.get("do"), tuple(COMMANDS), f"{where}: do")
    takes = {field.name: field for field in fields(COMMANDS[name]) if field.name != "world"}
    has_key = "key" in takes
    accepted = (*WHEN_KEYS, *(key for key in takes if key != "key"))
    known_keys(item, accepted if has_key else tuple(key for key in accepted if key != "who"), where)
    if has_key and "who" not in item:
        raise DocumentError(f"{where} lacks the key 'who': 'all', or one or more avatar keys such as npc:3")
    for field in takes.values():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and field.name not in {*item, "key"}:
            raise DocumentError(f"{where} lacks the key {field.name!r}, which {name!r} needs")
    cue = Cue(
        at=_whole(item.get("at", 0), 0, ticks, f"{where}: at"),
        every=_whole(item.get("every", 0), 0, ticks, f"{where}: every"),
        until=_whole(item.get("until", ticks), 0, ticks, f"{where}: until"),
        who=_who(item["who"], f"{where}: who") if has_key else None,
        record={
            "command": name,
            **_named(COMMANDS[name], {key: item[key] for key in item if key not in WHEN_KEYS}, where),
        },
    )
    try:
        from_record({**cue.record, "key": "npc:0"} if has_key else cue.record)
    except WorldError as error:
        raise DocumentError(f"{where}: {error}") from error
    return cue


def _named(command: type[Command], record: dict[str, Any], where: str) -> dict[str, Any]:
    """Turns the names of verbs and emotes into their numbers."""
    hints = get_type_hints(command)
    for key, names in ((key, hints[key]) for key in record if hints.get(key) in (Verb, Emote)):
        words = tuple(word.name.lower() for word in names)
        record[key] = int(names[one_of(record[key], words, f"{where}: {key}").upper()])
    return record


def _who(value: object, where: str) -> tuple[str, ...]:
    keys = value if isinstance(value, list) else [value]
    if not keys or not all(isinstance(key, str) for key in keys):
        raise DocumentError(f"{where} is {value!r}; 'all', or one or more avatar keys such as npc:3 would do")
    return tuple(str(key) for key in keys)


def _metrics(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise DocumentError(f"{where} is {value!r}; a list of metric names would do")
    return tuple(one_of(item, tuple(tally.METRICS), where) for item in value)


def _end(value: object, where: str) -> End:
    about = _mapping(value, where, "'empty: true'")
    known_keys(about, END_KEYS, where)
    return End(
        _whole(about.get("after", 0), 0, MAX_TICKS, f"{where}: after"),
        _truth(about.get("empty", False), f"{where}: empty"),
        _pair(about.get("gathered"), "place", "share", f"{where}: gathered"),
        _pair(about.get("above"), "metric", "value", f"{where}: above", tuple(tally.METRICS)),
    )


def _pair(value: object, name: str, number: str, where: str, words: tuple[str, ...] = ()) -> tuple[str, float] | None:
    if value is None:
        return None
    about = _mapping(value, where, f"'{name}: ..., {number}: 1'")
    known_keys(about, (name, number), where)
    text = one_of(about.get(name), words, f"{where}: {name}") if words else text_of(about.get(name), f"{where}: {name}")
    if not _is_number(about.get(number)):
        raise DocumentError(f"{where}: {number} is {about.get(number)!r}; a number would do")
    return text, float(about[number])


def _mapping(value: object, where: str, example: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DocumentError(f"{where} is {value!r}; a mapping such as {example} would do")
    return value


def _whole(value: object, low: int, high: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise DocumentError(f"{where} is {value!r}; a whole number from {low} to {high} would do")
    return value


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise DocumentError(f"{where} is {value!r}; true or false would do")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
