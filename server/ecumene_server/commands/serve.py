"""`ecumene serve`: opens a world to visitors."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecumene_server import crash, settings
from ecumene_server.errors import FailedError
from ecumene_server.settings import Settings

if TYPE_CHECKING:
    from ecumene_server.app import App


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Opens a world: visitors walk in with a browser. Without WORLD, a town is made from the seed."
    add_options(parser)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options, each of which also is a setting of the same name."""
    unset = argparse.SUPPRESS
    parser.add_argument(
        "world",
        nargs="?",
        default=unset,
        metavar="WORLD",
        help="a world file, a map or scan to import, or town, plaza, apartment, arena, bubenec, helsinki",
    )
    parser.add_argument("--host", default=unset, help="address to listen on (127.0.0.1; 0.0.0.0 for the network)")
    parser.add_argument("--port", type=int, default=unset, help="port to listen on (8080; 0 for any free one)")
    parser.add_argument(
        "--npcs", type=int, default=unset, metavar="N", help="how many NPCs live there (200 in a new town)"
    )
    parser.add_argument("--visitors", type=int, default=unset, metavar="N", help="most visitors at a time (128)")
    parser.add_argument("--seed", type=int, default=unset, metavar="S", help="of generated worlds and their people (0)")
    parser.add_argument(
        "--db",
        default=unset,
        metavar="URL",
        help="where it is kept: sqlite:///FILE (worlds/NAME.db) or postgresql://USER@HOST/NAME",
    )
    parser.add_argument(
        "--weights", default=unset, metavar="DIR", help="trained weights, or their folder (the shipped ones)"
    )
    parser.add_argument(
        "--adapters",
        default=unset,
        metavar="DIR",
        help="adapters: ROLE.safetensors, worn by role, and while-VERB.safetensors, by intent; read anew on SIGHUP",
    )
    parser.add_argument("--device", default=unset, help="where minds and bodies are computed: cpu or cuda (cpu)")
    parser.add_argument(
        "--minds",
        choices=settings.MINDS,
        default=unset,
        help="who decides for NPCs: trained minds, the scripted baseline, or nobody (fusion)",
    )
    parser.add_argument(
        "--mqtt",
        default=unset,
        metavar="URL",
        help="broker of sensors, mqtt://USER:PASSWORD@HOST:PORT/PREFIX; mqtts:// for TLS",
    )
    parser.add_argument("--mqtt-ca", default=unset, metavar="FILE", help="certificates to check that broker against")
    parser.add_argument(
        "--keep-chat", action="store_true", default=unset, help="store what visitors say; otherwise it is not kept"
    )
    parser.add_argument(
        "--record",
        default=unset,
        metavar="FILE.rec",
        help="record every tick, for `ecumene replay`; no chat without --keep-chat",
    )
    parser.add_argument(
        "--open-as", choices=settings.ROLES, default=unset, help="what everybody may do: builders may edit (visitor)"
    )
    parser.add_argument(
        "--no-browser", action="store_false", dest="browser", default=unset, help="do not open the page in a browser"
    )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the same settings as TOML (ecumene.toml, where there is one)"
    )


def run(options: argparse.Namespace) -> int:
    """Serves until it is told to stop."""
    given = {k: v for k, v in vars(options).items() if k in settings.names()}
    chosen = settings.load(given, config=options.config)
    logging.basicConfig(level=logging.WARNING, format="ecumene: %(message)s", stream=sys.stderr)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(chosen))
    return 0


async def _serve(chosen: Settings) -> None:
    from ecumene_server.app import running

    async with running(chosen, lambda line: print(line, flush=True)) as app:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(crash.handler)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, app.stopped.set)
        dressing: set[asyncio.Task[None]] = set()
        if chosen.adapters:
            loop.add_signal_handler(signal.SIGHUP, lambda: dressing.add(loop.create_task(_dress(app))))
        print(f"Ecumene is open at {app.url}", flush=True)
        if chosen.browser and sys.stdout.isatty():
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(app.url)
        await app.stopped.wait()
        if app.failure is not None:
            raise app.failure
        print("Closing.", flush=True)
    print("The world is saved.", flush=True)


async def _dress(app: App) -> None:
    """Lets NPCs wear the adapters that are in the folder now; those that can't be worn change nothing."""
    from ecumene_models import WeightsError
    from ecumene_server.minding import adapters_in

    if app.thinker is None:
        return
    try:
        files = adapters_in(app.settings)
        await asyncio.to_thread(app.thinker.wear, files)
    except (FailedError, WeightsError) as error:
        print(f"The adapters stay as they are: {error}.", flush=True)
    else:
        print(f"NPCs wear {', '.join(sorted(files)) or 'no adapters'} now.", flush=True)


def _loop_factory() -> Any:
    """Returns uvloop's loop where it is installed: receiving is twice as fast on it."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
