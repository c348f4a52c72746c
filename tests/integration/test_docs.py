"""What the documentation tells people to type works: python and console blocks run, page by page, in a scratch folder.

`console` blocks hold lines that begin with `$ `; a block that starts a server is `text`, and tested elsewhere. A block
below `<!-- installs X -->` needs packages that tests do without: it runs where they are installed, in these versions.
Elsewhere only what it imports from us is checked, and `benchmarks/interop.py` runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"(?:^<!-- installs (?P<installs>[^>]+) -->\n)?"
    r"^```(?P<language>python|console|yaml)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$",
    re.M | re.S,
)
PAGES = [
    page
    for page in (ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md")))
    if BLOCK.search(page.read_text())
]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#[^)]*)?\)")
BIN = Path(sys.executable).parent


def run(line: str, folder: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ECUMENE_DATA": str(ROOT / "data"),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"$ {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def installed(packages: str) -> bool:
    """Whether this environment has packages in the versions asked for, such as `ray[rllib]==2.60.0`."""
    try:
        return all(each.specifier.contains(version(each.name)) for each in map(Requirement, packages.split()))
    except PackageNotFoundError:
        return False


def test_packages_are_known_by_name_and_version() -> None:
    mine = version("pytest")
    assert installed(f"pytest=={mine}")
    assert installed(f"pytest=={mine} packaging")
    assert not installed("pytest==0.0.1")
    assert not installed(f"pytest=={mine} no-such-package")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    blocks = list(BLOCK.finditer(page.read_text()))
    script = 0
    for block in blocks:
        body, title = block["body"], block["title"]
        if block["language"] == "console":
            for line in body.splitlines():
                if line.startswith("$ "):
                    run(line[2:], tmp_path)
            continue
        if block["language"] == "yaml":
            if title:
                (tmp_path / title).write_text(body)
            continue
        name = title or f"block_{(script := script + 1)}.py"
        if block["installs"] and not installed(block["installs"]):
            compile(body, name, "exec")
            body = "".join(line for line in body.splitlines(keepends=True) if line.startswith("from ecumene"))
            assert body, f"{name} has nothing to do with us"
        (tmp_path / name).write_text(body)
        run(f"{sys.executable} {name}", tmp_path)


@pytest.mark.parametrize(
    "page", sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]), ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_the_tree_in_the_readme_is_true() -> None:
    tree = re.search(r"```text\n(ecumene/.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert tree, "README shows no tree"
    for line in tree[1].splitlines()[1:]:
        path = line.split()[0] if line.strip() else ""
        assert not path or (ROOT / path).exists(), f"README's tree names {path}, which does not exist"
