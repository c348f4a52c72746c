from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ecumene_models import checkpoint
from ecumene_models.errors import ShapeError, WeightsError
from ecumene_models.shape_codes import Gaussian, Generator, Kernels
from ecumene_models.shape_diffusion import Diffusion
from ecumene_models.shapes import PRIORS, Autoencoder, Prior, ShapeModel, ShapesConfig, load_shapes, save_shapes

CONFIG = ShapesConfig(("board", "pole"), latent=6, width=8, channels=12, hidden=8)


def prior_named(name: str) -> Prior:
    codes, kinds = torch.randn(40, CONFIG.code), torch.arange(40) % 2
    if name == "gaussian":
        return Gaussian.of(codes, kinds, 2)
    if name == "kernels":
        return Kernels.of(codes, kinds, 2)
    if name == "diffusion":
        diffusion = Diffusion(2, CONFIG.code, components=5, hidden=8, levels=4)
        diffusion.basis.normal_()
        return diffusion
    generator = Generator(2, CONFIG.code, components=5, noise=4, hidden=8, residual=name == "corrected")
    generator.basis.normal_()
    if generator.base is not None:
        generator.base.load_state_dict(Gaussian.of(codes[:, :5], kinds, 2).state_dict())
    return generator


def model(name: str = "gaussian") -> ShapeModel:
    torch.manual_seed(0)
    return ShapeModel(Autoencoder(CONFIG), prior_named(name)).eval()


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


@pytest.mark.parametrize("name", [*PRIORS, "corrected"])
def test_weights_come_back_and_draw_the_same(tmp_path: Path, name: str) -> None:
    made = model(name)
    save_shapes(made, tmp_path / "w.safetensors", {"seed": 0})
    again = load_shapes(tmp_path / "w.safetensors")
    assert torch.equal(made.draw("pole", 3), again.draw("pole", 3))
    assert not torch.equal(made.draw("pole", 3), made.draw("pole", 4))
    assert not torch.equal(made.draw("pole", 3), made.draw("board", 3))


def test_finer_planes_have_twice_as_many_cells_an_edge() -> None:
    torch.manual_seed(0)
    for doublings, cells in ((3, 32), (4, 64)):
        network = Autoencoder(replace(CONFIG, doublings=doublings))
        assert network.decoder.planes(torch.zeros(1, CONFIG.code)).shape == (1, 3, 3, cells, cells)


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


@pytest.mark.parametrize("config", [{}, {"classes": ["a"], "prior": {"name": "wings"}}, {"classes": 3, "prior": {}}])
def test_weights_of_an_unknown_network_are_refused(tmp_path: Path, config: dict[str, object]) -> None:
    path = tmp_path / "w.safetensors"
    checkpoint.write(path, model(), model="shapes", config=config)
    with pytest.raises(WeightsError, match="can't be built"):
        load_shapes(path)
