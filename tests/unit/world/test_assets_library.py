from collections.abc import Iterator

import numpy as np
import pytest

from ecumene_world.assets.asset import Asset
from ecumene_world.assets.library import build, kinds, parameters, variants
from ecumene_world.assets.raster import Camera, Raster
from ecumene_world.errors import GraphError, UnknownKindError
from ecumene_world.kinds import BY_NAME, Interaction, Motion

ON_WALLS = {"window", "painting", "alarm_button", "blackboard"}
NO_MESH = {"world", "place", "room", "ground", "floor", "street", "square", "lawn", "mesh", "cluster"}
BUDGETS = {"broadleaf_tree": 220, "conifer_tree": 220, "bench": 150, "street_lamp": 150, "car": 500, "house": 900}
FURNITURE_BUDGET = 300
WHATEVER_BUDGET = 1500


def every_variant() -> Iterator[Asset]:
    for kind in kinds():
        for seed in range(variants(kind)):
            yield build(kind, seed)


def test_every_physical_kind_has_a_mesh() -> None:
    assert set(kinds()) == set(BY_NAME) - NO_MESH


def test_meshes_are_sound() -> None:
    for asset in every_variant():
        asset.mesh.validate()
        assert len(asset.mesh.faces) > 0, asset.kind
        assert (np.linalg.norm(asset.mesh.normals, axis=1) > 0.9).all(), f"{asset.kind} has faces without area"
        assert asset.mesh.volume_m3 > 0, f"{asset.kind} is inside out"
        low, high = asset.mesh.bounds
        np.testing.assert_allclose(asset.size, high - low, atol=1e-5)


def test_things_stand_on_the_floor_or_hang_by_their_back() -> None:
    for asset in every_variant():
        low, high = asset.mesh.bounds
        if asset.kind in ON_WALLS:
            assert abs(low[0]) < 1e-3, asset.kind
        else:
            assert abs(low[2]) < 0.02, (asset.kind, low[2])
        assert (low[:2] <= 1e-3).all(), f"the origin lies outside of {asset.kind}"
        assert (high[:2] >= -1e-3).all(), f"the origin lies outside of {asset.kind}"


def test_triangle_budgets() -> None:
    for asset in every_variant():
        code = BY_NAME[asset.kind].code
        budget = BUDGETS.get(asset.kind, FURNITURE_BUDGET if 100 <= code < 150 else WHATEVER_BUDGET)
        if asset.kind == "rug":
            budget = 500
        assert len(asset.mesh.faces) <= budget, (asset.kind, len(asset.mesh.faces))


def test_colliders_lie_within_what_is_seen() -> None:
    for asset in every_variant():
        low, high = asset.mesh.bounds
        for collider in asset.colliders:
            half = np.array(collider.size) / 2
            assert (np.array(collider.centre) - half >= low - 0.13).all(), (asset.kind, collider)
            assert (np.array(collider.centre) + half <= high + 0.13).all(), (asset.kind, collider)


def test_obstacles_are_solid_and_ghosts_are_not() -> None:
    for asset in every_variant():
        motion = BY_NAME[asset.kind].motion
        if motion in (Motion.OBSTACLE, Motion.DOOR, Motion.AVATAR):
            assert asset.colliders, asset.kind
        if motion in (Motion.GHOST, Motion.SURFACE) and asset.kind != "mesh":
            assert not asset.colliders, asset.kind


def test_what_can_be_sat_on_has_seats_at_a_sensible_height() -> None:
    for asset in every_variant():
        if BY_NAME[asset.kind].interaction in (Interaction.SIT, Interaction.LIE):
            assert asset.seats, asset.kind
        for seat in asset.seats:
            assert 0.35 <= seat.position[2] <= 0.8, (asset.kind, seat)


@pytest.mark.parametrize("kind", kinds())
def test_front_faces_cover_the_whole_silhouette(kind: str) -> None:
    """A face wound the wrong way would leave a hole."""
    asset = build(kind, 0)
    triangles = asset.mesh.triangles.astype(np.float64)
    for yaw, pitch in ((0.5, 0.4), (-0.7, 0.7)):
        camera = Camera.orbit(asset.mesh.bounds, yaw, pitch)
        front = Raster.of(triangles, camera, 96, 96).face >= 0
        whole = Raster.of(triangles, camera, 96, 96, both_sides=True).face >= 0
        assert (whole & ~front).sum() <= 0.01 * whole.sum() + 2


def test_the_same_request_returns_the_same_object() -> None:
    assert build("bench", 1) is build("bench", 1 + variants("bench"))
    assert build("bench", 1, {"width_m": 2.0}) is build("bench", 1, {"width_m": 2.0})


def test_variants_differ() -> None:
    for kind in kinds():
        meshes = [build(kind, seed).mesh for seed in range(variants(kind))]
        looks = {(mesh.vertices.tobytes(), mesh.colours.tobytes()) for mesh in meshes}
        assert len(looks) == variants(kind), kind


def test_meshes_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        build("bench").mesh.vertices[0] = 0


@pytest.mark.parametrize("kind", kinds())
def test_parameters_hold_at_both_ends_of_their_range(kind: str) -> None:
    for name, accepted in parameters(kind).items():
        values: tuple[float | str, ...] = ("#2040c0",) if accepted is None else accepted
        for value in values:
            asset = build(kind, 1, {name: value})
            asset.mesh.validate()
            assert asset.mesh.volume_m3 > 0, (name, value)


def test_sizes_are_obeyed() -> None:
    assert build("fence", 0, {"length_m": 5.0}).size[0] == pytest.approx(5.0, abs=0.1)
    assert build("wardrobe", 0, {"width_m": 1.8}).size[1] == pytest.approx(1.9, abs=0.05)
    assert build("stairs", 0, {"height_m": 2.0, "length_m": 3.0}).size[2] == pytest.approx(2.06, abs=0.01)
    assert build("broadleaf_tree", 0, {"height_m": 12.0}).size[2] == pytest.approx(12.0, rel=0.12)


def test_a_colour_parameter_paints() -> None:
    assert (build("car", 0, {"colour": "#0a141e"}).mesh.colours == [10, 20, 30]).all(1).any()


@pytest.mark.parametrize(
    ("kind", "params", "message"),
    [
        ("room", {}, "'room' has no mesh"),
        ("bench", {"size": 3.0}, "'size' is not a parameter of 'bench', which accepts colour, style, width_m"),
        ("bench", {"width_m": 99.0}, "width_m of 'bench' is 99.0; a number from 0.8 to 4.0 is accepted"),
        ("bench", {"width_m": "wide"}, "a number from 0.8 to 4.0"),
        ("bench", {"width_m": float("nan")}, "a number from 0.8 to 4.0"),
        ("bench", {"style": "gold"}, "'iron' or 'plank' or 'stone' is accepted"),
        ("bench", {"colour": "red"}, "a colour such as '#c46a4a' is accepted"),
        ("bench", {"colour": 3.0}, "a colour such as '#c46a4a' is accepted"),
        ("bollard", {"style": "iron"}, "which accepts colour, height_m"),
    ],
)
def test_wrong_requests_say_what_would_be_right(kind: str, params: dict[str, float | str], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        build(kind, 0, params)


def test_a_misspelt_kind_gets_a_suggestion() -> None:
    with pytest.raises(UnknownKindError, match="did you mean 'fountain'"):
        build("fontain")
    with pytest.raises(GraphError):
        variants("fontain")
