from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import laspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers import pcd, ply
from ecumene_world.importers.las import read_las
from ecumene_world.importers.pcd import decompressed, read_pcd
from ecumene_world.importers.ply import read_ply
from ecumene_world.importers.points import Points

XYZ = np.round(np.random.default_rng(1).uniform(-5, 5, (40, 3)), 3)
RGB = np.random.default_rng(2).integers(0, 256, (40, 3), np.uint8)


def ply_bytes(order: str) -> bytes:
    head = (
        f"ply\nformat {order} 1.0\ncomment made here\nelement vertex {len(XYZ)}\nproperty double x\nproperty double y\n"
        "property double z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\nelement face 0\n"
        "property list uchar int vertex_indices\nend_header\n"
    ).encode()
    if order == "ascii":
        rows = [" ".join(map(str, [*p, *c])) for p, c in zip(XYZ.tolist(), RGB.tolist(), strict=True)]
        return head + "\n".join(rows).encode() + b"\n"
    sign = "<" if "little" in order else ">"
    dtype = np.dtype([*((axis, sign + "f8") for axis in "xyz"), ("r", "u1"), ("g", "u1"), ("b", "u1")])
    return head + table(dtype).tobytes()


def table(dtype: np.dtype[np.void]) -> np.ndarray:
    rows = np.zeros(len(XYZ), dtype)
    for n, axis in enumerate("xyz"):
        rows[axis] = XYZ[:, n]
        rows["rgb"[n]] = RGB[:, n]
    return rows


def pcd_bytes(kind: str) -> bytes:
    head = (
        "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z rgb\nSIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\n"
        f"WIDTH {len(XYZ)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(XYZ)}\nDATA {kind}\n"
    ).encode()
    packed = (RGB[:, 0].astype(np.uint32) << 16 | RGB[:, 1].astype(np.uint32) << 8 | RGB[:, 2]).view(np.float32)
    rows = np.column_stack([XYZ.astype(np.float32), packed]).astype("<f4")
    if kind == "ascii":
        return head + "\n".join(" ".join(repr(float(v)) for v in row) for row in rows).encode()
    if kind == "binary":
        return head + rows.tobytes()
    flat = rows.T.copy().tobytes()
    squeezed = literal_lzf(flat)
    return head + struct.pack("<II", len(squeezed), len(flat)) + squeezed


def literal_lzf(data: bytes) -> bytes:
    """Returns data as LZF literals, which every decompressor must read."""
    blocks = [data[at : at + 32] for at in range(0, len(data), 32)]
    return b"".join(bytes([len(block) - 1]) + block for block in blocks)


def las_file(path: Path) -> Path:
    cloud = laspy.create(point_format=3, file_version="1.2")
    cloud.header.scales = [0.001] * 3
    cloud.x, cloud.y, cloud.z = XYZ.T
    cloud.red, cloud.green, cloud.blue = (RGB.astype(np.uint16) * 257).T
    cloud.write(path)
    return path


def kept(tmp_path: Path, data: bytes, name: str) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def same(points: Points) -> None:
    assert points.xyz == pytest.approx(XYZ, abs=1e-3)
    assert points.rgb is not None
    assert np.array_equal(points.rgb, RGB)


@pytest.mark.parametrize("order", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_ply_is_read(tmp_path: Path, order: str) -> None:
    same(read_ply(kept(tmp_path, ply_bytes(order), "a.ply")))


@pytest.mark.parametrize("kind", ["ascii", "binary", "binary_compressed"])
def test_pcd_is_read(tmp_path: Path, kind: str) -> None:
    same(read_pcd(kept(tmp_path, pcd_bytes(kind), "a.pcd")))


@pytest.mark.parametrize("suffix", [".las", ".laz"])
def test_las_is_read(tmp_path: Path, suffix: str) -> None:
    same(read_las(las_file(tmp_path / f"a{suffix}")))


def test_lzf_copies_reach_back_and_overlap() -> None:
    assert decompressed(b"\x02abc" + bytes([0x20, 0x02]), 6) == b"abcabc"
    assert decompressed(b"\x00a" + bytes([0xE0, 0x05, 0x00]), 15) == b"a" * 15
    with pytest.raises(ImportFailed, match="before their beginning"):
        decompressed(b"\x00a" + bytes([0x20, 0x09]), 9)
    with pytest.raises(ImportFailed, match="4 bytes come out where 9"):
        decompressed(b"\x03abcd", 9)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no header"),
        (b"ply\nformat ascii 1.0\n", "no header"),
        (b"ply\nformat morse 1.0\nelement vertex 1\nproperty float x\nend_header\n", "no format"),
        (b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nend_header\n1\n2\n", "cut short"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\nword\n", "not written in numbers"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nend_header\n1\n", "without x, y and z"),
        (b"ply\nformat ascii 1.0\nelement vertex 99999999999\nproperty float x\nend_header\n", "is the limit"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty quad x\nend_header\n", "type 'quad'"),
        (
            b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float x\nend_header\n1 1\n",
            "without|twice",
        ),
        (b"ply\nformat ascii 1.0\nelement face 1\nproperty float x\nend_header\n1\n", "no element named vertex"),
        (b"ply\nformat ascii 1.0\nelement vertex 1\nproperty list uchar int x\nend_header\n1\n", "list properties"),
    ],
)
def test_ply_damage_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ImportFailed, match=message):
        read_ply(kept(tmp_path, data, "a.ply"))


HEAD = "FIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 2\nHEIGHT 1\nPOINTS 2\nDATA binary\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no header"),
        (HEAD, "cut short: 2 points are promised, 0 are there"),
        (HEAD.replace("POINTS 2", "POINTS 99999999999"), "is the limit"),
        (HEAD.replace("binary", "morse"), "kind 'morse'"),
        (HEAD.replace("SIZE 4 4 4", "SIZE 4 4"), "2 sizes"),
        (HEAD.replace("TYPE F F F", "TYPE F F Q"), "type Q"),
        (
            HEAD.replace("FIELDS x y z", "FIELDS x y w").replace("binary", "ascii") + "1 2 3 4 5 6",
            "no fields x, y and z",
        ),
        (HEAD.replace("binary", "ascii") + "1 2 3 4 5 word", "not written in numbers"),
        (HEAD.replace("binary", "binary_compressed") + "\1\0\0\0\0\0\0\0a", "promises 2 points of 12 bytes"),
    ],
)
def test_pcd_damage_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportFailed, match=message):
        read_pcd(kept(tmp_path, text.encode("latin-1"), "a.pcd"))


def test_limits_hold_before_memory_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ply, "MAX_POINTS", 10)
    monkeypatch.setattr(pcd, "MAX_POINTS", 10)
    with pytest.raises(TooLarge):
        read_ply(kept(tmp_path, ply_bytes("ascii"), "a.ply"))
    with pytest.raises(TooLarge):
        read_pcd(kept(tmp_path, pcd_bytes("ascii"), "a.pcd"))


@pytest.mark.parametrize("suffix", [".las", ".laz"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_cut_las_files_are_refused(tmp_path: Path, suffix: str, share: float) -> None:
    path = las_file(tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ImportFailed, match=r"not a readable LAS file|cut short"):
        read_las(path)


FILES: dict[str, tuple[bytes, Callable[[Path], Points]]] = {
    "ascii.ply": (ply_bytes("ascii"), read_ply),
    "big.ply": (ply_bytes("binary_big_endian"), read_ply),
    "ascii.pcd": (pcd_bytes("ascii"), read_pcd),
    "packed.pcd": (pcd_bytes("binary_compressed"), read_pcd),
}


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spots=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_bytes_only_ever_fail_politely(tmp_path: Path, name: str, spots: list[tuple[float, int]]) -> None:
    whole, reader = FILES[name]
    data = bytearray(whole)
    for share, value in spots:
        data[int(share * (len(data) - 1))] = value
    with suppress(ImportFailed):
        assert reader(kept(tmp_path, bytes(data), name)).xyz.shape[1] == 3


@pytest.mark.parametrize("suffix", [".las", ".laz"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spots=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_las_only_ever_fails_politely(tmp_path: Path, suffix: str, spots: list[tuple[float, int]]) -> None:
    source = tmp_path / f"whole{suffix}"
    if not source.exists():
        las_file(source)
    data = bytearray(source.read_bytes())
    for share, value in spots:
        data[int(share * (len(data) - 1))] = value
    with suppress(ImportFailed):
        assert read_las(kept(tmp_path, bytes(data), f"a{suffix}")).xyz.shape[1] == 3


def test_points_that_are_no_numbers_are_left_out_and_counted() -> None:
    xyz = np.zeros((300, 3))
    xyz[:50] = np.nan
    cloud = Points(xyz).finite("a.pcd")
    assert len(cloud.xyz) == 250
    assert cloud.notes == ("50 points that are no numbers were left out",)
    xyz[:200] = np.inf
    with pytest.raises(ImportFailed, match=r"200 of the 300 points of a\.pcd are not finite"):
        Points(xyz).finite("a.pcd")
    with pytest.raises(ImportFailed, match="has 1 points; at least 100"):
        Points(np.zeros((1, 3))).finite("a.ply")
