"""Fills the reference pages from the code when the site is built, so that they can't go stale."""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
from typing import Any

import msgspec

PUBLIC = {
    "ecumene_world": ("SceneGraph", "compile_layout", "Layout", "World"),
    "ecumene_sim": ("Engine",),
    "ecumene_sim.frame": ("Actions", "Senses", "Frame"),
    "ecumene_agents": ("Minds",),
    "ecumene_scenarios": ("load_scenario", "parallel_env", "batched_env"),
    "ecumene_scenarios.session": ("Session",),
    "ecumene_scenarios.scenario": ("Scenario",),
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replaces `{{ cli }}`, `{{ wire }}` and `{{ python }}`."""
    made = {"cli": cli, "wire": wire, "python": python}
    return re.sub(r"\{\{ (cli|wire|python) \}\}", lambda found: made[found[1]](), markdown)


def cli() -> str:
    """Returns the help of every command as Markdown."""
    from ecumene_server.cli import parser

    top = parser()
    commands = next(a for a in top._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001
    parts = [f"```text\n{top.format_help()}```\n"]
    parts += [f"## ecumene {name}\n\n```text\n{sub.format_help()}```\n" for name, sub in commands.choices.items()]
    return "\n".join(parts)


def wire() -> str:
    """Returns every message type with its fields as Markdown."""
    from ecumene_server import wire as module

    parts = []
    for name, cls in vars(module).items():
        if not (inspect.isclass(cls) and issubclass(cls, msgspec.Struct)) or name.startswith("_"):
            continue
        tag = cls.__struct_config__.tag
        heading = f"### `{tag}`" if tag else f"### {name}"
        lines = "\n".join(f"{field.name}: {module_type(cls, field.name)}" for field in msgspec.structs.fields(cls))
        parts.append(f"{heading}\n\n{plain(cls)}\n\n```text\n{lines or '(no fields)'}\n```\n")
    return "\n".join(parts)


def python() -> str:
    """Returns signature and docstring of each public name as Markdown."""
    parts = []
    for module_name, names in PUBLIC.items():
        module = importlib.import_module(module_name)
        for name in names:
            thing = getattr(module, name)
            parts.append(f"### `{module_name}.{name}`\n\n```python\n{name}{signature(thing)}\n```\n\n{plain(thing)}\n")
    return "\n".join(parts)


def signature(thing: Any) -> str:
    """Returns the call signature without quotes around annotations."""
    return str(inspect.signature(thing)).replace("'", "")


def module_type(cls: type, field: str) -> str:
    """Returns a field's annotation as it is written."""
    return str(cls.__annotations__.get(field, "")).replace("typing.", "")


def plain(thing: Any) -> str:
    """Returns a docstring with its sections as bold words and its entries as a list."""
    text = inspect.getdoc(thing) or ""
    text = re.sub(r"^(Args|Attributes|Returns|Raises|Source|Yields):$", r"**\1**\n", text, flags=re.M)
    return re.sub(r"^    (\w+): ", r"- `\1`: ", text, flags=re.M)
