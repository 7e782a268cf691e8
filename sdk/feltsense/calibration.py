"""Learning a person's rest from a recording: the baseline that ``calibrate`` writes and training uses.

Windows of the model's length every 5 s, wholly inside an interval of known rest, each put into the profile. The hop
is fixed, so that a profile means the same wherever it was made. The same windows are the first that the adaptive
baseline has seen: a session does not count them again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.modality import base
from feltsense.core.profile import UserProfile
from feltsense.core.timeline import NS, to_ns
from feltsense.core.utterance import UTTERANCE_REST_S, WHOLE
from feltsense.errors import InputError
from feltsense.session import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from feltsense.batch import Batch
    from feltsense.bundle import Bundle
    from feltsense.core.profile import RestInterval
    from feltsense.core.recording import Recording
    from feltsense.core.vector import FeatureVector
    from feltsense.core.window import Window

__all__ = [
    "REST_HOP_S", "Rest", "calibrate", "calibrate_utterances", "learn_neutral", "learn_rest", "learn_rest_of_batch",
    "with_neutral",
]  # fmt: skip

REST_HOP_S = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """What was learned: a profile of the rest, and the windows behind it."""

    profile: UserProfile
    windows: tuple[FeatureVector, ...]


def learn_rest(recording: Recording, rest: Sequence[RestInterval], modalities: Sequence[str], window: float) -> Rest:
    """Profile of the windows that lie wholly inside the intervals of rest (empty where there are none)."""
    pipeline = Pipeline(
        recording.infos(), window=window, hop=REST_HOP_S, modalities=modalities, start_ns=recording.start_ns
    )
    return _rest_of(recording.subject, rest, window, _until(pipeline, recording, _last_ns(rest)))


def learn_rest_of_batch(batch: Batch, subject: str, rest: Sequence[RestInterval], window: float) -> Rest:
    """The same of a recording that was filtered already, for many recordings."""
    return _rest_of(subject, rest, window, batch.table(window=window, hop=REST_HOP_S, until_ns=_last_ns(rest)))


def _rest_of(
    subject: str, rest: Sequence[RestInterval], window: float, placed: Iterable[tuple[Window, FeatureVector]]
) -> Rest:
    """Profile of those of the windows (every :data:`REST_HOP_S` seconds) that lie wholly inside the intervals."""
    profile = UserProfile(subject, intervals=tuple(rest), window_s=window, hop_s=REST_HOP_S)
    windows = []
    for w, vector in placed:
        if any(r.start_ns <= w.start_ns and w.stop_ns <= r.stop_ns for r in rest):
            profile = profile.update(vector)
            windows.append(vector)
    return Rest(profile, tuple(windows))


def _last_ns(rest: Sequence[RestInterval]) -> int:
    return max((r.stop_ns for r in rest), default=0)


def _until(pipeline: Pipeline, recording: Recording, stop_ns: int) -> Iterator[tuple[Window, FeatureVector]]:
    """Windows that end by `stop_ns`; what comes later is not read."""
    for item in recording.items():
        for placed, vector in pipeline.push(item):
            if placed.stop_ns > stop_ns:
                return
            yield placed, vector
    yield from (p for p in pipeline.finish() if p[0].stop_ns <= stop_ns)


def calibrate(recording: Recording, rest: Sequence[RestInterval], bundle: Bundle) -> UserProfile:
    """Learn a person's rest for a model.

    Parameters
    ----------
    recording : Recording
        Holds the rest.
    rest : sequence of RestInterval
        When the person was known to rest.
    bundle : Bundle
        Whose features are learned.

    Raises
    ------
    InputError
        If an interval is empty or outside the recording, too short for a window, or holds no usable signal.
    SchemaError
        If the features of this release are not those of the bundle.
    """
    model = bundle.model
    first, last = recording.start_ns, recording.stop_ns
    for r in rest:
        a, b = (r.start_ns - first) / NS, (r.stop_ns - first) / NS
        shown = f"rest interval {a:g} to {b:g} s"
        if b <= a:
            msg = f"{shown} is empty: the end must come after the start"
            raise InputError(msg)
        if a < 0 or r.stop_ns > last:
            msg = f"{shown} lies outside the recording of {recording.subject!r}, which has {(last - first) / NS:.1f} s"
            raise InputError(msg)
        if r.stop_ns - r.start_ns < to_ns(model.window_s):
            msg = f"{shown} is too short: at least {model.window_s:g} s are needed, 3 to 5 minutes are good"
            raise InputError(msg)
    pipeline = Pipeline(recording.infos(), window=model.window_s, hop=REST_HOP_S, modalities=model.watched)
    columns = model.columns(pipeline.schema)
    learned = learn_rest(recording, rest, model.watched, model.window_s)
    names = set(model.names)
    kept = {n: m for n, m in learned.profile.rest.items() if n in names}
    windows = max((m.n for m in kept.values()), default=0)
    if not windows:
        wanted = " or ".join(model.modalities)
        msg = f"no usable window in the rest of {recording.subject!r}: no {wanted} there; see: feltsense info"
        raise InputError(msg)
    spans = ", ".join(f"{(r.start_ns - first) / NS:g}–{(r.stop_ns - first) / NS:g} s" for r in rest)
    profile = UserProfile(
        recording.subject, kept, tuple(rest), model.schema_digest, model.window_s, REST_HOP_S,
        (f"rest {spans} of {recording.subject}: {windows} windows of {model.window_s:g} s every {REST_HOP_S:g} s",),
    )
    x = np.array([v.values[columns] for v in learned.windows])
    mean, seconds = bundle.rest(profile)
    z = model.normaliser(x, np.broadcast_to(mean, x.shape), np.broadcast_to(seconds, x.shape))
    counts = model.adaptive.count(z, round(REST_HOP_S * 1000))
    return profile.saw(model.adaptive.named(model.inputs, counts), model.adaptive.digest)


def calibrate_utterances(recordings: Sequence[Recording], bundle: Bundle) -> UserProfile:
    """Learn how a person speaks from a few neutral utterances, for a model of utterances; four are good.

    Parameters
    ----------
    recordings : sequence of Recording
        One utterance each.
    bundle : Bundle
        Whose features are learned.

    Raises
    ------
    InputError
        If the model is not one of utterances, or none of the recordings is usable.
    SchemaError
        If the features of this release are not those of the bundle.
    """
    model = bundle.model
    if model.window_s != WHOLE:
        msg = f"this model has windows of {model.window_s:g} s: calibrate it on the rest of one recording (--rest)"
        raise InputError(msg)
    subject = recordings[0].subject if recordings else ""
    window = UTTERANCE_REST_S
    profile = UserProfile(subject, schema_digest=model.schema_digest, window_s=window, hop_s=window)
    for recording in recordings:
        length = recording.seconds
        pipeline = Pipeline(
            recording.infos(), window=length, hop=length, modalities=model.watched, start_ns=recording.start_ns
        )
        model.columns(pipeline.schema)
        for _, vector in _until(pipeline, recording, recording.stop_ns):
            profile = profile.update(vector)
    kept = {n: m for n, m in profile.rest.items() if n in set(model.names)}
    if not any(m.n for m in kept.values()):
        wanted = " or ".join(model.modalities)
        msg = f"no usable utterance of {subject!r}: no {wanted} in {len(recordings)} recordings; see: feltsense info"
        raise InputError(msg)
    used = max(m.n for m in kept.values())
    return replace(profile, rest=kept, lineage=(f"{used} neutral utterances of {subject}",))


def learn_neutral(profile: UserProfile, vector: FeatureVector, each_s: float) -> UserProfile:
    """Learn how a person's face or voice is when nothing moves them, from one vector.

    Parameters
    ----------
    profile : UserProfile
        What is known; what it knew of the vector's modalities is replaced.
    vector : FeatureVector
        Features of the neutral face, or of a sentence read aloud.
    each_s : float
        Seconds of rest that it counts as.
    """
    modalities = vector.schema.modalities
    rest = {n: m for n, m in profile.rest.items() if base(n) not in modalities}
    lines = [_line(m, each_s) for m in modalities]
    before = tuple(line for line in profile.lineage if not line.startswith(tuple(f"neutral {m}:" for m in modalities)))
    each = {**profile.each_s, **dict.fromkeys(modalities, each_s)}
    return replace(profile, rest=rest, each_s=each, lineage=(*before, *lines)).update(vector)


def with_neutral(profile: UserProfile, before: UserProfile | None) -> UserProfile:
    """A profile of a new rest, with the neutral face and voice of the one before; `before` is the same person's."""
    if before is None or not before.each_s:
        return profile
    rest = {n: m for n, m in before.rest.items() if base(n) in before.each_s}
    lines = tuple(_line(m, s) for m, s in before.each_s.items())
    return replace(profile, rest={**rest, **profile.rest}, each_s=before.each_s, lineage=(*profile.lineage, *lines))


def _line(modality: str, each_s: float) -> str:
    return f"neutral {modality}: counts as {each_s:g} s"
