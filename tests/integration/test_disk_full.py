"""A full disk: durable requests are refused with a sentence, nothing is acknowledged in vain, and space heals it."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from tests.integration.servers import Program, fetch, program
from tests.integration.visitors import Visitor
from tests.lacking import lacking

from ecumene_server import wire

Switch: TypeAlias = Callable[[Program], None]
Disk: TypeAlias = Callable[[Path], AbstractContextManager[tuple[Switch, Switch]]]


@contextmanager
def quota(folder: Path) -> Iterator[tuple[Switch, Switch]]:
    """The server may write no file beyond its first page: writes fail with EFBIG."""

    def limit(server: Program, size: int) -> None:
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    yield lambda server: limit(server, 4096), lambda server: limit(server, resource.RLIM_INFINITY)


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Switch, Switch]]:
    """The worlds are on a disk of their own that something else fills up: writes fail with ENOSPC."""
    worlds = folder / "worlds"
    worlds.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", worlds], capture_output=True, check=False)
    if done.returncode:
        lacking("a disk of its own can't be mounted here")
    ballast = worlds / "ballast"

    def fill(_: Program) -> None:
        """Writes until there is no room: the server writes meanwhile, so how much is left can't be known."""
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass

    try:
        yield fill, lambda _: ballast.unlink()
    finally:
        subprocess.run(["umount", "-l", worlds], check=True)


async def ring(zoe: Visitor, state: int) -> wire.Done:
    return await zoe.ask(lambda i: wire.Edit(i, {"command": "thing", "thing": "bell-0", "state": state}), 20)


async def refused(zoe: Visitor, state: int) -> tuple[int, str]:
    """Rings until it is refused; returns the last state that was acknowledged and the reason for the next."""
    while (done := await ring(zoe, state + 1)).ok:
        state += 1
        assert state < 200, "the disk is not full"
    return state, done.error or ""


async def health(server: Program) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await asyncio.to_thread(fetch, f"{server.url}/healthz"))[2])
    return found


async def heard_again(zoe: Visitor, state: int) -> None:
    async with asyncio.timeout(30):
        while not (await ring(zoe, state)).ok:
            await asyncio.sleep(0.3)


async def state_after_a_restart(folder: Path) -> int:
    with program(folder) as server:
        async with Visitor(server.url) as max_:
            return next(thing.state for thing in (await max_.join()).things if thing.name == "bell-0")


@pytest.mark.parametrize("disk", [quota, small_disk])
async def test_a_full_disk_refuses_and_heals(tmp_path: Path, disk: Disk) -> None:
    with disk(tmp_path) as (fill, free):
        with program(tmp_path, "--open-as", "builder") as server:
            async with Visitor(server.url, "Zoe") as zoe:
                await zoe.join()
                assert (await ring(zoe, 1)).ok
                fill(server)
                acknowledged, reason = await refused(zoe, 1)
                assert reason.startswith("It happened but is not saved: the disk")
                done = await ring(zoe, 200)
                assert (done.error or "").startswith("That was not done, because nothing can be saved now: the disk")
                assert str(tmp_path) not in reason + (done.error or ""), "visitors need not know where things are"
                before = await health(server)
                assert (before["status"], str(before["problem"])[:8]) == ("degraded", "the disk")
                assert (await zoe.ask(lambda i: wire.Gesture(i, 1))).ok, "what need not last goes on"
                free(server)
                await heard_again(zoe, acknowledged + 1)
                after = await health(server)
                assert (after["status"], after["problem"]) == ("ok", None)
                assert after["tick"] > before["tick"]
            server.kill()
        assert await state_after_a_restart(tmp_path) == acknowledged + 1


@pytest.mark.parametrize("disk", [quota, small_disk])
async def test_what_was_acknowledged_before_the_disk_was_full_outlives_a_crash(tmp_path: Path, disk: Disk) -> None:
    with disk(tmp_path) as (fill, free):
        with program(tmp_path, "--open-as", "builder") as server:
            async with Visitor(server.url, "Zoe") as zoe:
                await zoe.join()
                fill(server)
                acknowledged, _ = await refused(zoe, 0)
            server.kill()
        if disk is small_disk:
            free(server)
        assert await state_after_a_restart(tmp_path) >= acknowledged


async def test_a_server_that_can_not_save_at_its_end_says_so(tmp_path: Path) -> None:
    with quota(tmp_path) as (fill, _), program(tmp_path) as server:
        async with Visitor(server.url, "Zoe") as zoe:
            await zoe.join()
            fill(server)
        assert server.terminate() == 1
        assert server.lines[-1].startswith("ecumene: the world is kept only as it was at tick ")
        assert not any("Traceback" in line for line in server.lines)
