"""`ecumene`: one door to everything. Exit status: 0 done, 1 it failed, 2 the request was wrong."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NoReturn

from ecumene_server import crash
from ecumene_server.errors import UsageError

COMMANDS: Final = {
    "serve": "open a world to visitors",
    "generate": "make a world from a seed",
    "import": "make a world from a map, a 3D scene or a scan",
    "export": "write a world as GLB, JSON or a picture",
    "run": "run a scenario without a window",
    "replay": "make a recording happen again and compare",
    "fork": "turn a saved moment into a scenario",
    "train": "train a model",
    "evaluate": "compare a model with its baseline",
    "bench": "measure speed",
    "doctor": "say what this machine has and lacks",
    "account": "list, export or erase what is kept of visitors",
}
"""What each command does; its module is imported only when it is asked for, since some of them load torch."""
DONE, FAILED, WRONG = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; returns its exit status and never raises what went wrong."""
    try:
        options = parser(arguments[:1]).parse_args(arguments)
        return int(options.run(options))
    except UsageError as error:
        return _fail(str(error), WRONG)
    except KeyboardInterrupt:
        return _fail("interrupted", FAILED)
    except BrokenPipeError:
        return FAILED
    except Exception as error:  # noqa: BLE001 - no traceback may reach a user
        return _explain(error)


def parser(described: Iterable[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """Returns the parser of all commands, of which those named know their options."""
    wanted = set(described)
    top = _Parser(prog="ecumene", description="Generate a world, inhabit it, open it to people, train in it.")
    top.add_argument("--version", action="version", version=f"ecumene {_version()}")
    subcommands: Any = top.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=_Parser)
    for name, purpose in COMMANDS.items():
        command = subcommands.add_parser(name, help=purpose)
        if name in wanted:
            _module(name).add(command)
    return top


def _module(command: str) -> Any:
    """Imports what a command runs; `import` is a word of Python's."""
    return importlib.import_module(f"ecumene_server.commands.{'import_' if command == 'import' else command}")


def _explain(error: Exception) -> int:
    """Tells a known error as its sentence; writes an unknown one to a file."""
    known, status = _known(error)
    if known:
        return _fail(str(error), status)
    return _fail(crash.sentence(error), FAILED)


def _known(error: Exception) -> tuple[bool, int]:
    """Returns whether the error's text is fit for users, and the exit status it stands for."""
    from ecumene_scenarios import errors
    from ecumene_world.errors import UnknownKindError

    module = type(error).__module__
    unknown = (errors.UnknownScenarioError, errors.UnknownMomentError, errors.AbsentError, UnknownKindError)
    wrong = isinstance(error, (UsageError, errors.DocumentError, errors.NoTaskError, *unknown))
    return module.startswith("ecumene_") and module.endswith(".errors"), WRONG if wrong else FAILED


def _fail(sentence: str, status: int) -> int:
    print(f"ecumene: {sentence}", file=sys.stderr)
    return status


def _version() -> str:
    try:
        return version("ecumene")
    except PackageNotFoundError:
        return "from source"
