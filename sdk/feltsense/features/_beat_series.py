"""The beats of a whole recording for its user: raw RR intervals, what each beat is, and the corrected series beside them.

Raw values are never changed. The corrected series (Lipponen & Tarvainen 2019, :mod:`feltsense.dsp.correction`) has other
beats: extra ones are gone, missed ones are put in, misplaced ones are moved. Both restart after every gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feltsense.dsp.correction import BeatClass, corrected

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.features._beats import Beats

__all__ = ["BeatSeries", "series"]

_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class BeatSeries:
    """Beats of one ECG.

    Attributes
    ----------
    t_ns : ndarray of int64, shape (n,)
        Session times of the R peaks.
    rr_ms : ndarray of float64, shape (n,)
        Raw RR interval that ends at each beat; NaN at the first beat after a gap.
    nn : ndarray of bool, shape (n,)
        Whether that interval counts as NN: what the features are made of.
    likeness : ndarray of float64, shape (n,)
        Correlation of each beat with the shape of its neighbours, −1..1.
    kind : tuple of str
        What each beat is: ``normal``, ``ectopic``, ``missed`` (a beat is missing before it), ``extra``, ``long_short``.
    corrected_t_ns : ndarray of int64, shape (m,)
        Session times of the corrected beats.
    corrected_rr_ms : ndarray of float64, shape (m,)
        Corrected intervals; NaN at the first beat after a gap.
    """

    t_ns: NDArray[np.int64]
    rr_ms: NDArray[np.float64]
    nn: NDArray[np.bool_]
    likeness: NDArray[np.float64]
    kind: tuple[str, ...]
    corrected_t_ns: NDArray[np.int64]
    corrected_rr_ms: NDArray[np.float64]


def series(beats: Beats) -> BeatSeries:
    """Raw and corrected series of beats, all of a stream's."""
    starts = np.flatnonzero(np.isnan(beats.interval_ms))
    times, intervals = [np.empty(0, np.int64)], [np.empty(0)]
    for run in np.split(np.arange(len(beats.t_ns)), starts[starts > 0]):
        if not len(run):
            continue
        # Intervals are device time; the session's clock may have moved meanwhile by less than a beat's uncertainty.
        since_ms = np.concatenate(([0.0], np.cumsum(beats.interval_ms[run[1:]])))
        right_ms = corrected(since_ms, beats.kinds[run])
        at = np.interp(right_ms, since_ms, (beats.t_ns[run] - beats.t_ns[run[0]]) / _NS_PER_MS)
        times.append(beats.t_ns[run[0]] + np.rint(at * _NS_PER_MS).astype(np.int64))
        intervals.append(np.diff(right_ms, prepend=np.nan))
    names = {k.value: k.name.lower() for k in BeatClass}
    return BeatSeries(
        beats.t_ns,
        beats.interval_ms,
        beats.valid,
        beats.likeness,
        tuple(names[k] for k in beats.kinds.tolist()),
        np.concatenate(times),
        np.concatenate(intervals),
    )
