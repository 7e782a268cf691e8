"""Whole recordings: filtered once, then features over any window and hop, as arrays.

The numbers are those of :class:`~feltsense.session.Pipeline`, to the last bit: the same extractors are given the whole
recording and asked for its windows afterwards. For an ECG, beats and windows are computed many at a time
(:mod:`feltsense.features._batch_ecg`), for a pulse wave the beats are (:mod:`feltsense.features._batch_pulse`).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from feltsense import features
from feltsense.core.chunk import Chunk
from feltsense.core.event import EventKind
from feltsense.core.modality import base
from feltsense.core.recording import Recording
from feltsense.core.table import Columns, FeatureTable, columns_of
from feltsense.core.vector import Extracted, FeatureSchema, Reason
from feltsense.core.window import Window, Windower
from feltsense.dsp.filters import ECG_LEAST_RATE
from feltsense.errors import InputError
from feltsense.features._batch_ecg import EcgBatch
from feltsense.features._batch_pulse import PulseLine
from feltsense.features._beat_series import BeatSeries, series
from feltsense.features._binding import bind, usual
from feltsense.features.ecg import EcgFeatures
from feltsense.features.ppg import PpgFeatures
from feltsense.pipeline import MANY, extracted, own_lengths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.extractor import Extractor

__all__ = ["Batch", "BeatSeries"]

LONG_S = 60.0
"""Seconds of a chunk where nothing says that a stream stalled: how it is cut changes no bit, and fewer pieces cost less."""


class Batch:
    """A recording whose signals are filtered and searched once.

    Parameters
    ----------
    recording : Recording
        What to read.
    modalities : sequence of str, optional
        As in :class:`~feltsense.session.Pipeline`.
    engine : str, optional
        As in :class:`~feltsense.session.Pipeline`.

    Raises
    ------
    UnknownNameError
        If there is no such modality or engine.
    MissingExtraError
        If the engine is not installed.
    """

    def __init__(
        self, recording: Recording, *, modalities: Sequence[str] | None = None, engine: str = features.ENGINES[0]
    ) -> None:
        infos = recording.infos()
        names = usual(infos) if modalities is None else tuple(modalities)
        bound = {m: bind(m, infos) for m in names}
        kept = [m for m in names if bound[m] or modalities is not None]
        self.schema = FeatureSchema([(m, features.extractor(m).specs) for m in kept])
        self._start_ns = recording.start_ns
        self._stop_ns = _end(recording)
        # One source a modality, whatever lengths it is asked for.
        self._sources: dict[str, EcgBatch | Extractor] = {}
        for m in kept:
            if bound[m] and base(m) not in self._sources:
                self._sources[base(m)] = _source(recording, base(m), bound[m], engine)

    def table(self, *, window: float, hop: float, until_ns: int | None = None) -> FeatureTable:
        """Features of all windows that end within the recording.

        Parameters
        ----------
        window, hop : float
            Seconds.
        until_ns : int, optional
            Session time by which a window ends, where the recording is not wanted to its end.
        """
        length, step = Windower(window, hop).length_ns, Windower(window, hop).hop_ns
        stop_ns = self._stop_ns if until_ns is None else min(until_ns, self._stop_ns)
        n = max((stop_ns - self._start_ns - length) // step + 1, 0)
        start = self._start_ns + step * np.arange(n, dtype=np.int64)
        parts = [self._part(m, start, length, own) for m, own in own_lengths(self.schema.modalities, length).items()]
        return FeatureTable(
            self.schema,
            start,
            length,
            np.concatenate([np.empty((n, 0)), *(p.values for p in parts)], axis=1),
            np.concatenate([np.empty((n, 0), np.uint8), *(p.reasons for p in parts)], axis=1),
            np.column_stack([np.empty((n, 0)), *(p.quality for p in parts)]),
            np.column_stack([np.empty((n, 0), np.uint8), *(p.quality_reasons for p in parts)]),
        )

    def _part(self, modality: str, start_ns: NDArray[np.int64], length_ns: int, own_ns: int | None) -> Columns:
        source, n = self._sources.get(base(modality)), len(features.extractor(modality).specs)
        if own_ns is None:
            return _columns(source, start_ns, length_ns, n)
        return _columns(source, start_ns + (length_ns - own_ns), own_ns, n)

    def beats(self) -> BeatSeries:
        """All beats of the recording's ECG: raw RR intervals, what each beat is, and the corrected series.

        Raises
        ------
        InputError
            If the batch has no ECG of a rate that beats can be found at, or another engine's.
        """
        source, found = self._sources.get("ecg"), None
        if isinstance(source, EcgBatch):
            found = source.beats
        elif isinstance(source, EcgFeatures):
            found = source.beats(Window(0, self._start_ns, self._stop_ns))
        if found is None:
            msg = f"beats are those of an ECG of {ECG_LEAST_RATE:g} Hz and more by the stream engine; this batch has none"
            raise InputError(msg)
        return series(found)


def _columns(source: EcgBatch | Extractor | None, start_ns: NDArray[np.int64], length_ns: int, n: int) -> Columns:
    if isinstance(source, EcgBatch):
        return source.columns(start_ns, length_ns)
    if source is None:
        return columns_of([Extracted.nothing(n, Reason.NO_SIGNAL)] * len(start_ns), n)
    windows = [Window(i, t, t + length_ns) for i, t in enumerate(start_ns.tolist())]
    parts = (extracted(source, windows[k : k + MANY]) for k in range(0, len(windows), MANY))
    return columns_of(list(chain.from_iterable(parts)), n)


def _source(recording: Recording, modality: str, bound: Mapping[str, StreamInfo], engine: str) -> EcgBatch | Extractor:
    """The modality's extractor, given all that its streams have."""
    ids = {info.id for info in bound.values()}
    if modality == "ecg" and engine == features.ENGINES[0] and not _stalls_inside(recording, ids):
        info = bound["ecg"]
        stream = recording.streams[info.id]
        return EcgBatch(info, (s.chunk(info, 0, len(s.values)) for s in stream.segments))
    extractor: Extractor = (
        PpgFeatures(bound, PulseLine) if modality == "ppg" else features.extractor(modality, engine)(bound)
    )
    for item in _items(recording, ids):
        if isinstance(item, Chunk):
            extractor.push(item)
        else:
            extractor.close(item.text)
    for stream_id in ids:
        extractor.close(stream_id)
    return extractor


def _items(recording: Recording, ids: set[str]) -> Iterator[Chunk | Event]:
    """Chunks of some streams, and the events that say that one of them stalled, in order."""
    own = {k: s for k, s in recording.streams.items() if k in ids}
    stalled = any(e.kind is EventKind.STALLED and e.text in ids for e in recording.events)
    part = Recording(recording.subject, own, recording.events, recording.metadata)
    for item in part.items() if stalled else part.items(LONG_S):
        if isinstance(item, Chunk):
            if len(item):
                yield item
        elif item.kind is EventKind.STALLED and item.text in ids:
            yield item


def _stalls_inside(recording: Recording, ids: set[str]) -> bool:
    """Whether a stream was said to stall within a segment: what came afterwards came too late for a stream."""
    stalls = [e for e in recording.events if e.kind is EventKind.STALLED and e.text in ids]
    return any(
        segment.time.time_at(0) < event.t_ns <= segment.time.time_at(len(segment.values) - 1)
        for event in stalls
        for segment in recording.streams[event.text].segments
        if len(segment.values)
    )


def _end(recording: Recording) -> int:
    """Session time up to which windows are answered: the latest end of a segment, or of a stream said to stall."""
    ends = [
        s.chunk(stream.info, len(s.values) - 1, len(s.values)).stop_ns
        for stream in recording.streams.values()
        for s in stream.segments
        if len(s.values)
    ]
    stalls = [e.t_ns for e in recording.events if e.kind is EventKind.STALLED and e.text in recording.streams]
    return max(ends + stalls)
