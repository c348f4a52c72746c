"""Finds the world that `ecumene serve` was asked for, and its people."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecumene_scenarios.packs.living import Living
from ecumene_server.errors import FailedError, UsageError
from ecumene_server.settings import Settings
from ecumene_world import SceneGraph, datasets, importers

DEFAULT_WORLD: Final = "town"
"""What opens when nothing is asked for: the town of the seed."""
DEFAULT_NPCS: Final = 200
GENERATED: Final = {
    "town": 200,
    "plaza": 30,
    "arena": 12,
    "apartment": 6,
    "office": 14,
    "meeting": 10,
    "classroom": 14,
    "clinic": 12,
    "museum": 14,
    "shop": 10,
    "cafe": 12,
}
"""Kinds of worlds that can be generated, and how many NPCs they get."""
MAPS: Final = ("bubenec", "helsinki")


class Inhabited(Living):
    """A given world whose NPCs live their day."""

    name = "inhabited"

    def __init__(self, build: Callable[[], SceneGraph], population: int, visitors: int = 128) -> None:
        super().__init__(population)
        self._build = build
        self._visitors = visitors

    def slots(self) -> int:
        """Returns how many avatars fit in: all NPCs and as many visitors as are allowed."""
        return self.population() + self._visitors

    def graph(self, seed: int) -> SceneGraph:
        """Returns the given world, whatever the seed."""
        del seed
        return self._build()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which world to open.

    Attributes:
        name: Under which it is kept: letters, digits and dashes.
        npcs: How many NPCs a new one gets.
        build: Makes its scene graph; takes seconds to minutes.
    """

    name: str
    npcs: int
    build: Callable[[], SceneGraph]


def find(settings: Settings, tell: Callable[[str], None]) -> Wanted:
    """Returns the world that the settings name; nothing is built yet.

    Raises:
        UsageError: There is no such kind, map or file.
    """
    name = settings.world or DEFAULT_WORLD
    if name in MAPS:
        return _wanted(settings, name, DEFAULT_NPCS, lambda: importers.read(datasets.fetch(name)))
    if name in GENERATED:
        seed = settings.seed
        return _wanted(settings, f"{name}-{seed}", GENERATED[name], lambda: _generated(name, seed, tell))
    path = Path(name)
    if not path.is_file():
        known = ", ".join([*GENERATED, *MAPS])
        raise UsageError(f"the world {name!r} is neither a file nor one of {known}")
    return _wanted(settings, _slug(path.stem), DEFAULT_NPCS, lambda: read(path))


def kept_name(settings: Settings, tell: Callable[[str], None]) -> Wanted:
    """Returns the stored world that the settings name: as `find` does, or by the name under which it is kept.

    A database that is given may hold a world of any name; it is not looked into here.

    Raises:
        UsageError: There is no such world.
    """
    name = settings.world
    if _slug(name) != name or Path(name).is_file():
        return find(settings, tell)
    kept = name not in GENERATED if settings.db else (Path(settings.folder) / f"{name}.db").is_file()
    return Wanted(name, 0, lambda: _unbuilt(name)) if kept else find(settings, tell)


def _unbuilt(name: str) -> SceneGraph:
    raise FailedError(f"the world {name!r} is known by its name only, so it can't be built anew")


def read(path: Path) -> SceneGraph:
    """Returns the world in a file: our own JSON, or anything that can be imported.

    Raises:
        WorldError: The file holds no world.
    """
    return SceneGraph.load(path) if path.suffix == ".json" else importers.read(path)


def _generated(kind: str, seed: int, tell: Callable[[str], None]) -> SceneGraph:
    from ecumene_world.generate import generate  # loads networks; a stored world does not need them

    return generate(kind, seed, progress=lambda doing, share: tell(f"{share:4.0%} {doing}"))


def _wanted(settings: Settings, name: str, npcs: int, build: Callable[[], SceneGraph]) -> Wanted:
    return Wanted(name, npcs if settings.npcs < 0 else settings.npcs, build)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "world"


def database_url(settings: Settings, name: str) -> str:
    """Returns where the world is stored, making the folder.

    Raises:
        FailedError: The folder can't be made.
    """
    if settings.db:
        return settings.db
    return f"sqlite:///{folder(settings) / name}.db"


def folder(settings: Settings) -> Path:
    """Returns the folder of stored worlds, making it.

    Raises:
        FailedError: It can't be made.
    """
    path = Path(settings.folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FailedError(f"the folder {str(path)!r} can't be made: {error.strerror}") from error
    return path
