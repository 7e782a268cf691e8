"""WAV files: a voice, as rows of measures.

**The sound itself is never kept.** A recording that comes from a WAV file holds 100 rows a second of measures
(:mod:`feltsense.core.voice_row`), which :class:`~feltsense.dsp.voice.front.VoiceFrontEnd` makes while the file is read; a
``.felt`` file written from it has no waveform. Rows still tell much of what was said: they are a voice's data.

A WAV file has no date: times count from 1970.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.dsp.voice import VoiceFrontEnd
from feltsense.errors import ImportFormatError
from feltsense.importers._riff import open_sound, read_sound
from feltsense.importers._table import check_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["IMPORTER", "is_wav", "read_wav"]

LEAST_HZ, MOST_HZ = 8000, 384_000
"""A telephone's rate, below which there is no voice to analyse; the fastest of sound cards."""


def is_wav(path: Path) -> bool:
    """Whether a file begins as a WAV file does."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def read_wav(source: Path, subject: str, options: Mapping[str, str]) -> Recording:
    """Import a WAV file: PCM of 8, 16, 24 or 32 bits or float, any number of channels, 8–384 kHz.

    Parameters
    ----------
    source : Path
        The file.
    subject : str
        Pseudonym.
    options : mapping of str to str
        None are known.

    Returns
    -------
    Recording
        One stream, ``wav.voice``.

    Raises
    ------
    ImportFormatError
        If the file is missing, damaged, of another encoding, or shorter than 10 ms.
    """
    check_options("wav", options, ())
    sound = open_sound(source)
    if not LEAST_HZ <= sound.rate <= MOST_HZ:
        msg = (
            f"{source}: has {sound.rate} samples a second; a voice needs {LEAST_HZ} to {MOST_HZ}: "
            "check that the header's rate is right, or record at 16000"
        )
        raise ImportFormatError(msg)
    rate = Fraction(sound.rate)
    info = StreamInfo("wav.audio", spec("audio", rate), source.name)
    front = VoiceFrontEnd(info)
    time = TimeMap.uniform(0, rate)
    rows: list[Chunk] = []
    at = 0
    for x in read_sound(source, sound):
        rows += front.push(Chunk(info, 0, at, x, time))
        at += len(x)
    rows += front.close()
    if not rows:
        msg = f"{source}: {sound.frames} samples at {sound.rate} Hz are less than 10 ms: there is nothing to measure"
        raise ImportFormatError(msg)
    metadata = {
        "importer": "wav", "source": source.name, "rate_hz": str(sound.rate), "channels": str(sound.channels),
        "bits": str(sound.bits),
    }  # fmt: skip
    return Recording(subject, {front.info.id: Stream.from_chunks(front.info, rows)}, (), metadata)


IMPORTER = read_wav
