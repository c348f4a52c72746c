from math import pi

import numpy as np
import pytest

from ecumene_world.pose import IDENTITY, Pose

ASKEW = Pose((1.0, -2.0, 3.0), (0.5, 0.5, 0.5, 0.5), 2.0)
TURNED = Pose.at(4, 5, 6, yaw=pi / 3)


def test_a_pose_faces_its_yaw() -> None:
    assert TURNED.yaw == pytest.approx(pi / 3)
    assert TURNED.apply((1, 0, 0)) == pytest.approx((4.5, 5 + 3**0.5 / 2, 6))


def test_composing_is_multiplying_matrices() -> None:
    np.testing.assert_allclose(ASKEW.compose(TURNED).matrix(), ASKEW.matrix() @ TURNED.matrix(), atol=1e-12)


def test_composing_is_associative_and_has_a_neutral_element() -> None:
    left, right = ASKEW.compose(TURNED).compose(ASKEW), ASKEW.compose(TURNED.compose(ASKEW))
    np.testing.assert_allclose(left.matrix(), right.matrix(), atol=1e-12)
    assert IDENTITY.compose(ASKEW) == ASKEW == ASKEW.compose(IDENTITY)


def test_the_inverse_undoes_from_both_sides() -> None:
    for product in (ASKEW.compose(ASKEW.inverse()), ASKEW.inverse().compose(ASKEW)):
        np.testing.assert_allclose(product.matrix(), np.eye(4), atol=1e-12)


def test_a_point_is_moved_as_by_the_matrix() -> None:
    moved = ASKEW.matrix() @ [0.3, -0.7, 2.0, 1.0]
    assert ASKEW.apply((0.3, -0.7, 2.0)) == pytest.approx(moved[:3].tolist())


def test_whole_numbers_become_floats_so_that_equal_poses_hash_alike() -> None:
    assert repr(Pose((1, 2, 3), (1, 0, 0, 0), 1)) == repr(Pose((1.0, 2.0, 3.0)))


def test_normalising_gives_a_rotation_of_length_one() -> None:
    w, x, y, z = Pose(rotation=(2.0, 0.0, 0.0, 2.0)).normalised().rotation
    assert (w, x, y, z) == pytest.approx((0.5**0.5, 0, 0, 0.5**0.5))


@pytest.mark.parametrize(
    "broken", [Pose((float("nan"), 0, 0)), Pose(scale=float("inf")), Pose(rotation=(float("nan"), 0, 0, 0))]
)
def test_finite_sees_every_number(broken: Pose) -> None:
    assert IDENTITY.finite
    assert not broken.finite
