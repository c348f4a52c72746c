"""A PostgreSQL server of our own, where one is installed: under the user postgres, because root may not run it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []


def installed() -> bool:
    """Returns whether a server can be started here."""
    if not FOLDERS:
        return False
    if os.getuid() != 0:
        return True
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return True


@contextmanager
def server() -> Iterator[str]:
    """Runs a fresh server; yields the URL of an empty database."""
    tools, port = FOLDERS[-1], _free_port()
    folder = Path(tempfile.mkdtemp(prefix="ecumene-pg-", dir="/tmp"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    data = folder / "data"
    try:
        _run(tools / "initdb", "-D", data, "-U", "ecumene", "--auth=trust", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c shared_buffers=16MB"
        _run(tools / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
        yield f"postgresql://ecumene@127.0.0.1:{port}/postgres"
    finally:
        _run(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _run(*command: str | Path, check: bool = True) -> None:
    user = "postgres" if os.getuid() == 0 else None
    done = subprocess.run(
        list(map(str, command)), user=user, cwd="/tmp", capture_output=True, text=True, check=False, timeout=60
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
