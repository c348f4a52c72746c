"""What the documentation calls is there: each command and option that it names exists, and it names each command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ecumene_server.cli import COMMANDS, parser

ROOT = Path(__file__).parents[3]
GUIDES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md")))
PAGES = sorted(
    {*GUIDES, *(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md", *ROOT.glob("models/*/cards/*.md")},
)
FENCED = re.compile(r"^```.*?\n(.*?)^```$", re.M | re.S)
SPAN = re.compile(r"`([^`]+)`")
CALL = re.compile(r"\becumene ([a-z]+)\b([^`\n|&;]*)")
SCRIPT = re.compile(r"\b(benchmarks/\w+\.py)([^`\n|&;]*)")
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")
FIRST = re.compile(r" ([a-z]\w*)")
"""After one blank: further away a listing says what a command is for."""
BARE = re.compile(r"(--[a-z][a-z-]*)")
FREE = {"bench"}
"""Commands that pass options on to a script of theirs."""


def code(page: Path) -> Iterator[str]:
    """Yields what a page sets in type: blocks with lines that are continued joined, then spans."""
    text = page.read_text()
    yield from (block.replace("\\\n", " ") for block in FENCED.findall(text))
    yield from (span.replace("\n", " ") for span in SPAN.findall(FENCED.sub("", text)))


@cache
def described(command: str) -> argparse.ArgumentParser:
    top = next(each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    found: argparse.ArgumentParser = top.choices[command]
    return found


@cache
def options(command: str) -> frozenset[str]:
    """All options of a command, those of its verbs among them."""
    return frozenset(strings(described(command)))


def words(command: str) -> frozenset[str] | None:
    """What the first word after a command may be; None for anything."""
    first = next((each for each in described(command)._actions if not each.option_strings), None)
    return None if first is None or first.choices is None else frozenset(first.choices)


def strings(arguments: argparse.ArgumentParser) -> Iterator[str]:
    for action in arguments._actions:
        yield from action.option_strings
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from strings(verb)


def wrong(text: str) -> Iterator[str]:
    """Yields what a piece of code calls that is not there."""
    for name, rest in CALL.findall(text):
        if name not in COMMANDS:
            yield f"there is no command `ecumene {name}`"
            continue
        known, word = words(name), FIRST.match(rest)
        if known is not None and word and word[1] not in known:
            yield f"`ecumene {name}` knows no {word[1]}"
        if name not in FREE:
            yield from (f"`ecumene {name}` has no {each}" for each in OPTION.findall(rest) if each not in options(name))
    for name, rest in SCRIPT.findall(text):
        if not (ROOT / name).is_file():
            yield f"there is no {name}"
        else:
            known = (ROOT / name).read_text()
            yield from (f"{name} has no {each}" for each in OPTION.findall(rest) if f'"{each}"' not in known)
    bare = BARE.match(text)
    if bare and not any(bare[1] in options(name) for name in COMMANDS):
        scripts = (path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
        if not any(f'"{bare[1]}"' in script for script in scripts):
            yield f"nothing has the option {bare[1]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_and_options_that_a_page_names_exist(page: Path) -> None:
    assert [each for text in code(page) for each in wrong(text)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_a_guide(command: str) -> None:
    assert any(name == command for page in GUIDES for text in code(page) for name, _ in CALL.findall(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("$ ecumene serve town --npcs 3 -o x", ["`ecumene serve` has no -o"]),
        ("ecumene serf --npcs 3", ["there is no command `ecumene serf`"]),
        ("ecumene account list --db URL --jason", ["`ecumene account` has no --jason"]),
        ("python benchmarks/minds.py --seeds 3 --sedes", ["benchmarks/minds.py has no --sedes"]),
        ("python benchmarks/gone.py", ["there is no benchmarks/gone.py"]),
        ("--npc 3", ["nothing has the option --npc"]),
        ("ecumene train minds --seed 0 --out a && ecumene run plaza --tics 3", ["`ecumene run` has no --tics"]),
        ("ecumene train mind --seed 0", ["`ecumene train` knows no mind"]),
        ("ecumene account lists", ["`ecumene account` knows no lists"]),
        ("ecumene run b.yaml --seed -3", []),
    ],
)
def test_what_is_wrong_is_found(text: str, told: list[str]) -> None:
    assert list(wrong(text)) == told
