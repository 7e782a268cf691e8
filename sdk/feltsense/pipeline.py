"""From chunks to windows of features.

Contract
--------
- Awaits nothing, reads no clock, opens no file. Live, replay, batch and training use the same objects.
- Window k covers [t0 + k·hop, t0 + k·hop + length); t0 is the earliest sample of any stream.
- A window is emitted as soon as every open stream is final up to its end. A stream is *open* from its first
  sample until an event says it stalled, and again from its next sample on; streams that were declared and have
  neither begun nor stalled hold everything back, since t0 is not known before.
- Whatever the cut into chunks, and whatever the interleaving of streams, the windows and their features are the
  same, bit for bit. (One exception, by nature: data that come after their stream was declared stalled and their
  window was emitted are too late for it. They are in the recording; a replay uses them.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from feltsense import features
from feltsense.core.chunk import Chunk
from feltsense.core.event import EventKind
from feltsense.core.modality import base, length_of
from feltsense.core.timeline import NS, to_ns
from feltsense.core.vector import Extracted, FeatureSchema, FeatureVector, Reason
from feltsense.core.window import Windower
from feltsense.errors import InputError, RecordingError
from feltsense.features._binding import bind, usual

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.extractor import Extractor
    from feltsense.core.recording import Recording
    from feltsense.core.window import Window

__all__ = ["Pipeline", "extract"]

_NEVER = -(2**63)
_FORGET_NS = 10 * NS
"""What windows no longer need is dropped so often: with each window it would cost as much as a tenth of its features."""
MANY = 32
"""Windows whose features are asked for together: a few become final at a time, in a whole recording thousands."""


@dataclass(slots=True)
class _State:
    """Where a stream stands: not begun, open, or ended for now."""

    begun: bool = False
    settled: bool = False
    """Has begun, or was declared stalled before it began: no longer holds t0 back."""
    open: bool = False
    first_ns: int = 0
    until_ns: int = _NEVER
    segment: int = -1


class Pipeline:
    """Chunks in, windows of features out.

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        All streams of the session, declared before the first chunk.
    window, hop : float
        Seconds.
    modalities : sequence of str, optional
        Modalities of the vectors, in order; one without a stream is missing in every window. Default: all that
        have a stream. ``ppg@30s`` is a modality over the window's last 30 seconds (:mod:`feltsense.core.modality`).
    start_ns : int, optional
        t0, where it is known beforehand (a whole recording); otherwise it is learned from the streams.
    choose : mapping of str to str, optional
        Modality → stream id, where several streams would do.
    engine : str, optional
        What computes the features: ``"stream"``, or ``"neurokit"`` (needs ``feltsense[physio]``).

    Raises
    ------
    InputError
        If there is no stream, or no such engine.
    MissingExtraError
        If the engine is not installed.
    """

    def __init__(
        self,
        streams: Mapping[str, StreamInfo],
        *,
        window: float,
        hop: float,
        modalities: Sequence[str] | None = None,
        start_ns: int | None = None,
        choose: Mapping[str, str] | None = None,
        engine: str = features.ENGINES[0],
    ) -> None:
        if not streams:
            msg = "a session needs at least one stream"
            raise InputError(msg)
        self.streams = dict(streams)
        self._windower = Windower(window, hop)
        self._t0 = start_ns
        wanted = dict(choose or {})
        names = usual(self.streams) if modalities is None else tuple(modalities)
        bound = {m: bind(m, self.streams, wanted.get(base(m))) for m in names}
        kept = [m for m in names if bound[m] or modalities is not None]
        self.schema = FeatureSchema([(m, features.extractor(m).specs) for m in kept])
        self._lengths = own_lengths(kept, self._windower.length_ns)
        # One extractor a modality, whatever lengths it is asked for: signals are filtered and searched once.
        self._extractors: dict[str, Extractor] = {}
        self._users: dict[str, list[Extractor]] = {s: [] for s in self.streams}
        for m in kept:
            if bound[m] and base(m) not in self._extractors:
                self._extractors[base(m)] = made = features.extractor(m, engine)(bound[m])
                for info in bound[m].values():
                    self._users[info.id].append(made)
        self._states = {s: _State() for s in self.streams}
        self._settled = False
        self._forgotten = _NEVER
        # A stream that no feature reads (a device's own beat intervals, minutes apart) must not hold windows back.
        self._read = [(i, s) for i, s in self._states.items() if self._users[i]] or list(self._states.items())

    @property
    def start_ns(self) -> int | None:
        """t0; None while streams that were declared have not begun."""
        return self._t0

    def push(self, item: Chunk | Event) -> list[tuple[Window, FeatureVector]]:
        """Take a chunk or an event; give the windows that became final.

        Raises
        ------
        RecordingError
            If the chunk's stream was not declared, or its samples do not continue the stream.
        """
        if isinstance(item, Chunk):
            self._take(item)
        elif item.kind is EventKind.STALLED and item.text in self._states:
            self._close(item.text, item.t_ns)
        else:
            return []
        return list(self._emit())

    def finish(self) -> list[tuple[Window, FeatureVector]]:
        """End all streams; give the windows that were still waiting and end within the session."""
        for stream_id, state in self._states.items():
            self._close(stream_id, state.until_ns)
        return list(self._emit())

    def _take(self, chunk: Chunk) -> None:
        state = self._states.get(chunk.stream.id)
        if state is None:
            msg = f"stream {chunk.stream.id!r} was not declared; declared: {', '.join(sorted(self._states))}"
            raise RecordingError(msg)
        if not len(chunk):
            return
        if chunk.segment < state.segment:
            msg = f"{chunk.stream.id}: segment {chunk.segment} after segment {state.segment}"
            raise RecordingError(msg)
        if not state.begun:
            state.begun, state.settled, state.first_ns = True, True, chunk.start_ns
        state.open, state.segment = True, chunk.segment
        state.until_ns = max(state.until_ns, chunk.stop_ns)
        for extractor in self._users[chunk.stream.id]:
            extractor.push(chunk)

    def _close(self, stream_id: str, t_ns: int) -> None:
        state = self._states[stream_id]
        if state.open:
            for extractor in self._users[stream_id]:
                extractor.close(stream_id)
        state.settled = True
        state.open = False
        state.until_ns = max(state.until_ns, t_ns)

    def _emit(self) -> Iterator[tuple[Window, FeatureVector]]:
        if self._t0 is None:
            self._t0 = self._find_start()
        if self._t0 is None:
            return
        final = self._final_ns()
        if not self._windower.any_ready(self._t0, final):
            return  # nine pushes of ten
        ready = self._windower.ready(self._t0, final)
        while windows := list(islice(ready, MANY)):
            yield from zip(windows, self._vectors(windows), strict=True)
        before = self._windower.needed_from(self._t0)
        if before < self._forgotten + _FORGET_NS:
            return
        self._forgotten = before
        for extractor in self._extractors.values():
            extractor.forget(before)

    def _find_start(self) -> int | None:
        if not all(s.settled for s in self._states.values()):
            return None
        firsts = [s.first_ns for s in self._states.values() if s.begun]
        return min(firsts) if firsts else None

    def _final_ns(self) -> int:
        """Time before which no feature of any open stream can change."""
        if not self._settled:
            self._settled = all(s.settled for s in self._states.values())
            if not self._settled:
                return _NEVER
        final = _NEVER
        for stream_id, state in self._read:
            if state.open:
                users = self._users[stream_id]
                own = min([e.final_ns(stream_id) for e in users]) if users else state.until_ns
                final = own if final == _NEVER else min(final, own)
        return max(s.until_ns for s in self._states.values()) if final == _NEVER else final

    def _vectors(self, windows: list[Window]) -> Iterator[FeatureVector]:
        each = [self._part(m, length, windows) for m, length in self._lengths.items()]
        for parts in zip(*each, strict=True) if each else ((),) * len(windows):
            values = np.concatenate([p.values for p in parts]) if parts else np.empty(0)
            yield FeatureVector(
                self.schema,
                values,
                tuple(chain.from_iterable(p.reasons for p in parts)),
                np.array([p.quality for p in parts]),
                tuple(p.quality_reason for p in parts),
            )

    def _part(self, modality: str, length_ns: int | None, windows: list[Window]) -> list[Extracted]:
        extractor = self._extractors.get(base(modality))
        if extractor is None:
            return [Extracted.nothing(len(features.extractor(modality).specs), Reason.NO_SIGNAL)] * len(windows)
        return extracted(extractor, windows if length_ns is None else [w.last(length_ns) for w in windows])


def own_lengths(modalities: Sequence[str], window_ns: int) -> dict[str, int | None]:
    """Each modality's own length in nanoseconds; None: the window's.

    Raises
    ------
    InputError
        If one is longer than the window.
    """
    out: dict[str, int | None] = {}
    for m in modalities:
        seconds = length_of(m)
        out[m] = None if seconds is None else to_ns(seconds)
        if seconds is not None and to_ns(seconds) > window_ns:
            msg = f"{m}: longer than the window of {window_ns / NS:g} s, in whose last seconds it is; make the window longer"
            raise InputError(msg)
    return out


def extracted(extractor: Extractor, windows: Sequence[Window]) -> list[Extracted]:
    """Features of windows that are final: of many at once, where the extractor has a method ``many``."""
    many = getattr(extractor, "many", None)
    if many is None:
        return [extractor.features(w) for w in windows]
    found: list[Extracted] = many(windows)
    return found


def extract(
    recording: Recording,
    *,
    window: float,
    hop: float,
    modalities: Sequence[str] | None = None,
    items: Iterable[Chunk | Event] | None = None,
    engine: str = features.ENGINES[0],
) -> Iterator[tuple[Window, FeatureVector]]:
    """Features of a whole recording: exactly a pipeline that is pushed the recording's items.

    Parameters
    ----------
    recording : Recording
        What to read.
    window, hop : float
        Seconds.
    modalities : sequence of str, optional
        As in :class:`Pipeline`.
    items : iterable, optional
        The recording's items in another cut; default :meth:`Recording.items`.
    engine : str, optional
        As in :class:`Pipeline`.
    """
    pipeline = Pipeline(
        recording.infos(), window=window, hop=hop, modalities=modalities, start_ns=recording.start_ns, engine=engine
    )
    for item in recording.items() if items is None else items:
        yield from pipeline.push(item)
    yield from pipeline.finish()
