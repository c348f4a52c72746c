"""Bad files, folders and ports: the command says one sentence and exits with 2 (wrong request) or 1 (can't be done)."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from tests.integration.squares import saved

from ecumene_server import cli
from ecumene_world.assets.solids import box
from ecumene_world.exporters.gltf import GlbWriter

NOWHERE = "/proc/nowhere"
"""No folder can be made there, not even by root."""


def truncated_laz(folder: Path) -> None:
    cloud = laspy.create(point_format=3, file_version="1.2")
    cloud.header.scales = [0.001] * 3
    cloud.x, cloud.y, cloud.z = np.random.default_rng(1).uniform(-9, 9, (3, 5000))
    cloud.write(folder / "scan.laz")
    whole = (folder / "scan.laz").read_bytes()
    (folder / "scan.laz").write_bytes(whole[: len(whole) // 2])


def glb(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    writer = GlbWriter()
    mesh = writer.add_mesh(box((1, 1, 1), (10, 200, 30)), "crate")
    child = writer.add_node("child", mesh=mesh)
    writer.add_node("parent", children=[child])
    data = writer.to_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest)) + struct.pack("<I4s", len(text), b"JSON")
    (folder / "scene.glb").write_bytes(head + text + rest)


def cyclic_glb(folder: Path) -> None:
    glb(folder, lambda document: document["nodes"][0].update(children=[1]))


def boastful_glb(folder: Path) -> None:
    glb(folder, lambda document: document["accessors"][0].update(count=10**9))


def boastful_ply(folder: Path) -> None:
    axes = "".join(f"property float {axis}\n" for axis in "xyz")
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex 1000000000\n{axes}end_header\n"
    (folder / "scan.ply").write_bytes(head.encode() + bytes(120))


def text(name: str, content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)

    return write


def damaged_world(folder: Path) -> None:
    path = saved(folder)
    path.write_text(path.read_text().replace('"ground"', '"marsh"', 1))


def square(folder: Path) -> None:
    saved(folder)


ROWS: dict[str, tuple[Callable[[Path], None], str, int, str]] = {
    "import: no file": (square, "import gone.laz", 2, "there is no file 'gone.laz'"),
    "import: unknown kind": (text("a.docx", "x"), "import a.docx", 1, ".docx"),
    "import: truncated LAZ": (truncated_laz, "import scan.laz -o out.json", 1, "scan.laz"),
    "import: GLB cycle": (cyclic_glb, "import scene.glb -o out.json", 1, "inside itself"),
    "import: 10^9 vertices in GLB": (boastful_glb, "import scene.glb", 1, "scene.glb"),
    "import: 10^9 vertices in PLY": (boastful_ply, "import scan.ply", 1, "scan.ply"),
    "import: target can't be written": (square, f"export square.json -o {NOWHERE}/a.json", 1, "can't be written"),
    "export: world is no JSON": (text("w.json", "{"), "export w.json --glb a.glb", 1, "w.json"),
    "export: world of unknown kinds": (damaged_world, "export square.json --glb a.glb", 1, "marsh"),
    "serve: world is no JSON": (text("w.json", "[1, 2]"), "serve w.json --port 0", 1, "must be an object, not [1, 2]"),
    "serve: no such world": (square, "serve gone.json", 2, "'gone.json' is neither a file nor one of"),
    "serve: database folder read-only": (
        square,
        f"serve square.json --db sqlite:///{NOWHERE}/a.db",
        1,
        "can't be opened",
    ),
    "serve: database is something else": (
        text("a.db", "not a database " * 99),
        "serve square.json --db sqlite:///a.db",
        1,
        "the file is no SQLite database",
    ),
    "serve: no such database": (square, "serve square.json --db oracle://here", 1, "sqlite and postgresql are"),
    "serve: unknown setting": (text("ecumene.toml", "prot = 1"), "serve", 2, "did you mean 'port'?"),
    "serve: host of somebody else": (square, "serve square.json --npcs 0 --host 192.0.2.1 --port 0", 1, "192.0.2.1:0"),
    "serve: missing weights": (square, "serve square.json --weights gone", 1, "there are no weights"),
    "run: unknown key": (
        text("day.yaml", "scenario: plaza\npopulaton: 3\n"),
        "run day.yaml --ticks 1",
        2,
        "populat",
    ),
    "run: no such scenario": (square, "run plazza --ticks 1", 2, "plaza"),
    "run: recording can't be written": (square, f"run arena --ticks 1 --record {NOWHERE}/a.rec", 1, "can't be written"),
    "run: missing weights": (
        square,
        "run plaza --ticks 1 --minds fusion --weights gone.safetensors",
        1,
        "gone.safetensors",
    ),
    "replay: no recording": (text("a.rec", "hello" * 99), "replay a.rec --verify", 1, "is not an Ecumene recording"),
    "replay: no file": (square, "replay gone.rec", 2, "there is no file 'gone.rec'"),
}
"""What is prepared, the command line, its exit status, and what its sentence says."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECUMENE_BROWSER", "no")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], command: str) -> tuple[int, str]:
    """Runs a command line; returns its status and its one sentence."""
    status = cli.run(command.split())
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("ecumene: ")
    assert "Traceback" not in err
    assert "unexpected" not in err
    return status, err


@pytest.mark.parametrize("row", ROWS)
def test_one_sentence_and_a_status(place: Path, capsys: pytest.CaptureFixture[str], row: str) -> None:
    prepare, command, status, sentence = ROWS[row]
    saved(place)
    prepare(place)
    found, err = told(capsys, command)
    assert sentence in err
    assert found == status
    assert not (place / "out.json").exists(), "a failed import leaves nothing behind"


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ("--adapters gone", 1, "there is no folder of adapters 'gone'"),
        ("--weights gone", 1, "there are no weights 'gone'"),
        ("--adapters . --minds scripted", 2, "minds 'scripted' wear no adapters; fusion would do"),
    ],
)
def test_minds_that_cannot_be_are_refused_before_a_world_is_made(
    place: Path, capsys: pytest.CaptureFixture[str], asked: str, status: int, words: str
) -> None:
    saved(place)
    assert cli.run(["serve", "square.json", "--port", "0", *asked.split()]) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (place / "worlds").exists()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_taken_port_is_one_sentence(place: Path, capsys: pytest.CaptureFixture[str], taken: int) -> None:
    saved(place)
    status, err = told(capsys, f"serve square.json --npcs 0 --minds none --port {taken}")
    assert (status, err) == (
        1,
        f"ecumene: port {taken} of 127.0.0.1 is taken; choose another with --port, or 0 for any free one\n",
    )


def test_a_damaged_weights_file_is_one_sentence(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(place)
    (place / "weights").mkdir()
    (place / "weights" / "minds.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}" + bytes(90))
    status, err = told(capsys, "serve square.json --npcs 1 --weights weights --port 0")
    assert status == 1
    assert "minds.safetensors" in err
