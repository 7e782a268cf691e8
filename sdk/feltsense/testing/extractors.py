"""Conformance of an extractor: the contract of :mod:`feltsense.core.extractor`, as one call.

:func:`check_extractor` plays a recording, whole and damaged, in several cuts, and holds the extractor to what it
promised. It is exact: features are compared bit for bit. A recording of two minutes that the extractor likes is
right; one that it cannot use would show little.
"""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.core.chunk import Chunk
from feltsense.core.event import EventKind
from feltsense.core.timeline import to_ns
from feltsense.core.vector import Extracted, Reason
from feltsense.core.window import Window, Windower
from feltsense.testing.strategies import first_seconds, rechunk, repeated, with_gap, with_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from feltsense.core.chunk import StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.extractor import Extractor
    from feltsense.core.recording import Recording

__all__ = ["ConformanceError", "check_extractor", "run_extractor"]

_NEVER = -(2**63)
_SINGLE_SECONDS, _SINGLE = 40.0, ("as it is", "a run of NaN")
"""How much of the recording, in which state, is also played sample by sample: it is slow."""
_REPEATS = 6
_GROWTH = 1.25
"""Most growth of an extractor's memory from the middle to the end of a long session."""


class ConformanceError(AssertionError):
    """An extractor breaks its contract; the message says which part, on what."""


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise ConformanceError(what)


def bound(cls: type[Extractor], recording: Recording) -> dict[str, StreamInfo]:
    """Kind of signal → first stream of the recording that delivers it, for what the extractor requires and uses.

    Raises
    ------
    ConformanceError
        If the recording has no stream of the required kind.
    """
    infos = sorted(recording.infos().values(), key=lambda s: s.id)
    found = {kind: next((s for s in infos if s.spec.name == kind), None) for kind in (cls.requires, *cls.uses)}
    _demand(found[cls.requires] is not None, f"{cls.__name__}: the recording has no stream of kind {cls.requires}")
    return {kind: info for kind, info in found.items() if info is not None}


def run_extractor(
    cls: type[Extractor],
    streams: Mapping[str, StreamInfo],
    items: Iterable[Chunk | Event],
    *,
    t0_ns: int,
    window: float,
    hop: float,
) -> Iterator[tuple[Window, Extracted]]:
    """Drive one extractor as a session does: windows as soon as they are final, memory forgotten behind them.

    Parameters
    ----------
    cls : type of Extractor
        What to drive.
    streams : mapping of str to StreamInfo
        Kind of signal → stream.
    items : iterable of Chunk or Event
        What to push; chunks of other streams are passed over.
    t0_ns : int
        Start of the first window.
    window, hop : float
        Seconds.
    """
    extractor = cls(streams)
    windower = Windower(window, hop)
    mine = {info.id for info in streams.values()}
    until: dict[str, int] = {}
    opened: set[str] = set()

    def ready(final_ns: int) -> Iterator[tuple[Window, Extracted]]:
        for w in windower.ready(t0_ns, final_ns):
            yield w, extractor.features(w)
        extractor.forget(windower.needed_from(t0_ns))

    for item in items:
        if isinstance(item, Chunk) and item.stream.id in mine:
            if not len(item):
                continue
            extractor.push(item)
            opened.add(item.stream.id)
            until[item.stream.id] = item.stop_ns
            finals = {i: extractor.final_ns(i) for i in opened}
            late = next((i for i, f in finals.items() if f > until[i]), None)
            _demand(late is None, f"{cls.__name__}: final_ns({late!r}) is later than the stream's newest sample")
            if opened == mine:
                yield from ready(min(finals.values()))
        elif not isinstance(item, Chunk) and item.kind is EventKind.STALLED and item.text in opened:
            extractor.close(item.text)
    for stream_id in mine:
        extractor.close(stream_id)
    yield from ready(max(until.values(), default=_NEVER))


def check_extractor(cls: type[Extractor], recording: Recording, *, window: float = 30.0, hop: float = 5.0) -> None:
    """Hold an extractor to its contract.

    Parameters
    ----------
    cls : type of Extractor
        What ``EXTRACTOR`` names.
    recording : Recording
        About two minutes that the extractor likes, with a stream of its required kind.
    window, hop : float, optional
        Seconds.

    Raises
    ------
    ConformanceError
        If a part of the contract is broken.
    """
    _check_specs(cls)
    streams = bound(cls, recording)
    usual = _play(cls, recording, window, hop)
    _demand(bool(usual), f"{cls.__name__}: the recording is shorter than a window of {window} s")
    good = any(np.isfinite(e.values).any() for e in usual.values())
    _demand(good, f"{cls.__name__}: no feature is ever given; use a recording that it likes")
    for name, damaged in _damage(recording, streams[cls.requires]):
        _check_cuts(cls, name, damaged, window, hop)
    _check_late(cls, recording, window, hop)
    _check_lengths(cls, recording, window, hop)
    _check_fresh_after_gap(cls, recording, streams[cls.requires].id, window, hop)
    _check_empty(cls, recording, window)
    _check_memory(cls, recording, window, hop)


def _damage(recording: Recording, info: StreamInfo) -> Iterator[tuple[str, Recording]]:
    """Everything that happens to a signal, by name."""
    length, i = recording.seconds, info.id
    third, more = length / 3, length / 3 + 12.0
    kind = info.spec.kind
    yield "as it is", recording
    yield "a gap of 12 s", with_gap(recording, i, third, more)
    yield "a gap without loss", with_gap(recording, i, third, third)
    yield "a flat line", with_values(recording, i, third, length, None)
    yield "all zero", with_values(recording, i, 0.0, length + 1, 0.0)
    yield "a run of NaN", with_values(recording, i, third, more, float("nan"))
    yield "one NaN", with_values(recording, i, third, third + 1.0 / info.spec.hz, float("nan"))
    yield "nothing but NaN", with_values(recording, i, 0.0, length + 1, float("nan"))
    yield "saturation", with_values(recording, i, third, more, kind.high)
    yield "5 s of signal", first_seconds(recording, 5.0)
    yield "one sample", first_seconds(recording, 0.5 / info.spec.hz)


def _play(
    cls: type[Extractor], recording: Recording, window: float, hop: float, *, items: Iterable[Chunk | Event] | None = None
) -> dict[Window, Extracted]:
    """Play a recording; keep the windows."""
    given = rechunk(recording) if items is None else items
    t0 = recording.start_ns
    return dict(run_extractor(cls, bound(cls, recording), given, t0_ns=t0, window=window, hop=hop))


def _check_specs(cls: type[Extractor]) -> None:
    names = [s.name for s in cls.specs]
    _demand(len(names) == len(set(names)) > 0, f"{cls.__name__}: feature names must be there and unique, got {names}")
    for s in cls.specs:
        whole = bool(s.unit and s.definition and s.source) and s.min_seconds >= 0.0
        _demand(whole, f"{cls.__name__}.{s.name}: unit, definition, source and a minimum of seconds belong to it")


def _check_cuts(cls: type[Extractor], name: str, recording: Recording, window: float, hop: float) -> None:
    """Well-formed, and the same bits in every cut."""
    window = min(window, 4.0) if recording.seconds < window else window
    whole = _play(cls, recording, window, hop)
    for extracted in whole.values():
        _check_form(cls, name, extracted)
    for seed in (1, 2):
        cut = _play(cls, recording, window, hop, items=rechunk(recording, seed=seed))
        _check_same(cls, f"{name}, random cut {seed}", whole, cut)
    if name not in _SINGLE:
        return
    short = first_seconds(recording, _SINGLE_SECONDS)
    single = _play(cls, short, window, hop, items=rechunk(short, sizes=(1,)))
    _check_same(cls, f"{name}, sample by sample", _play(cls, short, window, hop), single)


def _check_form(cls: type[Extractor], name: str, extracted: Extracted) -> None:
    where = f"{cls.__name__}, {name}"
    _demand(extracted.values.shape == (len(cls.specs),), f"{where}: {len(cls.specs)} values belong to a window")
    _demand(len(extracted.reasons) == len(cls.specs), f"{where}: {len(cls.specs)} reasons belong to a window")
    for spec, value, reason in zip(cls.specs, extracted.values, extracted.reasons, strict=True):
        right = bool(np.isfinite(value)) == (reason is Reason.OK) and not np.isinf(value)
        _demand(right, f"{where}: {spec.name} is {value} with reason {reason}: NaN exactly where a reason says why")
    _demand(0.0 <= extracted.quality <= 1.0, f"{where}: quality {extracted.quality} is not in 0..1")


def _check_same(cls: type[Extractor], name: str, one: dict[Window, Extracted], other: dict[Window, Extracted]) -> None:
    where = f"{cls.__name__}, {name}"
    _demand(list(one) == list(other), f"{where}: {len(one)} windows in one chunk, {len(other)} in this cut")
    for window, a in one.items():
        b = other[window]
        changed = [
            s.name
            for s, x, y, p, q in zip(cls.specs, a.values, b.values, a.reasons, b.reasons, strict=True)
            if not (x == y or (np.isnan(x) and np.isnan(y))) or p is not q
        ]
        if a.quality != b.quality or a.quality_reason is not b.quality_reason:
            changed.append("quality")
        _demand(not changed, f"{where}: window {window.number} differs in {', '.join(changed)}")


def _check_late(cls: type[Extractor], recording: Recording, window: float, hop: float) -> None:
    """What was final when it was asked for stays so: asking after the end, nothing forgotten, gives the same."""
    early = _play(cls, recording, window, hop, items=rechunk(recording, seed=3))
    streams = bound(cls, recording)
    extractor = cls(streams)
    mine = {i.id for i in streams.values()}
    for item in rechunk(recording, seed=3):
        if isinstance(item, Chunk) and item.stream.id in mine:
            extractor.push(item)
    for stream_id in (*mine, *mine):  # closing twice is closing once
        extractor.close(stream_id)
    late = {w: extractor.features(w) for w in early}
    _check_same(cls, "asked after the end (final_ns promises too early, or forget drops too much)", early, late)


def _check_lengths(cls: type[Extractor], recording: Recording, window: float, hop: float) -> None:
    """Asked for each window and for its last half, an extractor gives what it gives when asked for one of them alone."""
    streams, t0 = bound(cls, recording), recording.start_ns
    both: dict[Window, Extracted] = {}
    half_ns = to_ns(window / 2)

    class Both(cls):  # type: ignore[misc, valid-type]
        def features(self, asked: Window) -> Extracted:
            first: Extracted = super().features(asked)
            both[asked.last(half_ns)] = super().features(asked.last(half_ns))
            return first

    long = dict(run_extractor(Both, streams, rechunk(recording, seed=4), t0_ns=t0, window=window, hop=hop))
    _check_same(cls, "asked for two lengths at once, the longer", _play(cls, recording, window, hop), long)
    later = t0 + to_ns(window) - half_ns
    short = dict(run_extractor(cls, streams, rechunk(recording), t0_ns=later, window=window / 2, hop=hop))
    _check_same(cls, "asked for two lengths at once, the shorter", short, both)


def _check_fresh_after_gap(cls: type[Extractor], recording: Recording, stream_id: str, window: float, hop: float) -> None:
    """After a gap state starts anew: windows behind it are those of a recording that begins there."""
    third = recording.seconds / 3
    broken = with_gap(recording, stream_id, third, third + 1.0)
    stream = broken.stream(stream_id)
    t0 = stream.segments[-1].time.time_at(0)
    streams = bound(cls, recording)
    behind = [c for c in rechunk(broken) if isinstance(c, Chunk) and not (c.stream.id == stream_id and c.last_ns < t0)]
    after = dict(run_extractor(cls, streams, rechunk(broken), t0_ns=t0, window=window, hop=hop))
    alone = dict(run_extractor(cls, streams, behind, t0_ns=t0, window=window, hop=hop))
    _check_same(cls, "behind a gap, with and without what came before it", alone, after)


def _check_empty(cls: type[Extractor], recording: Recording, window: float) -> None:
    """A window without any sample is missing, not an error; so is one before the first push."""
    streams = bound(cls, recording)
    extractor = cls(streams)
    span = round(window * 1e9)
    for start in (recording.start_ns - 2 * span, recording.stop_ns + span):
        extracted = extractor.features(Window(0, start, start + span))
        _check_form(cls, "an empty window", extracted)
        _demand(extracted.quality == 0.0, f"{cls.__name__}: an empty window has quality {extracted.quality}")
        for item in rechunk(recording):
            if isinstance(item, Chunk) and item.stream.id in {i.id for i in streams.values()}:
                extractor.push(item)
        for info in streams.values():
            extractor.close(info.id)


def _check_memory(cls: type[Extractor], recording: Recording, window: float, hop: float) -> None:
    """Once windows are behind, their memory is free: a long session needs no more than a short one."""
    long = repeated(recording, _REPEATS)
    streams = bound(cls, recording)
    extractor = cls(streams)
    mine = {i.id for i in streams.values()}
    sizes: list[int] = []
    half = long.start_ns + (long.stop_ns - long.start_ns) // 2
    peak = 0
    for chunk in long.chunks(hop):
        if chunk.stream.id not in mine:
            continue
        if chunk.last_ns > half and not sizes:
            sizes.append(peak)
        extractor.push(chunk)
        extractor.forget(chunk.last_ns - round(2 * window * 1e9))
        peak = max(peak, _size(extractor))
    grew = peak > _GROWTH * sizes[0] + 4096
    _demand(not grew, f"{cls.__name__}: memory grew from {sizes[0]} to {peak} bytes in the second half of a long session")


def _size(root: Any) -> int:
    """Bytes held by an object and all it refers to, arrays by their whole buffers."""
    seen: set[int] = set()
    todo = [root]
    total = 0
    while todo:
        x = todo.pop()
        if id(x) in seen or isinstance(x, type) or (callable(x) and not hasattr(x, "args")):
            continue
        seen.add(id(x))
        total += x.nbytes if isinstance(x, np.ndarray) and x.base is None else sys.getsizeof(x)
        todo += _parts(x)
    return total


def _parts(x: Any) -> list[Any]:
    if isinstance(x, np.ndarray):
        return [] if x.base is None else [x.base]
    if isinstance(x, dict):
        return [*x.keys(), *x.values()]
    if isinstance(x, list | tuple | set | frozenset) or type(x).__name__ == "deque":
        return list(x)
    if is_dataclass(x):
        return [getattr(x, f.name) for f in fields(x)]
    slots = [n for c in type(x).__mro__ for n in getattr(c, "__slots__", ()) if hasattr(x, n)]
    return [*vars(x).values()] if hasattr(x, "__dict__") else [getattr(x, n) for n in slots]
