"""Compiling in another process: the same layout as here, a scene beside it, and sentences for what can't be."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.integration.squares import square

from ecumene_server import compiler as compiler_module
from ecumene_server.compiler import Compiler
from ecumene_server.errors import FailedError
from ecumene_server.kept import Kept
from ecumene_world import Layout, Node, compile_layout
from ecumene_world.errors import GraphError
from ecumene_world.exporters.glb import write_glb


@pytest.fixture
def compiler(tmp_path: Path) -> Iterator[Compiler]:
    made = Compiler(Kept(tmp_path, "square"))
    yield made
    made.close()


def same(one: Layout, other: Layout) -> bool:
    pairs = zip(one.tensors().values(), other.tensors().values(), strict=True)
    return one.hash == other.hash and all(torch.equal(a, b) for a, b in pairs)


def test_a_graph_compiles_there_as_it_does_here(compiler: Compiler, tmp_path: Path) -> None:
    graph, kept = square(), Kept(tmp_path, "square")
    graph.add(Node("post", "bell_post"))
    layout = compiler.compile(graph, None)
    compiler.finish()
    assert same(layout, compile_layout(graph))
    assert kept._scene(bytes.fromhex(layout.graph_hash)) == write_glb(graph)
    coarse = compiler.compile(graph, 0.5)
    compiler.finish()
    assert same(coarse, compile_layout(graph, cell_m=0.5))
    kept.keep(coarse)
    assert not kept.next_file.exists(), "it became the layout that is kept"
    found = kept.layout()
    assert found is not None
    assert same(found, coarse)


def test_a_graph_that_can_not_be_compiled_is_told_of_and_the_next_one_goes_on(compiler: Compiler) -> None:
    broken, graph = square(), square()
    broken.remove("ground")
    with pytest.raises(GraphError, match="nothing to walk on"):
        compiler.compile(broken, None)
    assert compiler.compile(graph, None).graph_hash == graph.hash()


def test_where_nothing_can_be_kept_layouts_come_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    compiler = Compiler(Kept(tmp_path / "file", "square"))
    try:
        assert same(compiler.compile(square(), None), compile_layout(square()))
    finally:
        compiler.close()


def test_a_process_that_ends_is_told_of_and_started_again(compiler: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(compiler_module, "PROGRAM", "ecumene_server.no_such_program")
        with pytest.raises(FailedError, match="has ended"):
            compiler.compile(square(), None)
    assert compiler.compile(square(), None).graph_hash == square().hash()


def test_closing_wakes_who_waits(compiler: Compiler) -> None:
    timer = threading.Timer(0.3, compiler.close)
    timer.start()
    with pytest.raises(FailedError, match="has ended"):
        compiler.compile(square(), None)
    timer.join()


def test_the_process_ends_when_no_edit_comes(compiler: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler.compile(square(), None)
    compiler.finish()
    process = compiler._process
    assert process is not None
    compiler.rest()
    assert process.poll() is None
    monkeypatch.setattr(time, "monotonic", lambda: compiler._used_at + compiler_module.IDLE_S + 1)
    compiler.rest()
    assert process.poll() is not None
