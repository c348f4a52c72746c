"""`ecumene replay`: makes a recording happen again and compares."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ecumene_server.commands import output
from ecumene_server.commands.files import existing
from ecumene_server.errors import UsageError

UNENDED: Final = "; whoever recorded them was stopped before the end"


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Steps a recording again, tick by tick, and compares it bit by bit with what was recorded."
    parser.add_argument("file", type=Path, metavar="FILE.rec")
    parser.add_argument("--verify", action="store_true", help="compare (always done; says so in scripts)")
    parser.add_argument("--redecide", action="store_true", help="let the minds decide again, too, and compare")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights of the minds that decide again")
    parser.add_argument("--explain", metavar="KEY", help="instead, say why an NPC decided as it did, such as npc:3")
    parser.add_argument("--at", type=int, metavar="TICK", help="when, with --explain: ticks lived; the last")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Replays the whole recording; a difference is an error that names the tick."""
    from ecumene_scenarios.replay import verify

    if options.explain is not None:
        return _explain(options)
    if options.at is not None:
        raise UsageError("--at says when --explain explains; it needs --explain KEY")
    with output.bar(options.file.name, "ticks") as report:
        found = verify(existing(options.file), minds=_minds(options) if options.redecide else None, progress=report)
    if options.json:
        output.as_json({"verified": True, **found.to_json()})
        return 0
    ending = "" if found.complete else UNENDED
    print(f"{options.file}: {found.ticks} ticks of {found.scenario} are the same, bit for bit{ending}")
    if options.redecide:
        print(f"{found.differing} of {found.redecided} decisions differ when the minds decide again")
    return 0


def _explain(options: argparse.Namespace) -> int:
    from ecumene_scenarios.replay import explained

    found = explained(existing(options.file), options.explain, options.at, _minds(options))
    if options.json:
        output.as_json(found.to_json())
        return 0
    told = found.explanation
    why = f", because: {told.cause}" if told.cause else ""
    value = "" if told.value is None else f"; it expects {told.value:+.2f} of it"
    print(f"{found.title} ({found.key}) at tick {found.tick} is {told.intent or 'about nothing'}{why}{value}")
    print(f"It would move {told.move[0]:+.2f} ahead, {told.move[1]:+.2f} left and turn {told.turn:+.2f}")
    rows = [
        (
            sense,
            f"{effect.divergence:.4f}",
            f"{effect.speed:.3f}",
            f"{effect.turn:+.3f}",
            f"{told.attention[sense]:.2f}",
        )
        for sense, effect in told.effects.items()
    ]
    output.table(("without", "change, nats", "of speed", "of turn", "attention"), rows)
    if told.top_neighbour >= 0:
        effect = told.neighbour_effects[told.top_neighbour]
        print(f"The neighbour that counts most is number {told.top_neighbour}, {effect.divergence:.4f} nats")
    return 0


def _minds(options: argparse.Namespace) -> Callable[[Any], Any]:
    from ecumene_agents import Minds
    from ecumene_scenarios.cast import WEIGHTS

    return lambda world: Minds(world, weights=options.weights or WEIGHTS)
