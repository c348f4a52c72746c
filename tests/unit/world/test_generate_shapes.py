from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecumene_models.errors import WeightsError
from ecumene_world.assets import library
from ecumene_world.generate import generated
from ecumene_world.generate.shapes import TAG, read_shapes, shape_of, shaped_asset, shapes
from ecumene_world.learning.variants import COUNT, SHAPED


def test_every_kind_that_is_shaped_has_many_shapes() -> None:
    assert set(shapes()) == set(SHAPED)
    for kind, known in shapes().items():
        assert len(known) == COUNT, kind
        assert len({tuple(sorted(one.items())) for one in known}) > 0.8 * COUNT, kind


@pytest.mark.parametrize("kind", SHAPED)
def test_every_shape_can_be_built_and_used(kind: str) -> None:
    limits = SHAPED[kind][1]
    for seed, params in enumerate(shapes()[kind]):
        asset = shaped_asset(kind, seed)
        asset.mesh.validate()
        assert asset.colliders
        assert all(0.35 <= seat.position[2] <= 0.8 for seat in asset.seats)
        assert all(low <= float(params[name]) <= high for name, (low, high) in limits.items() if name in params)
        low, high = asset.mesh.bounds
        for collider in asset.colliders:
            half = np.array(collider.size) / 2
            assert (np.array(collider.centre) - half >= low - 0.13).all(), params
            assert (np.array(collider.centre) + half <= high + 0.13).all(), params


def test_a_seed_means_one_shape_and_others_mean_others() -> None:
    assert shaped_asset("chair", 5) is shaped_asset("chair", 5)
    assert shape_of("chair", 1) == shape_of("chair", 1 + COUNT) != shape_of("chair", 2)


def test_what_is_not_shaped_is_as_the_library_makes_it() -> None:
    assert shape_of("car", 3) == {}
    assert shaped_asset("car", 3) is library.build("car", 3)


def test_the_tag_shapes_the_furniture_of_a_room() -> None:
    plain, varied = generated("apartment", 2), generated("apartment", 2, tags=(TAG,))
    assert varied.report.ok
    chairs = [node for node in varied.graph.walk() if node.kind == "chair"]
    assert chairs
    assert all(dict(shape_of("chair", node.seed)).items() <= dict(node.params).items() for node in chairs)
    assert not any("seat_m" in node.params for node in plain.graph.walk())
    assert generated("apartment", 2, tags=(TAG,)).graph.hash() == varied.graph.hash()


@pytest.mark.parametrize("text", ["", "[]", '{"chair": 3}', '{"chair": [4]}'])
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "shapes.json").write_text(text)
    with pytest.raises(WeightsError, match="ecumene train shapes"):
        read_shapes(tmp_path / "shapes.json")
