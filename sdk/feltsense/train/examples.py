"""Labelled recordings → windows of features with labels and the person's rest: what training and scoring see.

Protocol
--------
- Windows every 30 s on the grid of t0, the same that ``predict --hop 30`` uses; a window has a label when one label
  covers at least 95 % of it.
- A person's rest is the first 270 s of known rest, measured as ``calibrate`` does: windows every 5 s wholly inside.
  Windows that overlap it are never scored, nor are those within one window's length of it: what was smoothed over
  the border would carry calibration into the figures.
- Each recording is read and filtered once, however many folds use it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from feltsense.calibration import learn_rest
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS, to_ns
from feltsense.session import extract
from feltsense.train.traces import Traces, traces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.profile import UserProfile
    from feltsense.core.vector import FeatureSchema
    from feltsense.core.window import Window
    from feltsense.datasets.labelled import Interval, Labelled
    from feltsense.train.targets import Target

__all__ = ["HOP_S", "PURITY", "REST_S", "Line", "read_line"]

HOP_S = 30.0
PURITY = 0.95
"""Share of a window that its label covers at least."""
REST_S = 270.0
"""Seconds of rest that everyone is calibrated on: eight windows of 60 s every 30 s."""
UNLABELLED = -1
_TOUCH_S = 5e-10
"""Half a nanosecond: borders that meet do not overlap, however their seconds were rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One recording's timeline of windows.

    Attributes
    ----------
    subject, path : str
        Whose, and from where.
    schema : FeatureSchema
        Columns of `x`.
    stop_s : ndarray, shape (n,)
        End of each window, seconds from the recording's first sample.
    x, quality : ndarray, shape (n, features), (n, modalities)
        As the pipeline gives them.
    y : ndarray of int64, shape (n,)
        Class number, −1 where no label covers the window.
    known : ndarray of bool, shape (n,)
        Ends after the calibration's rest began: the person's baseline applies.
    rest_mean, rest_seconds : ndarray, shape (features,)
        The person's rest; NaN and 0 where unknown.
    rest_s : tuple of (float, float)
        Rest intervals, seconds from the first sample.
    start_unix : float
        Unix time of the first sample.
    window_s : float
        Length of the windows.
    traces : Traces
        What the recording is recognised by.
    about : mapping of str to str
        Groups that are known: ``device``, ``sex``, ``age``.
    votes : ndarray, shape (n, classes), or None
        Share of the raters (or the weight of a soft label) for each class, where there was more than one opinion;
        NaN where nobody said anything.
    """

    subject: str
    path: str
    schema: FeatureSchema
    stop_s: NDArray[np.float64]
    x: NDArray[np.float64]
    quality: NDArray[np.float64]
    y: NDArray[np.int64]
    known: NDArray[np.bool_]
    rest_mean: NDArray[np.float64]
    rest_seconds: NDArray[np.float64]
    rest_s: tuple[tuple[float, float], ...]
    start_unix: float
    window_s: float
    traces: Traces = field(default_factory=Traces)
    about: Mapping[str, str] = field(default_factory=dict)
    votes: NDArray[np.float64] | None = None

    @property
    def resting(self) -> NDArray[np.bool_]:
        """Windows that overlap the rest of the calibration."""
        return self._near(0.0)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Windows with a label that are at least a window's length away from the calibration."""
        out: NDArray[np.bool_] = (self.y != UNLABELLED) & ~self._near(self.window_s)
        return out

    def _near(self, margin_s: float) -> NDArray[np.bool_]:
        out = np.zeros(len(self.stop_s), np.bool_)
        for start, stop in self.rest_s:
            begins_before = self.stop_s - self.window_s < stop + margin_s - _TOUCH_S
            out |= begins_before & (self.stop_s > start - margin_s + _TOUCH_S)
        return out


def read_line(labelled: Labelled, target: Target, note: Callable[[str], None]) -> Line:
    """Extract one recording."""
    recording = labelled.open()
    intervals = labelled.intervals(recording, note)
    rest = _first_rest(intervals, target.rest)
    t0 = recording.start_ns
    pairs = list(extract(recording, window=target.window_s, hop=HOP_S, modalities=target.modalities))
    if not pairs:
        note(f"{labelled.subject}: {labelled.path} is shorter than a window of {target.window_s:g} s; not used")
    schema = pairs[0][1].schema if pairs else None
    profile = None
    if rest:
        profile = learn_rest(recording, rest, target.modalities, target.window_s)
        if not profile.rest:
            note(f"{labelled.subject}: no usable window of rest in {labelled.path}; not calibrated")
    if schema is None:
        from feltsense.core.vector import FeatureSchema

        schema = FeatureSchema([])
    mean, seconds = _rest_arrays(schema, profile)
    windows = [w for w, _ in pairs]
    return Line(
        labelled.subject,
        str(labelled.path),
        schema,
        np.array([(w.stop_ns - t0) / NS for w in windows]),
        np.array([v.values for _, v in pairs]).reshape(len(pairs), -1),
        np.array([v.quality for _, v in pairs]).reshape(len(pairs), -1),
        np.array([_label(w, intervals, target.classes) for w in windows], np.int64),
        np.array([not rest or w.stop_ns > rest[0].start_ns for w in windows], np.bool_),
        mean,
        seconds,
        tuple(((r.start_ns - t0) / NS, (r.stop_ns - t0) / NS) for r in rest),
        t0 / NS,
        target.window_s,
        traces(recording),
    )


def _first_rest(intervals: Sequence[Interval], label: str | None) -> tuple[RestInterval, ...]:
    """The first 270 s of known rest, in pieces where rest is interrupted."""
    left = to_ns(REST_S)
    out = []
    for interval in intervals:
        if interval.label == label and left > 0:
            stop = min(interval.stop_ns, interval.start_ns + left)
            out.append(RestInterval(interval.start_ns, stop))
            left -= stop - interval.start_ns
    return tuple(out)


def _label(window: Window, intervals: Sequence[Interval], classes: Sequence[str]) -> int:
    covered = np.zeros(len(classes))
    for i in intervals:
        if window.overlaps(i.start_ns, i.stop_ns):
            covered[classes.index(i.label)] += min(window.stop_ns, i.stop_ns) - max(window.start_ns, i.start_ns)
    best = int(covered.argmax())
    return best if covered[best] >= PURITY * (window.stop_ns - window.start_ns) else UNLABELLED


def _rest_arrays(schema: FeatureSchema, profile: UserProfile | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, seconds = np.full(len(schema.names), np.nan), np.zeros(len(schema.names))
    for i, name in enumerate(schema.names):
        if profile is not None and name in profile.rest:
            mean[i], seconds[i] = profile.rest[name].mean, profile.seconds(name)
    return mean, seconds
