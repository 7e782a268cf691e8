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

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense import features
from feltsense.batch import Batch
from feltsense.calibration import learn_rest_of_batch
from feltsense.core.modality import base, length_of
from feltsense.core.timeline import NS
from feltsense.core.utterance import WHOLE
from feltsense.core.vector import FeatureSchema
from feltsense.train.labels import PURITY, UNLABELLED, classes_of, first_rest, votes
from feltsense.train.traces import Traces, traces

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.profile import UserProfile
    from feltsense.core.recording import Recording
    from feltsense.datasets.labelled import Labelled
    from feltsense.train.targets import Target

__all__ = ["HOP_S", "PURITY", "REST_S", "Line", "only_lengths", "only_modalities", "read_line", "usable"]

HOP_S = 30.0
MOTION = "motion"
"""Never evidence, always a control: a model that sees nothing else is scored beside every other."""
REST_S = 270.0
"""Seconds of rest that everyone is calibrated on: eight windows of 60 s every 30 s."""
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
    rest_x : ndarray, shape (m, features)
        Windows of the calibration's rest, every 5 s: the first that the adaptive baseline has seen.
    votes : ndarray, shape (n, classes), or None
        How many raters chose each class (or the weights of a soft label, adding up to 1), where there was more than
        one opinion; NaN where nobody said anything.
    motion : ndarray, shape (n, motion features), or None
        For the control that sees nothing but motion.
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
    motion: NDArray[np.float64] | None = None
    rest_x: NDArray[np.float64] | None = None

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
    # Of utterances, whole ones are rest: what calibrates is chosen among all of a person's recordings.
    rest = () if target.window_s == WHOLE else first_rest(intervals, target.rest, REST_S)
    t0 = recording.start_ns
    watched = (*target.watched, *(m for m in (MOTION,) if m not in target.modalities))
    window, hop = (recording.seconds, recording.seconds) if target.window_s == WHOLE else (target.window_s, HOP_S)
    batch = Batch(recording, modalities=watched)
    table = batch.table(window=window, hop=hop)
    if not len(table):
        note(f"{labelled.subject}: {labelled.path} is shorter than a window of {target.window_s:g} s; not used")
    schema = FeatureSchema([(m, features.extractor(m).specs) for m in target.watched])
    inputs, modalities = len(schema.names), len(schema.modalities)
    profile, rest_x = None, None
    if rest:
        learned = learn_rest_of_batch(batch, recording.subject, rest, target.window_s)
        profile = learned.profile
        rest_x = np.array([v.values[:inputs] for v in learned.windows]).reshape(-1, inputs)
        if not any(name in profile.rest for name in schema.names):
            note(f"{labelled.subject}: no usable window of rest in {labelled.path}; not calibrated")
    mean, seconds = _rest_arrays(schema, profile)
    windows = [table.window(i) for i in range(len(table))]
    counted, several = votes(windows, intervals, target.classes)
    y = classes_of(counted)
    split = int(np.isfinite(counted).any(axis=1).sum() - (y != UNLABELLED).sum())
    if split:
        note(f"{labelled.subject}: raters are split evenly over {split} windows of {labelled.path}; these have no label")
    return Line(
        labelled.subject,
        str(labelled.path),
        schema,
        np.array([(w.stop_ns - t0) / NS for w in windows]),
        table.values[:, :inputs],
        table.quality[:, :modalities],
        y,
        np.array([not rest or w.stop_ns > rest[0].start_ns for w in windows], np.bool_),
        mean,
        seconds,
        tuple(((r.start_ns - t0) / NS, (r.stop_ns - t0) / NS) for r in rest),
        t0 / NS,
        target.window_s,
        traces(recording),
        _about(labelled, recording),
        counted if several else None,
        table.values[:, [i for i, m in enumerate(table.schema.owner) if m == MOTION]],
        rest_x=rest_x,
    )


def _about(labelled: Labelled, recording: Recording) -> dict[str, str]:
    """Groups that are known: what the data set says, and the devices."""
    devices = sorted({s.info.device for s in recording.streams.values() if s.info.device})
    # Recordings at other rates are judged together, and beside it by themselves: rates are a group like any other.
    rates = sorted({f"{s.info.spec.name} {s.info.spec.hz:g} Hz" for s in recording.streams.values() if s.info.spec.rate})
    known = {**({"device": "+".join(devices)} if devices else {}), **({"rates": ", ".join(rates)} if rates else {})}
    return {**known, **dict(labelled.about)}


def _rest_arrays(schema: FeatureSchema, profile: UserProfile | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, seconds = np.full(len(schema.names), np.nan), np.zeros(len(schema.names))
    for i, name in enumerate(schema.names):
        if profile is not None and name in profile.rest:
            mean[i], seconds[i] = profile.rest[name].mean, profile.seconds(name)
    return mean, seconds


def usable(line: Line, modality: str) -> bool:
    """Whether any window of a recording holds something of a modality."""
    if modality not in line.schema.modalities or not len(line.y):
        return False
    mine = [i for i, m in enumerate(line.schema.owner) if m == modality]
    there = np.isfinite(line.x[:, mine]).any(axis=1) & (line.quality[:, line.schema.modalities.index(modality)] > 0.0)
    return bool(there.any())


def only_modalities(line: Line, modalities: Sequence[str]) -> Line:
    """The recording with some of its modalities (and these over further windows), in the order of `modalities`."""
    kept = [m for m in line.schema.modalities if base(m) in modalities]
    kept.sort(key=lambda m: (length_of(m) is not None, modalities.index(base(m))))
    return _only(line, kept)


def only_lengths(line: Line, further_s: Sequence[float]) -> Line:
    """The recording with its window's features, and those over these further windows."""
    return _only(line, [m for m in line.schema.modalities if length_of(m) in (None, *further_s)])


def _only(line: Line, kept: Sequence[str]) -> Line:
    schema = FeatureSchema([(m, features.extractor(m).specs) for m in kept])
    columns = [line.schema.position(n) for n in schema.names]
    places = [line.schema.modalities.index(m) for m in kept]
    return replace(
        line, schema=schema, x=line.x[:, columns], quality=line.quality[:, places], rest_mean=line.rest_mean[columns],
        rest_seconds=line.rest_seconds[columns], rest_x=None if line.rest_x is None else line.rest_x[:, columns],
    )
