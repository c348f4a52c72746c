"""A learning curve shows what a log says, and its picture has the lines in it."""

import json
from pathlib import Path

import pytest
from PIL import Image

from ecumene_scenarios import chart


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    reports = [
        {
            "iteration": index + 1,
            "period": index // 2,
            "stage": "clone" if index < 2 else "improve",
            "decisions": 500_000 * (index + 1),
            "numbers": {"goto/success": 0.25 * index, "goto/collisions_per_agent_minute": 4.0 - index, "kl": 0.1},
        }
        for index in range(5)
    ]
    path.write_text("".join(json.dumps(report) + "\n" for report in reports))
    return path


def test_a_point_is_the_last_word_on_an_arena(log: Path) -> None:
    success, collisions = chart.learning_curve(log, {("goto", "success"): 0.9})
    assert success.lines == [chart.Line("goto", [(1.0, 0.25), (2.0, 0.75), (2.5, 1.0)], 0.9)]
    assert collisions.lines[0].points == [(1.0, 3.0), (2.0, 1.0), (2.5, 0.0)]
    assert collisions.lines[0].level is None
    assert success.mark == (1.5, "PPO")


def test_the_picture_shows_lines_and_levels(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "curve.png"
    chart.save(path, chart.learning_curve(log, {("goto", "success"): 0.9}), x_label="million decisions")
    with Image.open(path) as image:
        colours = image.convert("RGB").getcolors(1 << 16)
    assert image.size == (1240, 400)
    assert colours is not None
    blue = sum(count for count, colour in colours if colour == (46, 98, 170))
    assert blue > 800


@pytest.mark.parametrize(
    ("end", "expected"),
    [(2.5, [0, 0.5, 1, 1.5, 2, 2.5]), (1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (0.83, [0, 0.2, 0.4, 0.6, 0.8])],
)
def test_axes_have_round_numbers(end: float, expected: list[float]) -> None:
    assert chart.rounds(end) == pytest.approx(expected)
