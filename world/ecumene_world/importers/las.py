"""LAS and LAZ, read with the optional laspy library (with its lazrs backend for LAZ)."""

from __future__ import annotations

import re
import struct
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from ecumene_world.errors import ImportFailed, TooLarge
from ecumene_world.importers.points import MAX_POINTS, Points, colours_of

_GEO_KEYS: Final = 34735
_WKT: Final = 2112
_LINEAR_UNIT: Final = 3076
_UNITS_M: Final = {9001: 1.0, 9002: 0.3048, 9003: 1200 / 3937}
"""Linear units by EPSG code: metre, international foot, US survey foot."""
_DAMAGED: Final = (
    *(ValueError, OSError, struct.error, RuntimeError, KeyError, IndexError, AssertionError, TypeError),
    *(AttributeError, OverflowError, MemoryError, ZeroDivisionError),
)
"""What laspy lets through when headers and records don't make sense."""


def read_las(path: Path) -> Points:
    """Returns the points of a file, with the unit that its coordinate system names.

    Raises:
        ImportFailed: It is no LAS file, is damaged or cut short, or laspy is not installed.
        TooLarge: It promises more than `MAX_POINTS` points.
    """
    try:
        import laspy
    except ImportError:
        raise ImportFailed("LAS and LAZ files need the laspy library; install ecumene[data]") from None
    damaged: tuple[type[Exception], ...] = (laspy.errors.LaspyException, *_DAMAGED, *_backend_errors())
    try:
        with laspy.open(path) as file:
            if file.header.point_count > MAX_POINTS:
                raise TooLarge(f"{path.name} promises {file.header.point_count} points; {MAX_POINTS} is the limit")
            _check_length(path, file.header)
            cloud = file.read()
        xyz = np.stack([np.asarray(cloud.x), np.asarray(cloud.y), np.asarray(cloud.z)], 1).astype(np.float64)
        names = set(cloud.point_format.dimension_names)
        columns = {name: np.asarray(cloud[name]) for name in ("red", "green", "blue") if name in names}
        unit = _unit_m(cloud.header)
    except damaged as error:
        raise ImportFailed(f"{path.name} is not a readable LAS file: {_reason(error)}") from error
    rgb = colours_of(columns)
    return Points(xyz, rgb if rgb is not None and rgb.any() else None, unit)


def _backend_errors() -> tuple[type[Exception], ...]:
    """Returns what the decompressor raises."""
    try:
        return (import_module("lazrs").LazrsError,)
    except ImportError:
        return ()


def _check_length(path: Path, header: Any) -> None:
    """Refuses an uncompressed file that holds fewer points than it promises; laspy would return fewer."""
    size = path.stat().st_size
    needed = header.offset_to_point_data + header.point_count * header.point_format.size
    if not header.are_points_compressed and size < needed:
        raise ImportFailed(
            f"{path.name} is cut short: {header.point_count} points are promised, {size} bytes are there"
        )


def _unit_m(header: Any) -> float:
    """Returns metres per unit of x and y, from GeoTIFF keys or well-known text; 1 if neither names a unit."""
    for record in header.vlrs:
        if record.record_id == _GEO_KEYS:
            for key in record.geo_keys:
                if key.id == _LINEAR_UNIT:
                    return _UNITS_M.get(key.value_offset, 1.0)
        if record.record_id == _WKT:
            units = re.findall(r"UNIT\[\s*\"[^\"]*(?:metre|meter|foot|feet)[^\"]*\"\s*,\s*([0-9.eE+-]+)", record.string)
            if units and 0.01 < float(units[-1]) < 100:
                return float(units[-1])
    return 1.0


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0][:160] if text else type(error).__name__
