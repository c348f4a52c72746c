from __future__ import annotations

import logging
from pathlib import Path

import pytest
from tests.integration.squares import square

from ecumene_server import kept
from ecumene_server.kept import Kept
from ecumene_world import Node, SceneGraph, compile_layout
from ecumene_world.exporters.glb import write_glb


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lists the graphs that are drawn rather than read."""
    graphs: list[str] = []

    def draw(graph: SceneGraph) -> bytes:
        graphs.append(graph.hash())
        return write_glb(graph)

    monkeypatch.setattr(kept, "write_glb", draw)
    return graphs


def test_a_scene_is_drawn_once(tmp_path: Path, drawn: list[str]) -> None:
    graph = square()
    first, second = Kept(tmp_path, "square").scene(graph), Kept(tmp_path, "square").scene(graph)
    assert first == second == write_glb(graph)
    assert len(drawn) == 1


def test_another_graph_is_drawn_anew(tmp_path: Path, drawn: list[str]) -> None:
    here, graph = Kept(tmp_path, "square"), square()
    first = here.scene(graph)
    graph.add(Node("another bench", "bench"))
    assert here.scene(graph) != first
    assert len(drawn) == 2


@pytest.mark.parametrize("place", [0, 20, 50, 80, -1])
def test_a_damaged_scene_is_drawn_anew(tmp_path: Path, drawn: list[str], place: int) -> None:
    here, graph = Kept(tmp_path, "square"), square()
    first = here.scene(graph)
    data = bytearray(here.scene_file.read_bytes())
    data[place] ^= 1
    here.scene_file.write_bytes(data)
    assert here.scene(graph) == first
    assert len(drawn) == 2


def test_half_a_scene_is_drawn_anew(tmp_path: Path, drawn: list[str]) -> None:
    here, graph = Kept(tmp_path, "square"), square()
    first = here.scene(graph)
    here.scene_file.write_bytes(b"ECSCN")
    assert here.scene(graph) == first
    assert len(drawn) == 2


def test_what_another_program_made_is_made_again(
    tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, graph = Kept(tmp_path, "square"), square()
    here.scene(graph)
    here.keep(compile_layout(graph))
    assert here.layout() is not None
    monkeypatch.setattr(kept, "made_by", lambda: "ab" * 32)
    assert here.layout() is None
    here.scene(graph)
    assert len(drawn) == 2


def test_where_nothing_can_be_kept_all_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    here, graph = Kept(tmp_path / "file", "square"), square()
    with caplog.at_level(logging.WARNING, "ecumene.store"):
        assert here.scene(graph) == write_glb(graph)
        here.keep_if_possible(compile_layout(graph))
    assert len(caplog.records) == 2
    with pytest.raises(OSError, match="file"):
        here.keep(compile_layout(graph))


def test_a_digest_of_the_sources_does_not_change_by_itself() -> None:
    kept.made_by.cache_clear()
    first = kept.made_by()
    kept.made_by.cache_clear()
    assert first == kept.made_by()
    assert len(first) == 64
