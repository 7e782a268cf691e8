"""The beats of whole runs of a pulse wave at once: the same bits as :class:`feltsense.features._beats.BeatLine`.

As :mod:`feltsense.features._batch_beats` does for an ECG: all blocks of a run are filtered as the rows of one array, all
beats measured as the rows of another, and what the stream decides in order is decided in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.dsp import peaks
from feltsense.dsp.blocks import samples
from feltsense.dsp.pulse_filter import PULSE_BEAT_SECONDS, PULSE_PEAK_SECONDS, PulseOperation
from feltsense.dsp.waves import Pulse, Pulses
from feltsense.features import _beats
from feltsense.features._batch_beats import Found, apart, between_samples, crests, judged, known_in
from feltsense.features._beats import BeatLine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.dsp.cells import Cells
    from feltsense.dsp.runs import Piece
    from feltsense.features._beats import BeatRule

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["PulseLine"]

_ROWS = 64
"""Blocks filtered together: a quarter of a megabyte a column, which stays in the cache."""
_BEATS = 2048
"""Beats measured together."""


class PulseLine(BeatLine):
    """Beats of one stream whose runs are given whole before anything is asked.

    Parameters
    ----------
    wave : Pulse
        How beats are measured.
    rule : BeatRule
        Which of them to trust.
    rate : float
        Hz.
    spectrum : Cells
        Fed with the filtered wave.
    spectrum_column : int
        Which of its columns.
    """

    def __init__(self, wave: Pulse, rule: BeatRule, rate: float, spectrum: Cells, spectrum_column: int) -> None:
        super().__init__(wave, rule, rate, spectrum, spectrum_column)
        self._pulse, self._cells = wave, spectrum
        self._held: list[Piece] = []

    def push(self, piece: Piece) -> None:
        """Take the next samples."""
        if piece.run != self._number:
            self.end()
            self._number = piece.run
        self._held.append(piece)
        if piece.ends:
            self.end()

    def end(self) -> None:
        """End the run: its beats are found."""
        held, self._held = self._held, []
        x = np.concatenate([np.empty(0), *(p.values[:, 0] for p in held)])
        if not len(x):
            return
        t_ns, device_ns = (np.concatenate(c) for c in zip(*((p.t_ns, p.device_ns) for p in held), strict=True))
        block = samples(_beats.BLOCK_SECONDS, self._rate)
        y = _filtered(x, self._rate, block)
        self._cells.begin()
        self._cells.push(y[:, self._spectrum_column], t_ns)
        at, decided = _peaks(y, self._rate, block)
        beats, known = _measured(x, y, at, decided, self._pulse, block)
        found = Found(beats.at, known, beats.shapes, between_samples(beats.fiducial, device_ns))
        verdict = judged(found, self._rule, self._rate, len(x))
        self._times.append(between_samples(beats.fiducial, t_ns))
        rows = (verdict.interval_ms, verdict.valid, verdict.likeness, verdict.pair, verdict.kinds)
        self._rows.append(np.column_stack((*rows, beats.measures)))


def _filtered(x: Array, rate: float, block: int) -> Array:
    """Columns of the filter, the raw samples left out, block by block as the stream filters them."""
    before, after = samples(_beats.BEFORE_SECONDS, rate), samples(_beats.AFTER_SECONDS, rate)
    operation, n = PulseOperation(rate), len(x)
    out = np.empty((n, 4))
    first = -(-before // block)
    last = max((n - after) // block, first)  # blocks first..last−1 have their whole context
    for start in (*range(0, min(first * block, n), block), *range(last * block, n, block)):
        a = max(start - before, 0)
        stop = min(start + block, n)
        out[start:stop] = operation(x[a : start + block + after])[start - a : stop - a, :4]
    if last > first:
        spans = np.lib.stride_tricks.sliding_window_view(x, before + block + after)[first * block - before :: block]
        for k in range(first, last, _ROWS):
            many = spans[k - first : min(k + _ROWS, last) - first]
            out[k * block : (k + len(many)) * block] = operation.many(many, before, before + block)
    return out


def _peaks(y: Array, rate: float, block: int) -> tuple[Ints, Ints]:
    """Systolic peaks, and the block in which each is decided, as :class:`~feltsense.dsp.peaks.PulseDetector` does."""
    wave, excess, power = (np.ascontiguousarray(y[:, i]) for i in (0, 2, 3))
    flag = excess > _threshold(power, rate, block)
    edges = np.flatnonzero(np.diff(flag, prepend=False))
    rises, falls = edges[flag[edges]], edges[~flag[edges]]
    rises = rises[: len(falls)]
    begin, end, decided = np.maximum(rises - 1, 0), falls - 1, falls // block
    wide = end - begin >= round(PULSE_PEAK_SECONDS * rate)
    begin, end, decided = begin[wide], end[wide], decided[wide]
    low = np.maximum(begin, decided * block - samples(3 * PULSE_BEAT_SECONDS, rate))  # what the stream remembers
    found = crests(wave, low, end, np.ones(len(low), np.int64))
    at = begin + (found - low)
    keep = apart(at, found >= 0, rate)
    return at[keep], decided[keep]


def _threshold(power: Array, rate: float, block: int) -> Array:
    """Share of the running mean power that each block's waves must exceed."""
    whole = len(power) // block * block
    means = np.concatenate([p.mean(axis=1) for p in (power[:whole].reshape(-1, block), power[None, whole:]) if p.size])
    sizes = np.full(len(means), block)
    sizes[-1] = len(power) - block * (len(means) - 1)
    level = weight = 0.0
    out = np.empty(len(means))
    for k, (mean, size) in enumerate(zip(means.tolist(), sizes.tolist(), strict=True)):
        keep = float(np.exp(-size / (peaks.POWER_MEMORY_SECONDS * rate)))
        level = keep * level + (1.0 - keep) * mean
        weight = keep * weight + (1.0 - keep)
        out[k] = peaks.PULSE_OFFSET * level / weight
    return np.repeat(out, sizes)


def _measured(x: Array, y: Array, at: Ints, decided: Ints, pulse: Pulse, block: int) -> tuple[Pulses, Ints]:
    """Beats that have a wave, each crest once, and the block in which each is known."""
    n = len(x)
    known = known_in(at, decided, pulse.ahead, block, n)
    stop = np.where(known < n, (known + 1) * block, n)
    fine = np.ascontiguousarray(y[:, Pulse.WAVE])
    parts = [
        pulse.measure_many(fine, x, at[k : k + _BEATS], stop[k : k + _BEATS]) for k in range(0, max(len(at), 1), _BEATS)
    ]
    of = np.concatenate([p.of + k * _BEATS for k, p in enumerate(parts)])
    beats = Pulses(of, *(np.concatenate(c) for c in list(zip(*parts, strict=True))[1:]))
    known = known[of]
    # Two peaks may snap to one crest; and what was judged stays judged.
    settled = np.maximum(np.minimum(known, n // block) - _beats.SHAPE_BLOCKS, 0) * block
    beats, known = _those(beats, beats.at >= settled), known[beats.at >= settled]
    fresh = beats.at > np.concatenate(([-1], np.maximum.accumulate(beats.at)))[:-1]
    return _those(beats, fresh), known[fresh]


def _those(beats: Pulses, which: NDArray[np.bool_]) -> Pulses:
    of, at, fiducial, shapes, measures = beats
    return Pulses(of[which], at[which], fiducial[which], shapes[which], measures[which])
