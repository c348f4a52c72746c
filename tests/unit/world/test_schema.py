from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import pytest

from ecumene_world import schema
from ecumene_world.errors import CommandError
from ecumene_world.plain import JSON
from ecumene_world.pose import Pose


class Colour(IntEnum):
    RED = 0
    BLUE = 1


@dataclass(frozen=True)
class Sample:
    text: str
    count: int = 0
    share: float = 0.0
    flag: bool = False
    point: tuple[float, float] | None = None
    colour: Colour = Colour.RED
    word: Literal["yes", "no"] = "yes"
    value: float | int | bool | str = 0
    pose: Pose = Pose()  # noqa: RUF009
    data: Mapping[str, JSON] | None = None


FULL = Sample("a", 1, 0.5, True, (1.0, 2.0), Colour.BLUE, "no", "x", Pose.at(1, 2), {"a": [1, {"b": None}]})


@pytest.mark.parametrize("sample", [Sample("a"), FULL])
def test_a_record_restores_the_dataclass(sample: Sample) -> None:
    assert schema.from_record(Sample, schema.to_record(sample), "sample") == sample
    schema.check(sample, "sample")


def test_records_are_plain() -> None:
    record = schema.to_record(FULL)
    assert record["point"] == [1.0, 2.0]
    assert type(record["colour"]) is int
    assert record["pose"] == {"position": [1.0, 2.0, 0.0], "rotation": [1.0, 0.0, 0.0, 0.0], "scale": 1.0}


def test_whole_numbers_may_stand_for_floats_and_nothing_else_is_coerced() -> None:
    sample = schema.from_record(Sample, {"text": "a", "share": 3, "point": [1, 2]}, "sample")
    assert (sample.share, sample.point) == (3.0, (1.0, 2.0))
    assert type(sample.share) is float


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("text", 3, "'text' of sample must be text, not 3"),
        ("text", "\udc00", "half a character"),
        ("text", "x" * 20_001, "characters"),
        ("count", 1.0, "'count' of sample must be a whole number"),
        ("count", True, "whole number"),
        ("count", 2**64, "whole number"),
        ("share", "1", "must be a number"),
        ("share", float("nan"), "finite number, not nan"),
        ("share", float("inf"), "finite"),
        ("share", 10**400, "finite"),
        ("flag", 1, "true or false"),
        ("point", [1.0], "list of 2"),
        ("point", [1.0, float("nan")], "finite"),
        ("point", {"x": 1}, "list of 2"),
        ("colour", 7, "one of 0 red, 1 blue, not 7"),
        ("colour", "red", "whole number"),
        ("word", "maybe", "one of 'yes', 'no'"),
        ("word", ["yes"], "one of"),
        ("value", None, "must be text"),
        ("value", [1], "must be text"),
        ("pose", {"position": [0, 0]}, "list of 3"),
        ("pose", {"turn": 1}, "unknown field 'turn'"),
        ("data", [1], "must be an object"),
        ("data", {"a": float("nan")}, "finite"),
        ("data", {1: 2}, "must be text"),
        ("surprise", 1, "sample has the unknown field 'surprise'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(field: str, value: Any, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        schema.from_record(Sample, {"text": "a", field: value}, "sample")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(CommandError, match="sample lacks the field 'text'"):
        schema.from_record(Sample, {}, "sample")


def test_a_record_is_an_object() -> None:
    with pytest.raises(CommandError, match="sample must be an object, not 3"):
        schema.from_record(Sample, 3, "sample")


def test_deep_data_is_refused_without_recursing_far() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CommandError, match="nests too deeply"):
        schema.from_record(Sample, {"text": "a", "data": {"a": deep}}, "sample")
    with pytest.raises(CommandError, match="nests too deeply"):
        schema.check(Sample("a", data={"a": deep}), "sample")


def test_checking_finds_wrong_values_in_objects_too() -> None:
    with pytest.raises(CommandError, match="'count' of sample"):
        schema.check(Sample("a", count="1"), "sample")  # type: ignore[arg-type]
    with pytest.raises(CommandError, match="'scale'"):
        schema.check(Sample("a", pose=Pose(scale=float("nan"))), "sample")
