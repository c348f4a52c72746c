"""`ecumene run`: runs a scenario without a window."""

from __future__ import annotations

import argparse
from pathlib import Path

from ecumene_server.commands import asked, output
from ecumene_server.errors import FailedError


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Runs a scenario as fast as it goes and prints its metrics."
    parser.add_argument("scenario", metavar="SCENARIO", help="a name, such as plaza, or a YAML file")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the world and every chance draw (0)")
    parser.add_argument("--ticks", type=int, metavar="N", help="how long at most, twentieths of a second")
    parser.add_argument(
        "--minds", choices=("fusion", "scripted", "none"), help="who decides; the scenario's own choice"
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the minds; the shipped ones")
    parser.add_argument("--record", type=Path, metavar="FILE.rec", help="write a recording")
    parser.add_argument("--keep-chat", action="store_true", help="keep what people say in the recording")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Runs the scenario to its end."""
    from ecumene_scenarios import run as headless
    from ecumene_scenarios.record import Recorder

    try:
        recorder = Recorder(options.record, keep_chat=options.keep_chat) if options.record else None
        with output.bar(str(options.scenario), "ticks") as report:
            outcome = headless.run(
                options.scenario,
                seed=options.seed,
                ticks=options.ticks,
                minds=options.minds,
                weights=options.weights,
                recorder=recorder,
                device=asked.device(options.device),
                progress=report,
            )
    except OSError as error:
        raise FailedError(f"the recording {str(options.record)!r} can't be written: {error.strerror}") from error
    if options.json:
        output.as_json(outcome.to_json())
    else:
        print(f"{outcome.scenario}, seed {outcome.seed}: {outcome.ticks} ticks, ended by the {outcome.ended}")
        output.table(("metric", "value"), outcome.table())
    return 0
