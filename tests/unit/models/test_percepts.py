import math

import torch
from tests.unit.models.percept_rows import random_percepts

from ecumene_models.percepts import (
    IMAGE_TOKENS,
    MELS,
    SOUND_TOKENS,
    ImageEncoder,
    LogMel,
    Percepts,
    SoundEncoder,
    TouchMap,
    mel_filters,
)
from ecumene_models.senses import SENSES


def tone(hz: float, samples: int = 2048, rate_hz: int = 8000) -> torch.Tensor:
    return torch.sin(2 * math.pi * hz * torch.arange(samples) / rate_hz)


def test_a_higher_tone_sounds_in_a_higher_band() -> None:
    frames = LogMel(8000)(torch.stack([tone(hz) for hz in (200.0, 600.0, 1500.0, 3500.0)]))
    assert frames.shape == (4, 15, MELS)
    loudest = frames.mean(1).argmax(1)
    assert loudest.tolist() == sorted(set(loudest.tolist()))


def test_frames_agree_with_a_plain_transform_of_each_piece() -> None:
    wave, mel = torch.randn(1, 640, generator=torch.Generator().manual_seed(0)), LogMel(8000)
    window = torch.hann_window(256)
    rows = []
    for start in range(0, 640 - 255, 128):
        spectrum = torch.fft.fft(wave[0, start : start + 256] * window)[:129]
        rows.append(((spectrum.abs() ** 2) @ mel.filters + 1e-3).log())
    expected = torch.stack(rows)
    assert torch.allclose(mel(wave)[0], 0.5 * (expected - expected.mean()), atol=1e-4)


def test_loudness_of_the_whole_counts_little_and_other_rows_not_at_all() -> None:
    waves = torch.randn(3, 1024, generator=torch.Generator().manual_seed(1))
    frames = LogMel(8000)(waves)
    assert torch.allclose(frames[1], LogMel(8000)(waves[1:2])[0], atol=1e-5)
    assert float((LogMel(8000)(20 * waves) - frames).abs().max()) < 0.05


def test_silence_has_finite_frames() -> None:
    assert bool(LogMel(8000)(torch.zeros(2, 512)).isfinite().all())


def test_every_band_hears_something_and_their_tops_rise() -> None:
    filters = mel_filters(8000, 256, MELS)
    assert filters.shape == (129, MELS)
    assert bool((filters.sum(0) > 0).all())
    assert bool((filters.argmax(0).diff() > 0).all())


def test_encoders_give_their_tokens() -> None:
    percepts = random_percepts(6, glimpses=7)
    assert ImageEncoder(16)(percepts.image).shape == (6, IMAGE_TOKENS, 16)
    assert SoundEncoder(16)(percepts.frames).shape == (6, SOUND_TOKENS, 16)
    assert TouchMap()(percepts.glimpses).shape == percepts.image.shape


def test_each_quarter_of_an_image_has_a_token_of_its_own() -> None:
    encoder, image = ImageEncoder(16), random_percepts(1).image
    changed = image.clone()
    changed[..., 7, 7] += 5.0
    moved = (encoder(changed) - encoder(image)).detach().abs().amax(-1)[0]
    assert float(moved[3]) > 0
    assert float(moved[:3].max()) == 0.0


def sweep(x: float, y: float, along_x: float, pressure: float) -> torch.Tensor:
    """A glimpse of even pressure that begins at a place and heads along x or y."""
    return torch.tensor([x, y, along_x, 1.0 - along_x, *[pressure] * 4])


def test_what_was_felt_lies_where_the_finger_was() -> None:
    glimpses = torch.stack([sweep(-1.0, -1.0, 1.0, 1.0), sweep(1.0, 0.0, 0.0, 0.0)])[None]
    pressure, near = TouchMap()(glimpses)[0]
    assert bool((pressure[0, :3] > 0.8).all()), "ink along the first row, from the left"
    assert bool((near[4:7, 7] > 0.8).all()), "the finger went down the last column"
    assert float(pressure[4:7, 7].max()) < 0.01, "and felt nothing there"
    assert float(near[6, 1]) < 0.01, "nobody touched the lower left"


def test_the_order_of_glimpses_does_not_count() -> None:
    glimpses = random_percepts(3).glimpses
    assert torch.allclose(TouchMap()(glimpses), TouchMap()(glimpses.flip(1)), atol=1e-5)


def test_the_map_keeps_up_with_what_the_finger_feels() -> None:
    flat = torch.stack([sweep(-0.9 + 0.3 * i, -1.0 + 0.2 * i, 0.0, 0.5) for i in range(6)])[None]
    pressure, near = TouchMap()(flat)[0]
    assert torch.allclose(pressure[near > 1.0], torch.tensor(0.5), atol=0.06)


def test_percepts_are_cut_joined_and_masked() -> None:
    percepts = random_percepts(7, present=0.7)
    joined = Percepts.cat(list(percepts.chunks(3)))
    assert len(joined) == 7
    assert torch.equal(joined.frames, percepts.frames)
    kept = percepts.only("touch")
    assert not bool(kept.present[:, :2].any())
    assert torch.equal(kept.present[:, 2], percepts.present[:, SENSES.index("touch")])
    assert torch.equal(percepts.rows(slice(2, 4)).to("cpu").image, percepts.image[2:4])
