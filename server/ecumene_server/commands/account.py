"""`ecumene account`: lists, exports and erases what a server keeps of its visitors."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any, Final

from ecumene_server import settings
from ecumene_server.commands import output
from ecumene_server.openworld import database_url, find
from ecumene_server.store import Store, open_store

VERBS: Final = {
    "list": "every account",
    "export": "everything that is kept of one account",
    "erase": "forget one account and all that it said",
}


def add(subcommands: Any) -> None:
    """Describes the command."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "account",
        help="list, export or erase what is kept of visitors",
        description="Lists, exports or erases what a server keeps of its visitors; stop the server first.",
    )
    verbs: Any = parser.add_subparsers(title="what to do", metavar="WHAT", required=True)
    for name, about in VERBS.items():
        verb: argparse.ArgumentParser = verbs.add_parser(name, help=about, description=about.capitalize() + ".")
        if name != "list":
            verb.add_argument("name", metavar="NAME", help="name or id of the account")
        verb.add_argument("--world", default="", metavar="WORLD", help="which world; the default town")
        verb.add_argument("--db", default="", metavar="URL", help="where it is kept")
        verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(run=run, verb=name)


def run(options: argparse.Namespace) -> int:
    """Does it and prints what came of it."""
    chosen = settings.load({"world": options.world, "db": options.db})
    world = find(chosen, lambda _: None).name
    return asyncio.run(_done(options, database_url(chosen, world), world))


async def _done(options: argparse.Namespace, url: str, world: str) -> int:
    async with open_store(url, world) as store:
        if options.verb == "list":
            _show(await store.accounts(), options.json)
        elif options.verb == "export":
            output.as_json(await kept_of(store, options.name))
        else:
            await _erase(store, options)
    return 0


async def kept_of(store: Store, name: str) -> dict[str, Any]:
    """Returns everything that is kept of an account."""
    account = await store.account_named(name)
    return {**account, "chat": await store.chat_of(account["id"])}


async def _erase(store: Store, options: argparse.Namespace) -> None:
    account = await store.account_named(options.name)
    lines = await store.erase(account["id"])
    if options.json:
        output.as_json({"erased": account["id"], "lines": lines})
    else:
        print(f"{account['name']} is forgotten, with {lines} lines of chat")


def _show(accounts: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        output.as_json(accounts)
        return
    output.table(("name", "id", "role"), [(a["name"], a["id"], str(a["role"])) for a in accounts])
