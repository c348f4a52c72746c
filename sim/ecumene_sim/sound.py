"""What things and avatars sound like: waveforms made from formulas, and their log-mel signatures.

A source is a `Sound` and how long ago it began; its signature says how much energy each mel band has in each tick.
Real recordings take the same path, `log_mel(waveform)`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ecumene_sim.frame import BANDS, SOUND_FRAMES
from ecumene_world.state import DT, Sound, State

SAMPLE_HZ: Final = 16_000
WINDOW_S: Final = 0.025
VOICES: Final = 4
"""Speech and calls differ by voice: `look % VOICES`."""
SECONDS: Final = {
    Sound.SILENCE: 0.05,
    Sound.FOOTSTEP: 0.2,
    Sound.SPEECH: 1.5,
    Sound.DOOR: 0.7,
    Sound.ALARM: 2.0,
    Sound.MUSIC: 3.2,
    Sound.BELL: 2.0,
    Sound.CALL: 0.8,
    Sound.BUMP: 0.2,
}
"""How long each sound lasts, seconds."""
LOOPS: Final = frozenset({Sound.ALARM, Sound.MUSIC})
"""Sounds that start over until their source is turned off."""
LOUDNESS_DB: Final = {
    Sound.SILENCE: 0.0,
    Sound.FOOTSTEP: 45.0,
    Sound.SPEECH: 62.0,
    Sound.DOOR: 60.0,
    Sound.ALARM: 90.0,
    Sound.MUSIC: 70.0,
    Sound.BELL: 85.0,
    Sound.CALL: 78.0,
    Sound.BUMP: 55.0,
}
"""Usual loudness at one metre, dB."""
STRIDE_TICKS: Final = 10
"""Ticks between footfalls."""
STEP_SPEED: Final = 0.3
"""Slower avatars make no footsteps, m/s."""
_FFT: Final = 1024
_SILENT_DB: Final = -60.0


def log_mel(waveform: Tensor) -> Tensor:
    """Returns the log-mel spectrogram of a sound, one frame a tick.

    Args:
        waveform: (samples,) f32 at 16 kHz.

    Returns:
        (T, 16) dB relative to full scale: energy of 16 mel bands, 50 Hz..8 kHz, in two 25 ms Hann windows a tick.
    """
    window = round(WINDOW_S * SAMPLE_HZ)
    per_tick = round(DT * SAMPLE_HZ)
    ticks = max(1, math.ceil(len(waveform) / per_tick))
    padded = torch.nn.functional.pad(waveform, (0, ticks * per_tick - len(waveform)))
    pieces = padded.view(ticks, per_tick // window, window) * torch.hann_window(window, periodic=False)
    power = torch.fft.rfft(pieces, n=_FFT).abs().square().mean(dim=1)
    level: Tensor = (power @ _mel_filters().t()).clamp(min=1e-9).log10() * 10.0
    return level


@functools.cache
def _mel_filters() -> Tensor:
    """Returns (16, 513) triangles, equally spaced on the mel scale from 50 Hz to 8 kHz."""
    low, high = _mel(50.0), _mel(SAMPLE_HZ / 2)
    corners = torch.linspace(low, high, BANDS + 2, dtype=torch.float64)
    hertz = 700.0 * ((corners / 1127.0).exp() - 1.0)
    bins = torch.arange(_FFT // 2 + 1, dtype=torch.float64) * (SAMPLE_HZ / _FFT)
    rising = (bins - hertz[:-2, None]) / (hertz[1:-1, None] - hertz[:-2, None])
    falling = (hertz[2:, None] - bins) / (hertz[2:, None] - hertz[1:-1, None])
    return torch.minimum(rising, falling).clamp(min=0.0).to(torch.float32)


def _mel(hertz: float) -> float:
    """Returns a frequency on the mel scale."""
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def waveform(sound: Sound, voice: int = 0) -> Tensor:
    """Returns a sound as (samples,) f32 at 16 kHz, peak 1, the same every time; SILENCE is all zeros."""
    time = torch.arange(round(SECONDS[sound] * SAMPLE_HZ), dtype=torch.float64) / SAMPLE_HZ
    wave = _SYNTHESIS[sound](time, voice)
    return (wave / wave.abs().max().clamp(min=1e-9)).to(torch.float32)


def _noise(time: Tensor, seed: int) -> Tensor:
    """Returns white noise as long as `time`."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(time), dtype=torch.float64, generator=generator)


def _tone(time: Tensor, hertz: Tensor | float) -> Tensor:
    """Returns a sine whose frequency may change over time."""
    cycles = (torch.as_tensor(hertz, dtype=torch.float64) * torch.ones_like(time)).cumsum(0) / SAMPLE_HZ
    return (math.tau * cycles).sin()


def _silence(time: Tensor, voice: int) -> Tensor:
    del voice
    return torch.zeros_like(time)


def _footstep(time: Tensor, voice: int) -> Tensor:
    """A thud of heel and a softer, brighter one of toe."""
    heel = _tone(time, 90.0 + 6.0 * voice) * (-time * 40).exp()
    scuff = _noise(time, 11 + voice) * (-(time - 0.08).abs() * 60).exp() * 0.15
    return heel + scuff


def _speech(time: Tensor, voice: int) -> Tensor:
    """Syllables: a glottal pulse train through three formants that move from vowel to vowel."""
    vowels = torch.tensor(
        [[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]],
        dtype=torch.float64,
    )
    syllable = (time / 0.19).floor().long()
    order = torch.randperm(64, generator=torch.Generator().manual_seed(101 + voice)) % len(vowels)
    formants = vowels[order[syllable % 64]] * (1.0 + 0.06 * (voice - 1.5))
    pitch = (105.0 + 38.0 * voice) * (1.0 + 0.08 * (math.tau * 1.7 * time).sin())
    voiced = torch.zeros_like(time)
    for harmonic in range(1, 28):
        resonance = torch.zeros_like(time)
        for formant, width in enumerate((90.0, 130.0, 180.0)):
            resonance += 1.0 / (1.0 + ((pitch * harmonic - formants[:, formant]) / width) ** 2) / (1 + formant)
        voiced += _tone(time, pitch * harmonic) * resonance
    return voiced * (math.pi * (time / 0.19 % 1.0)).sin().clamp(min=0.0)


def _call(time: Tensor, voice: int) -> Tensor:
    """A hoy: speech, higher and rising."""
    rise = 1.0 + 0.35 * (time / SECONDS[Sound.CALL])
    pitch = (190.0 + 45.0 * voice) * rise
    wave = torch.zeros_like(time)
    for harmonic in range(1, 16):
        wave += _tone(time, pitch * harmonic) / (1.0 + ((pitch * harmonic - 900.0) / 500.0) ** 2)
    return wave * (math.pi * time / SECONDS[Sound.CALL]).sin().clamp(min=0.0) ** 0.5


def _door(time: Tensor, voice: int) -> Tensor:
    """A creak that slows down, and the latch."""
    del voice
    creak = torch.sign(_tone(time, 70.0 * (1.0 - 0.5 * time / 0.7))) * _tone(time, 620.0) * (time < 0.55)
    latch = _noise(time, 23) * (-(time - 0.6).clamp(min=0.0) * 70).exp() * (time >= 0.6)
    return 0.5 * creak + latch


def _alarm(time: Tensor, voice: int) -> Tensor:
    """Two tones in turn, twice a second."""
    del voice
    return torch.sign(_tone(time, torch.where((time * 2.0 % 1.0) < 0.5, 800.0, 1000.0)))


def _music(time: Tensor, voice: int) -> Tensor:
    """Eight plucked notes of a pentatonic tune over a bass."""
    del voice
    notes = torch.tensor([0, 4, 7, 9, 7, 4, 2, 0], dtype=torch.float64)
    note = 330.0 * 2.0 ** (notes[(time / 0.4).long().clamp(max=7)] / 12.0)
    pluck = (-(time % 0.4) * 6).exp()
    return (_tone(time, note) + 0.4 * _tone(time, 2 * note)) * pluck + 0.5 * _tone(time, 110.0)


def _bell(time: Tensor, voice: int) -> Tensor:
    """Inharmonic partials that die away."""
    del voice
    wave = torch.zeros_like(time)
    for ratio, strength in ((0.5, 0.6), (1.0, 1.0), (1.2, 0.5), (2.0, 0.6), (2.74, 0.4), (5.4, 0.2)):
        wave += strength * _tone(time, 640.0 * ratio) * (-time * (1.0 + ratio)).exp()
    return wave


def _bump(time: Tensor, voice: int) -> Tensor:
    """A dull blow."""
    del voice
    return (_tone(time, 60.0) + 0.3 * _noise(time, 31)) * (-time * 35).exp()


_SYNTHESIS: Final = {
    Sound.SILENCE: _silence,
    Sound.FOOTSTEP: _footstep,
    Sound.SPEECH: _speech,
    Sound.DOOR: _door,
    Sound.ALARM: _alarm,
    Sound.MUSIC: _music,
    Sound.BELL: _bell,
    Sound.CALL: _call,
    Sound.BUMP: _bump,
}


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """What all sounds sound like, as energies relative to the loudest frame of each; rows are sound · VOICES + voice.

    Attributes:
        energy: (9·VOICES, T + 1, 16) f32, each sound's loudest frame sums to 1; silent after its end and in column T.
        ticks: (9,) i64 length of each sound.
        loops: (9,) bool.
        loudness: (9,) f32 usual dB at one metre.
    """

    energy: Tensor
    ticks: Tensor
    loops: Tensor
    loudness: Tensor

    @classmethod
    def make(cls, device: torch.device) -> Signatures:
        """Returns the table on a device."""
        energy = torch.stack([_energy(sound, voice) for sound in Sound for voice in range(VOICES)])
        ticks = torch.tensor([round(SECONDS[sound] / DT) for sound in Sound])
        loops = torch.tensor([sound in LOOPS for sound in Sound])
        loudness = torch.tensor([LOUDNESS_DB[sound] for sound in Sound])
        return cls(energy.to(device), ticks.to(device), loops.to(device), loudness.to(device))


@functools.cache
def _energy(sound: Sound, voice: int) -> Tensor:
    """Returns (T + 1, 16) energies of one sound, padded with silence to the longest sound and one tick more."""
    length = max(round(seconds / DT) for seconds in SECONDS.values()) + 1
    level = log_mel(waveform(sound, voice))
    energy = ((level - level.max()) * (math.log(10.0) / 10.0)).exp()
    energy = energy / energy.sum(dim=1).max() if sound is not Sound.SILENCE else torch.zeros_like(energy)
    return torch.nn.functional.pad(energy, (0, 0, 0, length - len(energy)))


def make_sounds(state: State, signatures: Signatures, on_feet: Tensor) -> None:
    """Lets sounds grow older and end, and lets those who walk be heard: one footfall every half second."""
    _age(state.sound, state.sound_age, signatures)
    _age(state.thing_sound, state.thing_sound_age, signatures)
    speed = (state.velocity[..., 0].square() + state.velocity[..., 1].square()).sqrt()
    slot = torch.arange(state.alive.shape[1], device=state.alive.device)
    falls = (state.tick.unsqueeze(1) + slot * 3) % STRIDE_TICKS == 0
    steps = falls & (speed * on_feet > STEP_SPEED) & (state.sound <= int(Sound.FOOTSTEP))
    state.sound.masked_fill_(steps, int(Sound.FOOTSTEP))
    state.sound_age.masked_fill_(steps, 1)
    footfall = LOUDNESS_DB[Sound.FOOTSTEP] + 5.0 * (speed - 1.0)
    state.loudness.copy_(torch.where(steps, footfall, state.loudness))


def _age(sound: Tensor, age: Tensor, signatures: Signatures) -> None:
    """Ages sounds by a tick, in place; those past their end fall silent unless they loop."""
    flat = sound.view(-1)
    ends = (age.view(-1) >= signatures.ticks.index_select(0, flat) + SOUND_FRAMES) & ~signatures.loops.index_select(
        0, flat
    )
    age.add_((sound != int(Sound.SILENCE)).to(age.dtype))
    sound.masked_fill_(ends.view(sound.shape), int(Sound.SILENCE))
    age.masked_fill_(ends.view(sound.shape), 0)
