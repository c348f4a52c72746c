import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.unit.world.perceived import digits, spoken

from ecumene_models.percepts import TouchMap
from ecumene_world.errors import ImportFailed
from ecumene_world.learning.perceiving import (
    Difficulty,
    Part,
    examples,
    felt,
    heard,
    load_digits,
    pink,
    seen,
    split,
    varied,
)

CLEAR = Difficulty(covers=0, grain=0.0, signal_db=(60.0, 60.0), glimpses=200, tremor=0.0, drift=0.0)


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def part() -> Part:
    return split(digits(), spoken(), 0)[0]


def test_digits_are_read_as_ink(tmp_path: Path) -> None:
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(gzip.compress(f"{','.join(['16'] * 64)},7\n{','.join(['0'] * 64)},2\n".encode()))
    found = load_digits(path)
    assert found.digit.tolist() == [7, 2]
    assert torch.equal(found.image, torch.stack((torch.ones(8, 8), torch.zeros(8, 8))))


@pytest.mark.parametrize("text", ["1,2,3\n", "one,two\n"])
def test_other_tables_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    with pytest.raises(ImportFailed, match=r"digits\.csv\.gz"):
        load_digits(path)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "digits.csv.gz").write_bytes(b"nothing")
    with pytest.raises(ImportFailed):
        load_digits(tmp_path / "digits.csv.gz")


def test_no_image_and_no_voice_is_in_two_parts() -> None:
    marked, voices = digits(), spoken()
    sound = voices.sound + 10.0 * voices.voice[:, None]
    parts = split(marked, replace(voices, sound=sound.astype(np.float32)), 3)
    images = [{float(image.sum()) for image in part.image} for part in parts]
    heard_from = [set((part.sound[:, -1] / 10).round().long().tolist()) for part in parts]
    assert [len(found) for found in images] == [60, 10, 30]
    assert [len(found) for found in heard_from] == [6, 1, 3]
    assert len(set.union(*images)) == 100
    assert set.union(*heard_from) == set(range(10))
    other = split(marked, voices, 4)[0]
    assert {float(image.sum()) for image in other.image} != images[0]


def test_each_digit_is_heard_by_its_own_sound(part: Part) -> None:
    frames = heard(part, torch.arange(10), CLEAR, draw())
    loudest = frames.amax(1).argmax(1)
    assert bool((loudest.diff() >= 0).all())
    assert len(set(loudest.tolist())) >= 7


def test_noise_hides_speech_as_its_level_says(part: Part) -> None:
    clear, faint, gone = (
        heard(part, torch.arange(10), replace(CLEAR, signal_db=(level, level)), draw(1)) for level in (60.0, 0.0, -60.0)
    )
    noise = heard(part, torch.arange(10), replace(CLEAR, signal_db=(-90.0, -90.0)), draw(1))
    assert float((gone - noise).abs().mean()) < 0.01
    assert float((faint - noise).abs().mean()) < float((clear - noise).abs().mean())


def test_pink_noise_falls_by_three_decibels_an_octave() -> None:
    power = torch.fft.rfft(pink(1 << 16, draw())).abs().square()
    octaves = torch.stack([power[2**step : 2 ** (step + 1)].mean() for step in range(6, 15)]).log2()
    assert abs(float(octaves.diff().mean()) + 1.0) < 0.1
    assert abs(float(pink(1 << 14, draw()).square().mean()) - 1.0) < 1e-4


def test_what_is_covered_is_not_seen() -> None:
    image = torch.full((50, 8, 8), 0.5)
    ink, hidden = seen(image, replace(CLEAR, covers=1, cover=(3, 5)), draw()).unbind(1)
    assert torch.equal(ink, torch.where(hidden > 0, 0.0, 0.5))
    area = hidden.sum((1, 2))
    assert 9 <= float(area.min()) <= float(area.max()) <= 25
    assert float(hidden.mean(0).min()) > 0, "any pixel may be covered"


def test_grain_is_as_strong_as_it_says() -> None:
    ink = seen(torch.zeros(200, 8, 8), replace(CLEAR, grain=0.3), draw())[:, 0]
    assert abs(float(ink.std()) - 0.3) < 0.02


def test_many_still_touches_feel_the_whole_image() -> None:
    image = digits(6).image
    smooth = torch.nn.functional.avg_pool2d(image, 3, stride=1, padding=1, count_include_pad=False)
    pressure, near = TouchMap()(felt(smooth, CLEAR, draw())).unbind(1)
    inner = near[:, 1:7, 1:7] > 1.0
    assert float(inner.float().mean()) > 0.9
    both = torch.stack((pressure[:, 1:7, 1:7][inner], smooth[:, 1:7, 1:7][inner]))
    assert float(torch.corrcoef(both)[0, 1]) > 0.9


def test_training_images_vary_and_stay_themselves() -> None:
    image = torch.zeros(200, 8, 8)
    image[:, 2:6, 3:5] = 1.0
    moved = varied(image, draw())
    assert moved.shape == image.shape
    assert not torch.allclose(moved[0], moved[1], atol=0.05)
    assert float((moved.mean(0) - image[0]).abs().max()) < 0.4


def test_examples_repeat_and_differ_each_time(part: Part) -> None:
    found, kinds = examples(part, Difficulty(), 2, 5)
    again, _ = examples(part, Difficulty(), 2, 5)
    assert len(found) == 120
    assert torch.equal(kinds, part.digit.repeat(2))
    assert torch.equal(found.frames, again.frames)
    assert not torch.equal(found.image[:60], found.image[60:])
    assert bool(found.present.all())
