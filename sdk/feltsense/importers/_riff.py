"""RIFF/WAVE files: the header checked field by field, samples read in pieces.

Format: Microsoft/IBM 1991, Multimedia Programming Interface 1.0; extensible and float formats: Microsoft, mmreg.h.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from feltsense.errors import ImportFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

__all__ = ["Sound", "open_sound", "read_sound"]

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_OTHERS: Final = {2: "MS ADPCM", 6: "A-law", 7: "µ-law", 17: "IMA ADPCM", 85: "MP3", 0x161: "WMA"}
_WIDTHS: Final = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}
_MOST_CHANNELS = 32
_PIECE_S = 10
"""Seconds read at once: an hour of sound is never in memory."""
_INTEGERS_AS_FLOATS = 64.0
"""A float file is at most a few times full scale; one with thousands holds integers."""
_CANCELS = 0.1
"""Share of a channel's power that the mean of two must have: less, and one has the wrong sign."""


class Sound(NamedTuple):
    """What a file says of its samples.

    Attributes
    ----------
    rate : int
        Hz.
    channels, bits : int
        Channels, and bits of a sample.
    floating : bool
        Float samples; otherwise integers (8 bits: unsigned).
    offset, frames : int
        Where samples begin, and how many each channel has.
    """

    rate: int
    channels: int
    bits: int
    floating: bool
    offset: int
    frames: int


def _wrong(path: Path, what: str) -> ImportFormatError:
    return ImportFormatError(f"{path}: {what}")


def open_sound(path: Path) -> Sound:
    """Read a file's header.

    Raises
    ------
    ImportFormatError
        If it is no WAV file of a known encoding, or cut off.
    """
    try:
        with path.open("rb") as file:
            return _header(path, file)
    except OSError as e:
        raise _wrong(path, f"cannot be read ({e.strerror or e}); check the name") from None


def _header(path: Path, file: BinaryIO) -> Sound:
    mark = file.read(12)
    size = file.seek(0, 2)
    if mark[:4] == b"RIFX" or mark[:4] == b"RF64":
        raise _wrong(path, f"is a {mark[:4].decode()} file, which is not read; convert it: ffmpeg -i IN OUT.wav")
    if mark[:4] != b"RIFF" or mark[8:12] != b"WAVE":
        raise _wrong(path, "is no WAV file; convert it: ffmpeg -i IN -ar 16000 OUT.wav")
    at, form = 12, None
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"fmt ":
            form = _form(path, file.read(min(length, 40)))
        elif name == b"data":
            if form is None:
                raise _wrong(path, "has its samples before their description (fmt); the file is damaged")
            return _sound(path, form, at + 8, (length, size - at - 8))
        at += 8 + length + (length & 1)
    raise _wrong(path, f"has no {'samples (data)' if form else 'description (fmt)'}; it is cut off or damaged")


def _form(path: Path, data: bytes) -> tuple[int, int, int, int]:
    """Encoding, channels, rate and bits."""
    if len(data) < 16:
        raise _wrong(path, "has a description (fmt) of less than 16 bytes; the file is damaged")
    code, channels, rate, _, align, bits = struct.unpack("<HHIIHH", data[:16])
    if code == _EXTENSIBLE and len(data) >= 26:
        code = struct.unpack("<H", data[24:26])[0]
    if (code, bits) not in _WIDTHS:
        name = _OTHERS.get(code) or f"{bits} bits of encoding {code}"
        raise _wrong(path, f"holds {name}; known are PCM of 8 to 32 bits and float; convert it: ffmpeg -i IN OUT.wav")
    if not 1 <= channels <= _MOST_CHANNELS or align != channels * bits // 8:
        raise _wrong(path, f"says {channels} channels of {bits} bits in {align} bytes, which cannot be; it is damaged")
    if rate < 1:
        raise _wrong(path, "says 0 samples a second; the file is damaged")
    return code, channels, rate, bits


def _sound(path: Path, form: tuple[int, int, int, int], offset: int, lengths: tuple[int, int]) -> Sound:
    code, channels, rate, bits = form
    said, there = lengths
    # Programs that write to a pipe leave 0 or −1, as they cannot come back to write the length.
    if said in (0, 0xFFFFFFFF) and there > 0:
        said = there
    if said > there:
        missing = (said - there) / (channels * bits // 8) / rate
        raise _wrong(path, f"is cut off: {missing:.2f} s of its samples are missing; copy it again")
    return Sound(rate, channels, bits, code == _FLOAT, offset, said // (channels * bits // 8))


def read_sound(path: Path, sound: Sound) -> Iterator[NDArray[np.float64]]:
    """Pieces of the file, one channel, full scale ±1.

    Two channels become their mean, unless they cancel each other (one is connected the wrong way round): then the first.

    Raises
    ------
    ImportFormatError
        If the samples are not finite, or no sound.
    """
    per_frame = sound.channels * sound.bits // 8
    left, step = sound.frames, _PIECE_S * sound.rate
    with path.open("rb") as file:
        file.seek(sound.offset)
        while left > 0:
            data = file.read(min(step, left) * per_frame)
            frames = len(data) // per_frame
            if not frames:
                raise _wrong(path, "became shorter while it was read; copy it again")
            yield _mono(_decode(path, data[: frames * per_frame], sound).reshape(frames, sound.channels))
            left -= frames


def _decode(path: Path, data: bytes, sound: Sound) -> NDArray[np.float64]:
    if sound.floating:
        x = np.frombuffer(data, "<f4" if sound.bits == 32 else "<f8").astype(np.float64)
        if np.isinf(x).any() or np.nanmax(np.abs(x), initial=0.0) > _INTEGERS_AS_FLOATS:
            raise _wrong(path, "has float samples far above full scale (1.0); write it anew as PCM")
        return x
    if sound.bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128.0) / 128.0
    if sound.bits == 24:
        b = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
        # Shifted to the top of 32 bits, the sign comes by itself.
        return ((b[:, 0] << 8) | (b[:, 1] << 16) | (b[:, 2] << 24)).astype(np.float64) / 2.0**31
    return np.frombuffer(data, f"<i{sound.bits // 8}").astype(np.float64) / 2.0 ** (sound.bits - 1)


def _mono(x: NDArray[np.float64]) -> NDArray[np.float64]:
    if x.shape[1] == 1:
        return x[:, 0]
    mean = x.mean(axis=1)
    power = np.square(x).mean(axis=0).max()
    return x[:, 0] if np.square(mean).mean() < _CANCELS * power / x.shape[1] ** 2 else mean
