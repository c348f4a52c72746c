"""Digits spoken by espeak-ng in many voices: waves of our own making, cached.

espeak-ng (GPL-3) is run as a program of its own and nothing of it is kept; what it says is ours. It is taken from the
system, or else from Debian's packages, unpacked for the moment and never installed.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import wave
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from ecumene_world import datasets
from ecumene_world.errors import ImportFailed

WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# fmt: off
VOICES: Final = (
    "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco",
    "Mario", "Michael", "Mike", "adam", "anika", "antonio", "aunty", "belinda", "benjamin", "boris", "caleb",
    "david", "ed", "edward", "grandma", "grandpa", "gustave", "iven", "john", "kaukovalta", "linda", "marcelo",
    "max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "robert", "sandro", "shelby",
    "steph", "travis", "victor", "zac", "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8",
)
# fmt: on
"""Variants of espeak-ng that sound like people; each is one voice of the split."""
MANNERS: Final = (("en-us", 150), ("en-us", 190), ("en-gb", 150), ("en-gb", 190))
"""Accent and words a minute of the four times that each voice says each digit."""
RATE_HZ: Final = 8000
SAMPLES: Final = 6400
"""0.8 s, longer than any of the words after its silence is cut off."""
FILE: Final = "spoken-digits.npz"
PACKAGES: Final = ("espeak-ng", "libespeak-ng1", "espeak-ng-data", "libpcaudio0", "libsonic0")
_TIMEOUT_S: Final = 120
_QUIET: Final = 0.02
"""Share of the greatest amplitude below which a sound has not begun, or is over."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was said.

    Attributes:
        sound: (M, 6400) f32 at 8 kHz, root mean square 1 over its length, from its first sound on, zeros after its end.
        length: (M,) i64 samples until it ends.
        digit: (M,) i64, 0..9.
        voice: (M,) i64, index into `VOICES`.
    """

    sound: NDArray[np.float32]
    length: NDArray[np.int64]
    digit: NDArray[np.int64]
    voice: NDArray[np.int64]

    def digest(self) -> str:
        """Returns 16 hex digits that tell one making from another."""
        return hashlib.sha256(self.sound.tobytes()).hexdigest()[:16]


def fetch_spoken() -> Path:
    """Returns the path of the spoken digits, letting espeak-ng say them on first use (about a minute).

    Raises:
        ImportFailed: There is no espeak-ng and apt can't get it, or it says nothing.
    """
    path = datasets.cache_dir() / FILE
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="ecumene-", dir=path.parent) as folder:
            part = Path(folder) / FILE
            save_spoken(say_all(*_program(Path(folder)), VOICES), part)
            part.replace(path)
    return path


def save_spoken(spoken: Spoken, path: Path) -> None:
    """Writes what was said, 16 bits a sample."""
    level = np.abs(spoken.sound).max(1, keepdims=True)
    np.savez_compressed(
        path,
        sound=np.round(spoken.sound / level * 32767).astype(np.int16),
        length=spoken.length.astype(np.int32),
        digit=spoken.digit.astype(np.int8),
        voice=spoken.voice.astype(np.int16),
    )


def load_spoken(path: Path) -> Spoken:
    """Returns what a file holds that `save_spoken` wrote.

    Raises:
        ImportFailed: It is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            sound, length, digit, voice = (file[name] for name in ("sound", "length", "digit", "voice"))
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ImportFailed(f"{path} holds no spoken digits: {error}") from None
    length = length.astype(np.int64)
    loud = sound.astype(np.float32)
    loud /= np.sqrt((loud**2).sum(1, keepdims=True) / length[:, None])
    return Spoken(loud, length, digit.astype(np.int64), voice.astype(np.int64))


def say_all(program: Path, environment: Mapping[str, str], voices: tuple[str, ...]) -> Spoken:
    """Returns every digit in every manner by the voices.

    Args:
        program: Of espeak-ng.
        environment: To run it in.
        voices: Of `VOICES`.
    """
    sounds, lengths, digits, speakers = [], [], [], []
    for voice in voices:
        for accent, speed in MANNERS:
            for digit, word in enumerate(WORDS):
                sound, length = trimmed(_say(program, environment, f"{accent}+{voice}", speed, word))
                sounds.append(sound)
                lengths.append(length)
                digits.append(digit)
                speakers.append(VOICES.index(voice))
    return Spoken(np.stack(sounds), np.array(lengths), np.array(digits), np.array(speakers))


def trimmed(data: bytes) -> tuple[NDArray[np.float32], int]:
    """Returns (6400,) f32 at 8 kHz of a 16-bit WAVE file without the silence around it, and its length in samples.

    Raises:
        ImportFailed: It is no such file, or silent.
    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            rate = file.getframerate()
            raw = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64)
    except (wave.Error, EOFError) as error:
        raise ImportFailed(f"espeak-ng wrote no WAVE file: {error}") from None
    common = np.gcd(rate, RATE_HZ)
    sound = resample_poly(raw, RATE_HZ // common, rate // common) if len(raw) else raw
    heard = np.flatnonzero(np.abs(sound) > _QUIET * np.abs(sound).max(initial=0.0))
    if not len(heard):
        raise ImportFailed("espeak-ng wrote a silent file")
    kept = sound[heard[0] : heard[-1] + 1][:SAMPLES]
    kept = kept / np.sqrt((kept**2).mean())
    return np.pad(kept, (0, SAMPLES - len(kept))).astype(np.float32), len(kept)


def _say(program: Path, environment: Mapping[str, str], voice: str, speed: int, word: str) -> bytes:
    command = [str(program), "-v", voice, "-s", str(speed), "--stdout", word]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command without a shell
            command, env=dict(environment), capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise ImportFailed(f"{program} does not run; install espeak-ng, on Debian by `apt install espeak-ng`") from None
    if done.returncode or not done.stdout:
        raise ImportFailed(
            f"espeak-ng has no voice {voice!r} or does not start; install it anew, on Debian by `apt install espeak-ng`"
        )
    return done.stdout


def _program(folder: Path) -> tuple[Path, Mapping[str, str]]:
    """Returns espeak-ng and the environment that it runs in: the system's, or Debian's unpacked in `folder`."""
    found = shutil.which("espeak-ng")
    if found:
        return Path(found), dict(os.environ)
    advice = "install espeak-ng, or put a spoken-digits.npz into " + str(datasets.cache_dir())
    try:
        _run(["apt-get", "download", *PACKAGES], folder)
        for package in sorted(folder.glob("*.deb")):
            _run(["dpkg-deb", "-x", package.name, "debian"], folder)
    except (OSError, subprocess.SubprocessError):
        raise ImportFailed(f"espeak-ng is not installed and apt-get can't download it here; {advice}") from None
    (library,) = (path.parent.resolve() for path in folder.glob("debian/usr/lib/*/libespeak-ng.so.1"))
    paths = {"LD_LIBRARY_PATH": str(library), "ESPEAK_DATA_PATH": str(library)}
    return (folder / "debian/usr/bin/espeak-ng").resolve(), {**os.environ, **paths}


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(  # noqa: S603 - fixed commands without a shell
        command, cwd=folder, capture_output=True, timeout=_TIMEOUT_S, check=True
    )
