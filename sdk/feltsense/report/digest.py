"""One session reduced to what a course of days needs (:class:`~feltsense.report.course.Digest`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.batch import Batch
from feltsense.core.event import EventKind
from feltsense.report.account import stream_lines
from feltsense.report.course import Answer, Digest
from feltsense.report.estimate import estimate
from feltsense.report.figures import FEATURES
from feltsense.report.summary import corrected_share
from feltsense.report.tally import Tally
from feltsense.session import predict_windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.bundle import Bundle
    from feltsense.core.profile import UserProfile
    from feltsense.core.recording import Recording
    from feltsense.core.table import FeatureTable

__all__ = ["digest"]

WINDOW_S = 60.0
_MODALITIES = ("ecg", "ppg", "eda", "skin_temperature")


def digest(recording: Recording, model: Bundle | None = None, profile: UserProfile | None = None) -> Digest:
    """Reduce a session.

    Parameters
    ----------
    recording : Recording
        The session.
    model : Bundle, optional
        A model of windows of a minute that is to say something about it.
    profile : UserProfile, optional
        The person's rest, for the model.

    Raises
    ------
    RecordingError
        If it holds no samples.
    """
    there = {s.info.spec.name for s in recording.streams.values()}
    # Pulses are looked at only where there is no ECG: they fill the same rows of the report.
    chosen = [m for m in _MODALITIES if m in there and not (m == "ppg" and "ecg" in there)]
    judged = _table(recording, model.model.watched) if model is not None and model.model.window_s == WINDOW_S else None
    rest = [m for m in chosen if judged is None or m not in judged.schema.modalities]
    tables = [t for t in (judged, _table(recording, rest) if rest else None) if t is not None]
    windows = [list(t) for t in tables]
    names = [c[0] for row in FEATURES for c in row if c[0].partition(".")[0] in chosen]
    values: dict[str, tuple[float | None, ...]] = {}
    shares = []
    for table, rows in zip(tables, windows, strict=True):
        for n in (n for n in names if n in table.schema.names and rows):
            values[n] = tuple(x if math.isfinite(x := float(v[n])) else None for _, v in rows)
        shares.append(corrected_share(v for _, v in rows))
    lines = [s for s in stream_lines(recording) if s.coverage is not None]
    told = [e for e in recording.events if e.kind is EventKind.ANSWER]
    return Digest(
        recording.subject,
        recording.start_ns,
        recording.seconds,
        sum(s.coverage or 0.0 for s in lines) / len(lines) if lines else 0.0,
        tuple(dict.fromkeys(s.device or s.id.rpartition(".")[0] or s.id for s in stream_lines(recording))),
        sum(len(s.gaps) for s in lines),
        tuple(w.start_ns for w, _ in windows[0]) if windows else (),
        {n: values[n] for n in names if n in values},
        next((share for share in shares if share is not None), None),
        tuple(Answer(e.t_ns, e.text, e.value) for e in told),
        None if judged is None or model is None else _tally(recording, judged, model, profile),
    )


def _table(recording: Recording, modalities: Sequence[str]) -> FeatureTable:
    return Batch(recording, modalities=modalities).table(window=WINDOW_S, hop=WINDOW_S)


def _tally(recording: Recording, table: FeatureTable, model: Bundle, profile: UserProfile | None) -> Tally | None:
    said = list(predict_windows(table, recording.infos(), model, profile, WINDOW_S))
    found = estimate(said, recording.start_ns, () if profile is None else profile.intervals)
    return None if found is None else Tally.of(found)
