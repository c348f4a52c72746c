import io
import wave
from pathlib import Path

import numpy as np
import pytest

from ecumene_world.errors import ImportFailed
from ecumene_world.learning import spoken
from ecumene_world.learning.spoken import MANNERS, SAMPLES, VOICES, WORDS, fetch_spoken, load_spoken, say_all, trimmed


def recording(sound: np.ndarray, rate: int = 22050) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((sound * 32767).astype("<i2").tobytes())
    return file.getvalue()


def beep(seconds: float = 0.3, before: float = 0.2) -> np.ndarray:
    time = np.arange(int(22050 * seconds)) / 22050
    silence = np.zeros(int(22050 * before))
    return np.concatenate([silence, 0.5 * np.sin(2 * np.pi * 440 * time), silence])


@pytest.fixture
def speaker(tmp_path: Path) -> Path:
    """A program that says a tone whatever it is asked, and nothing in one voice."""
    (tmp_path / "said.wav").write_bytes(recording(beep()))
    program = tmp_path / "espeak-ng"
    program.write_text(f'#!/bin/sh\ncase "$2" in *+f5) exit 1;; esac\nexec cat {tmp_path}/said.wav\n')
    program.chmod(0o755)
    return program


def test_silence_is_cut_off_and_loudness_evened() -> None:
    sound, length = trimmed(recording(beep()))
    assert sound.shape == (SAMPLES,)
    assert abs(length - 0.3 * 8000) < 40
    assert abs(float((sound[:length] ** 2).mean()) - 1.0) < 1e-3
    assert not sound[length:].any()


@pytest.mark.parametrize("data", [b"", b"RIFFnothing", recording(np.zeros(4000)), recording(np.zeros(0))])
def test_what_is_no_sound_is_refused(data: bytes) -> None:
    with pytest.raises(ImportFailed, match="espeak-ng"):
        trimmed(data)


def test_every_voice_says_every_digit_in_every_manner(speaker: Path) -> None:
    said = say_all(speaker, {}, VOICES[:2])
    assert len(said.digit) == 2 * len(MANNERS) * len(WORDS)
    assert set(said.voice.tolist()) == {0, 1}
    assert np.bincount(said.digit).tolist() == [8] * 10


def test_a_voice_that_is_missing_is_named(speaker: Path) -> None:
    with pytest.raises(ImportFailed, match=r"en-us\+f5"):
        say_all(speaker, {}, ("f5",))


def test_a_program_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed, match="apt install espeak-ng"):
        say_all(tmp_path / "none", {}, VOICES[:1])


def test_what_was_said_is_kept(speaker: Path, tmp_path: Path) -> None:
    said = say_all(speaker, {}, VOICES[:1])
    spoken.save_spoken(said, tmp_path / "kept.npz")
    kept = load_spoken(tmp_path / "kept.npz")
    assert np.abs(kept.sound - said.sound).max() < 1e-3
    assert np.array_equal(kept.digit, said.digit)
    assert kept.digest() == load_spoken(tmp_path / "kept.npz").digest()


@pytest.mark.parametrize("data", [b"", b"no archive"])
def test_another_file_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd.npz").write_bytes(data)
    with pytest.raises(ImportFailed, match="odd"):
        load_spoken(tmp_path / "odd.npz")


def test_the_program_of_the_system_is_asked_once(
    speaker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECUMENE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(spoken, "VOICES", VOICES[:1])
    path = fetch_spoken()
    speaker.unlink()
    assert fetch_spoken() == path
    assert len(load_spoken(path).digit) == 40
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_without_espeak_and_apt_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECUMENE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ImportFailed, match="install espeak-ng"):
        fetch_spoken()
