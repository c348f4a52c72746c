"""`ecumene account`: lists, exports and erases what a server keeps of its visitors."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any, Final

from ecumene_server import settings
from ecumene_server.commands import output
from ecumene_server.forgetting import forget
from ecumene_server.openworld import Inhabited, Wanted, database_url, find
from ecumene_server.store import Store, open_store
from ecumene_world.command import Role

VERBS: Final = {
    "list": "every account",
    "grant": "change what an account may do",
    "export": "everything that is kept of one account",
    "erase": "forget one account: its name, what it said, its avatar and what NPCs remember of it",
}
ROLES: Final = {role.name.lower(): role for role in (Role.VISITOR, Role.BUILDER, Role.ADMIN)}


def add(parser: argparse.ArgumentParser) -> None:
    """Describes the command."""
    parser.description = "Lists, exports or erases what a server keeps of its visitors; stop the server first."
    verbs: Any = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    for name, about in VERBS.items():
        verb: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=about.capitalize() + ".")
        if name != "list":
            verb.add_argument("name", metavar="NAME", help="name or id of the account")
        if name == "grant":
            verb.add_argument("role", choices=ROLES, metavar="ROLE", help="visitor, builder or admin")
        verb.add_argument("--world", default="", metavar="WORLD", help="which world; the default town")
        verb.add_argument("--db", default="", metavar="URL", help="where it is kept")
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(run=run, verb=name)


def run(options: argparse.Namespace) -> int:
    """Does it and prints what came of it."""
    chosen = settings.load({"world": options.world, "db": options.db})
    wanted = find(chosen, _tell)
    return asyncio.run(_done(options, database_url(chosen, wanted.name), wanted))


async def _done(options: argparse.Namespace, url: str, wanted: Wanted) -> int:
    async with open_store(url, wanted.name) as store:
        match options.verb:
            case "list":
                _show(await store.accounts(), options.json)
            case "grant":
                await _grant(store, options)
            case "export":
                output.as_json(await kept_of(store, options.name))
            case "erase":
                await _erase(store, wanted, options)
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


async def kept_of(store: Store, name: str) -> dict[str, Any]:
    """Returns everything that is kept of an account."""
    account = await store.account_named(name)
    return {**account, "chat": await store.chat_of(account["id"])}


async def _grant(store: Store, options: argparse.Namespace) -> None:
    account = await store.account_named(options.name)
    await store.set_role(account["id"], ROLES[options.role])
    if options.json:
        output.as_json({"id": account["id"], "role": options.role})
    else:
        print(f"{account['name']} is a {options.role} from the next visit on")


async def _erase(store: Store, wanted: Wanted, options: argparse.Namespace) -> None:
    account = await store.account_named(options.name)
    lines = await forget(store, account["id"], lambda: Inhabited(wanted.build, wanted.npcs), _tell)
    if options.json:
        output.as_json({"erased": account["id"], "lines": lines})
    else:
        print(f"{account['name']} is forgotten, with {lines} lines of chat")


def _show(accounts: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.as_json(accounts)
        return
    output.table(("name", "id", "role"), [(a["name"], a["id"], str(a["role"])) for a in accounts])
