"""Which stream a modality takes its signals from, where a session has several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.errors import InputError
from feltsense.features import extractor, modalities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.chunk import StreamInfo

__all__ = ["bind", "usual"]

STANDS_IN = {"intervals": frozenset({"ecg", "ppg"})}
"""A device's own beat intervals are asked for by default only where nothing better is there: a packet that comes late, or
not at all, would hold up every other modality's windows."""


def usual(streams: Mapping[str, StreamInfo]) -> tuple[str, ...]:
    """Modalities that are computed where none are named: all that have an extractor, but those that stand in for others."""
    kinds = {s.spec.name for s in streams.values()}
    return tuple(m for m in modalities() if not kinds & STANDS_IN.get(m, frozenset()))


def bind(modality: str, streams: Mapping[str, StreamInfo], wanted: str | None = None) -> dict[str, StreamInfo]:
    """Choose the streams that a modality takes its signals from.

    The required kind comes from the stream `wanted`, else from a device that wears on the wrist or finger (it also
    delivers PPG or EDA), else from the first stream by id. Helping kinds come from the same device or not at all:
    a chest strap's acceleration says nothing about a wrist.

    Returns
    -------
    dict
        Kind → stream; empty where the required kind is missing.
    """
    cls = extractor(modality)
    # A modality may name kinds that will do instead of the required one, best first (a room sensor without a light meter).
    will_do = (cls.requires, *getattr(cls, "instead", ()))
    mine = sorted((s for s in streams.values() if s.spec.name in will_do), key=lambda s: (will_do.index(s.spec.name), s.id))
    if wanted is not None:
        mine = [s for s in mine if s.id == wanted]
        if not mine:
            msg = f"{modality}: no stream {wanted!r} of kind {' or '.join(will_do)}; streams: {', '.join(sorted(streams))}"
            raise InputError(msg)
    if not mine:
        return {}
    worn = {_device(s.id) for s in streams.values() if s.spec.name in ("ppg", "eda")}
    chosen = next((s for s in mine if _device(s.id) in worn), mine[0])
    bound = {chosen.spec.name: chosen}
    for kind in cls.uses:
        near = [s for s in streams.values() if s.spec.name == kind and _device(s.id) == _device(chosen.id)]
        if near:
            bound[kind] = min(near, key=lambda s: s.id)
    return bound


def _device(stream_id: str) -> str:
    return stream_id.rpartition(".")[0]
