"""Runs the examples of docs/how-to/use-other-learners.md that need large packages, each in an environment of its own.

    python benchmarks/interop.py [FILE ...]

Environments are made below `runs/interop` at the first run, 1 to 2 GB each. FILE is an example's title; all by default.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "how-to" / "use-other-learners.md"
FOLDER: Final = ROOT / "runs" / "interop"
EXAMPLE: Final = re.compile(r"^<!-- installs (.+?) -->\n```python title=\"(.+?)\"\n(.*?)^```$", re.M | re.S)


def main() -> None:
    """Runs each example and says how long it took."""
    parser = argparse.ArgumentParser(description="Runs the examples with other learners.")
    parser.add_argument("files", nargs="*")
    chosen = parser.parse_args().files
    found = EXAMPLE.findall(PAGE.read_text())
    unknown = set(chosen) - {title for _, title, _ in found}
    if unknown:
        sys.exit(f"{min(unknown)!r} is no example; there are {', '.join(title for _, title, _ in found)}")
    for packages, title, code in found:
        if not chosen or title in chosen:
            _run(_environment(title, packages.split()), title, code)


def _environment(title: str, packages: list[str]) -> Path:
    """Makes an environment with Ecumene and those packages unless it is there; returns its Python."""
    folder = FOLDER / Path(title).stem
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"• installing {', '.join(packages)} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--editable", str(ROOT), *packages], check=True)
        (folder / "ready").touch()
    return python


def _run(python: Path, title: str, code: str) -> None:
    print(f"== {title}", flush=True)
    script = FOLDER / title
    script.write_text(code)
    start = time.monotonic()
    subprocess.run([python, script], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    print(f"{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
