from typing import Any

import numpy as np
import pytest

from ecumene_world.errors import GraphError
from ecumene_world.plain import MAX_ITEMS, MAX_TEXT, plain_mapping, shown


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_scalars_and_lists_are_copied_as_they_are() -> None:
    given = {"a": 1, "b": [1.5, "x", None, True, [2]]}
    copy = plain_mapping(given, "attributes")
    assert copy == given
    assert copy["b"] is not given["b"]


def test_tuples_and_numpy_scalars_become_plain() -> None:
    copy = plain_mapping({"a": (np.float32(0.5), np.int64(3), np.bool_(True))[:2]}, "attributes")
    assert copy == {"a": [0.5, 3]}
    assert [type(item) for item in copy["a"]] == [float, int]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "'k' in attributes is nan; numbers must be finite"),
        (float("-inf"), "finite"),
        ({"nested": 1}, "only numbers, text, true, false and lists"),
        (np.zeros(3), "only numbers, text"),
        (object(), "only numbers, text"),
        (2**70, "beyond"),
        (deep(9), "nests deeper than 8 lists"),
        ("x" * (MAX_TEXT + 1), "characters"),
        ("\ud800", "half a character"),
        ([0] * (MAX_ITEMS + 1), "more than"),
    ],
)
def test_what_json_cannot_carry_is_refused(value: object, sentence: str) -> None:
    with pytest.raises(GraphError, match=sentence):
        plain_mapping({"k": value}, "attributes")


def test_keys_must_be_text() -> None:
    with pytest.raises(GraphError, match="keys must be text"):
        plain_mapping({3: 1}, "attributes")


def test_only_mappings_are_mappings() -> None:
    with pytest.raises(GraphError, match="must be an object"):
        plain_mapping([1], "attributes")


def test_long_values_are_shown_short() -> None:
    assert len(shown("x" * 1000)) == 80
    assert shown(list(range(100))) == "a list of 100 items"
    assert shown(7) == "7"
