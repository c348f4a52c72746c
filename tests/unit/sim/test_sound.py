"""Waveforms, their log-mel signatures and how sounds run."""

import math
from itertools import pairwise

import pytest
import torch
from tests.unit.sim.rooms import Plan, put, walk, world_of

from ecumene_sim import Actions, Engine
from ecumene_sim.sound import LOOPS, SECONDS, VOICES, Signatures, log_mel, waveform
from ecumene_world.state import Sound


def tone(hertz: float, seconds: float = 0.5, strength: float = 1.0) -> torch.Tensor:
    return strength * (math.tau * hertz * torch.arange(int(16_000 * seconds)) / 16_000).sin()


def test_log_mel_has_a_frame_a_tick_and_sixteen_bands() -> None:
    assert log_mel(tone(440, 0.5)).shape == (10, 16)
    assert log_mel(tone(440, 0.51)).shape == (11, 16), "a tick that has begun counts"


def test_higher_tones_peak_in_higher_bands() -> None:
    peaks = [int(log_mel(tone(hertz))[5].argmax()) for hertz in (100, 300, 800, 2000, 5000)]
    assert peaks == sorted(set(peaks))


def test_twice_the_amplitude_is_six_decibels_more() -> None:
    rise = log_mel(tone(440)) - log_mel(tone(440, strength=0.5))
    assert rise[5, int(log_mel(tone(440))[5].argmax())] == pytest.approx(6.02, abs=0.01)


@pytest.mark.parametrize("sound", list(Sound))
def test_every_sound_is_the_same_each_time_and_fills_its_time(sound: Sound) -> None:
    first, again = waveform(sound, 1), waveform(sound, 1)
    assert torch.equal(first, again)
    assert len(first) == round(SECONDS[sound] * 16_000)
    assert first.isfinite().all()
    assert first.abs().max() == pytest.approx(0.0 if sound is Sound.SILENCE else 1.0)


def test_signatures_tell_all_sounds_apart() -> None:
    energy = Signatures.make(torch.device("cpu")).energy
    means = energy[::VOICES, :, :].sum(dim=1)[1:]
    shapes = means / means.norm(dim=1, keepdim=True)
    likeness = shapes @ shapes.t() - torch.eye(len(shapes))
    assert likeness.max() < 0.995, "no two sounds have the same spectrum"


def test_voices_differ_in_speech_and_calls() -> None:
    energy = Signatures.make(torch.device("cpu")).energy.view(len(Sound), VOICES, -1)
    for sound in (Sound.SPEECH, Sound.CALL):
        for voice in range(1, VOICES):
            assert not torch.allclose(energy[sound, 0], energy[sound, voice], atol=0.02)


def test_the_loudest_frame_of_each_sound_has_energy_one_and_its_end_is_silent() -> None:
    table = Signatures.make(torch.device("cpu"))
    for sound in list(Sound)[1:]:
        rows = table.energy[sound * VOICES]
        assert rows.sum(dim=1).max() == pytest.approx(1.0, abs=1e-5)
        assert not rows[int(table.ticks[sound]) :].any()
    assert not table.energy[:VOICES].any(), "silence is silent"


def test_walkers_are_heard_every_half_second_and_the_still_are_not() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    put(world, 1, 5, 15)
    engine, falls = Engine(world), []
    for tick in range(60):
        engine.step(walk(0))
        if world.state.sound[0, 0] == Sound.FOOTSTEP and world.state.sound_age[0, 0] == 1:
            falls.append(tick)
        assert world.state.sound[0, 1] == Sound.SILENCE
    assert len(falls) >= 5
    assert {b - a for a, b in pairwise(falls)} == {10}


def test_faster_feet_are_louder() -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    put(world, 1, 2, 15, visitor=True)
    engine = Engine(world)
    for _ in range(40):
        world.state.desired_velocity[0, 1] = torch.tensor([3.0, 0.0])
        engine.step(walk(0))
    assert world.state.loudness[0, 1] > world.state.loudness[0, 0] + 5


def test_speech_is_not_cut_off_by_footsteps_and_ends_by_itself() -> None:
    world = world_of(Plan())
    put(world, 0, 2, 5)
    world.state.sound[0, 0], world.state.loudness[0, 0] = int(Sound.SPEECH), 62.0
    engine = Engine(world)
    for _ in range(int(SECONDS[Sound.SPEECH] * 20)):
        engine.step(walk(0))
        assert world.state.sound[0, 0] == Sound.SPEECH
    for _ in range(20):
        engine.step(walk(0))
    assert int(world.state.sound[0, 0]) <= Sound.FOOTSTEP


@pytest.mark.parametrize("sound", sorted(LOOPS))
def test_loops_go_on(sound: Sound) -> None:
    world = world_of(Plan())
    put(world, 0, 5, 5)
    world.state.sound[0, 0] = int(sound)
    engine = Engine(world)
    for _ in range(150):
        engine.step(Actions.none())
    assert world.state.sound[0, 0] == sound
    assert world.state.sound_age[0, 0] == 150
