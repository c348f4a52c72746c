"""The training command of the fusion testbed, on a few images and tones of our own, as a user calls it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.world.perceived import digits, spoken

from ecumene_world.datasets import RECIPES
from ecumene_world.learning.spoken import FILE, save_spoken

COMMAND = (sys.executable, "-m", "ecumene_server", "train", "fusion")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a hundred images and of tones that stand for speech."""
    folder = tmp_path_factory.mktemp("perceived")
    some = digits()
    ink = (16 * some.image).round().long().flatten(1).tolist()
    lines = [",".join(map(str, [*row, digit])) for row, digit in zip(ink, some.digit.tolist(), strict=True)]
    (folder / RECIPES["digits"].file_name).write_bytes(gzip.compress("\n".join(lines).encode()))
    save_spoken(spoken(), folder / FILE)
    return folder


def test_smoke(data: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "--smoke", "--data", str(data), "--out", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert Path(said["weights"]).is_file()
    assert (tmp_path / "fusion.json").is_file()
    assert {row["baseline"] for row in said["rows"]} == {True, False}
    wanted = {f"accuracy_{letters}" for letters in ("avt", "av", "at", "vt", "a", "v", "t")}
    assert wanted <= {row["metric"] for row in said["rows"] if row["model"] == "fusion"}


def test_a_device_that_it_does_not_use_is_refused(data: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "--data", str(data), "--device", "cuda", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--device" in done.stderr
