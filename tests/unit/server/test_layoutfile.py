from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import torch
from tests.integration.squares import square

from ecumene_server import layoutfile
from ecumene_world import Layout, Node, compile_layout


@pytest.fixture(scope="module")
def layout() -> Layout:
    return compile_layout(square())


@pytest.fixture
def file(layout: Layout, tmp_path: Path) -> Path:
    path = tmp_path / "square.layout"
    layoutfile.write(layout, path)
    return path


def test_a_layout_comes_back_as_it_was(layout: Layout, file: Path) -> None:
    found = layoutfile.read(file)
    assert found is not None
    for field in fields(Layout):
        before, after = getattr(layout, field.name), getattr(found, field.name)
        if isinstance(before, torch.Tensor):
            assert before.dtype == after.dtype, field.name
            assert torch.equal(before, after), field.name
        else:
            assert before == after, field.name
            assert type(before) is type(after), field.name


def test_writing_to_its_tensors_leaves_the_file_alone(file: Path) -> None:
    found = layoutfile.read(file)
    assert found is not None
    found.floor.fill_(7.0)
    again = layoutfile.read(file)
    assert again is not None
    assert float(again.floor.max()) < 7.0


def test_where_there_is_no_file_there_is_no_layout(tmp_path: Path) -> None:
    assert layoutfile.read(tmp_path / "nothing.layout") is None


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_half_a_file_is_none(file: Path, share: float) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    assert layoutfile.read(file) is None


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_a_damaged_file_is_none(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    assert layoutfile.read(file) is None


def test_a_layout_that_is_kept_already_is_not_written_again(layout: Layout, file: Path) -> None:
    before = file.stat().st_ino
    layoutfile.keep(layout, file)
    assert file.stat().st_ino == before


def test_another_layout_takes_the_place_of_the_old_one(file: Path) -> None:
    graph = square()
    graph.add(Node("another bench", "bench"))
    layoutfile.keep(other := compile_layout(graph), file)
    found = layoutfile.read(file)
    assert found is not None
    assert found.hash == other.hash
    assert [each.name for each in file.parent.iterdir()] == [file.name]
