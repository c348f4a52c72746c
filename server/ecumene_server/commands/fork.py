"""`ecumene fork`: turns a saved moment into a scenario."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ecumene_server import settings
from ecumene_server.commands import output
from ecumene_server.commands.files import existing, written
from ecumene_server.errors import UsageError
from ecumene_server.settings import Settings

if TYPE_CHECKING:
    from ecumene_scenarios.fork import Fork, Reached

RECORDING = ".rec"


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = (
        "Brings a served world or a recording back to a tick and writes that moment, without its visitors, as a "
        "scenario to run and to train in. A server may be running on the world meanwhile."
    )
    parser.add_argument(
        "world",
        metavar="WORLD",
        help="a world as `ecumene serve` is told it, the name under which it is kept (plaza-3), or a FILE.rec",
    )
    parser.add_argument("--at", type=int, metavar="TICK", help="ticks that the world had lived; the last one stored")
    parser.add_argument("--seed", type=int, metavar="S", help="of a generated world, as `ecumene serve` was told (0)")
    parser.add_argument("--db", default="", metavar="URL", help="where it is kept")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.yaml", help="what to write (NAME-TICK.yaml)")
    parser.add_argument("--living", action="store_true", help="NPCs go on with their day and are not rewarded")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the fork and says what it holds."""
    if options.output is not None and options.output.suffix not in {".yaml", ".yml"}:
        raise UsageError(f"a fork is a YAML file; {str(options.output)!r} does not end in .yaml")
    from ecumene_scenarios import fork

    reached = _reached(options)
    path = options.output or Path(f"{reached.name}-{int(reached.world.state.tick[0])}.yaml")
    made: list[Fork] = []
    written(path, lambda file: made.append(fork.write(reached, file, living=options.living)))
    if options.json:
        output.as_json(made[0].to_json())
    else:
        _tell(made[0], living=options.living)
    return 0


def _reached(options: argparse.Namespace) -> Reached:
    from ecumene_scenarios import fork

    if Path(options.world).suffix == RECORDING:
        return fork.at_tick(existing(Path(options.world)), options.at)
    given = {"world": options.world, "db": options.db}
    chosen = settings.load(given if options.seed is None else {**given, "seed": options.seed})
    return asyncio.run(_stored(chosen, options.at))


async def _stored(chosen: Settings, tick: int | None) -> Reached:
    from ecumene_scenarios.fork import Reached
    from ecumene_server import recovery
    from ecumene_server.kept import Kept
    from ecumene_server.openworld import Inhabited, database_url, folder, kept_name
    from ecumene_server.store import open_to_read

    wanted = kept_name(chosen, _warn)
    async with open_to_read(database_url(chosen, wanted.name), wanted.name) as store:
        layout = Kept(folder(chosen), wanted.name).layout()
        found = await recovery.at_tick(
            store, lambda: Inhabited(wanted.build, wanted.npcs), tick, _warn, name=wanted.name, layout=layout
        )
    return Reached(wanted.name, found.session.world, found.snapshot_tick, found.replayed)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)


def _tell(made: Fork, *, living: bool) -> None:
    print(
        f"{made.scenario} is {made.world} at tick {made.tick}: {made.npcs} NPCs, {made.heading} of them on the way to "
        f"a place; {made.visitors} visitors were left out"
    )
    if made.memories_tick is not None and made.memories_tick != made.tick:
        print(f"What the NPCs remember is as of tick {made.memories_tick}; all else is exact")
    doing = "run" if living else "train minds --tasks"
    print(f"{'Run' if living else 'Train in'} it with: ecumene {doing} {made.scenario}")
