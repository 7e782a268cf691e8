"""Sound in, rows out: the only thing in feltsense that sees a voice's samples.

Contract
--------
- Takes chunks of kind ``audio`` at any rate from 8 kHz and gives chunks of kind ``voice``: 100 rows a second
  (:mod:`feltsense.core.voice_row`). What it gave out it has dropped: it holds 1.7 s of sound at most, and
  :meth:`VoiceFrontEnd.close` overwrites that with zeros. It opens no file and no socket.
- Rows come in blocks of 1 s on the segment's own grid, each measured with 0.25 s of context on either side: the same bits
  however the sound was cut. A row is out 1.5 s after its sound at the latest.
- A gap of the sound, or a NaN in it, starts a new segment of rows; less than one row is nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.core.voice_row import ROW_RATE, column
from feltsense.dsp.blocks import Tail
from feltsense.dsp.runs import RunSplitter
from feltsense.dsp.voice.analysis import HOP, RATE, analyse
from feltsense.dsp.voice.resample import Resampler
from feltsense.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feltsense.dsp.runs import Piece
    from feltsense.dsp.voice.detectors import Detector

__all__ = ["VoiceFrontEnd", "rows_of"]

_BLOCK = int(ROW_RATE)
_CONTEXT = 25
"""Rows of context: the path of the pitch forgets within a few frames, and a cycle has at most two rows."""


def rows_of(audio: StreamInfo) -> StreamInfo:
    """The stream of rows that belongs to a stream of sound: ``phone.audio`` gives ``phone.voice``."""
    device = audio.id.rpartition(".")[0]
    return StreamInfo(f"{device}.voice" if device else "voice", spec("voice", ROW_RATE), audio.device)


class VoiceFrontEnd:
    """Turns one stream of sound into rows.

    Parameters
    ----------
    audio : StreamInfo
        A stream of kind ``audio``.
    detector : Detector, optional
        Who decides what is speech, instead of the level (:mod:`feltsense.dsp.voice.detectors`).

    Raises
    ------
    InputError
        If the stream is of another kind, or its rate is none of a voice's.
    """

    def __init__(self, audio: StreamInfo, detector: Detector | None = None) -> None:
        if audio.spec.name != "audio" or audio.spec.rate is None:
            msg = f"{audio.id}: a voice is measured from a stream of kind audio at a rate, not from {audio.spec.name}"
            raise InputError(msg)
        self.info = rows_of(audio)
        self._rate = audio.spec.rate
        self._detector = detector
        self._split = RunSplitter()
        self._run = -1
        self._segment = -1
        self._lost: Gap | None = None
        self._begin()

    def push(self, chunk: Chunk) -> list[Chunk]:
        """Take the next samples; give the rows that became final."""
        out: list[Chunk] = []
        for piece in self._split.push(chunk):
            if piece.run != self._run:
                out += self._flush()
                self._run, self._lost = piece.run, chunk.gap
            self._keep_times(piece)
            for x in self._resampler.push(piece.values[:, 0]):
                self._sound.append(x)
            out += self._blocks()
            if piece.ends:
                out += self._flush()
        return out

    def close(self) -> list[Chunk]:
        """End the segment: the rows that are left. Sound that was held is overwritten."""
        self._split.close()
        return self._flush()

    def _begin(self) -> None:
        try:
            self._resampler = Resampler(self._rate, int(RATE))
        except ValueError as e:
            msg = f"{self.info.id}: {e}"
            raise InputError(msg) from None
        if self._detector is not None:
            self._detector.begin()
        self._sound = Tail()
        self._row = 0
        self._seen = 0
        self._anchors: list[tuple[int, int]] = []

    def _keep_times(self, piece: Piece) -> None:
        """Times of the samples at which blocks begin; they do not depend on the cut."""
        a, b = self._seen, self._seen + len(piece.t_ns)
        block = (self._anchors[-1][0] + _BLOCK) if self._anchors else 0
        while (at := block * HOP * self._rate.numerator // (self._rate.denominator * int(RATE))) < b:
            self._anchors.append((block, int(piece.t_ns[at - a])))
            block += _BLOCK
        self._seen = b

    def _blocks(self) -> Iterator[Chunk]:
        while self._sound.stop >= (self._row + _BLOCK + _CONTEXT) * HOP:
            yield self._chunk(self._row + _BLOCK)
            self._sound.drop((self._row - _CONTEXT) * HOP)

    def _flush(self) -> list[Chunk]:
        """End the run."""
        for x in self._resampler.flush():
            self._sound.append(x)
        out = list(self._blocks())
        last = self._sound.stop // HOP
        while self._row < last:
            out.append(self._chunk(min(self._row + _BLOCK, last)))
        self._sound.rows.fill(0.0)
        self._resampler.wipe()
        self._begin()
        return out

    def _chunk(self, stop: int) -> Chunk:
        first = max(self._row - _CONTEXT, 0)
        span = self._sound.between(first * HOP, (self._row + _BLOCK + _CONTEXT) * HOP)
        values = analyse(span, self._row - first, stop - first, float(self._rate) / 2.0)
        if self._detector is not None:
            own = span[(self._row - first) * HOP : (stop - first) * HOP]
            values[:, column("speech")] = self._detector.rows(own)
        if self._row == 0:
            self._segment += 1
        known = [a for a in self._anchors if self._row <= a[0] <= self._row + _BLOCK]
        self._anchors = [a for a in self._anchors if a[0] > self._row]
        index, t_ns = np.array(known, np.int64).T
        time = TimeMap(ROW_RATE, index, t_ns, t_ns, t_ns, np.zeros(len(index), np.int64))
        values.setflags(write=False)
        chunk = Chunk(self.info, self._segment, self._row, values, time, self._gap() if self._row == 0 else None)
        self._row = stop
        return chunk

    def _gap(self) -> Gap | None:
        """Rows that the gap before this segment of sound has cost."""
        if self._segment == 0 and self._lost is None:
            return None
        lost = self._lost or Gap(0, 0, GapReason.SOURCE)
        per_row = float(self._rate / ROW_RATE)
        return Gap(int(lost.samples / per_row), int(lost.upper / per_row) + 1, lost.reason)

