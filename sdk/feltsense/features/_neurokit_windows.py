"""The engine neurokit over the same windows: the stream engine judges, NeuroKit2 computes.

Rules
-----
- The same streams, windows, names, units and reasons: which samples are usable, which beats are trusted, whether a
  feature has what it needs, and the quality come from the stream engine. A value that it would not give is not given
  here either; one that NeuroKit2 cannot compute is missing with a reason of its own.
- NeuroKit2 gets each gapless stretch of a window with a fixed context on either side, so a window's values do not
  depend on how the stream was cut, nor on what it has seen before.
- A beat interval counts where NeuroKit2 and the stream engine find both its beats, and nothing in between.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, Reason
from feltsense.dsp.blocks import Tail
from feltsense.dsp.eda import LEAST_RATE, LEAST_SCR_RATE, LOCAL, SCR_LEAST_US
from feltsense.dsp.runs import RunSplitter
from feltsense.features import neurokit
from feltsense.features._eda_line import EdaLine, Rows
from feltsense.features._eda_numbers import LEVEL, levels, slows
from feltsense.features._slow import longest, spectral
from feltsense.features.ecg import EcgFeatures, poincare
from feltsense.features.eda import Eda

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window
    from feltsense.dsp.runs import Piece
    from feltsense.features._beats import Beats

__all__ = ["EXTRACTORS", "NeuroKitEcg", "NeuroKitEda", "clock"]

_SAME_BEAT_NS = 50 * NS // 1000
"""Two peaks within this are the same beat (the tolerance against which detectors are scored)."""
_ECG_BEFORE_S, _ECG_AFTER_S = 10.0, 4.0
"""Context; the stream engine is final 7 s and more behind, so it is there."""
_EDA_BEFORE_S, _EDA_AFTER_S = 30.0, 6.0
"""Context: the stream engine's own for its slow filters."""
_JUDGED = frozenset({"artefact_fraction", "coverage", "vlf", "total_power", "resp_rate"})
"""Features that say how usable a window is, and power that its Welch halves cannot resolve: the stream engine's."""


class _Stretch(NamedTuple):
    """Samples of one run: values (n,), session and device times (n,)."""

    values: NDArray[np.float64]
    t_ns: NDArray[np.int64]
    device_ns: NDArray[np.int64]


class _Memory:
    """The raw samples of one stream, by run."""

    def __init__(self) -> None:
        self._values = Tail()
        self._stamps = Tail(3, np.int64)

    def push(self, piece: Piece) -> None:
        """Take the next samples."""
        self._values.append(piece.values[:, 0])
        self._stamps.append(np.column_stack((piece.t_ns, piece.device_ns, np.full(len(piece.t_ns), piece.run))))

    def stretches(self, start_ns: int, stop_ns: int) -> Iterator[_Stretch]:
        """What there is in [start_ns, stop_ns), one a run."""
        stamps, values = self._stamps.rows, self._values.rows
        a, b = (int(i) for i in np.searchsorted(stamps[:, 0], (start_ns, stop_ns)))
        ends = a + 1 + np.flatnonzero(np.diff(stamps[a:b, 2]))
        for part in np.split(np.arange(a, b), ends - a):
            if len(part):
                i, j = int(part[0]), int(part[-1]) + 1
                yield _Stretch(values[i:j].copy(), stamps[i:j, 0].copy(), stamps[i:j, 1].copy())

    def forget(self, before_ns: int) -> None:
        """Drop the samples before a time."""
        n = self._stamps.start + int(np.searchsorted(self._stamps.rows[:, 0], before_ns))
        self._stamps.drop(n)
        self._values.drop(n)


class NeuroKitEcg(EcgFeatures):
    """ECG: ``ecg_clean``, ``ecg_peaks``, ``hrv_time``, ``hrv_frequency`` and more over the stream engine's windows."""

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        super().__init__(streams)
        neurokit.library()
        spec = streams[self.requires].spec
        self._rate, self._range = spec.hz, (spec.kind.low, spec.kind.high)
        self._split = RunSplitter()
        self._memory = _Memory()

    def push(self, chunk: Chunk) -> None:
        """Take the next samples."""
        super().push(chunk)
        for piece in self._split.push(chunk):
            self._memory.push(piece._replace(values=piece.values.clip(*self._range)))

    def close(self, stream_id: str) -> None:
        """End the segment."""
        super().close(stream_id)
        self._split.close()

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        super().forget(before_ns)
        self._memory.forget(before_ns - round(_ECG_BEFORE_S * NS))

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        judged = super().features(window)
        if self._heart is None or not any(r is Reason.OK for r in judged.reasons):
            return judged
        beats = self.beats(window)
        asked = {s.name for s, r in zip(self.specs, judged.reasons, strict=True) if r is Reason.OK}
        values = _cardiac(beats, asked)
        out, reasons = judged.values.copy(), list(judged.reasons)
        for i, spec in enumerate(self.specs):
            if spec.name in _JUDGED or reasons[i] is not Reason.OK:
                continue
            out[i] = values.get(spec.name, float("nan"))
            if not np.isfinite(out[i]):
                out[i], reasons[i] = float("nan"), Reason.TOO_FEW_BEATS if beats.valid.sum() < 2 else Reason.NONE_FOUND
        return Extracted(out, tuple(reasons), judged.quality, judged.quality_reason)

    def beats(self, window: Window) -> Beats:
        """The window's beats with NeuroKit2's intervals, valid where both engines find both beats.

        Raises
        ------
        ValueError
            If the stream's rate is too low for beats.
        """
        if self._heart is None:
            msg = f"an ECG at {self._rate:g} Hz has no beats to time"
            raise ValueError(msg)
        beats = self._heart.beats(window)
        before, after = round(_ECG_BEFORE_S * NS), round(_ECG_AFTER_S * NS)
        t, device, run = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for k, part in enumerate(self._memory.stretches(window.start_ns - before, window.stop_ns + after)):
            at = neurokit.r_peaks(part.values, self._rate)
            index = np.arange(len(part.t_ns))
            t.append(np.round(np.interp(at, index, part.t_ns - part.t_ns[0])).astype(np.int64) + part.t_ns[0])
            device.append(
                np.round(np.interp(at, index, part.device_ns - part.device_ns[0])).astype(np.int64) + part.device_ns[0]
            )
            run.append(np.full(len(at), k))
        times, clock, runs = np.concatenate(t), np.concatenate(device), np.concatenate(run)
        interval, valid = beats.interval_ms.copy(), np.zeros(len(beats.t_ns), np.bool_)
        if len(times) and len(beats.t_ns):
            right = np.clip(np.searchsorted(times, beats.t_ns), 1, max(len(times) - 1, 1))
            left = np.abs(times[right - 1] - beats.t_ns) <= np.abs(times[np.minimum(right, len(times) - 1)] - beats.t_ns)
            near = np.where(left, right - 1, np.minimum(right, len(times) - 1))
            same = np.abs(times[near] - beats.t_ns) <= _SAME_BEAT_NS
            both = same[1:] & same[:-1] & (np.diff(near) == 1) & (np.diff(runs[near]) == 0) & ~np.isnan(interval[1:])
            interval[1:][both] = (np.diff(clock[near]) / 1e6)[both]
            valid[1:] = both & beats.valid[1:]
        return replace(beats, interval_ms=interval, valid=valid)


def _cardiac(beats: Beats, asked: set[str]) -> dict[str, float]:
    """What NeuroKit2 makes of a window's beats, by name; only what is asked for is computed where it is slow."""
    at_s = clock(beats)
    out = neurokit.time_domain(beats.interval_ms[beats.valid], at_s[beats.valid])
    if asked & {"sd1", "sd2"}:
        out["sd1"], out["sd2"] = neurokit.poincare(beats.interval_ms[beats.valid], at_s[beats.valid])
        out |= poincare(out["sd1"], out["sd2"])
    if "corrected_fraction" in asked:
        starts = np.flatnonzero(np.isnan(beats.interval_ms))
        pieces = [p for p in np.split(at_s, starts) if len(p)]
        out["corrected_fraction"] = sum(neurokit.corrected_beats(p) for p in pieces) / len(at_s)
    times, interval, valid = longest(beats)
    nn, ends = interval[valid], times[valid]
    if asked & {"lf", "hf"}:
        out |= spectral(*neurokit.frequency_domain(nn, ends))
    if "sampen" in asked:
        out["sampen"] = neurokit.sample_entropy(nn)
    if "dfa_alpha1" in asked:
        out["dfa_alpha1"] = neurokit.dfa_alpha1(nn)
    return out


def clock(beats: Beats) -> NDArray[np.float64]:
    """Times of the beats in s from the first: sums of intervals within a run, session time across gaps."""
    steps = np.diff(beats.t_ns, prepend=beats.t_ns[:1]) / NS
    inside = ~np.isnan(beats.interval_ms)
    inside[:1] = False
    steps[inside] = beats.interval_ms[inside] / 1e3
    return np.cumsum(steps)


class NeuroKitEda(Eda):
    """EDA: ``eda_clean``, ``eda_phasic`` and ``eda_findpeaks`` over the stream engine's windows."""

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        super().__init__(streams)
        neurokit.library()
        self._raw = _Memory()
        self._line = _NeuroKitLine(self._rate, self._raw)

    def stretches(self, window: Window) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]]:
        """Times and raw conductance of the window's gapless stretches, and which of their samples are usable."""
        usable = self._line.between([window])[0].t_ns
        for part in self._raw.stretches(window.start_ns, window.stop_ns):
            yield part.t_ns, part.values, np.isin(part.t_ns, usable)


class _NeuroKitLine(EdaLine):
    """Rows whose conductance, tonic, phasic, band and responses are NeuroKit2's; verdicts stay."""

    def __init__(self, rate: float, memory: _Memory) -> None:
        super().__init__(rate)
        self._memory = memory

    def _take(self, piece: Piece) -> None:
        super()._take(piece)
        self._memory.push(piece)

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        super().forget(before_ns)
        self._memory.forget(before_ns - round(_EDA_BEFORE_S * NS))

    def between(self, windows: Sequence[Window]) -> list[Rows]:
        """The rows of each window."""
        return [self._decomposed(w, r) for w, r in zip(windows, super().between(windows), strict=True)]

    def _decomposed(self, window: Window, rows: Rows) -> Rows:
        level, slow = rows.level[LEVEL].copy(), rows.slow.T.copy()
        done, slow_done = np.zeros(len(level), np.bool_), np.zeros(len(slow), np.bool_)
        amplitudes = []
        before, after = round(_EDA_BEFORE_S * NS), round(_EDA_AFTER_S * NS)
        for part in self._memory.stretches(window.start_ns - before, window.stop_ns + after):
            parts = neurokit.decompose(part.values, self.rate) if self.rate >= LEAST_RATE else None
            if parts is None:
                continue
            done |= _fill(level, rows.t_ns, part.t_ns, parts[0])
            slow_done |= _fill(slow[:, :LOCAL], rows.slow_t_ns, part.t_ns, parts[1])
            if self.rate >= LEAST_SCR_RATE:
                onsets, sizes = neurokit.responses(parts[1][:, 1])
                inside = np.isin(part.t_ns[onsets], rows.t_ns) & (sizes >= SCR_LEAST_US)
                amplitudes.append(sizes[inside])
        found = np.concatenate(amplitudes) if amplitudes else np.empty(0)
        return rows._replace(
            t_ns=rows.t_ns[done],
            level=levels(level[done], rows.t_ns[done], self.rate),
            slow_t_ns=rows.slow_t_ns[slow_done],
            slow=slows(slow[slow_done]),
            amplitudes=found,
        )


def _fill(
    out: NDArray[np.float64], wanted: NDArray[np.int64], at: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Put values at their times into the rows of those times; which rows got one."""
    here = np.isin(wanted, at)
    out[here] = values[np.searchsorted(at, wanted[here])]
    return here


EXTRACTORS: dict[str, Any] = {"ecg": NeuroKitEcg, "eda": NeuroKitEda}
"""Modalities that NeuroKit2 computes; all others are the stream engine's in both engines."""
