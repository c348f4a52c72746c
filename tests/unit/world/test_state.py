from typing import Any

import pytest
import torch
from tests.unit.world.scenes import compiled, field, yard

from ecumene_world.state import DT, MAX_SLOTS, TICK_HZ, State


@pytest.fixture
def state() -> State:
    return State.empty(2, 3, compiled(yard()))


def test_a_tick_lasts_a_twentieth_of_a_second() -> None:
    assert DT * TICK_HZ == 1.0


def test_every_column_starts_with_worlds(state: State) -> None:
    assert all(tensor.shape[0] == 2 for tensor in state.fields().values())
    assert state.position.shape == (2, 3, 3)
    assert state.contact.shape == (2, 3, 8)
    assert state.thing_state.shape == (2, 3)
    assert (state.worlds, state.slots) == (2, 3)


def test_more_slots_keep_who_is_there_and_add_free_ones(state: State) -> None:
    state.alive[:, 1], state.position[1, 1, 0], state.serial[0, 2] = True, 7.5, 4
    wider, fresh = state.with_slots(5), State.empty(2, 5, compiled(yard()))
    for name, column in wider.fields().items():
        assert column.shape == getattr(fresh, name).shape
        if column.shape[1:2] == (5,):
            assert torch.equal(column[:, :3], getattr(state, name))
            assert torch.equal(column[:, 3:], getattr(fresh, name)[:, 3:])
    wider.position[:] = 0
    assert state.position[1, 1, 0] == 7.5, "it is a copy"


def test_bodies_start_with_usual_measures_and_nothing_in_hand(state: State) -> None:
    first: dict[str, Any] = {name: column[0, 0].tolist() for name, column in state.fields().items() if name != "tick"}
    assert (first["radius"], first["mass"], first["max_speed"]) == pytest.approx((0.25, 70, 1.4))
    assert {first[name] for name in ("seat", "held", "target", "place")} == {-1}
    assert first["needs"] == [1, 1, 1, 1]
    assert first["sense_present"] == [True, True, True]
    assert not first["alive"]


def test_things_start_at_rest_where_the_layout_has_them(state: State) -> None:
    layout = compiled(yard())
    for world in (0, 1):
        assert torch.equal(state.thing_position[world], layout.thing_position)
        assert (state.thing_holder[world] == -1).all()


def test_a_world_without_things_has_empty_columns() -> None:
    assert State.empty(1, 1, compiled(field())).thing_position.shape == (1, 0, 3)


def test_worlds_do_not_share_memory(state: State) -> None:
    state.thing_position[0] = 9
    assert not (state.thing_position[1] == 9).any()


def test_a_clone_is_independent_and_copying_is_in_place(state: State) -> None:
    twin = state.clone()
    column = state.position
    twin.position += 1
    assert (state.position == 0).all()
    assert state.copy_(twin) is state
    assert state.position is column
    assert (column == 1).all()


def test_an_entity_id_names_slot_and_serial(state: State) -> None:
    state.serial[1, 2] = 5
    assert state.entity_id(1, 2) == (5 << 16) | 2
    assert state.entity_id(0, 2) == 2


def test_resetting_a_slot_restores_all_but_its_serial(state: State) -> None:
    fresh = state.clone()
    for name, tensor in state.fields().items():
        if name != "tick" and not name.startswith("thing_"):
            tensor[1, 2] = 1
    state.reset_slot(1, 2)
    assert state.serial[1, 2] == 1
    state.serial[1, 2] = 0
    for name, tensor in state.fields().items():
        assert torch.equal(tensor, getattr(fresh, name)), name


def test_moving_to_a_device_moves_everything(state: State) -> None:
    assert {tensor.device.type for tensor in state.to("meta").fields().values()} == {"meta"}
    assert state.device.type == "cpu"


def test_slots_fit_into_an_entity_id() -> None:
    with pytest.raises(AssertionError, match="slots must be"):
        State.empty(1, MAX_SLOTS + 1, compiled(field()))
