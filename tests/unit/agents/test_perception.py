from dataclasses import replace

import pytest
import torch

from ecumene_agents import perception
from ecumene_models.senses import SenseBatch
from ecumene_world.kinds import Category


def nothing() -> SenseBatch:
    senses = SenseBatch.zeros(1)
    return replace(senses, vision_depth=torch.full_like(senses.vision_depth, 30.0))


def test_what_is_in_view_is_told_nearest_first_and_on_its_side() -> None:
    senses = nothing()
    senses.vision_kind[0, 4, 0:3], senses.vision_depth[0, 4, 0:3] = int(Category.SEAT), 4.0
    senses.vision_kind[0, 3, 12], senses.vision_depth[0, 3, 12] = int(Category.VISITOR), 2.0
    senses.vision_kind[0, 2, 23], senses.vision_depth[0, 2, 23] = int(Category.BUILDING), 9.0
    assert perception.sight(senses) == (
        "I see a visitor 2 m away straight ahead, a seat 4 m away on my left and a building 9 m away on my right."
    )


def test_gaze_turns_what_is_seen() -> None:
    senses = nothing()
    senses.vision_kind[0, 4, 12] = int(Category.WATER)
    senses.body[0, 3] = 0.8
    assert "on my left" in perception.sight(senses)


def test_open_ground_is_nothing_to_tell() -> None:
    senses = nothing()
    senses.vision_kind[:] = int(Category.GROUND)
    assert perception.sight(senses) == "Nothing but open ground and sky."


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (0.0, 0.0, "quiet"),
        (0.2, 0.1, "something faint, from my left"),
        (0.4, 0.5, "something, from my right"),
        (0.8, 0.8, "something loud, straight ahead or behind"),
    ],
)
def test_sounds_have_a_strength_and_a_side(left: float, right: float, words: str) -> None:
    senses = nothing()
    senses.hearing[0, 0, 7, 3], senses.hearing[0, 1, 7, 3] = left, right
    assert words in perception.sound(senses)


def test_touch_names_the_parts_that_are_pressed_hardest_first() -> None:
    senses = nothing()
    assert "nothing else" in perception.touch(senses)
    senses.touch[0, 4], senses.touch[0, 2], senses.touch[0, 8] = 0.1, 0.5, 0.15
    assert perception.touch(senses) == (
        "I feel something pressing against my left side, something pressing against my back and something in my hand."
    )


@pytest.mark.parametrize(
    ("sense", "tell"), [("vision", perception.sight), ("hearing", perception.sound), ("touch", perception.touch)]
)
def test_a_missing_sense_is_admitted(sense: str, tell: perception.Teller) -> None:
    assert "can't" in tell(nothing().without(sense))
