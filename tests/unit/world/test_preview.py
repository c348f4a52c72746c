from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecumene_world import Node, Pose, SceneGraph
from ecumene_world.plain import JSON
from ecumene_world.preview import bounds_of, preview, scene_of, write_preview


def yard() -> SceneGraph:
    graph = SceneGraph("yard")
    graph.add(Node("g", "lawn", attributes={"polygon": [[-8, -8], [8, -8], [8, 8], [-8, 8]]}))
    graph.add(Node("tree", "broadleaf_tree", Pose.at(3, 0)))
    graph.add(Node("bench", "bench", Pose.at(-3, 0)))
    shell: dict[str, JSON] = {
        "polygon": [[-7, 3], [-2, 3], [-2, 7], [-7, 7]],
        "height_m": 6.0,
        "interior": True,
        "roof_z_m": 2.6,
    }
    graph.add(Node("house", "building", attributes=shell))
    graph.add(Node("arrival", "place", Pose.at(0, -6, 0, np.pi / 2), attributes={"role": "spawn", "radius_m": 1.0}))
    return graph


def pixels(data: bytes) -> NDArray[np.uint8]:
    """Returns an 8-bit RGB PNG without filters as (H, W, 3)."""
    width, height = struct.unpack_from(">II", data, 16)
    at, body = 8, b""
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body += data[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    lines = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + 3 * width)
    return lines[:, 1:].reshape(height, width, 3)


@pytest.mark.parametrize("view", ["plan", "air", "cut", "street"])
def test_every_view_shows_the_lawn(view: str) -> None:
    image = pixels(preview(yard(), (96, 64), view=view)).astype(int)
    green = (image[..., 1] > image[..., 0] + 15) & (image[..., 1] > image[..., 2] + 15)
    assert image.shape == (64, 96, 3)
    assert 0.05 < green.mean() < 0.98


def test_a_cut_view_has_no_roofs() -> None:
    graph = yard()
    assert bounds_of(scene_of(graph, roofs=False))[1, 2] < bounds_of(scene_of(graph))[1, 2]


def test_a_world_without_things_or_spawn_can_be_pictured(tmp_path: Path) -> None:
    write_preview(SceneGraph(), tmp_path / "a.png", (32, 32), "street")
    assert pixels((tmp_path / "a.png").read_bytes()).shape == (32, 32, 3)
