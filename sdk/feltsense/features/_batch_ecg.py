"""ECG features of all windows of a recording at once: the same bits as :class:`feltsense.features.ecg.EcgFeatures`.

The recording is filtered and its beats are found once, whatever window and hop are asked for afterwards
(:class:`EcgBatch`). Windows with as many intervals are the rows of one array. What is rare (a gap inside a window) and
what is slow by nature (entropies) is asked of the stream's own functions, window by window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.table import REASONS, Columns
from feltsense.core.timeline import NS
from feltsense.core.vector import Reason
from feltsense.core.window import Window
from feltsense.dsp.filters import ECG_LEAST_RATE
from feltsense.dsp.intervals import MAD_TO_SD, quantile_rows
from feltsense.dsp.runs import RunSplitter
from feltsense.dsp.spectrum import STILL_MS, band_powers_rows
from feltsense.dsp.strip import Strip
from feltsense.features import _slow
from feltsense.features._batch_beats import RunBeats, run_beats
from feltsense.features._batch_faults import Coverage, Faults
from feltsense.features._beats import Beats
from feltsense.features._nn_line import Piece, longest_piece
from feltsense.features.ecg import LEAST_DIFFERENCES, LEAST_NN, OF_DIFFERENCES, RULE, EcgFeatures
from feltsense.quality import ecg as quality
from feltsense.quality.beats import FAULTY, WORTH_NAMING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo

    Array = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["EcgBatch"]

_NUMBER = {r: i for i, r in enumerate(REASONS)}
_OK, _TOO_SHORT, _NO_SIGNAL, _GAP = (_NUMBER[r] for r in (Reason.OK, Reason.TOO_SHORT, Reason.NO_SIGNAL, Reason.GAP))
_TOO_FEW, _NONE = _NUMBER[Reason.TOO_FEW_BEATS], _NUMBER[Reason.NONE_FOUND]
_COLUMN = {s.name: i for i, s in enumerate(EcgFeatures.specs)}
_SLOW = tuple(s.name for s in _slow.SLOW_SPECS)


class EcgBatch:
    """One ECG stream, filtered and searched once.

    Parameters
    ----------
    info : StreamInfo
        The stream.
    chunks : iterable of Chunk
        All of it, in order.
    """

    def __init__(self, info: StreamInfo, chunks: Iterable[Chunk]) -> None:
        self.info = info
        self._specs = EcgFeatures.specs
        self._supported = info.spec.hz >= ECG_LEAST_RATE
        self._coverage = Coverage(round(NS / info.spec.hz))
        self._faults = Faults(info.spec.hz)
        parts = [self._run(*run) for run in _runs(chunks)] if self._supported else []
        found = [RunBeats.none(), *(run_beats(x, t, d, info.spec.hz, RULE) for x, t, d in parts)]
        self._beats = Beats(
            np.concatenate([r.t_ns for r in found]),
            np.concatenate([r.interval_ms for r in found]),
            np.concatenate([r.valid for r in found]),
            np.concatenate([r.likeness for r in found]),
            np.concatenate([r.pair for r in found]),
            np.empty((sum(len(r.t_ns) for r in found), 0)),
            np.concatenate([r.kinds for r in found]),
        )

    @property
    def beats(self) -> Beats | None:
        """All beats of the stream; None where its rate is too low to have any."""
        return self._beats if self._supported else None

    def _run(self, x: Array, t_ns: Ints, device_ns: Ints) -> tuple[Array, Ints, Ints]:
        kind = self.info.spec.kind
        x = x.clip(kind.low, kind.high)
        self._coverage.add(t_ns)
        self._faults.add(x, t_ns)
        return x, t_ns, device_ns

    def columns(self, start_ns: Ints, length_ns: int) -> Columns:
        """Features of windows of one length, which begin at `start_ns`."""
        n, f = len(start_ns), len(self._specs)
        if not self._supported or not n:
            reason = _NUMBER[Reason.NOT_SUPPORTED]
            same = np.full((n, f), reason, np.uint8)
            return Columns(np.full((n, f), np.nan), same, np.zeros(n), np.full(n, reason, np.uint8))
        return _Windows(self._beats, self._coverage, self._faults, start_ns, length_ns).columns()


def _runs(chunks: Iterable[Chunk]) -> Iterable[tuple[Array, Ints, Ints]]:
    """The runs of a stream, whole: samples, session and device times."""
    split, number = RunSplitter(), -1
    held: list[tuple[Array, Ints, Ints]] = []
    for chunk in chunks:
        for piece in split.push(chunk):
            if piece.run != number and held:
                yield _joined(held)
                held = []
            number = piece.run
            if len(piece.t_ns):
                held.append((piece.values[:, 0], piece.t_ns, piece.device_ns))
    if held:
        yield _joined(held)


def _joined(held: list[tuple[Array, Ints, Ints]]) -> tuple[Array, Ints, Ints]:
    if len(held) == 1:
        return held[0]
    x, t, d = (np.concatenate(c) for c in zip(*held, strict=True))
    return x, t, d


class _Windows:
    """All windows of one length over a stream's beats."""

    def __init__(self, beats: Beats, coverage: Coverage, faults: Faults, start: Ints, length_ns: int) -> None:
        self._all, self._start, self._length = beats, start, length_ns
        stop = start + length_ns
        self._seconds = Window(0, 0, length_ns).seconds
        self._present = coverage.within(start, stop) / NS
        self._flat, self._railed = faults.within(start, stop)
        self._a, self._b = np.searchsorted(beats.t_ns, start), np.searchsorted(beats.t_ns, stop)
        self._beats = self._b - self._a
        # A window's first interval began before it: NN and differences are those after.
        good = np.flatnonzero(beats.valid)
        pairs = np.flatnonzero(beats.valid[1:] & beats.valid[:-1]) + 1
        self._nn = beats.interval_ms[good]
        self._nn_from, self._n = _span(good, self._a + 1, self._b)
        self._d_from, self._m = _span(pairs, self._a + 2, self._b)
        earlier, later = beats.interval_ms[pairs - 1], beats.interval_ms[pairs]
        self._d, self._along = later - earlier, (later + earlier) / np.sqrt(2.0)
        self.values = np.full((len(start), len(_COLUMN)), np.nan)

    def columns(self) -> Columns:
        """Values, reasons, quality."""
        rhythm = self._time_domain()
        grade, why = self._quality(rhythm)
        reasons = self._reasons(why)
        self._slow(reasons, why)
        given = reasons == _OK
        odd = given & ~np.isfinite(self.values)
        reasons[odd] = _NONE
        self.values[~given | odd] = np.nan
        return Columns(self.values, reasons, grade, why)

    def _put(self, name: str, rows: Ints, values: Array) -> None:
        self.values[rows, _COLUMN[name]] = values

    def _time_domain(self) -> Array:
        """Fill in the time domain; seconds of NN, and of half an interval at the ends, of each window."""
        sums = np.zeros((len(self._start), 2))
        for rows, nn in _groups(self._nn, self._nn_from, self._n):
            n = nn.shape[1]
            mean = nn.mean(axis=1)
            sums[rows] = np.column_stack((nn.sum(axis=1) / 1e3, mean / 1e3))
            sdnn = nn.std(axis=1, ddof=1) if n > 1 else np.full(len(rows), np.nan)
            ordered = np.sort(nn, axis=1)
            median = quantile_rows(ordered, 0.5)
            self._put("mean_nn", rows, mean)
            self._put("hr", rows, 60e3 / mean)
            self._put("sdnn", rows, sdnn)
            self._put("cvnn", rows, sdnn / mean)
            self._put("median_nn", rows, median)
            self._put("min_nn", rows, ordered[:, 0])
            self._put("max_nn", rows, ordered[:, -1])
            self._put("iqr_nn", rows, quantile_rows(ordered, 0.75) - quantile_rows(ordered, 0.25))
            away = np.sort(np.abs(nn - median[:, None]), axis=1)
            self._put("mad_nn", rows, MAD_TO_SD * quantile_rows(away, 0.5))
            self._put("coverage", rows, n * mean / 1e3 / self._seconds)
        self.values[self._n == 0, _COLUMN["coverage"]] = 0.0
        for rows, d in _groups(self._d, self._d_from, self._m):
            m = d.shape[1]
            rmssd = np.sqrt(np.mean(d * d, axis=1))
            self._put("rmssd", rows, rmssd)
            self._put("cvsd", rows, rmssd / self.values[rows, _COLUMN["mean_nn"]])
            size = np.abs(d)
            self._put("pnn50", rows, 100.0 * (size > 50.0).sum(axis=1) / (m + 1))
            self._put("pnn20", rows, 100.0 * (size > 20.0).sum(axis=1) / (m + 1))
            if m > 1:
                sdsd = d.std(axis=1, ddof=1)
                self._put("sdsd", rows, sdsd)
                self._put("sd1", rows, sdsd / float(np.sqrt(2.0)))
        for rows, along in _groups(self._along, self._d_from, self._m):
            if along.shape[1] > 1:
                sd1, sd2 = self.values[rows, _COLUMN["sd1"]], along.std(axis=1, ddof=1)
                self._put("sd2", rows, sd2)
                plot = (sd1 > STILL_MS) & (sd2 > STILL_MS)
                rows, sd1, sd2 = rows[plot], sd1[plot], sd2[plot]
                self._put("sd1_sd2", rows, sd1 / sd2)
                self._put("csi", rows, sd2 / sd1)
                self._put("cvi", rows, np.log10(16.0 * sd1 * sd2))
        intervals = np.maximum(self._beats - 1, 0)
        some = intervals > 0
        self._put("artefact_fraction", np.flatnonzero(some), 1.0 - self._n[some] / intervals[some])
        touched = np.concatenate(([0], np.cumsum(self._all.kinds > 0)))
        count = touched[self._b] - touched[self._a]
        self._put("corrected_fraction", np.flatnonzero(some), count[some] / self._beats[some])
        return sums

    def _quality(self, sums: Array) -> tuple[Array, NDArray[np.uint8]]:
        """As :func:`feltsense.quality.beats.judge`."""
        limits, present = quality.LIMITS, self._present
        coverage = np.minimum(1.0, present / self._seconds)
        alike = np.clip((self._all.likeness - limits.alien) / (limits.alike - limits.alien), 0.0, 1.0)
        shape = np.zeros(len(present))
        for rows, part in _groups(alike, self._a, self._beats):
            shape[rows] = part.mean(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            rhythm = np.where(present > 0.0, np.minimum(1.0, sums[:, 0] / np.maximum(present - sums[:, 1], 1e-3)), 0.0)
        sound = (1.0 - self._flat) * (1.0 - self._railed)
        grade = np.minimum(1.0, np.maximum(0.0, coverage * shape * rhythm * sound))
        why = np.select(
            [
                coverage <= 0.0,
                self._flat > FAULTY,
                self._railed > FAULTY,
                coverage < WORTH_NAMING,
                self._beats == 0,
                shape < WORTH_NAMING,
                rhythm < WORTH_NAMING,
            ],
            [
                _NUMBER[r]
                for r in (
                    Reason.NO_SIGNAL, Reason.FLATLINE, Reason.SATURATED, Reason.GAP, Reason.TOO_FEW_BEATS, Reason.NOISE,
                    Reason.ARTEFACT,
                )
            ],
            _OK,
        )  # fmt: skip
        grade[coverage <= 0.0] = 0.0
        return grade, why.astype(np.uint8)

    def _reasons(self, why: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As :func:`feltsense.features._gate.missing`."""
        out = np.zeros(self.values.shape, np.uint8)
        intervals = np.maximum(self._beats - 1, 0)
        few = np.where((why == _OK) | (why == _GAP), _TOO_FEW, why)
        for name, column in _COLUMN.items():
            spec = EcgFeatures.specs[column]
            have, least = (self._m, LEAST_DIFFERENCES) if name in OF_DIFFERENCES else (self._n, LEAST_NN)
            if name == "coverage":
                least = 0
            elif name in ("artefact_fraction", "corrected_fraction"):
                have = intervals
            reason = np.where(have < least, few, _OK)
            reason = np.where(self._present < spec.min_seconds, _GAP, reason)
            reason = np.where(self._present <= 0.0, _NO_SIGNAL, reason)
            out[:, column] = _TOO_SHORT if self._seconds < spec.min_seconds else reason
        return out

    def _slow(self, reasons: NDArray[np.uint8], why: NDArray[np.uint8]) -> None:
        """Spectrum and slow indices, as :func:`feltsense.features._slow.slow`."""
        columns = [_COLUMN[name] for name in _SLOW]
        if self._seconds < _slow.HF_SECONDS:
            reasons[:, columns] = _TOO_SHORT
            return
        # A run begins with a beat that has no interval: where one does inside a window, its longest piece counts.
        begins = np.concatenate(([0], np.cumsum(np.isnan(self._all.interval_ms))))
        inner = np.minimum(self._a + 1, self._b)
        whole = (begins[self._b] == begins[inner]) & (self._beats > 1)
        only_spectrum = self._seconds < _slow.LF_SECONDS
        if only_spectrum:
            self._spectrum(np.flatnonzero(whole), reasons, why)
        series = Strip(1)
        series.append(self._nn[None])
        indices = _slow.Slow(series)
        for i in np.flatnonzero(~whole if only_spectrum else np.ones(len(whole), np.bool_)).tolist():
            piece = self._piece(i)
            found, why_not = indices.of(self._seconds, float(self._present[i]), piece, REASONS[why[i]])
            self.values[i, columns] = found
            reasons[i, columns] = [_NUMBER[r] for r in why_not.each()]

    def _piece(self, i: int) -> Piece:
        """The longest piece of window i."""
        a, b = int(self._a[i]), int(self._b[i])
        interval, valid = self._all.interval_ms[a:b], self._all.valid[a:b]
        p, q = longest_piece(interval) if b - a > 1 else (0, 1)
        first = int(self._nn_from[i]) + int(np.count_nonzero(valid[1 : p + 1]))
        interval, valid = interval[p + 1 : q], valid[p + 1 : q]
        return Piece(interval, valid.astype(np.float64), interval[valid], first)

    def _spectrum(self, rows: Ints, reasons: NDArray[np.uint8], why: NDArray[np.uint8]) -> None:
        """HF of windows without a gap that are too short for everything else."""
        for name in _SLOW:
            reasons[rows, _COLUMN[name]] = _TOO_SHORT
        hf = _COLUMN["hf"]
        asked: list[Ints] = []
        series: list[tuple[Array, Array]] = []
        for mine, interval in _groups(self._all.interval_ms, self._a + 1, self._beats - 1, rows):
            at_s = np.cumsum(interval, axis=1) / 1e3
            index = self._a[mine][:, None] + 1 + np.arange(interval.shape[1])
            valid = self._all.valid[index]
            share = self._n[mine] / interval.shape[1]
            reason = np.where(share < _slow.USABLE, _NUMBER[Reason.ARTEFACT], _OK)
            spoilt = np.where(why[mine] == _OK, _GAP, why[mine])
            reason = np.where(at_s[:, -1] < _slow.SPANNED * _slow.HF_SECONDS, spoilt, reason)
            reason = np.where(self._present[mine] <= 0.0, _NO_SIGNAL, reason)
            reasons[mine, hf] = reasons[mine, _COLUMN["hf_ln"]] = reasons[mine, _COLUMN["resp_rate"]] = reason
            for n in np.unique(self._n[mine][reason == _OK]).tolist():
                same = (self._n[mine] == n) & (reason == _OK)
                good = valid[same]
                asked.append(mine[same])
                series.append((at_s[same][good].reshape(-1, n), interval[same][good].reshape(-1, n)))
        if series:
            rows, spectra = np.concatenate(asked), band_powers_rows(series)
            power = spectra[:, 2]
            self.values[rows, hf] = power
            some = power > STILL_MS**2
            self.values[rows[some], _COLUMN["hf_ln"]] = np.log(power[some])
            self.values[rows[some], _COLUMN["resp_rate"]] = 60.0 * spectra[some, 3]


def _span(index: Ints, low: Ints, stop: Ints) -> tuple[Ints, Ints]:
    """First of the sorted `index` in [low, stop), and how many there are."""
    first = np.searchsorted(index, low)
    return first, np.maximum(np.searchsorted(index, stop) - first, 0)


def _groups(values: Array, first: Ints, count: Ints, rows: Ints | None = None) -> Iterable[tuple[Ints, Array]]:
    """Windows with as many values as the rows of one array: their numbers, and the values."""
    chosen = np.arange(len(count)) if rows is None else rows
    for n in np.unique(count[chosen]).tolist():
        if n:
            same = chosen[count[chosen] == n]
            yield same, np.lib.stride_tricks.sliding_window_view(values, n)[first[same]]
