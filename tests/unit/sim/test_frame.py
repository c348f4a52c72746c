"""What goes in and comes out of a tick."""

import pytest
import torch

from ecumene_sim import Actions, ActionsError


def test_floats_become_the_bytes_that_are_recorded() -> None:
    slots = torch.tensor([3, 1])
    actions = Actions.from_floats(
        slots,
        torch.tensor([[[1.0, -1.0], [0.5, 0.0]]]),
        torch.tensor([[0.25, -2.0]]),
        torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]]),
        torch.tensor([[1, 0]]),
        torch.tensor([[5, 0]]),
        torch.tensor([[0, 1]]),
    )
    assert actions.raw.tolist() == [[[127, -127, 32, 0, 127, 1, 5, 0], [64, 0, -127, -127, 0, 0, 0, 1]]]


def test_shares_beyond_one_are_cut() -> None:
    actions = Actions.from_floats(torch.tensor([0]), torch.tensor([[[9.0, -9.0]]]))
    assert actions.raw[0, 0, :2].tolist() == [127, -127]


def test_actions_of_nobody_have_no_rows() -> None:
    assert Actions.none(worlds=3).raw.shape == (3, 0, 8)


@pytest.mark.parametrize(
    ("slots", "raw", "message"),
    [
        (torch.zeros(2), torch.zeros(1, 2, 8, dtype=torch.int8), "slots must be (A,) int64, not (2,) torch.float32"),
        (torch.arange(2), torch.zeros(1, 3, 8, dtype=torch.int8), "raw must be (B, 2, 8) int8, not (1, 3, 8)"),
        (torch.arange(2), torch.zeros(1, 2, 8), "raw must be (B, 2, 8) int8, not (1, 2, 8) torch.float32"),
        (torch.arange(2), torch.zeros(2, 8, dtype=torch.int8), "raw must be (B, 2, 8) int8, not (2, 8)"),
    ],
)
def test_other_shapes_and_types_are_refused(slots: torch.Tensor, raw: torch.Tensor, message: str) -> None:
    with pytest.raises(ActionsError) as error:
        Actions(slots, raw)
    assert message in str(error.value)
