from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ecumene_models import checkpoint
from ecumene_models.errors import ShapeError, WeightsError
from ecumene_models.shape_codes import Gaussian, Generator
from ecumene_models.shapes import Autoencoder, ShapeModel, ShapesConfig, load_shapes, save_shapes

CONFIG = ShapesConfig(("board", "pole"), latent=6, width=8, channels=12, hidden=8)


def model(*, gan: bool = False) -> ShapeModel:
    torch.manual_seed(0)
    if gan:
        generator = Generator(2, CONFIG.code, components=5, noise=4, hidden=8)
        generator.basis.normal_()
        return ShapeModel(Autoencoder(CONFIG), generator).eval()
    codes = torch.randn(40, CONFIG.code)
    return ShapeModel(Autoencoder(CONFIG), Gaussian.of(codes, torch.arange(40) % 2, 2)).eval()


def test_a_code_is_a_form_and_the_logarithm_of_its_size() -> None:
    points, size = torch.rand(3, 32, 3), torch.tensor([[1.0, 2.0, 0.5]]).expand(3, -1)
    code = model().autoencoder.encode(points, size)
    assert code.shape == (3, 9)
    assert torch.allclose(code[:, -3:].exp(), size)


def test_the_order_of_points_does_not_matter() -> None:
    points, size = torch.rand(1, 32, 3), torch.ones(1, 3)
    network = model().autoencoder
    assert torch.allclose(network.encode(points, size), network.encode(points.flip(1), size), atol=1e-5)


def test_depth_is_known_at_any_point_and_changes_little_between_near_ones() -> None:
    network = model().autoencoder
    code, points = torch.randn(CONFIG.code), torch.rand(50, 3)
    depth, near = network.depth(code, points), network.depth(code, points + 1e-4)
    assert depth.shape == (50,)
    assert float((depth - near).abs().max()) < 0.02
    assert float(depth.std()) > 0.0


@pytest.mark.parametrize("gan", [False, True])
def test_weights_come_back_and_draw_the_same(tmp_path: Path, gan: bool) -> None:
    made = model(gan=gan)
    save_shapes(made, tmp_path / "w.safetensors", {"seed": 0})
    again = load_shapes(tmp_path / "w.safetensors")
    assert torch.equal(made.draw("pole", 3), again.draw("pole", 3))
    assert not torch.equal(made.draw("pole", 3), made.draw("pole", 4))
    assert not torch.equal(made.draw("pole", 3), made.draw("board", 3))


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ShapeError, match="'dragon' can't be made; classes are board, pole"):
        model().draw("dragon", 0)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_shapes(model(), path)
    data = bytearray(path.read_bytes())
    data[-5] ^= 0x40
    path.write_bytes(bytes(data))
    with pytest.raises(WeightsError, match="damaged"):
        load_shapes(path)


@pytest.mark.parametrize("config", [{}, {"classes": ["a"], "generator": {"wings": 2}}, {"classes": 3, "generator": {}}])
def test_weights_of_an_unknown_network_are_refused(tmp_path: Path, config: dict[str, object]) -> None:
    path = tmp_path / "w.safetensors"
    checkpoint.write(path, model(), model="shapes", config=config)
    with pytest.raises(WeightsError, match="can't be built"):
        load_shapes(path)
