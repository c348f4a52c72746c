"""Angles and body sectors."""

import math

import pytest
import torch

from ecumene_sim.angles import into_frame, out_of_frame, sector, wrap


def test_wrapped_angles_point_the_same_way_and_lie_within_half_a_turn() -> None:
    angles = torch.linspace(-40, 40, 1001)
    wrapped = wrap(angles)
    assert wrapped.abs().max() <= math.pi + 1e-5
    assert torch.allclose(wrapped.cos(), angles.cos(), atol=1e-5)
    assert torch.allclose(wrapped.sin(), angles.sin(), atol=1e-5)


def test_left_of_a_body_that_faces_north_is_west() -> None:
    yaw = torch.tensor(math.pi / 2)
    ahead, left = into_frame(torch.tensor(-1.0), torch.tensor(0.0), yaw.cos(), yaw.sin())
    assert [float(ahead), float(left)] == pytest.approx([0, 1], abs=1e-6)


def test_into_a_frame_and_out_again_is_the_same_vector() -> None:
    x, y, yaw = torch.randn(3, 50, generator=torch.Generator().manual_seed(0))
    back = out_of_frame(*into_frame(x, y, yaw.cos(), yaw.sin()), yaw.cos(), yaw.sin())
    assert torch.allclose(torch.stack(back), torch.stack((x, y)), atol=1e-5)


@pytest.mark.parametrize("degrees", [*range(0, 360, 45), 20, -20, 25, 155, -155, 160, 200])
def test_sectors_are_centred_ahead_and_count_counter_clockwise(degrees: int) -> None:
    angle = torch.tensor(math.radians(degrees))
    assert int(sector(angle.cos(), angle.sin())) == round((degrees % 360) / 45) % 8
