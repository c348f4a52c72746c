"""The 820 furniture models of Debian's `sweethome3d-furniture`: fetched, checked by hash, read in place.

The package is never installed and none of it is committed. Licences: CC0 for the catalogue `BlendSwap-CC-0`, CC-BY 3.0
for the others; each model names its creator. A model's mesh comes in metres, z up, its front towards -y, standing
on z = 0 over the origin, at the real size that the catalogue gives.
"""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ecumene_world import datasets
from ecumene_world.assets.mesh import Mesh
from ecumene_world.errors import ImportFailed
from ecumene_world.learning.obj import read_obj

PACKAGE: Final = "sweethome3d-furniture"
VERSION: Final = "1.8-1"
FILE: Final = f"{PACKAGE}_{VERSION}_all.deb"
SHA256: Final = "3ccb90c63f9525e887a767b9cd5c8b6933b8b6b2973a615a5359ee68a2118668"
"""The same that the index of Debian 12 states."""

LICENCES: Final = {
    "BlendSwap-CC-0": "CC0 1.0",
    "BlendSwap-CC-BY": "CC-BY 3.0",
    "KatorLegaz": "CC-BY 3.0 US",
    "Reallusion": "CC-BY 3.0 US",
    "Scopia": "CC-BY 3.0",
}
_APT_TIMEOUT_S: Final = 600
_GREY: Final = (176, 172, 166)
_ENTRY: Final = re.compile(r"^(\w+)#(\d+)=(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Furniture:
    """One model of the catalogue.

    Attributes:
        name: Catalogue and model, such as `Scopia/bed1`; unique.
        title: What the catalogue calls it, such as `Iron bed`.
        category: Its shelf in the catalogue, such as `Bedroom`.
        size_m: Width (x), depth (y) and height (z) in metres.
        creator: Who made it.
        licence: Under which terms.
        rotation: (3, 3) turn of the file's own frame, y up, before it is sized.
        archive: The opened `.sh3f` that it lies in.
        model: Path of its OBJ file inside.
        icon: Path of its picture inside.
    """

    name: str
    title: str
    category: str
    size_m: tuple[float, float, float]
    creator: str
    licence: str
    rotation: tuple[float, ...]
    archive: zipfile.ZipFile
    model: str
    icon: str

    def read_mesh(self) -> Mesh:
        """Returns the mesh at real size, grey.

        Raises:
            ImportFailed: The OBJ file can't be read.
        """
        vertices, faces = read_obj(self.archive.read(self.model).decode("latin-1"), self.name)
        turned = vertices @ np.array(self.rotation).reshape(3, 3).T
        upright = np.stack([turned[:, 0], -turned[:, 2], turned[:, 1]], 1)
        used = upright[np.unique(faces)]
        low, span = used.min(0), np.ptp(used, axis=0)
        sized = (upright - low) * (np.array(self.size_m) / np.where(span > 0, span, 1.0))
        return Mesh.of(sized, faces, _GREY).centred()

    def picture(self) -> bytes:
        """Returns the catalogue's own picture of it, a PNG."""
        return self.archive.read(self.icon)


def fetch_furniture() -> Path:
    """Returns the path of the Debian package, downloading it through apt on first use (120 MB).

    Raises:
        ImportFailed: apt can't get it, or what came is not what it should be.
    """
    path = datasets.cache_dir() / FILE
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="ecumene-", dir=path.parent) as folder:
            _download(Path(folder))
            _verified(Path(folder) / FILE).replace(path)
    return path


def catalogue(package: Path) -> tuple[Furniture, ...]:
    """Returns all models of a fetched package, ordered by name.

    Raises:
        ImportFailed: The file is not that package.
    """
    models = [model for name, data in _archives(_verified(package)) for model in _models(name, data)]
    return tuple(sorted(models, key=lambda model: model.name))


def _download(folder: Path) -> None:
    """Lets apt write the package into a folder."""
    command = ["apt-get", "download", f"{PACKAGE}={VERSION}"]
    advice = f"take {FILE} from a Debian mirror (pool/main/s/{PACKAGE}) and put it into {datasets.cache_dir()}"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command without a shell
            command, cwd=folder, capture_output=True, text=True, timeout=_APT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise ImportFailed(f"{PACKAGE} could not be downloaded: apt-get does not run here; {advice}") from None
    if done.returncode or not (folder / FILE).is_file():
        raise ImportFailed(f"{PACKAGE} {VERSION} could not be downloaded by apt-get; {advice}")


def _verified(path: Path) -> Path:
    """Returns a path whose file is the package."""
    if not path.is_file():
        raise ImportFailed(f"there is no {path}; `ecumene train pointnet` without --data fetches it")
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != SHA256:
        raise ImportFailed(f"{path} has sha256 {actual}, but {SHA256} is expected")
    return path


def _archives(package: Path) -> Iterator[tuple[str, bytes]]:
    """Yields name and bytes of each `.sh3f` in a Debian package.

    Source: deb(5): an ar archive whose member `data.tar.xz` holds the files.
    """
    data = package.read_bytes()
    at = len(b"!<arch>\n")
    while at < len(data):
        header = data[at : at + 60]
        name, length = header[:16].decode("ascii").strip().rstrip("/"), int(header[48:58])
        if name == "data.tar.xz":
            with tarfile.open(fileobj=io.BytesIO(data[at + 60 : at + 60 + length]), mode="r:xz") as files:
                for member in files:
                    content = files.extractfile(member) if member.name.endswith(".sh3f") else None
                    if content is not None:
                        yield Path(member.name).stem, content.read()
        at += 60 + length + length % 2


def _models(catalogue_name: str, data: bytes) -> Iterator[Furniture]:
    """Yields the models of one `.sh3f`, a zip of OBJ files and one list of properties."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    text = archive.read("PluginFurnitureCatalog.properties").decode("latin-1")
    entries: dict[str, dict[str, str]] = {}
    for key, number, value in _ENTRY.findall(text):
        entries.setdefault(number, {})[key] = value.strip()
    for entry in entries.values():
        yield _model(catalogue_name, entry, archive)


def _model(catalogue_name: str, entry: Mapping[str, str], archive: zipfile.ZipFile) -> Furniture:
    """Returns one model from its properties."""
    width, depth, height = (float(entry[key]) / 100 for key in ("width", "depth", "height"))
    return Furniture(
        name=f"{catalogue_name}/{entry['id'].rpartition('#')[2]}",
        title=entry["name"].encode("latin-1").decode("unicode-escape"),
        category=entry["category"],
        size_m=(width, depth, height),
        creator=entry["creator"],
        licence=LICENCES[catalogue_name],
        rotation=tuple(float(word) for word in entry.get("modelRotation", "1 0 0 0 1 0 0 0 1").split()),
        archive=archive,
        model=entry["model"].lstrip("/"),
        icon=entry["icon"].lstrip("/"),
    )
