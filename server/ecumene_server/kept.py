"""What takes seconds to make of a scene graph, kept beside the stored world: its compiled layout and its scene file.

Both can be deleted at any time; they are then made again. They are made again, too, by a program whose world package
differs in any way from the one that made them.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import struct
import threading
from pathlib import Path
from typing import Final

import ecumene_world
from ecumene_server import layoutfile
from ecumene_world import Layout, SceneGraph
from ecumene_world.exporters.glb import write_glb

MAGIC: Final = b"ECSCN\0\0\1"
PREFIX: Final = struct.Struct("<8s32s32s32s")
"""Magic, checksum of the scene, what made it, hash of its graph."""


_LOG: Final = logging.getLogger("ecumene.store")


class Kept:
    """The files of one world.

    Args:
        folder: Where worlds are stored.
        name: Under which this one is.

    Attributes:
        folder: As given; also name.
        layout_file: The compiled layout; see `layoutfile`.
        next_file: A layout that another process has compiled and the world has not taken up yet.
        grown_file: The same, of a world with a district to come.
        scene_file: The GLB that clients fetch.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.next_file = folder / f"{name}.layout.next"
        self.grown_file = folder / f"{name}.layout.grown"
        self.layout_file = folder / f"{name}.layout"
        self.scene_file = folder / f"{name}.scene"
        self._keeping = threading.Lock()

    def layout(self) -> Layout | None:
        """Returns the layout that was kept last; None if there is none that this program would make."""
        return layoutfile.read(self.layout_file, made_by())

    def keep(self, layout: Layout) -> None:
        """Keeps a layout unless it is there already.

        Raises:
            OSError: It can't be written.
        """
        with self._keeping:
            drafts = (self.next_file, self.grown_file)
            draft = next((file for file in drafts if layoutfile.hash_of(file) == layout.hash), None)
            if draft is not None:
                draft.replace(self.layout_file)
            else:
                layoutfile.keep(layout, self.layout_file, made_by())

    def keep_if_possible(self, layout: Layout) -> None:
        """Keeps a layout; that it can't be is told of in the log."""
        try:
            self.keep(layout)
        except OSError as error:
            _LOG.warning("the next start takes longer, the layout can't be kept: %s", error)

    def scene(self, graph: SceneGraph, graph_hash: str | None = None) -> bytes:
        """Returns the GLB of a graph, kept or made and kept now; one that can't be kept is told of in the log.

        Args:
            graph: Which.
            graph_hash: Its hash, where that is known.
        """
        graph_hash = graph_hash or graph.hash()
        found = self._scene(bytes.fromhex(graph_hash))
        if found is None:
            found = write_glb(graph)
            head = PREFIX.pack(
                MAGIC, hashlib.sha256(found).digest(), bytes.fromhex(made_by()), bytes.fromhex(graph_hash)
            )
            draft = self.scene_file.with_suffix(f".{threading.get_ident()}")
            try:
                draft.write_bytes(head + found)
                draft.replace(self.scene_file)
            except OSError as error:
                _LOG.warning("the next start takes longer, the scene can't be kept: %s", error)
        return found

    def _scene(self, graph_hash: bytes) -> bytes | None:
        try:
            data = self.scene_file.read_bytes()
        except OSError:
            return None
        if len(data) < PREFIX.size:
            return None
        magic, checksum, maker, of = PREFIX.unpack_from(data)
        content = data[PREFIX.size :]
        known = magic == MAGIC and maker.hex() == made_by() and of == graph_hash
        return content if known and hashlib.sha256(content).digest() == checksum else None


@functools.cache
def made_by() -> str:
    """Returns a digest of the package that compiles and draws worlds."""
    root = Path(ecumene_world.__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
